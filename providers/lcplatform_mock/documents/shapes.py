"""`$project`: fields to show, to hide and to compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from lcplatform_mock.documents.expressions import Expression, expression_of
from lcplatform_mock.documents.projections import Fields, add, only, without
from lcplatform_runtime.documents.extended_json import NoDocument, is_special, parse
from lcplatform_runtime.documents.paths import parts
from lcplatform_runtime.documents.values import MISSING, Object, Value, is_number

Raw: TypeAlias = Any
"""What JSON text parses to."""
Flags: TypeAlias = dict[str, bool | Expression]
"""Paths, each with whether it is shown or how it is computed."""


def shaper_of(raw: Raw) -> Callable[[Object], Object]:
    """What makes of a document what a `$project` says."""
    if not isinstance(raw, dict) or not raw:
        raise NoDocument("$project takes an object with at least one field")
    flags: Flags = {}
    _collect(raw, "", flags)
    identity = flags.pop("_id", None)
    hiding = [it for it in flags.values() if it is False]
    if hiding and len(hiding) < len(flags):
        raise NoDocument("$project shows fields or hides them; _id alone may be an exception")
    if hiding or (identity is False and not flags):
        return _hider(flags, with_identity=identity is not False)
    if identity is not False:
        flags = {"_id": True if identity is None else identity, **flags}
    return _shower(flags)


def _collect(raw: dict[str, Raw], above: str, flags: Flags) -> None:
    """The flags of all fields, those in objects by their paths."""
    for name, content in raw.items():
        if not name or name[0] == "$":
            raise NoDocument("$project takes names of fields")
        path = f"{above}.{name}" if above else name
        if isinstance(content, dict) and content and not _is_expression(content):
            _collect(content, path, flags)
        else:
            flags[path] = _flag(content)


def _is_expression(content: dict[str, Raw]) -> bool:
    return is_special(content) or next(iter(content))[:1] == "$"


def _flag(content: Raw) -> bool | Expression:
    if isinstance(content, bool | int | float) or (
        is_special(content) and is_number(parse(content))
    ):
        return bool(parse(content))
    return expression_of(content)


def _hider(flags: Flags, *, with_identity: bool) -> Callable[[Object], Object]:
    fields: Fields = {}
    for name in flags:
        add(fields, name)
    if not with_identity:
        fields["_id"] = {}
    return lambda document: without(document, fields)


def _shower(flags: Flags) -> Callable[[Object], Object]:
    shown: Fields = {}
    everything: Fields = {}
    computed: list[tuple[tuple[str, ...], Expression]] = []
    for name, flag in flags.items():
        add(everything, name)
        if callable(flag):
            computed.append((parts(name), flag))
        else:
            add(shown, name)

    def show(document: Object) -> Object:
        made = only(document, shown)
        scope = {"ROOT": document}
        for path, expression in computed:
            value = expression(scope)
            if value is not MISSING:
                made = _with(made, path, value)
        return made

    return show


def _with(value: Value, path: tuple[str, ...], computed: Value) -> Value:
    """A value with something that was computed put into it, into each element if it is an array."""
    if value.__class__ is tuple:
        return tuple([_with(it, path, computed) for it in value])
    if not path:
        return computed
    name, *rest = path
    made = dict(value) if value.__class__ is dict else {}
    made[name] = _with(made.get(name, {}), tuple(rest), computed) if rest else computed
    return made
