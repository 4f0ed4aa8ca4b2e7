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

class TokenKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TOKEN_KIND_UNSPECIFIED: _ClassVar[TokenKind]
    TOKEN_KIND_ACCESS: _ClassVar[TokenKind]
    TOKEN_KIND_ID: _ClassVar[TokenKind]
    TOKEN_KIND_REFRESH: _ClassVar[TokenKind]

class DeviceFlowStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEVICE_FLOW_STATUS_UNSPECIFIED: _ClassVar[DeviceFlowStatus]
    DEVICE_FLOW_STATUS_PENDING: _ClassVar[DeviceFlowStatus]
    DEVICE_FLOW_STATUS_COMPLETED: _ClassVar[DeviceFlowStatus]
    DEVICE_FLOW_STATUS_DENIED: _ClassVar[DeviceFlowStatus]
    DEVICE_FLOW_STATUS_EXPIRED: _ClassVar[DeviceFlowStatus]
TOKEN_KIND_UNSPECIFIED: TokenKind
TOKEN_KIND_ACCESS: TokenKind
TOKEN_KIND_ID: TokenKind
TOKEN_KIND_REFRESH: TokenKind
DEVICE_FLOW_STATUS_UNSPECIFIED: DeviceFlowStatus
DEVICE_FLOW_STATUS_PENDING: DeviceFlowStatus
DEVICE_FLOW_STATUS_COMPLETED: DeviceFlowStatus
DEVICE_FLOW_STATUS_DENIED: DeviceFlowStatus
DEVICE_FLOW_STATUS_EXPIRED: DeviceFlowStatus

class TokenSet(_message.Message):
    __slots__ = ("access_token", "token_type", "expires_at", "refresh_token", "id_token", "scopes", "claims")
    ACCESS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOKEN_TYPE_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    REFRESH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ID_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_FIELD_NUMBER: _ClassVar[int]
    access_token: str
    token_type: str
    expires_at: _timestamp_pb2.Timestamp
    refresh_token: str
    id_token: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    claims: Claims
    def __init__(self, access_token: _Optional[str] = ..., token_type: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., refresh_token: _Optional[str] = ..., id_token: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., claims: _Optional[_Union[Claims, _Mapping]] = ...) -> None: ...

class Claims(_message.Message):
    __slots__ = ("subject", "issuer", "audience", "expires_at", "issued_at", "not_before", "scopes", "token_id", "client_id", "all")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_FIELD_NUMBER: _ClassVar[int]
    NOT_BEFORE_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    subject: str
    issuer: str
    audience: _containers.RepeatedScalarFieldContainer[str]
    expires_at: _timestamp_pb2.Timestamp
    issued_at: _timestamp_pb2.Timestamp
    not_before: _timestamp_pb2.Timestamp
    scopes: _containers.RepeatedScalarFieldContainer[str]
    token_id: str
    client_id: str
    all: _json_pb2.Json
    def __init__(self, subject: _Optional[str] = ..., issuer: _Optional[str] = ..., audience: _Optional[_Iterable[str]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., issued_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., not_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., scopes: _Optional[_Iterable[str]] = ..., token_id: _Optional[str] = ..., client_id: _Optional[str] = ..., all: _Optional[_Union[_json_pb2.Json, _Mapping]] = ...) -> None: ...

class GetLoginUrlRequest(_message.Message):
    __slots__ = ("redirect_uri", "scopes", "state", "nonce", "audience", "parameters")
    class ParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    REDIRECT_URI_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    redirect_uri: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    state: str
    nonce: str
    audience: str
    parameters: _containers.ScalarMap[str, str]
    def __init__(self, redirect_uri: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., state: _Optional[str] = ..., nonce: _Optional[str] = ..., audience: _Optional[str] = ..., parameters: _Optional[_Mapping[str, str]] = ...) -> None: ...

class GetLoginUrlResponse(_message.Message):
    __slots__ = ("url", "state", "nonce", "code_verifier", "issuer")
    URL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    CODE_VERIFIER_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    url: str
    state: str
    nonce: str
    code_verifier: str
    issuer: str
    def __init__(self, url: _Optional[str] = ..., state: _Optional[str] = ..., nonce: _Optional[str] = ..., code_verifier: _Optional[str] = ..., issuer: _Optional[str] = ...) -> None: ...

class ExchangeCodeRequest(_message.Message):
    __slots__ = ("code", "redirect_uri", "code_verifier", "nonce", "issuer")
    CODE_FIELD_NUMBER: _ClassVar[int]
    REDIRECT_URI_FIELD_NUMBER: _ClassVar[int]
    CODE_VERIFIER_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    code: str
    redirect_uri: str
    code_verifier: str
    nonce: str
    issuer: str
    def __init__(self, code: _Optional[str] = ..., redirect_uri: _Optional[str] = ..., code_verifier: _Optional[str] = ..., nonce: _Optional[str] = ..., issuer: _Optional[str] = ...) -> None: ...

class ExchangeCodeResponse(_message.Message):
    __slots__ = ("tokens",)
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    tokens: TokenSet
    def __init__(self, tokens: _Optional[_Union[TokenSet, _Mapping]] = ...) -> None: ...

class RefreshTokenRequest(_message.Message):
    __slots__ = ("refresh_token", "scopes")
    REFRESH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    refresh_token: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, refresh_token: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ...) -> None: ...

class RefreshTokenResponse(_message.Message):
    __slots__ = ("tokens",)
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    tokens: TokenSet
    def __init__(self, tokens: _Optional[_Union[TokenSet, _Mapping]] = ...) -> None: ...

