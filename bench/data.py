"""Collab's data for a run: a prepared database, copied for each."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.postgres import Postgres

ROOT = Path(__file__).resolve().parent.parent
PEOPLE, DOCUMENTS = 1000, 600
# Nobody in the benchmark is to be slowed down by a limit that protects against one person.
_LIMITS = {
    "COLLAB_MAX_SOCKETS_PER_PERSON": "100000",
    "COLLAB_MAX_SOCKETS_PER_DOCUMENT": "100000",
    "COLLAB_MAX_FRAMES_PER_SECOND": "1000000",
    "COLLAB_MAX_BYTES_PER_SECOND": "1000000000",
}


@dataclass(frozen=True)
class Template:
    """A prepared data folder; `database` is its PostgreSQL database, if it has one."""

    folder: Path
    database: str | None
    sessions: list[str]
    documents: list[str]


@dataclass(frozen=True)
class Data:
    """One run's own copy: what Collab must be started with, whom it knows and which documents."""

    environment: dict[str, str]
    sessions: list[str]
    documents: list[str]


def fresh(
    templates: dict[str, Template], postgres: Postgres | None, folder: Path, *, on_postgres: bool
) -> Data:
    """Copy the template into the folder; it is made when first asked for."""
    kind = "postgres" if on_postgres else "sqlite"
    if kind not in templates:
        templates[kind] = _prepare(folder.parent / f"template-{kind}", postgres if on_postgres else None)
    template = templates[kind]
    shutil.copytree(template.folder, folder / "data")
    environment = {**_LIMITS, "COLLAB_DATA_DIR": os.fspath(folder / "data")}
    if template.database is not None and postgres is not None:
        _, environment["DATABASE_URL"] = postgres.new_database(template.database)
    return Data(environment, template.sessions, template.documents)


def _prepare(folder: Path, postgres: Postgres | None) -> Template:
    folder.mkdir()
    env = {name: value for name, value in os.environ.items() if not name.startswith("COLLAB_")}
    env["COLLAB_DATA_DIR"] = os.fspath(folder)
    env.pop("DATABASE_URL", None)
    name = None
    if postgres is not None:
        name, env["DATABASE_URL"] = postgres.new_database()
    done = subprocess.run(
        [sys.executable, "-m", "bench.prepare", str(PEOPLE), str(DOCUMENTS)],
        env=env, cwd=ROOT, check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"Collab's data could not be prepared:\n{done.stdout}{done.stderr}")
    made = json.loads(done.stdout)
    return Template(folder, name, made["sessions"], made["documents"])
