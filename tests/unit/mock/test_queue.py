"""What scenarios cannot tell of queues: races, waiting, and rules of single providers that the mock keeps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from typing_extensions import override

from lcplatform.errors import (
    ConflictError,
    DeadlineExceededError,
    OperationCancelledError,
    PreconditionFailedError,
    QuotaExceededError,
    ResourceNotFoundError,
    ValidationError,
)
from lcplatform.queue.client import Queue
from lcplatform.queue.models import (
    CreateQueueRequest,
    DeleteMessageRequest,
    Message,
    ReceiveMessagesRequest,
    ReceiveMessagesResponse,
    SendMessageRequest,
    SendMessagesEntry,
)
from lcplatform_mock import messages as limits
from lcplatform_mock.provider import provider
from lcplatform_mock.queue import MockQueue
from lcplatform_runtime.cancellation import CANCELLATION, Cancellation
from lcplatform_runtime.context import CallContext, entered
from lcplatform_runtime.testing.clock import ManualClock
from tests.unit.mock.race import RUNNERS, race

SECOND = timedelta(seconds=1)


def received(
    queues: Queue,
    queue: str,
    most: int = 10,
    *,
    wait: timedelta = timedelta(),
    visibility_timeout: timedelta | None = None,
) -> list[Message]:
    answer = queues.receive_messages(
        queue, max_messages=most, wait=wait, visibility_timeout=visibility_timeout
    )
    return list(answer.messages)


def texts(messages: list[Message]) -> list[object]:
    return [it.body for it in messages]


def counts(queues: Queue, queue: str) -> tuple[int | None, int | None, int | None]:
    info = queues.get_queue(queue).queue
    return info.available_messages, info.in_flight_messages, info.delayed_messages


@pytest.fixture
def orders(queues: Queue) -> str:
    queues.create_queue("orders", visibility_timeout=10 * SECOND)
    return "orders"


@pytest.fixture
def ledger(queues: Queue) -> str:
    queues.create_queue("ledger", fifo=True, visibility_timeout=10 * SECOND)
    return "ledger"


# --- races


def test_of_many_receivers_each_message_has_one(queues: Queue, orders: str) -> None:
    sent = {queues.send_message(orders, f"{number}").message_id for number in range(200)}

    def drain(_: int) -> list[str]:
        mine: list[str] = []
        while batch := received(queues, orders, 3):
            mine += [it.id for it in batch]
        return mine

    results = race(drain)
    taken = [name for mine in results if not isinstance(mine, Exception) for name in mine]
    assert len(taken) == len(sent)
    assert set(taken) == sent
    assert counts(queues, orders) == (0, 200, 0)


def test_of_many_updates_with_the_same_etag_one_wins(queues: Queue, orders: str) -> None:
    etag = queues.get_queue(orders).queue.etag
    results = race(
        lambda number: queues.update_queue(
            orders, visibility_timeout=(20 + number) * SECOND, if_match=etag
        )
    )
    assert sum(isinstance(it, ConflictError) for it in results) == RUNNERS - 1
    assert queues.get_queue(orders).queue.etag != etag


def test_senders_and_receivers_lose_nothing(queues: Queue, ledger: str) -> None:
    stop = threading.Event()
    taken: dict[str, list[int]] = {}

    def work(number: int) -> None:
        if number % 2:
            for turn in range(50):
                queues.send_message(
                    ledger, f"{turn}", group_id=f"g{number}", deduplication_id=f"{number}-{turn}"
                )
            return
        while not stop.is_set() or counts(queues, ledger) != (0, 0, 0):
            for message in received(queues, ledger, 10):
                taken.setdefault(message.group_id or "", []).append(int(str(message.body)))
                queues.delete_message(ledger, message.receipt_handle)
            if sum(map(len, taken.values())) == 50 * (RUNNERS // 2):
                stop.set()

    assert race(work) == [None] * RUNNERS
    assert taken == {f"g{number}": list(range(50)) for number in range(1, RUNNERS, 2)}


# --- waiting


@contextmanager
def waiting(
    queues: Queue, clock: ManualClock, queue: str, wait: timedelta = 20 * SECOND
) -> Iterator[Future[list[Message]]]:
    """A receiver in another thread, once it waits."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(received, queues, queue, 10, wait=wait)
        clock.await_sleepers()
        try:
            yield future
        finally:
            if not future.done():  # whatever went wrong, nobody waits for ever
                clock.advance(wait)


