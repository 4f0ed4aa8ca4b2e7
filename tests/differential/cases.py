"""Generated documents, and what is asked of them: filters, orders, projections and updates, in Extended JSON."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Raw: TypeAlias = Any
"""What JSON text parses to."""

_FINDS: Final = 32
_COMMON: Final = (None, 0, 1, 2, 1.5, 0.25, -1, "a", "b", "", True, False)
_RARE: Final = (
    {"$numberLong": "1"},
    {"$numberDouble": "1.0"},
    {"$numberDecimal": "1.5"},
    {"$numberDouble": "NaN"},
    {"$date": {"$numberLong": "0"}},
    {"$date": {"$numberLong": "1500000000000"}},
    {"$oid": "507f1f77bcf86cd799439011"},
    {"$binary": {"base64": "AQI=", "subType": "00"}},
    {"$timestamp": {"t": 1, "i": 1}},
    {"$minKey": 1},
    {"$maxKey": 1},
)
_PATHS: Final = (
    "a",
    "b",
    "c",
    "a.b",
    "a.c",
    "a.0",
    "a.1",
    "b.0",
    "a.b.c",
    "b.c",
    "a.1.b",
    "a.0.b",
    "a.b.0",
)
_TYPES: Final = (
    "int",
    "long",
    "double",
    "decimal",
    "number",
    "string",
    "array",
    "object",
    "null",
    "bool",
    "date",
)
_KINDS: Final = (
    *("", "", "$eq", "$ne", "$order", "$order", "$order", "$in", "$nin", "$exists"),
    *("$all", "$size", "$type", "$regex", "$not", "$elemMatch"),
)
_ELEMENTS: Final[tuple[Raw, ...]] = (
    {"$gt": 0},
    {"$eq": 1},
    {"$lt": "b", "$ne": "a"},
    {"b": 1},
    {"b": {"$gte": 1}},
    {"b": None},
    {"b": {"$exists": False}},
    {"0": 1},
)


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is asked: to find documents, or to change one and look at it."""

    filter: Raw
    sort: tuple[tuple[str, int], ...] = ()
    projection: Raw = None
    update: Raw = None
    upsert: bool = False

    def shown(self, documents: dict[int, Raw], ours: Raw, theirs: Raw) -> str:
        """The case in words, with the documents in which the answers differ."""
        said = [f"{name} {value}" for name, value in self._parts() if value]
        if self.update is not None:
            return f"{', '.join(said)}: {documents.get(self.filter['_id'], 'no document')}"
        if "refused" in (ours, theirs):
            return ", ".join(said)
        if self.projection is not None:
            return f"{', '.join(said)}: {list(documents.values())}"
        differing = set(ours) ^ set(theirs) or {
            it for it, other in zip(ours, theirs, strict=True) if it != other
        }
        return f"{', '.join(said)}: {[documents[it] for it in sorted(differing)]}"

    def _parts(self) -> Iterator[tuple[str, Raw]]:
        yield from (("filter", self.filter), ("sort", self.sort), ("projection", self.projection))
        yield from (("update", self.update), ("upsert", self.upsert))


