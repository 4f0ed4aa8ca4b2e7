"""Which index answers a filter, and in which order it gives the documents (FR-023)."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from lcplatform_mock.documents.collection import Collection
from lcplatform_mock.documents.columns import Columns
from lcplatform_mock.documents.conditions import ORDERED_RANKS, Condition, Equals, OneOf, Ordered
from lcplatform_mock.documents.filters import Filter
from lcplatform_mock.documents.indexes import AFTER, IDENTITY, Index
from lcplatform_mock.documents.stored import Stored
from lcplatform_runtime.documents.paths import Path
from lcplatform_runtime.documents.sorts import Order
from lcplatform_runtime.documents.values import Bound, Key, Value, key

_MOST_POINTS: Final = 1000
"""Filters that name more combinations of values than this look at a range, or at everything."""

Wanted: TypeAlias = Mapping[Path, Sequence[Condition]]
"""What is asked of each field in any case."""


@dataclass(frozen=True, slots=True)
class Everything:
    """Every document is looked at."""

    collection: Collection
    index: None = None
    sorted_: bool = False

    @property
    def estimate(self) -> int:
        """How many documents are looked at."""
        return len(self.collection.documents)

    def rows(self) -> Sequence[Stored]:
        """The documents that may match, in the order of their numbers."""
        return self.collection.rows

    def columns(self) -> Columns:
        """The values of fields in `rows`."""
        return self.collection.columns

    def describe(self) -> dict[str, Any]:
        """The plan, for a person to read."""
        return {"stage": "scan", "documents": self.estimate}


@dataclass(frozen=True, slots=True)
class ByIdentity:
    """Documents are looked up by their `_id`."""

    collection: Collection
    keys: tuple[Key, ...]
    index: str = IDENTITY.name
    sorted_: bool = False

    @property
    def estimate(self) -> int:
        """How many documents are looked at."""
        return len(self.keys)

    def rows(self) -> Sequence[Stored]:
        """The documents that may match, in the order of their numbers."""
        get = self.collection.documents.get
        return in_order(it for wanted in self.keys if (it := get(wanted)) is not None)

    def describe(self) -> dict[str, Any]:
        """The plan, for a person to read."""
        return {"stage": "lookup", "index": self.index, "keys": len(self.keys)}


@dataclass(frozen=True, slots=True)
class ByIndex:
    """Documents are looked up in an index.

    Attributes:
        source: the index.
        points: the keys, or what the keys begin with.
        low: where the range of the next field begins, if it is bounded.
        high: where it ends.
        sorted_: whether the index gives the documents in the order that is wanted.
        descending: whether that is from its end to its beginning.
    """

    source: Index
    points: tuple[Key, ...]
    low: Key | None
    high: Key | None
    sorted_: bool
    descending: bool

    @property
    def index(self) -> str:
        """The name of the index."""
        return self.source.name

    @property
    def estimate(self) -> int:
        """How many documents are looked at, or at how many keys of a range."""
        if self._exact:
            entries = self.source.entries
            return sum(len(entries.get(point, ())) for point in self.points)
        return sum(len(range(*it)) for it in self._ranges())

    def rows(self) -> Sequence[Stored]:
        """The documents that may match, in the order of their numbers."""
        if self._exact and len(self.points) == 1:
            return self.source.under(self.points[0])
        return in_order(self.source.documents(self._keys()))

    def ordered(self) -> Iterator[Stored]:
        """The documents that may match, in the order of the index."""
        keys = self._keys()
        return self.source.documents(reversed(keys) if self.descending else keys)

    def describe(self) -> dict[str, Any]:
        """The plan, for a person to read."""
        return {
            "stage": "index",
            "index": self.index,
            "points": len(self.points),
            "fields": len(self.points[0]) if self.points else 0,
            "range": self.low is not None,
            "direction": "backward" if self.descending else "forward",
        }

    @property
    def _exact(self) -> bool:
        return bool(self.points) and len(self.points[0]) == len(self.source.shape.paths)

    def _keys(self) -> list[Key]:
        if self._exact:
            return list(self.points)
        keys = self.source.ordered()
        return [it for low, high in self._ranges() for it in keys[low:high]]

    def _ranges(self) -> Iterator[tuple[int, int]]:
        keys = self.source.ordered()
        for point in self.points:
            low = point if self.low is None else (*point, self.low)
            high = (*point, AFTER if self.high is None else self.high)
            yield bisect_left(keys, low), bisect_left(keys, high)


Plan: TypeAlias = Everything | ByIdentity | ByIndex
"""How documents are found that may match."""


def plan(collection: Collection, filter: Filter, order: Order | None) -> Plan:
    """The plan that looks at the fewest documents; among equals, one that gives them in the order that is wanted."""
    wanted: defaultdict[Path, list[Condition]] = defaultdict(list)
    for it in filter.required:
        wanted[it.path].append(it.condition)
    identities = _points(wanted.get(("_id",), ()), nulls=True)
    if identities is not None:
        return ByIdentity(collection, tuple([key(it) for it in identities]))
    plans: list[Plan] = [
        found
        for index in collection.indexes.values()
        if (found := _by_index(index, wanted, order)) is not None
    ]
    if ("_id",) in wanted or (order is not None and order.paths == (("_id",),)):
        by_identity = _by_index(collection.identities, wanted, order)
        plans += [] if by_identity is None else [by_identity]
    if not plans:
        return Everything(collection)
    return min(plans, key=lambda it: (it.estimate, not it.sorted_))


def in_order(found: Iterable[Stored]) -> list[Stored]:
    """Each document once, in the order of their numbers."""
    unique = {it.number: it for it in found}
    return [unique[number] for number in sorted(unique)]


def _by_index(index: Index, wanted: Wanted, order: Order | None) -> ByIndex | None:
    """How an index helps, if it does."""
    shape = index.shape
    if not shape.helps:
        return None
    points, used = _prefixes(index, wanted)
    low = high = None
    if used < len(shape.paths) and not (index.multikey and used):
        low, high = _bounds(wanted.get(shape.paths[used], ()), single=index.multikey)
    filters = bool(used) or low is not None
    if shape.definition.sparse and not filters:
        return None  # it lacks documents that may match
    sorted_ = (
        order is not None
        and not index.multikey
        and len(points) == 1
        and order.paths == shape.paths[used:]
        and len({descending for _, descending in order.fields}) == 1
    )
    if not filters and not sorted_:
        return None
    descending = sorted_ and order is not None and order.fields[0][1]
    return ByIndex(index, tuple(points), low, high, sorted_, descending)


def _prefixes(index: Index, wanted: Wanted) -> tuple[list[Key], int]:
    """What the keys begin with for the values that its first fields must have, and how many fields these are."""
    points: list[Key] = [()]
    used = 0
    nulls = not index.shape.definition.sparse and not index.multikey
    for path in index.shape.paths:
        values = _points(wanted.get(path, ()), nulls=nulls)
        if values is None or len(points) * len(values) > _MOST_POINTS:
            break
        keys = sorted({key(it) for it in values})
        points = [(*point, it) for point, it in itertools.product(points, keys)]
        used += 1
        if index.multikey:
            break  # the values of the other fields may belong to other elements
    return points, used


def _points(conditions: Sequence[Condition], *, nulls: bool) -> Sequence[Value] | None:
    """The values of which a field must have one, if the conditions say so and an index knows them."""
    for it in conditions:
        if isinstance(it, Equals):
            values: Sequence[Value] = (it.value,)
        elif isinstance(it, OneOf) and not it.patterns:
            values = it.values
        else:
            continue
        if all(value.__class__ is not tuple and (nulls or value is not None) for value in values):
            return values
    return None


def _bounds(conditions: Sequence[Condition], *, single: bool) -> tuple[Key | None, Key | None]:
    """Between which keys a field must lie. `single`: each condition may be met by another element of an array."""
    low: Key | None = None
    high: Key | None = None
    for it in conditions:
        if not isinstance(it, Ordered) or it.value.__class__ is Bound:
            continue
        at = key(it.value)
        if at[0] not in ORDERED_RANKS:
            continue
        # Inclusive at both ends: the filter has the last word. What comes right after a key is that key and more.
        ends = (at, (at[0] + 1,)) if it.operator in {"$gt", "$gte"} else ((at[0],), (*at, 0))
        if low is None or high is None:
            low, high = ends
        else:
            low, high = max(low, ends[0]), min(high, ends[1])
        if single:
            break
    return low, high
