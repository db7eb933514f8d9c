"""Collab over real sockets: people write together, and hostile tabs harm only themselves."""

import asyncio
import sqlite3
import urllib.parse
import urllib.request
from typing import Any
from uuid import uuid4

import pycrdt
import pytest
from websockets.exceptions import InvalidStatus
from websockets.frames import OP_BINARY, OP_CONT, OP_PING, Frame

from collab import protocol
from docs_app.documents.replica import Replica
from tests.collab import reading
from tests.collab.conftest import Session
from tests.collab.crafted import gc, poison, text, typed, update
from tests.collab.peer import Join, address, handshake
from tests.collab.waiting import until
from tests.server import Server, StartServer, sign_in

POISON = poison()


def rows(server: Server, document_id: str) -> list[bytes]:
    """The document's log as it is on disk."""
    with sqlite3.connect(f"file:{server.data_dir / 'collab.sqlite3'}?mode=ro", uri=True) as database:
        found = database.execute(
            "SELECT data FROM docs_app_documentupdate WHERE document_id = ? ORDER BY seq",
            [document_id.replace("-", "")],
        )
        return [data for (data,) in found]


# -- Writing together ----------------------------------------------------------------------------------------------


async def test_two_people_write_together(shared: Server, session: Session, join: Join) -> None:
    page = shared.documents[1]
    ada = await (await join(shared, page.id, session("ada"))).open()
    ben = await (await join(shared, page.id, session("ben"))).open()
    await ada.type("Hello Ben. ")
    await ben.sees(lambda seen: seen == "Hello Ben. ")
    await ben.type("Hello Ada! ")
    await asyncio.gather(*(peer.type(word) for peer in (ada, ben) for word in ("at ", "once ")))
    await ada.sees(lambda seen: len(seen) == 38)
    await ben.sees(lambda seen: seen == str(ada.text))
    await asyncio.gather(ada.all_saved(), ben.all_saved())
    assert (ada.refused, ben.refused) == ({}, {})
    late = await (await join(shared, page.id, session("chidi"))).open()
    assert str(late.text) == str(ada.text)
    stored: pycrdt.Doc[Any] = pycrdt.Doc()
    for row in rows(shared, page.id):
        stored.apply_update(row)
    assert str(stored.get("t", type=pycrdt.Text)) == str(ada.text)


async def test_the_greeting_names_the_person_and_the_role(
    shared: Server, session: Session, join: Join
) -> None:
    ada = await join(shared, shared.documents[0].id, session("ada"))
    hello = (await ada.hears(reading.HELLO)).body
    assert (hello["role"], hello["person"]["name"]) == ("owner", "Ada Brightwater")
    elif_ = await join(shared, shared.documents[0].id, session("elif"))
    assert (await elif_.hears(reading.HELLO)).body["role"] == "viewer"


async def test_a_name_cannot_be_borrowed(shared: Server, session: Session, join: Join) -> None:
    page = shared.documents[2]
    ada = await (await join(shared, page.id, session("ada"))).open()
    ben = await (await join(shared, page.id, session("ben"))).open()
    await ben.announce(user={"name": "Ada Brightwater"}, cursor={"at": 1})

    def shown() -> list[str]:
        states = [heard.body.get(ben.doc.client_id) for heard in ada.heard if heard.kind == reading.AWARENESS]
        return [state[1]["user"]["name"] for state in states if state and state[1] and "cursor" in state[1]]

    await until(shown)
    assert set(shown()) == {"Ben Okafor"}


async def test_a_stock_client_hears_standard_messages_only(
    shared: Server, session: Session, join: Join
) -> None:
    page = shared.documents[3]
    stock = await (await join(shared, page.id, session("ben"), "")).open()
    ada = await (await join(shared, page.id, session("ada"))).open()
    await stock.type("from afar")
    await ada.sees(lambda seen: "from afar" in seen)
    await ada.type(", and back")
    await stock.sees(lambda seen: "and back" in seen)
    await ada.all_saved()
    standard = {reading.STEP_1, reading.STEP_2, reading.UPDATE, reading.AWARENESS}
    assert {heard.kind for heard in stock.heard} <= standard


