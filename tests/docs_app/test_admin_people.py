"""People in the admin."""

from typing import Any

import pytest
from django.test import Client

from docs_app.accounts.models import User
from docs_app.live import PEOPLE
from docs_app.workspaces.models import Membership, Workspace
from tests.cast import PASSWORD
from tests.docs_app.conftest import Listen, SignIn

PEOPLE_PAGE = "/admin/docs_app/user/"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin(sign_in: SignIn, alice: User) -> Client:
    return sign_in(alice)


def memberships(*rows: dict[str, Any]) -> dict[str, Any]:
    """The inline's fields; a row with an id is one that exists."""
    data: dict[str, Any] = {
        "memberships-TOTAL_FORMS": len(rows),
        "memberships-INITIAL_FORMS": sum("id" in row for row in rows),
    }
    return data | {
        f"memberships-{at}-{name}": value for at, row in enumerate(rows) for name, value in row.items()
    }


def change(person: User, **changes: Any) -> dict[str, Any]:
    """The form of a person as the page would send it, with changes; None leaves a field (a box) out."""
    rows = [
        {"id": row.pk, "user": person.pk, "workspace": row.workspace_id, "kind": row.kind}
        for row in person.memberships.all()
    ]
    data = {
        "name": person.name,
        "email": person.email,
        "colour": person.colour,
        "is_active": "on",
        **memberships(*rows),
    }
    return {name: value for name, value in {**data, **changes}.items() if value is not None}


def test_it_adds_a_person_to_the_only_workspace(admin: Client, workspace: Workspace) -> None:
    page = admin.get(f"{PEOPLE_PAGE}add/").content.decode()
    assert f'<option value="{workspace.pk}" selected>Aviary</option>' in page
    data = {"name": "Dora Dove", "email": "Dora@Example.org", "new_password": "nine calm swifts"}
    data |= memberships({"workspace": workspace.pk, "kind": "member"})
    assert admin.post(f"{PEOPLE_PAGE}add/", data).status_code == 302
    dora = User.objects.get(email="dora@example.org")
    assert dora.check_password("nine calm swifts")
    assert (dora.is_staff, dora.is_superuser) == (False, False)
    assert dora.memberships.get().kind == "member"
    assert "nine calm swifts" not in dora.password


def test_it_adds_a_person_without_a_workspace(admin: Client, workspace: Workspace) -> None:
    data = {"name": "Dora Dove", "email": "dora@example.org", "new_password": "nine calm swifts"}
    data |= memberships({"workspace": "", "kind": "member"})
    assert admin.post(f"{PEOPLE_PAGE}add/", data).status_code == 302
    assert not Membership.objects.filter(user__email="dora@example.org").exists()


def test_it_proposes_no_workspace_among_several(admin: Client, workspace: Workspace) -> None:
    Workspace.objects.create(name="Other")
    assert "selected>Aviary" not in admin.get(f"{PEOPLE_PAGE}add/").content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "BOB@example.org"),
        ("email", "nobody"),
        ("name", ""),
        ("new_password", ""),
        ("new_password", "dora dove"),
    ],
)
def test_it_refuses_what_is_no_account(admin: Client, workspace: Workspace, field: str, value: str) -> None:
    data = {"name": "Dora Dove", "email": "dora@example.org", "new_password": "nine calm swifts"}
    data |= memberships()
    response = admin.post(f"{PEOPLE_PAGE}add/", {**data, field: value})
    assert response.status_code == 200
    assert field in response.context["adminform"].form.errors
    assert User.objects.count() == 3


def test_it_makes_an_administrator_and_takes_it_back(admin: Client, bob: User) -> None:
    admin.post(f"{PEOPLE_PAGE}{bob.pk}/change/", change(bob, is_staff="on"))
    bob.refresh_from_db()
    assert (bob.is_staff, bob.is_superuser) == (True, True)
    admin.post(f"{PEOPLE_PAGE}{bob.pk}/change/", change(bob))
    bob.refresh_from_db()
    assert (bob.is_staff, bob.is_superuser) == (False, False)


def test_it_lets_no_administrator_shut_themselves_out(admin: Client, alice: User) -> None:
    data = change(alice, is_active=None, name="Alicia")
    assert admin.post(f"{PEOPLE_PAGE}{alice.pk}/change/", data).status_code == 302
    admin.post(PEOPLE_PAGE, {"action": "deactivate", "_selected_action": [alice.pk]})
    alice.refresh_from_db()
    assert (alice.name, alice.is_active, alice.is_staff, alice.is_superuser) == ("Alicia", True, True, True)


