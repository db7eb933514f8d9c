"""Writes results into docs/performance.md, between its markers, and draws a picture for each scenario."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.picture import Bar, draw
from bench.rounds import middle
from bench.servers import ROOT
from bench.steady import Figures

PAGE = ROOT / "docs" / "performance.md"
IMAGES = ROOT / "docs" / "images"
_BEGIN, _END = "<!-- results: written by `python -m bench report` -->", "<!-- end of results -->"
_REFERENCE = "hocuspocus"
Runs = Mapping[str, Sequence[Figures]]


@dataclass(frozen=True)
class Column:
    """A figure of a scenario: its name in the results, its heading, how many digits, and a factor for its unit."""

    name: str
    heading: str
    digits: int = 1
    factor: float = 1.0


@dataclass(frozen=True)
class Section:
    """A scenario in the report. `shown` is the figure of the picture and of the ratio; less is better, or `more` is."""

    scenario: str
    title: str
    columns: tuple[Column, ...]
    shown: str
    more: bool = False


_DELIVERY = (
    Column("p50", "delivery p50, ms"),
    Column("p99", "delivery p99, ms"),
    Column("saved_p99", "saved p99, ms", 0),
    Column("frames", "frames/s received", 0),
    Column("cpu_per_1000", "CPU s per 1,000 edits", 2),
    Column("database_cpu_per_1000", "database's CPU s per 1,000 edits", 2),
)
_CAPACITY = (
    Column("capacity", "edits/s", 0),
    Column("deliveries", "deliveries/s", 0),
    Column("server_busy", "cores used", 2),
    Column("frames", "frames/s received", 0),
    Column("p99", "delivery p99 there, ms"),
)
SECTIONS = (
    Section("lecture", "Lecture: 500 readers, 20 writers at 10 edits/s", _DELIVERY, "p99"),
    Section("lecture-2", "Lecture: 500 readers, 2 writers at 10 edits/s", _DELIVERY, "p99"),
    Section("lecture-40", "Lecture: 500 readers, 40 writers at 10 edits/s", _DELIVERY, "p99"),
    Section("lecture-capacity", "Lecture: the highest load of 40 writers", _CAPACITY, "capacity", True),
    Section("frames-capacity", "Lecture without merging: the most frames", _CAPACITY, "frames", True),
    Section("meeting", "Meeting: 100 people, each typing at 50 edits/s", _DELIVERY, "p99"),
    Section("meeting-2", "Meeting: 100 people, each typing at 2 edits/s", _DELIVERY, "p99"),
    Section("meeting-10", "Meeting: 100 people, each typing at 10 edits/s", _DELIVERY, "p99"),
    Section("meeting-capacity", "Meeting: the highest load of 100 people", _CAPACITY, "capacity", True),
    Section("office", "Office: 200 documents, 5 people each, 1 types at 5 edits/s", _DELIVERY, "cpu_per_1000"),
    Section("office-capacity", "Office: the highest load of 100 documents", _CAPACITY, "capacity", True),
    Section("crossing", "Crossing: office, with each document's people in two processes", _DELIVERY, "p99"),
    Section(
        "storm",
        "Storm: 200 tabs come back at once after a restart",
        (Column("all", "all in sync after, ms", 0), Column("p50", "half of them, ms", 0)),
        "all",
    ),
    Section(
        "open",
        "Open: a document with 259,778 edits in its history",
        (
            Column("first", "first after a restart, ms"),
            Column("returned", "again after everybody had left, ms"),
            Column("again", "again while it is open, ms"),
            Column("state_bytes", "state, KB", 0, 1 / 1024),
        ),
        "first",
    ),
    Section(
        "idle",
        "Idle: memory of what is only open",
        (
            Column("connection_kb", "a connection, KB"),
            Column("document_kb", "an open 60 KB document, KB", 0),
            Column("connections", "connections", 0),
            Column("still_there", "still there after a minute", 0),
        ),
        "connection_kb",
    ),
)  # fmt: skip


def write(results: dict[str, Any]) -> None:
    """Replace what stands between the markers. Raises ValueError if the page has none."""
    before, begin, rest = PAGE.read_text().partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has no place for the results")
    IMAGES.mkdir(parents=True, exist_ok=True)
    parts = [_circumstances(results), _servers(results["servers"])]
    for section in SECTIONS:
        if runs := results["figures"].get(section.scenario):
            _draw(section, runs, results["servers"])
            parts.append(_section(section, runs, results["servers"]))
    parts.append(_failures(results["failures"]))
    PAGE.write_text(f"{before}{_BEGIN}\n\n" + "\n\n".join(filter(None, parts)) + f"\n\n{_END}{after}")


def _circumstances(results: dict[str, Any]) -> str:
    machine = results["machine"]
    trace = "the recorded paper" if results["trace"] else "a generated text of the same size"
    quick = " **A quick run, not fit to be quoted.**" if results["quick"] else ""
    return (
        f"Measured on {results['measured']}: {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory']}, Linux {machine['kernel']}. The document of *open* is {trace}.{quick}"
    )


def _servers(servers: Mapping[str, Mapping[str, str]]) -> str:
    lines = ["| server | version | what it has done with an edit that others see |", "|---|---|---|"]
    lines += [f"| {one['label']} | {one['version']} | {one['promise']} |" for one in servers.values()]
    return "\n".join(lines)


def _section(section: Section, runs: Runs, servers: Mapping[str, Mapping[str, str]]) -> str:
    columns = [
        column for column in section.columns if any(middle(some, column.name) for some in runs.values())
    ]
    reference = next((name for name in runs if name.startswith(_REFERENCE)), None)
    heads = ["server", "runs", *(column.heading for column in columns)]
    if reference:
        heads.append(f"{_heading(section)}: times Hocuspocus'")
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, some in runs.items():
        cells = [servers[name]["label"], str(len(some)), *(_cell(some, column) for column in columns)]
        if reference:
            cells.append(_ratio(runs, name, reference, section.shown))
        lines.append("| " + " | ".join(cells) + " |")
    image = f"![{section.title}](images/bench-{section.scenario}.svg)"
    return f"### {section.title}\n\n{image}\n\n" + "\n".join(lines)


def _heading(section: Section) -> str:
    return next(column.heading for column in section.columns if column.name == section.shown)


def _cell(runs: Sequence[Figures], column: Column) -> str:
    value = middle(runs, column.name)
    return "–" if value is None or not value else f"{value * column.factor:,.{column.digits}f}"


def _ratio(runs: Runs, name: str, reference: str, figure: str) -> str:
    own, theirs = middle(runs[name], figure), middle(runs[reference], figure)
    return f"{own / theirs:.2f}" if own and theirs else "–"


def _draw(section: Section, runs: Runs, servers: Mapping[str, Mapping[str, str]]) -> None:
    column = next(column for column in section.columns if column.name == section.shown)
    bars = [
        Bar(servers[name]["label"], value * column.factor, _cell(some, column), name.startswith("collab"))
        for name, some in runs.items()
        if (value := middle(some, section.shown)) is not None
    ]
    better = "more is better" if section.more else "less is better"
    picture = draw(section.title, f"{column.heading}; {better}", bars)
    (IMAGES / f"bench-{section.scenario}.svg").write_text(picture)


def _failures(failures: Sequence[Mapping[str, str]]) -> str:
    if not failures:
        return ""
    lines = [f"- {one['scenario']}, {one['server']}: {one['error'].splitlines()[0]}" for one in failures]
    return "Runs that failed and were repeated:\n\n" + "\n".join(lines)
