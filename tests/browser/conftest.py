"""People in Chromium, who use a real Collab.

`person(collab, "ada")` answers a browser of Ada's with a window that is signed in; `visitor(collab)` one that is not.
Whatever goes wrong in one of their pages (console errors, exceptions, failed requests, violations of the Content
Security Policy) fails the test at its end, unless the test said before that it expects it: `ada.expects("404")`.

Of a test that failed, `test-results/<test>/` holds pictures of the windows, their consoles and the servers' logs.

The tests are plain functions, not `async def`: Playwright's synchronous interface keeps an event loop running in this
thread, in which pytest-asyncio could not start its own. For the same reason the browser lives for one module only, so
that asynchronous tests elsewhere run undisturbed in the same pytest.
"""

import os
import re
import shutil
import urllib.request
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)

from tests.processes import Leash
from tests.server import ROOT, Demo, Server, StartServer, environment, manage, sign_in

RESULTS = ROOT / "test-results"
# Milliseconds. For a machine that does something else meanwhile; whatever is waited for usually takes a hundredth.
PATIENCE = 30_000

# Nothing may leave this machine, and the profile is new every time.
_SWITCHES = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-domain-reliability",
    "--disable-sync",
    "--font-render-hinting=none",
    "--no-first-run",
    "--no-pings",
)
# Chromium reports what it refused on the console as well, but not for every kind of source.
_TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP violation: ${event.effectiveDirective} refuses ${event.blockedURI} ${event.sample}`);
}, true);
"""
# A page that goes away takes its requests with it.
_LEFT = "net::ERR_ABORTED"
# What pages meet while their server is away or their network is cut.
DISCONNECTED = r"WebSocket connection|ERR_CONNECTION_REFUSED|ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED"

_failed = pytest.StashKey[bool]()


class Visitor:
    """One person's browser, with cookies of its own. `page` is the window it opened first."""

    def __init__(self, context: BrowserContext, name: str) -> None:
        self.name = name
        self.context = context
        self.console: list[str] = []
        self._troubles: list[str] = []
        self._expected: list[re.Pattern[str]] = []
        context.set_default_timeout(PATIENCE)
        context.add_init_script(_TELL_VIOLATIONS)
        context.on("page", self._watch)
        self.page = context.new_page()

    def new_page(self) -> Page:
        """Another window of the same person."""
        return self.context.new_page()

    def offline(self) -> None:
        """Cut the network of all windows, as a lost Wi-Fi does: the browser knows it, requests fail, and open sockets
        fall silent without closing. What is sent meanwhile arrives after `online`."""
        self.context.set_offline(True)

    def online(self) -> None:
        self.context.set_offline(False)

    def expects(self, *patterns: str) -> None:
        """Troubles in which one of these regular expressions is found, before or after this call, fail nothing."""
        self._expected += [re.compile(pattern) for pattern in patterns]

    @property
    def troubles(self) -> list[str]:
        """What went wrong that nobody expected."""
        return [
            line for line in self._troubles if not any(pattern.search(line) for pattern in self._expected)
        ]

    def _watch(self, page: Page) -> None:
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self._note(f"exception: {error.stack or error}"))
        page.on("crash", lambda _: self._note("the page crashed"))
        page.on("requestfailed", self._miss)
        page.on("response", self._judge)

    def _note(self, line: str) -> None:
        self.console.append(line)
        self._troubles.append(line)

    def _hear(self, message: ConsoleMessage) -> None:
        line = f"{message.type}: {message.text} ({message.location['url']})"
        (self._note if message.type in ("error", "assert") else self.console.append)(line)

    def _miss(self, request: Request) -> None:
        if request.failure != _LEFT:
            self._note(f"request failed: {request.method} {request.url} {request.failure}")

    def _judge(self, response: Response) -> None:
        if response.status >= 400:
            self._note(f"request failed: {response.request.method} {response.url} {response.status}")


class MakeVisitor(Protocol):
    def __call__(self, server: Server, name: str = "visitor", **options: Any) -> Visitor: ...


class MakePerson(Protocol):
    def __call__(self, server: Server, name: str, **options: Any) -> Visitor: ...


@pytest.fixture(scope="module")
def browser(chromium_path: Path) -> Iterator[Browser]:
    switches = [*_SWITCHES, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=switches)
        yield browser
        browser.close()


@pytest.fixture
def visitor(browser: Browser, request: pytest.FixtureRequest) -> Iterator[MakeVisitor]:
    """A browser that nobody is signed in with: `visitor(collab)`. Options are those of Playwright's new_context, e.g.
    `color_scheme="dark"`; addresses may be given without the server's."""
    visitors: list[Visitor] = []
    servers: list[Server] = []

    def open_browser(server: Server, name: str = "visitor", **options: Any) -> Visitor:
        if server not in servers:
            servers.append(server)
        settings = {"base_url": server.url, "locale": "en-GB", "reduced_motion": "reduce", **options}
        visitors.append(one := Visitor(browser.new_context(**settings), name))
        return one

    yield open_browser
    troubles = {f"{one.name}: {line}": None for one in visitors for line in one.troubles}
    if troubles or request.node.stash.get(_failed, False):
        _keep(RESULTS / re.sub(r"[^\w.-]+", "-", request.node.name), visitors, servers)
    for one in visitors:
        one.context.close()
    assert not troubles, "in the pages:\n" + "\n".join(troubles)


@pytest.fixture(scope="module")
def sessions() -> dict[tuple[int, str], str]:
    """Session cookies by port and person, because the server allows only so many sign-ins a minute."""
    return {}


def _session(known: dict[tuple[int, str], str], server: Server, name: str) -> str:
    key = (server.port, name)
    if key not in known or not _is_signed_in(server, known[key]):
        known[key] = sign_in(server, server.people[name])
    return known[key]


def _is_signed_in(server: Server, session: str) -> bool:
    request = urllib.request.Request(f"{server.url}/", headers={"Cookie": f"sessionid={session}"})
    with urllib.request.urlopen(request) as answer:
        return bool(answer.url == f"{server.url}/")


@pytest.fixture
def person(visitor: MakeVisitor, sessions: dict[tuple[int, str], str]) -> MakePerson:
    """A browser in which a person of the demo is signed in: `person(collab, "ada")`. Options as for `visitor`. Two
    browsers of one person share their session: who signs out in one does so in the other."""

    def open_browser(server: Server, name: str, **options: Any) -> Visitor:
        session = _session(sessions, server, name)
        one = visitor(server, name, **options)
        one.context.add_cookies(
            [{"name": "sessionid", "value": session, "url": server.url, "httpOnly": True}]
        )
        return one

    return open_browser


@pytest.fixture(scope="module")
def shared_collab(leash: Leash, demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running Collab that the tests of a module share, for those that change nothing but documents of their own
    (`new_document` in `writing.py`): a start costs more than most tests."""
    folder = tmp_path_factory.mktemp("shared") / "data"
    shutil.copytree(demo.folder, folder)
    server = Server(leash, folder, demo, {})
    server.start()
    yield server
    server.stop()


@pytest.fixture
def collab(server: StartServer) -> Server:
    """A running Collab with the demo's people and documents."""
    return server()


@pytest.fixture
def empty_collab(leash: Leash, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Start Collab as it is after its first set-up: no account, no document. Settings as for `server`."""
    started: list[Server] = []

    def start(**extra: str) -> Server:
        folder = tmp_path_factory.mktemp("empty") / "data"
        folder.mkdir()
        manage(environment(folder), "migrate", "--no-input", "--verbosity", "0")
        one = Server(leash, folder, Demo(folder, {}, [], None), extra)
        started.append(one)
        one.start()
        return one

    yield start
    for one in started:
        if one.is_running():
            one.stop()


def _keep(folder: Path, visitors: list[Visitor], servers: list[Server]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, one in enumerate(visitors, 1):
        name = f"{number}-{one.name}"
        (folder / f"{name}-console.txt").write_text("\n".join(one.console))
        for tab, page in enumerate(one.context.pages, 1):
            page.screenshot(path=folder / f"{name}-window-{tab}.png", full_page=True)
    for server in servers:
        (folder / f"server-{server.port}.log").write_text(server.log())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[_failed] = True
    return report