class Cases:
    """Makes cases."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._there = tuple("abc")

    # --- documents

    def document(self, number: int) -> Raw:
        """A document with some fields."""
        chosen = self._chance.sample("abc", self._chance.randrange(4))
        return {"_id": number, **{name: self._value() for name in chosen}}

    def _scalar(self) -> Raw:
        return self._chance.choice(_RARE if self._chance.random() < 0.15 else _COMMON)

    def _value(self, depth: int = 0) -> Raw:
        luck = self._chance.random()
        if luck < 0.5 or depth > 2:
            return self._scalar()
        if luck < 0.75:
            return [self._value(depth + 1) for _ in range(self._chance.randrange(4))]
        names = self._chance.sample("bc", self._chance.randrange(3))
        return {name: self._value(depth + 1) for name in names}

    # --- finding

    def finds(self) -> Iterator[Case]:
        """Filters, some of them with an order, some with a projection."""
        for _ in range(_FINDS):
            filter = self._filter()
            luck = self._chance.random()
            if luck < 0.2:
                yield Case({}, sort=self._sort())
            elif luck < 0.35:
                yield Case({}, sort=(("_id", 1),), projection=self._projection())
            else:
                yield Case(filter, sort=(("_id", 1),))

    def _filter(self, depth: int = 0) -> Raw:
        if depth < 2 and self._chance.random() < 0.2:
            members = [self._filter(depth + 1) for _ in range(self._chance.randrange(1, 3))]
            return {self._chance.choice(("$and", "$or", "$nor")): members}
        fields = self._chance.sample(_PATHS, self._chance.choice((1, 1, 2)))
        return {path: self._condition() for path in fields}

    def _condition(self) -> Raw:
        chance = self._chance
        kind = chance.choice(_KINDS)
        match kind:
            case "":
                return self._value()
            case "$eq" | "$ne":
                return {kind: self._value()}
            case "$order":
                return self._order()
            case "$in" | "$nin" | "$all":
                return {kind: [self._value(1) for _ in range(chance.randrange(3))]}
            case "$exists":
                return {kind: chance.choice((True, False))}
            case "$size":
                return {kind: chance.randrange(3)}
            case "$type":
                return {kind: chance.choice(_TYPES)}
            case "$regex":
                return {kind: chance.choice(("a", "^b", ".", "^$"))}
            case "$not":
                return {
                    kind: chance.choice(
                        (self._order(), {"$eq": self._value()}, {"$in": [self._scalar()]})
                    )
                }
            case _:
                return {kind: chance.choice(_ELEMENTS)}

    def _order(self) -> Raw:
        names = self._chance.sample(("$gt", "$gte", "$lt", "$lte"), self._chance.choice((1, 1, 2)))
        return {name: self._value(2) for name in names}

    def _sort(self) -> tuple[tuple[str, int], ...]:
        fields = self._chance.sample(
            ("a", "b", "c", "a.b", "b.c", "a.0"), self._chance.choice((1, 1, 2))
        )
        return (*((it, self._chance.choice((1, -1))) for it in fields), ("_id", 1))

    def _projection(self) -> Raw:
        paths = self._chance.sample(
            ("a", "b", "c", "a.b", "a.c", "b.c", "a.b.c"), self._chance.choice((1, 2))
        )
        shown = self._chance.choice((0, 1))
        made = dict.fromkeys(paths, shown)
        return made if self._chance.random() < 0.8 or not shown else {**made, "_id": 0}

    # --- changing

    def updates(self, documents: list[Raw]) -> Iterator[Case]:
        """A change of each document, and some that make one."""
        for it in documents:
            # Most changes are of fields that are there.
            self._there = tuple(name for name in it if name != "_id") or tuple("abc")
            yield Case({"_id": it["_id"]}, update=self._update())
        for number in range(3):
            filter = {
                "_id": len(documents) + number,
                self._chance.choice(("a", "a.b", "c")): self._value(),
            }
            yield Case(filter, update=self._update(), upsert=True)

    def _update(self) -> Raw:
        parts = self._chance.sample(tuple(_PARTS), self._chance.choice((1, 1, 2)))
        return {part: getattr(self, _PARTS[part])() for part in parts}

    def _path(self) -> str:
        return self._chance.choice(self._there if self._chance.random() < 0.6 else _PATHS)

    def _set(self) -> Raw:
        return {self._path(): self._value() for _ in range(self._chance.choice((1, 1, 2)))}

    def _unset(self) -> Raw:
        return [self._path()]

    def _increment(self) -> Raw:
        return {
            self._path(): self._chance.choice(
                (1, 1.5, -1, {"$numberLong": "5"}, {"$numberDecimal": "0.5"})
            )
        }

    def _push(self) -> Raw:
        each: Raw = {"$each": [self._value(2) for _ in range(self._chance.randrange(3))]}
        if self._chance.random() < 0.4:
            each["$slice"] = self._chance.choice((2, -2, 0))
        if self._chance.random() < 0.4:
            each["$position"] = self._chance.choice((0, 1, -1))
        if self._chance.random() < 0.4:
            each["$sort"] = self._chance.choice((1, -1, {"b": 1}, {"b": -1}))
        return {self._path(): self._chance.choice((self._value(1), each))}

    def _pull(self) -> Raw:
        condition = self._chance.choice(
            ({"$gte": 1}, {"b": 1}, {"$in": [1, "a"]}, {"b": {"$gt": 0}})
        )
        return {self._path(): self._chance.choice((self._value(1), condition))}

    def _rename(self) -> Raw:
        return {self._path(): self._chance.choice(("z", "b", "c", "a.z", "b.c"))}


_PARTS: Final = {
    "set": "_set",
    "unset": "_unset",
    "increment": "_increment",
    "push": "_push",
    "pull": "_pull",
    "rename": "_rename",
    "set_on_insert": "_set",
}
