"""Consumers: leases are kept, every verdict is carried out, and a stop leaves nothing hidden."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import Any, Protocol

import pytest

from lcplatform_runtime.bridge import BackgroundLoop
from lcplatform_runtime.errors import (
    LCPlatformError,
    PermissionDeniedError,
    PreconditionFailedError,
    ResourceNotFoundError,
    ServiceUnavailableError,
    ValidationError,
)
from lcplatform_runtime.extensions.queue import AsyncQueueConsuming, QueueConsuming, Verdict
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.testing.clock import ManualClock

LEASE = timedelta(seconds=30)
PATIENCE = 10.0


@dataclass(frozen=True)
class Message:
    id: str
    receipt_handle: str
    body: str | bytes | Json
    attributes: Mapping[str, str]
    receive_count: int
    group_id: str | None
    deduplication_id: str | None


@dataclass(frozen=True)
class Facts:
    visibility_timeout: timedelta = LEASE
    dead_letter_queue: str | None = None


@dataclass(frozen=True)
class Found:
    queue: Facts


@dataclass(frozen=True)
class Received:
    messages: Sequence[Message]


@dataclass(frozen=True)
class Failure:
    index: int
    message: str = "the receipt has ended"
    retryable: bool = False


@dataclass(frozen=True)
class Changed:
    index: int
    receipt_handle: str


@dataclass(frozen=True)
class Answer:
    failed: Sequence[Failure] = ()
    successful: Sequence[Changed] = ()


@dataclass
class Kept:
    message: Message
    visible_at: float = 0.0
    received: int = 0
    handle: str = ""


@dataclass
class Queues(QueueConsuming):
    """Queues in memory, with visibility by a clock that the test moves. Groups are in flight one at a time."""

    clock: ManualClock
    facts: dict[str, Facts] = field(default_factory=lambda: {"orders": Facts(), "dead": Facts()})
    kept: dict[str, list[Kept]] = field(default_factory=lambda: {"orders": [], "dead": []})
    deleted: list[str] = field(default_factory=list)
    fail: dict[str, list[LCPlatformError]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    changed: threading.Condition = field(default_factory=threading.Condition)
    on_receive: Callable[[], None] = lambda: None
    on_change: Callable[[], None] = lambda: None
    new_handles: bool = False
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def send(self, *bodies: str, group: str | None = None) -> None:
        for body in bodies:
            self.send_message(
                "orders", body, attributes={"k": body}, group_id=group, deduplication_id=None
            )

    def get_queue(self, name: str) -> Found:
        if name not in self.facts:
            raise ResourceNotFoundError("no such queue")
        return Found(self.facts[name])

    def receive_messages(
        self, queue: str, *, max_messages: int, wait: timedelta, visibility_timeout: timedelta
    ) -> Received:
        with self.changed:
            self._enter("receive")
            if not self._visible(queue):
                self.changed.wait(0.01)  # a real queue may answer early as well
            taken = self._visible(queue)[:max_messages]
            self.on_receive()
            return Received([self._receive(kept, visibility_timeout) for kept in taken])

    def delete_messages(self, queue: str, receipt_handles: Sequence[str]) -> Answer:
        with self.changed:
            self._enter("delete")
            for handle in receipt_handles:
                for kept in [one for one in self.kept[queue] if one.handle == handle]:
                    self.kept[queue].remove(kept)
                    self.deleted.append(str(kept.message.body))
            return Answer()

    def change_visibilities(self, queue: str, entries: Sequence[Any]) -> Answer:
        with self.changed:
            self._enter("change")
            self.on_change()
            now = self.clock.monotonic()
            failed: list[Failure] = []
            changed: list[Changed] = []
            for index, entry in enumerate(entries):
                found = [one for one in self.kept[queue] if one.handle == entry["receipt_handle"]]
                if found and found[0].visible_at > now:
                    found[0].visible_at = now + entry["visibility_timeout"].total_seconds()
                    if self.new_handles:
                        found[0].handle = f"r{next(self.numbers)}"
                    changed.append(Changed(index, found[0].handle))
                else:
                    failed.append(Failure(index))
            return Answer(failed, changed)

    def send_message(
        self,
        queue: str,
        body: str | bytes | Json,
        *,
        attributes: Mapping[str, str],
        group_id: str | None,
        deduplication_id: str | None,
    ) -> None:
        with self.changed:
            self._enter("send")
            message = Message(
                f"m{next(self.numbers)}", "", body, attributes, 0, group_id, deduplication_id
            )
            self.kept[queue].append(Kept(message))

    def until(self, condition: Callable[[], bool]) -> None:
        """Waits in real time until something has become of it."""
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE)

    def _visible(self, queue: str) -> list[Kept]:
        now = self.clock.monotonic()
        hidden = {kept.message.group_id for kept in self.kept[queue] if kept.visible_at > now}
        return [
            kept
            for kept in self.kept[queue]
            if kept.visible_at <= now
            and (kept.message.group_id is None or kept.message.group_id not in hidden)
        ]

    def _receive(self, kept: Kept, visibility: timedelta) -> Message:
        kept.received += 1
        kept.handle = f"r{next(self.numbers)}"
        kept.visible_at = self.clock.monotonic() + visibility.total_seconds()
        return replace(kept.message, receipt_handle=kept.handle, receive_count=kept.received)

    def _enter(self, call: str) -> None:
        self.calls[call] += 1
        self.changed.notify_all()
        failures = self.fail.get(call)
        if failures:
            raise failures.pop(0)


class AsyncQueues(AsyncQueueConsuming):
    """The same for async callers."""

    def __init__(self, queues: Queues) -> None:
        self._queues = queues

    async def get_queue(self, name: str) -> Found:
        return self._queues.get_queue(name)

    async def receive_messages(
        self, queue: str, *, max_messages: int, wait: timedelta, visibility_timeout: timedelta
    ) -> Received:
        return await asyncio.to_thread(
            self._queues.receive_messages,
            queue,
            max_messages=max_messages,
            wait=wait,
            visibility_timeout=visibility_timeout,
        )

    async def delete_messages(self, queue: str, receipt_handles: Sequence[str]) -> Answer:
        return self._queues.delete_messages(queue, receipt_handles)

    async def change_visibilities(self, queue: str, entries: Sequence[Any]) -> Answer:
        return self._queues.change_visibilities(queue, entries)

    async def send_message(
        self,
        queue: str,
        body: str | bytes | Json,
        *,
        attributes: Mapping[str, str],
        group_id: str | None,
        deduplication_id: str | None,
    ) -> None:
        self._queues.send_message(
            queue,
            body,
            attributes=attributes,
            group_id=group_id,
            deduplication_id=deduplication_id,
        )


class Running(Protocol):
    def stop(self) -> None: ...
    def wait(self) -> None: ...


Handler = Callable[[Message], Verdict | None]


class Consume(Protocol):
    def __call__(self, handler: Handler, **options: Any) -> Any: ...


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def queues(clock: ManualClock) -> Queues:
    return Queues(clock)


@pytest.fixture(params=["blocking", "async"])
def consume(request: pytest.FixtureRequest, queues: Queues, clock: ManualClock) -> Consume:
    """A running consumer of either colour, as a context; its handler runs in a thread."""

    @contextmanager
    def blocking(handler: Handler, **options: Any) -> Iterator[Running]:
        with queues.consume("orders", handler, clock=clock, **options) as consumer:
            yield consumer

    @contextmanager
    def asynchronous(handler: Handler, **options: Any) -> Iterator[Running]:
        async def awaited(message: Message) -> Verdict | None:
            return await asyncio.to_thread(handler, message)

        async def stop() -> None:
            consumer.stop()

        loop = BackgroundLoop()
        consumer = AsyncQueues(queues).consume("orders", awaited, clock=clock, **options)

        class Facade:
            def stop(self) -> None:
                loop.run(stop())

            def wait(self) -> None:
                loop.run(consumer.wait())

        try:
            loop.run(consumer.__aenter__())
            try:
                yield Facade()
            except BaseException as error:
                loop.run(consumer.__aexit__(type(error), error, None))
                raise
            loop.run(consumer.__aexit__(None, None, None))
        finally:
            loop.close()

    return blocking if request.param == "blocking" else asynchronous


@dataclass
class Stuck:
    """A handler that waits for the test."""

    verdict: Verdict | None = None
    started: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    go_on: threading.Event = field(default_factory=threading.Event)
    seen: list[str] = field(default_factory=list)

    def __call__(self, message: Message) -> Verdict | None:
        self.seen.append(str(message.body))
        self.started.release()
        assert self.go_on.wait(PATIENCE)
        return self.verdict

    def wait_until_started(self, times: int = 1) -> None:
        for _ in range(times):
            assert self.started.acquire(timeout=PATIENCE)


# Verdicts


@pytest.mark.parametrize("verdict", [Verdict.SUCCESS, None])
def test_a_message_that_is_dealt_with_is_deleted(
    queues: Queues, consume: Consume, verdict: Verdict | None
) -> None:
    queues.send(*map(str, range(25)))

    with consume(lambda _: verdict, concurrency=3):
        queues.until(lambda: len(queues.deleted) == 25)

    assert sorted(queues.deleted, key=int) == [str(number) for number in range(25)]
    assert queues.kept["orders"] == []


def test_deletions_gather_while_one_is_on_its_way(queues: Queues, consume: Consume) -> None:
    queues.send(*map(str, range(100)))

    with consume(lambda _: None, concurrency=50, batch=10):
        queues.until(lambda: len(queues.deleted) == 100)

    assert queues.calls["delete"] < 100


@pytest.mark.parametrize("says", ["RETRY", "raises"])
def test_a_message_that_is_to_come_again_stays_away_longer_each_time(
    queues: Queues,
    consume: Consume,
    clock: ManualClock,
    says: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen: list[int] = []

    def handler(message: Message) -> Verdict:
        seen.append(message.receive_count)
        if says == "raises":
            raise KeyError("poison")
        return Verdict.RETRY

    queues.send("a")
    kept = queues.kept["orders"][0]

    with consume(handler, retry_delay=timedelta(seconds=2)):
        for away in (2, 4, 8):
            queues.until(lambda away=away: kept.visible_at == clock.monotonic() + away)  # type: ignore[misc]  # lambda
            clock.advance(away)
        queues.until(lambda: len(seen) == 4)

    assert seen == [1, 2, 3, 4]
    assert queues.deleted == []
    assert ("handler" in caplog.text) == (says == "raises")


def test_a_dead_letter_goes_to_its_queue_with_all_it_has(queues: Queues, consume: Consume) -> None:
    queues.facts["orders"] = Facts(dead_letter_queue="dead")
    queues.send("a")

    with consume(lambda _: Verdict.DEAD_LETTER):
        queues.until(lambda: queues.deleted == ["a"])

    (dead,) = queues.kept["dead"]
    assert (dead.message.body, dead.message.attributes) == ("a", {"k": "a"})
    assert (dead.message.group_id, dead.message.deduplication_id) == (None, None)


def test_a_dead_letter_of_a_group_cannot_be_doubled(queues: Queues, consume: Consume) -> None:
    queues.facts["orders"] = Facts(dead_letter_queue="dead")
    queues.send("a", group="g")

    with consume(lambda _: Verdict.DEAD_LETTER):
        queues.until(lambda: queues.deleted == ["a"])

    (dead,) = queues.kept["dead"]
    assert (dead.message.group_id, dead.message.deduplication_id) == ("g", "m1")


def test_a_dead_letter_without_a_queue_for_it_ends_the_consumer(
    queues: Queues, consume: Consume, clock: ManualClock
) -> None:
    queues.send("a")

    with (
        pytest.raises(PreconditionFailedError, match="no dead-letter queue"),
        consume(lambda _: Verdict.DEAD_LETTER) as consumer,
    ):
        consumer.wait()

    (kept,) = queues.kept["orders"]
    assert kept.visible_at <= clock.monotonic()
    assert queues.deleted == []


def test_a_dead_letter_that_cannot_be_sent_comes_again(
    queues: Queues, consume: Consume, clock: ManualClock
) -> None:
    queues.facts["orders"] = Facts(dead_letter_queue="dead")
    queues.send("a")
    queues.fail["send"] = [ServiceUnavailableError("gone")]

    with consume(lambda _: Verdict.DEAD_LETTER):
        queues.until(lambda: not queues.fail["send"])
        queues.until(lambda: queues.kept["orders"][0].visible_at == clock.monotonic() + 1)
        clock.advance(1)
        queues.until(lambda: queues.deleted == ["a"])

    assert len(queues.kept["dead"]) == 1


# Leases


def test_a_message_stays_hidden_while_its_handler_runs(
    queues: Queues, consume: Consume, clock: ManualClock
) -> None:
    queues.send("a")
    handler = Stuck()

    with consume(handler):
        handler.wait_until_started()
        _pass(queues, clock, LEASE * 5)
        handler.go_on.set()
        queues.until(lambda: queues.deleted == ["a"])

    assert handler.seen == ["a"]


def test_a_message_that_waits_for_its_handler_stays_hidden_too(
    queues: Queues, consume: Consume, clock: ManualClock
) -> None:
    queues.send("a", "b", "c")
    handler = Stuck()

    with consume(handler, batch=3):
        handler.wait_until_started()
        _pass(queues, clock, LEASE * 3)
        handler.go_on.set()
        queues.until(lambda: len(queues.deleted) == 3)

    assert handler.seen == ["a", "b", "c"]


def test_one_renewal_may_fail(queues: Queues, consume: Consume, clock: ManualClock) -> None:
    queues.send("a")
    handler = Stuck()

    with consume(handler):
        handler.wait_until_started()
        queues.fail["change"] = [ServiceUnavailableError("gone")]
        _pass(queues, clock, LEASE * 2)
        handler.go_on.set()
        queues.until(lambda: queues.deleted == ["a"])

    assert handler.seen == ["a"]


def test_a_lease_that_is_lost_is_reported(
    queues: Queues, consume: Consume, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    queues.send("a")
    handler = Stuck()

    with consume(handler):
        handler.wait_until_started()
        with queues.changed:
            queues.kept["orders"].clear()  # somebody purged the queue
        _pass(queues, clock, LEASE / 3)
        queues.until(lambda: "its lease ended" in caplog.text)
        handler.go_on.set()


def test_a_message_is_settled_by_the_handle_that_its_last_renewal_gave(
    queues: Queues, consume: Consume, clock: ManualClock
) -> None:
    queues.new_handles = True
    queues.send("done", "again")
    handler = Stuck()

    def verdict(message: Message) -> Verdict | None:
        handler(message)
        return Verdict.RETRY if message.body == "again" else None

    with consume(verdict, concurrency=2, retry_delay=LEASE * 10):
        handler.wait_until_started(2)
        _pass(queues, clock, LEASE * 2)
        handler.go_on.set()
        queues.until(lambda: queues.deleted == ["done"])
        queues.until(
            lambda: (
                queues.kept["orders"][0].visible_at
                == clock.monotonic() + LEASE.total_seconds() * 10
            )
        )

    assert sorted(handler.seen) == ["again", "done"]


def test_a_message_is_not_settled_while_its_handle_changes(
    queues: Queues, consume: Consume, clock: ManualClock
) -> None:
    queues.new_handles = True
    queues.send("a")
    handler = Stuck()

    def finish_meanwhile() -> None:
        handler.go_on.set()
        queues.changed.wait(0.05)  # long enough for a deletion by the handle that is no longer good

    with consume(handler):
        handler.wait_until_started()
        queues.on_change = finish_meanwhile
        _pass(queues, clock, LEASE / 3)
        queues.until(lambda: queues.calls["delete"] > 0)

    assert queues.deleted == ["a"]


def test_the_lease_that_is_asked_for_is_the_one_that_is_taken(
    queues: Queues, consume: Consume, clock: ManualClock
) -> None:
    queues.send("a")
    handler = Stuck()

    with consume(handler, visibility_timeout=timedelta(seconds=90)):
        handler.wait_until_started()
        assert queues.kept["orders"][0].visible_at == clock.monotonic() + 90
        handler.go_on.set()


def _pass(queues: Queues, clock: ManualClock, time: timedelta) -> None:
    """Lets time pass, a third of a lease at a time, as long as the renewal of each third takes."""
    for _ in range(round(time / (LEASE / 3))):
        clock.await_sleepers()
        before = queues.calls["change"]
        clock.advance(LEASE / 3)
        queues.until(lambda before=before: queues.calls["change"] > before)  # type: ignore[misc]  # lambda


@pytest.mark.parametrize("answer", ["retry", True, 1])
def test_a_message_is_not_deleted_for_an_answer_that_is_no_verdict(
    queues: Queues, consume: Consume, caplog: pytest.LogCaptureFixture, answer: Any
) -> None:
    queues.send("a")

    with consume(lambda _: answer):
        queues.until(lambda: queues.calls["change"] > 0)

    assert queues.deleted == []
    assert "instead of a Verdict" in caplog.text


def test_an_async_handler_of_a_blocking_consumer_loses_no_message(
    queues: Queues, caplog: pytest.LogCaptureFixture
) -> None:
    async def handler(_: Message) -> None: ...

    queues.send("a")
    with (
        pytest.warns(RuntimeWarning, match="never awaited"),
        queues.consume("orders", handler),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  the mistake
    ):
        queues.until(lambda: queues.calls["change"] > 0)

    assert queues.deleted == []
    assert "a coroutine instead of a Verdict" in caplog.text


# Order and concurrency


def test_so_many_handlers_run_at_once_and_no_more(queues: Queues, consume: Consume) -> None:
    queues.send(*"abcdefgh")
    handler = Stuck()

    with consume(handler, concurrency=3, batch=10):
        handler.wait_until_started(3)
        queues.until(lambda: queues.calls["receive"] == 1)
        assert not handler.started.acquire(timeout=0.05)
        handler.go_on.set()
        queues.until(lambda: len(queues.deleted) == 8)


def test_messages_of_a_group_are_handled_in_their_order(queues: Queues, consume: Consume) -> None:
    queues.send("a1", "a2", "a3", group="a")
    queues.send("b1", "b2", group="b")
    running: Counter[str | None] = Counter()
    seen: list[str] = []

    def handler(message: Message) -> None:
        running[message.group_id] += 1
        assert running[message.group_id] == 1
        seen.append(str(message.body))
        running[message.group_id] -= 1

    with consume(handler, concurrency=4, batch=10):
        queues.until(lambda: len(queues.deleted) == 5)

    assert [body for body in seen if body[0] == "a"] == ["a1", "a2", "a3"]
    assert [body for body in seen if body[0] == "b"] == ["b1", "b2"]


def test_a_message_that_is_to_come_again_holds_up_its_group_and_no_other(
    queues: Queues, consume: Consume, clock: ManualClock
) -> None:
    queues.send("a1", "a2", group="a")
    queues.send("b1", group="b")
    seen: list[str] = []

    def handler(message: Message) -> Verdict:
        seen.append(str(message.body))
        first = message.body == "a1" and message.receive_count == 1
        return Verdict.RETRY if first else Verdict.SUCCESS

    with consume(handler, batch=10):
        queues.until(lambda: queues.deleted == ["b1"])
        queues.until(lambda: queues.kept["orders"][0].visible_at == clock.monotonic() + 1)
        assert "a2" not in seen
        clock.advance(1)
        queues.until(lambda: len(queues.deleted) == 3)

    assert seen == ["a1", "b1", "a1", "a2"]


# Starting and stopping


def test_a_stop_lets_handlers_finish_and_gives_back_the_rest(
    queues: Queues, consume: Consume, clock: ManualClock
) -> None:
    queues.send("a", "b", "c")
    handler = Stuck()

    with consume(handler, batch=3) as consumer:
        handler.wait_until_started()
        consumer.stop()
        queues.until(lambda: len(queues._visible("orders")) == 2)
        assert queues.deleted == []
        handler.go_on.set()
        consumer.wait()

    assert queues.deleted == ["a"]
    assert handler.seen == ["a"]
    assert [str(kept.message.body) for kept in queues._visible("orders")] == ["b", "c"]


def test_a_stop_in_the_middle_of_a_group_gives_back_its_rest(
    queues: Queues, consume: Consume
) -> None:
    queues.send("a", "b", group="g")
    handler = Stuck()

    with consume(handler, batch=3) as consumer:
        handler.wait_until_started()
        consumer.stop()
        handler.go_on.set()

    assert queues.deleted == ["a"]
    assert [str(kept.message.body) for kept in queues._visible("orders")] == ["b"]


def test_what_arrives_together_with_a_stop_is_given_back(queues: Queues) -> None:
    queues.send("a", "b")
    consumer = queues.consume("orders", lambda _: None, batch=2)
    queues.on_receive = consumer.stop

    consumer.run()

    assert queues.calls["receive"] == 1
    assert queues.deleted == []
    assert len(queues._visible("orders")) == 2


def test_a_missing_queue_is_reported_at_the_start(queues: Queues, consume: Consume) -> None:
    del queues.facts["orders"]

    with pytest.raises(ResourceNotFoundError), consume(lambda _: None):
        pytest.fail("it started")


def test_a_queue_that_hides_nothing_needs_a_lease(queues: Queues, consume: Consume) -> None:
    queues.facts["orders"] = Facts(visibility_timeout=timedelta(0))

    with pytest.raises(ValidationError, match="visibility_timeout"), consume(lambda _: None):
        pytest.fail("it started")


def test_a_queue_that_cannot_be_reached_is_tried_again(
    queues: Queues, consume: Consume, clock: ManualClock
) -> None:
    queues.fail["receive"] = [ServiceUnavailableError("gone"), ServiceUnavailableError("gone")]
    queues.send("a")

    with consume(lambda _: None):
        for pause in (1, 2):
            queues.until(lambda pause=pause: queues.calls["receive"] == pause)  # type: ignore[misc]  # lambda
            clock.await_sleepers(2)
            clock.advance(pause)
        queues.until(lambda: queues.deleted == ["a"])


def test_a_pause_ends_with_a_stop(queues: Queues, consume: Consume, clock: ManualClock) -> None:
    queues.fail["receive"] = [ServiceUnavailableError("gone")]

    with consume(lambda _: None) as consumer:
        clock.await_sleepers(2)
        consumer.stop()
        consumer.wait()


def test_an_error_that_does_not_pass_ends_the_consumer(queues: Queues, consume: Consume) -> None:
    queues.fail["receive"] = [PermissionDeniedError("no")]

    with pytest.raises(PermissionDeniedError), consume(lambda _: None) as consumer:
        consumer.wait()


def test_a_deletion_that_fails_is_reported_and_not_the_end(
    queues: Queues, consume: Consume, caplog: pytest.LogCaptureFixture
) -> None:
    queues.fail["delete"] = [ServiceUnavailableError("gone")]
    queues.send("a")

    with consume(lambda _: None):
        queues.until(lambda: "not deleted" in caplog.text)
        queues.send("b")
        queues.until(lambda: queues.deleted == ["b"])


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("concurrency", 0),
        ("batch", 0),
        ("batch", 11),
        ("wait", timedelta(seconds=21)),
        ("retry_delay", timedelta(seconds=-1)),
        ("visibility_timeout", timedelta(0)),
    ],
)
def test_a_setting_that_is_not_usable_is_refused_at_once(
    queues: Queues, option: str, value: Any
) -> None:
    async def handler(_: Message) -> None: ...

    with pytest.raises(ValidationError, match=option):
        queues.consume("orders", lambda _: None, **{option: value})
    with pytest.raises(ValidationError, match=option):
        AsyncQueues(queues).consume("orders", handler, **{option: value})


def test_run_returns_after_a_stop_from_elsewhere(queues: Queues) -> None:
    queues.send("a")
    consumer = queues.consume("orders", lambda _: consumer.stop())

    consumer.run()

    assert queues.deleted == ["a"]
    consumer.stop()
    with pytest.raises(PreconditionFailedError, match="once"):
        consumer.run()


def test_a_consumer_that_has_not_started_cannot_be_waited_for(queues: Queues) -> None:
    consumer = queues.consume("orders", lambda _: None)
    with pytest.raises(PreconditionFailedError, match="not been started"):
        consumer.wait()

    queues.facts.clear()
    with pytest.raises(ResourceNotFoundError):
        consumer.run()
    with pytest.raises(ResourceNotFoundError):
        consumer.wait()


def test_a_message_that_was_received_very_often_stays_away_for_fifteen_minutes(
    queues: Queues, consume: Consume, clock: ManualClock
) -> None:
    queues.send("a")
    queues.kept["orders"][0].received = 40

    with consume(lambda _: Verdict.RETRY, retry_delay=timedelta(days=400)):
        queues.until(lambda: queues.calls["change"] > 0)

    assert queues.kept["orders"][0].visible_at == clock.monotonic() + 15 * 60


def test_a_consumer_that_is_stopped_before_it_starts_takes_nothing(queues: Queues) -> None:
    queues.send("a")
    consumer = queues.consume("orders", lambda _: None)
    consumer.stop()

    consumer.run()

    assert queues.calls["receive"] == 0


def test_an_async_run_stops_cleanly_when_its_task_is_cancelled(queues: Queues) -> None:
    async def main() -> None:
        started, go_on = asyncio.Event(), asyncio.Event()

        async def handler(_: Message) -> None:
            started.set()
            await go_on.wait()

        consumer = AsyncQueues(queues).consume("orders", handler, batch=3)
        running = asyncio.create_task(consumer.run())
        await started.wait()
        running.cancel()
        await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await running
        with pytest.raises(PreconditionFailedError, match="once"):
            await consumer.run()

    queues.send("a", "b")
    asyncio.run(main())
    assert queues.deleted == ["a"]
    assert [str(kept.message.body) for kept in queues._visible("orders")] == ["b"]
