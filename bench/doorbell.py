"""Which channel layer rings best between processes: `python -m bench.doorbell` (docs/decisions/0002).

Two processes and a Redis of their own, each on a core. One rings as a process does in the scenario `office`: 200
documents, each 5 times a second, a row of a few keystrokes. The other is in all groups and writes down when each ring
arrives. Then Redis is killed and started again while bells ring.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import redis.exceptions
import uvloop
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer

from bench.machine import cpu_seconds
from bench.processes import Process, answers, free_port
from tools.machine import find_redis

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = 200
RINGS_A_SECOND = 5 * DOCUMENTS
ROW = bytes(60)
AWAY = (OSError, redis.exceptions.RedisError)


def new_layer(kind: str, url: str) -> Any:
    # Timeouts as in collab/settings.py.
    host = {"address": url, "socket_timeout": 3, "socket_connect_timeout": 3}
    if kind == "pubsub":
        return RedisPubSubChannelLayer(hosts=[host])
    # Its receive waits for 5 s at a time, longer than the timeout of other commands.
    return RedisChannelLayer(hosts=[{**host, "socket_timeout": 8}], capacity=10_000)


async def ring(kind: str, url: str, seconds: float, rate: float) -> dict[str, Any]:
    """Ring at an even pace; how often it was said to have worked, and how long it took."""
    layer = new_layer(kind, url)
    raised, count, started = 0, 0, time.monotonic()
    cpu = time.process_time()
    while (now := time.monotonic() - started) < seconds:
        while count < now * rate:
            message = {
                "type": "document.updates",
                "number": count,
                "at": time.monotonic(),
                "rows": [(count, ROW)],
            }
            try:
                await layer.group_send(f"doc.{count % DOCUMENTS}", message)
            except AWAY:
                raised += 1
                await asyncio.sleep(0.05)
            count += 1
        await asyncio.sleep(0.001)
    return {
        "rung": count,
        "raised": raised,
        "cpu": time.process_time() - cpu,
        "took": time.monotonic() - started,
    }


async def listen(kind: str, url: str, seconds: float) -> dict[str, Any]:
    """Hear for so long; numbers and delays in milliseconds."""
    layer = new_layer(kind, url)
    channel = await layer.new_channel("bench")
    for number in range(DOCUMENTS):
        await layer.group_add(f"doc.{number}", channel)
    print("ready", flush=True)
    heard: list[tuple[int, float, float]] = []
    ends = time.monotonic() + seconds
    cpu = time.process_time()
    while (left := ends - time.monotonic()) > 0:
        try:
            async with asyncio.timeout(left):
                message = await layer.receive(channel)
        except TimeoutError:
            continue
        except AWAY:
            await asyncio.sleep(0.05)
            continue
        now = time.monotonic()
        heard.append((message["number"], (now - message["at"]) * 1000, now))
    return {"heard": heard, "cpu": time.process_time() - cpu}


class Redis:
    def __init__(self, folder: Path, core: int) -> None:
        self._folder, self._core, self.port = folder, core, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        binary = find_redis()
        if binary is None:
            raise SystemExit("bench: Redis is not installed.")
        words = [
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            os.fspath(self._folder),
        ]
        log = self._folder / "redis.log"
        self.process = Process(
            [binary, *words], cores={self._core}, log=log, env=dict(os.environ), folder=self._folder
        )
        self.process.wait_until(lambda: answers(self.port), "Redis")


def start_part(core: int, *words: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "bench.doorbell", *map(str, words)]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),  # noqa: PLW1509 (one thread)
    )  # fmt: skip


def result_of(part: "subprocess.Popen[str]") -> dict[str, Any]:
    output, _ = part.communicate(timeout=120)
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


def measure(
    kind: str, server: Redis, cores: list[int], *, seconds: float, rate: float, restart: bool
) -> dict[str, Any]:
    """One run. With `restart` Redis is killed after a third of it, and is back half a second later."""
    listener = start_part(cores[1], "listen", kind, server.url, seconds + 4)
    assert listener.stdout is not None
    assert listener.stdout.readline() == "ready\n"
    before = cpu_seconds(server.process.pid)
    ringer = start_part(cores[2], "ring", kind, server.url, seconds, rate)
    back_at = 0.0
    if restart:
        time.sleep(seconds / 3)
        server.process.end(signal.SIGKILL)
        time.sleep(0.5)
        server.start()
        back_at = time.monotonic()
    rung, heard = result_of(ringer), result_of(listener)
    delays = sorted(delay for _, delay, _ in heard["heard"])
    numbers = {number for number, _, _ in heard["heard"]}
    found = {
        "layer": kind,
        "rung": rung["rung"],
        "raised": rung["raised"],
        "lost": rung["rung"] - rung["raised"] - len(numbers),
        "twice": len(heard["heard"]) - len(numbers),
        "p50": delays[len(delays) // 2],
        "p99": delays[len(delays) * 99 // 100],
        "us per ring, ringer": rung["cpu"] / rung["rung"] * 1e6,
        "us per ring, listener": heard["cpu"] / max(1, len(numbers)) * 1e6,
        "us per ring, Redis": (cpu_seconds(server.process.pid) - before) / rung["rung"] * 1e6
        if not restart
        else None,
        "took": rung["took"],
    }
    if restart:
        after = [at for _, _, at in heard["heard"] if at > back_at]
        found["first heard after the restart, s"] = min(after) - back_at if after else None
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.doorbell")
    parser.add_argument("part", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    match options.part:
        case ["ring", kind, url, seconds, rate]:
            print(json.dumps(uvloop.run(ring(kind, url, float(seconds), float(rate)))))
            return
        case ["listen", kind, url, seconds]:
            print(json.dumps(uvloop.run(listen(kind, url, float(seconds)))))
            return
    allowed = sorted(os.sched_getaffinity(0))
    cores = [allowed[number % len(allowed)] for number in range(3)]
    for restart in (False, True):
        for kind in ("core", "pubsub"):
            with tempfile.TemporaryDirectory(prefix="collab-bench-") as folder:
                server = Redis(Path(folder), cores[0])
                try:
                    # A fifth of the load when something breaks: enough to count, and no queue that hides it.
                    rate = RINGS_A_SECOND / 5 if restart else RINGS_A_SECOND
                    found = measure(kind, server, cores, seconds=options.seconds, rate=rate, restart=restart)
                finally:
                    server.process.end()
            print(f"{'Redis restarted' if restart else 'steady'}:", json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
