"""Collections, documents and their changes as they are written to the journal, and how they are taken up again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from lcplatform.document_store.models import ChangeKind, IndexDefinition
from lcplatform_mock.documents.changes import Change, Log
from lcplatform_mock.documents.collection import Collection
from lcplatform_mock.documents.indexes import shape_of
from lcplatform_mock.documents.stored import Stored
from lcplatform_mock.documents.validators import Validator
from lcplatform_runtime.documents.extended_json import parse_object, text_of
from lcplatform_runtime.documents.values import key
from lcplatform_runtime.json_value import Json

if TYPE_CHECKING:
    from lcplatform_mock.documents.store import State
    from lcplatform_mock.journal import Journal


@dataclass(slots=True, kw_only=True)
class CollectionRecord:
    """A collection without its documents."""

    incarnation: str
    validator: str | None
    indexes: list[IndexDefinition]
    before: int
    """The last change that is not kept any more."""


@dataclass(slots=True, kw_only=True)
class DocumentRecord:
    """A document."""

    collection: str
    number: int
    etag: str
    content: str = field(repr=False)

    @classmethod
    def of(cls, collection: str, stored: Stored) -> DocumentRecord:
        """The record of a document."""
        return cls(
            collection=collection,
            number=stored.number,
            etag=stored.etag,
            content=text_of(stored.document),
        )

    @property
    def stored(self) -> Stored:
        """The document of a record."""
        document = parse_object(Json.from_text(self.content).plain)
        return Stored(self.number, key(document["_id"]), document, self.etag)


@dataclass(slots=True, kw_only=True)
class ChangeRecord:
    """A change."""

    collection: str
    kind: ChangeKind
    document: DocumentRecord | None
    at: datetime


@dataclass(slots=True, kw_only=True)
class LifeRecord:
    """How often the store was taken up, so that no life gives out the numbers of another."""

    count: int


class DocumentTables:
    """The records of a store."""

    def __init__(self, journal: Journal) -> None:
        self._collections = journal.table("document_store.collection", CollectionRecord)
        self._documents = journal.table("document_store.document", DocumentRecord)
        self._changes = journal.table("document_store.change", ChangeRecord)
        self._lives = journal.table("document_store.life", LifeRecord)

    def begin(self) -> int:
        """Which life this is."""
        count = 1 + max([it.count for _, it in self._lives.load()], default=0)
        self._lives.put("", LifeRecord(count=count))
        return count

    def load(self, state: State) -> None:
        """Fills `state` with what was kept."""
        for name, kept in self._collections.load():
            validator = (
                None if kept.validator is None else Validator(Json.from_text(kept.validator))
            )
            collection = state.collections[name] = Collection(name, kept.incarnation, validator)
            for definition in kept.indexes:
                collection.add_index(shape_of(definition))
            state.logs[name] = Log(kept.before, watched=True)
        documents = sorted((it for _, it in self._documents.load()), key=lambda it: it.number)
        for it in documents:
            state.collections[it.collection].apply(None, it.stored)
        changes = sorted(self._changes.load(), key=lambda it: int(it[0]))
        for sequence, change in changes:
            stored = None if change.document is None else change.document.stored
            state.logs[change.collection].add(Change(int(sequence), change.kind, stored, change.at))

    def keep(self, state: State) -> None:
        """Puts all of `state` in the place of what was there."""
        for table in (self._collections, self._documents, self._changes):
            table.clear()
        for name, collection in state.collections.items():
            self.put_collection(collection, state.logs[name])
            for stored in collection.rows:
                self.put_document(name, None, stored)
            for change in state.logs[name].all():
                self.put_change(name, change)

    def put_collection(self, collection: Collection, log: Log) -> None:
        """Keeps a collection."""
        validator = collection.validator
        record = CollectionRecord(
            incarnation=collection.incarnation,
            validator=None if validator is None else validator.schema.text,
            indexes=[it.shape.definition for it in collection.indexes.values()],
            before=log.before,
        )
        self._collections.put(collection.name, record)

    def remove_collection(self, collection: Collection, log: Log) -> None:
        """Keeps neither a collection nor anything of it."""
        self._collections.remove(collection.name)
        for stored in collection.rows:
            self._documents.remove(str(stored.number))
        for change in log.all():
            self.remove_change(change)

    def put_document(self, collection: str, before: Stored | None, after: Stored | None) -> None:
        """Keeps what a document became."""
        if after is not None:
            self._documents.put(str(after.number), DocumentRecord.of(collection, after))
        elif before is not None:
            self._documents.remove(str(before.number))

    def put_change(self, collection: str, change: Change) -> None:
        """Keeps a change."""
        stored = change.stored
        document = None if stored is None else DocumentRecord.of(collection, stored)
        record = ChangeRecord(
            collection=collection, kind=change.kind, document=document, at=change.at
        )
        self._changes.put(str(change.sequence), record)

    def remove_change(self, change: Change) -> None:
        """Keeps a change no longer."""
        self._changes.remove(str(change.sequence))
