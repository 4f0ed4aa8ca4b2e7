"""`lcplatform_grpc`: converters, handlers and remote drivers of every service, beside what is the same for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lcplatform_codegen import naming
from lcplatform_codegen.colours import ASYNC, BLOCKING
from lcplatform_codegen.conversion import Value, in_order, is_part, read_part, write_part
from lcplatform_codegen.layout import render
from lcplatform_codegen.load import Idl
from lcplatform_codegen.model import (
    Enum,
    Field,
    Kind,
    Message,
    Method,
    Package,
    Role,
    Schema,
    Service,
)

_STATIC = Path(__file__).parent / "static" / "lcplatform_grpc"
_STANDARD = """\
from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import grpc
from typing_extensions import override

from lcplatform_grpc.channel import AsyncChannel, Channel
from lcplatform_grpc.parts import Envelope
from lcplatform_grpc.serving import Downloading, Handlers, Lanes, Streaming, Unary, Uploading
from lcplatform_grpc.values import Arguments, absent, checker, each, each_value, fill, maker, present, within
from lcplatform_grpc.values import read_date, read_decimal, read_duration, read_enum, read_json, read_local_timestamp
from lcplatform_grpc.values import read_map, read_time, read_timestamp, read_uuid, refused
from lcplatform_grpc.values import write_date, write_decimal, write_duration, write_json, write_local_timestamp, write_mask
from lcplatform_grpc.values import write_time, write_timestamp, write_uuid
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.streams import AsyncByteSource, AsyncByteStream, ByteSource, ByteStream
from lcplatform_runtime.support import Support
"""


def render_all(idl: Idl, schema: Schema) -> dict[str, str]:
    """The files of `lcplatform_grpc`."""
    protobuf = _Protobuf(idl, schema)
    files = {
        f"lcplatform_grpc/{path.name}": path.read_text(encoding="utf-8")
        for path in sorted(_STATIC.glob("*.py"))
    }
    for package in schema.released:
        files |= _package(package, protobuf)
    for service in schema.all_services:
        files |= _service(service, protobuf)
    everything = {
        "schema": schema,
        "services": schema.services,
        "all_services": schema.all_services,
    }
    files |= {
        f"lcplatform_grpc/{name}.py": render(f"grpc_{name}.py.j2", **everything)
        for name in ("handlers", "provider")
    }
    return files | {"lcplatform_grpc/py.typed": ""}


def _package(package: Package, protobuf: _Protobuf) -> dict[str, str]:
    folder = f"lcplatform_grpc/{package.name}"
    convert = render(
        "convert.py.j2",
        imports="\n".join([_STANDARD, *protobuf.imports(package)]),
        package=package,
        enums=[_Table(enum, protobuf) for enum in package.enums],
        unions=[_Union(union, protobuf) for union in package.unions],
        messages=[_Converter(message, protobuf) for message in package.models],
    )
    return {
        f"{folder}/__init__.py": f'"""{package.module} over gRPC."""\n',
        f"{folder}/convert.py": convert,
    }


def _service(service: Service, protobuf: _Protobuf) -> dict[str, str]:
    package = service.schema.packages[service.package]
    folder = f"lcplatform_grpc/{package.name}"
    imports = "\n".join([_STANDARD, *protobuf.imports(package), *_of(service)])
    values = {
        "service": service,
        "imports": imports,
        "methods": [_Call(method, protobuf) for method in service.methods],
    }
    return {
        f"{folder}/servicer.py": render("servicer.py.j2", **values),
        f"{folder}/remote.py": render("remote.py.j2", colour=BLOCKING, **values),
        f"{folder}/async_remote.py": render("remote.py.j2", colour=ASYNC, **values),
    }


def _of(service: Service) -> list[str]:
    """What the modules of one service may use of its own."""
    name, module = service.name, service.module
    package = service.schema.packages[service.package]
    return [
        _converters(package),
        f"from {module}.calls import {name}Calls",
        f"from {module}.driver import Async{name}Driver, {name}Driver",
        f"from {module}.operations import {', '.join(m.constant for m in service.methods)}",
        f"from {module}.support import {name}Capability",
    ]


def _converters(package: Package) -> str:
    """The import of everything that the converters of a package may be asked for."""
    messages = [naming.snake(message.name) for message in (*package.models, *package.unions)]
    verbs = ("read", "values_of", "write", "arguments_of")
    names = [f"{verb}_{name}" for name in messages for verb in verbs]
    names += [
        f"{naming.constant(e.name)}_{end}" for e in package.enums for end in ("MEMBERS", "NUMBERS")
    ]
    return f"from lcplatform_grpc.{package.name}.convert import {', '.join(names)}"


class _Protobuf:
    """Where the protobuf classes are, and which messages stand inside of others."""

    def __init__(self, idl: Idl, schema: Schema) -> None:
        self._schema = schema
        self._files = {
            f".{file.package}.{name}": file.name
            for file in idl.files
            for name in (
                *(it.name for it in file.message_type),
                *(it.name for it in file.enum_type),
            )
        }
        models = [
            message for package in schema.released for message in (*package.models, *package.unions)
        ]
        self.inside = {
            (item.map_value or item).type_name for message in models for item in message.fields
        }
        self.alternatives = {
            item.type_name
            for package in schema.released
            for union in package.unions
            for item in union.fields
        }
        methods = [method for service in schema.all_services for method in service.methods]
        self.outside = {
            message.full_name for method in methods for message in (method.request, method.response)
        }

    def name(self, kind: Message | Enum) -> str:
        """The protobuf class or enum, with the name of its module."""
        inside = kind.full_name.removeprefix(f".{kind.package}.")
        outermost = f".{kind.package}.{inside.partition('.')[0]}"
        return f"{self._module(self._files[outermost])}.{inside}"

    def imports(self, package: Package) -> list[str]:
        """The protobuf modules, models and converters that the modules of a package may use."""
        lines = []
        borrowed = {package.module, "lcplatform.type", *package.borrowed}
        for other in (it for it in self._schema.released if it.module in borrowed):
            for file in other.files:
                home, _, stem = file.removesuffix(".proto").replace("/", ".").rpartition(".")
                module = f"{stem}_pb2"
                alias = self._module(file)
                lines.append(
                    f"from {home} import {module}" + (f" as {alias}" if alias != module else "")
                )
            if other.public:
                lines.append(f"from {other.module}.models import {', '.join(other.public)}")
            if other is not package and other.public:
                lines.append(_converters(other))
        return lines

    @staticmethod
    def _module(file: str) -> str:
        """The module of a file. Two packages may have a file of the same name, so theirs is added where it differs."""
        folder, _, stem = file.removesuffix(".proto").rpartition("/")
        package = folder.split("/")[-2]
        return f"{stem}_pb2" if stem == package else f"{package}_{stem}_pb2"


@dataclass(frozen=True)
class _Table:
    """The members of an enum and their numbers on the wire."""

    enum: Enum
    protobuf: _Protobuf

    @property
    def constant(self) -> str:
        """The name of the tables, without what tells them apart."""
        return naming.constant(self.enum.name)

    @property
    def pb2(self) -> str:
        """The protobuf enum."""
        return self.protobuf.name(self.enum)

    @property
    def scope(self) -> str:
        """What holds the protobuf enum's constants: its module, or the message around it."""
        return self.pb2.rpartition(".")[0]


