"""How the path of a field leads through objects and arrays to values, as MongoDB's filters and indexes follow it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from lcplatform_runtime.documents.values import MISSING, UNDEFINED, Object, Value

Path: TypeAlias = tuple[str, ...]
"""The parts of a path, which are joined by dots where it is written."""
Test: TypeAlias = Callable[[Value], bool]
"""Says something of a value, or of `MISSING`."""
Matcher: TypeAlias = Callable[[Object], bool]
"""Says something of a document."""

_NOTHING: Final = (MISSING,)


def parts(path: str) -> Path:
    """The parts of a path.

    Raises:
        ValueError: there is no part, or an empty one.
    """
    # Names in documents are mostly interned too, and then the very same text.
    found = tuple([sys.intern(it) for it in path.split(".")])
    if not all(found):
        raise ValueError("a path whose parts are not empty")
    return found


def is_place(part: str) -> bool:
    """Whether a part of a path may be a place in an array."""
    return part.isdecimal() and part.isascii() and (part == "0" or part[0] != "0")


def anywhere(path: Path, test: Test, *, leaves: bool = True) -> Matcher:
    """Whether `test` says yes to any value to which the path leads.

    Arrays on the way are gone through. With `leaves`, an array at the end is asked for each of its elements and for itself,
    otherwise for itself alone. Where the path leads nowhere, `MISSING` is asked for.
    """
    name, *below = path
    if below:
        return lambda document: any(map(test, reached(document, path, 0, leaves=leaves)))

    def match(document: Object) -> bool:
        value = document.get(name, MISSING)
        if leaves and value.__class__ is tuple:
            return any(map(test, value)) or test(value)
        return test(value)

    return match


def reached(document: Object, path: Path, at: int, *, leaves: bool) -> Iterator[Value]:
    """The values to which the parts from `at` on lead."""
    value = document.get(path[at], MISSING)
    at += 1
    if at == len(path):
        if leaves and value.__class__ is tuple:
            yield from value
        yield value
    elif value.__class__ is dict:
        yield from reached(value, path, at, leaves=leaves)
    elif value.__class__ is tuple:
        yield from _in_array(value, path, at, leaves=leaves)
    else:
        yield MISSING


def _in_array(array: tuple[Value, ...], path: Path, at: int, *, leaves: bool) -> Iterator[Value]:
    for element in array:
        if element.__class__ is dict:
            yield from reached(element, path, at, leaves=leaves)
    if not is_place(path[at]):
        return
    place = int(path[at])
    if place >= len(array):
        return
    element, at = array[place], at + 1
    if at == len(path):
        yield element
    elif element.__class__ is dict:
        yield from reached(element, path, at, leaves=leaves)
    elif element.__class__ is tuple:
        yield from _in_array(element, path, at, leaves=leaves)


def at(value: Value, path: Path) -> Value:
    """The one value at a path, which leads through names of objects and places in arrays."""
    for part in path:
        if isinstance(value, dict):
            value = value.get(part, MISSING)
        elif isinstance(value, tuple) and is_place(part):
            value = value[int(part)] if int(part) < len(value) else MISSING
        else:
            return MISSING
    return value


class ParallelArrays(ValueError):
    """Paths lead through different arrays, so there is no telling which of their values belong together."""


@dataclass(frozen=True, slots=True)
class _Found:
    """How far a path has led: to a value, or to an array that is still to be gone through."""

    value: Value
    rest: Path = ()
    where: tuple[object, ...] = ()
    at_end: bool = False

    @property
    def is_open(self) -> bool:
        return self.value.__class__ is tuple and not self.at_end


def indexed(document: Object, paths: tuple[Path, ...]) -> list[tuple[Value, ...]]:
    """The values under which an index has a document: one tuple, or one for each element of the array that its paths meet.

    Raises:
        ParallelArrays: they meet several.
    """
    if len(paths) == 1 and len(paths[0]) == 1:
        value = document.get(paths[0][0], MISSING)
        if value.__class__ is not tuple:
            return [(value,)]
    return list(_spread([_followed(document, path, ()) for path in paths]))


def _followed(value: Value, path: Path, where: tuple[object, ...]) -> _Found:
    for at, part in enumerate(path):
        if value.__class__ is not dict:
            if value.__class__ is tuple:
                return _Found(value, path[at:], (*where, *path[:at]))
            return _Found(MISSING)
        value = value.get(part, MISSING)
    return _Found(value, (), (*where, *path))


def _spread(found: list[_Found]) -> Iterator[tuple[Value, ...]]:
    arrays = [it for it in found if it.is_open]
    if not arrays:
        yield tuple([it.value for it in found])
        return
    if len({it.where for it in arrays}) > 1:
        raise ParallelArrays("at most one array on the paths of an index")
    for element in arrays[0].value or _NOTHING:
        yield from _spread([_within(it, element) if it.is_open else it for it in found])


def _within(found: _Found, element: Value) -> _Found:
    """How far the path leads in one element of the array."""
    rest = found.rest
    if not rest:
        return _Found(UNDEFINED if element is MISSING else element, at_end=True)
    if is_place(rest[0]) and int(rest[0]) < len(found.value):
        place = int(rest[0])
        inside = found.value[place]
        if len(rest) == 1 and inside.__class__ is tuple:
            return _Found(inside or UNDEFINED, at_end=True)
        return _followed(inside, rest[1:], (*found.where, place))
    if element.__class__ is dict:
        return _followed(element, rest, (*found.where, Ellipsis))
    return _Found(MISSING)
