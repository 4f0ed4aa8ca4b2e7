"""How bodies and attributes travel through SQS, which knows text alone.

Text travels as it is and JSON as its text, so that other programs read them without knowing of us. Bytes travel in base64,
and so does text that SQS would refuse: with characters that XML 1.0 does not have, such as NUL. One attribute that callers
do not see, `lcplatform.content-type`, says which of them it is; theirs have no dot in their names. A message without it is
text, whoever sent it; only what EventBridge sends, which cannot mark it, is known by its shape (`event_bus_letters.py`). Text
of ours that has that shape is marked.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from lcplatform.queue.models import Body, Message
from lcplatform_aws.event_bus_letters import event_in, letter_in, may_be_event
from lcplatform_runtime.errors import ValidationError
from lcplatform_runtime.json_value import Json

CONTENT_TYPE: Final = "lcplatform.content-type"
"""The name of the attribute that is ours. Nine of the ten that a message may have are left."""
MAX_ATTRIBUTES: Final = 9

_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _Kind(StrEnum):
    JSON = "application/json"
    BYTES = "application/octet-stream"
    TEXT = "text/plain; charset=utf-8; encoding=base64"
    PLAIN = "text/plain; charset=utf-8"


def encode(body: Body, attributes: Mapping[str, str]) -> dict[str, Any]:
    """The parameters that carry a body and its attributes."""
    text, kind = _encoded(body)
    if not attributes and kind is None:
        return {"MessageBody": text}
    given = attributes if kind is None else {**attributes, CONTENT_TYPE: kind}
    return {
        "MessageBody": text,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in given.items()
        },
    }


def _encoded(body: Body) -> tuple[str, str | None]:
    """The text to send, and its content type if that is not plain text."""
    match body:
        case str():
            if _ILLEGAL.search(body) is None:
                return body, _Kind.PLAIN if may_be_event(body) else None
            return b64encode(body.encode()).decode(), _Kind.TEXT
        case bytes():
            return b64encode(body).decode(), _Kind.BYTES
        case Json():
            return _ILLEGAL.sub(_escaped, body.text), _Kind.JSON


def _escaped(character: re.Match[str]) -> str:
    """A character by its number: what XML does not have can be in the strings of a JSON text only."""
    return f"\\u{ord(character.group()):04x}"


def decode(received: Mapping[str, Any]) -> Message:
    """The message that SQS gave out."""
    system: Mapping[str, str] = received.get("Attributes", {})
    attributes = {name: _value(it) for name, it in received.get("MessageAttributes", {}).items()}
    text, kind = received["Body"], attributes.pop(CONTENT_TYPE, None)
    body: Body = text
    if kind is not None:
        body = _decoded(text, kind)
    elif (letter := letter_in(text, attributes)) is not None:
        body, attributes = letter
    else:
        body = event_in(text) or text
    return Message(
        id=received["MessageId"],
        receipt_handle=received["ReceiptHandle"],
        body=body,
        attributes=attributes,
        sent_at=_EPOCH + timedelta(milliseconds=int(system["SentTimestamp"])),
        receive_count=int(system["ApproximateReceiveCount"]),
        group_id=system.get("MessageGroupId"),
        sequence=system.get("SequenceNumber"),
        deduplication_id=system.get("MessageDeduplicationId"),
    )


def _decoded(text: str, kind: str) -> Body:
    """The body as it was sent. What is not as its content type says is text: somebody else wrote it."""
    try:
        match kind:
            case _Kind.JSON:
                return Json.from_text(text)
            case _Kind.BYTES:
                return b64decode(text, validate=True)
            case _Kind.TEXT:
                return b64decode(text, validate=True).decode()
    except (ValueError, ValidationError):
        pass
    return text


def _value(attribute: Mapping[str, Any]) -> str:
    """The value of an attribute. Others may send numbers, which come as text, and bytes, which we show in base64."""
    if "StringValue" in attribute:
        return str(attribute["StringValue"])
    return b64encode(attribute.get("BinaryValue", b"")).decode()


def content_of(text: str, kind: str | None) -> Body:
    """The body that a text is, which another service brought along with its content type."""
    return text if kind is None else _decoded(text, kind)
