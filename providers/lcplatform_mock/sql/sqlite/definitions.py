"""Tables as SQLite is told them: what it keeps itself of their columns and constraints."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from sqlglot import exp

from lcplatform_mock.sql.sqlite.casts import cast
from lcplatform_mock.sql.sqlite.catalog import Catalog, Column, Constraint, Index, Table, mangled
from lcplatform_mock.sql.sqlite.expressions import Expressions
from lcplatform_mock.sql.sqlite.functions import VOLATILE
from lcplatform_mock.sql.sqlite.names import name_of
from lcplatform_mock.sql.sqlite.parsing import Dialect, parse
from lcplatform_mock.sql.sqlite.scope import Expr, Field, Scope, Source
from lcplatform_mock.sql.sqlite.statement import Statement
from lcplatform_mock.sql.sqlite.types import TYPES, collation
from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.sqlstate import failure


def bare_scope(table: Table) -> Scope:
    """The columns of a table where they have no table before their names: in its checks and indexes."""
    scope = Scope()
    fields = [Field(it.name, it.type, mangled(it.name), it.not_null) for it in table.columns]
    scope.add(Source(table.name, fields))
    return scope


def expression(catalog: Catalog, table: Table, sql: str) -> Expr:
    """An expression of the columns of a table, kept as SQL."""
    (node,) = parse(f"SELECT {sql}").expressions
    return Expressions(Statement(catalog), bare_scope(table))(node)


def kept(catalog: Catalog, table: Table, node: exp.Expr, what: str) -> str:
    """The SQL of an expression, to be kept. It must mean the same when it is read again."""
    if any(isinstance(it, exp.Query) for it in node.walk()):
        raise failure("0A000", f"cannot use subquery in {what}")
    if any(isinstance(it, exp.Parameter) for it in node.walk()):
        raise failure("42P02", "there is no parameter in a definition")
    make = Expressions(Statement(catalog), bare_scope(table))
    meant = make(node)
    if meant.aggregate or meant.window:
        raise failure("42803", f"aggregate functions are not allowed in {what}")
    sql = node.sql(dialect=Dialect, comments=False)
    again = expression(catalog, table, sql)
    if again.sql != meant.sql or again.type != meant.type:
        raise unsupported(f"this expression in {what}")
    return sql


def immutable(node: exp.Expr, what: str) -> None:
    """Refuses what does not give the same for the same row."""
    changing = {"now", "statement_timestamp", "transaction_timestamp", *VOLATILE}
    for it in node.walk():
        named = isinstance(it, exp.Anonymous) and str(it.this).lower() in changing
        if named or isinstance(
            it, exp.CurrentTimestamp | exp.CurrentDate | exp.Localtimestamp | exp.Localtime
        ):
            raise failure("42P17", f"functions in {what} must be marked IMMUTABLE")


def rendered(catalog: Catalog, table: Table) -> str:
    """CREATE TABLE in SQLite's words."""
    parts = [_column(catalog, table, it) for it in table.columns]
    for it in table.constraints:
        if it.kind == "check":
            assert it.check is not None
            parts.append(
                f"CONSTRAINT {mangled(it.name)} CHECK ({expression(catalog, table, it.check).sql})"
            )
        if it.kind == "foreign":
            parts.append(_foreign(it))
    return f"CREATE TABLE {mangled(table.name)} ({', '.join(parts)}) STRICT"


def _column(catalog: Catalog, table: Table, column: Column) -> str:
    kind = TYPES[column.type]
    order = f' COLLATE "{kind.collation}"' if kind.collation else ""
    words = f"{mangled(column.name)} {kind.storage}{order}"
    if table.rowid == column.name:
        return f"{words} PRIMARY KEY"
    if column.not_null:
        words += " NOT NULL"
    if column.generated is not None:
        value = cast(expression(catalog, table, column.generated), column.type)
        assert value is not None
        words += f" GENERATED ALWAYS AS ({value.sql}) STORED"
    return words


def _foreign(it: Constraint) -> str:
    columns = ", ".join(map(mangled, it.columns))
    keys = ", ".join(map(mangled, it.keys))
    words = f"CONSTRAINT {mangled(it.name)} FOREIGN KEY ({columns}) REFERENCES {mangled(it.table or '')} ({keys})"
    for event, action in (("DELETE", it.on_delete), ("UPDATE", it.on_update)):
        if action:
            words += f" ON {event} {action}"
    return words + (" DEFERRABLE INITIALLY DEFERRED" if it.deferred else "")


def unique_index(table: Table, it: Constraint) -> str | None:
    """The index that keeps a constraint; none where the row number does."""
    if it.kind == "primary" and table.rowid is not None:
        return None
    keys = ", ".join(f"{mangled(name)}{collation(table.column(name).type)}" for name in it.columns)
    return f"CREATE UNIQUE INDEX {mangled(it.name)} ON {mangled(table.name)} ({keys})"


def index_words(catalog: Catalog, table: Table, index: Index) -> str | None:
    """CREATE INDEX; none where the index is of a kind that SQLite does not have, and only makes things faster."""
    if not index.keys:
        return None
    keys = []
    for sql in index.keys:
        bare, direction = (sql[:-5], " DESC") if sql.endswith(" DESC") else (sql, "")
        value = expression(catalog, table, bare)
        keys.append(f"{value.sql}{collation(value.type)}{direction}")
    unique = "UNIQUE " if index.unique else ""
    words = (
        f"CREATE {unique}INDEX {mangled(index.name)} ON {mangled(table.name)} ({', '.join(keys)})"
    )
    if index.where is not None:
        words += f" WHERE {expression(catalog, table, index.where).sql}"
    return words


def columns_in(node: exp.Expr) -> tuple[str, ...]:
    """The columns that an expression names."""
    found = dict.fromkeys(name_of(it.this) for it in node.find_all(exp.Column))
    return tuple(found)


def columns_of(sql: str) -> tuple[str, ...]:
    """The columns that an expression names that is kept as SQL."""
    return columns_in(parse(f"SELECT {sql}"))


def rewritten(sql: str, change: Callable[[str], str]) -> str:
    """An expression that is kept as SQL, with other names for its columns."""
    direction = " DESC" if sql.endswith(" DESC") else ""
    (node,) = parse(f"SELECT {sql.removesuffix(' DESC')}").expressions

    def renamed(it: exp.Expr) -> exp.Expr:
        if isinstance(it, exp.Column) and isinstance(it.this, exp.Identifier):
            old = name_of(it.this)
            new = change(old)
            if new != old:
                return exp.Column(this=exp.to_identifier(new, quoted=True))
        return it

    return str(node.transform(renamed).sql(dialect=Dialect, comments=False)) + direction


def with_renamed_column(table: Table, old: str, new: str) -> Table:
    """A table in which a column has another name."""

    def change(name: str) -> str:
        return new if name == old else name

    def changed(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(map(change, names))

    def expressed(sql: str | None) -> str | None:
        return None if sql is None else rewritten(sql, change)

    return replace(
        table,
        rowid=change(table.rowid) if table.rowid else None,
        columns=tuple(
            replace(it, name=change(it.name), generated=expressed(it.generated))
            for it in table.columns
        ),
        constraints=tuple(
            replace(
                it,
                columns=changed(it.columns),
                check=expressed(it.check),
                keys=changed(it.keys) if it.table == table.name else it.keys,
            )
            for it in table.constraints
        ),
        indexes=tuple(
            replace(
                it,
                keys=tuple(rewritten(key, change) for key in it.keys),
                columns=changed(it.columns),
                where=expressed(it.where),
                uses=changed(it.uses),
            )
            for it in table.indexes
        ),
    )
