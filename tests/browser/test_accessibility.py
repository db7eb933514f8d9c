"""Every page, light and dark, wide and narrow, without a violation that axe-core finds, and usable by keyboard."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import MakePerson, MakeVisitor
from tests.browser.test_signing_in import link_in_mail, sign_out, signed_out
from tests.browser.writing import (
    await_carets,
    await_text,
    new_document,
    open_document,
    press,
    text,
    tool,
    type_text,
)
from tests.server import ROOT, Server

AXE = ROOT / "tests" / "peers" / "node_modules" / "axe-core" / "axe.min.js"

# Colours that are on their way to the other scheme have no contrast to speak of.
_AT_REST = """() => Promise.allSettled(document.getAnimations()
  .filter((one) => Number.isFinite(one.effect.getComputedTiming().endTime)).map((one) => one.finished))"""


@cache
def _source() -> str:
    if not AXE.is_file():
        pytest.fail("axe-core is missing: run the tests with `make browser`")
    return AXE.read_text()


def violations(page: Page, within: str) -> list[str]:
    """What axe-core, with all its rules, finds wrong inside these elements."""
    page.evaluate(_AT_REST)
    page.evaluate(_source())
    # Without `preload`, which writes style elements into the page, against its Content Security Policy.
    found: dict[str, Any] = page.evaluate(
        "(within) => axe.run(within, { resultTypes: ['violations'], preload: false })", within
    )
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {node['html']} {[why['message'] for why in node['any']]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def assert_accessible(page: Page, within: str = "html") -> None:
    """No violations, wide and narrow, light and dark, and nothing to scroll sideways on a phone."""
    problems: list[str] = []
    for width, scheme in ((1280, "light"), (1280, "dark"), (360, "dark")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        problems += [f"{scheme}, {width} px: {one}" for one in violations(page, within)]
    overflow = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    if within == "html" and overflow > 0:
        problems.append(f"360 px: the page is {overflow} px too wide")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")
    assert not problems, "\n".join(problems)


def test_start_page(shared_collab: Server, person: MakePerson) -> None:
    page = person(shared_collab, "ada").page
    page.goto("/")
    assert_accessible(page)
    page.locator("summary", has_text="account").click()
    assert_accessible(page)
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Rename").first.click()
    assert_accessible(page)


def test_start_page_of_a_guest(shared_collab: Server, person: MakePerson) -> None:
    page = person(shared_collab, "elif").page
    page.goto("/")
    assert_accessible(page)


def test_set_up_and_the_empty_start_page(empty_collab: Callable[..., Server], visitor: MakeVisitor) -> None:
    one = visitor(empty_collab(), extra_http_headers={"X-Forwarded-For": "203.0.113.9"})
    one.page.goto("/")
    expect(one.page).to_have_title("Set up Collab")
    assert_accessible(one.page)

    here = visitor(empty_collab())
    here.expects("/setup/ 400", "status of 400")
    page = here.page
    page.goto("/")
    page.get_by_label("Your name").fill("Wilma Wunderlich")
    page.get_by_label("E-mail address").fill("wilma@example.org")
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_role("button", name="Set up Collab").click()
    expect(page.get_by_text("too short")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Password", exact=True).fill("seven quiet herons")
    page.get_by_role("button", name="Set up Collab").click()
    expect(page.get_by_text("No documents yet")).to_be_visible()
    assert_accessible(page)


def test_signing_in(shared_collab: Server, visitor: MakeVisitor) -> None:
    page = visitor(shared_collab).page
    page.goto("/")
    assert_accessible(page)
    page.get_by_label("E-mail address").fill("ada@example.org")
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert_accessible(page)


def test_a_new_password(shared_collab: Server, visitor: MakeVisitor, person: MakePerson) -> None:
    page, account = visitor(shared_collab).page, shared_collab.people["dunja"]
    page.goto("/accounts/password/reset/")
    assert_accessible(page)
    page.get_by_label("E-mail address").fill(account.email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    assert_accessible(page)
    page.goto(link_in_mail(shared_collab, account))
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose a new password")
    assert_accessible(page)
    page.goto("/accounts/password/reset/key/1-invalid/")
    expect(page.get_by_role("heading", level=1)).to_have_text("This link no longer works")
    assert_accessible(page)
    dunja = person(shared_collab, "dunja").page
    dunja.goto("/accounts/password/change/")
    assert_accessible(dunja)


def test_small_pages(shared_collab: Server, person: MakePerson, visitor: MakeVisitor) -> None:
    ben = person(shared_collab, "ben")
    ben.expects("404", "status of 40")
    ben.page.goto("/nowhere")
    expect(ben.page.get_by_role("heading", level=1)).to_have_text("There is nothing here")
    assert_accessible(ben.page)
    for address in ("/accounts/logout/", f"/documents/{shared_collab.documents[0].id}/rename"):
        ben.page.goto(address)
        expect(ben.page.get_by_role("heading", level=1)).to_be_visible()
        assert_accessible(ben.page)
    stranger = visitor(shared_collab).page
    for address in ("/accounts/signup/", "/accounts/inactive/"):
        stranger.goto(address)
        expect(stranger.get_by_role("heading", level=1)).to_be_visible()
        assert_accessible(stranger)


def test_document_of_an_editor(shared_collab: Server, person: MakePerson) -> None:
    ada, ben = person(shared_collab, "ada").page, person(shared_collab, "ben").page
    document = shared_collab.documents[2].id
    open_document(ada, document)
    open_document(ben, document)
    type_text(ben, "Here I am. ")
    press(ben, "Control+KeyA")
    await_text(ada, "Here I am.")
    await_carets(ada, "Ben Okafor")
    assert_accessible(ada)
    press(ada, "Alt+F10")
    assert_accessible(ada)


def test_document_with_everything_in_it(shared_collab: Server, person: MakePerson) -> None:
    page = person(shared_collab, "ada").page
    new_document(page)
    assert_accessible(page)
    for line in (
        "# One", "## Two", "### Three", "#### Four", "a **bold** *italic* ~~gone~~ `code` word",
        "see https://example.org/a there", "> quote", "", "- item", "", "1. first", "", "---",
    ):  # fmt: skip
        type_text(page, line)
        press(page, "Enter")
    type_text(page, "``` code")
    assert text(page).locator("a, pre, ul, ol, blockquote, h4, s, hr").count() == 8
    assert_accessible(page)
    press(page, "Control+Home")
    # In a code block there are no links: the toolbar shows when the editor has seen where the caret is.
    expect(tool(page, "Heading 1")).to_have_attribute("aria-pressed", "true")
    press(page, "Control+KeyK")
    page.get_by_label("Address", exact=True).fill("javascript:alert(1)")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Link").get_by_role("status")).to_be_visible()
    assert_accessible(page)


def test_document_of_a_reader(shared_collab: Server, person: MakePerson) -> None:
    page = person(shared_collab, "elif").page
    open_document(page, shared_collab.documents[0].id)
    assert_accessible(page)


def test_document_that_has_stopped(shared_collab: Server, person: MakePerson) -> None:
    chidi = person(shared_collab, "chidi")
    open_document(chidi.page, shared_collab.documents[3].id)
    other = chidi.new_page()
    other.goto("/")
    sign_out(other)
    signed_out(chidi)
    assert_accessible(chidi.page)


def test_admin(shared_collab: Server, person: MakePerson) -> None:
    page = person(shared_collab, "ada").page
    document = shared_collab.documents[1].id
    page.goto(f"/admin/docs_app/document/{document}/change/")
    for ours in (".collab-preview", ".collab-edits", "#header"):
        assert_accessible(page, ours)
    page.goto("/admin/")
    assert_accessible(page, "#header")


# -- By keyboard -----------------------------------------------------------------------------------------------------

_CONTROLS = (
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [contenteditable=true], [tabindex]"
)
_NUMBER = """(controls) => {
  const shown = [...document.querySelectorAll(controls)].filter((one) =>
    one.checkVisibility({ visibilityProperty: true }) && !one.disabled && !one.closest("[inert]")
    && !(one.closest("[contenteditable=true]") && one.tagName === "A")
    && !(one.getAttribute("tabindex") === "-1" && one.tagName === "MAIN"));
  shown.forEach((one, number) => one.dataset.control = String(number));
  return shown.map((one) => one.outerHTML.slice(0, 160));
}"""
# A ring, a shadow or a frame, of the control or of the sheet around it, that is not there without the focus. A text
# that one writes in shows its caret.
_FOCUS = """() => {
  const one = document.activeElement;
  const parts = [[one, null], [one, "::before"], [one, "::after"], [one.closest(".sheet") ?? one, null]];
  const look = () => JSON.stringify(parts.map(([element, part]) => {
    const { outlineStyle, outlineWidth, boxShadow, borderColor, backgroundColor } = getComputedStyle(element, part);
    const outline = outlineStyle === "none" || outlineWidth === "0px" ? "" : outlineStyle + outlineWidth;
    return [outline, boxShadow, borderColor, backgroundColor];
  }));
  const focused = look();
  one.blur();
  const plain = look();
  one.focus({ focusVisible: true });
  return [one.dataset.control ?? null, focused !== plain || one.isContentEditable];
}"""


def walk(page: Page, *, within_toolbar: bool = False) -> None:
    """Press Tab from the top to the end of the page, and arrows in the toolbar. Fails if some control is never
    reached or does not show that it has the focus."""
    controls: list[str] = page.evaluate(_NUMBER, _CONTROLS)
    assert controls
    reached: dict[int, bool] = {}

    def look() -> str | None:
        number, is_seen = page.evaluate(_FOCUS)
        if number is not None:
            reached[int(number)] = is_seen
        return None if number is None else str(number)

    page.evaluate(
        "() => { getSelection().removeAllRanges(); document.activeElement.blur(); scrollTo(0, 0); }"
    )
    for _ in range(2 * len(controls) + 5):
        page.keyboard.press("Tab")
        here = look()
        if within_toolbar and page.locator("[role=toolbar] :focus").count():
            for _ in range(20):
                page.keyboard.press("ArrowRight")
                if look() == here:
                    break
    missed = [html for number, html in enumerate(controls) if number not in reached]
    unseen = [controls[number] for number, is_seen in reached.items() if not is_seen]
    assert not missed, "not reached: " + "\n".join(missed)
    assert not unseen, "focus is not visible: " + "\n".join(unseen)


def test_document_by_keyboard(shared_collab: Server, person: MakePerson) -> None:
    page = person(shared_collab, "ada").page
    new_document(page)
    type_text(page, "Two words")
    press(page, "Control+KeyZ")
    walk(page, within_toolbar=True)


def test_reading_by_keyboard(shared_collab: Server, person: MakePerson) -> None:
    page = person(shared_collab, "elif").page
    open_document(page, shared_collab.documents[0].id)
    walk(page)


@pytest.mark.parametrize("address", ["/", "/accounts/password/change/"])
def test_pages_by_keyboard(shared_collab: Server, person: MakePerson, address: str) -> None:
    page = person(shared_collab, "ada").page
    page.goto(address)
    walk(page)


@pytest.mark.parametrize("address", ["/accounts/login/", "/accounts/password/reset/"])
def test_entrances_by_keyboard(shared_collab: Server, visitor: MakeVisitor, address: str) -> None:
    page = visitor(shared_collab).page
    page.goto(address)
    walk(page)


def test_the_content_can_be_skipped_to(shared_collab: Server, person: MakePerson) -> None:
    page = person(shared_collab, "ada").page
    page.goto("/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()


def test_the_menu_by_keyboard(shared_collab: Server, person: MakePerson) -> None:
    page = person(shared_collab, "ada").page
    page.goto("/")
    menu = page.locator("summary", has_text="account")
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Admin")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(menu).to_be_focused()
