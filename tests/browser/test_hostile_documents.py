"""What a peer writes past the editor never runs in anybody's page, and does not take the rest of the text with it."""

import json
from typing import Any

from playwright.sync_api import Page, expect
from pycrdt import XmlElement, XmlText

from tests.browser.conftest import MakePerson
from tests.browser.peer import raw_peer
from tests.browser.writing import (
    await_text,
    caret_to_end,
    converges,
    open_document,
    save_state,
    text,
    text_of,
    type_text,
    wait_saved,
)
from tests.server import Server

RUN = "window.ran = true"

HREFS: list[Any] = [
    f"javascript:{RUN}",
    f" JaVaScRiPt:{RUN}",
    f"java\tscript:{RUN}",
    f"\x01javascript:{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    f"vbscript:{RUN}",
    [f"javascript:{RUN}"],
    {"toString": f"javascript:{RUN}"},
    7,
    None,
]
ATTRIBUTES: dict[str, Any] = {
    "onclick": RUN,
    "onmouseover": RUN,
    "style": "position: fixed; inset: 0",
    "class": "notice",
    "id": "save-state",
    "contenteditable": "false",
    "href": f"javascript:{RUN}",
    "src": "https://example.org/x.png",
    "__proto__": {"polluted": True},
}
BLOCKS = {
    "attributes of a paragraph": ("paragraph", ATTRIBUTES),
    "heading of level 9": ("heading", {"level": 9}),
    "heading of a level that is text": ("heading", {"level": "1><script>"}),
    "language of a code block": ("codeBlock", {"language": '"><img src=x onerror=alert(1)>', **ATTRIBUTES}),
    "class of the page as language": ("codeBlock", {"language": "x notice"}),
    "start of a list": ("orderedList", {"start": "1 onclick=alert(1)"}),
    "script": ("script", {}),
    "iframe": ("iframe", {"src": f"javascript:{RUN}", "srcdoc": f"<script>{RUN}</script>"}),
    "image": ("image", {"src": "x", "onerror": RUN}),
    "style": ("style", {}),
}

_SCAN = """(root) => [...root.querySelectorAll("*")].flatMap((one) => [
  ...(["SCRIPT", "IFRAME", "STYLE", "OBJECT", "EMBED", "LINK"].includes(one.tagName) ? [one.tagName] : []),
  ...[...one.attributes]
    .filter(({ name, value }) => /^on|^src/i.test(name) || /^\\W*(java\\s*script|data|vbscript):/i.test(value)
      || (name === "id" && value === "save-state") || (name === "class" && /notice/.test(value)))
    .map(({ name, value }) => `${one.tagName} ${name}=${value}`),
])"""


def assert_harmless(page: Page) -> None:
    assert text(page).evaluate(_SCAN) == []
    assert page.evaluate("() => window.ran ?? ({}).polluted") is None
    assert len(page.context.pages) == 1


def test_links_run_nothing(shared_collab: Server, person: MakePerson) -> None:
    document = shared_collab.documents[0].id
    ada, elif_ = person(shared_collab, "ada").page, person(shared_collab, "elif").page
    open_document(ada, document)
    open_document(elif_, document)
    with raw_peer(shared_collab, document, "chidi") as chidi:
        for number, href in enumerate(HREFS):
            block = XmlElement("paragraph")
            chidi.root.children.append(block)
            words = XmlText()
            block.children.append(words)
            words.insert(0, f"link {number}", {"link": {"href": href, **ATTRIBUTES, "href_": RUN}})
            if href is not None:
                words.format(0, 4, {"link": {"href": href}})
        chidi.send()
        last = f"link {len(HREFS) - 1}"
        for page in (ada, elif_):
            await_text(page, last)
            links = text(page).locator("a")
            assert links.count() >= len(HREFS) - 1
            # Who writes follows a link with Ctrl, who reads by a plain click.
            links.first.click(modifiers=["Control"] if page is ada else [])
            for link in links.all():
                link.dispatch_event("click", {"ctrlKey": page is ada})
            assert_harmless(page)
            assert text(page).locator("a[href]").count() == 0
    for page in (ada, elif_):
        page.reload()
        open_document(page, document)
        assert_harmless(page)


