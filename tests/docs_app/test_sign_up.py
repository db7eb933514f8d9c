"""Signing up without an invitation."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from docs_app.accounts import sign_up
from docs_app.accounts.models import User
from docs_app.workspaces.models import Membership, Workspace
from tests.server import ROOT, environment

SIGN_UP = "/accounts/signup/"
ACCOUNT = {"name": "Dora Dove", "password": "nine calm swifts"}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def open_(settings: Settings) -> None:
    settings.SIGN_UP = "open"
    settings.HAS_MAIL = True


@pytest.fixture
def domains(settings: Settings) -> None:
    settings.SIGN_UP = "domains"
    settings.SIGN_UP_DOMAINS = ("example.org", "example.com")


def path_in_mail() -> str:
    found = re.search(r"https?://[^/\s]+(/accounts/signup/\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def test_nobody_signs_up_where_one_is_invited(client: Client, alice: User) -> None:
    response = client.post(SIGN_UP, {"email": "dora@example.org"})
    assert "By invitation only" in response.content.decode()
    assert mail.outbox == []
    assert SIGN_UP not in client.get("/accounts/login/").content.decode()
    ticket = sign_up.write_ticket(sign_up.Ticket("dora@example.org", None))
    assert client.post(f"{SIGN_UP}{ticket}/", ACCOUNT).status_code == 404
    assert list(User.objects.all()) == [alice]


@pytest.mark.usefixtures("open_")
def test_it_makes_the_account_when_the_address_is_proved(client: Client, workspace: Workspace) -> None:
    assert SIGN_UP in client.get("/accounts/login/").content.decode()
    assert client.post(SIGN_UP, {"email": "Dora@Example.org"})["Location"] == f"{SIGN_UP}sent/"
    assert not User.objects.filter(email="dora@example.org").exists()
    assert mail.outbox[0].to == ["dora@example.org"]
    path = path_in_mail()
    assert client.get(path).status_code == 200
    assert client.post(path, ACCOUNT)["Location"] == "/"
    dora = User.objects.get(email="dora@example.org")
    assert (dora.name, dora.is_staff, dora.check_password(ACCOUNT["password"])) == ("Dora Dove", False, True)
    assert dora.emailaddress_set.get().verified  # type: ignore[attr-defined]
    assert Membership.objects.get(user=dora).kind == "member"
    assert client.get("/").context["user"] == dora
    assert Client().get(path)["Location"] == "/accounts/login/"


@pytest.mark.usefixtures("open_")
def test_it_answers_known_addresses_like_unknown_ones(client: Client, bob: User) -> None:
    known = client.post(SIGN_UP, {"email": "Bob@example.org"}, follow=True)
    unknown = client.post(SIGN_UP, {"email": "dora@example.org"}, follow=True)
    assert known.content == unknown.content
    assert (known.status_code, known.redirect_chain) == (unknown.status_code, unknown.redirect_chain)
    assert "You have one already" in str(mail.outbox[0].body)
    assert SIGN_UP not in str(mail.outbox[0].body)


@pytest.mark.usefixtures("open_")
def test_it_fills_nobody_s_mailbox(client: Client, alice: User) -> None:
    answers = [client.post(SIGN_UP, {"email": "dora@example.org"}, follow=True) for _ in range(7)]
    assert len(mail.outbox) == 5
    assert answers[0].content == answers[-1].content


@pytest.mark.usefixtures("open_")
def test_it_stops_listening_to_somebody_who_asks_too_often(client: Client, alice: User) -> None:
    answers = [client.post(SIGN_UP, {"email": f"dora{n}@example.org"}).status_code for n in range(21)]
    assert (answers[0], answers[-1]) == (302, 429)


@pytest.mark.usefixtures("open_")
@pytest.mark.parametrize(
    ("field", "value"), [("name", " "), ("password", "short"), ("password", "dora@example.org")]
)
def test_it_refuses_what_is_no_account(client: Client, alice: User, field: str, value: str) -> None:
    client.post(SIGN_UP, {"email": "dora@example.org"})
    response = client.post(path_in_mail(), {**ACCOUNT, field: value})
    assert response.status_code == 400
    assert field in response.context["form"].errors
    assert list(User.objects.all()) == [alice]


@pytest.mark.usefixtures("open_")
def test_it_takes_no_forged_or_old_link(client: Client, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = sign_up.write_ticket(sign_up.Ticket("dora@example.org", None))
    forged = ticket.replace(ticket[0], "X" if ticket[0] != "X" else "Y", 1)
    assert client.post(f"{SIGN_UP}{forged}/", ACCOUNT).status_code == 404
    monkeypatch.setattr(sign_up, "TICKET_AGE", -1)
    assert client.post(f"{SIGN_UP}{ticket}/", ACCOUNT).status_code == 404
    assert list(User.objects.all()) == [alice]


@pytest.mark.usefixtures("domains")
@pytest.mark.parametrize(
    ("email", "status"),
    [
        ("dora@example.org", 302),
        ("Dora@Example.COM", 302),
        ("dora@sub.example.org", 400),
        ("dora@example.org.evil.example", 400),
        ("dora@evilexample.org", 400),
    ],
)
def test_it_lets_in_the_addresses_of_the_domains(
    client: Client, alice: User, email: str, status: int
) -> None:
    assert client.post(SIGN_UP, {"email": email}).status_code == status
    assert len(mail.outbox) == (status == 302)


@pytest.mark.usefixtures("domains")
def test_it_keeps_to_the_domains_when_the_link_comes_back(
    client: Client, alice: User, settings: Settings
) -> None:
    client.post(SIGN_UP, {"email": "dora@example.com"})
    settings.SIGN_UP_DOMAINS = ("example.org",)
    assert client.post(path_in_mail(), ACCOUNT).status_code == 404
    assert list(User.objects.all()) == [alice]


@pytest.mark.usefixtures("open_")
@pytest.mark.parametrize(
    ("wanted", "joined"), [("", "Aviary"), ("Second", "Second"), ("none", None), ("Gone", None)]
)
def test_it_joins_the_workspace_that_the_setting_names(
    client: Client, workspace: Workspace, settings: Settings, wanted: str, joined: str | None
) -> None:
    settings.SIGN_UP_WORKSPACE = wanted
    Workspace.objects.create(name="Second")
    client.post(SIGN_UP, {"email": "dora@example.org"})
    client.post(path_in_mail(), ACCOUNT)
    names = Membership.objects.filter(user__email="dora@example.org").values_list(
        "workspace__name", flat=True
    )
    assert list(names) == ([joined] if joined else [])


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ({"COLLAB_SIGN_UP": "open"}, "set EMAIL_URL as well"),
        ({"COLLAB_SIGN_UP": "everybody", "EMAIL_URL": "console://"}, "must be invitation, open, or domains"),
        ({"COLLAB_SIGN_UP": "example.org, @Example.com", "EMAIL_URL": "console://"}, ""),
    ],
)
def test_the_start_stops_at_a_setting_that_makes_no_sense(
    tmp_path: Path, extra: dict[str, str], told: str
) -> None:
    code = "from collab import settings; print(settings.SIGN_UP, settings.SIGN_UP_DOMAINS)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(tmp_path, **extra, PYTHONPATH=os.fspath(ROOT)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if told:
        assert told in done.stderr
        assert done.returncode == 1
    else:
        assert done.stdout.strip() == "domains ('example.org', 'example.com')"
