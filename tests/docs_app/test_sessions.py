"""Where one is signed in, and ending it."""

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client

from docs_app.accounts.devices import describe
from docs_app.accounts.models import User
from docs_app.live import PEOPLE
from tests.cast import PASSWORD
from tests.docs_app.conftest import Listen

SESSIONS = "/accounts/sessions/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"

pytestmark = pytest.mark.django_db(transaction=True)


def browser(person: User, user_agent: str = FIREFOX) -> Client:
    client = Client(headers={"User-Agent": user_agent})
    assert client.post("/accounts/login/", {"login": person.email, "password": PASSWORD}).status_code == 302
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def id_of(client: Client) -> int:
    return int(UserSession.objects.get(session_key=client.session.session_key).pk)


def test_it_lists_one_s_own(bob: User, alice: User) -> None:
    here, _, _ = browser(bob), browser(bob, CHROME), browser(alice, CHROME)
    response = here.get(SESSIONS)
    assert [(row["device"], row["is_here"]) for row in response.context["rows"]] == [
        ("Chrome on Windows", False),
        ("Firefox on Linux", True),
    ]


def test_it_ends_one_and_tells_its_open_tabs(bob: User, listen: Listen) -> None:
    here, other = browser(bob), browser(bob, CHROME)
    key = other.session.session_key
    heard = listen(PEOPLE)
    assert here.post(f"{SESSIONS}{id_of(other)}/end").status_code == 302
    assert [message["user"] for message in heard()] == [bob.pk]
    assert not Session.objects.filter(session_key=key).exists()
    assert not is_signed_in(other)
    assert is_signed_in(here)
    assert "Chrome" not in here.get(SESSIONS).content.decode()


def test_it_ends_all_others(bob: User, alice: User) -> None:
    here, others = browser(bob), [browser(bob, CHROME), browser(bob)]
    hers = browser(alice)
    here.post(f"{SESSIONS}end")
    assert is_signed_in(here)
    assert not any(is_signed_in(other) for other in others)
    assert is_signed_in(hers)


def test_it_ends_nobody_else_s_and_not_this_one(bob: User, alice: User) -> None:
    here, hers = browser(bob), browser(alice)
    assert here.post(f"{SESSIONS}{id_of(hers)}/end").status_code == 404
    assert here.post(f"{SESSIONS}{id_of(here)}/end").status_code == 404
    assert Client().post(f"{SESSIONS}{id_of(hers)}/end").status_code == 302
    assert is_signed_in(here)
    assert is_signed_in(hers)


@pytest.mark.parametrize(
    ("user_agent", "told"),
    [
        (FIREFOX, "Firefox on Linux"),
        (CHROME, "Chrome on Windows"),
        (CHROME + " Edg/140.0", "Edge on Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari on an iPhone",
        ),
        ("curl/8", "A browser"),
        ("", "A browser"),
    ],
)
def test_it_names_the_device(user_agent: str, told: str) -> None:
    assert describe(user_agent) == told
