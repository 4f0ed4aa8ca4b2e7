"""The IDL as values that answer questions: names decided, options read, references resolved. Templates only lay out."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum as PyEnum
from functools import cached_property
from typing import Any

from google.protobuf import descriptor_pb2

from lcplatform_codegen import naming
from lcplatform_codegen.load import OPTIONS, Idl, Rules

_Proto = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    _Proto.TYPE_STRING: "string",
    _Proto.TYPE_BYTES: "bytes",
    _Proto.TYPE_BOOL: "bool",
    _Proto.TYPE_DOUBLE: "float",
    _Proto.TYPE_FLOAT: "float",
    **dict.fromkeys(
        (
            _Proto.TYPE_INT32,
            _Proto.TYPE_SINT32,
            _Proto.TYPE_SFIXED32,
            _Proto.TYPE_INT64,
            _Proto.TYPE_SINT64,
            _Proto.TYPE_SFIXED64,
            _Proto.TYPE_UINT32,
            _Proto.TYPE_FIXED32,
            _Proto.TYPE_UINT64,
            _Proto.TYPE_FIXED64,
        ),
        "int",
    ),
}
# The range of each integer of the wire: what does not fit is refused before it is sent.
_RANGES = {
    _Proto.TYPE_INT32: (-(2**31), 2**31 - 1),
    _Proto.TYPE_SINT32: (-(2**31), 2**31 - 1),
    _Proto.TYPE_SFIXED32: (-(2**31), 2**31 - 1),
    _Proto.TYPE_UINT32: (0, 2**32 - 1),
    _Proto.TYPE_FIXED32: (0, 2**32 - 1),
    _Proto.TYPE_INT64: (-(2**63), 2**63 - 1),
    _Proto.TYPE_SINT64: (-(2**63), 2**63 - 1),
    _Proto.TYPE_SFIXED64: (-(2**63), 2**63 - 1),
    _Proto.TYPE_UINT64: (0, 2**64 - 1),
    _Proto.TYPE_FIXED64: (0, 2**64 - 1),
}
_WELL_KNOWN = {
    ".google.protobuf.Timestamp": "timestamp",
    ".google.protobuf.Duration": "duration",
    ".google.protobuf.FieldMask": "mask",
    ".lcplatform.type.v1.Json": "json",
}
_PYTHON = {
    "string": "str",
    "bytes": "bytes",
    "bool": "bool",
    "int": "int",
    "float": "float",
    "timestamp": "datetime",
    "duration": "timedelta",
    "mask": "tuple[str, ...]",
    "json": "Json",
}
_ZERO = {"string": '""', "bytes": 'b""', "bool": "False", "int": "0", "float": "0.0"}


class Kind(PyEnum):
    """How a call moves its data."""

    UNARY = "unary"
    UPLOAD = "upload"
    DOWNLOAD = "download"
    STREAM = "stream"


class Role(PyEnum):
    """Who builds a message: the caller, the provider, or both."""

    REQUEST = "Request"
    RESPONSE = "Response"
    SHARED = "Model"


@dataclass(frozen=True, slots=True)
class EnumValue:
    """One value of an enum. `member` is None for UNSPECIFIED, which is `None` in Python."""

    proto_name: str
    number: int
    comment: str
    member: str | None
    value: str


@dataclass(frozen=True, slots=True)
class Enum:
    """An enum: a `StrEnum` in Python."""

    name: str
    full_name: str
    package: str
    comment: str
    values: tuple[EnumValue, ...]

    @property
    def members(self) -> tuple[EnumValue, ...]:
        """The values that have a name in Python."""
        return tuple(value for value in self.values if value.member is not None)


@dataclass(frozen=True)
class Field:
    """A field, as the wire and as Python see it."""

    proto_name: str
    number: int
    wire_kind: str  # string bytes bool int float timestamp duration mask json enum message map
    type_name: str  # the full name of the message or enum, with its leading dot; empty for scalars
    repeated: bool
    map_value: Field | None
    presence: bool  # `optional` was written, or the wire tells absent from zero
    oneof: str | None
    comment: str
    rules: Any  # a FieldRules message (see Rules.of)
    integer_range: tuple[int, int] | None
    js_string: bool
    deprecated: bool
    schema: Schema = field(repr=False, compare=False)
    owner: str = ""

    @property
    def name(self) -> str:
        """The attribute in Python."""
        return naming.field(self.proto_name)

    @property
    def json_name(self) -> str:
        """The name in ProtoJSON."""
        return naming.camel(self.proto_name)

    @property
    def is_map(self) -> bool:
        """Whether the field is a map."""
        return self.map_value is not None

    @cached_property
    def kind(self) -> str:
        """The kind in Python: that of the wire, but for messages that are unions there."""
        return "union" if self.wire_kind == "message" and self.message.is_union else self.wire_kind

    @property
    def message(self) -> Message:
        """The message that the field holds."""
        return self.schema.messages[self.type_name]

    @property
    def enum(self) -> Enum:
        """The enum that the field holds."""
        return self.schema.enums[self.type_name]

    @cached_property
    def item_type(self) -> str:
        """The Python type of one item."""
        if self.kind in {"message", "union"}:
            return self.message.name
        return self.enum.name if self.kind == "enum" else _PYTHON[self.kind]

    @cached_property
    def python_type(self) -> str:
        """The annotation of the attribute, without `None`."""
        if self.map_value is not None:
            return f"dict[str, {self.map_value.item_type}]"
        if self.kind == "mask":
            return f"tuple[{self.mask_item}, ...]"
        return f"tuple[{self.item_type}, ...]" if self.repeated else self.item_type

    @property
    def mask_item(self) -> str:
        """What a `clear` may name."""
        names = self.schema.messages[self.owner].clearable
        return f"Literal[{', '.join(map(repr, names))}]" if names else "str"

    @cached_property
    def parameter_type(self) -> str:
        """The annotation of a client's parameter, without `None`: any sequence or mapping will do."""
        if self.map_value is not None:
            return f"Mapping[str, {self.map_value.item_type}]"
        if self.kind == "mask":
            return f"Sequence[{self.mask_item}]"
        item = f"{self.item_type} | JsonInput" if self.takes_json else self.item_type
        return f"Sequence[{item}]" if self.repeated else item

    @property
    def takes_json(self) -> bool:
        """Whether plain Python values will do for what is, or may be, a JSON value."""
        return self.kind == "json" or (
            self.kind == "union" and any(part.kind == "json" for part in self.message.fields)
        )

    @cached_property
    def default(self) -> str | None:
        """The Python expression of what an absent value means; None where the value must be given."""
        if self.rules.required:
            return None
        if self.rules.default_json:
            return self._literal(json.loads(self.rules.default_json))
        if self.map_value is not None:
            return "{}"
        if self.repeated or self.kind == "mask":
            return "()"
        if self.presence or self.wire_kind == "enum":
            return "None" if self._may_be_absent else None
        return _ZERO[self.kind] if self._zero_is_meant else None

    @property
    def optional(self) -> bool:
        """Whether the attribute may be `None`."""
        return self.default == "None"

    @property
    def _in_answer(self) -> bool:
        return self.schema.messages[self.owner].role is Role.RESPONSE

    @property
    def _may_be_absent(self) -> bool:
        """In answers a message without `optional` is always there; in requests it may be left out."""
        written = (self.owner, self.proto_name) in self.schema.written_optional
        return written or self.oneof is not None or not self._in_answer

    @property
    def _zero_is_meant(self) -> bool:
        return not self._in_answer or self.proto_name == "next_page_token"

    def _literal(self, value: object) -> str:
        if self.kind == "duration":
            assert isinstance(value, int | float)
            return f"timedelta(seconds={value})" if value else "timedelta()"
        if self.kind == "enum":
            return f"{self.enum.name}.{str(value).upper()}"
        return repr(value)

    @property
    def sensitive(self) -> bool:
        """Whether the value, or part of it, is marked secret on this field."""
        return bool(self.rules.sensitive)

    @property
    def minimum(self) -> float | int | None:
        """The least value allowed, in the unit of the rules."""
        low = self.integer_range[0] if self.integer_range else None
        if self.rules.HasField("minimum"):
            low = max(low, self.rules.minimum) if low is not None else self.rules.minimum
        return _plain(low)

    @property
    def maximum(self) -> float | int | None:
        """The greatest value allowed, in the unit of the rules."""
        high = self.integer_range[1] if self.integer_range else None
        if self.rules.HasField("maximum"):
            high = min(high, self.rules.maximum) if high is not None else self.rules.maximum
        return _plain(high)

    @property
    def min_length(self) -> int | None:
        """The shortest string, byte sequence or list allowed. What is required is not empty."""
        if self.repeated or self.is_map:
            return (
                self.rules.min_items
                if self.rules.HasField("min_items")
                else (1 if self.rules.required else None)
            )
        if self.kind not in {"string", "bytes"}:
            return None
        if self.rules.HasField("min_length"):
            return int(self.rules.min_length)
        return 1 if self.rules.required else None

    @property
    def max_length(self) -> int | None:
        """The longest string, byte sequence or list allowed."""
        if self.repeated or self.is_map:
            return self.rules.max_items if self.rules.HasField("max_items") else None
        return int(self.rules.max_length) if self.rules.HasField("max_length") else None


