"""Who may subscribe, and how they are asked to confirm."""

from __future__ import annotations

import re
from typing import Final

from lcplatform.notification.models import DeliveryProtocol, SubscribeRequest
from lcplatform.queue.models import GetQueueRequest
from lcplatform_mock.filter_policies import check_policy
from lcplatform_mock.topics import WEBHOOKS, Subscriber
from lcplatform_mock.webhook import check_url
from lcplatform_mock.world import World
from lcplatform_runtime.errors import ConflictError, invalid
from lcplatform_runtime.json_value import Json

CONFIRMED: Final = frozenset({DeliveryProtocol.QUEUE, DeliveryProtocol.PUSH})
"""What belongs to the platform itself, so that nobody is asked."""

_ADDRESS: Final = re.compile(
    r"[^\x00-\x20\x7f-\xa0\"(),:;<>@]{1,64}@[^\x00-\x20\x7f-\xa0\"(),:;<>@]{1,255}"
)
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{1,14}")
_QUEUE: Final = re.compile(r"[A-Za-z0-9_-]{1,75}")

_LOOKS: Final = {
    DeliveryProtocol.EMAIL: (_ADDRESS, "an e-mail address"),
    DeliveryProtocol.SMS: (_NUMBER, "a telephone number: a plus and up to 15 digits"),
    DeliveryProtocol.QUEUE: (_QUEUE, "the name of a queue"),
}


def check(request: SubscribeRequest, world: World, *, fifo: bool) -> None:
    """Refuses what cannot subscribe. A device is looked up by whoever knows them.

    Raises:
        ValidationError: the endpoint, the filter policy or something else is not usable.
        ResourceNotFoundError: a queue does not exist.
    """
    protocol = request.protocol
    if fifo and protocol is not DeliveryProtocol.QUEUE:
        raise invalid("protocol", "queue, since the topic is a FIFO topic")
    if request.max_retries is not None and protocol not in WEBHOOKS:
        raise invalid("max_retries", "none, since it is no webhook")
    if request.filter_policy is not None:
        check_policy(request.filter_policy)
    _check_endpoint(protocol, request.endpoint)
    if protocol is DeliveryProtocol.QUEUE:
        _check_queue(world, "endpoint", request.endpoint, fifo=fifo)
    if request.dead_letter_queue is not None:
        _check_queue(world, "dead_letter_queue", request.dead_letter_queue, fifo=fifo)


def _check_endpoint(protocol: DeliveryProtocol, endpoint: str) -> None:
    if protocol in WEBHOOKS:
        check_url("endpoint", endpoint)
        if not endpoint.lower().startswith(f"{protocol.value}:"):
            raise invalid("endpoint", f"a URL of {protocol.value}")
    elif protocol in _LOOKS:
        looks, expected = _LOOKS[protocol]
        if looks.fullmatch(endpoint) is None:
            raise invalid("endpoint", expected)


def _check_queue(world: World, field: str, name: str, *, fifo: bool) -> None:
    found = world.services.queue().get_queue(GetQueueRequest(name=name)).queue
    if found.fifo is not fifo:
        raise invalid(field, "a FIFO queue for a FIFO topic, and no other for others")


def check_same(there: Subscriber, request: SubscribeRequest) -> None:
    """Refuses to subscribe an endpoint again in another way.

    Raises:
        ConflictError: it is subscribed in another way.
    """
    policy = None if there.filter_policy is None else Json.from_text(there.filter_policy)
    same = (
        policy == request.filter_policy
        and there.dead_letter_queue == request.dead_letter_queue
        and there.max_retries == request.max_retries
    )
    if not same:
        raise ConflictError(
            f"the endpoint is subscribed to topic {there.topic!r} already in another way:"
            " end that subscription first",
            resource=there.topic,
        )


def invitation(topic: str, token: str) -> str:
    """The words in which somebody is asked to confirm."""
    return f"Confirm the subscription to topic {topic} with this token, or do nothing: {token}"
