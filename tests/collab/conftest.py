"""Fixtures of the server's tests: a room without sockets, and a running Collab that a module's tests share."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from tests.collab.peer import Join, joining
from tests.collab.tabs import office
from tests.processes import Leash
from tests.server import Demo, Server, sign_in

__all__ = ["office"]

Session = Callable[[str], str]


@pytest.fixture(scope="module")
def shared(leash: Leash, demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running Collab for a whole module: its tests must not depend on what a document holds at first."""
    folder = tmp_path_factory.mktemp("shared") / "data"
    shutil.copytree(demo.folder, folder)
    server = Server(leash, folder, demo, {})
    server.start()
    yield server
    if server.is_running():
        server.stop()


@pytest.fixture(scope="module")
def session(shared: Server) -> Session:
    """The session cookie of somebody of the demo, by their first name."""
    cookies: dict[str, str] = {}

    def of(name: str) -> str:
        if name not in cookies:
            cookies[name] = sign_in(shared, shared.people[name])
        return cookies[name]

    return of


@pytest.fixture
async def join() -> AsyncIterator[Join]:
    """Opens a tab on a socket; closed after the test."""
    async with joining() as join:
        yield join
