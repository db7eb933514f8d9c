"""Members, groups and settings of a workspace. Nothing here asks whether the person may: the views do
(`access.may_run`)."""

from django.db import transaction

from docs_app import live
from docs_app.accounts.models import User
from docs_app.audit import trail
from docs_app.sharing.roles import Role
from docs_app.workspaces.models import Group, GroupMember, Membership, Workspace

OWNER = Membership.Kind.OWNER


class WorkspaceError(ValueError):
    """A workspace can't be like this; the message is for people. Nothing has changed."""


def set_default_role(*, workspace: Workspace, role: Role, by: User | None) -> None:
    """What every member may do with every document that does not stand apart."""
    with transaction.atomic():
        before, workspace.default_role = workspace.default_role, role
        workspace.save(update_fields=["default_role"])
        default_role_changed(workspace, before=before, by=by)


def default_role_changed(workspace: Workspace, *, before: str, by: User | None) -> None:
    """Note it, and have every member's open tabs looked up again."""
    trail.record(
        "default role",
        by=by,
        workspace=workspace,
        subject=workspace,
        before=before,
        after=workspace.default_role,
    )
    live.people_changed(workspace.memberships.values_list("user", flat=True))


def add_member(*, workspace: Workspace, person: User, kind: Membership.Kind, by: User | None) -> Membership:
    """Bring somebody into the workspace. Raises WorkspaceError if they are in it."""
    with transaction.atomic():
        membership, is_new = Membership.objects.get_or_create(
            workspace=workspace, user=person, defaults={"kind": kind}
        )
        if not is_new:
            raise WorkspaceError(f"{person} is in this workspace already.")
        membership_changed(membership, before="", after=kind, by=by)
    return membership


def change_kind(*, membership: Membership, kind: Membership.Kind, by: User | None) -> None:
    """Make somebody an owner, admin, member or guest. Raises WorkspaceError for the last owner."""
    with transaction.atomic():
        if kind != OWNER:
            _keep_an_owner(membership)
        before, membership.kind = membership.kind, kind
        membership.save(update_fields=["kind"])
        membership_changed(membership, before=before, after=kind, by=by)


def remove_member(*, membership: Membership, by: User | None) -> None:
    """Take somebody out of the workspace and its groups. What is shared with them by name stays. Raises WorkspaceError
    for the last owner."""
    with transaction.atomic():
        _keep_an_owner(membership)
        membership_changed(membership, before=membership.kind, after="", by=by)
        membership.delete()


def membership_changed(membership: Membership, *, before: str, after: str, by: User | None) -> None:
    """Note it, and have the person's open tabs looked up again."""
    trail.record(
        "membership",
        by=by,
        workspace=membership.workspace,
        subject=membership.user,
        before=before,
        after=after,
    )
    live.person_changed(membership.user_id)


def _keep_an_owner(leaving: Membership) -> None:
    """A workspace without an owner who can sign in could not be run by anybody. Raises WorkspaceError."""
    # Locked: two owners who leave at once must not both count on the other.
    owners = Membership.objects.select_for_update().filter(workspace=leaving.workspace_id, kind=OWNER)
    ids = set(owners.order_by("pk").values_list("pk", flat=True))
    active = owners.filter(user__is_active=True).values_list("pk", flat=True) if leaving.pk in ids else []
    if leaving.pk in ids and not set(active) - {leaving.pk}:
        raise WorkspaceError("A workspace needs an owner: make somebody else one first.")


def create_group(*, workspace: Workspace, name: str, by: User | None) -> Group:
    """Make an empty group. Raises WorkspaceError if the name is taken."""
    with transaction.atomic():
        group, is_new = Group.objects.get_or_create(workspace=workspace, name=name)
        if not is_new:
            raise WorkspaceError("There is a group of this name.")
        trail.record("create group", by=by, workspace=workspace, subject=group)
    return group


def rename_group(*, group: Group, name: str, by: User | None) -> None:
    """Raises WorkspaceError if the name is taken."""
    with transaction.atomic():
        if Group.objects.filter(workspace=group.workspace_id, name=name).exclude(pk=group.pk).exists():
            raise WorkspaceError("There is a group of this name.")
        before, group.name = group.name, name
        group.save(update_fields=["name"])
        trail.record(
            "rename group", by=by, workspace=group.workspace, subject=group, detail=f"from “{before}”"
        )


def delete_group(*, group: Group, by: User | None) -> None:
    """What was shared with the group ends with it."""
    with transaction.atomic():
        live.people_changed(group.members.values_list("membership__user", flat=True))
        trail.record("delete group", by=by, workspace=group.workspace, subject=group)
        group.delete()


def join_group(*, group: Group, membership: Membership, by: User | None) -> None:
    """Raises WorkspaceError for somebody of another workspace."""
    if membership.workspace_id != group.workspace_id:
        raise WorkspaceError("Only people of the workspace can be in its groups.")
    with transaction.atomic():
        _, is_new = GroupMember.objects.get_or_create(group=group, membership=membership)
        if is_new:
            _group_changed("join group", group, membership, by)


def leave_group(*, group: Group, membership: Membership, by: User | None) -> None:
    with transaction.atomic():
        deleted, _ = GroupMember.objects.filter(group=group, membership=membership).delete()
        if deleted:
            _group_changed("leave group", group, membership, by)


def _group_changed(verb: str, group: Group, membership: Membership, by: User | None) -> None:
    trail.record(verb, by=by, workspace=group.workspace, subject=membership.user, detail=group.name)
    live.person_changed(membership.user_id)
