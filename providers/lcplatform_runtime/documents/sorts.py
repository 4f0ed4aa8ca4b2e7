"""The order of documents, of arrays by their least or greatest element, and where a page of them went on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import total_ordering
from typing import Any, Final, Protocol

from typing_extensions import override

from lcplatform_runtime.documents.extended_json import NoDocument
from lcplatform_runtime.documents.paths import ParallelArrays, Path, at, indexed, parts
from lcplatform_runtime.documents.values import Key, Object, Value, key


class Ordered(Protocol):
    """One field of an order, as requests name it."""

    @property
    def field(self) -> str:
        """The path of the field."""
        ...

    @property
    def direction(self) -> str:
        """Which way it goes: "ascending" or "descending"."""
        ...


@total_ordering
class Reversed:
    """A key that comes before those that it comes after."""

    __slots__ = ("key",)

    def __init__(self, key: Key) -> None:
        self.key = key

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reversed) and self.key == other.key

    @override
    def __hash__(self) -> int:
        return hash(self.key)

    def __lt__(self, other: Reversed) -> bool:
        return other.key < self.key


@dataclass(frozen=True, slots=True)
class Order:
    """An order by fields, the most significant first, each with whether its greatest value comes first."""

    fields: tuple[tuple[Path, bool], ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """The paths of the fields."""
        return tuple([path for path, _ in self.fields])

    def values_of(self, document: Object) -> tuple[Value, ...]:
        """The values by which a document stands where it stands.

        Raises:
            NoDocument: two fields are in different arrays.
        """
        try:
            found = indexed(document, self.paths)
        except ParallelArrays as error:
            raise NoDocument(str(error)) from error
        return found[0] if len(found) == 1 else min(found, key=self.key_of)

    def key_of(self, values: tuple[Value, ...]) -> Key:
        """The key of such values."""
        return tuple(
            [
                Reversed(key(value)) if descending else key(value)
                for value, (_, descending) in zip(values, self.fields, strict=True)
            ]
        )

    def key_of_document(self, document: Object) -> Key:
        """The key of a document."""
        return self.key_of(self.values_of(document))

    def key_of_element(self, element: Value) -> Key:
        """The key of an element of an array, in which arrays are compared as they are, and not by their least element.

        One that is no object has none of the fields.
        """
        inside = element if element.__class__ is dict else {}
        return self.key_of(tuple([at(inside, path) for path in self.paths]))


def sort_of(fields: Iterable[Ordered]) -> Order | None:
    """The order that a request asks for; none if it asks for none."""
    wanted = [(parts(it.field), it.direction == "descending") for it in fields]
    return _order(wanted) if wanted else None


def order_of(content: Object) -> Order:
    """The order that an object of fields with 1 or -1 writes."""
    wanted = []
    for name, direction in content.items():
        if direction.__class__ is bool or direction not in _DIRECTIONS:
            raise NoDocument("each field is given 1 for ascending or -1 for descending")
        wanted.append((parts(name), bool(direction == -1)))
    return _order(wanted)


def _order(wanted: list[tuple[Path, bool]]) -> Order:
    if not wanted:
        raise NoDocument("an order by at least one field")
    if len({path for path, _ in wanted}) < len(wanted):
        raise NoDocument("each field once")
    if any(part[0] == "$" for path, _ in wanted for part in path):
        raise NoDocument("fields, whose names do not begin with a dollar")
    return Order(tuple(wanted))


_DIRECTIONS: Final[tuple[Any, ...]] = (1, -1)
