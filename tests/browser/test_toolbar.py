"""What the toolbar offers works by mouse, from the keyboard, and by shortcut."""

from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import MakePerson
from tests.browser.writing import (
    await_document,
    await_text,
    caret_to_end,
    converges,
    html_of,
    new_document,
    open_document,
    press,
    select,
    text,
    text_of,
    tool,
    type_text,
    wait_saved,
)
from tests.server import Server


@dataclass(frozen=True)
class Command:
    label: str
    shortcut: str
    # What becomes of the paragraph "heron" that is selected.
    html: str


COMMANDS = (
    Command("Heading 1", "Control+Alt+Digit1", "<h1>heron</h1>"),
    Command("Heading 2", "Control+Alt+Digit2", "<h2>heron</h2>"),
    Command("Heading 3", "Control+Alt+Digit3", "<h3>heron</h3>"),
    Command("Bold", "Control+KeyB", "<p><strong>heron</strong></p>"),
    Command("Italic", "Control+KeyI", "<p><em>heron</em></p>"),
    Command("Strikethrough", "Control+Shift+KeyS", "<p><s>heron</s></p>"),
    Command("Code", "Control+KeyE", "<p><code>heron</code></p>"),
    Command("Bulleted list", "Control+Shift+Digit8", "<ul><li><p>heron</p></li></ul>"),
    Command("Numbered list", "Control+Shift+Digit7", "<ol><li><p>heron</p></li></ol>"),
    Command("Quote", "Control+Shift+KeyB", "<blockquote><p>heron</p></blockquote>"),
    Command("Code block", "Control+Alt+KeyC", "<pre><code>heron</code></pre>"),
)
PLAIN = "<p>heron</p>"


@pytest.fixture
def page(shared_collab: Server, person: MakePerson) -> Page:
    """A window with a document that says "heron", which is selected."""
    page = person(shared_collab, "ada").page
    new_document(page)
    type_text(page, "heron")
    select(page, "heron")
    return page


def to_button(page: Page, label: str) -> None:
    """From the text to the button of this name, by keys alone."""
    press(page, "Alt+F10")
    toolbar = page.get_by_role("toolbar", name="Formatting")
    expect(toolbar.locator(":focus")).to_have_count(1)
    page.keyboard.press("Home")
    for _ in range(20):
        if toolbar.locator(":focus").get_attribute("aria-label") == label:
            return
        page.keyboard.press("ArrowRight")
    raise AssertionError(f"no button {label} in the toolbar")


def test_by_mouse(page: Page) -> None:
    for command in COMMANDS:
        button = tool(page, command.label)
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        expect(text(page)).to_be_focused()
        assert html_of(page) == command.html
        button.click()
        expect(button).to_have_attribute("aria-pressed", "false")
        assert html_of(page) == PLAIN


def test_by_keyboard(page: Page) -> None:
    for command in COMMANDS:
        to_button(page, command.label)
        page.keyboard.press("Enter")
        expect(text(page)).to_be_focused()
        assert html_of(page) == command.html
        press(page, "Alt+F10")
        expect(tool(page, command.label)).to_be_focused()
        page.keyboard.press("Space")
        assert html_of(page) == PLAIN


def test_by_shortcut(page: Page) -> None:
    for command in COMMANDS:
        shown = tool(page, command.label).get_attribute("aria-keyshortcuts")
        assert shown == command.shortcut.replace("Key", "").replace("Digit", "")
        press(page, command.shortcut)
        assert html_of(page) == command.html
        press(page, command.shortcut)
        assert html_of(page) == PLAIN


def test_plain_text(page: Page) -> None:
    press(page, "Control+Alt+Digit2")
    tool(page, "Plain text").click()
    assert html_of(page) == PLAIN
    press(page, "Control+Alt+Digit2", "Control+Alt+Digit0")
    assert html_of(page) == PLAIN


def test_dividing_line(page: Page) -> None:
    caret_to_end(page)
    to_button(page, "Dividing line")
    page.keyboard.press("Space")
    type_text(page, "egret")
    assert text_of(page) == "heron\n---\negret"


def test_undo_and_redo(page: Page) -> None:
    # What was there when the page was loaded is not this window's to undo.
    wait_saved(page)
    page.reload()
    await_document(page)
    expect(tool(page, "Undo")).to_have_attribute("aria-disabled", "true")
    select(page, "heron")
    press(page, "Control+KeyB")
    tool(page, "Undo").click()
    expect(tool(page, "Undo")).to_have_attribute("aria-disabled", "true")
    assert html_of(page) == "<p>heron</p>"
    to_button(page, "Redo")
    page.keyboard.press("Enter")
    assert html_of(page) == "<p><strong>heron</strong></p>"
    expect(tool(page, "Redo")).to_have_attribute("aria-disabled", "true")
    press(page, "Control+KeyZ")
    assert html_of(page) == "<p>heron</p>"
    press(page, "Control+Shift+KeyZ")
    assert html_of(page) == "<p><strong>heron</strong></p>"
    press(page, "Control+Shift+KeyZ")
    assert html_of(page) == "<p><strong>heron</strong></p>"


def test_one_tab_stop_that_remembers_its_button(page: Page) -> None:
    to_button(page, "Italic")
    page.keyboard.press("Escape")
    press(page, "Alt+F10")
    expect(tool(page, "Italic")).to_be_focused()
    page.keyboard.press("End")
    expect(tool(page, "Dividing line")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(tool(page, "Undo")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(tool(page, "Dividing line")).to_be_focused()
    page.keyboard.press("Tab")
    expect(text(page)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(tool(page, "Dividing line")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_label("Title")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("link", name="All documents")).to_be_focused()


def test_a_list_is_indented_and_left_by_keys(page: Page) -> None:
    caret_to_end(page)
    press(page, "Control+Shift+Digit8", "Enter")
    type_text(page, "egret")
    press(page, "Tab")
    assert html_of(page) == "<ul><li><p>heron</p><ul><li><p>egret</p></li></ul></li></ul>"
    press(page, "Shift+Tab", "Enter", "Enter")
    type_text(page, "out")
    assert html_of(page) == "<ul><li><p>heron</p></li><li><p>egret</p></li></ul><p>out</p>"


def test_the_other_sees_the_formatting(shared_collab: Server, person: MakePerson, page: Page) -> None:
    ben = person(shared_collab, "ben").page
    open_document(ben, page.url.split("/")[-2])
    await_text(ben, "heron")
    tool(page, "Bold").click()
    tool(page, "Quote").click()
    wait_saved(page)
    assert converges(page, ben) == "heron"
    assert html_of(ben) == "<blockquote><p><strong>heron</strong></p></blockquote>"
