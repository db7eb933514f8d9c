"""Scenarios in which the load does not change, and what they share with the others."""

import asyncio
import time
from dataclasses import dataclass

from bench import load
from bench.load import Crowd, Meters
from bench.servers import Server

Figures = dict[str, float]


@dataclass(frozen=True)
class Shape:
    """So many documents with so many tabs each, of which the first `writers` type `rate` characters a second."""

    documents: int
    people: int
    writers: int
    rate: float


def meters_of(server: Server) -> Meters:
    return Meters(server.pids, server.database_pid)


async def steady(server: Server, shape: Shape, seconds: float) -> Figures:
    """The figures of `load.Outcome` under this load."""
    crowd = Crowd(server.seat)
    try:
        await crowd.open(shape.documents, shape.people)
        await settle(server)
        outcome = await load.run(
            crowd, meters_of(server), writers=shape.writers, rate=shape.rate, seconds=seconds
        )
    finally:
        crowd.leave()
    return outcome.as_dict()


async def settle(server: Server, patience: float = 15.0) -> None:
    """Return when the server has nothing left to do: who came is announced to everybody, what was typed is stored."""
    deadline = time.monotonic() + patience
    before = meters_of(server).read()
    while time.monotonic() < deadline:
        await asyncio.sleep(0.25)
        after = meters_of(server).read()
        if after[1] - before[1] <= 0.05 * (after[0] - before[0]):
            return
        before = after
