"""What the machine has, and what a process used of it, read from /proc. Linux only."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cores:
    """Which core is whose: the measured server, the load, and everything else (a database) if there are enough."""

    server: int
    load: int
    others: frozenset[int]


def share_cores() -> Cores:
    """Give the server the last core and the load the one before it: the first ones have more of the system's own work.
    Raises SystemExit on a machine with a single core."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise SystemExit("bench: two cores are needed, one for the server and one for the load.")
    server, load = allowed[-1], allowed[-2]
    return Cores(server, load, frozenset(allowed[:-2] or [load]))


def describe() -> dict[str, str]:
    """The machine, for the report."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // 1024
    return {
        "processor": model,
        "cores": str(os.cpu_count()),
        "memory": f"{memory} MiB",
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far, its threads included, its children not."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def cpu_seconds_of_tree(pid: int) -> float:
    """The same with the processes it started and those that have ended."""
    total, children = 0.0, children_of(pid)
    for one in (pid, *children):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(value) for value in fields[11:15]) / _TICKS
    return total


def children_of(pid: int) -> list[int]:
    """Direct children; a database keeps its connections in them."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
