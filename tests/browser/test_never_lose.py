"""What is typed stays with the person until the server has it: closed tabs, killed browsers, sleeping laptops."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect
from playwright.sync_api import Error as PlaywrightError

from tests.browser.conftest import DISCONNECTED, MakePerson
from tests.browser.never_lose import Profile, await_drafts, await_kept, drafts, paste, recovery
from tests.browser.writing import (
    await_document,
    await_text,
    caret_to_end,
    converges,
    new_document,
    open_document,
    save_state,
    text_of,
    type_text,
    wait_saved,
)
from tests.processes import wait_until
from tests.server import Server


def test_offline_then_closed_then_opened_again(shared_collab: Server, person: MakePerson) -> None:
    ada, ben = person(shared_collab, "ada"), person(shared_collab, "ben")
    ada.expects(DISCONNECTED)
    document = new_document(ada.page)
    type_text(ada.page, "Seen by all. ")
    wait_saved(ada.page)
    ada.page.clock.install()
    open_document(ada.page, document)
    open_document(ben.page, document)
    converges(ada.page, ben.page)
    ada.offline()
    # What is written into a socket before the tab gives it up would arrive after all.
    ada.page.clock.fast_forward(31_000)
    expect(save_state(ada.page)).to_have_text("Offline, everything is saved")
    caret_to_end(ada.page)
    type_text(ada.page, "Unsent.")
    await_kept(ada.page, 7)
    ada.page.close()

    again = ada.new_page()
    with pytest.raises(PlaywrightError, match="ERR_INTERNET_DISCONNECTED"):
        again.goto(f"/documents/{document}/")
    ada.online()
    assert "Unsent" not in text_of(ben.page)
    open_document(again, document)
    assert converges(again, ben.page) == "Seen by all. Unsent."
    await_drafts(again, lambda kept: kept == [])


def test_closed_at_once_after_the_last_key(collab: Server, person: MakePerson) -> None:
    ada = person(collab, "ada")
    ada.expects(DISCONNECTED)
    document = new_document(ada.page)
    wait_saved(ada.page)
    collab.kill()
    # As a quick person types: the device is given each key when it is pressed, and has it before the next one.
    type_text(ada.page, "G")
    ada.page.keyboard.type("one in a moment", delay=120)
    ada.page.close(run_before_unload=False)
    collab.start()
    again = ada.new_page()
    open_document(again, document)
    await_text(again, "Gone in a momen")
    wait_saved(again)


def test_the_browser_is_killed(
    collab: Server, browser: Browser, chromium_path: Path, tmp_path: Path, person: MakePerson
) -> None:
    profile = Profile(browser, chromium_path, tmp_path / "profile", collab, collab.people["ada"])
    context = profile.start()
    page = context.pages[0]
    document = new_document(page)
    type_text(page, "Committed. ")
    wait_saved(page)
    collab.stop()
    expect(save_state(page)).to_have_attribute("data-state", "offline")
    type_text(page, "On this device only.")
    await_kept(page, 20)
    profile.kill()

    collab.start()
    context = profile.start()
    page = profile.open(context, document)
    await_text(page, lambda seen: seen == "Committed. On this device only.")
    wait_saved(page)
    await_drafts(page, lambda kept: kept == [])
    context.close()
    ben = person(collab, "ben")
    open_document(ben.page, document)
    assert text_of(ben.page) == "Committed. On this device only."


def test_two_tabs_of_one_person(collab: Server, person: MakePerson) -> None:
    ada = person(collab, "ada")
    ada.expects(DISCONNECTED)
    document = new_document(ada.page)
    type_text(ada.page, "Both: ")
    second = ada.new_page()
    open_document(second, document)
    converges(ada.page, second)
    collab.stop()
    for page in (ada.page, second):
        expect(save_state(page)).to_have_attribute("data-state", "offline")
    for page, words in ((ada.page, "first"), (second, "second")):
        caret_to_end(page)
        type_text(page, words)
    await_kept(ada.page, 5)
    await_kept(second, 6)
    assert sorted(draft["edits"] for draft in drafts(second)) == [5, 6]
    ada.page.close()

    collab.start()
    # The tab that lives on takes over what the closed one left, without being touched.
    await_text(second, lambda seen: sorted(seen) == sorted("Both: firstsecond"))
    wait_saved(second)
    await_drafts(second, lambda kept: kept == [])
    chidi = person(collab, "chidi")
    open_document(chidi.page, document)
    assert converges(second, chidi.page) in ("Both: firstsecond", "Both: secondfirst")


def test_without_https(collab: Server, person: MakePerson) -> None:
    """Browsers give Web Locks and random UUIDs to secure origins only."""
    ada = person(collab, "ada")
    ada.expects(DISCONNECTED)
    ada.context.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'locks', { value: undefined }); delete Crypto.prototype.randomUUID"
    )
    document = new_document(ada.page)
    collab.stop()
    expect(save_state(ada.page)).to_have_attribute("data-state", "offline")
    type_text(ada.page, "kept")
    await_kept(ada.page, 4)
    ada.page.close()
    collab.start()
    again = ada.new_page()
    open_document(again, document)
    await_text(again, "kept")
    wait_saved(again)
    await_drafts(again, lambda kept: kept == [])


def test_a_page_that_was_frozen_for_longer_than_the_socket_lives(
    shared_collab: Server, person: MakePerson
) -> None:
    ada, ben = person(shared_collab, "ada"), person(shared_collab, "ben")
    ada.expects(DISCONNECTED)
    sockets: list[str] = []
    ada.page.on("websocket", lambda socket: sockets.append(socket.url))
    document = new_document(ada.page)
    open_document(ben.page, document)
    ada.page.clock.install()
    open_document(ada.page, document)
    before = len(sockets)
    ada.offline()
    type_text(ada.page, "Before the tunnel")
    freeze(ada.page, frozen=True)
    ada.page.clock.fast_forward(45_000)
    ada.online()
    type_text(ben.page, "Meanwhile. ")
    wait_saved(ben.page)
    freeze(ada.page, frozen=False)
    await_text(ada.page, "Meanwhile. ")
    assert sorted(converges(ada.page, ben.page)) == sorted("Before the tunnelMeanwhile. ")
    assert len(sockets) > before, "the old socket was trusted"


def freeze(page: Page, *, frozen: bool) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Page.setWebLifecycleState", {"state": "frozen" if frozen else "active"})
    session.detach()


def test_a_pasted_book(shared_collab: Server, person: MakePerson) -> None:
    ada, ben = person(shared_collab, "ada"), person(shared_collab, "ben")
    document = new_document(ada.page)
    line = "All work and no play makes a dull reading room. " * 200
    paste(ada.page, line, 550)
    caret_to_end(ada.page)
    type_text(ada.page, "The end.")
    wait_saved(ada.page)
    open_document(ben.page, document)
    seen = text_of(ben.page)
    assert len(seen) > 5 * 1024 * 1024
    assert seen.endswith("The end.")
    assert seen.split("\n")[549].startswith("549 All work")


def test_a_device_that_keeps_nothing_says_so(collab: Server, person: MakePerson) -> None:
    ada = person(collab, "ada")
    ada.expects(DISCONNECTED)
    ada.context.add_init_script(
        "IDBFactory.prototype.open = () => { throw new DOMException('No', 'SecurityError') }"
    )
    document = new_document(ada.page)
    collab.stop()
    expect(save_state(ada.page)).to_have_attribute("data-state", "offline")
    type_text(ada.page, "abc")
    said = "Offline, 3 changes not kept on this device: keep this tab open"
    expect(save_state(ada.page)).to_have_text(said)
    collab.start()
    wait_saved(ada.page)
    open_document(ada.page, document)
    assert text_of(ada.page) == "abc"


def test_leaving_with_unsaved_edits_asks_first(collab: Server, person: MakePerson) -> None:
    ada = person(collab, "ada")
    ada.expects(DISCONNECTED)
    new_document(ada.page)
    collab.stop()
    expect(save_state(ada.page)).to_have_attribute("data-state", "offline")
    type_text(ada.page, "wait")
    await_kept(ada.page, 4)
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    ada.page.on("dialog", stay)
    ada.page.locator(".bar-home").click(no_wait_after=True)
    wait_until(lambda: asked == ["beforeunload"], "the question")
    assert text_of(ada.page) == "wait"
    assert recovery(ada.page).is_hidden()
    collab.start()
    await_document(ada.page)
    wait_saved(ada.page)
