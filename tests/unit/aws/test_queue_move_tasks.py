"""Dead letters that tasks of SQS move, on the fake of the tasks with an emulator of the queues behind it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from lcplatform import CallOptions, LCPlatform
from lcplatform.errors import (
    DeadlineExceededError,
    PreconditionFailedError,
    QuotaExceededError,
    ResourceNotFoundError,
    ValidationError,
)
from lcplatform.queue.models import SendMessagesEntry
from tests.emulators import Emulator, start_moto
from tests.fake_aws.server import FakeAws, Fault
from tests.fake_aws.sqs import MoveTasks
from tests.unit.aws.conftest import AtStub

pytestmark = pytest.mark.usefixtures("judged")

START = "sqs:StartMessageMoveTask"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    emulator = start_moto()
    yield emulator
    emulator.stop()


@pytest.fixture
def tasks(emulator: Emulator) -> MoveTasks:
    return MoveTasks(emulator.url)


@pytest.fixture
def aws(emulator: Emulator, tasks: MoveTasks) -> Iterator[FakeAws]:
    with FakeAws([tasks], behind=emulator.url) as aws:
        yield aws
        assert not aws.refused


@pytest.fixture
def platform(at_stub: AtStub, aws: FakeAws) -> Iterator[LCPlatform]:
    """With a queue `orders`, and its dead letters in `dead`."""
    platform = at_stub(endpoint_url=aws.url, region="us-east-1", queue={"redrive": "tasks"})
    queue = platform.queue
    queue.create_queue("dead")
    queue.create_queue("orders", dead_letter_queue="dead")
    yield platform
    for name in ("orders", "dead"):
        queue.delete_queue(name)


def bury(platform: LCPlatform, count: int) -> None:
    entries = [
        SendMessagesEntry(body=f"letter {number}", attributes={"number": str(number)})
        for number in range(count)
    ]
    assert not platform.queue.send_messages("dead", entries).failed


def held(platform: LCPlatform, name: str) -> int | None:
    return platform.queue.get_queue(name).queue.available_messages


def test_a_task_moves_all_letters_home_and_is_waited_for(
    platform: LCPlatform, aws: FakeAws
) -> None:
    bury(platform, 5)
    assert platform.queue.redrive_dead_letters("orders").moved == 5
    assert (held(platform, "orders"), held(platform, "dead")) == (5, 0)
    assert START in aws.calls
    (message,) = platform.queue.receive_messages("orders").messages
    assert message.attributes == {"number": str(message.body).removeprefix("letter ")}


def test_a_task_that_takes_a_while_is_looked_at_until_it_is_done(
    platform: LCPlatform, tasks: MoveTasks, aws: FakeAws
) -> None:
    tasks.delay = timedelta(seconds=0.4)
    bury(platform, 2)
    assert platform.queue.redrive_dead_letters("orders").moved == 2
    assert aws.calls.count("sqs:ListMessageMoveTasks") >= 3


def test_without_the_option_letters_go_home_one_by_one(
    at_stub: AtStub, aws: FakeAws, platform: LCPlatform
) -> None:
    bury(platform, 1)
    plain = at_stub(endpoint_url=aws.url, region="us-east-1")
    assert plain.queue.redrive_dead_letters("orders").moved == 1
    assert START not in aws.calls


def test_a_task_that_would_move_more_than_was_asked_for_is_not_begun(
    platform: LCPlatform, aws: FakeAws
) -> None:
    bury(platform, 5)
    assert platform.queue.redrive_dead_letters("orders", max_messages=3).moved == 3
    assert (held(platform, "orders"), START in aws.calls) == (3, False)


def test_a_task_that_would_move_the_letters_of_others_is_not_begun(
    platform: LCPlatform, aws: FakeAws
) -> None:
    platform.queue.create_queue("others", dead_letter_queue="dead")
    try:
        bury(platform, 1)
        platform.queue.redrive_dead_letters("orders")
        assert START not in aws.calls
    finally:
        platform.queue.delete_queue("others")


def test_the_deadline_ends_the_task_and_says_how_far_it_was(
    platform: LCPlatform, tasks: MoveTasks
) -> None:
    bury(platform, 1)
    tasks.delay = timedelta(hours=1)
    with pytest.raises(DeadlineExceededError) as caught:
        platform.queue.redrive_dead_letters(
            "orders", options=CallOptions(deadline=timedelta(seconds=1))
        )
    assert (caught.value.outcome, caught.value.details["moved"]) == ("unknown", "0")
    assert [it.status for it in tasks.tasks] == ["CANCELLING"]


def test_a_second_redrive_at_the_same_time_is_refused(
    platform: LCPlatform, tasks: MoveTasks
) -> None:
    tasks.delay = timedelta(hours=1)
    home, origin = (f"arn:aws:sqs:us-east-1:123456789012:{name}" for name in ("orders", "dead"))
    tasks.start_message_move_task({"SourceArn": origin, "DestinationArn": home})
    with pytest.raises(PreconditionFailedError, match="already a task running"):
        platform.queue.redrive_dead_letters("orders")


def test_a_task_that_somebody_else_ended_tells_what_it_moved(
    platform: LCPlatform, tasks: MoveTasks
) -> None:
    bury(platform, 1)
    tasks.delay = timedelta(hours=1)
    with ThreadPoolExecutor(1) as thread:
        redrive = thread.submit(platform.queue.redrive_dead_letters, "orders")
        while not tasks.tasks:
            time.sleep(0.01)
        tasks.cancel_message_move_task({"TaskHandle": tasks.tasks[0].handle})
        assert redrive.result(20).moved == 0
    assert held(platform, "dead") == 1


def test_a_task_that_fails_is_an_error_that_says_how_far_it_was(
    platform: LCPlatform, tasks: MoveTasks
) -> None:
    bury(platform, 1)
    tasks.fail_for = "AWS.SimpleQueueService.NonExistentQueue"
    with pytest.raises(ResourceNotFoundError, match="about 0 dead letters") as caught:
        platform.queue.redrive_dead_letters("orders")
    assert caught.value.outcome == "unknown"


def test_a_start_that_was_throttled_is_repeated_and_a_look_that_was_is_not(
    platform: LCPlatform, tasks: MoveTasks, aws: FakeAws
) -> None:
    throttled = Fault(400, "RequestThrottled")
    aws.will_fail(START, throttled)
    bury(platform, 1)
    assert platform.queue.redrive_dead_letters("orders").moved == 1
    aws.will_fail("sqs:ListMessageMoveTasks", throttled)
    with pytest.raises(QuotaExceededError) as caught:
        platform.queue.redrive_dead_letters("orders")
    assert caught.value.outcome == "unknown"
    assert aws.calls.count(START) == 3


def test_a_way_that_there_is_not_is_refused(at_stub: AtStub) -> None:
    with pytest.raises(ValidationError, match="redrive"):
        at_stub(queue={"redrive": "pigeons"})
