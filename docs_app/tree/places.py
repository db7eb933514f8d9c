"""Where a page may be put, and the order of siblings: by `position`, then by age.

Positions are whole numbers with gaps, so that a page gets between two others without touching them; when a gap is used
up, these siblings alone are numbered anew.
"""

from collections.abc import Collection
from uuid import UUID

from docs_app.documents.models import Document
from docs_app.tree.locks import lock_trees

STEP = 2**16


class TreeError(ValueError):
    """The tree does not allow it; the message is for people. Nothing has changed."""


def read_again(document: Document) -> None:
    """Bring a document's place up to date. Raises TreeError if it is gone."""
    try:
        document.refresh_from_db(
            fields=["parent", "workspace", "position", "stands_apart", "trashed_at", "trashed_with"]
        )
    except Document.DoesNotExist as error:
        raise TreeError("This page was deleted meanwhile.") from error


def hold(document: Document, *workspace_ids: int) -> None:
    """Begin a change of a document's place: lock its tree, and those of these workspaces, and bring it up to date.
    Raises TreeError."""
    workspace_id = document.workspace_id
    lock_trees(workspace_id, *workspace_ids)
    read_again(document)
    if document.workspace_id != workspace_id:
        raise TreeError("This page has gone to another workspace meanwhile.")


def check_place(parent: Document | None, workspace_id: int, moving: Collection[UUID] = ()) -> None:
    """Raise TreeError if these pages can't be put under `parent` now."""
    if parent is None:
        return
    read_again(parent)
    if parent.trashed_at is not None:
        raise TreeError("The page above is in the trash.")
    if parent.workspace_id != workspace_id:
        raise TreeError("The page above is in another workspace.")
    if parent.id in moving:
        raise TreeError("A page can't be moved into itself.")


def place_new(document: Document) -> None:
    """Give a page that is about to be stored its place, at the end. Raises TreeError."""
    check_place(document.parent, document.workspace_id)
    document.position = position_for(
        workspace_id=document.workspace_id, parent=document.parent, before=None, page=document
    )


def position_for(
    *, workspace_id: int, parent: Document | None, before: Document | None, page: Document
) -> int:
    """The position for `page` (one of them already or not) under `parent` (None: at the top of the workspace), in front
    of the sibling `before`, or at the end."""
    siblings = Document.objects.filter(workspace=workspace_id, parent=parent).exclude(id=page.id)
    positions = dict(siblings.order_by("position", "created_at", "id").values_list("id", "position"))
    if before is None or before.id not in positions:
        return max(positions.values(), default=0) + STEP
    ids = list(positions)
    at = ids.index(before.id)
    low = positions[ids[at - 1]] if at else positions[before.id] - 2 * STEP
    middle = (low + positions[before.id]) // 2
    if low < middle < positions[before.id]:
        return middle
    # A new number for each, and the page in the gap in front of `before`. Their rows are locked (see `move`).
    Document.objects.bulk_update(
        [Document(id=key, position=number * STEP) for number, key in enumerate(ids, start=1)], ["position"]
    )
    return (at + 1) * STEP - STEP // 2
