"""People in the admin: add them, change them, deactivate them. Nobody is deleted, because their edits stay."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from docs_app import live
from docs_app.accounts import sessions
from docs_app.accounts.forms import PASSWORD_HELP
from docs_app.accounts.models import User
from docs_app.audit import trail
from docs_app.sharing.admin import person_in
from docs_app.workspaces.admin import MembershipOfPersonInline, save_memberships


class PersonForm(forms.ModelForm[User]):
    new_password = forms.CharField(
        strip=False,
        required=False,
        help_text="Leave it empty to keep the password. A new one signs the person out everywhere.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "vTextField"}),
    )

    class Meta:
        model = User
        fields = ("name", "email", "colour", "is_active", "is_staff")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "E-mail address"
        if "is_staff" in self.fields:
            self.fields["is_staff"].label = "Administrator"
            self.fields[
                "is_staff"
            ].help_text = "May use this admin and everything in it, every document's text too."

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        return email.lower()

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if password := data.get("new_password"):
            person = User(name=data.get("name", ""), email=data.get("email", ""))
            try:
                validate_password(password, person)
            except ValidationError as error:
                self.add_error("new_password", error)
        return data


class NewPersonForm(PersonForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["new_password"]
        field.label, field.required = "Password", True
        field.help_text = f"{PASSWORD_HELP} Tell it to the person; they can change it."


@admin.register(User)
class PersonAdmin(admin.ModelAdmin[User]):
    form = PersonForm
    list_display = ("name", "email", "is_active", "is_administrator", "last_login")
    list_filter = ("is_active", "is_staff", "memberships__workspace", "memberships__kind")
    search_fields = ("name", "email")
    ordering = ("name", "id")
    inlines = (MembershipOfPersonInline,)
    actions = ("deactivate", "remove_second_factors")

    @admin.display(boolean=True, description="administrator", ordering="is_staff")
    def is_administrator(self, person: User) -> bool:
        return person.is_staff

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("name", "email", "new_password", "is_staff")
        return (
            "name",
            "email",
            "colour",
            "is_active",
            "is_staff",
            "new_password",
            "last_login",
            "date_joined",
        )

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Nobody shuts themselves out, and only an administrator makes administrators."""
        fixed = ["last_login", "date_joined"]
        if obj is not None and obj == request.user:
            fixed += ["is_active", "is_staff"]
        elif not request.user.is_superuser:
            fixed.append("is_staff")
        return tuple(fixed)

    def get_form(
        self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        return super().get_form(request, obj, change, form=PersonForm if obj else NewPersonForm, **kwargs)

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm[User], change: bool) -> None:
        if "is_staff" in form.changed_data:
            obj.is_superuser = obj.is_staff
        if password := form.cleaned_data.get("new_password"):
            obj.set_password(password)
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data:
            verb = "activate" if obj.is_active else "deactivate"
            trail.record(verb, by=person_in(request), subject=obj)
        if "email" in form.changed_data:
            # django-allauth remembers addresses beside the account: the former one must not reset the password.
            EmailAddress.objects.filter(user=obj).delete()
        if password and obj == request.user:
            update_session_auth_hash(request, obj)
        if "is_active" in form.changed_data and not obj.is_active:
            sessions.end(sessions.sessions_of(obj), of=obj)
        live.person_changed(obj.pk)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        save_memberships(formset, by=person_in(request))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    @admin.action(description="Deactivate selected people", permissions=["change"])
    def deactivate(self, request: HttpRequest, people: QuerySet[User]) -> None:
        others = [person for person in people if person.is_active and person != request.user]
        for person in others:
            person.is_active = False
            person.save(update_fields=["is_active"])
            self.log_change(request, person, "Deactivated.")
            sessions.end(sessions.sessions_of(person), of=person)
            trail.record("deactivate", by=person_in(request), subject=person)
        count = len(others)
        self.message_user(
            request, f"{count} {'person' if count == 1 else 'people'} deactivated.", messages.SUCCESS
        )

    @admin.action(description="Remove passkeys and apps of selected people", permissions=["change"])
    def remove_second_factors(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """For whoever has lost them: the password alone signs them in again."""
        for person in people:
            Authenticator.objects.filter(user=person).delete()
            self.log_change(request, person, "Removed passkeys, authenticator app and recovery codes.")
        self.message_user(request, "They sign in with their passwords alone now.", messages.SUCCESS)
