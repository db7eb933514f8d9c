"""Two people write in one document at the same time."""

from playwright.sync_api import expect

from tests.browser.conftest import DISCONNECTED, MakePerson, Visitor
from tests.browser.writing import (
    await_caret_behind,
    await_carets,
    await_people,
    await_text,
    caret_before,
    caret_behind,
    caret_to_end,
    converges,
    html_of,
    new_document,
    open_document,
    press,
    select,
    text_of,
    type_text,
    wait_saved,
)
from tests.server import Server

NAME_IS_INSIDE = """() => {
  const [text, name] = [".document-text", ".caret:is(.caret-moved, :hover) .caret-name"].map(
    (one) => document.querySelector(one)?.getBoundingClientRect());
  return name?.width > 40 && name.left >= text.left - 2 && name.right <= text.right;
}"""
WATCH_NAME = f"""() => {{
  window.nameWasInside = false;
  const look = () => {{
    window.nameWasInside = ({NAME_IS_INSIDE})() === true;
    if (!window.nameWasInside) requestAnimationFrame(look);
  }};
  look();
}}"""
PARAGRAPH = "The ferry leaves at noon and comes back at dusk."


def take_turns(ada: Visitor, ada_types: str, ben: Visitor, ben_types: str) -> None:
    """Both type, a key each in turn, without waiting for what the other's key did."""
    for one, other in zip(ada_types, ben_types, strict=True):
        ada.page.keyboard.type(one)
        ben.page.keyboard.type(other)


def sit_together(collab: Server, person: MakePerson, *lines: str) -> tuple[Visitor, Visitor]:
    """Ada and Ben with a new document open that says this."""
    ada, ben = person(collab, "ada"), person(collab, "ben")
    document = new_document(ada.page)
    for number, line in enumerate(lines):
        if number:
            press(ada.page, "Enter")
        type_text(ada.page, line)
    open_document(ben.page, document)
    assert converges(ada.page, ben.page) == "\n".join(lines)
    return ada, ben


def test_in_the_same_paragraph(shared_collab: Server, person: MakePerson) -> None:
    ada, ben = sit_together(shared_collab, person, PARAGRAPH)
    caret_behind(ada.page, "The ferry")
    caret_behind(ben.page, "comes back")
    take_turns(ada, " to the old lighthouse island", ben, " with everybody who is hungry")
    expected = (
        "The ferry to the old lighthouse island leaves at noon and comes back with everybody who is hungry"
    )
    assert converges(ada.page, ben.page) == expected + " at dusk."


def test_in_different_paragraphs(shared_collab: Server, person: MakePerson) -> None:
    ada, ben = sit_together(shared_collab, person, "Ada: ", "", "Ben: ")
    caret_behind(ada.page, "Ada: ")
    caret_behind(ben.page, "Ben: ")
    take_turns(ada, "the tent for the yard", ben, "sixty small notebooks")
    assert converges(ada.page, ben.page) == "Ada: the tent for the yard\n\nBen: sixty small notebooks"


def test_at_the_same_place(shared_collab: Server, person: MakePerson) -> None:
    ada, ben = sit_together(shared_collab, person, "Here: ")
    caret_to_end(ada.page)
    caret_to_end(ben.page)
    take_turns(ada, "ABCDEFGHIJ", ben, "0123456789")
    ended = converges(ada.page, ben.page).removeprefix("Here: ")
    assert sorted(ended) == sorted("ABCDEFGHIJ0123456789")
    assert [sign for sign in ended if sign in "ABCDEFGHIJ"] == list("ABCDEFGHIJ")
    assert [sign for sign in ended if sign in "0123456789"] == list("0123456789")


def test_while_neither_hears_the_other(shared_collab: Server, person: MakePerson) -> None:
    ada, ben = sit_together(shared_collab, person, PARAGRAPH)
    ada.offline()
    ben.offline()
    caret_before(ada.page, "noon")
    type_text(ada.page, "after")
    select(ben.page, "at noon")
    press(ben.page, "Control+b")
    caret_to_end(ben.page)
    press(ben.page, "Enter")
    type_text(ben.page, "No dogs.")
    assert "No dogs" not in text_of(ada.page)
    ben.online()
    ada.online()
    expected = "The ferry leaves at afternoon and comes back at dusk.\nNo dogs."
    assert converges(ada.page, ben.page) == expected
    assert "<strong>at afternoon</strong>" in html_of(ada.page)


def test_enter_and_backspace_around_the_other(shared_collab: Server, person: MakePerson) -> None:
    ada, ben = sit_together(shared_collab, person, "one two", "three four")
    caret_before(ada.page, "two")
    caret_behind(ben.page, "three")
    press(ada.page, "Enter")
    type_text(ben.page, " and a half")
    await_text(ada.page, "and a half")
    caret_before(ben.page, "three")
    press(ben.page, "Backspace")
    type_text(ada.page, "2, ")
    ended = converges(ada.page, ben.page)
    assert ended == "one \n2, twothree and a half four"


