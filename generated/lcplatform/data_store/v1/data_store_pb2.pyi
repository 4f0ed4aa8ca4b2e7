import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from lcplatform.options.v1 import options_pb2 as _options_pb2
from lcplatform.type.v1 import json_pb2 as _json_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class IsolationLevel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ISOLATION_LEVEL_UNSPECIFIED: _ClassVar[IsolationLevel]
    ISOLATION_LEVEL_READ_UNCOMMITTED: _ClassVar[IsolationLevel]
    ISOLATION_LEVEL_READ_COMMITTED: _ClassVar[IsolationLevel]
    ISOLATION_LEVEL_REPEATABLE_READ: _ClassVar[IsolationLevel]
    ISOLATION_LEVEL_SERIALIZABLE: _ClassVar[IsolationLevel]

class TlsMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TLS_MODE_UNSPECIFIED: _ClassVar[TlsMode]
    TLS_MODE_DISABLED: _ClassVar[TlsMode]
    TLS_MODE_REQUIRED: _ClassVar[TlsMode]
    TLS_MODE_VERIFY_CA: _ClassVar[TlsMode]
    TLS_MODE_VERIFY_FULL: _ClassVar[TlsMode]
ISOLATION_LEVEL_UNSPECIFIED: IsolationLevel
ISOLATION_LEVEL_READ_UNCOMMITTED: IsolationLevel
ISOLATION_LEVEL_READ_COMMITTED: IsolationLevel
ISOLATION_LEVEL_REPEATABLE_READ: IsolationLevel
ISOLATION_LEVEL_SERIALIZABLE: IsolationLevel
TLS_MODE_UNSPECIFIED: TlsMode
TLS_MODE_DISABLED: TlsMode
TLS_MODE_REQUIRED: TlsMode
TLS_MODE_VERIFY_CA: TlsMode
TLS_MODE_VERIFY_FULL: TlsMode

class Value(_message.Message):
    __slots__ = ("null", "boolean", "integer", "double", "decimal", "text", "data", "date", "time", "timestamp", "local_timestamp", "interval", "uuid", "json", "array", "other")
    NULL_FIELD_NUMBER: _ClassVar[int]
    BOOLEAN_FIELD_NUMBER: _ClassVar[int]
    INTEGER_FIELD_NUMBER: _ClassVar[int]
    DOUBLE_FIELD_NUMBER: _ClassVar[int]
    DECIMAL_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    LOCAL_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    UUID_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    ARRAY_FIELD_NUMBER: _ClassVar[int]
    OTHER_FIELD_NUMBER: _ClassVar[int]
    null: bool
    boolean: bool
    integer: int
    double: float
    decimal: str
    text: str
    data: bytes
    date: str
    time: str
    timestamp: _timestamp_pb2.Timestamp
    local_timestamp: str
    interval: Interval
    uuid: str
    json: _json_pb2.Json
    array: ArrayValue
    other: OtherValue
    def __init__(self, null: _Optional[bool] = ..., boolean: _Optional[bool] = ..., integer: _Optional[int] = ..., double: _Optional[float] = ..., decimal: _Optional[str] = ..., text: _Optional[str] = ..., data: _Optional[bytes] = ..., date: _Optional[str] = ..., time: _Optional[str] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., local_timestamp: _Optional[str] = ..., interval: _Optional[_Union[Interval, _Mapping]] = ..., uuid: _Optional[str] = ..., json: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., array: _Optional[_Union[ArrayValue, _Mapping]] = ..., other: _Optional[_Union[OtherValue, _Mapping]] = ...) -> None: ...

class Interval(_message.Message):
    __slots__ = ("months", "days", "microseconds")
    MONTHS_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    MICROSECONDS_FIELD_NUMBER: _ClassVar[int]
    months: int
    days: int
    microseconds: int
    def __init__(self, months: _Optional[int] = ..., days: _Optional[int] = ..., microseconds: _Optional[int] = ...) -> None: ...

class ArrayValue(_message.Message):
    __slots__ = ("items", "item_type")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    ITEM_TYPE_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[Value]
    item_type: str
    def __init__(self, items: _Optional[_Iterable[_Union[Value, _Mapping]]] = ..., item_type: _Optional[str] = ...) -> None: ...

