"""What can be done to a document as a whole. Nothing here asks whether the person may: the views do."""

from docs_app import live
from docs_app.accounts.models import User
from docs_app.documents.models import Document
from docs_app.workspaces.models import Workspace

UNTITLED = "Untitled"


def create(*, workspace: Workspace, title: str = UNTITLED, by: User) -> Document:
    """Make an empty document. The title is 1 to 200 characters, already trimmed."""
    return Document.objects.create(workspace=workspace, title=title, created_by=by)


def rename(*, document: Document, title: str) -> None:
    """Give the document another title (1 to 200 characters, already trimmed) and tell the tabs that have it open."""
    if document.title == title:
        return
    document.title = title
    # Only this column: the log counts `seq` and `size` up meanwhile.
    document.save(update_fields=["title"])
    live.tell(document.id, {"type": "title", "title": title})
