"""Signing up. An account begins with a link in a mail: whoever has no mailbox has no account, and the page answers
everybody alike, because only the mail says whether there is one already."""

from typing import NamedTuple

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.urls import reverse

from docs_app.accounts.links import absolute
from docs_app.accounts.models import User
from docs_app.workspaces.models import Membership, Workspace

# Seconds for which the link in the mail works.
TICKET_AGE = 3 * 24 * 3600
_SALT = "collab: sign up"


class AddressTakenError(Exception):
    """There is an account with this address."""


class Ticket(NamedTuple):
    """What the link in the mail proves: this address, and perhaps an invitation link that led here."""

    email: str
    invitation_id: int | None


def may_sign_up(email: str) -> bool:
    """Whether the installation lets people with this address sign up without an invitation."""
    if settings.SIGN_UP == "domains":
        return email.rpartition("@")[2].lower() in settings.SIGN_UP_DOMAINS
    return bool(settings.SIGN_UP == "open")


def write_ticket(ticket: Ticket) -> str:
    return signing.dumps(list(ticket), salt=_SALT)


def read_ticket(text: str) -> Ticket | None:
    """None if it is not one of ours or too old."""
    try:
        email, invitation_id = signing.loads(text, salt=_SALT, max_age=TICKET_AGE)
    except signing.BadSignature:
        return None
    return Ticket(email, invitation_id)


def send_ticket(request: HttpRequest, *, email: str, invitation_id: int | None = None) -> None:
    """One mail either way: with the link, or saying that there is an account already."""
    email = email.lower()
    if User.objects.filter(email=email).exists():
        context = {"link": absolute(request, reverse("account_login"))}
        get_adapter().send_mail("accounts/email/known", email, context)
        return
    ticket = write_ticket(Ticket(email, invitation_id))
    context = {"link": absolute(request, reverse("sign_up_confirm", args=[ticket]))}
    get_adapter().send_mail("accounts/email/sign_up", email, context)


def make_person(*, email: str, name: str, password_hash: str, is_verified: bool) -> User:
    """An account that belongs to no workspace yet. Raises AddressTakenError, and has then changed nothing. The password
    is hashed before (`make_password`), outside of the transaction: it takes a tenth of a second, in which SQLite would
    commit nobody's edits."""
    try:
        with transaction.atomic():
            person = User.objects.create(email=email.lower(), name=name, password=password_hash)
            EmailAddress.objects.create(user=person, email=person.email, verified=is_verified, primary=True)
    except IntegrityError as error:
        raise AddressTakenError from error
    return person


def join_first_workspace(person: User) -> None:
    """Whoever signs up without an invitation becomes a member where `COLLAB_SIGN_UP_WORKSPACE` says."""
    wanted = settings.SIGN_UP_WORKSPACE
    if wanted == "none":
        return
    found = Workspace.objects.order_by("id")
    workspace = (found.filter(name=wanted) if wanted else found).first()
    if workspace is not None:
        Membership.objects.get_or_create(workspace=workspace, user=person)
