"""Servers that fail: each call recovers, or raises the right error within its deadline, and nothing that counts is sent twice.

A proxy makes the faults in front of ministack and counts them. Of what a proxy cannot do - a wait that
the service asks for, a token that is used up, a database or document server that is killed - see `tests/unit/aws`.
"""

from __future__ import annotations

import json
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import pytest

from lcplatform import CallOptions, LCPlatform, PlatformSettings, RetryPolicy
from lcplatform.errors import (
    DeadlineExceededError,
    InternalError,
    LCPlatformError,
    Outcome,
    QuotaExceededError,
    ServiceUnavailableError,
)
from lcplatform.event_bus.operations import LIST_EVENT_BUSES, PUBLISH_EVENT
from lcplatform.notification.operations import LIST_TOPICS, PUBLISH_MESSAGE
from lcplatform.object_store.operations import LIST_OBJECTS, PUT_OBJECT
from lcplatform.queue.operations import LIST_QUEUES, SEND_MESSAGE
from lcplatform.secrets.operations import CREATE_SECRET, GET_SECRET
from lcplatform_aws import native
from lcplatform_aws.uploads import PART
from lcplatform_runtime.operation import Idempotency, Operation
from lcplatform_server.surface import surface
from tests.emulators import Emulator, start_microburst

ATTEMPTS: Final = 3
SHORT: Final = CallOptions(deadline=timedelta(seconds=0.5), bypass_cache=True)
LONG: Final = CallOptions(deadline=timedelta(seconds=20), bypass_cache=True)


@dataclass(frozen=True)
class Proxy:
    """What makes the faults."""

    url: str

    def will(self, **rule: object) -> None:
        """Makes a fault from now on, or none."""
        self._ask("POST", "rules", [rule] if rule else [])
        self._ask("DELETE", "fired")

    def fired(self) -> int:
        """How often it did."""
        return len(self._ask("GET", "fired"))

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_microburst/{path}", data, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


@dataclass(frozen=True)
class Cloud:
    """A platform behind the proxy, and what everything in it is called."""

    proxy: Proxy
    platform: LCPlatform
    name: str
    remote: bool


@dataclass(frozen=True)
class Call:
    """A call of the platform, and the request of AWS that fails."""

    operation: Operation
    request: tuple[str, str]
    make: Callable[[LCPlatform, str, CallOptions], object]
    throttling: str = "ThrottlingException"
    streams: bool = False
    """Whether it has a body, which comes to a server once, and an answer without one."""


CALLS: Final = (
    Call(
        LIST_OBJECTS,
        ("s3", "ListObjectsV2"),
        lambda it, name, how: it.object_store.list_objects(name, options=how),
        throttling="SlowDown",
    ),
    Call(
        PUT_OBJECT,
        ("s3", "PutObject"),
        lambda it, name, how: it.object_store.put_object(name, "key", b"body", options=how),
        throttling="SlowDown",
        streams=True,
    ),
    Call(
        GET_SECRET,
        ("secretsmanager", "GetSecretValue"),
        lambda it, name, how: it.secrets.get_secret(name, options=how),
    ),
    Call(
        CREATE_SECRET,
        ("secretsmanager", "CreateSecret"),
        lambda it, _, how: it.secrets.create_secret(
            f"s-{uuid.uuid4().hex}", value="x", options=how
        ),
    ),
    Call(
        SEND_MESSAGE,
        ("sqs", "SendMessage"),
        lambda it, name, how: it.queue.send_message(name, "hello", options=how),
        throttling="RequestThrottled",
    ),
    Call(
        LIST_QUEUES,
        ("sqs", "ListQueues"),
        lambda it, _, how: it.queue.list_queues(options=how),
        throttling="RequestThrottled",
    ),
    Call(
        PUBLISH_MESSAGE,
        ("sns", "Publish"),
        lambda it, name, how: it.notification.publish_message(name, "hello", options=how),
        throttling="Throttled",
    ),
    Call(
        LIST_TOPICS,
        ("sns", "ListTopics"),
        lambda it, _, how: it.notification.list_topics(options=how),
        throttling="Throttled",
    ),
    Call(
        PUBLISH_EVENT,
        ("events", "PutEvents"),
        lambda it, name, how: it.event_bus.publish_event(
            name, source="/faults", type="made", data={"a": 1}, options=how
        ),
    ),
    Call(
        LIST_EVENT_BUSES,
        ("events", "ListEventBuses"),
        lambda it, _, how: it.event_bus.list_event_buses(options=how),
    ),
)


@dataclass(frozen=True)
class Fault:
    """What the proxy does, and what a caller is told."""

    rule: Callable[[Call], Mapping[str, object]]
    kind: type[LCPlatformError]
    outcome: Outcome = Outcome.UNKNOWN
    options: CallOptions = LONG
    seconds: float = 10.0
    retryable: bool = True
    cuts: bool = False
    """Whether it needs an answer that has a body."""

    def calls(self) -> list[Call]:
        """The calls that it can hit."""
        return [it for it in CALLS if not (self.cuts and it.streams)]

    def attempts(self, call: Call, *, remote: bool) -> int:
        """How often a call is sent where the fault stays."""
        harmless = call.operation.idempotency is not Idempotency.UNKNOWN
        again = harmless or self.outcome is Outcome.NOT_EXECUTED
        return ATTEMPTS if self.retryable and again and not (remote and call.streams) else 1