class OtherValue(_message.Message):
    __slots__ = ("type_name", "text")
    TYPE_NAME_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    type_name: str
    text: str
    def __init__(self, type_name: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class Column(_message.Message):
    __slots__ = ("name", "type_name")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    type_name: str
    def __init__(self, name: _Optional[str] = ..., type_name: _Optional[str] = ...) -> None: ...

class Row(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedCompositeFieldContainer[Value]
    def __init__(self, values: _Optional[_Iterable[_Union[Value, _Mapping]]] = ...) -> None: ...

class Parameters(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedCompositeFieldContainer[Value]
    def __init__(self, values: _Optional[_Iterable[_Union[Value, _Mapping]]] = ...) -> None: ...

class Migration(_message.Message):
    __slots__ = ("version", "name", "up", "down")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    UP_FIELD_NUMBER: _ClassVar[int]
    DOWN_FIELD_NUMBER: _ClassVar[int]
    version: str
    name: str
    up: str
    down: str
    def __init__(self, version: _Optional[str] = ..., name: _Optional[str] = ..., up: _Optional[str] = ..., down: _Optional[str] = ...) -> None: ...

class AppliedMigration(_message.Message):
    __slots__ = ("version", "name", "checksum", "applied_at", "reversible")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    APPLIED_AT_FIELD_NUMBER: _ClassVar[int]
    REVERSIBLE_FIELD_NUMBER: _ClassVar[int]
    version: str
    name: str
    checksum: str
    applied_at: _timestamp_pb2.Timestamp
    reversible: bool
    def __init__(self, version: _Optional[str] = ..., name: _Optional[str] = ..., checksum: _Optional[str] = ..., applied_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reversible: _Optional[bool] = ...) -> None: ...

class QueryRequest(_message.Message):
    __slots__ = ("sql", "params", "transaction")
    SQL_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    sql: str
    params: _containers.RepeatedCompositeFieldContainer[Value]
    transaction: str
    def __init__(self, sql: _Optional[str] = ..., params: _Optional[_Iterable[_Union[Value, _Mapping]]] = ..., transaction: _Optional[str] = ...) -> None: ...

class QueryResponse(_message.Message):
    __slots__ = ("columns", "rows")
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    columns: _containers.RepeatedCompositeFieldContainer[Column]
    rows: _containers.RepeatedCompositeFieldContainer[Row]
    def __init__(self, columns: _Optional[_Iterable[_Union[Column, _Mapping]]] = ..., rows: _Optional[_Iterable[_Union[Row, _Mapping]]] = ...) -> None: ...

class StreamQueryRequest(_message.Message):
    __slots__ = ("sql", "params", "transaction", "batch_size")
    SQL_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    sql: str
    params: _containers.RepeatedCompositeFieldContainer[Value]
    transaction: str
    batch_size: int
    def __init__(self, sql: _Optional[str] = ..., params: _Optional[_Iterable[_Union[Value, _Mapping]]] = ..., transaction: _Optional[str] = ..., batch_size: _Optional[int] = ...) -> None: ...

class StreamQueryResponse(_message.Message):
    __slots__ = ("columns", "rows")
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    columns: _containers.RepeatedCompositeFieldContainer[Column]
    rows: _containers.RepeatedCompositeFieldContainer[Row]
    def __init__(self, columns: _Optional[_Iterable[_Union[Column, _Mapping]]] = ..., rows: _Optional[_Iterable[_Union[Row, _Mapping]]] = ...) -> None: ...

class ExecuteRequest(_message.Message):
    __slots__ = ("sql", "params", "transaction")
    SQL_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    sql: str
    params: _containers.RepeatedCompositeFieldContainer[Value]
    transaction: str
    def __init__(self, sql: _Optional[str] = ..., params: _Optional[_Iterable[_Union[Value, _Mapping]]] = ..., transaction: _Optional[str] = ...) -> None: ...

class ExecuteResponse(_message.Message):
    __slots__ = ("rows_affected", "columns", "rows")
    ROWS_AFFECTED_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    rows_affected: int
    columns: _containers.RepeatedCompositeFieldContainer[Column]
    rows: _containers.RepeatedCompositeFieldContainer[Row]
    def __init__(self, rows_affected: _Optional[int] = ..., columns: _Optional[_Iterable[_Union[Column, _Mapping]]] = ..., rows: _Optional[_Iterable[_Union[Row, _Mapping]]] = ...) -> None: ...

class ExecuteBatchRequest(_message.Message):
    __slots__ = ("sql", "params_list", "transaction")
    SQL_FIELD_NUMBER: _ClassVar[int]
    PARAMS_LIST_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    sql: str
    params_list: _containers.RepeatedCompositeFieldContainer[Parameters]
    transaction: str
    def __init__(self, sql: _Optional[str] = ..., params_list: _Optional[_Iterable[_Union[Parameters, _Mapping]]] = ..., transaction: _Optional[str] = ...) -> None: ...

class ExecuteBatchResponse(_message.Message):
    __slots__ = ("rows_affected",)
    ROWS_AFFECTED_FIELD_NUMBER: _ClassVar[int]
    rows_affected: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, rows_affected: _Optional[_Iterable[int]] = ...) -> None: ...

class BeginTransactionRequest(_message.Message):
    __slots__ = ("isolation", "read_only", "timeout")
    ISOLATION_FIELD_NUMBER: _ClassVar[int]
    READ_ONLY_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    isolation: IsolationLevel
    read_only: bool
    timeout: _duration_pb2.Duration
    def __init__(self, isolation: _Optional[_Union[IsolationLevel, str]] = ..., read_only: _Optional[bool] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

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

class RollbackTransactionRequest(_message.Message):
    __slots__ = ("transaction",)
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    transaction: str
    def __init__(self, transaction: _Optional[str] = ...) -> None: ...

class RollbackTransactionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CreateSavepointRequest(_message.Message):
    __slots__ = ("transaction", "name")
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    transaction: str
    name: str
    def __init__(self, transaction: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class CreateSavepointResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RollbackToSavepointRequest(_message.Message):
    __slots__ = ("transaction", "name")
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    transaction: str
    name: str
    def __init__(self, transaction: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class RollbackToSavepointResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReleaseSavepointRequest(_message.Message):
    __slots__ = ("transaction", "name")
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    transaction: str
    name: str
    def __init__(self, transaction: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class ReleaseSavepointResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MigrateRequest(_message.Message):
    __slots__ = ("migrations", "history")
    MIGRATIONS_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    migrations: _containers.RepeatedCompositeFieldContainer[Migration]
    history: str
    def __init__(self, migrations: _Optional[_Iterable[_Union[Migration, _Mapping]]] = ..., history: _Optional[str] = ...) -> None: ...

class MigrateResponse(_message.Message):
    __slots__ = ("applied",)
    APPLIED_FIELD_NUMBER: _ClassVar[int]
    applied: _containers.RepeatedCompositeFieldContainer[AppliedMigration]
    def __init__(self, applied: _Optional[_Iterable[_Union[AppliedMigration, _Mapping]]] = ...) -> None: ...

class ListMigrationsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "history")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    history: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., history: _Optional[str] = ...) -> None: ...

class ListMigrationsResponse(_message.Message):
    __slots__ = ("migrations", "next_page_token")
    MIGRATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    migrations: _containers.RepeatedCompositeFieldContainer[AppliedMigration]
    next_page_token: str
    def __init__(self, migrations: _Optional[_Iterable[_Union[AppliedMigration, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RollbackMigrationsRequest(_message.Message):
    __slots__ = ("to", "history")
    TO_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    to: str
    history: str
    def __init__(self, to: _Optional[str] = ..., history: _Optional[str] = ...) -> None: ...

class RollbackMigrationsResponse(_message.Message):
    __slots__ = ("undone",)
    UNDONE_FIELD_NUMBER: _ClassVar[int]
    undone: _containers.RepeatedCompositeFieldContainer[AppliedMigration]
    def __init__(self, undone: _Optional[_Iterable[_Union[AppliedMigration, _Mapping]]] = ...) -> None: ...

class GetPoolStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetPoolStatusResponse(_message.Message):
    __slots__ = ("max_size", "size", "idle", "waiting")
    MAX_SIZE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    IDLE_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    max_size: int
    size: int
    idle: int
    waiting: int
    def __init__(self, max_size: _Optional[int] = ..., size: _Optional[int] = ..., idle: _Optional[int] = ..., waiting: _Optional[int] = ...) -> None: ...

class GetConnectionInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetConnectionInfoResponse(_message.Message):
    __slots__ = ("host", "port", "database", "user", "tls_mode", "password_secret")
    HOST_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    DATABASE_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    TLS_MODE_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_SECRET_FIELD_NUMBER: _ClassVar[int]
    host: str
    port: int
    database: str
    user: str
    tls_mode: TlsMode
    password_secret: str
    def __init__(self, host: _Optional[str] = ..., port: _Optional[int] = ..., database: _Optional[str] = ..., user: _Optional[str] = ..., tls_mode: _Optional[_Union[TlsMode, str]] = ..., password_secret: _Optional[str] = ...) -> None: ...
