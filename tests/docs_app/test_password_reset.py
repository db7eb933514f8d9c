"""A new password by mail."""

import re

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from docs_app.accounts.models import User
from tests.cast import PASSWORD
from tests.docs_app.conftest import SignIn

RESET = "/accounts/password/reset/"
NEW = "eleven loud bitterns"


def link_in(text: str) -> str:
    found = re.search(r"https?://\S+", text)
    assert found
    return found.group()


def path_of(link: str) -> str:
    return "/" + link.split("/", 3)[3]


def test_it_sends_a_link_that_works_once(client: Client, bob: User) -> None:
    assert client.post(RESET, {"email": "BOB@example.org"})["Location"] == "/accounts/password/reset/done/"
    (message,) = mail.outbox
    assert message.to == [bob.email]
    assert message.subject == "Choose a new password for Collab"
    path = path_of(link_in(str(message.body)))
    form = client.get(path, follow=True)
    assert "Choose a new password" in form.content.decode()
    done = client.post(form.redirect_chain[-1][0], {"password1": NEW}, follow=True)
    assert "Your password is changed" in done.content.decode()
    bob.refresh_from_db()
    assert bob.check_password(NEW)
    again = Client().get(path, follow=True)
    assert "This link no longer works" in again.content.decode()


def test_it_refuses_a_weak_new_password(client: Client, bob: User) -> None:
    client.post(RESET, {"email": bob.email})
    form = client.get(path_of(link_in(str(mail.outbox[0].body))), follow=True)
    response = client.post(form.redirect_chain[-1][0], {"password1": "short"})
    assert "password1" in response.context["form"].errors
    bob.refresh_from_db()
    assert bob.check_password(PASSWORD)


def test_it_does_not_tell_whether_there_is_an_account(client: Client, bob: User) -> None:
    known = client.post(RESET, {"email": bob.email}, follow=True)
    unknown = client.post(RESET, {"email": "eve@example.org"}, follow=True)
    assert known.content == unknown.content
    assert "There is no account" in str(mail.outbox[1].body)
    assert "http" not in str(mail.outbox[1].body)


@pytest.mark.parametrize("host", ["docs.example.org:9999", "docs.example.org"])
def test_it_links_to_the_public_address_whatever_the_request_claims(
    client: Client, bob: User, settings: Settings, host: str
) -> None:
    settings.IS_LOCAL = False
    settings.PUBLIC_URL = "https://docs.example.org"
    settings.ALLOWED_HOSTS = ["docs.example.org"]
    client.post(RESET, {"email": bob.email}, headers={"Host": host})
    assert link_in(str(mail.outbox[0].body)).startswith(
        "https://docs.example.org/accounts/password/reset/key/"
    )


def test_it_sends_nothing_to_the_former_address(
    client: Client, sign_in: SignIn, alice: User, bob: User
) -> None:
    client.post(RESET, {"email": bob.email})
    data = {
        "name": bob.name,
        "email": "robert@example.org",
        "colour": bob.colour,
        "is_active": "on",
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
    }
    assert sign_in(alice).post(f"/admin/docs_app/user/{bob.pk}/change/", data).status_code == 302
    mail.outbox.clear()
    client.post(RESET, {"email": "bob@example.org"})
    assert "There is no account" in str(mail.outbox[0].body)
