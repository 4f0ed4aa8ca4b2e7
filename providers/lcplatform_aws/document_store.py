"""DocumentStore on Amazon DocumentDB, which speaks MongoDB's protocol (FR-021 to FR-025).

What DocumentDB does otherwise than the contract asks for is made good here:

- It makes a collection when something is written to one that is not there. So whoever finds nothing, or writes, is told
  whether there is a collection at all; that there is one is believed for some seconds.
- It has no versions of documents. An etag stands for the bytes of a document, and what is guarded by one is read and changed
  in one transaction, which meets a conflict if anybody else changes the document meanwhile.
- A transaction sees what is there when its first operation comes. So one is made at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import bson
from bson.raw_bson import RawBSONDocument
from pymongo.errors import BulkWriteError, OperationFailure, PyMongoError, WriteError
from typing_extensions import override

from lcplatform.document_store.driver import DocumentStoreDriver
from lcplatform.document_store.models import (
    AbortTransactionRequest,
    AbortTransactionResponse,
    AggregateRequest,
    AggregateResponse,
    BeginTransactionRequest,
    BeginTransactionResponse,
    Collection,
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
    Document,
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
from lcplatform.type.models import BatchFailure, ErrorCode
from lcplatform_aws import document_store_changes, document_store_indexes
from lcplatform_aws.document_store_errors import of_code
from lcplatform_aws.document_store_pages import Query, page
from lcplatform_aws.document_store_pipelines import pipeline_of
from lcplatform_aws.document_store_queries import (
    filter_of,
    identity_in,
    order_of,
    projection_of,
    update_of,
)
from lcplatform_aws.document_store_server import Server, within_deadline
from lcplatform_aws.document_store_transactions import Transactions, at_once, begun
from lcplatform_aws.document_store_values import (
    MAX_BYTES,
    READ,
    Bson,
    Stored,
    document_of,
    etag_of,
    identity_of,
    json_of,
    relaxed,
    shown_identity,
    stored,
)
from lcplatform_aws.error_table import BROKEN
from lcplatform_runtime.documents.operators import check_schema
from lcplatform_runtime.errors import (
    AlreadyExistsError,
    ConflictError,
    LCPlatformError,
    ResourceNotFoundError,
    ValidationError,
    invalid,
)
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.support import ConditionalUpdate, Support
from lcplatform_runtime.trusted import trusted

if TYPE_CHECKING:
    from types import TracebackType

    from pymongo.client_session import ClientSession
    from pymongo.database import Database

T = TypeVar("T")

LIMITS: Final = DocumentStoreLimits(
    max_document_bytes=MAX_BYTES,
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
_BELIEVED: Final = 10.0
"""For how many seconds a collection that was there is believed to be there still."""
_BEGINNING: Final = "lcplatform.begin"
"""A collection that nobody has, for a transaction to begin with."""
_INDEX_CONFLICTS: Final = frozenset({85, 86})
_NOT_THERE: Final = 26

# What they are made of comes from the server, and is made here.
_shown = trusted(Document)
_found = trusted(FindDocumentsResponse)


class _Asking:
    """What is asked of the server, for as long as the call may take. A class, since a generator would cost as much again."""

    __slots__ = ("_deadline", "_server")

    def __init__(self, server: Server) -> None:
        self._server = server
        self._deadline = within_deadline()

    def __enter__(self) -> Database[Stored]:
        if self._deadline is None:
            return self._server.database
        self._deadline.__enter__()
        try:
            return self._server.database
        except BaseException:
            self._leave()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._deadline is not None:
            self._leave()
        if isinstance(problem, PyMongoError):
            self._server.refused(problem)

    def _leave(self) -> None:
        if self._deadline is not None:
            self._deadline.__exit__(None, None, None)


class DocumentDbDocumentStore(DocumentStoreDriver):
    """Documents on DocumentDB."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._transactions = Transactions()
        self._there: dict[str, float] = {}

    @property
    @override
    def support(self) -> Support:
        return SUPPORT

    def close(self) -> None:
        """Ends what is open, and closes every connection."""
        self._transactions.close()
        self._server.close()

    # --- collections

    @override
    def create_collection(self, request: CreateCollectionRequest, /) -> CreateCollectionResponse:
        name, options = request.name, _options_of(request.validator)
        wanted = _indexes_of(request)
        with self._asking() as database:
            # Some versions take the creation of what is there for done.
            if database.list_collection_names(filter={"name": name}):
                raise AlreadyExistsError(f"collection {name!r} exists", resource=name)
            database.command({"create": name, **options})
            try:
                if wanted:
                    database.command({"createIndexes": name, "indexes": wanted})
            except BaseException:
                database.command({"drop": name})  # all of it is there, or none
                raise
        return CreateCollectionResponse(
            collection=Collection(name=name, validator=request.validator)
        )

    @override
    def list_collections(self, request: ListCollectionsRequest, /) -> ListCollectionsResponse:
        with self._asking() as database:
            found = {
                str(it["name"]): it
                for it in database.list_collections(filter={"type": "collection"})
            }
        names, token = _names_page(
            [it for it in found if not it.startswith("system.")],
            request.page_size,
            request.page_token,
        )
        collections = [Collection(name=it, validator=_validator_in(found[it])) for it in names]
        return ListCollectionsResponse(collections=tuple(collections), next_page_token=token)

    @override
    def drop_collection(self, request: DropCollectionRequest, /) -> DropCollectionResponse:
        self._there.pop(request.name, None)
        with self._asking() as database:
            try:
                database.command({"drop": request.name})
            except OperationFailure as error:
                if error.code != _NOT_THERE:
                    raise
        return DropCollectionResponse()

    # --- writing

    @override
    def insert_document(self, request: InsertDocumentRequest, /) -> InsertDocumentResponse:
        document = _identified(document_of(request.document))
        raw = stored(document)
        with self._writing(request.collection, request.transaction) as (database, session):
            database[request.collection].insert_one(raw, session=session)
        return InsertDocumentResponse(id=shown_identity(document["_id"]), etag=etag_of(raw))

    @override
    def insert_documents(self, request: InsertDocumentsRequest, /) -> InsertDocumentsResponse:
        entries: dict[int, tuple[Bson, RawBSONDocument]] = {}
        failed: dict[int, BatchFailure] = {}
        for index, given in enumerate(request.documents):
            try:
                document = _identified(document_of(given, "documents"))
                entries[index] = document["_id"], stored(document, "documents")
            except LCPlatformError as error:
                if request.transaction is not None:
                    raise
                failed[index] = _failure(
                    index, error.code, error.message, retryable=error.retryable
                )
        with self._writing(request.collection, request.transaction) as (database, session):
            failed |= _inserted(database, request, entries, session)
        successful = [
            InsertDocumentsResult(index=index, id=shown_identity(identity), etag=etag_of(raw))
            for index, (identity, raw) in entries.items()
            if index not in failed
        ]
        return InsertDocumentsResponse(
            successful=tuple(successful), failed=tuple(failed[it] for it in sorted(failed))
        )

    @override
    def replace_document(self, request: ReplaceDocumentRequest, /) -> ReplaceDocumentResponse:
        if request.upsert and request.if_match is not None:
            raise invalid("if_match", "none together with upsert")
        identity = identity_of(request.id)
        document = document_of(request.document)
        if "_id" in document and not _equal(document["_id"], identity):
            raise invalid("document", "the _id of the document that it replaces, or none")
        document = {"_id": identity, **{it: document[it] for it in document if it != "_id"}}
        stored(document)
        filter = {"_id": identity}
        with (
            self._writing(request.collection, request.transaction) as (database, session),
            self._guarded(database, request.collection, filter, request.if_match, session) as own,
        ):
            before = database[request.collection].find_one_and_replace(
                filter,
                {it: document[it] for it in document if it != "_id"},
                projection={"_id": True},
                upsert=request.upsert,
                session=own,
            )
            if before is None and not request.upsert:
                raise self._no_document(request.collection, request.id)
            if before is not None:
                document["_id"] = before["_id"]
        return ReplaceDocumentResponse(etag=etag_of(stored(document)), inserted=before is None)

    @override
    def update_documents(self, request: UpdateDocumentsRequest, /) -> UpdateDocumentsResponse:
        if request.upsert and request.if_match is not None:
            raise invalid("if_match", "none together with upsert")
        filter, update = self._understood(
            request.collection,
            lambda: (_guardable(request.filter, request.if_match), update_of(request.update)),
        )
        with (
            self._writing(request.collection, request.transaction) as (database, session),
            self._guarded(database, request.collection, filter, request.if_match, session) as own,
        ):
            collection = database[request.collection]
            change = collection.update_one if request.first_only else collection.update_many
            done = change(filter, update, upsert=request.upsert, session=own)
        upserted = None if done.upserted_id is None else shown_identity(done.upserted_id)
        return UpdateDocumentsResponse(
            matched=0 if upserted is not None else done.matched_count,
            modified=done.modified_count,
            upserted_id=upserted,
        )

    @override
    def delete_documents(self, request: DeleteDocumentsRequest, /) -> DeleteDocumentsResponse:
        filter = self._understood(
            request.collection, lambda: _guardable(request.filter, request.if_match)
        )
        with (
            self._writing(request.collection, request.transaction) as (database, session),
            self._guarded(database, request.collection, filter, request.if_match, session) as own,
        ):
            collection = database[request.collection]
            delete = collection.delete_one if request.first_only else collection.delete_many
            done = delete(filter, session=own)
        return DeleteDocumentsResponse(deleted=done.deleted_count)

    # --- reading

    @override
    def get_document(self, request: GetDocumentRequest, /) -> GetDocumentResponse:
        filter = {"_id": identity_of(request.id)}
        with self._reading(request.transaction) as (database, session):
            found = _find(database, request.collection, session, filter, limit=1)
            if not found:
                raise self._no_document(request.collection, request.id)
        return GetDocumentResponse(document=_document(found[0]))

    @override
    def find_documents(self, request: FindDocumentsRequest, /) -> FindDocumentsResponse:
        query = self._understood(request.collection, partial(_query_of, request))
        if request.transaction is None:
            with _Asking(self._server) as database:
                rows, token = self._page(database, request, query, None)
        else:
            with self._reading(request.transaction) as (database, session):
                rows, token = self._page(database, request, query, session)
        projection = projection_of(request.projection)
        show = _document if projection is None else partial(_part, projection)
        return _found(documents=tuple([show(it) for it in rows]), next_page_token=token)

    def _page(
        self,
        database: Database[Stored],
        request: FindDocumentsRequest,
        query: Query,
        session: ClientSession | None,
    ) -> tuple[list[Stored], str]:
        name = request.collection
        rows, token = page(partial(_find, database, name, session), query, request.page_token)
        if not rows:
            self._check_there(name)
        return rows, token

    @override
    def count_documents(self, request: CountDocumentsRequest, /) -> CountDocumentsResponse:
        filter = self._understood(request.collection, lambda: filter_of(request.filter))
        with self._reading(request.transaction) as (database, session):
            count = database[request.collection].count_documents(filter, session=session)
            if not count:
                self._check_there(request.collection)
        return CountDocumentsResponse(count=count)

    @override
    def explain(self, request: ExplainRequest, /) -> ExplainResponse:
        with self._asking() as database:
            self._check_there(request.collection)
            asked = {"find": request.collection, "filter": filter_of(request.filter)}
            if order := order_of(request.sort):
                asked["sort"] = order
            answer = database.command({"explain": asked, "verbosity": "queryPlanner"})
        plan = answer["queryPlanner"]["winningPlan"]
        return ExplainResponse(
            index=document_store_indexes.index_in(plan),
            sorts=document_store_indexes.sorts(plan),
            plan=Json.of_plain(relaxed(plan)),
        )

    @override
    def aggregate(self, request: AggregateRequest, /) -> Iterator[AggregateResponse]:
        pipeline = self._understood(request.collection, lambda: pipeline_of(request.pipeline))
        with self._reading(request.transaction) as (database, session):
            rows = database[request.collection].aggregate(
                pipeline, session=session, batchSize=_PART_DOCUMENTS
            )
            part = _part_of(rows)
            if not part:
                self._check_there(request.collection)
        with rows:
            while part:
                yield AggregateResponse(documents=tuple(part))
                with self._reading(request.transaction):
                    part = _part_of(rows)

    # --- indexes

    @override
    def create_index(self, request: CreateIndexRequest, /) -> CreateIndexResponse:
        name = request.collection
        wanted = document_store_indexes.specification(
            IndexDefinition(**{it: getattr(request, it) for it in IndexDefinition.model_fields})
        )
        with self._asking() as database:
            self._check_there(name)
            for it in _indexes(database, name):
                named = request.name in {None, it["name"]}
                if named and document_store_indexes.same(wanted, it):
                    return CreateIndexResponse(index=document_store_indexes.made(it))
                # Newer versions take several indexes over the same fields.
                if it["name"] == wanted["name"] or document_store_indexes.same_fields(wanted, it):
                    raise _another_index(name, str(wanted["name"]))
            try:
                database.command({"createIndexes": name, "indexes": [wanted]})
            except OperationFailure as error:
                if error.code in _INDEX_CONFLICTS:  # somebody else was faster
                    raise _another_index(name, str(wanted["name"])) from error
                raise
        return CreateIndexResponse(index=document_store_indexes.made(wanted))

    @override
    def list_indexes(self, request: ListIndexesRequest, /) -> ListIndexesResponse:
        with self._asking() as database:
            self._check_there(request.collection)
            found = [
                document_store_indexes.index_of(it) for it in _indexes(database, request.collection)
            ]
        known = {it.name: it for it in found if it is not None}
        names, token = _names_page(known, request.page_size, request.page_token)
        return ListIndexesResponse(
            indexes=tuple([known[it] for it in names]), next_page_token=token
        )

    @override
    def drop_index(self, request: DropIndexRequest, /) -> DropIndexResponse:
        with self._asking() as database:
            self._check_there(request.collection)
            if request.name == document_store_indexes.IDENTITY:
                raise invalid("name", "another index than that of _id")
            database.command({"dropIndexes": request.collection, "index": request.name})
        return DropIndexResponse()

    # --- transactions

    @override
    def begin_transaction(self, request: BeginTransactionRequest, /) -> BeginTransactionResponse:
        with self._asking() as database:
            session = begun(self._server.client)
            try:
                database[_BEGINNING].find_one({}, session=session)
            except BaseException:
                session.end_session()
                raise
        now = datetime.now(UTC)
        transaction = self._transactions.begin(session, request.timeout.total_seconds())
        return BeginTransactionResponse(
            transaction=transaction.id, expires_at=now + request.timeout
        )

    @override
    def commit_transaction(self, request: CommitTransactionRequest, /) -> CommitTransactionResponse:
        with self._asking():
            self._transactions.commit(request.transaction)
        return CommitTransactionResponse()

    @override
    def abort_transaction(self, request: AbortTransactionRequest, /) -> AbortTransactionResponse:
        with self._asking():
            self._transactions.abort(request.transaction)
        return AbortTransactionResponse()

    # --- watching

    @override
    def watch_collection(
        self, request: WatchCollectionRequest, /
    ) -> Iterator[WatchCollectionResponse]:
        with self._asking():
            self._check_there(request.collection)
        watch = document_store_changes.Watch(request)
        yield from watch.changes(self._server)

    # --- all operations

    def _asking(self) -> _Asking:
        """The database, for as long as the call may take."""
        return _Asking(self._server)

    def _understood(self, name: str, read: Callable[[], T]) -> T:
        """What a request says. What is wrong with it is told only if there is a collection to which it could be said."""
        try:
            return read()
        except ValidationError:
            with self._asking():
                self._check_there(name)
            raise

    @contextmanager
    def _reading(
        self, transaction: str | None
    ) -> Iterator[tuple[Database[Stored], ClientSession | None]]:
        """The database, and the session of a transaction."""
        with self._asking() as database, self._transactions.taking_part(transaction) as session:
            yield database, session

    @contextmanager
    def _writing(
        self, name: str, transaction: str | None
    ) -> Iterator[tuple[Database[Stored], ClientSession | None]]:
        """The same for a write, which would make a collection that is not there. It ends its transaction if it fails."""
        with (
            self._asking() as database,
            self._transactions.taking_part(transaction, writes=True) as session,
        ):
            self._check_there(name)
            yield database, session

    def _check_there(self, name: str) -> None:
        """Refuses what is asked of a collection that is not there."""
        now = time.monotonic()
        if self._there.get(name, 0.0) > now:
            return
        if not self._server.database.list_collection_names(filter={"name": name}):
            self._there.pop(name, None)
            raise ResourceNotFoundError(f"collection {name!r} does not exist", resource=name)
        self._there[name] = now + _BELIEVED

    def _no_document(self, name: str, identity: str | Json) -> ResourceNotFoundError:
        """Tells that there is no such document, or no collection that could have it."""
        self._check_there(name)
        shown = identity if isinstance(identity, str) else "that is no text"
        return ResourceNotFoundError(f"document {shown!r} does not exist", resource=shown)

    @contextmanager
    def _guarded(
        self,
        database: Database[Stored],
        name: str,
        filter: dict[str, Bson],
        if_match: str | None,
        session: ClientSession | None,
    ) -> Iterator[ClientSession | None]:
        """Lets a change happen only if the document still has an etag, and nobody else change it meanwhile."""
        if if_match is None:
            yield session
            return
        with at_once(self._server.client, session) as own:
            found = _find(database, name, own, filter, limit=1)
            if not found:
                raise ResourceNotFoundError("the document does not exist", resource=name)
            if etag_of(found[0]) != if_match:
                raise ConflictError(
                    "the document has changed: read it again and repeat the change on what is there now",
                    resource=name,
                )
            yield own


