"""Patterns and events as EventBridge has them.

An event travels whole, in the JSON format of CloudEvents, as the `detail` of EventBridge's envelope; its source and type stand
in the envelope too, for those who read along. So a pattern is asked of the detail, and a target gets the detail. EventBridge's
own time is that of the publication, by which archives are kept.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from lcplatform_runtime.cloud_events import Given, check_metadata, enveloped
from lcplatform_runtime.errors import invalid
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.patterns.grammar import parse

_HEAD: Final = '{"detail":'
_TAIL: Final = "}"
_RESERVED: Final = "aws."
ENVELOPE: Final = len(_HEAD) + len(_TAIL)
"""By how much a pattern grows."""


def translated(pattern: Json) -> str:
    """The pattern that matches the same events in EventBridge's envelope.

    Raises:
        ValidationError: it is no pattern. EventBridge would say so, but not where.
    """
    parse(pattern)
    return f"{_HEAD}{pattern.text}{_TAIL}"


def shown(pattern: str) -> Json:
    """What was translated; the pattern of somebody else as it is."""
    if pattern.startswith(_HEAD):
        return Json.from_text(pattern.removeprefix(_HEAD).removesuffix(_TAIL))
    known = json.loads(pattern or "{}")
    return Json(known["detail"] if list(known) == ["detail"] else known)


def checked(event: Given, prefix: str = "") -> None:
    """Refuses what is no event here. `prefix` is that of the names of its fields.

    Raises:
        ValidationError: it names the field.
    """
    check_metadata(event, f"{prefix}metadata")
    if event.source.startswith(_RESERVED):
        raise invalid(f"{prefix}source", f"none that begins with {_RESERVED}, which is AWS's own")


def entry(event: Given, bus_arn: str) -> tuple[str, dict[str, Any]]:
    """The id of an event, and what to give EventBridge of it."""
    identity = event.id or str(uuid4())
    body, _ = enveloped(event, identity, datetime.now(UTC))
    return identity, {
        "EventBusName": bus_arn,
        "Source": event.source,
        "DetailType": event.type,
        "Detail": body.text,
    }


def example(event: Given) -> str:
    """The event in the envelope that EventBridge would give it."""
    now = datetime.now(UTC)
    body, _ = enveloped(event, event.id or str(uuid4()), now)
    envelope = {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": event.type,
        "source": event.source,
        "account": "000000000000",
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "us-east-1",
        "resources": [],
    }
    return f'{json.dumps(envelope)[:-1]}, "detail": {body.text}}}'
