"""Values on their way between protobuf and Python: what the generated converters say of a single field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

import pydantic
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from lcplatform.type.v1.json_pb2 import Json as JsonText
from lcplatform_runtime.errors import FieldViolation, ValidationError
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.model import Model, refusal

M = TypeVar("M", bound=Model)
T = TypeVar("T")
V = TypeVar("V")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TOO_FINE: Final = "must not be finer than a microsecond"
# What protobuf allows: ten thousand years either way, and the years that Python knows.
_LONGEST: Final = 315_576_000_000
_FIRST: Final = -62_135_596_800
_LAST: Final = 253_402_300_799


def checked(model: type[M], values: dict[str, object], /) -> M:
    """The model of what came over the wire.

    Raises:
        ValidationError: names each field that is wrong, and never its value.
    """
    try:
        return model.__pydantic_validator__.validate_python(values)  # type: ignore[no-any-return]
    except pydantic.ValidationError as error:
        problem = refusal(model, error)
    raise problem


def refused(path: str, expected: str, /) -> ValidationError:
    """The refusal of one field."""
    return ValidationError(f"{path}: {expected}", violations=(FieldViolation(path, expected),))


def within(path: str, convert: Callable[[T], V], value: T, /) -> V:
    """A message that is a field of another. What is refused in it is named by the whole path."""
    try:
        return convert(value)
    except ValidationError as error:
        problem = _below(path, error)
    raise problem


def each(path: str, convert: Callable[[T], V], values: Iterable[T], /) -> list[V]:
    """The values of a repeated field."""
    converted: list[V] = []
    try:
        for value in values:
            converted.append(convert(value))  # noqa: PERF401  its length tells which one is refused
    except ValidationError as error:
        problem = _below(f"{path}.{len(converted)}", error)
    else:
        return converted
    raise problem


def each_value(path: str, convert: Callable[[T], V], values: Mapping[str, T], /) -> dict[str, V]:
    """The values of a map."""
    return {name: within(f"{path}.{name}", convert, value) for name, value in values.items()}


def _below(path: str, error: ValidationError) -> ValidationError:
    violations = tuple(
        FieldViolation(f"{path}.{it.field}" if it.field else path, it.description)
        for it in error.violations or (FieldViolation("", error.message),)
    )
    listed = ". ".join(f"{it.field}: {it.description}" for it in violations)
    return ValidationError(listed, violations=violations)


def read_duration(value: Duration, path: str = "", /) -> timedelta:
    """A span of time. One that Python could only round is refused."""
    seconds, nanos = value.seconds, value.nanos
    if nanos % 1000:
        raise refused(path, _TOO_FINE)
    if not -_LONGEST <= seconds <= _LONGEST or not -1_000_000_000 < nanos < 1_000_000_000:
        raise refused(path, "must be a duration of ten thousand years at most")
    return timedelta(0, seconds, nanos // 1000)


def read_timestamp(value: Timestamp, path: str = "", /) -> datetime:
    """A moment, in UTC. One that Python could only round is refused."""
    seconds, nanos = value.seconds, value.nanos
    if nanos % 1000:
        raise refused(path, _TOO_FINE)
    if not _FIRST <= seconds <= _LAST or not 0 <= nanos < 1_000_000_000:
        raise refused(path, "must be a moment of the years 1 to 9999")
    return _EPOCH + timedelta(0, seconds, nanos // 1000)


def read_json(value: JsonText, path: str = "", /) -> Json:
    """A JSON value."""
    try:
        return Json.from_text(value.text)
    except ValidationError as error:
        problem = refused(path, error.message)
    raise problem


def read_enum(members: Mapping[int, T], number: int, /) -> T:
    """A value of an enum in a place where only those of this contract will do."""
    member = members.get(number)
    if member is None:
        raise refused("", "a value of this version of the contract")
    return member


def write_duration(value: timedelta | None, /) -> Duration | None:
    """A span of time; nothing where there is none."""
    if value is None:
        return None
    seconds, micros = value.days * 86_400 + value.seconds, value.microseconds
    if seconds < 0 and micros:  # on the wire both have the same sign
        seconds, micros = seconds + 1, micros - 1_000_000
    return Duration(seconds=seconds, nanos=micros * 1000)


def write_timestamp(value: datetime | None, /) -> Timestamp | None:
    """A moment; nothing where there is none."""
    if value is None:
        return None
    since = value - _EPOCH
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1000)


def write_json(value: Json | None, /) -> JsonText | None:
    """A JSON value; nothing where there is none."""
    return None if value is None else JsonText(text=value.text)


def write_mask(paths: Iterable[str], /) -> FieldMask | None:
    """The fields that are named; nothing where none is."""
    named = list(paths)
    return FieldMask(paths=named) if named else None
