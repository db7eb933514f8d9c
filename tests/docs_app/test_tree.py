"""Pages inside pages: order, moves and what they change, copies, favourites."""

import random
from typing import Any
from uuid import UUID

import pycrdt
import pytest

from docs_app import access
from docs_app.accounts.models import User
from docs_app.content.text import plain_text
from docs_app.documents import log, verbs
from docs_app.documents.models import ClientBinding, Document, DocumentUpdate
from docs_app.live import PEOPLE
from docs_app.sharing import changes, links
from docs_app.sharing import verbs as sharing
from docs_app.sharing.models import Grant
from docs_app.sharing.roles import Role
from docs_app.trash import verbs as trash
from docs_app.tree import places
from docs_app.tree import verbs as tree
from docs_app.tree.lines import subtree
from docs_app.tree.places import TreeError
from docs_app.workspaces import verbs as workspaces
from docs_app.workspaces.models import Membership, Workspace
from tests.docs_app.conftest import Listen
from tests.docs_app.test_rights_agree import make_world

pytestmark = pytest.mark.django_db(transaction=True)


def page(workspace: Workspace, by: User, title: str, parent: Document | None = None) -> Document:
    text = pycrdt.XmlElement("paragraph", None, [pycrdt.XmlText(f"Text of {title}")])
    return verbs.create(workspace=workspace, by=by, title=title, parent=parent, blocks=[text])


def titles(workspace: Workspace, parent: Document | None = None) -> list[str]:
    siblings = Document.objects.filter(workspace=workspace, parent=parent, trashed_at=None)
    return list(siblings.order_by("position", "created_at", "id").values_list("title", flat=True))


def text_of(document: Document) -> str:
    replica, failed = log.replay(log.load(document.id))
    assert not failed
    return plain_text(replica.doc)


def test_new_pages_come_last_and_move_between_others(workspace: Workspace, alice: User) -> None:
    one, two, three = (page(workspace, alice, title) for title in ("1", "2", "3"))
    assert titles(workspace) == ["1", "2", "3"]
    tree.move(document=three, parent=None, before=two, by=alice)
    assert titles(workspace) == ["1", "3", "2"]
    tree.move(document=two, parent=None, before=one, by=alice)
    assert titles(workspace) == ["2", "1", "3"]
    tree.move(document=two, parent=one, by=alice)
    assert (titles(workspace), titles(workspace, one)) == (["1", "3"], ["2"])


def test_the_order_holds_when_the_gaps_are_used_up(
    workspace: Workspace, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "STEP", 4)
    expected: list[str] = []
    pages: list[Document] = []
    chance = random.Random(4)
    for number in range(30):
        pages.append(page(workspace, alice, str(number)))
        expected.append(str(number))
        moving, before = chance.sample(pages, 2) if len(pages) > 1 else (pages[0], None)
        tree.move(document=moving, parent=None, before=before, by=alice)
        expected.remove(moving.title)
        expected.insert(expected.index(before.title) if before else len(expected), moving.title)
        assert titles(workspace) == expected


def test_pages_of_before_there_was_an_order_are_by_age(workspace: Workspace, alice: User) -> None:
    pages = [page(workspace, alice, str(number)) for number in range(3)]
    Document.objects.update(position=0)
    new = page(workspace, alice, "new")
    tree.move(document=new, parent=None, before=pages[1], by=alice)
    assert titles(workspace) == ["0", "new", "1", "2"]


