import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from lcplatform.options.v1 import options_pb2 as _options_pb2
from lcplatform.type.v1 import batch_pb2 as _batch_pb2
from lcplatform.type.v1 import json_pb2 as _json_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Direction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIRECTION_UNSPECIFIED: _ClassVar[Direction]
    DIRECTION_ASCENDING: _ClassVar[Direction]
    DIRECTION_DESCENDING: _ClassVar[Direction]

class ChangeKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANGE_KIND_UNSPECIFIED: _ClassVar[ChangeKind]
    CHANGE_KIND_INSERTED: _ClassVar[ChangeKind]
    CHANGE_KIND_UPDATED: _ClassVar[ChangeKind]
    CHANGE_KIND_REPLACED: _ClassVar[ChangeKind]
    CHANGE_KIND_DELETED: _ClassVar[ChangeKind]
    CHANGE_KIND_DROPPED: _ClassVar[ChangeKind]
    CHANGE_KIND_STARTED: _ClassVar[ChangeKind]
DIRECTION_UNSPECIFIED: Direction
DIRECTION_ASCENDING: Direction
DIRECTION_DESCENDING: Direction
CHANGE_KIND_UNSPECIFIED: ChangeKind
CHANGE_KIND_INSERTED: ChangeKind
CHANGE_KIND_UPDATED: ChangeKind
CHANGE_KIND_REPLACED: ChangeKind
CHANGE_KIND_DELETED: ChangeKind
CHANGE_KIND_DROPPED: ChangeKind
CHANGE_KIND_STARTED: ChangeKind

class DocumentId(_message.Message):
    __slots__ = ("text", "json")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    text: str
    json: _json_pb2.Json
    def __init__(self, text: _Optional[str] = ..., json: _Optional[_Union[_json_pb2.Json, _Mapping]] = ...) -> None: ...

