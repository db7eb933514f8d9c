"""The text of a document, of honest ones and of hostile ones."""

from typing import Any

import pycrdt
import pytest

from docs_app.content import text
from docs_app.content.text import plain_text
from docs_app.documents.updates import MalformedUpdateError

# Attributes are numbers and booleans too, whatever the type hint says.
Element: Any = pycrdt.XmlElement
Text = pycrdt.XmlText


def p(*children: Any) -> Any:
    return Element("paragraph", {}, [Text(child) if isinstance(child, str) else child for child in children])


def doc(*blocks: Any) -> pycrdt.Doc[Any]:
    made: pycrdt.Doc[Any] = pycrdt.Doc()
    root = made.get("default", type=pycrdt.XmlFragment)
    for block in blocks:
        root.children.append(block)
    return made


def items(name: str, *children: pycrdt.XmlElement) -> list[pycrdt.XmlElement]:
    return [Element(name, {}, [child]) for child in children]


def test_it_reads_a_line_per_block() -> None:
    made = doc(Element("heading", {"level": 1}, [Text("Nests")]), p("In trees."), p(), p("On the ground."))
    assert plain_text(made) == "Nests\nIn trees.\nOn the ground."
    assert plain_text(made.get_update()) == plain_text(made)


def test_it_reads_an_empty_document() -> None:
    assert plain_text(pycrdt.Doc()) == ""
    assert plain_text(b"\x00\x00") == ""


def test_it_leaves_formatting_out_and_characters_as_they_are() -> None:
    made = doc(p("a <b> & "))
    paragraph = made.get("default", type=pycrdt.XmlFragment).children[0]
    words: Any = paragraph.children[0]
    words.insert(len(words), "bold 😀", {"bold": {}})
    words.insert(len(words), " end", {"bold": None})
    assert plain_text(made) == "a <b> & bold 😀 end"


def test_it_reads_lists() -> None:
    inner = Element("bulletList", {}, items("listItem", p("robin"), p("wren")))
    outer = Element("listItem", {}, [p("small"), inner])
    made = doc(
        Element("orderedList", {"start": 3}, [outer, *items("listItem", p("large"))]),
        Element(
            "taskList",
            {},
            [
                Element("taskItem", {"checked": True}, [p("seen")]),
                Element("taskItem", {"checked": False}, [p("heard")]),
            ],
        ),
    )
    assert plain_text(made).split("\n") == [
        "3. small",
        "- robin",
        "- wren",
        "4. large",
        "[x] seen",
        "[ ] heard",
    ]


def test_it_breaks_lines_where_the_document_does() -> None:
    made = doc(
        p("one", Element("hardBreak", {}, []), "two"), Element("codeBlock", {}, [Text("def f():\n    pass")])
    )
    assert plain_text(made) == "one\ntwo\ndef f():\n    pass"


def test_it_stops_at_the_limit() -> None:
    made = doc(*(p("x" * 30) for _ in range(10)))
    assert plain_text(made, limit=40) == "x" * 30 + "\n" + "x" * 9
    assert plain_text(made, limit=0) == ""


def test_it_reads_through_elements_it_does_not_know() -> None:
    made = doc(Element("script", {"onload": "evil()"}, [Element("blink", {}, [Text("harmless")])]))
    assert plain_text(made) == "harmless"


def test_it_bounds_nesting() -> None:
    made = doc(p("above"))
    node: Any = made.get("default", type=pycrdt.XmlFragment)
    for _ in range(text.MAX_DEPTH * 30):
        node.children.append(Element("blockquote", {}, []))
        node = node.children[-1 + len(node.children)]
    node.children.append(Text("too deep"))
    assert plain_text(made) == "above"


def test_it_bounds_the_number_of_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "MAX_NODES", 50)
    made = doc(*(p() for _ in range(100)), p("never reached"))
    assert plain_text(made) == ""


@pytest.mark.parametrize("kind", [pycrdt.Text, pycrdt.Array, pycrdt.Map])
def test_it_reads_nothing_from_a_root_of_another_type(kind: type[Any]) -> None:
    made: pycrdt.Doc[Any] = pycrdt.Doc()
    root = made.get("default", type=kind)
    if kind is pycrdt.Text:
        root += "words"
    elif kind is pycrdt.Array:
        root.extend([1, "words", pycrdt.Map({"a": "b"}), None])
    else:
        root["key"] = pycrdt.Text("words")
    assert plain_text(made.get_update()) == ""
    assert plain_text(made) == ""


@pytest.mark.parametrize("start", ["three", -1, 1e300, None, {"a": 1}])
def test_it_numbers_from_one_when_the_start_is_nonsense(start: Any) -> None:
    assert plain_text(doc(Element("orderedList", {"start": start}, items("listItem", p("x"))))) == "1. x"


def test_it_leaves_out_what_is_embedded_in_text() -> None:
    made = doc(p("ab"))
    words: Any = made.get("default", type=pycrdt.XmlFragment).children[0].children[0]
    words.insert_embed(1, {"image": "x"})
    words.insert_embed(1, pycrdt.Map({"a": 1}))
    assert plain_text(made) == "ab"


def test_it_survives_a_panic(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    class PanicException(BaseException):
        pass

    def panic(*_: object) -> None:
        raise PanicException("assertion failed")

    monkeypatch.setattr(text, "_enter", panic)
    assert plain_text(doc(p("lost"))) == ""
    assert "PanicException" in caplog.text


def test_it_lets_itself_be_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(text, "_enter", interrupt)
    with pytest.raises(KeyboardInterrupt):
        plain_text(doc(p("x")))


def test_it_refuses_bytes_that_are_no_state() -> None:
    with pytest.raises(MalformedUpdateError):
        plain_text(b"\xff" * 10)
