"""Who may do what: every way to a document, asked one by one and for a whole list."""

from collections.abc import Callable
from itertools import product

import pytest
from django.contrib.auth.models import AnonymousUser

from docs_app import access
from docs_app.accounts.models import User
from docs_app.documents.models import Document
from docs_app.sharing.models import Grant
from docs_app.sharing.roles import Role
from docs_app.workspaces.models import Membership, Workspace

KINDS = [None, *Membership.Kind]
GRANTS = [None, *Role]


def expected(kind: Membership.Kind | None, default: Role, grant: Role | None) -> Role | None:
    inside = {
        Membership.Kind.OWNER: Role.OWNER,
        Membership.Kind.ADMIN: Role.MANAGER,
        Membership.Kind.MEMBER: default,
    }
    roles = [role for role in (inside.get(kind) if kind else None, grant) if role]
    return max(roles, key=lambda role: role.rank) if roles else None


@pytest.mark.parametrize(("kind", "default", "grant"), [*product(KINDS, [Role.VIEWER, Role.EDITOR], GRANTS)])
def test_it_takes_the_strongest_of_membership_and_grant(
    charlie: User, kind: Membership.Kind | None, default: Role, grant: Role | None
) -> None:
    workspace = Workspace.objects.create(name="Place", default_role=default)
    document = Document.objects.create(workspace=workspace, title="Paper")
    if kind:
        Membership.objects.create(workspace=workspace, user=charlie, kind=kind)
    if grant:
        Grant.objects.create(document=document, user=charlie, role=grant)
    role = expected(kind, default, grant)
    assert access.role_of(charlie, document) == role
    assert access.roles_of(charlie, [document]) == ({document.id: role} if role else {})
    assert list(access.documents_of(charlie)) == ([document] if role else [])


def test_it_knows_several_documents_of_several_workspaces(
    document: Document, bob: User, carol: User, workspace: Workspace
) -> None:
    other = Document.objects.create(workspace=Workspace.objects.create(name="Other"), title="Foreign")
    assert access.roles_of(bob, [document, other]) == {document.id: Role.EDITOR}
    assert access.roles_of(carol, [document, other]) == {document.id: Role.VIEWER}


@pytest.mark.parametrize(
    ("kind", "default", "may"),
    [
        (Membership.Kind.OWNER, Role.VIEWER, True),
        (Membership.Kind.ADMIN, Role.VIEWER, True),
        (Membership.Kind.MEMBER, Role.EDITOR, True),
        (Membership.Kind.MEMBER, Role.COMMENTER, False),
        (Membership.Kind.GUEST, Role.EDITOR, False),
    ],
)
def test_it_knows_where_one_may_make_documents(
    charlie: User, kind: Membership.Kind, default: Role, may: bool
) -> None:
    workspace = Workspace.objects.create(name="Place", default_role=default)
    Membership.objects.create(workspace=workspace, user=charlie, kind=kind)
    assert list(access.workspaces_to_create_in(charlie)) == ([workspace] if may else [])


def deactivated(person: User) -> User:
    person.is_active = False
    return person


@pytest.mark.parametrize("who", [deactivated, lambda person: AnonymousUser()])
def test_it_gives_nothing_to_those_who_are_not_here(
    document: Document, bob: User, who: Callable[[User], access.Person]
) -> None:
    nobody = who(bob)
    assert access.role_of(nobody, document) is None
    assert access.find_document(nobody, document.id) is None
    assert not access.documents_of(nobody).exists()
    assert not access.workspaces_to_create_in(nobody).exists()
