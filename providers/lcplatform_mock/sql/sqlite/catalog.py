"""What the database holds, as PostgreSQL would know it: SQLite knows no types, sequences or names of constraints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from pydantic import TypeAdapter

from lcplatform_runtime.errors import LCPlatformError
from lcplatform_runtime.sqlstate import failure

# SQLite's own names for the row itself.
_TAKEN: Final = frozenset({"rowid", "oid", "_rowid_"})


def mangled(name: str) -> str:
    """A name as SQLite is told it, in quotes. Names there do not differ by their case alone."""
    safe = name.replace("%", "%%")
    if safe != safe.lower() or safe in _TAKEN or safe.startswith("sqlite_"):
        safe = "%" + "".join(
            f"%{it.lower()}" if it.isupper() and it.isascii() else it for it in safe
        )
    return '"' + safe.replace('"', '""') + '"'


@dataclass(frozen=True, slots=True)
class Column:
    """A column. What stands in a statement (default, generated) is kept as SQL."""

    name: str
    type: str
    size: int | None = None
    scale: int | None = None
    not_null: bool = False
    default: str | None = None
    identity: Literal["always", "by default"] | None = None
    generated: str | None = None
    sequence: str | None = None
    """The sequence that belongs to it."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint of a table, by its name."""

    name: str
    kind: Literal["primary", "unique", "check", "foreign"]
    columns: tuple[str, ...] = ()
    check: str | None = None
    table: str | None = None
    """The table that a foreign key refers to."""
    keys: tuple[str, ...] = ()
    """The columns there."""
    on_delete: str = ""
    on_update: str = ""
    deferred: bool = False


