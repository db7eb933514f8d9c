"""The cast: Alice owns the workspace, Bob is a member who edits, Carol is a guest who may read the document, Charlie is
a stranger with an account."""

import pytest

from docs_app.accounts.models import User
from docs_app.documents.models import Document
from docs_app.sharing.models import Grant
from docs_app.sharing.roles import Role
from docs_app.workspaces.models import Membership, Workspace

PASSWORD = "seven quiet herons"


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_superuser("alice@example.org", PASSWORD, name="Alice Amsel")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob@example.org", PASSWORD, name="Bob Birch")


@pytest.fixture
def carol(db: None) -> User:
    return User.objects.create_user("carol@example.org", PASSWORD, name="Carol Cole")


@pytest.fixture
def charlie(db: None) -> User:
    return User.objects.create_user("charlie@example.org", PASSWORD, name="Charlie Chan")


@pytest.fixture
def workspace(alice: User, bob: User, carol: User) -> Workspace:
    workspace = Workspace.objects.create(name="Aviary")
    Membership.objects.create(workspace=workspace, user=alice, kind=Membership.Kind.OWNER)
    Membership.objects.create(workspace=workspace, user=bob, kind=Membership.Kind.MEMBER)
    Membership.objects.create(workspace=workspace, user=carol, kind=Membership.Kind.GUEST)
    return workspace


@pytest.fixture
def document(workspace: Workspace, alice: User, carol: User) -> Document:
    document = Document.objects.create(workspace=workspace, title="Field notes", created_by=alice)
    Grant.objects.create(document=document, user=carol, role=Role.VIEWER)
    return document
