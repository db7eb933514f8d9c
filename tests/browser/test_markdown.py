"""Markdown signs become formatting while they are typed."""

from tests.browser.conftest import MakePerson
from tests.browser.writing import clear, converges, html_of, new_document, open_document, press, type_text
from tests.server import Server

LINK = '<a href="https://example.org/a" target="_blank" rel="noopener noreferrer nofollow">{}</a>'

TYPED = {
    "# one": "<h1>one</h1>",
    "## two": "<h2>two</h2>",
    "### three": "<h3>three</h3>",
    "#### four": "<h4>four</h4>",
    "##### five": "<p>##### five</p>",
    "- dash": "<ul><li><p>dash</p></li></ul>",
    "* star": "<ul><li><p>star</p></li></ul>",
    "+ plus": "<ul><li><p>plus</p></li></ul>",
    "1. first": "<ol><li><p>first</p></li></ol>",
    "7. seventh": '<ol start="7"><li><p>seventh</p></li></ol>',
    "> said": "<blockquote><p>said</p></blockquote>",
    "``` code": "<pre><code>code</code></pre>",
    "```python code": '<pre><code class="language-python">code</code></pre>',
    "---after": "<hr><p>after</p>",
    "a **bold** b": "<p>a <strong>bold</strong> b</p>",
    "a __bold__ b": "<p>a <strong>bold</strong> b</p>",
    "an *italic* b": "<p>an <em>italic</em> b</p>",
    "an _italic_ b": "<p>an <em>italic</em> b</p>",
    "a ~~gone~~ b": "<p>a <s>gone</s> b</p>",
    "a `piece of code` b": "<p>a <code>piece of code</code> b</p>",
    "see [the words](https://example.org/a) there": f"<p>see {LINK.format('the words')} there</p>",
    "see https://example.org/a there": f"<p>see {LINK.format('https://example.org/a')} there</p>",
    "see [this](javascript:alert(1)) there": "<p>see [this](javascript:alert(1)) there</p>",
    "snake_case_name stays": "<p>snake_case_name stays</p>",
}


def test_typed(shared_collab: Server, person: MakePerson) -> None:
    ada = person(shared_collab, "ada").page
    new_document(ada)
    became: dict[str, str] = {}
    for signs in TYPED:
        clear(ada)
        type_text(ada, signs)
        became[signs] = html_of(ada)
    assert became == TYPED


def test_a_product_stays_a_product(shared_collab: Server, person: MakePerson) -> None:
    ada = person(shared_collab, "ada").page
    new_document(ada)
    type_text(ada, "2 * 3 * 4")
    assert html_of(ada) == "<p>2 * 3 * 4</p>"


def test_the_signs_come_back_by_undo_or_backspace(shared_collab: Server, person: MakePerson) -> None:
    ada = person(shared_collab, "ada").page
    new_document(ada)
    type_text(ada, "# ")
    assert html_of(ada).startswith("<h1>")
    press(ada, "Backspace")
    assert html_of(ada).startswith("<p>")


def test_what_another_types_is_not_changed_twice(shared_collab: Server, person: MakePerson) -> None:
    ada, ben = person(shared_collab, "ada").page, person(shared_collab, "ben").page
    document = new_document(ada)
    open_document(ben, document)
    type_text(ada, "see https://example.org/a and **this**")
    press(ada, "Enter")
    type_text(ada, "- item")
    converges(ada, ben)
    expected = f"<p>see {LINK.format('https://example.org/a')} and <strong>this</strong></p>"
    assert html_of(ben) == expected + "<ul><li><p>item</p></li></ul>"
