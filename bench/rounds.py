"""In which order servers are measured: they alternate, each round in another order, so that a disturbance does not
always hit the same one. A run that failed or was disturbed is repeated, and counted."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import uvloop

from bench.scenarios import Scenario
from bench.servers import SERVERS, Server, Workshop
from bench.steady import Figures

# The load typed later than that: something else used its core, or the server's neighbours were too busy.
DISTURBED_MS = 5.0
_ATTEMPTS = 3

# Who is measured how often for the report.
PLAN: dict[str, tuple[Sequence[str], int]] = {
    "lecture": (("collab", "hocuspocus", "y-websocket", "postgres", "uvicorn"), 3),
    "meeting": (("collab", "hocuspocus", "y-websocket", "postgres", "uvicorn"), 3),
    "office": (("collab", "hocuspocus", "y-websocket", "postgres", "uvicorn"), 3),
    "lecture-2": (("collab", "hocuspocus"), 1),
    "lecture-40": (("collab", "hocuspocus"), 1),
    "meeting-2": (("collab", "hocuspocus"), 1),
    "meeting-10": (("collab", "hocuspocus"), 1),
    "lecture-capacity": (("collab", "hocuspocus"), 3),
    "meeting-capacity": (("collab", "hocuspocus"), 3),
    "frames-capacity": (("collab-unmerged", "hocuspocus-unmerged"), 3),
    "office-capacity": (("postgres", "pair"), 3),
    "crossing": (("crossing",), 3),
    "storm": (("collab", "hocuspocus"), 3),
    "open": (("collab", "hocuspocus"), 3),
    "idle": (("collab", "hocuspocus"), 1),
}


@dataclass
class Results:
    """Figures by scenario and server, a list with one entry a round; what failed; what the servers are."""

    figures: dict[str, dict[str, list[Figures]]] = field(default_factory=dict)
    failures: list[dict[str, str]] = field(default_factory=list)
    servers: dict[str, dict[str, str]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {"figures": self.figures, "failures": self.failures, "servers": self.servers}


def measure(
    name: str,
    scenario: Scenario,
    servers: Sequence[str],
    times: int,
    *,
    workshop: Workshop,
    quick: bool,
    results: Results,
    say: Callable[[str], None] = print,
) -> None:
    """Run a scenario so many times on each server."""
    for turn in range(times):
        order = [*servers[turn % len(servers) :], *servers[: turn % len(servers)]]
        for one in order:
            figures = _attempt(name, scenario, one, workshop=workshop, quick=quick, results=results)
            if figures is not None:
                results.figures.setdefault(name, {}).setdefault(one, []).append(figures)
                say(f"{name:17s} {one:20s} {line(figures)}")


def _attempt(
    name: str, scenario: Scenario, one: str, *, workshop: Workshop, quick: bool, results: Results
) -> Figures | None:
    """The least disturbed of at most three runs; None if all failed."""
    best: Figures | None = None
    for _ in range(_ATTEMPTS):
        server = SERVERS[one](workshop)
        try:
            server.start()
            results.servers[one] = {
                "label": server.label,
                "promise": server.promise,
                "version": server.version(),
            }
            figures = uvloop.run(scenario(server, quick))
        except (RuntimeError, OSError, TimeoutError) as error:
            results.failures.append({"scenario": name, "server": one, "error": str(error) or repr(error)})
            sys.stderr.write(f"{name} {one} failed: {error!r}\n{server.output()}\n")
            continue
        finally:
            server.stop()
        if best is None or figures.get("lag", 0) < best.get("lag", 0):
            best = figures
        if best.get("lag", 0) < DISTURBED_MS:
            break
    return best


def line(figures: Figures) -> str:
    return " ".join(f"{name} {value:.2f}" for name, value in figures.items() if value)


def middle(runs: Sequence[Figures], name: str) -> float | None:
    """The median of a figure, None if no run has it."""
    values = [run[name] for run in runs if name in run]
    return median(values) if values else None


def new_server(name: str, workshop: Workshop) -> Server:
    return SERVERS[name](workshop)
