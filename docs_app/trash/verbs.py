"""Throw away, bring back, delete for good. Nothing here asks whether the person may: the views do."""

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from docs_app import live
from docs_app.accounts.models import User
from docs_app.audit import trail
from docs_app.documents.models import Document
from docs_app.tree.lines import subtree
from docs_app.tree.locks import lock_documents
from docs_app.tree.places import TreeError, hold, position_for


def trash(*, document: Document, by: User | None) -> None:
    """Put a page and everything below it into the trash; what is there already keeps its own entry. Raises
    TreeError."""
    with transaction.atomic():
        hold(document)
        if document.trashed_at is not None:
            raise TreeError("This page is in the trash already.")
        pages = list(subtree(document.id).filter(trashed_at=None).values_list("id", flat=True))
        lock_documents(pages)
        now = timezone.now()
        Document.objects.filter(id__in=subtree(document.id).values("id"), trashed_at=None).update(
            trashed_at=now, trashed_with=document
        )
        document.trashed_at, document.trashed_with = now, document
        trail.record("trash", by=by, document=document, detail=f"{len(pages)} pages")
        live.rights_changed(pages)


def restore(*, document: Document, by: User | None) -> None:
    """Bring back a page and what was thrown away with it, to the end of its siblings. Raises TreeError: below a page
    that is in the trash itself it would be nowhere, and at the top of the workspace others could read it."""
    with transaction.atomic():
        hold(document)
        if document.trashed_with_id != document.id:
            raise TreeError("This page did not go to the trash by itself.")
        parent = document.parent
        if parent and parent.trashed_at is not None:
            raise TreeError("The page above is in the trash and has to be restored first.")
        thrown = Document.objects.filter(trashed_with=document)
        pages = list(thrown.values_list("id", flat=True))
        lock_documents(pages)
        document.position = position_for(
            workspace_id=document.workspace_id, parent=parent, before=None, page=document
        )
        document.save(update_fields=["position"])
        thrown.update(trashed_at=None, trashed_with=None)
        document.trashed_at = document.trashed_with = None
        trail.record("restore", by=by, document=document, detail=f"{len(pages)} pages")
        live.rights_changed(pages)


def delete(*, document: Document, by: User | None) -> int:
    """Delete a page of the trash and everything below it for good, with its log; answers how many pages. Raises
    TreeError."""
    with transaction.atomic():
        hold(document)
        if document.trashed_at is None:
            raise TreeError("Only a page in the trash can be deleted for good.")
        pages = list(subtree(document.id).values_list("id", flat=True))
        lock_documents(pages)
        trail.record("delete", by=by, document=document, detail=f"{len(pages)} pages")
        live.rights_changed(pages)
        Document.objects.filter(id__in=subtree(document.id).values("id")).delete()
    return len(pages)


def empty(*, before: datetime) -> int:
    """Delete for good what went to the trash before a moment; answers how many pages."""
    count = 0
    for document in Document.objects.filter(trashed_with=F("id"), trashed_at__lt=before):
        try:
            count += delete(document=document, by=None)
        except TreeError:
            # Restored meanwhile, or gone with a page above it.
            continue
    return count
