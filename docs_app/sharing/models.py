"""Who was given a role on which document, the links that give one to whoever has them, and who asks for one."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from docs_app.accounts.models import check_name, pick_colour
from docs_app.sharing.roles import LINK_ROLES, Role
from docs_app.workspaces.models import Group, Workspace

LINK_CHOICES = [(role.value, role.label) for role in LINK_ROLES]


class ShareLink(models.Model):
    """An address that gives a role on a document and the pages below. Its token is known to those who have the address:
    here is only its SHA-256 in hexadecimal, which is enough because a token has 192 random bits."""

    document = models.ForeignKey("docs_app.Document", models.CASCADE, related_name="links")
    label = models.CharField(max_length=100)
    role = models.CharField(max_length=12, choices=LINK_CHOICES)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    password = models.CharField(
        max_length=128, blank=True, default="", help_text="Hashed; empty: none is asked."
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"link {self.pk} “{self.label}”"

    @property
    def is_valid(self) -> bool:
        """Whether it gives its role now."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())


class Grant(models.Model):
    """A role on a document and the pages below, for exactly one of: a person, a group, all members of a workspace. With
    a `link`, the person came by that link: they have its role, in their own name, for as long as it is valid."""

    document = models.ForeignKey("docs_app.Document", models.CASCADE, related_name="grants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="grants",
        verbose_name="person",
    )
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="grants")
    workspace = models.ForeignKey(Workspace, models.CASCADE, null=True, blank=True, related_name="grants")
    link = models.ForeignKey(ShareLink, models.CASCADE, null=True, blank=True, related_name="visitors")
    role = models.CharField(max_length=12, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("document", "user"), condition=Q(link=None), name="grant_person_unique"
            ),
            models.UniqueConstraint(fields=("document", "group"), name="grant_group_unique"),
            models.UniqueConstraint(fields=("document", "workspace"), name="grant_workspace_unique"),
            models.UniqueConstraint(fields=("link", "user"), name="grant_link_unique"),
            models.CheckConstraint(
                condition=Q(user__isnull=False, group=None, workspace=None)
                | Q(user=None, group__isnull=False, workspace=None, link=None)
                | Q(user=None, group=None, workspace__isnull=False, link=None),
                name="grant_to_one",
            ),
        )

    def __str__(self) -> str:
        return f"{self.subject} is {self.role} of {self.document}"

    @property
    def subject(self) -> object:
        """The person, group or workspace."""
        return self.user or self.group or self.workspace


class Guest(models.Model):
    """Somebody without an account who came by a link, in one browser: its session carries the guest's id."""

    link = models.ForeignKey(ShareLink, models.CASCADE, related_name="guests")
    name = models.CharField(max_length=64, validators=[check_name])
    colour = models.CharField(max_length=7, default=pick_colour)
    created_at = models.DateTimeField(default=timezone.now)

    # As Django's users have it: who is not signed in is no member of anything.
    is_authenticated: ClassVar[bool] = False

    def __str__(self) -> str:
        return f"{self.name} (guest)"


class AccessRequest(models.Model):
    """Somebody asks for a role on a document."""

    document = models.ForeignKey("docs_app.Document", models.CASCADE, related_name="access_requests")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="access_requests")
    role = models.CharField(max_length=12, choices=LINK_CHOICES)
    message = models.CharField(max_length=400, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    granted = models.CharField(
        max_length=12, blank=True, default="", help_text="The role; empty: refused or open."
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("document", "user"), condition=Q(decided_at=None), name="access_request_open_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} asks to be {self.role} of {self.document}"
