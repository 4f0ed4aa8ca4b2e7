"""CREATE and DROP, and what else makes and unmakes things: each as steps for SQLite, and the catalog afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal

from sqlglot import exp

from lcplatform_mock.sql.sqlite.casts import assigned
from lcplatform_mock.sql.sqlite.catalog import (
    Catalog,
    Column,
    Constraint,
    Index,
    Table,
    View,
    made_name,
    mangled,
)
from lcplatform_mock.sql.sqlite.catalog import (
    Sequence as Numbers,
)
from lcplatform_mock.sql.sqlite.compiled import Compiled, Step
from lcplatform_mock.sql.sqlite.definitions import (
    columns_in,
    immutable,
    index_words,
    kept,
    rendered,
    unique_index,
)
from lcplatform_mock.sql.sqlite.expressions import Expressions
from lcplatform_mock.sql.sqlite.names import name_of, only
from lcplatform_mock.sql.sqlite.parsing import Dialect
from lcplatform_mock.sql.sqlite.scope import Scope
from lcplatform_mock.sql.sqlite.statement import Statement
from lcplatform_mock.sql.sqlite.types import INTEGERS, RANGES, TYPES, declared
from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.sqlstate import failure

_ACTIONS: Final = ("CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT", "NO ACTION")


def unqualified(node: exp.Expr) -> str:
    """The name of a table, which is in the one schema that there is."""
    if not isinstance(node, exp.Table):
        raise unsupported("a name of this form")
    schema = node.args.get("db")
    if schema is not None and name_of(schema) != "public":
        raise unsupported(f"the schema {name_of(schema)}")
    if node.args.get("alias") is not None or not isinstance(node.this, exp.Identifier):
        raise failure("42601", "syntax error")
    return name_of(node.this)


def changed(verb: str, catalog: Catalog, steps: Sequence[Step]) -> Compiled:
    """A change of the schema."""
    return Compiled(verb=verb, writes=True, steps=tuple(steps), catalog=catalog)


def run(sql: str | None) -> list[Step]:
    """A step that runs a statement, if there is one."""
    return [] if sql is None else [Step("run", sql)]


# --- CREATE TABLE


class NewTable:
    """A table that is being defined."""

    def __init__(self, catalog: Catalog, name: str) -> None:
        self.catalog = catalog
        self.table = Table(name, ())
        self._taken: set[str] = set()

    def add_column(self, node: exp.ColumnDef) -> None:
        """One more column, with the constraints that stand behind it."""
        only(node, "this", "kind", "constraints", "exists")
        name = name_of(node.this)
        if self.table.find(name) is not None:
            raise failure("42701", f'column "{name}" specified more than once')
        kind = node.args.get("kind")
        if not isinstance(kind, exp.DataType):
            raise failure("42601", "a column needs a type")
        to = declared(kind)
        column = Column(name, to.name, to.size, to.scale)
        if to.serial:
            column = self._numbered(column, Numbers("", most=RANGES[to.name].stop - 1))
            column = replace(column, not_null=True)
        self.table = replace(self.table, columns=(*self.table.columns, column))
        later = []
        for it in node.args.get("constraints") or ():
            only(it, "this", "kind")
            given = None if it.this is None else name_of(it.this)
            if isinstance(it.kind, exp.CheckColumnConstraint | exp.ComputedColumnConstraint):
                later.append((it.kind, given))
            else:
                self._column_constraint(name, it.kind, given)
        for kind_, given in later:
            self._column_constraint(name, kind_, given)

    def _set(self, name: str, **values: object) -> None:
        columns = tuple(
            replace(it, **values) if it.name == name else it  # type: ignore[arg-type]  # fields of a column
            for it in self.table.columns
        )
        self.table = replace(self.table, columns=columns)

    def _column_constraint(self, name: str, kind: exp.Expr, given: str | None) -> None:
        handlers: Mapping[type, Callable[[], None]] = {
            exp.NotNullColumnConstraint: lambda: self._null(name, kind),
            exp.DefaultColumnConstraint: lambda: self._default(name, kind),
            exp.PrimaryKeyColumnConstraint: lambda: self.unique("primary", (name,), given, kind),
            exp.UniqueColumnConstraint: lambda: self.unique("unique", (name,), given, kind),
            exp.CheckColumnConstraint: lambda: self.check(kind, given, name),
            exp.Reference: lambda: self.foreign((name,), kind, given),
            exp.GeneratedAsIdentityColumnConstraint: lambda: self._identity(name, kind),
            exp.ComputedColumnConstraint: lambda: self._generated(name, kind),
        }
        handler = handlers.get(type(kind))
        if handler is None:
            raise unsupported(f"the constraint {type(kind).__name__.removesuffix('Constraint')}")
        handler()

    def _null(self, name: str, kind: exp.Expr) -> None:
        only(kind, "allow_null")
        if not kind.args.get("allow_null"):
            self._set(name, not_null=True)

    def _default(self, name: str, kind: exp.Expr) -> None:
        only(kind, "this")
        self._set(name, default=self.default(self.table.column(name), kind.this))

    def default(self, column: Column, node: exp.Expr) -> str | None:
        """The default of a column as it is kept."""
        if column.sequence is not None:
            raise failure("42601", f'multiple default values specified for column "{column.name}"')
        if list(node.find_all(exp.Column)):
            raise failure("0A000", "cannot use column reference in DEFAULT expression")
        if isinstance(node, exp.Null):
            return None
        sql = kept(self.catalog, Table(self.table.name, ()), node, "DEFAULT expressions")
        make = Expressions(Statement(self.catalog), Scope())
        from lcplatform_mock.sql.sqlite.writing import shape_of

        assigned(make(node), shape_of(column), column.name)
        return sql

    def _identity(self, name: str, kind: exp.Expr) -> None:
        only(kind, "this", "start", "increment", "minvalue", "maxvalue", "cycle", "on_null")
        column = self.table.column(name)
        if column.type not in INTEGERS:
            raise failure("22023", "identity column type must be smallint, integer, or bigint")
        if kind.args.get("on_null"):
            raise failure("42601", "syntax error")
        numbers = Numbers(
            "",
            start=_whole(kind.args.get("start"), 1),
            increment=_whole(kind.args.get("increment"), 1),
            most=RANGES[column.type].stop - 1,
        )
        if any(kind.args.get(it) is not None for it in ("minvalue", "maxvalue", "cycle")):
            raise unsupported("bounds of an identity column")
        column = self._numbered(column, numbers)
        self._set(
            name,
            sequence=column.sequence,
            identity="always" if kind.this else "by default",
            not_null=True,
        )

    def _numbered(self, column: Column, numbers: Numbers) -> Column:
        name = self.catalog.free(self.table.name, column.name, "seq")
        self.catalog = self.catalog.with_sequence(
            replace(numbers, name=name, table=self.table.name)
        )
        return replace(column, sequence=name)

    def _generated(self, name: str, kind: exp.Expr) -> None:
        only(kind, "this", "persisted")
        immutable(kind.this, "a generation expression")
        inner = kind.this.this if isinstance(kind.this, exp.Paren) else kind.this
        if any(self.table.column(it).generated is not None for it in columns_in(inner)):
            raise failure("42P17", "cannot use a generated column in a generation expression")
        sql = kept(self.catalog, self.table, inner, "column generation expressions")
        self._set(name, generated=sql)

    # --- constraints

    def add_constraint(self, node: exp.Expr, given: str | None = None) -> None:
        """A constraint of the table."""
        if isinstance(node, exp.Constraint):
            only(node, "this", "expressions")
            (inner,) = node.expressions
            self.add_constraint(inner, name_of(node.this))
        elif isinstance(node, exp.PrimaryKey):
            self.unique("primary", _names(node.expressions), given, node)
        elif isinstance(node, exp.UniqueColumnConstraint):
            columns = _names(node.this.expressions if isinstance(node.this, exp.Schema) else [])
            self.unique("unique", columns, given, node)
        elif isinstance(node, exp.CheckColumnConstraint):
            self.check(node, given, None)
        elif isinstance(node, exp.ForeignKey):
            only(node, "expressions", "reference")
            self.foreign(_names(node.expressions), node.args["reference"], given)
        else:
            raise unsupported(f"the constraint {type(node).__name__}")

    def unique(
        self,
        kind: Literal["primary", "unique"],
        columns: tuple[str, ...],
        given: str | None,
        node: exp.Expr,
    ) -> None:
        """PRIMARY KEY and UNIQUE."""
        only(node, "this", "expressions", "include", "nulls")
        _plain_index(node.args.get("include"))
        for it in columns:
            self.table.column(it)
        if kind == "primary":
            if self.table.primary is not None:
                raise failure(
                    "42P16", f'multiple primary keys for table "{self.table.name}" are not allowed'
                )
            for it in columns:
                self._set(it, not_null=True)
            name = given or self._free(self.table.name, "pkey")
        else:
            name = given or self._free(self.table.name, "_".join(columns), "key")
        for it in columns:
            TYPES[self.table.column(it).type]
        self._add(Constraint(name, kind, columns))

    def check(self, node: exp.Expr, given: str | None, column: str | None) -> None:
        """CHECK."""
        only(node, "this", "enforced")
        inner = node.this
        test = Expressions(Statement(self.catalog), _scope_of(self.table)).truth(inner, "CHECK")
        sql = kept(self.catalog, self.table, inner, "check constraints")
        used = columns_in(inner)
        immutable_for_sqlite(inner)
        assert test.type == "bool"
        owner = column or (used[0] if len(used) == 1 else "")
        parts = (self.table.name, owner, "check") if owner else (self.table.name, "check")
        self._add(Constraint(given or self._free(*parts), "check", used, check=sql))

    def foreign(self, columns: tuple[str, ...], node: exp.Expr, given: str | None) -> None:
        """REFERENCES."""
        only(node, "this", "options")
        target = node.this
        keys: tuple[str, ...] = ()
        if isinstance(target, exp.Schema):
            keys = _names(target.expressions)
            target = target.this
        name = unqualified(target)
        other = self.table if name == self.table.name else self.catalog.table(name)
        if not keys:
            if other.primary is None:
                raise failure("42704", f'there is no primary key for referenced table "{name}"')
            keys = other.primary.columns
        if len(keys) != len(columns):
            raise failure(
                "42830", "number of referencing and referenced columns for foreign key disagree"
            )
        for own, key in zip(columns, keys, strict=True):
            kinds = TYPES[self.table.column(own).type], TYPES[other.column(key).type]
            if kinds[0].family != kinds[1].family:
                raise failure("42804", "foreign key constraint cannot be implemented")
            if kinds[0].storage != kinds[1].storage:
                raise unsupported("a foreign key between columns of different types")
        if other.unique_on(keys) is None:
            raise failure(
                "42830",
                f'there is no unique constraint matching given keys for referenced table "{name}"',
            )
        options = " ".join(str(it) for it in node.args.get("options") or ()).upper()
        label = given or self._free(self.table.name, "_".join(columns), "fkey")
        self._add(
            Constraint(
                label,
                "foreign",
                columns,
                table=name,
                keys=tuple(keys),
                on_delete=_action(options, "DELETE"),
                on_update=_action(options, "UPDATE"),
                deferred="INITIALLY DEFERRED" in options,
            )
        )

    def _free(self, *parts: str) -> str:
        """A name that neither the database nor another constraint of the table has."""
        name = made_name(*parts)
        number = 0
        taken = {it.name for it in self.table.constraints}
        while name in taken or self.catalog.is_taken(name):
            number += 1
            name = made_name(*parts[:-1], f"{parts[-1]}{number}")
        return name

    def _add(self, constraint: Constraint) -> None:
        if any(it.name == constraint.name for it in self.table.constraints):
            raise failure(
                "42710",
                f'constraint "{constraint.name}" for relation "{self.table.name}" already exists',
            )
        if constraint.kind in {"primary", "unique"}:
            self.catalog.check_free(constraint.name)
        self.table = replace(self.table, constraints=(*self.table.constraints, constraint))


def immutable_for_sqlite(node: exp.Expr) -> None:
    """SQLite keeps no check that may turn out otherwise for the same row."""
    try:
        immutable(node, "a check")
    except Exception:  # noqa: BLE001  whatever it says, PostgreSQL would take it
        raise unsupported("a check that depends on more than its row") from None


def _scope_of(table: Table) -> Scope:
    from lcplatform_mock.sql.sqlite.definitions import bare_scope

    return bare_scope(table)


def _names(nodes: Sequence[exp.Expr]) -> tuple[str, ...]:
    names = []
    for it in nodes:
        inner = it.this if isinstance(it, exp.Ordered | exp.Column) else it
        if not isinstance(inner, exp.Identifier):
            raise unsupported("a constraint on an expression")
        names.append(name_of(inner))
    return tuple(names)


def _plain_index(node: exp.Expr | None) -> None:
    if node is not None:
        only(node, "with_storage")


def _action(options: str, event: str) -> str:
    for action in _ACTIONS:
        if f"ON {event} {action}" in options:
            return action
    return ""


def _whole(node: exp.Expr | None, default: int) -> int:
    if node is None:
        return default
    sign = 1
    if isinstance(node, exp.Neg):
        sign, node = -1, node.this
    if not isinstance(node, exp.Literal) or not str(node.this).isdigit():
        raise failure("42601", "syntax error")
    return sign * int(node.this)


def create_table(catalog: Catalog, node: exp.Create) -> Compiled:
    """CREATE TABLE."""
    only(node, "this", "kind", "exists", "expression", "properties")
    if node.args.get("properties"):
        raise unsupported("a table with properties, or a temporary one")
    if node.args.get("expression") is not None:
        return _create_as(catalog, node)
    if not isinstance(node.this, exp.Schema):
        raise unsupported("a table without columns")
    name = unqualified(node.this.this)
    if node.args.get("exists") and catalog.is_taken(name):
        return Compiled(verb="CREATE TABLE", writes=True)
    catalog.check_free(name)
    new = NewTable(catalog, name)
    columns = [it for it in node.this.expressions if isinstance(it, exp.ColumnDef)]
    for it in columns:
        new.add_column(it)
    for it in node.this.expressions:
        if not isinstance(it, exp.ColumnDef):
            new.add_constraint(it)
    if not new.table.columns:
        raise unsupported("a table without columns")
    return _made(new)


def _made(new: NewTable) -> Compiled:
    table = new.table
    primary = table.primary
    if primary is not None and len(primary.columns) == 1:
        column = table.column(primary.columns[0])
        if column.type in INTEGERS and column.generated is None:
            table = replace(table, rowid=column.name)
    catalog = new.catalog.with_table(table)
    steps = run(rendered(catalog, table))
    for it in table.constraints:
        if it.kind in {"primary", "unique"}:
            steps += run(unique_index(table, it))
    return changed("CREATE TABLE", catalog, steps)


def _create_as(catalog: Catalog, node: exp.Create) -> Compiled:
    """CREATE TABLE … AS."""
    target = node.this
    names: tuple[str, ...] = ()
    if isinstance(target, exp.Schema):
        names = _names(target.expressions)
        target = target.this
    name = unqualified(target)
    if node.args.get("exists") and catalog.is_taken(name):
        return Compiled(verb="CREATE TABLE AS", writes=True)
    catalog.check_free(name)
    from lcplatform_mock.sql.sqlite.queries import renamed

    query = renamed(Statement(catalog).query(node.expression, None), names, name)
    table = Table(name, tuple(Column(label, kind) for label, kind in query.columns))
    if len({it.name for it in table.columns}) < len(table.columns):
        raise failure("42701", "a column is specified more than once")
    catalog = catalog.with_table(table)
    steps = run(rendered(catalog, table))
    steps += run(f"INSERT INTO {mangled(name)} {query.sql}")
    return changed("CREATE TABLE AS", catalog, steps)


# --- indexes, sequences, views


def create_index(catalog: Catalog, node: exp.Create) -> Compiled:
    """CREATE INDEX."""
    only(node, "this", "kind", "exists", "unique", "concurrently")
    index = node.this
    only(index, "this", "table", "params")
    params = index.args["params"]
    only(params, "columns", "where", "using", "with_storage")
    table = catalog.table(unqualified(index.args["table"]))
    using = params.args.get("using")
    method = "btree" if using is None else using.name.lower()
    tree = method == "btree"
    unique = bool(node.args.get("unique"))
    if unique and not tree:
        raise failure("0A000", f'access method "{method}" does not support unique indexes')
    keys, plain, uses = _keys(catalog, table, params.args["columns"], tree=tree)
    where = params.args.get("where")
    predicate = None
    if where is not None:
        immutable(where.this, "an index predicate")
        predicate = kept(catalog, table, where.this, "index predicates")
        uses = (*uses, *columns_in(where.this))
    if index.this is None:
        name = catalog.free(table.name, "_".join(plain or uses[:1] or ("expr",)), "idx")
    else:
        name = name_of(index.this)
    if node.args.get("exists") and catalog.is_taken(name):
        return Compiled(verb="CREATE INDEX", writes=True)
    catalog.check_free(name)
    made = Index(name, keys if tree else (), plain, unique, predicate, uses)
    after = catalog.with_table(replace(table, indexes=(*table.indexes, made)))
    return changed("CREATE INDEX", after, run(index_words(catalog, table, made)))


def _keys(
    catalog: Catalog, table: Table, nodes: Sequence[exp.Expr], *, tree: bool
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The keys of an index as SQL, its columns if it has nothing else, and the columns that it uses."""
    keys: list[str] = []
    plain: list[str] = []
    uses: list[str] = []
    for it in nodes:
        inner = it.this if isinstance(it, exp.Ordered) else it
        if isinstance(inner, exp.Opclass):
            if tree:
                raise unsupported("an operator class of an index")
            inner = inner.this
        while isinstance(inner, exp.Paren):
            inner = inner.this
        immutable(inner, "an index expression")
        uses += columns_in(inner)
        if isinstance(inner, exp.Column):
            plain.append(table.column(name_of(inner.this)).name)
        if tree:
            sql = kept(catalog, table, inner, "index expressions")
            keys.append(f"{sql} DESC" if it.args.get("desc") else sql)
    return tuple(keys), tuple(plain) if len(plain) == len(nodes) else (), tuple(uses)


