"""The servers that are measured: each is started alone, on a core of its own, with fresh data."""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import count
from pathlib import Path

from bench import data
from bench.encoding import blob
from bench.postgres import Postgres
from bench.processes import Process, answers, free_port
from bench.redis import Redis
from bench.tab import Seat

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PACKAGES = HERE / ".packages"
# Tabs of each document in the scenario "office": the first one writes.
OFFICE_PEOPLE = 5


@dataclass
class Workshop:
    """What servers share: a folder for their data, cores, and Collab's prepared databases."""

    folder: Path
    server_core: int
    other_cores: set[int]
    postgres: Postgres | None = None
    redis: Redis | None = None
    templates: dict[str, data.Template] = field(default_factory=dict)
    numbers: "count[int]" = field(default_factory=count)

    def new_folder(self) -> Path:
        folder = self.folder / f"run-{next(self.numbers)}"
        folder.mkdir()
        return folder


class Server(ABC):
    """`label` is how the report calls it; `promise` is what it has done with an edit by the time others see it."""

    label: str
    promise: str
    stop_signal = signal.SIGTERM
    on_postgres = needs_redis = False

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.folder = workshop.new_folder()
        self.port = free_port()
        self._process: Process | None = None

    @abstractmethod
    def command(self) -> list[str | Path]: ...

    def environment(self) -> dict[str, str]:
        return {
            name: value for name, value in os.environ.items() if not name.startswith(("COLLAB_", "DATABASE_"))
        }

    @abstractmethod
    def seat(self, document: int, person: int) -> Seat: ...

    @abstractmethod
    def version(self) -> str: ...

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def pids(self) -> tuple[int, ...]:
        """Every process that serves tabs."""
        return (self.pid,)

    @property
    def database_pid(self) -> int | None:
        return None

    def start(self) -> None:
        """Start on the same port and the same data; returns when it answers. Raises ProcessError."""
        process = self._process = Process(
            self.command(),
            cores={self.workshop.server_core},
            log=self.folder / "log",
            env=self.environment(),
            folder=ROOT,
        )
        process.wait_until(self.is_ready, self.label)

    def is_ready(self) -> bool:
        return answers(self.port)

    def stop(self) -> None:
        """End it in order, so that it can store what it has not yet."""
        if self._process is not None:
            self._process.end(self.stop_signal)

    def is_running(self) -> bool:
        return self._process is not None and self._process.is_running()

    def output(self) -> str:
        return self._process.output() if self._process else ""


class Collab(Server):
    label = "Collab, SQLite"
    promise = (
        "applied, rights checked; committed (SQLite, synchronous=FULL) within about 0.1 s, then told *saved*"
    )

    def __init__(self, workshop: Workshop) -> None:
        super().__init__(workshop)
        self._data = data.fresh(
            workshop.templates, workshop.postgres, self.folder, on_postgres=self.on_postgres
        )

    def environment(self) -> dict[str, str]:
        return {**super().environment(), **self._data.environment}

    def command(self) -> list[str | Path]:
        return [sys.executable, ROOT / "manage.py", "serve", "--port", str(self.port)]

    def is_ready(self) -> bool:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/accounts/login/", timeout=5).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def seat(self, document: int, person: int) -> Seat:
        sessions, documents = self._data.sessions, self._data.documents
        headers = {
            "Cookie": f"sessionid={sessions[person % len(sessions)]}",
            "Origin": f"http://127.0.0.1:{self.port}",
        }
        return Seat(self.port, f"/ws/documents/{documents[document]}?v=1", headers)

    def version(self) -> str:
        return f"Python {sys.version.split()[0]}, Daphne {version('daphne')}, pycrdt {version('pycrdt')}"


class CollabUnmerged(Collab):
    label = "Collab, SQLite, merging off"

    def command(self) -> list[str | Path]:
        return [sys.executable, "-m", "bench.unmerged", "--port", str(self.port)]


class CollabOnPostgres(Collab):
    label = "Collab, PostgreSQL"
    promise = "the same, committed to PostgreSQL (fsync on), which has other cores"
    on_postgres = True

    @property
    def database_pid(self) -> int | None:
        assert self.workshop.postgres is not None
        return self.workshop.postgres.process.pid

    def version(self) -> str:
        assert self.workshop.postgres is not None
        return f"{super().version()}, PostgreSQL {self.workshop.postgres.version()}"


