"""The table of rights: what each role may do, and which role each path gives. Written by hand; the tests hold `access`
to it, and `python -m tests.docs_app.rights_table` writes docs/rights.md from it.
"""

from pathlib import Path
from typing import NamedTuple

from docs_app.sharing.roles import Role

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rights.md"

V, C, E, M, O = Role  # noqa: E741 (the five roles, weakest first)


class Row(NamedTuple):
    """Who may, from which role on; what somebody without an account may with a link's role; only in the trash?"""

    verb: str
    words: str
    people_from: Role
    guests: bool
    in_trash: bool = False


VERBS = (
    Row("read", "know that it exists, open and read it", V, True),
    Row("export", "export and print it", V, True),
    Row("favourite", "keep it among one's favourites", V, False),
    Row("duplicate", "make a copy elsewhere, or from a template", V, False),
    Row("comment", "comment", C, True),
    Row("edit", "write", E, True),
    Row("rename", "change the title", E, True),
    Row("set_icon", "change the icon", E, True),
    Row("make_template", "offer it as a template", E, False),
    Row("create_inside", "make pages inside it, or move some there", E, False),
    Row("see_history", "see and restore earlier versions", E, False),
    Row("see_people", "see who else may open it, and why", E, False),
    Row("share", "share it, make links, answer requests, up to one's own role", M, False),
    Row("stand_apart", "let it stand apart from the pages above", M, False),
    Row("move", "move it", M, False),
    Row("trash", "put it into the trash", M, False),
    Row("give_ownership", "make others owners, or no longer", O, False),
    Row("restore", "bring it back from the trash", M, False, in_trash=True),
    Row("delete", "delete it for good", M, False, in_trash=True),
)


class Way(NamedTuple):
    """A path to a page, and the role that it gives for each role that it is set to (None: the default role does not
    matter). `scene` names what the test builds."""

    scene: str
    words: str
    gives: dict[Role, Role | None]


_ITSELF: dict[Role, Role | None] = {role: role for role in Role}
_NOTHING: dict[Role, Role | None] = dict.fromkeys(Role)
_BY_DEFAULT: dict[Role, Role | None] = {V: V, C: C, E: E}
_BY_LINK: dict[Role, Role | None] = {V: V, C: C, E: E}

WAYS = (
    Way("workspace-owner", "owner of the workspace", dict.fromkeys((V, C, E), O)),
    Way("workspace-admin", "admin of the workspace", dict.fromkeys((V, C, E), M)),
    Way("workspace-member", "member of the workspace (its default role)", _BY_DEFAULT),
    Way("workspace-guest", "guest of the workspace", dict.fromkeys((V, C, E))),
    Way("direct", "the page is shared with them", _ITSELF),
    Way("ancestor", "a page above is shared with them", _ITSELF),
    Way("group", "shared with a group they are in", _ITSELF),
    Way("former-group", "shared with a group they have left", _NOTHING),
    Way("members", "shared with all members, and they are one", _ITSELF),
    Way("members-as-guest", "shared with all members, and they are a guest of the workspace", _NOTHING),
    Way("link", "came by a link, with an account or as a guest", _BY_LINK),
    Way("ancestor-link", "came by a link to a page above", _BY_LINK),
    Way("expired-link", "came by a link that has expired", dict.fromkeys((V, C, E))),
    Way("revoked-link", "came by a link that was revoked", dict.fromkeys((V, C, E))),
    Way("apart-direct", "stands apart, and is shared with them itself", _ITSELF),
    Way("apart-ancestor", "stands apart, and a page above is shared with them", _NOTHING),
    Way("apart-middle", "a page in between stands apart, and one above that is shared with them", _NOTHING),
    Way("apart-link", "stands apart, and they came by a link to a page above", dict.fromkeys((V, C, E))),
    Way("apart-member", "stands apart; member of the workspace", dict.fromkeys((V, C, E))),
    Way("apart-owner", "stands apart; owner of the workspace", dict.fromkeys((V, C, E), O)),
    Way("apart-admin", "stands apart; admin of the workspace", dict.fromkeys((V, C, E), M)),
    Way("trashed", "is in the trash (managers and owners find it there)", _NOTHING),
    Way("deactivated", "shared with an account that is deactivated", _NOTHING),
    Way("nothing", "none of these", _NOTHING),
)


def render() -> str:
    """docs/rights.md."""
    lines = [
        "# Who may do what",
        "",
        "Written by `python -m tests.docs_app.rights_table`; the tests hold the code to the same table.",
        "",
        "Whoever may not even read a document is answered as if it did not exist. Of several roles the highest wins.",
        "",
        "## What a role allows",
        "",
        "Someone without an account has the role of the link that they came by: viewer, commenter or editor.",
        "",
        f"| | {' | '.join(role.value for role in Role)} | without an account |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in VERBS:
        marks = ["yes" if role.reaches(row.people_from) else "–" for role in Role]
        guests = f"{row.people_from.value} link" if row.guests else "–"
        where = " (in the trash)" if row.in_trash else ""
        lines.append(f"| {row.words}{where} | {' | '.join(marks)} | {guests} |")
    lines += [
        "",
        "## Which role a path gives",
        "",
        "The columns are the role that was given: of the grant, of the link, or the workspace's default.",
        "",
        f"| path | {' | '.join(role.value for role in Role)} |",
        "|---|---|---|---|---|---|",
    ]
    for way in WAYS:
        cells = [
            "" if role not in way.gives else given.value if (given := way.gives[role]) else "–"
            for role in Role
        ]
        lines.append(f"| {way.words} | {' | '.join(cells)} |")
    lines += [
        "",
        "A role on a page holds for the pages below it, until one stands apart: that one inherits nothing from above",
        "and nothing from the workspace's default. Owners and admins of the workspace keep theirs everywhere, so that",
        "nothing can become unreachable. Nobody gives, or takes away, a higher role than their own.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(render())
