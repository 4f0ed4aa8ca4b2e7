"""Queries: SELECT, VALUES, their unions, and WITH."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from lcplatform_mock.sql.sqlite.casts import Cast, cast, common, settled
from lcplatform_mock.sql.sqlite.catalog import mangled
from lcplatform_mock.sql.sqlite.expressions import Expressions, name_of, only
from lcplatform_mock.sql.sqlite.grouping import key
from lcplatform_mock.sql.sqlite.scope import Expr, Scope
from lcplatform_mock.sql.sqlite.sources import Sources
from lcplatform_mock.sql.sqlite.types import TYPES, collation, title
from lcplatform_mock.sql.words import unsupported
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
        return _Select(statement, node, outer, wanted).query()
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
        return _Select(statement, inner, outer, None).types()
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
        place = _ordinal(it.this, names)
        if place is None:
            raise failure("0A000", "invalid UNION/INTERSECT/EXCEPT ORDER BY clause")
        keys.append(key(Expr(f"c{place}", query.columns[place][1]), it))
    return f" ORDER BY {', '.join(keys)}"


def _ordinal(node: exp.Expr, names: Sequence[str]) -> int | None:
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


# --- SELECT

_PARTS: Final = (
    "expressions",
    "from_",
    "joins",
    "where",
    "group",
    "having",
    "windows",
    "order",
    "limit",
    "offset",
    "distinct",
    "with_",
    "locks",
)


class _Select:
    """One SELECT."""

    def __init__(
        self, statement: Statement, node: exp.Select, outer: Scope | None, wanted: Wanted
    ) -> None:
        only(node, *_PARTS)
        self._statement = statement
        self._node = node
        self._scope = Scope(outer)
        self._make = Expressions(statement, self._scope)
        self._wanted = wanted
        self._sources = Sources(statement, self._scope, self._make)
        self._from = self._sources.build(node)
        self._group = self._grouped_by()

    def types(self) -> list[str | None]:
        """The types of its columns, before their place decides."""
        self._make.groups = frozenset(it.sql for it in self._group)
        self._name_windows()
        return [it.type for it in self._items()]

    def query(self) -> Query:
        """The whole of it."""
        node = self._node
        groups = frozenset(it.sql for it in self._group)
        self._make.groups = groups
        self._name_windows()
        told = (
            self._items()
        )  # before WHERE, as it matters to parameters whose types their places decide
        if not told:
            raise unsupported("a query without columns")
        self._make.groups = None
        where = self._where()
        self._make.groups = groups
        items = [self._settled(index, it) for index, it in enumerate(told)]
        having = self._having()
        order = self._order(items)
        grouped = bool(self._group) or any(
            it.aggregate for it in (*items, *([having] if having else []), *(it for it, _ in order))
        )
        if grouped:
            self._check_groups([*items, *([having] if having else []), *(it for it, _ in order)])
        elif having is not None:
            raise unsupported("HAVING without a group")
        tail = limits(self._statement, node, self._scope.outer)
        self._lock(grouped=grouped)
        middle = self._from + where + self._group_words(grouped=grouped)
        if having is not None and self._group:
            middle += f" HAVING {having.sql}"
        words = self._assembled(items, middle, [it for _, it in order], tail)
        if having is not None and not self._group:
            words = self._only_if(items, having, middle, tail)
        every = [
            *items,
            *([having] if having else []),
            *(it for it, _ in order),
            *self._sources.parts,
        ]
        loose = (
            frozenset(it for part in every for it in part.loose if it[0] != self._scope.number)
            | self._sources.loose
        )
        return Query(
            words,
            tuple((it.name, str(it.type)) for it in items),
            loose,
            single=(grouped and not self._group)
            or (not self._from)
            or tail == " LIMIT coalesce(1, -1)",
        )

    def _assembled(
        self, items: Sequence[Expr], middle: str, order: Sequence[str], tail: str
    ) -> str:
        distinct = self._node.args.get("distinct")
        by = f" ORDER BY {', '.join(order)}" if order else ""
        if distinct is not None and distinct.args.get("on") is not None:
            return self._first_of_each(items, middle, order, tail, distinct.args["on"])
        compare = distinct is not None
        columns = ", ".join(
            f"{it.sql}{collation(it.type) if compare else ''} AS c{index}"
            for index, it in enumerate(items)
        )
        return f"SELECT {'DISTINCT ' if compare else ''}{columns}{middle}{by}{tail}"

    @staticmethod
    def _only_if(items: Sequence[Expr], having: Expr, middle: str, tail: str) -> str:
        """The one row of a query that is one group, if it is as HAVING says."""
        columns = ", ".join(f"{it.sql} AS c{index}" for index, it in enumerate(items))
        names = ", ".join(f"c{index}" for index in range(len(items)))
        return (
            f"SELECT {names} FROM (SELECT {columns}, {having.sql} AS kept{middle}) WHERE kept{tail}"
        )

    def _first_of_each(
        self,
        items: Sequence[Expr],
        middle: str,
        order: Sequence[str],
        tail: str,
        on: exp.Expr,
    ) -> str:
        """`DISTINCT ON`: the first row of each group, in the order of the query."""
        if " GROUP BY " in middle or any(it.aggregate or it.window for it in items):
            raise unsupported("DISTINCT ON with groups or windows")
        nodes = on.expressions if isinstance(on, exp.Tuple) else [on]
        keys = [self._make(it) for it in nodes]
        wanted = {f"{it.sql}{collation(it.type)}" for it in keys}
        heads = {it.split(" NULLS ")[0].removesuffix(" DESC") for it in order[: len(keys)]}
        if order and heads != wanted:
            raise failure(
                "42P10", "SELECT DISTINCT ON expressions must match initial ORDER BY expressions"
            )
        by = ", ".join(f"{it.sql}{collation(it.type)}" for it in keys)
        inside = f" ORDER BY {', '.join(order)}" if order else ""
        columns = ", ".join(f"{it.sql} AS c{index}" for index, it in enumerate(items))
        ranks = f"row_number() OVER (PARTITION BY {by}{inside}) AS chosen"
        place = f"row_number() OVER ({inside.strip()}) AS place" if order else "1 AS place"
        names = ", ".join(f"c{index}" for index in range(len(items)))
        return (
            f"SELECT {names} FROM (SELECT {columns}, {ranks}, {place}{middle})"
            f" WHERE chosen = 1 ORDER BY place{tail}"
        )

    # --- parts

    def _where(self) -> str:
        where = self._node.args.get("where")
        if where is None:
            return ""
        test = self._make.truth(where.this, "WHERE")
        if test.aggregate:
            raise failure("42803", "aggregate functions are not allowed in WHERE")
        if test.window:
            raise failure("42P20", "window functions are not allowed in WHERE")
        self._sources.parts.append(test)
        return f" WHERE {test.sql}"

    def _items(self) -> list[Expr]:
        found: list[Expr] = []
        for node in self._node.expressions:
            if isinstance(node, exp.Star):
                only(node)
                if not self._from:
                    raise failure("42601", "SELECT * with no tables specified is not valid")
                found += [self._grouped(it) for it in self._sources.star]
            elif isinstance(node, exp.Column) and isinstance(node.this, exp.Star):
                found += [
                    self._grouped(it) for it in self._sources.all_of(name_of(node.args["table"]))
                ]
            elif isinstance(node, exp.Alias):
                only(node, "this", "alias")
                found.append(self._make(node.this).named(name_of(node.args["alias"], label=True)))
            else:
                found.append(self._make(node))
        return found

    def _grouped(self, column: Expr) -> Expr:
        if self._make.groups and column.sql in self._make.groups:
            return replace(column, loose=frozenset())
        return column

    def _settled(self, index: int, item: Expr) -> Expr:
        wanted = (
            self._wanted[index] if self._wanted is not None and index < len(self._wanted) else None
        )
        if item.type is None:
            return settled(item, wanted or "text")
        if wanted is not None:
            return cast(item, wanted, Cast.IMPLICIT) or item
        return item

    def _grouped_by(self) -> list[Expr]:
        group = self._node.args.get("group")
        if group is None:
            return []
        only(group, "expressions")
        found = []
        for node in group.expressions:
            value = self._group_key(node)
            if value.aggregate or value.window:
                raise failure("42803", "aggregate functions are not allowed in GROUP BY")
            found.append(settled(value, "text"))
        return found

    def _group_key(self, node: exp.Expr) -> Expr:
        """A key of GROUP BY: a number of a column, a column of a source, an output column, or an expression."""
        items = self._node.expressions
        if isinstance(node, exp.Literal) and not node.is_string and str(node.this).isdigit():
            number = int(node.this)
            if not 1 <= number <= len(items):
                raise failure("42P10", f"GROUP BY position {number} is not in select list")
            item = items[number - 1]
            if isinstance(item, exp.Star):
                raise unsupported("GROUP BY the number of *")
            return self._make(item.this if isinstance(item, exp.Alias) else item)
        if isinstance(node, exp.Column) and node.args.get("table") is None:
            name = name_of(node.this)
            known = name in self._scope.shared or any(
                it.name == name for source in self._scope.sources for it in source.fields
            )
            aliased = [
                it
                for it in items
                if isinstance(it, exp.Alias) and name_of(it.args["alias"], label=True) == name
            ]
            if not known and aliased:
                return self._make(aliased[0].this)
        return self._make(node)

    def _group_words(self, *, grouped: bool) -> str:
        if not grouped or not self._group:
            return ""
        # A constant is no number of a column.
        keys = (
            f"{it.sql}{collation(it.type)}" if not it.sql.isdigit() else f"({it.sql} + 0)"
            for it in self._group
        )
        return f" GROUP BY {', '.join(keys)}"

    def _having(self) -> Expr | None:
        having = self._node.args.get("having")
        if having is None:
            return None
        found = self._make.truth(having.this, "HAVING")
        if found.window:
            raise failure("42P20", "window functions are not allowed in HAVING")
        return found

    def _check_groups(self, parts: Sequence[Expr]) -> None:
        """Every column stands in an aggregate, or is one by which the query is grouped, or follows from those."""
        groups = self._make.groups or frozenset()
        decided = {
            it.sql
            for source in self._scope.sources
            if source.base is not None and self._determines(source.base, source.alias, groups)
            for it in source.fields
        }
        for part in parts:
            for number, column in sorted(part.loose):
                if number == self._scope.number and column not in decided:
                    raise failure(
                        "42803",
                        f"column {column} must appear in the GROUP BY clause or be used in an aggregate function",
                    )

    def _determines(self, base: str, alias: str, groups: frozenset[str]) -> bool:
        primary = self._statement.catalog.table(base).primary
        return primary is not None and all(
            f"{mangled(alias)}.{mangled(it)}" in groups for it in primary.columns
        )

    def _order(self, items: Sequence[Expr]) -> list[tuple[Expr, str]]:
        order = self._node.args.get("order")
        if order is None:
            return []
        found = []
        names = [it.name for it in items]
        distinct = self._node.args.get("distinct")
        plain_distinct = distinct is not None and distinct.args.get("on") is None
        whole_row = distinct is not None and not plain_distinct
        for node in order.expressions:
            only(node, "this", "desc", "nulls_first")
            place = self._place(node.this, names, items)
            if place is None:
                value = settled(self._make(node.this), "text")
                if plain_distinct and all(value.sql != it.sql for it in items):
                    raise failure(
                        "42P10",
                        "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                    )
                found.append((value, key(value, node)))
            elif whole_row:
                found.append((items[place], key(items[place], node)))
            else:
                item = items[place]
                shown = Expr(str(place + 1), item.type, sure=item.sure and item.plain, plain=True)
                found.append((item, key(shown, node)))
        return found

    def _place(self, node: exp.Expr, names: Sequence[str], items: Sequence[Expr]) -> int | None:
        """The output column that a key names. Two of one name are one if they are the same expression."""
        if (
            isinstance(node, exp.Column)
            and node.args.get("table") is None
            and not isinstance(node.this, exp.Star)
        ):
            found = [index for index, name in enumerate(names) if name == name_of(node.this)]
            if found and all(items[it].sql == items[found[0]].sql for it in found):
                return found[0]
        return _ordinal(node, names)

    def _name_windows(self) -> None:
        windows: dict[str, str] = {}
        for node in self._node.args.get("windows") or ():
            only(node, "this", "partition_by", "order", "spec", "alias")
            self._make.windows = windows
            windows[name_of(node.this)] = self._statement.aggregates.frame(self._make, node)
        self._make.windows = windows

    def _lock(self, *, grouped: bool) -> None:
        for lock in self._node.args.get("locks") or ():
            only(lock, "update", "expressions", "key")
            if grouped or self._node.args.get("distinct") is not None:
                raise failure("0A000", "FOR UPDATE is not allowed with DISTINCT or GROUP BY")
            self._statement.locks = True


def comparable(kind: str) -> str:
    """What is declared of a column of that type besides its class: what compares it."""
    found = TYPES[kind].collation
    return f' COLLATE "{found}"' if found else ""
