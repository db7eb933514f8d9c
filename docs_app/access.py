"""Who may do what. Pages, the admin's verbs and sockets all ask here, and nowhere else decides.

A document that somebody may not open is answered like one that does not exist.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from docs_app.accounts.models import User
from docs_app.documents.models import Document
from docs_app.sharing.models import Grant
from docs_app.sharing.roles import Role
from docs_app.workspaces.models import Membership, Workspace

Person = User | AnonymousUser

# Membership kinds that bring the workspace's default role, or more, to every document in it.
_BY_MEMBERSHIP = {Membership.Kind.OWNER: Role.OWNER, Membership.Kind.ADMIN: Role.MANAGER}
_INSIDE = (Membership.Kind.OWNER, Membership.Kind.ADMIN, Membership.Kind.MEMBER)


def documents_of(person: Person) -> QuerySet[Document]:
    """Every document that the person may open and that is not in the trash."""
    if not isinstance(person, User) or not person.is_active:
        return Document.objects.none()
    inside = Membership.objects.filter(user=person, kind__in=_INSIDE).values("workspace")
    granted = Grant.objects.filter(user=person).values("document")
    return Document.objects.filter(Q(workspace__in=inside) | Q(id__in=granted), trashed_at=None)


def role_of(person: Person, document: Document) -> Role | None:
    """The person's strongest role on a document, None if it must not even be known to them. At most 2 queries."""
    if not isinstance(person, User) or not person.is_active or document.trashed_at is not None:
        return None
    roles = [
        Role(role)
        for role in Grant.objects.filter(user=person, document=document).values_list("role", flat=True)
    ]
    member = Membership.objects.filter(user=person, workspace=document.workspace_id).exclude(
        kind=Membership.Kind.GUEST
    )
    for kind, default in member.values_list("kind", "workspace__default_role"):
        roles.append(_BY_MEMBERSHIP.get(Membership.Kind(kind), Role(default)))
    return strongest(roles)


def roles_of(person: User, documents: Sequence[Document]) -> dict[UUID, Role]:
    """The person's strongest role on each of these documents; those without one are left out. 2 queries."""
    found: dict[UUID, list[Role]] = {document.id: [] for document in documents}
    for document_id, role in Grant.objects.filter(user=person, document__in=found).values_list(
        "document_id", "role"
    ):
        found[document_id].append(Role(role))
    by_workspace = _roles_by_membership(person)
    for document in documents:
        if document.workspace_id in by_workspace:
            found[document.id].append(by_workspace[document.workspace_id])
    return {document_id: best for document_id, roles in found.items() if (best := strongest(roles))}


def _roles_by_membership(person: User) -> dict[int, Role]:
    """What membership alone gives in each workspace."""
    members = Membership.objects.filter(user=person, kind__in=_INSIDE)
    return {
        workspace: _BY_MEMBERSHIP.get(Membership.Kind(kind), Role(default))
        for workspace, kind, default in members.values_list("workspace_id", "kind", "workspace__default_role")
    }


def workspaces_to_create_in(person: Person) -> QuerySet[Workspace]:
    """Where the person may make new documents: where membership lets them write in every document. Guests may not."""
    if not isinstance(person, User) or not person.is_active:
        return Workspace.objects.none()
    writing = [workspace for workspace, role in _roles_by_membership(person).items() if may_write(role)]
    return Workspace.objects.filter(id__in=writing)


def strongest(roles: Iterable[Role]) -> Role | None:
    """The role that may do most, None of an empty list."""
    return max(roles, key=lambda role: role.rank, default=None)


def find_document(person: Person, document_id: UUID) -> tuple[Document, Role] | None:
    """The document and the person's role on it, None if it does not exist, is in the trash or is not theirs to know."""
    document = Document.objects.filter(id=document_id).first()
    if document is None or (role := role_of(person, document)) is None:
        return None
    return document, role


def roles_on(document_id: UUID, user_ids: Iterable[int]) -> dict[int, Role]:
    """The roles that these people have on a document now; who has none is left out."""
    document = Document.objects.filter(id=document_id).first()
    if document is None:
        return {}
    roles = {user.pk: role_of(user, document) for user in User.objects.filter(pk__in=user_ids)}
    return {pk: role for pk, role in roles.items() if role is not None}


def may_write(role: Role | None) -> bool:
    """Whether edits from this role are accepted."""
    return role is not None and role.reaches(Role.EDITOR)


def may_rename(role: Role | None) -> bool:
    """Whether this role may change a document's title."""
    return role is not None and role.reaches(Role.EDITOR)
