"""A PostgreSQL of the benchmark's own, with the durability that it has by default (fsync on)."""

import os
import pwd
import shutil
import signal
import subprocess
from itertools import count
from pathlib import Path

import psycopg

from bench.processes import Process, free_port
from tools.machine import find_postgres


def is_installed() -> bool:
    return find_postgres() is not None


class Postgres:
    """Runs on the given cores until `stop`. Its folder must be one that other accounts may enter."""

    def __init__(self, folder: Path, cores: set[int]) -> None:
        binaries = find_postgres()
        if binaries is None:
            raise FileNotFoundError("PostgreSQL is not installed")
        self._numbers = count(1)
        self.port = free_port()
        folder.mkdir(mode=0o700)
        account = _account()
        if account:
            shutil.chown(folder, account, account)
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        subprocess.run(
            [binaries / "initdb", "--pgdata", folder / "data", "--auth=trust", "--username=collab",
             "--encoding=UTF8", "--locale=C.UTF-8"],
            env=env, cwd=folder, user=account, group=account, extra_groups=[] if account else None,
            check=True, capture_output=True,
        )  # fmt: skip
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        command: list[str | Path] = [
            binaries / "postgres", "-D", folder / "data", "-p", str(self.port), *words
        ]  # fmt: skip
        log = folder.parent / "postgres.log"
        self.process = Process(command, cores=cores, log=log, env=env, folder=folder, user=account)
        self.process.wait_until(self._answers, "PostgreSQL")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _url(self, database: str) -> str:
        return f"postgres://collab@127.0.0.1:{self.port}/{database}"

    def new_database(self, template: str = "template1") -> tuple[str, str]:
        """Make a database as a copy of another one; answers its name and address."""
        name = f"bench_{next(self._numbers)}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        return name, self._url(name)

    def version(self) -> str:
        with psycopg.connect(self._url("postgres")) as connection:
            row = connection.execute("SHOW server_version").fetchone()
        return str(row[0]) if row else "unknown"

    def stop(self) -> None:
        self.process.end(signal.SIGINT)


def _account() -> str | None:
    """PostgreSQL refuses to run as root; Debian's package comes with this account. None for one's own."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)