# --- what is asked


def _options_of(validator: Json | None) -> dict[str, Bson]:
    if validator is None:
        return {}
    check_schema(validator.plain)
    return {"validator": {"$jsonSchema": validator.plain}}


def _validator_in(found: Mapping[str, Any]) -> Json | None:
    schema = found.get("options", {}).get("validator", {}).get("$jsonSchema")
    return None if schema is None else Json.of_plain(relaxed(schema))


def _indexes_of(request: CreateCollectionRequest) -> list[dict[str, Bson]]:
    definitions = list(request.indexes)
    if request.ttl is not None:
        field = FieldOrder(field=request.ttl.field)
        definitions.append(IndexDefinition(fields=(field,), expire_after=request.ttl.expire_after))
    wanted = [document_store_indexes.specification(it, "indexes") for it in definitions]
    names = {str(it["name"]) for it in wanted} | {document_store_indexes.IDENTITY}
    keys = {tuple(it["key"].items()) for it in wanted} | {(("_id", 1),)}
    if len(names) <= len(wanted) or len(keys) <= len(wanted):
        raise invalid("indexes", "each index once")
    if len(wanted) > LIMITS.max_indexes:
        raise invalid("indexes", f"at most {LIMITS.max_indexes}")
    return wanted


def _identified(document: dict[str, Bson]) -> dict[str, Bson]:
    return document if "_id" in document else {"_id": bson.ObjectId(), **document}


