"""Workspaces and their members in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from docs_app.accounts.models import User
from docs_app.sharing.admin import PersonField, person_in
from docs_app.workspaces import verbs
from docs_app.workspaces.models import Membership, Workspace


class _MemberForm(forms.ModelForm[Membership]):
    """A member by their e-mail address; who it is stays, and only the kind changes."""

    user = PersonField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["user"] = self.instance.user
            self.fields["user"].disabled = True


class MemberInline(admin.TabularInline[Membership, Workspace]):
    model = Membership
    form = _MemberForm
    extra = 1
    verbose_name = "member"
    verbose_name_plural = "members"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "workspace").order_by("user__name", "id")


@admin.register(Workspace)
class WorkspaceAdmin(admin.ModelAdmin[Workspace]):
    list_display = ("name", "default_role", "member_count", "document_count", "created_at")
    search_fields = ("name",)
    inlines = (MemberInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workspace]:
        counted = super().get_queryset(request)
        return counted.annotate(
            members=Count("memberships", distinct=True), documents_here=Count("documents", distinct=True)
        )

    @admin.display(description="members", ordering="members")
    def member_count(self, workspace: Workspace) -> int:
        return int(workspace.members)  # type: ignore[attr-defined]

    @admin.display(description="documents", ordering="documents_here")
    def document_count(self, workspace: Workspace) -> int:
        return int(workspace.documents_here)  # type: ignore[attr-defined]

    def save_model(
        self, request: HttpRequest, obj: Workspace, form: forms.ModelForm[Workspace], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        if change and "default_role" in form.changed_data:
            verbs.default_role_changed(obj, before=form.initial["default_role"], by=person_in(request))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        save_memberships(formset, by=person_in(request))

    def has_delete_permission(self, request: HttpRequest, obj: Workspace | None = None) -> bool:
        """An empty one may go; documents are never deleted with their workspace."""
        return obj is not None and not obj.documents.exists() and super().has_delete_permission(request, obj)


class _MembershipForm(forms.ModelForm[Membership]):
    def has_changed(self) -> bool:
        """A new row counts as soon as it names a workspace, although the page itself may have proposed that one."""
        if self.instance.pk:
            return super().has_changed()
        return bool(self.data.get(self.add_prefix("workspace")))


class MembershipOfPersonInline(admin.TabularInline[Membership, User]):
    """A person's workspaces; for a new person the only workspace there is, if there is only one."""

    model = Membership
    form = _MembershipForm
    fk_name = "user"
    verbose_name = "workspace"
    verbose_name_plural = "workspaces"

    def get_extra(self, request: HttpRequest, obj: User | None = None, **kwargs: Any) -> int:
        return 1 if obj is None else 0

    def get_formset(self, request: HttpRequest, obj: User | None = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        widget = formset.form.base_fields["workspace"].widget
        widget.can_add_related = widget.can_change_related = widget.can_view_related = False
        found = list(Workspace.objects.all()[:2])
        if obj is None and len(found) == 1:
            formset.form.base_fields["workspace"].initial = found[0].pk
        return formset


def save_memberships(formset: Any, by: User | None = None) -> None:
    """Save an inline's memberships; open tabs of these people learn what they may do now."""
    with transaction.atomic():
        formset.save()
        before = {form.instance.pk: form.initial.get("kind", "") for form in formset.initial_forms}
        for row in formset.deleted_objects:
            # Deleted already, and without its number; the row still knows who it was.
            verbs.membership_changed(row, before=row.kind, after="", by=by)
        for row in (*formset.new_objects, *(row for row, _ in formset.changed_objects)):
            verbs.membership_changed(row, before=before.get(row.pk, ""), after=row.kind, by=by)