def test_blocks_run_nothing_and_spare_the_others(shared_collab: Server, person: MakePerson) -> None:
    document = shared_collab.documents[0].id
    ada, elif_ = person(shared_collab, "ada").page, person(shared_collab, "elif").page
    open_document(ada, document)
    before = text_of(ada)
    with raw_peer(shared_collab, document, "chidi") as chidi:
        for kind, (tag, attributes) in BLOCKS.items():
            block = XmlElement(tag)
            chidi.root.children.append(block)
            for name, value in attributes.items():
                block.attributes[name] = value
            block.children.append(XmlText(RUN))
            chidi.root.children.append(XmlElement("paragraph", {}, [XmlText(f"Behind {kind}.")]))
            chidi.send()
            await_text(ada, f"Behind {kind}.")
    open_document(elif_, document)
    for page in (ada, elif_):
        await_text(page, f"Behind {kind}.")
        lines = text_of(page).split("\n")
        assert text_of(page).startswith(before)
        assert [line for line in lines if line.startswith("Behind")] == [f"Behind {one}." for one in BLOCKS]
        assert_harmless(page)
    expect(elif_.get_by_role("alert")).to_be_hidden()
    caret_to_end(ada)
    type_text(ada, " Written after it.")
    wait_saved(ada)
    assert converges(ada, elif_).endswith(f"Behind {kind}. Written after it.")


def test_a_reader_of_a_broken_document_has_nothing_to_save(collab: Server, person: MakePerson) -> None:
    document = collab.documents[0].id
    with raw_peer(collab, document, "chidi") as chidi:
        broken = XmlElement("script")
        chidi.root.children.append(broken)
        broken.children.append(XmlText(RUN))
        chidi.root.children.append(XmlElement("listItem", {}, [XmlText("astray")]))
        chidi.root.children.append(XmlElement("paragraph", {}, [XmlText("The end.")]))
        chidi.send()
        with raw_peer(collab, document, "ben") as ben:
            assert "The end." in str(ben.root)
    elif_ = person(collab, "elif").page
    open_document(elif_, document)
    await_text(elif_, "The end.")
    expect(elif_.get_by_role("alert")).to_be_hidden()
    expect(save_state(elif_)).to_be_hidden()
    assert_harmless(elif_)


CURSORS: tuple[Any, ...] = (
    {"anchor": 1, "head": "x"},
    {"anchor": {"item": {"client": 1, "clock": 10**15}}, "head": {"item": {"client": -1, "clock": 0.5}}},
    {"anchor": {"tname": "evil"}, "head": {"tname": "default"}},
    {"anchor": None, "head": []},
    "<script>",
)


def test_a_malformed_cursor_disturbs_nobody(shared_collab: Server, person: MakePerson) -> None:
    document = shared_collab.documents[2].id
    ada = person(shared_collab, "ada").page
    open_document(ada, document)
    caret_to_end(ada)
    for cursor in CURSORS:
        state = {"cursor": cursor, "user": {"name": "<b>Ada</b>", "colour": "red;}", "id": "1"}}
        with raw_peer(shared_collab, document, "chidi") as chidi:
            chidi.send_bytes(awareness(chidi.doc.client_id, state))
            expect(ada.locator("#people .only-heard")).to_have_text(
                ["You (Ada Brightwater)", "Chidi Laurent"]
            )
            type_text(ada, "x")
            wait_saved(ada)
            assert text(ada).locator(".caret").count() == 0
        expect(ada.locator("#people .only-heard")).to_have_text(["You (Ada Brightwater)"])
    assert text_of(ada).endswith("x" * len(CURSORS))


def awareness(client: int, state: object) -> bytes:
    """An awareness message about one client with clock 1."""
    data = json.dumps(state).encode()
    body = _uint(1) + _uint(client) + _uint(1) + _uint(len(data)) + data
    return bytes((1,)) + _uint(len(body)) + body


def _uint(value: int) -> bytes:
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(parts + bytes((value,)))
