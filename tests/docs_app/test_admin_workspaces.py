"""Workspaces in the admin."""

from typing import Any

import pytest
from django.test import Client

from docs_app.accounts.models import User
from docs_app.documents.models import Document
from docs_app.live import PEOPLE
from docs_app.workspaces.models import Membership, Workspace
from tests.docs_app.conftest import Listen, SignIn

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin(sign_in: SignIn, alice: User) -> Client:
    return sign_in(alice)


def page_of(workspace: Workspace) -> str:
    return f"/admin/docs_app/workspace/{workspace.pk}/change/"


def form(workspace: Workspace, *new: dict[str, Any], **changes: Any) -> dict[str, Any]:
    rows: list[dict[str, Any]] = [
        {"id": row.pk, "workspace": workspace.pk, "user": row.user.email, "kind": row.kind}
        for row in workspace.memberships.order_by("user__name")
    ]
    data: dict[str, Any] = {"name": workspace.name, "default_role": workspace.default_role}
    data |= {"memberships-TOTAL_FORMS": len(rows) + len(new), "memberships-INITIAL_FORMS": len(rows)}
    for at, row in enumerate([*rows, *new]):
        data |= {f"memberships-{at}-{name}": value for name, value in row.items()}
    return data | changes


def test_it_adds_a_member_by_address(
    admin: Client, workspace: Workspace, charlie: User, listen: Listen
) -> None:
    heard = listen(PEOPLE)
    data = form(workspace, {"user": " Charlie@Example.org ", "kind": "member"})
    assert admin.post(page_of(workspace), data).status_code == 302
    assert charlie.memberships.get().workspace == workspace
    assert {message["user"] for message in heard()} == {charlie.pk}


@pytest.mark.parametrize("address", ["eve@example.org", "bob@example.org"])
def test_it_refuses_somebody_unknown_or_already_there(
    admin: Client, workspace: Workspace, address: str, listen: Listen
) -> None:
    heard = listen(PEOPLE)
    response = admin.post(page_of(workspace), form(workspace, {"user": address, "kind": "admin"}))
    assert response.status_code == 200
    assert Membership.objects.count() == 3
    assert not Membership.objects.filter(kind="admin").exists()
    assert heard() == []


def test_it_never_turns_a_member_into_somebody_else(
    admin: Client, workspace: Workspace, charlie: User
) -> None:
    data = form(workspace) | {"memberships-1-user": charlie.email, "memberships-1-kind": "admin"}
    admin.post(page_of(workspace), data)
    assert not charlie.memberships.exists()
    assert Membership.objects.get(user__email="bob@example.org").kind == "admin"


def test_it_tells_everybody_when_members_may_do_something_else(
    admin: Client, workspace: Workspace, alice: User, bob: User, carol: User, listen: Listen
) -> None:
    heard = listen(PEOPLE)
    admin.post(page_of(workspace), form(workspace, default_role="viewer"))
    workspace.refresh_from_db()
    assert workspace.default_role == "viewer"
    assert [message["users"] for message in heard()] == [sorted([alice.pk, bob.pk, carol.pk])]


def test_it_deletes_a_workspace_only_when_it_is_empty(
    admin: Client, document: Document, workspace: Workspace
) -> None:
    path = f"/admin/docs_app/workspace/{workspace.pk}/delete/"
    assert admin.post(path, {"post": "yes"}).status_code == 403
    assert Workspace.objects.filter(pk=workspace.pk).exists()
    assert Document.objects.exists()
    empty = Workspace.objects.create(name="Empty")
    assert admin.post(f"/admin/docs_app/workspace/{empty.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Workspace.objects.filter(pk=empty.pk).exists()


def test_it_counts_members_and_documents(admin: Client, document: Document) -> None:
    page = admin.get("/admin/docs_app/workspace/").content.decode()
    assert '<td class="field-member_count">3</td>' in page
    assert '<td class="field-document_count">1</td>' in page