def test_a_long_poll_wakes_when_a_message_is_sent(
    queues: Queue, orders: str, clock: ManualClock
) -> None:
    with waiting(queues, clock, orders) as receiver:
        queues.send_message(orders, "now")
        assert texts(receiver.result(10)) == ["now"]


def test_a_long_poll_wakes_when_a_delay_ends(
    queues: Queue, orders: str, clock: ManualClock
) -> None:
    queues.send_message(orders, "later", delay=5 * SECOND)
    with waiting(queues, clock, orders) as receiver:
        clock.advance(4.9)
        clock.await_sleepers()
        assert not receiver.done()
        clock.advance(0.1)
        assert texts(receiver.result(10)) == ["later"]


def test_a_long_poll_wakes_when_a_lease_ends_or_is_given_back(
    queues: Queue, orders: str, clock: ManualClock
) -> None:
    queues.send_message(orders, "again")
    [held] = received(queues, orders)
    with waiting(queues, clock, orders) as receiver:
        clock.advance(10)
        [held] = receiver.result(10)
    assert held.receive_count == 2
    with waiting(queues, clock, orders) as receiver:
        queues.change_visibility(orders, held.receipt_handle, visibility_timeout=timedelta())
        assert [it.receive_count for it in receiver.result(10)] == [3]


def test_a_long_poll_ends_empty_when_its_time_is_over(
    queues: Queue, orders: str, clock: ManualClock
) -> None:
    with waiting(queues, clock, orders, 3 * SECOND) as receiver:
        clock.advance(3)
        assert receiver.result(10) == []


def test_a_long_poll_wakes_when_a_group_is_free_again(
    queues: Queue, ledger: str, clock: ManualClock
) -> None:
    for body in ("first", "second"):
        queues.send_message(ledger, body, group_id="a")
    [held] = received(queues, ledger, 1)
    with waiting(queues, clock, ledger) as receiver:
        queues.delete_message(ledger, held.receipt_handle)
        assert texts(receiver.result(10)) == ["second"]


def test_a_long_poll_wakes_when_a_dead_letter_arrives(
    queues: Queue, orders: str, clock: ManualClock
) -> None:
    queues.create_queue("dead")
    queues.update_queue(orders, dead_letter_queue="dead", max_receive_count=1)
    queues.send_message(orders, "poison")
    received(queues, orders)
    with waiting(queues, clock, "dead") as receiver:
        clock.advance(10)
        assert received(queues, orders) == []
        assert texts(receiver.result(10)) == ["poison"]


def test_a_long_poll_ends_when_its_queue_is_deleted(
    queues: Queue, orders: str, clock: ManualClock
) -> None:
    with waiting(queues, clock, orders) as receiver:
        queues.delete_queue(orders)
        with pytest.raises(ResourceNotFoundError):
            receiver.result(10)


def test_a_long_poll_does_not_outlast_the_deadline_of_its_call(clock: ManualClock) -> None:
    driver = _driver(clock=ManualClock(self_advancing=True))
    request = ReceiveMessagesRequest(queue="orders", wait=20 * SECOND)
    with entered(CallContext("c", deadline=0.0, clock=clock)), pytest.raises(DeadlineExceededError):
        driver.receive_messages(request)
    with entered(CallContext("c", deadline=60.0, clock=clock)):
        assert driver.receive_messages(request) == ReceiveMessagesResponse()


class _Late(Cancellation):
    """A caller who gives up between the look at it and the wait."""

    @contextmanager
    @override
    def waking(self, wake: Callable[[], None]) -> Iterator[None]:
        self.cancel()
        with super().waking(wake):
            yield


def _heard(
    driver: MockQueue, clock: ManualClock, cancellation: Cancellation, meanwhile: Callable[[], None]
) -> None:
    """A receiver that waits for who gives up ends at once, whatever comes meanwhile."""

    def receive() -> ReceiveMessagesResponse:
        CANCELLATION.set(cancellation)
        return driver.receive_messages(ReceiveMessagesRequest(queue="orders", wait=20 * SECOND))

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(receive)
        try:
            meanwhile()
            with pytest.raises(OperationCancelledError):
                future.result(10)
        finally:
            clock.advance(20)


