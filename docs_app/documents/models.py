"""A document, the log of its edits, and the snapshots that make opening it quick."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from docs_app.workspaces.models import Workspace

TITLE_LENGTH = 200


class Document(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.PROTECT, related_name="documents")
    parent = models.ForeignKey(
        "self", models.RESTRICT, null=True, blank=True, editable=False, related_name="children"
    )
    position = models.BigIntegerField(
        default=0, editable=False, help_text="Among its siblings, ascending; gaps are meant (see `tree`)."
    )
    stands_apart = models.BooleanField(
        default=False, editable=False, help_text="Inherits nothing from pages above nor from the workspace."
    )
    title = models.CharField(max_length=TITLE_LENGTH)
    icon = models.CharField(max_length=32, blank=True, default="", editable=False)
    is_template = models.BooleanField("template", default=False, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="documents_created"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField("last edited", default=timezone.now, editable=False, db_index=True)
    seq = models.PositiveBigIntegerField("last sequence number", default=0, editable=False)
    epoch = models.PositiveIntegerField(
        default=0, editable=False, help_text="Raised when history is replaced: older tabs must reload."
    )
    schema_version = models.PositiveIntegerField(default=1, editable=False)
    size = models.PositiveBigIntegerField(
        default=0, editable=False, help_text="Bytes of the newest snapshot and of every update after it."
    )
    trashed_at = models.DateTimeField("in the trash since", null=True, blank=True, editable=False)
    trashed_with = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        help_text="The page that was thrown away, itself or one above; restoring that one restores all of them.",
    )

    class Meta:
        ordering = ("-updated_at", "id")

    def __str__(self) -> str:
        return self.title


class DocumentUpdate(models.Model):
    """One row of the log: what one person typed in about a tenth of a second. Rows are only ever added; `log.prune`
    alone deletes them."""

    document = models.ForeignKey(Document, models.CASCADE, related_name="updates")
    seq = models.PositiveBigIntegerField("sequence number")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    guest = models.ForeignKey("docs_app.Guest", models.SET_NULL, null=True, related_name="+")
    data = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)
    set_aside = models.CharField(
        max_length=200,
        blank=True,
        default="",
        help_text="Why this row can't be applied; the rest of the document opens.",
    )

    class Meta:
        ordering = ("seq",)
        verbose_name = "update"
        constraints = (models.UniqueConstraint(fields=("document", "seq"), name="update_seq_unique"),)

    def __str__(self) -> str:
        return f"update {self.seq}"


class DocumentSnapshot(models.Model):
    """The state after row `seq`: a zlib-compressed Yjs update, and what was still pending."""

    document = models.ForeignKey(Document, models.CASCADE, related_name="snapshots")
    seq = models.PositiveBigIntegerField("sequence number")
    data = models.BinaryField()
    pending = models.BinaryField(
        default=b"",
        help_text="Updates whose past has not arrived, compressed, each behind its length in 4 bytes.",
    )
    size = models.PositiveBigIntegerField(help_text="Bytes before compression.")
    facts = models.JSONField(
        null=True,
        editable=False,
        help_text="What reading the state's bytes said: spans of clocks, second halves of surrogate pairs, "
        "how many structs.",
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-seq",)
        verbose_name = "snapshot"
        constraints = (models.UniqueConstraint(fields=("document", "seq"), name="snapshot_seq_unique"),)

    def __str__(self) -> str:
        return f"snapshot at {self.seq}"


class ClientBinding(models.Model):
    """Which person or guest a Yjs client id belongs to in a document. Neither: the server wrote under this id."""

    document = models.ForeignKey(Document, models.CASCADE, related_name="bindings")
    client_id = models.PositiveBigIntegerField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    guest = models.ForeignKey("docs_app.Guest", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("document", "client_id"), name="binding_unique"),)

    def __str__(self) -> str:
        return f"client {self.client_id} of {self.user or self.guest}"


class Favourite(models.Model):
    document = models.ForeignKey(Document, models.CASCADE, related_name="favourites")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="favourites")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("document", "user"), name="favourite_unique"),)

    def __str__(self) -> str:
        return f"{self.document} of {self.user}"


class Visit(models.Model):
    """When somebody last opened a document."""

    document = models.ForeignKey(Document, models.CASCADE, related_name="visits")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="visits")
    opened_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("document", "user"), name="visit_unique"),)

    def __str__(self) -> str:
        return f"{self.user} in {self.document}"


class ServerProcess(models.Model):
    """A process that holds documents open, and edits that are not committed yet. It takes its row away when it ends in
    order."""

    id = models.CharField(primary_key=True, max_length=40)
    seen_at = models.DateTimeField()
    crashed_at = models.DateTimeField(null=True, help_text="When another one found that it is gone.")

    def __str__(self) -> str:
        return self.id