def _equal(one: Bson, other: Bson) -> bool:
    """Whether two identities are the same to the server, to which 1 is 1.0."""
    numbers = (int, float)
    if isinstance(one, numbers) and isinstance(other, numbers):
        return isinstance(one, bool) == isinstance(other, bool) and one == other
    if isinstance(one, bson.Decimal128) or isinstance(other, bson.Decimal128):
        both = [it.to_decimal() if isinstance(it, bson.Decimal128) else it for it in (one, other)]
        return bool(both[0] == both[1])
    return bson.encode({"": one}) == bson.encode({"": other})


def _guardable(given: Json, if_match: str | None) -> dict[str, Bson]:
    filter = filter_of(given)
    if if_match is not None and not identity_in(filter):
        raise invalid("if_match", "only with a filter for one _id and nothing else")
    return filter


def _query_of(request: FindDocumentsRequest) -> Query:
    assert request.page_size is not None
    projection = request.projection
    return Query(
        filter_of(request.filter),
        _whole_order(request.sort) if request.sort else {},
        None if projection is None else _with_identity(projection_of(projection)),
        request.page_size,
    )


def _with_identity(projection: dict[str, bool] | None) -> dict[str, bool] | None:
    """What is asked for: the identity comes in any case, since a page ends at one."""
    return projection and {name: show for name, show in projection.items() if name != "_id" or show}


