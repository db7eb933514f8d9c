"""Who serves a PostgreSQL database: one process without Redis, or any number with it.

Processes without Redis hear of each other's edits only by the poll, and never see each other's people; nobody would
notice but the people. So a process without Redis locks the database for itself, and those with Redis share the lock.

It is an advisory lock of a transaction that stays open as long as the process lives. PostgreSQL gives it back when the
connection ends, so a process that crashed blocks nobody: at once when its machine lives, within half a minute when that
is gone too. A row in a table would have to be judged by its age instead. A session's lock would be left behind in the
connections of a pooler (PgBouncer, transaction mode). The open transaction holds no snapshot, so it keeps nothing from
being vacuumed.
"""

import logging
import os
import socket
import threading
import time
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections

from collab.lock import TakenError

logger = logging.getLogger(__name__)

KEY = int.from_bytes(b"collab")
# A predecessor that is just ending may still have it.
TRY_FOR = 3.0
LOOK_EVERY = 15.0

_HOLDERS = """
    SELECT activity.application_name
    FROM pg_locks AS lock JOIN pg_stat_activity AS activity USING (pid)
    WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 1
      AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND lock.classid::bigint << 32 | lock.objid::bigint = %s
    ORDER BY activity.backend_start LIMIT 1
"""
# A connection whose other end is gone is given up within 25 s, and so is its lock.
_OPTIONS = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "idle_in_transaction_session_timeout": "0",
}


class DatabaseLock:
    """Held from the start of a process until it ends, however that is."""

    def __init__(self, address: str, *, shared: bool) -> None:
        """Take the lock; `shared` with other processes that share it. Raises TakenError, which names one that has it,
        and psycopg.Error."""
        self._function = "pg_try_advisory_xact_lock_shared" if shared else "pg_try_advisory_xact_lock"
        # The database knows nothing else of a process; longer names are cut off.
        self._name = f"process {os.getpid()} at {address} on {socket.gethostname()}"[:63]
        self._connection: psycopg.Connection[Any] | None = None
        self._released = threading.Event()
        deadline = time.monotonic() + TRY_FOR
        while holder := self._take():
            if time.monotonic() > deadline:
                raise TakenError(holder)
            time.sleep(0.1)
        self._thread = threading.Thread(target=self._keep, name="database lock", daemon=True)
        self._thread.start()

    def release(self) -> None:
        """Let the successor have it now."""
        self._released.set()
        # Not longer: the database may hang, and it sees the end of the process too.
        self._thread.join(1.0)

    def _take(self) -> str:
        """Try to take the lock; answers who has it, or an empty string when it is ours now."""
        wrapper = connections.create_connection(DEFAULT_DB_ALIAS)
        connection: psycopg.Connection[Any] = wrapper.get_new_connection(wrapper.get_connection_params())
        try:
            connection.autocommit = False
            for name, value in {"application_name": self._name, **_OPTIONS}.items():
                connection.execute("SELECT set_config(%s, %s, true)", [name, value])
            if connection.execute(f"SELECT {self._function}(%s)", [KEY]).fetchone() == (True,):
                self._connection = connection
                return ""
            holder = connection.execute(_HOLDERS, [KEY]).fetchone()
            return str(holder[0]) if holder and holder[0] else "another process"
        finally:
            if self._connection is not connection:
                connection.close()

    def _keep(self) -> None:
        """Take the lock again when its connection is lost: the database was restarted, or a firewall forgot us."""
        while not self._released.wait(LOOK_EVERY):
            try:
                if self._connection is not None:
                    self._connection.execute("SELECT 1")
                elif holder := self._take():
                    logger.error("this database is also served by %s: several processes need Redis", holder)
            except psycopg.Error as error:
                logger.warning("the lock on the database is lost: %s", error)
                self._lose()
        self._lose()

    def _lose(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