def test_each_undoes_their_own_edits_only(shared_collab: Server, person: MakePerson) -> None:
    ada, ben = sit_together(shared_collab, person, PARAGRAPH)
    # A window undoes what was written in it: Ada's is opened anew, so that the paragraph itself stays.
    ada.page.reload()
    open_document(ada.page, ada.page.url.split("/")[-2])
    caret_behind(ada.page, "ferry")
    caret_behind(ben.page, "dusk")
    take_turns(ada, " boat", ben, ", too")
    both = "The ferry boat leaves at noon and comes back at dusk, too."
    assert converges(ada.page, ben.page) == both

    undo(ada, until="The ferry leaves at noon and comes back at dusk, too.")
    converges(ada.page, ben.page)
    undo(ben, until=PARAGRAPH)
    assert converges(ada.page, ben.page) == PARAGRAPH

    press(ada.page, *["Control+z"] * 3)
    press(ben.page, *["Control+z"] * 3)
    assert converges(ada.page, ben.page) == PARAGRAPH
    press(ada.page, *["Control+Shift+KeyZ"] * 10)
    assert converges(ada.page, ben.page) == "The ferry boat leaves at noon and comes back at dusk."
    press(ben.page, *["Control+Shift+KeyZ"] * 10)
    assert converges(ada.page, ben.page) == both


def test_undoing_and_redoing_everything_in_a_new_document(shared_collab: Server, person: MakePerson) -> None:
    ada, ben = person(shared_collab, "ada"), person(shared_collab, "ben")
    document = new_document(ada.page)
    open_document(ben.page, document)
    empty = html_of(ada.page)
    type_text(ada.page, "Nests")
    press(ada.page, "Control+Alt+Digit2", "Enter")
    type_text(ada.page, "Two of them")
    press(ada.page, "Enter")
    type_text(ada.page, "in the reeds")
    converges(ada.page, ben.page)
    written = html_of(ada.page)
    assert written == "<h2>Nests</h2><p>Two of them</p><p>in the reeds</p>"
    for _ in range(2):
        press(ada.page, *["Control+z"] * 12)
        converges(ada.page, ben.page)
        assert html_of(ada.page) == empty
        press(ada.page, *["Control+Shift+KeyZ"] * 12)
        converges(ada.page, ben.page)
        assert html_of(ada.page) == written


def test_two_who_open_a_new_document_at_once(shared_collab: Server, person: MakePerson) -> None:
    ada, ben = person(shared_collab, "ada"), person(shared_collab, "ben")
    open_document(ben.page, new_document(ada.page))
    ada.offline()
    ben.offline()
    type_text(ada.page, "Ada")
    type_text(ben.page, "Ben")
    ada.online()
    ben.online()
    assert converges(ada.page, ben.page) in ("AdaBen", "BenAda")
    caret_to_end(ada.page)
    type_text(ada.page, ".")
    caret_to_end(ben.page)
    type_text(ben.page, "!")
    assert len(converges(ada.page, ben.page)) == 8


def test_redo_with_caps_lock_on_and_nothing_to_redo(shared_collab: Server, person: MakePerson) -> None:
    page = person(shared_collab, "ada").page
    new_document(page)
    type_text(page, "kept")
    # Playwright can't switch Caps Lock on: with it, Shift turns the letter small.
    keys = {"key": "z", "code": "KeyZ", "windowsVirtualKeyCode": 90, "modifiers": 2 | 8}
    keyboard = page.context.new_cdp_session(page)

    def redo() -> None:
        for kind in ("rawKeyDown", "keyUp"):
            keyboard.send("Input.dispatchKeyEvent", {"type": kind, **keys})

    redo()
    type_text(page, "!")
    assert text_of(page) == "kept!"
    press(page, *["Control+z"] * 3)
    assert text_of(page) == ""
    for _ in range(3):
        redo()
    await_text(page, "kept!")


def undo(who: Visitor, *, until: str) -> None:
    """Undo in as many steps as it takes until the document says this. Quick typing is one step, slow typing several."""
    for _ in range(10):
        press(who.page, "Control+z")
        if text_of(who.page) == until:
            return
    raise AssertionError(f"instead of {until!r}: {text_of(who.page)!r}")


