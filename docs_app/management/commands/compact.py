"""`manage.py compact`: snapshots now, and the history that is older than `COLLAB_HISTORY_DAYS` folded away."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from docs_app.documents import log
from docs_app.documents.models import Document


class Command(BaseCommand):
    help = "Store a snapshot of every document, or of those named, and delete rows older than COLLAB_HISTORY_DAYS."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("documents", nargs="*", type=UUID, metavar="ID", help="documents (default: all)")

    def handle(self, *args: Any, documents: list[UUID], **options: Any) -> None:
        ids = documents or list(Document.objects.order_by("created_at").values_list("id", flat=True))
        before = timezone.now() - timedelta(days=settings.HISTORY_DAYS)
        snapshots = rows = 0
        failed: list[str] = []
        for document_id in tqdm(ids, unit="documents", file=self.stderr, disable=None):
            try:
                snapshots += log.compact(document_id) is not None
                rows += log.prune(document_id, before)
            except (log.LogDamagedError, Document.DoesNotExist) as error:
                failed.append(f"{document_id}: {error}")
        self.stdout.write(f"{len(ids)} documents: {snapshots} snapshots stored, {rows} old rows deleted.")
        if failed:
            raise CommandError("Not compacted:\n" + "\n".join(failed))
