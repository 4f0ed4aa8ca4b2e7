"""The types of PostgreSQL that are known here, and how each is stored in SQLite.

Whole numbers, dates (days) and moments (microseconds) are integers, so SQLite compares and sorts them itself. What it cannot
compare is text with a collation of ours: exact numbers, intervals, JSON, arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from lcplatform_mock.sql.sqlite import elsewhere
from lcplatform_runtime.errors import LCPlatformError
from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.sql.writing import NAMES
from lcplatform_runtime.sqlstate import failure


@dataclass(frozen=True, slots=True)
class Type:
    """A type.

    Attributes:
        name: its name in the database.
        storage: the class of its values in SQLite.
        collation: what compares them; SQLite itself where there is none.
        family: those that are compared with each other.
        title: its name in messages of the database.
        modifier: how long or how precise its values are; none for any.
    """

    name: str
    storage: str
    collation: str | None = None
    family: str = ""
    title: str = ""


def _types() -> dict[str, Type]:
    known = [
        Type("bool", "INTEGER", family="bool", title="boolean"),
        Type("int2", "INTEGER", family="number", title="smallint"),
        Type("int4", "INTEGER", family="number", title="integer"),
        Type("int8", "INTEGER", family="number", title="bigint"),
        Type("numeric", "TEXT", "pg_numeric", "number", "numeric"),
        Type("float4", "REAL", family="number", title="real"),
        Type("float8", "REAL", family="number", title="double precision"),
        Type("text", "TEXT", family="text", title="text"),
        Type("varchar", "TEXT", family="text", title="character varying"),
        Type("bytea", "BLOB", family="bytea", title="bytea"),
        Type("date", "INTEGER", family="moment", title="date"),
        Type("timestamp", "INTEGER", family="moment", title="timestamp without time zone"),
        Type("timestamptz", "INTEGER", family="moment", title="timestamp with time zone"),
        Type("time", "INTEGER", family="time", title="time without time zone"),
        Type("interval", "TEXT", "pg_interval", "interval", "interval"),
        Type("uuid", "TEXT", family="uuid", title="uuid"),
        Type("json", "TEXT", family="json", title="json"),
        Type("jsonb", "TEXT", "pg_jsonb", "jsonb", "jsonb"),
    ]
    arrays = [
        Type(f"{it.name}[]", "TEXT", "pg_array", f"{it.family}[]", f"{it.title}[]") for it in known
    ]
    return {it.name: it for it in (*known, *arrays)}


TYPES: Final[Mapping[str, Type]] = _types()
"""The types by their names."""

INTEGERS: Final = ("int2", "int4", "int8")
NUMBERS: Final = (*INTEGERS, "numeric", "float4", "float8")
"""The types of numbers, each wider than those before."""
RANGES: Final[Mapping[str, range]] = {
    "int2": range(-(2**15), 2**15),
    "int4": range(-(2**31), 2**31),
    "int8": range(-(2**63), 2**63),
}
# Arrays whose items Python compares as PostgreSQL does.
_COMPARABLE: Final = frozenset(
    {
        "bool",
        "int2",
        "int4",
        "int8",
        "text",
        "varchar",
        "date",
        "timestamp",
        "timestamptz",
        "uuid",
        "float8",
    }
)


def known(name: str) -> Type:
    """The type of that name.

    Raises:
        UnsupportedError: it is none that is known here.
    """
    found = TYPES.get(name)
    if found is None:
        raise unknown(name)
    return found


def unknown(name: str) -> LCPlatformError:
    """The refusal of a type that is none here."""
    bare = name.removesuffix("[]").split("(")[0].split(" ")[0]
    if bare in elsewhere.TYPES:
        return unsupported(f"the type {name}")
    return failure("42704", f'type "{name}" does not exist')


def title(name: str | None) -> str:
    """The name of a type in messages."""
    return "unknown" if name is None else TYPES[name].title


def collation(name: str | None) -> str:
    """What follows an expression of the type where it is compared or sorted.

    Raises:
        UnsupportedError: values of this type are not compared here.
        ValidationError: nor are they in PostgreSQL.
    """
    if name is None:
        return ""
    if name == "json":
        raise failure("42883", "could not identify an equality operator for type json")
    if name.endswith("[]") and name[:-2] not in _COMPARABLE:
        raise unsupported(f"comparing values of type {name}")
    found = TYPES[name].collation
    return f' COLLATE "{found}"' if found else ""


@dataclass(frozen=True, slots=True)
class Declared:
    """A type as it is written in a statement, with its modifiers: varchar(20), numeric(10, 2).

    Attributes:
        name: the type.
        size: the length of text, or the digits of a number.
        scale: the digits after the point.
        serial: the numbers come from a sequence.
    """

    name: str
    size: int | None = None
    scale: int | None = None
    serial: bool = False


_WRITTEN: Final[Mapping[str, str]] = {
    "BIGINT": "int8",
    "BIGSERIAL": "int8",
    "BOOLEAN": "bool",
    "DATE": "date",
    "DECIMAL": "numeric",
    "DOUBLE": "float8",
    "FLOAT": "float4",
    "INT": "int4",
    "INTERVAL": "interval",
    "JSON": "json",
    "JSONB": "jsonb",
    "SERIAL": "int4",
    "SMALLINT": "int2",
    "SMALLSERIAL": "int2",
    "TEXT": "text",
    "TIME": "time",
    "TIMESTAMP": "timestamp",
    "TIMESTAMPTZ": "timestamptz",
    "UUID": "uuid",
    "VARBINARY": "bytea",
    "VARCHAR": "varchar",
}


def declared(node: exp.DataType) -> Declared:
    """The type that a statement names."""
    if node.args.get("values") or node.args.get("unit"):
        raise unsupported("a type with such modifiers")
    word = str(node.this.value if isinstance(node.this, exp.DataType.Type) else node.this)
    if word == "ARRAY":
        (item,) = node.expressions
        while item.this == exp.DataType.Type.ARRAY:  # int[][] is int[]
            (item,) = item.expressions
        inner = declared(item)
        if inner.size is not None or inner.scale is not None:
            raise unsupported("an array of a type with a length")
        return Declared(known(f"{inner.name}[]").name)
    name = _WRITTEN.get(word) or _named(node)
    sizes = [_number(part) for part in node.expressions]
    if sizes and name not in {"varchar", "numeric"}:
        raise unsupported(f"the type {name} with a precision")
    size, scale = (*sizes, None, None)[:2]
    if name == "numeric" and size is not None:
        scale = scale or 0
        if not 1 <= size <= 1000 or not 0 <= scale <= 1000:
            raise failure("22023", "the precision of a numeric is between 1 and 1000")
    if name == "varchar" and size is not None and size < 1:
        raise failure("22023", "the length of a varchar is at least 1")
    return Declared(known(name).name, size, scale, serial="SERIAL" in word)


def _named(node: exp.DataType) -> str:
    """A type that sqlglot knows by no name of its own."""
    kind = node.args.get("kind")
    written = kind.name if isinstance(kind, exp.Expr) else node.sql(dialect="postgres")
    name = NAMES.get(written.lower(), written.lower())
    if name not in TYPES:
        raise unknown(name)
    return name


def _number(part: exp.Expr) -> int:
    inner = part.this
    if isinstance(inner, exp.Literal) and not inner.is_string and inner.this.isdigit():
        return int(inner.this)
    raise failure("42601", "the modifiers of a type are numbers")
