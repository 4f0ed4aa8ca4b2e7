"""Resolves descriptors into the model: names decided, comments found, references followed."""

from __future__ import annotations

from google.protobuf import descriptor_pb2

from lcplatform_codegen import naming
from lcplatform_codegen.load import OPTIONS, Idl, Rules
from lcplatform_codegen.model import (
    Declared,
    Enum,
    EnumValue,
    Field,
    Message,
    Method,
    Package,
    Schema,
    Service,
)

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
        rules = self._rules.of("message", proto.options)
        found = [
            Message(
                name=proto.name,
                full_name=full_name,
                package=self._package,
                comment=comments.at(path),
                fields=fields,
                is_union=rules.union,
                takes_list=rules.list,
                takes_duration=rules.duration,
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
