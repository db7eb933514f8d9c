"""Whom to invite, as what, for how long."""

from typing import Any

from django import forms

from docs_app.invitations.verbs import DAYS
from docs_app.workspaces.models import Membership

_LABELS = {
    Membership.Kind.ADMIN: "Admin",
    Membership.Kind.MEMBER: "Member",
    Membership.Kind.GUEST: "Guest",
}


class _Invite(forms.Form):
    kind = forms.ChoiceField(label="As")
    days = forms.TypedChoiceField(
        label="Valid for",
        choices=[(1, "1 day"), (7, "7 days"), (30, "30 days")],
        initial=DAYS,
        coerce=int,
        required=False,
    )

    def __init__(self, *args: Any, kinds: tuple[Membership.Kind, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["kind"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(kind.value, _LABELS[kind]) for kind in kinds]

    def clean_days(self) -> int:
        return int(self.cleaned_data["days"] or DAYS)

    def clean_kind(self) -> Membership.Kind:
        return Membership.Kind(self.cleaned_data["kind"])


class MailForm(_Invite):
    email = forms.EmailField(
        label="E-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    field_order = ("email", "kind", "days")

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class LinkForm(_Invite):
    """A link goes from hand to hand: it makes nobody an admin."""

    def __init__(self, *args: Any, kinds: tuple[Membership.Kind, ...], **kwargs: Any) -> None:
        handed = tuple(kind for kind in kinds if kind != Membership.Kind.ADMIN)
        super().__init__(*args, kinds=handed, **kwargs)
