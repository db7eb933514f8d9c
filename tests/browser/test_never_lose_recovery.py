"""What the server refuses for good is offered as a copy, here, on the next visit and on any page."""

import re
from pathlib import Path

from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.conftest import DISCONNECTED, MakePerson, Visitor
from tests.browser.never_lose import (
    await_drafts,
    drafts,
    make_guest,
    move_to_trash,
    notice,
    raise_epoch,
    recovery,
)
from tests.browser.writing import (
    await_text,
    converges,
    new_document,
    open_document,
    press,
    save_state,
    text,
    text_of,
    type_text,
    wait_saved,
)
from tests.server import Server, StartServer, sign_in


class Wire:
    """Between a window and the server: lets everything through until it is told to hold back what the page sends."""

    def __init__(self, page: Page) -> None:
        self.holding = False
        self._routes: list[WebSocketRoute] = []
        page.route_web_socket("**/ws/documents/**", self._join)

    def _join(self, route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        route.on_message(lambda message: None if self.holding else server.send(message))
        server.on_message(route.send)
        self._routes.append(route)

    def close(self, code: int) -> None:
        """Close the page's socket as the server would."""
        self._routes[-1].close(code=code)


def write_and_lose(ada: Visitor, ben: Visitor) -> tuple[str, Wire]:
    """Ben has written two paragraphs, and a word more that the server does not get; answers the document."""
    document = new_document(ada.page, "Field notes")
    wire = Wire(ben.page)
    open_document(ben.page, document)
    type_text(ben.page, "First paragraph.")
    press(ben.page, "Enter")
    type_text(ben.page, "Second paragraph")
    converges(ada.page, ben.page)
    wire.holding = True
    type_text(ben.page, ", unsent.")
    expect(save_state(ben.page)).to_have_text("Saving…")
    await_drafts(ben.page, lambda kept: [draft["edits"] for draft in kept] == [9])
    return document, wire


def test_access_is_taken_away_while_typing(collab: Server, person: MakePerson, tmp_path: Path) -> None:
    ada, ben = person(collab, "ada"), person(collab, "ben")
    ben.expects("404")
    document, _ = write_and_lose(ada, ben)
    make_guest(ada, "ben@example.org")
    expect(save_state(ben.page)).to_have_text("Not saved: you no longer have access")
    expect(text(ben.page)).not_to_have_attribute("contenteditable", "true")
    told = "9 changes you made could not be saved. They are kept on this device."
    expect(notice(ben.page)).to_contain_text(told)
    assert "unsent" not in text_of(ada.page)

    notice(ben.page).get_by_role("button", name="See your text").click()
    panel = recovery(ben.page)
    expect(panel).to_be_visible()
    expect(panel.get_by_role("heading")).to_be_focused()
    yours = panel.get_by_role("region", name="Your text")
    expect(yours).to_have_text("Second paragraph, unsent.")
    panel.get_by_label("The whole document, as it was here").check()
    expect(yours).to_contain_text("First paragraph.")
    for kind, expected in (
        ("text", "First paragraph.\n\nSecond paragraph, unsent."),
        ("web page", "<p>First"),
    ):
        with ben.page.expect_download() as download:
            panel.get_by_role("button", name=f"Download as {kind}").click()
        download.value.save_as(tmp_path / "copy")
        assert expected in (tmp_path / "copy").read_text()
    ben.context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel.get_by_role("button", name="Copy").click()
    expect(panel.get_by_role("status")).to_have_text("Copied.")
    copied = ben.page.evaluate("navigator.clipboard.readText()")
    assert copied == "First paragraph.\n\nSecond paragraph, unsent."
    ben.page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(notice(ben.page).get_by_role("button", name="See your text")).to_be_focused()

    # The document does not open any more; the text is found on the page that says so, and on every other one.
    ben.page.on("dialog", lambda dialog: dialog.accept())
    banner = ben.page.get_by_role("complementary", name="Text that is not saved")
    for address in (f"/documents/{document}/", "/"):
        ben.page.goto(address)
        expect(banner).to_contain_text("You have text that could not be saved in “Field notes”.")
    banner.get_by_role("button", name="See your text").click()
    expect(yours).to_have_text("Second paragraph, unsent.")
    panel.get_by_role("button", name="Discard…").click()
    expect(panel.get_by_role("button", name="Keep")).to_be_focused()
    ben.page.keyboard.press("Enter")
    assert [draft["edits"] for draft in drafts(ben.page)] == [9]
    panel.get_by_role("button", name="Discard…").click()
    panel.get_by_role("button", name="Discard", exact=True).click()
    expect(panel).to_be_hidden()
    expect(banner).to_be_hidden()
    assert drafts(ben.page) == []


def test_only_their_owner_is_told(collab: Server, person: MakePerson) -> None:
    ada, ben = person(collab, "ada"), person(collab, "ben")
    document, _ = write_and_lose(ada, ben)
    move_to_trash(collab, document)
    expect(save_state(ben.page)).to_have_text("Not saved: this document is in the trash")
    ben.page.on("dialog", lambda dialog: dialog.accept())
    await_drafts(ben.page, lambda kept: [draft["refusal"] for draft in kept] == ["trashed"])
    ben.page.goto("/")
    expect(ben.page.get_by_text("You have text that could not be saved")).to_be_visible()
    # Chidi signs in to the same browser.
    session = sign_in(collab, collab.people["chidi"])
    ben.context.clear_cookies()
    ben.context.add_cookies([{"name": "sessionid", "value": session, "url": collab.url, "httpOnly": True}])
    ben.page.goto("/")
    expect(ben.page.get_by_text("Chidi Laurent").first).to_be_attached()
    assert ben.page.get_by_text("could not be saved").count() == 0


def test_access_comes_back(collab: Server, person: MakePerson) -> None:
    ada, ben = person(collab, "ada"), person(collab, "ben")
    document = new_document(ada.page, "Field notes")
    wire = Wire(ben.page)
    open_document(ben.page, document)
    type_text(ben.page, "Seen. ")
    converges(ada.page, ben.page)
    wire.holding = True
    type_text(ben.page, "Late.")
    wire.close(4403)
    expect(save_state(ben.page)).to_have_text("Not saved: you no longer have access")
    await_drafts(ben.page, lambda kept: [draft["refusal"] for draft in kept] == ["no-access"])
    wire.holding = False
    ben.page.on("dialog", lambda dialog: dialog.accept())
    open_document(ben.page, document)
    assert converges(ada.page, ben.page) == "Seen. Late."
    await_drafts(ben.page, lambda kept: kept == [])


def test_the_history_was_replaced(collab: Server, person: MakePerson) -> None:
    ada, ben = person(collab, "ada"), person(collab, "ben")
    document, wire = write_and_lose(ada, ben)
    raise_epoch(collab, document)
    expect(notice(ben.page)).to_contain_text("This document was replaced by another version of itself.")
    await_drafts(ben.page, lambda kept: [draft["refusal"] for draft in kept] == ["new-epoch"])
    wire.holding = False
    ben.page.on("dialog", lambda dialog: dialog.accept())
    notice(ben.page).get_by_role("button", name="Reload").click()
    earlier = ben.page.locator("#earlier")
    expect(earlier).to_contain_text("You have text that could not be saved in “Field notes”.")
    await_text(ben.page, lambda seen: seen == "First paragraph.\nSecond paragraph")
    earlier.get_by_role("button", name="See your text").click()
    expect(recovery(ben.page).get_by_role("region", name="Your text")).to_have_text(
        "Second paragraph, unsent."
    )
    recovery(ben.page).get_by_role("button", name="Close").click()
    # Not merged, and no obstacle to going on.
    press(ben.page, "Control+End")
    type_text(ben.page, " of the new one")
    wait_saved(ben.page)
    ada.page.reload()
    open_document(ada.page, document)
    assert text_of(ada.page) == "First paragraph.\nSecond paragraph of the new one"


def test_the_page_is_older_than_the_schema(collab: Server, person: MakePerson) -> None:
    ada, ben = person(collab, "ada"), person(collab, "ben")
    ben.expects(DISCONNECTED)
    document = new_document(ada.page, "Field notes")
    wire = Wire(ben.page)
    open_document(ben.page, document)
    wire.holding = True
    type_text(ben.page, "Written on the old page.")
    wire.close(4426)
    expect(notice(ben.page)).to_contain_text("Collab has been updated since you opened this page.")
    told = "24 changes you made are kept on this device and will be sent when you open the document again."
    expect(notice(ben.page)).to_contain_text(told)
    assert text_of(ada.page) == ""
    wire.holding = False
    ben.page.on("dialog", lambda dialog: dialog.accept())
    notice(ben.page).get_by_role("button", name="Reload").click()
    await_text(ada.page, "Written on the old page.")
    wait_saved(ben.page)


def test_a_document_that_is_half_full_and_then_full(server: StartServer, person: MakePerson) -> None:
    collab = server(COLLAB_MAX_DOCUMENT="8000")
    ada = person(collab, "ada")
    new_document(ada.page)
    ada.page.keyboard.insert_text("x" * 5_000)
    wait_saved(ada.page)
    fullness = ada.page.locator("#fullness")
    expect(fullness).to_have_text(re.compile("^6[0-9] % full$"))
    ada.page.keyboard.insert_text("y" * 4_000)
    expect(save_state(ada.page)).to_have_text("Not saved: this document has reached its size limit")
    notice(ada.page).get_by_role("button", name="See your text").click()
    recovery(ada.page).get_by_role("button", name="Discard…").click()
    recovery(ada.page).get_by_role("button", name="Discard", exact=True).click()
    # The page begins anew with what the server has.
    await_text(ada.page, lambda seen: seen == "x" * 5_000)
    wait_saved(ada.page)
    assert drafts(ada.page) == []
