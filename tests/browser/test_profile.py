"""The profile, and how others see it."""

from pathlib import Path

from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import MakePerson
from tests.browser.test_accessibility import assert_accessible
from tests.browser.writing import open_document
from tests.server import Server


def test_a_name_a_colour_and_a_picture(collab: Server, person: MakePerson, tmp_path: Path) -> None:
    one, ada = person(collab, "ben"), person(collab, "ada")
    one.expects("400")
    ben = one.page
    ben.goto("/")
    ben.locator("summary", has_text="account").click()
    ben.get_by_role("link", name="Profile").click()
    assert_accessible(ben)
    ben.get_by_label("Another", exact=True).check(force=True)
    ben.get_by_label("Another colour").fill("#ffff00")
    ben.get_by_role("button", name="Save").click()
    expect(ben.get_by_text("can't be read on it")).to_be_visible()
    assert_accessible(ben)
    # Radio buttons are one stop of the Tab key.
    ben.get_by_label("Another", exact=True).focus()
    ben.keyboard.press("ArrowRight")
    expect(ben.get_by_label("Red")).to_be_checked()
    expect(ben.get_by_label("Red")).to_be_focused()
    ben.get_by_label("Name", exact=True).fill("Benedict Okafor")
    ben.get_by_label("Teal").check(force=True)
    Image.effect_mandelbrot((400, 300), (-2, -1.5, 1, 1.5), 60).save(tmp_path / "me.png")
    ben.get_by_label("Picture").set_input_files(tmp_path / "me.png")
    ben.get_by_role("button", name="Save").click()
    expect(ben.get_by_text("Your profile is saved.")).to_be_visible()
    assert_accessible(ben)

    document = collab.documents[1].id
    open_document(ben, document)
    open_document(ada.page, document)
    entry = ada.page.locator("#people li", has_text="Benedict Okafor")
    picture = entry.locator("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 256
    assert entry.evaluate("(entry) => getComputedStyle(entry).backgroundColor") == "rgb(0, 105, 111)"
    assert_accessible(ada.page, "#people")
