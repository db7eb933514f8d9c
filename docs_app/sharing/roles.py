"""The five roles, weakest first."""

from django.db import models


class Role(models.TextChoices):
    VIEWER = "viewer", "Viewer: reads"
    COMMENTER = "commenter", "Commenter: reads and comments"
    EDITOR = "editor", "Editor: writes"
    MANAGER = "manager", "Manager: writes and shares"
    OWNER = "owner", "Owner: everything"

    @property
    def rank(self) -> int:
        """0 for a viewer to 4 for an owner."""
        return _RANKS[self]

    def reaches(self, other: "Role") -> bool:
        """Whether this role may do at least what the other may."""
        return self.rank >= other.rank


_RANKS = {role: rank for rank, role in enumerate(Role)}
