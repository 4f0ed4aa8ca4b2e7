from lcplatform.options.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ConditionalUpdate(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONDITIONAL_UPDATE_UNSPECIFIED: _ClassVar[ConditionalUpdate]
    CONDITIONAL_UPDATE_ATOMIC: _ClassVar[ConditionalUpdate]
    CONDITIONAL_UPDATE_CHECKED: _ClassVar[ConditionalUpdate]
    CONDITIONAL_UPDATE_NONE: _ClassVar[ConditionalUpdate]
CONDITIONAL_UPDATE_UNSPECIFIED: ConditionalUpdate
CONDITIONAL_UPDATE_ATOMIC: ConditionalUpdate
CONDITIONAL_UPDATE_CHECKED: ConditionalUpdate
CONDITIONAL_UPDATE_NONE: ConditionalUpdate

class ServiceDescription(_message.Message):
    __slots__ = ("service", "provider", "capabilities", "limits", "conditional_updates", "native", "offered")
    class LimitsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class ConditionalUpdatesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: ConditionalUpdate
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[ConditionalUpdate, str]] = ...) -> None: ...
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    CONDITIONAL_UPDATES_FIELD_NUMBER: _ClassVar[int]
    NATIVE_FIELD_NUMBER: _ClassVar[int]
    OFFERED_FIELD_NUMBER: _ClassVar[int]
    service: str
    provider: str
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    limits: _containers.ScalarMap[str, int]
    conditional_updates: _containers.ScalarMap[str, ConditionalUpdate]
    native: bool
    offered: bool
    def __init__(self, service: _Optional[str] = ..., provider: _Optional[str] = ..., capabilities: _Optional[_Iterable[str]] = ..., limits: _Optional[_Mapping[str, int]] = ..., conditional_updates: _Optional[_Mapping[str, ConditionalUpdate]] = ..., native: _Optional[bool] = ..., offered: _Optional[bool] = ...) -> None: ...

class DescribeRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeResponse(_message.Message):
    __slots__ = ("contract_version", "services")
    CONTRACT_VERSION_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    contract_version: str
    services: _containers.RepeatedCompositeFieldContainer[ServiceDescription]
    def __init__(self, contract_version: _Optional[str] = ..., services: _Optional[_Iterable[_Union[ServiceDescription, _Mapping]]] = ...) -> None: ...