def test_it_deactivates_instead_of_deleting(
    admin: Client, workspace: Workspace, alice: User, bob: User, carol: User, listen: Listen
) -> None:
    heard = listen(PEOPLE)
    admin.post(PEOPLE_PAGE, {"action": "deactivate", "_selected_action": [bob.pk, carol.pk]})
    assert set(User.objects.filter(is_active=False)) == {bob, carol}
    assert {message["user"] for message in heard()} == {bob.pk, carol.pk}
    assert Membership.objects.count() == 3


@pytest.mark.parametrize("way", ["action", "form"])
def test_sessions_of_somebody_deactivated_do_not_live_again_with_the_account(
    admin: Client, workspace: Workspace, bob: User, way: str
) -> None:
    his = Client()
    his.post("/accounts/login/", {"login": bob.email, "password": PASSWORD})
    assert his.get("/").status_code == 200
    if way == "action":
        admin.post(PEOPLE_PAGE, {"action": "deactivate", "_selected_action": [bob.pk]})
    else:
        admin.post(f"{PEOPLE_PAGE}{bob.pk}/change/", change(bob, is_active=None))
    assert his.get("/").status_code == 302
    User.objects.filter(pk=bob.pk).update(is_active=True)
    assert his.get("/").status_code == 302


def test_it_deletes_nobody(admin: Client, workspace: Workspace, bob: User) -> None:
    assert admin.post(f"{PEOPLE_PAGE}{bob.pk}/delete/", {"post": "yes"}).status_code == 403
    admin.post(PEOPLE_PAGE, {"action": "delete_selected", "_selected_action": [bob.pk], "post": "yes"})
    assert User.objects.count() == 3


def test_it_sets_a_new_password_and_keeps_the_old_one_when_it_is_left_empty(
    admin: Client, bob: User, sign_in: SignIn
) -> None:
    admin.post(f"{PEOPLE_PAGE}{bob.pk}/change/", change(bob, name="Robert"))
    bob.refresh_from_db()
    assert (bob.name, bob.check_password(PASSWORD)) == ("Robert", True)
    client = sign_in(bob)
    admin.post(f"{PEOPLE_PAGE}{bob.pk}/change/", change(bob, new_password="nine calm swifts"))
    bob.refresh_from_db()
    assert bob.check_password("nine calm swifts")
    assert client.get("/").status_code == 302


def test_it_stays_signed_in_after_a_new_password_of_one_s_own(admin: Client, alice: User) -> None:
    admin.post(f"{PEOPLE_PAGE}{alice.pk}/change/", change(alice, new_password="nine calm swifts"))
    assert admin.get("/admin/").status_code == 200


def test_it_tells_open_tabs_when_a_membership_changes(
    admin: Client, workspace: Workspace, bob: User, listen: Listen
) -> None:
    heard = listen(PEOPLE)
    data = change(bob) | {"memberships-0-kind": "guest"}
    assert admin.post(f"{PEOPLE_PAGE}{bob.pk}/change/", data).status_code == 302
    assert bob.memberships.get().kind == "guest"
    assert {message["user"] for message in heard()} == {bob.pk}


def test_it_finds_people(admin: Client, workspace: Workspace, bob: User) -> None:
    page = admin.get(f"{PEOPLE_PAGE}?q=birch").content.decode()
    assert "Bob Birch" in page
    assert "Carol Cole" not in page
    assert admin.get(f"{PEOPLE_PAGE}?memberships__kind__exact=guest").context["cl"].result_count == 1


def test_it_is_closed_to_everybody_else(client: Client, sign_in: SignIn, alice: User, bob: User) -> None:
    data = change(bob, name="Robert")
    for visitor in (client, sign_in(bob)):
        assert visitor.post(f"{PEOPLE_PAGE}{bob.pk}/change/", data).status_code == 302
        bob.refresh_from_db()
        assert bob.name == "Bob Birch"


def test_it_shows_none_of_the_tables_that_are_not_used(admin: Client) -> None:
    models = {
        model["object_name"] for app in admin.get("/admin/").context["app_list"] for model in app["models"]
    }
    assert models == {"User", "Workspace", "Document"}