@dataclass(frozen=True)
class Message:
    """A message: a frozen model in Python, or a union of plain values."""

    name: str
    full_name: str  # with its leading dot
    package: str
    comment: str
    fields: tuple[Field, ...]
    is_union: bool
    deprecated: bool
    schema: Schema = field(repr=False, compare=False)

    @property
    def role(self) -> Role:
        """Who builds it."""
        if self.full_name not in self.schema.in_requests:
            return Role.RESPONSE
        return Role.SHARED if self.full_name in self.schema.in_responses else Role.REQUEST

    @property
    def pb2(self) -> str:
        """The protobuf class, as the converters name it."""
        return f"{self.schema.packages[self.package].pb2_alias}.{self.name}"

    @property
    def sensitive_fields(self) -> tuple[Field, ...]:
        """The fields that are never printed."""
        return tuple(item for item in self.fields if item.sensitive)

    @property
    def exclusions(self) -> tuple[tuple[str, str], ...]:
        """The pairs of fields that are not given together."""
        pairs = ((item, item.rules.excludes) for item in self.fields if item.rules.excludes)
        return tuple((item.name, self.field_named(other).name) for item, other in pairs)

    @property
    def clearable(self) -> tuple[str, ...]:
        """The fields that may be named in `clear`."""
        return tuple(item.proto_name for item in self.fields if item.rules.clearable)

    @property
    def oneofs(self) -> tuple[tuple[str, ...], ...]:
        """The oneofs, in their order, each with the Python names of its fields."""
        groups: dict[str, list[str]] = {}
        for item in self.fields:
            if item.oneof is not None:
                groups.setdefault(item.oneof, []).append(item.name)
        return tuple(tuple(names) for names in groups.values())

    def field_named(self, name: str) -> Field:
        """The field of that proto name."""
        return next(item for item in self.fields if item.proto_name == name)

    def find(self, name: str) -> Field | None:
        """The field of that proto name, if there is one."""
        return next((item for item in self.fields if item.proto_name == name), None)


