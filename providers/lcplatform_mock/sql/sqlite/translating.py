"""A statement of PostgreSQL's becomes one of SQLite's, or is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sqlglot import exp

from lcplatform_mock.sql.sqlite.altering import alter
from lcplatform_mock.sql.sqlite.catalog import Catalog
from lcplatform_mock.sql.sqlite.compiled import Compiled, shown
from lcplatform_mock.sql.sqlite.dropping import drop, truncate
from lcplatform_mock.sql.sqlite.parsing import parse
from lcplatform_mock.sql.sqlite.schema import (
    create_index,
    create_sequence,
    create_table,
    create_view,
)
from lcplatform_mock.sql.sqlite.statement import Statement
from lcplatform_mock.sql.sqlite.writing import delete, insert, update
from lcplatform_runtime.sql.words import only_statement, unsupported

_CREATES: Final[Mapping[str, Callable[[Catalog, exp.Create], Compiled]]] = {
    "TABLE": create_table,
    "INDEX": create_index,
    "SEQUENCE": create_sequence,
    "VIEW": create_view,
}
_WRITES: Final[Mapping[type, Callable[[Statement, exp.Expr], Compiled]]] = {
    exp.Insert: insert,  # type: ignore[dict-item]  # each is given the node that it is for
    exp.Update: update,  # type: ignore[dict-item]
    exp.Delete: delete,  # type: ignore[dict-item]
}
_CHANGES: Final[Mapping[type, Callable[[Catalog, exp.Expr], Compiled]]] = {
    exp.Alter: alter,  # type: ignore[dict-item]
    exp.Drop: drop,  # type: ignore[dict-item]
    exp.TruncateTable: truncate,  # type: ignore[dict-item]
}


def translate(catalog: Catalog, sql: str, kinds: tuple[str | None, ...] = ()) -> Compiled:
    """The statement for SQLite.

    Args:
        catalog: the schema that it is for.
        sql: the statement.
        kinds: the types of its parameters; None where the place decides.

    Raises:
        ValidationError: PostgreSQL would refuse it as well.
        UnsupportedError: PostgreSQL might take it, and SQLite would not do the same.
    """
    node = parse(only_statement(sql))
    try:
        return _translated(catalog, node, kinds)
    except RecursionError:
        problem = unsupported("a statement that is nested so deeply")
    raise problem


def _translated(catalog: Catalog, node: exp.Expr, kinds: tuple[str | None, ...]) -> Compiled:
    if isinstance(node, exp.Query | exp.Values | exp.Subquery):
        return _query(Statement(catalog, kinds), node)
    write = _WRITES.get(type(node))
    if write is not None:
        return write(Statement(catalog, kinds), node)
    change = _CHANGES.get(type(node))
    if change is not None:
        return change(catalog, node)
    if isinstance(node, exp.Create):
        kind = str(node.args.get("kind") or "").upper()
        create = _CREATES.get(kind)
        if create is None:
            raise unsupported(f"CREATE {kind}")
        if node.args.get("replace"):
            raise unsupported(f"CREATE OR REPLACE {kind}")
        return create(catalog, node)
    if isinstance(node, exp.Command):
        raise unsupported(str(node.this).upper())
    raise unsupported(f"the statement {type(node).__name__}")


def _query(statement: Statement, node: exp.Expr) -> Compiled:
    query = statement.query(node, None)
    statement.check_parameters()
    columns, readers, plain = shown(query.columns)
    return Compiled(
        verb="SELECT FOR UPDATE"
        if statement.locks
        else ("nextval()" if statement.writes else "SELECT"),
        sql=query.sql,
        columns=columns,
        readers=readers,
        plain=plain,
        writes=statement.writes or statement.locks,
        uses=frozenset(statement.uses),
        width=statement.highest,
    )
