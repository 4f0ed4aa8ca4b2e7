"""Subscriptions of SNS: who may subscribe, what they are sent, and what is known of them.

A queue gets messages as they were published ("raw"), so that what reads it does not have to know of SNS. A webhook gets them in
SNS's envelope, which is signed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from lcplatform.notification.models import (
    DeliveryProtocol,
    SubscribeRequest,
    Subscription,
    SubscriptionStatus,
)
from lcplatform_aws.errors import code_of, problem_of
from lcplatform_aws.notification_topics import FIFO, Topics, missing, page
from lcplatform_runtime.errors import (
    ConflictError,
    PreconditionFailedError,
    ResourceNotFoundError,
    UnsupportedError,
    invalid,
)
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.patterns.grammar import parse
from lcplatform_runtime.patterns.operators import Number, Range

if TYPE_CHECKING:
    from lcplatform_aws.queue_names import Queues
    from lcplatform_aws.session import Session

_PROTOCOLS: Final = {
    DeliveryProtocol.EMAIL: "email",
    DeliveryProtocol.SMS: "sms",
    DeliveryProtocol.HTTP: "http",
    DeliveryProtocol.HTTPS: "https",
    DeliveryProtocol.QUEUE: "sqs",
    DeliveryProtocol.PUSH: "application",
}
_OURS: Final = {theirs: ours for ours, theirs in _PROTOCOLS.items()}
_WEBHOOKS: Final = frozenset({DeliveryProtocol.HTTP, DeliveryProtocol.HTTPS})
_LOOKS: Final = {
    DeliveryProtocol.EMAIL: (
        re.compile(r"[^\x00-\x20\x7f-\xa0\"(),:;<>@]{1,64}@[^\x00-\x20\x7f-\xa0\"(),:;<>@]{1,255}"),
        "an e-mail address",
    ),
    DeliveryProtocol.SMS: (
        re.compile(r"\+[1-9][0-9]{1,14}"),
        "a telephone number: a plus and up to 15 digits",
    ),
    DeliveryProtocol.QUEUE: (re.compile(r"[A-Za-z0-9_-]{1,75}"), "the name of a queue"),
}
_PENDING: Final = "pending/"
"""How the identity of a subscription begins of which SNS tells none, since nobody has confirmed it."""
_LONGEST_DELAY: Final = 20
_SID: Final = "LCPlatformTopics"


class Subscriptions:
    """The subscriptions of the account's topics."""

    def __init__(self, session: Session, topics: Topics, queues: Queues) -> None:
        self._session = session
        self._topics = topics
        self._queues = queues
        self._pending: dict[tuple[str, str, str], str] = {}

    def subscribe(self, request: SubscribeRequest) -> Subscription:
        """Subscribes an endpoint, or finds that it is subscribed already."""
        topic = self._topics.arn(request.topic)
        _check(request, fifo=topic.endswith(FIFO))
        endpoint, wanted = self._prepared(request, topic)
        protocol = _PROTOCOLS[request.protocol]
        answer = self._session.sns.subscribe(
            TopicArn=topic,
            Protocol=protocol,
            Endpoint=endpoint,
            Attributes=wanted,
            ReturnSubscriptionArn=True,
        )
        arn = answer["SubscriptionArn"]
        if not arn.startswith("arn:"):
            arn = self._listed(topic, protocol, endpoint)
        # Asked for at once, SNS may not know it yet.
        there: Mapping[str, str] = wanted
        with suppress(ResourceNotFoundError):
            there = self._attributes(arn)
        if _essence(there) != _essence(wanted):
            raise ConflictError(
                f"the endpoint is subscribed to topic {request.topic!r} already in another way:"
                " end that subscription first",
                resource=request.topic,
            )
        confirmed = there.get(
            "PendingConfirmation",
            "false" if request.protocol is DeliveryProtocol.QUEUE else "true",
        )
        if confirmed == "true":
            self._pending[topic, protocol, endpoint] = arn
        return self._shown(
            arn,
            {
                **there,
                "TopicArn": topic,
                "Protocol": protocol,
                "Endpoint": endpoint,
                "PendingConfirmation": confirmed,
            },
        )

    def _prepared(self, request: SubscribeRequest, topic: str) -> tuple[str, dict[str, str]]:
        """The endpoint as SNS knows it and the attributes that say the rest, with everything there and allowed that is needed."""
        attributes: dict[str, str] = {}
        endpoint = request.endpoint
        fifo = topic.endswith(FIFO)
        letters = request.dead_letter_queue
        queues: dict[str, str] = {}
        match request.protocol:
            case DeliveryProtocol.QUEUE:
                endpoint = queues[request.endpoint] = self._queue("endpoint", endpoint, fifo=fifo)
                attributes["RawMessageDelivery"] = "true"
            case DeliveryProtocol.PUSH:
                self._check_device(endpoint)
            case _:
                pass
        if letters is not None:
            queues[letters] = self._queue("dead_letter_queue", letters, fifo=fifo)
            attributes["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": queues[letters]})
        if request.filter_policy is not None:
            attributes["FilterPolicy"] = request.filter_policy.text
        if request.max_retries is not None:
            attributes["DeliveryPolicy"] = _delivery_policy(request.max_retries)
        for name, arn in queues.items():
            self._queues.permit(name, self._statement(arn))
        return endpoint, attributes

    def _queue(self, field: str, name: str, *, fifo: bool) -> str:
        arn = self._queues.arn(name)
        if arn.endswith(FIFO) is not fifo:
            raise invalid(field, "a FIFO queue for a FIFO topic, and no other for others")
        return arn

    def _statement(self, queue: str) -> dict[str, Any]:
        """Lets every topic of the account send to a queue. It is the same for all of them, so nobody takes it from another."""
        return {
            "Sid": _SID,
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue,
            "Condition": {"ArnLike": {"aws:SourceArn": f"{self._topics.home}*"}},
        }

    def _check_device(self, device: str) -> None:
        if not device.startswith("arn:"):
            raise ResourceNotFoundError("there is no such device", resource=device)
        self._session.sns.get_endpoint_attributes(EndpointArn=device)

    def _listed(self, topic: str, protocol: str, endpoint: str) -> str:
        """The identity of a subscription of which the answer tells none."""
        token = ""
        while True:
            found, token = page(self._lister(topic), "Subscriptions", token, 100)
            for it in found:
                if (it["Protocol"], it["Endpoint"]) == (protocol, endpoint):
                    return self._identity(it)
            if not token:
                return f"{_PENDING}{topic}/{protocol}/{endpoint}"

    def _lister(self, topic: str | None) -> Any:  # a method of the client
        sns = self._session.sns
        if topic is None:
            return sns.list_subscriptions
        return lambda **token: sns.list_subscriptions_by_topic(TopicArn=topic, **token)

    def confirm(self, topic: str, token: str) -> Subscription:
        """Confirms a subscription."""
        arn = self._topics.arn(topic)
        try:
            answer = self._session.sns.confirm_subscription(TopicArn=arn, Token=token)
        except ClientError as error:
            if code_of(problem_of(error)) in {"InvalidParameter", "InvalidParameterException"}:
                raise invalid("token", "the token that the endpoint was sent, in time") from error
            raise
        identity = answer["SubscriptionArn"]
        return self._shown(identity, self._attributes(identity))

    def unsubscribe(self, identity: str) -> None:
        """Ends a subscription. SNS takes one that is not there as ended: so it is asked before."""
        if identity.startswith(_PENDING):
            raise PreconditionFailedError(
                "SNS does not let go of a subscription before it is confirmed: unconfirmed, it is gone after some days",
                resource=identity,
            )
        self._attributes(identity)
        self._session.sns.unsubscribe(SubscriptionArn=identity)

    def of_device(self, device: str) -> list[str]:
        """The subscriptions of a device."""
        ended: list[str] = []
        token = ""
        while True:
            found, token = page(self._lister(None), "Subscriptions", token, 100)
            ended += [
                it["SubscriptionArn"]
                for it in found
                if it["Endpoint"] == device and it["SubscriptionArn"].startswith("arn:")
            ]
            if not token:
                return ended

    def listed(self, topic: str | None, token: str, size: int) -> tuple[list[Subscription], str]:
        """Some subscriptions, and where the next page starts. SNS lists less than we tell: each is asked for by itself."""
        arn = None if topic is None else self._topics.of(topic, fifo=False)
        try:
            found, following = page(self._lister(arn), "Subscriptions", token, size)
        except ClientError as error:
            if topic is None or not missing(error):
                raise
            found, following = page(
                self._lister(self._topics.arn(topic)), "Subscriptions", token, size
            )
        shown = [self._seen(it) for it in found if self._topics.ours(it["TopicArn"])]
        return [it for it in shown if it is not None], following

    def _seen(self, listed: Mapping[str, str]) -> Subscription | None:
        """A subscription as it is listed; none if it has been ended since."""
        identity = self._identity(listed)
        if not identity:
            return None
        if identity.startswith(_PENDING):
            return self._shown(identity, {**listed, "PendingConfirmation": "true"})
        try:
            return self._shown(identity, {**listed, **self._attributes(identity)})
        except ResourceNotFoundError:
            return None

    def _identity(self, listed: Mapping[str, str]) -> str:
        """The identity of what is listed; empty for what is gone."""
        arn = listed["SubscriptionArn"]
        if arn.startswith("arn:"):
            return arn
        if arn == "Deleted":
            return ""
        key = (listed["TopicArn"], listed["Protocol"], listed["Endpoint"])
        return self._pending.get(key) or f"{_PENDING}{'/'.join(key)}"

    def _attributes(self, identity: str) -> Mapping[str, str]:
        """What SNS knows of a subscription. Raises ResourceNotFoundError where there is none."""
        # What is no ARN cannot be asked for: SNS would call it invalid.
        if identity.count(":") >= 6 and identity.startswith("arn:"):
            try:
                return self._session.sns.get_subscription_attributes(SubscriptionArn=identity)[
                    "Attributes"
                ]
            except ClientError as error:
                if not missing(error):
                    raise
        raise ResourceNotFoundError("there is no such subscription", resource=identity)

    def _shown(self, identity: str, known: Mapping[str, str]) -> Subscription:
        protocol = _OURS.get(known["Protocol"], DeliveryProtocol.UNKNOWN)
        endpoint, letters = known["Endpoint"], _letters(known)
        if protocol is DeliveryProtocol.QUEUE:
            endpoint = self._queues.name(endpoint.rpartition(":")[2])
        policy = known.get("FilterPolicy")
        waits = known.get("PendingConfirmation") == "true"
        return Subscription(
            subscription_id=identity,
            topic=self._topics.name(known["TopicArn"]),
            protocol=protocol,
            endpoint=endpoint,
            status=SubscriptionStatus.PENDING if waits else SubscriptionStatus.CONFIRMED,
            filter_policy=Json.from_text(policy) if policy else None,
            dead_letter_queue=None
            if letters is None
            else self._queues.name(letters.rpartition(":")[2]),
            max_retries=_retries(known),
        )


