"""How bodies travel through SQS: as themselves where that is possible, and back as what they were."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lcplatform.queue.models import Body
from lcplatform_aws.messages import CONTENT_TYPE, MAX_ATTRIBUTES, decode, encode
from lcplatform_runtime.json_value import Json

# SQS: #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF
LEGAL = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")


def through(body: Body, attributes: dict[str, str] | None = None) -> Any:
    sent = encode(body, attributes or {})
    assert LEGAL.fullmatch(sent["MessageBody"])
    return decode(received(sent["MessageBody"], sent.get("MessageAttributes", {})))


def received(text: str, attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        "MessageId": "m",
        "ReceiptHandle": "r",
        "Body": text,
        "MessageAttributes": attributes,
        "Attributes": {"SentTimestamp": "1700000000123", "ApproximateReceiveCount": "2"},
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=8,
)


@given(st.text(st.characters(codec="utf-8"), min_size=1) | st.binary(min_size=1) | JSON.map(Json))
@settings(deadline=None)
def test_every_body_arrives_as_what_it_was(body: Body) -> None:
    arrived = through(body, {"origin": "web"})
    assert arrived.body == body
    assert type(arrived.body) is type(body)
    assert arrived.attributes == {"origin": "web"}


def test_text_and_json_travel_as_they_are() -> None:
    assert encode("plain ☂", {}) == {"MessageBody": "plain ☂"}
    assert encode(Json.from_text('{"a": 1}'), {})["MessageBody"] == '{"a": 1}'


@pytest.mark.parametrize(
    "text", ['{"specversion":"1.0","id":"1","source":"a","type":"b"}', '{"specversion"']
)
def test_text_that_looks_like_an_event_arrives_as_text(text: str) -> None:
    """What EventBridge sends is known by its looks."""
    assert through(text).body == text


@pytest.mark.parametrize("text", ["a\x00b", "\x1b[0m", "\ufffe", "\x0c"])
def test_text_that_the_service_refuses_travels_in_base64(text: str) -> None:
    assert through(text).body == text


def test_json_keeps_its_text_but_for_characters_that_the_service_refuses() -> None:
    sent = encode(Json.from_text('{"a": "\ufffe"}'), {})
    assert sent["MessageBody"] == '{"a": "\\ufffe"}'


def test_nine_attributes_are_left_beside_ours() -> None:
    given_ = {f"a{number}": "v" for number in range(MAX_ATTRIBUTES)}
    assert len(encode(b"x", given_)["MessageAttributes"]) == 10
    assert through(b"x", given_).attributes == given_


def test_a_message_from_somebody_else_is_text() -> None:
    message = decode(
        received(
            '{"a": 1}',
            {
                "number": {"DataType": "Number", "StringValue": "7"},
                "bytes": {"DataType": "Binary", "BinaryValue": b"\xff"},
            },
        )
    )
    assert message.body == '{"a": 1}'
    assert message.attributes == {"number": "7", "bytes": "/w=="}


@pytest.mark.parametrize(
    "kind",
    ["application/json", "application/octet-stream", "text/plain; charset=utf-8; encoding=base64"],
)
def test_what_is_not_as_it_says_is_text(kind: str) -> None:
    attributes = {CONTENT_TYPE: {"DataType": "String", "StringValue": kind}}
    message = decode(received("{not that}", attributes))
    assert (message.body, message.attributes) == ("{not that}", {})


def test_times_are_to_the_millisecond_and_in_utc() -> None:
    message = decode(received("x", {}))
    assert message.sent_at.isoformat() == "2023-11-14T22:13:20.123000+00:00"
    assert message.receive_count == 2
