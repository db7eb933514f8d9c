"""Several processes change one tree, and type in it, at the same moments."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.processes import wait_until
from tests.server import ROOT, environment, manage

FILL = """
from docs_app.documents import verbs
from docs_app.models import Membership, User, Workspace
alice = User.objects.create_superuser("alice@example.org", "seven quiet herons", name="Alice")
for name in ("One", "Two"):
    workspace = Workspace.objects.create(name=name)
    Membership.objects.create(workspace=workspace, user=alice, kind="owner")
    for title in "abcd":
        verbs.create(workspace=workspace, by=alice, title=title)
"""
# Each moves, throws away, brings back and types; a seed of its own.
RACE = """
import random, sys, time
from pathlib import Path
import django
django.setup()
from django.db import connection
from docs_app.documents import log
from docs_app.models import Document, User, Workspace
from docs_app.trash import verbs as trash
from docs_app.tree import verbs as tree
from docs_app.tree.places import TreeError
connection.ensure_connection()
chance, folder = random.Random(int(sys.argv[1])), Path(sys.argv[2])
alice = User.objects.get()
(folder / f"ready-{sys.argv[1]}").touch()
while not (folder / "go").exists():
    time.sleep(0.001)
for _ in range(40):
    page, other = chance.sample(list(Document.objects.order_by("title")), 2)
    try:
        match chance.randrange(5):
            case 0: trash.trash(document=page, by=alice)
            case 1: trash.restore(document=page, by=alice)
            case 2: log.append([log.Entry(each.id, None, bytes(2), 0) for each in Document.objects.all()])
            case 3: tree.move(document=page, parent=None, workspace=other.workspace, by=alice)
            case _: tree.move(document=page, parent=other, by=alice)
    except TreeError:
        pass
print("done")
"""
CHECK = """
from docs_app.models import Document
pages = Document.objects.in_bulk()
assert len(pages) == 8
for page in pages.values():
    at, seen = page, set()
    while at.parent_id:
        assert at.id not in seen, "a circle"
        seen.add(at.id)
        above = pages[at.parent_id]
        assert above.workspace_id == at.workspace_id, "a page in another workspace than the one above"
        assert at.trashed_at or not above.trashed_at, "a page outside of the trash below one in it"
        at = above
print("whole")
"""


def race(env: dict[str, str], folder: Path) -> None:
    manage(env, "migrate", "--no-input", "--verbosity", "0")
    manage(env, "shell", "--no-imports", "-c", FILL)
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, str(number), os.fspath(folder)],
            env={**env, "DJANGO_SETTINGS_MODULE": "collab.settings"},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    wait_until(lambda: all((folder / f"ready-{number}").exists() for number in range(4)), "the racers")
    (folder / "go").touch()
    assert [racer.communicate(timeout=60)[0].strip() for racer in racers] == ["done"] * 4
    assert manage(env, "shell", "--no-imports", "-c", CHECK).strip() == "whole"


def test_the_tree_stays_a_tree_on_sqlite(tmp_path: Path) -> None:
    race(environment(tmp_path), tmp_path)


def test_the_tree_stays_a_tree_on_postgresql(tmp_path: Path, new_database: Callable[[str], str]) -> None:
    race(environment(tmp_path, DATABASE_URL=new_database("template1")), tmp_path)