@dataclass(frozen=True)
class Method:
    """An operation."""

    rpc: str
    comment: str
    input: Message
    output: Message
    client_streaming: bool
    server_streaming: bool
    idempotency: str  # UNKNOWN NO_SIDE_EFFECTS IDEMPOTENT
    rules: Any
    deprecated: bool
    service: Service = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """The method in Python."""
        return naming.snake(self.rpc)

    @property
    def constant(self) -> str:
        """The name of its `Operation`."""
        return naming.constant(self.rpc)

    @property
    def path(self) -> str:
        """The path on the wire."""
        return f"/{self.service.full_name}/{self.rpc}"

    @cached_property
    def kind(self) -> Kind:
        """How it moves its data."""
        if self.client_streaming:
            return Kind.UPLOAD
        if self.server_streaming:
            return Kind.DOWNLOAD if any(f.rules.body for f in self.output.fields) else Kind.STREAM
        return Kind.UNARY

    @cached_property
    def request(self) -> Message:
        """The request model: for an upload the header, since the body is a parameter of its own."""
        return self.input.field_named("header").message if self.kind is Kind.UPLOAD else self.input

    @cached_property
    def response(self) -> Message:
        """The response model: for a download the header, since the body is a stream of its own."""
        return (
            self.output.field_named("header").message if self.kind is Kind.DOWNLOAD else self.output
        )

    @property
    def positional(self) -> tuple[Field, ...]:
        """The fields that a caller may give by position."""
        return tuple(item for item in self.request.fields if item.rules.positional)

    @property
    def keywords(self) -> tuple[Field, ...]:
        """The fields that a caller gives by name, the required ones first."""
        rest = [item for item in self.request.fields if not item.rules.positional]
        return tuple(sorted(rest, key=lambda item: item.default is not None))

    @property
    def parameters(self) -> tuple[Field, ...]:
        """All fields in the order of the signature."""
        return self.positional + self.keywords

    @property
    def items(self) -> Field | None:
        """The repeated field of a paged answer."""
        if self.kind is not Kind.UNARY or self.request.find("page_token") is None:
            return None
        return next(item for item in self.response.fields if item.repeated)

    @property
    def iterator(self) -> str:
        """The client method that walks through all pages."""
        return f"iter_{self.name.removeprefix('list_')}"

    @property
    def headline(self) -> str:
        """The first sentence of its comment."""
        return " ".join(self.comment.split()).split(". ")[0].rstrip(".") + "."

    @property
    def binder(self) -> str:
        """The method of a pipeline that binds it."""
        return self.kind.value

    @property
    def lane(self) -> str:
        """The threads in which it runs for async callers."""
        return "long_polls" if self.rules.long_poll else "calls"

    @property
    def cache_key(self) -> tuple[str, ...]:
        """The request fields that identify a cached answer."""
        return tuple(self.request.field_named(name).name for name in self.rules.cache.key)

    @property
    def cache_arguments(self) -> str:
        """The same as arguments, in the order of the key."""
        return ", ".join(self.cache_key)

    @property
    def invalidates(self) -> tuple[str, ...]:
        """The operations whose cached answers it makes stale."""
        return tuple(naming.snake(rpc) for rpc in self.rules.invalidates)

    @property
    def resource(self) -> Field | None:
        """The field that names the resource."""
        return next((item for item in self.request.fields if item.rules.resource), None)

    @property
    def errors(self) -> tuple[str, ...]:
        """The codes of the errors that it declares."""
        codes = self.service.schema.enums[".lcplatform.type.v1.ErrorCode"]
        named = {
            value.number: value.proto_name.removeprefix("ERROR_CODE_") for value in codes.values
        }
        return tuple(named[number] for number in self.rules.errors)

    @property
    def needs(self) -> tuple[tuple[str, str, str], ...]:
        """(field, capability, type) of what a field asks of a provider; the type is given for a union's alternative."""
        return tuple(_needs(self.request))

    @property
    def limits(self) -> tuple[tuple[Field, str, str], ...]:
        """(field, limit, unit) of what a provider bounds."""
        units = {limit.name: limit.unit for limit in self.service.limits}
        return tuple(
            (item, item.rules.limit, units[item.rules.limit])
            for item in self.request.fields
            if item.rules.limit
        )

    def request_field(self, rule: str) -> str | None:
        """The request field that carries a rule such as `if_match`."""
        return next((item.name for item in self.request.fields if getattr(item.rules, rule)), None)


