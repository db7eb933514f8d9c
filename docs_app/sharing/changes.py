"""What a change would do to rights, before it is made: who gains, who loses, with which role before and after."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from docs_app.accounts.models import User
from docs_app.documents.models import Document
from docs_app.sharing import facts
from docs_app.sharing.models import ShareLink
from docs_app.sharing.paths import By, Rights
from docs_app.sharing.roles import Role
from docs_app.tree.lines import Node, any_of, node_of, subtree
from docs_app.tree.places import TreeError
from docs_app.workspaces.models import Workspace


class Change(NamedTuple):
    """What becomes of a person's role (None: they do not know the document) on these documents."""

    person: User
    before: Role | None
    after: Role | None
    documents: list[UUID]

    @property
    def is_loss(self) -> bool:
        return self.after is None or (self.before is not None and not self.after.reaches(self.before))


class Changes(NamedTuple):
    """`links` open the top page now and would no longer, or the other way round."""

    people: list[Change]
    links_lost: list[ShareLink]
    links_gained: list[ShareLink]


def of_move(document: Document, *, parent: Document | None, workspace: Workspace | None = None) -> Changes:
    """What `tree.verbs.move` with the same arguments would change. Raises TreeError for a move into
    itself. 10 queries."""
    target = parent.workspace_id if parent else workspace.pk if workspace else document.workspace_id
    moved = node_of(document)._replace(parent_id=parent.id if parent else None, workspace_id=target)
    return _compare(document, moved, facts.line_of(parent) if parent else [])


def of_standing_apart(document: Document, *, apart: bool) -> Changes:
    """What `sharing.verbs.stand_apart` would change, but for the grant to whoever does it."""
    return _compare(document, node_of(document)._replace(stands_apart=apart), _line_of_parent(document))


def _line_of_parent(document: Document) -> list[Node]:
    return facts.line_of(document.parent) if document.parent else []


def _compare(document: Document, moved: Node, target_line: Sequence[Node]) -> Changes:
    pages = {node.id: node for node in facts.nodes(subtree(document.id))}
    if moved.parent_id in pages:
        raise TreeError("A page can't be moved into itself.")
    outside = {node.id: node for node in (*facts.line_of(document), *target_line)}
    now = outside | pages
    later = (
        now
        | {key: node._replace(workspace_id=moved.workspace_id) for key, node in pages.items()}
        | {document.id: moved}
    )
    places = any_of(subtree(document.id).values("id"), Document.objects.filter(id__in=outside).values("id"))
    given, members = facts.everybody_on(places, {document.workspace_id, moved.workspace_id})
    kept = given
    if moved.workspace_id != document.workspace_id:
        kept = [
            each
            for each in given
            if each.path.document_id not in pages or each.path.by in (By.PERSON, By.LINK)
        ]
    roles = Rights(now.values(), given, members), Rights(later.values(), kept, members)
    shown = subtree(document.id).filter(trashed_at=None).values_list("id", flat=True)
    return Changes(_people(shown, *roles), *_links(document, now, later))


def _people(pages: Iterable[UUID], before: Rights, after: Rights) -> list[Change]:
    found: dict[tuple[int, Role | None, Role | None], list[UUID]] = defaultdict(list)
    for page in pages:
        former, latter = before.roles(page), after.roles(page)
        for user_id in former.keys() | latter.keys():
            if former.get(user_id) != latter.get(user_id):
                found[user_id, former.get(user_id), latter.get(user_id)].append(page)
    people = User.objects.in_bulk({user_id for user_id, _, _ in found})
    changes = [Change(people[user_id], was, becomes, ids) for (user_id, was, becomes), ids in found.items()]
    return sorted(changes, key=lambda change: (change.person.name, change.person.pk))


def _links(
    document: Document, now: Mapping[UUID, Node], later: Mapping[UUID, Node]
) -> tuple[list[ShareLink], list[ShareLink]]:
    former, latter = _line(document.id, now), _line(document.id, later)
    links = list(facts.links_on(former | latter).select_related("document"))
    lost = [link for link in links if link.document_id not in latter]
    return lost, [link for link in links if link.document_id not in former]


def _line(document_id: UUID, nodes: Mapping[UUID, Node]) -> set[UUID]:
    line = {document_id}
    node = nodes[document_id]
    while node.parent_id and not node.stands_apart:
        line.add(node.parent_id)
        node = nodes[node.parent_id]
    return line