class Pair(CollabOnPostgres):
    """Two processes on one database, each on a core of its own if there are enough. Documents are shared out, as nginx
    does it."""

    label = "Collab, two processes"
    needs_redis = True
    promise = "as Collab on PostgreSQL; the processes tell each other through Redis"

    def __init__(self, workshop: Workshop) -> None:
        super().__init__(workshop)
        self._second: Process | None = None
        self._second_port = free_port()

    def environment(self) -> dict[str, str]:
        assert self.workshop.redis is not None
        return {**super().environment(), "REDIS_URL": self.workshop.redis.url}

    @property
    def pids(self) -> tuple[int, ...]:
        assert self._second is not None
        return (self.pid, self._second.pid)

    def start(self) -> None:
        super().start()
        core = max(self.workshop.other_cores)
        words: list[str | Path] = [sys.executable, ROOT / "manage.py", "serve", "--port"]
        self._second = Process(
            [*words, str(self._second_port)],
            cores={core},
            log=self.folder / "log-2",
            env=self.environment(),
            folder=ROOT,
        )
        self._second.wait_until(lambda: answers(self._second_port), self.label)

    def stop(self) -> None:
        if self._second is not None:
            self._second.end(self.stop_signal)
        super().stop()

    def is_second(self, document: int, person: int) -> bool:
        return document % 2 == 1

    def seat(self, document: int, person: int) -> Seat:
        seat = super().seat(document, person)
        if not self.is_second(document, person):
            return seat
        headers = {**seat.headers, "Origin": f"http://127.0.0.1:{self._second_port}"}
        return Seat(self._second_port, seat.path, headers)

    def version(self) -> str:
        assert self.workshop.redis is not None
        return f"{super().version()}, Redis {self.workshop.redis.version()}"


class Crossing(Pair):
    """The same with a document's people in different processes: its first one, who writes, in one and all others in
    the other."""

    label = "Collab, two processes, not sorted"
    promise = "the same; each edit is committed before the other process hears of it"

    def is_second(self, document: int, person: int) -> bool:
        return person % OFFICE_PEOPLE != 0


class CollabOnUvicorn(Collab):
    label = "Collab on uvicorn, SQLite"
    promise = "as Collab on SQLite; every frame goes through ASGI's `send`"

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "PYTHONPATH": os.fspath(PACKAGES)}

    def command(self) -> list[str | Path]:
        words = ["--ws", "websockets-sansio", "--loop", "uvloop", "--http", "httptools", "--no-access-log"]
        words += ["--ws-per-message-deflate", "false", "--backlog", "2048", "--log-level", "warning"]
        return [sys.executable, "-m", "uvicorn", "collab.asgi:application", "--port", str(self.port), *words]

    def version(self) -> str:
        found = next(PACKAGES.glob("uvicorn-*.dist-info")).name.split("-")[1].removesuffix(".dist")
        return f"{super().version()}, uvicorn {found}"


class OnNode(Server):
    package: str

    def node(self) -> str:
        node = shutil.which("node")
        if node is None:
            raise FileNotFoundError("node is not on PATH")
        return node

    def version(self) -> str:
        manifest = json.loads((HERE / "node_modules" / self.package / "package.json").read_text())
        node = subprocess.run([self.node(), "--version"], capture_output=True, text=True, check=True).stdout
        return f"{manifest['version']}, Node {node.strip().lstrip('v')}"


class Hocuspocus(OnNode):
    label = "Hocuspocus, SQLite"
    promise = "applied in memory; the whole document is stored 2 to 10 s later (its default)"
    package = "@hocuspocus/server"

    def command(self) -> list[str | Path]:
        return [
            self.node(),
            HERE / "peers" / "hocuspocus.mjs",
            str(self.port),
            self.folder / "documents.sqlite",
        ]

    def seat(self, document: int, person: int) -> Seat:
        # Its provider sends a token first; type 2 is authentication, 0 the token.
        greeting = bytes((2, 0)) + blob(b"bench")
        return Seat(self.port, "/", {}, envelope=blob(f"document-{document}".encode()), greeting=[greeting])


class HocuspocusUnmerged(Hocuspocus):
    label = "Hocuspocus, SQLite, merging off"

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "BENCH_UNMERGED": "1"}


class YWebsocket(OnNode):
    label = "y-websocket"
    promise = "applied in memory; nothing is stored (its default)"
    package = "@y/websocket-server"
    stop_signal = signal.SIGINT

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "HOST": "127.0.0.1", "PORT": str(self.port)}

    def command(self) -> list[str | Path]:
        return [self.node(), HERE / "node_modules" / self.package / "src" / "server.js"]

    def seat(self, document: int, person: int) -> Seat:
        return Seat(self.port, f"/document-{document}", {})


class YWebsocketStored(YWebsocket):
    label = "y-websocket, LevelDB"
    promise = "applied in memory; each update is written to LevelDB without waiting"

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "YPERSISTENCE": os.fspath(self.folder / "leveldb")}


SERVERS: dict[str, type[Server]] = {
    "collab": Collab,
    "collab-unmerged": CollabUnmerged,
    "hocuspocus-unmerged": HocuspocusUnmerged,
    "y-websocket-stored": YWebsocketStored,
    "postgres": CollabOnPostgres,
    "pair": Pair,
    "crossing": Crossing,
    "uvicorn": CollabOnUvicorn,
    "hocuspocus": Hocuspocus,
    "y-websocket": YWebsocket,
}
