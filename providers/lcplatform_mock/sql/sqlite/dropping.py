"""DROP and TRUNCATE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from lcplatform_mock.sql.sqlite.catalog import (
    Catalog,
    mangled,
)
from lcplatform_mock.sql.sqlite.compiled import Compiled, Step
from lcplatform_mock.sql.sqlite.definitions import (
    rendered,
)
from lcplatform_mock.sql.sqlite.names import only
from lcplatform_mock.sql.sqlite.schema import changed, run, unqualified
from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.sqlstate import failure


def drop(catalog: Catalog, node: exp.Drop) -> Compiled:
    """DROP."""
    only(node, "tables", "kind", "exists", "cascade", "concurrently", "restrict")
    kind = str(node.args.get("kind") or "").upper()
    dropper = {
        "TABLE": _drop_table,
        "INDEX": _drop_index,
        "SEQUENCE": _drop_sequence,
        "VIEW": _drop_view,
    }.get(kind)
    if dropper is None:
        raise unsupported(f"DROP {kind}")
    names = [unqualified(it) for it in node.args["tables"]]
    cascade = bool(node.args.get("cascade"))
    steps: list[Step] = []
    missing_ok = bool(node.args.get("exists"))
    for name in names:
        if missing_ok and not catalog.is_taken(name):
            continue
        catalog, more = dropper(catalog, name, names, cascade=cascade)
        steps += more
    return changed(f"DROP {kind}", catalog, steps)


def _dependent(name: str, what: str) -> Exception:
    return failure("2BP01", f"cannot drop {name} because other objects depend on it: {what}")


def _drop_users(catalog: Catalog, name: str, *, cascade: bool) -> Catalog:
    """Drops the views that read something, if that is wanted."""
    for user in catalog.users_of(name):
        if not cascade:
            raise _dependent(name, user)
        if user in catalog.views:
            catalog = _drop_users(catalog, user, cascade=True).without_view(user)
    return catalog


def _drop_table(
    catalog: Catalog, name: str, together: Sequence[str], *, cascade: bool
) -> tuple[Catalog, list[Step]]:
    if name not in catalog.tables and not catalog.is_taken(name):
        raise failure("42P01", f'table "{name}" does not exist')
    catalog.table(name)
    catalog = _drop_users(catalog, name, cascade=cascade)
    steps = []
    for other, constraint in catalog.referring_to(name):
        if not cascade and other.name not in together:
            raise _dependent(name, constraint.name)
        kept_ = tuple(it for it in other.constraints if it.name != constraint.name)
        changed_ = replace(catalog.tables[other.name], constraints=kept_)
        catalog = catalog.with_table(changed_)
        steps.append(Step("edit", rendered(catalog, changed_), other.name))
    return catalog.without_table(name), [*steps, *run(f"DROP TABLE {mangled(name)}")]


def _drop_index(
    catalog: Catalog, name: str, together: Sequence[str], *, cascade: bool
) -> tuple[Catalog, list[Step]]:
    found = catalog.index(name)
    if found is None:
        if any(it.name == name for table in catalog.tables.values() for it in table.constraints):
            raise failure("2BP01", f"cannot drop index {name} because a constraint requires it")
        raise failure("42704", f'index "{name}" does not exist')
    table, index = found
    rest = tuple(it for it in table.indexes if it.name != name)
    steps = run(f"DROP INDEX {mangled(name)}") if index.keys else []
    return catalog.with_table(replace(table, indexes=rest)), steps


def _drop_sequence(
    catalog: Catalog, name: str, together: Sequence[str], *, cascade: bool
) -> tuple[Catalog, list[Step]]:
    sequence = catalog.sequence(name)
    if sequence.table is not None:
        raise _dependent(name, f"table {sequence.table}")
    for table in catalog.tables.values():
        for column in table.columns:
            if column.default is not None and f"'{name}'" in column.default.lower():
                raise _dependent(name, f"column {column.name} of table {table.name}")
    return catalog.without_sequence(name), []


def _drop_view(
    catalog: Catalog, name: str, together: Sequence[str], *, cascade: bool
) -> tuple[Catalog, list[Step]]:
    if name not in catalog.views:
        if catalog.is_taken(name):
            raise failure("42809", f'"{name}" is not a view')
        raise failure("42P01", f'view "{name}" does not exist')
    return _drop_users(catalog, name, cascade=cascade).without_view(name), []


# --- TRUNCATE


def truncate(catalog: Catalog, node: exp.TruncateTable) -> Compiled:
    """TRUNCATE."""
    only(node, "expressions", "identity", "option", "is_database")
    names = [unqualified(it) for it in node.expressions]
    cascade = str(node.args.get("option") or "").upper() == "CASCADE"
    queue = list(names)
    while queue:
        name = queue.pop()
        catalog.table(name)
        for other, _ in catalog.referring_to(name):
            if other.name in names:
                continue
            if not cascade:
                raise failure(
                    "0A000", "cannot truncate a table referenced in a foreign key constraint"
                )
            names.append(other.name)
            queue.append(other.name)
    # Rows that refer to others go first.
    ordered = sorted(names, key=lambda it: len(catalog.referring_to(it)))
    steps = [Step("run", f"DELETE FROM {mangled(it)}") for it in ordered]
    if str(node.args.get("identity") or "").upper() == "RESTART":
        steps += [
            Step("restart", name=sequence.name)
            for sequence in catalog.sequences.values()
            if sequence.table in names
        ]
    return Compiled(verb="TRUNCATE TABLE", writes=True, steps=tuple(steps))
