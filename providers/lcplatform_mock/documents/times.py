"""The parts of a point in time, in UTC, and how it is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from lcplatform_runtime.documents.extended_json import NoDocument
from lcplatform_runtime.documents.values import Moment, ObjectId, Timestamp, Value, name_of

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def calendar(value: Value) -> datetime:
    """A point in time as one of the calendar. An identity and a timestamp tell the second in which they were made."""
    match value:
        case Moment():
            milliseconds = value.milliseconds
        case Timestamp():
            milliseconds = value.seconds * 1000
        case ObjectId():
            milliseconds = int.from_bytes(value.data[:4]) * 1000
        case _:
            raise NoDocument(f"a time is needed, not a value of type {name_of(value)}")
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise NoDocument("a time between the years 1 and 9999") from None


PARTS: Final[Mapping[str, Callable[[Value], int]]] = {
    "$year": lambda it: calendar(it).year,
    "$month": lambda it: calendar(it).month,
    "$dayOfMonth": lambda it: calendar(it).day,
    "$dayOfWeek": lambda it: calendar(it).isoweekday() % 7 + 1,
    "$dayOfYear": lambda it: calendar(it).timetuple().tm_yday,
    "$hour": lambda it: calendar(it).hour,
    "$minute": lambda it: calendar(it).minute,
    "$second": lambda it: calendar(it).second,
    "$millisecond": lambda it: calendar(it).microsecond // 1000,
}
"""The parts by the names of their functions."""

_FIELDS: Final[Mapping[str, Callable[[datetime], str]]] = {
    "Y": lambda it: f"{it.year:04}",
    "m": lambda it: f"{it.month:02}",
    "d": lambda it: f"{it.day:02}",
    "H": lambda it: f"{it.hour:02}",
    "M": lambda it: f"{it.minute:02}",
    "S": lambda it: f"{it.second:02}",
    "L": lambda it: f"{it.microsecond // 1000:03}",
    "j": lambda it: f"{it.timetuple().tm_yday:03}",
    "w": lambda it: f"{it.isoweekday() % 7 + 1}",
    "u": lambda it: f"{it.isoweekday()}",
    "G": lambda it: f"{it.isocalendar().year:04}",
    "V": lambda it: f"{it.isocalendar().week:02}",
    "z": lambda it: "+0000",
    "Z": lambda it: "0",
    "%": lambda it: "%",
}


def written(value: Value, form: str) -> str:
    """A point in time in a form such as %Y-%m-%d."""
    moment = calendar(value)

    def field(found: re.Match[str]) -> str:
        write = _FIELDS.get(found[1])
        if write is None:
            raise NoDocument(f"%{found[1]} is no part of a time")
        return write(moment)

    return re.sub("%(.?)", field, form, flags=re.DOTALL)
