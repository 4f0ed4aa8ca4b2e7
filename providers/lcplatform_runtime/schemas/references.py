"""What a JSON Schema refers to, which is all inside of it, and what it marks as not to be shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # it has none
from referencing.exceptions import CannotDetermineSpecification, Unresolvable
from referencing.jsonschema import DRAFT202012, UnknownDialect

if TYPE_CHECKING:
    from referencing._core import Resolver  # the library gives its type no public name
    from referencing.jsonschema import SchemaResource

Schema: TypeAlias = Any
"""A schema as Python values: whatever JSON allows can stand in it."""

_REFERENCES: Final = ("$ref", "$dynamicRef")
# Whatever one of these hold is said of the same value, or of the parts of it that have no name of their own.
_OF_THE_SAME: Final = (
    "not", "if", "then", "else", "items", "contains", "additionalProperties", "unevaluatedItems", "unevaluatedProperties",
    "propertyNames",
)  # fmt: skip
_LISTS: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED: Final = ("dependentSchemas", "patternProperties")


def strange_reference(schema: Schema) -> str | None:
    """A reference that leads out of the schema, or nowhere. `None`: there is none."""
    resource = DRAFT202012.create_resource(schema)
    return next(_strange(resource, REGISTRY.resolver_with_root(resource)), None)


def _strange(resource: SchemaResource, resolver: Resolver[Schema]) -> Iterator[str]:
    contents = resource.contents
    if isinstance(contents, Mapping):
        for word in _REFERENCES:
            if word in contents and not _leads_somewhere(resolver, contents[word]):
                yield str(contents[word])
    try:
        inner = list(resource.subresources())
    except (CannotDetermineSpecification, UnknownDialect) as error:
        yield f"$schema ({type(error).__name__})"
        return
    for each in inner:
        yield from _strange(each, resolver.in_subresource(each))


def _leads_somewhere(resolver: Resolver[Schema], reference: str) -> bool:
    try:
        found = resolver.lookup(reference)
    except (Unresolvable, CannotDetermineSpecification, UnknownDialect):
        return False
    return isinstance(found.contents, Mapping | bool)


@dataclass(slots=True)
class Hidden:
    """What must not be shown of a document: `writeOnly`, or of the format `password`, says its schema.

    It is told by name: whatever has the name of a member that is marked anywhere is hidden everywhere. What is marked and
    has no name hides what holds it. So more may be hidden than must be, and never less.
    """

    names: set[str] = field(default_factory=set)
    everything: bool = False

    @classmethod
    def by(cls, schema: Schema) -> Hidden:
        """What a schema marks."""
        hidden = cls()
        resource = DRAFT202012.create_resource(schema)
        hidden._look(schema, None, REGISTRY.resolver_with_root(resource), set())
        return hidden

    def hides(self, path: list[str | int], value: object) -> bool:
        """Whether the value at a path, or anything inside of it, must not be shown."""
        if self.everything or not self.names.isdisjoint(map(str, path)):
            return True
        return bool(self.names) and self._is_in(value)

    def _is_in(self, value: object) -> bool:
        if isinstance(value, dict):
            return not self.names.isdisjoint(value) or any(map(self._is_in, value.values()))
        return isinstance(value, list) and any(map(self._is_in, value))

    def _look(
        self,
        schema: Schema,
        name: str | None,
        resolver: Resolver[Schema],
        seen: set[tuple[int, str | None]],
    ) -> None:
        if not isinstance(schema, Mapping) or (id(schema), name) in seen:
            return
        seen.add((id(schema), name))
        if schema.get("writeOnly") is True or schema.get("format") == "password":
            self._mark(name)
        here = resolver.in_subresource(DRAFT202012.create_resource(schema))
        for word in _REFERENCES:
            if word in schema:
                found = here.lookup(schema[word])
                self._look(found.contents, name, found.resolver, seen)
        for part, part_name in _parts(schema, name):
            self._look(part, part_name, here, seen)

    def _mark(self, name: str | None) -> None:
        if name is None:
            self.everything = True
        else:
            self.names.add(name)


def _parts(schema: Schema, name: str | None) -> Iterator[tuple[Schema, str | None]]:
    """The schemas inside of a schema that are said of a value or of its parts, each with the name of what it is said of."""
    yield from ((part, member) for member, part in schema.get("properties", {}).items())
    for word in _NAMED:
        yield from ((part, name) for part in schema.get(word, {}).values())
    for word in _LISTS:
        yield from ((part, name) for part in schema.get(word, ()))
    yield from ((schema[word], name) for word in _OF_THE_SAME if word in schema)
