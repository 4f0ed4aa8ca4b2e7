"""Queries: SELECT, VALUES, their unions, and WITH."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from lcplatform_mock.sql.sqlite.casts import Cast, cast, common
from lcplatform_mock.sql.sqlite.catalog import mangled
from lcplatform_mock.sql.sqlite.expressions import Expressions
from lcplatform_mock.sql.sqlite.grouping import key
from lcplatform_mock.sql.sqlite.names import name_of, only
from lcplatform_mock.sql.sqlite.results import Query, Wanted, limits, ordinal
from lcplatform_mock.sql.sqlite.scope import Expr, Scope
from lcplatform_mock.sql.sqlite.selecting import Select
from lcplatform_mock.sql.sqlite.types import collation, title
from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.sqlstate import failure

if TYPE_CHECKING:
    from lcplatform_mock.sql.sqlite.statement import Statement


def queried(statement: Statement, node: exp.Expr, outer: Scope | None, wanted: Wanted) -> Query:
    """The query."""
    while isinstance(node, exp.Subquery | exp.Paren):
        only(node, "this", "with_", "order", "limit", "offset")
        if node.args.get("with_"):
            raise unsupported("WITH before parentheses")
        if any(node.args.get(it) is not None for it in ("order", "limit", "offset")):
            inner = statement.query(node.this, outer, wanted=wanted)
            order = node.args.get("order")
            tail = _ordered_by_name(inner, order) if order is not None else ""
            tail += limits(statement, node, outer)
            return replace(inner, sql=f"SELECT * FROM ({inner.sql}){tail}")
        node = node.this
    with_ = node.args.get("with_")
    if with_ is None:
        return _bare(statement, node, outer, wanted)
    statement.tables.append({})
    try:
        prefix, loose = _common(statement, with_, outer)
        body = _bare(statement, node, outer, wanted)
    finally:
        statement.tables.pop()
    return Query(f"{prefix} {body.sql}", body.columns, body.loose | loose, body.single)


def _bare(statement: Statement, node: exp.Expr, outer: Scope | None, wanted: Wanted) -> Query:
    if isinstance(node, exp.Select):
        return Select(statement, node, outer, wanted).query()
    if isinstance(node, exp.SetOperation):
        return _united(statement, node, outer, wanted)
    if isinstance(node, exp.Values):
        return values(statement, node, outer, wanted)
    if isinstance(node, exp.Insert | exp.Update | exp.Delete):
        raise unsupported(f"{type(node).__name__.upper()} within a query")
    raise unsupported(f"{type(node).__name__} as a query")


# --- WITH


def _common(
    statement: Statement, with_: exp.With, outer: Scope | None
) -> tuple[str, frozenset[tuple[int, str]]]:
    """The common table expressions, which can be named from then on."""
    only(with_, "expressions", "recursive")
    recursive = bool(with_.args.get("recursive"))
    parts = []
    loose: frozenset[tuple[int, str]] = frozenset()
    for table in with_.expressions:
        only(table, "this", "alias", "materialized")
        alias = table.args["alias"]
        name = name_of(alias.this)
        names = [name_of(it) for it in alias.args.get("columns") or ()]
        if name in statement.tables[-1]:
            raise failure("42712", f'WITH query name "{name}" specified more than once')
        if recursive and _mentions(table.this, name):
            query = _recursive(statement, table.this, outer, name, names)
        else:
            query = statement.query(table.this, outer)
        query = renamed(query, names, name)
        statement.tables[-1][name] = query
        loose |= query.loose
        columns = ", ".join(f"c{index}" for index in range(len(query.columns)))
        parts.append(f"{mangled(name)}({columns}) AS ({query.sql})")
    return f"WITH {'RECURSIVE ' if recursive else ''}{', '.join(parts)}", loose


def _mentions(node: exp.Expr, name: str) -> bool:
    return any(
        isinstance(it.this, exp.Identifier) and name_of(it.this) == name
        for it in node.find_all(exp.Table)
    )


def _recursive(
    statement: Statement, node: exp.Expr, outer: Scope | None, name: str, names: list[str]
) -> Query:
    while isinstance(node, exp.Subquery):
        node = node.this
    if not isinstance(node, exp.Union):
        raise failure(
            "42P19",
            f'recursive query "{name}" does not have the form non-recursive-term UNION [ALL] recursive-term',
        )
    only(node, "this", "expression", "distinct")
    first = statement.query(node.this, outer)
    statement.tables[-1][name] = renamed(first, names, name)
    rest = statement.query(node.expression, outer, wanted=[kind for _, kind in first.columns])
    del statement.tables[-1][name]
    if len(first.columns) != len(rest.columns):
        raise failure("42601", "each UNION query must have the same number of columns")
    for (_, kind), (_, other) in zip(first.columns, rest.columns, strict=True):
        if kind != other:
            raise failure(
                "42804",
                f'recursive query "{name}" has type {title(kind)} in non-recursive term but type {title(other)} overall',
            )
    once = bool(node.args.get("distinct", True))
    start = _comparable(first) if once else first.sql
    word = "UNION" if once else "UNION ALL"
    return Query(f"{start} {word} {rest.sql}", first.columns, first.loose | rest.loose)


def renamed(query: Query, names: Sequence[str], what: str) -> Query:
    """The query with other names for its first columns."""
    if len(names) > len(query.columns):
        raise failure(
            "42P10",
            f'table "{what}" has {len(query.columns)} columns available but {len(names)} columns specified',
        )
    columns = tuple(
        (names[index] if index < len(names) else name, kind)
        for index, (name, kind) in enumerate(query.columns)
    )
    return replace(query, columns=columns)


# --- unions


def _united(
    statement: Statement, node: exp.SetOperation, outer: Scope | None, wanted: Wanted
) -> Query:
    only(node, "this", "expression", "distinct", "order", "limit", "offset", "with_")
    word = {exp.Union: "UNION", exp.Intersect: "INTERSECT", exp.Except: "EXCEPT"}[type(node)]
    once = bool(node.args.get("distinct", True))
    if not once and word != "UNION":
        raise unsupported(f"{word} ALL")
    left, right = _sides(statement, node, outer, wanted, word)
    first = _comparable(left) if once else f"SELECT * FROM ({left.sql})"
    words = f"{first} {word}{'' if once else ' ALL'} SELECT * FROM ({right.sql})"
    query = Query(words, left.columns, left.loose | right.loose)
    order = node.args.get("order")
    tail = _ordered_by_name(query, order) if order is not None else ""
    tail += limits(statement, node, outer)
    if not tail:
        return query
    return replace(query, sql=f"SELECT * FROM ({words}){tail}")


def _sides(
    statement: Statement,
    node: exp.SetOperation,
    outer: Scope | None,
    wanted: Wanted,
    word: str,
) -> tuple[Query, Query]:
    """Both sides, with columns of the same types."""
    raw = [_raw_types(statement, side, outer) for side in (node.this, node.expression)]
    if len(raw[0]) != len(raw[1]):
        raise failure("42601", f"each {word} query must have the same number of columns")
    kinds: list[str] = []
    for index, (one, other) in enumerate(zip(*raw, strict=True)):
        asked = wanted[index] if wanted is not None and index < len(wanted) else None
        both = [one, other]
        kinds.append(asked if asked and both == [None, None] else common(both, word))
    left = statement.query(node.this, outer, wanted=kinds)
    right = statement.query(node.expression, outer, wanted=kinds)
    for (_, kind), want in zip((*left.columns, *right.columns), (*kinds, *kinds), strict=True):
        if kind != want:
            raise failure(
                "42804", f"{word} types {title(kind)} and {title(want)} cannot be matched"
            )
    return left, right


def _raw_types(statement: Statement, node: exp.Expr, outer: Scope | None) -> list[str | None]:
    """The types of the columns, None where the place decides."""
    inner = node
    while isinstance(inner, exp.Subquery):
        inner = inner.this
    if isinstance(inner, exp.Select) and inner.args.get("with_") is None:
        return Select(statement, inner, outer, None).types()
    return [kind for _, kind in statement.query(node, outer).columns]


def _comparable(query: Query) -> str:
    """The query with what compares its columns."""
    columns = ", ".join(
        f"c{index}{collation(kind)} AS c{index}" for index, (_, kind) in enumerate(query.columns)
    )
    return f"SELECT {columns} FROM ({query.sql})"


def _ordered_by_name(query: Query, order: exp.Order) -> str:
    keys = []
    names = [name for name, _ in query.columns]
    for it in order.expressions:
        place = ordinal(it.this, names)
        if place is None:
            raise failure("0A000", "invalid UNION/INTERSECT/EXCEPT ORDER BY clause")
        keys.append(key(Expr(f"c{place}", query.columns[place][1]), it))
    return f" ORDER BY {', '.join(keys)}"


# --- VALUES


def values(
    statement: Statement, node: exp.Values, outer: Scope | None, wanted: Wanted = None
) -> Query:
    """`VALUES (…), (…)`, whose columns have the types that all rows can have."""
    only(node, "expressions", "alias")
    make = Expressions(statement, Scope(outer))
    rows = [[make(it) for it in row.expressions] for row in node.expressions]
    width = len(rows[0])
    if any(len(row) != width for row in rows):
        raise failure("42601", "VALUES lists must all be the same length")
    kinds = []
    for index in range(width):
        given = [row[index].type for row in rows]
        asked = wanted[index] if wanted is not None and index < len(wanted) else None
        kinds.append(asked if asked and set(given) == {None} else common(given, "VALUES"))
    shown = []
    for row in rows:
        cells = [cast(it, kind, Cast.IMPLICIT) for it, kind in zip(row, kinds, strict=True)]
        if any(it is None for it in cells):
            raise failure("42804", "VALUES types cannot be matched")
        shown.append(f"({', '.join(it.sql for it in cells if it is not None)})")
    columns = ", ".join(f"column{index + 1} AS c{index}" for index in range(width))
    every = [it for row in rows for it in row]
    loose = frozenset().union(*(it.loose for it in every))
    return Query(
        f"SELECT {columns} FROM (VALUES {', '.join(shown)})",
        tuple((f"column{index + 1}", kind) for index, kind in enumerate(kinds)),
        loose,
        single=len(rows) == 1,
    )
