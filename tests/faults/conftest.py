"""Fixtures of the fault tests: how long they run, the seed of what they draw, people's tabs, what the database says.

`COLLAB_SOAK=1` runs the long versions. `FAULTS_SEED=…` repeats the drawing of an earlier run, which printed its seed.
"""

import asyncio
import json
import os
import random
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
import pytest_django
from channels.layers import channel_layers

from collab import process, saver
from tests.faults.lobby import Lobby
from tests.faults.office import Database, Office, copy_database, make_template
from tests.faults.tab import Tab
from tests.faults.yjs import Documents
from tests.peers.conftest import RunPeer, peer
from tests.server import Server, StartServer, sign_in

__all__ = ["peer"]

SOAK = os.environ.get("COLLAB_SOAK") == "1"

# Read without a running server: what the log says, folded by yrs and not by the product's replica.
_READ = """
import json, pycrdt
from docs_app.documents import log
texts = {}
for document in %s:
    loaded = log.load(document)
    doc = pycrdt.Doc()
    rows = [row.data for row in loaded.rows if not row.set_aside]
    for data in [loaded.snapshot or bytes(2), *loaded.pending, *rows]:
        doc.apply_update(data)
    texts[document] = str(doc.get("typed", type=pycrdt.Text))
print(json.dumps(texts))
"""


def long_or_short(long: int, short: int) -> int:
    """A measure of this run: `long` for `make soak`."""
    return long if SOAK else short


@pytest.fixture
def chance() -> random.Random:
    """Randomness with a seed that is printed, and shown by pytest when the test fails."""
    seed = int(os.environ.get("FAULTS_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
    print(f"FAULTS_SEED={seed}")
    return random.Random(seed)


class Tune(Protocol):
    def __call__(
        self, settings: dict[str, float] | None = None, *, postgres: bool = False, **extra: str
    ) -> Server: ...


@pytest.fixture
def tuned(server: StartServer) -> Tune:
    """Start a server with shorter waits: `tuned({"collab.rooms.LINGER": 0.5}, COLLAB_MAX_UNSAVED="100000")`."""

    def start(settings: dict[str, float] | None = None, *, postgres: bool = False, **extra: str) -> Server:
        options: dict[str, Any] = {
            "DJANGO_SETTINGS_MODULE": "tests.faults.tuned_settings",
            "FAULTS_TUNE": json.dumps(settings or {}),
            **extra,
        }
        return server(postgres=postgres, **options)

    return start


class Team:
    """Sessions and tabs of one server. A person signs in once."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.sessions: dict[str, str] = {}
        self.tabs: list[Tab] = []

    def tab(self, person: str, document: int = 0, *, query: str = "", online: bool = True) -> Tab:
        if person not in self.sessions:
            self.sessions[person] = sign_in(self.server, self.server.people[person])
        name = f"{person}{len(self.tabs)}"
        one = Tab(self.server, self.server.documents[document].id, self.sessions[person], name, query=query)
        self.tabs.append(one)
        if online:
            one.go_online()
        return one

    async def act(self, act: str, person: str, document: int = 0) -> None:
        """Change somebody's rights from inside the server (see `tuned_urls`)."""
        form = {
            "act": act,
            "email": self.server.people[person].email,
            "document": self.server.documents[document].id,
        }
        address = f"{self.server.url}/faults/act"
        await asyncio.to_thread(
            lambda: urllib.request.urlopen(address, urllib.parse.urlencode(form).encode()).close()
        )

    async def close(self) -> None:
        for one in self.tabs:
            await one.close()


WithTeam = Callable[[Server], Team]


@pytest.fixture
async def team() -> AsyncIterator[WithTeam]:
    """Tabs of a running server: `team(server).tab("ada")`; they are closed with the test."""
    teams: list[Team] = []

    def make(server: Server) -> Team:
        teams.append(Team(server))
        return teams[-1]

    yield make
    for one in teams:
        await one.close()


def stored(server: Server, *documents: int) -> list[str]:
    """What the database says that these documents' tabs typed; the server may be down."""
    ids = [server.documents[number].id for number in documents]
    texts = json.loads(server.manage("shell", "--no-imports", "-c", _READ % json.dumps(ids)))
    return [texts[one] for one in ids]


_ASIDE = """
import json
from docs_app.documents.models import DocumentUpdate
aside = DocumentUpdate.objects.exclude(set_aside="")
print(json.dumps(list(aside.values_list("author__email", flat=True))))
"""


def verified(server: Server, hostile: str = "") -> None:
    """`manage.py verify` finds nothing wrong, and nothing set aside but what the hostile person wrote."""
    said = server.manage("verify")
    assert " 0 problems" in said, said
    authors = json.loads(server.manage("shell", "--no-imports", "-c", _ASIDE))
    assert {author.partition("@")[0] for author in authors} <= {hostile}, said


@pytest.fixture(scope="session")
def template(
    tmp_path_factory: pytest.TempPathFactory, django_db_blocker: pytest_django.DjangoDbBlocker
) -> Path:
    """A migrated SQLite file with people and a document."""
    file = tmp_path_factory.mktemp("template") / "collab.sqlite3"
    with django_db_blocker.unblock():
        database = Database(file)
        database.use()
        make_template(file)
        database.restore()
    return file


@pytest.fixture
def sqlite_file(
    template: Path, tmp_path: Path, django_db_blocker: pytest_django.DjangoDbBlocker
) -> Iterator[Path]:
    """Django's default database is a file of this test, in every thread."""
    file = tmp_path / "collab.sqlite3"
    copy_database(template, file)
    with django_db_blocker.unblock():
        database = Database(file)
        database.use()
        yield file
        database.restore()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process edits are committed at once rather than after a tenth of a second."""
    monkeypatch.setattr(saver, "INTERVAL", 0.0)


@pytest.fixture
async def office(sqlite_file: Path) -> AsyncIterator[Office]:
    """A document with two tabs of Ada, one of Ben and one of Chidi, all connected."""
    one = Office()
    await one.open()
    yield one
    await one.close()


@pytest.fixture
async def lobby(sqlite_file: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lobby]:
    """This process's rooms, for callers without a server. Channel layers belong to an event loop: a new one each."""
    channel_layers.backends.clear()
    monkeypatch.setattr(process, "_rooms", None)
    one = Lobby()
    yield one
    await one.close()
    channel_layers.backends.clear()


@pytest.fixture
def yjs(peer: RunPeer) -> Documents:
    """Stock Yjs documents, all of one program on Node for all scripts of a test."""
    return Documents(peer("documents.mjs"))