def test_a_receiver_hears_a_caller_who_gives_up_just_before_the_wait(clock: ManualClock) -> None:
    _heard(_driver(clock=clock), clock, _Late(), lambda: None)


def test_a_message_that_comes_as_the_caller_gives_up_stays(clock: ManualClock) -> None:
    driver = _driver(clock=clock)
    cancellation = Cancellation()

    def come() -> None:
        clock.await_sleepers()
        cancellation._cancelled = True  # it is not told before the message comes
        driver.send_message(SendMessageRequest(queue="orders", body="first"))

    _heard(driver, clock, cancellation, come)
    answer = driver.receive_messages(ReceiveMessagesRequest(queue="orders"))
    assert [it.receive_count for it in answer.messages] == [1]


# --- receipts


def test_a_handle_of_an_earlier_receipt_deletes_nothing(
    queues: Queue, orders: str, clock: ManualClock
) -> None:
    queues.send_message(orders, "slow")
    [first] = received(queues, orders)
    clock.advance(10)
    [second] = received(queues, orders)
    queues.delete_message(orders, first.receipt_handle)
    assert counts(queues, orders) == (0, 1, 0)
    with pytest.raises(PreconditionFailedError):
        queues.change_visibility(orders, first.receipt_handle, visibility_timeout=SECOND)
    queues.delete_message(orders, second.receipt_handle)
    assert counts(queues, orders) == (0, 0, 0)


def test_the_last_handle_stays_good_after_its_lease(
    queues: Queue, orders: str, clock: ManualClock
) -> None:
    queues.send_message(orders, "slow")
    [held] = received(queues, orders)
    clock.advance(11)
    assert counts(queues, orders) == (1, 0, 0)
    queues.delete_message(orders, held.receipt_handle)
    assert counts(queues, orders) == (0, 0, 0)
    assert received(queues, orders) == []


def test_in_a_fifo_queue_a_handle_is_good_for_its_lease_only(
    queues: Queue, ledger: str, clock: ManualClock
) -> None:
    queues.send_message(ledger, "slow", group_id="a")
    [held] = received(queues, ledger)
    clock.advance(11)
    with pytest.raises(ValidationError):
        queues.delete_message(ledger, held.receipt_handle)
    assert counts(queues, ledger) == (1, 0, 0)


@pytest.mark.parametrize(
    "change", [lambda it: it + "0", lambda it: it[:-1] + "9", lambda it: it[:-1] + "+1", str.title]
)
def test_a_handle_that_was_made_up_is_refused(
    queues: Queue, orders: str, change: Callable[[str], str]
) -> None:
    queues.send_message(orders, "x")
    [held] = received(queues, orders)
    with pytest.raises(ValidationError):
        queues.delete_message(orders, change(held.receipt_handle))


def test_the_handle_of_one_queue_is_nothing_to_another(queues: Queue, orders: str) -> None:
    queues.create_queue("others")
    for queue in (orders, "others"):
        queues.send_message(queue, "x")
    [held] = received(queues, orders)
    received(queues, "others")
    with pytest.raises(ValidationError):
        queues.delete_message("others", held.receipt_handle)
    queues.delete_queue(orders)
    queues.create_queue(orders)
    queues.send_message(orders, "x")
    received(queues, orders)
    with pytest.raises(ValidationError):
        queues.delete_message(orders, held.receipt_handle)


def test_a_lease_lasts_twelve_hours_at_most_however_often_it_is_extended(
    queues: Queue, orders: str, clock: ManualClock
) -> None:
    queues.send_message(orders, "slow")
    [held] = received(queues, orders, visibility_timeout=timedelta(hours=11))
    clock.advance(timedelta(hours=10))
    queues.change_visibility(orders, held.receipt_handle, visibility_timeout=timedelta(hours=2))
    with pytest.raises(ValidationError):
        queues.change_visibility(
            orders, held.receipt_handle, visibility_timeout=timedelta(hours=2, seconds=1)
        )