@dataclass(frozen=True, slots=True)
class Index:
    """An index of a table."""

    name: str
    keys: tuple[str, ...]
    """SQL, each with its direction."""
    columns: tuple[str, ...]
    """The columns, where all its keys are plain ones."""
    unique: bool = False
    where: str | None = None
    uses: tuple[str, ...] = ()
    """Every column that it mentions."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        rowid: the column that is SQLite's own row number: a primary key that is an integer.
    """

    name: str
    columns: tuple[Column, ...]
    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[Index, ...] = ()
    rowid: str | None = None

    def column(self, name: str) -> Column:
        """The column of that name."""
        found = self.find(name)
        if found is None:
            raise no_column(name, self.name)
        return found

    def find(self, name: str) -> Column | None:
        """The column of that name, if there is one."""
        return next((it for it in self.columns if it.name == name), None)

    @property
    def primary(self) -> Constraint | None:
        """The primary key."""
        return next((it for it in self.constraints if it.kind == "primary"), None)

    def unique_on(self, columns: tuple[str, ...]) -> str | None:
        """The name of what makes these columns unique together."""
        wanted = set(columns)
        for it in self.constraints:
            if it.kind in {"primary", "unique"} and set(it.columns) == wanted:
                return it.name
        for index in self.indexes:
            if index.unique and set(index.columns) == wanted:
                return index.name
        return None


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence. Where it stands is kept elsewhere: no transaction undoes that."""

    name: str
    start: int = 1
    increment: int = 1
    least: int = 1
    most: int = 2**63 - 1
    cycle: bool = False
    table: str | None = None
    """The table to which it belongs."""


@dataclass(frozen=True, slots=True)
class View:
    """A view: a query under a name."""

    name: str
    query: str
    columns: tuple[tuple[str, str], ...]
    uses: tuple[str, ...]
    """The tables and views that it reads."""


@dataclass(frozen=True)
class Catalog:
    """All of it. Nothing in it changes: a change makes another one."""

    tables: Mapping[str, Table] = field(default_factory=dict)
    views: Mapping[str, View] = field(default_factory=dict)
    sequences: Mapping[str, Sequence] = field(default_factory=dict)

    def table(self, name: str) -> Table:
        """The table of that name."""
        found = self.tables.get(name)
        if found is None:
            if name in self.views or name in self.sequences:
                raise failure("42809", f'"{name}" is not a table')
            raise no_table(name)
        return found

    def sequence(self, name: str) -> Sequence:
        """The sequence of that name."""
        found = self.sequences.get(name)
        if found is None:
            if self.is_taken(name):
                raise failure("42809", f'"{name}" is not a sequence')
            raise no_table(name)
        return found

    def index(self, name: str) -> tuple[Table, Index] | None:
        """The index of that name, with its table."""
        for table in self.tables.values():
            for index in table.indexes:
                if index.name == name:
                    return table, index
        return None

    def is_taken(self, name: str) -> bool:
        """Whether something has that name: tables, views, sequences and indexes share them."""
        if name in self.tables or name in self.views or name in self.sequences:
            return True
        return self.index(name) is not None or any(
            it.name == name
            for table in self.tables.values()
            for it in table.constraints
            if it.kind in {"primary", "unique"}
        )

    def check_free(self, name: str) -> None:
        """Refuses a name that something has."""
        if self.is_taken(name):
            raise failure("42P07", f'relation "{name}" already exists')

    def free(self, *parts: str) -> str:
        """A name that nothing has, made as PostgreSQL makes one: the parts, cut to 63 bytes, with a number if need be."""
        name = made_name(*parts)
        number = 0
        while self.is_taken(name):
            number += 1
            name = made_name(*parts[:-1], f"{parts[-1]}{number}")
        return name

    def with_table(self, table: Table) -> Catalog:
        """The same with this table."""
        return replace(self, tables={**self.tables, table.name: table})

    def without_table(self, name: str) -> Catalog:
        """The same without a table and its sequences."""
        return replace(
            self,
            tables={key: it for key, it in self.tables.items() if key != name},
            sequences={key: it for key, it in self.sequences.items() if it.table != name},
        )

    def with_sequence(self, sequence: Sequence) -> Catalog:
        """The same with this sequence."""
        return replace(self, sequences={**self.sequences, sequence.name: sequence})

    def without_sequence(self, name: str) -> Catalog:
        """The same without a sequence."""
        return replace(
            self, sequences={key: it for key, it in self.sequences.items() if key != name}
        )

    def with_view(self, view: View) -> Catalog:
        """The same with this view."""
        return replace(self, views={**self.views, view.name: view})

    def without_view(self, name: str) -> Catalog:
        """The same without a view."""
        return replace(self, views={key: it for key, it in self.views.items() if key != name})

    def users_of(self, name: str) -> list[str]:
        """The views that read a table or view."""
        return [view.name for view in self.views.values() if name in view.uses]

    def referring_to(self, name: str) -> list[tuple[Table, Constraint]]:
        """The foreign keys of other tables that refer to a table."""
        return [
            (table, it)
            for table in self.tables.values()
            for it in table.constraints
            if it.kind == "foreign" and it.table == name and table.name != name
        ]


_ADAPTER: Final = TypeAdapter(Catalog)
dump: Final[Callable[[Catalog], bytes]] = _ADAPTER.dump_json
load: Final[Callable[[bytes], Catalog]] = _ADAPTER.validate_json


def made_name(*parts: str) -> str:
    """A name of several parts. The longer of the first two is cut until all fit into 63 bytes."""
    head, tail = list(parts[:-1]), parts[-1]
    while len("_".join((*head, tail)).encode()) > 63:
        longest = max(range(len(head)), key=lambda it: len(head[it].encode()))
        head[longest] = head[longest].encode()[:-1].decode(errors="ignore")
    return "_".join((*head, tail))


def no_table(name: str) -> LCPlatformError:
    """There is no such table."""
    return failure("42P01", f'relation "{name}" does not exist')


def no_column(name: str, table: str | None = None) -> LCPlatformError:
    """There is no such column."""
    of = f' of relation "{table}"' if table else ""
    return failure("42703", f'column "{name}"{of} does not exist')
