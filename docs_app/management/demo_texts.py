"""What the demo's team has written: the minutes, plans and notes of a small library."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Block:
    """A node of the editor's schema: its name, its attributes, and texts or nodes within."""

    tag: str
    children: tuple["Block | str", ...] = ()
    attributes: dict[str, object] = field(default_factory=dict)


def h(level: int, text: str) -> Block:
    return Block("heading", (text,), {"level": level})


def p(text: str) -> Block:
    return Block("paragraph", (text,))


def ul(*items: str) -> Block:
    return Block("bulletList", tuple(Block("listItem", (p(item),)) for item in items))


def ol(*items: str) -> Block:
    return Block("orderedList", tuple(Block("listItem", (p(item),)) for item in items), {"start": 1})


def quote(text: str) -> Block:
    return Block("blockquote", (p(text),))


TEXTS: tuple[tuple[str, tuple[Block, ...]], ...] = (
    (
        "Opening hours and how to find us",
        (
            p(
                "The library is at Harbour Street 12, in the old customs house. The entrance is on the water side; "
                "the ramp is to the left of the stairs, and the door opens by itself."
            ),
            h(2, "Hours"),
            ul(
                "Tuesday to Friday: 10:00 to 19:00",
                "Saturday: 10:00 to 16:00",
                "Sunday and Monday: closed, but the return box is open",
            ),
            h(2, "Getting here"),
            p(
                "Bus 4 and the harbour ferry stop at Customs House. There are stands for forty bicycles, and two "
                "parking places for people with a disability permit."
            ),
        ),
    ),
    (
        "Team meeting, every second Tuesday",
        (
            h(2, "Open from last time"),
            ul(
                "The heating in the reading room is repaired. Ben keeps the invoice until the warranty is confirmed.",
                "We asked the school for its holiday dates and have not heard back. Chidi calls.",
            ),
            h(2, "Today"),
            ol(
                "Summer reading club: who does which afternoon",
                "The shelf for large-print books is full",
                "Volunteers: three new people want to start",
            ),
            h(2, "Decisions"),
            p(
                "Large print moves to the window side, where the light is better. The atlases go upstairs; nobody has "
                "asked for one since January."
            ),
            p("Next meeting: Dunja takes the minutes, Ada brings the cake."),
        ),
    ),
    (
        "Summer reading club",
        (
            p(
                "For children from 7 to 12, on six afternoons in July and August. Each child gets a small notebook and "
                "collects a stamp for every book, whatever it is: comics count, so do books that were read aloud."
            ),
            h(2, "What we need"),
            ul(
                "60 notebooks and two stamps",
                "A tent for the yard, in case of sun",
                "Someone who can draw a whale",
            ),
            h(2, "Afternoons"),
            ol(
                "Stories from the sea, with the harbour master",
                "Build a book: paper, needle and thread",
                "Night of the torches, until nine o'clock",
                "A detective loses his glasses: find them in the catalogue",
                "Everybody brings a book to swap",
                "Party, with the notebooks on the wall",
            ),
            quote(
                "Last year the youngest one read eleven books and the oldest one read to the youngest one."
            ),
        ),
    ),
    (
        "How we answer hard questions",
        (
            p(
                "People ask us things that a search engine has already failed at. These are the habits that have "
                "served us well at the desk."
            ),
            h(2, "Before looking anything up"),
            ul(
                "Ask what the answer is for. A question about tides may be a question about a wedding on the beach.",
                "Say what you understood, in your own words, and wait for the nod.",
                "Find out what the person has tried; they are rarely at the beginning.",
            ),
            h(2, "While looking"),
            p(
                "Turn the screen so that both can see it. Somebody who has watched us search once does the next one "
                "alone, and that is the best outcome there is."
            ),
            h(2, "When we do not know"),
            p("We say so, write the question down, and promise a day. Then we keep the day."),
        ),
    ),
    (
        "Budget for the reading room",
        (
            p(
                "A draft for the association's meeting. Figures are rounded to tens; offers are in the green folder."
            ),
            h(2, "Needed"),
            ul(
                "Eight reading lamps: 960",
                "Two armchairs, repaired instead of new: 340",
                "Curtains for the west side: 720",
            ),
            h(2, "Would be good"),
            ul("A quiet corner with a door: asks for a carpenter", "Sockets under the long table: 480"),
            p("The book fair brought in 1,150. With the association's 1,000 the first list is covered."),
        ),
    ),
    (
        "New volunteers: the first day",
        (
            p(
                "Welcome! Nobody has to know everything on the first day. This page is what we would tell "
                "you over a coffee."
            ),
            ol(
                "Leave your things in the small office; the key hangs behind the door.",
                "Walk through the house once with whoever is on duty, cellar included.",
                "Sort the returned books together: it is the fastest way to learn where things are.",
                "Sit at the desk for an hour and listen. Questions come in waves, after school and before dinner.",
            ),
            h(2, "Good to know"),
            ul(
                "The printer needs a moment. It is thinking, not broken.",
                "Children may take as many books as they can carry.",
                "If the alarm goes off, call Dunja first: it is usually the cellar window.",
            ),
        ),
    ),
)