def _needs(message: Message, above: tuple[str, ...] = ()) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    for item in message.fields:
        if item.rules.capability:
            found.append((item.name, item.rules.capability, "None"))
        if item.kind == "union":
            found += [
                (item.name, part.rules.capability, part.item_type)
                for part in item.message.fields
                if part.rules.capability
            ]
        # A message inside itself needs what it needs; its path would have no end.
        if item.kind == "message" and item.type_name not in (*above, message.full_name):
            found += [
                (f"{item.name}.{name}", capability, kind)
                for name, capability, kind in _needs(item.message, (*above, message.full_name))
            ]
    return found


@dataclass(frozen=True, slots=True)
class Declared:
    """A capability or a limit as the IDL declares it."""

    name: str
    description: str
    unit: str = ""


@dataclass(frozen=True)
class Service:
    """A service."""

    name: str  # Queue
    full_name: str  # lcplatform.queue.v1.QueueService
    comment: str
    package: str
    auxiliary: bool
    capabilities: tuple[Declared, ...]
    limits: tuple[Declared, ...]
    schema: Schema = field(repr=False, compare=False)
    methods: tuple[Method, ...] = ()

    @property
    def accessor(self) -> str:
        """The attribute of the platform."""
        return naming.snake(self.name)

    @property
    def module(self) -> str:
        """The Python package."""
        return self.schema.packages[self.package].module

    def method(self, name: str) -> Method:
        """The operation of that Python or rpc name."""
        return next(item for item in self.methods if name in {item.name, item.rpc})


