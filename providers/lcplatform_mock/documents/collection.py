"""A collection: documents, the indexes over them, and when they expire (FR-021 to FR-025)."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from lcplatform.document_store.models import Collection as CollectionInfo
from lcplatform_mock.documents.columns import Columns
from lcplatform_mock.documents.indexes import IDENTITY, Index, Shape
from lcplatform_mock.documents.stored import Stored
from lcplatform_runtime.documents.paths import ParallelArrays, indexed
from lcplatform_runtime.documents.values import Key, Moment, Object
from lcplatform_runtime.errors import AlreadyExistsError, invalid

if TYPE_CHECKING:
    from lcplatform_mock.documents.validators import Validator


class Collection:
    """The documents of one name.

    Who shares it sees it as it is: whoever wants to change it then takes a copy (`owned`).

    Attributes:
        name: its name.
        incarnation: tells it from another collection that has had its name.
        validator: what its documents must satisfy.
        shapes: its indexes by name, without that of `_id`.
        documents: the documents by the keys of their `_id`.
    """

    def __init__(self, name: str, incarnation: str, validator: Validator | None = None) -> None:
        self.name = name
        self.incarnation = incarnation
        self.validator = validator
        self.documents: dict[Key, Stored] = {}
        self.indexes: dict[str, Index] = {}
        self._identities: Index | None = None
        self._rows: list[Stored] | None = None
        self._columns: Columns | None = None
        self._newest = 0
        self._in_order = True
        self._expiring: list[tuple[int, int, Key]] = []
        self._shared = False

    def share(self) -> Collection:
        """The collection as it is now, for someone who changes nothing in it."""
        self._shared = True
        return self

    def owned(self) -> Collection:
        """The collection for someone who changes it: a copy if somebody else may look at it."""
        if not self._shared:
            return self
        made = Collection(self.name, self.incarnation, self.validator)
        made.documents = dict(self.documents)
        made.indexes = {name: index.copy() for name, index in self.indexes.items()}
        made._expiring = list(self._expiring)
        made._newest, made._in_order = self._newest, self._in_order
        return made

    @property
    def info(self) -> CollectionInfo:
        """What is told of it."""
        return CollectionInfo(
            name=self.name, validator=None if self.validator is None else self.validator.schema
        )

    @property
    def shapes(self) -> list[Shape]:
        """Its indexes, that of `_id` among them, in the order of their names."""
        return sorted(
            [IDENTITY, *(it.shape for it in self.indexes.values())], key=lambda it: it.name
        )

    @property
    def rows(self) -> list[Stored]:
        """The documents in the order of their numbers. Not to be changed, and good until the next change."""
        if self._rows is None:
            self._rows = list(self.documents.values())
            if not self._in_order:
                self._rows.sort(key=lambda it: it.number)
        return self._rows

    @property
    def columns(self) -> Columns:
        """The values of fields in `rows`, and good for as long."""
        if self._columns is None:
            self._columns = Columns(self.rows)
        return self._columns

    @property
    def identities(self) -> Index:
        """The index of `_id`, in its order. Made when it is first asked for: by key, documents are found without it."""
        if self._identities is None:
            self._identities = Index(IDENTITY, self.documents.values())
        return self._identities

    # --- changing

    def insert(self, stored: Stored) -> None:
        """As `apply` of an insert, and faster: most changes are inserts, and most collections have no index."""
        if self.indexes or self._identities is not None:
            self.apply(None, stored)
            return
        if self.documents.setdefault(stored.key, stored) is not stored:
            raise _taken(self.name, "_id_")
        self._comes_last(stored)

    def _comes_last(self, stored: Stored) -> None:
        """Puts a new document into the rows, at their end unless it got its number long ago: in a transaction, or before it
        was deleted, if that is taken back."""
        if stored.number < self._newest:
            self._in_order = False
            self._rows = self._columns = None
            return
        self._newest = stored.number
        if self._rows is not None:
            self._rows.append(stored)

    def apply(self, before: Stored | None, after: Stored | None) -> None:
        """Puts a document in the place of another: inserts it where there was none, deletes it where there is to be none.

        Raises:
            AlreadyExistsError: another one has its `_id`, or its values of a unique index.
            ValidationError: an index cannot take it.
        """
        if after is not None:
            held = self.documents.get(after.key)
            if held is not None and (before is None or held.number != before.number):
                raise _taken(self.name, "_id_")
        if self.indexes:
            self._index(before, after)
        if self._identities is not None:
            _move(self._identities, before, after)
        if before is not None and (after is None or after.key != before.key):
            del self.documents[before.key]
        if after is not None:
            self.documents[after.key] = after
            if self.indexes and self._ttl:
                self._watch_expiry(after)
        if before is None and after is not None:
            self._comes_last(after)
        else:
            self._rows = self._columns = None

    def _index(self, before: Stored | None, after: Stored | None) -> None:
        # All of them are asked before any of them changes.
        moves = [(it, *self._keys(it, before, after)) for it in self.indexes.values()]
        for index, old, new in moves:
            if before is not None:
                index.remove(before, old)
            if after is not None:
                index.add(after, new)

    def _keys(
        self, index: Index, before: Stored | None, after: Stored | None
    ) -> tuple[Sequence[Key], Sequence[Key]]:
        old = () if before is None else index.keys_of(before.document)
        new = () if after is None else keys_in(index, after.document)
        if index.shape.definition.unique and index.holder(new, before) is not None:
            raise _taken(self.name, index.name)
        return old, new

    def unique_keys(self, document: Object) -> Iterator[tuple[str, Key]]:
        """The keys that no other document may have, each with the name of its index."""
        for index in self.indexes.values():
            if index.shape.definition.unique:
                for key in keys_in(index, document):
                    yield index.name, key

    # --- indexes

    def add_index(self, shape: Shape) -> None:
        """Makes an index.

        Raises:
            AlreadyExistsError: documents have the same values of a unique one.
            ValidationError: it cannot take a document.
        """
        index = Index(shape)
        for stored in self.rows:
            keys = keys_in(index, stored.document)
            if shape.definition.unique and index.holder(keys, None) is not None:
                raise _taken(self.name, shape.name)
            index.add(stored, keys)
        self.indexes[shape.name] = index
        if shape.definition.expire_after is not None:
            for stored in self.rows:
                self._watch_expiry(stored)

    # --- expiry

    @property
    def _ttl(self) -> list[Shape]:
        if not self.indexes:
            return _NO_SHAPES
        return [
            it.shape for it in self.indexes.values() if it.shape.definition.expire_after is not None
        ]

    @property
    def next_expiry(self) -> int | None:
        """When the next document may expire, in milliseconds since 1970."""
        return self._expiring[0][0] if self._expiring else None

    def expired(self, now: int) -> list[Stored]:
        """The documents whose time is over, each of them once."""
        found: list[Stored] = []
        while self._expiring and self._expiring[0][0] <= now:
            _, number, key = heapq.heappop(self._expiring)
            stored = self.documents.get(key)
            if stored is None or stored.number != number or stored in found:
                continue
            due = self._expiry(stored.document)
            if due is not None and due <= now:
                found.append(stored)
        return found

    def expires_later(self, stored: Stored, at: int) -> None:
        """Looks at a document again, which could not be deleted now."""
        heapq.heappush(self._expiring, (at, stored.number, stored.key))

    def _watch_expiry(self, stored: Stored) -> None:
        due = self._expiry(stored.document)
        if due is not None:
            heapq.heappush(self._expiring, (due, stored.number, stored.key))

    def _expiry(self, document: Object) -> int | None:
        """When a document expires: the earliest of the times in its field counts."""
        moments = [
            value.milliseconds + round(it.definition.expire_after.total_seconds() * 1000)
            for it in self._ttl
            for (value, *_) in indexed(document, it.paths)
            if isinstance(value, Moment) and it.definition.expire_after is not None
        ]
        return min(moments, default=None)


_NO_SHAPES: Final[list[Shape]] = []


def keys_in(index: Index, document: Object) -> Sequence[Key]:
    """The keys of a document in an index."""
    try:
        return index.keys_of(document)
    except ParallelArrays as error:
        problem = invalid("document", f"{error}, for index {index.name!r}")
    raise problem


def _move(index: Index, before: Stored | None, after: Stored | None) -> None:
    if before is not None:
        index.remove(before, index.keys_of(before.document))
    if after is not None:
        index.add(after, index.keys_of(after.document))


def _taken(collection: str, index: str) -> AlreadyExistsError:
    return AlreadyExistsError(
        f"collection {collection!r} has a document with these values of the unique index {index!r}",
        resource=collection,
        details={"index": index},
    )


def undo(changes: Iterable[tuple[Collection, Stored | None, Stored | None]]) -> None:
    """Takes back changes that were applied, given from the last to the first."""
    for collection, before, after in changes:
        collection.apply(after, before)
