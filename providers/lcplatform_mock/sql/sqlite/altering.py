"""ALTER TABLE: SQLite changes some of it itself; for the rest the definition of the table is put in place of the old one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from sqlglot import exp

from lcplatform_mock.sql.sqlite.casts import Cast, how
from lcplatform_mock.sql.sqlite.catalog import Catalog, Column, Constraint, Table, mangled
from lcplatform_mock.sql.sqlite.compiled import Compiled, Step
from lcplatform_mock.sql.sqlite.definitions import (
    expression,
    rendered,
    unique_index,
    with_renamed_column,
)
from lcplatform_mock.sql.sqlite.names import name_of, only
from lcplatform_mock.sql.sqlite.schema import NewTable, changed, run, unqualified
from lcplatform_mock.sql.sqlite.statement import Statement
from lcplatform_mock.sql.sqlite.types import TYPES, Declared, declared
from lcplatform_mock.sql.sqlite.writing import default_of
from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.sqlstate import failure


def alter(catalog: Catalog, node: exp.Alter) -> Compiled:
    """ALTER TABLE."""
    only(node, "this", "kind", "exists", "actions", "only")
    if str(node.args.get("kind") or "").upper() != "TABLE":
        raise unsupported(f"ALTER {node.args.get('kind')}")
    name = unqualified(node.this)
    if name not in catalog.tables and node.args.get("exists"):
        return Compiled(verb="ALTER TABLE", writes=True)
    catalog.table(name)
    change = _Change(catalog, name)
    for action in node.args["actions"]:
        change.apply(action)
    return changed("ALTER TABLE", change.catalog, change.steps)


class _Change:
    """A table that is being altered, one action after the other."""

    def __init__(self, catalog: Catalog, name: str) -> None:
        self.catalog = catalog
        self.steps: list[Step] = []
        self._name = name

    @property
    def _table(self) -> Table:
        return self.catalog.tables[self._name]

    def apply(self, action: exp.Expr) -> None:
        """One action."""
        handler = _ACTIONS.get(type(action))
        if handler is None:
            raise unsupported(f"ALTER TABLE {type(action).__name__}")
        handler(self, action)

    def edit(self, table: Table) -> None:
        """Gives the table another definition. Its rows stay as they are."""
        self.catalog = self.catalog.with_table(table)
        self.steps.append(Step("edit", rendered(self.catalog, table), table.name))

    # --- columns

    def add_column(self, node: exp.ColumnDef) -> None:
        name = name_of(node.this)
        if self._table.find(name) is not None:
            if node.args.get("exists"):
                return
            raise failure("42701", f'column "{name}" of relation "{self._name}" already exists')
        before = len(self._table.constraints)
        new = NewTable(self.catalog, self._name)
        new.table = self._table
        new.add_column(node)
        column = new.table.column(name)
        if column.generated is not None:
            raise unsupported("adding a generated column")
        self.catalog = new.catalog
        quoted = mangled(name)
        table = mangled(self._name)
        kind = TYPES[column.type]
        order = f' COLLATE "{kind.collation}"' if kind.collation else ""
        self.steps += run(f"ALTER TABLE {table} ADD COLUMN {quoted} {kind.storage}{order}")
        filled = default_of(Statement(self.catalog), column)
        if filled.sql != "NULL":
            self.steps += run(f"UPDATE {table} SET {quoted} = {filled.sql}")
        if column.not_null:
            self._check_null(name)
        self._added(new.table, new.table.constraints[before:])

    def _added(self, table: Table, constraints: tuple[Constraint, ...]) -> None:
        """Constraints that are new: rows that break them are refused."""
        for it in constraints:
            if it.kind == "check":
                assert it.check is not None
                test = expression(self.catalog, table, it.check).sql
                self._refuse(f"NOT {test}", "23514", it)
            if it.kind == "foreign":
                own = [mangled(name) for name in it.columns]
                given = " AND ".join(f"{name} IS NOT NULL" for name in own)
                there = " AND ".join(
                    f"o.{mangled(key)} = t.{name}" for key, name in zip(it.keys, own, strict=True)
                )
                other = mangled(it.table or "")
                self._refuse(
                    f"{given} AND NOT EXISTS (SELECT 1 FROM {other} AS o WHERE {there})",
                    "23503",
                    it,
                )
        self.edit(table)
        for it in constraints:
            if it.kind in {"primary", "unique"}:
                self.steps += run(unique_index(table, it))

    def _refuse(self, test: str, sqlstate: str, it: Constraint) -> None:
        sql = f"SELECT 1 FROM {mangled(self._name)} AS t WHERE {test} LIMIT 1"
        details = (("constraint", it.name), ("table", self._name))
        self.steps.append(Step("refuse", sql, sqlstate=sqlstate, details=details))

    def _check_null(self, name: str) -> None:
        sql = f"SELECT 1 FROM {mangled(self._name)} WHERE {mangled(name)} IS NULL LIMIT 1"
        details = (("table", self._name), ("column", name))
        self.steps.append(Step("refuse", sql, sqlstate="23502", details=details))

    def drop(self, node: exp.Drop) -> None:
        only(node, "tables", "kind", "exists", "cascade", "restrict")
        (target,) = node.args["tables"]
        name = name_of(target.this)
        kind = str(node.args.get("kind") or "").upper()
        cascade = bool(node.args.get("cascade"))
        if kind == "COLUMN":
            self._drop_column(name, exists=bool(node.args.get("exists")), cascade=cascade)
        elif kind == "CONSTRAINT":
            self._drop_constraint(name, exists=bool(node.args.get("exists")), cascade=cascade)
        else:
            raise unsupported(f"ALTER TABLE DROP {kind}")

    def _drop_column(self, name: str, *, exists: bool, cascade: bool) -> None:
        table = self._table
        if table.find(name) is None:
            if exists:
                return
            raise failure("42703", f'column "{name}" of relation "{self._name}" does not exist')
        self._check_droppable(table, name)
        for other, constraint in self.catalog.referring_to(self._name):
            if name in constraint.keys:
                if not cascade:
                    raise failure(
                        "2BP01",
                        f"cannot drop column {name} because {constraint.name} depends on it",
                    )
                self._strip(other, constraint)
        unique = [it for it in table.constraints if it.kind in {"primary", "unique"}]
        gone = [it.name for it in unique if name in it.columns]
        gone += [index.name for index in table.indexes if name in index.uses and index.keys]
        self.steps += [Step("run", f"DROP INDEX {mangled(it)}") for it in gone]
        rest = replace(
            table,
            constraints=tuple(it for it in table.constraints if name not in it.columns),
            indexes=tuple(it for it in table.indexes if name not in it.uses),
        )
        if rest.constraints != table.constraints:
            self.edit(rest)
        self.steps += run(f"ALTER TABLE {mangled(self._name)} DROP COLUMN {mangled(name)}")
        sequence = table.column(name).sequence
        if sequence is not None:
            self.catalog = self.catalog.without_sequence(sequence)
        left = tuple(it for it in rest.columns if it.name != name)
        self.catalog = self.catalog.with_table(replace(rest, columns=left))

    def _check_droppable(self, table: Table, name: str) -> None:
        self._no_views()
        if table.rowid == name:
            raise unsupported("dropping the column of a primary key")
        if len(table.columns) == 1:
            raise unsupported("dropping the only column")
        if any(it.generated is not None and name in _used(it) for it in table.columns):
            raise unsupported("dropping a column on which a generated one depends")

    def _strip(self, table: Table, constraint: Constraint) -> None:
        """Takes a foreign key from another table."""
        rest = tuple(it for it in table.constraints if it.name != constraint.name)
        self.edit(replace(self.catalog.tables[table.name], constraints=rest))

    def _drop_constraint(self, name: str, *, exists: bool, cascade: bool) -> None:
        table = self._table
        found = next((it for it in table.constraints if it.name == name), None)
        if found is None:
            if exists:
                return
            raise failure("42704", f'constraint "{name}" of relation "{self._name}" does not exist')
        if found.kind in {"primary", "unique"}:
            for other, foreign in self.catalog.referring_to(self._name):
                if set(foreign.keys) == set(found.columns):
                    if not cascade:
                        raise failure(
                            "2BP01",
                            f"cannot drop constraint {name} because {foreign.name} depends on it",
                        )
                    self._strip(other, foreign)
            if found.kind == "primary" and table.rowid is not None:
                raise unsupported("dropping a primary key that is one integer")
            self.steps += run(f"DROP INDEX {mangled(name)}")
        rest = tuple(it for it in table.constraints if it.name != name)
        self.edit(replace(table, constraints=rest))

    def add_constraint(self, node: exp.AddConstraint) -> None:
        only(node, "expressions")
        before = len(self._table.constraints)
        new = NewTable(self.catalog, self._name)
        new.table = self._table
        for it in node.expressions:
            new.add_constraint(it)
        for it in new.table.columns:
            if it.not_null and not self._table.column(it.name).not_null:
                self._check_null(it.name)
        self._added(new.table, new.table.constraints[before:])

    def rename_column(self, node: exp.RenameColumn) -> None:
        only(node, "this", "to", "exists")
        old, new = name_of(node.this.this), name_of(node.args["to"].this)
        table = self._table
        table.column(old)
        if table.find(new) is not None:
            raise failure("42701", f'column "{new}" of relation "{self._name}" already exists')
        self._no_views()
        self.steps += run(
            f"ALTER TABLE {mangled(self._name)} RENAME COLUMN {mangled(old)} TO {mangled(new)}"
        )
        self.catalog = self.catalog.with_table(with_renamed_column(table, old, new))
        for other, constraint in self.catalog.referring_to(self._name):
            keys = tuple(new if it == old else it for it in constraint.keys)
            changed_ = tuple(
                replace(it, keys=keys) if it.name == constraint.name else it
                for it in self.catalog.tables[other.name].constraints
            )
            self.catalog = self.catalog.with_table(
                replace(self.catalog.tables[other.name], constraints=changed_)
            )

    def rename(self, node: exp.AlterRename) -> None:
        only(node, "this")
        new = unqualified(node.this)
        self.catalog.check_free(new)
        self._no_views()
        old, table = self._name, self._table
        self.steps += run(f"ALTER TABLE {mangled(old)} RENAME TO {mangled(new)}")
        tables = {key: it for key, it in self.catalog.tables.items() if key != old}
        tables[new] = replace(table, name=new)
        for key, it in tables.items():
            tables[key] = replace(
                it,
                constraints=tuple(
                    replace(one, table=new) if one.table == old else one for one in it.constraints
                ),
            )
        sequences = {
            key: replace(it, table=new) if it.table == old else it
            for key, it in self.catalog.sequences.items()
        }
        self.catalog = replace(self.catalog, tables=tables, sequences=sequences)
        self._name = new

    def alter_column(self, node: exp.AlterColumn) -> None:
        only(node, "this", "allow_null", "drop", "default", "dtype", "using", "collate")
        name = name_of(node.this)
        column = self._table.column(name)
        if node.args.get("dtype") is not None:
            self._retype(column, declared(node.args["dtype"]), node.args.get("using") or None)
        elif node.args.get("default") is not None:
            new = NewTable(self.catalog, self._name)
            new.table = self._table
            self._set(name, default=new.default(column, node.args["default"]))
        elif node.args.get("allow_null") is not None:
            self._set_null(column, allowed=bool(node.args["allow_null"]))
        elif node.args.get("drop"):
            if column.identity is not None:
                raise failure("42601", f'column "{name}" is an identity column')
            self._set(name, default=None, sequence=None)
        else:
            raise unsupported("this change of a column")

    def _set(self, name: str, **values: object) -> None:
        table = self._table
        columns = tuple(
            replace(it, **values) if it.name == name else it  # type: ignore[arg-type]  # fields of a column
            for it in table.columns
        )
        self.catalog = self.catalog.with_table(replace(table, columns=columns))

    def _set_null(self, column: Column, *, allowed: bool) -> None:
        primary = self._table.primary
        if allowed and primary is not None and column.name in primary.columns:
            raise failure("42P16", f'column "{column.name}" is in a primary key')
        if not allowed:
            self._check_null(column.name)
        self._set(column.name, not_null=not allowed)
        self.edit(self._table)

    def _retype(self, column: Column, to: Declared, using: exp.Expr | None) -> None:
        """ALTER COLUMN … TYPE, where nothing that is stored becomes anything else."""
        table = self._table
        same = using is None or (
            isinstance(using, exp.Cast)
            and isinstance(using.this, exp.Column)
            and name_of(using.this.this) == column.name
            and declared(using.args["to"]).name == to.name
        )
        found = how(column.type, to.name)
        if not same or to.serial:
            raise unsupported("changing the type of a column by an expression")
        if found is None or found[0] > (Cast.ASSIGNMENT if using is None else Cast.EXPLICIT):
            raise failure(
                "42804", f'column "{column.name}" cannot be cast automatically to type {to.name}'
            )
        kinds = TYPES[column.type], TYPES[to.name]
        narrower = to.size is not None and (
            column.size is None or to.size < column.size or (to.scale or 0) != (column.scale or 0)
        )
        if kinds[0].storage != kinds[1].storage or found[1] != "{}" or narrower:
            raise unsupported(
                "changing the type of a column to one that stores its values differently"
            )
        self._no_views()
        used = any(
            column.name in it.columns for it in table.constraints if it.kind in {"check", "foreign"}
        )
        if used or any(column.name in _used(it) for it in table.columns):
            raise unsupported("changing the type of a column that a check or a foreign key uses")
        self._set(column.name, type=to.name, size=to.size, scale=to.scale)

    def _no_views(self) -> None:
        users = self.catalog.users_of(self._name)
        if users:
            raise unsupported(
                "changing a table that a view reads", f"drop the view {users[0]} first"
            )


def _used(column: Column) -> tuple[str, ...]:
    """The columns from which a generated one is made."""
    from lcplatform_mock.sql.sqlite.definitions import columns_of

    return () if column.generated is None else columns_of(column.generated)


_ACTIONS: Final[Mapping[type, Callable[[_Change, exp.Expr], None]]] = {
    exp.ColumnDef: _Change.add_column,  # type: ignore[dict-item]  # each is given the node that it is for
    exp.Drop: _Change.drop,  # type: ignore[dict-item]
    exp.AddConstraint: _Change.add_constraint,  # type: ignore[dict-item]
    exp.RenameColumn: _Change.rename_column,  # type: ignore[dict-item]
    exp.AlterRename: _Change.rename,  # type: ignore[dict-item]
    exp.AlterColumn: _Change.alter_column,  # type: ignore[dict-item]
}
