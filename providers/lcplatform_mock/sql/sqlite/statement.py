"""One statement on its way into SQLite's words: its parameters, what it reads, and what it is allowed to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from lcplatform_mock.sql.sqlite.casts import cast, settled
from lcplatform_mock.sql.sqlite.catalog import Catalog
from lcplatform_mock.sql.sqlite.grouping import Grouping
from lcplatform_mock.sql.sqlite.lexing import quoted
from lcplatform_mock.sql.sqlite.scope import Expr, Scope, Unknown
from lcplatform_runtime.sql.refusals import refused
from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.sqlstate import failure

if TYPE_CHECKING:
    from lcplatform_mock.sql.sqlite.results import Query

EMPTY_ARRAY = "{}"
"""Stands for the type of a parameter that is an empty array of nobody knows what."""


@dataclass(slots=True)
class Statement:
    """What is known of a statement while it is translated.

    Attributes:
        catalog: the database that it is for.
        kinds: the types of its parameters.
        writes: it changes something.
        volatile: it does not give the same again.
        locks: it locks rows.
        highest: the number of its last parameter.
        uses: the tables and views that it reads.
        tables: the common table expressions that can be named, the innermost last.
        unknown: the parameters whose types their places decide.
    """

    catalog: Catalog
    kinds: tuple[str | None, ...] = ()
    writes: bool = False
    volatile: bool = False
    locks: bool = False
    highest: int = 0
    uses: set[str] = field(default_factory=set)
    tables: list[dict[str, Query]] = field(default_factory=list)
    unknown: dict[int, Unknown] = field(default_factory=dict)
    aggregates: Grouping = field(default_factory=Grouping)

    def parameter(self, number: int) -> Expr:
        """`$1`"""
        if number < 1:
            raise failure("42P02", f"there is no parameter ${number}")
        if number > len(self.kinds):
            raise refused("08P01")
        kind = self.kinds[number - 1]
        if kind == EMPTY_ARRAY:
            return Expr(quoted(EMPTY_ARRAY), None, EMPTY_ARRAY, sure=True, plain=True)
        self.highest = max(self.highest, number)
        if kind is not None:
            return Expr(f"?{number}", kind, sure=True, plain=True)
        unknown = self.unknown.setdefault(number, Unknown(number))
        place = unknown if unknown.kind is None else None
        return Expr(f"?{number}", unknown.kind, plain=True, unknown=place)

    def check_parameters(self) -> None:
        """Every parameter has a type by now."""
        for number, unknown in self.unknown.items():
            if unknown.kind is None:
                raise failure("42P18", f"could not determine data type of parameter ${number}")

    def query(
        self,
        node: exp.Expr,
        outer: Scope | None,
        width: int | None = None,
        wanted: Sequence[str | None] | None = None,
    ) -> Query:
        """A query within the statement.

        Args:
            node: the query.
            outer: what stands around it.
            width: how many columns it must have.
            wanted: the types that its columns are to have, where something asks for them.
        """
        from lcplatform_mock.sql.sqlite.queries import queried

        found = queried(self, node, outer, wanted)
        if width is not None and len(found.columns) != width:
            raise failure("42601", f"subquery must return only {width} column")
        return found

    def outer(self, inner: Query, scope: Scope) -> frozenset[tuple[int, str]]:
        """The columns of queries around a subquery that stand in it."""
        return inner.loose

    def single(self, inner: Query) -> str:
        """The one value of a subquery; null if there is no row. Several rows are refused."""
        if inner.single:
            return inner.sql
        limited = f"SELECT * FROM ({inner.sql}) LIMIT 2"
        return (
            "SELECT CASE WHEN count(*) > 1 THEN pg_raise('21000') ELSE max(c0) END"
            f" FROM ({limited})"
        )

    def sequence(self, name: Expr) -> Expr:
        """The name of a sequence, which is checked now if it is a literal."""
        if name.literal is not None:
            self.catalog.sequence(sequence_name(name.literal))
            return Expr(quoted(sequence_name(name.literal)), "text")
        found = cast(settled(name, "text"), "text")
        if found is None or name.literal is None:
            raise unsupported("a sequence whose name is no literal")
        return found


def sequence_name(text: str) -> str:
    """The sequence that a text names, as an identifier would."""
    bare = text.removeprefix("public.")
    if bare.startswith('"') and bare.endswith('"') and len(bare) > 2:
        return bare[1:-1].replace('""', '"')
    return bare.lower()
