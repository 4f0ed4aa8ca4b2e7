"""INSERT, UPDATE and DELETE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlglot import exp

from lcplatform_mock.sql.sqlite.casts import assigned, settled
from lcplatform_mock.sql.sqlite.catalog import Column, Table, mangled
from lcplatform_mock.sql.sqlite.compiled import Compiled, shown
from lcplatform_mock.sql.sqlite.expressions import Expressions
from lcplatform_mock.sql.sqlite.lexing import quoted
from lcplatform_mock.sql.sqlite.names import name_of, only
from lcplatform_mock.sql.sqlite.parsing import parse
from lcplatform_mock.sql.sqlite.scope import Expr, Field, Scope, Source
from lcplatform_mock.sql.sqlite.sources import Sources, table_source
from lcplatform_mock.sql.sqlite.statement import Statement
from lcplatform_mock.sql.sqlite.types import Declared, collation
from lcplatform_runtime.errors import LCPlatformError
from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.sqlstate import failure

_INSERT: Final = ("this", "expression", "conflict", "returning", "default", "with_")


def shape_of(column: Column) -> Declared:
    """The type of a column with its modifiers."""
    return Declared(column.type, column.size, column.scale)


def default_of(statement: Statement, column: Column) -> Expr:
    """What a column holds that is not given."""
    if column.sequence is not None and column.default is None:
        statement.writes = True
        return assigned(
            Expr(f"pg_nextval({quoted(column.sequence)})", "int8", sure=True),
            shape_of(column),
            column.name,
        )
    if column.default is None:
        return Expr("NULL", column.type)
    select = parse(f"SELECT {column.default}")
    return assigned(
        Expressions(statement, Scope())(select.expressions[0]), shape_of(column), column.name
    )


def stored(table: Table, column: Column, value: Expr) -> str:
    """The words for a value of a column. SQLite would make a number of its own where its row number is null."""
    if table.rowid == column.name and not value.sure:
        return f"coalesce({value.sql}, pg_not_null({quoted(table.name)}, {quoted(column.name)}))"
    return value.sql


def _target(statement: Statement, node: exp.Expr) -> tuple[Table, str]:
    """The table that is changed, and what it is called there."""
    if not isinstance(node, exp.Table):
        raise unsupported("changing something other than a table")
    only(node, "this", "alias", "db")
    schema = node.args.get("db")
    if schema is not None and name_of(schema) != "public":
        raise unsupported(f"the schema {name_of(schema)}")
    name = name_of(node.this)
    if name in statement.catalog.views:
        raise unsupported("changing a view")
    table = statement.catalog.table(name)
    alias = node.args.get("alias")
    return table, name if alias is None else name_of(alias.this)


def _is_default(node: exp.Expr) -> bool:
    if isinstance(node, exp.Var):
        return node.name.upper() == "DEFAULT"
    return (
        isinstance(node, exp.Column)
        and isinstance(node.this, exp.Identifier)
        and not node.this.args.get("quoted")
        and node.args.get("table") is None
        and node.name.upper() == "DEFAULT"
    )


def _returning(
    statement: Statement, table: Table, alias: str, node: exp.Expr | None, *, others: bool
) -> tuple[str, list[tuple[str, str]]]:
    """RETURNING, which SQLite lets name the columns of the table alone."""
    if node is None:
        return "", []
    only(node, "expressions")
    scope = Scope()
    fields = [Field(it.name, it.type, mangled(it.name), it.not_null) for it in table.columns]
    scope.add(Source(alias, fields))
    make = Expressions(statement, scope)
    items: list[Expr] = []
    for it in node.expressions:
        if isinstance(it, exp.Star):
            if others:
                raise unsupported("RETURNING * with other tables")
            items += [scope.read(field) for field in fields]
        elif isinstance(it, exp.Column) and isinstance(it.this, exp.Star):
            if name_of(it.args["table"]) != alias:
                raise unsupported("RETURNING columns of another table")
            items += [scope.read(field) for field in fields]
        else:
            items.append(_returned(make, it, others=others))
    words = ", ".join(f"{it.sql} AS c{index}" for index, it in enumerate(items))
    return f" RETURNING {words}", [(it.name, str(it.type)) for it in items]


def _returned(make: Expressions, node: exp.Expr, *, others: bool) -> Expr:
    """One expression of RETURNING."""
    inner, name = node, None
    if isinstance(node, exp.Alias):
        inner, name = node.this, name_of(node.args["alias"], label=True)
    try:
        found = settled(make(inner), "text")
    except LCPlatformError as error:
        if others and error.details.get("sqlstate") in {"42P01", "42703"}:
            raise unsupported("RETURNING columns of another table") from None
        raise
    if found.aggregate:
        raise failure("42803", "aggregate functions are not allowed in RETURNING")
    if any(inner.find_all(exp.Query)):
        raise unsupported("a subquery in RETURNING")
    return found.named(name) if name else found


def _compiled(
    statement: Statement,
    verb: str,
    sql: str,
    table: Table,
    columns: list[tuple[str, str]],
    check: tuple[str, str] | None = None,
) -> Compiled:
    statement.check_parameters()
    told, readers, plain = shown(columns, returned=True)
    return Compiled(
        verb=verb,
        sql=sql,
        columns=told,
        readers=readers,
        plain=plain,
        writes=True,
        counts=True,
        table=table.name,
        check=check,
        uses=frozenset(statement.uses),
        width=statement.highest,
    )


# --- INSERT


def insert(statement: Statement, node: exp.Insert) -> Compiled:
    """INSERT."""
    only(node, *_INSERT)
    if node.args.get("with_"):
        raise unsupported("WITH before INSERT")
    target = node.this
    named: list[str] = []
    if isinstance(target, exp.Schema):
        named = [_column_name(it) for it in target.expressions]
        target = target.this
    table, alias = _target(statement, target)
    columns = [table.column(it) for it in named] if named else list(table.columns)
    if len({it.name for it in columns}) < len(columns):
        raise failure("42701", "a column is specified more than once")
    words, source = _source(statement, node, table, columns, given=bool(named))
    conflict, check = _conflict(statement, node, table, alias, source)
    returning, shown_columns = _returning(
        statement, table, alias, node.args.get("returning"), others=False
    )
    into = f"INSERT INTO {mangled(table.name)} AS {mangled(alias)}"
    return _compiled(
        statement, "INSERT", f"{into} {words}{conflict}{returning}", table, shown_columns, check
    )


def _column_name(node: exp.Expr) -> str:
    if isinstance(node, exp.Identifier):
        return name_of(node)
    raise unsupported("an INSERT into a part of a column")


class _Rows:
    """What is inserted: as a query, for a check, and the columns that it gives."""

    def __init__(self, columns: list[Column], query: str | None, *, several: bool) -> None:
        self.columns = columns
        self.query = query
        self.several = several


def _source(
    statement: Statement, node: exp.Insert, table: Table, columns: list[Column], *, given: bool
) -> tuple[str, _Rows]:
    body = node.args.get("expression")
    written = [it for it in table.columns if it.generated is None]
    names = ", ".join(mangled(it.name) for it in written)
    if body is None:
        if not node.args.get("default"):
            raise failure("42601", "syntax error")
        cells = _filled(statement, table, written, {})
        return f"({names}) VALUES ({', '.join(cells)})", _Rows([], None, several=False)
    while isinstance(body, exp.Subquery) and not body.args.get("alias"):
        body = body.this
    if isinstance(body, exp.Values) and not any(
        body.args.get(it) for it in ("order", "limit", "offset")
    ):
        return _from_values(statement, table, columns, written, body, given=given)
    query = statement.query(body, None, wanted=[it.type for it in columns])
    columns = _matching(columns, len(query.columns), given=given)
    values = {
        column.name: assigned(Expr(f"q.c{index}", kind), shape_of(column), column.name)
        for index, (column, (_, kind)) in enumerate(zip(columns, query.columns, strict=True))
    }
    _check_generated(columns, [False] * len(columns))
    cells = _filled(statement, table, written, values)
    # WHERE keeps ON CONFLICT from being read as the condition of a join.
    words = f"({names}) SELECT {', '.join(cells)} FROM ({query.sql}) AS q WHERE true"
    keys = ", ".join(f"{values[it.name].sql} AS {mangled(it.name)}" for it in columns)
    return words, _Rows(columns, f"SELECT {keys} FROM ({query.sql}) AS q", several=not query.single)


def _from_values(
    statement: Statement,
    table: Table,
    columns: list[Column],
    written: Sequence[Column],
    body: exp.Values,
    *,
    given: bool,
) -> tuple[str, _Rows]:
    only(body, "expressions")
    make = Expressions(statement, Scope())
    widths = {len(row.expressions) for row in body.expressions}
    if len(widths) > 1:
        raise failure("42601", "VALUES lists must all be the same length")
    columns = _matching(columns, widths.pop(), given=given)
    rows = []
    checks = []
    for row in body.expressions:
        cells = row.expressions
        defaults = [_is_default(it) for it in cells]
        _check_generated(columns, defaults)
        # All of them before any is given its column's type, as it matters to parameters whose types their places decide.
        made = [
            (column, make(cell))
            for column, cell, default in zip(columns, cells, defaults, strict=True)
            if not default
        ]
        values = {it.name: assigned(cell, shape_of(it), it.name) for it, cell in made}
        rows.append(f"({', '.join(_filled(statement, table, written, values))})")
        checks.append(
            "SELECT "
            + ", ".join(
                f"{values[it.name].sql if it.name in values else 'NULL'} AS {mangled(it.name)}"
                for it in columns
            )
        )
    names = ", ".join(mangled(it.name) for it in written)
    query = " UNION ALL ".join(checks) if 1 < len(checks) <= _MOST_CHECKED else None
    return f"({names}) VALUES {', '.join(rows)}", _Rows(columns, query, several=len(rows) > 1)


_MOST_CHECKED: Final = 400


def _matching(columns: list[Column], width: int, *, given: bool) -> list[Column]:
    """The columns for so many values."""
    if width > len(columns):
        raise failure("42601", "INSERT has more expressions than target columns")
    if given and width < len(columns):
        raise failure("42601", "INSERT has more target columns than expressions")
    return columns[:width]


def _check_generated(columns: Sequence[Column], defaults: Sequence[bool]) -> None:
    for column, default in zip(columns, defaults, strict=True):
        if not default and (column.generated is not None or column.identity == "always"):
            raise failure("428C9", f'cannot insert a non-DEFAULT value into column "{column.name}"')


def _filled(
    statement: Statement, table: Table, written: Sequence[Column], values: dict[str, Expr]
) -> list[str]:
    """A value for every column."""
    return [
        stored(table, it, values[it.name] if it.name in values else default_of(statement, it))
        for it in written
    ]


def _conflict(
    statement: Statement, node: exp.Insert, table: Table, alias: str, rows: _Rows
) -> tuple[str, tuple[str, str] | None]:
    """ON CONFLICT."""
    conflict = node.args.get("conflict")
    if conflict is None:
        return "", None
    only(
        conflict, "conflict_keys", "constraint", "action", "expressions", "where", "index_predicate"
    )
    action = str(conflict.args["action"].name).upper()
    keys = _arbiter(table, conflict)
    target = f" ({', '.join(f'{mangled(it)}{_order(table, it)}' for it in keys)})" if keys else ""
    scope = Scope()
    scope.add(Source(alias, [Field(it.name, it.type, mangled(it.name)) for it in table.columns]))
    predicate = conflict.args.get("index_predicate")
    if predicate is not None:
        target += f" WHERE {Expressions(statement, scope).truth(predicate.this, 'WHERE').sql}"
    if action == "DO NOTHING":
        return f" ON CONFLICT{target} DO NOTHING", None
    if not keys:
        raise failure(
            "42601", "ON CONFLICT DO UPDATE requires inference specification or constraint name"
        )
    scope = Scope()
    scope.add(table_source(table, alias))
    scope.add(
        Source(
            "excluded",
            [Field(it.name, it.type, f"excluded.{mangled(it.name)}") for it in table.columns],
        )
    )
    make = Expressions(statement, scope)
    sets = _assignments(statement, make, table, conflict.expressions)
    where = conflict.args.get("where")
    condition = "" if where is None else f" WHERE {make.truth(where.this, 'WHERE').sql}"
    words = f" ON CONFLICT{target} DO UPDATE SET {', '.join(sets)}{condition}"
    return words, _twice(statement, table, keys, rows)


def _arbiter(table: Table, conflict: exp.OnConflict) -> tuple[str, ...]:
    """The columns whose uniqueness decides."""
    constraint = conflict.args.get("constraint")
    if constraint is not None:
        name = name_of(constraint)
        for it in table.constraints:
            if it.name == name and it.kind in {"primary", "unique"}:
                return it.columns
        raise failure("42704", f'constraint "{name}" for table "{table.name}" does not exist')
    keys = []
    for it in conflict.args.get("conflict_keys") or ():
        inner = it.this if isinstance(it, exp.Ordered) else it
        if isinstance(inner, exp.Column) and inner.args.get("table") is None:
            keys.append(name_of(inner.this))
        elif isinstance(inner, exp.Identifier):
            keys.append(name_of(inner))
        else:
            raise unsupported("ON CONFLICT of an expression")
    for name in keys:
        table.column(name)
    if keys and table.unique_on(tuple(keys)) is None:
        raise failure(
            "42P10",
            "there is no unique or exclusion constraint matching the ON CONFLICT specification",
        )
    return tuple(keys)


def _order(table: Table, column: str) -> str:
    return collation(table.column(column).type)


def _twice(
    statement: Statement, table: Table, keys: Sequence[str], rows: _Rows
) -> tuple[str, str] | None:
    """Finds rows of one statement that would change the same row, which PostgreSQL refuses."""
    if not rows.several:
        return None
    if rows.query is None:
        raise unsupported(f"ON CONFLICT DO UPDATE of more than {_MOST_CHECKED} rows of VALUES")
    given = {it.name for it in rows.columns}
    if not given.issuperset(keys):
        return None
    by = ", ".join(f"{mangled(it)}{_order(table, it)}" for it in keys)
    there = " AND ".join(f"{mangled(it)} IS NOT NULL" for it in keys)
    if statement.highest:  # it takes the same parameters
        there += f" AND (true OR ?{statement.highest})"
    words = f"SELECT 1 FROM ({rows.query}) WHERE {there} GROUP BY {by} HAVING count(*) > 1 LIMIT 1"
    return words, "21000"


def _assignments(
    statement: Statement, make: Expressions, table: Table, nodes: Sequence[exp.Expr]
) -> list[str]:
    """SET."""
    sets = []
    seen = set()
    for node in nodes:
        if not isinstance(node, exp.EQ) or not isinstance(node.this, exp.Column):
            raise unsupported("SET of several columns at once")
        if node.this.args.get("table") is not None:
            raise failure("42703", "a column to be set has no table before its name")
        column = table.column(name_of(node.this.this))
        if column.name in seen:
            raise failure("42601", f'multiple assignments to same column "{column.name}"')
        seen.add(column.name)
        default = _is_default(node.expression)
        if not default and (column.generated is not None or column.identity == "always"):
            raise failure("428C9", f'column "{column.name}" can only be updated to DEFAULT')
        if column.generated is not None:
            continue
        value = (
            default_of(statement, column)
            if default
            else assigned(make(node.expression), shape_of(column), column.name)
        )
        if value.aggregate or value.window:
            raise failure("42803", "aggregate functions are not allowed in UPDATE")
        sets.append(f"{mangled(column.name)} = {stored(table, column, value)}")
    return sets


# --- UPDATE


def update(statement: Statement, node: exp.Update) -> Compiled:
    """UPDATE."""
    only(node, "this", "expressions", "from_", "where", "returning", "with_")
    if node.args.get("with_"):
        raise unsupported("WITH before UPDATE")
    table, alias = _target(statement, node.this)
    scope = Scope()
    scope.add(table_source(table, alias))
    make = Expressions(statement, scope)
    others = Sources(statement, scope, make)
    start = node.args.get("from_")
    from_ = (
        "" if start is None else f" FROM {others.listed(start.this, node.args.get('joins') or ())}"
    )
    sets = _assignments(statement, make, table, node.expressions)
    where = _condition(make, node)
    returning, columns = _returning(
        statement, table, alias, node.args.get("returning"), others=start is not None
    )
    if not sets:
        raise unsupported("UPDATE of generated columns alone")
    words = f"UPDATE {mangled(table.name)} AS {mangled(alias)} SET {', '.join(sets)}{from_}{where}{returning}"
    return _compiled(statement, "UPDATE", words, table, columns)


def _condition(make: Expressions, node: exp.Expr) -> str:
    where = node.args.get("where")
    if where is None:
        return ""
    test = make.truth(where.this, "WHERE")
    if test.aggregate:
        raise failure("42803", "aggregate functions are not allowed in WHERE")
    if test.window:
        raise failure("42P20", "window functions are not allowed in WHERE")
    return f" WHERE {test.sql}"


# --- DELETE


def delete(statement: Statement, node: exp.Delete) -> Compiled:
    """DELETE."""
    only(node, "this", "using", "where", "returning", "with_")
    if node.args.get("with_"):
        raise unsupported("WITH before DELETE")
    table, alias = _target(statement, node.this)
    scope = Scope()
    scope.add(table_source(table, alias))
    make = Expressions(statement, scope)
    using = node.args.get("using") or []
    others = Sources(statement, scope, make)
    returning, columns = _returning(
        statement, table, alias, node.args.get("returning"), others=bool(using)
    )
    name = f"{mangled(table.name)} AS {mangled(alias)}"
    if not using:
        words = f"DELETE FROM {name}{_condition(make, node)}{returning}"
        return _compiled(statement, "DELETE", words, table, columns)
    listed = ", ".join(others.listed(it, ()) for it in using)
    where = _condition(make, node)
    rows = f"SELECT {mangled(alias)}.rowid FROM {name}, {listed}{where}"
    words = f"DELETE FROM {mangled(table.name)} WHERE rowid IN ({rows}){returning}"
    return _compiled(statement, "DELETE", words, table, columns)
