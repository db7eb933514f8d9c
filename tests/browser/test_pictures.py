"""Pictures of Collab for its README and for whoever changes its looks.

They go to `test-results/pictures/`; with COLLAB_PICTURES=1 those of `KEPT` go to `docs/images/`.
"""

import os

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import RESULTS, MakePerson
from tests.browser.writing import (
    await_caret_behind,
    await_carets,
    await_people,
    caret_behind,
    caret_to_end,
    converges,
    open_document,
    press,
    select,
    text,
    type_text,
    wait_saved,
)
from tests.processes import wait_until
from tests.server import ROOT, Server

WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
KEPT = ("document", "start", "admin-document", "phone-light", "phone-dark")


def take(page: Page, name: str, *, full_page: bool = False) -> None:
    is_kept = name in KEPT and os.environ.get("COLLAB_PICTURES") == "1"
    file = (ROOT / "docs" / "images" if is_kept else RESULTS / "pictures") / f"{name}.png"
    page.evaluate("() => document.fonts.ready")
    page.screenshot(path=file, animations="disabled", caret="initial", full_page=full_page)
    assert file.stat().st_size > 10_000


def show_names(viewer: Page, movers: dict[str, Page]) -> None:
    """Have these people move their carets to and fro until the viewer sees all their names, which stay for a moment
    after each move."""

    def shown() -> bool:
        for page in movers.values():
            press(page, "Shift+ArrowLeft")
            press(page, "Shift+ArrowRight")
        names = viewer.locator(".caret.caret-moved .caret-name")
        return sorted(names.all_text_contents()) == sorted(movers)

    wait_until(shown, f"the names of {', '.join(movers)}")


def write_together(ada: Page, ben: Page, document: str) -> None:
    """Ada has a phrase of the summer's plan selected, and Ben is in the middle of a sentence."""
    for page in (ada, ben):
        open_document(page, document)
    caret_behind(ben, "Someone who can draw a whale")
    type_text(ben, " (Dunja’s sister?)")
    caret_behind(ada, "Stories from the sea, with the harbour master")
    type_text(ada, " and her dog")
    converges(ada, ben)
    select(ada, "six afternoons")
    await_carets(ben, "Ada Brightwater")


def test_document(collab: Server, person: MakePerson) -> None:
    ada = person(collab, "ada", viewport=WIDE).page
    ben = person(collab, "ben", viewport=WIDE).page
    chidi = person(collab, "chidi", viewport=WIDE).page
    document = collab.documents[2].id
    write_together(ada, ben, document)
    open_document(chidi, document)
    await_people(chidi, "You (Chidi Laurent)", "Ada Brightwater", "Ben Okafor")
    caret_behind(chidi, "Build a book: paper, needle and thread")
    wait_saved(chidi)
    type_text(ben, " Ask her")
    await_caret_behind(chidi, "Ask her")
    show_names(chidi, {"Ada Brightwater": ada, "Ben Okafor": ben})
    await_caret_behind(chidi, "Ask her")
    take(chidi, "document")


def test_document_dark(collab: Server, person: MakePerson) -> None:
    ada = person(collab, "ada", viewport=WIDE, color_scheme="dark").page
    ben = person(collab, "ben", viewport=WIDE).page
    document = collab.documents[2].id
    write_together(ada, ben, document)
    caret_behind(ada, "read aloud.")
    type_text(ben, " Ask her")
    await_caret_behind(ada, "Ask her")
    show_names(ada, {"Ben Okafor": ben})
    await_caret_behind(ada, "Ask her")
    take(ada, "document-dark")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone(collab: Server, person: MakePerson, scheme: str) -> None:
    phone = {"viewport": PHONE, "color_scheme": scheme, "device_scale_factor": 2, "has_touch": True}
    ada, ben = person(collab, "ada", **phone).page, person(collab, "ben", viewport=WIDE).page
    document = collab.documents[2].id
    open_document(ada, document)
    open_document(ben, document)
    caret_behind(ben, "60 notebooks")
    type_text(ben, ", blue ones,")
    await_caret_behind(ada, "blue ones,")
    show_names(ada, {"Ben Okafor": ben})
    await_caret_behind(ada, "blue ones,")
    take(ada, f"phone-{scheme}")
    ada.goto("/")
    take(ada, f"phone-start-{scheme}")
    expect(text(ben)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages(collab: Server, person: MakePerson, scheme: str) -> None:
    suffix = "" if scheme == "light" else "-dark"
    ben = person(collab, "ben").page
    open_document(ben, collab.documents[1].id)
    caret_to_end(ben)
    type_text(ben, " Chidi brings the spoons.")
    wait_saved(ben)
    ada = person(collab, "ada", viewport=WIDE, color_scheme=scheme).page
    ada.goto("/")
    take(ada, f"start{suffix}")
    ada.goto(f"/admin/docs_app/document/{collab.documents[1].id}/change/")
    take(ada, f"admin-document{suffix}", full_page=True)
    elif_ = person(collab, "elif", viewport=WIDE, color_scheme=scheme).page
    open_document(elif_, collab.documents[0].id)
    take(elif_, f"reading{suffix}")
    elif_.context.clear_cookies()
    elif_.goto("/")
    expect(elif_.get_by_role("heading", level=1)).to_have_text("Sign in")
    take(elif_, f"sign-in{suffix}")