def create_sequence(catalog: Catalog, node: exp.Create) -> Compiled:
    """CREATE SEQUENCE."""
    only(node, "this", "kind", "exists", "properties")
    name = unqualified(node.this)
    if node.args.get("exists") and catalog.is_taken(name):
        return Compiled(verb="CREATE SEQUENCE", writes=True)
    catalog.check_free(name)
    sequence = Numbers(name)
    properties = node.args.get("properties")
    for it in properties.expressions if properties is not None else ():
        if not isinstance(it, exp.SequenceProperties):
            raise unsupported("a sequence with such properties")
        only(it, "start", "increment", "minvalue", "maxvalue", "options", "cache")
        options = [str(option).upper() for option in it.args.get("options") or ()]
        if any(option != "NO CYCLE" for option in options):
            raise unsupported("a sequence with such options")
        increment = _whole(it.args.get("increment"), 1)
        if increment == 0:
            raise failure("22023", "INCREMENT must not be zero")
        if increment < 0:
            raise unsupported("a sequence that counts down")
        least = _whole(it.args.get("minvalue"), 1)
        sequence = Numbers(
            name,
            start=_whole(it.args.get("start"), least),
            increment=increment,
            least=least,
            most=_whole(it.args.get("maxvalue"), 2**63 - 1),
        )
    return changed("CREATE SEQUENCE", catalog.with_sequence(sequence), ())


def create_view(catalog: Catalog, node: exp.Create) -> Compiled:
    """CREATE VIEW."""
    only(node, "this", "kind", "expression")
    target = node.this
    names: tuple[str, ...] = ()
    if isinstance(target, exp.Schema):
        names = _names(target.expressions)
        target = target.this
    name = unqualified(target)
    catalog.check_free(name)
    from lcplatform_mock.sql.sqlite.parsing import parse
    from lcplatform_mock.sql.sqlite.queries import renamed

    body = node.expression
    statement = Statement(catalog)
    if any(isinstance(it, exp.Parameter) for it in body.walk()):
        raise failure("42P02", "there is no parameter in a view")
    query = statement.query(body, None)
    sql = body.sql(dialect=Dialect, comments=False)
    if Statement(catalog).query(parse(sql), None).columns != query.columns:
        raise unsupported("this query as a view")
    query = renamed(query, names, name)
    if len({label for label, _ in query.columns}) < len(query.columns):
        raise failure("42701", "a column is specified more than once")
    view = View(name, sql, query.columns, tuple(sorted(statement.uses)))
    return changed("CREATE VIEW", catalog.with_view(view), ())
