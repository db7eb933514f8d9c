"""The words in which browser tests are written: what people do in a document, and what they see there.

Everything waits for a condition; nothing sleeps. Text is typed key by key at the caret of the page.
"""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.processes import wait_until

# Blocks as they are written, without what only this window shows: other people's carets and the browser's props.
_CLEAN = """(root) => {
  const copy = root.cloneNode(true);
  const props = ".caret, .ProseMirror-separator, .ProseMirror-trailingBreak, .ProseMirror-gapcursor";
  copy.querySelectorAll(props).forEach((one) => one.remove());
  copy.querySelectorAll(".selection-of-other, .kept-selection").forEach((one) => {
    if (one.tagName === "SPAN") one.replaceWith(...one.childNodes);
  });
  copy.querySelectorAll("*").forEach((one) => {
    for (const name of ["class", "style", "data-placeholder", "data-ink", "contenteditable"]) {
      if (name !== "class" || one.tagName !== "CODE") one.removeAttribute(name);
    }
  });
  copy.normalize();
"""
_HTML = _CLEAN + "return copy.innerHTML; }"
_TEXT = (
    _CLEAN
    + """
  copy.querySelectorAll("br").forEach((one) => one.replaceWith("\\n"));
  const blocks = [...copy.querySelectorAll("p, h1, h2, h3, h4, pre, hr")];
  return blocks.map((one) => one.tagName === "HR" ? "---" : one.textContent).join("\\n");
}"""
)
# How many characters of the document stand in front of a place in its DOM.
_MEASURE = """
  const measure = (node, offset) => {
    const before = document.createRange();
    before.setStart(root, 0);
    before.setEnd(node, offset);
    const copy = before.cloneContents();
    copy.querySelectorAll(".caret").forEach((one) => one.remove());
    return copy.textContent.replaceAll("\\u2060", "").length;
  };
"""
_FIND = """
  const isWritten = (node) =>
    node.parentElement.closest(".caret") ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT;
  const find = () => {
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT, isWritten);
    for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
      const start = node.data.indexOf(words);
      const end = start + words.length;
      if (start >= 0) return [node, ...{ start: [start, start], end: [end, end], both: [start, end] }[edge]];
    }
    return null;
  };
  const found = find();
  if (found === null) return false;
  const [node, from, to] = found;
"""
_SELECT = f"""(root, {{ words, edge }}) => {{ {_FIND}
  root.focus();
  getSelection().setBaseAndExtent(node, from, node, to);
  return true;
}}"""
_IS_SELECTED = f"""(root, {{ words, edge }}) => {{ {_MEASURE} {_FIND}
  const {{ startContainer, startOffset, endContainer, endOffset }} = getSelection().getRangeAt(0);
  return measure(startContainer, startOffset) === measure(node, from)
    && measure(endContainer, endOffset) === measure(node, to);
}}"""
_IS_AT_EDGE = f"""(root, edge) => {{ {_MEASURE}
  const {{ focusNode, focusOffset, isCollapsed }} = getSelection();
  const goal = edge === "end" ? measure(root, root.childNodes.length) : 0;
  return isCollapsed && measure(focusNode, focusOffset) === goal;
}}"""
_CARET_BEHIND = """(words) => [...document.querySelectorAll(".document-text .caret")].some((caret) => {
  const before = document.createRange();
  before.setStart(caret.closest("p, h1, h2, h3, h4, pre"), 0);
  before.setEndBefore(caret);
  return before.toString().replaceAll("\u2060", "").endsWith(words);
})"""


def text(page: Page) -> Locator:
    """The document's text, writable or not."""
    return page.locator(".document-text")


def open_document(page: Page, document: str) -> None:
    """Open the page of a document and return when its text is there, and writable for those who may write."""
    page.goto(f"/documents/{document}/")
    await_document(page)


def await_document(page: Page) -> None:
    """Return when the text of the document that the window shows has arrived."""
    expect(page.locator("#sheet")).to_have_attribute("aria-busy", "false")
    if page.locator("#reading").is_hidden():
        expect(text(page)).to_have_attribute("contenteditable", "true")


def new_document(page: Page, title: str = "Harbour log") -> str:
    """Make a document on the start page, which leads into it; answers its id."""
    page.goto("/")
    page.get_by_label("Title of the new document").fill(title)
    page.get_by_role("button", name="New document").click()
    await_document(page)
    return urlsplit(page.url).path.split("/")[2]


def type_text(page: Page, words: str) -> None:
    """Type at the caret, one key after the other."""
    _focus(page)
    page.keyboard.type(words)


def press(page: Page, *keys: str) -> None:
    """Press keys in the text, e.g. `press(page, "Control+KeyB")`. With Shift say the key (`Shift+Digit8`) and not the
    character: Playwright would send the one that the key has without Shift."""
    _focus(page)
    for key in keys:
        page.keyboard.press(key)
    _settle(page)


