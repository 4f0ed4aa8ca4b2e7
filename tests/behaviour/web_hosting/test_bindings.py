"""What a deployed application reaches of its platform: what it is bound to, as far as its access goes, and nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest

from lcplatform import LCPlatform
from lcplatform.batch import JobTemplate
from lcplatform.catalogue import SERVICES
from lcplatform.errors import (
    AuthenticationError,
    PermissionDeniedError,
    ServiceUnavailableError,
)
from lcplatform.event_bus import Destination, HttpTarget, LogTarget, QueueTarget, TopicTarget
from lcplatform.web_hosting import Access, Application, Binding
from lcplatform_mock import provider
from lcplatform_mock.bound import restricted
from lcplatform_runtime.operation import Operation
from tests.behaviour.web_hosting.hosting import HERE, SOON, body, deploy, eventually, options

IMAGES = {
    "bound": [sys.executable, str(HERE / "bound.py")],
    "site": [sys.executable, str(HERE / "site.py")],
}
BINDINGS = [
    Binding(service="object_store", resource="uploads", name="uploads"),
    Binding(service="queue", resource="inbox", name="inbox"),
]


@pytest.fixture(scope="module")
def platform() -> Iterator[LCPlatform]:
    with LCPlatform("mock", **options(images=IMAGES)) as platform:
        for name in ("uploads", "private"):
            platform.object_store.create_bucket(name)
        for name in ("inbox", "private"):
            platform.queue.create_queue(name)
        platform.object_store.put_object("private", "key", b"nobody's business")
        platform.secrets.create_secret("private", "hush")
        yield platform


@pytest.fixture(scope="module")
def bound(platform: LCPlatform) -> Application:
    """An application that may use a bucket and a queue."""
    return deploy(platform, "bound", image="bound", bindings=BINDINGS)


def tried(application: Application, attempt: str) -> Any:
    return json.loads(body(application.url, f"/{attempt}"))


def test_an_application_uses_what_it_is_bound_to(platform: LCPlatform, bound: Application) -> None:
    assert tried(bound, "bindings") == {
        "uploads": ["object_store", "uploads", "read_write"],
        "inbox": ["queue", "inbox", "read_write"],
    }
    assert tried(bound, "write") == "ok"
    assert tried(bound, "read") == "from within"
    assert platform.object_store.get_object("uploads", "key").read() == b"from within"
    assert tried(bound, "send") == "ok"
    (message,) = platform.queue.receive_messages("inbox").messages
    assert message.body == "from within"
    assert tried(bound, "describe") == 11


@pytest.mark.parametrize(
    "attempt",
    [
        "other-bucket",
        "copy-from-other",
        "all-buckets",
        "other-queue",
        "dead-letters",
        "secret",
        "deploy",
        "logs",
    ],
)
def test_an_application_is_denied_what_it_is_not_bound_to(bound: Application, attempt: str) -> None:
    assert tried(bound, attempt) == "PERMISSION_DENIED"


def test_an_application_has_no_control_over_the_mock(bound: Application) -> None:
    assert tried(bound, "control") in {"UNSUPPORTED", "INTERNAL"}


def test_an_application_that_may_read_does_not_write(platform: LCPlatform) -> None:
    platform.object_store.put_object("uploads", "key", b"from outside")
    reading = [one.model_copy(update={"access": Access.READ}) for one in BINDINGS]
    made = deploy(platform, "reader", image="bound", bindings=reading)
    assert tried(made, "read") == "from outside"
    for attempt in ("write", "delete", "send", "receive"):
        assert tried(made, attempt) == "PERMISSION_DENIED"


def test_a_binding_without_a_resource_is_to_the_whole_service(platform: LCPlatform) -> None:
    made = deploy(platform, "whole", image="bound", bindings=[Binding(service="object_store")])
    assert tried(made, "other-bucket") == "nobody's business"
    assert tried(made, "all-buckets") == ["private", "uploads"]
    assert tried(made, "other-queue") == "PERMISSION_DENIED"


def test_an_update_changes_what_is_bound(platform: LCPlatform) -> None:
    made = deploy(platform, "changed", image="bound", bindings=BINDINGS)
    hosting = platform.web_hosting
    hosting.update_application(
        made.application_id, bindings=[Binding(service="queue", resource="inbox", name="inbox")]
    )
    hosting.wait_until_running(made.application_id, timeout=SOON)
    assert tried(made, "send") == "ok"
    assert tried(made, "other-bucket") == "PERMISSION_DENIED"


def test_nobody_else_comes_in_through_the_door_of_an_application(platform: LCPlatform) -> None:
    made = deploy(platform, "guarded", bindings=BINDINGS)
    endpoint = body(made.url, "/environment/LCPLATFORM_PROVIDERS__GRPC__ENDPOINT")
    token = body(made.url, "/environment/LCPLATFORM_PROVIDERS__GRPC__TOKEN")
    assert endpoint.startswith("127.0.0.1:")
    for wrong in (
        LCPlatform("grpc", endpoint=endpoint),
        LCPlatform("grpc", endpoint=endpoint, token="guess"),
    ):
        with wrong as other, pytest.raises(AuthenticationError):
            other.queue.send_message("inbox", "x")
    with LCPlatform("grpc", endpoint=endpoint, token=token) as itself:
        itself.queue.send_message("inbox", "x")
    told = [
        *platform.web_hosting.iter_applications(),
        *platform.web_hosting.get_logs(made.application_id),
    ]
    assert token not in repr(told)


def test_the_door_is_shut_with_its_application(platform: LCPlatform) -> None:
    made = deploy(platform, "shut", bindings=BINDINGS)
    endpoint = body(made.url, "/environment/LCPLATFORM_PROVIDERS__GRPC__ENDPOINT")
    token = body(made.url, "/environment/LCPLATFORM_PROVIDERS__GRPC__TOKEN")
    platform.web_hosting.delete_application(made.application_id)
    eventually(lambda: not platform.web_hosting.exists(made.application_id))
    with (
        LCPlatform("grpc", endpoint=endpoint, token=token) as itself,
        pytest.raises(ServiceUnavailableError),
    ):
        itself.queue.send_message("inbox", "x")


INBOX = Binding(service="queue", resource="inbox")
NEWS = Binding(service="notification", resource="news")
PRIVATE = Binding(service="secrets", resource="private", access=Access.READ)


def targeted(platform: LCPlatform, target: Destination, letters: str | None = None) -> None:
    platform.event_bus.add_target(
        "orders", "all", target_id="one", target=target, dead_letter_queue=letters
    )


def scheduled(platform: LCPlatform) -> None:
    job = JobTemplate(image="any", secrets={"KEY": "private"})
    platform.batch.create_schedule("job", cron="* * * * *", job=job)


@pytest.mark.parametrize(
    ("attempt", "more"),
    [
        (lambda it: targeted(it, QueueTarget(queue="inbox")), INBOX),
        (lambda it: targeted(it, TopicTarget(topic="news")), NEWS),
        (lambda it: targeted(it, LogTarget(), "inbox"), INBOX),
        (
            lambda it: targeted(
                it, HttpTarget(url="http://127.0.0.1:9", secret_headers={"Key": "private"})
            ),
            PRIVATE,
        ),
        (lambda it: it.notification.subscribe("orders", protocol="queue", endpoint="inbox"), INBOX),
        (lambda it: it.batch.submit_job("job", image="any", secrets={"KEY": "private"}), PRIVATE),
        (scheduled, PRIVATE),
    ],
    ids=["queue", "topic", "dead letters", "webhook", "subscription", "job", "schedule"],
)
def test_what_another_service_does_for_an_application_needs_its_binding_too(
    attempt: Callable[[LCPlatform], object], more: Binding
) -> None:
    drivers = provider.connect({}, asynchronous=False)
    bound = [
        Binding(service="batch"),
        Binding(service="event_bus", resource="orders"),
        Binding(service="notification", resource="orders"),
    ]
    with LCPlatform.from_drivers(drivers) as everything:
        everything.queue.create_queue("inbox")
        everything.secrets.create_secret("private", "hush")
        everything.event_bus.create_event_bus("orders")
        everything.event_bus.create_rule("orders", "all", pattern={"source": [{"prefix": ""}]})
        for name in ("orders", "news"):
            everything.notification.create_topic(name)
        with pytest.raises(PermissionDeniedError):
            attempt(LCPlatform.from_drivers(restricted(drivers, bound)))
        attempt(LCPlatform.from_drivers(restricted(drivers, [*bound, more])))


def test_every_operation_of_every_service_is_refused_without_a_binding() -> None:
    drivers = provider.connect({}, asynchronous=False)
    none = restricted(drivers, [])
    try:
        for service in SERVICES:
            driver = getattr(none, service)()
            operations = vars(import_module(f"lcplatform.{service}.operations")).values()
            for one in operations:
                if isinstance(one, Operation):
                    with pytest.raises(PermissionDeniedError):
                        getattr(driver, one.method)(object())
    finally:
        drivers.close()
