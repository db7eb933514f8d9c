"""What an update costs Yjs, found out in a process of its own before it is taken in.

Yjs finds the place of an insertion by looking at those beside it, so that a few kilobytes can be made to take minutes,
and a call into yrs can't be interrupted. The kernel can end a process that has used up its CPU time.

Run as a program this module is that process: it reads questions from its input and answers each with one byte. It
imports nothing of Django.
"""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

import pycrdt

# CPU seconds that one update may take, and one more of each byte: a long absence brings a large one.
ALLOWED = 0.05
ALLOWED_PER_BYTE = 1e-7


class Trial:
    """The process, started by the first question and again after each that it did not survive. Blocks: for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def is_affordable(self, state: bytes, update: bytes) -> bool:
        """Whether a document with this state takes the update in within its time. Raises OSError if there can be no
        process."""
        with self._lock:
            process = self._process = self._process or _start()
            assert process.stdin
            assert process.stdout
            try:
                for part in (state, update):
                    process.stdin.write(len(part).to_bytes(4) + part)
                process.stdin.flush()
                answer = process.stdout.read(1)
            except BrokenPipeError:
                answer = b""
            if not answer:
                self._end()
            return bool(answer)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if process := self._process:
            self._process = None
            process.kill()
            # Closes its pipes as well; what could not be flushed is of no use any more.
            try:
                process.communicate()
            except BrokenPipeError:
                process.wait()


def _start() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "docs_app.documents.trial"],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # yrs reports its panics; looking up where they came from would take longer than what is allowed.
        env={**os.environ, "RUST_BACKTRACE": "0"},
        stderr=subprocess.DEVNULL,
    )


def _serve(source: IO[bytes], answers: IO[bytes]) -> None:
    while size := source.read(4):
        doc: pycrdt.Doc[Any] = pycrdt.Doc()
        doc.apply_update(source.read(int.from_bytes(size)))
        update = source.read(int.from_bytes(source.read(4)))
        # Its default action ends the process, also in the middle of a call.
        signal.setitimer(signal.ITIMER_PROF, ALLOWED + ALLOWED_PER_BYTE * len(update))
        try:
            doc.apply_update(update)
        except BaseException as error:
            # That it is refused, and how, is for the room to say; here it only counts that it was quick.
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
        signal.setitimer(signal.ITIMER_PROF, 0)
        answers.write(b"\1")
        answers.flush()


if __name__ == "__main__":
    # The server ends it by closing its input; a terminal's Ctrl+C is meant for the server.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _serve(sys.stdin.buffer, sys.stdout.buffer)
