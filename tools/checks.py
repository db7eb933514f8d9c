"""The checks that `make test` runs, one after the other, and the parts of it that have a name of their own."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tools import setup
from tools.machine import install_services
from tools.step import ROOT, ToolError, say

# What the person's own Collab is set to must not reach the tests.
_OWN_SETTINGS = ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "DJANGO_SETTINGS_MODULE")


@dataclass(frozen=True)
class Check:
    name: str
    command: Sequence[str | Path]
    cwd: Path = ROOT
    env: dict[str, str] = field(default_factory=dict)


def _python(name: str, *words: str) -> Check:
    return Check(name, [setup.PYTHON, "-m", *words])


def _npm(name: str, script: str) -> Check:
    chosen = setup.find_node()
    command = [*chosen.npm, "run", "--silent", script]
    return Check(name, command, cwd=setup.FRONTEND, env={"PATH": chosen.environment()["PATH"]})


def _pytest(part: str, words: Sequence[str]) -> list[Check]:
    """pytest over one folder of tests; `unit` is everything outside the others. Nothing before the folder exists."""
    parts = ("browser", "faults", "peers")
    # Most of them wait for a browser, a database or a clock: two at a time take little more than half as long.
    sharing = ["-n", "2", "--dist", "loadfile"] if part != "peers" and not words else []
    if part in parts:
        exists = (ROOT / "tests" / part).is_dir()
        return [_python(f"pytest {part}", "pytest", f"tests/{part}", *sharing, *words)] if exists else []
    ignored = [f"--ignore=tests/{folder}" for folder in parts]
    return [_python("pytest", "pytest", "tests", *ignored, *sharing, *words)]


def lint() -> list[Check]:
    setup.development_packages()
    return [
        _python("ruff format", "ruff", "format", "--check", "--quiet", "."),
        _python("ruff check", "ruff", "check", "--quiet", "."),
        Check("import-linter", [setup.VENV / "bin" / "lint-imports", "--no-cache", "--no-logo"]),
    ]


def types() -> list[Check]:
    setup.development_packages()
    setup.node_packages(setup.FRONTEND)
    return [_python("mypy", "mypy"), _npm("tsc", "check")]


def unit(words: Sequence[str] = ()) -> list[Check]:
    _prepare_tests()
    # Words are for pytest; the page's own tests run with them only when there are none.
    return [*([] if words else [_npm("page's code", "test")]), *_pytest("unit", words)]


def part(name: str, words: Sequence[str] = ()) -> list[Check]:
    """The tests in `tests/<name>`: browser, faults or peers; `soak` is the long version of faults."""
    _prepare_tests()
    if name == "soak":
        return [replace(check, env={"COLLAB_SOAK": "1"}) for check in _pytest("faults", words)]
    return _pytest(name, words)


def everything() -> list[Check]:
    _prepare_tests()
    return [*lint(), *types(), *unit(), *part("browser"), *part("faults"), *part("peers")]


def _prepare_tests() -> None:
    setup.runtime_packages()
    setup.development_packages()
    setup.static_files()
    setup.node_packages(setup.PEERS)
    install_services()


def run(checks: Iterable[Check]) -> None:
    """Run the checks in order, each under a headline; raises `ToolError` at the first that fails."""
    passed: list[str] = []
    pending = list(checks)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="collab-test-") as data:
        while pending:
            check = pending.pop(0)
            headline(check.name)
            begun = time.monotonic()
            code = subprocess.run(
                check.command, cwd=check.cwd, env=environment(check, data), check=False
            ).returncode
            if code != 0:
                not_run = f" Not run: {', '.join(other.name for other in pending)}." if pending else ""
                raise ToolError(f"{check.name} FAILED. Passed: {', '.join(passed) or 'nothing'}.{not_run}")
            passed.append(f"{check.name} ({time.monotonic() - begun:.0f} s)")
    headline(f"All passed in {time.monotonic() - started:.0f} s: {', '.join(passed)}")


def environment(check: Check, data: str) -> dict[str, str]:
    """This environment without Collab's settings, the check's own, and a data folder that goes away."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _OWN_SETTINGS and not name.startswith("COLLAB_")
    }
    return {**kept, "COLLAB_DATA_DIR": data, **check.env}


def headline(text: str) -> None:
    say(f"\n\033[1m== {text}\033[0m" if sys.stdout.isatty() else f"\n== {text}")
