"""Which fields of a document are shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, TypeAlias

from lcplatform_mock.documents.filters import reading
from lcplatform_runtime.documents.extended_json import NoDocument, parse
from lcplatform_runtime.documents.paths import parts
from lcplatform_runtime.documents.values import MISSING, Object, Value, is_number
from lcplatform_runtime.json_value import Json

Projection: TypeAlias = Callable[[Object], Object]
"""Makes the part of a document that is shown."""
Fields: TypeAlias = dict[str, Any]
"""The names of fields, each with those below it; empty where the whole field is meant."""

_KEPT: Final = 256


def read(given: Json | None) -> Projection | None:
    """The projection that a request gives; none if everything is shown.

    Raises:
        ValidationError: it is none, names fields to show and fields to hide, or names a field and one below it.
    """
    return None if given is None else _kept(given.text)


@lru_cache(_KEPT)
def _kept(text: str) -> Projection | None:
    return reading("projection", lambda: _projection(Json.from_text(text).plain))


def _projection(raw: Any) -> Projection | None:
    if not isinstance(raw, dict):
        raise NoDocument("a JSON object")
    wanted = {name: _flag(content) for name, content in raw.items()}
    with_identity = wanted.pop("_id", None)
    if len(set(wanted.values())) > 1:
        raise NoDocument(
            "fields to show or fields to hide, not both; _id alone may be an exception"
        )
    showing = next(iter(wanted.values()), with_identity or False)
    fields: Fields = {}
    for name in wanted:
        add(fields, name)
    if not showing:
        if with_identity is False:
            fields["_id"] = {}
        return (lambda document: without(document, fields)) if fields else None
    if with_identity is not False:
        fields = {"_id": {}, **fields}
    return lambda document: only(document, fields)


def _flag(raw: Any) -> bool:
    value = parse(raw)
    if value.__class__ is not bool and not is_number(value):
        raise NoDocument("each field is given 1 to show it or 0 to hide it")
    return bool(value)


def add(fields: Fields, name: str) -> None:
    """Adds a path."""
    *above, last = parts(name)
    if any(part[0] == "$" for part in (*above, last)):
        raise NoDocument("fields, whose names do not begin with a dollar")
    for part in above:
        if fields.get(part) == {}:
            raise NoDocument(f"{name[:100]!r} lies in a field that is named as a whole")
        fields = fields.setdefault(part, {})
    if last in fields:
        raise NoDocument(f"{name[:100]!r} is named twice, or something in it")
    fields[last] = {}


def only(document: Object, fields: Fields) -> Object:
    """The fields that are named, in the order of the document, but for `_id`, which comes first."""
    shown: Object = {}
    for name, value in document.items():
        below = fields.get(name)
        if below is None:
            continue
        part = value if not below else _only_in(value, below)
        if part is not MISSING:
            shown[name] = part
    return shown


def _only_in(value: Value, fields: Fields) -> Value:
    if value.__class__ is dict:
        return only(value, fields)
    if value.__class__ is tuple:
        parts_ = [_only_in(it, fields) for it in value]
        return tuple([it for it in parts_ if it is not MISSING])
    return MISSING


def without(document: Object, fields: Fields) -> Object:
    """All fields but those that are named."""
    shown: Object = {}
    for name, value in document.items():
        below = fields.get(name)
        if below is None:
            shown[name] = value
        elif below:
            shown[name] = _without_in(value, below)
    return shown


def _without_in(value: Value, fields: Fields) -> Value:
    if value.__class__ is dict:
        return without(value, fields)
    if value.__class__ is tuple:
        return tuple([_without_in(it, fields) for it in value])
    return value
