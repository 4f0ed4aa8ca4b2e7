"""Control over a mock: its time, its state, its faults, its adversity; and that no platform has to do with another."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from lcplatform import LCPlatform
from lcplatform.drivers import Drivers
from lcplatform.errors import (
    DeadlineExceededError,
    LCPlatformError,
    QuotaExceededError,
    ResourceNotFoundError,
    ServiceUnavailableError,
    UnsupportedError,
    ValidationError,
)
from lcplatform.notification.driver import NotificationDriver
from lcplatform.object_store.driver import ObjectStoreDriver
from lcplatform.object_store.models import (
    CreateBucketRequest,
    GetObjectRequest,
    PutObjectHeader,
)
from lcplatform.queue.driver import QueueDriver
from lcplatform.queue.models import (
    ChangeVisibilityRequest,
    CreateQueueRequest,
    DeleteMessageRequest,
    ReceiveMessagesRequest,
    SendMessageRequest,
)
from lcplatform.secrets.driver import SecretsDriver
from lcplatform.testing.driver import ControlDriver
from lcplatform.testing.models import (
    InjectFaultRequest,
    RestoreSnapshotRequest,
    TakeSnapshotRequest,
)
from lcplatform.type.models import ErrorCode
from lcplatform_mock.object_store import MockObjectStore
from lcplatform_mock.provider import provider
from lcplatform_mock.queue import MockQueue
from lcplatform_runtime.clock import SYSTEM
from lcplatform_runtime.context import CallContext, entered
from lcplatform_runtime.errors import ERRORS, Outcome
from lcplatform_runtime.streams import ByteSource
from lcplatform_runtime.testing.clock import ManualClock


def connect(**options: object) -> Drivers:
    return provider.connect(
        {"clock": ManualClock(self_advancing=True), **options}, asynchronous=False
    )


def queue_of(drivers: Drivers) -> QueueDriver:
    driver = drivers.queue()
    assert isinstance(driver, QueueDriver)
    return driver


def store_of(drivers: Drivers) -> MockObjectStore:
    driver = drivers.object_store()
    assert isinstance(driver, MockObjectStore)
    return driver


def control_of(drivers: Drivers) -> ControlDriver:
    assert drivers.control is not None
    driver = drivers.control()
    assert isinstance(driver, ControlDriver)
    return driver


# --- time


def test_by_default_time_is_the_machines_and_can_be_moved_ahead() -> None:
    with LCPlatform("mock") as platform:
        before = time.time()
        assert before <= platform.control.advance_clock(timedelta()).now.timestamp() <= before + 60
        ahead = platform.control.advance_clock(timedelta(days=400)).now.timestamp()
        assert before + 400 * 86400 <= ahead <= before + 400 * 86400 + 60


def test_a_clock_that_cannot_be_moved_is_left_alone() -> None:
    with LCPlatform("mock", clock=SYSTEM) as platform, pytest.raises(UnsupportedError):
        platform.control.advance_clock(timedelta(seconds=1))


# --- state


def test_a_snapshot_brings_back_every_service(platform: LCPlatform, clock: ManualClock) -> None:
    platform.object_store.create_bucket("bucket", versioning=True)
    platform.object_store.put_object("bucket", "key", b"kept", tags={"a": "1"})
    platform.queue.create_queue("orders", visibility_timeout=timedelta(minutes=1))
    platform.queue.send_message("orders", "held")
    [held] = platform.queue.receive_messages("orders").messages
    platform.secrets.create_secret("token", "kept")
    name = platform.control.take_snapshot().snapshot_id

    for _ in range(2):  # a snapshot can be used again
        platform.object_store.put_object("bucket", "key", b"lost", tags={"a": "2"})
        platform.object_store.put_object_tags("bucket", "key", tags={})
        platform.object_store.create_bucket("other")
        platform.queue.delete_message("orders", held.receipt_handle)
        platform.queue.create_queue("other")
        platform.secrets.put_secret_value("token", "lost")
        platform.secrets.delete_secret("token")
        moved = clock.now()
        platform.control.restore_snapshot(name)

        assert clock.now() == moved
        assert platform.object_store.get_object("bucket", "key").read() == b"kept"
        assert platform.object_store.get_object_tags("bucket", "key").tags == {"a": "1"}
        assert [it.name for it in platform.object_store.list_buckets().buckets] == ["bucket"]
        assert [it.name for it in platform.queue.list_queues().queues] == ["orders"]
        assert platform.queue.get_queue("orders").queue.in_flight_messages == 1
        secret = platform.secrets.get_secret("token")
        assert (secret.value, len(platform.secrets.list_secret_versions("token").versions)) == (
            "kept",
            1,
        )
    platform.queue.delete_message("orders", held.receipt_handle)
    assert platform.queue.get_queue("orders").queue.in_flight_messages == 0


def test_a_snapshot_that_was_never_taken_is_not_found(platform: LCPlatform) -> None:
    with pytest.raises(ResourceNotFoundError):
        platform.control.restore_snapshot("never")


# --- faults


@pytest.mark.parametrize("code", [it for it in ErrorCode if it is not ErrorCode.UNKNOWN])
def test_every_error_can_be_injected(code: ErrorCode) -> None:
    drivers = connect()
    queue = queue_of(drivers)
    queue.create_queue(CreateQueueRequest(name="orders"))
    control_of(drivers).inject_fault(
        InjectFaultRequest(
            service="queue",
            operation="send_message",
            error=code,
            times=2,
            retry_after=timedelta(seconds=7),
        )
    )
    for _ in range(2):
        with pytest.raises(ERRORS[code.upper()]) as caught:
            queue.send_message(SendMessageRequest(queue="orders", body="x"))
        assert caught.value.retry_after == timedelta(seconds=7)
    queue.send_message(SendMessageRequest(queue="orders", body="x"))
    answer = queue.receive_messages(ReceiveMessagesRequest(queue="orders", max_messages=10))
    assert len(answer.messages) == 1


@pytest.mark.parametrize(
    ("service", "contract"),
    [
        ("notification", NotificationDriver),
        ("object_store", ObjectStoreDriver),
        ("queue", QueueDriver),
        ("secrets", SecretsDriver),
    ],
)
def test_every_operation_of_every_service_can_fail(service: str, contract: type) -> None:
    drivers = connect()
    driver = getattr(drivers, service)()
    operations = {name for name in vars(contract) if not name.startswith("_")} - {"support"}
    assert driver.operations == operations
    for operation in operations:
        control_of(drivers).inject_fault(
            InjectFaultRequest(service=service, operation=operation, error=ErrorCode.INTERNAL)
        )
        with pytest.raises(ERRORS["INTERNAL"]):
            getattr(driver, operation)(None)


def test_faults_come_in_the_order_in_which_they_were_injected(platform: LCPlatform) -> None:
    inject = platform.control.inject_fault
    inject("secrets", "create_secret", error=ErrorCode.INTERNAL)
    inject("secrets", "create_secret", error=ErrorCode.PERMISSION_DENIED)
    for code in ("INTERNAL", "PERMISSION_DENIED"):
        with pytest.raises(ERRORS[code]):
            platform.secrets.create_secret("token", "x")
    platform.secrets.create_secret("token", "x")


def test_faults_that_are_taken_back_do_not_happen(platform: LCPlatform) -> None:
    platform.control.inject_fault("queue", "create_queue", error=ErrorCode.INTERNAL, times=9)
    platform.control.clear_faults()
    platform.queue.create_queue("orders")


def test_latency_passes_on_the_mocks_clock_and_not_beyond_a_deadline() -> None:
    clock = ManualClock(self_advancing=True)
    drivers = connect(clock=clock)
    queue = queue_of(drivers)
    fault = InjectFaultRequest(
        service="queue", operation="create_queue", latency=timedelta(seconds=30), times=2
    )
    control_of(drivers).inject_fault(fault)
    queue.create_queue(CreateQueueRequest(name="slow"))
    assert clock.slept == [30.0]
    deadline = CallContext("c", deadline=5.0, clock=ManualClock())
    with entered(deadline), pytest.raises(DeadlineExceededError):
        queue.create_queue(CreateQueueRequest(name="too-slow"))
    assert clock.slept == [30.0, 5.0]
    queue.create_queue(CreateQueueRequest(name="too-slow"))


def test_a_fault_that_cannot_be_is_refused(platform: LCPlatform) -> None:
    inject = platform.control.inject_fault
    refused: list[tuple[str, Callable[[], object]]] = [
        ("service", lambda: inject("queues", "send_message", error=ErrorCode.INTERNAL)),
        ("operation", lambda: inject("queue", "send", error=ErrorCode.INTERNAL)),
        ("operation", lambda: inject("queue", "support", error=ErrorCode.INTERNAL)),
        ("error", lambda: inject("queue", "send_message")),
    ]
    for field, call in refused:
        with pytest.raises(ValidationError) as caught:
            call()
        assert [it.field for it in caught.value.violations] == [field]


# --- adversity


def fate(seed: int, **adversity: object) -> list[object]:
    """What the same calls come to with this seed."""
    queue = queue_of(connect(seed=seed, adversarial=adversity or True))
    log: list[object] = []

    def note(call: Callable[[], object]) -> None:
        try:
            log.append(call())
        except LCPlatformError as error:
            log.append((type(error), error.message, error.outcome))

    note(lambda: queue.create_queue(CreateQueueRequest(name="orders")))
    for number in range(50):
        note(lambda: queue.send_message(SendMessageRequest(queue="orders", body=f"{number}")))  # noqa: B023
    for _ in range(30):
        note(
            lambda: [
                it.body
                for it in queue.receive_messages(
                    ReceiveMessagesRequest(queue="orders", max_messages=3)
                ).messages
            ]
        )
    return log


def test_the_same_seed_is_the_same_fate() -> None:
    fates = [[it for it in fate(seed) if isinstance(it, list | tuple)] for seed in (1, 1, 2)]
    assert fates[0] == fates[1] != fates[2]


def test_names_are_repeatable_too() -> None:
    def first(seed: int) -> str:
        queue = queue_of(connect(seed=seed))
        queue.create_queue(CreateQueueRequest(name="orders"))
        return queue.send_message(SendMessageRequest(queue="orders", body="x")).message_id

    assert first(1) == first(1) != first(2)


def test_adversity_keeps_within_the_contract() -> None:
    """Nothing is lost, nothing is invented, what comes twice has the same identity, and errors may be retried."""
    queue = queue_of(
        connect(seed=7, adversarial={"duplicates": 0.5, "errors": 0, "lost_answers": 0})
    )
    assert isinstance(queue, MockQueue)
    assert "exact_counts" not in queue.support.capabilities
    queue.create_queue(CreateQueueRequest(name="orders"))
    sent = [
        queue.send_message(SendMessageRequest(queue="orders", body=f"{number}")).message_id
        for number in range(100)
    ]
    taken: list[str] = []
    request = ReceiveMessagesRequest(queue="orders", max_messages=10)
    while messages := queue.receive_messages(request).messages:
        for it in messages:
            taken.append(it.id)
            queue.delete_message(
                DeleteMessageRequest(queue="orders", receipt_handle=it.receipt_handle)
            )
    assert set(taken) == set(sent)
    assert 100 < len(taken) <= 200
    assert list(dict.fromkeys(taken)) != sent


def test_refusals_have_no_effect_and_lost_answers_have_one() -> None:
    drivers = connect(seed=3, adversarial={"errors": 0.3, "lost_answers": 0.3})
    store = store_of(drivers)
    fates: set[tuple[type, Outcome, bool, bool]] = set()
    for number in range(200):
        name = f"bucket-{number}"
        try:
            store.create_bucket(CreateBucketRequest(name=name))
        except (QuotaExceededError, ServiceUnavailableError) as error:
            fates.add((type(error), error.outcome, error.retryable, name in store._state))
    assert fates == {
        (QuotaExceededError, Outcome.NOT_EXECUTED, True, False),
        (ServiceUnavailableError, Outcome.NOT_EXECUTED, True, False),
        (ServiceUnavailableError, Outcome.UNKNOWN, True, True),
    }


def test_in_adversity_fifo_queues_keep_their_promises() -> None:
    queue = queue_of(connect(seed=5, adversarial={"errors": 0, "lost_answers": 0, "duplicates": 1}))
    queue.create_queue(CreateQueueRequest(name="ledger", fifo=True))
    for number in range(20):
        queue.send_message(SendMessageRequest(queue="ledger", body=f"{number}", group_id="a"))
    answers = [
        queue.receive_messages(ReceiveMessagesRequest(queue="ledger", max_messages=10))
        for _ in range(2)
    ]
    assert [it.body for it in answers[0].messages] == [f"{number}" for number in range(10)]
    assert answers[1].messages == ()


def test_a_snapshot_does_not_turn_back_chance() -> None:
    drivers = connect(seed=1, adversarial={"errors": 0, "lost_answers": 0, "duplicates": 0})
    queue, control = queue_of(drivers), control_of(drivers)
    queue.create_queue(CreateQueueRequest(name="orders"))
    for number in range(100):
        queue.send_message(SendMessageRequest(queue="orders", body=f"{number}"))
    snapshot = control.take_snapshot(TakeSnapshotRequest()).snapshot_id
    orders: list[list[object]] = []
    for _ in range(2):
        control.restore_snapshot(RestoreSnapshotRequest(snapshot_id=snapshot))
        request = ReceiveMessagesRequest(queue="orders", max_messages=10)
        orders.append([it.body for it in queue.receive_messages(request).messages])
    assert orders[0] != orders[1]


def test_in_adversity_a_changed_lease_has_another_handle() -> None:
    queue = queue_of(connect(adversarial={"errors": 0, "lost_answers": 0, "duplicates": 0}))
    queue.create_queue(CreateQueueRequest(name="orders"))
    queue.send_message(SendMessageRequest(queue="orders", body="x"))
    [held] = queue.receive_messages(ReceiveMessagesRequest(queue="orders")).messages

    def change(handle: str, seconds: int) -> str:
        return queue.change_visibility(
            ChangeVisibilityRequest(
                queue="orders", receipt_handle=handle, visibility_timeout=timedelta(seconds=seconds)
            )
        ).receipt_handle

    handle = change(held.receipt_handle, 10)
    assert handle != held.receipt_handle
    queue.delete_message(DeleteMessageRequest(queue="orders", receipt_handle=held.receipt_handle))
    assert change(handle, 0) != handle
    assert len(queue.receive_messages(ReceiveMessagesRequest(queue="orders")).messages) == 1


# --- isolation


def test_each_connection_has_a_state_of_its_own() -> None:
    one, other = connect(), connect()
    store_of(one).create_bucket(CreateBucketRequest(name="bucket"))
    store_of(one).put_object(PutObjectHeader(bucket="bucket", key="key"), ByteSource.of(b"mine"))
    with pytest.raises(ResourceNotFoundError):
        store_of(other).get_object(GetObjectRequest(bucket="bucket", key="key"))
    control_of(one).inject_fault(
        InjectFaultRequest(service="queue", operation="create_queue", error=ErrorCode.INTERNAL)
    )
    queue_of(other).create_queue(CreateQueueRequest(name="orders"))
    assert one.object_store() is one.object_store()
