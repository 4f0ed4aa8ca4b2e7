"""Indexes: where documents are found by the values of their fields (FR-023)."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from lcplatform.document_store.models import Direction, FieldOrder, IndexDefinition
from lcplatform_mock.documents.stored import Stored
from lcplatform_runtime.documents.paths import Path, indexed, is_place, parts
from lcplatform_runtime.documents.values import MISSING, Key, Object, Value, key

_FEW: Final = 8
"""So many new keys are put in their places one by one. More are sorted in together."""

AFTER: Final[Key] = (1000,)
"""Comes after the key of every value."""


@dataclass(frozen=True)
class Shape:
    """What an index is over.

    Attributes:
        definition: how it was asked for.
        name: its name.
    """

    definition: IndexDefinition
    name: str

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """The paths of its fields."""
        return tuple([parts(it.field) for it in self.definition.fields])

    @cached_property
    def helps(self) -> bool:
        """Whether filters can be answered by it. Not by places in arrays: a filter means names by them as well."""
        return not any(is_place(part) for path in self.paths for part in path)

    def same_as(self, other: Shape) -> bool:
        """Whether both are alike, whatever they are called."""
        plain = {"name": None}
        return self.definition.model_copy(update=plain) == other.definition.model_copy(update=plain)


def shape_of(definition: IndexDefinition) -> Shape:
    """The shape of an index. It is named after its fields unless it has a name."""
    name = definition.name or "_".join(
        f"{it.field}_{-1 if it.direction is Direction.DESCENDING else 1}"
        for it in definition.fields
    )
    return Shape(definition.model_copy(update={"name": name}), name)


IDENTITY: Final = Shape(
    IndexDefinition(fields=(FieldOrder(field="_id"),), name="_id_", unique=True), "_id_"
)
"""The index of `_id`, which every collection has."""


class Index:
    """The documents of a collection by the keys of some of their fields.

    Attributes:
        shape: what it is over.
        multikey: whether a document ever had several keys, since it had an array there.
        entries: the documents by key, each by its number.
    """

    def __init__(self, shape: Shape, documents: Iterable[Stored] = ()) -> None:
        self.shape = shape
        self.multikey = False
        self.entries: dict[Key, dict[int, Stored]] = {}
        self._ordered: list[Key] = []
        self._new: list[Key] = []
        self._gone: set[Key] = set()
        for stored in documents:
            self.add(stored, self.keys_of(stored.document))

    def copy(self) -> Index:
        """One that changes by itself."""
        made = Index(self.shape)
        made.multikey = self.multikey
        made.entries = {key: dict(found) for key, found in self.entries.items()}
        made._ordered = list(self.ordered())
        return made

    @property
    def name(self) -> str:
        """Its name."""
        return self.shape.name

    def keys_of(self, document: Object) -> Sequence[Key]:
        """The keys of a document. None if it is left out.

        Raises:
            ParallelArrays: its fields are in different arrays.
        """
        found = indexed(document, self.shape.paths)
        if self.shape.definition.sparse:
            found = [it for it in found if any(value is not MISSING for value in it)]
        if len(found) == 1:
            return (_key(found[0]),)
        return tuple(dict.fromkeys(map(_key, found)))

    def holder(self, keys: Iterable[Key], but: Stored | None) -> Stored | None:
        """A document that has one of the keys already, other than the one that is to go."""
        for wanted in keys:
            for number, stored in self.entries.get(wanted, _NO_ENTRIES).items():
                if but is None or number != but.number:
                    return stored
        return None

    def add(self, stored: Stored, keys: Sequence[Key]) -> None:
        """Takes in a document."""
        if len(keys) > 1:
            self.multikey = True
        for wanted in keys:
            found = self.entries.get(wanted)
            if found is not None:
                found[stored.number] = stored
                continue
            self.entries[wanted] = {stored.number: stored}
            if wanted in self._gone:
                self._gone.discard(wanted)
            else:
                self._new.append(wanted)

    def remove(self, stored: Stored, keys: Sequence[Key]) -> None:
        """Lets go of a document."""
        for wanted in keys:
            found = self.entries[wanted]
            del found[stored.number]
            if not found:
                del self.entries[wanted]
                self._gone.add(wanted)

    def ordered(self) -> list[Key]:
        """All keys in their order. Not to be changed, and good until the next change."""
        if self._gone:
            gone = self._gone
            self._ordered = [it for it in self._ordered if it not in gone]
            self._new = [it for it in self._new if it not in gone]
            self._gone = set()
        if len(self._new) > _FEW:
            self._ordered += self._new
            self._ordered.sort()
        else:
            for wanted in self._new:
                insort(self._ordered, wanted)
        self._new = []
        return self._ordered

    def between(self, low: Key, high: Key) -> list[Key]:
        """The keys from `low` on and before `high`."""
        keys = self.ordered()
        return keys[bisect_left(keys, low) : bisect_left(keys, high)]

    def up_to(self, prefix: Key) -> tuple[Key, Key]:
        """Between which keys all those lie that begin with a prefix."""
        return prefix, (*prefix, AFTER)

    def under(self, wanted: Key) -> list[Stored]:
        """The documents under one key, in the order of their numbers."""
        found = self.entries.get(wanted, _NO_ENTRIES)
        return [found[number] for number in sorted(found)]

    def documents(self, keys: Iterable[Key]) -> Iterator[Stored]:
        """The documents under keys, in the order of these."""
        for wanted in keys:
            found = self.entries.get(wanted)
            if found is None:
                continue
            if len(found) == 1:
                yield from found.values()
            else:
                yield from map(found.__getitem__, sorted(found))


_NO_ENTRIES: Final[dict[int, Stored]] = {}


def _key(values: tuple[Value, ...]) -> Key:
    return tuple([key(value) for value in values])
