"""DocumentStore on Amazon DocumentDB, which speaks MongoDB's protocol (FR-021 to FR-025).

What DocumentDB does otherwise than the contract asks for is made good here:

- It makes a collection when something is written to one that is not there. So whoever finds nothing, or writes, is told
  whether there is a collection at all; that there is one is believed for some seconds.
- It has no versions of documents. An etag stands for the bytes of a document, and what is guarded by one is read and changed
  in one transaction, which meets a conflict if anybody else changes the document meanwhile.
- A transaction sees what is there when its first operation comes. So one is made at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from bson.raw_bson import RawBSONDocument
from typing_extensions import override

from lcplatform.document_store.driver import DocumentStoreDriver
from lcplatform.document_store.models import (
    AbortTransactionRequest,
    AbortTransactionResponse,
    AggregateRequest,
    AggregateResponse,
    BeginTransactionRequest,
    BeginTransactionResponse,
    CommitTransactionRequest,
    CommitTransactionResponse,
    CountDocumentsRequest,
    CountDocumentsResponse,
    DeleteDocumentsRequest,
    DeleteDocumentsResponse,
    ExplainRequest,
    ExplainResponse,
    FindDocumentsRequest,
    FindDocumentsResponse,
    GetDocumentRequest,
    GetDocumentResponse,
    InsertDocumentRequest,
    InsertDocumentResponse,
    InsertDocumentsRequest,
    InsertDocumentsResponse,
    InsertDocumentsResult,
    ReplaceDocumentRequest,
    ReplaceDocumentResponse,
    UpdateDocumentsRequest,
    UpdateDocumentsResponse,
    WatchCollectionRequest,
    WatchCollectionResponse,
)
from lcplatform.type.models import BatchFailure
from lcplatform_aws import document_store_changes, document_store_indexes
from lcplatform_aws.document_store_pages import Query, page
from lcplatform_aws.document_store_pipelines import pipeline_of
from lcplatform_aws.document_store_queries import filter_of, order_of, projection_of
from lcplatform_aws.document_store_requests import guardable, identified, query_of, same_identity
from lcplatform_aws.document_store_rows import (
    PART_DOCUMENTS,
    failure,
    find_rows,
    insert_rows,
    next_part,
    shown,
    shown_part,
)
from lcplatform_aws.document_store_schema import Schema
from lcplatform_aws.document_store_transactions import begun
from lcplatform_aws.document_store_updates import update_of
from lcplatform_aws.document_store_values import (
    Bson,
    Stored,
    document_of,
    etag_of,
    identity_of,
    relaxed,
    shown_identity,
    stored,
)
from lcplatform_runtime.errors import LCPlatformError, invalid
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.trusted import trusted

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession
    from pymongo.database import Database

_BEGINNING: Final = "lcplatform.begin"
"""A collection that nobody has, for a transaction to begin with."""

# What it is made of comes from the server, and is made here.
_found = trusted(FindDocumentsResponse)


class DocumentDbDocumentStore(Schema, DocumentStoreDriver):
    """Documents on DocumentDB."""

    # --- writing

    @override
    def insert_document(self, request: InsertDocumentRequest, /) -> InsertDocumentResponse:
        document = identified(document_of(request.document))
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
                document = identified(document_of(given, "documents"))
                entries[index] = document["_id"], stored(document, "documents")
            except LCPlatformError as error:
                if request.transaction is not None:
                    raise
                failed[index] = failure(index, error.code, error.message, retryable=error.retryable)
        with self._writing(request.collection, request.transaction) as (database, session):
            failed |= insert_rows(database, request, entries, session)
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
        if "_id" in document and not same_identity(document["_id"], identity):
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
            lambda: (guardable(request.filter, request.if_match), update_of(request.update)),
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
            request.collection, lambda: guardable(request.filter, request.if_match)
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
            found = find_rows(database, request.collection, session, filter, limit=1)
            if not found:
                raise self._no_document(request.collection, request.id)
        return GetDocumentResponse(document=shown(found[0]))

    @override
    def find_documents(self, request: FindDocumentsRequest, /) -> FindDocumentsResponse:
        query = self._understood(request.collection, partial(query_of, request))
        if request.transaction is None:
            with self._asking() as database:
                rows, token = self._page(database, request, query, None)
        else:
            with self._reading(request.transaction) as (database, session):
                rows, token = self._page(database, request, query, session)
        projection = projection_of(request.projection)
        show = shown if projection is None else partial(shown_part, projection)
        return _found(documents=tuple([show(it) for it in rows]), next_page_token=token)

    def _page(
        self,
        database: Database[Stored],
        request: FindDocumentsRequest,
        query: Query,
        session: ClientSession | None,
    ) -> tuple[list[Stored], str]:
        name = request.collection
        rows, token = page(partial(find_rows, database, name, session), query, request.page_token)
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
                pipeline, session=session, batchSize=PART_DOCUMENTS
            )
            part = next_part(rows)
            if not part:
                self._check_there(request.collection)
        with rows:
            while part:
                yield AggregateResponse(documents=tuple(part))
                with self._reading(request.transaction):
                    part = next_part(rows)

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
