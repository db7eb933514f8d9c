"""Two processes with PostgreSQL and Redis behind nginx, as `deploy/nginx.conf` sets it up."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Team, WithTeam, verified
from tests.faults.nginx import Nginx
from tests.faults.tab import Tab, until
from tests.faults.test_two_processes import converge
from tests.faults.test_uploads import FIVE_MEGABYTES, upload
from tests.processes import Leash
from tests.server import ROOT, Server, StartServer

PEOPLE = ("ada", "ben", "chidi", "dunja")

Start = Callable[..., Nginx]


@pytest.fixture
def pair(server: StartServer, redis_url: str) -> list[Server]:
    one = server(postgres=True, REDIS_URL=redis_url, COLLAB_PROXIES="1")
    return [one, server(beside=one)]


@pytest.fixture
def nginx(nginx_path: Path, leash: Leash, tmp_path: Path, pair: list[Server]) -> Iterator[Start]:
    """Start nginx before the pair: `nginx(hashed=False)` takes turns."""
    started: list[Nginx] = []

    def start(*, hashed: bool = True) -> Nginx:
        started.append(Nginx(nginx_path, leash, tmp_path, pair, hashed=hashed))
        return started[-1]

    yield start
    for one in started:
        one.stop()


async def write_together(everybody: Team) -> list[Tab]:
    """Everybody opens a document, sees who else is there, and types."""
    tabs = [everybody.tab(person) for person in PEOPLE]
    ids = {tab.doc.client_id for tab in tabs}
    await until(
        lambda: all(ids <= tab.presence.keys() for tab in tabs), "everybody's presence at everybody's", 15
    )
    for tab in tabs:
        for number in range(20):
            tab.type(f"<{tab.name}.{number}>")
    await converge(tabs, everybody.server)
    return tabs


@pytest.mark.parametrize("hashed", [True, False], ids=["by document", "in turns"])
async def test_people_write_together_through_nginx(
    nginx: Start, pair: list[Server], team: WithTeam, hashed: bool
) -> None:
    """By document they meet in one process; without that they are in both, and see each other all the same."""
    front = nginx(hashed=hashed)
    everybody = team(front.server)
    tabs = await write_together(everybody)
    await everybody.close()
    path = f"/ws/documents/{front.server.documents[0].id}"
    await until(lambda: len(front.ports_of(path)) == len(tabs), "the end of all sockets in nginx's log")
    assert len(set(front.ports_of(path))) == (1 if hashed else 2)
    assert [tab.connections for tab in tabs] == [1] * len(tabs)
    await asyncio.to_thread(verified, pair[0])


async def test_a_documents_page_socket_and_uploads_meet_in_one_process(nginx: Start, team: WithTeam) -> None:
    front = nginx()
    collab = front.server
    everybody = team(collab)
    ben, ada = everybody.tab("ben"), everybody.tab("ada", online=False)
    ada.type("<" + "offline " * (FIVE_MEGABYTES // 8) + ">")
    answer = await upload(collab, ada, everybody.sessions["ada"], ada.doc.get_update())
    assert (answer[0], answer[1]["saved"]) == (200, True)
    await until(lambda: str(ben) == str(ada), "the upload in an open tab")
    document = collab.documents[0].id
    await asyncio.to_thread(open_page, front, everybody.sessions["ada"])
    await everybody.close()
    socket_path = f"/ws/documents/{document}"
    await until(lambda: front.ports_of(socket_path), "the end of the socket in nginx's log")
    requests = (front.folder / "access.log").read_text().splitlines()
    where = {line.split(" ", 2)[1] for line in requests if f"documents/{document}" in line}
    assert len(requests) > 10
    assert len(where) == 1


async def test_people_go_on_in_the_other_process_when_theirs_is_killed(
    nginx: Start, pair: list[Server], team: WithTeam
) -> None:
    front = nginx()
    everybody = team(front.server)
    tabs = await write_together(everybody)
    await asyncio.to_thread(open_page, front, everybody.sessions["ada"])
    (port,) = front.ports_of(f"/documents/{front.server.documents[0].id}/")
    await asyncio.to_thread(next(one for one in pair if one.port == port).kill)
    await until(lambda: all(tab.connections > 1 and tab.is_online for tab in tabs), "everybody back")
    for tab in tabs:
        tab.type(f"<{tab.name} again>")
    await converge(tabs, front.server)
    assert not any(tab.refused for tab in tabs)
    await asyncio.to_thread(verified, pair[0])


def open_page(front: Nginx, session: str) -> None:
    """A document's page, which nginx logs at once."""
    url = f"{front.server.url}/documents/{front.server.documents[0].id}/"
    urllib.request.urlopen(urllib.request.Request(url, headers={"Cookie": f"sessionid={session}"})).close()


def answer(request: urllib.request.Request | str) -> tuple[int, Any]:
    """Status and headers; redirects are followed."""
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.headers
    except urllib.error.HTTPError as error:
        return error.code, error.headers


def test_static_files_come_from_nginx_and_stay_in_caches(nginx: Start) -> None:
    front = nginx()
    named = json.loads((ROOT / "staticfiles" / "staticfiles.json").read_text())["paths"]["styles.css"]
    for name, cached in (
        (named, "public, max-age=31536000, immutable"),
        ("styles.css", "public, max-age=300"),
    ):
        request = urllib.request.Request(
            f"{front.server.url}/static/{name}", headers={"Accept-Encoding": "gzip"}
        )
        status, headers = answer(request)
        assert (status, headers["Cache-Control"], headers["Content-Encoding"]) == (200, cached, "gzip")
        assert (headers["Content-Type"], headers["X-Content-Type-Options"]) == ("text/css", "nosniff")
    assert "/static/" not in (front.folder / "access.log").read_text()


def test_what_is_larger_than_a_piece_is_refused_by_nginx(nginx: Start) -> None:
    front = nginx()
    request = urllib.request.Request(f"{front.server.url}/accounts/login/", b"x" * (2 * 1024 * 1024 + 1))
    status, headers = answer(request)
    assert (status, headers["Server"].split("/")[0]) == (413, "nginx")


def test_visitors_claims_about_themselves_are_not_believed(nginx: Start) -> None:
    """The address that counts wrong passwords is nginx's word: whoever claims another one with each try is stopped."""
    front = nginx()
    url = f"{front.server.url}/accounts/login/"
    with urllib.request.urlopen(url) as page:
        cookie = page.headers["Set-Cookie"].split(";")[0]
    token = cookie.partition("=")[2]
    found = set()
    for number in range(40):
        form = f"csrfmiddlewaretoken={token}&login=nobody{number}@example.org&password=wrong".encode()
        headers = {"Cookie": cookie, "Origin": front.server.url, "X-Forwarded-For": f"192.0.2.{number}"}
        found.add(answer(urllib.request.Request(url, form, headers))[0])
    assert 429 in found
