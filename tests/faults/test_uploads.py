"""Updates too large for a frame come in pieces over HTTP, into the same room and the same log. What does not come
whole, or from somebody who may not write, leaves nothing behind."""

import asyncio
import json
import threading
import urllib.error
import urllib.request
from typing import Any
from uuid import UUID, uuid4

import pycrdt
import pytest
from django.test import AsyncClient

from collab import uploads
from docs_app.accounts.models import User
from docs_app.documents import log
from docs_app.documents.models import ClientBinding, Document, DocumentUpdate
from docs_app.sharing.models import Grant
from docs_app.sharing.roles import Role
from docs_app.workspaces.models import Membership
from tests.faults import wire
from tests.faults.conftest import WithTeam, stored, verified
from tests.faults.lobby import Caller, Lobby, typed
from tests.faults.office import in_database, text_of
from tests.faults.tab import ROOT, Tab, until
from tests.server import Server, StartServer

PIECE = 1024 * 1024
FIVE_MEGABYTES = 5 * 1024 * 1024


def pieces_of(update: bytes, size: int = PIECE) -> list[bytes]:
    return [update[start : start + size] for start in range(0, len(update), size)]


class Browser:
    """A signed-in page that sends pieces, with its CSRF token."""

    def __init__(self, user: User | None, document_id: UUID, announced: int | None = None) -> None:
        self.client = AsyncClient(enforce_csrf_checks=True)
        if user:
            self.client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        self.client.cookies["csrftoken"] = "t" * 32
        self.document_id = document_id
        self._announced = "" if announced is None else f"&client={announced}"

    @property
    def session(self) -> str:
        return self.client.cookies["sessionid"].value

    async def post(
        self, upload: UUID, part: object, parts: object, body: bytes, *, token: str = "t" * 32
    ) -> Any:
        return await self.client.post(
            f"/documents/{self.document_id}/uploads/{upload}?part={part}&parts={parts}{self._announced}",
            data=body,
            content_type="application/octet-stream",
            headers={"X-CSRFToken": token},
        )

    async def send(self, update: bytes, *, order: list[int] | None = None, size: int = PIECE) -> Any:
        """All pieces in this order; the answer to the last."""
        pieces, upload = pieces_of(update, size), uuid4()
        answer: Any = None
        for part in order or range(len(pieces)):
            answer = await self.post(upload, part, len(pieces), pieces[part])
        return answer


def said(answer: Any) -> tuple[int, Any]:
    return answer.status_code, json.loads(answer.content)


def _people() -> tuple[User, User, Document]:
    document = Document.objects.get()
    return User.objects.get(name="Ada"), User.objects.get(name="Ben"), document


def _make_viewer(user: User, document: Document) -> None:
    Membership.objects.filter(user=user).update(kind=Membership.Kind.GUEST)
    Grant.objects.create(user=user, document=document, role=Role.VIEWER)


@pytest.fixture(autouse=True)
def nothing_unfinished() -> None:
    uploads._unfinished.clear()


async def nothing_stored() -> None:
    assert await in_database(DocumentUpdate.objects.count) == 0
    assert await in_database(ClientBinding.objects.count) == 0
    assert (await in_database(Document.objects.get)).seq == 0


