"""The first visit, signing up, and where one is signed in. Signing in and out, passkeys and codes are django-allauth's,
with our templates and forms."""

from typing import cast

from allauth.account.utils import perform_login
from allauth.core import ratelimit
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from docs_app.accounts import sessions as places
from docs_app.accounts import setup as first_visit
from docs_app.accounts import sign_up as signing_up
from docs_app.accounts.devices import describe
from docs_app.accounts.forms import AddressForm, NewPersonForm, SetupForm
from docs_app.accounts.models import User
from docs_app.accounts.sign_up import AddressTakenError, Ticket
from docs_app.invitations import verbs as invitations
from docs_app.invitations.verbs import InvitationEndedError


@sensitive_post_parameters("password", "code")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    if not first_visit.is_needed():
        raise Http404
    asks_for_code = first_visit.asks_for_code(request)
    if request.method != "POST":
        if asks_for_code:
            first_visit.code()
        form = SetupForm(initial={"code": request.GET.get("code", "")}, asks_for_code=asks_for_code)
        return render(request, "accounts/setup.html", {"form": form})
    # Looked up before the code is compared: somebody who guesses must not learn from the answer that they were right.
    if not ratelimit.consume(request, action="setup_code", dry_run=True):
        return cast("HttpResponse", ratelimit.respond_429(request))
    form = SetupForm(request.POST, asks_for_code=asks_for_code)
    if not form.is_valid():
        if form.has_error("code", "wrong"):
            ratelimit.consume(request, action="setup_code")
        return render(request, "accounts/setup.html", {"form": form}, status=400)
    return _set_up(request, form)


def _set_up(request: HttpRequest, form: SetupForm) -> HttpResponse:
    data = form.cleaned_data
    try:
        person = first_visit.make_first_person(
            email=data["email"], name=data["name"], password=data["password"], workspace=data["workspace"]
        )
    except first_visit.AlreadySetUpError:
        return redirect("account_login")
    return cast("HttpResponse", perform_login(request, person))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """Asks for an address and mails a link to it. The answer does not depend on who has an account."""
    if request.user.is_authenticated:
        return redirect("start")
    if settings.SIGN_UP == "invitation":
        return render(request, "account/signup_closed.html")
    form = AddressForm(request.POST if request.method == "POST" else None)
    if form.is_bound:
        if limited := ratelimit.consume_or_429(request, action="sign_up"):
            return cast("HttpResponse", limited)
        if form.is_valid() and not signing_up.may_sign_up(form.cleaned_data["email"]):
            form.add_error("email", "Nobody can sign up with an address like this one.")
        if form.is_valid():
            return mail_ticket(request, form.cleaned_data["email"])
    status = 400 if form.is_bound else 200
    context = {"form": form, "domains": settings.SIGN_UP_DOMAINS}
    return render(request, "accounts/sign_up.html", context, status=status)


def mail_ticket(request: HttpRequest, email: str, invitation_id: int | None = None) -> HttpResponse:
    """What was asked for too often is answered alike, but not sent: a page must not fill somebody's mailbox."""
    if ratelimit.consume(request, action="sign_up_mail", key=email):
        signing_up.send_ticket(request, email=email, invitation_id=invitation_id)
    return redirect("sign_up_sent")


@require_http_methods(["GET", "HEAD"])
def sign_up_sent(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/sign_up_sent.html")


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up_confirm(request: HttpRequest, ticket: str) -> HttpResponse:
    """Where the link in the mail leads: the account is made here, and not before."""
    read = signing_up.read_ticket(ticket)
    if read is None or (read.invitation_id is None and not signing_up.may_sign_up(read.email)):
        return render(request, "accounts/sign_up_ended.html", status=404)
    if User.objects.filter(email=read.email).exists():
        messages.info(request, "You have an account already: sign in.")
        return redirect("account_login")
    form = NewPersonForm(request.POST if request.method == "POST" else None, email=read.email)
    if not form.is_valid():
        status = 400 if form.is_bound else 200
        return render(
            request, "accounts/sign_up_confirm.html", {"form": form, "email": read.email}, status=status
        )
    try:
        person = _make_and_join(read, form)
    except InvitationEndedError:
        return render(request, "accounts/sign_up_ended.html", status=404)
    except AddressTakenError:
        return redirect("account_login")
    return cast("HttpResponse", perform_login(request, person))


def _make_and_join(ticket: Ticket, form: NewPersonForm) -> User:
    data = form.cleaned_data
    password_hash = make_password(data["password"])
    with transaction.atomic():
        person = signing_up.make_person(
            email=ticket.email, name=data["name"], password_hash=password_hash, is_verified=True
        )
        if ticket.invitation_id is None:
            signing_up.join_first_workspace(person)
        else:
            invitations.accept(invitation_id=ticket.invitation_id, by=person)
    return person


@require_safe
def provider_cancelled(request: HttpRequest) -> HttpResponse:
    messages.info(request, "Signing in was cancelled.")
    return redirect("account_login")


@never_cache
@require_safe
@login_required
def sessions(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    # Whoever signed in before sessions were listed is listed from now on.
    UserSession.objects.create_from_request(request)
    rows = [
        {"session": session, "device": describe(session.user_agent), "is_here": session.is_current()}
        for session in places.sessions_of(request.user)
    ]
    return render(request, "accounts/sessions.html", {"rows": rows})


@require_POST
@login_required
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """End one of one's own. The one that asks is ended by signing out."""
    assert isinstance(request.user, User)
    here = request.session.session_key
    found = UserSession.objects.filter(pk=session_id, user=request.user).exclude(session_key=here)
    if not found:
        raise Http404
    places.end(found, of=request.user)
    messages.success(request, "That session is ended.")
    return redirect("sessions")


@require_POST
@login_required
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    here = request.session.session_key
    places.end(UserSession.objects.filter(user=request.user).exclude(session_key=here), of=request.user)
    messages.success(request, "You are signed out everywhere else.")
    return redirect("sessions")
