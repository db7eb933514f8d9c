"""Processes that tests start: each in a group of its own, with its output in a file, and never outliving the tests.

Run as a program this module is the watcher: it reads lines, `+group` and `-group` for processes, `=folder` for files,
until its standard input ends, which happens however the tests end: finished, interrupted or killed. Then it kills the
groups that are left and removes the folders.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import pytest


def wait_until(condition: Callable[[], object], what: str, seconds: float = 30) -> None:
    """Return as soon as the condition holds; raises TimeoutError that names what did not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come within {seconds:.0f} s")
        time.sleep(0.02)


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Leash:
    """Starts processes, and a watcher that ends them if this process can't."""

    def __init__(self) -> None:
        # Its own session: Ctrl-C at the terminal must not end the watcher before the ones it watches.
        self._watcher = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, text=True, start_new_session=True
        )

    def start(
        self, command: Sequence[str | Path], *, log: Path, env: Mapping[str, str], user: str | None
    ) -> "Process":
        with log.open("ab") as output:
            process = subprocess.Popen(
                [os.fspath(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=log.parent if user else None,
                user=user,
                group=user,
                extra_groups=[] if user else None,
                start_new_session=True,
            )
        self.tell(f"+{process.pid}")
        return Process(process, self, log)

    def tell(self, line: str) -> None:
        assert self._watcher.stdin is not None
        self._watcher.stdin.write(line + "\n")
        self._watcher.stdin.flush()

    def close(self) -> None:
        assert self._watcher.stdin is not None
        self._watcher.stdin.close()
        self._watcher.wait()


class Process:
    """A running program. `log` is the file with all it printed."""

    def __init__(self, process: subprocess.Popen[bytes], leash: Leash, log: Path) -> None:
        self._process = process
        self._leash = leash
        self._log = log

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_running(self) -> bool:
        return self._process.poll() is None

    def end(self, how: signal.Signals = signal.SIGTERM, seconds: float = 30) -> int:
        """Send a signal and wait; answers the exit code (negative: the signal that ended it). Raises
        subprocess.TimeoutExpired, after killing it, if it does not end in time."""
        if self.is_running():
            self._process.send_signal(how)
        try:
            code = self._process.wait(seconds)
        finally:
            # What it started itself goes too.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._leash.tell(f"-{self._process.pid}")
        return code

    def wait(self, seconds: float = 60) -> None:
        """Return when it has ended by itself. Fails the test with its output if that was an error."""
        code = self._process.wait(seconds)
        self._leash.tell(f"-{self._process.pid}")
        assert code == 0, f"exit code {code}:\n{self.log()}"

    def log(self) -> str:
        return self._log.read_text(errors="replace")


@pytest.fixture(scope="session")
def leash() -> Iterator[Leash]:
    leash = Leash()
    yield leash
    leash.close()


@pytest.fixture(scope="session")
def workshop(leash: Leash) -> Path:
    """A folder for services' files, which other users may enter: PostgreSQL runs as one."""
    folder = Path(tempfile.mkdtemp(prefix="collab-"))
    leash.tell(f"={folder}")
    folder.chmod(0o711)
    return folder


def watch(orders: IO[str]) -> None:
    groups: set[int] = set()
    folders: list[str] = []
    for order in orders:
        what = order[1:].strip()
        match order[0]:
            case "+":
                groups.add(int(what))
            case "-":
                groups.discard(int(what))
            case "=":
                folders.append(what)
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    watch(sys.stdin)
