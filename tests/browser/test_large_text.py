"""A text as long as a scientific paper is pasted, opens, and stays editable, for a second person too."""

import gzip
import json
import random
from time import monotonic

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import MakePerson
from tests.browser.writing import (
    await_text,
    caret_to_end,
    caret_to_start,
    converges,
    new_document,
    open_document,
    press,
    text,
    text_of,
    type_text,
    wait_saved,
)
from tests.server import ROOT, Server

RECORDED = ROOT.parent / "shared" / "data" / "traces" / "automerge-paper.json.gz"
LENGTH = 104_852
_WORDS = [
    "the",
    "of",
    "merge",
    "replica",
    "operation",
    "tree",
    "order",
    "change",
    "concurrent",
    "moves",
    "user",
    "and",
    "document",
    "which",
    "is",
]

# Milliseconds from a key to the frame that shows it, for keys pressed since this ran.
_MEASURE = """(root) => {
  window.echoes = [];
  root.addEventListener("keydown", () => {
    const pressed = performance.now();
    requestAnimationFrame(() => setTimeout(() => window.echoes.push(performance.now() - pressed)));
  }, true);
}"""


def recorded() -> str:
    if not RECORDED.is_file():
        pytest.skip("the recorded sessions are not on this machine")
    with gzip.open(RECORDED) as packed:
        words: str = json.load(packed)["endContent"]
    return words


def generated() -> str:
    """Paragraphs of all lengths with empty lines between some, as long as the recorded text."""
    chance = random.Random(20260731)
    lines: list[str] = []
    size = 0
    while size < LENGTH:
        line = " ".join(chance.choices(_WORDS, k=chance.choice((1, 8, 20, 20, 150))))
        lines.append(line if chance.random() < 0.8 else "")
        size += len(lines[-1]) + 1
    return "\n".join(lines)[: LENGTH - 1] + "."


@pytest.fixture(params=[recorded, generated], ids=lambda source: source.__name__)
def paper(request: pytest.FixtureRequest) -> str:
    words: str = request.param()
    assert len(words) == LENGTH
    return words


def paste(page: Page, words: str) -> None:
    """Put the words into the clipboard, as another program does, and press Ctrl+V."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("(words) => navigator.clipboard.writeText(words)", words)
    press(page, "Control+KeyV")


def measure_typing(page: Page, words: str) -> list[float]:
    text(page).evaluate(_MEASURE)
    for sign in words:
        type_text(page, sign)
        page.wait_for_function("(count) => window.echoes.length >= count", arg=1)
    page.wait_for_function("(count) => window.echoes.length === count", arg=len(words))
    echoes: list[float] = page.evaluate("() => window.echoes")
    return sorted(echoes)


def without_empty_lines(words: str) -> list[str]:
    """A paste makes one paragraph of each line and none of empty ones."""
    return [line for line in words.split("\n") if line]


def test_a_paper_is_pasted_and_stays_editable(
    shared_collab: Server, person: MakePerson, paper: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ada, ben = person(shared_collab, "ada").page, person(shared_collab, "ben").page
    document = new_document(ada, "A very long paper")
    began = monotonic()
    paste(ada, paper)
    await_text(ada, without_empty_lines(paper)[-1])
    shown = monotonic() - began
    wait_saved(ada)
    saved = monotonic() - began
    assert without_empty_lines(text_of(ada)) == without_empty_lines(paper)

    began = monotonic()
    open_document(ben, document)
    opened = monotonic() - began
    assert text_of(ben) == text_of(ada)

    caret_to_end(ada)
    at_end = measure_typing(ada, "Typed at the very end. ")
    caret_to_start(ben)
    at_start = measure_typing(ben, "Typed at the very start. ")
    await_text(ada, lambda words: words.startswith("Typed at the very start. "))
    ended = converges(ada, ben)
    assert ended.endswith("Typed at the very end. ")

    ben.reload()
    open_document(ben, document)
    assert converges(ada, ben) == ended

    with capsys.disabled():
        print(f"\n  {len(paper)} characters: pasted in {shown:.1f} s, saved after {saved:.1f} s, ", end="")
        print(f"opened in {opened:.1f} s; typing echo in ms (median, worst): ", end="")
        for name, echoes in (("author at the end", at_end), ("second person at the start", at_start)):
            print(f"{name} {echoes[len(echoes) // 2]:.0f}, {echoes[-1]:.0f}; ", end="")
        print()
