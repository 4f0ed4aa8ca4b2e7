from google.protobuf import descriptor_pb2 as _descriptor_pb2
from lcplatform.type.v1 import error_pb2 as _error_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Unit(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNIT_UNSPECIFIED: _ClassVar[Unit]
    UNIT_BYTES: _ClassVar[Unit]
    UNIT_COUNT: _ClassVar[Unit]
    UNIT_SECONDS: _ClassVar[Unit]

class Format(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FORMAT_UNSPECIFIED: _ClassVar[Format]
    FORMAT_DECIMAL: _ClassVar[Format]
    FORMAT_DATE: _ClassVar[Format]
    FORMAT_TIME: _ClassVar[Format]
    FORMAT_LOCAL_TIMESTAMP: _ClassVar[Format]
    FORMAT_UUID: _ClassVar[Format]
    FORMAT_NULL: _ClassVar[Format]
UNIT_UNSPECIFIED: Unit
UNIT_BYTES: Unit
UNIT_COUNT: Unit
UNIT_SECONDS: Unit
FORMAT_UNSPECIFIED: Format
FORMAT_DECIMAL: Format
FORMAT_DATE: Format
FORMAT_TIME: Format
FORMAT_LOCAL_TIMESTAMP: Format
FORMAT_UUID: Format
FORMAT_NULL: Format
FILE_FIELD_NUMBER: _ClassVar[int]
file: _descriptor.FieldDescriptor
SERVICE_FIELD_NUMBER: _ClassVar[int]
service: _descriptor.FieldDescriptor
METHOD_FIELD_NUMBER: _ClassVar[int]
method: _descriptor.FieldDescriptor
MESSAGE_FIELD_NUMBER: _ClassVar[int]
message: _descriptor.FieldDescriptor
FIELD_FIELD_NUMBER: _ClassVar[int]
field: _descriptor.FieldDescriptor

class FileRules(_message.Message):
    __slots__ = ("draft",)
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    draft: bool
    def __init__(self, draft: _Optional[bool] = ...) -> None: ...

class ServiceRules(_message.Message):
    __slots__ = ("capabilities", "limits", "auxiliary")
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    AUXILIARY_FIELD_NUMBER: _ClassVar[int]
    capabilities: _containers.RepeatedCompositeFieldContainer[Capability]
    limits: _containers.RepeatedCompositeFieldContainer[Limit]
    auxiliary: bool
    def __init__(self, capabilities: _Optional[_Iterable[_Union[Capability, _Mapping]]] = ..., limits: _Optional[_Iterable[_Union[Limit, _Mapping]]] = ..., auxiliary: _Optional[bool] = ...) -> None: ...

class Capability(_message.Message):
    __slots__ = ("name", "description")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class Limit(_message.Message):
    __slots__ = ("name", "description", "unit")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    unit: Unit
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., unit: _Optional[_Union[Unit, str]] = ...) -> None: ...

class MethodRules(_message.Message):
    __slots__ = ("errors", "capability", "cache", "invalidates", "exists", "long_poll", "resume", "wait", "project", "first", "pointer")
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    CAPABILITY_FIELD_NUMBER: _ClassVar[int]
    CACHE_FIELD_NUMBER: _ClassVar[int]
    INVALIDATES_FIELD_NUMBER: _ClassVar[int]
    EXISTS_FIELD_NUMBER: _ClassVar[int]
    LONG_POLL_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    POINTER_FIELD_NUMBER: _ClassVar[int]
    errors: _containers.RepeatedScalarFieldContainer[_error_pb2.ErrorCode]
    capability: str
    cache: CacheRules
    invalidates: _containers.RepeatedScalarFieldContainer[str]
    exists: str
    long_poll: str
    resume: ResumeRules
    wait: _containers.RepeatedCompositeFieldContainer[WaitRules]
    project: _containers.RepeatedCompositeFieldContainer[ProjectRules]
    first: _containers.RepeatedCompositeFieldContainer[FirstRules]
    pointer: _containers.RepeatedCompositeFieldContainer[PointerRules]
    def __init__(self, errors: _Optional[_Iterable[_Union[_error_pb2.ErrorCode, str]]] = ..., capability: _Optional[str] = ..., cache: _Optional[_Union[CacheRules, _Mapping]] = ..., invalidates: _Optional[_Iterable[str]] = ..., exists: _Optional[str] = ..., long_poll: _Optional[str] = ..., resume: _Optional[_Union[ResumeRules, _Mapping]] = ..., wait: _Optional[_Iterable[_Union[WaitRules, _Mapping]]] = ..., project: _Optional[_Iterable[_Union[ProjectRules, _Mapping]]] = ..., first: _Optional[_Iterable[_Union[FirstRules, _Mapping]]] = ..., pointer: _Optional[_Iterable[_Union[PointerRules, _Mapping]]] = ...) -> None: ...

class WaitRules(_message.Message):
    __slots__ = ("name", "status", "until", "fails_on", "reason", "timeout_seconds")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    FAILS_ON_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    name: str
    status: str
    until: _containers.RepeatedScalarFieldContainer[str]
    fails_on: _containers.RepeatedScalarFieldContainer[str]
    reason: str
    timeout_seconds: int
    def __init__(self, name: _Optional[str] = ..., status: _Optional[str] = ..., until: _Optional[_Iterable[str]] = ..., fails_on: _Optional[_Iterable[str]] = ..., reason: _Optional[str] = ..., timeout_seconds: _Optional[int] = ...) -> None: ...

class ProjectRules(_message.Message):
    __slots__ = ("name", "field", "status", "reason")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    name: str
    field: str
    status: str
    reason: str
    def __init__(self, name: _Optional[str] = ..., field: _Optional[str] = ..., status: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class FirstRules(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class PointerRules(_message.Message):
    __slots__ = ("name", "field", "omit")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    OMIT_FIELD_NUMBER: _ClassVar[int]
    name: str
    field: str
    omit: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., field: _Optional[str] = ..., omit: _Optional[_Iterable[str]] = ...) -> None: ...

class CacheRules(_message.Message):
    __slots__ = ("key", "ttl_seconds")
    KEY_FIELD_NUMBER: _ClassVar[int]
    TTL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    key: _containers.RepeatedScalarFieldContainer[str]
    ttl_seconds: int
    def __init__(self, key: _Optional[_Iterable[str]] = ..., ttl_seconds: _Optional[int] = ...) -> None: ...

class ResumeRules(_message.Message):
    __slots__ = ("range", "if_match", "etag", "version")
    RANGE_FIELD_NUMBER: _ClassVar[int]
    IF_MATCH_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    range: str
    if_match: str
    etag: str
    version: str
    def __init__(self, range: _Optional[str] = ..., if_match: _Optional[str] = ..., etag: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class MessageRules(_message.Message):
    __slots__ = ("union", "list", "duration")
    UNION_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    union: bool
    list: bool
    duration: bool
    def __init__(self, union: _Optional[bool] = ..., list: _Optional[bool] = ..., duration: _Optional[bool] = ...) -> None: ...

class FieldRules(_message.Message):
    __slots__ = ("required", "positional", "sensitive", "min_length", "max_length", "pattern", "minimum", "maximum", "min_items", "max_items", "default_json", "capability", "limit", "body", "resource", "idempotency_key", "if_match", "clearable", "if_absent", "json_object", "key_pattern", "value_pattern", "excludes", "format", "transaction")
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    POSITIONAL_FIELD_NUMBER: _ClassVar[int]
    SENSITIVE_FIELD_NUMBER: _ClassVar[int]
    MIN_LENGTH_FIELD_NUMBER: _ClassVar[int]
    MAX_LENGTH_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    MIN_ITEMS_FIELD_NUMBER: _ClassVar[int]
    MAX_ITEMS_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_JSON_FIELD_NUMBER: _ClassVar[int]
    CAPABILITY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    IF_MATCH_FIELD_NUMBER: _ClassVar[int]
    CLEARABLE_FIELD_NUMBER: _ClassVar[int]
    IF_ABSENT_FIELD_NUMBER: _ClassVar[int]
    JSON_OBJECT_FIELD_NUMBER: _ClassVar[int]
    KEY_PATTERN_FIELD_NUMBER: _ClassVar[int]
    VALUE_PATTERN_FIELD_NUMBER: _ClassVar[int]
    EXCLUDES_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    required: bool
    positional: bool
    sensitive: bool
    min_length: int
    max_length: int
    pattern: str
    minimum: float
    maximum: float
    min_items: int
    max_items: int
    default_json: str
    capability: str
    limit: str
    body: bool
    resource: bool
    idempotency_key: bool
    if_match: bool
    clearable: bool
    if_absent: bool
    json_object: bool
    key_pattern: str
    value_pattern: str
    excludes: str
    format: Format
    transaction: bool
    def __init__(self, required: _Optional[bool] = ..., positional: _Optional[bool] = ..., sensitive: _Optional[bool] = ..., min_length: _Optional[int] = ..., max_length: _Optional[int] = ..., pattern: _Optional[str] = ..., minimum: _Optional[float] = ..., maximum: _Optional[float] = ..., min_items: _Optional[int] = ..., max_items: _Optional[int] = ..., default_json: _Optional[str] = ..., capability: _Optional[str] = ..., limit: _Optional[str] = ..., body: _Optional[bool] = ..., resource: _Optional[bool] = ..., idempotency_key: _Optional[bool] = ..., if_match: _Optional[bool] = ..., clearable: _Optional[bool] = ..., if_absent: _Optional[bool] = ..., json_object: _Optional[bool] = ..., key_pattern: _Optional[str] = ..., value_pattern: _Optional[str] = ..., excludes: _Optional[str] = ..., format: _Optional[_Union[Format, str]] = ..., transaction: _Optional[bool] = ...) -> None: ...
