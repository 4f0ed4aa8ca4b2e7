"""Makes statements by chance, of which most are well typed: a table, rows, and queries and changes upon it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Final, TypeAlias

from lcplatform.data_store.models import Value

Statement: TypeAlias = tuple[str, tuple[Value, ...]]

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "int4": ("a", "b"),
    "int8": ("l",),
    "numeric": ("n", "m"),
    "float8": ("f",),
    "text": ("t", "s"),
    "bool": ("c",),
    "date": ("d",),
    "timestamp": ("w",),
    "timestamptz": ("z",),
    "interval": ("v",),
    "jsonb": ("j",),
    "int4[]": ("i",),
}
_CREATE: Final = (
    "create table t (id int primary key, a int, b int, l bigint, n numeric, m numeric(8, 2), f float8, t text,"
    " s varchar(10), c boolean, d date, w timestamp, z timestamptz, v interval, j jsonb, i int[])"
)
_CONSTANTS: Final[Mapping[str, tuple[str, ...]]] = {
    "int4": ("0", "1", "-1", "2", "7", "100", "2147483647", "-2147483648"),
    "int8": ("0::int8", "3::int8", "-5::int8", "9223372036854775807", "4294967296"),
    "numeric": ("0.0", "1.50", "-2.25", "0.001", "123456.789", "1e10", "99999999999999999999.5"),
    "float8": ("0::float8", "1.5::float8", "-2.25::float8", "1e100::float8", "0.1::float8"),
    "text": ("''", "'a'", "'Abc'", "'abc d'", "'ä☕'", "'%'", "'10'", "'a_c'", "' x '"),
    "bool": ("true", "false", "null::bool"),
    "date": ("date '2024-02-29'", "date '1999-12-31'", "date '2024-03-01'"),
    "timestamp": ("timestamp '2024-02-29 12:30:00.5'", "timestamp '2000-01-01 00:00'"),
    "timestamptz": ("timestamptz '2024-02-29 23:30+00'", "timestamptz '2024-03-31 01:59:59+02'"),
    "interval": ("interval '1 day'", "interval '1 month -3 days'", "interval '90 minutes'"),
    "jsonb": ("""'{"a": 1, "b": [1, "x", null]}'::jsonb""", "'[1, 2.50]'::jsonb", "'\"x\"'::jsonb"),
    "int4[]": ("array[1, 2]", "'{}'::int[]", "array[3, null]"),
}
# What gives a type: the expression, with the types of its parts in braces.
_FORMS: Final[Mapping[str, tuple[str, ...]]] = {
    "int4": (
        "({int4} + {int4})", "({int4} - {int4})", "({int4} * {int4})", "({int4} / {int4})", "({int4} % {int4})",
        "-{int4}", "abs({int4})", "length({text})", "position({text} in {text})", "({date} - {date})",
        "coalesce({int4}, {int4})", "nullif({int4}, {int4})", "greatest({int4}, {int4})", "least({int4}, {int4})",
        "case when {bool} then {int4} else {int4} end", "array_length({int4[]}, 1)", "({int4[]})[{int4}]",
        "strpos({text}, {text})", "cardinality({int4[]})", "sign({float8})::int", "{numeric}::int", "{bool}::int",
        "ascii({text})", "({jsonb} ->> 'a')::int",
    ),
    "int8": (
        "({int8} + {int4})", "({int8} * {int8})", "({int8} / {int4})", "({int8} % {int8})", "{int4}::int8",
        "coalesce({int8}, {int4})", "abs({int8})", "{numeric}::int8",
    ),
    "numeric": (
        "({numeric} + {numeric})", "({numeric} - {int4})", "({numeric} * {numeric})", "({numeric} / {numeric})",
        "({numeric} % {numeric})", "round({numeric}, {small})", "round({numeric})", "trunc({numeric}, {small})",
        "ceil({numeric})", "floor({numeric})", "abs({numeric})", "{int4}::numeric", "extract(epoch from {timestamp})",
        "extract(month from {date})", "extract(day from {interval})", "extract(dow from {timestamptz})",
        "coalesce({numeric}, {int4})", "greatest({numeric}, {int8})", "{int8} / {numeric}", "{numeric}::numeric(12, 3)",
        "case when {bool} then {numeric} else {int4} end",
    ),
    "float8": (
        "({float8} + {float8})", "({float8} * {int4})", "({float8} / {numeric})", "({float8} - {int8})",
        "abs({float8})", "round({float8})", "floor({float8})", "{int4}::float8", "{numeric}::float8",
        "trunc({float8})", "coalesce({float8}, {int4})",
    ),
    "text": (
        "({text} || {text})", "upper({text})", "lower({text})", "substring({text} from {small} for {small})",
        "left({text}, {small})", "right({text}, {small})", "trim({text})", "replace({text}, {text}, {text})",
        "reverse({text})", "({text} || {int4})", "{int4}::text", "{numeric}::text", "{float8}::text", "{bool}::text",
        "{date}::text", "{timestamp}::text", "{timestamptz}::text", "{interval}::text", "{jsonb}::text",
        "{int4[]}::text", "coalesce({text}, {text})", "concat({text}, {int4}, {bool})", "initcap({text})",
        "lpad({text}, {small}, {text})", "split_part({text}, 'b', 1)", "({jsonb} ->> 'b')", "repeat({text}, {small})",
        "case when {bool} then {text} end", "nullif({text}, {text})", "{text}::varchar(3)",
        "concat_ws('-', {text}, {numeric})", "md5({text})", "translate({text}, 'abc', 'xy')",
    ),
    "bool": (
        "({int4} = {int4})", "({int4} < {int8})", "({numeric} >= {int4})", "({float8} <> {float8})",
        "({text} < {text})", "({text} = {text})", "({text} like {text})", "({text} ilike {text})",
        "({bool} and {bool})", "({bool} or {bool})", "(not {bool})", "({int4} is null)", "({text} is not null)",
        "({int4} between {int4} and {int4})", "({int4} in ({int4}, {int4}))", "({date} < {date})",
        "({timestamp} <= {date})", "({interval} > {interval})", "({int4} = any({int4[]}))", "({jsonb} @> {jsonb})",
        "({int4[]} && {int4[]})", "({int4[]} @> {int4[]})", "({bool} is true)", "({numeric} = {float8})",
        "({int4} is distinct from {int4})", "({timestamptz} > {timestamptz})", "({jsonb} ? 'a')",
        "({int4[]} < {int4[]})", "({text} not in ({text}, {text}))", "({jsonb} = {jsonb})",
    ),
    "date": ("({date} + {small})", "({date} - {small})", "{timestamp}::date", "coalesce({date}, {date})"),
    "timestamp": (
        "({date} + {interval})", "({timestamp} - {interval})", "date_trunc('month', {timestamp})", "{date}::timestamp",
        "({timestamptz} at time zone 'UTC')", "greatest({timestamp}, {timestamp})",
    ),
    "timestamptz": (
        "({timestamptz} + {interval})", "date_trunc('day', {timestamptz})", "({timestamp} at time zone 'UTC')",
        "{timestamp}::timestamptz",
    ),
    "interval": (
        "({interval} + {interval})", "({interval} * {small})", "({timestamp} - {timestamp})",
        "({timestamptz} - {timestamptz})", "-{interval}", "age({timestamp}, {timestamp})", "({interval} / 2)",
    ),
    "jsonb": (
        "({jsonb} -> 'b')", "({jsonb} -> 0)", "({jsonb} || {jsonb})", "to_jsonb({int4})", "to_jsonb({text})",
        "jsonb_build_object('k', {numeric}, 'l', {bool})", "jsonb_build_array({int4}, {text}, null)",
        "({jsonb} - 'a')", "({jsonb} #> '{{b,1}}')",
    ),
    "int4[]": ("({int4[]} || {int4[]})", "({int4[]} || {int4})", "array[{int4}, {int4}]", "array_remove({int4[]}, {int4})"),
}  # fmt: skip
_AGGREGATES: Final = (
    "count(*)", "count({text})", "count(distinct {int4})", "sum({int4})", "sum({int8})", "sum({numeric})",
    "avg({int4})", "avg({numeric})", "min({text})", "max({date})", "min({numeric})", "max({timestamptz})",
    "bool_and({bool})", "bool_or({bool})", "string_agg({text}, ',' order by id)", "array_agg({int4} order by id)",
    "jsonb_agg({numeric} order by id)", "sum({numeric}) filter (where {bool})", "sum({interval})", "max({int4}) + 1",
    "coalesce(sum({int4}), 0)",
)  # fmt: skip
_WINDOWS: Final = (
    "row_number() over (order by id)", "sum({int4}) over (order by id)", "avg({numeric}) over (partition by c order by id)",
    "lag({text}) over (order by id)", "rank() over (order by a)", "count(*) over (partition by a)",
    "lead({int4}, 1, 0) over (order by id desc)", "max({date}) over ()",
    "sum({numeric}) over (order by id rows between 1 preceding and 1 following)",
)  # fmt: skip
_TYPES: Final = tuple(COLUMNS)
_QUERIES_A_ROUND: Final = 60
_ROWS: Final = 12


class Statements:
    """Statements from a seed, round by round. Each round has a table of its own."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)
        self.rounds = 0

    def round(self) -> Iterator[Statement]:
        """A table, its rows, and what is asked and done."""
        self.rounds += 1
        yield _CREATE, ()
        for number in range(1, _ROWS + 1):
            yield self._insert(number)
        makers: Sequence[Callable[[], Statement]] = (
            self._select, self._select, self._select, self._grouped, self._ranked, self._joined, self._update,
            self._delete, self._bound,
        )  # fmt: skip
        for _ in range(_QUERIES_A_ROUND):
            yield self._chance.choice(makers)()

    def _insert(self, number: int) -> Statement:
        values = ", ".join(
            self._constant(kind) if self._chance.random() > 0.15 else "null"
            for kind, names in COLUMNS.items()
            for _ in names
        )
        return f"insert into t values ({number}, {values}) returning *", ()

    def _select(self) -> Statement:
        count = self._chance.randint(1, 4)
        told = ", ".join(self._expression(self._chance.choice(_TYPES), 2) for _ in range(count))
        limit = self._chance.choice(("", "", " limit 3", " limit 2 offset 1"))
        return f"select {told} from t{self._where()} order by id{limit}", ()

    def _grouped(self) -> Statement:
        key = self._chance.choice(("c", "a % 2", "lower(t)", "d", "b", "a > 1"))
        told = ", ".join(
            self._filled(self._chance.choice(_AGGREGATES), 1)
            for _ in range(self._chance.randint(1, 3))
        )
        if self._chance.random() < 0.3:
            return f"select {told} from t{self._where()}", ()
        having = self._chance.choice(("", "", " having count(*) > 1"))
        return f"select {key}, {told} from t{self._where()} group by {key}{having} order by 1", ()

    def _ranked(self) -> Statement:
        told = self._filled(self._chance.choice(_WINDOWS), 1)
        return f"select id, {told} from t{self._where()} order by id", ()

    def _joined(self) -> Statement:
        kind = self._chance.choice(("join", "left join", "full join", "right join"))
        key = self._chance.choice(("a", "b", "c", "t", "d"))
        return (
            f"select x.id, y.id, x.{key} from t x {kind} t y on x.{key} = y.{key} and x.id < y.id order by 1, 2",
            (),
        )

    def _update(self) -> Statement:
        kind = self._chance.choice(_TYPES)
        name = self._chance.choice(COLUMNS[kind])
        return (
            f"update t set {name} = {self._expression(kind, 1)} where id = {self._chance.randint(1, _ROWS)} returning *",
            (),
        )

    def _delete(self) -> Statement:
        where = f"id = {self._chance.randint(1, _ROWS * 3)} and {self._expression('bool', 1)}"
        return f"delete from t where {where} returning id", ()

    def _bound(self) -> Statement:
        name, *values = self._chance.choice(_BOUND)
        value = self._chance.choice(values)
        operator = self._chance.choice(("=", "<", ">=", "<>", "is distinct from"))
        return f"select id, $1 from t where {name} {operator} $1 order by id", (value,)

    def _where(self) -> str:
        return f" where {self._expression('bool', 2)}" if self._chance.random() < 0.4 else ""

    def _expression(self, kind: str, depth: int) -> str:
        """An expression of a type."""
        if kind == "small":
            return str(self._chance.randint(0, 5))
        luck = self._chance.random()
        if depth and luck < 0.65:
            return self._filled(self._chance.choice(_FORMS[kind]), depth - 1)
        return self._chance.choice(COLUMNS[kind]) if luck < 0.85 else self._constant(kind)

    def _filled(self, form: str, depth: int) -> str:
        parts = []
        for piece in form.replace("{{", "\0").replace("}}", "\1").split("{"):
            kind, found, rest = piece.partition("}")
            parts.append(self._expression(kind, depth) + rest if found else piece)
        return "".join(parts).replace("\0", "{").replace("\1", "}")

    def _constant(self, kind: str) -> str:
        return self._chance.choice(_CONSTANTS[kind])


_BOUND: Final[tuple[tuple[str, *tuple[Value, ...]], ...]] = (
    ("a", 0, 1, 2**31, Decimal("1.0"), 1.5, None, "1"),
    ("l", 3, 2**62, Decimal("0.5")),
    ("n", 1, Decimal("1.50"), 2.5, Decimal("1e30")),
    ("f", 1, 1.5, Decimal("0.1")),
    ("t", "a", "Abc", "", 1),
    ("c", True, None, 1),
)