@dataclass(frozen=True)
class _Converter:
    """A message that is a model."""

    message: Message
    protobuf: _Protobuf

    @property
    def name(self) -> str:
        """The name of its functions, without their verb."""
        return naming.snake(self.message.name)

    @property
    def pb2(self) -> str:
        """The protobuf class."""
        return self.protobuf.name(self.message)

    @property
    def inside(self) -> bool:
        """Whether it is a field of another message."""
        return self.message.full_name in self.protobuf.inside

    @property
    def outside(self) -> bool:
        """Whether it is a request or an answer by itself."""
        return self.message.full_name in self.protobuf.outside

    @property
    def read_alone(self) -> bool:
        """Whether it is read as a model of its own, checked: as a request, in an answer that callers also send, or as one
        of several alternatives."""
        shared = self.inside and self.message.role is Role.SHARED
        return self.outside or shared or self.message.full_name in self.protobuf.alternatives

    @cached_property
    def fields(self) -> list[Value]:
        """The fields."""
        return [Value(item, self.message.role) for item in self.message.fields]

    @property
    def always(self) -> list[Value]:
        """The fields that every message has."""
        return [item for item in self.fields if not item.condition]

    @property
    def sometimes(self) -> list[Value]:
        """The fields that may be absent."""
        return [item for item in self.fields if item.condition]

    @property
    def answer(self) -> bool:
        """Whether only providers make it."""
        return self.message.role is Role.RESPONSE

    @property
    def asks(self) -> bool:
        """Whether protobuf is asked which of its fields are there."""
        return any(item.asked for item in self.fields)

    @property
    def maps(self) -> list[Value]:
        """The maps that are filled when the message is there, which takes a third of the time."""
        return [] if self.inside else [item for item in self.fields if item.plain_map]

    @property
    def arguments(self) -> list[Value]:
        """The fields that it is made with."""
        return [item for item in self.fields if item not in self.maps]

    @property
    def used(self) -> bool:
        """Whether anything of this package needs it."""
        return self.inside or self.outside


