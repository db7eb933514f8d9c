"""Writes many rows with one prepared statement. Django's `bulk_create` and `bulk_update` build SQL anew for every row,
which takes several times as long as running it. Values are converted by the fields, so that every database gets its own
kind; errors are Django's.
"""

from collections.abc import Iterator, Sequence

from django.db import connection
from django.db.models import Field, Model

_AnyField = Field[object, object]


def insert(model: type[Model], names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Insert rows of values for the named fields. Fields that are left out must have a default in the database."""
    fields = [_field(model, name) for name in names]
    columns = ", ".join(_quoted(field) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    _run(f"INSERT INTO {_table(model)} ({columns}) VALUES ({places})", fields, rows)  # noqa: S608 (names of the model)


def update(model: type[Model], names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Set the named fields; the last one is the row's key."""
    fields = [_field(model, name) for name in names]
    *changed, key = (f"{_quoted(field)} = %s" for field in fields)
    _run(f"UPDATE {_table(model)} SET {', '.join(changed)} WHERE {key}", fields, rows)  # noqa: S608 (names of the model)


def _run(sql: str, fields: Sequence[_AnyField], rows: Sequence[Sequence[object]]) -> None:
    if rows:
        columns = [
            _converted(field, values) for field, values in zip(fields, zip(*rows, strict=True), strict=True)
        ]
        with connection.cursor() as cursor:
            cursor.executemany(sql, list(zip(*columns, strict=True)))


def _converted(field: _AnyField, values: Sequence[object]) -> Iterator[object]:
    # Most columns repeat a few values, and converting a moment costs as much as inserting a row.
    known: dict[object, object] = {}
    for value in values:
        if value not in known:
            known[value] = field.get_db_prep_save(value, connection)
        yield known[value]


def _field(model: type[Model], name: str) -> _AnyField:
    found = model._meta.get_field(name)  # noqa: SLF001 (Django documents it)
    assert isinstance(found, Field)
    return found


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)  # noqa: SLF001 (Django documents it)


def _quoted(field: _AnyField) -> str:
    assert field.column
    return connection.ops.quote_name(field.column)
