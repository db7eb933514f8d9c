"""Authenticator apps, passkeys and sessions in the browser. Passkeys are kept by Chromium's virtual authenticator, on
`localhost`: browsers make none for an address of numbers."""

import re
import time
from collections.abc import Callable

import pytest
from allauth.mfa.totp.internal import auth
from playwright.sync_api import Page, expect

from tests.browser.conftest import MakePerson, MakeVisitor, Visitor
from tests.browser.never_lose import sign_in_dialog
from tests.browser.test_accessibility import assert_accessible, walk
from tests.browser.test_signing_in import sign_in_by_form, sign_out
from tests.browser.writing import (
    await_text,
    converges,
    new_document,
    open_document,
    save_state,
    text_of,
    type_text,
    wait_saved,
)
from tests.server import Person, Server

AtLocalhost = Callable[[str], Visitor]


def code_of(secret: str, ahead: int = 0) -> str:
    return str(auth.format_hotp_value(auth.hotp_value(secret, int(time.time()) // 30 + ahead)))


def open_security(page: Page) -> None:
    page.goto("/")
    page.locator("summary", has_text="account").click()
    page.get_by_role("link", name="Security").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Security")


def leave(page: Page) -> None:
    sign_out(page)
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def prove(page: Page, who: Person) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Is it you?")
    page.get_by_label("Password", exact=True).fill(who.password)
    page.get_by_role("button", name="Go on").click()


def virtual_authenticator(page: Page) -> None:
    """A device that keeps passkeys and whose owner always agrees."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
            }
        },
    )


@pytest.fixture
def at_localhost(collab: Server, visitor: MakeVisitor) -> AtLocalhost:
    """A browser in which somebody has signed in by the form, at `localhost`."""

    def open_browser(name: str) -> Visitor:
        one = visitor(collab, name, base_url=collab.url.replace("127.0.0.1", "localhost"))
        who = collab.people[name]
        one.page.goto("/accounts/login/")
        sign_in_by_form(one.page, who.email, who.password)
        expect(one.page.get_by_role("heading", level=1)).to_have_text("Documents")
        return one

    return open_browser


def test_an_authenticator_app(collab: Server, person: MakePerson, visitor: MakeVisitor) -> None:
    page, ben = person(collab, "ben").page, collab.people["ben"]
    open_security(page)
    assert_accessible(page)
    walk(page)
    page.get_by_role("link", name="Set up an app").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Is it you?")
    assert_accessible(page)
    prove(page, ben)
    expect(page.get_by_role("img")).to_be_visible()
    assert_accessible(page)
    secret = page.get_by_label("Key", exact=True).input_value()
    page.get_by_label("Code that the app shows").fill(code_of(secret))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    assert_accessible(page)
    recovery = page.locator(".codes li").first.inner_text()
    page.get_by_role("link", name="Make new codes").click()
    assert_accessible(page)
    open_security(page)
    assert_accessible(page)

    other = visitor(collab).page
    other.goto("/accounts/login/?next=/accounts/password/change/")
    sign_in_by_form(other, ben.email, ben.password)
    expect(other.get_by_role("heading", level=1)).to_have_text("One more step")
    assert_accessible(other)
    other.get_by_label("Code").fill("000000")
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_text("Incorrect code.")).to_be_visible()
    other.get_by_label("Code").fill(recovery)
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("Change your password")
    open_security(other)
    other.get_by_role("link", name="Turn off").click()
    prove(other, ben)
    assert_accessible(other)
    other.get_by_role("button", name="Turn it off").click()
    expect(other.get_by_role("region", name="Authenticator app")).to_contain_text("Off.")


def test_signing_in_again_with_a_code_loses_nothing(collab: Server, person: MakePerson) -> None:
    """The dialog in the document takes a password only; the second step is in a tab of its own."""
    one, ben = person(collab, "ben"), collab.people["ben"]
    setting_up = one.new_page()
    setting_up.goto("/accounts/security/totp/activate/")
    prove(setting_up, ben)
    secret = setting_up.get_by_label("Key", exact=True).input_value()
    setting_up.get_by_label("Code that the app shows").fill(code_of(secret))
    setting_up.get_by_role("button", name="Turn it on").click()
    recovery = setting_up.locator(".codes li").first.inner_text()
    new_document(one.page)
    type_text(one.page, "Before, ")
    wait_saved(one.page)
    leave(setting_up)
    setting_up.close()
    dialog = sign_in_dialog(one.page)
    expect(dialog).to_be_visible()
    one.page.keyboard.type("during.")
    dialog.get_by_label("E-mail address").fill(ben.email)
    dialog.get_by_label("Password", exact=True).fill(ben.password)
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog).to_contain_text("Signing in takes another step.")
    with one.context.expect_page() as opened:
        dialog.get_by_role("link", name="In another tab").click()
    step = opened.value
    expect(step.get_by_role("heading", level=1)).to_have_text("One more step")
    step.get_by_label("Code").fill(recovery)
    step.get_by_role("button", name="Sign in").click()
    step.wait_for_url("**/documents/**")
    step.close()
    one.page.bring_to_front()
    one.page.evaluate("() => dispatchEvent(new Event('focus'))")
    expect(dialog).to_be_hidden()
    wait_saved(one.page)
    assert text_of(one.page) == "Before, during."


def test_a_passkey_signs_in_without_a_password(collab: Server, at_localhost: AtLocalhost) -> None:
    one, ben = at_localhost("ben"), collab.people["ben"]
    page = one.page
    virtual_authenticator(page)
    open_security(page)
    page.get_by_role("link", name="Add a passkey").click()
    prove(page, ben)
    assert_accessible(page)
    page.get_by_label("Name of the key").fill("Laptop")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    open_security(page)
    expect(page.get_by_role("region", name="Passkeys")).to_contain_text("Laptop")
    assert_accessible(page)

    leave(page)
    page.goto("/accounts/login/?next=/accounts/password/change/")
    assert_accessible(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Change your password")

    # After the password it is the second step.
    leave(page)
    page.goto("/accounts/login/")
    sign_in_by_form(page, ben.email, ben.password)
    expect(page.get_by_role("heading", level=1)).to_have_text("One more step")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Documents")

    open_security(page)
    page.get_by_role("link", name="Rename Laptop").click()
    page.get_by_role("link", name="Use a passkey").click()
    assert_accessible(page)
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_label("Name").fill("Old laptop")
    assert_accessible(page)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Remove Old laptop").click()
    assert_accessible(page)
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("region", name="Passkeys")).to_contain_text("None yet.")


def test_a_browser_without_the_key_is_told(collab: Server, at_localhost: AtLocalhost) -> None:
    one = at_localhost("ben")
    leave(one.page)
    virtual_authenticator(one.page)
    one.page.goto("/accounts/login/")
    one.page.get_by_role("button", name="Use a passkey").click()
    expect(one.page.get_by_role("alert")).to_contain_text("No passkey was used.")
    assert_accessible(one.page)


def test_a_session_that_is_ended_elsewhere_loses_nothing(
    collab: Server, person: MakePerson, visitor: MakeVisitor
) -> None:
    typing, ada = person(collab, "ben"), person(collab, "ada")
    document = new_document(typing.page)
    open_document(ada.page, document)
    type_text(typing.page, "Before, ")
    wait_saved(typing.page)
    here = visitor(collab, user_agent="Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
    here.page.goto("/accounts/login/")
    sign_in_by_form(here.page, collab.people["ben"].email, collab.people["ben"].password)
    open_security(here.page)
    here.page.get_by_role("link", name="Show sessions").click()
    expect(here.page.get_by_role("listitem").filter(has_text="Here")).to_contain_text("Firefox on Linux")
    assert_accessible(here.page)
    here.page.get_by_role("button", name=re.compile("^End the session in")).click()
    expect(here.page.get_by_text("That session is ended.")).to_be_visible()

    expect(sign_in_dialog(typing.page)).to_be_visible()
    typing.page.keyboard.type("during, ")
    expect(save_state(typing.page)).to_have_text("Signed out, 8 changes kept on this device")
    assert "during" not in text_of(ada.page)
    dialog = sign_in_dialog(typing.page)
    dialog.get_by_label("E-mail address").fill(collab.people["ben"].email)
    dialog.get_by_label("Password", exact=True).fill(collab.people["ben"].password)
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog).to_be_hidden()
    typing.page.keyboard.type("after.")
    assert converges(typing.page, ada.page) == "Before, during, after."
    await_text(ada.page, "after.")
