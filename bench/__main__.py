"""`python -m bench`: measure, profile, report."""

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from bench import hotpath, machine, postgres, redis, report, rounds
from bench.documents import TRACE
from bench.rounds import PLAN, Results
from bench.scenarios import LECTURE, MEETING, OFFICE, scenarios
from bench.servers import HERE, PACKAGES, SERVERS, Server, Workshop

RESULTS = HERE / "results"
SHAPES = {"lecture": LECTURE, "meeting": MEETING, "office": OFFICE}


def main() -> None:
    options = parse()
    # Ends what was started and removes its data, as Ctrl+C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.command == "setup":
        return set_up(again=True)
    if options.command == "report":
        return report.write(json.loads(options.results.read_text()))
    set_up()
    if options.command == "profile":
        return profile(options)
    return measure(options)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("setup", help="install the other servers and the profiler")
    run = commands.add_parser("run", help="measure some scenarios (all: everything for the report)")
    run.add_argument("scenarios", nargs="+", metavar="scenario", choices=[*PLAN, "all"])
    run.add_argument("--servers", help="comma-separated: " + ", ".join(SERVERS))
    run.add_argument("--rounds", type=int, help="how often each server is measured")
    run.add_argument("--quick", action="store_true", help="seconds instead of minutes; for development")
    run.add_argument("--traces", type=Path, help=f"the folder of {TRACE}")
    run.add_argument(
        "--json", type=Path, help="where to keep the results (default: a file in bench/results/)"
    )
    profiling = commands.add_parser("profile", help="where Collab spends its time")
    profiling.add_argument("scenarios", nargs="+", metavar="scenario", choices=list(SHAPES))
    profiling.add_argument("--seconds", type=float, default=8)
    reporting = commands.add_parser("report", help="write results into docs/performance.md")
    reporting.add_argument("results", type=Path, nargs="?", default=RESULTS / "report.json")
    return parser.parse_args()


def set_up(*, again: bool = False) -> None:
    """Install what the benchmark needs beside Collab into its own folder, if it is not there."""
    if again or not (PACKAGES / "bin" / "py-spy").exists():
        words = ["install", "--quiet", "--upgrade", "--target", os.fspath(PACKAGES)]
        subprocess.run([sys.executable, "-m", "pip", *words, "-r", HERE / "requirements.txt"], check=True)
    if again or not (HERE / "node_modules" / "@hocuspocus").exists():
        subprocess.run(["npm", "ci", "--loglevel", "error"], cwd=HERE, check=True)


@contextmanager
def workshop(*, with_postgres: bool = False, with_redis: bool = False) -> Iterator[Workshop]:
    """Cores, limits and a folder for a measurement; everything that was started has ended afterwards."""
    cores = machine.share_cores()
    os.sched_setaffinity(0, {cores.load})
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory(prefix="collab-bench-") as name:
        folder = Path(name)
        # PostgreSQL's account must be able to enter.
        folder.chmod(0o711)
        made = Workshop(folder, cores.server, set(cores.others))
        if with_postgres:
            made.postgres = postgres.Postgres(folder / "postgres", set(cores.others))
        if with_redis:
            made.redis = redis.Redis(folder / "redis", set(cores.others))
        try:
            yield made
        finally:
            for service in (made.redis, made.postgres):
                if service:
                    service.stop()


def measure(options: argparse.Namespace) -> None:
    wanted = list(PLAN) if "all" in options.scenarios else options.scenarios
    known = scenarios(options.traces)
    servers = {name: options.servers.split(",") if options.servers else PLAN[name][0] for name in wanted}
    used = {one for some in servers.values() for one in some}
    with_redis = any(SERVERS[one].needs_redis for one in used) and redis.is_installed()
    with_postgres = postgres.is_installed() and (with_redis or "postgres" in used)
    results = Results()
    try:
        with workshop(with_postgres=with_postgres, with_redis=with_redis) as here:
            for name in wanted:
                rounds.measure(
                    name,
                    known[name],
                    [one for one in servers[name] if _can_run(SERVERS[one], here)],
                    options.rounds or (1 if options.quick else PLAN[name][1]),
                    workshop=here,
                    quick=options.quick,
                    results=results,
                )
    finally:
        # Also what was measured before Ctrl+C.
        keep(results, options)


def _can_run(server: type[Server], here: Workshop) -> bool:
    return (here.redis is not None or not server.needs_redis) and (
        here.postgres is not None or not server.on_postgres
    )


def keep(results: Results, options: argparse.Namespace) -> None:
    now = datetime.now(UTC)
    RESULTS.mkdir(exist_ok=True)
    file = options.json or RESULTS / f"{now:%Y-%m-%d-%H%M%S}.json"
    facts = {
        "measured": f"{now:%Y-%m-%d}",
        "machine": machine.describe(),
        "quick": options.quick,
        "trace": options.traces is not None,
    }
    file.write_text(json.dumps({**facts, **results.as_dict()}, indent=1) + "\n")
    print(f"kept in {file}")


def profile(options: argparse.Namespace) -> None:
    with workshop() as here:
        for name in options.scenarios:
            server = rounds.new_server("collab", here)
            server.start()
            try:
                found = uvloop.run(hotpath.record(server, here, SHAPES[name], options.seconds))
            finally:
                server.stop()
            sys.stdout.write(hotpath.describe(name, found))


if __name__ == "__main__":
    main()
