"""Fetch what rights are made of, in a number of queries that does not grow with documents or people."""

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from docs_app.accounts.models import User
from docs_app.documents.models import Document
from docs_app.sharing.models import Grant, ShareLink
from docs_app.sharing.paths import By, Given, Member, Path
from docs_app.sharing.roles import Role
from docs_app.tree.lines import Node, above, node_of
from docs_app.workspaces.models import GroupMember, Membership

INSIDE = [kind for kind in Membership.Kind if kind.is_inside]
# Above this many documents their workspaces' whole trees are read instead: a statement takes so many values at most.
MANY = 300

_GRANT = ("id", "document_id", "user_id", "group_id", "workspace_id", "link_id", "role", "link__role")


def nodes_for(documents: Sequence[Document]) -> list[Node]:
    """The places of these documents and of all that they inherit from. 1 query, none if they are all at hand."""
    found = {document.id: node_of(document) for document in documents}
    missing = {
        node.parent_id for node in found.values() if node.parent_id and not node.stands_apart
    } - found.keys()
    if len(missing) > MANY:
        workspaces = {node.workspace_id for node in found.values()}
        return nodes(Document.objects.filter(workspace__in=workspaces))
    if missing:
        found |= {node.id: node for node in nodes(Document.objects.filter(id__in=above(missing)))}
    return list(found.values())


def line_of(document: Document) -> list[Node]:
    """The places of a document and of the pages that it inherits from, and no others. 1 query."""
    return nodes(Document.objects.filter(id__in=above([document.id])))


def nodes(documents: QuerySet[Document]) -> list[Node]:
    """The places of the documents of a query."""
    found = documents.order_by().values_list("id", "parent_id", "workspace_id", "stands_apart")
    return [Node(*values) for values in found]


def valid_link(prefix: str = "") -> Q:
    """As a filter what `ShareLink.is_valid` says of one."""
    lasting = Q(**{f"{prefix}expires_at": None}) | Q(**{f"{prefix}expires_at__gt": timezone.now()})
    return Q(**{f"{prefix}revoked_at": None}) & lasting


def grants_in_force() -> QuerySet[Grant]:
    """All grants but those by a link that has ended."""
    return Grant.objects.filter(Q(link=None) | valid_link("link__"))


def grants_of(person: User) -> tuple[QuerySet[Grant], ...]:
    """What is shared with a person: by name or by a link, through a group, with all members of a workspace."""
    groups = GroupMember.objects.filter(membership__user=person).values("group")
    inside = Membership.objects.filter(user=person, kind__in=INSIDE).values("workspace")
    grants = grants_in_force()
    return grants.filter(user=person), grants.filter(group__in=groups), grants.filter(workspace__in=inside)


def given_to(person: User) -> list[Given]:
    """Every grant of a person. 1 query."""
    first, *others = (grants.values_list(*_GRANT) for grants in grants_of(person))
    return [Given(person.pk, _path(row)) for row in first.union(*others, all=True)]


def members_of(person: User) -> list[Member]:
    """Every membership of a person. 1 query."""
    return _members(Membership.objects.filter(user=person))


def everybody_on(
    document_ids: Iterable[UUID] | RawSQL,
    workspace_ids: Iterable[int],
    people: Collection[int] | None = None,
) -> tuple[list[Given], list[Member]]:
    """All grants on these documents, and all members of these workspaces: of everybody who is active, or of some
    people. 3 queries."""
    asked = Q() if people is None else Q(user__in=people)
    active = Q(user__is_active=True)
    members = _members(Membership.objects.filter(asked & active, workspace__in=workspace_ids))
    inside: dict[int, list[int]] = {}
    for member in members:
        if member.kind.is_inside:
            inside.setdefault(member.workspace_id, []).append(member.user_id)
    # Those to groups and workspaces are needed whoever was asked about.
    grants = list(
        grants_in_force()
        .filter(Q(user=None) | (asked & active), document__in=document_ids)
        .values_list(*_GRANT)
    )
    in_groups = _in_groups({row[3] for row in grants if row[3]}, people)
    given = []
    for row in grants:
        _, _, user_id, group_id, workspace_id, *_ = row
        receivers = (
            [user_id]
            if user_id
            else in_groups.get(group_id, [])
            if group_id
            else inside.get(workspace_id, [])
        )
        given += [Given(receiver, _path(row)) for receiver in receivers]
    return given, members


def _in_groups(group_ids: Collection[int], people: Collection[int] | None) -> dict[int, list[int]]:
    """The active people of each group."""
    found: dict[int, list[int]] = {}
    if not group_ids:
        return found
    rows = GroupMember.objects.filter(group__in=group_ids, membership__user__is_active=True)
    if people is not None:
        rows = rows.filter(membership__user__in=people)
    for group_id, user_id in rows.values_list("group_id", "membership__user_id"):
        found.setdefault(group_id, []).append(user_id)
    return found


def _members(found: QuerySet[Membership]) -> list[Member]:
    return [
        Member(workspace_id, user_id, Membership.Kind(kind), Role(default))
        for workspace_id, user_id, kind, default in found.values_list(
            "workspace_id", "user_id", "kind", "workspace__default_role"
        )
    ]


def _path(row: tuple[int, UUID, int | None, int | None, int | None, int | None, str, str | None]) -> Path:
    grant_id, document_id, _, group_id, workspace_id, link_id, role, link_role = row
    by = By.LINK if link_id else By.GROUP if group_id else By.MEMBERS if workspace_id else By.PERSON
    # By a link one has the link's role, also when that has changed since.
    return Path(by, Role(link_role or role), document_id, grant_id)


def links_on(document_ids: Iterable[UUID]) -> QuerySet[ShareLink]:
    """The links in force on these documents."""
    return ShareLink.objects.filter(valid_link(), document__in=document_ids)