FAULTS: Final = {
    "throttled": Fault(
        lambda call: {"error": {"code": call.throttling, "status": 400}},
        QuotaExceededError,
        Outcome.NOT_EXECUTED,
    ),
    "failed": Fault(lambda _: {"error": {"code": "InternalFailure", "status": 500}}, InternalError),
    "unavailable": Fault(
        lambda _: {"error": {"code": "ServiceUnavailable", "status": 503}}, ServiceUnavailableError
    ),
    "reset": Fault(lambda _: {"reset": True}, ServiceUnavailableError),
    "cut": Fault(lambda _: {"response": {"abort_bytes": 1}}, ServiceUnavailableError, cuts=True),
    "slow": Fault(
        lambda _: {"latency": 1500},
        DeadlineExceededError,
        options=SHORT,
        seconds=1.4,
        retryable=False,
    ),
}


@pytest.fixture(scope="module")
def proxy(ministack: Emulator) -> Iterator[Proxy]:
    with start_microburst(ministack.url) as microburst:
        yield Proxy(microburst.url)


def at(proxy: Proxy, remote: bool, resources: ExitStack) -> LCPlatform:
    """A platform behind the proxy, directly or over gRPC. It has a retry budget of its own."""
    policy = RetryPolicy(max_attempts=ATTEMPTS, base_delay=timedelta(0))
    settings = PlatformSettings(retry=policy)
    given: dict[str, Any] = {
        "endpoint_url": proxy.url,
        "region": "us-east-1",
        "access_key_id": "testing",
        "secret_access_key": "testing",
        "settings": settings,
    }
    if remote:
        given = {**resources.enter_context(surface.open("aws", given)), "settings": settings}
    return resources.enter_context(LCPlatform(**{"provider": "aws", **given}))


@pytest.fixture(scope="module")
def name(proxy: Proxy) -> str:
    """Something of everything that has this name."""
    name = f"faults-{uuid.uuid4().hex[:12]}"
    with ExitStack() as resources:
        platform = at(proxy, False, resources)
        platform.object_store.create_bucket(name)
        platform.queue.create_queue(name)
        platform.secrets.create_secret(name, value="value")
        platform.notification.create_topic(name)
        platform.event_bus.create_event_bus(name)
    return name


@pytest.fixture(params=[False, True], ids=["in-process", "grpc"])
def cloud(request: pytest.FixtureRequest, proxy: Proxy, name: str) -> Iterator[Cloud]:
    """A platform on each surface that has made its clients and looked up its names."""
    with ExitStack() as resources:
        platform = at(proxy, request.param, resources)
        for call in CALLS:
            call.make(platform, name, LONG)
        yield Cloud(proxy, platform, name, request.param)
        proxy.will()


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_that_stays_is_told_in_time_after_as_many_attempts_as_do_no_harm(
    cloud: Cloud, fault: Fault
) -> None:
    told = {}
    for call in fault.calls():
        service, operation = call.request
        cloud.proxy.will(service=service, operation=operation, **fault.rule(call))
        began = time.monotonic()
        try:
            call.make(cloud.platform, cloud.name, fault.options)
        except LCPlatformError as error:
            assert time.monotonic() - began < fault.seconds
            told[operation] = (type(error), error.outcome, cloud.proxy.fired())
    assert told == {
        call.request[1]: (fault.kind, fault.outcome, fault.attempts(call, remote=cloud.remote))
        for call in fault.calls()
    }


@pytest.mark.parametrize(
    "fault",
    [it for it in FAULTS.values() if it.retryable],
    ids=[key for key, it in FAULTS.items() if it.retryable],
)
def test_a_fault_that_passes_is_not_noticed_where_a_call_may_be_repeated(
    cloud: Cloud, fault: Fault
) -> None:
    noticed = set()
    for call in fault.calls():
        service, operation = call.request
        cloud.proxy.will(service=service, operation=operation, times=1, **fault.rule(call))
        try:
            call.make(cloud.platform, cloud.name, LONG)
        except LCPlatformError:
            noticed.add(operation)
        assert cloud.proxy.fired() == 1
    assert noticed == {
        call.request[1] for call in fault.calls() if fault.attempts(call, remote=cloud.remote) == 1
    }


def test_what_was_sent_once_is_there_once(cloud: Cloud) -> None:
    queue = f"{cloud.name}-{uuid.uuid4().hex[:8]}"
    cloud.platform.queue.create_queue(queue)
    cloud.proxy.will(service="sqs", operation="SendMessage", response={"abort_bytes": 1})
    for text in ("a", "b"):
        with pytest.raises(ServiceUnavailableError) as caught:
            cloud.platform.queue.send_message(queue, text)
        assert caught.value.outcome is Outcome.UNKNOWN
    cloud.proxy.will()
    received = cloud.platform.queue.receive_messages(queue, max_messages=10).messages
    assert sorted(str(it.body) for it in received) == ["a", "b"]


@pytest.mark.parametrize("fault", ["failed", "reset"])
@pytest.mark.parametrize(
    "operation",
    ["CreateMultipartUpload", "PutObject"],  # the proxy calls a part so
)
def test_an_upload_that_fails_leaves_nothing_behind(
    proxy: Proxy, name: str, operation: str, fault: str
) -> None:
    rule = FAULTS[fault].rule(CALLS[0])
    with ExitStack() as resources:
        platform = at(proxy, False, resources)
        proxy.will(service="s3", operation=operation, **rule)
        try:
            with pytest.raises(LCPlatformError) as caught:
                platform.object_store.put_object(
                    name, operation, iter([b"x" * PART] * 2), options=FAULTS[fault].options
                )
            assert isinstance(caught.value, FAULTS[fault].kind)
            assert 1 <= proxy.fired() <= 2 * ATTEMPTS
        finally:
            proxy.will()
        s3 = native(platform).s3
        assert "Uploads" not in s3.list_multipart_uploads(Bucket=name)
