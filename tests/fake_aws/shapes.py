"""Values between JSON and the shapes of a service model, judged as strictly as the service itself would.

The SDK checks what it sends against the required members, the types and the minima of its models, and what it receives against
nothing. Here maxima, enumerations and patterns count too, a member that the model does not know is refused, and so is a value of
another type; in requests, which our drivers make, and in answers, which the fake makes.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

import re2  # type: ignore[import-untyped]
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

# App Runner's: no text has both the length and the pattern of its model.
_UNSATISFIABLE: Final = frozenset({"ServiceId"})


class Refused(ValueError):
    """A value that its shape does not allow. The text names the member and what is expected there."""


def read(shape: Shape, value: Any, path: str = "") -> Any:
    """The value that a piece of JSON stands for: datetimes for timestamps, bytes for blobs.

    Raises:
        Refused: the shape does not allow it.
    """
    made = _read(shape, value, path)
    check(shape, made, path)
    return made


def _read(shape: Shape, value: Any, path: str) -> Any:
    match shape:
        case StructureShape(is_document_type=True):
            return value
        case StructureShape():
            members = {
                it.serialization.get("name", name): name for name, it in shape.members.items()
            }
            given = _of(dict, value, path)
            _known(shape, members, given, path)
            return {
                members[wire]: read(shape.members[members[wire]], item, f"{path}.{wire}")
                for wire, item in given.items()
                if item is not None
            }
        case ListShape():
            items = enumerate(_of(list, value, path))
            return [read(shape.member, item, f"{path}[{number}]") for number, item in items]
        case MapShape():
            return {
                read(shape.key, name, f"{path} key"): read(shape.value, item, f"{path}.{name}")
                for name, item in _of(dict, value, path).items()
            }
        case _ if shape.type_name == "timestamp":
            return _moment(value, path)
        case _ if shape.type_name == "blob":
            return _bytes(value, path)
        case _:
            return value


def written(shape: Shape, value: Any, path: str = "") -> Any:
    """The JSON of a value.

    Raises:
        Refused: the shape does not allow it.
    """
    check(shape, value, path)
    match shape:
        case StructureShape(is_document_type=True):
            return value
        case StructureShape():
            _known(shape, shape.members, value, path)
            return {
                shape.members[name].serialization.get("name", name): written(
                    shape.members[name], item, f"{path}.{name}"
                )
                for name, item in value.items()
                if item is not None
            }
        case ListShape():
            items = enumerate(value)
            return [written(shape.member, item, f"{path}[{number}]") for number, item in items]
        case MapShape():
            return {name: written(shape.value, it, f"{path}.{name}") for name, it in value.items()}
        case _ if shape.type_name == "timestamp":
            if shape.serialization.get("timestampFormat") == "iso8601":
                return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            return value.timestamp()
        case _ if shape.type_name == "blob":
            return base64.b64encode(value).decode()
        case _:
            return value


def _known(shape: Shape, known: Iterable[str], given: Iterable[str], path: str) -> None:
    unknown = sorted(set(given).difference(known))
    if unknown:
        raise Refused(f"{path or shape.name} has no member {', '.join(unknown)}")


def check(shape: Shape, value: Any, path: str = "") -> None:
    """Raises Refused unless a value is one of its shape, and what the model says of it holds. Members are not entered."""
    for problem in _problems(shape, value):
        raise Refused(f"{path or shape.name}: {problem}")


_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "structure": (Mapping,),
    "list": (list, tuple),
    "map": (Mapping,),
    "string": (str,),
    "character": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (datetime,),
    "blob": (bytes,),
}
_NUMBERS: Final = frozenset({"integer", "long", "float", "double"})
_BITS: Final = {"integer": 31, "long": 63}


def _problems(shape: Shape, value: Any) -> Iterator[str]:
    if isinstance(shape, StructureShape) and shape.is_document_type:
        return
    kind = shape.type_name
    if not _is(kind, value):
        yield f"expected a {kind}, not {type(value).__name__}"
    elif isinstance(shape, StructureShape):
        yield from _members(shape, value)
    elif kind in _NUMBERS:
        yield from _bounds(shape, value, "")
        yield from _number(kind, value)
    elif kind in {"string", "list", "map", "blob"}:
        yield from _bounds(shape, len(value), " items or characters")
        if isinstance(shape, StringShape):
            yield from _text(shape, value)


def _is(kind: str, value: Any) -> bool:
    return isinstance(value, _KINDS[kind]) and not (kind in _NUMBERS and type(value) is bool)


def _number(kind: str, value: Any) -> Iterator[str]:
    if kind in _BITS and not -(2 ** _BITS[kind]) <= value < 2 ** _BITS[kind]:
        yield f"beyond {kind}"
    if isinstance(value, float) and not math.isfinite(value):
        yield "not a finite number"


def _members(shape: StructureShape, value: Mapping[str, Any]) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"{name} is required"
    if shape.is_tagged_union:
        given = [name for name, it in value.items() if it is not None]
        if len(given) != 1:
            yield f"exactly one member is expected, not {len(given)}"


def _bounds(shape: Shape, size: float, unit: str) -> Iterator[str]:
    if _exempt(shape):
        return
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield f"at least {least}{unit} expected, not {size}"
    if most is not None and size > most:
        yield f"at most {most}{unit} expected, not {size}"


def _text(shape: StringShape, value: str) -> Iterator[str]:
    if shape.enum and value not in shape.enum:
        yield f"one of {', '.join(shape.enum)} expected"
    pattern = shape.metadata.get("pattern")
    if pattern and not _exempt(shape) and not _pattern(pattern).fullmatch(value):
        yield f"expected to match {pattern}"


def _exempt(shape: Shape) -> bool:
    return shape.name in _UNSATISFIABLE


@cache
def _pattern(text: str) -> Any:  # of either library
    try:
        return re.compile(text)
    except re.error:  # Java's classes such as \p{L}
        return re2.compile(text)


def _of(kind: type, value: Any, path: str) -> Any:
    if not isinstance(value, kind):
        raise Refused(f"{path or 'the request'}: expected a JSON {kind.__name__}")
    return value


def _moment(value: Any, path: str) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Refused(f"{path}: expected a timestamp")
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value).astimezone(UTC)
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Refused(f"{path}: {value!r} is no timestamp") from error


def _bytes(value: Any, path: str) -> bytes:
    if not isinstance(value, str):
        raise Refused(f"{path}: expected base64")
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise Refused(f"{path}: {error}") from error
