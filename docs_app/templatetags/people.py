"""What menus and the sign-in page ask."""

from django import template
from django.conf import settings
from django.contrib.auth.models import AnonymousUser

from docs_app.accounts.models import User
from docs_app.invitations.rights import workspaces_led_by

register = template.Library()


@register.simple_tag
def leads_people(person: User | AnonymousUser) -> bool:
    """Whether the person may see the people of a workspace. 1 query."""
    return workspaces_led_by(person).exists()


@register.simple_tag
def providers() -> list[dict[str, str]]:
    """Where one may sign in instead: `provider_id` and `name` of each."""
    return [{"id": one["provider_id"], "name": one["name"]} for one in settings.OIDC]


@register.simple_tag
def can_sign_up() -> bool:
    """Whether somebody without an invitation may sign up."""
    return bool(settings.SIGN_UP != "invitation")
