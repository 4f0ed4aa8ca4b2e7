"""JSON Schema of the messages, twice: for pydantic, where values are Python's, and for others, where they are ProtoJSON."""

from __future__ import annotations

from typing import Any

from lcplatform_codegen import naming
from lcplatform_codegen.model import FORMATS, Enum, Field, Message, Package, Role

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PROTO_JSON: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "bytes": {"type": "string", "contentEncoding": "base64"},
    "bool": {"type": "boolean"},
    "float": {"type": "number"},
    "timestamp": {"type": "string", "format": "date-time"},
    "duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
    "mask": {"type": "string"},
    "decimal": {
        "type": "string",
        "pattern": r"^(-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|NaN|-?Infinity)$",
    },
    "date": {"type": "string", "format": "date"},
    "time": {
        "type": "string",
        "pattern": r"^[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([+-][0-9]{2}:[0-9]{2})?$",
    },
    "local_timestamp": {
        "type": "string",
        "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?$",
    },
    "uuid": {"type": "string", "format": "uuid"},
    "null": {"type": "boolean", "const": True},
}
_PYDANTIC: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "bytes": {"type": "string", "format": "binary"},
    "bool": {"type": "boolean"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "timestamp": {"type": "string", "format": "date-time"},
    "duration": {"type": "string", "format": "duration"},
    "mask": {"type": "array", "items": {"type": "string"}},
    # Placeholders: `models` writes the type.
    "json": {"type": "string"},
    **{name: {"type": "string"} for name in FORMATS if name},
}


def for_pydantic(package: Package) -> dict[str, Any]:
    """The internal schema of a package: every field is required here, its default is written by the template."""
    return {
        "$schema": DIALECT,
        "$defs": {
            **{enum.name: _enum(enum) for enum in package.enums},
            **{message.name: _object(message) for message in package.models},
            **{
                name: _foreign(module, name)
                for module, names in package.borrowed.items()
                for name in names
            },
        },
    }


def _enum(enum: Enum) -> dict[str, Any]:
    values = [value.value for value in enum.members] + ["unknown"]
    names = [value.member for value in enum.members] + ["UNKNOWN"]
    return {"type": "string", "enum": values, "x-enum-varnames": names}


def _foreign(module: str, name: str) -> dict[str, Any]:
    return {"type": "object", "x-python-import": {"module": f"{module}.models", "name": name}}


def _object(message: Message) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {item.name: _property(item, message.role) for item in message.fields},
        "required": [item.name for item in message.fields],
        "customBasePath": f"lcplatform_runtime.model.{message.role.value}",
    }


def _property(item: Field, role: Role) -> dict[str, Any]:
    """A field for pydantic. Answers carry no bounds: what a provider says is passed on, not judged."""
    inner = _inner(item.map_value or item)
    bounds = {} if role is Role.RESPONSE else _bounds(item)
    if item.is_map:
        return {"type": "object", "additionalProperties": inner, **bounds}
    if item.repeated:
        return {"type": "array", "items": inner, **bounds}
    shown = {**inner, **bounds}
    return _nullable(shown) if item.optional else shown


def _inner(item: Field) -> dict[str, Any]:
    if item.kind == "union":
        return {"x-python-type": " | ".join(part.item_type for part in item.message.fields)}
    if item.kind in {"message", "enum"}:
        return {"$ref": f"#/$defs/{item.item_type}"}
    return dict(_PYDANTIC[item.kind])


def _nullable(shown: dict[str, Any]) -> dict[str, Any]:
    if "x-python-type" in shown:
        return {**shown, "x-python-type": f"{shown['x-python-type']} | None"}
    if "$ref" in shown:
        return {"anyOf": [shown, {"type": "null"}]}
    return {**shown, "type": [shown["type"], "null"]}


def _bounds(item: Field) -> dict[str, Any]:
    many = item.repeated or item.is_map
    length = (
        ("minProperties", "maxProperties")
        if item.is_map
        else ("minItems", "maxItems")
        if many
        else ("minLength", "maxLength")
    )
    bounds = {
        length[0]: item.min_length,
        length[1]: item.max_length,
        "pattern": None if many else item.rules.pattern or None,
        "minimum": None if many else item.minimum,
        "maximum": None if many else item.maximum,
    }
    return {name: value for name, value in bounds.items() if value is not None}


def for_proto_json(package: Package) -> dict[str, Any]:
    """The published schema of a package's messages as ProtoJSON, for other languages."""
    return {
        "$schema": DIALECT,
        "$id": f"{package.proto}.json",
        "title": package.proto,
        "description": package.comment,
        "$defs": {
            **{enum.name: _json_enum(enum) for enum in package.enums},
            **{message.name: _json_object(message) for message in package.messages},
        },
    }


def _json_enum(enum: Enum) -> dict[str, Any]:
    return {
        "description": enum.comment,
        "type": "string",
        "enum": [value.proto_name for value in enum.values],
    }


def _json_object(message: Message) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "description": message.comment,
        "type": "object",
        "properties": {item.json_name: _json_property(item, message) for item in message.fields},
        "additionalProperties": message.role is Role.RESPONSE,
    }
    required = [item.json_name for item in message.fields if item.rules.required]
    choices = [[naming.camel(name) for name in names] for names in message.oneofs]
    if required:
        shown["required"] = required
    if choices:
        # A oneof: one of its fields and no more (which of them must be there is the message's own rule).
        shown["allOf"] = [
            {
                "oneOf": [{"required": [name]} for name in names]
                + [{"not": {"anyOf": [{"required": [name]} for name in names]}}]
            }
            for names in choices
        ]
    return shown


def _json_property(item: Field, message: Message) -> dict[str, Any]:
    inner = _json_inner(item.map_value or item, message)
    bounds = (
        _bounds(item)
        if message.role is not Role.RESPONSE and item.kind not in {"duration", "bytes", "int"}
        else {}
    )
    shown: dict[str, Any] = inner
    if item.is_map:
        shown = {"type": "object", "additionalProperties": inner}
    elif item.repeated:
        asked = item.rules.pattern if message.role is not Role.RESPONSE else ""
        shown = {"type": "array", "items": {**inner, **({"pattern": asked} if asked else {})}}
    extra = {"writeOnly": True} if item.sensitive and message.role is Role.REQUEST else {}
    marks = {"x-sensitive": True} if item.sensitive else {}
    deprecated = {"deprecated": True} if item.deprecated else {}
    return {"description": item.comment, **shown, **bounds, **extra, **marks, **deprecated}


def _json_inner(item: Field, message: Message) -> dict[str, Any]:
    if item.kind == "int":
        low, high = item.integer_range or (None, None)
        if low is not None and high is not None and high > 2**32:
            return {"type": ["string", "integer"], "pattern": "^-?[0-9]+$"}
        return {"type": "integer", "minimum": low, "maximum": high}
    if item.kind in _PROTO_JSON:
        return dict(_PROTO_JSON[item.kind])
    name = item.type_name.rsplit(".", 1)[1]
    package = item.type_name[1:].rsplit(".", 1)[0]
    here = package == message.package
    return {"$ref": f"#/$defs/{name}" if here else f"{package}.json#/$defs/{name}"}