def test_too_many_messages_in_flight_are_a_quota(
    queues: Queue, orders: str, ledger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "IN_FLIGHT", 2)
    for number in range(3):
        queues.send_message(orders, "x")
        queues.send_message(ledger, f"{number}", group_id=f"{number}")
    assert len(received(queues, orders, 2)) == len(received(queues, ledger, 2)) == 2
    with pytest.raises(QuotaExceededError):
        queues.receive_messages(orders)
    assert received(queues, ledger) == []


# --- FIFO


def test_one_call_receives_a_group_in_order_and_the_group_rests_until_all_is_done(
    queues: Queue, ledger: str, clock: ManualClock
) -> None:
    for number in range(4):
        queues.send_message(ledger, f"a{number}", group_id="a")
    queues.send_message(ledger, "b0", group_id="b")
    held = received(queues, ledger, 3)
    assert texts(held) == ["a0", "a1", "a2"]
    assert texts(received(queues, ledger)) == ["b0"]
    queues.delete_message(ledger, held[0].receipt_handle)
    queues.change_visibility(ledger, held[1].receipt_handle, visibility_timeout=timedelta())
    assert received(queues, ledger) == []
    clock.advance(10)
    assert texts(received(queues, ledger)) == ["a1", "a2", "a3", "b0"]


def test_what_comes_back_goes_to_its_place_in_the_group(
    queues: Queue, ledger: str, clock: ManualClock
) -> None:
    for number in range(3):
        queues.send_message(ledger, f"a{number}", group_id="a")
    held = received(queues, ledger, 2)
    queues.change_visibility(ledger, held[1].receipt_handle, visibility_timeout=timedelta())
    queues.change_visibility(ledger, held[0].receipt_handle, visibility_timeout=timedelta())
    again = received(queues, ledger)
    assert texts(again) == ["a0", "a1", "a2"]
    assert [it.sequence for it in again] == sorted(it.sequence or "" for it in again)


def test_a_queue_with_a_delay_keeps_the_order_of_a_group(queues: Queue, clock: ManualClock) -> None:
    queues.create_queue("slow", fifo=True, delay=10 * SECOND)
    queues.send_message("slow", "first", group_id="a")
    queues.update_queue("slow", delay=timedelta())
    queues.send_message("slow", "second", group_id="a")
    queues.send_message("slow", "other", group_id="b")
    assert texts(received(queues, "slow")) == ["other"]
    clock.advance(10)
    assert texts(received(queues, "slow")) == ["first", "second"]


def test_a_duplicate_gets_the_answer_of_the_first(queues: Queue, ledger: str) -> None:
    first = queues.send_message(ledger, "pay", group_id="a", deduplication_id="1")
    assert queues.send_message(ledger, "pay more", group_id="b", deduplication_id="1") == first
    batch = queues.send_messages(
        ledger,
        [
            SendMessagesEntry(body="x", group_id="a", deduplication_id="2"),
            SendMessagesEntry(body="y", group_id="a", deduplication_id="2"),
            SendMessagesEntry(body="y"),
            SendMessagesEntry(body="y", group_id="a", delay=SECOND),
        ],
    )
    one, other = batch.successful
    assert (one.message_id, one.sequence) == (other.message_id, other.sequence)
    assert [(it.index, it.code) for it in batch.failed] == [(2, "validation"), (3, "validation")]
    assert counts(queues, ledger) == (2, 0, 0)


def test_the_content_tells_duplicates_by_its_kind_too(queues: Queue, ledger: str) -> None:
    for body in ("[1]", b"[1]", [1], "[1]"):
        queues.send_message(ledger, body, group_id="a")
    assert counts(queues, ledger) == (3, 0, 0)


def test_duplicates_are_known_for_five_minutes_from_the_first(
    queues: Queue, ledger: str, clock: ManualClock
) -> None:
    for _ in range(3):
        queues.send_message(ledger, "pay", group_id="a")
        clock.advance(149)
    assert counts(queues, ledger) == (1, 0, 0)
    queues.send_message(ledger, "pay", group_id="a")
    assert counts(queues, ledger) == (2, 0, 0)


# --- dead letters


