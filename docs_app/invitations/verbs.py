"""Invite, invite again, take back, accept."""

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from docs_app import live
from docs_app.accounts.models import User
from docs_app.invitations.models import Invitation
from docs_app.workspaces.models import Membership, Workspace

DAYS = 7
# Bytes of a token: 256 bits.
TOKEN = 32

_STRENGTH = (Membership.Kind.GUEST, Membership.Kind.MEMBER, Membership.Kind.ADMIN, Membership.Kind.OWNER)


class InvitationEndedError(Exception):
    """It was taken back, used or has expired."""


def _hash(token: str) -> str:
    # The token is random and long: a slow hash would protect nothing more.
    return hashlib.sha256(token.encode()).hexdigest()


def invite(
    *, workspace: Workspace, email: str, kind: Membership.Kind, by: User, days: int = DAYS
) -> tuple[Invitation, str]:
    """The invitation and its token, which is stored nowhere. No address makes a link. Whoever was invited before is
    invited anew, and the former mail no longer works."""
    token = secrets.token_urlsafe(TOKEN)
    fields = {
        "kind": kind,
        "token_hash": _hash(token),
        "invited_by": by,
        "expires_at": timezone.now() + timedelta(days=days),
    }
    if not email:
        return Invitation.objects.create(workspace=workspace, **fields), token
    invitation, _ = Invitation.objects.update_or_create(
        workspace=workspace, email=email.lower(), defaults=fields
    )
    return invitation, token


def renew(*, invitation: Invitation, days: int = DAYS) -> str:
    """A new token and as much time again; the former token ends."""
    token = secrets.token_urlsafe(TOKEN)
    invitation.token_hash = _hash(token)
    invitation.expires_at = timezone.now() + timedelta(days=days)
    invitation.save(update_fields=["token_hash", "expires_at"])
    return token


def revoke(*, invitation: Invitation) -> None:
    invitation.delete()


def find(token: str) -> Invitation | None:
    """The invitation that can be accepted with this token."""
    found = (
        Invitation.objects.select_related("workspace", "invited_by").filter(token_hash=_hash(token)).first()
    )
    return None if found is None or found.has_expired else found


def accept(*, invitation_id: int, by: User) -> Membership:
    """Make the person what the invitation says; who is more already stays it. An invitation to an address ends with
    it. Raises InvitationEndedError, and has then changed nothing."""
    with transaction.atomic():
        # Locked: two people must not accept the same mail.
        invitation = Invitation.objects.select_for_update().filter(pk=invitation_id).first()
        if invitation is None or invitation.has_expired:
            raise InvitationEndedError
        membership, is_new = Membership.objects.get_or_create(
            workspace=invitation.workspace, user=by, defaults={"kind": invitation.kind}
        )
        if not is_new and _strength(invitation.kind) > _strength(membership.kind):
            membership.kind = invitation.kind
            membership.save(update_fields=["kind"])
        if invitation.email:
            invitation.delete()
        else:
            invitation.uses += 1
            invitation.save(update_fields=["uses"])
        live.person_changed(by.pk)
    return membership


def _strength(kind: str) -> int:
    return _STRENGTH.index(Membership.Kind(kind))
