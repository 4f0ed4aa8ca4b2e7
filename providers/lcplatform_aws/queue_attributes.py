"""The attributes of a queue, between SQS's words and the platform's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

from lcplatform.queue.models import CreateQueueRequest, QueueInfo, UpdateQueueRequest
from lcplatform_aws.units import seconds
from lcplatform_runtime.errors import PreconditionFailedError, invalid

MIB: Final = 1024 * 1024
"""The largest message, and the largest batch."""
_SETTABLE: Final = (
    "VisibilityTimeout",
    "MessageRetentionPeriod",
    "DelaySeconds",
    "MaximumMessageSize",
)

EMPTY: Final = dict.fromkeys(
    (
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ),
    "0",
)
"""How many messages a new queue holds."""


def created(request: CreateQueueRequest, redrive: str | None, /) -> dict[str, str]:
    """The attributes of a queue that is asked for, with its redrive policy."""
    attributes = {
        "VisibilityTimeout": str(seconds(request.visibility_timeout)),
        "MessageRetentionPeriod": str(seconds(request.retention)),
        "DelaySeconds": str(seconds(request.delay)),
        "MaximumMessageSize": str(request.max_message_size or MIB),
    }
    if redrive is not None:
        attributes["RedrivePolicy"] = redrive
    if request.fifo:
        attributes |= {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    return attributes


def redrive_policy(arn: str, max_receive_count: int, /) -> str:
    """The policy by which messages go to the dead-letter queue of that ARN."""
    return json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": max_receive_count})


def info(name: str, attributes: Mapping[str, Any], named: Callable[[str], str], /) -> QueueInfo:
    """What a queue's attributes say of it. `named` gives the name of a queue by its ARN."""
    found = policy(attributes)
    return QueueInfo(
        name=name,
        fifo=attributes.get("FifoQueue") == "true",
        visibility_timeout=_length(attributes["VisibilityTimeout"]),
        retention=_length(attributes["MessageRetentionPeriod"]),
        delay=_length(attributes["DelaySeconds"]),
        max_message_size=int(attributes["MaximumMessageSize"]),
        dead_letter_queue=named(found["deadLetterTargetArn"]) if found else None,
        max_receive_count=int(found["maxReceiveCount"]) if found else None,
        available_messages=int(attributes["ApproximateNumberOfMessages"]),
        in_flight_messages=int(attributes["ApproximateNumberOfMessagesNotVisible"]),
        delayed_messages=int(attributes["ApproximateNumberOfMessagesDelayed"]),
        etag=etag(attributes),
    )


def changed_policy(
    request: UpdateQueueRequest, known: Mapping[str, Any], arn: Callable[[str], str], /
) -> str | None:
    """The redrive policy as it is to be; none at all where it stays, empty where it goes. `arn` gives that of a queue by
    its name."""
    cleared = "dead_letter_queue" in request.clear
    if request.dead_letter_queue is not None:
        count = request.max_receive_count or int(known.get("maxReceiveCount", 5))
        changed = redrive_policy(arn(request.dead_letter_queue), count)
        if cleared:
            raise invalid("clear", "no attribute that is given a value too")
        return changed
    if request.max_receive_count is None:
        return "" if cleared else None
    if cleared or not known:
        raise PreconditionFailedError(
            "the queue has no dead-letter queue that max_receive_count could be for"
        )
    return json.dumps({**known, "maxReceiveCount": request.max_receive_count})


def _length(value: str) -> timedelta:
    return timedelta(seconds=int(value))


def policy(attributes: Mapping[str, Any], /) -> dict[str, Any]:
    """The redrive policy; empty where there is none."""
    text = attributes.get("RedrivePolicy")
    found: dict[str, Any] = json.loads(text) if text else {}
    return found


def etag(attributes: Mapping[str, Any], /) -> str:
    """A mark of everything that an update can change. SQS has none of its own."""
    redrive = sorted((name, str(value)) for name, value in policy(attributes).items())
    marked = json.dumps([[attributes.get(name) for name in _SETTABLE], redrive])
    return sha256(marked.encode()).hexdigest()[:32]


def changes(request: UpdateQueueRequest, /) -> dict[Any, str]:  # the stubs know the names only
    """The attributes that are to change, but for the redrive policy."""
    lengths = {
        "VisibilityTimeout": request.visibility_timeout,
        "MessageRetentionPeriod": request.retention,
        "DelaySeconds": request.delay,
    }
    changed = {name: str(seconds(it)) for name, it in lengths.items() if it is not None}
    if request.max_message_size is not None:
        changed["MaximumMessageSize"] = str(request.max_message_size)
    return changed