def _whole_order(fields: Iterable[FieldOrder]) -> dict[str, int]:
    """An order in which no two documents stand in the same place."""
    order = order_of(fields)
    return {**order, "_id": order.get("_id", 1)} if order else order


def _find(
    database: Database[Stored],
    name: str,
    session: ClientSession | None,
    filter: dict[str, Bson],
    *,
    limit: int,
    skip: int = 0,
    sort: Mapping[str, int] | None = None,
    projection: Mapping[str, bool] | None = None,
) -> list[Stored]:
    """So many documents, or all if none is said.

    A command costs half of what a cursor does, and gives the same unless the answer is larger than one message.
    """
    if limit:
        # One more than there can be, so that the server has nothing to keep for later.
        asked: dict[str, Bson] = {
            "find": name,
            "filter": filter,
            "limit": limit,
            "batchSize": limit + 1,
        }
        if skip:
            asked["skip"] = skip
        if sort:
            asked["sort"] = sort
        if projection:
            asked["projection"] = projection
        answer = database.command(asked, session=session, codec_options=READ)["cursor"]
        if not answer["id"]:
            rows: list[Stored] = answer["firstBatch"]
            return rows
        database.command({"killCursors": name, "cursors": [answer["id"]]}, session=session)
    cursor = database[name].find(
        filter, projection or None, skip=skip, limit=limit, session=session
    )
    return list(cursor.sort(list(sort.items())) if sort else cursor)


