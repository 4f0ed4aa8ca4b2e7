"""Queues against a model: whatever is sent, received, given back or waited for, in whatever order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from typing_extensions import override

from lcplatform.drivers import Drivers
from lcplatform.errors import PreconditionFailedError, ValidationError
from lcplatform.queue.models import (
    ChangeVisibilityRequest,
    CreateQueueRequest,
    DeleteMessageRequest,
    GetQueueRequest,
    PurgeQueueRequest,
    ReceiveMessagesRequest,
    SendMessageRequest,
)
from lcplatform_mock.queue import MockQueue
from tests.unit.mock.lives import Lives, bounded

VISIBILITY = 10
RETENTION = 60
REMEMBERED = 300
GROUPS = st.sampled_from("abc")


@dataclass
class Sent:
    """What the model knows of a message."""

    id: str
    group: str | None
    sent: float
    hidden_until: float = 0
    held: bool = False
    receipts: int = 0
    handle: str = ""


@dataclass
class Messages:
    """What the model knows of the queue."""

    messages: list[Sent] = field(default_factory=list)
    old_handles: list[str] = field(default_factory=list)
    known: dict[str, tuple[str, float]] = field(default_factory=dict)
    """Of each deduplication ID the message, and until when it stands for it."""

    def settle(self, now: float) -> None:
        self.messages = [it for it in self.messages if it.sent + RETENTION > now]
        for it in self.messages:
            if it.hidden_until <= now:
                it.held = False


class Leases(Lives[Messages]):
    """A queue that keeps no order."""

    fifo = False

    def __init__(self) -> None:
        super().__init__(Messages())
        self.count = 0
        self.queue.create_queue(
            CreateQueueRequest(
                name="q",
                fifo=self.fifo,
                visibility_timeout=timedelta(seconds=VISIBILITY),
                retention=timedelta(seconds=RETENTION),
            )
        )

    @override
    def taken(self, drivers: Drivers) -> MockQueue:
        driver = drivers.queue()
        assert isinstance(driver, MockQueue)
        self.queue = driver
        return driver

    @override
    def settle(self) -> None:
        self.model.settle(self.now)

    def hidden(self, it: Sent) -> bool:
        return it.hidden_until > self.now

    @rule(group=GROUPS, delay=st.integers(0, 5))
    def send(self, group: str, delay: int) -> None:
        self.count += 1
        request = SendMessageRequest(
            queue="q",
            body=f"{self.count}",
            group_id=group if self.fifo else None,
            delay=None if self.fifo else timedelta(seconds=delay),
        )
        name = self.queue.send_message(request).message_id
        until = 0 if self.fifo else self.now + delay
        self.model.messages.append(Sent(name, request.group_id, self.now, hidden_until=until))

    @rule(most=st.integers(1, 10), lease=st.integers(0, 30) | st.none())
    def receive(self, most: int, lease: int | None) -> None:
        self.settle()
        can = self.receivable()
        answer = self.queue.receive_messages(
            ReceiveMessagesRequest(
                queue="q",
                max_messages=most,
                visibility_timeout=None if lease is None else timedelta(seconds=lease),
            )
        )
        self.check_received([it.id for it in answer.messages], can, most)
        known = {it.id: it for it in self.model.messages}
        for message in answer.messages:
            sent = known[message.id]
            sent.receipts += 1
            assert message.receive_count == sent.receipts
            if sent.handle:
                self.model.old_handles.append(sent.handle)
            sent.handle = message.receipt_handle
            sent.held = True
            sent.hidden_until = self.now + (VISIBILITY if lease is None else lease)

    def receivable(self) -> list[Sent]:
        return [it for it in self.model.messages if not self.hidden(it)]

    def check_received(self, names: list[str], can: list[Sent], most: int) -> None:
        assert len(names) == len(set(names)) == min(most, len(can))
        assert set(names) <= {it.id for it in can}

    @precondition(lambda self: any(it.handle for it in self.model.messages))
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        sent = data.draw(st.sampled_from([it for it in self.model.messages if it.handle]))
        self.settle()
        request = DeleteMessageRequest(queue="q", receipt_handle=sent.handle)
        if self.fifo and sent in self.model.messages and not sent.held:
            try:
                self.queue.delete_message(request)
            except ValidationError:
                return
            raise AssertionError("a lease that has ended gives no right to delete")
        self.queue.delete_message(request)
        self.model.messages = [it for it in self.model.messages if it is not sent]
        self.model.old_handles.append(sent.handle)

    @precondition(lambda self: self.model.old_handles)
    @rule(data=st.data())
    def delete_with_an_old_handle(self, data: st.DataObject) -> None:
        handle = data.draw(st.sampled_from(self.model.old_handles))
        self.queue.delete_message(DeleteMessageRequest(queue="q", receipt_handle=handle))

    @precondition(lambda self: any(it.handle for it in self.model.messages))
    @rule(data=st.data(), lease=st.integers(0, 30))
    def change_visibility(self, data: st.DataObject, lease: int) -> None:
        sent = data.draw(st.sampled_from([it for it in self.model.messages if it.handle]))
        self.settle()
        request = ChangeVisibilityRequest(
            queue="q", receipt_handle=sent.handle, visibility_timeout=timedelta(seconds=lease)
        )
        if sent not in self.model.messages or not sent.held:
            try:
                self.queue.change_visibility(request)
            except PreconditionFailedError:
                return
            raise AssertionError("what nobody holds has no lease")
        self.queue.change_visibility(request)
        sent.hidden_until = self.now + lease
        self.settle()

    @rule(seconds=st.integers(0, 20))
    def wait(self, seconds: int) -> None:
        self.pass_time(timedelta(seconds=seconds))

    @rule(sure=st.integers(0, 5).map(lambda it: it == 0))
    def purge(self, sure: bool) -> None:
        if sure:
            self.queue.purge_queue(PurgeQueueRequest(name="q"))
            self.model.old_handles += [it.handle for it in self.model.messages if it.handle]
            self.model.messages = []

    @invariant()
    def counts_are_exact(self) -> None:
        self.settle()
        info = self.queue.get_queue(GetQueueRequest(name="q")).queue
        held = sum(it.held for it in self.model.messages)
        delayed = sum(self.hidden(it) and not it.held for it in self.model.messages)
        assert (info.available_messages, info.in_flight_messages, info.delayed_messages) == (
            len(self.model.messages) - held - delayed,
            held,
            delayed,
        )


class OrderedLeases(Leases):
    """A FIFO queue: of each group the oldest messages, in their order, and only while none of the group is held."""

    fifo = True

    @override
    def receivable(self) -> list[Sent]:
        resting = {it.group for it in self.model.messages if it.held}
        return [it for it in self.model.messages if it.group not in resting]

    @override
    def check_received(self, names: list[str], can: list[Sent], most: int) -> None:
        assert len(names) == len(set(names)) == min(most, len(can))
        for group in "abc":
            line = [it.id for it in can if it.group == group]
            taken = [name for name in names if name in line]
            assert taken == line[: len(taken)]

    @rule(group=GROUPS, name=st.sampled_from("xy"))
    def send_once(self, group: str, name: str) -> None:
        self.count += 1
        request = SendMessageRequest(
            queue="q", body=f"{self.count}", group_id=group, deduplication_id=name
        )
        answered = self.queue.send_message(request).message_id
        known, until = self.model.known.get(name, ("", 0.0))
        if until > self.now:
            assert answered == known
            return
        self.model.known[name] = answered, self.now + REMEMBERED
        self.model.messages.append(Sent(answered, group, self.now))

    @rule()
    def forget(self) -> None:
        self.pass_time(timedelta(seconds=REMEMBERED))


TestLeases = Leases.TestCase
TestLeases.settings = bounded(12)
TestOrderedLeases = OrderedLeases.TestCase
TestOrderedLeases.settings = bounded(12)