@dataclass(frozen=True)
class Package:
    """A proto package: a Python package with its models."""

    proto: str  # lcplatform.queue.v1
    files: tuple[str, ...]
    comment: str
    draft: bool
    messages: tuple[Message, ...]
    enums: tuple[Enum, ...]
    services: tuple[Service, ...]

    @property
    def module(self) -> str:
        """The Python package, without the version: lcplatform.queue."""
        return self.proto.rsplit(".", 1)[0]

    @property
    def name(self) -> str:
        """The last part of the Python package."""
        return self.module.rsplit(".", 1)[1]

    @property
    def folder(self) -> str:
        """The folder below `generated/`."""
        return self.module.replace(".", "/")

    @property
    def pb2_alias(self) -> str:
        """How the converters call the protobuf module."""
        return f"{self.name}_pb2"

    @property
    def pb2_modules(self) -> tuple[str, ...]:
        """The protobuf modules of its files."""
        return tuple(path.removesuffix(".proto").replace("/", ".") + "_pb2" for path in self.files)

    @property
    def models(self) -> tuple[Message, ...]:
        """The messages that are models in Python: envelopes of streams, unions and JSON are not."""
        envelopes = {
            message.full_name
            for service in self.services
            for method in service.methods
            for message, kind in ((method.input, Kind.UPLOAD), (method.output, Kind.DOWNLOAD))
            if method.kind is kind
        }
        hidden = envelopes | {f".{self.proto}.Json"} if self.name == "type" else envelopes
        return tuple(m for m in self.messages if not m.is_union and m.full_name not in hidden)

    @property
    def borrowed(self) -> dict[str, list[str]]:
        """The names that its messages take from other packages, by Python package."""
        found: dict[str, set[str]] = {}
        for message in self.messages:
            for item in message.fields:
                inner = item.map_value or item
                if inner.kind in {"message", "enum"}:
                    held = inner.message if inner.kind == "message" else inner.enum
                    if held.package != self.proto:
                        module = held.package.rsplit(".", 1)[0]
                        found.setdefault(module, set()).add(held.name)
        return {module: sorted(names) for module, names in sorted(found.items())}

    @property
    def public(self) -> list[str]:
        """The names that its `models` module offers, in their order."""
        names = [message.name for message in (*self.models, *self.unions)]
        return sorted([*names, *(enum.name for enum in self.enums)])

    @property
    def unions(self) -> tuple[Message, ...]:
        """The messages that are unions in Python."""
        return tuple(message for message in self.messages if message.is_union)


@dataclass(frozen=True)
class Schema:
    """The whole IDL. Filled by `build`, not changed afterwards."""

    packages: dict[str, Package] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    enums: dict[str, Enum] = field(default_factory=dict)
    in_requests: set[str] = field(default_factory=set)
    in_responses: set[str] = field(default_factory=set)
    written_optional: set[tuple[str, str]] = field(default_factory=set)

    @property
    def released(self) -> tuple[Package, ...]:
        """The packages that are generated from, in the order of their names."""
        return tuple(
            self.packages[name] for name in sorted(self.packages) if not self.packages[name].draft
        )

    @property
    def services(self) -> tuple[Service, ...]:
        """The released services that providers implement, in the order of their names."""
        return tuple(s for s in self.all_services if not s.auxiliary)

    @property
    def all_services(self) -> tuple[Service, ...]:
        """The released services, auxiliary ones included."""
        found = [service for package in self.released for service in package.services]
        return tuple(sorted(found, key=lambda service: service.accessor))