def _inserted(
    database: Database[Stored],
    request: InsertDocumentsRequest,
    entries: Mapping[int, tuple[Bson, RawBSONDocument]],
    session: ClientSession | None,
) -> dict[int, BatchFailure]:
    """Inserts the entries of a batch, and tells of those that failed."""
    if not entries:
        return {}
    places = list(entries)
    try:
        database[request.collection].insert_many(
            [raw for _, raw in entries.values()], ordered=session is not None, session=session
        )
    except BulkWriteError as error:
        problems = error.details["writeErrors"]
        if not problems:
            raise
        if session is not None:
            first = problems[0]
            raise WriteError(str(first["errmsg"]), int(first["code"]), first) from error
        return {places[it["index"]]: _refused(places[it["index"]], it) for it in problems}
    return {}


def _refused(index: int, problem: Mapping[str, Any]) -> BatchFailure:
    code, text = int(problem["code"]), str(problem.get("errmsg", ""))
    meaning = of_code(code, text, "insert_document") or BROKEN
    said = f"the document server refused it with code {code}"
    return _failure(index, meaning.kind.code, said, retryable=meaning.retryable)


def _failure(index: int, code: str, message: str, *, retryable: bool) -> BatchFailure:
    return BatchFailure(
        index=index, code=ErrorCode(code.lower()), message=message, retryable=retryable
    )


