"""Every page of django-allauth that can be reached is ours, and the others do not exist."""

import pytest
from django.test import Client
from django.urls import get_resolver

from docs_app.accounts.models import User
from tests.docs_app.conftest import SignIn

OUTSIDE = [
    "login/",
    "inactive/",
    "signup/",
    "signup/sent/",
    "password/reset/",
    "password/reset/done/",
    "password/reset/key/1-abc/",
    "password/reset/key/done/",
]
INSIDE = ["logout/", "password/change/", "reauthenticate/", "security/", "sessions/"]


@pytest.mark.parametrize("path", OUTSIDE)
def test_it_shows_our_page_to_visitors(client: Client, alice: User, path: str) -> None:
    page = client.get(f"/accounts/{path}")
    assert page.status_code == 200
    assert 'class="entrance"' in page.content.decode()


@pytest.mark.parametrize("path", INSIDE)
def test_it_shows_our_page_to_people(sign_in: SignIn, alice: User, path: str) -> None:
    page = sign_in(alice).get(f"/accounts/{path}")
    assert page.status_code == 200
    assert 'class="site"' in page.content.decode()


def test_it_does_not_call_everything_saved_before_signing_out(sign_in: SignIn, alice: User) -> None:
    """The server can't know what a browser still holds. That it keeps it: tests/browser/test_never_lose_sign_in.py."""
    page = sign_in(alice).get("/accounts/logout/").content.decode()
    assert "wrote is saved" not in page
    assert "Changes that are not saved yet stay in this browser" in page


@pytest.mark.parametrize(
    "path", ["email/", "confirm-email/", "login/code/confirm/", "signup/passkey/", "3rdparty/"]
)
def test_it_has_no_other_pages(sign_in: SignIn, alice: User, path: str) -> None:
    assert sign_in(alice).get(f"/accounts/{path}").status_code == 404


def test_it_lists_every_account_page_here() -> None:
    names = {
        name for name in get_resolver().reverse_dict if isinstance(name, str) and name.startswith("account_")
    }
    assert names == {
        "account_login",
        "account_logout",
        "account_inactive",
        "account_signup",
        "account_change_password",
        "account_reauthenticate",
        "account_set_password",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key",
        "account_reset_password_from_key_done",
    }


def test_it_names_each_field_and_ties_its_help_to_it(client: Client, sign_in: SignIn, alice: User) -> None:
    page = client.get("/accounts/login/").content.decode()
    assert '<label class="label" for="id_login">E-mail address</label>' in page
    assert "placeholder" not in page
    changed = sign_in(alice).post("/accounts/password/change/", {}).content.decode()
    assert 'aria-describedby="id_password1_helptext id_password1_error"' in changed
    assert 'id="id_password1_error"' in changed
