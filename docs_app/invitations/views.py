"""The people of a workspace. A workspace that the person does not lead is answered like one that does not exist."""

import logging
from smtplib import SMTPException
from typing import cast

from allauth.account.adapter import get_adapter
from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from docs_app.accounts.links import absolute
from docs_app.accounts.models import User
from docs_app.invitations import rights, verbs
from docs_app.invitations.forms import LinkForm, MailForm
from docs_app.invitations.models import Invitation
from docs_app.workspaces.models import Membership, Workspace

logger = logging.getLogger(__name__)

# Where the session keeps a link until the next page has shown it: only its hash is stored.
_LINK = "invitation_link"


def _person(request: HttpRequest) -> User:
    """Who is signed in, behind `login_required`."""
    assert isinstance(request.user, User)
    return request.user


def _find(request: HttpRequest, workspace_id: int) -> tuple[Workspace, tuple[Membership.Kind, ...]]:
    """The workspace and what the person may invite others as. Raises Http404."""
    workspace = Workspace.objects.filter(pk=workspace_id).first()
    if workspace is None or not (kinds := rights.kinds_to_give(_person(request), workspace)):
        raise Http404
    return workspace, kinds


def _find_invitation(request: HttpRequest, workspace_id: int, invitation_id: int) -> Invitation:
    """Raises Http404, also for one to more than the person may give."""
    workspace, kinds = _find(request, workspace_id)
    found = workspace.invitations.filter(pk=invitation_id, kind__in=kinds).select_related("workspace").first()
    if found is None:
        raise Http404
    return found


@require_safe
@login_required
def people(request: HttpRequest) -> HttpResponse:
    """The workspaces whose people one may see; with only one, its page."""
    found = list(rights.workspaces_led_by(_person(request)))
    if len(found) == 1:
        return redirect("people_of", found[0].pk)
    return render(request, "invitations/workspaces.html", {"workspaces": found})


@never_cache
@require_safe
@login_required
def people_of(request: HttpRequest, workspace_id: int) -> HttpResponse:
    workspace, kinds = _find(request, workspace_id)
    return _show(request, workspace, kinds, link=request.session.pop(_LINK, ""))


def _show(
    request: HttpRequest,
    workspace: Workspace,
    kinds: tuple[Membership.Kind, ...],
    *,
    mail_form: MailForm | None = None,
    link_form: LinkForm | None = None,
    link: str = "",
) -> HttpResponse:
    members = workspace.memberships.select_related("user").order_by("user__name", "id")
    invitations = list(workspace.invitations.select_related("invited_by"))
    is_refused = bool(mail_form or link_form)
    context = {
        "workspace": workspace,
        "members": members,
        "rows": [{"invitation": one, "is_mine": one.kind in kinds} for one in invitations],
        "mail_form": mail_form or MailForm(kinds=kinds, auto_id="mail-%s"),
        "link_form": link_form or LinkForm(kinds=kinds, auto_id="link-%s"),
        "link": link,
        "has_mail": settings.HAS_MAIL,
    }
    return render(request, "invitations/people.html", context, status=400 if is_refused else 200)


@require_POST
@login_required
def invite_by_mail(request: HttpRequest, workspace_id: int) -> HttpResponse:
    """Answers alike whether or not the address has an account here."""
    workspace, kinds = _find(request, workspace_id)
    form = MailForm(request.POST, kinds=kinds, auto_id="mail-%s")
    if not form.is_valid():
        return _show(request, workspace, kinds, mail_form=form)
    if limited := ratelimit.consume_or_429(request, action="invite", user=request.user):
        return cast("HttpResponse", limited)
    data = form.cleaned_data
    earlier = workspace.invitations.filter(email=data["email"]).exclude(kind__in=kinds)
    if earlier.exists():
        form.add_error("email", "An owner has invited this address already.")
        return _show(request, workspace, kinds, mail_form=form)
    invitation, token = verbs.invite(
        workspace=workspace, email=data["email"], kind=data["kind"], by=_person(request), days=data["days"]
    )
    _send(request, invitation, token)
    return redirect("people_of", workspace.pk)


@require_POST
@login_required
def invite_by_link(request: HttpRequest, workspace_id: int) -> HttpResponse:
    workspace, kinds = _find(request, workspace_id)
    form = LinkForm(request.POST, kinds=kinds, auto_id="link-%s")
    if not form.is_valid():
        return _show(request, workspace, kinds, link_form=form)
    if limited := ratelimit.consume_or_429(request, action="invite", user=request.user):
        return cast("HttpResponse", limited)
    data = form.cleaned_data
    _, token = verbs.invite(
        workspace=workspace, email="", kind=data["kind"], by=_person(request), days=data["days"]
    )
    request.session[_LINK] = _link(request, token)
    return redirect("people_of", workspace.pk)


@require_POST
@login_required
def invite_again(request: HttpRequest, workspace_id: int, invitation_id: int) -> HttpResponse:
    """The mail once more, or another link; the former one ends."""
    invitation = _find_invitation(request, workspace_id, invitation_id)
    if limited := ratelimit.consume_or_429(request, action="invite", user=request.user):
        return cast("HttpResponse", limited)
    token = verbs.renew(invitation=invitation)
    if invitation.is_link:
        request.session[_LINK] = _link(request, token)
    else:
        _send(request, invitation, token)
    return redirect("people_of", workspace_id)


@require_POST
@login_required
def revoke(request: HttpRequest, workspace_id: int, invitation_id: int) -> HttpResponse:
    invitation = _find_invitation(request, workspace_id, invitation_id)
    verbs.revoke(invitation=invitation)
    messages.success(request, "The invitation is taken back.")
    return redirect("people_of", workspace_id)


def _link(request: HttpRequest, token: str) -> str:
    return absolute(request, reverse("invitation", args=[token]))


def _send(request: HttpRequest, invitation: Invitation, token: str) -> None:
    """Mail the invitation and say so; what can't be sent is told, and the invitation stays to be sent again."""
    context = {
        "link": _link(request, token),
        "workspace": invitation.workspace,
        "inviter": _person(request),
        "expires_at": invitation.expires_at,
    }
    try:
        get_adapter().send_mail("invitations/email/invitation", invitation.email, context)
    except (SMTPException, OSError):
        logger.exception("the invitation %d could not be mailed", invitation.pk)
        messages.error(
            request, f"The mail to {invitation.email} could not be sent. Try again later, or make a link."
        )
    else:
        messages.success(request, f"An invitation is on its way to {invitation.email}.")