# --- what is answered


def _document(row: Stored) -> Document:
    return _shown(content=json_of(row), etag=etag_of(row))


def _part(projection: Mapping[str, bool], row: Stored) -> Document:
    """A document of which only a part is shown."""
    if projection.get("_id") is False:
        row.pop("_id", None)
    return _shown(content=json_of(row), etag=None)


def _part_of(rows: Iterator[Stored]) -> list[Json]:
    """The next part of what comes out of a pipeline; empty at the end."""
    part: list[Json] = []
    size = 0
    for row in rows:
        part.append(json_of(row))
        size += len(part[-1].text)
        if len(part) >= _PART_DOCUMENTS or size >= _PART_BYTES:
            break
    return part


def _indexes(database: Database[Stored], name: str) -> list[dict[str, Any]]:
    return [dict(it) for it in database[name].list_indexes()]


def _another_index(collection: str, name: str) -> AlreadyExistsError:
    return AlreadyExistsError(
        f"another index has the name or the fields of {name!r}", resource=collection
    )


def _names_page(
    names: Mapping[str, object] | list[str], size: int | None, token: str
) -> tuple[list[str], str]:
    """A page of names in their order, after the one that ended the page before."""
    left = [it for it in sorted(names) if it > token]
    assert size is not None
    return left[:size], left[size - 1] if len(left) > size else ""
