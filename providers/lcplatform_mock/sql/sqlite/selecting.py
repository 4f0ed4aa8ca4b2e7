"""SELECT: its columns, its groups, its order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from lcplatform_mock.sql.sqlite.casts import Cast, cast, settled
from lcplatform_mock.sql.sqlite.catalog import mangled
from lcplatform_mock.sql.sqlite.expressions import Expressions
from lcplatform_mock.sql.sqlite.grouping import key
from lcplatform_mock.sql.sqlite.names import name_of, only
from lcplatform_mock.sql.sqlite.results import Query, Wanted, limits, ordinal
from lcplatform_mock.sql.sqlite.scope import Expr, Scope
from lcplatform_mock.sql.sqlite.sources import Sources
from lcplatform_mock.sql.sqlite.types import collation
from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.sqlstate import failure

if TYPE_CHECKING:
    from lcplatform_mock.sql.sqlite.statement import Statement


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


class Select:
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
        return ordinal(node, names)

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
