"""Links that give a role to whoever has them, and the guests who come by them. Nothing here asks whether the person
may: the views do (`share`).

The token is answered once, when the link is made. It must not get into a log or a Referer: a page that takes one in
answers with a redirect to an address without it, or has it in the fragment.
"""

import hashlib
import secrets
from collections.abc import Iterable, MutableMapping
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from docs_app import live
from docs_app.accounts.models import User
from docs_app.accounts.sessions import Visitor
from docs_app.audit import trail
from docs_app.documents.models import Document
from docs_app.sharing.models import Grant, Guest, ShareLink
from docs_app.sharing.roles import LINK_ROLES, Role
from docs_app.tree.lines import subtree

_IN_SESSION = "guests"


def make(
    *,
    document: Document,
    label: str,
    role: Role,
    by: User,
    expires_at: datetime | None = None,
    password: str = "",
) -> tuple[ShareLink, str]:
    """Make a link; answers it with its token, which nobody can find out later."""
    assert role in LINK_ROLES, "the form offers no other"
    token = secrets.token_urlsafe(24)
    with transaction.atomic():
        link = ShareLink.objects.create(
            document=document,
            label=label,
            role=role,
            token_hash=_hash(token),
            password=make_password(password) if password else "",
            expires_at=expires_at,
            created_by=by,
        )
        trail.record("make link", by=by, document=document, subject=link, after=role)
    return link, token


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def change(*, link: ShareLink, label: str, role: Role, expires_at: datetime | None, by: User) -> None:
    """Change a link for everybody who has it. Its password stays: for another one make another link, so that those who
    know only the former one do not stay inside."""
    assert role in LINK_ROLES, "the form offers no other"
    with transaction.atomic():
        before = link.role
        link.label, link.role, link.expires_at = label, role, expires_at
        link.save(update_fields=["label", "role", "expires_at"])
        trail.record("change link", by=by, document=link.document, subject=link, before=before, after=role)
        live.rights_changed(subtree(link.document_id).values_list("id", flat=True))


def revoke(*, link: ShareLink, by: User | None) -> None:
    """End a link: whoever came by it is sent away, unless they have rights of their own."""
    if link.revoked_at is not None:
        return
    with transaction.atomic():
        link.revoked_at = timezone.now()
        link.save(update_fields=["revoked_at"])
        trail.record("revoke link", by=by, document=link.document, subject=link, before=link.role)
        live.rights_changed(subtree(link.document_id).values_list("id", flat=True))


def find(token: str) -> ShareLink | None:
    """The link with this token if it is in force and its document is not in the trash."""
    link = ShareLink.objects.select_related("document").filter(token_hash=_hash(token)).first()
    return link if link and link.is_valid and link.document.trashed_at is None else None


def opens(link: ShareLink, password: str) -> bool:
    """Whether the password is the link's, or it needs none. Slow on purpose; limit how often somebody may try."""
    return not link.password or check_password(password, link.password)


def enter(*, link: ShareLink, person: User) -> None:
    """Let somebody with an account in, in their own name, for as long as the link is in force."""
    with transaction.atomic():
        _, is_new = Grant.objects.get_or_create(
            link=link, user=person, defaults={"document": link.document, "role": link.role}
        )
        if is_new:
            trail.record("enter by link", by=person, document=link.document, subject=link, after=link.role)
            live.person_changed(person.pk)


def enter_as_guest(*, link: ShareLink, name: str, session: MutableMapping[str, Any]) -> Guest:
    """Let somebody without an account in, under a name (see `check_name`); who came before keeps their identity and may
    choose another name. The session remembers the guest."""
    known = session.get(_IN_SESSION, {}).get(str(link.pk))
    with transaction.atomic():
        guest = Guest.objects.filter(pk=known, link=link).first() or Guest(link=link)
        is_new = guest.pk is None
        guest.name = name
        guest.save()
        if is_new:
            trail.record("enter by link", by=guest, document=link.document, subject=link, after=link.role)
    session[_IN_SESSION] = {**session.get(_IN_SESSION, {}), str(link.pk): guest.pk}
    return guest


def guests_in(session: MutableMapping[str, Any]) -> list[int]:
    """The guests that somebody without an account is in this browser, one for each link that they came by."""
    return list(session.get(_IN_SESSION, {}).values())


def still_here(visitors: Iterable[Visitor]) -> set[Visitor]:
    """Of these guests (each by the negative of their id, see `documents/authors`) in their browsers, those whose
    session has not ended. Whether their link is in force is a question of rights. 1 query."""
    asked = set(visitors)
    sessions = Session.objects.filter(
        session_key__in={visitor.session_key for visitor in asked}, expire_date__gt=timezone.now()
    ).in_bulk()
    return {
        visitor
        for visitor in asked
        if (session := sessions.get(visitor.session_key))
        and -visitor.user_id in guests_in(session.get_decoded())
    }
