"""Who may do what. Pages, the admin's verbs and sockets all ask here, and nowhere else decides.

A document that somebody may not open is answered like one that does not exist. Where roles come from is computed in
`sharing/paths`; here is what they allow.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Literal, NamedTuple
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import F, Q, QuerySet

from docs_app.accounts.models import User
from docs_app.documents.authors import author_of, guest_of
from docs_app.documents.models import Document
from docs_app.sharing import facts
from docs_app.sharing.models import Grant, Guest, ShareLink
from docs_app.sharing.paths import Path, Rights
from docs_app.sharing.roles import Role, strongest
from docs_app.tree.lines import above, any_of, inheriting_from, node_of, under
from docs_app.workspaces.models import Membership, Workspace

Person = User | Guest | AnonymousUser

_EVERYWHERE = (Membership.Kind.OWNER, Membership.Kind.ADMIN)

Verb = Literal[
    "read",
    "export",
    "favourite",
    "duplicate",
    "comment",
    "edit",
    "rename",
    "set_icon",
    "make_template",
    "create_inside",
    "see_history",
    "see_people",
    "share",
    "stand_apart",
    "move",
    "trash",
    "restore",
    "delete",
    "give_ownership",
]


class Rule(NamedTuple):
    """The weakest role that may, and whether somebody without an account may at all."""

    role: Role
    guests: bool = False


RULES: dict[Verb, Rule] = {
    "read": Rule(Role.VIEWER, guests=True),
    "export": Rule(Role.VIEWER, guests=True),
    "favourite": Rule(Role.VIEWER),
    "duplicate": Rule(Role.VIEWER),
    "comment": Rule(Role.COMMENTER, guests=True),
    "edit": Rule(Role.EDITOR, guests=True),
    "rename": Rule(Role.EDITOR, guests=True),
    "set_icon": Rule(Role.EDITOR, guests=True),
    "make_template": Rule(Role.EDITOR),
    "create_inside": Rule(Role.EDITOR),
    "see_history": Rule(Role.EDITOR),
    "see_people": Rule(Role.EDITOR),
    "share": Rule(Role.MANAGER),
    "stand_apart": Rule(Role.MANAGER),
    "move": Rule(Role.MANAGER),
    "trash": Rule(Role.MANAGER),
    "restore": Rule(Role.MANAGER),
    "delete": Rule(Role.MANAGER),
    "give_ownership": Rule(Role.OWNER),
}
# In the trash a document can be brought back or be deleted for good; elsewhere neither.
IN_TRASH: frozenset[Verb] = frozenset({"restore", "delete"})


def may(person: Person, verb: Verb, role: Role | None, *, in_trash: bool = False) -> bool:
    """Whether somebody with this role on a document may do this to it."""
    rule = RULES[verb]
    return (
        role is not None
        and role.reaches(rule.role)
        and (verb in IN_TRASH) == in_trash
        and (rule.guests or isinstance(person, User))
    )


def abilities(person: Person, role: Role | None, *, in_trash: bool = False) -> dict[str, bool]:
    """For pages and their scripts: every verb, and whether this person may."""
    return {verb: may(person, verb, role, in_trash=in_trash) for verb in RULES}


def may_write(role: Role | None) -> bool:
    """Whether edits from this role are accepted."""
    return role is not None and role.reaches(RULES["edit"].role)


def may_rename(role: Role | None) -> bool:
    """Whether this role may change a document's title."""
    return role is not None and role.reaches(RULES["rename"].role)


def may_give(role: Role | None, *, before: Role | None, after: Role | None) -> bool:
    """Whether somebody with this role may change a grant from one role to another (None: no grant). Nobody gives, or
    takes away, more than they have."""
    if role is None or not role.reaches(RULES["share"].role):
        return False
    return all(role.reaches(other) for other in (before, after) if other)


# -- Roles -----------------------------------------------------------------------------------------------------------


def find_document(
    person: Person, document_id: UUID, *, in_trash: bool = False
) -> tuple[Document, Role] | None:
    """The document and the person's role on it; None if it does not exist or is not theirs to know. `in_trash` says
    where to look: in the trash, where only those find it who may bring it back, or everywhere else. 3 queries."""
    if not _is_here(person):
        return None
    line = {document.id: document for document in Document.objects.filter(id__in=above([document_id]))}
    document = line.get(document_id)
    if document is None or (document.trashed_at is not None) != in_trash:
        return None
    role = _role_on_line(person, document, list(line.values()))
    if role is None or (in_trash and not may(person, "restore", role, in_trash=True)):
        return None
    return document, role


