"""Where people are signed in: which of them still are, and ending a session with its open tabs."""

from collections.abc import Iterable
from typing import NamedTuple

from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from docs_app import live
from docs_app.accounts.models import User


class Visitor(NamedTuple):
    """A person in one of their browsers."""

    user_id: int
    session_key: str


def signed_in(visitors: Iterable[Visitor]) -> set[Visitor]:
    """Those who still are: active, their session neither ended nor expired, their password the same. 2 queries."""
    asked = set(visitors)
    users = User.objects.filter(pk__in={visitor.user_id for visitor in asked}, is_active=True).in_bulk()
    sessions = Session.objects.filter(
        session_key__in={visitor.session_key for visitor in asked}, expire_date__gt=timezone.now()
    ).in_bulk()
    return {
        visitor
        for visitor in asked
        if _is_valid(users.get(visitor.user_id), sessions.get(visitor.session_key))
    }


def _is_valid(user: User | None, session: Session | None) -> bool:
    if user is None or session is None:
        return False
    content = session.get_decoded()
    return content.get(SESSION_KEY) == str(user.pk) and constant_time_compare(
        content.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()
    )


def sessions_of(person: User) -> list[UserSession]:
    """Where the person is signed in, the newest first; what has ended elsewhere is forgotten. Somebody deactivated is
    signed in nowhere, but the sessions that would live again with the account are listed."""
    if person.is_active:
        found: list[UserSession] = UserSession.objects.purge_and_list(person)
    else:
        found = list(UserSession.objects.filter(user=person))
    return sorted(found, key=lambda session: session.created_at, reverse=True)


def end(sessions: Iterable[UserSession], *, of: User) -> None:
    """Sign the person out there; open tabs are closed at once."""
    for session in sessions:
        session.end()
    live.person_changed(of.pk)
