"""Collab itself, started as people start it: `manage.py serve` in a process of its own, on data that `demo` made."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.processes import Leash, Process, free_port, wait_until

ROOT = Path(__file__).resolve().parent.parent
_OWN_SETTINGS = ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "DJANGO_SETTINGS_MODULE")
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True)
class Person:
    name: str
    email: str
    password: str


@dataclass(frozen=True)
class Page:
    """A document of the demo."""

    id: str
    title: str


@dataclass(frozen=True)
class Demo:
    """What `manage.py demo` filled a database with, and the data folder that belongs to it."""

    folder: Path
    people: dict[str, Person]
    documents: list[Page]
    database_url: str | None


def environment(folder: Path, **extra: str) -> dict[str, str]:
    """This environment without the settings of the person who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if name not in _OWN_SETTINGS}
    kept = {name: value for name, value in kept.items() if not name.startswith("COLLAB_")}
    return {**kept, "COLLAB_DATA_DIR": os.fspath(folder), **extra}


def manage(env: dict[str, str], *words: str, stdin: str | None = None) -> str:
    """Run `manage.py` with the words and answer what it printed. An error fails the test with its text."""
    command = [sys.executable, os.fspath(ROOT / "manage.py"), *words]
    done = subprocess.run(
        command, env=env, cwd=ROOT, input=stdin, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"manage.py {words[0]} failed:\n{done.stdout}{done.stderr}"
    return done.stdout


def fill(folder: Path, database_url: str | None = None) -> Demo:
    """Migrate a new database and fill it with the demo."""
    folder.mkdir()
    env = environment(folder, **({"DATABASE_URL": database_url} if database_url else {}))
    manage(env, "migrate", "--no-input", "--verbosity", "0")
    told: dict[str, Any] = json.loads(manage(env, "demo", "--json"))
    people = [
        Person(name=one["name"], email=one["email"], password=one["password"]) for one in told["people"]
    ]
    return Demo(
        folder=folder,
        people={person.name.split()[0].lower(): person for person in people},
        documents=[Page(id=one["id"], title=one["title"]) for one in told["documents"]],
        database_url=database_url,
    )


class Server:
    """A running Collab. `people` are found by their first name in lower case."""

    def __init__(self, leash: Leash, data_dir: Path, demo: Demo, extra: dict[str, str]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data_dir = data_dir
        self.demo = demo
        self.people = demo.people
        self.documents = demo.documents
        self.environment = environment(data_dir, **extra)
        self.extra = extra
        self._leash = leash
        self._process: Process | None = None

    def start(self) -> None:
        """Start on the same port and the same data; returns when a page answers."""
        assert not self.is_running()
        log = self.data_dir.parent / f"serve-{self.port}.log"
        process = self._process = self._leash.start(self._command(), log=log, env=self.environment, user=None)

        def ready() -> bool:
            assert process.is_running(), f"serve ended at once:\n{process.log()}"
            return self._answers()

        wait_until(ready, f"an answer from {self.url}")

    def _command(self) -> list[str | Path]:
        words = ["serve", "--host", "127.0.0.1", "--port", str(self.port)]
        return [sys.executable, ROOT / "manage.py", *words]

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/accounts/login/", timeout=5).close()
        except urllib.error.HTTPError as answer:
            pytest.fail(f"the sign-in page answers {answer.code}:\n{self.log()}")
        except OSError:
            return False
        return True

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def is_running(self) -> bool:
        return self._process is not None and self._process.is_running()

    def stop(self) -> int:
        """SIGTERM, as a deploy does; answers the exit code."""
        assert self._process is not None
        return self._process.end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, as the kernel does when memory runs out."""
        assert self._process is not None
        self._process.end(signal.SIGKILL)

    def log(self) -> str:
        return self._process.log() if self._process else ""

    def manage(self, *words: str, stdin: str | None = None) -> str:
        """`manage.py` on this server's data, also while it runs."""
        return manage(self.environment, *words, stdin=stdin)


def sign_in(server: Server, person: Person) -> str:
    """Sign in through the form, as a browser does; answers the session cookie's value."""
    jar = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    address = f"{server.url}/accounts/login/"
    with browser.open(address) as page:
        token = _TOKEN.search(page.read().decode())
    assert token, "the sign-in form has no CSRF token"
    form = {"csrfmiddlewaretoken": token[1], "login": person.email, "password": person.password}
    headers = {"Origin": server.url, "Referer": address}
    request = urllib.request.Request(address, urllib.parse.urlencode(form).encode(), headers)
    browser.open(request).close()
    cookies = {cookie.name: cookie.value or "" for cookie in jar}
    assert cookies.get("sessionid"), f"{person.email} could not sign in"
    return cookies["sessionid"]


class OnUvicorn(Server):
    """The application on another ASGI server than its own."""

    def _command(self) -> list[str | Path]:
        words = [
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--ws",
            "websockets-sansio",
            "--no-access-log",
        ]
        # From the repository's folder, whatever the working directory is.
        return [sys.executable, "-m", "uvicorn", "--app-dir", ROOT, "collab.asgi:application", *words]


class StartServer(Protocol):
    def __call__(self, *, postgres: bool = False, beside: Server | None = None, **extra: str) -> Server: ...


@pytest.fixture(scope="session")
def demo(workshop: Path) -> Demo:
    return fill(workshop / "demo")


@pytest.fixture(scope="session")
def postgres_demo(workshop: Path, new_database: Callable[[str], str]) -> Demo:
    return fill(workshop / "demo-postgres", new_database("template1"))


@pytest.fixture
def server(
    request: pytest.FixtureRequest, leash: Leash, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartServer]:
    """Start Collab on a fresh copy of the demo's data; more settings as arguments, e.g. `REDIS_URL=redis_url`.

    `postgres=True` keeps the data in PostgreSQL. `beside=other` starts a second process on the other one's data and
    with its settings.
    """
    started: list[Server] = []

    def start(*, postgres: bool = False, beside: Server | None = None, **extra: str) -> Server:
        if beside is not None:
            one = Server(leash, beside.data_dir, beside.demo, {**beside.extra, **extra})
        else:
            filled: Demo = request.getfixturevalue("postgres_demo" if postgres else "demo")
            if filled.database_url is not None:
                template = filled.database_url.rpartition("/")[2]
                extra = {"DATABASE_URL": request.getfixturevalue("new_database")(template), **extra}
            folder = tmp_path_factory.mktemp("server") / "data"
            shutil.copytree(filled.folder, folder)
            one = Server(leash, folder, filled, extra)
        started.append(one)
        one.start()
        return one

    yield start
    for one in started:
        if one.is_running():
            one.stop()
