"""Links by Ctrl+K: set, changed, followed, removed, and refused where they would run something."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import MakePerson
from tests.browser.writing import (
    caret_behind,
    caret_to_end,
    html_of,
    new_document,
    press,
    select,
    text,
    text_of,
    tool,
    type_text,
)
from tests.server import Server

ADDRESSES = {
    "https://example.org/harbour?a=1#b": "https://example.org/harbour?a=1#b",
    "example.org/harbour": "https://example.org/harbour",
    "master@example.org": "mailto:master@example.org",
    "tel:+4940123": "tel:+4940123",
    "/documents/": "/documents/",
}
REFUSED = (
    "javascript:alert(1)",
    " JavaScript:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "blob:http://127.0.0.1/x",
    "",
)


@pytest.fixture
def page(shared_collab: Server, person: MakePerson) -> Page:
    page = person(shared_collab, "ada").page
    new_document(page)
    type_text(page, "Ask the harbour master.")
    return page


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Link")


def link_to(page: Page, address: str) -> None:
    press(page, "Control+KeyK")
    expect(page.get_by_label("Address", exact=True)).to_be_focused()
    page.keyboard.insert_text(address)
    page.keyboard.press("Enter")


def hrefs(page: Page) -> list[str]:
    found: list[str] = (
        text(page).locator("a").evaluate_all("(all) => all.map((one) => one.getAttribute('href'))")
    )
    return found


def test_selected_words_become_a_link(page: Page) -> None:
    for typed, href in ADDRESSES.items():
        select(page, "harbour master")
        link_to(page, typed)
        expect(dialog(page)).to_be_hidden()
        expect(text(page)).to_be_focused()
        assert hrefs(page) == [href]
    type_text(page, " first")
    assert text(page).locator("a").inner_text() == "harbour master"
    assert text_of(page) == "Ask the harbour master first."


def test_what_would_run_is_refused(page: Page) -> None:
    for address in REFUSED:
        select(page, "harbour master")
        link_to(page, address)
        expect(dialog(page).get_by_role("status")).to_contain_text("not an address")
        expect(page.get_by_label("Address", exact=True)).to_be_focused()
        page.keyboard.press("Escape")
        expect(dialog(page)).to_be_hidden()
        expect(text(page)).to_be_focused()
        assert html_of(page) == "<p>Ask the harbour master.</p>"


def test_without_a_selection_its_words_are_asked_for(page: Page) -> None:
    caret_to_end(page)
    press(page, "Control+KeyK")
    page.keyboard.insert_text("https://example.org/tides")
    page.keyboard.press("Tab")
    page.keyboard.insert_text("The tides")
    page.keyboard.press("Enter")
    assert text_of(page) == "Ask the harbour master.The tides"
    assert hrefs(page) == ["https://example.org/tides"]


def test_a_link_is_changed_and_removed(page: Page) -> None:
    select(page, "harbour master")
    link_to(page, "https://example.org/one")
    caret_behind(page, "harbour")
    tool(page, "Link").click()
    expect(page.get_by_label("Address", exact=True)).to_have_value("https://example.org/one")
    page.get_by_label("Address", exact=True).fill("https://example.org/two")
    page.get_by_role("button", name="Apply").click()
    assert hrefs(page) == ["https://example.org/two"]
    caret_behind(page, "harbour")
    press(page, "Control+KeyK")
    page.get_by_role("button", name="Remove link").click()
    expect(text(page)).to_be_focused()
    assert html_of(page) == "<p>Ask the harbour master.</p>"


def test_every_part_of_the_dialog_is_reached_by_tab(page: Page) -> None:
    select(page, "harbour master")
    link_to(page, "https://example.org/one")
    caret_behind(page, "harbour")
    press(page, "Control+KeyK")
    for name in ("Apply", "Cancel", "Open", "Remove link"):
        page.keyboard.press("Tab")
        expect(dialog(page).locator(":focus")).to_have_text(name)


def test_a_link_is_followed_in_a_window_of_its_own(
    shared_collab: Server, person: MakePerson, page: Page
) -> None:
    select(page, "harbour master")
    link_to(page, f"{shared_collab.url}/accounts/password/reset/")
    link = text(page).locator("a")
    assert link.get_attribute("rel") == "noopener noreferrer nofollow"
    link.click()
    with page.context.expect_page() as opened:
        link.click(modifiers=["Control"])
    opened.value.wait_for_load_state()
    assert opened.value.evaluate("window.opener") is None
    assert len(page.context.pages) == 2, "a plain click of somebody who writes only sets the caret"
