from django.apps import AppConfig


class DocsConfig(AppConfig):
    name = "docs_app"
    verbose_name = "Collab"