# -- Who is let in -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "https://127.0.0.1"])
async def test_another_origin_is_refused_before_the_handshake(
    shared: Server, session: Session, origin: str | None
) -> None:
    url = address(shared, shared.documents[0].id)
    with pytest.raises(InvalidStatus) as refused:
        await handshake(url, session("ada"), origin)
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("path", ["/ws/", "/ws/documents/", "/ws/documents/not-a-uuid", "/anything", "/"])
async def test_an_unknown_address_is_refused(shared: Server, session: Session, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await handshake(f"ws://127.0.0.1:{shared.port}{path}", session("ada"), shared.url)
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("cookie", [None, "", "z" * 32])
async def test_nobody_enters_without_signing_in(shared: Server, join: Join, cookie: str | None) -> None:
    peer = await join(shared, shared.documents[0].id, cookie)
    assert await peer.closed() == 4401
    assert peer.heard == []


async def test_a_stranger_cannot_tell_a_document_from_none(
    shared: Server, session: Session, join: Join
) -> None:
    real = await join(shared, shared.documents[1].id, session("elif"))
    unknown = await join(shared, str(uuid4()), session("elif"))
    assert await real.closed() == await unknown.closed() == 4404
    assert real.socket.close_reason == unknown.socket.close_reason
    assert real.heard == unknown.heard == []
    assert dict(real.socket.response.headers).keys() == dict(unknown.socket.response.headers).keys()  # type: ignore[union-attr]


async def test_an_old_page_must_be_reloaded(shared: Server, session: Session, join: Join) -> None:
    old = await join(shared, shared.documents[0].id, session("ada"), "?v=1&schema=0")
    assert await old.closed() == 4426
    replaced = await join(shared, shared.documents[0].id, session("ada"), "?v=1&epoch=7")
    assert await replaced.closed() == 4409
    assert old.heard == replaced.heard == []


# -- Frames --------------------------------------------------------------------------------------------------------


async def test_frames_keep_their_order_whatever_way_they_take(
    shared: Server, session: Session, join: Join
) -> None:
    """Small ones are dealt with as they are read, a large one in a thread, one in parts by another parser."""
    page = shared.documents[3]
    ada = await (await join(shared, page.id, session("ada"))).open()
    await ada.all_saved()
    number = ada.sent
    large = protocol.update(b"\xff" * 40_000)
    small = [protocol.update(typed(77, clock, "s")) for clock in range(4)]
    frames = [
        Frame(OP_BINARY, small[0]),
        Frame(OP_BINARY, large),
        Frame(OP_BINARY, small[1]),
        Frame(OP_BINARY, small[2][:5], fin=False),
        Frame(OP_PING, b"between"),
        Frame(OP_CONT, small[2][5:]),
        Frame(OP_BINARY, large),
        Frame(OP_BINARY, small[3]),
    ]
    ada.sent += 6
    ada.socket.transport.write(b"".join(frame.serialize(mask=True) for frame in frames))
    await ada.all_saved()
    assert ada.refused == {number + 2: "malformed", number + 5: "malformed"}
    ben = await (await join(shared, page.id, session("ben"))).open()
    assert "ssss" in str(ben.text)


async def test_nothing_that_follows_a_broken_frame_is_taken_in(
    shared: Server, session: Session, join: Join
) -> None:
    page = shared.documents[3]
    hostile = await (await join(shared, page.id, session("ben"))).open()
    frames = [b"\xff", protocol.update(typed(78, 0, "never"))]
    hostile.socket.transport.write(b"".join(Frame(OP_BINARY, each).serialize(mask=True) for each in frames))
    assert await hostile.closed() == 1007
    ada = await (await join(shared, page.id, session("ada"))).open()
    assert "never" not in str(ada.text)


# -- Hostile tabs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff" * 1000, id="noise"),
        pytest.param(b"\x00\x00\x05" + bytes.fromhex("ffffffff0f"), id="a bomb of five bytes"),
        pytest.param(b"\x02\x00\x00", id="a message of the server"),
        pytest.param("text", id="text"),
    ],
)
async def test_what_is_no_message_ends_the_tab_and_nobody_elses(
    shared: Server, session: Session, join: Join, frame: bytes | str
) -> None:
    page = shared.documents[2]
    ada = await (await join(shared, page.id, session("ada"))).open()
    hostile = await (await join(shared, page.id, session("ben"))).open()
    await hostile.socket.send(frame)
    assert await hostile.closed() == 1007
    await ada.type("still here ")
    await ada.all_saved()


async def test_a_frame_of_two_megabytes_is_too_large(shared: Server, session: Session, join: Join) -> None:
    page = shared.documents[2]
    ada = await (await join(shared, page.id, session("ada"))).open()
    hostile = await (await join(shared, page.id, session("ben"))).open()
    await hostile.socket.send(b"\x00" * 2**21)
    assert await hostile.closed() == 1009
    await ada.type("still here ")
    await ada.all_saved()


