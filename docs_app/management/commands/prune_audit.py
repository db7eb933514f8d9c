"""`manage.py prune_audit`: rows of the audit log that are older than `COLLAB_AUDIT_DAYS`, deleted."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from docs_app.audit import trail


class Command(BaseCommand):
    help = "Delete rows of the audit log that are older than COLLAB_AUDIT_DAYS. Run it daily."

    def handle(self, *args: Any, **options: Any) -> None:
        count = trail.prune(timezone.now() - timedelta(days=settings.AUDIT_DAYS))
        self.stdout.write(f"{count} {'row' if count == 1 else 'rows'} of the audit log deleted.")
