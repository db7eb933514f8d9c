"""What is done to a server, by name. Each answers figures; times are milliseconds."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from bench import capacity, stillness
from bench.load import Crowd
from bench.servers import OFFICE_PEOPLE, Server
from bench.steady import Figures, Shape, meters_of, settle, steady

Scenario = Callable[[Server, bool], Coroutine[Any, Any, Figures]]

LECTURE = Shape(documents=1, people=520, writers=20, rate=10)
MEETING = Shape(documents=1, people=100, writers=100, rate=50)
OFFICE = Shape(documents=200, people=OFFICE_PEOPLE, writers=1, rate=5)
SECONDS, QUICK_SECONDS = 4.0, 2.0


def _steady(shape: Shape) -> Scenario:
    async def scenario(server: Server, quick: bool) -> Figures:
        return await steady(server, shape, QUICK_SECONDS if quick else SECONDS)

    return scenario


def _capacity(people: int, writers: int, first: float, documents: int = 1) -> Scenario:
    """The highest load on so many documents, in edits a second of all writers together; `first` is tried first."""

    async def scenario(server: Server, quick: bool) -> Figures:
        crowd = Crowd(server.seat)
        try:
            await crowd.open(documents, people)
            await settle(server)
            return await capacity.find(crowd, meters_of(server), writers=writers, first=first, quick=quick)
        finally:
            crowd.leave()

    return scenario


def scenarios(traces: Path | None) -> dict[str, Scenario]:
    """By name; `traces` is the folder of the recorded paper, if it is at hand."""

    async def opening(server: Server, quick: bool) -> Figures:
        return await stillness.opening(server, quick, traces)

    return {**_SCENARIOS, "open": opening}


_SCENARIOS: dict[str, Scenario] = {
    "lecture": _steady(LECTURE),
    "lecture-2": _steady(Shape(documents=1, people=502, writers=2, rate=10)),
    "lecture-40": _steady(Shape(documents=1, people=540, writers=40, rate=10)),
    "lecture-capacity": _capacity(people=540, writers=40, first=400),
    # The same with merging switched off on both sides: how many frames, not how many edits.
    "frames-capacity": _capacity(people=540, writers=40, first=100),
    "meeting": _steady(MEETING),
    "meeting-2": _steady(Shape(documents=1, people=100, writers=100, rate=2)),
    "meeting-10": _steady(Shape(documents=1, people=100, writers=100, rate=10)),
    "meeting-capacity": _capacity(people=100, writers=100, first=2000),
    "office": _steady(OFFICE),
    "office-capacity": _capacity(people=OFFICE_PEOPLE, writers=1, first=1000, documents=100),
    "crossing": _steady(OFFICE),
    "storm": stillness.storm,
    "idle": stillness.idle,
}