def _focus(page: Page) -> None:
    if not text(page).evaluate("(root) => root === document.activeElement"):
        text(page).focus()


def clear(page: Page) -> None:
    """Delete everything, formatting included: what is left is an empty paragraph."""

    def is_empty() -> bool:
        press(page, "Control+KeyA", "Backspace")
        return html_of(page) in ("<p></p>", "<p><br></p>")

    wait_until(is_empty, "an empty document")


def caret_to_start(page: Page) -> None:
    _to_edge(page, "Control+Home", "start")


def caret_to_end(page: Page) -> None:
    _to_edge(page, "Control+End", "end")


def _to_edge(page: Page, key: str, edge: str) -> None:
    def arrived() -> bool:
        press(page, key)
        return bool(text(page).evaluate(_IS_AT_EDGE, edge))

    wait_until(arrived, f"the caret at the {edge} of the text")


def caret_before(page: Page, words: str) -> None:
    """Put the caret in front of the first place where these words stand, inside one run of equal formatting."""
    _select(page, words, "start")


def caret_behind(page: Page, words: str) -> None:
    _select(page, words, "end")


def select(page: Page, words: str) -> None:
    """Select these words where they stand first."""
    _select(page, words, "both")


def _select(page: Page, words: str, edge: str) -> None:
    wanted = {"words": words, "edge": edge}

    def selected() -> bool:
        found = text(page).evaluate(_SELECT, wanted)
        assert found, f"{words!r} does not stand in one piece in: {text_of(page)[:500]!r}"
        _settle(page)
        return bool(text(page).evaluate(_IS_SELECTED, wanted))

    wait_until(selected, f"the caret at {words!r}")


def _settle(page: Page) -> None:
    """Return when the editor has heard of a caret that the browser moved. The event for it comes with the next frame:
    until then a key would act at the place before, and somebody else's caret that arrives makes the editor put its own
    back. No person is as quick as that, but this is why `_to_edge` and `_select` look where the caret is and repeat."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def text_of(page: Page) -> str:
    """The words of the document, one line a block; a dividing line is `---`."""
    words: str = text(page).evaluate(_TEXT)
    return words.replace("\u2060", "")


def html_of(page: Page) -> str:
    """Text and formatting, without what only this window shows."""
    html: str = text(page).evaluate(_HTML)
    return html


def await_text(page: Page, condition: Callable[[str], bool] | str) -> str:
    """Wait until the text contains these words, or is as the condition says; answers it."""
    seen = ""

    def holds() -> bool:
        nonlocal seen
        seen = text_of(page)
        return condition(seen) if callable(condition) else condition in seen

    try:
        wait_until(holds, "the text")
    except TimeoutError as error:
        raise AssertionError(f"waited for {condition!r}, but the text is {seen[:2000]!r}") from error
    return seen


def wait_saved(page: Page) -> None:
    """Wait until the server has confirmed everything that was typed here."""
    expect(page.locator("#save-state")).to_have_attribute("data-state", "saved")


def save_state(page: Page) -> Locator:
    """The sentence beside the title that says whether everything is saved."""
    return page.locator("#save-state")


def converges(*pages: Page) -> str:
    """Wait until everything is saved and all windows show the same document, formatting included; answers its text."""
    for page in pages:
        if page.locator("#reading").is_hidden():
            wait_saved(page)
    seen: list[str] = []

    def same() -> bool:
        seen[:] = [html_of(page) for page in pages]
        return len(set(seen)) == 1

    try:
        wait_until(same, "the same document in every window")
    except TimeoutError as error:
        raise AssertionError("the windows differ:\n" + "\n\n".join(seen)) from error
    return text_of(pages[0])


def carets(page: Page) -> list[str]:
    """Whose carets stand in the text, in the order of the text, without one's own."""
    return page.locator(".document-text .caret .caret-name").all_text_contents()


def await_carets(page: Page, *names: str) -> None:
    """Wait until exactly these people's carets stand in the text."""
    wait_until(lambda: sorted(carets(page)) == sorted(names), f"carets of {names}")


def await_caret_behind(page: Page, words: str) -> None:
    """Wait until somebody else's caret stands right behind these words of one paragraph."""
    page.wait_for_function(_CARET_BEHIND, arg=words)


def people_here(page: Page) -> list[str]:
    """The names beside the title, oneself first and as `You (…)`."""
    return page.locator("#people .only-heard").all_text_contents()


def await_people(page: Page, *names: str) -> None:
    wait_until(lambda: people_here(page) == list(names), f"{names} beside the title")


def tool(page: Page, label: str) -> Locator:
    """A button of the toolbar by its name."""
    return page.get_by_role("toolbar", name="Formatting").get_by_role(
        "button", name=re.compile(f"^{re.escape(label)}$")
    )
