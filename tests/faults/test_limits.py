"""What one person, one tab or one document may cost the others: limits hold, and nothing is lost at them."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from collab import pace
from collab.protocol import Close
from docs_app.accounts.models import User
from docs_app.documents.models import Document
from tests.faults import wire
from tests.faults.conftest import WithTeam
from tests.faults.lobby import Lobby, typed
from tests.faults.office import Office, in_database
from tests.faults.tab import until
from tests.server import StartServer


def resident(pid: int) -> int:
    """A process's memory in bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096


@pytest.mark.parametrize("limit", ["COLLAB_MAX_SOCKETS_PER_PERSON", "COLLAB_MAX_SOCKETS_PER_DOCUMENT"])
async def test_more_sockets_than_allowed_are_turned_away(
    server: StartServer, team: WithTeam, limit: str
) -> None:
    options: dict[str, Any] = {limit: "3"}
    collab = server(**options)
    everybody = team(collab)
    tabs = [everybody.tab("ada") for _ in range(3)]
    await until(lambda: all(tab.is_online for tab in tabs), "three tabs online")
    fourth = everybody.tab("ada")
    await until(lambda: fourth.stopped_by, "the refusal")
    assert fourth.stopped_by == Close.TOO_MANY
    # Another person is kept out by the document's limit only.
    ben = everybody.tab("ben")
    await until(lambda: ben.stopped_by or ben.is_online, "an answer")
    assert ben.is_online == (limit == "COLLAB_MAX_SOCKETS_PER_PERSON")
    await tabs[0].close()
    fifth = everybody.tab("ada")
    await until(lambda: fifth.is_online, "room for another one")


