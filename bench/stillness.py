"""Scenarios in which nobody types: opening, coming back after a restart, and being there."""

import asyncio
import statistics
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import pycrdt

from bench import documents, machine, wire
from bench.load import Crowd, open_all
from bench.servers import Server
from bench.steady import Figures, settle
from bench.tab import Tab

_RETURNING = 200
_OPEN_DOCUMENTS, _IDLE_DOCUMENTS, _IDLE_TABS_EACH = 100, 500, 10
# Every Yjs client says that often that it is still here.
_ANNOUNCE_EVERY = 15.0


async def storm(server: Server, quick: bool) -> Figures:
    """200 tabs of one 60 KB document come back at the same moment after a restart: how long until all are in sync."""
    await write(server, 0, [documents.ordinary()])
    crowd = Crowd(server.seat)
    await crowd.open(1, _RETURNING)
    vectors = [pycrdt.get_state(tab.state) for tab in crowd.tabs]
    tabs = crowd.tabs
    crowd.leave()
    restart(server)
    returning = [
        crowd.again(tab, 0, person, vector)
        for person, (tab, vector) in enumerate(zip(tabs, vectors, strict=True))
    ]
    began = time.monotonic()
    try:
        async with asyncio.timeout(60):
            await open_all(returning)
    finally:
        for tab in returning:
            tab.leave()
    waited = sorted((tab.synced_at - began) * 1000 for tab in returning)
    return {"all": waited[-1], "p50": statistics.median(waited)}


async def opening(server: Server, quick: bool, traces: Path | None = None) -> Figures:
    """A paper's document: opened first after a restart, again while somebody else has it open, and again some seconds
    after everybody had left."""
    await write(server, 0, documents.paper(traces))
    first, again, returned = [], [], []
    size = 0
    for _ in range(1 if quick else 3):
        restart(server)
        crowd = Crowd(server.seat)
        await settle(server)
        await crowd.open(1, 1)
        (tab,) = crowd.tabs
        first.append(tab.synced_at - tab.opened_at)
        size = len(tab.state)
        for person in range(1, 11):
            await settle(server)
            other = crowd.again(tab, 0, person, wire.EMPTY_STATE_VECTOR)
            await open_all([other])
            again.append(other.synced_at - other.opened_at)
            other.leave()
        crowd.leave()
        await settle(server)
        await crowd.open(1, 1)
        returned.append(crowd.tabs[0].synced_at - crowd.tabs[0].opened_at)
        crowd.leave()
    return {
        "first": statistics.median(first) * 1000,
        "returned": statistics.median(returned) * 1000,
        "again": statistics.median(again) * 1000,
        "state_bytes": float(size),
    }


async def idle(server: Server, quick: bool) -> Figures:
    """Memory of an open 60 KB document and of a connection; how many of 5,000 are still there after a minute."""
    each = 2 if quick else _IDLE_TABS_EACH
    for document in range(_OPEN_DOCUMENTS):
        await write(server, document, [documents.ordinary(document)])
    restart(server)
    await settle(server)
    start = machine.resident(server.pid)
    crowd = Crowd(server.seat)
    try:
        await crowd.open(_OPEN_DOCUMENTS, 1)
        await settle(server)
        opened = machine.resident(server.pid)
        await crowd.open(_IDLE_DOCUMENTS, 1)
        await settle(server)
        before = machine.resident(server.pid)
        others = [
            crowd.again(tab, _OPEN_DOCUMENTS + document, document * each + person, wire.EMPTY_STATE_VECTOR)
            for document, tab in enumerate(crowd.tabs[_OPEN_DOCUMENTS:])
            for person in range(1, each)
        ]
        for at, tab in enumerate(others):
            tab.client = at + 1
        for at in range(0, len(others), 40):
            await open_all(others[at : at + 40])
        await settle(server)
        per_connection = (machine.resident(server.pid) - before) / len(others)
        tabs = [*crowd.tabs, *others]
        await _stay(tabs, 5.0 if quick else 60.0)
        still = sum(tab.error is None for tab in tabs)
    finally:
        crowd.leave()
    return {
        "connection_kb": per_connection / 1024,
        "document_kb": ((opened - start) / _OPEN_DOCUMENTS - per_connection) / 1024,
        "connections": float(len(tabs)),
        "still_there": float(still),
    }


async def _stay(tabs: Sequence[Tab], seconds: float) -> None:
    """Announce each tab every 15 s, evenly spread."""
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        slot = int((_ANNOUNCE_EVERY - left % _ANNOUNCE_EVERY) * 10)
        for tab in tabs[slot :: int(_ANNOUNCE_EVERY * 10)]:
            if tab.error is None:
                tab.announce()
            tab.log.clear()
            tab.times.clear()
        await asyncio.sleep(0.1)


async def write(server: Server, document: int, updates: Iterable[bytes]) -> None:
    """Bring updates into a document, and return when they had time to get to disk."""
    crowd = Crowd(lambda _, person: server.seat(document, person), seed=document)
    await crowd.open(1, 1)
    (tab,) = crowd.tabs
    for update in updates:
        tab.send(wire.update(update))
        await asyncio.sleep(0.005)
    await settle(server)
    crowd.check()
    crowd.leave()


def restart(server: Server) -> None:
    server.stop()
    server.start()
