"""The IDL as values that answer questions: names decided, options read, references resolved. Templates only lay out."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum as PyEnum
from functools import cached_property
from typing import Any

from lcplatform_codegen import naming

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
    "decimal": "Decimal",
    "date": "date",
    "time": "time",
    "local_timestamp": "datetime",
    "uuid": "UUID",
    "null": "None",
}
# What a string says (Format in options.proto), by its number: the kinds of values that have a type of their own.
FORMATS = ("", "decimal", "date", "time", "local_timestamp", "uuid", "null")
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
    def argument(self) -> str:
        """The argument of clients in Python. It may be a word that models need for themselves."""
        return naming.argument(self.proto_name)

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
        """The kind in Python: that of the wire, but for messages that are unions there, and strings with a format."""
        if self.wire_kind == "message" and self.message.is_union:
            return "union"
        return self.format or self.wire_kind

    @property
    def format(self) -> str:
        """What the string says, if languages have a type of its own for it."""
        return FORMATS[self.rules.format] if self.rules is not None else ""

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
        return f"Sequence[{self.item_input}]" if self.repeated else self.item_input

    @property
    def item_input(self) -> str:
        """What a client takes for one item: its type, and the plain values that stand for it."""
        also = []
        if self.takes_json:
            also.append("JsonInput")
        if self.kind == "union" and any(
            part.kind == "message" and part.message.takes_duration for part in self.message.fields
        ):
            also.append("timedelta")
        if self.kind == "message" and self.message.takes_list:
            also.append(f"Sequence[{self.message.fields[0].item_input}]")
        return " | ".join([self.item_type, *also])

    @property
    def distinct_type(self) -> str:
        """The Python type by which it is told from the other alternatives of a union."""
        zones = {"timestamp": "datetime with a zone", "local_timestamp": "datetime without a zone"}
        return zones.get(self.kind, self.item_type)

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
    def given(self) -> str:
        """The Python condition that tells whether it is given."""
        return f"self.{self.name} is not None" if self.optional else f"self.{self.name}"

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
    takes_list: bool
    takes_duration: bool
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
    def told_by_type(self) -> bool:
        """Whether it is a union whose alternatives only the type of a value tells apart: no text and no JSON stands for
        several of them."""
        return self.is_union and any(item.format or item.kind == "message" for item in self.fields)

    @property
    def exclusions(self) -> tuple[tuple[Field, Field], ...]:
        """The pairs of fields that are not given together."""
        return tuple(
            (item, self.field_named(item.rules.excludes))
            for item in self.fields
            if item.rules.excludes
        )

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

    @cached_property
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
        return ", ".join(self.request.field_named(it).argument for it in self.rules.cache.key)

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

    @cached_property
    def accessor(self) -> str:
        """The attribute of the platform."""
        return naming.snake(self.name)

    @property
    def module(self) -> str:
        """The Python package."""
        return self.schema.packages[self.package].module

    @cached_property
    def by_name(self) -> dict[str, Method]:
        """The operations by their names in Python."""
        return {method.name: method for method in self.methods}

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
    """The whole IDL. Filled by `resolve.build`, not changed afterwards."""

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


def _plain(number: float | None) -> float | int | None:
    if number is None:
        return None
    return int(number) if float(number).is_integer() else number
