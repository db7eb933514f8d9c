"""`python -m tools COMMAND`: what the targets of the Makefile do."""

import argparse
import os
import subprocess
import sys

from tools import checks, setup
from tools.step import ROOT, ToolError

PARTS = ("browser", "faults", "peers", "soak")


def run(host: str | None, port: str | None) -> None:
    """Set up and become the server, which then gets the terminal's signals itself."""
    with setup.alone():
        setup.application()
    command = [str(setup.PYTHON), "manage.py", "serve"]
    for option, value in (("--host", host), ("--port", port)):
        if value:
            command += [option, value]
    sys.stdout.flush()
    os.execv(command[0], command)


def check(command: str, words: list[str]) -> None:
    with setup.alone():
        match command:
            case "test":
                chosen = checks.everything()
            case "lint":
                chosen = checks.lint()
            case "types":
                chosen = checks.types()
            case "unit":
                chosen = checks.unit(words)
            case _:
                chosen = checks.part(command, words)
    checks.run(chosen)


def rewrite() -> None:
    with setup.alone():
        setup.development_packages()
    for words in (["check", "--fix-only", "--quiet", "."], ["format", "."]):
        subprocess.run([setup.PYTHON, "-m", "ruff", *words], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("setup", "test", "lint", "types", "format", "clean"):
        commands.add_parser(name)
    for name in ("unit", *PARTS):
        commands.add_parser(name).add_argument("words", nargs="*", help="more words for pytest")
    start = commands.add_parser("run")
    start.add_argument("--host")
    start.add_argument("--port")
    options = parser.parse_args()

    os.chdir(ROOT)
    match options.command:
        case "run":
            run(options.host, options.port)
        case "setup":
            with setup.alone():
                setup.application()
        case "format":
            rewrite()
        case "clean":
            setup.clean()
        case command:
            check(command, getattr(options, "words", []))


if __name__ == "__main__":
    try:
        main()
    except ToolError as failure:
        sys.exit(f"collab: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
