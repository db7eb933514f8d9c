"""The page says whether everything is saved, and says so only when it is."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import DISCONNECTED, MakePerson
from tests.browser.writing import (
    await_text,
    converges,
    new_document,
    open_document,
    save_state,
    text_of,
    type_text,
    wait_saved,
)
from tests.server import Server

_NOTE_STATES = """() => {
  const mark = document.querySelector("#save-state");
  window.statesSeen = [mark.textContent];
  new MutationObserver(() => window.statesSeen.push(mark.textContent))
    .observe(mark, { childList: true, characterData: true, subtree: true });
}"""


def states(page: Page) -> list[str]:
    """What the page said since `_NOTE_STATES`, without repetitions."""
    seen: list[str] = page.evaluate("() => window.statesSeen")
    return [one for number, one in enumerate(seen) if number == 0 or seen[number - 1] != one]


def test_saving_then_saved(shared_collab: Server, person: MakePerson) -> None:
    ada = person(shared_collab, "ada").page
    new_document(ada)
    wait_saved(ada)
    ada.evaluate(_NOTE_STATES)
    ada.keyboard.type("x")
    expect(save_state(ada)).to_have_text("Saved")
    assert states(ada) == ["Saved", "Saving…", "Saved"]


def test_it_never_says_saved_before_the_server_does(shared_collab: Server, person: MakePerson) -> None:
    ada, ben = person(shared_collab, "ada"), person(shared_collab, "ben")
    document = new_document(ada.page)
    open_document(ben.page, document)
    ada.offline()
    ada.page.evaluate(_NOTE_STATES)
    type_text(ada.page, "held back")
    # Something else travels meanwhile, to be sure that the server had the time to answer.
    type_text(ben.page, "arrives")
    wait_saved(ben.page)
    assert "Saved" not in states(ada.page)[1:]
    assert "held" not in text_of(ben.page)
    ada.online()
    expect(save_state(ada.page)).to_have_text("Saved")
    await_text(ben.page, "held back")
    converges(ada.page, ben.page)


def test_offline_when_the_network_is_cut(shared_collab: Server, person: MakePerson) -> None:
    ada = person(shared_collab, "ada")
    ada.expects(DISCONNECTED)
    document = new_document(ada.page)
    ada.offline()
    type_text(ada.page, "kept")
    # The browser knows at once that the network is gone; silence alone would take half a minute to notice.
    expect(save_state(ada.page)).to_have_text(
        re.compile(r"^Offline, \d changes? kept on this device$"), timeout=5_000
    )
    type_text(ada.page, " here")
    ada.online()
    wait_saved(ada.page)
    ben = person(shared_collab, "ben").page
    open_document(ben, document)
    assert text_of(ben) == "kept here"


def test_offline_when_the_server_is_away(collab: Server, person: MakePerson) -> None:
    ada = person(collab, "ada")
    ada.expects(DISCONNECTED)
    document = new_document(ada.page)
    type_text(ada.page, "before,")
    wait_saved(ada.page)
    collab.stop()
    expect(save_state(ada.page)).to_have_text("Offline, everything is saved")
    ada.page.keyboard.type("a")
    expect(save_state(ada.page)).to_have_text("Offline, 1 change kept on this device")
    ada.page.keyboard.type("b")
    expect(save_state(ada.page)).to_have_text("Offline, 2 changes kept on this device")
    collab.start()
    expect(save_state(ada.page)).to_have_text("Saved")
    chidi = person(collab, "chidi").page
    open_document(chidi, document)
    assert text_of(chidi) == "before,ab"


def test_it_is_said_aloud_once_it_has_settled(collab: Server, person: MakePerson) -> None:
    ada = person(collab, "ada")
    ada.expects(DISCONNECTED)
    new_document(ada.page)
    spoken = ada.page.locator("#save-status")
    expect(spoken).to_have_text("Saved")
    collab.stop()
    expect(spoken).to_have_text("Offline, everything is saved")


def test_leaving_asks_while_something_is_not_saved(collab: Server, person: MakePerson) -> None:
    ada = person(collab, "ada")
    ada.expects(DISCONNECTED)
    new_document(ada.page)
    type_text(ada.page, "first")
    wait_saved(ada.page)
    collab.stop()
    asked: list[str] = []

    def stay(dialog: object) -> None:
        asked.append(getattr(dialog, "type", ""))
        getattr(dialog, "dismiss")()  # noqa: B009

    ada.page.on("dialog", stay)
    ada.page.keyboard.type("x")
    expect(save_state(ada.page)).to_have_attribute("data-state", "offline")
    ada.page.get_by_role("link", name="All documents").click()
    expect(save_state(ada.page)).to_contain_text("1 change kept")
    assert asked == ["beforeunload"]
    collab.start()
    wait_saved(ada.page)
    ada.page.get_by_role("link", name="All documents").click()
    expect(ada.page.get_by_role("heading", level=1)).to_have_text("Documents")
    assert asked == ["beforeunload"]
