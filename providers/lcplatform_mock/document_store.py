"""DocumentStore in memory (FR-021 to FR-025), with the semantics of MongoDB as far as every provider has them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from functools import partial
from math import inf
from typing import Final

from typing_extensions import override

from lcplatform.document_store.driver import DocumentStoreDriver
from lcplatform.document_store.models import (
    AbortTransactionRequest,
    AbortTransactionResponse,
    AggregateRequest,
    AggregateResponse,
    BeginTransactionRequest,
    BeginTransactionResponse,
    ChangeKind,
    CommitTransactionRequest,
    CommitTransactionResponse,
    CountDocumentsRequest,
    CountDocumentsResponse,
    CreateCollectionRequest,
    CreateCollectionResponse,
    CreateIndexRequest,
    CreateIndexResponse,
    DeleteDocumentsRequest,
    DeleteDocumentsResponse,
    DropCollectionRequest,
    DropCollectionResponse,
    DropIndexRequest,
    DropIndexResponse,
    ExplainRequest,
    ExplainResponse,
    FieldOrder,
    FindDocumentsRequest,
    FindDocumentsResponse,
    GetDocumentRequest,
    GetDocumentResponse,
    IndexDefinition,
    InsertDocumentRequest,
    InsertDocumentResponse,
    InsertDocumentsRequest,
    InsertDocumentsResponse,
    InsertDocumentsResult,
    ListCollectionsRequest,
    ListCollectionsResponse,
    ListIndexesRequest,
    ListIndexesResponse,
    ReplaceDocumentRequest,
    ReplaceDocumentResponse,
    UpdateDocumentsRequest,
    UpdateDocumentsResponse,
    WatchCollectionRequest,
    WatchCollectionResponse,
)
from lcplatform.document_store.support import DocumentStoreCapability, DocumentStoreLimits
from lcplatform.type.models import BatchFailure
from lcplatform_mock.documents import answers, finding, projections, stages, updates, writing
from lcplatform_mock.documents.changes import Change, Log
from lcplatform_mock.documents.collection import Collection
from lcplatform_mock.documents.filters import EVERYTHING, read, reading
from lcplatform_mock.documents.indexes import IDENTITY
from lcplatform_mock.documents.planner import plan
from lcplatform_mock.documents.store import State, Store, milliseconds
from lcplatform_mock.documents.stored import Stored, json_of, shown
from lcplatform_mock.documents.transactions import Transaction
from lcplatform_mock.documents.validators import Validator
from lcplatform_mock.gate import gated
from lcplatform_mock.listing import names_page
from lcplatform_mock.refusals import failure, missing
from lcplatform_mock.service import Service
from lcplatform_mock.world import World
from lcplatform_runtime.cancellation import CANCELLATION
from lcplatform_runtime.documents.values import Object, key
from lcplatform_runtime.errors import (
    AlreadyExistsError,
    LCPlatformError,
    PreconditionFailedError,
    QuotaExceededError,
    invalid,
)
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.patience import patience
from lcplatform_runtime.support import ConditionalUpdate, Support
from lcplatform_runtime.trusted import trusted

# DocumentDB's, but for the entries of a batch, which it does not bound so far down.
LIMITS: Final = DocumentStoreLimits(
    max_document_bytes=writing.MAX_BYTES,
    max_batch_entries=1000,
    max_indexes=64,
    max_transaction_seconds=60,
)
SUPPORT: Final = Support(
    capabilities=frozenset(DocumentStoreCapability),
    limits=LIMITS.by_name(),
    conditional_updates=dict.fromkeys(
        ("replace_document", "update_documents", "delete_documents"), ConditionalUpdate.ATOMIC
    ),
)
_PART_DOCUMENTS: Final = 100
_PART_BYTES: Final = 1024**2

_inserted = trusted(InsertDocumentResponse)
_inserted_all = trusted(InsertDocumentsResponse)
_entry = trusted(InsertDocumentsResult)
_found = trusted(FindDocumentsResponse)
_ABORTED: Final = trusted(AbortTransactionResponse)()
_COMMITTED: Final = trusted(CommitTransactionResponse)()
_DROPPED: Final = trusted(DropCollectionResponse)()
_DROPPED_INDEX: Final = trusted(DropIndexResponse)()


class _Held:
    """The lock of the store, held for one operation. A class, since a generator would cost as much as the rest of a write."""

    __slots__ = ("_begun", "_name", "_service", "_transaction")

    def __init__(self, service: MockDocumentStore, name: str, transaction: str | None) -> None:
        self._service = service
        self._name = name
        self._transaction = transaction
        self._begun: Transaction | None = None

    def __enter__(self) -> tuple[Collection, Transaction | None]:
        service = self._service
        service._lock.acquire()
        try:
            if self._transaction is not None:
                self._begun = service._transaction(self._transaction)
            return service._seen(self._name, self._begun), self._begun
        except BaseException:
            service._lock.release()
            raise

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._service._lock.release()


class _Writing(_Held):
    """The same for a write: a transaction ends with one that fails, and whoever watches is told."""

    __slots__ = ()

    @override
    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        service = self._service
        try:
            if kind is not None and self._begun is not None:
                service._store.transactions.end(self._begun)
            service._ring()
        finally:
            service._lock.release()


@gated(DocumentStoreDriver)
class MockDocumentStore(Service[State], DocumentStoreDriver):
    """Documents in memory. Those whose time is over are gone whenever anybody looks."""

    def __init__(self, world: World) -> None:
        tables, life = None, 0
        if world.journal is not None:
            from lcplatform_mock.documents.records import DocumentTables

            tables = DocumentTables(world.journal)
            life = tables.begin()
        self._store = Store(world.token(), life, tables)
        super().__init__(world, self._store.state)
        if tables is not None:
            tables.load(self._store.state)
        self._name = world.names()
        self._new_id = writing.object_ids(lambda: self._clock.now().timestamp())
        self._changed = threading.Condition(self._lock)
        self._watchers = 0
        self._closed = False

    @property
    @override
    def support(self) -> Support:
        return SUPPORT

    # --- collections

    @override
    def create_collection(self, request: CreateCollectionRequest, /) -> CreateCollectionResponse:
        name = request.name
        validator = None if request.validator is None else Validator(request.validator)
        definitions = list(request.indexes)
        if request.ttl is not None:
            field = FieldOrder(field=request.ttl.field)
            definitions.append(
                IndexDefinition(fields=(field,), expire_after=request.ttl.expire_after)
            )
        collection = Collection(name, self._name(), validator)
        for definition in definitions:
            shape = answers.shape(definition, "indexes")
            if answers.twin(collection, shape) is not None or shape.name in collection.indexes:
                raise invalid("indexes", f"each index once, not {shape.name!r} twice")
            collection.add_index(shape)
        if len(definitions) > LIMITS.max_indexes:
            raise invalid("indexes", f"at most {LIMITS.max_indexes}")
        with self._lock:
            self._store.create(collection)
        return CreateCollectionResponse(collection=collection.info)

    @override
    def list_collections(self, request: ListCollectionsRequest, /) -> ListCollectionsResponse:
        with self._lock:
            known = self._store.state.collections
            names, token = names_page(sorted(known), "", request.page_size, request.page_token)
            return ListCollectionsResponse(
                collections=tuple([known[it].info for it in names]), next_page_token=token
            )

    @override
    def drop_collection(self, request: DropCollectionRequest, /) -> DropCollectionResponse:
        with self._lock:
            if self._store.drop(request.name, self._clock.now()):
                self._ring()
        return _DROPPED

    # --- writing

    @override
    def insert_document(self, request: InsertDocumentRequest, /) -> InsertDocumentResponse:
        document = writing.document_of(request.document)
        if request.transaction is None:
            # Most writes are so, and need less: one that fails ends nothing and changes nothing.
            with self._lock:
                stored = self._insert(self._seen(request.collection, None), document, None)
                self._ring()
        else:
            with self._writing(request.collection, request.transaction) as (view, transaction):
                stored = self._insert(view, document, transaction)
        return _inserted(id=stored.identity, etag=stored.etag)

    @override
    def insert_documents(self, request: InsertDocumentsRequest, /) -> InsertDocumentsResponse:
        successful: list[InsertDocumentsResult] = []
        failed: list[BatchFailure] = []
        with self._writing(request.collection, request.transaction) as (collection, transaction):
            for index, given in enumerate(request.documents):
                try:
                    stored = self._insert(collection, self._entry(given), transaction)
                except LCPlatformError as error:
                    if transaction is not None:
                        raise
                    failed.append(failure(index, error))
                else:
                    successful.append(_entry(index=index, id=stored.identity, etag=stored.etag))
        return _inserted_all(successful=tuple(successful), failed=tuple(failed))

    def _insert(
        self, collection: Collection, document: Object, transaction: Transaction | None
    ) -> Stored:
        document = writing.identified(document, self._new_id)
        if collection.validator is not None:
            collection.validator.check(document)
        stored = self._store.stored(document, None)
        if transaction is None:
            self._store.insert(collection.name, stored, self._clock.now)
        else:
            self._write(collection, [(None, stored)], ChangeKind.INSERTED, transaction)
        return stored

    @override
    def replace_document(self, request: ReplaceDocumentRequest, /) -> ReplaceDocumentResponse:
        if request.upsert and request.if_match is not None:
            raise invalid("if_match", "none together with upsert")
        identity = writing.identity_from(request.id)
        writing.check_identity(identity)
        document = writing.replacement(writing.document_of(request.document), identity)
        with self._writing(request.collection, request.transaction) as (collection, transaction):
            before = collection.documents.get(key(identity))
            if before is None and not request.upsert:
                raise missing("document", answers.shown_id(request.id))
            if before is not None:
                answers.check_etag(before, request.if_match)
                document["_id"] = before.document["_id"]
            if collection.validator is not None:
                collection.validator.check(document)
            after = self._store.stored(document, before)
            self._write(collection, [(before, after)], ChangeKind.REPLACED, transaction)
        return ReplaceDocumentResponse(etag=after.etag, inserted=before is None)

    @override
    def update_documents(self, request: UpdateDocumentsRequest, /) -> UpdateDocumentsResponse:
        if request.upsert and request.if_match is not None:
            raise invalid("if_match", "none together with upsert")
        with self._reading(request.collection, request.transaction):
            filter = read(request.filter)
            changes = updates.read(request.update)
        with self._writing(request.collection, request.transaction) as (collection, transaction):
            matched = answers.targets(
                collection, filter, request.if_match, first=request.first_only
            )
            if not matched and request.upsert:
                inserting = updates.read(request.update, inserting=True)
                document = writing.upserted(filter, inserting, self._new_id)
                writing.check_document(collection, document, "update")
                stored = self._insert(collection, document, transaction)
                return UpdateDocumentsResponse(matched=0, modified=0, upserted_id=stored.identity)
            done: list[tuple[Stored | None, Stored | None]] = []
            for before in matched:
                after = writing.updated(collection, before.document, changes)
                if after is not before.document:
                    done.append((before, self._store.stored(after, before)))
            self._write(collection, done, ChangeKind.UPDATED, transaction)
        return UpdateDocumentsResponse(matched=len(matched), modified=len(done))

    @override
    def delete_documents(self, request: DeleteDocumentsRequest, /) -> DeleteDocumentsResponse:
        with self._reading(request.collection, request.transaction):
            filter = read(request.filter)
        with self._writing(request.collection, request.transaction) as (collection, transaction):
            matched = answers.targets(
                collection, filter, request.if_match, first=request.first_only
            )
            gone = [(it, None) for it in matched]
            self._write(collection, gone, ChangeKind.DELETED, transaction)
        return DeleteDocumentsResponse(deleted=len(matched))

    # --- reading

    @override
    def get_document(self, request: GetDocumentRequest, /) -> GetDocumentResponse:
        identity = writing.identity_from(request.id)
        with self._reading(request.collection, request.transaction) as (collection, _):
            stored = collection.documents.get(key(identity))
            if stored is None:
                raise missing("document", answers.shown_id(request.id))
            return stored.get

    @override
    def find_documents(self, request: FindDocumentsRequest, /) -> FindDocumentsResponse:
        with self._reading(request.collection, request.transaction) as (collection, _):
            filter, order = read(request.filter), answers.order_of(request.sort)
            projection = projections.read(request.projection)
            rows, token = reading(
                "sort",
                lambda: finding.page(
                    collection, filter, order, request.page_size, request.page_token
                ),
            )
            if projection is None:
                documents = Stored.answers(rows)
            else:
                documents = tuple([shown(projection(it.document)) for it in rows])
        return _found(documents=documents, next_page_token=token)

    @override
    def count_documents(self, request: CountDocumentsRequest, /) -> CountDocumentsResponse:
        with self._reading(request.collection, request.transaction) as (collection, _):
            return CountDocumentsResponse(count=finding.count(collection, read(request.filter)))

    @override
    def explain(self, request: ExplainRequest, /) -> ExplainResponse:
        with self._reading(request.collection, None) as (collection, _):
            order = answers.order_of(request.sort)
            chosen = plan(collection, read(request.filter), order)
            return ExplainResponse(
                index=chosen.index,
                sorts=order is not None and not chosen.sorted_,
                plan=Json(chosen.describe()),
            )

    @override
    def aggregate(self, request: AggregateRequest, /) -> Iterator[AggregateResponse]:
        with self._reading(request.collection, request.transaction) as (collection, _):
            pipeline = stages.read(request.pipeline)
            rows = finding.found(collection, pipeline.filter)
            made = reading("pipeline", lambda: list(pipeline.run(it.document for it in rows)))
        part: list[Json] = []
        size = 0
        for document in made:
            part.append(json_of(document))
            size += len(part[-1].text)
            if len(part) >= _PART_DOCUMENTS or size >= _PART_BYTES:
                yield AggregateResponse(documents=tuple(part))
                part, size = [], 0
        if part:
            yield AggregateResponse(documents=tuple(part))

    # --- indexes

    @override
    def create_index(self, request: CreateIndexRequest, /) -> CreateIndexResponse:
        shape = answers.shape(
            IndexDefinition(**{it: getattr(request, it) for it in IndexDefinition.model_fields})
        )
        with self._reading(request.collection, None) as (collection, _):
            same = answers.twin(collection, shape)
            if same is not None and (request.name in {None, same.name}) and same.same_as(shape):
                return CreateIndexResponse(index=answers.index(same))
            if same is not None or shape.name in {IDENTITY.name, *collection.indexes}:
                raise AlreadyExistsError(
                    f"another index has the name or the fields of {shape.name!r}",
                    resource=request.collection,
                )
            if len(collection.indexes) >= LIMITS.max_indexes:
                raise QuotaExceededError(
                    f"a collection has at most {LIMITS.max_indexes} indexes", retryable=False
                )
            try:
                owned = self._store.reshaped(request.collection)
                owned.add_index(shape)
            except AlreadyExistsError as error:
                raise PreconditionFailedError(
                    "documents have the same values of the unique index",
                    resource=request.collection,
                ) from error
            self._store.keep_shape(owned)
        return CreateIndexResponse(index=answers.index(shape))

    @override
    def list_indexes(self, request: ListIndexesRequest, /) -> ListIndexesResponse:
        with self._reading(request.collection, None) as (collection, _):
            shapes = {it.name: it for it in collection.shapes}
        names, token = names_page(sorted(shapes), "", request.page_size, request.page_token)
        indexes = tuple([answers.index(shapes[it]) for it in names])
        return ListIndexesResponse(indexes=indexes, next_page_token=token)

    @override
    def drop_index(self, request: DropIndexRequest, /) -> DropIndexResponse:
        with self._reading(request.collection, None) as (collection, _):
            if request.name == IDENTITY.name:
                raise invalid("name", "another index than that of _id")
            if request.name not in collection.indexes:
                raise missing(f"of collection {request.collection!r}, index", request.name)
            owned = self._store.reshaped(request.collection)
            del owned.indexes[request.name]
            self._store.keep_shape(owned)
        return _DROPPED_INDEX

    # --- transactions

    @override
    def begin_transaction(self, request: BeginTransactionRequest, /) -> BeginTransactionResponse:
        with self._lock:
            self._settle_all()
            now = self._clock.now()
            transaction = Transaction(
                id=self._name(),
                expires=self._clock.monotonic() + request.timeout.total_seconds(),
                expires_at=now + request.timeout,
                collections={
                    name: it.share() for name, it in self._store.state.collections.items()
                },
            )
            self._store.transactions.begin(transaction)
        return BeginTransactionResponse(
            transaction=transaction.id, expires_at=transaction.expires_at
        )

    @override
    def commit_transaction(self, request: CommitTransactionRequest, /) -> CommitTransactionResponse:
        with self._lock:
            self._store.commit(self._transaction(request.transaction), self._clock.now())
            self._ring()
        return _COMMITTED

    @override
    def abort_transaction(self, request: AbortTransactionRequest, /) -> AbortTransactionResponse:
        with self._lock:
            self._store.transactions.end(self._transaction(request.transaction))
        return _ABORTED

    # --- watching

    @override
    def watch_collection(
        self, request: WatchCollectionRequest, /
    ) -> Iterator[WatchCollectionResponse]:
        with self._reading(request.collection, None) as (collection, _):
            filter = EVERYTHING if request.filter is None else read(request.filter)
            log = self._store.state.logs[request.collection]
            log.watched = True
            incarnation = collection.incarnation
            sequence = answers.resumed(request.resume_token, incarnation, log)
            now = self._clock.now()
        yield answers.begun(now, f"{incarnation}.{sequence}")
        while True:
            with self._changed:
                change = self._await(request.collection, incarnation, log, sequence)
            if change is None:
                return
            sequence = change.sequence
            if answers.concerns(change, filter):
                yield answers.told(change, f"{incarnation}.{sequence}")
            if change.kind is ChangeKind.DROPPED:
                return

    def _await(self, name: str, incarnation: str, log: Log, sequence: int) -> Change | None:
        """The next change of a collection after another one. None if there will be none."""
        while True:
            left = patience("the collection changed")
            if self._closed:
                raise PreconditionFailedError("the platform is closed")
            self._settle(name)
            change = log.after(sequence)
            if change is not None:
                return change
            if self._store.state.logs.get(name) is not log:
                raise PreconditionFailedError(
                    f"collection {name!r} went back to an earlier state: read it, and watch it from now on"
                )
            self._listen(name, left)

    def _listen(self, name: str, seconds: float) -> None:
        """Waits until something changes, or the caller gives up."""
        cancellation = CANCELLATION.get()
        self._schedule(name)
        self._watchers += 1
        try:
            with nullcontext() if cancellation is None else cancellation.waking(self._wake):
                # Who gave up before it could be heard does not ring.
                if cancellation is None or not cancellation.cancelled:
                    self._clock.wait(self._changed, None if seconds == inf else seconds)
        finally:
            self._watchers -= 1

    def _schedule(self, name: str) -> None:
        """Sees to it that watchers hear of the next document that expires, when it does."""
        due = self._store.state.collections[name].next_expiry
        if due is not None:
            ahead = (due - milliseconds(self._clock.now())) / 1000
            self._world.agenda.after(max(0.0, ahead), partial(self._expire, name))

    def _expire(self, name: str) -> None:
        with self._lock:
            self._settle(name)

    def _wake(self) -> None:
        with self._lock:
            self._ring()

    def _ring(self) -> None:
        if self._watchers:
            self._changed.notify_all()

    # --- all operations

    def _reading(self, name: str, transaction: str | None) -> _Held:
        """Holds the lock and gives a collection, as it is or as a transaction sees it."""
        return _Held(self, name, transaction)

    def _writing(self, name: str, transaction: str | None) -> _Writing:
        """As `_reading`. A transaction ends with a write that fails."""
        return _Writing(self, name, transaction)

    def _seen(self, name: str, transaction: Transaction | None) -> Collection:
        store = self._store
        seen = store.collection(name, transaction)
        if store.transactions.open or seen.next_expiry is not None:
            self._settle(name)
            return store.collection(name, transaction)
        return seen

    def _write(
        self,
        collection: Collection,
        changes: Iterable[tuple[Stored | None, Stored | None]],
        kind: ChangeKind,
        transaction: Transaction | None,
    ) -> None:
        self._store.write(collection.name, changes, kind, self._clock.now(), transaction)

    def _transaction(self, id: str) -> Transaction:
        self._store.transactions.expire(self._clock.monotonic())
        return self._store.transactions.find(id)

    def _entry(self, given: Json) -> Object:
        return writing.document_of(
            answers.within_limit(given, LIMITS.max_document_bytes), "documents"
        )

    def _settle(self, name: str) -> None:
        """What the time has brought about for a collection."""
        if self._store.transactions.open:
            self._store.transactions.expire(self._clock.monotonic())
        if self._store.may_expire(name) and self._store.settle(name, self._clock.now()):
            self._ring()

    def _settle_all(self) -> None:
        for name in list(self._store.state.collections):
            self._settle(name)

    # --- the whole service

    @override
    def settle(self) -> None:
        with self._lock:
            self._settle_all()
        self._world.flush()

    @override
    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._changed.notify_all()

    @override
    def _moved(self) -> None:
        # The state is another one: what was begun in the old one is over.
        self._store.state = self._state
        self._store.transactions.end_all()
        self._changed.notify_all()

    @override
    def _keep(self) -> None:
        if self._store.tables is not None:
            self._store.tables.keep(self._state)
