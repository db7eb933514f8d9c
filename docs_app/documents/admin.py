"""Documents in the admin: found, looked at, renamed and shared. Their content is not edited or deleted here."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import F, Func, IntegerField, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from docs_app.content.text import plain_text
from docs_app.documents import log, verbs
from docs_app.documents.forms import TitleField
from docs_app.documents.models import Document, DocumentUpdate
from docs_app.documents.replica import BrokenReplicaError
from docs_app.sharing.admin import GrantInline, person_in, save_grants

PREVIEW = 5000
EDITS = 20
FIELDS: tuple[str | tuple[str, ...], ...] = (
    "title",
    "id",
    "workspace",
    ("created_by", "created_at"),
    ("updated_at", "trashed_at"),
    ("seq", "human_size", "epoch", "schema_version"),
    "preview",
    "edits",
    "set_aside",
)


class _DocumentForm(forms.ModelForm[Document]):
    title = TitleField(widget=forms.TextInput(attrs={"class": "vLargeTextField"}))


@admin.register(Document)
class DocumentAdmin(admin.ModelAdmin[Document]):
    form = _DocumentForm
    list_display = ("title", "workspace", "updated_at", "last_seq", "human_size")
    list_filter = ("workspace", "updated_at", ("trashed_at", admin.EmptyFieldListFilter))
    list_select_related = ("workspace",)
    search_fields = ("title", "id")
    show_full_result_count = False
    inlines = (GrantInline,)
    fields = FIELDS

    def get_readonly_fields(self, request: HttpRequest, obj: Document | None = None) -> list[str]:
        names = [name for row in FIELDS for name in ([row] if isinstance(row, str) else row)]
        return [name for name in names if name != "title"]

    def view_on_site(self, document: Document) -> str:
        return reverse("document", args=[document.id])

    @admin.display(description="seq", ordering="seq")
    def last_seq(self, document: Document) -> int:
        return document.seq

    @admin.display(description="size", ordering="size")
    def human_size(self, document: Document) -> str:
        return filesizeformat(document.size)

    @admin.display(description="text")
    def preview(self, document: Document) -> SafeString:
        text, problem = read_text(document.id)
        return render_to_string("documents/admin/preview.html", {"text": text, "problem": problem})

    @admin.display(description="latest edits")
    def edits(self, document: Document) -> SafeString:
        return _table(document.updates.all())

    @admin.display(description="set aside")
    def set_aside(self, document: Document) -> SafeString:
        return _table(document.updates.exclude(set_aside=""))

    def save_model(
        self, request: HttpRequest, obj: Document, form: forms.ModelForm[Document], change: bool
    ) -> None:
        """The title only, by its verb: a whole row would take the log's counters back to what this page showed."""
        verbs.rename(
            document=Document.objects.get(pk=obj.pk), title=form.cleaned_data["title"], by=request.user
        )

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        save_grants(formset, person_in(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Document | None = None) -> bool:
        return False


def read_text(document_id: UUID) -> tuple[str, str]:
    """The beginning of a document's text, and why it can't be read, either of them empty."""
    try:
        replica, _ = log.replay(log.load(document_id))
    except (log.LogDamagedError, BrokenReplicaError) as error:
        return "", str(error)
    return plain_text(replica.doc, limit=PREVIEW), ""


def _table(updates: QuerySet[DocumentUpdate]) -> SafeString:
    """The newest rows, without fetching what is in them."""
    size = Func(F("data"), function="LENGTH", output_field=IntegerField())
    rows = (
        updates.defer("data").annotate(bytes=size).select_related("author", "guest").order_by("-seq")[:EDITS]
    )
    return render_to_string("documents/admin/edits.html", {"rows": rows})