def find_for(
    user: User | AnonymousUser, guests: Collection[int], document_id: UUID, *, in_trash: bool = False
) -> tuple[User | Guest, Document, Role] | None:
    """`find_document` for whoever uses a browser: the person who is signed in there, otherwise the one of its guests
    (by their ids) who may do most. 3 queries for a person; for guests 1, and 1 for each."""
    people: list[User | Guest] = [user] if isinstance(user, User) else []
    if not people and guests:
        people += Guest.objects.filter(pk__in=guests).select_related("link")
    found = (
        (person, *match)
        for person in people
        if (match := find_document(person, document_id, in_trash=in_trash))
    )
    return max(found, key=lambda each: each[2].rank, default=None)


def role_of(person: Person, document: Document) -> Role | None:
    """The person's strongest role on a document, None if it must not even be known to them. 3 queries."""
    if not _is_here(person) or document.trashed_at is not None:
        return None
    line = Document.objects.filter(id__in=above([document.id])) if document.parent_id else [document]
    return _role_on_line(person, document, list(line))


def _is_here(person: Person) -> bool:
    return isinstance(person, Guest) or (isinstance(person, User) and person.is_active)


def _role_on_line(person: Person, document: Document, line: Sequence[Document]) -> Role | None:
    if isinstance(person, Guest):
        return _role_by_link(person.link, {above.id for above in line})
    if not isinstance(person, User) or document.id not in {above.id for above in line}:
        return None
    rights = Rights([node_of(page) for page in line], facts.given_to(person), facts.members_of(person))
    return rights.roles(document.id).get(person.pk)


def _role_by_link(link: ShareLink, line: Collection[UUID]) -> Role | None:
    return Role(link.role) if link.is_valid and link.document_id in line else None


def roles_of(person: Person, documents: Sequence[Document]) -> dict[UUID, Role]:
    """The person's strongest role on each of these documents, in the trash or not; those without one are left out.
    3 queries."""
    if not documents or not _is_here(person):
        return {}
    nodes = facts.nodes_for(documents)
    known = {node.id for node in nodes}
    asked = [document.id for document in documents if document.id in known]
    if isinstance(person, Guest):
        reached = set(_reached_by(person).values_list("id", flat=True))
        return {key: Role(person.link.role) for key in asked if key in reached}
    assert isinstance(person, User)
    rights = Rights(nodes, facts.given_to(person), facts.members_of(person))
    roles = ((key, rights.roles(key).get(person.pk)) for key in asked)
    return {key: role for key, role in roles if role is not None}


def roles_on(document_id: UUID, authors: Iterable[int]) -> dict[int, Role]:
    """The roles that these people (by their ids) and guests (by the negative of theirs) have on a document now; who has
    none is left out. 4 queries, however many they are, and 1 more if there are guests."""
    asked = set(authors)
    line = Document.objects.filter(id__in=above([document_id]))
    pages = {page.id: page for page in line.only("parent", "workspace", "stands_apart", "trashed_at")}
    document = pages.get(document_id)
    if document is None or document.trashed_at is not None:
        return {}
    people = {author for author in asked if author > 0}
    given, members = facts.everybody_on(pages, [document.workspace_id], people)
    rights = Rights([node_of(page) for page in pages.values()], given, members)
    roles = {user_id: role for user_id, role in rights.roles(document_id).items() if user_id in people}
    if guests := [guest_id for author in asked if (guest_id := guest_of(author)) is not None]:
        for guest in Guest.objects.filter(pk__in=guests).select_related("link"):
            if role := _role_by_link(guest.link, pages):
                roles[author_of(guest)] = role
    return roles


class Who(NamedTuple):
    """A person who may open a document, and by which paths, strongest first, each with its grant (None: membership)."""

    person: User
    role: Role
    paths: list[tuple[Path, Grant | None]]


