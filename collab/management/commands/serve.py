"""`manage.py serve`: pages and sockets on one port, until SIGTERM or Ctrl+C."""

import gc
import socket
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor

from collab.database_lock import DatabaseLock
from collab.lock import Lock, TakenError
from docs_app.accounts import setup


class Command(BaseCommand):
    help = "Serve pages and sockets on one port. SIGTERM or Ctrl+C saves everything and stops."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
        parser.add_argument("--port", type=int, default=8000, help="port (default %(default)s)")

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        self._check_port(host, port)
        self._check_migrations()
        lock = self._lock(f"{host}:{port}")
        locks: list[Lock | DatabaseLock] = [lock, *self._lock_database(f"{host}:{port}")]
        from collab.asgi import application
        from collab.server import Server

        if lock.after_crash:
            self.stdout.write(
                "The last server here did not stop in order. Open tabs will bring what it had not saved."
            )

        def ready() -> None:
            self.stdout.write(f"Collab is at {self._address(host, port)}")
            if setup.is_needed():
                self._invite(host)
            self.stdout.flush()

        _settle()

        def release() -> None:
            for one in locks:
                one.release()

        server = Server(application, host, port, on_ready=ready, on_clean_end=release)
        server.run()
        if server.failed:
            release()
            sys.exit(1)
        server.end_process()

    def _lock(self, address: str) -> Lock:
        on_sqlite = connections[DEFAULT_DB_ALIAS].vendor == "sqlite"
        name = "serving.lock" if on_sqlite else f"serving-{address.replace(':', '-')}.lock"
        try:
            return Lock(settings.DATA_DIR / name, address)
        except TakenError as error:
            hint = (
                " On SQLite one process serves a data folder; more of them need PostgreSQL and Redis."
                if on_sqlite
                else ""
            )
            raise CommandError(f"Already served by {error}.{hint}") from error

    def _lock_database(self, address: str) -> list[DatabaseLock]:
        if connections[DEFAULT_DB_ALIAS].vendor != "postgresql":
            return []
        try:
            return [DatabaseLock(address, shared=bool(settings.REDIS_URL))]
        except TakenError as error:
            hint = (
                "That one runs without Redis. Set REDIS_URL for all of them, and start it again."
                if settings.REDIS_URL
                else "Several processes need Redis: set REDIS_URL, the same for all of them."
            )
            raise CommandError(f"This database is already served by {error}. {hint}") from error

    def _address(self, host: str, port: int) -> str:
        if settings.IS_LOCAL:
            return f"http://{'localhost' if host in ('127.0.0.1', '::1') else host}:{port}/"
        return f"{settings.PUBLIC_URL}/ (listening on {host}:{port})"

    def _invite(self, host: str) -> None:
        self.stdout.write("Open it to make the first account, which will be the administrator.")
        if not settings.IS_LOCAL or host not in ("127.0.0.1", "::1", "localhost"):
            self.stdout.write(f"You will be asked for this code: {setup.code()}")

    def _check_port(self, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise CommandError(
                    f"Port {port} of {host} can't be used: {error.strerror}. Try another --port."
                ) from error

    def _check_migrations(self) -> None:
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise CommandError("The database is not up to date. Run: manage.py migrate")
        connections.close_all()


def _settle() -> None:
    """Keep what Python does by itself from stopping the event loop under load."""
    # Everything loaded so far stays: a full collection would walk over it every few seconds, for a tenth of a second.
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)
    # Each write to a socket lets go of the interpreter's lock; a thread that commits then keeps it for 5 ms otherwise.
    sys.setswitchinterval(0.0005)
