"""One server per data folder on SQLite, one per address otherwise; and whether the last one ended in order."""

import fcntl
import json
import os
from pathlib import Path
from typing import IO


class TakenError(RuntimeError):
    """Another server holds the lock; the message names it."""


class Lock:
    """A file that is locked while the server runs and emptied when it stops in order."""

    def __init__(self, file: Path, address: str) -> None:
        """Take the lock. Raises TakenError."""
        self._handle: IO[str] = open(file, "a+")  # noqa: SIM115 (held for the life of the process)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._handle.seek(0)
            raise TakenError(_describe(self._handle.read())) from error
        self._handle.seek(0)
        # What an earlier server left here it had no time to take away.
        self.after_crash = bool(self._handle.read().strip())
        self._write(json.dumps({"pid": os.getpid(), "address": address}))

    def release(self) -> None:
        """Say that this server ends in order: every edit is committed."""
        self._write("")
        self._handle.close()

    def _write(self, text: str) -> None:
        self._handle.seek(0)
        self._handle.truncate()
        self._handle.write(text)
        self._handle.flush()
        os.fsync(self._handle.fileno())


def _describe(text: str) -> str:
    try:
        holder = json.loads(text)
        return f"process {holder['pid']} at {holder['address']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
