"""More words for the browser tests: what happens to people's networks, browsers, sessions and rights."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.conftest import PATIENCE, Visitor
from tests.browser.writing import open_document, save_state
from tests.processes import wait_until
from tests.server import Person, Server, sign_in

# Drafts of everybody who uses this browser: document, whose, why refused, how many of their own edits.
_DRAFTS = """() => new Promise((resolve, reject) => {
  const request = indexedDB.open("collab");
  request.onerror = () => reject(request.error);
  request.onsuccess = () => {
    const reading = request.result.transaction(["drafts", "entries"]);
    const drafts = reading.objectStore("drafts").getAll();
    const entries = reading.objectStore("entries").getAll();
    reading.oncomplete = () => {
      request.result.close();
      resolve(drafts.result.map(({ id, document, person, refusal }) => ({
        document, person, refusal,
        edits: entries.result.filter(({ draft, own }) => own && draft === id).length,
      })));
    };
  };
})"""

_PASTE = """(root, { line, lines }) => {
  const data = new DataTransfer();
  data.setData("text/plain", Array.from({ length: lines }, (_, at) => `${at} ${line}`).join("\\n\\n"));
  root.focus();
  root.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""


def drafts(page: Page) -> list[dict[str, Any]]:
    """What is kept in the browser that this window belongs to."""
    kept: list[dict[str, Any]] = page.evaluate(_DRAFTS)
    return kept


def await_drafts(page: Page, condition: Callable[[list[dict[str, Any]]], bool]) -> None:
    wait_until(lambda: condition(drafts(page)), "the drafts on the device")


def await_kept(page: Page, changes: int) -> None:
    """Wait until the save state says that so many changes are kept here."""
    words = "1 change" if changes == 1 else f"{changes} changes"
    expect(save_state(page)).to_have_text(f"Offline, {words} kept on this device")


def paste(page: Page, line: str, lines: int) -> None:
    """Paste so many paragraphs of plain text, each behind its number."""
    page.locator(".document-text").evaluate(_PASTE, {"line": line, "lines": lines})


def notice(page: Page) -> Locator:
    """The banner that says why the document has stopped."""
    return page.locator("#notice")


def recovery(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Text that is not saved")


def sign_in_dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Sign in again")


def sign_out(page: Page) -> None:
    """Sign out on the start page."""
    page.goto("/")
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()


def make_guest(admin: Visitor, person: str) -> None:
    """Take somebody's rights away: a guest of the workspace sees none of its documents."""
    page = admin.new_page()
    page.goto("/admin/docs_app/workspace/1/change/")
    row = page.locator("tr.form-row").filter(has=page.locator(f"[value*='{person}']"))
    row.locator("select[name$='-kind']").select_option("guest")
    page.locator("[name=_save]").click()
    expect(page.locator(".success")).to_be_visible()
    page.close()


def move_to_trash(server: Server, document: str) -> None:
    """By another process: open tabs hear of it by the server's poll."""
    change = "Document.objects.filter(id='%s').update(trashed_at=timezone.now())"
    _change(server, change % document)


def raise_epoch(server: Server, document: str) -> None:
    """As if the document's history had been replaced."""
    _change(server, f"Document.objects.filter(id='{document}').update(epoch=F('epoch') + 1)")


def _change(server: Server, statement: str) -> None:
    imports = (
        "from django.db.models import F; from django.utils import timezone; "
        "from docs_app.documents.models import Document; "
    )
    server.manage("shell", "-c", imports + statement)


class Profile:
    """A browser on a profile of its own that outlives it, as on somebody's laptop."""

    def __init__(self, browser: Browser, executable: Path, folder: Path, server: Server, who: Person) -> None:
        self._browser, self._executable, self._folder = browser, executable, folder
        self._server, self._who = server, who

    def start(self) -> BrowserContext:
        context = self._browser.browser_type.launch_persistent_context(
            self._folder,
            executable_path=self._executable,
            base_url=self._server.url,
            args=["--no-first-run", *(["--no-sandbox"] if os.geteuid() == 0 else [])],
        )
        context.set_default_timeout(PATIENCE)
        session = sign_in(self._server, self._who)
        context.add_cookies(
            [{"name": "sessionid", "value": session, "url": self._server.url, "httpOnly": True}]
        )
        return context

    def kill(self) -> None:
        """SIGKILL to every process of the browser: no page hears of it."""
        switch = f"--user-data-dir={self._folder}"
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and switch in _command(entry):
                os.kill(int(entry.name), signal.SIGKILL)

    def open(self, context: BrowserContext, document: str) -> Page:
        page = context.pages[0] if context.pages else context.new_page()
        open_document(page, document)
        return page


def _command(process: Path) -> list[str]:
    try:
        return (process / "cmdline").read_text().split("\0")
    except OSError:
        # It ended while we looked.
        return []