async def test_a_frame_of_a_megabyte_is_not(shared: Server, session: Session, join: Join) -> None:
    page = shared.documents[4]
    ada = await (await join(shared, page.id, session("ada"))).open()
    await ada.type("x" * (2**20 - 100))
    await ada.all_saved()
    assert ada.refused == {}


async def test_poison_and_forgery_are_refused_and_stored_nowhere(
    shared: Server, session: Session, join: Join
) -> None:
    page = shared.documents[5]
    ada = await (await join(shared, page.id, session("ada"))).open()
    hostile = await (await join(shared, page.id, session("ben"))).open()
    watching = await (await join(shared, page.id, session("chidi"))).open()
    await ada.type("before ")
    await ada.all_saved()
    await hostile.all_saved()
    stored, number = rows(shared, page.id), hostile.sent
    theirs = ada.doc.client_id
    attacks = {
        POISON.panics_on_apply: "malformed",
        bytes.fromhex("000105ffffffff0f"): "malformed",
        update((theirs, 7, [gc(1000)])): "not-yours",
        update(
            (hostile.doc.client_id, 0, [text("a"), text("b", parent=(hostile.doc.client_id, 0))])
        ): "malformed",
        typed(theirs, 7, "forged"): "not-yours",
    }
    for attack in attacks:
        await hostile.send(protocol.update(attack))
    last = number + len(attacks)
    await hostile.hears(reading.REFUSED, (last, "not-yours"))
    assert hostile.refused == dict(enumerate(attacks.values(), start=number + 1))
    assert rows(shared, page.id) == stored
    await ada.type("after")
    await ada.all_saved()
    await watching.sees(lambda seen: seen == "before after")
    assert Replica(rows(shared, page.id)).clocks[theirs] == 12


async def test_a_viewer_reads_and_writes_nothing(shared: Server, session: Session, join: Join) -> None:
    page = shared.documents[0]
    ada = await (await join(shared, page.id, session("ada"))).open()
    await ada.type("to read ")
    await ada.all_saved()
    viewer = await (await join(shared, page.id, session("elif"))).open()
    assert "to read" in str(viewer.text)
    await viewer.all_saved()
    stored = rows(shared, page.id)
    await viewer.type("graffiti")
    await viewer.hears(reading.REFUSED, (2, "read-only"))
    await ada.type("and on ")
    await ada.all_saved()
    assert len(rows(shared, page.id)) == len(stored) + 1
    assert "graffiti" not in str(ada.text)


# -- What open tabs are told ---------------------------------------------------------------------------------------


def rename(server: Server, cookie: str, document_id: str, title: str) -> None:
    login = urllib.request.urlopen(f"{server.url}/accounts/login/")
    token = login.headers["Set-Cookie"].split("csrftoken=")[1].split(";")[0]
    request = urllib.request.Request(
        f"{server.url}/documents/{document_id}/title",
        urllib.parse.urlencode({"title": title}).encode(),
        {"Cookie": f"sessionid={cookie}; csrftoken={token}", "X-CSRFToken": token, "Origin": server.url},
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 204


async def test_a_new_title_reaches_open_tabs(shared: Server, session: Session, join: Join) -> None:
    page = shared.documents[1]
    ben = await (await join(shared, page.id, session("ben"))).open()
    await asyncio.to_thread(rename, shared, session("ada"), page.id, "Öffnungszeiten")
    await ben.hears(reading.EVENT, {"type": "title", "title": "Öffnungszeiten"})


async def test_access_that_ends_closes_open_tabs(server: StartServer, redis_url: str, join: Join) -> None:
    running = server(REDIS_URL=redis_url)
    page = running.documents[0]
    viewer = await (await join(running, page.id, sign_in(running, running.people["elif"]))).open()
    ada = await (await join(running, page.id, sign_in(running, running.people["ada"]))).open()
    revoke = (
        "from django.db import transaction; from uuid import UUID; from docs_app import live; "
        "from docs_app.sharing.models import Grant\n"
        f"with transaction.atomic(): Grant.objects.all().delete(); live.tell(UUID('{page.id}'), "
        "{'type': 'access'})"
    )
    await asyncio.to_thread(running.manage, "shell", "--verbosity", "0", "--command", revoke)
    assert await viewer.closed() == 4403
    await ada.type("still here")
    await ada.all_saved()