async def test_five_megabytes_in_any_order_arrive(lobby: Lobby) -> None:
    ada, ben, document = await in_database(_people)
    reader = lobby.call(ben, document.id)
    await reader.greeted()
    browser = await in_database(Browser, ada, document.id)
    update = typed("offline " * (FIVE_MEGABYTES // 8), 7)
    answer = await browser.send(update, order=[0, 5, 3, 1, 4, 2])
    assert said(answer) == (200, {"saved": True, "seq": 1})
    await until(lambda: any(b"offline" in frame for frame in reader.sent), "the upload in an open tab")
    text = text_of(await in_database(log.load, document.id))
    assert len(text) == FIVE_MEGABYTES
    assert uploads._unfinished == {}


async def test_the_page_that_uploads_is_not_sent_its_own_words(lobby: Lobby) -> None:
    ada, ben, document = await in_database(_people)
    browser = await in_database(Browser, ada, document.id, 7)
    uploading = lobby.call(ada, document.id, session=browser.session)
    other_window = lobby.call(ada, document.id, session=browser.session)
    reader = lobby.call(ben, document.id)
    for client, caller in enumerate((uploading, other_window, reader), start=7):
        await caller.greeted()
        await announce(caller, client)
    assert (await browser.send(typed("a book " * 10_000, 7))).status_code == 200
    reader.send(wire.update(typed("a letter", 9)))
    await until(lambda: holds(uploading, b"a letter"), "what came after the upload")
    await until(lambda: holds(other_window, b"a letter"), "what came after the upload")
    assert [holds(caller, b"a book") for caller in (uploading, other_window, reader)] == [False, True, True]


@pytest.mark.parametrize("announced", ["ben", "another session of hers", "nobody"])
async def test_nobody_elses_tab_misses_an_upload(lobby: Lobby, announced: str) -> None:
    ada, ben, document = await in_database(_people)
    browser = await in_database(Browser, ada, document.id, 7)
    tab = lobby.call(ben if announced == "ben" else ada, document.id, session="another")
    await tab.greeted()
    if announced != "nobody":
        await announce(tab, 7)
    # Words of another client: this one's belong to whoever announced it.
    assert (await browser.send(typed("a book " * 10_000, 8))).status_code == 200
    await until(lambda: holds(tab, b"a book"), "the upload")


async def announce(caller: Caller, client: int) -> None:
    """Use this client id, and wait until everybody is told."""
    caller.send(wire.awareness(client, 1, {}))

    def is_told() -> bool:
        frames = [frame for frame in caller.sent if frame[0] == wire.AWARENESS]
        return any(client in wire.states_of(frame) for frame in frames)

    await until(is_told, "the tab's own presence")


def holds(caller: Caller, words: bytes) -> bool:
    return any(words in frame for frame in caller.sent)


async def test_f22_two_people_without_sockets_do_not_overwrite_each_other(lobby: Lobby) -> None:
    ada, ben, document = await in_database(_people)
    browsers = [await in_database(Browser, person, document.id) for person in (ada, ben)]
    answers = await asyncio.gather(
        *(
            browser.send(typed(f"{number} was here. " * 1000, 7 + number), size=4000)
            for number, browser in enumerate(browsers)
        )
    )
    assert [answer.status_code for answer in answers] == [200, 200]
    text = text_of(await in_database(log.load, document.id))
    assert text.count("0 was here. ") == text.count("1 was here. ") == 1000
    authors = await in_database(lambda: set(DocumentUpdate.objects.values_list("author", flat=True)))
    assert authors == {ada.pk, ben.pk}


async def test_the_first_piece_begins_and_a_missing_one_stores_nothing(lobby: Lobby) -> None:
    ada, _, document = await in_database(_people)
    browser = await in_database(Browser, ada, document.id)
    upload = uuid4()
    assert said(await browser.post(upload, 1, 3, b"x")) == (409, {"saved": False, "reason": "begin-again"})
    assert said(await browser.post(upload, 0, 3, b"x")) == (202, {"received": 1})
    assert said(await browser.post(upload, 2, 3, b"x")) == (202, {"received": 2})
    assert said(await browser.post(upload, 2, 3, b"x")) == (202, {"received": 2})
    assert said(await browser.post(upload, 1, 4, b"x")) == (409, {"saved": False, "reason": "begin-again"})
    await nothing_stored()


@pytest.mark.parametrize(
    ("part", "parts"), [(-1, 2), (2, 2), (0, 0), (0, 1001), ("", ""), ("x", 2), (0, "1e3"), (0, "9" * 5000)]
)
async def test_a_count_that_makes_no_sense_is_refused(lobby: Lobby, part: object, parts: object) -> None:
    ada, _, document = await in_database(_people)
    browser = await in_database(Browser, ada, document.id)
    assert said(await browser.post(uuid4(), part, parts, b"x")) == (
        400,
        {"saved": False, "reason": "malformed"},
    )
    await nothing_stored()


async def test_too_much_is_refused_and_forgotten(lobby: Lobby, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.conf.settings.MAX_UPLOAD", 10_000)
    ada, _, document = await in_database(_people)
    browser = await in_database(Browser, ada, document.id)
    answer = await browser.send(typed("x" * 20_000, 7), size=6000)
    assert answer.status_code in (409, 413)
    upload = uuid4()
    assert (await browser.post(upload, 0, 2, b"x" * 6000)).status_code == 202
    assert said(await browser.post(upload, 1, 2, b"x" * 6000)) == (
        413,
        {"saved": False, "reason": "too-large"},
    )
    assert uploads._unfinished == {}
    await nothing_stored()


async def test_a_piece_that_is_too_large_gets_a_clear_answer(lobby: Lobby) -> None:
    """Django itself refuses bodies above 2.5 MB; the page must be able to read why."""
    ada, _, document = await in_database(_people)
    browser = await in_database(Browser, ada, document.id)
    answer = await browser.send(typed("x" * (3 * PIECE), 7), size=4 * PIECE)
    assert answer.status_code == 413, answer.content[:200]
    assert json.loads(answer.content)["reason"] == "too-large"


async def test_nobody_fills_the_memory_with_unfinished_uploads(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.conf.settings.MAX_UPLOAD", 10_000)
    ada, ben, document = await in_database(_people)
    browser = await in_database(Browser, ada, document.id)
    codes = [(await browser.post(uuid4(), 0, 2, b"x" * 9000)).status_code for _ in range(8)]
    assert codes == [202] * 8
    # The older ones of the same person have made room for the newer.
    assert sum(unfinished.size for unfinished in uploads._unfinished.values()) <= 2 * 9000
    other = await in_database(Browser, ben, document.id)
    assert (await other.send(typed("fine", 7))).status_code == 200


async def test_one_person_does_not_keep_the_others_from_uploading(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.conf.settings.MAX_UPLOAD", 10_000)
    ada, ben, document = await in_database(_people)
    browser = await in_database(Browser, ada, document.id)
    for _ in range(8):
        await browser.post(uuid4(), 0, 2, b"x" * 9000)
    other = await in_database(Browser, ben, document.id)
    assert (await other.send(typed("fine " * 1500, 7))).status_code == 200


async def test_who_may_only_read_uploads_nothing(lobby: Lobby) -> None:
    _, ben, document = await in_database(_people)
    await in_database(_make_viewer, ben, document)
    browser = await in_database(Browser, ben, document.id)
    assert said(await browser.send(typed("x", 7))) == (403, {"saved": False, "reason": "read-only"})
    await nothing_stored()


async def test_whose_rights_end_between_the_pieces_stores_nothing(lobby: Lobby) -> None:
    _, ben, document = await in_database(_people)
    browser = await in_database(Browser, ben, document.id)
    upload, pieces = uuid4(), pieces_of(typed("x" * 2000, 7), 1500)
    assert (await browser.post(upload, 0, 2, pieces[0])).status_code == 202
    await in_database(_make_viewer, ben, document)
    assert (await browser.post(upload, 1, 2, pieces[1])).status_code == 403
    await nothing_stored()


async def test_strangers_and_forged_requests_get_nothing(lobby: Lobby) -> None:
    ada, ben, document = await in_database(_people)
    await in_database(lambda: Membership.objects.filter(user=ben).delete())
    stranger = await in_database(Browser, ben, document.id)
    assert said(await stranger.send(typed("x", 7))) == (404, {"saved": False, "reason": "not-found"})
    for document_id in (document.id, uuid4()):
        nobody = Browser(None, document_id)
        assert said(await nobody.send(typed("x", 7))) == (401, {"saved": False, "reason": "signed-out"})
    forged = await in_database(Browser, ada, document.id)
    assert (await forged.post(uuid4(), 0, 1, typed("x", 7), token="")).status_code == 403
    elsewhere = await in_database(Browser, ada, uuid4())
    assert (await elsewhere.send(typed("x", 7))).status_code == 404
    await nothing_stored()


async def test_another_persons_upload_cannot_be_continued(lobby: Lobby) -> None:
    ada, ben, document = await in_database(_people)
    hers, his = [await in_database(Browser, person, document.id) for person in (ada, ben)]
    upload, pieces = uuid4(), pieces_of(typed("x" * 2000, 7), 1500)
    assert (await hers.post(upload, 0, 2, pieces[0])).status_code == 202
    assert (await his.post(upload, 1, 2, pieces[1])).status_code == 409
    await nothing_stored()


async def test_another_persons_client_id_is_refused(lobby: Lobby) -> None:
    ada, ben, document = await in_database(_people)
    hers, his = [await in_database(Browser, person, document.id) for person in (ada, ben)]
    assert (await hers.send(typed("mine", 7))).status_code == 200
    doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=7)
    doc.get(ROOT, type=pycrdt.Text).insert(0, "forged and longer")
    assert said(await his.send(doc.get_update())) == (422, {"saved": False, "reason": "not-yours"})
    assert text_of(await in_database(log.load, document.id)) == "mine"


@pytest.mark.parametrize(
    "update", [b"", b"\0", b"\xff" * 100, typed("x", 7) + b"\0", typed("x" * 99, 7)[:-9]]
)
async def test_what_is_no_update_is_refused(lobby: Lobby, update: bytes) -> None:
    ada, _, document = await in_database(_people)
    browser = await in_database(Browser, ada, document.id)
    assert said(await browser.post(uuid4(), 0, 1, update)) == (422, {"saved": False, "reason": "malformed"})
    await nothing_stored()


async def test_an_upload_is_not_called_saved_before_its_commit(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "SAVED_WITHIN", 0.2)
    ada, _, document = await in_database(_people)
    browser = await in_database(Browser, ada, document.id)
    door, append = threading.Event(), lobby.rooms.saver._append

    def wait(entries: list[log.Entry]) -> list[log.Committed | log.Rejected]:
        assert door.wait(30)
        return append(entries)

    lobby.rooms.saver._append = wait
    update = typed("x", 7)
    assert said(await browser.send(update)) == (503, {"saved": False, "reason": "busy"})
    door.set()
    monkeypatch.setattr(uploads, "SAVED_WITHIN", 30)
    # Sent again, as it was told: it is there once.
    assert said(await browser.send(update))[0] == 200
    assert text_of(await in_database(log.load, document.id)) == "x"


def _post(server: Server, session: str, path: str, body: bytes) -> tuple[int, Any]:
    headers = {
        "Cookie": f"sessionid={session}; csrftoken={'t' * 32}",
        "X-CSRFToken": "t" * 32,
        "Origin": server.url,
        "Content-Type": "application/octet-stream",
    }
    request = urllib.request.Request(f"{server.url}{path}", body, headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


async def upload(
    server: Server, tab: Tab, session: str, update: bytes, *, only: int | None = None
) -> tuple[int, Any]:
    """Send a page's large update to a running server; `only` so many pieces."""
    pieces, name, answer = pieces_of(update, PIECE // 2), uuid4(), (0, None)
    for part, piece in list(enumerate(pieces))[:only]:
        path = f"/documents/{server.documents[0].id}/uploads/{name}?part={part}&parts={len(pieces)}"
        answer = await asyncio.to_thread(_post, server, session, path, piece)
    return answer


async def test_f28_a_large_offline_edit_gets_through_a_killed_server(
    server: StartServer, team: WithTeam
) -> None:
    """Too large for a frame; the server is killed between two pieces; the page begins again."""
    collab = server()
    everybody = team(collab)
    ada, ben = everybody.tab("ada", online=False), everybody.tab("ben")
    session = everybody.sessions["ada"]
    await until(lambda: ben.is_online, "a tab online")
    ada.type("<" + "offline " * (FIVE_MEGABYTES // 8) + ">")
    update = ada.doc.get_update()
    assert (await upload(collab, ada, session, update, only=4))[0] == 202
    await asyncio.to_thread(collab.kill)
    assert await asyncio.to_thread(stored, collab, 0) == [""]
    await asyncio.to_thread(collab.start)
    status, answer = await upload(collab, ada, session, update)
    assert (status, answer["saved"]) == (200, True)
    await until(lambda: str(ben) == str(ada), "the upload in another tab")
    ada.go_online()
    await until(lambda: not ada.unsaved, "everything saved")
    assert ada.refused == []
    assert await asyncio.to_thread(stored, collab, 0) == [str(ada)]
    await asyncio.to_thread(verified, collab)


async def test_f28_a_frame_over_the_limit_is_refused_with_a_code(server: StartServer, team: WithTeam) -> None:
    collab = server()
    ada = team(collab).tab("ada")
    await until(lambda: ada.is_online, "a tab online")
    ada.send(wire.update(b"\0" * (PIECE + 1)))
    await until(lambda: ada.refused, "the refusal")
    assert ada.refused == ["too-large"]
    ada.send(b"\0" * (2 * PIECE))
    await until(lambda: ada.closes, "the end of the connection")
    assert ada.closes == [1009]
    await until(lambda: ada.is_online, "the tab back")
