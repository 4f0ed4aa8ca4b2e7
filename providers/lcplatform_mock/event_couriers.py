"""Brings events to targets: one attempt for each kind of place, and what has to be there for it."""

from __future__ import annotations

import json
import logging
import ssl
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Final

from lcplatform.event_bus.models import (
    AddTargetRequest,
    Destination,
    FunctionTarget,
    HttpMode,
    HttpTarget,
    LogTarget,
    QueueTarget,
    TopicTarget,
)
from lcplatform.notification.models import ListTopicsRequest, PublishMessageRequest
from lcplatform.queue.models import GetQueueRequest
from lcplatform.secrets.models import GetSecretRequest
from lcplatform_mock import webhook
from lcplatform_mock.event_records import Delivery, Pending
from lcplatform_mock.event_settings import EventBusSettings
from lcplatform_mock.event_transforms import transform
from lcplatform_mock.ready import EMPTY, FrozenDict, frozen
from lcplatform_mock.refusals import missing
from lcplatform_mock.retrying import Failure
from lcplatform_mock.world import World
from lcplatform_runtime.cloud_events import attributes_of, data_of
from lcplatform_runtime.errors import (
    LCPlatformError,
    PermissionDeniedError,
    PreconditionFailedError,
    ResourceNotFoundError,
    UnsupportedError,
    ValidationError,
    invalid,
)
from lcplatform_runtime.json_value import Json, inside
from lcplatform_runtime.trusted import trusted

if TYPE_CHECKING:
    from lcplatform_mock.queue import MockQueue

_LOG: Final = logging.getLogger("lcplatform.mock.events")

GROUP: Final = "events"
"""The message group of events that have no ordering key."""

_LATER: Final = frozenset({401, 407, 408, 409, 425, 429})
"""Refusals of a webhook that may pass; so may those from 500 on."""

_HOPELESS: Final = (
    PermissionDeniedError,
    PreconditionFailedError,
    ResourceNotFoundError,
    UnsupportedError,
    ValidationError,
)
"""Another attempt meets the same."""

_OURS: Final = frozenset(
    {"host", "content-length", "content-type", "connection", "transfer-encoding", "te", "upgrade"}
)

_publication_for = trusted(PublishMessageRequest)