def test_a_page_does_not_move_into_itself_nor_where_nothing_can_be(workspace: Workspace, alice: User) -> None:
    top = page(workspace, alice, "Top")
    below = page(workspace, alice, "Below", page(workspace, alice, "Middle", top))
    thrown = page(workspace, alice, "Thrown")
    trash.trash(document=thrown, by=alice)
    before = list(Document.objects.order_by("id").values())
    with pytest.raises(TreeError, match="into itself"):
        tree.move(document=top, parent=below, by=alice)
    with pytest.raises(TreeError, match="into itself"):
        tree.move(document=top, parent=top, by=alice)
    with pytest.raises(TreeError, match="in the trash"):
        tree.move(document=top, parent=thrown, by=alice)
    with pytest.raises(TreeError, match="restored before"):
        tree.move(document=thrown, parent=top, by=alice)
    with pytest.raises(TreeError, match="in the trash"):
        verbs.create(workspace=workspace, by=alice, parent=thrown)
    assert list(Document.objects.order_by("id").values()) == before


def test_a_move_to_another_workspace_takes_the_tree_and_leaves_its_groups(
    workspace: Workspace, alice: User, bob: User, charlie: User, listen: Listen
) -> None:
    other = Workspace.objects.create(name="Other")
    top = page(workspace, alice, "Top")
    below = page(workspace, alice, "Below", top)
    group = workspaces.create_group(workspace=workspace, name="Readers", by=alice)
    workspaces.join_group(group=group, membership=Membership.objects.get(user=bob), by=alice)
    for to in (charlie, group, workspace):
        sharing.give(document=below, to=to, role=Role.VIEWER, by=alice)
    heard = listen(PEOPLE)
    tree.move(document=top, parent=None, workspace=other, by=alice)
    below.refresh_from_db()
    assert below.workspace == top.workspace == other
    assert [grant.subject for grant in below.grants.all()] == [charlie]
    assert [set(message["documents"]) for message in heard()] == [{top.id.hex, below.id.hex}]


def roles_of_all(people: list[User], ids: list[UUID]) -> dict[tuple[User, UUID], Role | None]:
    documents = list(Document.objects.filter(id__in=ids))
    return {
        (person, each.id): access.roles_of(person, documents).get(each.id)
        for person in people
        for each in documents
    }


@pytest.mark.parametrize("seed", range(5))
def test_what_a_move_will_change_is_said_before(seed: int) -> None:
    """For random trees: exactly the differences that are there afterwards."""
    chance = random.Random(seed)
    people, _, documents = make_world(chance)
    people = [person for person in people if person.is_active]
    actor = people[0]
    for _ in range(6):
        moving, target = chance.sample(documents, 2)
        moving.refresh_from_db()
        target.refresh_from_db()
        ids = list(subtree(moving.id).filter(trashed_at=None).values_list("id", flat=True))
        parent = target if chance.random() < 0.8 else None
        if moving.trashed_at or (parent and parent.trashed_at):
            continue
        if parent and parent.id in ids:
            with pytest.raises(TreeError):
                changes.of_move(moving, parent=parent)
            continue
        said = changes.of_move(moving, parent=parent, workspace=target.workspace)
        before, links_before = roles_of_all(people, ids), set(access.links_reaching(moving))
        tree.move(document=moving, parent=parent, workspace=target.workspace, by=actor)
        after, links_after = roles_of_all(people, ids), set(access.links_reaching(moving))
        assert {
            (change.person, key): (change.before, change.after)
            for change in said.people
            for key in change.documents
        } == {key: (before[key], after[key]) for key in before if before[key] != after[key]}
        assert (set(said.links_lost), set(said.links_gained)) == (
            links_before - links_after,
            links_after - links_before,
        )


def test_what_standing_apart_will_change_is_said_before(workspace: Workspace, alice: User, bob: User) -> None:
    top = page(workspace, alice, "Top")
    below = page(workspace, alice, "Below", top)
    said = changes.of_standing_apart(top, apart=True)
    assert [(c.person, c.before, c.after, set(c.documents)) for c in said.people] == [
        (bob, Role.EDITOR, None, {top.id, below.id})
    ]
    assert said.people[0].is_loss
    sharing.stand_apart(document=top, apart=True, by=alice)
    top.refresh_from_db()
    (back,) = changes.of_standing_apart(top, apart=False).people
    assert (back.person, back.before, back.after, back.is_loss) == (bob, None, Role.EDITOR, False)


