from django.apps import AppConfig
from django.db.models.signals import post_delete


class DocsConfig(AppConfig):
    name = "docs_app"
    verbose_name = "Collab"

    def ready(self) -> None:
        # Not before: these define models.
        from docs_app.accounts import avatars  # noqa: PLC0415
        from docs_app.accounts.models import User  # noqa: PLC0415

        post_delete.connect(avatars.forget, sender=User)
