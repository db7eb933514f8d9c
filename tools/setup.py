"""What a working copy needs before Collab can start or be tested, in the order it is made."""

import fcntl
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools import node
from tools.step import LOGS, ROOT, Step, ToolError, digest, run_logged, say

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
FRONTEND = ROOT / "frontend"
BUNDLE = FRONTEND / "dist"
PEERS = ROOT / "tests" / "peers"
STATIC = ROOT / "staticfiles"
RUNTIME = ROOT / "requirements.txt"
DEVELOPMENT = ROOT / "requirements-dev.txt"
# There while pip works. A pip that was killed leaves packages that look complete, so .venv is then made anew.
_INSTALLING = VENV / ".installing"


@contextmanager
def alone() -> Iterator[None]:
    """Keep a second set-up of this working copy waiting until the first is done."""
    with open(__file__, "rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another set-up of this folder to finish …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def application() -> None:
    """Everything `manage.py serve` needs. Raises `ToolError`."""
    runtime_packages()
    static_files()
    database()


def virtual_environment() -> None:
    # The interpreter behind a virtual environment, so that this works while it runs from the one it replaces.
    base = os.path.realpath(getattr(sys, "_base_executable", sys.executable))

    def make() -> None:
        shutil.rmtree(VENV, ignore_errors=True)
        run_logged(
            [base, "-m", "venv", VENV], log="venv", failure="The virtual environment could not be made"
        )

    if _INSTALLING.exists():
        (VENV / ".made").unlink(missing_ok=True)
    key = f"{base} {sys.version_info.major}.{sys.version_info.minor}"
    Step(f"Making .venv with Python {platform.python_version()} …", VENV / ".made", key, make).ensure()


def runtime_packages() -> None:
    virtual_environment()
    _packages(RUNTIME, inputs=[RUNTIME])


def development_packages() -> None:
    """The packages for checks and tests, on top of the ones Collab runs with."""
    virtual_environment()
    _packages(DEVELOPMENT, inputs=[RUNTIME, DEVELOPMENT])


def _packages(requirements: Path, *, inputs: list[Path]) -> None:
    def install() -> None:
        _pip("-r", requirements, log=requirements.stem)

    stamp = VENV / f".{requirements.stem}"
    Step(f"Installing the Python packages of {requirements.name} …", stamp, digest(inputs), install).ensure()


def _pip(*words: str | Path, log: str) -> None:
    command = [PYTHON, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", *words]
    _INSTALLING.touch()
    try:
        run_logged(command, log=log, failure="The Python packages could not be installed")
    except ToolError:
        # pip ended by itself, and puts back what it had begun to replace.
        _INSTALLING.unlink()
        raise
    _INSTALLING.unlink()


def find_node() -> node.Node:
    """Node 20 or newer with npm, installed into .venv if the machine has none."""
    found = node.find()
    if found is None:
        virtual_environment()
        say("Installing Node into .venv (there is no Node 20 or newer with npm on PATH) …")
        _pip(node.PACKAGE, log="node")
        found = node.find()
    if found is None:
        raise ToolError("Node 20 or newer is needed, and the one from PyPI does not run on this machine.")
    return found


def node_packages(folder: Path) -> None:
    """`npm ci` in a folder with a package.json and its lock file."""

    def install() -> None:
        chosen = find_node()
        run_logged(
            [*chosen.npm, "ci", "--no-audit", "--no-fund"],
            log=f"npm-{folder.name}",
            failure=f"The packages of {folder.relative_to(ROOT)} could not be installed",
            cwd=folder,
            env=chosen.environment(),
        )

    inputs = [folder / "package.json", folder / "package-lock.json", folder / ".npmrc"]
    headline = f"Installing the Node packages of {folder.relative_to(ROOT)} …"
    # Packages for another processor or system (a folder shared with a container) don't run here.
    key = digest(inputs, platform.system(), platform.machine())
    Step(headline, folder / "node_modules" / ".made", key, install).ensure()


def bundle() -> None:
    node_packages(FRONTEND)

    def build() -> None:
        chosen = find_node()
        run_logged(
            [*chosen.npm, "run", "build"],
            log="bundle",
            failure="The bundle could not be built",
            cwd=FRONTEND,
            env=chosen.environment(),
            show=True,
        )

    Step("Building the bundle …", BUNDLE / ".made", digest(_bundle_inputs()), build).ensure()


def _bundle_inputs() -> list[Path]:
    made_here = {"node_modules", "dist", "test"}
    return [path for path in FRONTEND.iterdir() if path.name not in made_here]


def static_files() -> None:
    bundle()

    def collect() -> None:
        # The names with hashes that collecting gives files are needed whether or not somebody debugs today.
        env = {name: value for name, value in os.environ.items() if name != "COLLAB_DEBUG"}
        STATIC.mkdir(exist_ok=True)
        run_logged(
            [PYTHON, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
            log="static-files",
            failure="The static files could not be collected",
            env=env,
            show=True,
        )

    # Packages bring static files of their own: the admin's, for one.
    inputs = [*_bundle_inputs(), RUNTIME, ROOT / "collab" / "settings.py", *ROOT.glob("docs_app/**/static")]
    Step("Collecting static files …", STATIC / ".made", digest(inputs), collect).ensure()


def database() -> None:
    """Bring the database up to date. Its own table of migrations is the stamp: it is right also after a restore."""
    pending = subprocess.run(
        [PYTHON, "manage.py", "migrate", "--check"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    interrupted = LOGS / "migrating"
    if pending.returncode == 0 and not interrupted.exists():
        return
    say("Bringing the database up to date …")
    LOGS.mkdir(exist_ok=True)
    # Migrations commit one by one and are followed by work of their own (permissions), which no table tells of.
    interrupted.touch()
    run_logged(
        [PYTHON, "manage.py", "migrate", "--no-input"],
        log="database",
        failure="The database could not be brought up to date",
        show=True,
    )
    interrupted.unlink()


def clean() -> None:
    """Remove everything that set-up and tests made. The data folder stays."""
    caches = (
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".hypothesis",
        ".import_linter_cache",
        "test-results",
    )
    modules = [FRONTEND / "node_modules", PEERS / "node_modules"]
    for path in (BUNDLE, STATIC, LOGS, VENV, *modules, *(ROOT / name for name in caches)):
        shutil.rmtree(path, ignore_errors=True)
    for path in [*ROOT.glob("*/**/__pycache__")]:
        if "node_modules" not in path.parts:
            shutil.rmtree(path, ignore_errors=True)
