"""Messages survive the way between protobuf and Python, and what cannot be kept is refused by its path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st

from lcplatform.object_store.v1 import object_store_pb2
from lcplatform.queue.models import (
    ReceiveMessagesResponse,
    SendMessageRequest,
    UpdateQueueRequest,
)
from lcplatform.queue.v1 import queue_pb2
from lcplatform.secrets.v1 import secrets_pb2
from lcplatform.testing.v1 import control_pb2
from lcplatform.type.models import ErrorCode
from lcplatform.type.v1 import batch_pb2
from lcplatform_grpc import values
from lcplatform_grpc.object_store import convert as object_store
from lcplatform_grpc.queue import convert as queue
from lcplatform_grpc.secrets import convert as secrets
from lcplatform_grpc.testing import convert as testing
from lcplatform_runtime.errors import ValidationError
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.model import Model, Request

PACKAGES = ("object_store", "platform", "queue", "secrets", "testing")


def _converters() -> Iterator[Any]:
    """How each message that travels by itself is read and written, with its classes on both sides."""
    for package in PACKAGES:
        convert = import_module(f"lcplatform_grpc.{package}.convert")
        for name, write in sorted(vars(convert).items()):
            read = getattr(convert, name.replace("write_", "read_"), None)
            if name.startswith("write_") and write.__module__ == convert.__name__ and read:
                model = getattr(convert, read.__annotations__["return"])
                module, _, kind = read.__annotations__["message"].partition(".")
                protobuf = getattr(getattr(convert, module), kind)
                yield pytest.param(read, write, protobuf, model, id=f"{package}.{name[6:]}")


def _messages(descriptor: Any) -> st.SearchStrategy[Message]:
    """Any message that a server could send. The descriptor's own class depends on protobuf's implementation."""
    from google.protobuf.message_factory import GetMessageClass

    if descriptor.full_name == "google.protobuf.Timestamp":
        return st.builds(
            Timestamp,
            seconds=st.integers(-62_135_596_800, 253_402_300_799),
            nanos=st.integers(0, 999_999).map(lambda micros: micros * 1000),
        )
    if descriptor.full_name == "google.protobuf.Duration":
        return st.timedeltas(timedelta(days=-99_999), timedelta(days=99_999)).map(
            lambda span: Duration(**values.write_duration(span) or {})
        )
    if descriptor.full_name == "lcplatform.type.v1.Json":
        texts = st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
        return texts.map(lambda it: GetMessageClass(descriptor)(text=Json(it).text))
    parts: dict[str, st.SearchStrategy[Any]] = {}
    for field in descriptor.fields:
        if field.containing_oneof is not None and len(field.containing_oneof.fields) > 1:
            continue
        parts[field.name] = _field(field)
    choices = [one for one in descriptor.oneofs if len(one.fields) > 1]
    strategy = st.fixed_dictionaries(parts)
    for one in choices:
        strategy = st.tuples(strategy, st.one_of(*map(_alone, one.fields))).map(_joined)
    return strategy.map(lambda given: GetMessageClass(descriptor)(**given))


def _alone(field: FieldDescriptor) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({field.name: _field(field)})


def _joined(both: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    return {**both[0], **both[1]}


def _field(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        return st.dictionaries(
            _one(kind.fields_by_name["key"]), _one(kind.fields_by_name["value"]), max_size=2
        )
    if field.is_repeated:
        return st.lists(_one(field), max_size=2)
    return st.none() | _one(field) if _written_optional(field) else _one(field)


def _written_optional(field: FieldDescriptor) -> bool:
    return field.containing_oneof is not None and len(field.containing_oneof.fields) == 1


def _one(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.message_type is not None:
        return _messages(field.message_type)
    if field.enum_type is not None:
        return st.sampled_from([value.number for value in field.enum_type.values if value.number])
    bits = {
        FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
        FieldDescriptor.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
        FieldDescriptor.TYPE_FIXED32: st.integers(0, 2**32 - 1),
        FieldDescriptor.TYPE_STRING: st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
        FieldDescriptor.TYPE_BYTES: st.binary(max_size=6),
        FieldDescriptor.TYPE_BOOL: st.booleans(),
    }
    return bits[field.type]


@pytest.mark.parametrize(("read", "write", "protobuf", "model"), list(_converters()))
@settings(max_examples=30)
@given(data=st.data())
def test_what_a_server_says_survives(
    read: Callable[[Message], Model],
    write: Callable[[Model], Message],
    protobuf: type[Message],
    model: type[Model],
    data: st.DataObject,
) -> None:
    message = data.draw(_messages(protobuf.DESCRIPTOR))
    try:
        made = read(message)
    except ValidationError:
        # Most of what chance makes of a request is refused; what a server says is passed on.
        assert issubclass(model, Request)
        return
    assert type(made) is model
    assert read(write(made)) == made
    assert read(protobuf.FromString(write(made).SerializeToString())) == made


@given(st.timedeltas(timedelta(days=-3_000_000), timedelta(days=3_000_000)))
def test_a_span_of_time_survives_to_the_microsecond(span: timedelta) -> None:
    written = values.write_duration(span)
    assert written is not None
    assert Duration(**written).ToTimedelta() == span
    assert values.read_duration(Duration(**written)) == span


MOMENTS = st.datetimes(timezones=st.timezones() | st.just(UTC))
# A double is exact enough up to 2106, and only just.
LATE = st.integers(2**32 - 2**27, 2**32 + 2**27).map(
    lambda it: datetime.fromtimestamp(it, UTC) + timedelta(microseconds=it % 1_000_000)
)


@given(MOMENTS | LATE)
def test_a_moment_survives_to_the_microsecond(moment: datetime) -> None:
    try:
        written = values.write_timestamp(moment)
    except OverflowError:  # its zone moves it out of the years that Python knows
        return
    assert written is not None
    try:
        read = values.read_timestamp(Timestamp(**written))
    except ValidationError:
        assert moment.year in {1, 9999}
        return
    assert read == moment.astimezone(
        UTC
    )  # a time that a clock skips equals nothing in another zone
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    "duration",
    [
        Duration(nanos=1),
        Duration(seconds=1, nanos=999),
        Duration(seconds=-1, nanos=-1),
        Duration(seconds=315_576_000_001),
        Duration(nanos=1_000_000_000),
    ],
)
def test_a_span_of_time_that_python_could_only_round_is_refused(duration: Duration) -> None:
    message = queue_pb2.CreateQueueRequest(name="orders", visibility_timeout=duration)
    with pytest.raises(ValidationError) as caught:
        queue.read_create_queue_request(message)
    assert [it.field for it in caught.value.violations] == ["visibility_timeout"]


@pytest.mark.parametrize(
    "moment", [Timestamp(nanos=1), Timestamp(seconds=2**40), Timestamp(nanos=-1000)]
)
def test_a_moment_that_python_could_only_round_is_refused(moment: Timestamp) -> None:
    with pytest.raises(ValidationError) as caught:
        values.read_timestamp(moment, "sent_at")
    assert [it.field for it in caught.value.violations] == ["sent_at"]


def test_a_refusal_inside_of_a_batch_names_the_whole_path() -> None:
    entries = [
        queue_pb2.SendMessagesEntry(body=queue_pb2.Body(text="a")),
        queue_pb2.SendMessagesEntry(body=queue_pb2.Body(text="b"), delay=Duration(nanos=5)),
    ]
    with pytest.raises(ValidationError) as caught:
        queue.read_send_messages_request(queue_pb2.SendMessagesRequest(queue="q", entries=entries))
    assert [it.field for it in caught.value.violations] == ["entries.1.delay"]
    entries[1] = queue_pb2.SendMessagesEntry()
    with pytest.raises(ValidationError) as caught:
        queue.read_send_messages_request(queue_pb2.SendMessagesRequest(queue="q", entries=entries))
    assert [it.field for it in caught.value.violations] == ["entries.1.body"]


def test_a_body_with_nothing_in_it_is_refused() -> None:
    for message in (
        queue_pb2.SendMessageRequest(queue="orders"),
        queue_pb2.SendMessageRequest(queue="orders", body=queue_pb2.Body()),
    ):
        with pytest.raises(ValidationError) as caught:
            queue.read_send_message_request(message)
        assert [it.field for it in caught.value.violations] == ["body"]


def test_json_that_is_none_is_refused_without_being_quoted() -> None:
    message = secrets_pb2.CreateSecretRequest(
        name="database", value={"json": {"text": '{"password": canary-123'}}
    )
    with pytest.raises(ValidationError) as caught:
        secrets.read_create_secret_request(message)
    assert [it.field for it in caught.value.violations] == ["value"]
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("body", ["text", b"bytes", Json({"n": 2**70})])
def test_a_body_keeps_its_form(body: str | bytes | Json) -> None:
    request = SendMessageRequest(queue="orders", body=body)
    read = queue.read_send_message_request(queue.write_send_message_request(request))
    assert read == request
    assert type(read.body) is type(body)


def test_defaults_are_applied_to_what_is_absent() -> None:
    read = queue.read_create_queue_request(queue_pb2.CreateQueueRequest(name="orders"))
    assert read.visibility_timeout == timedelta(seconds=30)
    assert read.retention == timedelta(days=4)
    assert read.max_receive_count == 5
    assert read.max_message_size is None


def test_zero_is_not_absent() -> None:
    message = queue_pb2.CreateQueueRequest(name="orders", visibility_timeout=Duration())
    assert queue.read_create_queue_request(message).visibility_timeout == timedelta(0)
    with pytest.raises(ValidationError):
        queue.read_create_queue_request(
            queue_pb2.CreateQueueRequest(name="orders", max_receive_count=0)
        )


def test_a_mask_names_what_is_cleared() -> None:
    message = queue_pb2.UpdateQueueRequest(
        name="orders", clear=FieldMask(paths=["dead_letter_queue"])
    )
    read = queue.read_update_queue_request(message)
    assert read == UpdateQueueRequest(name="orders", clear=("dead_letter_queue",))
    assert queue.write_update_queue_request(read) == message
    message.clear.paths.append("name")
    with pytest.raises(ValidationError) as caught:
        queue.read_update_queue_request(message)
    assert [it.field for it in caught.value.violations] == ["clear.1"]


def test_an_unknown_enum_value_is_refused_in_a_request() -> None:
    message = control_pb2.InjectFaultRequest(service="queue", operation="get_queue")
    assert testing.read_inject_fault_request(message).error is None
    message.error = 99  # type: ignore[assignment]  # of a newer contract
    with pytest.raises(ValidationError) as caught:
        testing.read_inject_fault_request(message)
    assert [it.field for it in caught.value.violations] == ["error"]


def test_an_unknown_enum_value_is_unknown_in_an_answer() -> None:
    failure = batch_pb2.BatchFailure(index=1, code=99, message="x")  # type: ignore[arg-type]
    read = queue.read_send_messages_response(queue_pb2.SendMessagesResponse(failed=[failure]))
    assert read.failed[0].code is ErrorCode.UNKNOWN


def test_a_field_of_a_newer_server_is_ignored() -> None:
    newer = queue_pb2.ReceiveMessagesResponse().SerializeToString() + b"\xf2\x3f\x03new"
    message = queue_pb2.ReceiveMessagesResponse.FromString(newer)
    assert queue.read_receive_messages_response(message) == ReceiveMessagesResponse()


def test_a_header_travels_without_its_absent_parts() -> None:
    header = object_store_pb2.PutObjectHeader(bucket="reports", key="q1")
    read = object_store.read_put_object_header(header)
    assert read.content_type == "application/octet-stream"
    assert (read.crc32c, read.size, read.if_match) == (None, None, None)
    header.crc32c = 0
    assert object_store.read_put_object_header(header).crc32c == 0