def test_cursors_and_names(shared_collab: Server, person: MakePerson) -> None:
    ada, ben = sit_together(shared_collab, person, PARAGRAPH)
    caret_behind(ada.page, "ferry")
    await_carets(ben.page, "Ada Brightwater")
    await_people(ben.page, "You (Ben Okafor)", "Ada Brightwater")
    caret_behind(ben.page, "noon")
    await_carets(ada.page, "Ben Okafor")
    await_people(ada.page, "You (Ada Brightwater)", "Ben Okafor")

    await_caret_behind(ben.page, "The ferry")
    take_turns(ada, " boat", ben, "time ")
    converges(ada.page, ben.page)
    await_caret_behind(ben.page, "The ferry boat")
    await_caret_behind(ada.page, "at noontime ")

    select(ada.page, "comes back")
    selected = ben.page.locator(".document-text .selection-of-other")
    selected.filter(has_text="comes back").wait_for()
    colour = ben.page.locator(".document-text .caret").evaluate(
        "(one) => one.style.getPropertyValue('--person')"
    )
    assert colour == "#1b6e3a"

    ada.page.close()
    await_carets(ben.page)
    await_people(ben.page, "You (Ben Okafor)")


def test_names_show_while_somebody_writes_and_stay_inside_the_text(
    shared_collab: Server, person: MakePerson
) -> None:
    phone = {"viewport": {"width": 360, "height": 740}}
    ada, ben = person(shared_collab, "ada", **phone), person(shared_collab, "ben")
    document = new_document(ben.page)
    open_document(ada.page, document)
    name = ada.page.locator(".caret .caret-name")
    # To the right edge of the phone's text, and on at the end of the paragraph: the position is the same all the time.
    for words in ("It is a long way to the quay", " and", " back"):
        # Watched from within: the name is there for two seconds only, which a busy machine may take to come back.
        ada.page.evaluate(WATCH_NAME)
        type_text(ben.page, words)
        await_caret_behind(ada.page, words)
        ada.page.wait_for_function("nameWasInside")
        expect(ada.page.locator(".caret-moved")).to_have_count(0)
        expect(name).to_have_css("opacity", "0")
        name_box = name.bounding_box()
        assert name_box is None or name_box["width"] == 0
    ada.page.locator(".document-text .caret").hover()
    expect(name).to_have_css("opacity", "1")
    ada.page.wait_for_function(NAME_IS_INSIDE)
    ada.page.mouse.move(1, 1)
    expect(name).to_have_css("opacity", "0")
    ada.page.evaluate(WATCH_NAME)
    caret_before(ben.page, "long")
    ada.page.wait_for_function("nameWasInside")
    assert ada.page.evaluate("document.documentElement.scrollWidth === innerWidth")


def test_two_windows_of_one_person(shared_collab: Server, person: MakePerson) -> None:
    ada = person(shared_collab, "ada")
    document = new_document(ada.page)
    second = ada.new_page()
    open_document(second, document)
    type_text(ada.page, "from the first")
    await_text(second, "from the first")
    await_people(second, "You (Ada Brightwater)")
    await_carets(second, "Ada Brightwater")
    caret_to_end(second)
    type_text(second, ", from the second")
    assert converges(ada.page, second) == "from the first, from the second"


def test_the_document_is_there_tomorrow(collab: Server, person: MakePerson) -> None:
    ada, ben = sit_together(collab, person, "Heading here", PARAGRAPH)
    caret_behind(ada.page, "Heading here")
    press(ada.page, "Control+Alt+Digit2")
    caret_to_end(ben.page)
    type_text(ben.page, " Bring a lamp.")
    ended = converges(ada.page, ben.page)
    document = ada.page.url.split("/")[-2]
    ada.page.close()
    ben.page.close()
    assert collab.stop() == 0
    collab.start()
    chidi, again = person(collab, "chidi"), ada.new_page()
    open_document(chidi.page, document)
    open_document(again, document)
    assert converges(chidi.page, again) == ended == f"Heading here\n{PARAGRAPH} Bring a lamp."
    assert html_of(again).startswith("<h2>Heading here</h2><p>")


def test_the_server_restarts_under_open_pages(collab: Server, person: MakePerson) -> None:
    ada, ben = sit_together(collab, person, PARAGRAPH)
    for one in (ada, ben):
        one.expects(DISCONNECTED)
    caret_behind(ada.page, "ferry")
    caret_behind(ben.page, "dusk")
    take_turns(ada, " boat", ben, " soon")
    assert collab.stop() == 0
    for one in (ada, ben):
        one.page.wait_for_function("document.querySelector('#save-state').dataset.state === 'offline'")
    take_turns(ada, " or raft", ben, " or late")
    await_people(ada.page, "You (Ada Brightwater)")
    collab.start()
    expected = "The ferry boat or raft leaves at noon and comes back at dusk soon or late."
    assert converges(ada.page, ben.page) == expected
    await_people(ada.page, "You (Ada Brightwater)", "Ben Okafor")
    await_carets(ada.page, "Ben Okafor")
    await_carets(ben.page, "Ada Brightwater")
    chidi = person(collab, "chidi")
    open_document(chidi.page, ada.page.url.split("/")[-2])
    assert text_of(chidi.page) == expected
    wait_saved(ada.page)
