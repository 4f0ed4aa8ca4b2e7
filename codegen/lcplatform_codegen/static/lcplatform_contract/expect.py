"""What a contract test expects: matchers that stand in a comparison, and the bodies that tests send.

A matcher is equal to whatever it describes, so it stands where a value would: on the right of `==`, in a tuple, inside
another matcher. When a comparison fails, the plugin shows where and why.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

import pytest
from typing_extensions import override

from lcplatform.errors import LCPlatformError, ValidationError

T = TypeVar("T")

KIB: Final = 1024
MIB: Final = 1024 * KIB

_PERIOD: Final = bytes(range(251))


def bytes_of_size(size: int, /) -> bytes:
    """So many bytes, of which the one at position i is i modulo 251: a piece out of place is seen."""
    return (_PERIOD * (size // len(_PERIOD) + 1))[:size]


def present(value: T | None, /) -> T:
    """The value, which must be there."""
    assert value is not None, "the answer lacks a value that it should have"
    return value


def flat(parts: Iterable[Iterable[T]], /) -> tuple[T, ...]:
    """The items of all parts, in their order."""
    return tuple(item for part in parts for item in part)


@contextmanager
def refused(
    error: type[LCPlatformError], /, *, field: str, path: str | None = None
) -> Iterator[None]:
    """The block raises that error, and its violations name the field, and the place inside of it."""
    with pytest.raises(error) as caught:
        yield
    assert isinstance(caught.value, ValidationError), "only a ValidationError names fields"
    violations = [it for it in caught.value.violations if path is None or it.path == path]
    assert field in {violation.field for violation in violations}


class Matcher(ABC):
    """Something that a value can be equal to."""

    __hash__ = None  # type: ignore[assignment]  # equality with many values has no hash

    @abstractmethod
    def problems(self, actual: object, place: str, /) -> Iterator[str]:
        """Why the value does not match, a line for each reason. `place` says where it stands."""

    @override
    def __eq__(self, actual: object) -> bool:
        return next(self.problems(actual, ""), None) is None


def problems(actual: object, expected: object, place: str = "") -> Iterator[str]:
    """Where a value differs from what is expected, matchers inside included."""
    if isinstance(expected, Matcher):
        yield from expected.problems(actual, place)
    elif isinstance(expected, tuple) and isinstance(actual, tuple):
        if len(actual) != len(expected):
            yield f"{place or 'there'}: expected {len(expected)} items, found {len(actual)}: {actual!r}"
        for index, (one, other) in enumerate(zip(actual, expected, strict=False)):
            yield from problems(one, other, f"{place}[{index}]")
    elif actual != expected or _number(actual) is not _number(expected):
        yield f"{place or 'there'}: expected {expected!r}, found {actual!r}"


def _number(value: object) -> type | None:
    """The type of a number: to Python 1 is 1.0 and True, to a contract it is neither."""
    return next((kind for kind in (bool, int, float, Decimal) if isinstance(value, kind)), None)


class _Any(Matcher):
    @override
    def problems(self, actual: object, place: str, /) -> Iterator[str]:
        if actual is None or actual == "" or actual == b"" or actual == ():
            yield f"{place or 'there'}: expected something, found {actual!r}"
        if isinstance(actual, datetime) and actual.utcoffset() != timedelta():
            yield f"{place or 'there'}: expected a time in UTC, found {actual!r}"

    @override
    def __repr__(self) -> str:
        return "ANY"


class _Like(Matcher):
    def __init__(self, fields: dict[str, object]) -> None:
        self._fields = fields

    @override
    def problems(self, actual: object, place: str, /) -> Iterator[str]:
        for name, expected in self._fields.items():
            path = f"{place}.{name}" if place else name
            if hasattr(actual, name):
                yield from problems(getattr(actual, name), expected, path)
            else:
                yield f"{path}: there is no such field in {actual!r}"

    @override
    def __repr__(self) -> str:
        return f"like({', '.join(f'{name}={value!r}' for name, value in self._fields.items())})"


class _Unordered(Matcher):
    def __init__(self, items: tuple[object, ...]) -> None:
        self._items = items

    @override
    def problems(self, actual: object, place: str, /) -> Iterator[str]:
        if not isinstance(actual, Sequence):
            yield f"{place or 'there'}: expected items, found {actual!r}"
            return
        left = list(actual)
        for expected in self._items:
            found = next((item for item in left if not any(problems(item, expected))), None)
            if found is None:
                yield f"{place or 'there'}: {expected!r} is missing"
            else:
                left.remove(found)
        for item in left:
            yield f"{place or 'there'}: {item!r} is unexpected"

    @override
    def __repr__(self) -> str:
        return f"unordered({', '.join(map(repr, self._items))})"


class _Where(Matcher):
    def __init__(self, words: str, operands: tuple[object, ...]) -> None:
        self._words = words
        self._operands = operands

    @override
    def problems(self, actual: object, place: str, /) -> Iterator[str]:
        if not self._holds(actual):
            yield f"{place or 'there'}: expected {self!r}, found {actual!r}"

    def _holds(self, actual: Any) -> bool:  # anything that can be counted or searched
        match self._words:
            case "unlike":
                return not self._among((actual,))
            case "one_of":
                return self._among((actual,))
            case "containing" if isinstance(actual, str):
                return str(self._operands[0]) in actual
            case "containing":
                found = (
                    item for item in actual or () if not any(problems(item, self._operands[0]))
                )
                return next(found, None) is not None
            case _:
                return len(actual) == self._operands[0]

    def _among(self, actual: tuple[object, ...]) -> bool:
        return any(not any(problems(actual[0], operand)) for operand in self._operands)

    @override
    def __repr__(self) -> str:
        return f"{self._words}({', '.join(map(repr, self._operands))})"


# Matchers are typed as Any: they are compared with values of every type, and a type checker would call that a mistake.

ANY: Final[Any] = _Any()
"""Anything but None and what is empty. A time is in UTC."""


def like(**fields: object) -> Any:
    """A model with these fields. Its other fields are not looked at."""
    return _Like(fields)


def unordered(*items: object) -> Any:
    """These items and no others, in any order."""
    return _Unordered(items)


def unlike(value: object, /) -> Any:
    """Another value."""
    return _Where("unlike", (value,))


def one_of(*values: object) -> Any:
    """One of these values."""
    return _Where("one_of", values)


def of_length(number: int, /) -> Any:
    """So many items, entries, characters or bytes."""
    return _Where("of_length", (number,))


def containing(item: object, /) -> Any:
    """A list with such an item, or a text with this in it."""
    return _Where("containing", (item,))


def explain(left: object, right: object) -> list[str] | None:
    """What pytest shows of `left == right` where matchers are at work; None where they are not."""
    if not isinstance(right, Matcher) and not re.search(
        r"\b(ANY|like|unlike|unordered|one_of|of_length|containing)\b", repr(right)
    ):
        return None
    return [f"{_short(left)} == {_short(right)}", *problems(left, right)]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
