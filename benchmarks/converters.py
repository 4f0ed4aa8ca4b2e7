"""Messages from protobuf to Python models and back: the generated converters over google.protobuf.json_format.

Both sides take the same messages to the same models, checked, and back to equal messages. The peer goes by the shorter way that
json_format has, by dictionaries and not by text: MessageToDict, model_validate, model_dump, ParseDict. The messages are those
that models read from JSON as they are, so that the peer needs no code of its own for unions, enums and durations. A turn takes
each message through once; what counts is the sum.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from benchmarks.benchmark import Benchmark, Effort
from benchmarks.turns import cpu_of, take_turns
from benchmarks.verdict import Bar, Samples

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from lcplatform_runtime.model import Model

    M = TypeVar("M", bound=Model)
    P = TypeVar("P", bound=Message)

_TIMES: Final = 100
_NOW: Final = datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)


class _RoundTrips:
    """The round trips of both sides."""

    def __init__(self) -> None:
        self.ours: list[Callable[[], object]] = []
        self.peer: list[Callable[[], object]] = []

    def add(self, model: M, write: Callable[[M], P], read: Callable[[P], M]) -> None:
        """One message, by its model and its converters. Both ways have to lead back to it."""
        message = write(model)
        kind, class_of_model = type(message), type(model)

        def ours() -> object:
            return write(read(message))

        def peer() -> object:
            return _by_json_format(message, kind, class_of_model)

        assert read(message) == model
        assert ours() == peer() == message
        self.ours.append(ours)
        self.peer.append(peer)


def _by_json_format(message: Any, kind: type[Message], model: type[Model]) -> object:
    from google.protobuf.json_format import MessageToDict, ParseDict

    found = model.model_validate(
        MessageToDict(
            message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
    )
    return ParseDict(found.model_dump(mode="json", exclude_none=True), kind())


def _everyday() -> _RoundTrips:
    """Requests and answers of everyday calls."""
    from lcplatform.object_store import models as objects
    from lcplatform.queue import models as queues
    from lcplatform.secrets import models as secrets
    from lcplatform_grpc.object_store import convert as of_objects
    from lcplatform_grpc.queue import convert as of_queues
    from lcplatform_grpc.secrets import convert as of_secrets

    trips = _RoundTrips()
    trips.add(
        objects.PutObjectHeader(
            bucket="reports",
            key="2026/q1.pdf",
            content_type="application/pdf",
            metadata={"owner": "finance"},
            tags={"kind": "report"},
            crc32c=77,
        ),
        of_objects.write_put_object_header,
        of_objects.read_put_object_header,
    )
    trips.add(
        objects.PutObjectResponse(etag='"9bb58f26192e4ba00f01e2e7"', version="v1", size=12345),
        of_objects.write_put_object_response,
        of_objects.read_put_object_response,
    )
    trips.add(
        objects.HeadObjectRequest(bucket="reports", key="2026/q1.pdf"),
        of_objects.write_head_object_request,
        of_objects.read_head_object_request,
    )
    trips.add(
        objects.HeadObjectResponse(
            size=12345,
            etag='"9bb58f26192e4ba00f01e2e7"',
            version="v1",
            modified_at=_NOW,
            content_type="application/pdf",
            metadata={"owner": "finance"},
        ),
        of_objects.write_head_object_response,
        of_objects.read_head_object_response,
    )
    trips.add(
        objects.ListObjectsResponse(
            objects=tuple(
                objects.ObjectInfo(key=f"2026/{n}", size=n, etag='"9bb58f26"', modified_at=_NOW)
                for n in range(3)
            ),
            next_page_token="next",
        ),
        of_objects.write_list_objects_response,
        of_objects.read_list_objects_response,
    )
    trips.add(
        queues.SendMessageResponse(message_id="5fea7756-0ea4-451a-a703-a558b933e274"),
        of_queues.write_send_message_response,
        of_queues.read_send_message_response,
    )
    trips.add(
        queues.DeleteMessageRequest(queue="orders", receipt_handle="AQEBwJnKyrHigUMZj6rYigCg" * 6),
        of_queues.write_delete_message_request,
        of_queues.read_delete_message_request,
    )
    trips.add(
        secrets.DescribeSecretResponse(
            secret=secrets.SecretInfo(
                name="database",
                description="the password",
                tags={"owner": "finance"},
                created_at=_NOW,
                modified_at=_NOW,
                version="v1",
                etag="v1",
            )
        ),
        of_secrets.write_describe_secret_response,
        of_secrets.read_describe_secret_response,
    )
    return trips


def _measure(effort: Effort) -> Samples:
    trips = _everyday()

    def turn(sides: list[Callable[[], object]]) -> float:
        return sum(cpu_of(it, _TIMES)() for it in sides) * 1e6

    # The faster side is to be at least so many times as fast: what it does in a second over what the other does.
    costs = take_turns(partial(turn, trips.ours), partial(turn, trips.peer), effort.rounds(60))
    return Samples(tuple(1e6 / it for it in costs.ours), tuple(1e6 / it for it in costs.peer))


BENCHMARKS: Final = (
    Benchmark(
        name="converters",
        bar=Bar(8, at_least=True),
        compared="eight messages to models and back: generated converters over json_format",
        unit="sets/CPU s",
        measure=_measure,
    ),
)