def test_a_dead_letter_of_a_group_makes_way_for_the_next(queues: Queue, clock: ManualClock) -> None:
    queues.create_queue("dead", fifo=True)
    queues.create_queue(
        "ledger",
        fifo=True,
        visibility_timeout=SECOND,
        dead_letter_queue="dead",
        max_receive_count=1,
    )
    for body in ("poison", "pay"):
        queues.send_message("ledger", body, group_id="a")
    assert texts(received(queues, "ledger", 1)) == ["poison"]
    clock.advance(1)
    assert texts(received(queues, "ledger", 1)) == ["pay"]
    [letter] = received(queues, "dead")
    assert (letter.body, letter.group_id, letter.receive_count) == ("poison", "a", 2)


def test_queues_that_share_a_dead_letter_queue_get_back_their_own(
    queues: Queue, clock: ManualClock
) -> None:
    queues.create_queue("dead")
    for queue in ("one", "other"):
        queues.create_queue(
            queue, visibility_timeout=SECOND, dead_letter_queue="dead", max_receive_count=1
        )
        for number in range(3):
            queues.send_message(queue, f"{queue} {number}")
        received(queues, queue)
    clock.advance(1)
    assert received(queues, "one") == received(queues, "other") == []
    assert len(queues.peek_dead_letters("one").messages) == 6
    assert queues.redrive_dead_letters("one", max_messages=2).moved == 2
    assert queues.redrive_dead_letters("one").moved == 1
    assert queues.redrive_dead_letters("one").moved == 0
    again = received(queues, "one")
    assert texts(again) == ["one 0", "one 1", "one 2"]
    assert {it.receive_count for it in again} == {1}
    assert texts(received(queues, "dead")) == ["other 0", "other 1", "other 2"]


def test_looking_at_dead_letters_changes_nothing_of_them(queues: Queue, clock: ManualClock) -> None:
    queues.create_queue("dead")
    queues.create_queue(
        "orders", visibility_timeout=SECOND, dead_letter_queue="dead", max_receive_count=1
    )
    queues.send_message("orders", "poison")
    received(queues, "orders")
    clock.advance(1)
    received(queues, "orders")
    [seen] = queues.peek_dead_letters("orders").messages
    queues.delete_message("dead", seen.receipt_handle)
    [taken] = received(queues, "dead")
    assert (taken.id, taken.receive_count) == (seen.id, seen.receive_count + 1)


def test_a_dead_letter_queue_is_another_one_of_the_same_kind(
    queues: Queue, orders: str, ledger: str
) -> None:
    with pytest.raises(ValidationError):
        queues.create_queue("mixed", fifo=True, dead_letter_queue=orders)
    with pytest.raises(ValidationError):
        queues.update_queue(orders, dead_letter_queue=ledger)
    with pytest.raises(ValidationError):
        queues.update_queue(orders, dead_letter_queue=orders)
    with pytest.raises(PreconditionFailedError):
        queues.update_queue(orders, max_receive_count=3)
    with pytest.raises(ResourceNotFoundError):
        queues.update_queue(orders, dead_letter_queue="nowhere")


def test_without_its_dead_letter_queue_a_message_is_delivered_on(
    queues: Queue, clock: ManualClock
) -> None:
    queues.create_queue("dead")
    queues.create_queue(
        "orders", visibility_timeout=SECOND, dead_letter_queue="dead", max_receive_count=1
    )
    queues.delete_queue("dead")
    queues.send_message("orders", "poison")
    for count in (1, 2, 3):
        assert [it.receive_count for it in received(queues, "orders")] == [count]
        clock.advance(1)
    with pytest.raises(ResourceNotFoundError):
        queues.peek_dead_letters("orders")


# --- time and size


def test_a_message_gets_too_old_whoever_holds_it(
    queues: Queue, orders: str, clock: ManualClock
) -> None:
    queues.update_queue(orders, retention=timedelta(minutes=1))
    queues.send_message(orders, "held")
    queues.send_message(orders, "waits")
    queues.send_message(orders, "delayed", delay=timedelta(minutes=10))
    [held] = received(queues, orders, 1, visibility_timeout=timedelta(hours=1))
    clock.advance(60)
    assert counts(queues, orders) == (0, 0, 0)
    queues.delete_message(orders, held.receipt_handle)
    with pytest.raises(PreconditionFailedError):
        queues.change_visibility(orders, held.receipt_handle, visibility_timeout=SECOND)


