"""Signing in at a provider of OpenID Connect: panva's oidc-provider, over HTTP, as a browser does it."""

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Callable
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError

import pytest

from tests.peers.conftest import RunPeer
from tests.processes import free_port
from tests.server import Server, StartServer

WORKSPACE = "Harbour Street Library"
PEOPLE = {
    "fay": {
        "email": "fay@example.org",
        "email_verified": True,
        "name": "Fay \u202eFontaine",
        "groups": ["writers"],
    },
    "gil": {"email": "gil@example.org", "email_verified": True, "name": "Gil Grant", "groups": ["others"]},
    "ben": {
        "email": "Ben@example.org",
        "email_verified": True,
        "name": "Ben",
        "groups": ["heads", "writers"],
    },
    "chidi": {"email": "chidi@example.org", "email_verified": True, "name": "Chidi", "groups": []},
    "dunja": {"email": "dunja@example.org", "email_verified": True, "name": "Dunja"},
    "ada": {"email": "ada@example.org", "email_verified": True, "name": "Ada", "groups": []},
    "thief": {"email": "ada@example.org", "email_verified": False, "name": "Ada", "groups": ["heads"]},
}


class Browser:
    """Follows redirects between Collab and the provider with the cookies of both."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.url, self.text, self.status = "", "", 0
        jar = urllib.request.HTTPCookieProcessor(CookieJar())
        self._opener = urllib.request.build_opener(jar)

    def go(self, url: str, form: dict[str, str] | None = None) -> None:
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        try:
            answer = self._opener.open(urllib.request.Request(url, data))
        except HTTPError as error:
            answer = error
        with answer:
            self.url, self.text, self.status = answer.url, answer.read().decode(), answer.status or 0

    def sign_in(self, who: str, next_: str = "/") -> None:
        """Through the button of the sign-in page and the provider's two pages."""
        self.go(f"{self.server.url}/accounts/login/?next={next_}")
        button = re.search(r'href="(/accounts/oidc/[^"]+)">Sign in with The Office<', self.text)
        assert button
        self.go(self.server.url + button[1])
        self.answer(who)

    def answer(self, who: str) -> None:
        """What the provider asks."""
        for form in ({"prompt": "login", "login": who, "password": "x"}, {"prompt": "consent"}):
            action = re.search(r'<form[^>]*action="([^"]+)"', self.text)
            assert action, self.text
            self.go(urllib.parse.urljoin(self.url, action[1]), form)

    def sign_in_by_password(self, who: str) -> None:
        person = self.server.people[who]
        address = f"{self.server.url}/accounts/login/"
        self.go(address)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.text)
        assert token
        form = {"csrfmiddlewaretoken": token[1], "login": person.email, "password": person.password}
        self.go(address, form)

    @property
    def is_inside(self) -> bool:
        self.go(f"{self.server.url}/accounts/password/set/")
        return "/login/" not in self.url


@pytest.fixture
def office(server: StartServer, peer: RunPeer) -> Callable[..., Server]:
    """Collab with a provider: settings of it by their last words."""

    def start(**extra: str) -> Server:
        port = free_port()
        own = {
            "URL": f"http://127.0.0.1:{port}",
            "ID": "office",
            "NAME": "The Office",
            "CLIENT_ID": "collab",
            "CLIENT_SECRET": "a secret of the two",
            "GROUPS": f"writers={WORKSPACE}:member, heads={WORKSPACE}:admin",
            **extra,
        }
        collab = server(
            postgres=False, beside=None, **{f"COLLAB_OIDC_1_{name}": value for name, value in own.items()}
        )
        client = {
            "client_id": "collab",
            "client_secret": own["CLIENT_SECRET"],
            "redirect_uris": [f"{collab.url}/accounts/oidc/office/login/callback/"],
        }
        provider = peer("provider.mjs", PORT=str(port), CLIENT=json.dumps(client), PEOPLE=json.dumps(PEOPLE))
        assert provider.hear(30) == {"ready": True}
        return collab

    return start


