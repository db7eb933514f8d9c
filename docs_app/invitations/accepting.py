"""Where an invitation leads: whoever is signed in joins; everybody else signs in or gets an account first."""

from typing import cast

from allauth.account.utils import perform_login
from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from docs_app.accounts import sign_up
from docs_app.accounts.forms import AddressForm, NewPersonForm, NewPersonWithAddressForm
from docs_app.accounts.models import User
from docs_app.accounts.sign_up import AddressTakenError
from docs_app.accounts.views import mail_ticket
from docs_app.invitations import verbs
from docs_app.invitations.models import Invitation
from docs_app.invitations.verbs import InvitationEndedError


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: HttpRequest, token: str) -> HttpResponse:
    invitation = verbs.find(token)
    if invitation is None:
        return _ended(request)
    try:
        if isinstance(request.user, User):
            return _join(request, invitation, request.user)
        return _arrive(request, invitation)
    except InvitationEndedError:
        return _ended(request)


def _ended(request: HttpRequest) -> HttpResponse:
    return render(request, "invitations/ended.html", status=404)


def _join(request: HttpRequest, invitation: Invitation, person: User) -> HttpResponse:
    """Asks first: following a link must change nothing."""
    if request.method != "POST":
        return render(request, "invitations/join.html", {"invitation": invitation})
    verbs.accept(invitation_id=invitation.pk, by=person)
    return _welcome(request, invitation)


def _welcome(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    messages.success(request, f"Welcome to {invitation.workspace}.")
    return redirect("start")


def _arrive(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """A mail proves the address it went to. A link proves none: its address is asked for and gets a mail of its own,
    if this installation can send any."""
    if invitation.email and User.objects.filter(email=invitation.email).exists():
        return render(request, "invitations/sign_in.html", {"invitation": invitation})
    form = _form(request, invitation)
    if form.is_bound and (limited := ratelimit.consume_or_429(request, action="sign_up")):
        return cast("HttpResponse", limited)
    if not form.is_valid():
        context = {"invitation": invitation, "form": form, "makes_account": isinstance(form, NewPersonForm)}
        return render(request, "invitations/arrive.html", context, status=400 if form.is_bound else 200)
    if not isinstance(form, NewPersonForm):
        return mail_ticket(request, form.cleaned_data["email"], invitation.pk)
    return _make_person(request, invitation, form)


def _form(request: HttpRequest, invitation: Invitation) -> AddressForm | NewPersonForm:
    data = request.POST if request.method == "POST" else None
    if invitation.email:
        return NewPersonForm(data, email=invitation.email)
    return AddressForm(data) if settings.HAS_MAIL else NewPersonWithAddressForm(data)


def _make_person(request: HttpRequest, invitation: Invitation, form: NewPersonForm) -> HttpResponse:
    data = form.cleaned_data
    password_hash = make_password(data["password"])
    try:
        with transaction.atomic():
            person = sign_up.make_person(
                email=invitation.email or data["email"],
                name=data["name"],
                password_hash=password_hash,
                is_verified=bool(invitation.email),
            )
            verbs.accept(invitation_id=invitation.pk, by=person)
    except AddressTakenError:
        # Only where no mail can be sent, to somebody who was handed a link: there is no other way to tell them.
        form.add_error(None, "There is an account with this address: sign in with it to accept.")
        context = {"invitation": invitation, "form": form, "makes_account": True}
        return render(request, "invitations/arrive.html", context, status=400)
    messages.success(request, f"Welcome to {invitation.workspace}.")
    return cast("HttpResponse", perform_login(request, person))
