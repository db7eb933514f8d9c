"""Processes that the benchmark starts: on their cores, with their output in a file, and ended with it, however it
ends."""

import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ProcessError(RuntimeError):
    """A process did not start, or ended when it should not; the message holds the end of its output."""


class Process:
    """A running program; `pid` is its own, nothing stands between."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        cores: set[int],
        log: Path,
        env: Mapping[str, str],
        folder: Path,
        user: str | None = None,
    ) -> None:
        def prepare() -> None:
            os.sched_setaffinity(0, cores)
            # If the benchmark is killed, so is this.
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [os.fspath(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=folder,
                user=user,
                group=user,
                extra_groups=[] if user else None,
                start_new_session=True,
                preexec_fn=prepare,  # noqa: PLW1509 (the benchmark has one thread)
            )
        self.pid = self._process.pid

    def is_running(self) -> bool:
        return self._process.poll() is None

    def wait_until(self, ready: Callable[[], bool], what: str, seconds: float = 40) -> None:
        """Return when it is ready. Raises ProcessError if it ends or takes longer."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.is_running() or time.monotonic() > deadline:
                raise ProcessError(f"{what} did not start:\n{self.output()}")
            time.sleep(0.02)

    def wait(self, seconds: float = 60) -> None:
        """Return when it has ended by itself. Raises ProcessError with its output if that was an error."""
        if self._process.wait(seconds) != 0:
            raise ProcessError(self.output())

    def end(self, how: signal.Signals = signal.SIGTERM, seconds: float = 20) -> None:
        """Send a signal, and kill it if that does not help."""
        if self.is_running():
            self._process.send_signal(how)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def output(self) -> str:
        return self._log.read_text(errors="replace")[-3000:]


def answers(port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
