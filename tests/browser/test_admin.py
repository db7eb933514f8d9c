"""The administrator sees people and documents; nothing there breaks the Content Security Policy."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import MakePerson
from tests.browser.test_signing_in import signed_out
from tests.browser.writing import (
    await_text,
    caret_to_end,
    new_document,
    open_document,
    text_of,
    type_text,
    wait_saved,
)
from tests.server import Server


def test_people_are_listed_searched_and_filtered(shared_collab: Server, person: MakePerson) -> None:
    page = person(shared_collab, "ada").page
    page.goto("/")
    page.locator("summary", has_text="account").click()
    page.get_by_role("link", name="Admin").click()
    page.locator("#content").get_by_role("link", name=re.compile("people|users", re.IGNORECASE)).first.click()
    names = page.locator("#result_list tbody th")
    expect(names).to_have_count(5)
    expect(page.locator("#result_list")).to_contain_text("ben@example.org")
    page.locator("#searchbar").fill("chidi")
    page.locator("#searchbar").press("Enter")
    expect(names).to_have_text(["Chidi Laurent"])
    page.goto("/admin/docs_app/user/?is_staff__exact=1")
    expect(names).to_have_text(["Ada Brightwater"])
    names.get_by_role("link").click()
    expect(page.get_by_label("E-mail address").first).to_have_value("ada@example.org")


def test_a_document_shows_its_text_and_its_latest_edits(shared_collab: Server, person: MakePerson) -> None:
    document = shared_collab.documents[1]
    ben, page = person(shared_collab, "ben").page, person(shared_collab, "ada").page
    open_document(ben, document.id)
    caret_to_end(ben)
    type_text(ben, " <b>Bring</b> the big kettle.")
    wait_saved(ben)

    page.goto("/admin/docs_app/document/")
    expect(page.locator("#result_list tbody tr")).to_have_count(len(shared_collab.documents))
    page.locator("#searchbar").fill(document.title)
    page.locator("#searchbar").press("Enter")
    page.locator("#result_list").get_by_role("link", name=document.title).click()
    preview = page.get_by_label("Text", exact=True)
    expect(preview).to_contain_text("Large print moves to the window side")
    expect(preview).to_contain_text("<b>Bring</b> the big kettle.")
    newest = page.locator("table.collab-edits tbody tr").first
    expect(newest).to_contain_text("Ben Okafor")
    expect(newest).to_contain_text(re.compile(r"\d\d? \w{3} \d{4}, \d\d:\d\d:\d\d UTC"))
    oldest = page.locator("table.collab-edits tbody tr").last
    expect(oldest).to_contain_text("the server")


def test_a_title_changed_there_reaches_open_windows(shared_collab: Server, person: MakePerson) -> None:
    document = shared_collab.documents[4].id
    ben, page = person(shared_collab, "ben").page, person(shared_collab, "ada").page
    open_document(ben, document)
    type_text(ben, "Ben was here. ")
    wait_saved(ben)
    page.goto(f"/admin/docs_app/document/{document}/change/")
    page.get_by_label("Title").fill("Reading room, second draft")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(ben.get_by_label("Title")).to_have_value("Reading room, second draft")
    await_text(ben, "Ben was here. ")


def test_a_new_person_can_sign_in(shared_collab: Server, person: MakePerson) -> None:
    page = person(shared_collab, "ada").page
    page.goto("/admin/docs_app/user/add/")
    page.get_by_label("Name", exact=False).first.fill("Frieda Fink")
    page.get_by_label("E-mail address").first.fill("frieda@example.org")
    page.get_by_label("Password").first.fill("seven quiet herons")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist, .messages")).to_contain_text("Frieda Fink")


def test_every_admin_page_opens(shared_collab: Server, person: MakePerson) -> None:
    page = person(shared_collab, "ada").page
    document = shared_collab.documents[0].id
    page.goto("/admin/")
    found: list[str] = page.locator("#content a[href^='/admin/']").evaluate_all(
        "(all) => all.map((one) => one.href)"
    )
    assert found
    addresses = [
        *dict.fromkeys(found),
        f"/admin/docs_app/document/{document}/history/",
        "/admin/password_change/",
    ]
    for address in addresses:
        answer = page.goto(address)
        assert answer is not None
        assert answer.ok, f"{address} answers {answer.status}"
        for link in page.locator("#result_list tbody th a").all()[:1]:
            link.click()
            expect(page.locator("#content h1")).to_be_visible()


def test_people_without_the_right_are_kept_out(shared_collab: Server, person: MakePerson) -> None:
    ben = person(shared_collab, "ben")
    ben.expects("403")
    ben.page.goto(f"/admin/docs_app/document/{shared_collab.documents[0].id}/change/")
    expect(ben.page.get_by_label("Text", exact=True)).to_have_count(0)
    expect(ben.page.get_by_text(shared_collab.documents[0].title)).to_have_count(0)


def test_somebody_deactivated_is_out_at_once(collab: Server, person: MakePerson) -> None:
    ben, ada = person(collab, "ben"), person(collab, "ada")
    document = new_document(ada.page)
    open_document(ben.page, document)
    ada.page.goto("/admin/docs_app/user/")
    ada.page.get_by_role("row", name="Ben Okafor").get_by_role("checkbox").check()
    ada.page.get_by_label("Action:").select_option("Deactivate selected people")
    ada.page.get_by_role("button", name="Go").click()
    expect(ada.page.get_by_text("1 person deactivated.")).to_be_visible()
    signed_out(ben)
    ben.page.keyboard.type("Too late")
    open_document(ada.page, document)
    assert text_of(ada.page) == ""
    ben.page.goto("/")
    expect(ben.page.get_by_role("heading", level=1)).to_have_text("Sign in")
