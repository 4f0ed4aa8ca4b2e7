"""The gathering sender: what many callers send to one queue at once travels together, and each knows of its own."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

import pytest

from lcplatform import AsyncLCPlatform, CallOptions, LCPlatform
from lcplatform.errors import (
    DeadlineExceededError,
    LCPlatformError,
    OperationCancelledError,
    PermissionDeniedError,
    QuotaExceededError,
    ServiceUnavailableError,
    ValidationError,
)
from lcplatform.queue.models import SendMessageResponse
from lcplatform_aws.queue_gathering import Gathering
from lcplatform_runtime.cancellation import CANCELLATION, Cancellation
from tests.unit.aws.conftest import AtStub
from tests.unit.aws.sqs import MISSING, URL, Sqs
from tests.unit.aws.stub import Answer, Stub, json_answer, json_error

pytestmark = pytest.mark.usefixtures("judged")

Gathers = Callable[..., LCPlatform]

LONG = 1000
"""Milliseconds, so many that no test waits for them: a batch goes when it is full."""
SHORT = 20


def taken(asked: dict[str, Any]) -> Answer:
    """Every entry was taken. Its message is named after its body."""
    return json_answer(
        Successful=[{"Id": it["Id"], "MessageId": it["MessageBody"]} for it in asked["Entries"]]
    )


@pytest.fixture
def sqs(stub: Stub) -> Sqs:
    sqs = Sqs(stub)
    sqs.does["SendMessageBatch"] = taken
    sqs.does["PurgeQueue"] = lambda _: json_answer()
    return sqs


@pytest.fixture
def gathering(at_stub: AtStub) -> Gathers:
    """Makes platforms that gather, and know where the queues are."""

    def make(window: int, **more: Any) -> LCPlatform:
        platform = at_stub(queue={"gather_window": window}, **more)
        for name in ("orders", "dead", "ledger"):
            platform.queue.purge_queue(name)
        return platform

    return make


@pytest.fixture
def callers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(64) as threads:
        yield threads


Sending = Callable[..., list[Future[SendMessageResponse]]]


@pytest.fixture
def send(callers: ThreadPoolExecutor) -> Sending:
    """Sends messages at the same time, a caller each, and returns when all of them know."""

    def sending(
        platform: LCPlatform, *bodies: str, queue: str = "orders", **more: Any
    ) -> list[Future[SendMessageResponse]]:
        calls = [
            callers.submit(platform.queue.send_message, queue, body, **more) for body in bodies
        ]
        assert not wait(calls, 20).not_done
        return calls

    return sending


def bodies(sqs: Sqs) -> list[list[str]]:
    """The batches that were sent."""
    return [[it["MessageBody"] for it in b["Entries"]] for b in sqs.calls("SendMessageBatch")]


def error_of(call: Future[SendMessageResponse]) -> LCPlatformError:
    error = call.exception()
    assert isinstance(error, LCPlatformError), error
    return error


def test_what_callers_send_at_once_travels_together(
    gathering: Gathers, sqs: Sqs, send: Sending
) -> None:
    platform = gathering(LONG)
    began = time.monotonic()
    names = [f"m{number}" for number in range(20)]
    answers = [it.result() for it in send(platform, *names)]
    assert [it.message_id for it in answers] == names
    assert [len(it) for it in bodies(sqs)] == [10, 10]
    assert not sqs.calls("SendMessage")
    assert time.monotonic() - began < 0.9, "a full batch waits for nobody"


def test_a_message_that_nobody_joins_goes_when_its_time_is_up(gathering: Gathers, sqs: Sqs) -> None:
    platform = gathering(SHORT)
    began = time.monotonic()
    assert platform.queue.send_message("orders", "alone").message_id == "alone"
    assert 0.02 <= time.monotonic() - began < 1
    assert bodies(sqs) == [["alone"]]


def test_messages_of_other_queues_travel_by_themselves(
    gathering: Gathers, sqs: Sqs, callers: ThreadPoolExecutor
) -> None:
    platform = gathering(SHORT)
    calls = [
        callers.submit(platform.queue.send_message, queue, queue)
        for queue in ("orders", "dead") * 3
    ]
    assert not wait(calls, 20).not_done
    for batch in bodies(sqs):
        assert len(set(batch)) == 1


def test_a_batch_is_never_larger_than_sqs_takes(
    gathering: Gathers, sqs: Sqs, send: Sending
) -> None:
    platform = gathering(200)
    third = "ä" * (1024 * 1024 // 6)  # in characters it is half as long
    assert all(it.result() for it in send(platform, *[third] * 5, attributes={"a": "b" * 100}))
    assert max(len(it) for it in bodies(sqs)) <= 2
    assert sum(len(it) for it in bodies(sqs)) == 5


def test_without_the_option_each_message_is_sent_by_itself(platform: LCPlatform, sqs: Sqs) -> None:
    sqs.does["SendMessage"] = lambda _: json_answer(MessageId="m1")
    platform.queue.send_message("orders", "x")
    assert not sqs.calls("SendMessageBatch")


@pytest.mark.parametrize("window", [0, -1, 1001, 0.5, "soon"])
def test_a_window_of_no_use_is_refused(at_stub: AtStub, window: object) -> None:
    with pytest.raises(ValidationError, match="gather_window"):
        at_stub(queue={"gather_window": window})


# --- failures


def test_an_entry_that_is_not_taken_fails_for_its_caller_alone(
    gathering: Gathers, sqs: Sqs, send: Sending
) -> None:
    def some(asked: dict[str, Any]) -> Answer:
        codes = {"bad": "InvalidMessageContents", "odd": "SomethingNew", "lost": "InternalError"}
        entries = asked["Entries"]
        return json_answer(
            Successful=[
                {"Id": it["Id"], "MessageId": "m"} for it in entries if it["MessageBody"] == "good"
            ],
            Failed=[
                {
                    "Id": it["Id"],
                    "Code": codes[it["MessageBody"]],
                    "SenderFault": it["MessageBody"] != "lost",
                }
                for it in entries
                if it["MessageBody"] in codes
            ],
        )

    sqs.does["SendMessageBatch"] = some
    platform = gathering(SHORT)
    good, bad, odd, lost, silent = send(platform, "good", "bad", "odd", "lost", "silent")
    assert good.result().message_id == "m"
    assert isinstance(error_of(bad), ValidationError)
    assert error_of(bad).outcome == "not_executed"
    assert isinstance(error_of(odd), ValidationError)
    assert (error_of(lost).outcome, error_of(lost).details["code"]) == ("unknown", "InternalError")
    assert isinstance(error_of(silent), ServiceUnavailableError)
    assert error_of(silent).outcome == "unknown"
    assert [sorted(it) for it in bodies(sqs)] == [["bad", "good", "lost", "odd", "silent"]]


def test_an_entry_that_was_throttled_is_sent_again_and_no_other(
    gathering: Gathers, sqs: Sqs, send: Sending
) -> None:
    slowed = threading.Event()

    def once(asked: dict[str, Any]) -> Answer:
        entries = asked["Entries"]
        slow = [] if slowed.is_set() else [it for it in entries if it["MessageBody"] == "slow"]
        slowed.set()
        return json_answer(
            Successful=[
                {"Id": it["Id"], "MessageId": it["MessageBody"]} for it in entries if it not in slow
            ],
            Failed=[
                {"Id": it["Id"], "Code": "RequestThrottled", "SenderFault": False} for it in slow
            ],
        )

    sqs.does["SendMessageBatch"] = once
    for call, body in zip(
        send(gathering(SHORT), "a", "slow", "b"), ("a", "slow", "b"), strict=True
    ):
        assert call.result().message_id == body
    assert [sorted(it) for it in bodies(sqs)] == [["a", "b", "slow"], ["slow"]]


def test_a_batch_that_fails_whole_fails_for_each_with_an_error_of_its_own(
    gathering: Gathers, sqs: Sqs, send: Sending
) -> None:
    sqs.does["SendMessageBatch"] = lambda _: json_error(403, "AccessDenied")
    errors = [error_of(it) for it in send(gathering(SHORT), "a", "b", "c")]
    assert all(isinstance(it, PermissionDeniedError) for it in errors)
    assert len({id(it) for it in errors}) == len({id(it.__cause__) for it in errors}) == 3
    assert all(it.operation == "Queue.SendMessage" for it in errors)
    assert len(bodies(sqs)) == 1


def test_a_batch_that_was_throttled_is_sent_again(
    gathering: Gathers, sqs: Sqs, send: Sending
) -> None:
    answers = [json_error(400, "ThrottlingException"), json_error(400, "RequestThrottled")]
    sqs.does["SendMessageBatch"] = lambda asked: answers.pop() if answers else taken(asked)
    platform = gathering(100)
    assert [it.result().message_id for it in send(platform, "a", "b")] == ["a", "b"]


def test_a_batch_that_is_refused_for_one_message_fails_for_that_one(
    gathering: Gathers, sqs: Sqs, send: Sending
) -> None:
    def batch(asked: dict[str, Any]) -> Answer:
        if any(it["MessageBody"] == "bad" for it in asked["Entries"]):
            return json_error(400, "com.amazonaws.sqs#BatchRequestTooLong", "too long")
        return taken(asked)

    sqs.does["SendMessageBatch"] = batch
    good, bad, other = send(gathering(SHORT), "good", "bad", "other")
    assert isinstance(error_of(bad), ValidationError)
    assert (good.result().message_id, other.result().message_id) == ("good", "other")
    assert sorted(map(len, bodies(sqs))) == [1, 1, 1, 3]


@pytest.mark.parametrize("lost", [Answer(cut=0), Answer(silent=True)])
def test_a_batch_whose_answer_is_lost_is_not_sent_again(
    gathering: Gathers, sqs: Sqs, send: Sending, lost: Answer
) -> None:
    sqs.does["SendMessageBatch"] = lambda _: lost
    platform = gathering(SHORT, read_timeout=0.3)
    for call in send(platform, "a", "b"):
        assert isinstance(error_of(call), ServiceUnavailableError)
        assert error_of(call).outcome == "unknown"
    assert [sorted(it) for it in bodies(sqs)] == [["a", "b"]]


def test_a_message_that_its_queue_does_not_take_is_never_gathered(
    gathering: Gathers, sqs: Sqs
) -> None:
    platform = gathering(LONG)
    with pytest.raises(ValidationError, match="group_id"):
        platform.queue.send_message("ledger", "x")
    assert not bodies(sqs)


def test_a_queue_that_came_back_as_another_is_found(
    gathering: Gathers, sqs: Sqs, send: Sending
) -> None:
    platform = gathering(SHORT)
    again = "http://sqs/123/again"

    def batch(asked: dict[str, Any]) -> Answer:
        if asked["QueueUrl"] == URL:
            sqs.urls["orders"] = again
            return MISSING
        return taken(asked)

    sqs.does["SendMessageBatch"] = batch
    assert [it.result().message_id for it in send(platform, "a", "b")] == ["a", "b"]


# --- callers who give up


def within(seconds: float) -> CallOptions:
    return CallOptions(deadline=timedelta(seconds=seconds))


def test_whoever_gives_up_before_the_batch_goes_takes_the_message_back(
    gathering: Gathers, sqs: Sqs, callers: ThreadPoolExecutor
) -> None:
    queue = gathering(300).queue
    patient = callers.submit(queue.send_message, "orders", "patient")
    with pytest.raises(DeadlineExceededError) as hasty:
        queue.send_message("orders", "hasty", options=within(0.05))
    assert hasty.value.outcome == "not_executed"
    assert patient.result(5).message_id == "patient"
    assert bodies(sqs) == [["patient"]]


def test_whoever_gives_up_while_the_batch_is_under_way_does_not_know(
    gathering: Gathers, sqs: Sqs, callers: ThreadPoolExecutor
) -> None:
    queue = gathering(SHORT).queue
    gone = threading.Event()

    def slow(asked: dict[str, Any]) -> Answer:
        gone.wait(5)
        return taken(asked)

    sqs.does["SendMessageBatch"] = slow
    patient = callers.submit(queue.send_message, "orders", "patient")
    with pytest.raises(DeadlineExceededError) as hasty:
        queue.send_message("orders", "hasty", options=within(0.2))
    gone.set()
    assert hasty.value.outcome == "unknown"
    assert patient.result(5).message_id == "patient"
    assert sorted(bodies(sqs)[0]) == ["hasty", "patient"]


def test_whoever_is_cancelled_takes_the_message_back(gathering: Gathers, sqs: Sqs) -> None:
    queue = gathering(LONG).queue
    cancellation = Cancellation()
    threading.Timer(0.05, cancellation.cancel).start()
    token = CANCELLATION.set(cancellation)
    try:
        with pytest.raises(OperationCancelledError) as caught:
            queue.send_message("orders", "x")
    finally:
        CANCELLATION.reset(token)
    assert caught.value.outcome == "not_executed"
    assert not bodies(sqs)


# --- order


def test_one_batch_of_a_fifo_queue_is_under_way_at_a_time_and_order_is_kept(
    gathering: Gathers, sqs: Sqs, callers: ThreadPoolExecutor
) -> None:
    """Were two of them, the second could arrive first."""
    under_way, most, lock = 0, 0, threading.Lock()

    def slow(asked: dict[str, Any]) -> Answer:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.03)
        with lock:
            under_way -= 1
        return taken(asked)

    sqs.does["SendMessageBatch"] = slow
    queue = gathering(5).queue
    calls = []
    for number in range(25):
        calls.append(callers.submit(queue.send_message, "ledger", f"{number:02}", group_id="g"))
        time.sleep(0.002)  # so that they come in this order
    assert not wait(calls, 20).not_done
    assert most == 1
    sent = [body for batch in bodies(sqs) for body in batch]
    assert sent == sorted(sent)
    assert len(sent) == 25
    first = sqs.calls("SendMessageBatch")[0]["Entries"][0]
    assert first["MessageGroupId"] == "g"


def test_batches_of_a_standard_queue_do_not_wait_for_each_other(
    gathering: Gathers, sqs: Sqs, send: Sending
) -> None:
    meeting = threading.Barrier(2, timeout=5)

    def together(asked: dict[str, Any]) -> Answer:
        meeting.wait()
        return taken(asked)

    sqs.does["SendMessageBatch"] = together
    names = [f"m{number}" for number in range(20)]
    assert [it.result().message_id for it in send(gathering(LONG), *names)] == names


# --- the end


def test_closing_sends_what_waits(
    gathering: Gathers, sqs: Sqs, callers: ThreadPoolExecutor
) -> None:
    platform = gathering(LONG)
    queue = platform.queue
    calls = [callers.submit(queue.send_message, "orders", f"m{number}") for number in range(3)]
    time.sleep(0.1)
    began = time.monotonic()
    platform.close()
    assert sorted(it.result(5).message_id for it in calls) == ["m0", "m1", "m2"]
    assert time.monotonic() - began < 0.7
    assert sum(map(len, bodies(sqs))) == 3


def test_what_comes_after_the_end_is_sent_by_itself() -> None:
    sent: list[dict[str, Any]] = []

    class Client:
        def send_message_batch(self, **asked: Any) -> dict[str, Any]:
            sent.append(asked)
            return {"Successful": [{"Id": "0", "MessageId": "m"}]}

    client: Any = Client()
    gathering = Gathering(lambda: client, 1.0)
    gathering.close()
    assert gathering.send(URL, {"MessageBody": "late"})["MessageId"] == "m"
    assert len(sent) == 1


def test_a_fork_gathers_with_threads_of_its_own(gathering: Gathers, sqs: Sqs) -> None:
    queue = gathering(SHORT).queue
    queue.send_message("orders", "parent")
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if queue.send_message("orders", "child").message_id == "child" else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# --- async callers


def at(stub: Stub, window: int) -> AsyncLCPlatform:
    return AsyncLCPlatform(
        "aws",
        endpoint_url=stub.url,
        region="eu-west-1",
        access_key_id="AKIATEST",
        secret_access_key="hush",
        queue={"gather_window": window},
    )


def test_what_async_callers_send_at_once_travels_together(stub: Stub, sqs: Sqs) -> None:
    names = [f"m{number}" for number in range(10)]

    async def sending() -> list[str]:
        async with at(stub, LONG) as platform:
            queue = platform.queue
            await queue.purge_queue("orders")
            answers = await asyncio.gather(*(queue.send_message("orders", it) for it in names))
        return [it.message_id for it in answers]

    assert asyncio.run(sending()) == names
    assert [len(it) for it in bodies(sqs)] == [10]


def test_an_async_caller_who_is_cancelled_leaves_the_others(stub: Stub, sqs: Sqs) -> None:
    async def sending() -> str:
        async with at(stub, 200) as platform:
            queue = platform.queue
            await queue.purge_queue("orders")
            hasty = asyncio.create_task(queue.send_message("orders", "hasty"))
            patient = asyncio.create_task(queue.send_message("orders", "patient"))
            await asyncio.sleep(0.05)
            hasty.cancel()
            answer = await patient
            with pytest.raises(asyncio.CancelledError):
                await hasty
            return answer.message_id

    assert asyncio.run(sending()) == "patient"


def test_a_throttled_sender_that_may_not_retry_is_told(
    gathering: Gathers, sqs: Sqs, send: Sending
) -> None:
    sqs.does["SendMessageBatch"] = lambda asked: json_answer(
        Failed=[
            {"Id": it["Id"], "Code": "RequestThrottled", "SenderFault": False}
            for it in asked["Entries"]
        ]
    )
    (call,) = send(gathering(SHORT, max_attempts=1), "x")
    assert isinstance(error_of(call), QuotaExceededError)
    assert error_of(call).retryable
