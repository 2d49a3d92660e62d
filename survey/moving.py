"""Moves an installation's rows to another database: all of them, compared, or none."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import sqlalchemy as sa

from survey.db import READ_ONLY
from survey.errors import Conflict, marked
from survey.models import Base

ROWS_AT_ONCE = 1000


class TargetInUse(Conflict):
    """Copying would mix two installations."""

    message = marked(
        "The database to copy into is in use: its table %(table)s holds rows. Name an empty one."
    )


class CopyDiffers(Conflict):
    """The other database gave back something else than it was given."""

    message = marked(
        "Nothing was copied: the other database holds the rows of table %(table)s differently."
    )


@dataclass(frozen=True)
class Content:
    """What a table holds: how many rows, and a digest of all of them in no order."""

    rows: int
    digest: str


def copy(source: sa.Engine, target: sa.Engine) -> dict[str, Content]:
    """Copy every row into the empty tables of another database; return what each table holds.

    Rows are compared by what is read back, before the commit. They are read as of one moment,
    and nobody who writes meanwhile has to wait. Raises TargetInUse, CopyDiffers.
    """
    if source.dialect.name == "postgresql":
        source = source.execution_options(isolation_level="REPEATABLE READ")
    source = source.execution_options(**{READ_ONLY: True})
    tables = Base.metadata.sorted_tables
    with source.connect() as reading, target.begin() as writing:
        _check_empty(writing)
        copied = {}
        for table in tables:
            _copy_table(table, reading, writing)
            copied[table.name] = content(reading, table)
            if content(writing, table) != copied[table.name]:
                raise CopyDiffers(table=table.name)
        return copied


def check_empty(target: sa.Engine) -> None:
    """Raise TargetInUse if our tables are there and hold rows."""
    with target.connect() as connection:
        _check_empty(connection)


def _check_empty(connection: sa.Connection) -> None:
    there = sa.inspect(connection).get_table_names()
    for table in Base.metadata.sorted_tables:
        any_row = sa.select(sa.exists(sa.select(sa.literal(1)).select_from(table)))
        if table.name in there and connection.scalar(any_row):
            raise TargetInUse(table=table.name)


def content(connection: sa.Connection, table: sa.Table) -> Content:
    """Return what a table holds."""
    # Databases sort texts differently, so the digests of rows are sorted instead.
    rows = connection.execute(sa.select(table).execution_options(yield_per=ROWS_AT_ONCE))
    digests = sorted(hashlib.sha256(repr(tuple(row)).encode()).digest() for row in rows)
    return Content(len(digests), hashlib.sha256(b"".join(digests)).hexdigest())


def _copy_table(table: sa.Table, reading: sa.Connection, writing: sa.Connection) -> None:
    rows = reading.execute(sa.select(table).execution_options(yield_per=ROWS_AT_ONCE)).mappings()
    for some in rows.partitions():
        writing.execute(sa.insert(table), [dict(row) for row in some])
    counted = table.autoincrement_column
    if counted is not None and writing.dialect.name == "postgresql":
        # Its counter does not see numbers that were given.
        counter = sa.func.pg_get_serial_sequence(table.name, counted.name)
        last = sa.select(sa.func.max(counted)).scalar_subquery()
        writing.execute(sa.select(sa.func.setval(counter, last)).where(last.is_not(None)))