class Couriers:
    """All of them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._settings = world.settings.event_bus or EventBusSettings()

    # --- one attempt

    def attempt(self, delivery: Delivery) -> Failure | None:
        """Tries once to bring an event to its place. Answers what went wrong; nothing if it arrived."""
        try:
            if not isinstance(delivery, Pending) or delivery.letter is None:
                return self._deliver(delivery)
            self._bury(delivery, frozen(delivery.letter))
        except LCPlatformError as error:
            after = None if error.retry_after is None else error.retry_after.total_seconds()
            return Failure(error.message, final=isinstance(error, _HOPELESS), retry_after=after)
        except Exception as error:  # noqa: BLE001  whatever it is, the target has not got the event
            _LOG.exception("a delivery failed")
            return Failure(type(error).__name__)
        return None

    def _deliver(self, delivery: Delivery) -> Failure | None:
        target, body = delivery.target, delivery.event.body
        if target.transform is not None:
            body = transform(target.transform).apply(body)
        place = target.destination
        match place:
            case QueueTarget():
                self._to_queue(delivery, place, body)
            case TopicTarget():
                self._to_topic(delivery, place, body)
            case HttpTarget():
                return self._post(delivery, place, body)
            case FunctionTarget():
                return self._call(place, body)
            case LogTarget():
                # In ASCII: what an event says must not move the cursor of whoever reads it.
                line = json.dumps(inside(body), separators=(",", ":"))
                _LOG.info("%s: %s", place.log or delivery.rule, line)
        return None

    def _bury(self, pending: Pending, attributes: FrozenDict) -> None:
        queue = pending.target.dead_letter_queue
        assert queue is not None
        self._queues.deliver(queue, pending.event.body, attributes, None, None)

    def _to_queue(self, delivery: Delivery, place: QueueTarget, body: Json) -> None:
        group = identity = None
        if delivery.target.fifo:
            group, identity = place.group_id or _group(delivery), delivery.id
        self._queues.deliver(place.queue, body, EMPTY, group, identity)

    def _to_topic(self, delivery: Delivery, place: TopicTarget, body: Json) -> None:
        group = identity = None
        if delivery.target.fifo:
            group, identity = _group(delivery), delivery.id
        self._world.services.notification().publish_message(
            _publication_for(
                topic=place.topic,
                body=body,
                attributes=EMPTY,
                group_id=group,
                deduplication_id=identity,
            )
        )

    def _post(self, delivery: Delivery, place: HttpTarget, body: Json) -> Failure | None:
        headers = dict(_format(delivery, place)) | place.headers
        for header, name in place.secret_headers.items():
            headers[header] = self._secret(name)
        whole = delivery.target.transform is not None or place.mode is not HttpMode.BINARY
        came = webhook.post(
            place.url,
            (body.text if whole else data_of(body)).encode(),
            headers,
            now=self._world.clock.now(),
            context=self._trust,
        )
        if isinstance(came, webhook.Arrived):
            return None
        status = came.status
        final = status is not None and status < 500 and status not in _LATER
        return Failure(came.reason, final=final, retry_after=came.retry_after)

    def _secret(self, name: str) -> str:
        value = self._world.services.secrets().get_secret(GetSecretRequest(name=name)).value
        if not isinstance(value, str):
            raise invalid("target.http.secret_headers", "secrets that are texts")
        return value

    def _call(self, place: FunctionTarget, body: Json) -> Failure | None:
        function = self._functions.get(place.function)
        if function is None:  # another process took up the state, perhaps one without it
            return Failure(f"function {place.function!r} is not registered")
        try:
            function(body)
        except Exception as error:  # noqa: BLE001  it is the application's, and may raise whatever it likes
            _LOG.warning("function %s failed", place.function, exc_info=True)
            return Failure(f"the function raised {type(error).__name__}")
        return None

    # --- what has to be there

    def check(self, request: AddTargetRequest) -> bool:
        """Refuses a target that nothing could be brought to. Whether it keeps the order of groups.

        Raises:
            ResourceNotFoundError: what it names does not exist.
            ValidationError: it names the field.
        """
        if request.transform is not None:
            transform(request.transform)
        if request.dead_letter_queue is not None and self._queue(request.dead_letter_queue):
            raise invalid("dead_letter_queue", "a queue that is no FIFO queue")
        return self._check_place(request.target)

    def _check_place(self, place: Destination) -> bool:
        match place:
            case QueueTarget():
                fifo = self._queue(place.queue)
                if place.group_id is not None and not fifo:
                    raise invalid("target.queue.group_id", "none, since the queue is no FIFO queue")
                return fifo
            case TopicTarget():
                return self._topic(place.topic)
            case HttpTarget():
                self._check_http(place)
            case FunctionTarget():
                if place.function not in self._functions:
                    raise missing("function", place.function)
            case LogTarget():
                pass
        return False

    def _queue(self, name: str) -> bool:
        """Whether a queue is a FIFO queue."""
        return self._queues.get_queue(GetQueueRequest(name=name)).queue.fifo

    def _topic(self, name: str) -> bool:
        """Whether a topic is a FIFO topic."""
        topics = self._world.services.notification()
        token = ""
        while True:
            page = topics.list_topics(ListTopicsRequest(page_size=100, page_token=token))
            for it in page.topics:
                if it.name == name:
                    return it.fifo
            token = page.next_page_token
            if not token:
                raise missing("topic", name)

    def _check_http(self, place: HttpTarget) -> None:
        webhook.check_url("target.http.url", place.url)
        plain = [it.lower() for it in place.headers]
        secret = [it.lower() for it in place.secret_headers]
        if len({*plain, *secret}) < len(plain) + len(secret):
            raise invalid("target.http.headers", "each header once, in secret_headers or here")
        for field, names in (("headers", plain), ("secret_headers", secret)):
            if any(it in _OURS or it.startswith("ce-") for it in names):
                raise invalid(f"target.http.{field}", "no headers that tell what is sent, or how")
        for name in place.secret_headers.values():
            try:
                self._secret(name)
            except ResourceNotFoundError:
                raise missing("secret", name) from None

    @cached_property
    def _queues(self) -> MockQueue:
        return self._world.services.queue()

    @property
    def _functions(self) -> Mapping[str, Callable[[Json], object]]:
        return self._settings.functions

    @cached_property
    def _trust(self) -> ssl.SSLContext | None:
        file = self._settings.webhook_trust
        return None if file is None else ssl.create_default_context(cafile=file)


def _group(delivery: Delivery) -> str:
    return delivery.event.ordering_key or GROUP


def _format(delivery: Delivery, place: HttpTarget) -> Iterator[tuple[str, str]]:
    """The headers that tell how an event is laid out."""
    if delivery.target.transform is None and place.mode is not HttpMode.BINARY:
        yield "Content-Type", "application/cloudevents+json; charset=utf-8"
        return
    if place.mode is HttpMode.BINARY:
        yield from attributes_of(delivery.event.body)
    yield "Content-Type", "application/json"
