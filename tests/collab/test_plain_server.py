"""Collab on a server that knows nothing of it: plain Daphne, which refuses the close codes from 1001 to 2999."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collab.peer import Join
from tests.processes import Leash
from tests.server import Demo, Server, sign_in


class PlainDaphne(Server):
    """The application as any ASGI server runs it."""

    def _command(self) -> list[str | Path]:
        words = ["--bind", "127.0.0.1", "--port", str(self.port)]
        return [sys.executable, "-m", "daphne", *words, "collab.asgi:application"]


@pytest.fixture(scope="module")
def plain(leash: Leash, demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("plain") / "data"
    shutil.copytree(demo.folder, folder)
    server = PlainDaphne(leash, folder, demo, {})
    server.start()
    yield server
    server.stop()


async def test_a_tab_is_sent_away_without_a_code_when_the_server_refuses_it(
    plain: Server, join: Join
) -> None:
    """1007 would be right. What matters is that the tab is not left waiting, and that others hear nothing of it."""
    page = plain.documents[0]
    ada = await (await join(plain, page.id, sign_in(plain, plain.people["ada"]))).open()
    hostile = await (await join(plain, page.id, sign_in(plain, plain.people["ben"]))).open()
    await hostile.send(b"\xff" * 100)
    assert await hostile.closed() == 1000
    assert "this server does not close with 1007" in plain.log()
    await ada.type("still here")
    await ada.all_saved()


async def test_a_damaged_document_sends_the_tab_away_before_it_is_in(plain: Server, join: Join) -> None:
    """1011, from the handshake's own path, where there is no transport yet."""
    page = plain.documents[1]
    gap = (
        "from docs_app.documents.models import Document; from uuid import UUID\n"
        f"Document.objects.filter(id=UUID('{page.id}')).update(seq=7)"
    )
    plain.manage("shell", "--verbosity", "0", "--command", gap)
    peer = await join(plain, page.id, sign_in(plain, plain.people["ada"]))
    assert await peer.closed() == 1000
    assert peer.heard == []
    assert "this server does not close with 1011" in plain.log()


async def test_codes_that_the_server_knows_reach_the_tab(plain: Server, join: Join) -> None:
    peer = await join(plain, plain.documents[2].id, None)
    assert await peer.closed() == 4401
    assert peer.heard == []


async def test_people_write_together(plain: Server, join: Join) -> None:
    page = plain.documents[3]
    ada = await (await join(plain, page.id, sign_in(plain, plain.people["ada"]))).open()
    ben = await (await join(plain, page.id, sign_in(plain, plain.people["ben"]))).open()
    await ada.type("Hello Ben.")
    await ben.sees(lambda seen: seen == "Hello Ben.")
    await ada.all_saved()
    assert ben.refused == {}
