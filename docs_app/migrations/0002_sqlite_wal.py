"""SQLite: readers and the writer stop waiting for each other. The mode is kept in the database file."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def use_wal(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "sqlite":
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode=WAL")


class Migration(migrations.Migration):
    # SQLite can't change the mode inside a transaction. Set once here, not by every new connection: two that
    # connect at once would find the database locked.
    atomic = False
    dependencies = [("docs_app", "0001_initial")]
    operations = [migrations.RunPython(use_wal, migrations.RunPython.noop)]