class VerifyTokenRequest(_message.Message):
    __slots__ = ("token", "kind", "audience", "required_scopes", "nonce")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_SCOPES_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    token: str
    kind: TokenKind
    audience: str
    required_scopes: _containers.RepeatedScalarFieldContainer[str]
    nonce: str
    def __init__(self, token: _Optional[str] = ..., kind: _Optional[_Union[TokenKind, str]] = ..., audience: _Optional[str] = ..., required_scopes: _Optional[_Iterable[str]] = ..., nonce: _Optional[str] = ...) -> None: ...

class VerifyTokenResponse(_message.Message):
    __slots__ = ("claims",)
    CLAIMS_FIELD_NUMBER: _ClassVar[int]
    claims: Claims
    def __init__(self, claims: _Optional[_Union[Claims, _Mapping]] = ...) -> None: ...

class GetUserInfoRequest(_message.Message):
    __slots__ = ("access_token", "subject")
    ACCESS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    access_token: str
    subject: str
    def __init__(self, access_token: _Optional[str] = ..., subject: _Optional[str] = ...) -> None: ...

class GetUserInfoResponse(_message.Message):
    __slots__ = ("subject", "name", "email", "email_verified", "all")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    EMAIL_VERIFIED_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    subject: str
    name: str
    email: str
    email_verified: bool
    all: _json_pb2.Json
    def __init__(self, subject: _Optional[str] = ..., name: _Optional[str] = ..., email: _Optional[str] = ..., email_verified: _Optional[bool] = ..., all: _Optional[_Union[_json_pb2.Json, _Mapping]] = ...) -> None: ...

class RevokeTokenRequest(_message.Message):
    __slots__ = ("token", "kind")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    token: str
    kind: TokenKind
    def __init__(self, token: _Optional[str] = ..., kind: _Optional[_Union[TokenKind, str]] = ...) -> None: ...

class RevokeTokenResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class IntrospectTokenRequest(_message.Message):
    __slots__ = ("token", "kind")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    token: str
    kind: TokenKind
    def __init__(self, token: _Optional[str] = ..., kind: _Optional[_Union[TokenKind, str]] = ...) -> None: ...

class IntrospectTokenResponse(_message.Message):
    __slots__ = ("active", "subject", "client_id", "scopes", "expires_at", "all")
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    active: bool
    subject: str
    client_id: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    expires_at: _timestamp_pb2.Timestamp
    all: _json_pb2.Json
    def __init__(self, active: _Optional[bool] = ..., subject: _Optional[str] = ..., client_id: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., all: _Optional[_Union[_json_pb2.Json, _Mapping]] = ...) -> None: ...

class ClientCredentialsTokenRequest(_message.Message):
    __slots__ = ("scopes", "audience")
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    scopes: _containers.RepeatedScalarFieldContainer[str]
    audience: str
    def __init__(self, scopes: _Optional[_Iterable[str]] = ..., audience: _Optional[str] = ...) -> None: ...

class ClientCredentialsTokenResponse(_message.Message):
    __slots__ = ("tokens",)
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    tokens: TokenSet
    def __init__(self, tokens: _Optional[_Union[TokenSet, _Mapping]] = ...) -> None: ...

class StartDeviceFlowRequest(_message.Message):
    __slots__ = ("scopes", "audience")
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    scopes: _containers.RepeatedScalarFieldContainer[str]
    audience: str
    def __init__(self, scopes: _Optional[_Iterable[str]] = ..., audience: _Optional[str] = ...) -> None: ...

class StartDeviceFlowResponse(_message.Message):
    __slots__ = ("device_code", "user_code", "verification_url", "complete_verification_url", "expires_at", "interval")
    DEVICE_CODE_FIELD_NUMBER: _ClassVar[int]
    USER_CODE_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_URL_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_VERIFICATION_URL_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    device_code: str
    user_code: str
    verification_url: str
    complete_verification_url: str
    expires_at: _timestamp_pb2.Timestamp
    interval: _duration_pb2.Duration
    def __init__(self, device_code: _Optional[str] = ..., user_code: _Optional[str] = ..., verification_url: _Optional[str] = ..., complete_verification_url: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class PollDeviceFlowRequest(_message.Message):
    __slots__ = ("device_code", "interval")
    DEVICE_CODE_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    device_code: str
    interval: _duration_pb2.Duration
    def __init__(self, device_code: _Optional[str] = ..., interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class PollDeviceFlowResponse(_message.Message):
    __slots__ = ("status", "tokens", "interval")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    status: DeviceFlowStatus
    tokens: TokenSet
    interval: _duration_pb2.Duration
    def __init__(self, status: _Optional[_Union[DeviceFlowStatus, str]] = ..., tokens: _Optional[_Union[TokenSet, _Mapping]] = ..., interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class LogoutUrlRequest(_message.Message):
    __slots__ = ("id_token", "redirect_uri", "state")
    ID_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REDIRECT_URI_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    id_token: str
    redirect_uri: str
    state: str
    def __init__(self, id_token: _Optional[str] = ..., redirect_uri: _Optional[str] = ..., state: _Optional[str] = ...) -> None: ...

class LogoutUrlResponse(_message.Message):
    __slots__ = ("url",)
    URL_FIELD_NUMBER: _ClassVar[int]
    url: str
    def __init__(self, url: _Optional[str] = ...) -> None: ...
