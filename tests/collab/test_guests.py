"""Guests of share links over real sockets: the link's role, a name and colour of their own, and an end when it ends."""

import json

from collab.protocol import Close
from tests.collab import reading
from tests.collab.peer import Join
from tests.collab.waiting import until
from tests.server import Server, StartServer

_LET_IN = """
import json
from django.contrib.sessions.backends.db import SessionStore
from docs_app.accounts.models import User
from docs_app.documents.models import Document
from docs_app.sharing import links
from docs_app.sharing.roles import Role
found = []
document = Document.objects.get(id="{document}")
for role in ("editor", "viewer"):
    link, _ = links.make(document=document, label=role, role=Role(role), by=User.objects.first())
    for name in ("First", "Second"):
        session = SessionStore()
        guest = links.enter_as_guest(link=link, name=f"{{name}} {{role}}", session=session)
        session.save()
        found.append((session.session_key, guest.pk, guest.colour))
print(json.dumps(found))
"""

_TOLD = """
import json
from docs_app.documents.models import ClientBinding, DocumentUpdate
rows = DocumentUpdate.objects.filter(document="{document}").order_by("seq").values_list("author", "guest__name")
bound = ClientBinding.objects.filter(document="{document}", guest__isnull=False).values_list("user", "guest__name")
print(json.dumps([list(rows), sorted(bound, key=str)]))
"""

_REVOKE = """
from docs_app.sharing import links
from docs_app.sharing.models import ShareLink
for link in ShareLink.objects.all():
    links.revoke(link=link, by=None)
"""

Guests = list[tuple[str, int, str]]


def run(server: Server, script: str, document: str = "") -> str:
    command = script.format(document=document) if document else script
    return server.manage("shell", "--verbosity", "0", "--command", command)


async def test_guests_write_in_their_own_names(server: StartServer, redis_url: str, join: Join) -> None:
    running = server(REDIS_URL=redis_url)
    page = running.documents[1].id
    (one, number, colour), (two, _, _), (reader, _, _), _ = json.loads(run(running, _LET_IN, page))
    first = await (await join(running, page, one)).open()
    second = await (await join(running, page, two)).open()
    hello = (await first.hears(reading.HELLO)).body
    assert (hello["role"], hello["person"]) == (
        "editor",
        {"id": f"guest-{number}", "name": "First editor", "colour": colour},
    )
    await first.type("Words of the first. ")
    await second.sees(lambda seen: "Words of the first." in seen)
    await second.type("And of the second. ")
    await first.sees(lambda seen: "And of the second." in seen)
    await first.all_saved()
    await second.all_saved()
    assert (first.refused, second.refused) == ({}, {})
    written, bound = json.loads(run(running, _TOLD, page))
    assert {tuple(row) for row in written[1:]} >= {(None, "First editor"), (None, "Second editor")}
    assert bound == [[None, "First editor"], [None, "Second editor"]]
    viewer = await (await join(running, page, reader)).open()
    await viewer.type("graffiti")
    await viewer.hears(reading.REFUSED)
    assert "graffiti" not in str(first.text)
    # What belongs to a guest is nobody else's: the log is read again with whose it is.
    await first.leave()
    back = await (await join(running, page, one)).open()
    assert "Words of the first." in str(back.text)

    run(running, _REVOKE)
    for tab in (back, second, viewer):
        assert await tab.closed() == Close.NO_ACCESS
    late = await join(running, page, one)
    assert await late.closed() == Close.NOT_FOUND


async def test_a_guest_of_one_document_is_a_stranger_in_others(shared: Server, join: Join) -> None:
    page, other = shared.documents[2].id, shared.documents[1].id
    guests: Guests = json.loads(run(shared, _LET_IN, page))
    editor = await (await join(shared, page, guests[0][0])).open()
    stranger = await join(shared, other, guests[0][0])
    assert await stranger.closed() == Close.NOT_FOUND
    nobody = await join(shared, page, None)
    assert await nobody.closed() == Close.SIGN_IN
    await editor.announce(user={"name": "Ada Brightwater"}, cursor={"at": 1})
    witness = await (await join(shared, page, guests[1][0])).open()

    def shown() -> list[str]:
        states = [
            heard.body.get(editor.doc.client_id) for heard in witness.heard if heard.kind == reading.AWARENESS
        ]
        return [state[1]["user"]["name"] for state in states if state and state[1]]

    await until(shown)
    assert set(shown()) == {"First editor"}


async def test_a_browser_that_is_left_is_sent_away(server: StartServer, redis_url: str, join: Join) -> None:
    """The session of the guest has ended, their link has not."""
    running = server(REDIS_URL=redis_url)
    page = running.documents[1].id
    guests: Guests = json.loads(run(running, _LET_IN, page))
    leaving = await (await join(running, page, guests[0][0])).open()
    staying = await (await join(running, page, guests[1][0])).open()
    end = (
        "from uuid import UUID; from django.contrib.sessions.models import Session; from docs_app import live; "
        f"Session.objects.filter(session_key='{guests[0][0]}').delete(); live.rights_changed([UUID('{page}')])"
    )
    run(running, end)
    assert await leaving.closed() == Close.SIGN_IN
    await staying.type("still here")
    await staying.all_saved()
