"""By which paths people come to their rights: membership, grants on a page or above it, links. Every answer of `access`
about roles is made of these, so that no two can differ.

`Rights` works in memory, on what a few queries have fetched; given other nodes it says what would be.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from django.db import models

from docs_app.sharing.roles import Role, strongest
from docs_app.tree.lines import Node
from docs_app.workspaces.models import Membership

# What membership brings to every document in the workspace, also to one that stands apart: nothing may become
# unreachable.
_EVERYWHERE = {Membership.Kind.OWNER: Role.OWNER, Membership.Kind.ADMIN: Role.MANAGER}


class By(models.TextChoices):
    """What gives a role."""

    WORKSPACE = "workspace", "a member of the workspace"
    PERSON = "person", "shared with them"
    GROUP = "group", "shared with their group"
    MEMBERS = "members", "shared with all members of the workspace"
    LINK = "link", "came by a link"


class Path(NamedTuple):
    """One way in. `document_id` is the page that was shared, this one or one above it; None for membership. `source` is
    the grant's number, None for membership."""

    by: By
    role: Role
    document_id: UUID | None = None
    source: int | None = None


class Given(NamedTuple):
    """A path from a grant, for one person."""

    user_id: int
    path: Path


class Member(NamedTuple):
    workspace_id: int
    user_id: int
    kind: Membership.Kind
    default_role: Role

    def path(self, *, is_open: bool) -> Path | None:
        """What membership gives on a document, `is_open` if the workspace's default reaches it."""
        if role := _EVERYWHERE.get(self.kind):
            return Path(By.WORKSPACE, role)
        return Path(By.WORKSPACE, self.default_role) if is_open and self.kind.is_inside else None


Reaching = Mapping[int, tuple[Path, ...]]
_NOTHING: Reaching = {}


class Rights:
    """The paths of some people on some documents. `nodes` must hold, for every document asked about, all that it
    inherits from; `given` and `members` what these people have there, only of those who are active."""

    def __init__(self, nodes: Iterable[Node], given: Iterable[Given], members: Iterable[Member]) -> None:
        self._nodes = {node.id: node for node in nodes}
        self._own: dict[UUID, list[Given]] = defaultdict(list)
        for each in given:
            if each.path.document_id is not None:
                self._own[each.path.document_id].append(each)
        self._members: dict[int, list[Member]] = defaultdict(list)
        for member in members:
            self._members[member.workspace_id].append(member)
        self._reaching: dict[UUID, Reaching] = {}
        self._open: dict[UUID, bool] = {}
        self._roles: dict[tuple[int, int, bool], dict[int, Role]] = {}

    def paths(self, document_id: UUID) -> dict[int, list[Path]]:
        """Each person's paths to a document, strongest first; who has none is left out."""
        self._settle(document_id)
        found: dict[int, list[Path]] = {
            user_id: list(paths) for user_id, paths in self._reaching[document_id].items()
        }
        for member in self._members[self._nodes[document_id].workspace_id]:
            if path := member.path(is_open=self._open[document_id]):
                found.setdefault(member.user_id, []).append(path)
        for paths in found.values():
            paths.sort(key=lambda path: -path.role.rank)
        return found

    def roles(self, document_id: UUID) -> dict[int, Role]:
        """Each person's role on a document; who has none is left out. The same dictionary may be answered for several
        documents: do not change it."""
        self._settle(document_id)
        # Pages without grants of their own share what reaches them with the page above.
        key = (
            id(self._reaching[document_id]),
            self._nodes[document_id].workspace_id,
            self._open[document_id],
        )
        if key not in self._roles:
            self._roles[key] = {
                user_id: role
                for user_id, paths in self.paths(document_id).items()
                if (role := strongest(path.role for path in paths))
            }
        return self._roles[key]

    def _settle(self, document_id: UUID) -> None:
        """Find out what reaches a document, from the page that begins its line downwards."""
        line = []
        at: UUID | None = document_id
        while at is not None and at not in self._reaching:
            node = self._nodes[at]
            line.append(node)
            at = None if node.stands_apart else node.parent_id
        for node in reversed(line):
            from_above = None if node.stands_apart else node.parent_id
            inherited = self._reaching[from_above] if from_above else _NOTHING
            self._reaching[node.id] = _joined(inherited, self._own.get(node.id, []))
            self._open[node.id] = self._open[from_above] if from_above else not node.stands_apart


def _joined(inherited: Reaching, own: list[Given]) -> Reaching:
    if not own:
        return inherited
    joined = dict(inherited)
    for user_id, path in own:
        joined[user_id] = (*joined.get(user_id, ()), path)
    return joined
