"""Who may invite whom. Owners and admins of a workspace see its people; nobody gives more than they have."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from docs_app.accounts.models import User
from docs_app.workspaces.models import Membership, Workspace

Kind = Membership.Kind

_TO_GIVE: dict[str, tuple[Membership.Kind, ...]] = {
    Kind.OWNER: (Kind.MEMBER, Kind.GUEST, Kind.ADMIN),
    Kind.ADMIN: (Kind.MEMBER, Kind.GUEST),
}


def workspaces_led_by(person: User | AnonymousUser) -> QuerySet[Workspace]:
    """Those whose people the person may see and invite."""
    if not isinstance(person, User) or not person.is_active:
        return Workspace.objects.none()
    return Workspace.objects.filter(memberships__user=person, memberships__kind__in=_TO_GIVE)


def kinds_to_give(person: User, workspace: Workspace) -> tuple[Membership.Kind, ...]:
    """The kinds of membership that the person may invite to, the usual one first."""
    kind = (
        Membership.objects.filter(workspace=workspace, user=person, user__is_active=True)
        .values_list("kind", flat=True)
        .first()
    )
    return _TO_GIVE.get(kind or "", ())
