"""Queries that follow the tree: a document knows its parent and nothing else, and the database walks (why:
docs/decisions/0003-the-tree-is-walked.md). Each is one subquery, for `id__in`.

A page that stands apart inherits nothing: what follows inheritance stops there.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from docs_app.documents.models import Document

# UNION, not UNION ALL: two pages under one parent lead to it once, and even a circle would end.
_UP = """
    WITH RECURSIVE line (id, parent_id, stands_apart) AS (
        SELECT id, parent_id, stands_apart FROM docs_app_document WHERE id IN ({seeds})
        UNION
        SELECT page.id, page.parent_id, page.stands_apart
        FROM docs_app_document page JOIN line ON page.id = line.parent_id
        WHERE NOT line.stands_apart
    ) SELECT id FROM line
"""
_DOWN = """
    WITH RECURSIVE line (id) AS (
        SELECT id FROM docs_app_document WHERE id IN ({seeds})
        UNION
        SELECT page.id FROM docs_app_document page JOIN line ON page.parent_id = line.id {where}
    ) SELECT id FROM line
"""


class Node(NamedTuple):
    """A document's place in the tree."""

    id: UUID
    parent_id: UUID | None
    workspace_id: int
    stands_apart: bool


def node_of(document: Document) -> Node:
    return Node(document.id, document.parent_id, document.workspace_id, document.stands_apart)


def above(ids: Iterable[UUID]) -> RawSQL:
    """These documents and those that they inherit from: for a few hundred of them at most."""
    values = [Document._meta.pk.get_db_prep_value(key, connection) for key in ids]  # noqa: SLF001 (documented)
    return RawSQL(_UP.format(seeds=", ".join(["%s"] * len(values)) or "NULL"), values)  # noqa: S611 (fixed text)


def inheriting_from(*seeds: QuerySet[Any, Any]) -> RawSQL:
    """Documents (each of `seeds` is a query for some of their ids) and those below that inherit from them."""
    return _below(seeds, "WHERE NOT page.stands_apart")


def under(*seeds: QuerySet[Any, Any]) -> RawSQL:
    """Documents (each of `seeds` is a query for some of their ids) and all below, those that stand apart too."""
    return _below(seeds, "")


def any_of(*queries: QuerySet[Any, Any] | RawSQL) -> RawSQL:
    """The ids that at least one of these queries finds. Not `Q`s joined by `|`: PostgreSQL expects a walk to find far
    more than it does, and would look through its result anew for every row."""
    compiled = [_compile(query) for query in queries]
    values = [value for _, params in compiled for value in params]
    return RawSQL(" UNION ALL ".join(sql for sql, _ in compiled), values)  # noqa: S611 (Django's own SQL)


def subtree(document_id: UUID) -> QuerySet[Document]:
    """A document and everything below it, in the trash or not."""
    return Document.objects.filter(id__in=under(Document.objects.filter(id=document_id).values("id")))


def _below(seeds: Iterable[QuerySet[Any, Any]], where: str) -> RawSQL:
    union = any_of(*seeds)
    return RawSQL(_DOWN.format(seeds=union.sql, where=where), union.params)  # noqa: S611 (Django's own SQL)


def _compile(query: QuerySet[Any, Any] | RawSQL) -> tuple[str, Sequence[Any]]:
    if isinstance(query, RawSQL):
        # A walk begins with WITH, which no part of a UNION may.
        return f"SELECT id FROM ({query.sql}) walk", query.params  # noqa: S608 (Django's own SQL)
    sql, params = query.order_by().query.get_compiler(connection=connection).as_sql()
    return sql, params
