"""A statement in SQLite's words, with everything that is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from lcplatform.data_store.models import Column
from lcplatform_mock.sql.sqlite.binding import Read, reader
from lcplatform_mock.sql.sqlite.catalog import Catalog
from lcplatform_mock.sql.sqlite.types import known
from lcplatform_runtime.trusted import trusted

_column = trusted(Column)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a change of the schema.

    Attributes:
        what: `run` runs the statement; `edit` gives the table `name` another definition; `refuse` raises the error if the
            query finds a row; `restart` sets the sequence `name` back.
        sql: the statement, the definition or the query.
    """

    what: Literal["run", "edit", "refuse", "restart"]
    sql: str = ""
    name: str = ""
    sqlstate: str = ""
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement that can be run.

    Attributes:
        verb: what it does, as the database calls it.
        sql: SQLite's words.
        columns: the columns of its rows.
        readers: what reads their values.
        plain: every value is stored as it is.
        writes: it changes something, or locks rows.
        counts: it tells how many rows it changed.
        steps: the steps of a change of the schema.
        catalog: the schema afterwards.
        table: the table that it changes.
        check: a query that finds a row if the statement may not be run, and the code of the error.
        uses: what it reads.
        width: how many parameters it takes.
    """

    verb: str
    sql: str = ""
    columns: tuple[Column, ...] = ()
    readers: tuple[Read | None, ...] = ()
    plain: bool = True
    writes: bool = False
    counts: bool = False
    steps: tuple[Step, ...] = ()
    catalog: Catalog | None = None
    table: str | None = None
    check: tuple[str, str] | None = None
    uses: frozenset[str] = field(default_factory=frozenset)
    width: int = 0


def shown(
    columns: Sequence[tuple[str, str]], *, returned: bool = False
) -> tuple[tuple[Column, ...], tuple[Read | None, ...], bool]:
    """The columns of a result, what reads their values, and whether nothing needs to be read.

    RETURNING tells floating-point numbers as SQLite keeps them, whole ones as integers.
    """
    readers = tuple(
        float if returned and kind == "float8" else reader(known(kind).name) for _, kind in columns
    )
    told = tuple(_column(name=name, type_name=kind) for name, kind in columns)
    return told, readers, not any(readers)
