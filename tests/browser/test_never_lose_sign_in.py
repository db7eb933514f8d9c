"""A session that ends leaves the editor and its text on the screen; signing in happens in place."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import MakePerson
from tests.browser.never_lose import await_drafts, drafts, notice, sign_in_dialog, sign_out
from tests.browser.writing import (
    await_text,
    converges,
    new_document,
    open_document,
    save_state,
    text,
    text_of,
    type_text,
    wait_saved,
)
from tests.server import Person, Server


def end_session(page: Page) -> None:
    """Sign out in another window of the same browser."""
    other = page.context.new_page()
    sign_out(other)
    other.wait_for_url("**/accounts/login/**")
    other.close()


def fill_in(page: Page, who: Person, password: str | None = None) -> None:
    dialog = sign_in_dialog(page)
    dialog.get_by_label("E-mail address").fill(who.email)
    dialog.get_by_label("Password", exact=True).fill(password or who.password)
    dialog.get_by_role("button", name="Sign in").click()


def test_signing_in_in_place(shared_collab: Server, person: MakePerson) -> None:
    ada, ben = person(shared_collab, "ada"), person(shared_collab, "ben")
    document = new_document(ada.page)
    open_document(ben.page, document)
    type_text(ada.page, "Before, ")
    end_session(ada.page)
    expect(sign_in_dialog(ada.page)).to_be_visible()
    expect(notice(ada.page)).to_contain_text("You have been signed out. Your text stays here")
    # The dialog has not taken the focus: whoever types goes on typing into the text.
    assert text(ada.page).evaluate("(root) => root === document.activeElement")
    ada.page.keyboard.type("during, ")
    expect(save_state(ada.page)).to_have_text("Signed out, 8 changes kept on this device")
    assert "during" not in text_of(ben.page)

    fill_in(ada.page, shared_collab.people["ada"])
    expect(sign_in_dialog(ada.page)).to_be_hidden()
    assert text(ada.page).evaluate("(root) => root === document.activeElement")
    ada.page.keyboard.type("after.")
    assert converges(ada.page, ben.page) == "Before, during, after."
    expect(notice(ada.page)).to_be_hidden()
    ada.page.get_by_label("Title").fill("Renamed with the new CSRF token")
    ada.page.keyboard.press("Enter")
    expect(ben.page.get_by_label("Title")).to_have_value("Renamed with the new CSRF token")


def test_a_wrong_password_is_told_and_can_be_corrected(shared_collab: Server, person: MakePerson) -> None:
    ada = person(shared_collab, "ada")
    ada.expects("400")
    new_document(ada.page)
    end_session(ada.page)
    fill_in(ada.page, shared_collab.people["ada"], "not her password")
    problem = sign_in_dialog(ada.page).get_by_role("alert")
    expect(problem).to_have_text("This e-mail address and this password do not belong together.")
    fill_in(ada.page, shared_collab.people["ada"])
    wait_saved(ada.page)


def test_by_keyboard_alone(shared_collab: Server, person: MakePerson) -> None:
    ada = person(shared_collab, "ada")
    new_document(ada.page)
    end_session(ada.page)
    expect(sign_in_dialog(ada.page)).to_be_visible()
    notice(ada.page).get_by_role("button", name="Sign in").focus()
    ada.page.keyboard.press("Enter")
    expect(sign_in_dialog(ada.page).get_by_label("E-mail address")).to_be_focused()
    ada.page.keyboard.press("Escape")
    expect(sign_in_dialog(ada.page)).to_be_hidden()
    expect(text(ada.page)).to_be_focused()
    notice(ada.page).get_by_role("button", name="Sign in").focus()
    ada.page.keyboard.press("Enter")
    ada.page.keyboard.type(shared_collab.people["ada"].email)
    ada.page.keyboard.press("Tab")
    ada.page.keyboard.type(shared_collab.people["ada"].password)
    ada.page.keyboard.press("Enter")
    wait_saved(ada.page)


def test_signed_in_in_another_tab(shared_collab: Server, person: MakePerson) -> None:
    ada = person(shared_collab, "ada")
    new_document(ada.page)
    end_session(ada.page)
    type_text(ada.page, "kept")
    with ada.context.expect_page() as opened:
        sign_in_dialog(ada.page).get_by_role("link", name="In another tab").click()
    form = opened.value
    form.get_by_label("E-mail address").fill(shared_collab.people["ada"].email)
    form.get_by_label("Password", exact=True).fill(shared_collab.people["ada"].password)
    form.get_by_role("button", name="Sign in").click()
    form.wait_for_url("**/documents/**")
    form.close()
    ada.page.bring_to_front()
    ada.page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(sign_in_dialog(ada.page)).to_be_hidden()
    wait_saved(ada.page)


def test_somebody_else_signs_in(shared_collab: Server, person: MakePerson) -> None:
    ada, chidi = person(shared_collab, "ada"), person(shared_collab, "chidi")
    document = new_document(ada.page)
    open_document(chidi.page, document)
    end_session(ada.page)
    type_text(ada.page, "Ada's words")
    expect(save_state(ada.page)).to_have_text("Signed out, 11 changes kept on this device")
    fill_in(ada.page, shared_collab.people["ben"])
    expect(notice(ada.page)).to_contain_text("Somebody else has signed in to this browser.")
    assert text_of(chidi.page) == ""
    # Ben sees nothing of it, not even that there is something.
    ada.page.on("dialog", lambda dialog: dialog.accept())
    notice(ada.page).get_by_role("button", name="Reload").click()
    ada.page.wait_for_function("document.querySelector('#people .only-heard')?.textContent.includes('Ben')")
    assert text_of(ada.page) == ""
    expect(ada.page.locator("#earlier")).to_be_hidden()
    ada.page.goto("/")
    expect(ada.page.get_by_role("heading", level=1)).to_be_visible()
    assert ada.page.get_by_text("could not be saved").count() == 0
    assert [draft["edits"] for draft in drafts(ada.page)] == [11]

    sign_out(ada.page)
    ada.page.get_by_label("E-mail address").fill(shared_collab.people["ada"].email)
    ada.page.get_by_label("Password", exact=True).fill(shared_collab.people["ada"].password)
    ada.page.get_by_role("button", name="Sign in").click()
    open_document(ada.page, document)
    await_text(chidi.page, "Ada's words")
    await_drafts(ada.page, lambda kept: kept == [])


def test_signing_out_with_unsaved_changes_warns(collab: Server, person: MakePerson) -> None:
    ada = person(collab, "ada")
    ada.expects("WebSocket connection|ERR_CONNECTION_REFUSED")
    document = new_document(ada.page, "Tide tables")
    collab.stop()
    expect(save_state(ada.page)).to_have_attribute("data-state", "offline")
    type_text(ada.page, "low")
    expect(save_state(ada.page)).to_have_text("Offline, 3 changes kept on this device")
    ada.page.close()
    collab.start()
    page = ada.new_page()
    sign_out(page)
    warning = page.get_by_role("dialog")
    expect(warning).to_contain_text("Changes of yours in “Tide tables” are not saved yet.")
    warning.get_by_role("button", name="Stay").click()
    expect(warning).to_be_hidden()
    page.goto("/accounts/logout/")
    expect(page.get_by_role("main")).to_contain_text("Changes that are not saved yet stay in this browser")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    warning.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/**")
    assert [draft["edits"] for draft in drafts(page)] == [3]
    page.get_by_label("E-mail address").fill(collab.people["ada"].email)
    page.get_by_label("Password", exact=True).fill(collab.people["ada"].password)
    page.get_by_role("button", name="Sign in").click()
    open_document(page, document)
    await_text(page, "low")
    wait_saved(page)
