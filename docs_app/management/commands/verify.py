"""`manage.py verify`: replays every document and compares it with its snapshots. Changes nothing."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from docs_app.documents import log
from docs_app.documents.models import Document, DocumentUpdate


class Command(BaseCommand):
    help = "Replay every document, or those named, and compare with its snapshots. Exit code 1 if anything differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("documents", nargs="*", type=UUID, metavar="ID", help="documents (default: all)")

    def handle(self, *args: Any, documents: list[UUID], **options: Any) -> None:
        ids = documents or list(Document.objects.order_by("created_at").values_list("id", flat=True))
        differing: list[str] = []
        for document_id in tqdm(ids, unit="documents", file=self.stderr, disable=None):
            try:
                problems = log.verify(document_id)
            except Document.DoesNotExist:
                problems = ["there is no such document"]
            differing += [f"{document_id}: {problem}" for problem in problems]
        aside = DocumentUpdate.objects.filter(document_id__in=ids).exclude(set_aside="").count()
        self.stdout.write(
            f"{len(ids)} documents verified, {aside} rows set aside, {len(differing)} problems."
        )
        if differing:
            raise CommandError("\n".join(differing))