def test_a_copy_has_the_content_and_a_log_of_its_own(workspace: Workspace, alice: User, bob: User) -> None:
    top = page(workspace, alice, "Top")
    doc: pycrdt.Doc[Any] = pycrdt.Doc()
    doc.apply_update(log.replay(log.load(top.id))[0].state())
    before = doc.get_state()
    root = doc.get("default", type=pycrdt.XmlFragment)
    root.children.append(pycrdt.XmlElement("paragraph", {}, [pycrdt.XmlText("Bob's words")]))
    log.append([log.Entry(top.id, bob.pk, doc.get_update(before), 0, (doc.client_id,))])
    copy = tree.duplicate(document=top, by=bob)
    assert copy.title == "Top (copy)"
    assert text_of(copy) == text_of(top)
    assert "Bob's words" in text_of(copy)
    assert [(row.seq, row.author, row.guest) for row in copy.updates.all()] == [(1, None, None)]
    assert not ClientBinding.objects.filter(document=copy).exists()
    assert (copy.seq, copy.size) == (1, len(DocumentUpdate.objects.get(document=copy).data))
    assert access.role_of(bob, copy) == Role.OWNER
    assert log.verify(copy.id) == []


def test_a_copy_of_a_tree_has_the_pages_that_the_person_may_read(
    workspace: Workspace, alice: User, bob: User
) -> None:
    top = page(workspace, alice, "Top")
    page(workspace, alice, "Open", top)
    hidden = page(workspace, alice, "Hidden", top)
    page(workspace, alice, "Below hidden", hidden)
    sharing.stand_apart(document=hidden, apart=True, by=alice)
    known = page(workspace, alice, "Known", top)
    sharing.stand_apart(document=known, apart=True, by=alice)
    sharing.give(document=known, to=bob, role=Role.VIEWER, by=alice)
    gone = page(workspace, alice, "Gone", top)
    trash.trash(document=gone, by=alice)
    copy = tree.duplicate(document=top, by=bob, with_subpages=True, title="Mine")
    assert titles(workspace, copy) == ["Open", "Known"]
    apart = Document.objects.get(parent=copy, title="Known")
    assert apart.stands_apart
    assert text_of(apart) == "Text of Known"
    assert access.role_of(bob, apart) == Role.OWNER
    assert tree.duplicate(document=top, by=bob).children.count() == 0


def test_a_copy_of_a_document_that_nobody_wrote_in(
    workspace: Workspace, document: Document, alice: User
) -> None:
    copy = tree.duplicate(document=document, by=alice)
    assert copy.seq == 1
    assert text_of(copy) == ""


def test_links_grants_and_the_template_mark_stay_with_the_original(
    workspace: Workspace, alice: User, charlie: User
) -> None:
    top = page(workspace, alice, "Top")
    sharing.give(document=top, to=charlie, role=Role.EDITOR, by=alice)
    links.make(document=top, label="Out", role=Role.VIEWER, by=alice)
    verbs.set_template(document=top, is_template=True, by=alice)
    verbs.set_icon(document=top, icon="🦉", by=alice)
    copy = tree.duplicate(document=top, by=alice)
    assert (copy.is_template, copy.icon, copy.links.count()) == (False, "🦉", 0)
    assert [grant.user for grant in Grant.objects.filter(document=copy)] == [alice]


def test_favourites_and_visits_are_one_s_own(document: Document, alice: User, bob: User) -> None:
    for _ in range(2):
        verbs.add_favourite(document=document, by=alice)
        verbs.note_visit(document=document, by=alice)
    assert list(access.documents_of(alice).filter(favourites__user=alice)) == [document]
    assert list(access.documents_of(alice).filter(visits__user=alice)) == [document]
    assert not access.documents_of(bob).filter(favourites__user=bob).exists()
    verbs.remove_favourite(document=document, by=alice)
    assert not document.favourites.exists()
