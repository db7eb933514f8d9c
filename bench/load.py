"""Many tabs on one event loop: opens them, lets some type at a steady pace, and answers what came of it.

uvloop's protocols read 15 % more frames a second on a core than plain epoll in Python, and as many as raw sockets on
Node (3.5 µs each, nearly all of it the kernel's); so the load needs no second language and shares one clock.
"""

import asyncio
import gc
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from bench import machine, wire
from bench.measure import Deliveries, Group
from bench.tab import Seat, Tab

# Connecting is no part of most scenarios: so many at a time overrun nobody's backlog.
_AT_ONCE = 40
_PATIENCE = 60.0
_QUIET = 0.5


@dataclass(frozen=True)
class Outcome:
    """Figures of one run. Times are milliseconds; rates are per second; `lag` is how late the load itself typed;
    `cpu_per_1000` are the server's processor seconds for 1,000 edits, `database_cpu_per_1000` its database's."""

    edits: float
    expected: int
    delivered: int
    frames: float
    p50: float
    p99: float
    saved_p50: float
    saved_p99: float
    lag: float
    load_busy: float
    server_busy: float
    cpu_per_1000: float
    database_cpu_per_1000: float

    @property
    def complete(self) -> bool:
        return self.delivered == self.expected

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


class Crowd:
    """The tabs of one server. `seat_of` answers the seat of person n in document m."""

    def __init__(self, seat_of: Callable[[int, int], Seat], seed: int = 1) -> None:
        self._seat_of = seat_of
        self._random = random.Random(seed)
        self._known: dict[bytes, wire.Entry] = {}
        self.groups: list[list[Tab]] = []

    @property
    def tabs(self) -> list[Tab]:
        return [tab for group in self.groups for tab in group]

    async def open(self, documents: int, people: int) -> None:
        """Open so many more documents with so many tabs each, every tab another person's. Raises ConnectionEndedError,
        OSError or TimeoutError."""
        fresh = [
            [self._tab(document, document * people + person) for person in range(people)]
            for document in range(len(self.groups), len(self.groups) + documents)
        ]
        self.groups += fresh
        flat = [tab for group in fresh for tab in group]
        async with asyncio.timeout(_PATIENCE):
            for start in range(0, len(flat), _AT_ONCE):
                await open_all(flat[start : start + _AT_ONCE])

    def _tab(self, document: int, person: int) -> Tab:
        # As Yjs chooses them: 32 random bits.
        return Tab(self._seat_of(document, person), self._random.getrandbits(32), self._known)

    def again(self, tab: Tab, document: int, person: int, state_vector: bytes) -> Tab:
        """The tab that comes back after its connection ended."""
        return Tab(self._seat_of(document, person), tab.client, self._known, state_vector)

    def leave(self) -> None:
        for tab in self.tabs:
            tab.leave()
        self.groups = []

    def forget(self) -> None:
        """Drop remembered bytes: an earlier measurement's frames do not come again."""
        self._known.clear()

    def check(self) -> None:
        """Raise the first tab's error, if there is one."""
        for tab in self.tabs:
            if tab.error:
                raise tab.error


async def open_all(tabs: Sequence[Tab]) -> None:
    """Connect at the same time, and wait until all have the server's state."""
    await asyncio.gather(*(tab.open() for tab in tabs))
    await asyncio.gather(*(tab.synced for tab in tabs))


