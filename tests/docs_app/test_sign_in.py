"""Signing in and out."""

import pytest
from django.test import Client
from pytest_django import Settings

from docs_app.accounts.models import User
from tests.cast import PASSWORD
from tests.docs_app.conftest import SignIn

LOGIN = "/accounts/login/"


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_it_leads_a_visitor_to_sign_in_and_back(client: Client, bob: User) -> None:
    asked = client.get("/documents/4b0c3f0e-8a3e-4f39-9d0f-6f8a2f9d0c11/")
    assert asked["Location"].startswith(LOGIN)
    page = client.get(asked["Location"])
    assert page.status_code == 200
    data = {"login": "Bob@Example.org", "password": PASSWORD, "next": "/documents/"}
    response = client.post(LOGIN, data)
    assert (response.status_code, response["Location"]) == (302, "/documents/")
    assert is_signed_in(client)


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_it_leads_nobody_to_another_site(client: Client, bob: User, target: str) -> None:
    response = client.post(LOGIN, {"login": bob.email, "password": PASSWORD, "next": target})
    assert (response.status_code, response["Location"]) == (302, "/")


def test_it_answers_a_wrong_password_like_an_unknown_address(client: Client, bob: User) -> None:
    wrong = client.post(LOGIN, {"login": bob.email, "password": "wrong"})
    unknown = client.post(LOGIN, {"login": "eve@example.org", "password": "wrong"})
    assert wrong.context["form"].errors == unknown.context["form"].errors
    assert wrong.status_code == unknown.status_code == 200
    assert not is_signed_in(client)


def test_it_lets_nobody_in_who_is_deactivated(client: Client, bob: User) -> None:
    bob.is_active = False
    bob.save()
    client.post(LOGIN, {"login": bob.email, "password": PASSWORD})
    assert not is_signed_in(client)


def test_it_stops_listening_to_somebody_who_guesses(client: Client, bob: User) -> None:
    for _ in range(5):
        client.post(LOGIN, {"login": bob.email, "password": "wrong"})
    response = client.post(LOGIN, {"login": bob.email, "password": PASSWORD})
    assert "Too many" in str(response.context["form"].errors)
    assert not is_signed_in(client)


def test_it_counts_guesses_by_address_of_the_connection_and_ignores_what_anybody_may_claim(
    client: Client, bob: User
) -> None:
    answers = [
        client.post(
            LOGIN,
            {"login": f"guess{n}@example.org", "password": "x"},
            headers={"X-Forwarded-For": f"192.0.2.{n}"},
        )
        for n in range(31)
    ]
    assert [answer.status_code for answer in answers][-1] == 429


def test_it_counts_each_client_of_a_proxy_by_itself(client: Client, bob: User, settings: Settings) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    headers = {"X-Forwarded-For": "203.0.113.9, 192.0.2.1"}
    answers = [
        client.post(LOGIN, {"login": f"guess{n}@example.org", "password": "x"}, headers=headers)
        for n in range(31)
    ]
    assert answers[-1].status_code == 429
    claimed = {"X-Forwarded-For": "198.51.100.1, 192.0.2.1"}
    assert client.post(LOGIN, {"login": bob.email, "password": PASSWORD}, headers=claimed).status_code == 429
    other = {"X-Forwarded-For": "192.0.2.1, 203.0.113.9"}
    assert client.post(LOGIN, {"login": bob.email, "password": PASSWORD}, headers=other).status_code == 302


def test_it_signs_out_by_post_only(sign_in: SignIn, bob: User) -> None:
    client = sign_in(bob)
    assert "Sign out?" in client.get("/accounts/logout/").content.decode()
    assert is_signed_in(client)
    client.post("/accounts/logout/")
    assert not is_signed_in(client)


def test_it_signs_out_other_browsers_when_the_password_changes(sign_in: SignIn, bob: User) -> None:
    here, elsewhere = sign_in(bob), sign_in(bob)
    data = {"oldpassword": PASSWORD, "password1": "eleven loud bitterns"}
    assert here.post("/accounts/password/change/", data).status_code == 302
    bob.refresh_from_db()
    assert bob.check_password("eleven loud bitterns")
    assert here.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302


def test_it_changes_no_password_without_the_current_one(sign_in: SignIn, bob: User) -> None:
    data = {"oldpassword": "wrong", "password1": "eleven loud bitterns"}
    response = sign_in(bob).post("/accounts/password/change/", data)
    assert "oldpassword" in response.context["form"].errors
    bob.refresh_from_db()
    assert bob.check_password(PASSWORD)


def test_it_leads_to_the_admin_through_the_same_door(
    client: Client, sign_in: SignIn, alice: User, bob: User
) -> None:
    assert client.get("/admin/login/?next=/admin/")["Location"] == f"{LOGIN}?next=%2Fadmin%2F"
    assert sign_in(bob).get("/admin/", follow=True).status_code == 403
    assert sign_in(alice).get("/admin/").status_code == 200
