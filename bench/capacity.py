"""The highest load that a server carries: everything delivered, 99 of 100 within 50 ms."""

from bench import load
from bench.load import Crowd, Meters, Outcome
from bench.tab import ConnectionEndedError

LIMIT_MS = 50.0
_MOST = 60_000


async def find(crowd: Crowd, meters: Meters, *, writers: int, first: float, quick: bool) -> dict[str, float]:
    """What a crowd makes the server carry, with so many writers in each document. The load is doubled until it is too
    much, then bisected; answers the figures at the highest one that was carried, only a capacity of 0 if not even
    `first` was. Loads are edits a second of all writers together. A load is too much if it was so twice: once may be
    somebody else's use of the machine."""
    seconds, bisections = (1.0, 2) if quick else (2.5, 3)

    async def attempt(edits: float) -> Outcome:
        rate = edits / (writers * len(crowd.groups))
        return await load.run(
            crowd, meters, writers=writers, rate=rate, seconds=seconds, warm_up=0.7, patience=2.0
        )

    async def carry(edits: float) -> Outcome | None:
        for _ in range(2):
            try:
                if carried(outcome := await attempt(edits)):
                    return outcome
            except ConnectionEndedError:
                # So much too much that the server sent tabs away which read too slowly.
                documents, people = len(crowd.groups), len(crowd.groups[0])
                crowd.leave()
                await crowd.open(documents, people)
        return None

    best: Outcome | None = None
    low, high = 0.0, first
    while high <= _MOST and (outcome := await carry(high)):
        best, low, high = outcome, high, high * 2
    for _ in range(bisections):
        middle = (low + high) / 2
        if outcome := await carry(middle):
            best, low = outcome, middle
        else:
            high = middle
    if best is None:
        return {"capacity": 0.0}
    return {**best.as_dict(), "capacity": low, "deliveries": low * (len(crowd.groups[0]) - 1)}


def carried(outcome: Outcome) -> bool:
    return outcome.complete and outcome.p99 < LIMIT_MS
