"""Invitations in the browser: from the page that makes them to the workspace they lead to."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import MakePerson, MakeVisitor
from tests.browser.test_accessibility import assert_accessible, walk
from tests.browser.writing import new_document, open_document, text_of, type_text, wait_saved
from tests.processes import wait_until
from tests.server import Server


def open_people(page: Page) -> None:
    page.goto("/")
    page.locator("summary", has_text="account").click()
    page.get_by_role("link", name="People").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("People of Harbour Street Library")


def link_in_mail(collab: Server, email: str) -> str:
    """The newest invitation that was mailed to this address; the mail goes to the server's console."""
    link = re.compile(rf"^To: {re.escape(email)}$.*?(/invitations/\S+)", re.M | re.S)
    wait_until(lambda: link.search(collab.log()), "the mail")
    return str(link.findall(collab.log())[-1])


def make_account(page: Page, name: str) -> None:
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Password", exact=True).fill("seven quiet herons")
    page.get_by_role("button", name="Make the account and join").click()


def test_somebody_invited_by_mail_finds_the_workspace(
    shared_collab: Server, person: MakePerson, visitor: MakeVisitor
) -> None:
    ada = person(shared_collab, "ada").page
    document = new_document(ada, "For the new one")
    type_text(ada, "Welcome")
    wait_saved(ada)
    open_people(ada)
    form = ada.get_by_role("region", name="Invite by e-mail")
    form.get_by_label("E-mail address").fill("fay@example.org")
    form.get_by_role("button", name="Invite").click()
    expect(ada.get_by_role("status")).to_contain_text("on its way to fay@example.org")
    expect(ada.get_by_role("region", name="Invited")).to_contain_text("fay@example.org")
    assert_accessible(ada)
    walk(ada)

    fay = visitor(shared_collab).page
    fay.goto(link_in_mail(shared_collab, "fay@example.org"))
    expect(fay.get_by_role("main")).to_contain_text("Ada Brightwater invites you to Harbour Street Library")
    assert_accessible(fay)
    make_account(fay, "Fay Fontaine")
    expect(fay.get_by_role("status")).to_have_text("Welcome to Harbour Street Library.")
    expect(fay.get_by_role("link", name="For the new one", exact=True)).to_be_visible()
    open_document(fay, document)
    assert text_of(fay) == "Welcome"
    ada.reload()
    expect(ada.get_by_role("region", name="Members")).to_contain_text("Fay Fontaine")
    expect(ada.get_by_role("region", name="Invited")).to_have_count(0)


def test_a_link_for_guests(shared_collab: Server, person: MakePerson, visitor: MakeVisitor) -> None:
    one = person(shared_collab, "ada")
    one.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=shared_collab.url)
    ada = one.page
    open_people(ada)
    form = ada.get_by_role("region", name="Invite by link")
    form.get_by_label("As").select_option("Guest")
    form.get_by_role("button", name="Make a link").click()
    ada.get_by_role("button", name="Copy").click()
    expect(ada.get_by_role("button", name="Copied")).to_be_visible()
    link = ada.evaluate("() => navigator.clipboard.readText()")
    assert_accessible(ada)

    guest = visitor(shared_collab)
    guest.expects("400")
    page = guest.page
    page.goto(link)
    assert_accessible(page)
    page.get_by_label("E-mail address").fill("ben@example.org")
    make_account(page, "Gil Grant")
    expect(page.get_by_role("alert")).to_contain_text("sign in with it to accept")
    assert_accessible(page)
    page.get_by_label("E-mail address").fill("gil@example.org")
    make_account(page, "Gil Grant")
    expect(page.get_by_text("No documents yet")).to_be_visible()

    ada.reload()
    ada.get_by_role("button", name="Take back a link").click()
    ended = visitor(shared_collab)
    ended.expects("404")
    ended.page.goto(link)
    expect(ended.page.get_by_role("heading", level=1)).to_have_text("This invitation no longer works")
    assert_accessible(ended.page)


def test_somebody_with_an_account_joins(
    shared_collab: Server, person: MakePerson, visitor: MakeVisitor
) -> None:
    ada = person(shared_collab, "ada").page
    open_people(ada)
    form = ada.get_by_role("region", name="Invite by e-mail")
    form.get_by_label("E-mail address").fill("elif@example.org")
    form.get_by_role("button", name="Invite").click()
    link = link_in_mail(shared_collab, "elif@example.org")
    page = visitor(shared_collab).page
    page.goto(link)
    assert_accessible(page)
    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    page.get_by_label("E-mail address").fill("elif@example.org")
    page.get_by_label("Password", exact=True).fill(shared_collab.people["elif"].password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Join")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("button", name="New document")).to_be_visible()


@pytest.fixture
def open_collab(collab: Server) -> Server:
    """Where everybody may sign up."""
    collab.stop()
    collab.environment |= {"COLLAB_SIGN_UP": "open", "EMAIL_URL": "console://"}
    collab.environment |= {"COLLAB_OIDC_1_URL": "http://127.0.0.1:9", "COLLAB_OIDC_1_CLIENT_ID": "collab"}
    collab.start()
    return collab


def test_signing_up_without_an_invitation(open_collab: Server, visitor: MakeVisitor) -> None:
    page = visitor(open_collab).page
    page.goto("/accounts/login/")
    expect(page.get_by_role("link", name="Sign in with your organisation")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="Sign up").click()
    assert_accessible(page)
    page.get_by_label("E-mail address").fill("fay@example.org")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    assert_accessible(page)
    link = re.compile(r"^To: fay@example.org$.*?(/accounts/signup/\S+)", re.M | re.S)
    wait_until(lambda: link.search(open_collab.log()), "the mail")
    page.goto(link.findall(open_collab.log())[-1])
    assert_accessible(page)
    page.get_by_label("Your name").fill("Fay Fontaine")
    page.get_by_label("Password", exact=True).fill("seven quiet herons")
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("button", name="New document")).to_be_visible()
