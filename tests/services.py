"""Real Redis and PostgreSQL, the paths of Chromium and nginx, and a rule for machines that lack them.

A test whose service is not installed is skipped; with CI=true it fails, because there it must not go unnoticed.
"""

import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests.processes import Leash, Process, free_port, wait_until
from tools import machine

# PostgreSQL refuses to run as root; Debian's package comes with this account.
_ACCOUNTS = ("postgres", "nobody")


def find_or_skip(name: str, find: Callable[[], Path | None]) -> Path:
    """The path that `find` answers; without one the test is skipped, or fails with CI=true."""
    if (path := find()) is None:
        reason = f"{name} is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


class Service:
    """A server of the session. A test may stop, kill and start it; it must leave it running."""

    def __init__(
        self, start: Callable[[], Process], answers: Callable[[], bool], url: str, stop_signal: signal.Signals
    ) -> None:
        self.url = url
        self._start = start
        self._answers = answers
        self._stop_signal = stop_signal
        self.start()

    def start(self) -> None:
        """Start on the same port and return once it answers."""
        self._process = self._start()

        def ready() -> bool:
            assert self._process.is_running(), f"{self.url} ended at once:\n{self._process.log()}"
            return self._answers()

        wait_until(ready, f"an answer from {self.url}")

    def stop(self) -> None:
        self._process.end(self._stop_signal)

    def kill(self) -> None:
        self._process.end(signal.SIGKILL)


def _redis_answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


@pytest.fixture(scope="session")
def redis(leash: Leash, workshop: Path) -> Iterator[Service]:
    binary = find_or_skip("Redis", machine.find_redis)
    folder = workshop / "redis"
    folder.mkdir()
    port = free_port()
    words = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    command: list[str | Path] = [binary, "--port", str(port), "--dir", folder, *words]
    service = Service(
        lambda: leash.start(command, log=folder / "log", env=dict(os.environ), user=None),
        lambda: _redis_answers(port),
        f"redis://127.0.0.1:{port}/0",
        signal.SIGTERM,
    )
    yield service
    service.stop()


@pytest.fixture(scope="session")
def redis_url(redis: Service) -> str:
    return redis.url


def _postgres_account() -> str | None:
    """The account to run PostgreSQL as; None for one's own."""
    if os.geteuid() != 0:
        return None
    known = {line.split(":")[0] for line in Path("/etc/passwd").read_text().splitlines()}
    return next(name for name in _ACCOUNTS if name in known)


def _postgres_answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture(scope="session")
def postgres(leash: Leash, workshop: Path) -> Iterator[Service]:
    """A cluster of its own on a free port. It forgets on power loss (fsync is off), not when a process is killed."""
    binaries = find_or_skip("PostgreSQL", machine.find_postgres)
    folder = workshop / "postgres"
    folder.mkdir(mode=0o700)
    account = _postgres_account()
    if account:
        shutil.chown(folder, account, account)
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    creation = ["--auth=trust", "--username=collab", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    making: list[str | Path] = [binaries / "initdb", "--pgdata", folder / "data", *creation]
    leash.start(making, log=folder / "log", env=env, user=account).wait()
    port = free_port()
    options = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "off",
        "max_connections": "300",
    }
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    command: list[str | Path] = [binaries / "postgres", "-D", folder / "data", "-p", str(port), *words]
    url = f"postgres://collab@127.0.0.1:{port}/postgres"
    service = Service(
        lambda: leash.start(command, log=folder / "log", env=env, user=account),
        lambda: _postgres_answers(url),
        url,
        signal.SIGINT,  # ends connections instead of waiting for them
    )
    yield service
    service.stop()


@pytest.fixture(scope="session")
def postgres_url(postgres: Service) -> str:
    """The address of the cluster's own database. Tests work in one that `new_database` made."""
    return postgres.url


@pytest.fixture(scope="session")
def new_database(postgres_url: str) -> Callable[[str], str]:
    """Make a database as a copy of another one (`template1` is empty); answers its address."""
    numbers = count(1)

    def make(template: str) -> str:
        name = f"collab_{next(numbers)}"
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        return postgres_url.removesuffix("/postgres") + f"/{name}"

    return make


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    return find_or_skip("Chromium", machine.find_browser)


@pytest.fixture(scope="session")
def nginx_path() -> Path:
    return find_or_skip("nginx", machine.find_nginx)
