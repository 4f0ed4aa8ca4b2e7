"""Which members of an object a JSON Schema has looked at, for `unevaluatedProperties` (Core 2020-12, section 11.3).

It follows what jsonschema does, which would try the patterns of `patternProperties` with an engine that may never end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from lcplatform_runtime.schemas.patterns import occurs

if TYPE_CHECKING:
    from lcplatform_runtime.schemas.references import Schema

Validator: TypeAlias = Any  # a class that jsonschema makes

_ALTERNATIVES: Final = ("allOf", "anyOf", "oneOf")


def evaluated(
    validator: Validator, instance: Mapping[str, object], schema: Schema
) -> Iterator[str]:
    """The names of the members that a schema has looked at, some perhaps more than once."""
    if not isinstance(schema, Mapping):
        return
    for name, value in instance.items():
        if _looked_at(validator, name, value, schema):
            yield name
    for part in _applied(validator, instance, schema):
        yield from evaluated(validator, instance, part)
    for word in ("$ref", "$dynamicRef"):
        if word in schema:
            found = validator._resolver.lookup(schema[word])
            there = validator.evolve(schema=found.contents, _resolver=found.resolver)
            yield from evaluated(there, instance, found.contents)


def _looked_at(validator: Validator, name: str, value: object, schema: Schema) -> bool:
    """Whether the schema itself says something of a member, that holds."""
    if name in schema.get("properties", {}):
        return True
    if any(occurs(pattern, name) for pattern in schema.get("patternProperties", {})):
        return True
    return any(
        word in schema and _holds(validator, value, schema[word])
        for word in ("additionalProperties", "unevaluatedProperties")
    )


def _applied(
    validator: Validator, instance: Mapping[str, object], schema: Schema
) -> Iterator[Schema]:
    """The schemas inside of a schema that are said of the same object, and hold."""
    for name, part in schema.get("dependentSchemas", {}).items():
        if name in instance:
            yield part
    for word in _ALTERNATIVES:
        yield from (it for it in schema.get(word, ()) if _holds(validator, instance, it))
    if "if" in schema:
        holds = _holds(validator, instance, schema["if"])
        if holds:
            yield schema["if"]
        then = "then" if holds else "else"
        if then in schema:
            yield schema[then]


def _holds(validator: Validator, value: object, schema: Schema) -> bool:
    return next(validator.descend(value, schema), None) is None