def who_and_why(document: Document) -> list[Who]:
    """Everybody who may open a document, by name, and each path that their right comes from. Guests of links are not
    people: see `links_reaching`. 6 queries."""
    nodes = facts.line_of(document)
    given, members = facts.everybody_on([node.id for node in nodes], [document.workspace_id])
    paths = Rights(nodes, given, members).paths(document.id)
    grants = Grant.objects.select_related("document", "group", "workspace", "link").in_bulk(
        {path.source for each in paths.values() for path in each if path.source is not None}
    )
    return [
        Who(person, role, [(path, grants[path.source] if path.source else None) for path in paths[person.pk]])
        for person in User.objects.filter(pk__in=paths)
        if (role := strongest(path.role for path in paths[person.pk]))
    ]


def links_reaching(document: Document) -> QuerySet[ShareLink]:
    """The links in force that open a document: its own, and those of pages that it inherits from."""
    return facts.links_on(node.id for node in facts.line_of(document)).select_related("document")


# -- Lists -----------------------------------------------------------------------------------------------------------


def documents_of(person: Person) -> QuerySet[Document]:
    """Every document that the person may open and that is not in the trash. 1 query."""
    return _reached_by(person).filter(trashed_at=None)


def _reached_by(person: Person) -> QuerySet[Document]:
    if not _is_here(person):
        return Document.objects.none()
    if isinstance(person, Guest):
        shared = ShareLink.objects.filter(facts.valid_link(), pk=person.link_id).values("document")
        return Document.objects.filter(id__in=inheriting_from(shared))
    assert isinstance(person, User)
    memberships = Membership.objects.filter(user=person)
    everywhere = memberships.filter(kind__in=_EVERYWHERE).values("workspace")
    inside = memberships.filter(kind__in=facts.INSIDE).values("workspace")
    apart = under(Document.objects.filter(workspace__in=inside, stands_apart=True).values("id"))
    return Document.objects.filter(
        id__in=any_of(
            Document.objects.filter(workspace__in=everywhere).values("id"),
            Document.objects.filter(~Q(id__in=apart), workspace__in=inside).values("id"),
            inheriting_from(*(grants.values("document") for grants in facts.grants_of(person))),
        )
    )


# What a tree shows; a workspace may have many thousand pages.
_IN_TREE = (
    "workspace",
    "parent",
    "position",
    "stands_apart",
    "title",
    "icon",
    "is_template",
    "updated_at",
    "trashed_at",
)


class Branch(NamedTuple):
    document: Document
    role: Role


def tree_of(person: Person, workspace: Workspace) -> list[Branch]:
    """What the person may open in a workspace, siblings in their order. Whoever shows it hangs a page whose parent is
    not in the list at the top. 4 queries."""
    pages = documents_of(person).filter(workspace=workspace).order_by("position", "created_at", "id")
    found = list(pages.only(*_IN_TREE))
    roles = roles_of(person, found)
    return [Branch(document, roles[document.id]) for document in found if document.id in roles]


def trash_of(person: Person) -> list[Branch]:
    """The pages in the trash that the person may bring back or delete for good, latest first; what went with a page is
    not listed. 4 queries."""
    thrown = _reached_by(person).filter(trashed_with=F("id")).order_by("-trashed_at", "id")
    found = list(thrown.select_related("workspace"))
    roles = roles_of(person, found)
    return [
        Branch(document, role)
        for document in found
        if (role := roles.get(document.id)) and may(person, "restore", role, in_trash=True)
    ]


def workspaces_to_create_in(person: Person) -> QuerySet[Workspace]:
    """Where the person may make new documents: where membership lets them write in every document. Guests may not."""
    if not isinstance(person, User) or not person.is_active:
        return Workspace.objects.none()
    paths = ((member, member.path(is_open=True)) for member in facts.members_of(person))
    writing = [member.workspace_id for member, path in paths if path and may_write(path.role)]
    return Workspace.objects.filter(id__in=writing)


def may_create_in(person: Person, workspace: Workspace) -> bool:
    """Whether the person may put a page at the top of a workspace: a new one, a copy, one from elsewhere."""
    return workspaces_to_create_in(person).filter(pk=workspace.pk).exists()


def may_run(person: Person, workspace: Workspace) -> bool:
    """Whether the person may change members, groups and settings of a workspace."""
    return (
        isinstance(person, User)
        and person.is_active
        and Membership.objects.filter(user=person, workspace=workspace, kind__in=_EVERYWHERE).exists()
    )
