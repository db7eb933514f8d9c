"""Which colours can be a person's: names stand in white on them, and carets in them on every surface."""

import re

# The lightest surface that is dark, and what of a caret's colour the dark scheme keeps, the rest being white:
# --surface-raised and --person-share in frontend/src/styles/tokens.css.
DARK_SURFACE = "#1e2422"
DARK_SHARE = 0.7

TEXT, LINE = 4.5, 3.0


def is_colour(text: str) -> bool:
    return re.fullmatch(r"#[0-9a-f]{6}", text) is not None


def is_readable(colour: str) -> bool:
    """Whether white text on it, and a line in it, have the contrast that WCAG 2 asks for, in both schemes."""
    mixed = [channel * DARK_SHARE + 255 * (1 - DARK_SHARE) for channel in _channels(colour)]
    is_seen_in_the_dark = _contrast(mixed, _channels(DARK_SURFACE)) >= LINE
    return _contrast(_channels(colour), _channels("#ffffff")) >= TEXT and is_seen_in_the_dark


def _channels(colour: str) -> list[float]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def _contrast(one: list[float], other: list[float]) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(channels: list[float]) -> float:
    shares = [channel / 255 for channel in channels]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
