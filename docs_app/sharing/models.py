"""Who was given a role on which document."""

from django.conf import settings
from django.db import models

from docs_app.sharing.roles import Role


class Grant(models.Model):
    document = models.ForeignKey("docs_app.Document", models.CASCADE, related_name="grants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="grants", verbose_name="person"
    )
    role = models.CharField(max_length=12, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("document", "user"), name="grant_unique"),)

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.document}"
