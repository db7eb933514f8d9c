"""The contrast of the tokens, by the formula of WCAG 2."""

import re
from itertools import product
from pathlib import Path

import pytest

from docs_app.accounts.models import PALETTE

STYLES = Path(__file__).resolve().parents[2] / "frontend" / "src" / "styles"
TOKENS = STYLES / "tokens.css"
CARETS = STYLES / "document" / "carets.css"
SURFACES = ("surface", "surface-raised", "surface-sunken")
TEXTS = ("ink", "ink-soft", "ink-faint", "accent", "accent-strong", "danger", "warning", "success")
LINES = ("line-strong", "focus", "accent")
PAIRS = [
    *product(TEXTS, SURFACES),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("ink", "accent-soft"),
    ("accent", "accent-soft"),
    ("danger", "danger-soft"),
    ("ink", "danger-soft"),
    ("warning", "warning-soft"),
    ("ink", "warning-soft"),
]


def schemes() -> dict[str, dict[str, str]]:
    light, dark = TOKENS.read_text().split("prefers-color-scheme: dark")
    found = {
        name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", part))
        for name, part in (("light", light), ("dark", dark))
    }
    assert found["light"].keys() == found["dark"].keys()
    return found


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_it_can_read_text(scheme: str, text: str, ground: str) -> None:
    colours = schemes()[scheme]
    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("line", "ground"), [*product(LINES, SURFACES)])
def test_it_can_see_boundaries_and_focus(scheme: str, line: str, ground: str) -> None:
    colours = schemes()[scheme]
    assert contrast(colours[line], colours[ground]) >= 3


def mixed_with_white(colour: str, share: float) -> str:
    """CSS's `color-mix(in srgb, colour share, #fff)`."""
    channels = (int(colour[at : at + 2], 16) * share + 255 * (1 - share) for at in (1, 3, 5))
    return "#" + "".join(f"{round(channel):02x}" for channel in channels)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("colour", PALETTE)
def test_it_can_see_where_others_are(scheme: str, colour: str) -> None:
    assert "border-inline-start: 2px solid var(--line-of-person)" in CARETS.read_text()
    assert "color-mix(in srgb, var(--person) var(--person-share), #fff)" in CARETS.read_text()
    light, dark = re.findall(r"--person-share: (\d+)%;", TOKENS.read_text())
    share = int({"light": light, "dark": dark}[scheme]) / 100
    for surface in SURFACES:
        assert contrast(mixed_with_white(colour, share), schemes()[scheme][surface]) >= 3


@pytest.mark.parametrize("colour", PALETTE)
def test_it_can_read_names_on_the_colour_of_a_person(colour: str) -> None:
    assert contrast(colour, "#ffffff") >= 4.5
