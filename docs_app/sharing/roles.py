"""The five roles, weakest first."""

from collections.abc import Iterable

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

# What a link may give, and what one may ask for.
LINK_ROLES = (Role.VIEWER, Role.COMMENTER, Role.EDITOR)


def strongest(roles: Iterable[Role]) -> Role | None:
    """The role that may do most, None of an empty list."""
    return max(roles, key=lambda role: role.rank, default=None)
