"""Moving pages and making copies. Nothing here asks whether the person may: the views do (`move` or `duplicate` on the
page, `create_inside` on the new parent, `may_create_in` at the top of a workspace)."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from django.db import transaction

from docs_app import access, live
from docs_app.accounts.models import User
from docs_app.audit import trail
from docs_app.documents import log
from docs_app.documents.models import TITLE_LENGTH, Document
from docs_app.documents.verbs import seed_empty
from docs_app.sharing.models import Grant
from docs_app.sharing.roles import Role
from docs_app.tree.lines import subtree
from docs_app.tree.locks import lock_documents, lock_trees
from docs_app.tree.places import TreeError, check_place, hold, place_new, position_for
from docs_app.workspaces.models import Workspace

_NOTHING = b"\x00\x00"


def move(
    *,
    document: Document,
    parent: Document | None,
    workspace: Workspace | None = None,
    before: Document | None = None,
    by: User | None,
) -> None:
    """Put a page and everything below it under `parent`, or at the top of `workspace` (None: of its own), in front of
    the sibling `before` or at the end. What was shared on the moved pages themselves goes along, what they inherited
    stays behind. In another workspace, what was shared with the former one's groups and members ends: its admins would
    go on deciding who reads. `sharing/changes` says beforehand who gains and who loses. Raises TreeError."""
    with transaction.atomic():
        target = parent.workspace_id if parent else workspace.pk if workspace else document.workspace_id
        hold(document, target)
        pages = list(subtree(document.id).values_list("id", flat=True))
        check_place(parent, target, pages)
        if document.trashed_at is not None:
            raise TreeError("A page in the trash has to be restored before it can be moved.")
        # All at once: the page above is locked by the foreign key, siblings if they are numbered anew.
        siblings = (
            Document.objects.filter(workspace=target, parent=parent) if before else Document.objects.none()
        )
        lock_documents({*pages, *siblings.values_list("id", flat=True), *([parent.id] if parent else [])})
        origin = document.workspace_id
        document.position = position_for(workspace_id=target, parent=parent, before=before, page=document)
        document.parent = parent
        document.save(update_fields=["parent", "position"])
        if target != origin:
            Document.objects.filter(id__in=subtree(document.id).values("id")).update(workspace=target)
            document.workspace = Workspace.objects.get(pk=target)
            Grant.objects.filter(document__in=subtree(document.id).values("id"), user=None).delete()
        where = f"under {parent.id}" if parent else "to the top"
        trail.record("move", by=by, document=document, detail=f"{where}; from workspace {origin}")
        live.rights_changed(pages)


def duplicate(
    *,
    document: Document,
    by: User,
    with_subpages: bool = False,
    title: str = "",
    parent: Document | None = None,
    workspace: Workspace | None = None,
) -> Document:
    """Make a copy with the same content and a log of its own, under `parent` or at the top of `workspace`; with
    neither, beside the original. This is also how a template is used. Of the pages below, those are copied that the
    person may read. No grants are copied: a copy has the rights of its place, stands apart where the original does, and
    belongs to whoever made it there or at the top. Raises TreeError, or LogDamagedError."""
    if parent is None and workspace is None:
        parent, workspace = document.parent, document.workspace
    target = parent.workspace_id if parent else workspace.pk if workspace else document.workspace_id
    sources = _readable(document, by) if with_subpages else [document]
    # Read before the transaction: on SQLite nobody else can save while it lasts.
    states = {source.id: _state_of(source) for source in sources}
    ids = {source.id: uuid4() for source in sources}
    copies = [
        Document(
            id=ids[source.id],
            workspace_id=target,
            parent_id=ids[source.parent_id] if source.parent_id in ids and source != document else None,
            position=source.position,
            stands_apart=source.stands_apart,
            title=source.title,
            icon=source.icon,
            schema_version=source.schema_version,
            created_by=by,
        )
        for source in sources
    ]
    top = copies[0]
    top.parent, top.title = parent, title or f"{document.title[: TITLE_LENGTH - 7]} (copy)"
    with transaction.atomic():
        lock_trees(target)
        place_new(top)
        Document.objects.bulk_create(copies)
        own = [copy for copy in copies if copy.stands_apart or copy.parent_id is None]
        Grant.objects.bulk_create(Grant(document=copy, user=by, role=Role.OWNER) for copy in own)
        _write([(copy, states[source.id]) for source, copy in zip(sources, copies, strict=True)])
        trail.record("duplicate", by=by, document=top, detail=f"{len(copies)} pages, from {document.id}")
    top.refresh_from_db()
    return top


def _readable(document: Document, person: User) -> list[Document]:
    """The page and those below it that the person may read and whose parents they may read, parents first."""
    below = list(subtree(document.id).filter(trashed_at=None))
    roles = access.roles_of(person, below)
    children: dict[UUID | None, list[Document]] = {}
    for page in below:
        if page.id in roles:
            children.setdefault(page.parent_id, []).append(page)
    found = [document]
    for page in found:
        found += children.get(page.id, [])
    return found


def _state_of(document: Document) -> bytes:
    replica, _ = log.replay(log.load(document.id))
    return replica.state()


def _write(contents: Sequence[tuple[Document, bytes]]) -> None:
    """Store each state as the first row of its document's log, the server's."""
    entries = [log.Entry(copy.id, None, state, 0) for copy, state in contents if state != _NOTHING]
    outcomes = log.append(entries)
    assert all(isinstance(outcome, log.Committed) for outcome in outcomes), (
        "nobody else knows these documents yet"
    )
    for copy, state in contents:
        if state == _NOTHING:
            seed_empty(copy)
