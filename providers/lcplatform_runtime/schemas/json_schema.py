"""Data held against a JSON Schema (2020-12): every violation with its path, what is expected there and what is there.

Nothing is fetched: a schema that refers to another document is refused before it is used (FR-017).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError as SchemaError
from jsonschema.validators import extend
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # it has none

from lcplatform_runtime.errors import FieldViolation, ValidationError
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.schemas.evaluated import evaluated
from lcplatform_runtime.schemas.formats import formats
from lcplatform_runtime.schemas.patterns import TooMuchWorkError, limited, occurs
from lcplatform_runtime.schemas.references import Hidden, Schema, strange_reference

MOST: Final = 1000
"""So many violations are told."""

_LONGEST: Final = 2048
"""A value whose JSON is longer is not repeated."""

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_MISSING: Final = object()
_TOO_MUCH: Final = "must have patterns that are less work"


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong with a document. `expected` and `actual` are JSON."""

    path: str
    message: str
    keyword: str
    expected: str | None
    actual: str | None


class CheckedSchema:
    """A schema that is one, and what it says of data."""

    def __init__(self, schema: Schema) -> None:
        _check(schema)
        self._validator = _Validator(schema, registry=REGISTRY, format_checker=formats())
        self._hidden = Hidden.by(schema)

    def flaws(self, data: Json) -> tuple[list[Flaw], bool]:
        """What is wrong with the data, ordered by path, and whether more is than is told.

        Raises:
            ValidationError: the schema goes round in circles, the data is nested too deeply, or its patterns are too much
                work for so much data.
        """
        try:
            with limited():
                return self._flaws(json.loads(data.text))
        except TooMuchWorkError:
            raise refused("schema", _TOO_MUCH) from None
        except RecursionError:
            pass
        raise refused("schema", "must not refer to itself without end, nor be of data without end")

    def _flaws(self, data: Any) -> tuple[list[Flaw], bool]:
        found = list(islice(self._validator.iter_errors(data), MOST + 1))
        return _told(found[:MOST], self._hidden), len(found) > MOST


@lru_cache(maxsize=256)
def checked(schema: str) -> CheckedSchema:
    """The schema with this JSON text.

    Raises:
        ValidationError: it is no schema. The violations are of the field `schema`.
    """
    try:
        with limited():
            return CheckedSchema(json.loads(schema))
    except TooMuchWorkError:
        raise refused("schema", _TOO_MUCH) from None
    except RecursionError:
        pass
    raise refused("schema", "must not be nested so deeply")


def refusal(field: str, what: str, flaws: Sequence[Flaw], *, more: bool) -> ValidationError:
    """The error for a field with flaws: a violation for each."""
    number = f"more than {len(flaws)}" if more else str(len(flaws))
    listed = "; ".join(f"{it.path or 'all of it'} {it.message}" for it in flaws[:3])
    rest = "" if len(flaws) <= 3 else "; and so on"
    return ValidationError(
        f"{field}: {what} ({number} {'violation' if number == '1' else 'violations'}): {listed}{rest}",
        violations=[
            FieldViolation(field, it.message, it.path, it.expected, it.actual) for it in flaws
        ],
    )


def refused(field: str, expected: str, path: str = "") -> ValidationError:
    """The error for a field that breaks a rule which no schema can tell."""
    return ValidationError(
        f"{field}: {expected}", violations=[FieldViolation(field, expected, path)]
    )


def _check(schema: Schema) -> None:
    if isinstance(schema, dict) and str(schema.get("$schema", _DIALECT)).rstrip("#") != _DIALECT:
        raise refused("schema", f"must be of the dialect {_DIALECT}", "/$schema")
    found = list(islice(_META.iter_errors(schema), MOST + 1))
    if found:
        flaws = _told(found[:MOST], Hidden())
        raise refusal("schema", "no JSON Schema", flaws, more=len(found) > MOST)
    stranger = strange_reference(schema)
    if stranger is not None:
        raise refused(
            "schema", f"must refer to nothing outside of it, nor to nothing at all: {stranger}"
        )


def _told(errors: Sequence[SchemaError], hidden: Hidden) -> list[Flaw]:
    """What the errors mean, ordered by path, each once."""
    ordered = sorted(errors, key=lambda it: [_order(step) for step in it.absolute_path])
    return list(dict.fromkeys(_flaw(it, hidden) for it in ordered))


def _flaw(error: SchemaError, hidden: Hidden) -> Flaw:
    path = list(error.absolute_path)
    # For the schema `false` there is no keyword, which the stubs do not know.
    validator: object = error.validator
    keyword = "false" if validator is None else str(validator)
    actual = None
    if error.instance is not _MISSING and not hidden.hides(path, error.instance):
        actual = _json(error.instance)
    expected = False if validator is None else error.validator_value
    return Flaw(
        path="".join(f"/{_escaped(it)}" for it in path),
        message=_message(keyword, expected),
        keyword=keyword,
        expected=_json(expected),
        actual=actual,
    )