class Typing:
    """Frames to send, each at its time; counts how late it was."""

    def __init__(self, writers: Sequence[Tab], rate: float, seconds: float, seed: int = 2) -> None:
        """Each writer types `rate` characters a second, its first after a random part of the interval."""
        chance = random.Random(seed)
        each = max(1, round(rate * seconds))
        frames = [writer.edits(each) for writer in writers]
        starts = [chance.random() / rate for _ in writers]
        self._plan = sorted(
            ((start + n / rate, index, n) for index, start in enumerate(starts) for n in range(each)),
        )
        self._frames, self._writers = frames, writers
        self.late: list[float] = []
        self._at = 0
        self.began = 0.0
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        self.began = time.monotonic()
        self._step()
        await self._done

    def _step(self) -> None:
        loop, plan = asyncio.get_running_loop(), self._plan
        now = time.monotonic() - self.began
        while self._at < len(plan) and plan[self._at][0] <= now:
            due, writer, number = plan[self._at]
            self._at += 1
            self._writers[writer].type(self._frames[writer][number])
            self.late.append(now - due)
        if self._at == len(plan):
            self._done.set_result(None)
        elif plan[self._at][0] - now > 0.002:
            loop.call_later(plan[self._at][0] - now - 0.001, self._step)
        else:
            # The loop's timers are a millisecond coarse; the core is ours, so look again at once.
            loop.call_soon(self._step)


@dataclass(frozen=True)
class Meters:
    """The processes to be measured."""

    servers: tuple[int, ...]
    database: int | None

    def read(self) -> tuple[float, float, float, float]:
        database = machine.cpu_seconds_of_tree(self.database) if self.database else 0.0
        return time.monotonic(), sum(map(machine.cpu_seconds, self.servers)), database, time.process_time()


async def run(
    crowd: Crowd,
    meters: Meters,
    *,
    writers: int,
    rate: float,
    seconds: float,
    warm_up: float = 1.0,
    patience: float = 3.0,
) -> Outcome:
    """Let the first `writers` tabs of each document type at `rate` a second; what is typed in the first `warm_up`
    seconds must arrive but is not timed. Raises ConnectionEndedError if a connection ends."""
    crowd.forget()
    groups = [Group(tabs, tabs[:writers]) for tabs in crowd.groups]
    deliveries = Deliveries(groups)
    typing = Typing([writer for group in groups for writer in group.writers], rate, warm_up + seconds)
    gc.collect()
    gc.freeze()
    gc.disable()
    task = asyncio.create_task(typing.run())
    await asyncio.sleep(warm_up)
    before, typed_before = meters.read(), _typed(groups)
    deliveries.since = before[0]
    await task
    after, typed_after = meters.read(), _typed(groups)
    deliveries.until = after[0]
    await _drain(crowd, deliveries, patience)
    gc.enable()
    return _outcome(deliveries, typing, before, after, typed_after - typed_before)


def _typed(groups: Sequence[Group]) -> int:
    return sum(len(writer.typed_at) for group in groups for writer in group.writers)


async def _drain(crowd: Crowd, deliveries: Deliveries, patience: float) -> None:
    """Wait until nothing has come for a moment, longer than a commit takes. Nothing is counted before: it would keep
    the loop from writing down when the last ones came."""
    deadline = time.monotonic() + patience
    before, quiet_since = -1, time.monotonic()
    while time.monotonic() < min(deadline, quiet_since + _QUIET):
        await asyncio.sleep(0.05)
        crowd.check()
        arrived = sum(len(tab.log) for tab in crowd.tabs)
        if arrived != before:
            before, quiet_since = arrived, time.monotonic()
    deliveries.read()


def _outcome(
    deliveries: Deliveries,
    typing: Typing,
    before: tuple[float, float, float, float],
    after: tuple[float, float, float, float],
    typed: int,
) -> Outcome:
    wall, cpu, database, own = (b - a for a, b in zip(before, after, strict=True))
    late = sorted(typing.late)
    return Outcome(
        edits=typed / wall,
        expected=deliveries.expected(),
        delivered=deliveries.delivered,
        frames=deliveries.frames / (after[0] - typing.began),
        p50=deliveries.delays.quantile(0.5),
        p99=deliveries.delays.quantile(0.99),
        saved_p50=deliveries.saved.quantile(0.5),
        saved_p99=deliveries.saved.quantile(0.99),
        lag=late[int(len(late) * 0.99)] * 1000,
        load_busy=own / wall,
        server_busy=cpu / wall,
        cpu_per_1000=cpu / typed * 1000 if typed else 0.0,
        database_cpu_per_1000=database / typed * 1000 if typed else 0.0,
    )
