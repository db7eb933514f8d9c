"""A Redis of the benchmark's own, which keeps nothing."""

import os
import subprocess
from pathlib import Path

from bench.processes import Process, answers, free_port
from tools.machine import find_postgres, find_redis


def is_installed() -> bool:
    """Whether several processes can be measured: they need both."""
    return find_redis() is not None and find_postgres() is not None


class Redis:
    """Runs on the given cores until `stop`."""

    def __init__(self, folder: Path, cores: set[int]) -> None:
        binary = find_redis()
        if binary is None:
            raise FileNotFoundError("Redis is not installed")
        self._binary, self._port = binary, free_port()
        folder.mkdir()
        words = ["--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = Process(
            [binary, *words], cores=cores, log=folder / "log", env=dict(os.environ), folder=folder
        )
        self._process.wait_until(lambda: answers(self._port), "Redis")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def version(self) -> str:
        said = subprocess.run([self._binary, "--version"], capture_output=True, text=True, check=True).stdout
        return said.partition("v=")[2].split()[0]

    def stop(self) -> None:
        self._process.end()
