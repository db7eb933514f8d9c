"""A document's text without its formatting, for previews and search.

Whatever sits in the CRDT was written by somebody who may mean harm: unknown elements are read through, nesting and
length are bounded, and nothing is walked by recursion.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pycrdt

from docs_app.documents.replica import Replica

logger = logging.getLogger(__name__)

ROOT = "default"
MAX_DEPTH = 100
MAX_NODES = 200_000

# These stand inside a line; every other element begins one of its own.
_INLINE = frozenset({"emoji", "image", "mention"})


@dataclass(frozen=True, slots=True)
class _Step:
    """Something still to be written: a node, or None for the end of a line. `mark` stands before its first line."""

    node: object
    depth: int
    mark: str = ""


@dataclass(slots=True)
class _Writer:
    """Collects lines until `room` characters are used up."""

    room: int
    lines: list[str] = field(default_factory=list)
    line: str = ""
    mark: str = ""

    def write(self, text: str) -> None:
        first, *more = text.split("\n")
        self.line += first
        for part in more:
            self.end_line()
            self.line = part

    def end_line(self) -> None:
        if not self.line.strip():
            self.line = ""
            return
        line = (self.mark + self.line).rstrip()[: max(self.room, 0)]
        self.lines.append(line)
        self.room -= len(line) + 1
        self.line = self.mark = ""


def plain_text(source: bytes | pycrdt.Doc[Any], *, limit: int = 1_000_000) -> str:
    """The text of a state (a Yjs update) or of a document, a line per block, at most `limit` characters of it.

    Never raises for what a document contains; what can't be read is left out. Raises MalformedUpdateError or
    NotApplicableError for bytes that are no state.
    """
    document = Replica([source]).doc if isinstance(source, bytes) else source
    writer = _Writer(limit)
    try:
        _walk(document.get(ROOT, type=pycrdt.XmlFragment), writer)
    except BaseException as error:
        # pyo3's PanicException is no Exception, and a hostile document can cause one.
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        logger.warning("a document's text was read only in part: %s: %s", type(error).__name__, error)
    writer.end_line()
    return "\n".join(writer.lines)[:limit]


def _walk(root: pycrdt.XmlFragment, writer: _Writer) -> None:
    """Depth first, in the order of the document, on a stack of our own."""
    stack = [_Step(root, 0)]
    for _ in range(MAX_NODES):
        if not stack or writer.room <= 0:
            return
        step = stack.pop()
        if isinstance(step.node, pycrdt.XmlText):
            writer.write("".join(piece for piece, _ in step.node.diff() if isinstance(piece, str)))
        elif isinstance(step.node, pycrdt.XmlElement | pycrdt.XmlFragment):
            _enter(step, step.node, stack, writer)
        else:
            writer.end_line()


def _enter(
    step: _Step, node: pycrdt.XmlElement | pycrdt.XmlFragment, stack: list[_Step], writer: _Writer
) -> None:
    tag = node.tag if isinstance(node, pycrdt.XmlElement) else ""
    if tag not in _INLINE:
        writer.end_line()
        stack.append(_Step(None, step.depth))
    if step.mark:
        writer.mark = step.mark
    if tag == "horizontalRule":
        writer.write("---")
    if step.depth < MAX_DEPTH:
        children = list(node.children)
        marks = _marks(node, tag, children)
        stack.extend(
            _Step(child, step.depth + 1, marks.get(at, "")) for at, child in reversed([*enumerate(children)])
        )


def _marks(node: object, tag: str | None, children: Sequence[object]) -> dict[int, str]:
    """What stands before the children of a list: bullets, numbers, check boxes."""
    match tag:
        case "bulletList":
            return dict.fromkeys(range(len(children)), "- ")
        case "orderedList":
            return {at: f"{_start(node) + at}. " for at in range(len(children))}
        case "taskList":
            return {
                at: "[x] " if _attribute(child, "checked") is True else "[ ] "
                for at, child in enumerate(children)
            }
        case _:
            return {}


def _start(node: object) -> int:
    start = _attribute(node, "start")
    return int(start) if isinstance(start, int | float) and 0 <= start < 1_000_000 else 1


def _attribute(node: object, name: str) -> object:
    return node.attributes.get(name) if isinstance(node, pycrdt.XmlElement) else None
