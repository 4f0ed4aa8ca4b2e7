"""Arrays as they are stored: a JSON list of what is stored for each item, bytes in hexadecimal."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from lcplatform_runtime.sql.refusals import refused
from lcplatform_runtime.sql.words import unsupported


def pack(items: Sequence[Any]) -> str:
    """Items as an array is stored."""
    return json.dumps([_packed(it) for it in items], ensure_ascii=False, separators=(",", ":"))


def _packed(item: Any) -> Any:
    if isinstance(item, bytes):
        return item.hex()
    return [_packed(it) for it in item] if isinstance(item, list | tuple) else item


def unpack(array: str) -> list[Any]:
    """The items of an array. Those of bytes stay in hexadecimal."""
    items: list[Any] = json.loads(array)
    return items


def flat(array: str) -> list[Any]:
    """The items, whatever its dimensions."""
    found: list[Any] = []
    for it in unpack(array):
        found += _flat(it) if isinstance(it, list) else [it]
    return found


def _flat(items: list[Any]) -> list[Any]:
    return [inner for it in items for inner in (_flat(it) if isinstance(it, list) else [it])]


def made(*items: Any) -> str:
    """`ARRAY[…]` of single values."""
    return pack(items)


def nested(*arrays: str | None) -> str:
    """`ARRAY[[…], […]]`: arrays of one length."""
    inside = [unpack(it) if it is not None else None for it in arrays]
    if any(it is None or len(it) != len(inside[0] or ()) for it in inside):
        raise refused("2202E")
    return pack(inside)


def at(array: str, place: int) -> Any:
    """The item at a place, counted from 1; null outside."""
    items = unpack(array)
    if not 1 <= place <= len(items):
        return None
    found = items[place - 1]
    return None if isinstance(found, list) else found


def part(array: str, start: int | None, end: int | None) -> str:
    """The items from one place to another."""
    items = unpack(array)
    first = 1 if start is None else start
    last = len(items) if end is None else end
    return pack(items[max(0, first - 1) : max(0, last)])


def size(array: str) -> int:
    """How many items it has in all."""
    return len(flat(array))


def length(array: str, dimension: int) -> int | None:
    """How long it is in a dimension; null where it has no such one."""
    items: Any = unpack(array)
    for _ in range(dimension - 1):
        if not items or not isinstance(items[0], list):
            return None
        items = items[0]
    return len(items) or None if dimension > 0 else None


def joined(left: str, right: str) -> str:
    """`||` of two arrays."""
    one, other = unpack(left), unpack(right)
    deep = [bool(it) and isinstance(it[0], list) for it in (one, other)]
    if any(deep) and one and other:
        raise unsupported("|| of arrays of several dimensions")
    return pack([*one, *other])


def appended(array: str | None, item: Any) -> str:
    """An array with one more item at its end."""
    items = [] if array is None else unpack(array)
    if items and isinstance(items[0], list):
        raise refused("2202E")
    return pack([*items, item])


def prepended(item: Any, array: str | None) -> str:
    """An array with one more item at its beginning."""
    items = [] if array is None else unpack(array)
    if items and isinstance(items[0], list):
        raise refused("2202E")
    return pack([item, *items])


def removed(array: str | None, item: Any) -> str | None:
    """An array without the items that are so."""
    if array is None:
        return None
    return pack([it for it in unpack(array) if it != item])


def position(array: str | None, item: Any) -> int | None:
    """Where an item is first, counted from 1."""
    if array is None:
        return None
    return next((index for index, it in enumerate(unpack(array), 1) if it == item), None)


def contains(outer: str, inner: str) -> int:
    """`@>`: whether one array has every item of another. Null is none."""
    there = flat(outer)
    return int(all(it is not None and it in there for it in flat(inner)))


def overlaps(one: str, other: str) -> int:
    """`&&`: whether they have an item in common."""
    there = flat(other)
    return int(any(it is not None and it in there for it in flat(one)))


def to_text(array: str, separator: str, null: str | None = None) -> str:
    """`array_to_string` of an array of text."""
    shown = (null if it is None else it for it in flat(array))
    return separator.join(it for it in shown if it is not None)


def from_text(text: str | None, separator: str | None, null: str | None = None) -> str | None:
    """`string_to_array`."""
    if text is None:
        return None
    if not text:
        parts: list[str] = []
    elif separator is None:
        parts = list(text)
    else:
        parts = text.split(separator) if separator else [text]
    return pack([None if null is not None and it == null else it for it in parts])


def converted(array: str, convert: Callable[[Any], Any]) -> str:
    """An array whose items are something else."""
    return pack(_converted(unpack(array), convert))


def _converted(items: list[Any], convert: Callable[[Any], Any]) -> list[Any]:
    return [
        _converted(it, convert) if isinstance(it, list) else (None if it is None else convert(it))
        for it in items
    ]


def compare(left: str, right: str) -> int:
    """The order of arrays, item by item. Null comes after every value."""
    if left == right:
        return 0
    one, other = flat(left), flat(right)
    for a, b in zip(one, other, strict=False):
        if a != b:
            if a is None or b is None:
                return 1 if a is None else -1
            return 1 if a > b else -1
    return (len(one) > len(other)) - (len(one) < len(other))


# --- text

_QUOTED: Final = frozenset('{}",\\ \t\n\r\v\f')


def write(items: Sequence[Any], show: Callable[[Any], str]) -> str:
    """Items in the text form of an array: {1,NULL,"a b"}."""
    return "{" + ",".join(_written(it, show) for it in items) + "}"


def _written(item: Any, show: Callable[[Any], str]) -> str:
    if item is None:
        return "NULL"
    if isinstance(item, list):
        return write(item, show)
    text = show(item)
    if text and not _QUOTED.intersection(text) and text.upper() != "NULL":
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def read(text: str, convert: Callable[[str], Any]) -> str:
    """The array that a text says."""
    body = text.strip()
    if body.startswith("["):
        raise unsupported("an array whose first item has another number than 1")
    items, end = _Reader(body, convert).array(0)
    if body[end:].strip():
        raise refused("22P02")
    return pack(items)


class _Reader:
    def __init__(self, text: str, convert: Callable[[str], Any]) -> None:
        self._text = text
        self._convert = convert

    def array(self, position: int) -> tuple[list[Any], int]:
        if self._text[position : position + 1] != "{":
            raise refused("22P02")
        items: list[Any] = []
        position = self._space(position + 1)
        if self._text[position : position + 1] == "}":
            return items, position + 1
        while True:
            item, position = self._item(self._space(position))
            items.append(item)
            position = self._space(position)
            mark = self._text[position : position + 1]
            position += 1
            if mark == "}":
                return self._checked(items), position
            if mark != ",":
                raise refused("22P02")

    @staticmethod
    def _checked(items: list[Any]) -> list[Any]:
        lengths = {len(it) if isinstance(it, list) else -1 for it in items}
        if len(lengths) > 1:
            raise refused("22P02")
        return items

    def _space(self, position: int) -> int:
        while self._text[position : position + 1].isspace():
            position += 1
        return position

    def _item(self, position: int) -> tuple[Any, int]:
        mark = self._text[position : position + 1]
        if mark == "{":
            return self.array(position)
        if mark == '"':
            text, position = self._quoted(position + 1)
            return self._convert(text), position
        end = position
        while self._text[end : end + 1] not in {"", ",", "{", "}", '"', "\\"}:
            end += 1
        if self._text[end : end + 1] == "\\":
            raise unsupported("a backslash outside of quotes in an array")
        text = self._text[position:end].strip()
        if not text:
            raise refused("22P02")
        return (None if text.upper() == "NULL" else self._convert(text)), end

    def _quoted(self, position: int) -> tuple[str, int]:
        parts: list[str] = []
        while True:
            mark = self._text[position : position + 1]
            if not mark:
                raise refused("22P02")
            if mark == '"':
                return "".join(parts), position + 1
            if mark == "\\":
                position += 1
                mark = self._text[position : position + 1]
            parts.append(mark)
            position += 1
