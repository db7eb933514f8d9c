"""Where Collab spends its time under a load: py-spy's samples, summed up by thread, function and line."""

import asyncio
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench import load
from bench.load import Crowd
from bench.processes import Process
from bench.servers import PACKAGES, ROOT, Server, Workshop
from bench.steady import Shape, meters_of, settle

# More would slow the server down: for each sample it is stopped.
RATE = 100
# A pool's thread with nothing to do; py-spy takes it for a busy one.
_WAITING = "_worker (concurrent/futures/thread.py"


@dataclass(frozen=True)
class Profile:
    """Shares of all samples in which the server used the processor, in percent. `alone` is time in the function itself,
    `within` includes what it calls."""

    samples: int
    threads: list[tuple[str, float]]
    alone: list[tuple[str, float]]
    within: list[tuple[str, float]]
    lines: list[tuple[str, float]]
    edits_per_second: float
    frames_per_second: float
    server_busy: float

    def microseconds(self, share: float, per_second: float) -> float:
        """What a share of the samples costs for one of so many events a second."""
        return share / 100 * self.server_busy * 1e6 / per_second if per_second else 0.0


async def record(server: Server, workshop: Workshop, shape: Shape, seconds: float) -> Profile:
    """Profile a running server while the load lasts."""
    crowd = Crowd(server.seat)
    try:
        await crowd.open(shape.documents, shape.people)
        await settle(server)
        task = asyncio.create_task(
            load.run(crowd, meters_of(server), writers=shape.writers, rate=shape.rate, seconds=seconds + 1.5)
        )
        await asyncio.sleep(1.5)
        raw = server.folder / "profile.raw"
        words = ["record", "--pid", str(server.pid), "--duration", str(int(seconds)), "--rate", str(RATE)]
        words += ["--format", "raw", "--threads", "--output", os.fspath(raw)]
        watcher = Process(
            [PACKAGES / "bin" / "py-spy", *words],
            cores=workshop.other_cores,
            log=server.folder / "py-spy.log",
            env=dict(os.environ),
            folder=ROOT,
        )
        outcome = await task
        await asyncio.to_thread(watcher.wait)
    finally:
        crowd.leave()
    return summarise(raw, outcome)


def summarise(raw: Path, outcome: load.Outcome) -> Profile:
    """Read py-spy's raw output: a line a stack, outermost first, with its number of samples."""
    threads: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    within: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    total = 0
    for line in raw.read_text().splitlines():
        stack, _, number = line.rpartition(" ")
        count, frames = int(number), stack.split(";")
        if _WAITING in frames[-1]:
            continue
        total += count
        threads[_thread(frames)] += count
        calls = [frame for frame in frames if frame.endswith(")")]
        if not calls:
            continue
        lines[_short(calls[-1])] += count
        alone[_function(calls[-1])] += count
        within.update(dict.fromkeys({_function(call) for call in calls}, count))
    return Profile(
        samples=total,
        threads=_top(threads, total, 6),
        alone=_top(alone, total, 25),
        within=_top(within, total, 60),
        lines=_top(lines, total, 25),
        edits_per_second=outcome.edits,
        frames_per_second=outcome.frames,
        server_busy=outcome.server_busy,
    )


def _thread(frames: list[str]) -> str:
    name = next((frame for frame in frames if frame.startswith("thread ")), "thread")
    return name.partition('"')[2].rstrip('"') or name


def _short(call: str) -> str:
    """`function (package/module.py:12)`; the path is cut to its last two parts."""
    name, _, place = call.partition(" (")
    return f"{name} ({'/'.join(place.split('/')[-2:])}"


def _function(call: str) -> str:
    """The same without the line."""
    return _short(call).rpartition(":")[0] + ")"


def _top(counter: Counter[str], total: int, number: int) -> list[tuple[str, float]]:
    return [(name, 100 * count / total) for name, count in counter.most_common(number)] if total else []


def describe(name: str, profile: Profile) -> str:
    """The profile as text."""
    head = (
        f"{name}: {profile.edits_per_second:.0f} edits/s, {profile.frames_per_second:.0f} frames/s, "
        f"{profile.server_busy:.0%} of a core, {profile.samples} samples\n"
    )
    parts = [
        ("by thread", profile.threads),
        ("in the function itself", profile.alone),
        ("with what it calls", profile.within),
        ("by line", profile.lines),
    ]
    return head + "".join(_table(title, rows, profile) for title, rows in parts)


def _table(title: str, rows: Iterable[tuple[str, float]], profile: Profile) -> str:
    lines = [f"  {title}: share, µs per edit, µs per frame"]
    for name, share in rows:
        edit = profile.microseconds(share, profile.edits_per_second)
        frame = profile.microseconds(share, profile.frames_per_second)
        lines.append(f"  {share:6.1f} % {edit:8.1f} {frame:7.2f}  {name}")
    return "\n".join(lines) + "\n"
