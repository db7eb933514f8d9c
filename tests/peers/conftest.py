"""Programs on Node: stock Yjs clients that use Collab from outside."""

import json
import os
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes import Leash
from tools import node

HERE = Path(__file__).resolve().parent
RunPeer = Callable[..., "Peer"]


class Peer:
    """A script that talks in lines of JSON on its standard input and output."""

    def __init__(self, leash: Leash, command: list[str], env: dict[str, str], errors: Path) -> None:
        self._errors = errors
        self._rest = b""
        with errors.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=HERE,
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                start_new_session=True,
            )
        self._leash = leash
        leash.tell(f"+{self._process.pid}")

    def say(self, value: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(value).encode() + b"\n")
        self._process.stdin.flush()

    def hear(self, seconds: float = 120) -> Any:
        """The next line it prints. Fails the test with its error output if it ends or is silent for so long."""
        assert self._process.stdout is not None
        deadline = time.monotonic() + seconds
        while b"\n" not in self._rest:
            wait = deadline - time.monotonic()
            readable, _, _ = select.select([self._process.stdout], [], [], max(0, wait))
            piece = os.read(self._process.stdout.fileno(), 1 << 20) if readable else b""
            if not piece:
                how = "ended" if readable else f"said nothing for {seconds:.0f} s"
                pytest.fail(f"the peer {how}:\n{self._errors.read_text(errors='replace')}")
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._leash.tell(f"-{self._process.pid}")


@pytest.fixture
def peer(leash: Leash, tmp_path: Path) -> Iterator[RunPeer]:
    """Start a script of this folder: `peer("replay.mjs", *words, **environment)`."""
    chosen = node.find()
    if chosen is None or not (HERE / "node_modules").is_dir():
        pytest.fail("Node or its packages are missing: run the tests with `make peers`")
    started: list[Peer] = []

    def start(script: str, *words: str | Path, **extra: str) -> Peer:
        command = [os.fspath(chosen.executable), script, *(os.fspath(word) for word in words)]
        one = Peer(leash, command, {**chosen.environment(), **extra}, tmp_path / f"peer-{len(started)}.log")
        started.append(one)
        return one

    yield start
    for one in started:
        one.end()
