"""Who may only read reads along, and who may not read learns nothing."""

import re
import uuid

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import MakePerson, MakeVisitor
from tests.browser.writing import (
    await_carets,
    await_people,
    await_text,
    caret_to_end,
    converges,
    open_document,
    press,
    text,
    text_of,
    type_text,
    wait_saved,
)
from tests.server import Server


def test_a_guest_reads_along_and_cannot_write(shared_collab: Server, person: MakePerson) -> None:
    document = shared_collab.documents[0]
    elif_, ada = person(shared_collab, "elif"), person(shared_collab, "ada")
    page = elif_.page
    open_document(page, document.id)
    expect(page.get_by_text("You can read this document")).to_be_visible()
    expect(page.get_by_role("toolbar")).to_be_hidden()
    expect(page.locator("#save-state")).to_be_hidden()
    expect(page.get_by_role("textbox")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_have_text(document.title)

    before = text_of(page)
    press(page, "Tab", "Control+KeyB", "Control+KeyK", "Enter", "Delete")
    type_text(page, "I was here.")
    assert text_of(page) == before

    open_document(ada.page, document.id)
    caret_to_end(ada.page)
    type_text(ada.page, " Mind the step.")
    await_text(page, "Mind the step.")
    await_carets(page, "Ada Brightwater")
    await_people(ada.page, "You (Ada Brightwater)", "Elif Sommer")
    wait_saved(ada.page)
    assert converges(ada.page, page).startswith(before[:40])


def test_a_reader_follows_a_link_by_a_click(shared_collab: Server, person: MakePerson) -> None:
    document = shared_collab.documents[0].id
    ada, elif_ = person(shared_collab, "ada"), person(shared_collab, "elif")
    open_document(ada.page, document)
    caret_to_end(ada.page)
    press(ada.page, "Enter")
    type_text(ada.page, f"{shared_collab.url}/accounts/password/reset/ is a link")
    open_document(elif_.page, document)
    with elif_.context.expect_page() as opened:
        text(elif_.page).get_by_role("link").click()
    expect(opened.value).to_have_url(re.compile(r"/accounts/password/reset/|/$"))


def test_a_stranger_is_told_nothing(shared_collab: Server, person: MakePerson) -> None:
    elif_ = person(shared_collab, "elif")
    elif_.expects(" 404", "status of 404")
    hidden, missing = shared_collab.documents[1], str(uuid.uuid4())
    seen: list[str] = []
    for document in (hidden.id, missing):
        answer = elif_.page.goto(f"/documents/{document}/")
        assert answer is not None
        assert answer.status == 404
        expect(elif_.page.get_by_role("heading", level=1)).to_have_text("There is nothing here")
        # The page has looked for text of an earlier visit, and found none.
        elif_.page.wait_for_function("document.querySelector('aside')?.hidden")
        seen.append(elif_.page.content().replace(document, ""))
    assert seen[0] == seen[1]
    assert hidden.title not in seen[0]


def test_a_stranger_cannot_rename(shared_collab: Server, person: MakePerson) -> None:
    elif_, ada = person(shared_collab, "elif"), person(shared_collab, "ada")
    hidden, missing = shared_collab.documents[1], str(uuid.uuid4())
    elif_.page.goto("/")
    (token,) = (cookie for cookie in elif_.context.cookies() if cookie.get("name") == "csrftoken")
    form: dict[str, str | float | bool] = {"title": "Mine", "csrfmiddlewaretoken": token.get("value", "")}
    headers = {"Origin": shared_collab.url, "Referer": shared_collab.url}
    answers = [
        elif_.context.request.post(f"/documents/{document}/title", form=form, headers=headers)
        for document in (hidden.id, missing)
    ]
    assert [answer.status for answer in answers] == [404, 404]
    assert answers[0].text() == answers[1].text()
    open_document(ada.page, hidden.id)
    expect(ada.page.get_by_label("Title")).to_have_value(hidden.title)


def test_a_guest_finds_only_what_is_shared(shared_collab: Server, person: MakePerson) -> None:
    page = person(shared_collab, "elif").page
    page.goto("/")
    expect(page.locator(".entry-title")).to_have_text([shared_collab.documents[0].title])
    expect(page.get_by_text("Viewer")).to_be_visible()
    expect(page.get_by_role("button", name="New document")).to_have_count(0)
    expect(page.get_by_role("link", name=re.compile("^Rename"))).to_have_count(0)


def test_nobody_sees_pages_without_signing_in(shared_collab: Server, visitor: MakeVisitor) -> None:
    page = visitor(shared_collab).page
    for address in (
        "/",
        f"/documents/{shared_collab.documents[0].id}/",
        "/admin/",
        f"/documents/{uuid.uuid4()}/",
    ):
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def grant_to(page: Page, email: str) -> Locator:
    """The row of a grant on the document's page in the admin; whoever made the document has one too."""
    return page.locator("tr.form-row", has=page.locator(f"input[value='{email}']"))


def test_access_that_is_taken_away_ends_the_document(collab: Server, person: MakePerson) -> None:
    document = collab.documents[0].id
    elif_, ada = person(collab, "elif"), person(collab, "ada")
    open_document(elif_.page, document)
    ada.page.goto(f"/admin/docs_app/document/{document}/change/")
    grant_to(ada.page, collab.people["elif"].email).locator("input[name$='-DELETE']").check()
    ada.page.get_by_role("button", name="Save", exact=True).click()
    expect(elif_.page.get_by_role("alert")).to_contain_text("no longer have access")
    expect(elif_.page.get_by_role("link", name="Back to documents")).to_be_visible()
    elif_.page.get_by_role("link", name="Back to documents").click()
    expect(elif_.page.get_by_text("No documents yet")).to_be_visible()


def test_a_role_that_grows_opens_the_text(collab: Server, person: MakePerson) -> None:
    document = collab.documents[0].id
    elif_, ada = person(collab, "elif"), person(collab, "ada")
    open_document(elif_.page, document)
    ada.page.goto(f"/admin/docs_app/document/{document}/change/")
    grant_to(ada.page, collab.people["elif"].email).locator("select").select_option("editor")
    ada.page.get_by_role("button", name="Save", exact=True).click()
    expect(elif_.page.get_by_role("textbox", name="Document text")).to_be_visible()
    expect(elif_.page.get_by_role("toolbar")).to_be_visible()
    caret_to_end(elif_.page)
    type_text(elif_.page, " I may write now.")
    wait_saved(elif_.page)
    open_document(ada.page, document)
    assert "I may write now." in text_of(ada.page)
