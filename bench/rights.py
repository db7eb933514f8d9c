"""How long questions about rights take: `python -m bench.rights`, on SQLite, or on an empty database by `DATABASE_URL`.

5,000 documents in trees 6 levels deep, 200 people, 40 groups of 10, 1,500 grants, every fiftieth page standing apart.
Milliseconds (median and slowest of 15) and queries.
"""

import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from uuid import uuid4

DOCUMENTS, LEVELS, PEOPLE, GROUPS, GRANTS = 5000, 6, 200, 40, 1500
ROUNDS = 15


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["COLLAB_DATA_DIR"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "collab.settings"
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        _fill(random.Random(5))
        _measure()


def _fill(chance: random.Random) -> None:
    """One workspace: the first person owns it, every tenth is a guest, the others are members."""
    from docs_app.accounts.models import User
    from docs_app.documents.models import Document
    from docs_app.sharing.models import Grant
    from docs_app.sharing.roles import Role
    from docs_app.workspaces.models import Group, GroupMember, Membership, Workspace

    workspace = Workspace.objects.create(name="Large", default_role=Role.VIEWER)
    people = User.objects.bulk_create(
        User(email=f"person{number}@example.org", name=f"Person {number}") for number in range(PEOPLE)
    )
    kinds = ["owner"] + ["guest" if number % 10 == 9 else "member" for number in range(1, PEOPLE)]
    members = Membership.objects.bulk_create(
        Membership(workspace=workspace, user=user, kind=kind)
        for user, kind in zip(people, kinds, strict=True)
    )
    groups = Group.objects.bulk_create(
        Group(workspace=workspace, name=f"Group {number}") for number in range(GROUPS)
    )
    GroupMember.objects.bulk_create(
        GroupMember(group=group, membership=member)
        for group in groups
        for member in chance.sample(members, 10)
    )
    documents: list[Document] = []
    levels: dict[object, int] = {}
    for number in range(DOCUMENTS):
        parents = [page for page in documents[-200:] if levels[page.id] < LEVELS]
        parent = chance.choice(parents) if parents and chance.random() > 0.02 else None
        page = Document(
            id=uuid4(), workspace=workspace, parent=parent, title=f"Page {number}", position=number,
            stands_apart=number % 50 == 0,
        )  # fmt: skip
        levels[page.id] = levels[parent.id] + 1 if parent else 1
        documents.append(page)
    Document.objects.bulk_create(documents, batch_size=500)
    wanted = {
        (chance.choice(documents), chance.choice([*people, *groups, *groups])): chance.choice(list(Role))
        for _ in range(GRANTS)
    }
    Grant.objects.bulk_create(
        Grant(document=page, role=role, **({"user": who} if isinstance(who, User) else {"group": who}))
        for (page, who), role in wanted.items()
    )


def _measure() -> None:
    from django.db import connection

    from docs_app import access
    from docs_app.accounts.models import User
    from docs_app.documents.models import Document
    from docs_app.tree.lines import subtree
    from docs_app.workspaces.models import Workspace

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    workspace = Workspace.objects.get()
    owner, member, guest = (User.objects.get(email=f"person{number}@example.org") for number in (0, 1, 9))
    deep = Document.objects.filter(
        **{"__".join(["parent"] * (LEVELS - 1)) + "__isnull": False}, stands_apart=False
    ).last()
    assert deep
    everybody = list(User.objects.values_list("pk", flat=True))
    top = max(Document.objects.filter(parent=None), key=lambda page: subtree(page.id).count())
    for name, person in (("owner", owner), ("member", member), ("guest", guest)):
        print(f"{name}: {access.documents_of(person).count()} documents")
        first = access.documents_of(person)[:50]
        _time("  find_document, 6 levels down", access.find_document, person, deep.id)
        _time("  documents_of, first 50 by date", lambda asked: list(asked.all()), first)
        _time("  documents_of, count", access.documents_of(person).count)
        _time("  roles_of, 50 documents", access.roles_of, person, list(first))
        _time("  tree_of, everything", access.tree_of, person, workspace)
    _time("roles_on, 200 people", lambda: access.roles_on(deep.id, everybody))
    _time("who_and_why", lambda: access.who_and_why(deep))
    _time(f"subtree of {subtree(top.id).count()} pages", lambda: list(subtree(top.id).values_list("id")))


def _time(name: str, work: Callable[..., object], *arguments: object) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        work(*arguments)
    took = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work(*arguments)
        took.append((time.perf_counter() - started) * 1000)
    print(f"{name:<38}{statistics.median(took):7.1f} ms {max(took):7.1f} ms  {len(queries)} queries")


if __name__ == "__main__":
    main()
