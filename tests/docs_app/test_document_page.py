"""The page of a document."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from docs_app import access
from docs_app.accounts.models import User
from docs_app.documents.models import Document
from docs_app.sharing.roles import Role
from tests.docs_app.conftest import SignIn


def facts(client: Client, document: Document) -> dict[str, Any]:
    response = client.get(f"/documents/{document.id}/")
    assert response.status_code == 200
    found: dict[str, Any] = response.context["data"]
    return found


def test_it_tells_the_script_what_it_needs(sign_in: SignIn, document: Document, bob: User) -> None:
    assert facts(sign_in(bob), document) == {
        "id": str(document.id),
        "title": "Field notes",
        "role": "editor",
        "abilities": access.abilities(bob, Role.EDITOR),
        "canEdit": True,
        "canRename": True,
        "person": {"id": str(bob.pk), "name": "Bob Birch", "colour": bob.colour},
        "socket": "/ws/documents",
        "schemaVersion": 1,
        "epoch": 0,
        "renameUrl": f"/documents/{document.id}/title",
        "startUrl": "/",
        "signInUrl": f"/accounts/login/?next=%2Fdocuments%2F{document.id}%2F",
    }


def test_it_lets_a_viewer_read_only(sign_in: SignIn, document: Document, carol: User) -> None:
    data = facts(sign_in(carol), document)
    assert (data["role"], data["canEdit"], data["canRename"]) == ("viewer", False, False)


def test_it_knows_the_owner(sign_in: SignIn, document: Document, alice: User) -> None:
    assert facts(sign_in(alice), document)["role"] == "owner"


def test_it_sets_the_cookie_that_renaming_needs(sign_in: SignIn, document: Document, bob: User) -> None:
    assert "csrftoken" in sign_in(bob).get(f"/documents/{document.id}/").cookies


def test_it_answers_a_foreign_document_exactly_like_none(
    sign_in: SignIn, document: Document, charlie: User
) -> None:
    stranger = sign_in(charlie)
    foreign = stranger.get(f"/documents/{document.id}/")
    unknown = stranger.get(f"/documents/{uuid.uuid4()}/")
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.content == unknown.content
    assert dict(foreign.headers) == dict(unknown.headers)


def test_it_knows_no_document_in_the_trash(sign_in: SignIn, document: Document, alice: User) -> None:
    Document.objects.update(trashed_at=timezone.now())
    assert sign_in(alice).get(f"/documents/{document.id}/").status_code == 404


@pytest.mark.parametrize("exists", [True, False])
def test_it_leads_a_visitor_to_sign_in_whether_it_exists_or_not(
    client: Client, document: Document, exists: bool
) -> None:
    path = f"/documents/{document.id if exists else uuid.uuid4()}/"
    response = client.get(path)
    assert (response.status_code, response["Location"]) == (302, f"/accounts/login/?next={path}")
