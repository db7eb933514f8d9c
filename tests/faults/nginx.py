"""A real nginx with the configuration that `deploy/` gives people, on ports of the test's own."""

import copy
import os
import re
import signal
from collections.abc import Sequence
from pathlib import Path

from tests.processes import Leash, Process, free_port, wait_until
from tests.server import ROOT, Server

HASH = "    hash $collab_key consistent;\n"

# What nginx.conf of a distribution says around conf.d. `where` tells which process answered.
_AROUND = """
daemon off; worker_processes 1; pid {folder}/pid; error_log stderr warn; {user}
events {{ worker_connections 1024; }}
http {{
    types {{ text/css css; application/javascript js; }}
    log_format where '$status $upstream_addr $uri';
    access_log {folder}/access.log where;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/collab.conf;
}}
"""


def _replaced(text: str, pattern: str, by: str) -> str:
    """The text with every match replaced; there must be one, or the test would try something else than people get."""
    text, count = re.subn(pattern, by, text, flags=re.MULTILINE)
    assert count, f"deploy/nginx.conf has nothing like {pattern}"
    return text


def _configuration(port: int, servers: Sequence[Server], *, hashed: bool) -> str:
    """The file from `deploy/` without encryption, which needs a certificate, and without the redirect to it."""
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    text = _replaced(text, r"^server \{\n    listen 80;(?s:.*?)^\}\n", "")
    text = _replaced(text, r"^    ssl_certificate.*\n", "")
    text = _replaced(text, r"^    listen \[::\].*\n", "")
    text = _replaced(text, r"listen 443 ssl http2;", f"listen 127.0.0.1:{port};")
    text = _replaced(text, r"docs\.example\.org", "127.0.0.1")
    text = _replaced(text, r"/srv/collab/staticfiles/", f"{ROOT / 'staticfiles'}/")
    addresses = "".join(f"    server 127.0.0.1:{one.port};\n" for one in servers)
    text = _replaced(text, r"(?:^    server 127\.0\.0\.1:800\d;\n)+", addresses)
    assert HASH in text
    return text if hashed else text.replace(HASH, "")


class Nginx:
    """Runs until `stop`. `server` is Collab as it is seen through it."""

    def __init__(
        self, binary: Path, leash: Leash, folder: Path, servers: Sequence[Server], *, hashed: bool
    ) -> None:
        self.folder, self.port = folder, free_port()
        (folder / "collab.conf").write_text(_configuration(self.port, servers, hashed=hashed))
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(_AROUND.format(folder=folder, user=user))
        command: list[str | Path] = [binary, "-c", folder / "nginx.conf"]
        self._process: Process = leash.start(command, log=folder / "log", env=dict(os.environ), user=None)
        self.server = copy.copy(servers[0])
        self.server.port, self.server.url = self.port, f"http://127.0.0.1:{self.port}"
        wait_until(self._answers, "an answer from nginx")

    def _answers(self) -> bool:
        assert self._process.is_running(), f"nginx ended at once:\n{self.log()}"
        return self.server._answers()

    def log(self) -> str:
        return self._process.log()

    def ports_of(self, path: str) -> list[int]:
        """Which processes served requests for this path so far; a socket counts when it has ended."""
        lines = [line.split(" ", 2) for line in (self.folder / "access.log").read_text().splitlines()]
        return [int(where.rpartition(":")[2]) for _, where, uri in lines if uri == path]

    def stop(self) -> None:
        self._process.end(signal.SIGTERM)
