"""Work that is done once, and again when what it is made of has changed or when it was interrupted."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".setup"

# How pip, npm and apt say that they could not reach where packages come from.
_UNREACHABLE = re.compile(
    r"ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|NewConnectionError|ConnectTimeoutError|ReadTimeoutError"
    r"|ProxyError|SSLError|Could not fetch URL|Could not resolve|Failed to fetch|Connection refused"
)


class ToolError(Exception):
    """One sentence for the person at the keyboard; the command ends with it."""


def say(sentence: str) -> None:
    """A line on the console, at once also when the output goes to a file."""
    print(sentence, flush=True)


@dataclass(frozen=True)
class Step:
    """Work whose result stands while its stamp holds `key`. The stamp lies inside the result: they go together."""

    headline: str
    stamp: Path
    key: str
    work: Callable[[], None]

    def ensure(self) -> None:
        """Do the work unless it was completed for this key. Raises `ToolError`."""
        if self.is_done():
            return
        say(self.headline)
        # Removed first: whatever interrupts the work leaves no stamp, and the next start does it again.
        self.stamp.unlink(missing_ok=True)
        self.work()
        fresh = self.stamp.with_name(self.stamp.name + ".new")
        fresh.write_text(self.key)
        fresh.replace(self.stamp)

    def is_done(self) -> bool:
        return self.stamp.is_file() and self.stamp.read_text() == self.key


def digest(paths: Iterable[Path], *words: str) -> str:
    """A hash of files' names and contents (folders with all that is in them) and of the words."""
    total = hashlib.sha256("\0".join(words).encode())
    for path in sorted(paths):
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                content = hashlib.sha256(file.read_bytes()).hexdigest()
                total.update(f"\0{file.relative_to(ROOT).as_posix()}\0{content}".encode())
    return total.hexdigest()


def run_logged(
    command: Sequence[str | Path],
    *,
    log: str,
    failure: str,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    show: bool = False,
) -> None:
    """Run a command with its output in `.setup/<log>.log`. Raises `ToolError` that names the log.

    With `show` the end of the output is printed too: for errors in this project's code rather than in the network.
    """
    LOGS.mkdir(exist_ok=True)
    file = LOGS / f"{log}.log"
    with file.open("wb") as output:
        try:
            result = subprocess.run(
                [os.fspath(word) for word in command],
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        except OSError as error:
            raise ToolError(f"{failure}: {command[0]} can't be run ({error.strerror}).") from error
    if result.returncode == 0:
        return
    text = file.read_text(errors="replace")
    if show:
        print(*text.splitlines()[-30:], sep="\n", file=sys.stderr)
    reason = " because a package registry can't be reached" if not show and _UNREACHABLE.search(text) else ""
    raise ToolError(f"{failure}{reason}; details are in {file.relative_to(ROOT)}.")
