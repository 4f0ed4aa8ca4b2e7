"""JSON as PostgreSQL keeps it: the names of an object in their order, numbers exact, the last of two equal names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import cmp_to_key
from typing import Any, Final, NoReturn

from lcplatform_mock.sql.sqlite.numbers import stored
from lcplatform_runtime.sql.refusals import refused

# Whatever JSON can be: a number is a Decimal here.


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def load(text: str) -> Any:
    """The value that a JSON text says."""
    try:
        return json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise refused("22P02") from None


def dump(value: Any) -> str:
    """A value as jsonb is written: `{"a": 1, "bc": [true, null]}`."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case Decimal() | int():
            return stored(Decimal(value))
        case list():
            return "[" + ", ".join(map(dump, value)) + "]"
        case _:
            names = sorted(value, key=lambda name: (len(name.encode()), name.encode()))
            return "{" + ", ".join(f"{dump(name)}: {dump(value[name])}" for name in names) + "}"


def read(text: str) -> str:
    """A JSON text as jsonb keeps it."""
    value = load(text)
    if "\\u0000" in text and _has_null(value):
        raise refused("22P05")
    return dump(value)


def check(text: str) -> str:
    """A JSON text, as it is."""
    load(text)
    return text


def _has_null(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(map(_has_null, (*value, *value.values())))
    return isinstance(value, list) and any(map(_has_null, value))


# --- looking inside


def _item(value: Any, key: str | int) -> Any:
    """What stands under a name, or at a place. A place may be given as text in paths."""
    if isinstance(value, dict):
        return value.get(key, _NOTHING) if isinstance(key, str) else _NOTHING
    if isinstance(value, list) and isinstance(key, int) and -len(value) <= key < len(value):
        return value[key]
    return _NOTHING


_NOTHING: Final = object()


def _told(value: Any) -> str | None:
    return None if value is _NOTHING else dump(value)


def as_text(value: Any) -> str | None:
    """A JSON value as text: a text without its quotes, and null as no value."""
    if value is _NOTHING or value is None:
        return None
    return value if isinstance(value, str) else dump(value)


def item(document: str, key: str | int) -> str | None:
    """`->`: what stands there, as JSON."""
    return _told(_part(load(document), key))


def item_text(document: str, key: str | int) -> str | None:
    """`->>`: what stands there, as text."""
    return as_text(_part(load(document), key))


def _part(value: Any, key: str | int) -> Any:
    """An item. What is neither an object nor an array is its own only item, as PostgreSQL has it (`jsonb_array_element`)."""
    alone = not isinstance(value, dict | list) and isinstance(key, int)
    return _item([value] if alone else value, key)


def _follow(document: str, path: Sequence[str | None]) -> Any:
    value = load(document)
    for step in path:
        if step is None:
            return _NOTHING
        place: str | int = step
        if isinstance(value, list):
            try:
                place = int(step)
            except ValueError:
                return _NOTHING
        value = _item(value, place)
        if value is _NOTHING:
            return _NOTHING
    return value


def at_path(document: str, path: str) -> str | None:
    """`#>`: what stands at the end of a path, as JSON. The path is an array of text, as it is stored."""
    return _told(_follow(document, json.loads(path)))


def text_at_path(document: str, path: str) -> str | None:
    """`#>>`: the same as text."""
    return as_text(_follow(document, json.loads(path)))


def contains(outer: str, inner: str) -> int:
    """`@>`: whether one document holds another."""
    return int(_contains(load(outer), load(inner), top=True))


def _contains(outer: Any, inner: Any, *, top: bool = False) -> bool:
    if isinstance(outer, dict) and isinstance(inner, dict):
        return all(name in outer and _contains(outer[name], inner[name]) for name in inner)
    if isinstance(outer, list) and isinstance(inner, list):
        return all(any(_contains(it, wanted) for it in outer) for wanted in inner)
    if top and isinstance(outer, list) and not isinstance(inner, dict):
        return any(_same(it, inner) for it in outer)
    return _same(outer, inner)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def has(document: str, name: str) -> int:
    """`?`: whether an object has a name, or an array a text."""
    value = load(document)
    if isinstance(value, dict | list):
        return int(name in value)
    return int(value == name and isinstance(value, str))


def joined(left: str, right: str) -> str:
    """`||`: two objects as one, or two arrays after each other."""
    one, other = load(left), load(right)
    if isinstance(one, dict) and isinstance(other, dict):
        return dump({**one, **other})
    return dump([*_listed(one), *_listed(other)])


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def without(document: str, name: str) -> str:
    """`-`: an object without a name, or an array without a text."""
    value = load(document)
    if isinstance(value, dict):
        return dump({key: it for key, it in value.items() if key != name})
    if isinstance(value, list):
        return dump([it for it in value if it != name])
    raise refused("22023")


def without_place(document: str, place: int) -> str:
    """`-`: an array without one of its items."""
    value = load(document)
    if not isinstance(value, list):
        raise refused("22023")
    return dump([it for index, it in enumerate(value) if index not in {place, place + len(value)}])


def with_value(document: str, path: str, new: str, create: int = 1) -> str:
    """`jsonb_set`: the document with another value at the end of a path."""
    value = load(document)
    if not isinstance(value, dict | list):
        raise refused("22023")
    return dump(_set(value, json.loads(path), load(new), create=bool(create)))


def _set(value: Any, path: list[str], new: Any, *, create: bool) -> Any:
    if not path or not isinstance(value, dict | list):
        return value
    step, rest = path[0], path[1:]
    if isinstance(value, dict):
        if step not in value and (rest or not create):
            return value
        inside = _set(value[step], rest, new, create=create) if rest else new
        return {**value, step: inside}
    try:
        place = int(step)
    except (TypeError, ValueError):
        raise refused("22P02") from None
    if -len(value) <= place < len(value):
        inside = _set(value[place], rest, new, create=create) if rest else new
        return [inside if index == place % len(value) else it for index, it in enumerate(value)]
    if rest or not create:
        return value
    return [new, *value] if place < 0 else [*value, new]


def kind(document: str) -> str:
    """`jsonb_typeof`."""
    value = load(document)
    names = {dict: "object", list: "array", str: "string", bool: "boolean", Decimal: "number"}
    return names.get(type(value), "null")


def length(document: str) -> int:
    """`jsonb_array_length`."""
    value = load(document)
    if not isinstance(value, list):
        raise refused("22023")
    return len(value)


def stripped(document: str) -> str:
    """`jsonb_strip_nulls`: without the names whose value is null."""
    return dump(_strip(load(document)))


def _strip(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _strip(it) for name, it in value.items() if it is not None}
    return [_strip(it) for it in value] if isinstance(value, list) else value


def items(document: str) -> list[Any]:
    """The items of an array."""
    value = load(document)
    if not isinstance(value, list):
        raise refused("22023")
    return value


# --- order


def compare(left: str, right: str) -> int:
    """An order in which equal documents stand together: `1` is `1.0`."""
    if left == right:
        return 0
    one, other = load(left), load(right)
    return _order(one, other)


_KINDS: Final[dict[type, int]] = {type(None): 0, str: 1, Decimal: 2, bool: 3, list: 4, dict: 5}


def _order(one: Any, other: Any) -> int:
    kinds = _KINDS[type(one)], _KINDS[type(other)]
    if kinds[0] != kinds[1]:
        return -1 if kinds[0] < kinds[1] else 1
    if isinstance(one, list):
        return _each(one, other)
    if isinstance(one, dict):
        names = sorted(one), sorted(other)
        if names[0] != names[1]:
            return -1 if names[0] < names[1] else 1
        return _each([one[it] for it in names[0]], [other[it] for it in names[1]])
    return int(one is not None and ((one > other) - (one < other)))


def _each(one: list[Any], other: list[Any]) -> int:
    if len(one) != len(other):
        return -1 if len(one) < len(other) else 1
    return next((order for a, b in zip(one, other, strict=True) if (order := _order(a, b))), 0)


sort_key: Final[Callable[[Any], Any]] = cmp_to_key(_order)
"""What sorts values as `compare` does."""


def built_object(pairs: Iterable[tuple[str, Any]]) -> str:
    """An object of names and values."""
    return dump(dict(pairs))


def entries(document: str) -> list[tuple[str, Any]]:
    """The names and values of an object, in their order."""
    value = load(document)
    if not isinstance(value, dict):
        raise refused("22023")
    return sorted(value.items(), key=lambda it: (len(it[0].encode()), it[0].encode()))
