"""What a filter asks of a single value, whatever field it is in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol, TypeAlias

from typing_extensions import override

from lcplatform_runtime.documents.paths import Matcher, Path, Test, anywhere
from lcplatform_runtime.documents.values import (
    MISSING,
    NAMES,
    NUMBERS,
    RANK_NAN,
    RANK_NUMBER,
    Bound,
    Key,
    Pattern,
    Value,
    key,
)


class Condition(Protocol):
    """Something that is asked of a field."""

    def test(self, value: Value) -> bool:
        """The answer for one value, or for `MISSING`."""
        ...

    def matcher(self, path: Path) -> Matcher:
        """The answer for a document in which the value lies at `path`."""
        ...


class _Plain:
    """A condition that is met as soon as one of the values at a path meets it."""

    def test(self, value: Value) -> bool:
        """The answer for one value."""
        raise NotImplementedError

    def matcher(self, path: Path) -> Matcher:
        """The answer for a document."""
        return anywhere(path, self.tester())

    def tester(self) -> Test:
        """The quickest way to ask."""
        return self.test


@dataclass(frozen=True, slots=True)
class Equals(_Plain):
    """It is equal to a value. Null is also equal to what is not there."""

    value: Value

    @override
    def test(self, value: Value) -> bool:
        return key(value) == key(self.value)

    @override
    def tester(self) -> Test:
        wanted = self.value
        kind = wanted.__class__
        if wanted is None:
            return _is_null
        if kind is str:
            return lambda value: value.__class__ is str and value == wanted
        if kind in NUMBERS and wanted == wanted:
            return lambda value: value.__class__ in _NUMBERS and value == wanted
        wanted_key = key(wanted)
        return lambda value: key(value) == wanted_key


@dataclass(frozen=True, slots=True)
class Ordered(_Plain):
    """It comes before or after a value of its own type: `$gt`, `$gte`, `$lt` or `$lte`."""

    operator: str
    value: Value

    @override
    def test(self, value: Value) -> bool:
        return self.tester()(value)

    @override
    def tester(self) -> Test:
        compare = _COMPARISONS[self.operator]
        wanted, kind = self.value, self.value.__class__
        if kind is Bound:
            return lambda value: compare(key(value), key(wanted))
        if kind is str:
            return lambda value: value.__class__ is str and compare(value, wanted)
        if kind in _EXACT and wanted == wanted:
            return lambda value: (
                (value.__class__ in _EXACT and compare(value, wanted))
                or (value.__class__ is Decimal and _within(compare, key(value), key(wanted)))
            )
        wanted_key = key(wanted)
        return lambda value: _within(compare, key(value), wanted_key)


@dataclass(frozen=True, slots=True)
class OneOf(_Plain):
    """It is equal to one of several values, or matches one of several regular expressions."""

    values: tuple[Value, ...]
    patterns: tuple[Matches, ...] = ()

    @override
    def test(self, value: Value) -> bool:
        return self.tester()(value)

    @override
    def tester(self) -> Test:
        keys = frozenset(map(key, self.values))
        tests = [it.tester() for it in self.patterns]
        if not tests:
            return lambda value: key(value) in keys
        return lambda value: key(value) in keys or any(test(value) for test in tests)


@dataclass(frozen=True, slots=True)
class Exists(_Plain):
    """It is there. Null is there."""

    @override
    def test(self, value: Value) -> bool:
        return value is not MISSING


@dataclass(frozen=True, slots=True)
class OfType(_Plain):
    """It is of one of several types, by their names."""

    names: frozenset[str]

    @override
    def test(self, value: Value) -> bool:
        if value.__class__ is Bound:
            return value.value in self.names
        return value is not MISSING and NAMES[value.__class__] in self.names


@dataclass(frozen=True, slots=True)
class Matches(_Plain):
    """It is text that a regular expression finds something in, or that very regular expression."""

    pattern: Pattern
    compiled: re.Pattern[str]

    @override
    def test(self, value: Value) -> bool:
        if value.__class__ is str:
            return self.compiled.search(value) is not None
        return value.__class__ is Pattern and value == self.pattern


@dataclass(frozen=True, slots=True)
class Sized:
    """It is an array of so many elements."""

    size: int

    def test(self, value: Value) -> bool:
        """The answer for one value."""
        return value.__class__ is tuple and len(value) == self.size

    def matcher(self, path: Path) -> Matcher:
        """The answer for a document."""
        return anywhere(path, self.test, leaves=False)


@dataclass(frozen=True, slots=True)
class Element:
    """It is an array with an element that meets a condition: conditions of its own, or a filter."""

    met: Callable[[Value], bool]

    def test(self, value: Value) -> bool:
        """The answer for one value."""
        return value.__class__ is tuple and any(map(self.met, value))

    def matcher(self, path: Path) -> Matcher:
        """The answer for a document."""
        return anywhere(path, self.test, leaves=False)


@dataclass(frozen=True, slots=True)
class Every:
    """It meets several conditions, each perhaps by another element."""

    conditions: tuple[Condition, ...]

    def test(self, value: Value) -> bool:
        """The answer for one value."""
        return all(it.test(value) for it in self.conditions)

    def matcher(self, path: Path) -> Matcher:
        """The answer for a document."""
        return both([it.matcher(path) for it in self.conditions])


@dataclass(frozen=True, slots=True)
class Never:
    """It meets no condition."""

    def test(self, value: Value) -> bool:
        """No."""
        return False

    def matcher(self, path: Path) -> Matcher:
        """No."""
        return lambda document: False


@dataclass(frozen=True, slots=True)
class Negated:
    """It does not meet a condition, and none of its elements does."""

    condition: Condition

    def test(self, value: Value) -> bool:
        """The answer for one value."""
        return not self.condition.test(value)

    def matcher(self, path: Path) -> Matcher:
        """The answer for a document."""
        match = self.condition.matcher(path)
        return lambda document: not match(document)


def both(matchers: list[Matcher]) -> Matcher:
    """Whether all of several say yes."""
    if len(matchers) == 1:
        return matchers[0]
    if len(matchers) == 2:
        one, other = matchers
        return lambda document: one(document) and other(document)
    return lambda document: all(match(document) for match in matchers)


_Comparison: TypeAlias = Callable[[Value, Value], bool]
_COMPARISONS: Final[Mapping[str, _Comparison]] = {
    "$gt": lambda one, other: bool(one > other),
    "$gte": lambda one, other: bool(one >= other),
    "$lt": lambda one, other: bool(one < other),
    "$lte": lambda one, other: bool(one <= other),
}
_NUMBERS: Final = frozenset(NUMBERS)
_EXACT: Final = frozenset(NUMBERS) - {Decimal}


def _is_null(value: Value) -> bool:
    return value is None or value is MISSING


def _within(compare: _Comparison, one: Key, other: Key) -> bool:
    """Values of different types come neither before nor after each other, and neither do numbers and NaN."""
    return one[0] == other[0] and compare(one, other)


def bracket(wanted: Key) -> tuple[Key, Key]:
    """Between which keys the values lie that can be compared with a value."""
    rank = wanted[0]
    return (rank,), (rank + 1,)


ORDERED_RANKS: Final = frozenset({RANK_NUMBER, 15, 30, 35, 40, 45, 47})
"""The types of values that an index finds by their order."""
assert RANK_NAN not in ORDERED_RANKS
