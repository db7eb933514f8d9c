"""Authenticator apps and recovery codes. Passkeys need a browser: tests/browser/test_second_factor.py."""

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from django.test import Client

from docs_app.accounts.models import User
from tests.cast import PASSWORD

SECURITY = "/accounts/security/"

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(client: Client, person: User) -> str:
    """Where the password leads."""
    response = client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    return str(response["Location"])


def code_of(secret: str) -> str:
    return str(auth.format_hotp_value(auth.hotp_value(secret, int(time.time()) // 30)))


def set_up(client: Client) -> tuple[str, list[str]]:
    """Set up an app; answers its secret and the recovery codes."""
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get(f"{SECURITY}totp/activate/").content.decode()
    found = re.search(r'value="([A-Z2-7]{32})"', page)
    assert found
    response = client.post(f"{SECURITY}totp/activate/", {"code": code_of(found[1])}, follow=True)
    codes = re.findall(r"<li>([0-9a-z]{4,}[^<]*)</li>", response.content.decode())
    assert len(codes) == 10
    return found[1], codes


def is_signed_in(client: Client) -> bool:
    return client.get("/").status_code == 200


@pytest.fixture
def protected(bob: User) -> tuple[str, list[str]]:
    client = Client()
    sign_in(client, bob)
    return set_up(client)


def test_the_password_alone_signs_nobody_in(
    client: Client, bob: User, protected: tuple[str, list[str]]
) -> None:
    assert sign_in(client, bob) == f"{SECURITY}authenticate/"
    assert not is_signed_in(client)
    page = client.get(f"{SECURITY}authenticate/").content.decode()
    assert 'class="entrance"' in page
    wrong = client.post(f"{SECURITY}authenticate/", {"code": "000000"})
    assert "code" in wrong.context["form"].errors
    assert not is_signed_in(client)
    assert client.post(f"{SECURITY}authenticate/", {"code": code_of(protected[0])})["Location"] == "/"
    assert is_signed_in(client)


def test_a_recovery_code_works_once(client: Client, bob: User, protected: tuple[str, list[str]]) -> None:
    sign_in(client, bob)
    client.post(f"{SECURITY}authenticate/", {"code": protected[1][0]})
    assert is_signed_in(client)
    again = Client()
    sign_in(again, bob)
    again.post(f"{SECURITY}authenticate/", {"code": protected[1][0]})
    assert not is_signed_in(again)


def test_codes_cannot_be_guessed(client: Client, bob: User, protected: tuple[str, list[str]]) -> None:
    sign_in(client, bob)
    for _ in range(10):
        client.post(f"{SECURITY}authenticate/", {"code": "000000"})
    client.post(f"{SECURITY}authenticate/", {"code": code_of(protected[0])})
    assert not is_signed_in(client)


def test_it_asks_for_the_password_before_it_changes_anything(client: Client, bob: User) -> None:
    sign_in(client, bob)
    for path in ("totp/activate/", "webauthn/add/"):
        assert "/accounts/reauthenticate/" in client.get(f"{SECURITY}{path}")["Location"]
    data = {"password": PASSWORD, "next": f"{SECURITY}totp/activate/"}
    assert client.post("/accounts/reauthenticate/", data)["Location"] == f"{SECURITY}totp/activate/"
    set_up(client)
    assert Authenticator.objects.filter(user=bob, type="totp").exists()


def test_it_stores_no_secret_in_the_clear(bob: User, protected: tuple[str, list[str]]) -> None:
    secret, codes = protected
    stored = str([row.data for row in Authenticator.objects.filter(user=bob)])
    assert secret not in stored
    assert not any(code in stored for code in codes)


def test_it_is_turned_off(bob: User, client: Client) -> None:
    sign_in(client, bob)
    set_up(client)
    assert client.post(f"{SECURITY}totp/deactivate/").status_code == 302
    assert not Authenticator.objects.filter(user=bob).exists()
    assert sign_in(Client(), bob) == "/"


def test_the_admin_has_no_other_door(alice: User, bob: User) -> None:
    """An administrator with an app gets into the admin with the password and the code only."""
    client = Client()
    sign_in(client, alice)
    set_up(client)
    other = Client()
    sign_in(other, alice)
    assert other.get("/admin/").status_code == 302


def test_an_administrator_removes_what_somebody_has_lost(
    client: Client, alice: User, bob: User, protected: tuple[str, list[str]]
) -> None:
    client.force_login(alice)
    data = {"action": "remove_second_factors", "_selected_action": [bob.pk]}
    client.post("/admin/docs_app/user/", data)
    assert not Authenticator.objects.filter(user=bob).exists()
    assert sign_in(Client(), bob) == "/"
