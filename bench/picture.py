"""Bars as SVG, written by hand; readable on light and dark pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _LABELS, _VALUES = 760, 260, 90
_TOP, _STEP, _THICK = 64, 34, 20
_STYLE = """
  text { font: 14px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .note { fill: #57606a }
  .page { fill: #ffffff }
  .own { fill: #1b6e3a }
  .other { fill: #8c959f }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .note { fill: #9da7b3 }
    .page { fill: #0d1117 }
    .own { fill: #3fb068 }
    .other { fill: #6e7781 }
  }
"""


@dataclass(frozen=True)
class Bar:
    label: str
    value: float
    text: str
    is_ours: bool


def draw(title: str, note: str, bars: Sequence[Bar]) -> str:
    """A picture with a bar for each server, as long as its value."""
    height = _TOP + _STEP * len(bars) + 10
    longest = max((bar.value for bar in bars), default=0) or 1
    room = _WIDTH - _LABELS - _VALUES
    summary = ", ".join(f"{bar.label} {bar.text}" for bar in bars)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-labelledby="title note">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="note">{escape(note)}: {escape(summary)}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="page" width="{_WIDTH}" height="{height}" rx="8"/>',
        f'<text class="title" x="16" y="28">{escape(title)}</text>',
        f'<text class="note" x="16" y="48">{escape(note)}</text>',
    ]
    for at, bar in enumerate(bars):
        top = _TOP + at * _STEP
        length = max(1.0, room * bar.value / longest)
        kind = "own" if bar.is_ours else "other"
        parts += [
            f'<text x="{_LABELS - 8}" y="{top + 15}" text-anchor="end">{escape(bar.label)}</text>',
            f'<rect class="{kind}" x="{_LABELS}" y="{top}" width="{length:.1f}" height="{_THICK}" rx="3"/>',
            f'<text x="{_LABELS + length + 8:.1f}" y="{top + 15}">{escape(bar.text)}</text>',
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"