@dataclass(frozen=True)
class _Union(_Converter):
    """A message that is one of several plain values."""

    @property
    def oneof(self) -> str:
        """Its oneof."""
        return str(self.message.fields[0].oneof)

    @property
    def parts(self) -> list[tuple[Field, str, str, str]]:
        """Each alternative, with how it is read, told and written."""
        return [
            (item, read_part(item), is_part(item, self.message), write_part(item))
            for item in in_order(self.message)
        ]

    @property
    def nullable(self) -> bool:
        """Whether `None` is one of its values, so that it cannot stand for none."""
        return any(item.kind == "null" for item in self.message.fields)


@dataclass(frozen=True)
class _Call:
    """An operation at either end of a connection."""

    method: Method
    protobuf: _Protobuf

    @property
    def kind(self) -> str:
        """The class of a server's end, without its colour."""
        return {Kind.UNARY: "Unary", Kind.UPLOAD: "Uploading", Kind.DOWNLOAD: "Downloading"}.get(
            self.method.kind, "Streaming"
        )

    @property
    def registered(self) -> str:
        """How gRPC is told of the handler."""
        streams = {Kind.UNARY: "unary_unary", Kind.UPLOAD: "stream_unary"}
        return f"grpc.{streams.get(self.method.kind, 'unary_stream')}_rpc_method_handler"

    @property
    def request(self) -> str:
        """The protobuf class of the request."""
        return self.protobuf.name(self.method.request)

    @property
    def response(self) -> str:
        """The protobuf class of the answer."""
        return self.protobuf.name(self.method.response)

    @property
    def read(self) -> str:
        """Reads the request, on the server."""
        return f"read_{naming.snake(self.method.request.name)}"

    @property
    def write(self) -> str:
        """Writes the answer, on the server."""
        return f"write_{naming.snake(self.method.response.name)}"

    @property
    def ask(self) -> str:
        """Writes the request, at the client's end."""
        return f"write_{naming.snake(self.method.request.name)}"

    @property
    def hear(self) -> str:
        """Reads the answer, at the client's end."""
        return f"read_{naming.snake(self.method.response.name)}"

    @property
    def envelope(self) -> str:
        """The expression of what carries its body; empty where there is none."""
        if self.method.kind not in {Kind.UPLOAD, Kind.DOWNLOAD}:
            return ""
        message = self.method.input if self.method.kind is Kind.UPLOAD else self.method.output
        body = next(item.proto_name for item in message.fields if item.rules.body)
        rest = [it.proto_name for it in message.fields if it.proto_name not in {"header", body}]
        trailer = "".join(f', trailer="{name}"' for name in rest)
        return f'Envelope({self.protobuf.name(message)}, body="{body}"{trailer})'
