"""Two people who set up the same installation at the same moment."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.processes import wait_until
from tests.server import ROOT, environment, manage

RACE = """
import sys, time
from pathlib import Path
import django
django.setup()
from django.db import connection
from docs_app.accounts import setup
connection.ensure_connection()
name = sys.argv[1]
folder = Path(sys.argv[2])
(folder / f"ready-{name}").touch()
while not (folder / "go").exists():
    time.sleep(0.001)
try:
    setup.make_first_person(email=f"{name}@example.org", name=name, password="seven quiet herons", workspace=name)
    print("first")
except setup.AlreadySetUpError:
    print("second")
"""
COUNT = """
from docs_app.models import Membership, User, Workspace
print(*(model.objects.count() for model in (User, Workspace, Membership)))
"""


def race(env: dict[str, str], folder: Path) -> None:
    """Four at once: one becomes the administrator."""
    manage(env, "migrate", "--no-input", "--verbosity", "0")
    names = [f"person{number}" for number in range(4)]
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, name, os.fspath(folder)],
            env={**env, "DJANGO_SETTINGS_MODULE": "collab.settings"},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    wait_until(lambda: all((folder / f"ready-{name}").exists() for name in names), "the racers")
    (folder / "go").touch()
    said = sorted(racer.communicate(timeout=60)[0].strip() for racer in racers)
    assert said == ["first", "second", "second", "second"]
    assert manage(env, "shell", "--no-imports", "-c", COUNT).split() == ["1", "1", "1"]


def test_it_makes_one_administrator_on_sqlite(tmp_path: Path) -> None:
    race(environment(tmp_path), tmp_path)


def test_it_makes_one_administrator_on_postgresql(tmp_path: Path, new_database: Callable[[str], str]) -> None:
    race(environment(tmp_path, DATABASE_URL=new_database("template1")), tmp_path)
