"""What the tests need from the machine besides Python and Node: Chromium, Redis, PostgreSQL, nginx."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.step import ToolError, run_logged, say

_BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def find_browser() -> Path | None:
    """A Chromium that answers. Ubuntu's `chromium-browser` may be a script that only asks for a snap."""
    for name in _BROWSERS:
        if path := shutil.which(name):
            try:
                answer = subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False)
            except (OSError, subprocess.TimeoutExpired):
                continue
            if answer.returncode == 0:
                return Path(path)
    return None


def find_redis() -> Path | None:
    path = shutil.which("redis-server")
    return Path(path) if path else None


def find_postgres() -> Path | None:
    """The folder with `initdb` and `postgres`, the newest if there are several. Debian keeps it off PATH."""
    if path := shutil.which("initdb"):
        return Path(path).resolve().parent
    versions = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(versions, key=lambda folder: float(folder.parent.name), default=None)


def find_nginx() -> Path | None:
    """Debian keeps it where only root's PATH looks."""
    path = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    return Path(path) if path else None


@dataclass(frozen=True)
class Service:
    name: str
    package: str
    find: Callable[[], Path | None]


SERVICES = (
    Service("Chromium", "chromium", find_browser),
    Service("Redis", "redis-server", find_redis),
    Service("PostgreSQL", "postgresql", find_postgres),
    Service("nginx", "nginx", find_nginx),
)


def install_services() -> None:
    """On Debian and Ubuntu as root install what is missing; elsewhere say what the tests will do without.

    Raises `ToolError` if apt does.
    """
    missing = [service for service in SERVICES if service.find() is None]
    if not missing:
        return
    names = ", ".join(service.name for service in missing)
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        consequence = (
            "the tests that use it fail" if os.environ.get("CI") == "true" else "its tests are skipped"
        )
        say(f"Not on this machine: {names}; {consequence}.")
        return
    say(f"Installing {names} …")
    packages = [service.package for service in missing]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        run_logged(
            ["apt-get", "-q", *words],
            log=f"apt-{words[0]}",
            failure=f"{names} could not be installed",
            env=env,
        )
    if still := [service.name for service in missing if service.find() is None]:
        raise ToolError(f"apt-get installed {' and '.join(still)}, but it does not run.")
