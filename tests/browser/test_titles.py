"""Documents get other titles, on the start page and in the document, and everybody sees it."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import MakePerson
from tests.browser.writing import await_carets, new_document, open_document, text_of, type_text
from tests.server import Server


def entry(page: Page, title: str) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_role("link", name=title, exact=True))


def test_on_the_start_page(shared_collab: Server, person: MakePerson) -> None:
    ada, ben = person(shared_collab, "ada"), person(shared_collab, "ben")
    document = new_document(ada.page, "Quay plan")
    open_document(ben.page, document)
    ada.page.goto("/")
    ada.page.get_by_role("link", name="Rename “Quay plan”").click()
    field = ada.page.get_by_label("Title", exact=True)
    expect(field).to_be_focused()
    expect(field).to_have_value("Quay plan")
    field.fill("Pier plan")
    field.press("Enter")
    expect(entry(ada.page, "Pier plan")).to_be_visible()
    expect(ada.page.get_by_role("link", name="Rename “Pier plan”")).to_be_focused()

    expect(ben.page.get_by_label("Title")).to_have_value("Pier plan")
    expect(ben.page).to_have_title("Pier plan · Collab")
    ada.page.reload()
    expect(entry(ada.page, "Pier plan")).to_be_visible()
    expect(entry(ada.page, "Quay plan")).to_have_count(0)


def test_the_start_page_refuses_an_empty_title(shared_collab: Server, person: MakePerson) -> None:
    ada = person(shared_collab, "ada")
    new_document(ada.page, "Mooring list")
    ada.page.goto("/")
    ada.page.get_by_role("link", name="Rename “Mooring list”").click()
    field = ada.page.get_by_label("Title", exact=True)
    ada.expects("/title 400", "status of 400")
    field.fill("   ")
    field.press("Enter")
    expect(ada.page.get_by_role("alert")).not_to_be_empty()
    field.press("Escape")
    expect(entry(ada.page, "Mooring list")).to_be_visible()
    expect(ada.page.get_by_role("link", name="Rename “Mooring list”")).to_be_focused()


def test_renaming_without_a_script(shared_collab: Server, person: MakePerson) -> None:
    ada = person(shared_collab, "ada")
    new_document(ada.page, "Buoy list")
    plain = person(shared_collab, "ada", java_script_enabled=False)
    plain.page.goto("/")
    plain.page.get_by_role("link", name="Rename “Buoy list”").click()
    plain.page.get_by_label("Title").fill("Buoys")
    plain.page.get_by_role("button", name="Rename").click()
    expect(entry(plain.page, "Buoys")).to_be_visible()
    expect(ada.page.get_by_label("Title")).to_have_value("Buoys")


def test_in_the_document(shared_collab: Server, person: MakePerson) -> None:
    ada, ben = person(shared_collab, "ada"), person(shared_collab, "ben")
    document = new_document(ada.page, "Tide table")
    open_document(ben.page, document)
    type_text(ben.page, "High water")
    title = ada.page.get_by_label("Title")
    title.fill("  Tides ")
    title.press("Enter")
    expect(ben.page.get_by_label("Title")).to_have_value("Tides")
    expect(ben.page).to_have_title("Tides · Collab")
    expect(title).to_have_value("Tides")

    title.fill("No, not this")
    title.press("Escape")
    expect(title).to_have_value("Tides")
    title.fill("   ")
    title.press("Tab")
    expect(ada.page.get_by_role("status").filter(has_text="needs a title")).to_be_visible()
    expect(title).to_have_attribute("aria-invalid", "true")
    ben.page.reload()
    expect(ben.page.get_by_label("Title")).to_have_value("Tides")


def test_a_title_is_never_markup(shared_collab: Server, person: MakePerson) -> None:
    hostile = "</script><img src=x onerror=alert(1)>\"'&amp;"
    ada, ben = person(shared_collab, "ada"), person(shared_collab, "ben")
    document = new_document(ada.page, "Plain")
    open_document(ben.page, document)
    title = ada.page.get_by_label("Title")
    title.fill(hostile)
    title.press("Enter")
    expect(ben.page.get_by_label("Title")).to_have_value(hostile)
    ben.page.reload()
    expect(ben.page.get_by_label("Title")).to_have_value(hostile)
    ben.page.goto("/")
    expect(entry(ben.page, hostile)).to_be_visible()


def test_a_title_that_arrives_leaves_the_typing_alone(shared_collab: Server, person: MakePerson) -> None:
    ada, ben = person(shared_collab, "ada"), person(shared_collab, "ben")
    document = new_document(ada.page, "Knots")
    open_document(ben.page, document)
    title = ben.page.get_by_label("Title")
    title.fill("Knots and be")
    ada.page.get_by_label("Title").fill("Bends")
    ada.page.get_by_label("Title").press("Enter")
    expect(ben.page).to_have_title("Bends · Collab")
    expect(title).to_have_value("Knots and be")
    title.press_sequentially("nds")
    title.press("Enter")
    expect(ada.page.get_by_label("Title")).to_have_value("Knots and bends")
    assert text_of(ada.page) == ""
    type_text(ben.page, "Both")
    await_carets(ada.page, "Ben Okafor")
