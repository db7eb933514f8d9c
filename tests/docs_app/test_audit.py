"""The audit log: one row for a verb and for a refusal, never changed, from which address."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from docs_app.accounts.models import User
from docs_app.audit import trail
from docs_app.audit.models import AppendOnlyError, AuditEvent
from docs_app.documents import verbs
from docs_app.documents.models import Document
from docs_app.workspaces.models import Workspace
from tests.docs_app.conftest import SignIn

pytestmark = pytest.mark.django_db


def row() -> AuditEvent:
    return AuditEvent.objects.get()


def test_a_verb_leaves_one_row(sign_in: SignIn, document: Document, bob: User) -> None:
    sign_in(bob).post(f"/documents/{document.id}/title", {"title": "Bird notes"}, REMOTE_ADDR="192.0.2.7")
    event = row()
    assert (event.verb, event.refused, event.ip) == ("rename", False, "192.0.2.7")
    assert (event.actor_id, event.actor) == (bob.pk, "Bob Birch <bob@example.org>")
    assert (event.document_id, event.document_title) == (document.id, "Bird notes")
    assert (event.workspace_id, event.detail) == (document.workspace_id, "from “Field notes”")


def test_the_address_is_the_one_in_front_of_the_proxy(
    sign_in: SignIn, document: Document, bob: User, settings: Settings
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    sign_in(bob).post(
        f"/documents/{document.id}/title",
        {"title": "Bird notes"},
        REMOTE_ADDR="127.0.0.1",
        HTTP_X_FORWARDED_FOR="203.0.113.9, 192.0.2.7",
    )
    assert row().ip == "192.0.2.7"


def test_outside_of_a_request_there_is_no_address(workspace: Workspace, bob: User) -> None:
    verbs.create(workspace=workspace, by=bob)
    assert (row().verb, row().ip) == ("create", None)


@pytest.mark.parametrize(
    ("name", "address", "verb", "status"),
    [
        ("carol", "title", "rename", 403),
        ("carol", "rename", "rename", 403),
        ("charlie", "title", "rename", 404),
        ("charlie", "rename", "rename", 404),
    ],
)
def test_a_refusal_leaves_one_row(
    sign_in: SignIn, document: Document, charlie: User, name: str, address: str, verb: str, status: int
) -> None:
    person = User.objects.get(email=f"{name}@example.org")
    response = sign_in(person).post(f"/documents/{document.id}/{address}", {"title": "Mine"})
    assert response.status_code == status
    assert (row().verb, row().refused, row().actor_id) == (verb, True, person.pk)
    assert row().document_id == document.id
    document.refresh_from_db()
    assert document.title == "Field notes"


def test_opening_a_document_of_others_is_a_refusal(
    sign_in: SignIn, document: Document, charlie: User
) -> None:
    assert sign_in(charlie).get(f"/documents/{document.id}/").status_code == 404
    assert (row().verb, row().refused) == ("read", True)


def test_a_document_that_nobody_has_leaves_nothing(
    client: Client, sign_in: SignIn, document: Document, bob: User
) -> None:
    unknown = "/documents/00000000-0000-4000-8000-000000000000/"
    assert sign_in(bob).get(unknown).status_code == 404
    assert client.post(f"{unknown}title", {"title": "Mine"}).status_code == 404
    assert not AuditEvent.objects.exists()


def test_rows_are_never_changed_nor_deleted(alice: User) -> None:
    trail.record("create", by=alice)
    before = AuditEvent.objects.values().get()
    event = row()
    event.verb = "nothing"
    for change in (
        event.save,
        event.delete,
        AuditEvent.objects.all().delete,
        lambda: AuditEvent.objects.update(verb="nothing"),
        lambda: AuditEvent.objects.bulk_update([event], ["verb"]),
    ):
        with pytest.raises(AppendOnlyError):
            change()
    assert AuditEvent.objects.values().get() == before


def test_rows_outlive_whom_they_name(document: Document, bob: User) -> None:
    trail.record("create", by=bob, document=document, subject=bob)
    before = AuditEvent.objects.values().get()
    document.delete()
    bob.delete()
    assert AuditEvent.objects.values().get() == before


def test_what_is_rolled_back_leaves_nothing(workspace: Workspace, bob: User) -> None:
    with transaction.atomic():
        verbs.create(workspace=workspace, by=bob)
        transaction.set_rollback(True)
    assert not AuditEvent.objects.exists()


def test_the_command_deletes_old_rows(alice: User, settings: Settings) -> None:
    for days in (364, 366):
        AuditEvent.objects.create(verb=f"{days}", actor="x", at=timezone.now() - timedelta(days=days))
    out = StringIO()
    call_command("prune_audit", stdout=out)
    assert out.getvalue() == "1 row of the audit log deleted.\n"
    assert row().verb == "364"


def test_the_admin_notes_who_was_deactivated_and_who_came_and_went(
    sign_in: SignIn, workspace: Workspace, document: Document, alice: User, bob: User
) -> None:
    admin = sign_in(alice)
    admin.post("/admin/docs_app/user/", {"action": "deactivate", "_selected_action": [bob.pk]})
    membership = workspace.memberships.get(user=bob)
    data = {
        "name": "Aviary",
        "default_role": "viewer",
        "memberships-TOTAL_FORMS": 1,
        "memberships-INITIAL_FORMS": 1,
        "memberships-0-id": membership.pk,
        "memberships-0-workspace": workspace.pk,
        "memberships-0-kind": "admin",
    }
    page = f"/admin/docs_app/workspace/{workspace.pk}/change/"
    assert admin.post(page, data).status_code == 302
    assert admin.post(page, data | {"memberships-0-DELETE": "on"}).status_code == 302
    grant = document.grants.get()
    shared = {
        "title": "Field notes",
        "grants-TOTAL_FORMS": 1,
        "grants-INITIAL_FORMS": 1,
        "grants-0-id": grant.pk,
        "grants-0-document": document.pk,
        "grants-0-role": "editor",
    }
    assert admin.post(f"/admin/docs_app/document/{document.pk}/change/", shared).status_code == 302
    rows = AuditEvent.objects.order_by("id").values_list("verb", "subject", "role_before", "role_after")
    assert list(rows) == [
        ("deactivate", "Bob Birch <bob@example.org>", "", ""),
        ("default role", "Aviary", "editor", "viewer"),
        ("membership", "Bob Birch <bob@example.org>", "member", "admin"),
        ("membership", "Bob Birch <bob@example.org>", "admin", ""),
        ("share", "Carol Cole <carol@example.org>", "viewer", "editor"),
    ]
    assert set(AuditEvent.objects.values_list("actor_id", flat=True)) == {alice.pk}
