"""What a name means at a place in a statement, and what an expression has become."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from lcplatform_mock.sql.sqlite.catalog import no_column
from lcplatform_runtime.errors import LCPlatformError
from lcplatform_runtime.sqlstate import failure

NAMELESS: Final = "?column?"


@dataclass(slots=True)
class Unknown:
    """A parameter whose type its place decides: null, of which the first place that asks for a type decides for all later ones.

    Attributes:
        kind: the type that it has got.
        untold: it stands where nothing asks for a type.
    """

    number: int
    kind: str | None = None
    untold: bool = False

    def settle(self, kind: str) -> None:
        """One of its places asks for this type."""
        if self.untold or self.kind not in {None, kind}:
            raise failure("42P08", f"could not determine data type of parameter ${self.number}")
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Expr:
    """An expression in SQLite's words.

    Attributes:
        sql: the words.
        type: its type; None if its place decides, as for `'…'` and NULL.
        literal: the text of a literal whose type is not decided.
        name: what its column is called.
        loose: the columns of queries around that stand in it outside of aggregates.
        aggregate: it holds an aggregate of the query that it stands in.
        window: it holds a window function.
        sure: it is not null.
        plain: it is a literal, a parameter or a column.
        weak: its name gives way to that of a cast around it.
        unknown: the parameter that it is, if it is one whose type is not decided.
    """

    sql: str
    type: str | None = None
    literal: str | None = None
    name: str = NAMELESS
    loose: frozenset[tuple[int, str]] = frozenset()
    aggregate: bool = False
    window: bool = False
    sure: bool = False
    plain: bool = False
    weak: bool = False
    unknown: Unknown | None = None

    def named(self, name: str, *, weak: bool = False) -> Expr:
        """The same under another name."""
        return replace(self, name=name, weak=weak)


def merged(
    sql: str, kind: str | None, *parts: Expr, name: str = NAMELESS, sure: bool = False
) -> Expr:
    """An expression that is made of others."""
    return Expr(
        sql,
        kind,
        name=name,
        loose=frozenset().union(*(part.loose for part in parts)),
        aggregate=any(part.aggregate for part in parts),
        window=any(part.window for part in parts),
        sure=sure,
    )


@dataclass(frozen=True, slots=True)
class Field:
    """A column that can be named."""

    name: str
    type: str
    sql: str
    not_null: bool = False


@dataclass(slots=True)
class Source:
    """Something that a query reads from: a table, a subquery, a function.

    Attributes:
        base: the table in the database, if it is one.
        hidden: the columns that stand in another one by USING.
        single: a function whose only column may be called by its alias.
    """

    alias: str
    fields: list[Field]
    base: str | None = None
    hidden: set[str] = field(default_factory=set)


class Scope:
    """The sources of one query, within the scope of the query around it."""

    _count = 0

    def __init__(self, outer: Scope | None = None) -> None:
        self.outer = outer
        self.sources: list[Source] = []
        self.shared: dict[str, Expr] = {}
        """The columns of USING."""
        Scope._count += 1
        self.number = Scope._count

    def add(self, source: Source) -> None:
        """One more source. Its alias is its own."""
        if any(it.alias == source.alias for it in self.sources):
            raise failure("42712", f'table name "{source.alias}" specified more than once')
        self.sources.append(source)

    def column(self, name: str, table: str | None) -> Expr:
        """The column that a name means here, or in a query around."""
        scope: Scope | None = self
        while scope is not None:
            found = scope._own(name, table)
            if found is not None:
                return found
            scope = scope.outer
        raise self._missing(name, table)

    def source(self, alias: str) -> Source | None:
        """The source of that alias in this query."""
        return next((it for it in self.sources if it.alias == alias), None)

    def _own(self, name: str, table: str | None) -> Expr | None:
        if table is None and name in self.shared:
            return self.shared[name]
        if table is not None:
            source = self.source(table)
            if source is None:
                return None
            found = [it for it in source.fields if it.name == name]
            if not found:
                raise failure("42703", f"column {table}.{name} does not exist")
        else:
            found = [
                it
                for source in self.sources
                for it in source.fields
                if it.name == name and it.name not in source.hidden
            ]
        if len(found) > 1:
            raise failure("42702", f'column reference "{name}" is ambiguous')
        return self.read(found[0]) if found else None

    def read(self, what: Field) -> Expr:
        """The expression that reads a column."""
        return Expr(
            what.sql,
            what.type,
            name=what.name,
            loose=frozenset({(self.number, what.sql)}),
            sure=what.not_null,
            plain=True,
        )

    def _missing(self, name: str, table: str | None) -> LCPlatformError:
        if table is not None:
            return failure("42P01", f'missing FROM-clause entry for table "{table}"')
        return no_column(name)
