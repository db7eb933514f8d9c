"""`manage.py empty_trash`: what has been in the trash for longer than `COLLAB_TRASH_DAYS`, deleted for good."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from docs_app.trash import verbs


class Command(BaseCommand):
    help = "Delete for good what has been in the trash for longer than COLLAB_TRASH_DAYS. Run it daily."

    def handle(self, *args: Any, **options: Any) -> None:
        count = verbs.empty(before=timezone.now() - timedelta(days=settings.TRASH_DAYS))
        self.stdout.write(f"{count} {'document' if count == 1 else 'documents'} deleted for good.")
