"""Whether a value surely keeps to a JSON Schema, told quickly.

The schema becomes functions once, so that what is well formed, as all is but while somebody writes it, costs little. Of the
rest it is jsonschema's to say whether something is wrong, and what: it takes ten times as long, and is not loaded before.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

Test: TypeAlias = Callable[[Any], bool]
"""Tells whether a value, which can be anything that JSON can say, surely is as it should be."""

_Schema: TypeAlias = Mapping[str, Any]
_AnySchema: TypeAlias = _Schema | bool  # true allows everything, and false nothing
_Maker: TypeAlias = "Callable[[_Compiler, _Schema], Test]"
_SILENT: Final = {"$schema", "$id", "$defs", "title", "description"}
"""What tells nothing of a value."""


def compiled(schema: _Schema) -> Test:
    """The test of a schema whose references stay inside of it and lead to no circle.

    Raises:
        NotImplementedError: a word of the schema is not known here.
    """
    return _Compiler(schema).test(schema)


class _Compiler:
    """Makes tests of schemas; each method of one word, or of words that belong together."""

    def __init__(self, root: _Schema) -> None:
        self._root = root

    def test(self, schema: _AnySchema) -> Test:
        if isinstance(schema, bool):
            return lambda _: schema
        makers = dict.fromkeys(_maker(word) for word in schema if word not in _SILENT)
        tests = [make(self, schema) for make in makers]
        return tests[0] if len(tests) == 1 else lambda value: all(test(value) for test in tests)

    def ref(self, schema: _Schema) -> Test:
        return self.test(self._root["$defs"][schema["$ref"].removeprefix("#/$defs/")])

    def type(self, schema: _Schema) -> Test:
        return _TYPES[schema["type"]]

    def enum(self, schema: _Schema) -> Test:
        texts = frozenset(schema["enum"])
        if not all(isinstance(text, str) for text in texts):
            raise NotImplementedError("enum of other values than texts")
        return lambda value: isinstance(value, str) and value in texts

    def negation(self, schema: _Schema) -> Test:
        test = self.test(schema["not"])
        return lambda value: not test(value)

    def some(self, schema: _Schema) -> Test:
        tests = [self.test(it) for it in schema["anyOf"]]
        return lambda value: any(test(value) for test in tests)

    def one(self, schema: _Schema) -> Test:
        tests = [self.test(it) for it in schema["oneOf"]]
        return lambda value: sum(test(value) for test in tests) == 1

    def items(self, schema: _Schema) -> Test:
        test = self.test(schema["items"])
        return lambda value: not isinstance(value, list) or all(map(test, value))

    def names(self, schema: _Schema) -> Test:
        test = self.test(schema["propertyNames"])
        return lambda value: not isinstance(value, dict) or all(map(test, value))

    def entries(self, schema: _Schema) -> Test:
        """Both `properties` and `additionalProperties`, which is for what the former does not name."""
        tests = {name: self.test(it) for name, it in schema.get("properties", {}).items()}
        others = self.test(schema.get("additionalProperties", True))
        return lambda value: (
            not isinstance(value, dict)
            or all(tests.get(name, others)(it) for name, it in value.items())
        )

    def dependent(self, schema: _Schema) -> Test:
        tests = {name: self.test(it) for name, it in schema["dependentSchemas"].items()}
        return lambda value: (
            not isinstance(value, dict)
            or all(tests[name](value) for name in tests.keys() & value.keys())
        )


def _plain(word: str, kind: type | tuple[type, ...], holds: Callable[[Any, Any], bool]) -> _Maker:
    """A word that tells something of values of one kind: `holds` is asked about a value and what the word says."""

    def make(_: _Compiler, schema: _Schema) -> Test:
        said = schema[word]
        return lambda value: not isinstance(value, kind) or holds(value, said)

    return make


_WORDS: Final[Mapping[str, _Maker]] = {
    "$ref": _Compiler.ref,
    "type": _Compiler.type,
    "enum": _Compiler.enum,
    "not": _Compiler.negation,
    "anyOf": _Compiler.some,
    "oneOf": _Compiler.one,
    "items": _Compiler.items,
    "propertyNames": _Compiler.names,
    "properties": _Compiler.entries,
    "additionalProperties": _Compiler.entries,
    "dependentSchemas": _Compiler.dependent,
    "pattern": _plain("pattern", str, lambda text, said: re.search(said, text) is not None),
    "minLength": _plain("minLength", str, lambda text, said: len(text) >= said),
    "maxLength": _plain("maxLength", str, lambda text, said: len(text) <= said),
    "minimum": _plain("minimum", (int, float), operator.ge),
    "maximum": _plain("maximum", (int, float), operator.le),
    "minItems": _plain("minItems", list, lambda items, said: len(items) >= said),
    "uniqueItems": _plain("uniqueItems", list, lambda items, said: not said or _distinct(items)),
    "minProperties": _plain("minProperties", dict, lambda entries, said: len(entries) >= said),
    "maxProperties": _plain("maxProperties", dict, lambda entries, said: len(entries) <= said),
    "required": _plain(
        "required", dict, lambda entries, said: all(map(entries.__contains__, said))
    ),
}


def _maker(word: str) -> _Maker:
    if word not in _WORDS:
        raise NotImplementedError(f"{word} of JSON Schema")
    return _WORDS[word]


def _distinct(items: list[Any]) -> bool:
    return all(item not in items[:place] for place, item in enumerate(items))


_TYPES: Final[Mapping[str, Test]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
