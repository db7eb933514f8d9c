"""What can be done to a document as a whole. Nothing here asks whether the person may: the views do."""

from collections.abc import Sequence
from typing import Any

import pycrdt
from django.db import transaction

from docs_app import live
from docs_app.accounts.models import User
from docs_app.content.text import ROOT
from docs_app.documents import log
from docs_app.documents.models import Document
from docs_app.workspaces.models import Workspace

UNTITLED = "Untitled"


def create(
    *, workspace: Workspace, title: str = UNTITLED, by: User, blocks: Sequence[pycrdt.XmlElement] = ()
) -> Document:
    """Make a document with these blocks (not in any Yjs document yet) or, without any, with an empty paragraph. The
    title is 1 to 200 characters, already trimmed."""
    with transaction.atomic():
        document = Document.objects.create(workspace=workspace, title=title, created_by=by)
        _seed(document, blocks or [_empty_paragraph()])
    document.refresh_from_db(fields=["seq", "size", "updated_at"])
    return document


def _empty_paragraph() -> pycrdt.XmlElement:
    # With its text: two people who begin at once write in the same one.
    return pycrdt.XmlElement("paragraph", None, [pycrdt.XmlText()])


def _seed(document: Document, blocks: Sequence[pycrdt.XmlElement]) -> None:
    """Store the first row, the server's. Never left to a tab: two that open the document at once would each make a
    paragraph, and undoing the first word would take the paragraph away as well."""
    doc: pycrdt.Doc[Any] = pycrdt.Doc()
    root = doc.get(ROOT, type=pycrdt.XmlFragment)
    for block in blocks:
        root.children.append(block)
    entry = log.Entry(document.id, None, doc.get_update(), document.epoch, (doc.client_id,))
    (outcome,) = log.append([entry])
    assert isinstance(outcome, log.Committed), (
        "nobody else can have touched a document that is not committed yet"
    )


def rename(*, document: Document, title: str) -> None:
    """Give the document another title (1 to 200 characters, already trimmed) and tell the tabs that have it open."""
    if document.title == title:
        return
    document.title = title
    # Only this column: the log counts `seq` and `size` up meanwhile.
    document.save(update_fields=["title"])
    live.tell(document.id, {"type": "title", "title": title})
