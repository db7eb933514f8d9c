"""One row of the audit log."""

from typing import Any, ClassVar, NoReturn

from django.db import models
from django.utils import timezone


class AppendOnlyError(RuntimeError):
    """A row of the audit log was about to be changed or deleted."""


class _AppendOnly(models.QuerySet["AuditEvent"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("rows of the audit log are never changed")

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("rows of the audit log are never changed")

    def delete(self) -> NoReturn:
        raise AppendOnlyError("rows of the audit log go by their age only: `manage.py prune_audit`")


class AuditEvent(models.Model):
    """No foreign keys: a row outlives the person, the document and the link that it names, and deleting one of these
    must not reach in here."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    verb = models.CharField(max_length=40)
    refused = models.BooleanField(default=False)
    actor_id = models.BigIntegerField(
        null=True, help_text="The person; none for guests and for whoever operates."
    )
    actor = models.CharField(max_length=400, help_text="Who it was, as they were called then.")
    ip = models.GenericIPAddressField(null=True)
    workspace_id = models.BigIntegerField(null=True)
    document_id = models.UUIDField(null=True, db_index=True)
    document_title = models.CharField(max_length=200, blank=True, default="")
    subject = models.CharField(
        max_length=400, blank=True, default="", help_text="Whose rights: a person, group, link or workspace."
    )
    role_before = models.CharField(max_length=12, blank=True, default="")
    role_after = models.CharField(max_length=12, blank=True, default="")
    detail = models.CharField(max_length=400, blank=True, default="")

    objects: ClassVar[models.Manager["AuditEvent"]] = _AppendOnly.as_manager()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.actor}: {self.verb}{' (refused)' if self.refused else ''}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("rows of the audit log are never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("rows of the audit log go by their age only: `manage.py prune_audit`")
