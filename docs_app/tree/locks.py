"""Who changes a tree waits for others who do, and must not make the saver and themselves wait for each other."""

from collections.abc import Iterable
from uuid import UUID

from docs_app.documents.models import Document
from docs_app.workspaces.models import Workspace


def lock_trees(*workspace_ids: int) -> None:
    """Hold the trees of these workspaces until the transaction ends: a page must not move into what goes to the trash
    meanwhile, nor two pages into each other. Read what you decide by after this."""
    locked = Workspace.objects.select_for_update(no_key=True).filter(pk__in=workspace_ids).order_by("pk")
    list(locked.values_list("pk"))


def lock_documents(ids: Iterable[UUID]) -> None:
    """Lock rows that will be updated together, in the order in which the log locks them."""
    list(Document.objects.select_for_update().filter(id__in=sorted(ids)).order_by("id").values_list("id"))
