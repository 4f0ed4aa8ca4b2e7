"""What SQLite says when it refuses a statement, in PostgreSQL's codes."""

from __future__ import annotations

import re
import sqlite3
from typing import Final

from lcplatform_mock.sql.sqlite.catalog import Catalog, Table, mangled
from lcplatform_mock.sql.sqlite.compiled import Compiled
from lcplatform_runtime.errors import InternalError, LCPlatformError
from lcplatform_runtime.sql.refusals import refused
from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.sqlstate import failure

_UNIQUE: Final = re.compile(
    r"UNIQUE constraint failed: (?:index '(?P<index>.*)'|(?P<columns>.*))", re.DOTALL
)
_NOT_NULL: Final = re.compile(r"NOT NULL constraint failed: (?P<column>.*)", re.DOTALL)
_CHECK: Final = re.compile(r"CHECK constraint failed: (?P<name>.*)", re.DOTALL)

BUSY: Final = frozenset(
    {
        "SQLITE_BUSY",
        "SQLITE_BUSY_SNAPSHOT",
        "SQLITE_BUSY_RECOVERY",
        "SQLITE_BUSY_TIMEOUT",
        "SQLITE_LOCKED",
    }
)
"""Another connection writes, or has written since this one began to read."""


def failed(error: sqlite3.Error, catalog: Catalog, statement: Compiled | None) -> LCPlatformError:
    """The error for what SQLite raised."""
    name = getattr(error, "sqlite_errorname", "") or ""
    text = str(error)
    if name in BUSY:
        return conflict()
    if name.startswith("SQLITE_CONSTRAINT"):
        return _broken(text, catalog, statement)
    if name == "SQLITE_INTERRUPT":
        return refused("57014")
    if name in {"SQLITE_FULL", "SQLITE_NOMEM"}:
        return failure("53100", "the database is full")
    if name == "SQLITE_TOOBIG":
        return failure("54000", "a value or a statement is too long")
    if "integer overflow" in text:
        return refused("22003")
    if isinstance(error, sqlite3.OperationalError | sqlite3.DataError | OverflowError):
        # A translation that SQLite does not take. Nothing has happened, and nothing is known to be wrong with the original.
        return unsupported("this statement")
    return InternalError(f"SQLite failed with {name or type(error).__name__}")


def conflict() -> LCPlatformError:
    """Another transaction was faster, or holds the right to write."""
    return refused("40001")


def _broken(text: str, catalog: Catalog, statement: Compiled | None) -> LCPlatformError:
    """A constraint is not kept: which one is told by the columns, or by its name."""
    unique = _UNIQUE.fullmatch(text)
    if unique is not None:
        if unique["index"] is not None:
            return _by_name("23505", unique["index"], catalog)
        return _by_columns(unique["columns"], catalog)
    null = _NOT_NULL.fullmatch(text)
    if null is not None:
        table, column = _column(null["column"], catalog)
        return refused("23502", table=table, column=column)
    check = _CHECK.fullmatch(text)
    if check is not None:
        return _by_name("23514", check["name"], catalog)
    if text.startswith("FOREIGN KEY"):
        return _foreign(catalog, statement)
    return InternalError("a value was stored in the wrong class")


def _bare(name: str) -> str:
    """A name as SQLite's messages tell it."""
    return mangled(name)[1:-1].replace('""', '"')


def _by_name(sqlstate: str, name: str, catalog: Catalog) -> LCPlatformError:
    for table in catalog.tables.values():
        names = [it.name for it in table.constraints] + [it.name for it in table.indexes]
        for it in names:
            if _bare(it) == name:
                return refused(sqlstate, constraint=it, table=table.name)
    return refused(sqlstate)


def _by_columns(told: str, catalog: Catalog) -> LCPlatformError:
    for table in catalog.tables.values():
        unique = [
            (it.name, it.columns) for it in table.constraints if it.kind in {"primary", "unique"}
        ] + [(index.name, index.columns) for index in table.indexes if index.unique]
        for name, columns in unique:
            if ", ".join(f"{_bare(table.name)}.{_bare(column)}" for column in columns) == told:
                return refused("23505", constraint=name, table=table.name)
    return refused("23505")


def _column(told: str, catalog: Catalog) -> tuple[str | None, str | None]:
    for table in catalog.tables.values():
        for column in table.columns:
            if f"{_bare(table.name)}.{_bare(column.name)}" == told:
                return table.name, column.name
    return None, None


def _foreign(catalog: Catalog, statement: Compiled | None) -> LCPlatformError:
    """SQLite does not tell which foreign key. Where there is only one, it is that."""
    table = None if statement is None else catalog.tables.get(statement.table or "")
    if table is None:
        return refused("23503")
    found = _candidates(
        table, catalog, inserted=statement is not None and statement.verb == "INSERT"
    )
    if len(found) != 1:
        return refused("23503")
    ((owner, name),) = found
    return refused("23503", constraint=name, table=owner)


def _candidates(table: Table, catalog: Catalog, *, inserted: bool) -> list[tuple[str, str]]:
    own = [(table.name, it.name) for it in table.constraints if it.kind == "foreign"]
    if inserted:
        return own
    return own + [(other.name, it.name) for other, it in catalog.referring_to(table.name)]
