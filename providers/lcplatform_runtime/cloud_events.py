"""Events in the formats of CloudEvents 1.0: as one JSON object, and as the headers of an HTTP request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from urllib.parse import quote

from pydantic_core import to_json

from lcplatform_runtime.errors import FieldViolation, ValidationError
from lcplatform_runtime.json_value import Json, inside, unread


class Given(Protocol):
    """What is known of an event that is published."""

    @property
    def id(self) -> str | None:
        """What distinguishes it, if the publisher says."""
        ...

    @property
    def source(self) -> str:
        """Where it comes from."""
        ...

    @property
    def type(self) -> str:
        """What kind of event it is."""
        ...

    @property
    def subject(self) -> str | None:
        """What it is about."""
        ...

    @property
    def time(self) -> datetime | None:
        """When it happened, if the publisher says."""
        ...

    @property
    def data(self) -> Json | None:
        """What happened."""
        ...

    @property
    def metadata(self) -> Mapping[str, str]:
        """Extension attributes."""
        ...

    @property
    def data_schema(self) -> str | None:
        """The schema of the data."""
        ...


_DEFINED: Final = frozenset(
    {
        "specversion", "id", "source", "type", "subject", "time",
        "dataschema", "datacontenttype", "data",
    }
)  # fmt: skip
_CONTENT_TYPE: Final = "application/json"


def check_metadata(given: Given, name: str = "metadata") -> None:
    """Refuses an extension attribute that is none. `name` is that of the field.

    Raises:
        ValidationError: it names the field.
    """
    metadata = given.metadata
    if metadata and not _DEFINED.isdisjoint(metadata):
        taken = ", ".join(sorted(_DEFINED.intersection(metadata)))
        expected = f"no attributes that CloudEvents defines, such as {taken}"
        raise ValidationError(f"{name}: {expected}", violations=[FieldViolation(name, expected)])


def enveloped(given: Given, identity: str, now: datetime) -> tuple[Json, dict[str, Any]]:
    """An event in the JSON format of CloudEvents (JSON Event Format 1.0), and what is in it, to be read once. Its data keep the
    text that they have.

    Args:
        given: what was published.
        identity: its id if it has none.
        now: when it happened, if it does not say.
    """
    time = timestamp(now if given.time is None else given.time)
    value: dict[str, Any] = {
        "specversion": "1.0",
        "id": given.id or identity,
        "source": given.source,
        "type": given.type,
        "time": time,
    }
    if given.subject is not None:
        value["subject"] = given.subject
    if given.data_schema is not None:
        value["dataschema"] = given.data_schema
    if given.metadata:
        value.update(given.metadata)
    data = given.data
    if data is None:
        return unread(to_json(value).decode()), value
    value["datacontenttype"] = _CONTENT_TYPE
    text = f'{to_json(value).decode()[:-1]},"data":{data.text}}}'
    value["data"] = inside(data)
    return unread(text), value


def timestamp(moment: datetime) -> str:
    """A time as RFC 3339 writes it, in UTC."""
    if moment.tzinfo is not UTC:  # as that of the clock is
        moment = moment.astimezone(UTC)
    return to_json(moment).decode()[1:-1]  # three times as fast as `isoformat`


def attributes_of(event: Json) -> Iterator[tuple[str, str]]:
    """The headers of an event whose data is the body (HTTP Protocol Binding 1.0, binary mode)."""
    for name, value in inside(event).items():
        if name not in {"data", "datacontenttype"}:
            yield f"ce-{name}", quote(value, safe=_PLAIN)


# Section 3.1.3.2: what is not printable ASCII is encoded, and the space, the quotation mark and the percent sign are.
_PLAIN: Final = "!#$&'()*+,-./0123456789:;<=>?@[\\]^_`{|}~"


def data_of(event: Json) -> str:
    """The data of an event as JSON text; nothing if it has none."""
    import json

    value = inside(event)
    if "data" not in value:
        return ""
    return json.dumps(value["data"], ensure_ascii=False, separators=(",", ":"))
