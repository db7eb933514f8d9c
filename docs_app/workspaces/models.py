"""A workspace, its members and groups, and what membership alone gives."""

from django.conf import settings
from django.db import models

from docs_app.sharing.roles import Role


class Workspace(models.Model):
    name = models.CharField(max_length=100)
    default_role = models.CharField(
        "members may",
        max_length=12,
        choices=[
            choice for choice in Role.choices if choice[0] in (Role.VIEWER, Role.COMMENTER, Role.EDITOR)
        ],
        default=Role.EDITOR,
        help_text="What every member may do with every document of this workspace.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    class Kind(models.TextChoices):
        OWNER = "owner", "Owner"
        ADMIN = "admin", "Admin"
        MEMBER = "member", "Member"
        GUEST = "guest", "Guest: only what is shared with them"

        @property
        def is_inside(self) -> bool:
            """Whether the workspace's default role, and what is shared with the whole workspace, is meant for them."""
            return self != Membership.Kind.GUEST

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships", verbose_name="person"
    )
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.MEMBER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace", "user"), name="membership_unique"),)

    def __str__(self) -> str:
        return f"{self.user} in {self.workspace}"


class Group(models.Model):
    """People of a workspace that documents are shared with together."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="groups")
    name = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name", "id")
        constraints = (models.UniqueConstraint(fields=("workspace", "name"), name="group_name_unique"),)

    def __str__(self) -> str:
        return self.name


class GroupMember(models.Model):
    """Somebody in a group. By their membership: who leaves the workspace leaves its groups."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="members")
    membership = models.ForeignKey(Membership, models.CASCADE, related_name="groups")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("group", "membership"), name="group_member_unique"),)

    def __str__(self) -> str:
        return f"{self.membership.user} in {self.group}"