def build(idl: Idl) -> Schema:
    """Resolve the descriptors into a schema. Files of others (google.protobuf) and our options are left out."""
    schema = Schema()
    grouped: dict[str, list[descriptor_pb2.FileDescriptorProto]] = {}
    for file in idl.files:
        if not file.name.startswith("google/") and file.name != OPTIONS:
            grouped.setdefault(file.package, []).append(file)
    for package, files in grouped.items():
        _Builder(schema, idl.rules, package).add(files)
    for built in schema.packages.values():
        for service in built.services:
            for method in service.methods:
                _mark(method.input, schema.in_requests)
                _mark(method.output, schema.in_responses)
    return schema


def _mark(message: Message, seen: set[str]) -> None:
    if message.full_name in seen:
        return
    seen.add(message.full_name)
    for item in message.fields:
        inner = item.map_value or item
        if inner.kind in {"message", "union"}:
            _mark(inner.message, seen)


class _Builder:
    """Turns the files of one package into a `Package`."""

    def __init__(self, schema: Schema, rules: Rules, package: str) -> None:
        self._schema = schema
        self._rules = rules
        self._package = package

    def add(self, files: list[descriptor_pb2.FileDescriptorProto]) -> None:
        files = sorted(files, key=lambda file: file.name)
        enums: list[Enum] = []
        messages: list[Message] = []
        draft = False
        comment = ""
        for file in files:
            comments = _Comments(file)
            comment = comment or comments.at((12,))
            draft = draft or self._rules.of("file", file.options).draft
            for index, enum in enumerate(file.enum_type):
                enums.append(self._enum(enum, comments, (5, index), f".{self._package}"))
            for index, message in enumerate(file.message_type):
                messages += self._message(message, comments, (4, index), f".{self._package}", enums)
        self._schema.enums.update({enum.full_name: enum for enum in enums})
        self._schema.messages.update({message.full_name: message for message in messages})
        services = [
            self._service(service, _Comments(file), index)
            for file in files
            for index, service in enumerate(file.service)
        ]
        self._schema.packages[self._package] = Package(
            proto=self._package,
            files=tuple(file.name for file in files),
            comment=comment,
            draft=draft,
            messages=tuple(messages),
            enums=tuple(enums),
            services=tuple(services),
        )

    def _enum(
        self,
        proto: descriptor_pb2.EnumDescriptorProto,
        comments: _Comments,
        path: tuple[int, ...],
        scope: str,
    ) -> Enum:
        values = []
        for index, value in enumerate(proto.value):
            member = None if value.number == 0 else naming.enum_member(proto.name, value.name)
            values.append(
                EnumValue(
                    proto_name=value.name,
                    number=value.number,
                    comment=comments.at((*path, 2, index)),
                    member=member,
                    value=(member or "").removeprefix("VALUE_").lower(),
                )
            )
        return Enum(
            name=proto.name,
            full_name=f"{scope}.{proto.name}",
            package=self._package,
            comment=comments.at(path),
            values=tuple(values),
        )

    def _message(
        self,
        proto: descriptor_pb2.DescriptorProto,
        comments: _Comments,
        path: tuple[int, ...],
        scope: str,
        enums: list[Enum],
    ) -> list[Message]:
        full_name = f"{scope}.{proto.name}"
        entries = {
            f"{full_name}.{nested.name}": nested
            for nested in proto.nested_type
            if nested.options.map_entry
        }
        fields = tuple(
            self._field(item, proto, comments.at((*path, 2, index)), full_name, entries)
            for index, item in enumerate(proto.field)
        )
        found = [
            Message(
                name=proto.name,
                full_name=full_name,
                package=self._package,
                comment=comments.at(path),
                fields=fields,
                is_union=self._rules.of("message", proto.options).union,
                deprecated=proto.options.deprecated,
                schema=self._schema,
            )
        ]
        for index, nested in enumerate(proto.nested_type):
            if not nested.options.map_entry:
                found += self._message(nested, comments, (*path, 3, index), full_name, enums)
        for index, enum in enumerate(proto.enum_type):
            enums.append(self._enum(enum, comments, (*path, 4, index), full_name))
        return found

    def _field(
        self,
        proto: descriptor_pb2.FieldDescriptorProto,
        message: descriptor_pb2.DescriptorProto,
        comment: str,
        owner: str,
        entries: dict[str, descriptor_pb2.DescriptorProto],
    ) -> Field:
        entry = entries.get(proto.type_name)
        in_oneof = proto.HasField("oneof_index") and not proto.proto3_optional
        if proto.proto3_optional:
            self._schema.written_optional.add((owner, proto.name))
        repeated = proto.label == _Proto.LABEL_REPEATED and entry is None
        return Field(
            proto_name=proto.name,
            number=proto.number,
            wire_kind="map" if entry is not None else self._kind(proto),
            type_name=proto.type_name,
            repeated=repeated,
            map_value=self._field(entry.field[1], entry, "", owner, {})
            if entry is not None
            else None,
            presence=proto.proto3_optional
            or in_oneof
            or (proto.type == _Proto.TYPE_MESSAGE and not repeated and entry is None),
            oneof=message.oneof_decl[proto.oneof_index].name if in_oneof else None,
            comment=comment,
            rules=self._rules.of("field", proto.options),
            integer_range=_RANGES.get(proto.type),
            js_string=proto.options.jstype == descriptor_pb2.FieldOptions.JS_STRING,
            deprecated=proto.options.deprecated,
            schema=self._schema,
            owner=owner,
        )

    def _kind(self, proto: descriptor_pb2.FieldDescriptorProto) -> str:
        if proto.type == _Proto.TYPE_ENUM:
            return "enum"
        if proto.type != _Proto.TYPE_MESSAGE:
            return _SCALARS[proto.type]
        return _WELL_KNOWN.get(proto.type_name, "message")

    def _service(
        self, proto: descriptor_pb2.ServiceDescriptorProto, comments: _Comments, index: int
    ) -> Service:
        rules = self._rules.of("service", proto.options)
        units = {1: "bytes", 2: "count", 3: "seconds"}
        service = Service(
            name=proto.name.removesuffix("Service"),
            full_name=f"{self._package}.{proto.name}",
            comment=comments.at((6, index)),
            package=self._package,
            auxiliary=rules.auxiliary,
            capabilities=tuple(Declared(c.name, c.description) for c in rules.capabilities),
            limits=tuple(Declared(c.name, c.description, units[c.unit]) for c in rules.limits),
            schema=self._schema,
        )
        methods = tuple(
            Method(
                rpc=method.name,
                comment=comments.at((6, index, 2, number)),
                input=self._schema.messages[method.input_type],
                output=self._schema.messages[method.output_type],
                client_streaming=method.client_streaming,
                server_streaming=method.server_streaming,
                idempotency=("UNKNOWN", "NO_SIDE_EFFECTS", "IDEMPOTENT")[
                    method.options.idempotency_level
                ],
                rules=self._rules.of("method", method.options),
                deprecated=method.options.deprecated,
                service=service,
            )
            for number, method in enumerate(proto.method)
        )
        object.__setattr__(service, "methods", methods)  # methods and service know each other
        return service


class _Comments:
    """The comments of a file, by the path of the element."""

    def __init__(self, file: descriptor_pb2.FileDescriptorProto) -> None:
        self._by_path = {
            tuple(location.path): location.leading_comments or _detached(location)
            for location in file.source_code_info.location
        }

    def at(self, path: tuple[int, ...]) -> str:
        """The comment of the element, as one text without the indentation of its lines."""
        lines = self._by_path.get(path, "").strip("\n").split("\n")
        return "\n".join(line.removeprefix(" ").rstrip() for line in lines).strip()


def _detached(location: descriptor_pb2.SourceCodeInfo.Location) -> str:
    # The comment of a file stands before `syntax`, apart from it.
    return (
        location.leading_detached_comments[0]
        if location.leading_detached_comments and tuple(location.path) == (12,)
        else ""
    )


def _plain(number: float | None) -> float | int | None:
    if number is None:
        return None
    return int(number) if float(number).is_integer() else number