def test_a_dead_letter_keeps_its_age(queues: Queue, clock: ManualClock) -> None:
    queues.create_queue("dead", retention=timedelta(minutes=2))
    queues.create_queue(
        "orders", visibility_timeout=SECOND, dead_letter_queue="dead", max_receive_count=1
    )
    queues.send_message("orders", "poison")
    clock.advance(60)
    queues.send_message("dead", "sent here")
    received(queues, "orders")
    clock.advance(1)
    received(queues, "orders")
    assert counts(queues, "dead") == (2, 0, 0)
    clock.advance(59)
    assert texts(received(queues, "dead")) == ["sent here"]


def test_a_longer_retention_keeps_what_is_there(
    queues: Queue, orders: str, clock: ManualClock
) -> None:
    queues.update_queue(orders, retention=timedelta(minutes=1))
    queues.send_message(orders, "x")
    clock.advance(30)
    queues.update_queue(orders, retention=timedelta(minutes=2))
    clock.advance(60)
    assert counts(queues, orders) == (1, 0, 0)


def test_attributes_count_in_the_size_of_a_message(queues: Queue) -> None:
    queues.create_queue("small", max_message_size=1024)
    queues.send_message("small", "x" * 1014, attributes={"name1": "value"})
    with pytest.raises(ValidationError):
        queues.send_message("small", "x" * 1015, attributes={"name1": "value"})
    with pytest.raises(ValidationError):
        queues.send_message("small", "é" * 513)


def test_a_batch_that_is_too_large_is_refused_as_a_whole(queues: Queue, orders: str) -> None:
    entries = [SendMessagesEntry(body=b"x" * 600_000) for _ in range(2)]
    with pytest.raises(ValidationError):
        queues.send_messages(orders, entries)
    assert counts(queues, orders) == (0, 0, 0)


def test_an_entry_with_too_many_attributes_fails_alone(queues: Queue, orders: str) -> None:
    many = {f"name{number}": "x" for number in range(10)}
    answer = queues.send_messages(
        orders, [SendMessagesEntry(body="x", attributes=many), SendMessagesEntry(body="y")]
    )
    assert [it.index for it in answer.successful] == [1]
    assert [(it.index, it.code) for it in answer.failed] == [(0, "validation")]


def test_an_update_that_changes_nothing_keeps_the_etag(queues: Queue, orders: str) -> None:
    etag = queues.get_queue(orders).queue.etag
    assert queues.update_queue(orders, visibility_timeout=10 * SECOND).queue.etag == etag


def test_purging_takes_what_is_held_and_delayed_too(queues: Queue, ledger: str) -> None:
    for group in ("a", "b"):
        for number in range(2):
            queues.send_message(ledger, f"{group}{number}", group_id=group)
    [held] = received(queues, ledger, 1)
    queues.purge_queue(ledger)
    assert counts(queues, ledger) == (0, 0, 0)
    queues.delete_message(ledger, held.receipt_handle)
    queues.send_message(ledger, "after", group_id="a")
    assert texts(received(queues, ledger)) == ["after"]


def test_nothing_is_kept_of_messages_that_are_gone() -> None:
    """Memory and the time of a call depend on the messages that are there, not on those that were."""
    driver = _driver(clock=ManualClock())
    send = SendMessageRequest(queue="orders", body="x")
    receive = ReceiveMessagesRequest(queue="orders")
    for _ in range(100):
        driver.send_message(send)
    for _ in range(2000):
        driver.send_message(send)
        [held] = driver.receive_messages(receive).messages
        driver.delete_message(
            DeleteMessageRequest(queue="orders", receipt_handle=held.receipt_handle)
        )
    assert driver.receive_messages(receive).messages
    queue = driver._state["orders"]
    assert len(queue.receipts) == 1
    assert len(queue._by_age) < 300
    assert len(queue._hidden) < 100


def _driver(*, clock: ManualClock) -> MockQueue:
    driver = provider.connect({"clock": clock}, asynchronous=False).queue()
    assert isinstance(driver, MockQueue)
    driver.create_queue(CreateQueueRequest(name="orders"))
    return driver
