"""`manage.py serve` that sends every edit as a frame of its own, to measure frames instead of edits."""

import os
import sys
from collections.abc import Iterable

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collab.settings")
django.setup()

# ruff: noqa: E402 (models can be imported only now)
from django.core.management import execute_from_command_line

from collab import room
from docs_app.documents.updates import Scan


def one_by_one(updates: Iterable[tuple[bytes, Scan]]) -> list[bytes]:
    return [update for update, _ in updates]


if __name__ == "__main__":
    # The name that `Room._flush` looks up; a plain assignment is none that the type checker knows.
    vars(room)["join"] = one_by_one
    execute_from_command_line(["manage.py", "serve", *sys.argv[1:]])
