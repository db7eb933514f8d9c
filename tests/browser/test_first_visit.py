"""A new installation: the first account, then the first document."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import MakeVisitor
from tests.browser.writing import new_document, save_state, text_of, type_text, wait_saved
from tests.server import Server

PASSWORD = "seven quiet herons"


def fill_in(page: Page, *, password: str = PASSWORD) -> None:
    page.get_by_label("Your name").fill("Wilma Wunderlich")
    page.get_by_label("E-mail address").fill("Wilma@example.org")
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_label("Name of your workspace").fill("Lighthouse keepers")
    page.get_by_role("button", name="Set up Collab").click()


def test_from_nothing_to_the_first_words(empty_collab: Callable[..., Server], visitor: MakeVisitor) -> None:
    collab = empty_collab()
    one = visitor(collab)
    page = one.page
    page.goto("/documents/")
    expect(page).to_have_url(f"{collab.url}/setup/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome to Collab")
    expect(page.get_by_label("code")).to_have_count(0)

    one.expects("/setup/ 400", "status of 400")
    fill_in(page, password="herons")
    expect(page.get_by_text("too short")).to_be_visible()
    expect(page.get_by_label("Your name")).to_have_value("Wilma Wunderlich")
    fill_in(page)

    expect(page).to_have_url(f"{collab.url}/")
    expect(page.get_by_text("No documents yet")).to_be_visible()
    new_document(page, "  A   first page ")
    expect(page.get_by_label("Title")).to_have_value("A first page")
    expect(page).to_have_title("A first page · Collab")
    type_text(page, "The lamp is lit.")
    wait_saved(page)
    expect(save_state(page)).to_have_text("Saved")

    page.get_by_role("link", name="All documents").click()
    entry = page.get_by_role("listitem").filter(has_text="A first page")
    expect(entry).to_contain_text("Lighthouse keepers · Owner")
    entry.get_by_role("link", name="A first page", exact=True).click()
    page.get_by_text("The lamp is lit.").wait_for()
    assert text_of(page) == "The lamp is lit."


def test_set_up_is_over_after_the_first_account(
    empty_collab: Callable[..., Server], visitor: MakeVisitor
) -> None:
    collab = empty_collab()
    one, late = visitor(collab), visitor(collab, "late")
    late.page.goto("/")
    one.page.goto("/")
    fill_in(one.page)
    expect(one.page.get_by_role("heading", level=1)).to_have_text("Documents")
    late.expects("/setup/ 404", "status of 404")
    late.page.get_by_role("button", name="Set up Collab").wait_for()
    fill_in(late.page)
    expect(late.page.get_by_role("heading", level=1)).to_have_text("There is nothing here")


def test_from_another_machine_it_takes_the_code_of_the_console(
    empty_collab: Callable[..., Server], visitor: MakeVisitor
) -> None:
    collab = empty_collab()
    # As a proxy on the same machine announces somebody far away.
    one = visitor(collab, extra_http_headers={"X-Forwarded-For": "203.0.113.9"})
    one.expects("/setup/ 400", "status of 400")
    page = one.page
    page.goto("/")
    code = page.get_by_label(re.compile("code", re.IGNORECASE))
    code.fill("AAAA-BBBB-CCCC-DDDD")
    fill_in(page)
    expect(page.get_by_text("not the code of this installation")).to_be_visible()
    told = re.search(r"code for the first visit is ([A-Z2-7-]+)", collab.log())
    assert told, collab.log()
    code.fill(told[1].lower())
    fill_in(page)
    expect(page.get_by_text("No documents yet")).to_be_visible()
