"""Making a document."""

import pycrdt
import pytest
from django.test import Client

from docs_app.accounts.models import User
from docs_app.content.text import ROOT
from docs_app.documents import log, verbs
from docs_app.documents.models import ClientBinding, Document, DocumentUpdate
from docs_app.sharing.roles import Role
from docs_app.workspaces.models import Membership, Workspace
from tests.docs_app.conftest import SignIn


def test_it_makes_an_empty_document_and_leads_into_it(
    sign_in: SignIn, workspace: Workspace, bob: User
) -> None:
    response = sign_in(bob).post("/documents/", {"workspace": workspace.pk, "title": "  Nests\n and eggs "})
    document = Document.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/documents/{document.id}/")
    assert (document.title, document.workspace, document.created_by) == ("Nests and eggs", workspace, bob)


def test_it_begins_with_an_empty_paragraph_of_the_server_s(workspace: Workspace, bob: User) -> None:
    document = verbs.create(workspace=workspace, by=bob)
    (row,) = DocumentUpdate.objects.all()
    assert (document.seq, row.seq, row.author) == (1, 1, None)
    assert document.size == len(row.data)
    replica, failed = log.replay(log.load(document.id))
    assert (failed, replica.pending) == ({}, [])
    root = replica.doc.get(ROOT, type=pycrdt.XmlFragment)
    (paragraph,) = root.children
    assert (str(paragraph), [str(text) for text in paragraph.children]) == ("<paragraph></paragraph>", [""])
    # Nobody may write under the server's id.
    assert list(ClientBinding.objects.values_list("client_id", "user")) == [(*replica.clocks, None)]


def test_it_calls_a_document_without_a_title_untitled(
    sign_in: SignIn, workspace: Workspace, bob: User
) -> None:
    sign_in(bob).post("/documents/", {"workspace": workspace.pk})
    assert Document.objects.get().title == "Untitled"


@pytest.mark.parametrize("name", ["carol", "charlie"])
def test_it_refuses_those_who_are_no_members(
    sign_in: SignIn, workspace: Workspace, charlie: User, name: str
) -> None:
    person = User.objects.get(email=f"{name}@example.org")
    assert sign_in(person).post("/documents/", {"workspace": workspace.pk}).status_code == 403
    assert not Document.objects.exists()


def test_it_refuses_members_who_may_only_read_there(sign_in: SignIn, workspace: Workspace, bob: User) -> None:
    workspace.default_role = Role.VIEWER
    workspace.save()
    assert sign_in(bob).post("/documents/", {"workspace": workspace.pk}).status_code == 403
    assert not Document.objects.exists()


def test_it_refuses_a_workspace_of_others(sign_in: SignIn, workspace: Workspace, charlie: User) -> None:
    own = Workspace.objects.create(name="Own")
    Membership.objects.create(workspace=own, user=charlie)
    response = sign_in(charlie).post("/documents/", {"workspace": workspace.pk})
    assert response.status_code == 400
    assert not Document.objects.exists()
    assert not DocumentUpdate.objects.exists()


@pytest.mark.parametrize("title", ["x" * 201, "a\x00b"])
def test_it_refuses_a_title_that_is_none(
    sign_in: SignIn, workspace: Workspace, bob: User, title: str
) -> None:
    response = sign_in(bob).post("/documents/", {"workspace": workspace.pk, "title": title})
    assert response.status_code == 400
    assert not Document.objects.exists()


def test_it_leads_a_visitor_to_sign_in(client: Client, workspace: Workspace) -> None:
    response = client.post("/documents/", {"workspace": workspace.pk})
    assert response["Location"].startswith("/accounts/login/")
    assert not Document.objects.exists()


def test_it_needs_the_page_s_token(workspace: Workspace, bob: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob)
    response = client.post("/documents/", {"workspace": workspace.pk})
    assert response.status_code == 403
    assert "out of date" in response.content.decode()
    assert not Document.objects.exists()
