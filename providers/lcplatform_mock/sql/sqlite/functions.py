"""The functions that are known here: for each, the types that it takes, the type that it gives, and SQLite's words for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lcplatform_mock.sql.sqlite import elsewhere
from lcplatform_mock.sql.sqlite.casts import cast, fits
from lcplatform_mock.sql.sqlite.scope import Expr, merged
from lcplatform_mock.sql.sqlite.types import title
from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.sqlstate import failure


@dataclass(frozen=True, slots=True)
class Signature:
    """One form of a function. Without words it is one that PostgreSQL has and that is not known here."""

    takes: tuple[str, ...]
    gives: str
    words: str


def _of(gives: str, words: str, *takes: str) -> Signature:
    return Signature(takes, gives, words)


def _each(words: str, *types: str) -> list[Signature]:
    """A function that gives the type that it takes."""
    return [_of(it, words, it) for it in types]


_MOMENTS: Final = ("timestamp", "timestamptz")
_SCALARS: Final[Mapping[str, Sequence[Signature]]] = {
    # numbers
    "abs": [
        _of("int2", "pg_within(abs({0}), -32768, 32767)", "int2"),
        _of("int4", "pg_within(abs({0}), -2147483648, 2147483647)", "int4"),
        _of("int8", "pg_integer_abs({0})", "int8"),
        _of("numeric", "pg_absolute({0})", "numeric"),
        # Zero is added for the sake of negative zero.
        _of("float4", "(abs({0}) + 0.0)", "float4"),
        _of("float8", "(abs({0}) + 0.0)", "float8"),
    ],
    "ceil": [
        _of("numeric", "pg_ceiling({0})", "numeric"),
        _of("float8", "pg_float_ceiling({0})", "float8"),
    ],
    "floor": [
        _of("numeric", "pg_floor({0})", "numeric"),
        _of("float8", "pg_float_floor({0})", "float8"),
    ],
    "round": [
        _of("float8", "pg_float_round({0})", "float8"),
        _of("numeric", "pg_round({0}, 0)", "numeric"),
        _of("numeric", "pg_round({0}, {1})", "numeric", "int4"),
    ],
    "trunc": [
        _of("float8", "pg_float_trunc({0})", "float8"),
        _of("numeric", "pg_truncate({0}, 0)", "numeric"),
        _of("numeric", "pg_truncate({0}, {1})", "numeric", "int4"),
    ],
    "sign": [
        _of("numeric", "pg_sign({0})", "numeric"),
        _of("float8", "CAST(sign({0}) AS REAL)", "float8"),
    ],
    "mod": [
        *(_of(it, "pg_integer_modulo({0}, {1})", it, it) for it in ("int2", "int4", "int8")),
        _of("numeric", "pg_modulo({0}, {1})", "numeric", "numeric"),
    ],
    "power": [
        _of("float8", "pg_power({0}, {1})", "float8", "float8"),
        _of("numeric", "", "numeric", "numeric"),
    ],
    "sqrt": [_of("float8", "pg_square_root({0})", "float8"), _of("numeric", "", "numeric")],
    "pi": [_of("float8", "3.141592653589793")],
    "random": [
        _of("float8", "pg_random()"),
        *(_of(it, "", it, it) for it in ("int4", "int8", "numeric")),
    ],
    # text
    "length": [_of("int4", "pg_length({0})", "text"), _of("int4", "length({0})", "bytea")],
    "octet_length": [_of("int4", "pg_octets({0})", "text"), _of("int4", "length({0})", "bytea")],
    "upper": [_of("text", "pg_upper({0})", "text")],
    "lower": [_of("text", "pg_lower({0})", "text")],
    "initcap": [_of("text", "pg_initcap({0})", "text")],
    "substr": [
        _of("text", "pg_substring({0}, {1})", "text", "int4"),
        _of("text", "pg_substring({0}, {1}, {2})", "text", "int4", "int4"),
        _of("bytea", "pg_part_of_bytes({0}, {1})", "bytea", "int4"),
        _of("bytea", "pg_part_of_bytes({0}, {1}, {2})", "bytea", "int4", "int4"),
    ],
    "left": [_of("text", "pg_left({0}, {1})", "text", "int4")],
    "right": [_of("text", "pg_right({0}, {1})", "text", "int4")],
    "btrim": [
        _of("text", "pg_trim({0}, ' ')", "text"),
        _of("text", "pg_trim({0}, {1})", "text", "text"),
        _of("bytea", "", "bytea", "bytea"),
    ],
    "ltrim": [
        _of("text", "pg_trim_left({0}, ' ')", "text"),
        _of("text", "pg_trim_left({0}, {1})", "text", "text"),
        _of("bytea", "", "bytea", "bytea"),
    ],
    "rtrim": [
        _of("text", "pg_trim_right({0}, ' ')", "text"),
        _of("text", "pg_trim_right({0}, {1})", "text", "text"),
        _of("bytea", "", "bytea", "bytea"),
    ],
    "strpos": [_of("int4", "pg_position({0}, {1})", "text", "text")],
    "replace": [_of("text", "pg_replace({0}, {1}, {2})", "text", "text", "text")],
    "translate": [_of("text", "pg_translate({0}, {1}, {2})", "text", "text", "text")],
    "repeat": [_of("text", "pg_repeat({0}, {1})", "text", "int4")],
    "reverse": [_of("text", "pg_reverse({0})", "text"), _of("bytea", "", "bytea")],
    "split_part": [_of("text", "pg_split_part({0}, {1}, {2})", "text", "text", "int4")],
    "lpad": [
        _of("text", "pg_pad_left({0}, {1})", "text", "int4"),
        _of("text", "pg_pad_left({0}, {1}, {2})", "text", "int4", "text"),
    ],
    "rpad": [
        _of("text", "pg_pad_right({0}, {1})", "text", "int4"),
        _of("text", "pg_pad_right({0}, {1}, {2})", "text", "int4", "text"),
    ],
    "starts_with": [_of("bool", "pg_starts_with({0}, {1})", "text", "text")],
    "ascii": [_of("int4", "pg_ascii({0})", "text")],
    "chr": [_of("text", "pg_character({0})", "int4")],
    "md5": [_of("text", "pg_md5({0})", "text"), _of("text", "pg_bytes_md5({0})", "bytea")],
    "sha256": [_of("bytea", "pg_sha256({0})", "bytea")],
    "encode": [_of("text", "pg_encode({0}, {1})", "bytea", "text")],
    "decode": [_of("bytea", "pg_decode({0}, {1})", "text", "text")],
    # dates and times
    "now": [_of("timestamptz", "pg_now()")],
    "statement_timestamp": [_of("timestamptz", "pg_statement_now()")],
    "clock_timestamp": [_of("timestamptz", "pg_clock_now()")],
    "date_trunc": [
        _of("timestamp", "pg_trunc_moment({0}, {1})", "text", "timestamp"),
        _of("timestamptz", "pg_trunc_moment({0}, {1})", "text", "timestamptz"),
        _of("timestamptz", "", "text", "timestamptz", "text"),
        _of("interval", "", "text", "interval"),
    ],
    "date_part": [
        *(
            _of("float8", "pg_exact_to_float(pg_part_of_moment({0}, {1}))", "text", it)
            for it in _MOMENTS
        ),
        _of("float8", "pg_exact_to_float(pg_part_of_date({0}, {1}))", "text", "date"),
        _of("float8", "pg_exact_to_float(pg_part_of_clock({0}, {1}))", "text", "time"),
        _of("float8", "pg_exact_to_float(pg_part_of_interval({0}, {1}))", "text", "interval"),
    ],
    "extract": [
        *(_of("numeric", "pg_part_of_moment({0}, {1})", "text", it) for it in _MOMENTS),
        _of("numeric", "pg_part_of_date({0}, {1})", "text", "date"),
        _of("numeric", "pg_part_of_clock({0}, {1})", "text", "time"),
        _of("numeric", "pg_part_of_interval({0}, {1})", "text", "interval"),
    ],
    "age": [
        *(_of("interval", "pg_age({0}, {1})", it, it) for it in _MOMENTS),
        *(_of("interval", "", it) for it in _MOMENTS),
    ],
    "make_date": [_of("date", "pg_make_date({0}, {1}, {2})", "int4", "int4", "int4")],
    "timezone": [
        _of("timestamptz", "pg_zone({0}, {1}, 1)", "text", "timestamp"),
        _of("timestamp", "pg_zone({0}, {1}, -1)", "text", "timestamptz"),
        _of("timestamp", "", "interval", "timestamptz"),
        _of("timestamptz", "", "interval", "timestamp"),
    ],
    # others
    "gen_random_uuid": [_of("uuid", "pg_uuid()")],
    "jsonb_typeof": [_of("text", "pg_json_kind({0})", "jsonb")],
    "jsonb_array_length": [_of("int4", "pg_json_length({0})", "jsonb")],
    "jsonb_strip_nulls": [
        _of("jsonb", "pg_json_stripped({0})", "jsonb"),
        _of("jsonb", "", "jsonb", "bool"),
    ],
    "jsonb_set": [
        _of("jsonb", "pg_json_set({0}, {1}, {2})", "jsonb", "text[]", "jsonb"),
        _of("jsonb", "pg_json_set({0}, {1}, {2}, {3})", "jsonb", "text[]", "jsonb", "bool"),
    ],
    "string_to_array": [
        _of("text[]", "pg_text_to_array({0}, {1})", "text", "text"),
        _of("text[]", "pg_text_to_array({0}, {1}, {2})", "text", "text", "text"),
    ],
    "nextval": [_of("int8", "pg_nextval({0})", "text")],
    "currval": [_of("int8", "pg_currval({0})", "text")],
    "setval": [
        _of("int8", "pg_setval({0}, {1})", "text", "int8"),
        _of("int8", "pg_setval({0}, {1}, {2})", "text", "int8", "bool"),
    ],
}
_ALIASES: Final[Mapping[str, str]] = {
    "ceiling": "ceil",
    "char_length": "length",
    "character_length": "length",
    "pow": "power",
    "substring": "substr",
    "transaction_timestamp": "now",
}
WRITING: Final = frozenset({"nextval", "setval"})
"""The functions that a transaction that only reads refuses."""
VOLATILE: Final = frozenset(
    {"nextval", "setval", "currval", "random", "gen_random_uuid", "clock_timestamp"}
)
"""The functions that do not give the same again."""

# Preferred where several forms would do.
_PREFERRED: Final = frozenset({"bool", "float8", "text", "timestamptz", "interval"})


def names() -> Iterator[str]:
    """Every function that is looked up here."""
    yield from _SCALARS
    yield from _ALIASES


def called(name: str, arguments: Sequence[Expr]) -> Expr | None:
    """A call of a function; None if there is none of that name here."""
    forms = _SCALARS.get(_ALIASES.get(name, name))
    if forms is None:
        return None
    chosen = _chosen(name, forms, arguments)
    if not chosen.words:
        raise unsupported(f"{name} of {', '.join(map(title, chosen.takes))}")
    given = []
    for argument, kind in zip(arguments, chosen.takes, strict=True):
        converted = cast(argument, kind)
        assert converted is not None
        given.append(converted)
    words = chosen.words.format(*(it.sql for it in given))
    return merged(words, chosen.gives, *given, name=name, sure=not given or name == "now")


def _chosen(name: str, forms: Sequence[Signature], arguments: Sequence[Expr]) -> Signature:
    """The form that PostgreSQL would take: the one with most types as they are, then with most preferred ones."""
    kinds = [it.type for it in arguments]
    usable = [
        form
        for form in forms
        if len(form.takes) == len(kinds) and all(map(fits, kinds, form.takes))
    ]
    if not usable:
        raise missing(name, arguments)
    ranked = sorted(usable, key=lambda form: _rank(form, kinds), reverse=True)
    if len(ranked) > 1 and _rank(ranked[0], kinds) == _rank(ranked[1], kinds):
        raise unsupported(f"{name} of arguments whose types are not told", "cast them")
    return ranked[0]


def _rank(form: Signature, kinds: Sequence[str | None]) -> tuple[int, int, int]:
    exact = sum(kind == wanted for kind, wanted in zip(kinds, form.takes, strict=True))
    preferred = sum(
        kind != wanted and wanted in _PREFERRED
        for kind, wanted in zip(kinds, form.takes, strict=True)
    )
    # A literal whose type nothing tells is rather text than anything else.
    texts = sum(
        kind is None and wanted == "text" for kind, wanted in zip(kinds, form.takes, strict=True)
    )
    return exact, preferred, texts


def missing(name: str, arguments: Sequence[Expr]) -> Exception:
    """There is no such function for these types. One that PostgreSQL may have is not supported."""
    kinds = ", ".join(title(it.type) for it in arguments)
    if name in elsewhere.FUNCTIONS:
        return unsupported(f"the function {name}({kinds})")
    return failure("42883", f"function {name}({kinds}) does not exist")
