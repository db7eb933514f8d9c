"""However a server ends, what it called saved is there afterwards."""

import asyncio
import signal
from contextlib import suppress
from typing import Any

import pycrdt
import pytest
from websockets.exceptions import ConnectionClosed

from collab import protocol
from collab.protocol import Close
from docs_app.documents.replica import Replica
from tests.collab import reading
from tests.collab.peer import Join, Peer
from tests.collab.test_socket import rows
from tests.collab.waiting import until
from tests.server import Server, StartServer, sign_in

WORDS = 60


@pytest.fixture
def running(server: StartServer) -> Server:
    return server()


async def write(peer: Peer, words: int = WORDS) -> None:
    """Type without waiting for anything."""
    for number in range(words):
        await peer.type(f"{number} ")


async def write_on(peer: Peer) -> None:
    """Type word after word, never more than 100 ahead of what is saved, until the line breaks."""
    number = 0
    while peer.socket.close_code is None:
        await peer.type(f"{number} ")
        number += 1
        await until(lambda: peer.sent - peer.saved < 100 or peer.socket.close_code is not None)


def stored(server: Server, document_id: str) -> Replica:
    return Replica(rows(server, document_id))


async def test_sigterm_saves_everything_and_ends_in_order(running: Server, join: Join) -> None:
    pages = [running.documents[0].id, running.documents[1].id]
    cookie = sign_in(running, running.people["ada"])
    peers = [await (await join(running, page, cookie)).open() for page in pages]
    await asyncio.gather(*map(write, peers))
    # The server has taken in what it answers behind: nothing that we sent is on the way any more.
    for peer in peers:
        peer.heard.clear()
        await peer.send(protocol.sync_step_1(b"\x00"))
        await peer.hears(reading.STEP_2)
    code = await asyncio.to_thread(running.stop)
    assert code == 0
    for peer, page in zip(peers, pages, strict=True):
        assert await peer.closed() == Close.RESTARTING
        assert (peer.saved, peer.refused) == (peer.sent, {})
        assert stored(running, page).clocks[peer.doc.client_id] == len(str(peer.text))


async def test_the_next_start_says_how_the_last_server_ended(running: Server) -> None:
    complaint = "did not stop in order"
    assert await asyncio.to_thread(running.stop) == 0
    running.start()
    assert complaint not in running.log()
    await asyncio.to_thread(running.kill)
    running.start()
    assert complaint in running.log()


async def test_what_was_called_saved_survives_a_kill(running: Server, join: Join) -> None:
    page, cookie = running.documents[0].id, sign_in(running, running.people["ada"])
    ada = await (await join(running, page, cookie)).open()
    ben = await (await join(running, page, sign_in(running, running.people["ben"]))).open()
    writing = asyncio.ensure_future(write_on(ada))
    await until(lambda: ada.saved >= 200)
    await asyncio.to_thread(running.kill)
    with suppress(ConnectionClosed):
        await writing
    await asyncio.gather(ada.closed(), ben.closed())
    running.start()
    # The frames that were called saved are the first ones: the answer to step 1, then a word each.
    promised = "".join(f"{number} " for number in range(ada.saved - 1))
    late = await (await join(running, page, cookie)).open()
    assert str(late.text).startswith(promised)


async def test_what_was_not_saved_yet_comes_back_with_the_tabs(running: Server, join: Join) -> None:
    """Ben's last words reached Ada and then the server died; Ben never comes back, Ada does."""
    page = running.documents[0].id
    ada = await (await join(running, page, sign_in(running, running.people["ada"]))).open()
    ben = await (await join(running, page, sign_in(running, running.people["ben"]))).open()
    await ben.type("last words")
    await ada.sees(lambda seen: seen == "last words")
    await asyncio.to_thread(running.kill)
    await ada.closed()
    running.start()
    again = await join(running, page, sign_in(running, running.people["ada"]))
    again.doc.apply_update(ada.doc.get_update())
    await again.open()
    await again.type(", said Ben")
    await again.all_saved()
    assert again.refused == {}
    everything: pycrdt.Doc[Any] = pycrdt.Doc()
    for row in rows(running, page):
        everything.apply_update(row)
    assert str(everything.get("t", type=pycrdt.Text)) == "last words, said Ben"


async def test_a_second_server_on_the_same_data_does_not_start(running: Server, server: StartServer) -> None:
    holder = rf"Already served by process {running.pid} at 127\.0\.0\.1:{running.port}\."
    with pytest.raises(AssertionError, match=holder):
        server(beside=running)
    assert running.is_running()


def test_ctrl_c_ends_in_order(running: Server) -> None:
    assert running._process is not None
    assert running._process.end(signal.SIGINT) == 0
