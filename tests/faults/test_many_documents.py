"""Many documents are opened and closed: the server's memory comes back to where it was."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import connect

from tests.faults import wire
from tests.faults.conftest import Tune, WithTeam, long_or_short
from tests.faults.lobby import typed
from tests.faults.tab import until
from tests.faults.test_limits import resident
from tests.server import Server

DOCUMENTS = long_or_short(2000, 200)
AT_ONCE = 20

_MAKE = """
import json
from docs_app.documents.models import Document
from docs_app.workspaces.models import Workspace
workspace = Workspace.objects.get()
made = Document.objects.bulk_create(Document(workspace=workspace, title=str(n)) for n in range(%d))
print(json.dumps([str(document.id) for document in made]))
"""


async def _visit(server: Server, session: str, document: str, client: int, size: int) -> None:
    """Open a document, write so many bytes into it, hear that it is saved, leave."""
    uri = f"{server.url.replace('http', 'ws', 1)}/ws/documents/{document}?v=1"
    cookie = {"Cookie": f"sessionid={session}"}
    origin: Any = server.url
    async with connect(uri, origin=origin, additional_headers=cookie, compression=None, proxy=None) as socket:
        await socket.send(wire.awareness(client, 1, {}))
        await socket.send(wire.update(typed("x" * size, client)))
        async for message in socket:
            assert isinstance(message, bytes)
            assert message[0] != wire.REFUSED
            if message[0] == wire.SAVED:
                return


async def _visit_all(server: Server, session: str, documents: list[str], client: int, size: int) -> None:
    waiting = list(documents)

    async def work() -> None:
        while waiting:
            await _visit(server, session, waiting.pop(), client, size)

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))


@pytest.mark.parametrize("rounds", [2])
async def test_f23_memory_comes_back(tuned: Tune, team: WithTeam, rounds: int) -> None:
    server = tuned({"collab.rooms.LINGER": 0.2, "collab.rooms.BEAT_EVERY": 0.2})
    everybody = team(server)
    # One tab stays, so that there is a room to compare with.
    ada = everybody.tab("ada")
    await until(lambda: ada.is_online, "a tab online")
    documents = json.loads(
        await asyncio.to_thread(server.manage, "shell", "--no-imports", "-c", _MAKE % DOCUMENTS)
    )
    session = everybody.sessions["ada"]
    await _visit_all(server, session, documents, 7, 20_000)
    warm = await _settled(server)
    for number in range(rounds):
        # A few bytes: documents that had grown would not be the same ones to open.
        await _visit_all(server, session, documents, 8 + number, 5)
    after = await _settled(server)
    figures = f"{warm / 2**20:.0f} MiB after one round, {after / 2**20:.0f} MiB after {1 + rounds}"
    print(f"{DOCUMENTS} documents: {figures}")
    assert after < warm * 1.1
    ada.type("<still here>")
    await until(lambda: ada.saved, "saved")


async def _settled(server: Server) -> int:
    """The server's memory once it stops falling: idle rooms are closed by then."""
    sizes = [resident(server.pid)]
    while len(sizes) < 5 or min(sizes[:-4]) > min(sizes[-4:]) * 1.005:
        await asyncio.sleep(0.5)
        sizes.append(resident(server.pid))
    return min(sizes)
