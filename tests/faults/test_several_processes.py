"""`manage.py serve` beside another one on the same PostgreSQL database: with Redis, or not at all."""

import re
from collections.abc import Callable

import dj_database_url
import psycopg
import pytest
from django.db import connections

from collab import database_lock
from collab.database_lock import DatabaseLock
from collab.lock import TakenError
from tests.processes import wait_until
from tests.server import Server, StartServer


def named(server: Server) -> str:
    """How a refusal names another process."""
    return re.escape(f"is already served by process {server.pid} at 127.0.0.1:{server.port} on ")


def test_a_second_process_without_redis_is_refused(server: StartServer) -> None:
    one = server(postgres=True)
    with pytest.raises(AssertionError, match=rf"{named(one)}.*Several processes need Redis: set REDIS_URL"):
        server(beside=one)
    assert one.is_running()


def test_a_process_without_redis_is_refused_beside_those_with_it(server: StartServer, redis_url: str) -> None:
    one = server(postgres=True, REDIS_URL=redis_url)
    server(beside=one)
    with pytest.raises(AssertionError, match=rf"{named(one)}.*Several processes need Redis: set REDIS_URL"):
        server(beside=one, REDIS_URL="")


def test_a_process_with_redis_is_refused_beside_one_without(server: StartServer, redis_url: str) -> None:
    one = server(postgres=True)
    with pytest.raises(AssertionError, match=rf"{named(one)}.*That one runs without Redis"):
        server(beside=one, REDIS_URL=redis_url)


def test_a_process_that_was_killed_does_not_block_its_successor(server: StartServer) -> None:
    one = server(postgres=True)
    one.kill()
    successor = server(beside=one)
    assert successor.is_running()


def test_the_lock_is_taken_again_when_its_connection_is_lost(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when PostgreSQL is restarted under a running server."""
    monkeypatch.setattr(database_lock, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(database_lock, "TRY_FOR", 0.0)
    url = new_database("template1")
    database = {**connections.databases["default"], **dj_database_url.parse(url), "OPTIONS": {}}
    monkeypatch.setitem(connections.databases, "default", database)
    lock = DatabaseLock("127.0.0.1:1", shared=False)
    with psycopg.connect(url, autocommit=True) as connection:

        def holders() -> list[int]:
            rows = connection.execute("SELECT pid FROM pg_locks WHERE locktype = 'advisory'").fetchall()
            return [pid for (pid,) in rows]

        (before,) = holders()
        connection.execute("SELECT pg_terminate_backend(%s)", [before])
        wait_until(lambda: holders() not in ([], [before]), "the lock on a new connection")
        with pytest.raises(TakenError, match=r"process \d+ at 127\.0\.0\.1:1 on "):
            DatabaseLock("127.0.0.1:2", shared=True)
    lock.release()
