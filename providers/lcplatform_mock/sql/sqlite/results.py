"""What a query has become, and how much of it is told: ORDER BY by number, LIMIT and OFFSET."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from lcplatform_mock.sql.sqlite.casts import Cast, cast
from lcplatform_mock.sql.sqlite.expressions import Expressions
from lcplatform_mock.sql.sqlite.names import name_of, only
from lcplatform_mock.sql.sqlite.scope import Scope
from lcplatform_mock.sql.sqlite.types import TYPES, title
from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.sqlstate import failure

if TYPE_CHECKING:
    from lcplatform_mock.sql.sqlite.statement import Statement


@dataclass(frozen=True, slots=True)
class Query:
    """A query in SQLite's words, whose columns are c0, c1 and so on.

    Attributes:
        sql: the words.
        columns: the name and the type of each column.
        loose: the columns of queries around that stand in it.
        single: it has one row at most.
    """

    sql: str
    columns: tuple[tuple[str, str], ...]
    loose: frozenset[tuple[int, str]] = frozenset()
    single: bool = False


Wanted = Sequence[str | None] | None


def ordinal(node: exp.Expr, names: Sequence[str]) -> int | None:
    """The column that a key of ORDER BY names by its number or its name."""
    if isinstance(node, exp.Literal) and not node.is_string and str(node.this).isdigit():
        number = int(node.this)
        if not 1 <= number <= len(names):
            raise failure("42P10", f"ORDER BY position {number} is not in select list")
        return number - 1
    if isinstance(node, exp.Literal):
        raise failure("42601", "non-integer constant in ORDER BY")
    if (
        isinstance(node, exp.Column)
        and node.args.get("table") is None
        and not isinstance(node.this, exp.Star)
    ):
        found = [index for index, name in enumerate(names) if name == name_of(node.this)]
        if len(found) > 1:
            raise failure("42702", f'ORDER BY "{name_of(node.this)}" is ambiguous')
        return found[0] if found else None
    return None


def limits(statement: Statement, node: exp.Expr, outer: Scope | None) -> str:
    """LIMIT and OFFSET."""
    make = Expressions(statement, Scope(outer))
    limit, offset = node.args.get("limit"), node.args.get("offset")
    words = ""
    if limit is not None:
        words = f" LIMIT {_limit(make, limit)}"
    if offset is not None:
        only(offset, "expression")
        skipped = _count(make, offset.expression, "OFFSET", "2201X")
        words = f"{words or ' LIMIT -1'} OFFSET coalesce({skipped}, 0)"
    return words


def _limit(make: Expressions, node: exp.Expr) -> str:
    if isinstance(node, exp.Fetch):
        only(node, "direction", "count", "limit_options")
        options = node.args.get("limit_options")
        if options is not None and (options.args.get("with_ties") or options.args.get("percent")):
            raise unsupported("FETCH with ties")
        count = node.args.get("count")
        return "1" if count is None else f"coalesce({_count(make, count, 'LIMIT', '2201W')}, -1)"
    only(node, "expression")
    count = node.expression
    if isinstance(count, exp.Var) and count.name.upper() == "ALL":
        return "-1"
    return f"coalesce({_count(make, count, 'LIMIT', '2201W')}, -1)"


def _count(make: Expressions, node: exp.Expr, what: str, state: str) -> str:
    value = make(node)
    found = cast(value, "int8", Cast.ASSIGNMENT)
    if found is None or value.type in {"text", "varchar"}:
        raise failure(
            "42804", f"argument of {what} must be type bigint, not type {title(value.type)}"
        )
    return found.sql if found.sql.isdigit() else f"pg_not_negative({found.sql}, '{state}')"


def comparable(kind: str) -> str:
    """What is declared of a column of that type besides its class: what compares it."""
    found = TYPES[kind].collation
    return f' COLLATE "{found}"' if found else ""
