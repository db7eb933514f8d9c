"""What can be done to a document as a whole. Nothing here asks whether the person may: the views do."""

from collections.abc import Sequence
from typing import Any

import pycrdt
from django.db import transaction
from django.utils import timezone

from docs_app import live
from docs_app.accounts.models import User
from docs_app.audit import trail
from docs_app.audit.trail import Actor
from docs_app.content.text import ROOT
from docs_app.documents import log
from docs_app.documents.models import Document, Favourite, Visit
from docs_app.sharing.models import Grant
from docs_app.sharing.roles import Role
from docs_app.tree.locks import lock_trees
from docs_app.tree.places import place_new
from docs_app.workspaces.models import Workspace

UNTITLED = "Untitled"


def create(
    *,
    workspace: Workspace,
    title: str = UNTITLED,
    by: User,
    parent: Document | None = None,
    blocks: Sequence[pycrdt.XmlElement] = (),
) -> Document:
    """Make a document with these blocks (not in any Yjs document yet) or, without any, with an empty paragraph, at the
    end of the pages under `parent` (in this workspace) or at the top. One at the top belongs to whoever made it; under
    another page rights come from there. The title is 1 to 200 characters, already trimmed. Raises TreeError."""
    document = Document(workspace=workspace, parent=parent, title=title, created_by=by)
    with transaction.atomic():
        lock_trees(workspace.pk)
        place_new(document)
        document.save(force_insert=True)
        if parent is None:
            Grant.objects.create(document=document, user=by, role=Role.OWNER)
        _seed(document, blocks or [_empty_paragraph()])
        trail.record("create", by=by, document=document)
    document.refresh_from_db(fields=["seq", "size", "updated_at"])
    return document


def seed_empty(document: Document) -> None:
    """Give a new document without content its empty paragraph."""
    _seed(document, [_empty_paragraph()])


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


def rename(*, document: Document, title: str, by: Actor) -> None:
    """Give the document another title (1 to 200 characters, already trimmed) and tell the tabs that have it open."""
    if document.title == title:
        return
    former, document.title = document.title, title
    with transaction.atomic():
        # Only this column: the log counts `seq` and `size` up meanwhile.
        document.save(update_fields=["title"])
        trail.record("rename", by=by, document=document, detail=f"from “{former}”")
        live.tell(document.id, {"type": "title", "title": title})


def set_icon(*, document: Document, icon: str, by: Actor) -> None:
    """Show an icon in front of the title: a character or emoji of at most 32 code points, or nothing."""
    with transaction.atomic():
        document.icon = icon
        document.save(update_fields=["icon"])
        trail.record("set icon", by=by, document=document, detail=icon)
        live.tell(document.id, {"type": "icon", "icon": icon})


def set_template(*, document: Document, is_template: bool, by: User) -> None:
    """Offer the document, or stop offering it, where new ones are made; `tree.verbs.duplicate` makes one from it."""
    with transaction.atomic():
        document.is_template = is_template
        document.save(update_fields=["is_template"])
        trail.record("make template" if is_template else "no longer template", by=by, document=document)


def add_favourite(*, document: Document, by: User) -> None:
    """Keep the document among the person's favourites."""
    Favourite.objects.get_or_create(document=document, user=by)


def remove_favourite(*, document: Document, by: User) -> None:
    Favourite.objects.filter(document=document, user=by).delete()


def note_visit(*, document: Document, by: User) -> None:
    """Remember that the person has just opened the document."""
    Visit.objects.update_or_create(document=document, user=by, defaults={"opened_at": timezone.now()})