def ask(collab: Server, email: str) -> dict[str, Any]:
    """What the database says of the account with this address; empty if there is none."""
    code = (
        "import json; from docs_app.accounts.models import User;"
        f"u = User.objects.filter(email={email!r}).first();"
        "print('>' + json.dumps({} if u is None else {'name': u.name, 'password': u.has_usable_password(),"
        f"'kind': u.memberships.filter(workspace__name={WORKSPACE!r})"
        ".values_list('kind', flat=True).first()}))"
    )
    found: dict[str, Any] = json.loads(collab.manage("shell", "-c", code).rpartition(">")[2])
    return found


def test_a_group_brings_an_account_and_a_workspace(office: Callable[..., Server]) -> None:
    collab = office()
    browser = Browser(collab)
    browser.sign_in("fay", "/accounts/profile/")
    assert browser.url == f"{collab.url}/accounts/profile/"
    assert ask(collab, "fay@example.org") == {"name": "Fay Fontaine", "password": False, "kind": "member"}
    again = Browser(collab)
    again.sign_in("fay")
    assert again.is_inside


def test_accounts_that_are_there_follow_their_groups(office: Callable[..., Server]) -> None:
    collab = office()
    for who in ("ben", "chidi", "dunja", "ada"):
        browser = Browser(collab)
        browser.sign_in(who)
        assert browser.is_inside, who
    kept = {"name": "Ben Okafor", "password": True}
    assert ask(collab, "ben@example.org") == {**kept, "kind": "admin"}
    assert ask(collab, "chidi@example.org")["kind"] is None
    assert ask(collab, "dunja@example.org")["kind"] == "member", "without the claim nothing changes"
    assert ask(collab, "ada@example.org")["kind"] == "owner"


def test_nobody_gets_in_whom_nothing_lets_in(office: Callable[..., Server]) -> None:
    collab = office()
    browser = Browser(collab)
    browser.sign_in("gil")
    assert "By invitation only" in browser.text
    assert ask(collab, "gil@example.org") == {}
    assert not browser.is_inside


def test_an_address_that_the_provider_has_not_verified_is_nobody_s(office: Callable[..., Server]) -> None:
    collab = office(SIGN_UP="true")
    browser = Browser(collab)
    browser.sign_in("thief")
    assert "By invitation only" in browser.text
    assert not browser.is_inside
    assert ask(collab, "ada@example.org") == {"name": "Ada Brightwater", "password": True, "kind": "owner"}


def test_a_provider_may_let_everybody_in(office: Callable[..., Server]) -> None:
    collab = office(SIGN_UP="true", GROUPS="")
    browser = Browser(collab)
    browser.sign_in("gil")
    assert browser.is_inside
    assert ask(collab, "gil@example.org") == {"name": "Gil Grant", "password": False, "kind": "member"}


@pytest.mark.parametrize("process", ["connect", "redirect"])
def test_a_link_connects_no_account_of_somebody_else(office: Callable[..., Server], process: str) -> None:
    collab = office()
    browser = Browser(collab)
    browser.sign_in_by_password("ben")
    assert browser.is_inside
    browser.go(f"{collab.url}/accounts/oidc/office/login/?process={process}")
    browser.answer("fay")
    assert browser.url == f"{collab.url}/"
    code = "from allauth.socialaccount.models import SocialAccount as S; print(S.objects.count())"
    assert collab.manage("shell", "-c", code).strip().endswith("0")


def test_a_provider_that_answers_nonsense_signs_nobody_in(office: Callable[..., Server]) -> None:
    collab = office()
    browser = Browser(collab)
    browser.go(f"{collab.url}/accounts/oidc/office/login/callback/?code=x&state=y")
    assert "Signing in did not work" in browser.text
    browser.go(f"{collab.url}/accounts/oidc/elsewhere/login/")
    assert browser.status == 404
    assert not browser.is_inside
