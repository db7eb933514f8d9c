"""A person's account."""

import re
import secrets
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

# Each has a contrast of at least 4.5 with white, because names stand in white on them.
PALETTE = (
    "#b3261e", "#a8480b", "#7d5700", "#55670c", "#1b6e3a", "#00696f",
    "#0b62a8", "#3d56c5", "#6a4bc4", "#8c3fa8", "#a93276", "#6d5d53",
)  # fmt: skip

# Control characters and marks that turn the direction of text: a name must not be able to disguise another one.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def pick_colour() -> str:
    """A colour of the palette for a new person."""
    return secrets.choice(PALETTE)


def clean_name(value: str) -> str:
    """The same name without what `check_name` refuses, as long as fits; perhaps nothing is left."""
    return _UNPRINTABLE.sub("", value).strip()[:64]


def check_name(value: str) -> None:
    """Refuse a name that is blank or carries characters that nobody can see."""
    if not value.strip() or _UNPRINTABLE.search(value):
        raise ValidationError("A name needs visible characters only.")


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make an account; raises ValueError without an e-mail address. The address is kept in lower case."""
        if not email:
            raise ValueError("An account needs an e-mail address.")
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make an account that may do everything, including the admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username or "")


class User(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=64, validators=[check_name])
    colour = models.CharField(
        max_length=7,
        default=pick_colour,
        validators=[RegexValidator(r"^#[0-9a-f]{6}$", "A colour looks like #1b6e3a.")],
        help_text="Shown on this person's cursor and avatar.",
    )
    avatar = models.CharField(
        max_length=32,
        blank=True,
        editable=False,
        help_text="The hash of the picture's content (`avatars.py`).",
    )
    is_active = models.BooleanField("active", default=True, help_text="Off: this person can't sign in.")
    is_staff = models.BooleanField("staff", default=False, help_text="May use the admin.")
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        ordering = ("name", "id")
        verbose_name = "person"
        verbose_name_plural = "people"
        constraints = (models.UniqueConstraint(Lower("email"), name="user_email_unique"),)

    def __str__(self) -> str:
        return self.name

    @property
    def avatar_url(self) -> str:
        """Where signed-in people find the picture; empty without one."""
        return reverse("avatar", args=[self.pk, self.avatar]) if self.avatar else ""

    @property
    def identity(self) -> dict[str, str]:
        """What everybody in a document is told of the person."""
        known = {"id": str(self.pk), "name": self.name, "colour": self.colour}
        return {**known, "avatar": self.avatar_url} if self.avatar else known

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name
