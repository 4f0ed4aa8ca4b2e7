"""One value of a JSON document, by its path and of the type that the caller expects."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, TypeVar

import pydantic
from pydantic import TypeAdapter

from lcplatform_runtime.errors import FieldViolation, ResourceNotFoundError, ValidationError
from lcplatform_runtime.json_value import Json

D = TypeVar("D")
T = TypeVar("T")

NO_DEFAULT: Final = object()
"""Stands for a default that is not given: None is one that may be."""

_PLAIN: Final = frozenset({bool, float, int, str})


def value_at(
    document: Json | None,
    path: str,
    as_type: type[Any] | None,  # the clients tell its type
    default: object,
) -> object:
    """The value to which the JSON Pointer `path` (RFC 6901) leads in a document.

    Args:
        document: the document. In one that is absent, every path leads nowhere.
        path: where the value stands. Empty: the document itself.
        as_type: what the value must be, whatever pydantic knows; None: a Json of it is answered. It is checked strictly:
            a number is no text and 0 is not false, though an integer is also a float.
        default: the answer if the path leads nowhere, `NO_DEFAULT` for an error.

    Raises:
        ResourceNotFoundError: the path leads nowhere.
        ValidationError: the value is something else, or the path is no JSON Pointer. No value is quoted.
    """
    try:
        found = (document or Json({})).at(path)
    except ResourceNotFoundError:
        if default is NO_DEFAULT:
            raise
        return default
    if as_type is None or as_type is Json:
        return found
    value = found.value
    if type(value) is as_type and as_type in _PLAIN:
        return value
    return _checked(found, path, as_type)


def _checked(found: Json, path: str, as_type: Any) -> object:  # as above
    try:
        return _adapter(as_type).validate_json(found.text, strict=True)
    except pydantic.ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
    expected = getattr(as_type, "__name__", str(as_type))
    violations = tuple(
        FieldViolation("/".join((path, *map(_token, it["loc"]))), f"{expected}: {it['type']}")
        for it in problems
    )
    raise ValidationError(f"the value at {path!r} is no {expected}", violations=violations)


def _token(step: int | str) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")


@lru_cache(maxsize=256)
def _adapter(as_type: Any) -> TypeAdapter[Any]:  # of whatever the caller asks for
    return TypeAdapter(as_type)
