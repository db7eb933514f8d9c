"""The trash: a page goes with all below, comes back with what went with it, and is deleted for good."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from docs_app import access
from docs_app.accounts.models import User
from docs_app.audit.models import AuditEvent
from docs_app.documents import log, verbs
from docs_app.documents.models import Document, DocumentUpdate
from docs_app.live import PEOPLE
from docs_app.sharing import links
from docs_app.sharing.roles import Role
from docs_app.trash import verbs as trash
from docs_app.tree.places import TreeError
from docs_app.workspaces.models import Workspace
from tests.docs_app.conftest import Listen

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pages(workspace: Workspace, alice: User) -> list[Document]:
    """Top, Middle and Bottom, each inside the one before."""
    found: list[Document] = []
    for title in ("Top", "Middle", "Bottom"):
        parent = found[-1] if found else None
        found.append(verbs.create(workspace=workspace, by=alice, title=title, parent=parent))
    return found


def here(person: User) -> set[str]:
    return set(access.documents_of(person).values_list("title", flat=True))


def test_a_page_takes_those_below_along_and_tells_their_tabs(
    pages: list[Document], bob: User, listen: Listen
) -> None:
    heard = listen(PEOPLE)
    trash.trash(document=pages[1], by=bob)
    assert here(bob) == {"Top"}
    assert [set(message["documents"]) for message in heard()] == [{pages[1].id.hex, pages[2].id.hex}]
    (outcome,) = log.append([log.Entry(pages[2].id, bob.pk, b"\x00\x00", 0)])
    assert outcome == log.Rejected("trash")


def test_it_comes_back_with_what_went_with_it_only(pages: list[Document], alice: User, bob: User) -> None:
    top, middle, bottom = pages
    trash.trash(document=bottom, by=alice)
    trash.trash(document=top, by=alice)
    assert [branch.document for branch in access.trash_of(alice)] == [top, bottom]
    assert access.trash_of(bob) == []
    with pytest.raises(TreeError, match="restored first"):
        trash.restore(document=bottom, by=alice)
    with pytest.raises(TreeError, match="by itself"):
        trash.restore(document=middle, by=alice)
    trash.restore(document=top, by=alice)
    assert here(bob) == {"Top", "Middle"}
    trash.restore(document=bottom, by=alice)
    assert here(bob) == {"Top", "Middle", "Bottom"}
    with pytest.raises(TreeError):
        trash.restore(document=bottom, by=alice)


def test_it_is_deleted_with_everything_that_belongs_to_it(
    pages: list[Document], workspace: Workspace, alice: User
) -> None:
    other = verbs.create(workspace=workspace, by=alice, title="Other")
    link, _ = links.make(document=pages[0], label="Out", role=Role.EDITOR, by=alice)
    guest = links.enter_as_guest(link=link, name="Quiet Reader", session={})
    DocumentUpdate.objects.filter(document=other).update(guest=guest)
    with pytest.raises(TreeError, match="in the trash"):
        trash.delete(document=pages[0], by=alice)
    assert Document.objects.count() == 4
    trash.trash(document=pages[0], by=alice)
    assert trash.delete(document=pages[0], by=alice) == 3
    assert list(Document.objects.all()) == [other]
    # What a guest wrote elsewhere stays, without the name.
    assert [(row.document, row.guest) for row in DocumentUpdate.objects.all()] == [(other, None)]
    assert AuditEvent.objects.filter(verb="delete", document_id=pages[0].id).get().detail == "3 pages"


def test_the_command_deletes_what_is_older_than_the_period(pages: list[Document], alice: User) -> None:
    trash.trash(document=pages[2], by=alice)
    trash.trash(document=pages[1], by=alice)
    long_ago = timezone.now() - timedelta(days=31)
    Document.objects.filter(id=pages[2].id).update(trashed_at=long_ago)
    out = StringIO()
    call_command("empty_trash", stdout=out)
    assert out.getvalue() == "1 document deleted for good.\n"
    assert set(Document.objects.values_list("title", flat=True)) == {"Top", "Middle"}
    assert AuditEvent.objects.filter(verb="delete").get().actor == "the operator"