class Document(_message.Message):
    __slots__ = ("content", "etag")
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    content: _json_pb2.Json
    etag: str
    def __init__(self, content: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class FieldOrder(_message.Message):
    __slots__ = ("field", "direction")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    field: str
    direction: Direction
    def __init__(self, field: _Optional[str] = ..., direction: _Optional[_Union[Direction, str]] = ...) -> None: ...

class IndexDefinition(_message.Message):
    __slots__ = ("fields", "name", "unique", "sparse", "expire_after")
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    UNIQUE_FIELD_NUMBER: _ClassVar[int]
    SPARSE_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_AFTER_FIELD_NUMBER: _ClassVar[int]
    fields: _containers.RepeatedCompositeFieldContainer[FieldOrder]
    name: str
    unique: bool
    sparse: bool
    expire_after: _duration_pb2.Duration
    def __init__(self, fields: _Optional[_Iterable[_Union[FieldOrder, _Mapping]]] = ..., name: _Optional[str] = ..., unique: _Optional[bool] = ..., sparse: _Optional[bool] = ..., expire_after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Index(_message.Message):
    __slots__ = ("name", "definition")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    name: str
    definition: IndexDefinition
    def __init__(self, name: _Optional[str] = ..., definition: _Optional[_Union[IndexDefinition, _Mapping]] = ...) -> None: ...

class TimeToLive(_message.Message):
    __slots__ = ("field", "expire_after")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_AFTER_FIELD_NUMBER: _ClassVar[int]
    field: str
    expire_after: _duration_pb2.Duration
    def __init__(self, field: _Optional[str] = ..., expire_after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Collection(_message.Message):
    __slots__ = ("name", "validator")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALIDATOR_FIELD_NUMBER: _ClassVar[int]
    name: str
    validator: _json_pb2.Json
    def __init__(self, name: _Optional[str] = ..., validator: _Optional[_Union[_json_pb2.Json, _Mapping]] = ...) -> None: ...

class Update(_message.Message):
    __slots__ = ("set", "unset", "increment", "push", "pull", "rename", "set_on_insert")
    class RenameEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SET_FIELD_NUMBER: _ClassVar[int]
    UNSET_FIELD_NUMBER: _ClassVar[int]
    INCREMENT_FIELD_NUMBER: _ClassVar[int]
    PUSH_FIELD_NUMBER: _ClassVar[int]
    PULL_FIELD_NUMBER: _ClassVar[int]
    RENAME_FIELD_NUMBER: _ClassVar[int]
    SET_ON_INSERT_FIELD_NUMBER: _ClassVar[int]
    set: _json_pb2.Json
    unset: _containers.RepeatedScalarFieldContainer[str]
    increment: _json_pb2.Json
    push: _json_pb2.Json
    pull: _json_pb2.Json
    rename: _containers.ScalarMap[str, str]
    set_on_insert: _json_pb2.Json
    def __init__(self, set: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., unset: _Optional[_Iterable[str]] = ..., increment: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., push: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., pull: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., rename: _Optional[_Mapping[str, str]] = ..., set_on_insert: _Optional[_Union[_json_pb2.Json, _Mapping]] = ...) -> None: ...

class CreateCollectionRequest(_message.Message):
    __slots__ = ("name", "indexes", "ttl", "validator")
    NAME_FIELD_NUMBER: _ClassVar[int]
    INDEXES_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    VALIDATOR_FIELD_NUMBER: _ClassVar[int]
    name: str
    indexes: _containers.RepeatedCompositeFieldContainer[IndexDefinition]
    ttl: TimeToLive
    validator: _json_pb2.Json
    def __init__(self, name: _Optional[str] = ..., indexes: _Optional[_Iterable[_Union[IndexDefinition, _Mapping]]] = ..., ttl: _Optional[_Union[TimeToLive, _Mapping]] = ..., validator: _Optional[_Union[_json_pb2.Json, _Mapping]] = ...) -> None: ...

class CreateCollectionResponse(_message.Message):
    __slots__ = ("collection",)
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    collection: Collection
    def __init__(self, collection: _Optional[_Union[Collection, _Mapping]] = ...) -> None: ...

class ListCollectionsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCollectionsResponse(_message.Message):
    __slots__ = ("collections", "next_page_token")
    COLLECTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    collections: _containers.RepeatedCompositeFieldContainer[Collection]
    next_page_token: str
    def __init__(self, collections: _Optional[_Iterable[_Union[Collection, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DropCollectionRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DropCollectionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class InsertDocumentRequest(_message.Message):
    __slots__ = ("collection", "document", "transaction")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    collection: str
    document: _json_pb2.Json
    transaction: str
    def __init__(self, collection: _Optional[str] = ..., document: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., transaction: _Optional[str] = ...) -> None: ...

class InsertDocumentResponse(_message.Message):
    __slots__ = ("id", "etag")
    ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    id: DocumentId
    etag: str
    def __init__(self, id: _Optional[_Union[DocumentId, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class InsertDocumentsRequest(_message.Message):
    __slots__ = ("collection", "documents", "transaction")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    collection: str
    documents: _containers.RepeatedCompositeFieldContainer[_json_pb2.Json]
    transaction: str
    def __init__(self, collection: _Optional[str] = ..., documents: _Optional[_Iterable[_Union[_json_pb2.Json, _Mapping]]] = ..., transaction: _Optional[str] = ...) -> None: ...

class InsertDocumentsResult(_message.Message):
    __slots__ = ("index", "id", "etag")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    index: int
    id: DocumentId
    etag: str
    def __init__(self, index: _Optional[int] = ..., id: _Optional[_Union[DocumentId, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class InsertDocumentsResponse(_message.Message):
    __slots__ = ("successful", "failed")
    SUCCESSFUL_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    successful: _containers.RepeatedCompositeFieldContainer[InsertDocumentsResult]
    failed: _containers.RepeatedCompositeFieldContainer[_batch_pb2.BatchFailure]
    def __init__(self, successful: _Optional[_Iterable[_Union[InsertDocumentsResult, _Mapping]]] = ..., failed: _Optional[_Iterable[_Union[_batch_pb2.BatchFailure, _Mapping]]] = ...) -> None: ...

class GetDocumentRequest(_message.Message):
    __slots__ = ("collection", "id", "transaction")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    collection: str
    id: DocumentId
    transaction: str
    def __init__(self, collection: _Optional[str] = ..., id: _Optional[_Union[DocumentId, _Mapping]] = ..., transaction: _Optional[str] = ...) -> None: ...

class GetDocumentResponse(_message.Message):
    __slots__ = ("document",)
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    document: Document
    def __init__(self, document: _Optional[_Union[Document, _Mapping]] = ...) -> None: ...

class ReplaceDocumentRequest(_message.Message):
    __slots__ = ("collection", "id", "document", "upsert", "if_match", "transaction")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    UPSERT_FIELD_NUMBER: _ClassVar[int]
    IF_MATCH_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    collection: str
    id: DocumentId
    document: _json_pb2.Json
    upsert: bool
    if_match: str
    transaction: str
    def __init__(self, collection: _Optional[str] = ..., id: _Optional[_Union[DocumentId, _Mapping]] = ..., document: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., upsert: _Optional[bool] = ..., if_match: _Optional[str] = ..., transaction: _Optional[str] = ...) -> None: ...

class ReplaceDocumentResponse(_message.Message):
    __slots__ = ("etag", "inserted")
    ETAG_FIELD_NUMBER: _ClassVar[int]
    INSERTED_FIELD_NUMBER: _ClassVar[int]
    etag: str
    inserted: bool
    def __init__(self, etag: _Optional[str] = ..., inserted: _Optional[bool] = ...) -> None: ...

class FindDocumentsRequest(_message.Message):
    __slots__ = ("collection", "filter", "sort", "projection", "transaction", "page_size", "page_token")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    SORT_FIELD_NUMBER: _ClassVar[int]
    PROJECTION_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    collection: str
    filter: _json_pb2.Json
    sort: _containers.RepeatedCompositeFieldContainer[FieldOrder]
    projection: _json_pb2.Json
    transaction: str
    page_size: int
    page_token: str
    def __init__(self, collection: _Optional[str] = ..., filter: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., sort: _Optional[_Iterable[_Union[FieldOrder, _Mapping]]] = ..., projection: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., transaction: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class FindDocumentsResponse(_message.Message):
    __slots__ = ("documents", "next_page_token")
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    documents: _containers.RepeatedCompositeFieldContainer[Document]
    next_page_token: str
    def __init__(self, documents: _Optional[_Iterable[_Union[Document, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateDocumentsRequest(_message.Message):
    __slots__ = ("collection", "filter", "update", "first_only", "upsert", "if_match", "transaction")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    FIRST_ONLY_FIELD_NUMBER: _ClassVar[int]
    UPSERT_FIELD_NUMBER: _ClassVar[int]
    IF_MATCH_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    collection: str
    filter: _json_pb2.Json
    update: Update
    first_only: bool
    upsert: bool
    if_match: str
    transaction: str
    def __init__(self, collection: _Optional[str] = ..., filter: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., update: _Optional[_Union[Update, _Mapping]] = ..., first_only: _Optional[bool] = ..., upsert: _Optional[bool] = ..., if_match: _Optional[str] = ..., transaction: _Optional[str] = ...) -> None: ...

class UpdateDocumentsResponse(_message.Message):
    __slots__ = ("matched", "modified", "upserted_id")
    MATCHED_FIELD_NUMBER: _ClassVar[int]
    MODIFIED_FIELD_NUMBER: _ClassVar[int]
    UPSERTED_ID_FIELD_NUMBER: _ClassVar[int]
    matched: int
    modified: int
    upserted_id: DocumentId
    def __init__(self, matched: _Optional[int] = ..., modified: _Optional[int] = ..., upserted_id: _Optional[_Union[DocumentId, _Mapping]] = ...) -> None: ...

class DeleteDocumentsRequest(_message.Message):
    __slots__ = ("collection", "filter", "first_only", "if_match", "transaction")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    FIRST_ONLY_FIELD_NUMBER: _ClassVar[int]
    IF_MATCH_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    collection: str
    filter: _json_pb2.Json
    first_only: bool
    if_match: str
    transaction: str
    def __init__(self, collection: _Optional[str] = ..., filter: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., first_only: _Optional[bool] = ..., if_match: _Optional[str] = ..., transaction: _Optional[str] = ...) -> None: ...

class DeleteDocumentsResponse(_message.Message):
    __slots__ = ("deleted",)
    DELETED_FIELD_NUMBER: _ClassVar[int]
    deleted: int
    def __init__(self, deleted: _Optional[int] = ...) -> None: ...

class CountDocumentsRequest(_message.Message):
    __slots__ = ("collection", "filter", "transaction")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    collection: str
    filter: _json_pb2.Json
    transaction: str
    def __init__(self, collection: _Optional[str] = ..., filter: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., transaction: _Optional[str] = ...) -> None: ...

class CountDocumentsResponse(_message.Message):
    __slots__ = ("count",)
    COUNT_FIELD_NUMBER: _ClassVar[int]
    count: int
    def __init__(self, count: _Optional[int] = ...) -> None: ...

class CreateIndexRequest(_message.Message):
    __slots__ = ("collection", "fields", "name", "unique", "sparse", "expire_after")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    UNIQUE_FIELD_NUMBER: _ClassVar[int]
    SPARSE_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_AFTER_FIELD_NUMBER: _ClassVar[int]
    collection: str
    fields: _containers.RepeatedCompositeFieldContainer[FieldOrder]
    name: str
    unique: bool
    sparse: bool
    expire_after: _duration_pb2.Duration
    def __init__(self, collection: _Optional[str] = ..., fields: _Optional[_Iterable[_Union[FieldOrder, _Mapping]]] = ..., name: _Optional[str] = ..., unique: _Optional[bool] = ..., sparse: _Optional[bool] = ..., expire_after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class CreateIndexResponse(_message.Message):
    __slots__ = ("index",)
    INDEX_FIELD_NUMBER: _ClassVar[int]
    index: Index
    def __init__(self, index: _Optional[_Union[Index, _Mapping]] = ...) -> None: ...

class ListIndexesRequest(_message.Message):
    __slots__ = ("collection", "page_size", "page_token")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    collection: str
    page_size: int
    page_token: str
    def __init__(self, collection: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListIndexesResponse(_message.Message):
    __slots__ = ("indexes", "next_page_token")
    INDEXES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    indexes: _containers.RepeatedCompositeFieldContainer[Index]
    next_page_token: str
    def __init__(self, indexes: _Optional[_Iterable[_Union[Index, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DropIndexRequest(_message.Message):
    __slots__ = ("collection", "name")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    collection: str
    name: str
    def __init__(self, collection: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class DropIndexResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ExplainRequest(_message.Message):
    __slots__ = ("collection", "filter", "sort")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    SORT_FIELD_NUMBER: _ClassVar[int]
    collection: str
    filter: _json_pb2.Json
    sort: _containers.RepeatedCompositeFieldContainer[FieldOrder]
    def __init__(self, collection: _Optional[str] = ..., filter: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., sort: _Optional[_Iterable[_Union[FieldOrder, _Mapping]]] = ...) -> None: ...

class ExplainResponse(_message.Message):
    __slots__ = ("index", "sorts", "plan")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    SORTS_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    index: str
    sorts: bool
    plan: _json_pb2.Json
    def __init__(self, index: _Optional[str] = ..., sorts: _Optional[bool] = ..., plan: _Optional[_Union[_json_pb2.Json, _Mapping]] = ...) -> None: ...

class AggregateRequest(_message.Message):
    __slots__ = ("collection", "pipeline", "transaction")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    collection: str
    pipeline: _containers.RepeatedCompositeFieldContainer[_json_pb2.Json]
    transaction: str
    def __init__(self, collection: _Optional[str] = ..., pipeline: _Optional[_Iterable[_Union[_json_pb2.Json, _Mapping]]] = ..., transaction: _Optional[str] = ...) -> None: ...

class AggregateResponse(_message.Message):
    __slots__ = ("documents",)
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    documents: _containers.RepeatedCompositeFieldContainer[_json_pb2.Json]
    def __init__(self, documents: _Optional[_Iterable[_Union[_json_pb2.Json, _Mapping]]] = ...) -> None: ...

class BeginTransactionRequest(_message.Message):
    __slots__ = ("timeout",)
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    timeout: _duration_pb2.Duration
    def __init__(self, timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class BeginTransactionResponse(_message.Message):
    __slots__ = ("transaction", "expires_at")
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    transaction: str
    expires_at: _timestamp_pb2.Timestamp
    def __init__(self, transaction: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CommitTransactionRequest(_message.Message):
    __slots__ = ("transaction",)
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    transaction: str
    def __init__(self, transaction: _Optional[str] = ...) -> None: ...

class CommitTransactionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AbortTransactionRequest(_message.Message):
    __slots__ = ("transaction",)
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    transaction: str
    def __init__(self, transaction: _Optional[str] = ...) -> None: ...

class AbortTransactionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WatchCollectionRequest(_message.Message):
    __slots__ = ("collection", "filter", "resume_token")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    collection: str
    filter: _json_pb2.Json
    resume_token: str
    def __init__(self, collection: _Optional[str] = ..., filter: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., resume_token: _Optional[str] = ...) -> None: ...

class WatchCollectionResponse(_message.Message):
    __slots__ = ("kind", "id", "document", "changed_at", "resume_token")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    kind: ChangeKind
    id: DocumentId
    document: Document
    changed_at: _timestamp_pb2.Timestamp
    resume_token: str
    def __init__(self, kind: _Optional[_Union[ChangeKind, str]] = ..., id: _Optional[_Union[DocumentId, _Mapping]] = ..., document: _Optional[_Union[Document, _Mapping]] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., resume_token: _Optional[str] = ...) -> None: ...
