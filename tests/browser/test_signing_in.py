"""Signing in, signing out, and a new password for somebody who forgot theirs."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import MakePerson, MakeVisitor, Visitor
from tests.browser.writing import await_document, open_document, text_of, type_text, wait_saved
from tests.processes import wait_until
from tests.server import Person, Server


def sign_in_by_form(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def sign_out(page: Page) -> None:
    page.locator("summary", has_text="account").click()
    page.get_by_role("button", name="Sign out").click()


def signed_out(one: Visitor) -> None:
    """Wait until the document in the window says so."""
    expect(one.page.get_by_role("alert").filter(has_text="You have been signed out")).to_be_visible()


def test_the_form_leads_where_one_wanted_to_go(shared_collab: Server, visitor: MakeVisitor) -> None:
    one, ben = visitor(shared_collab), shared_collab.people["ben"]
    document = shared_collab.documents[3]
    one.page.goto(f"/documents/{document.id}/")
    expect(one.page.get_by_role("heading", level=1)).to_have_text("Sign in")
    sign_in_by_form(one.page, ben.email.upper(), ben.password)
    await_document(one.page)
    expect(one.page).to_have_title(f"{document.title} · Collab")


def test_a_wrong_password_is_told_and_opens_nothing(shared_collab: Server, visitor: MakeVisitor) -> None:
    one, ben = visitor(shared_collab), shared_collab.people["ben"]
    one.page.goto("/")
    for email in (ben.email, "nobody@example.org"):
        sign_in_by_form(one.page, email, "not his password")
        expect(one.page.get_by_role("alert")).to_have_text(
            "This e-mail address and this password do not belong together."
        )
    one.page.goto("/")
    expect(one.page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_the_password_can_be_looked_at(shared_collab: Server, visitor: MakeVisitor) -> None:
    page = visitor(shared_collab).page
    page.goto("/accounts/login/")
    field = page.get_by_label("Password", exact=True)
    field.fill("seven quiet herons")
    page.get_by_role("button", name="Show the password").click()
    expect(field).to_have_attribute("type", "text")
    page.get_by_role("button", name="Hide the password").click()
    expect(field).to_have_attribute("type", "password")
    expect(field).to_have_value("seven quiet herons")


def test_signing_out_ends_open_documents(shared_collab: Server, person: MakePerson) -> None:
    ben, ada = person(shared_collab, "ben"), person(shared_collab, "ada")
    document = shared_collab.documents[3].id
    open_document(ben.page, document)
    open_document(ada.page, document)
    other = ben.new_page()
    other.goto("/")
    sign_out(other)
    expect(other.get_by_text("You are signed out.")).to_be_visible()
    signed_out(ben)
    before = text_of(ben.page)
    ben.page.keyboard.type("Behind the back. ")
    type_text(ada.page, "In the meantime. ")
    wait_saved(ada.page)
    assert "Behind the back" not in text_of(ada.page)
    assert "In the meantime" not in text_of(ben.page)
    assert text_of(ada.page) == f"In the meantime. {before}"
    other.goto("/")
    expect(other.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_signing_in_again_goes_on_where_one_was(shared_collab: Server, person: MakePerson) -> None:
    chidi = person(shared_collab, "chidi")
    open_document(chidi.page, shared_collab.documents[4].id)
    type_text(chidi.page, "Before. ")
    wait_saved(chidi.page)
    other = chidi.new_page()
    other.goto("/")
    sign_out(other)
    signed_out(chidi)
    assert "Before. " in text_of(chidi.page)
    account = shared_collab.people["chidi"]
    sign_in_by_form(other, account.email, account.password)
    expect(other.get_by_role("heading", level=1)).to_have_text("Documents")
    # Coming back to the window is what makes it look again.
    chidi.page.bring_to_front()
    chidi.page.evaluate("() => dispatchEvent(new Event('focus'))")
    expect(chidi.page.locator(".document-text")).to_have_attribute("contenteditable", "true")
    type_text(chidi.page, "After. ")
    wait_saved(chidi.page)
    assert text_of(chidi.page).startswith("Before. After. ")


def link_in_mail(collab: Server, person: Person) -> str:
    """The newest link to a new password that was mailed to this person; the mail goes to the server's console."""
    link = re.compile(rf"^To: {re.escape(person.email)}$.*?(/accounts/password/reset/key/\S+)", re.M | re.S)
    wait_until(lambda: link.search(collab.log()), "the mail")
    return str(link.findall(collab.log())[-1])


def test_a_forgotten_password(collab: Server, person: MakePerson, visitor: MakeVisitor) -> None:
    account = collab.people["dunja"]
    before, one = person(collab, "dunja"), visitor(collab)
    open_document(before.page, collab.documents[1].id)
    page = one.page
    page.goto("/accounts/login/")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E-mail address").fill(account.email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")

    link = link_in_mail(collab, account)
    page.goto(link)
    field = page.get_by_label("New password", exact=True)
    field.fill("short")
    page.get_by_role("button", name="Save the password").click()
    expect(page.get_by_text("too short")).to_be_visible()
    field.fill("nine herons at the pier")
    page.get_by_role("button", name="Save the password").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your password is changed")

    signed_out(before)
    second = before.new_page()
    second.goto("/")
    expect(second.get_by_role("heading", level=1)).to_have_text("Sign in")

    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text("This link no longer works")
    page.goto("/accounts/login/")
    sign_in_by_form(page, account.email, account.password)
    expect(page.get_by_role("alert")).to_be_visible()
    sign_in_by_form(page, account.email, "nine herons at the pier")
    expect(page.get_by_role("heading", level=1)).to_have_text("Documents")


def test_an_unknown_address_is_answered_alike(shared_collab: Server, visitor: MakeVisitor) -> None:
    page = visitor(shared_collab).page
    page.goto("/accounts/password/reset/")
    page.get_by_label("E-mail address").fill("nobody@example.org")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")
