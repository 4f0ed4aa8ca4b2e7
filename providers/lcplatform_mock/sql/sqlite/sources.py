"""What a query reads from: tables, views, subqueries, functions, and how they are joined."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from lcplatform_mock.sql.sqlite import elsewhere, operators
from lcplatform_mock.sql.sqlite.casts import Cast, cast, common, settled
from lcplatform_mock.sql.sqlite.catalog import Table, mangled, no_table
from lcplatform_mock.sql.sqlite.expressions import Expressions
from lcplatform_mock.sql.sqlite.functions import missing
from lcplatform_mock.sql.sqlite.names import name_of, only
from lcplatform_mock.sql.sqlite.parsing import parse
from lcplatform_mock.sql.sqlite.scope import Expr, Field, Scope, Source, merged
from lcplatform_runtime.errors import LCPlatformError
from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.sqlstate import failure

if TYPE_CHECKING:
    from lcplatform_mock.sql.sqlite.results import Query
    from lcplatform_mock.sql.sqlite.statement import Statement

_ALL_JOINS: Final = sqlite3.sqlite_version_info >= (3, 39)


class Sources:
    """The FROM of one query.

    Attributes:
        star: what `*` stands for.
        parts: the conditions of joins.
        loose: the columns of queries around that stand in it.
    """

    def __init__(self, statement: Statement, scope: Scope, make: Expressions) -> None:
        self._statement = statement
        self._scope = scope
        self._make = make
        self._nameless = 0
        self._crossed = False
        self.star: list[Expr] = []
        self.parts: list[Expr] = []
        self.loose: frozenset[tuple[int, str]] = frozenset()

    def build(self, node: exp.Expr) -> str:
        """FROM and everything that is joined. Empty where there is none."""
        start = node.args.get("from_")
        joins = node.args.get("joins") or []
        if start is None:
            if joins:
                raise failure("42601", "syntax error")
            return ""
        return f" FROM {self.listed(start.this, joins)}"

    def listed(self, first: exp.Expr, joins: Sequence[exp.Expr]) -> str:
        """A source and those that are joined to it."""
        words, source = self._source(first)
        self.star = [self._scope.read(it) for it in source.fields]
        words += self._inner_joins(first)
        for join in joins:
            words += self._join(join)
        return words

    def all_of(self, alias: str) -> list[Expr]:
        """What `alias.*` stands for."""
        source = self._scope.source(alias)
        if source is None:
            raise failure("42P01", f'missing FROM-clause entry for table "{alias}"')
        return [self._scope.read(it) for it in source.fields]

    def _inner_joins(self, node: exp.Expr) -> str:
        """A table may carry its joins itself."""
        return "".join(self._join(it) for it in node.args.get("joins") or ())

    # --- joins

    def _join(self, join: exp.Expr) -> str:
        side, kind = self._kind(join)
        words, source = self._source(join.this)
        test = self._condition(join, source, side)
        if test is None:
            if side or kind in {"INNER", "OUTER"}:
                raise failure("42601", "a join needs its condition")
            self._crossed = True
            return f" CROSS JOIN {words}"
        if test.aggregate or test.window:
            raise failure("42803", "aggregate functions are not allowed in JOIN conditions")
        self.parts.append(test)
        if side in {"LEFT", "FULL"}:
            _make_nullable(source)
        if side in {"RIGHT", "FULL"}:
            for other in self._scope.sources[:-1]:
                _make_nullable(other)
        return f" {side + ' ' if side else ''}JOIN {words} ON {test.sql}"

    def _kind(self, join: exp.Expr) -> tuple[str, str]:
        """LEFT, RIGHT or FULL, and INNER, OUTER or CROSS."""
        only(join, "this", "on", "using", "side", "kind", "method")
        if join.args.get("method"):
            raise unsupported(f"{join.args['method']} JOIN")
        side = str(join.args.get("side") or "").upper()
        kind = str(join.args.get("kind") or "").upper()
        if side not in {"", "LEFT", "RIGHT", "FULL"} or kind not in {"", "INNER", "OUTER", "CROSS"}:
            raise unsupported(f"{side} {kind} JOIN")
        if side in {"RIGHT", "FULL"} and not _ALL_JOINS:
            raise unsupported(f"{side} JOIN with this version of SQLite")
        if self._crossed and side in {"RIGHT", "FULL"}:
            raise unsupported(f"{side} JOIN beside other tables", "put the join into a subquery")
        if join.this.args.get("joins"):
            raise unsupported("a join within a join")
        return side, kind

    def _condition(self, join: exp.Expr, source: Source, side: str) -> Expr | None:
        """What joins, if anything does; and what `*` stands for from then on."""
        right = [self._scope.read(it) for it in source.fields]
        names = [name_of(it) for it in join.args.get("using") or ()]
        if names:
            test = self._using(names, source, side)
            self.star = [
                *(self._scope.shared[it] for it in names),
                *(it for it in self.star if it.name not in names),
                *(it for it in right if it.name not in names),
            ]
            return test
        self.star += right
        on = join.args.get("on")
        return None if on is None else self._make.truth(on, "JOIN/ON")

    def _using(self, names: Sequence[str], source: Source, side: str) -> Expr:
        """The condition of USING, whose columns stand once in the result."""
        tests = []
        for name in names:
            left = self._left(name)
            found = next((it for it in source.fields if it.name == name), None)
            if found is None:
                raise failure(
                    "42703",
                    f'column "{name}" specified in USING clause does not exist in right table',
                )
            right = self._scope.read(found)
            tests.append(operators.compared("=", left, right))
            kind = common([left.type, right.type], "JOIN/USING")
            one, other = cast(left, kind, Cast.IMPLICIT), cast(right, kind, Cast.IMPLICIT)
            assert one is not None
            assert other is not None
            both = merged(f"coalesce({one.sql}, {other.sql})", kind, one, other)
            chosen = {"RIGHT": other, "FULL": both}.get(side, one)
            for it in self._scope.sources:
                it.hidden.add(name)
            self._scope.shared[name] = chosen.named(name)
        return merged(f"({' AND '.join(it.sql for it in tests)})", "bool", *tests)

    def _left(self, name: str) -> Expr:
        if name in self._scope.shared:
            return self._scope.shared[name]
        found = [
            it
            for source in self._scope.sources[:-1]
            for it in source.fields
            if it.name == name and name not in source.hidden
        ]
        if len(found) != 1:
            state = "42702" if found else "42703"
            raise failure(
                state, f'column "{name}" specified in USING clause is not one of the left table'
            )
        return self._scope.read(found[0])

    # --- sources

    def _source(self, node: exp.Expr) -> tuple[str, Source]:
        if isinstance(node, exp.Table):
            return self._table(node)
        if isinstance(node, exp.Subquery):
            only(node, "this", "alias", "joins")
            return self._derived(
                self._statement.query(node.this, self._scope.outer), node, "subquery"
            )
        if isinstance(node, exp.Values):
            from lcplatform_mock.sql.sqlite.queries import values

            return self._derived(values(self._statement, node, self._scope.outer), node, "values")
        if isinstance(node, exp.Unnest):
            only(node, "expressions", "alias", "offset")
            return self._elements("unnest", node.expressions, node)
        if isinstance(node, exp.Lateral):
            raise unsupported("LATERAL")
        raise unsupported(f"{type(node).__name__} in FROM")

    def _table(self, node: exp.Table) -> tuple[str, Source]:
        only(node, "this", "alias", "db", "joins", "ordinality")
        if node.args.get("ordinality"):
            raise unsupported("WITH ORDINALITY")
        if isinstance(node.this, exp.Anonymous):
            return self._function(node)
        schema = node.args.get("db")
        name = name_of(node.this)
        if schema is not None and name_of(schema) != "public":
            raise no_schema(name_of(schema), name)
        alias, names = _alias(node)
        if schema is None:
            for level in reversed(self._statement.tables):
                if name in level:
                    return self._named(name, level[name], alias or name, names)
        table = self._statement.catalog.tables.get(name)
        if table is not None:
            self._statement.uses.add(name)
            source = table_source(table, alias or name, names)
            self._scope.add(source)
            return f"{mangled(name)} AS {mangled(source.alias)}", source
        view = self._statement.catalog.views.get(name)
        if view is None:
            if name.startswith("pg_") or name == "information_schema":
                raise unsupported(f"the system table {name}")
            raise no_table(name)
        self._statement.uses.add(name)
        query = self._statement.query(parse(view.query), None)
        columns = tuple(
            (shown, kind) for (shown, _), (_, kind) in zip(view.columns, query.columns, strict=True)
        )
        return self._within(query.sql, columns, alias or name, names)

    def _named(self, name: str, query: Query, alias: str, names: list[str]) -> tuple[str, Source]:
        """A common table expression."""
        source = _source_of(query.columns, alias, names)
        self._scope.add(source)
        return f"{mangled(name)} AS {mangled(alias)}", source

    def _derived(self, query: Query, node: exp.Expr, what: str) -> tuple[str, Source]:
        alias, names = _alias(node)
        self.loose |= query.loose
        if alias is None:
            self._nameless += 1
            alias = f"%{what}{self._nameless}"
        return self._within(query.sql, query.columns, alias, names)

    def _within(
        self, sql: str, columns: Sequence[tuple[str, str]], alias: str, names: list[str]
    ) -> tuple[str, Source]:
        source = _source_of(columns, alias, names)
        self._scope.add(source)
        return f"({sql}) AS {mangled(alias)}", source

    # --- functions

    def _function(self, node: exp.Table) -> tuple[str, Source]:
        name = str(node.this.this).lower()
        if name == "generate_series":
            return self._series(node)
        if name in _ELEMENTS:
            return self._elements(name, node.this.expressions, node)
        if name in elsewhere.FUNCTIONS:
            raise unsupported(f"the function {name} in FROM")
        raise missing(name, [self._make(it) for it in node.this.expressions])

    def _arguments(self, nodes: Sequence[exp.Expr]) -> list[Expr]:
        """The arguments of a function, which can name nothing of this query: SQLite runs it first."""
        outside = Expressions(self._statement, Scope(self._scope.outer))
        try:
            return [outside(it) for it in nodes]
        except LCPlatformError:
            for it in nodes:
                self._make(it)
            raise unsupported("a function of other tables in FROM") from None

    def _series(self, node: exp.Table) -> tuple[str, Source]:
        given = self._arguments(node.this.expressions)
        if len(given) not in {2, 3}:
            raise missing("generate_series", given)
        kind = common([it.type for it in given[:2]], "generate_series")
        numbers = kind in {"int2", "int4", "int8"}
        kind = "int4" if kind == "int2" else kind
        if kind == "numeric":
            raise unsupported("generate_series of numeric")
        if kind == "date":
            kind = "timestamptz"
        if not numbers and (kind not in {"timestamp", "timestamptz"} or len(given) != 3):
            raise missing("generate_series", given)
        if len(given) == 3 and numbers:
            kind = common([kind, given[2].type], "generate_series")
        step_kind = kind if numbers else "interval"
        step = given[2] if len(given) == 3 else Expr("1", kind)
        parts = [
            cast(it, wanted, Cast.IMPLICIT)
            for it, wanted in ((given[0], kind), (given[1], kind), (step, step_kind))
        ]
        if any(it is None for it in parts):
            raise missing("generate_series", given)
        start, end, by = (it.sql for it in parts if it is not None)
        following = "n + s" if numbers else "pg_later(n, s)"
        words = (
            f"WITH RECURSIVE b(a, z, s, d) AS (SELECT {start}, {end}, {by}, pg_direction({by})),"
            " r(n, z, s, d) AS (SELECT a, z, s, d FROM b WHERE (d > 0 AND a <= z) OR (d < 0 AND a >= z)"
            f" UNION ALL SELECT {following}, z, s, d FROM r"
            f" WHERE (d > 0 AND {following} <= z) OR (d < 0 AND {following} >= z))"
            " SELECT n AS c0 FROM r"
        )
        for it in parts:
            if it is not None:
                self.loose |= it.loose
        alias, names = _alias(node)
        shown = alias or "generate_series"
        return self._within(words, ((shown, kind),), shown, names)

    def _elements(self, name: str, nodes: Sequence[exp.Expr], node: exp.Expr) -> tuple[str, Source]:
        """A function whose rows are the items of an array or of a JSON value."""
        if len(nodes) != 1:
            raise unsupported(f"{name} of several arrays")
        value = self._make(nodes[0])
        alias, names = _alias(node)
        shown = alias or name
        items, columns = _ELEMENTS[name](settled(value, "jsonb") if name != "unnest" else value)
        if name == "unnest" or len(columns) == 1:
            default = "value" if name.startswith("jsonb") and alias is None else shown
            columns = [(default, columns[0][1], columns[0][2])]
        offset = node.args.get("offset")
        if offset:
            place = name_of(offset) if isinstance(offset, exp.Identifier) else "ordinality"
            columns = [*columns, (place, "int8", "{0}.key + 1")]
        row = mangled(shown)
        fields = [
            Field(names[index] if index < len(names) else label, kind, words.format(row))
            for index, (label, kind, words) in enumerate(columns)
        ]
        source = Source(shown, fields)
        self._scope.add(source)
        self.parts.append(value)
        return f"json_each({items}) AS {row}", source


def _unnested(value: Expr) -> tuple[str, list[tuple[str, str, str]]]:
    if value.type is None or not value.type.endswith("[]"):
        raise missing("unnest", [value])
    item = value.type[:-2]
    if item == "bytea":
        raise unsupported("unnest of bytea[]")
    return f"pg_flat({value.sql})", [("unnest", item, "{0}.value")]


def _of_json(
    words: str, *columns: tuple[str, str, str]
) -> Callable[[Expr], tuple[str, list[tuple[str, str, str]]]]:
    def items(value: Expr) -> tuple[str, list[tuple[str, str, str]]]:
        if value.type != "jsonb":
            raise missing("a function of jsonb", [value])
        return words.format(value.sql), list(columns)

    return items


_ELEMENTS: Final[Mapping[str, Callable[[Expr], tuple[str, list[tuple[str, str, str]]]]]] = {
    "unnest": _unnested,
    "jsonb_array_elements": _of_json("pg_json_elements({})", ("value", "jsonb", "{0}.value")),
    "jsonb_array_elements_text": _of_json("pg_json_texts({})", ("value", "text", "{0}.value")),
    "jsonb_object_keys": _of_json("pg_json_names({})", ("jsonb_object_keys", "text", "{0}.value")),
    "jsonb_each": _of_json(
        "pg_json_pairs({})",
        ("key", "text", "json_extract({0}.value, '$[0]')"),
        ("value", "jsonb", "json_extract({0}.value, '$[1]')"),
    ),
    "jsonb_each_text": _of_json(
        "pg_json_text_pairs({})",
        ("key", "text", "json_extract({0}.value, '$[0]')"),
        ("value", "text", "json_extract({0}.value, '$[1]')"),
    ),
}


def no_schema(schema: str, name: str) -> LCPlatformError:
    """There is one schema. That of the system is not known here."""
    if schema in {"information_schema", "pg_catalog"}:
        return unsupported(f"the schema {schema}")
    return failure("42P01", f'relation "{schema}.{name}" does not exist')


def table_source(table: Table, alias: str, names: Sequence[str] = ()) -> Source:
    """A table as a source."""
    if len(names) > len(table.columns):
        raise failure("42P10", f'table "{alias}" has {len(table.columns)} columns available')
    fields = [
        Field(
            names[index] if index < len(names) else column.name,
            column.type,
            f"{mangled(alias)}.{mangled(column.name)}",
            column.not_null,
        )
        for index, column in enumerate(table.columns)
    ]
    return Source(alias, fields, table.name)


def _source_of(columns: Sequence[tuple[str, str]], alias: str, names: Sequence[str]) -> Source:
    if len(names) > len(columns):
        raise failure("42P10", f'table "{alias}" has {len(columns)} columns available')
    return Source(
        alias,
        [
            Field(names[index] if index < len(names) else name, kind, f"{mangled(alias)}.c{index}")
            for index, (name, kind) in enumerate(columns)
        ],
    )


def _alias(node: exp.Expr) -> tuple[str | None, list[str]]:
    """What a source is called, and its columns."""
    alias = node.args.get("alias")
    if alias is None:
        return None, []
    if not isinstance(alias, exp.TableAlias):
        return name_of(alias), []
    only(alias, "this", "columns")
    names = [name_of(it) for it in alias.args.get("columns") or ()]
    return (None if alias.this is None else name_of(alias.this)), names


def _make_nullable(source: Source) -> None:
    source.fields = [Field(it.name, it.type, it.sql) for it in source.fields]
