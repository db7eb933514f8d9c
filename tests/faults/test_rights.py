"""Rights and sign-ins that end while tabs are open, against a real server: within two seconds the tab is closed, and
an edit that is on its way is refused, not stored."""

import asyncio
import threading
import time
import urllib.parse
import urllib.request
from typing import Any

import pytest
from channels.layers import channel_layers
from django.test import Client

from collab.protocol import Close
from docs_app import access, live
from docs_app.accounts.models import User
from docs_app.documents import log
from docs_app.documents.models import Document, DocumentUpdate
from docs_app.sharing.roles import Role
from docs_app.workspaces.models import Membership
from tests.faults import wire
from tests.faults.conftest import Tune, WithTeam, stored
from tests.faults.lobby import Lobby, typed
from tests.faults.office import Office, in_database
from tests.faults.tab import until
from tests.server import Server, StartServer

WITHIN = 2.0


@pytest.mark.parametrize(
    ("act", "code"),
    [
        ("guest", Close.NO_ACCESS),
        ("viewer", Close.ACCESS_CHANGED),
        ("deactivate", Close.SIGN_IN),
        ("sign-out", Close.SIGN_IN),
        ("new-password", Close.SIGN_IN),
    ],
)
async def test_f26_open_tabs_follow_a_change_within_two_seconds(
    tuned: Tune, team: WithTeam, act: str, code: Close
) -> None:
    server = tuned()
    everybody = team(server)
    ben, ada = everybody.tab("ben"), everybody.tab("ada")
    await until(lambda: ben.is_online and ada.is_online, "two tabs online")
    ben.type("<before>")
    await until(lambda: ben.saved, "saved")
    await everybody.act(act, "ben")
    changed = time.monotonic()
    while not ben.closes:
        # Something is on its way at every moment.
        ben.type(f"<{len(ben.words)}>")
        await asyncio.sleep(0.01)
        assert time.monotonic() - changed < WITHIN, "the tab is still open"
    assert ben.closes[0] == code
    ben.type("<too late>")
    if code == Close.ACCESS_CHANGED:
        await until(lambda: ben.is_online and ben.role == "viewer", "the tab back as a viewer's")
        await until(lambda: "read-only" in ben.refused, "the refusal of what it brings")
    else:
        assert ben.stopped_by == code
    assert not ada.closes
    ada.type("<after>")
    await until(lambda: ada.saved, "saved")
    text = (await asyncio.to_thread(stored, server, 0))[0]
    assert "<after>" in text
    assert "<too late>" not in text
    assert all(word in text for word in ben.saved)
    assert "<too late>" not in ben.saved


async def test_f26_an_edit_in_flight_is_not_stored(office: Office) -> None:
    """The server knows of the change, the tab does not yet."""
    ben, carol = office.peers[1], office.peers[2]
    for peer, role in ((ben, None), (carol, Role.VIEWER)):
        assert peer.connection
        peer.type(0, "in flight")
        peer.connection.role_is(role)
        assert peer.line
        assert peer.line.closed == (Close.NO_ACCESS if role is None else Close.ACCESS_CHANGED)
        peer.send()
        assert not office.saver.has_unsaved(office.room)
    assert await office.rows() == 0
    assert str(office.peers[0]) == ""


async def test_f26_a_change_that_nobody_told_is_found(tuned: Tune, team: WithTeam) -> None:
    server = tuned({"collab.rooms.RECHECK_EVERY": 0.3})
    everybody = team(server)
    ben = everybody.tab("ben")
    await until(lambda: ben.is_online, "a tab online")
    await everybody.act("silently-guest", "ben")
    await until(lambda: ben.stopped_by == Close.NO_ACCESS, "the end of the tab", WITHIN)


async def test_f26_a_document_in_the_trash_says_so(tuned: Tune, team: WithTeam) -> None:
    """4410 tells the person where the document is; 4403 and 4404 would be a riddle."""
    server = tuned()
    everybody = team(server)
    ben = everybody.tab("ben")
    await until(lambda: ben.is_online, "a tab online")
    await everybody.act("trash", "ben")
    await until(lambda: ben.closes, "the end of the tab", WITHIN)
    assert ben.closes == [Close.IN_TRASH]


async def test_signing_out_in_the_browser_ends_its_tabs_alone(server: StartServer, team: WithTeam) -> None:
    """Through the page, as a person does it: the other browser of the same person stays."""
    collab = server()
    everybody = team(collab)
    here, elsewhere = everybody.tab("ben"), everybody.tab("ben")
    everybody.sessions.clear()
    other = everybody.tab("ben")
    await until(lambda: here.is_online and elsewhere.is_online and other.is_online, "tabs online")
    session = here._headers["Cookie"].removeprefix("sessionid=")
    await asyncio.to_thread(_sign_out, collab, session)
    await until(
        lambda: here.stopped_by == elsewhere.stopped_by == Close.SIGN_IN, "the end of the tabs", WITHIN
    )
    assert other.closes == []


def _sign_out(server: Server, session: str) -> None:

    token = "t" * 32
    request = urllib.request.Request(
        f"{server.url}/accounts/logout/",
        urllib.parse.urlencode({"csrfmiddlewaretoken": token}).encode(),
        {"Cookie": f"sessionid={session}; csrftoken={token}", "Origin": server.url},
    )
    urllib.request.urlopen(request).close()


# -- In this process ---------------------------------------------------------------------------------------------


def _ben_and_document() -> tuple[User, Document]:
    return User.objects.get(name="Ben"), Document.objects.get()


def _take_away(user: User) -> None:
    Membership.objects.filter(user=user).delete()
    live.person_changed(user.pk)


async def test_f26_rights_that_end_while_the_document_is_opened(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person is asked for before the document is loaded, and loading takes a while. Nobody is in the room yet
    when the news comes."""
    ben, document = await in_database(_ben_and_document)
    load, may_load, loading = log.load, threading.Event(), threading.Event()

    def slow(document_id: Any) -> log.Loaded:
        loading.set()
        assert may_load.wait(30)
        return load(document_id)

    monkeypatch.setattr(log, "load", slow)
    caller = lobby.call(ben, document.id)
    await until(loading.is_set, "the load")
    await in_database(lambda: Membership.objects.filter(user=ben).delete())
    # As `live.person_changed` would, from this loop.
    await lobby.rooms._layer.group_send(live.PEOPLE, {"type": "person.changed", "user": ben.pk})
    await asyncio.sleep(0)
    may_load.set()
    caller.send(wire.update(typed("uninvited", 7)))
    await until(lambda: caller.closed, "the end of the tab", WITHIN)
    assert await in_database(access.find_document, ben, document.id) is None
    assert await in_database(DocumentUpdate.objects.count) == 0


async def test_f26_the_news_is_heard_after_a_day_as_well(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Channel layers forget who is in a group after `group_expiry`, a day by default. The in-memory layer is what an
    installation without Redis has."""
    ben, document = await in_database(_ben_and_document)
    session = await in_database(_session_of, ben)
    caller = lobby.call(ben, document.id, session=session)
    await caller.greeted()
    layer: Any = channel_layers["default"]
    now = time.time()
    monkeypatch.setattr("channels.layers.time.time", lambda: now + 2 * 86400)
    await in_database(lambda: Membership.objects.filter(user=ben).delete())
    await layer.group_send(live.PEOPLE, {"type": "person.changed", "user": ben.pk})
    await until(lambda: caller.closed == Close.NO_ACCESS, "the end of the tab", WITHIN)


def _session_of(user: User) -> str:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client.session.session_key or ""
