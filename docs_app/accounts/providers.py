"""Signing in at a provider of OpenID Connect, and what its groups bring."""

import logging
from typing import Any

from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.base import AuthProcess
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import redirect, render

from docs_app import live
from docs_app.accounts import sign_up
from docs_app.accounts.models import User, clean_name
from docs_app.workspaces.models import Membership, Workspace

logger = logging.getLogger(__name__)

Kind = Membership.Kind
_STRENGTH = (Kind.GUEST, Kind.MEMBER, Kind.ADMIN)


class ProviderAdapter(DefaultSocialAccountAdapter):
    """Accounts are found by the provider's own id, then by an address that the provider has verified."""

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        if sociallogin.state.get("process") != AuthProcess.LOGIN:
            # Signing in begins by a link, which any site can send a browser to: it must never connect the account that
            # the browser has at the provider, perhaps somebody else's, to the one that is signed in here.
            raise ImmediateHttpResponse(redirect("start"))
        if not sociallogin.is_existing:
            return
        person = sociallogin.user
        if not EmailAddress.objects.filter(user=person).exists():
            # Made by an administrator, who vouches for the address: the password stays.
            EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
        if person.is_active:
            follow_groups(person, *_told(sociallogin))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Whom the provider vouches for and who may sign up here, by the provider's setting or its groups or
        `COLLAB_SIGN_UP`."""
        email = _verified(sociallogin)
        facts, groups = _told(sociallogin)
        if not email:
            return False
        return bool(facts["sign_up"] or _wanted(facts["groups"], groups or []) or sign_up.may_sign_up(email))

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        person: User = sociallogin.user
        person.email = str(data.get("email") or "").lower()
        person.name = clean_name(str(data.get("name") or "")) or clean_name(person.email.partition("@")[0])
        return person

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        facts, groups = _told(sociallogin)
        with transaction.atomic():
            person: User = super().save_user(request, sociallogin, form)
            if facts["sign_up"] or sign_up.may_sign_up(person.email):
                sign_up.join_first_workspace(person)
            follow_groups(person, facts, groups)
        return person

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, **_: Any
    ) -> None:
        if error == "cancelled":
            return
        logger.warning("signing in at %s failed: %s", provider.app.provider_id, exception or error)
        raise ImmediateHttpResponse(render(request, "socialaccount/authentication_error.html", status=502))


def _verified(sociallogin: Any) -> str:
    """The address that the provider has verified, empty without one."""
    return next((one.email for one in sociallogin.email_addresses if one.verified), "")


def _told(sociallogin: Any) -> tuple[dict[str, Any], list[str] | None]:
    """The provider's settings, and the person's groups there; None if it does not tell them."""
    facts: dict[str, Any] = sociallogin.provider.app.settings
    data: dict[str, Any] = sociallogin.account.extra_data
    for part in (data.get("userinfo") or {}, data.get("id_token") or {}):
        groups = part.get(facts["groups_claim"])
        if isinstance(groups, list):
            return facts, [str(group) for group in groups]
        if isinstance(groups, str):
            return facts, [groups]
    return facts, None


def _wanted(mapping: dict[str, list[list[str]]], groups: list[str]) -> dict[str, Membership.Kind]:
    """The strongest kind that the groups bring in each workspace, by its name."""
    found: dict[str, Membership.Kind] = {}
    for group in groups:
        for workspace, kind in mapping.get(group, []):
            found[workspace] = max(Kind(kind), found.get(workspace, Kind.GUEST), key=_STRENGTH.index)
    return found


def follow_groups(person: User, facts: dict[str, Any], groups: list[str] | None) -> None:
    """In the workspaces that the mapping names, the provider decides: the person becomes there what their groups say,
    and nothing if they are in none. Owners stay owners, and without the claim nothing changes."""
    mapping: dict[str, list[list[str]]] = facts["groups"]
    if groups is None or not mapping:
        return
    wanted = _wanted(mapping, groups)
    named = {workspace for rows in mapping.values() for workspace, _ in rows}
    with transaction.atomic():
        for workspace in Workspace.objects.filter(name__in=named):
            _set(person, workspace, wanted.get(workspace.name))
        live.person_changed(person.pk)


def _set(person: User, workspace: Workspace, kind: Membership.Kind | None) -> None:
    found = Membership.objects.select_for_update().filter(workspace=workspace, user=person).first()
    if found is not None and found.kind == Kind.OWNER:
        return
    if kind is None:
        if found is not None:
            found.delete()
    elif found is None:
        Membership.objects.create(workspace=workspace, user=person, kind=kind)
    elif found.kind != kind:
        found.kind = kind
        found.save(update_fields=["kind"])