def _check(request: SubscribeRequest, *, fifo: bool) -> None:
    """Refuses what cannot subscribe."""
    protocol = request.protocol
    if fifo and protocol is not DeliveryProtocol.QUEUE:
        raise invalid("protocol", "queue, since the topic is a FIFO topic")
    if request.max_retries is not None and protocol not in _WEBHOOKS:
        raise invalid("max_retries", "none, since it is no webhook")
    if request.filter_policy is not None:
        check_policy(request.filter_policy)
    if protocol in _WEBHOOKS:
        _check_url(protocol, request.endpoint)
    elif protocol in _LOOKS:
        looks, expected = _LOOKS[protocol]
        if looks.fullmatch(request.endpoint) is None:
            raise invalid("endpoint", expected)


def _check_url(protocol: DeliveryProtocol, url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme == protocol.value and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    else:
        if parts.username is not None or parts.password is not None:
            raise invalid("endpoint", "a URL without user and password")
    if not good or not url.isascii() or not url.isprintable() or " " in url:
        raise invalid("endpoint", f"an absolute URL of {protocol.value}")


def check_policy(policy: Json) -> None:
    """Refuses what is no filter policy, and what SNS would understand otherwise.

    Raises:
        ValidationError: it is none. It names the field.
        UnsupportedError: it compares numbers. Attributes are texts, of which SNS compares none as a number.
    """
    for field in parse(policy, "filter_policy").fields:
        if len(field.path) > 1:
            raise invalid(
                "filter_policy",
                f"{'.'.join(field.path)}: a list of what the attribute may be, no object",
            )
        if any(isinstance(it, Number | Range) for it in field.operators):
            raise UnsupportedError("SNS does not compare attributes as numbers (numeric_filters)")
    # In a policy on attributes, SNS wants these escaped twice, and matches nothing otherwise.
    if any(mark in text for text in _texts(json.loads(policy.text)) for mark in '"\\'):
        raise invalid("filter_policy", "no quotation marks and backslashes, which SNS cannot match")


def _texts(value: object) -> list[str]:
    match value:
        case str():
            return [value]
        case list():
            return [text for it in value for text in _texts(it)]
        case dict():
            return [text for name, it in value.items() for text in (name, *_texts(it))]
        case _:
            return []


def _delivery_policy(retries: int) -> str:
    """SNS gives up after an hour, whatever it is told: so the intervals are short."""
    policy = {
        "numRetries": retries,
        "minDelayTarget": 1,
        "maxDelayTarget": _LONGEST_DELAY,
        "backoffFunction": "exponential",
    }
    return json.dumps({"healthyRetryPolicy": policy})


def _parsed(known: Mapping[str, str], name: str) -> dict[str, Any]:
    text = known.get(name)
    parsed: dict[str, Any] = json.loads(text) if text else {}
    return parsed


def _letters(known: Mapping[str, str]) -> str | None:
    return _parsed(known, "RedrivePolicy").get("deadLetterTargetArn")


def _retries(known: Mapping[str, str]) -> int | None:
    policy = _parsed(known, "DeliveryPolicy").get("healthyRetryPolicy") or {}
    retries: int | None = policy.get("numRetries")
    return retries


def _essence(known: Mapping[str, str]) -> tuple[object, ...]:
    """What two subscriptions that are the same have in common."""
    return _parsed(known, "FilterPolicy"), _letters(known), _retries(known)