def _order(step: str | int) -> tuple[bool, int, str]:
    return (False, step, "") if isinstance(step, int) else (True, 0, step)


def _escaped(step: str | int) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")


def _json(value: object) -> str | None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if len(text) <= _LONGEST else None


_MESSAGES: Final = {
    "type": "must be of type {}",
    "enum": "must be one of the values that are listed",
    "const": "must be the one value that is allowed",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "multipleOf": "must be a multiple of {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "pattern": "must match {}",
    "format": "must be a valid {}",
    "minItems": "must have at least {} items",
    "maxItems": "must have at most {} items",
    "uniqueItems": "must not have one item twice",
    "contains": "must have an item of the kind that is asked for",
    "minContains": "must have at least {} items of that kind",
    "maxContains": "must have at most {} items of that kind",
    "minProperties": "must have at least {} members",
    "maxProperties": "must have at most {} members",
    "required": "is missing",
    "dependentRequired": "lacks a member that another one needs",
    "additionalProperties": "is not allowed here",
    "unevaluatedProperties": "has members that are not allowed",
    "unevaluatedItems": "has items that are not allowed",
    "anyOf": "must satisfy one of the schemas that are given",
    "oneOf": "must satisfy exactly one of the schemas that are given",
    "not": "must not satisfy the schema that is given",
    "false": "is not allowed here",
}


def _message(keyword: str, expected: Any) -> str:
    """What is expected, in words. The value that is there is never quoted."""
    if (keyword, expected) == ("format", "regex"):
        return "must be a regular expression without lookaround and back-references"
    template = _MESSAGES.get(keyword, f"must satisfy {keyword}")
    if "{}" not in template:
        return template
    words = " or ".join(map(str, expected)) if isinstance(expected, list) else str(expected)
    return template.format(words)


# --- keywords of which we know the place better


def _required(_: Any, names: Any, instance: Any, schema: Schema) -> Iterator[SchemaError]:
    """What is missing is told where it should be, with the schema that it should satisfy."""
    if isinstance(instance, dict):
        for name in names:
            if name not in instance:
                wanted = schema.get("properties", {}).get(name, True)
                yield SchemaError("", path=(name,), instance=_MISSING, validator_value=wanted)


def _additional(
    validator: Any, allowed: Schema, instance: Any, schema: Schema
) -> Iterator[SchemaError]:
    """What is too much is told where it is."""
    if not isinstance(instance, dict):
        return
    patterns = schema.get("patternProperties", {})
    for name, value in instance.items():
        if name in schema.get("properties", {}) or any(occurs(it, name) for it in patterns):
            continue
        if allowed is False:
            yield SchemaError("", path=(name,), instance=value, validator_value=False)
        else:
            yield from validator.descend(value, allowed, path=name)


def _pattern(_: Any, pattern: str, instance: Any, __: Schema) -> Iterator[SchemaError]:
    """As RE2 sees it."""
    if isinstance(instance, str) and not occurs(pattern, instance):
        yield SchemaError("")


def _pattern_properties(
    validator: Any, patterns: Schema, instance: Any, _: Schema
) -> Iterator[SchemaError]:
    """As RE2 sees it."""
    if isinstance(instance, dict):
        for pattern, schema in patterns.items():
            for name, value in instance.items():
                if occurs(pattern, name):
                    yield from validator.descend(value, schema, path=name)


def _unevaluated(
    validator: Any, allowed: Schema, instance: Any, schema: Schema
) -> Iterator[SchemaError]:
    """As RE2 sees it."""
    if isinstance(instance, dict):
        seen = set(evaluated(validator, instance, schema))
        left = (value for name, value in instance.items() if name not in seen)
        if any(next(validator.descend(value, allowed), None) is not None for value in left):
            yield SchemaError("")


def _unique(_: Any, wanted: Any, instance: Any, __: Schema) -> Iterator[SchemaError]:
    """In one pass, however many items there are."""
    if wanted and isinstance(instance, list) and len(set(map(Json, instance))) < len(instance):
        yield SchemaError("")


_Validator: Final[Any] = extend(  # type: ignore[no-untyped-call]  # it makes a class
    Draft202012Validator,
    {
        "required": _required,
        "additionalProperties": _additional,
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "unevaluatedProperties": _unevaluated,
        "uniqueItems": _unique,
    },
)
_META: Final = _Validator(
    Draft202012Validator.META_SCHEMA, registry=REGISTRY, format_checker=formats()
)
