import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from lcplatform.options.v1 import options_pb2 as _options_pb2
from lcplatform.type.v1 import json_pb2 as _json_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Rollout(_message.Message):
    __slots__ = ("duration", "step_percent", "bake")
    DURATION_FIELD_NUMBER: _ClassVar[int]
    STEP_PERCENT_FIELD_NUMBER: _ClassVar[int]
    BAKE_FIELD_NUMBER: _ClassVar[int]
    duration: _duration_pb2.Duration
    step_percent: float
    bake: _duration_pb2.Duration
    def __init__(self, duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., step_percent: _Optional[float] = ..., bake: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class RolloutProgress(_message.Message):
    __slots__ = ("version", "percent", "started_at")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    version: str
    percent: float
    started_at: _timestamp_pb2.Timestamp
    def __init__(self, version: _Optional[str] = ..., percent: _Optional[float] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ConfigurationInfo(_message.Message):
    __slots__ = ("application", "environment", "description", "version", "etag", "created_at", "updated_at", "purge_at", "rollout")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    PURGE_AT_FIELD_NUMBER: _ClassVar[int]
    ROLLOUT_FIELD_NUMBER: _ClassVar[int]
    application: str
    environment: str
    description: str
    version: str
    etag: str
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    purge_at: _timestamp_pb2.Timestamp
    rollout: RolloutProgress
    def __init__(self, application: _Optional[str] = ..., environment: _Optional[str] = ..., description: _Optional[str] = ..., version: _Optional[str] = ..., etag: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., purge_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., rollout: _Optional[_Union[RolloutProgress, _Mapping]] = ...) -> None: ...

class VersionInfo(_message.Message):
    __slots__ = ("version", "created_at", "current", "comment", "rollback_of")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    CURRENT_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    ROLLBACK_OF_FIELD_NUMBER: _ClassVar[int]
    version: str
    created_at: _timestamp_pb2.Timestamp
    current: bool
    comment: str
    rollback_of: str
    def __init__(self, version: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., current: _Optional[bool] = ..., comment: _Optional[str] = ..., rollback_of: _Optional[str] = ...) -> None: ...

class Violation(_message.Message):
    __slots__ = ("path", "message", "expected", "actual", "keyword")
    PATH_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    ACTUAL_FIELD_NUMBER: _ClassVar[int]
    KEYWORD_FIELD_NUMBER: _ClassVar[int]
    path: str
    message: str
    expected: str
    actual: str
    keyword: str
    def __init__(self, path: _Optional[str] = ..., message: _Optional[str] = ..., expected: _Optional[str] = ..., actual: _Optional[str] = ..., keyword: _Optional[str] = ...) -> None: ...

class CreateConfigurationRequest(_message.Message):
    __slots__ = ("application", "environment", "data", "schema", "description")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    application: str
    environment: str
    data: _json_pb2.Json
    schema: _json_pb2.Json
    description: str
    def __init__(self, application: _Optional[str] = ..., environment: _Optional[str] = ..., data: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., schema: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., description: _Optional[str] = ...) -> None: ...

class CreateConfigurationResponse(_message.Message):
    __slots__ = ("version", "etag")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    version: str
    etag: str
    def __init__(self, version: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class GetConfigurationRequest(_message.Message):
    __slots__ = ("application", "environment", "version", "if_none_match", "reader")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    IF_NONE_MATCH_FIELD_NUMBER: _ClassVar[int]
    READER_FIELD_NUMBER: _ClassVar[int]
    application: str
    environment: str
    version: str
    if_none_match: str
    reader: str
    def __init__(self, application: _Optional[str] = ..., environment: _Optional[str] = ..., version: _Optional[str] = ..., if_none_match: _Optional[str] = ..., reader: _Optional[str] = ...) -> None: ...

class GetConfigurationResponse(_message.Message):
    __slots__ = ("application", "environment", "version", "etag", "data", "schema", "description", "created_at", "not_modified")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    NOT_MODIFIED_FIELD_NUMBER: _ClassVar[int]
    application: str
    environment: str
    version: str
    etag: str
    data: _json_pb2.Json
    schema: _json_pb2.Json
    description: str
    created_at: _timestamp_pb2.Timestamp
    not_modified: bool
    def __init__(self, application: _Optional[str] = ..., environment: _Optional[str] = ..., version: _Optional[str] = ..., etag: _Optional[str] = ..., data: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., schema: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., description: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., not_modified: _Optional[bool] = ...) -> None: ...

class UpdateConfigurationRequest(_message.Message):
    __slots__ = ("application", "environment", "data", "schema", "description", "comment", "rollout", "clear", "if_match")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    ROLLOUT_FIELD_NUMBER: _ClassVar[int]
    CLEAR_FIELD_NUMBER: _ClassVar[int]
    IF_MATCH_FIELD_NUMBER: _ClassVar[int]
    application: str
    environment: str
    data: _json_pb2.Json
    schema: _json_pb2.Json
    description: str
    comment: str
    rollout: Rollout
    clear: _field_mask_pb2.FieldMask
    if_match: str
    def __init__(self, application: _Optional[str] = ..., environment: _Optional[str] = ..., data: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., schema: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., description: _Optional[str] = ..., comment: _Optional[str] = ..., rollout: _Optional[_Union[Rollout, _Mapping]] = ..., clear: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., if_match: _Optional[str] = ...) -> None: ...

class UpdateConfigurationResponse(_message.Message):
    __slots__ = ("version", "etag")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    version: str
    etag: str
    def __init__(self, version: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class ValidateConfigurationRequest(_message.Message):
    __slots__ = ("data", "schema")
    DATA_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    data: _json_pb2.Json
    schema: _json_pb2.Json
    def __init__(self, data: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., schema: _Optional[_Union[_json_pb2.Json, _Mapping]] = ...) -> None: ...

class ValidateConfigurationResponse(_message.Message):
    __slots__ = ("violations", "more")
    VIOLATIONS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    violations: _containers.RepeatedCompositeFieldContainer[Violation]
    more: bool
    def __init__(self, violations: _Optional[_Iterable[_Union[Violation, _Mapping]]] = ..., more: _Optional[bool] = ...) -> None: ...

class ListConfigurationsRequest(_message.Message):
    __slots__ = ("application", "include_deleted", "page_size", "page_token")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_DELETED_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    application: str
    include_deleted: bool
    page_size: int
    page_token: str
    def __init__(self, application: _Optional[str] = ..., include_deleted: _Optional[bool] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListConfigurationsResponse(_message.Message):
    __slots__ = ("configurations", "next_page_token")
    CONFIGURATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    configurations: _containers.RepeatedCompositeFieldContainer[ConfigurationInfo]
    next_page_token: str
    def __init__(self, configurations: _Optional[_Iterable[_Union[ConfigurationInfo, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListVersionsRequest(_message.Message):
    __slots__ = ("application", "environment", "page_size", "page_token")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    application: str
    environment: str
    page_size: int
    page_token: str
    def __init__(self, application: _Optional[str] = ..., environment: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListVersionsResponse(_message.Message):
    __slots__ = ("versions", "next_page_token")
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[VersionInfo]
    next_page_token: str
    def __init__(self, versions: _Optional[_Iterable[_Union[VersionInfo, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RollbackConfigurationRequest(_message.Message):
    __slots__ = ("application", "environment", "version", "if_match")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    IF_MATCH_FIELD_NUMBER: _ClassVar[int]
    application: str
    environment: str
    version: str
    if_match: str
    def __init__(self, application: _Optional[str] = ..., environment: _Optional[str] = ..., version: _Optional[str] = ..., if_match: _Optional[str] = ...) -> None: ...

class RollbackConfigurationResponse(_message.Message):
    __slots__ = ("version", "etag")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    version: str
    etag: str
    def __init__(self, version: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class DeleteConfigurationRequest(_message.Message):
    __slots__ = ("application", "environment", "if_match")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    IF_MATCH_FIELD_NUMBER: _ClassVar[int]
    application: str
    environment: str
    if_match: str
    def __init__(self, application: _Optional[str] = ..., environment: _Optional[str] = ..., if_match: _Optional[str] = ...) -> None: ...

class DeleteConfigurationResponse(_message.Message):
    __slots__ = ("purge_at",)
    PURGE_AT_FIELD_NUMBER: _ClassVar[int]
    purge_at: _timestamp_pb2.Timestamp
    def __init__(self, purge_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RestoreConfigurationRequest(_message.Message):
    __slots__ = ("application", "environment")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    application: str
    environment: str
    def __init__(self, application: _Optional[str] = ..., environment: _Optional[str] = ...) -> None: ...

class RestoreConfigurationResponse(_message.Message):
    __slots__ = ("version", "etag")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    version: str
    etag: str
    def __init__(self, version: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class WatchConfigurationRequest(_message.Message):
    __slots__ = ("application", "environment", "if_none_match", "reader")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    IF_NONE_MATCH_FIELD_NUMBER: _ClassVar[int]
    READER_FIELD_NUMBER: _ClassVar[int]
    application: str
    environment: str
    if_none_match: str
    reader: str
    def __init__(self, application: _Optional[str] = ..., environment: _Optional[str] = ..., if_none_match: _Optional[str] = ..., reader: _Optional[str] = ...) -> None: ...

class WatchConfigurationResponse(_message.Message):
    __slots__ = ("version", "etag", "data", "changed_at", "deleted")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    version: str
    etag: str
    data: _json_pb2.Json
    changed_at: _timestamp_pb2.Timestamp
    deleted: bool
    def __init__(self, version: _Optional[str] = ..., etag: _Optional[str] = ..., data: _Optional[_Union[_json_pb2.Json, _Mapping]] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., deleted: _Optional[bool] = ...) -> None: ...

class StopDeploymentRequest(_message.Message):
    __slots__ = ("application", "environment")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    application: str
    environment: str
    def __init__(self, application: _Optional[str] = ..., environment: _Optional[str] = ...) -> None: ...

class StopDeploymentResponse(_message.Message):
    __slots__ = ("version", "etag")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    version: str
    etag: str
    def __init__(self, version: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...
