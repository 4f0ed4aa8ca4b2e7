"""All collections of one platform, and the ways in which they change: at once, or by a transaction."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from lcplatform.document_store.models import ChangeKind
from lcplatform_mock.documents.changes import Change, Log
from lcplatform_mock.documents.collection import Collection, undo
from lcplatform_mock.documents.stored import Stored
from lcplatform_mock.documents.transactions import (
    Claim,
    Transaction,
    Transactions,
    in_conflict,
)
from lcplatform_mock.refusals import missing
from lcplatform_runtime.documents.values import RANK_TEXT, Object, key
from lcplatform_runtime.errors import AlreadyExistsError, LCPlatformError

if TYPE_CHECKING:
    from lcplatform_mock.documents.records import DocumentTables

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class State:
    """What a snapshot holds: the collections, and what is known of their changes."""

    def __init__(self) -> None:
        self.collections: dict[str, Collection] = {}
        self.logs: dict[str, Log] = {}

    def __deepcopy__(self, memo: dict[int, object]) -> State:
        made = State()
        made.collections = {name: it.share() for name, it in self.collections.items()}
        for name, log in self.logs.items():
            made.logs[name] = log.copy()
        return made


class Store:
    """The collections. Whoever calls it holds the lock of the service.

    Attributes:
        state: what a snapshot holds.
        transactions: those that are open.
    """

    def __init__(self, stem: str, life: int, tables: DocumentTables | None) -> None:
        """`stem` begins every etag. Numbers of a later `life` are greater than those of an earlier one."""
        self.state = State()
        self.transactions = Transactions()
        self.tables = tables
        self._stem = stem
        self._numbers = itertools.count((life << 40) + 1)

    # --- reading

    def collection(self, name: str, transaction: Transaction | None = None) -> Collection:
        """A collection as everybody sees it, or as a transaction does."""
        seen = self.state.collections if transaction is None else transaction.collections
        found = seen.get(name)
        if found is None:
            raise missing("collection", name)
        return found

    # --- changing

    def create(self, collection: Collection) -> None:
        """Takes in a new collection."""
        name = collection.name
        if name in self.state.collections:
            raise AlreadyExistsError(f"collection {name!r} exists", resource=name)
        self.state.collections[name] = collection
        self.state.logs[name] = Log(next(self._numbers), watched=self.tables is not None)
        if self.tables is not None:
            self.tables.put_collection(collection, self.state.logs[name])

    def drop(self, name: str, now: datetime) -> bool:
        """Drops a collection, if there is one. Its watchers are told."""
        found = self.state.collections.pop(name, None)
        if found is None:
            return False
        self._tell(name, ChangeKind.DROPPED, None, now)
        log = self.state.logs.pop(name)
        if self.tables is not None:
            self.tables.remove_collection(found, log)
        return True

    def reshaped(self, name: str) -> Collection:
        """A collection whose indexes are about to change."""
        owned = self.state.collections[name] = self.state.collections[name].owned()
        return owned

    def keep_shape(self, collection: Collection) -> None:
        """Keeps the indexes of a collection."""
        if self.tables is not None:
            self.tables.put_collection(collection, self.state.logs[collection.name])

    def stored(self, document: Object, before: Stored | None) -> Stored:
        """A document as it is going to be stored, in a place of its own or in that of another."""
        number = next(self._numbers)
        etag = f"{self._stem}{number:x}"
        if before is None:
            identity = document["_id"]
            own = (RANK_TEXT, identity) if type(identity) is str else key(identity)
            return Stored(number, own, document, etag)
        return Stored(before.number, before.key, document, etag)

    def insert(self, name: str, stored: Stored, now: Callable[[], datetime]) -> None:
        """Inserts one document outside of transactions, which is what most writes are: as `write`, and faster."""
        state = self.state
        collection = state.collections[name] = state.collections[name].owned()
        if self.transactions.open:
            self.transactions.check_free(_claims(collection, None, stored))
        collection.insert(stored)
        log = state.logs[name]
        if log.watched:
            self._changed(name, ChangeKind.INSERTED, None, stored, now())
        else:
            log.skip(next(self._numbers))

    def write(
        self,
        name: str,
        changes: Iterable[tuple[Stored | None, Stored | None]],
        kind: ChangeKind,
        now: datetime,
        transaction: Transaction | None = None,
    ) -> None:
        """Changes documents: all of them or, if one is refused, none."""
        if transaction is not None:
            for before, after in changes:
                self._write_within(transaction, name, before, after, kind)
            return
        collection = self.state.collections[name] = self.state.collections[name].owned()
        done: list[tuple[Collection, Stored | None, Stored | None]] = []
        try:
            for before, after in changes:
                self.transactions.check_free(_claims(collection, before, after))
                collection.apply(before, after)
                done.append((collection, before, after))
        except LCPlatformError:
            undo(reversed(done))
            raise
        for _, before, after in done:
            self._changed(name, kind, before, after, now)

    def _write_within(
        self,
        transaction: Transaction,
        name: str,
        before: Stored | None,
        after: Stored | None,
        kind: ChangeKind,
    ) -> None:
        view = transaction.collections[name]
        public = self.state.collections.get(name)
        if public is None or public.incarnation != view.incarnation:
            raise in_conflict(name)
        stored = after or before
        assert stored is not None
        original = transaction.original(name, stored.key)
        if public.documents.get(stored.key) is not original:
            raise in_conflict(name)
        view = transaction.collections[name] = view.owned()
        view.apply(before, after)
        self.transactions.claim(transaction, _claims(view, before, after))
        if after is not None:
            self._check_unseen(transaction, public, after)
        transaction.note(name, before, after, kind)

    def _check_unseen(self, transaction: Transaction, public: Collection, after: Stored) -> None:
        """Refuses values of a unique index that somebody took whom the transaction does not see."""
        for index, wanted in public.unique_keys(after.document):
            holder = public.indexes[index].holder([wanted], after)
            if holder is not None and holder.key != after.key:
                write = transaction.writes.get((public.name, holder.key))
                if write is None:
                    raise in_conflict(public.name)

    def commit(self, transaction: Transaction, now: datetime) -> None:
        """Makes the changes of a transaction last. It is over, whatever comes of it."""
        self.transactions.end(transaction)
        done: list[tuple[Collection, Stored | None, Stored | None]] = []
        kinds: list[ChangeKind] = []
        # What goes makes room for what comes.
        writes = sorted(transaction.writes.items(), key=lambda it: it[1][1] is not None)
        try:
            for (name, _), (before, after, kind) in writes:
                public = self.state.collections.get(name)
                view = transaction.collections[name]
                if public is None or public.incarnation != view.incarnation:
                    raise in_conflict(name)
                owned = self.state.collections[name] = public.owned()
                if before is not after:
                    owned.apply(before, after)
                    done.append((owned, before, after))
                    kinds.append(kind)
        except LCPlatformError as error:
            undo(reversed(done))
            raise in_conflict(error.resource or "") from error
        for (collection, before, after), kind in zip(done, kinds, strict=True):
            self._changed(collection.name, kind, before, after, now)

    # --- expiry

    def may_expire(self, name: str) -> bool:
        """Whether a collection has documents that expire some time."""
        collection = self.state.collections.get(name)
        return collection is not None and collection.next_expiry is not None

    def settle(self, name: str, now: datetime) -> bool:
        """Deletes the documents of a collection whose time is over, and says whether there were any."""
        collection = self.state.collections.get(name)
        if collection is None or collection.next_expiry is None:
            return False
        moment = milliseconds(now)
        if collection.next_expiry > moment:
            return False
        collection = self.state.collections[name] = collection.owned()
        expired = collection.expired(moment)
        for stored in expired:
            if self.transactions.is_claimed((name, "_id_", stored.key)):
                collection.expires_later(stored, moment)
                continue
            collection.apply(stored, None)
            self._changed(name, ChangeKind.DELETED, stored, None, now)
        return bool(expired)

    # --- telling

    def _changed(
        self,
        name: str,
        kind: ChangeKind,
        before: Stored | None,
        after: Stored | None,
        now: datetime,
    ) -> None:
        if self.tables is not None:
            self.tables.put_document(name, before, after)
        if before is None:
            kind = ChangeKind.INSERTED
        elif after is None:
            kind = ChangeKind.DELETED
        self._tell(name, kind, after or before, now)

    def _tell(self, name: str, kind: ChangeKind, stored: Stored | None, now: datetime) -> None:
        log = self.state.logs[name]
        if not log.watched:
            log.skip(next(self._numbers))
            return
        change = Change(next(self._numbers), kind, stored, now)
        log.add(change)
        gone = log.prune(now)
        if self.tables is not None:
            self.tables.put_change(name, change)
            for it in gone:
                self.tables.remove_change(it)
            if gone and name in self.state.collections:
                self.tables.put_collection(self.state.collections[name], log)


def milliseconds(moment: datetime) -> int:
    """A point in time as milliseconds since 1970."""
    return (moment - _EPOCH) // _MILLISECOND


def _claims(collection: Collection, before: Stored | None, after: Stored | None) -> Iterator[Claim]:
    """What a change is about: a document, and values that no other may have."""
    stored = after or before
    assert stored is not None
    yield (collection.name, "_id_", stored.key)
    if after is not None and collection.indexes:
        for index, wanted in collection.unique_keys(after.document):
            yield (collection.name, index, wanted)
