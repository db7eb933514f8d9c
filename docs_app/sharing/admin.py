"""Who was given a role on a document, as a part of the document's page in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from docs_app import live
from docs_app.accounts.models import User
from docs_app.audit import trail
from docs_app.documents.models import Document
from docs_app.sharing.models import Grant


class PersonField(forms.ModelChoiceField[User]):
    """A person by their e-mail address: a list of everybody would be endless in a large installation, and the admin's
    searching list sets inline styles, which the Content Security Policy forbids."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            queryset=User.objects.all(),
            to_field_name="email",
            label="E-mail address",
            widget=forms.EmailInput(attrs={"class": "vTextField", "autocomplete": "off"}),
            error_messages={"invalid_choice": "Nobody here has this address."},
            **kwargs,
        )

    def to_python(self, value: Any) -> User | None:
        return super().to_python(value.strip().lower() if isinstance(value, str) else value)


class _GrantForm(forms.ModelForm[Grant]):
    user = PersonField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["user"] = self.instance.user
            self.fields["user"].disabled = True


class GrantInline(admin.TabularInline[Grant, Document]):
    model = Grant
    form = _GrantForm
    fields = ("user", "role")
    extra = 1
    verbose_name = "grant"
    verbose_name_plural = "shared with"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Grant]:
        """People only, by name: what is shared with groups and by links is not changed here."""
        shared = super().get_queryset(request).filter(user__isnull=False, link=None)
        return shared.select_related("user", "document").order_by("user__name", "id")


def save_grants(formset: Any, by: User | None) -> None:
    """Save the inline's grants; open tabs of these people learn what they may do now."""
    with transaction.atomic():
        formset.save()
        before = {form.instance.pk: form.initial.get("role", "") for form in formset.initial_forms}
        for grant in formset.deleted_objects:
            trail.record("unshare", by=by, document=grant.document, subject=grant.user, before=grant.role)
            live.person_changed(grant.user_id)
        for grant in (*formset.new_objects, *(row for row, _ in formset.changed_objects)):
            was = before.get(grant.pk, "")
            trail.record(
                "share", by=by, document=grant.document, subject=grant.user, before=was, after=grant.role
            )
            live.person_changed(grant.user_id)


def person_in(request: HttpRequest) -> User | None:
    """Who uses the admin, for the audit log."""
    return request.user if isinstance(request.user, User) else None
