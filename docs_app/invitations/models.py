"""An invitation that waits to be accepted."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from docs_app.workspaces.models import Membership, Workspace

# Owners are not invited: an administrator makes them.
KINDS = (Membership.Kind.ADMIN, Membership.Kind.MEMBER, Membership.Kind.GUEST)


class Invitation(models.Model):
    """To one address, which accepts it once and thereby ends it; or, with an empty address, a link that everybody who
    has it may use until it expires. The token itself is only in the mail or the link."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="invitations")
    email = models.EmailField(blank=True)
    kind = models.CharField(
        max_length=8, choices=[(kind.value, kind.label) for kind in KINDS], default=Membership.Kind.MEMBER
    )
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="invitations_made"
    )
    uses = models.PositiveIntegerField(default=0, help_text="How many joined by this link.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("workspace", "email"),
                condition=~models.Q(email=""),
                name="invitation_unique",
            ),
        )

    def __str__(self) -> str:
        return f"{self.email or 'a link'} to {self.workspace}"

    @property
    def is_link(self) -> bool:
        return not self.email

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= timezone.now()