async def test_sockets_that_come_at_once_are_counted_too(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them ask before one of them has joined."""
    monkeypatch.setattr("django.conf.settings.MAX_SOCKETS_PER_PERSON", 3)
    ada, document = await in_database(lambda: (User.objects.get(name="Ada"), Document.objects.get()))
    callers = [lobby.call(ada, document.id) for _ in range(20)]
    await until(lambda: all(caller.sent or caller.closed for caller in callers), "an answer to each")
    greeted = [caller for caller in callers if caller.sent and not caller.closed]
    assert len(greeted) == 3
    assert {caller.closed for caller in callers if caller not in greeted} == {Close.TOO_MANY}


async def test_who_types_too_fast_is_slowed_down_and_loses_nothing(
    server: StartServer, team: WithTeam
) -> None:
    collab = server(COLLAB_MAX_FRAMES_PER_SECOND="100")
    everybody = team(collab)
    ada, ben = everybody.tab("ada"), everybody.tab("ben")
    await until(lambda: ada.is_online and ben.is_online, "two tabs online")
    started = time.monotonic()
    for number in range(400):
        ada.type(f"<{number}>")
    await until(lambda: not ada.unsaved, "everything saved")
    # A burst is free, then it takes as long as the limit says.
    assert time.monotonic() - started > 400 / 100 - pace.BURST - 0.5
    await until(lambda: str(ben) == str(ada), "the same text")
    assert ada.refused == []
    assert ada.closes == []


async def test_f27_a_document_warns_at_half_and_refuses_when_full(office: Office, monkeypatch: Any) -> None:
    monkeypatch.setattr("django.conf.settings.MAX_DOCUMENT", 10_000)
    ada, ben = office.peers[0], office.peers[1]
    ada.type(0, "x" * 4000)
    await office.settle()
    assert [event for event in ben.events if event["type"] == "size"] == []
    ada.type(0, "x" * 2000)
    await office.settle()
    for peer in (ada, ben):
        (size,) = [event for event in peer.events if event["type"] == "size"]
        assert size["limit"] == 10_000
        assert 6000 < size["bytes"] < 6200
    rows = await office.rows()
    ben.type(0, "y" * 5000)
    await office.settle()
    assert ben.refused == ["document-full"]
    assert ben.saved != ben.made
    assert await office.rows() == rows
    assert str(ada) == "x" * 6000
    # Who comes later is warned as well.
    ada.disconnect()
    ada.events.clear()
    ada.connect(office.room)
    ada.hear()
    assert [event["type"] for event in ada.events] == ["size"]


async def test_a_tab_does_not_fill_the_room_with_client_ids(office: Office) -> None:
    """Somebody announces ever new client ids. Everybody who comes has to be sent all of them."""
    ada = office.peers[0]
    assert ada.connection
    for client in range(5000):
        ada.connection.receive(wire.awareness(10_000 + client, 1, {"cursor": "x" * 1000}))
    assert len(office.room.presence.everybody()) < 100


async def test_f27_answers_to_many_state_vectors_do_not_pile_up(office: Office) -> None:
    """The answer to a state vector is kept for the next one who asks. Of a large document, only a few."""
    ada = office.peers[0]
    ada.type(0, "x" * 500_000)
    await office.settle()
    assert ada.connection
    most = 0
    for client in range(60):
        ada.connection.receive(wire.step_1(wire.uint(1) + wire.uint(5000 + client) + b"\1"))
        most = max(most, sum(map(len, office.room.replica._states.values())))
    print(f"kept for later: {most / 1e6:.0f} MB of answers about a document of 0.5 MB")
    assert most <= 10 * 500_000


async def test_a_flood_of_large_frames_waits_outside(server: StartServer, team: WithTeam) -> None:
    """Frames that come faster than they are taken in stay in the sender's own socket, not in the server's memory."""
    collab = server()
    everybody = team(collab)
    ada, ben = everybody.tab("ada"), everybody.tab("ben")
    await until(lambda: ada.is_online and ben.is_online, "two tabs online")
    before = resident(collab.pid)
    # Deletions of nothing: large, valid, and the same each time.
    hollow = typed("x" * 900_000, ada.doc.client_id)
    for _ in range(100):
        ada.send_update(hollow)
    peak = before
    ends = time.monotonic() + 6
    while time.monotonic() < ends:
        peak = max(peak, resident(collab.pid))
        await asyncio.sleep(0.05)
    ben.type("<still served>")
    await until(lambda: ben.saved, "another tab's edit saved", 5)
    growth = (peak - before) / 2**20
    print(f"100 frames of 0.9 MB at once: the server grew by {growth:.0f} MiB")
    assert growth < 40
    await everybody.close()


async def test_f18_a_stalled_reader_costs_little_and_catches_up(server: StartServer, team: WithTeam) -> None:
    collab = server(COLLAB_MAX_BYTES_PER_SECOND=str(64 * 2**20))
    everybody = team(collab)
    writer, reader, other = everybody.tab("ada"), everybody.tab("ben"), everybody.tab("chidi")
    await until(lambda: all(tab.is_online for tab in (writer, reader, other)), "three tabs online")
    # A first round, so that what the allocator keeps is not taken for a leak.
    await _write(writer, other, megabytes=4)
    await until(lambda: reader.is_online and str(reader) == str(writer), "the reader up to date")
    reader.stall()
    rounds: list[float] = []
    before = resident(collab.pid)
    for _ in range(5):
        await _write(writer, other, megabytes=4)
        rounds.append((resident(collab.pid) - before) / 2**20)
    print("server growth in MiB while 20 MiB were written past a stalled reader:", [round(x) for x in rounds])
    # The document itself lives in the server's memory, and so does its share of the log on its way.
    assert max(rounds) < 24
    connections = reader.connections
    reader.read_on()
    await until(lambda: reader.connections > connections and reader.is_online, "the reader back")
    await until(lambda: str(reader) == str(writer), "the reader up to date")
    assert other.connections == 1
    assert reader.closes[-1] in (Close.TRY_AGAIN, 1006)
    await everybody.close()


async def _write(writer: Any, other: Any, *, megabytes: int) -> None:
    """Write and delete again, so that the document does not grow with what is sent."""
    for _ in range(megabytes * 4):
        writer.text.insert(0, "x" * 2**18)
        writer.delete(0, 2**18)
    writer.type(f"<{len(writer.words)}>")
    await until(lambda: writer.words[-1] in writer.saved, "saved")
    await until(lambda: writer.words[-1] in str(other), "the other tab")


async def test_pending_edits_do_not_slow_everybody_down(office: Office) -> None:
    """A large edit whose past never comes waits in the room. It must not be read again at every keystroke."""
    ada, ben = office.peers[0], office.peers[1]
    count = 100_000
    waiting = b"\0" + wire.uint(1) + wire.uint(ada.client) + wire.uint(count) + b"\x01\x01" * count
    ada.up.append((wire.update(waiting), set()))
    await office.settle()
    assert ada.refused == []
    for letter in "hello":
        ben.type(0, letter)
    started = time.process_time()
    while ben.up:
        ben.send()
    each = (time.process_time() - started) / 5
    print(f"a keystroke beside a pending edit of {len(waiting) // 1000} KB: {each * 1000:.1f} ms")
    assert each < 0.01
