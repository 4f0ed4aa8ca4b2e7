"""Queues against a model: whatever is sent, received, given back or waited for, in whatever order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from typing_extensions import override

from lcplatform.errors import PreconditionFailedError, ValidationError
from lcplatform.queue.models import (
    ChangeVisibilityRequest,
    CreateQueueRequest,
    DeleteMessageRequest,
    GetQueueRequest,
    ReceiveMessagesRequest,
    SendMessageRequest,
)
from lcplatform_mock.provider import provider
from lcplatform_mock.queue import MockQueue
from lcplatform_runtime.testing.clock import ManualClock

VISIBILITY = 10
RETENTION = 60
GROUPS = st.sampled_from("abc")


@dataclass
class Sent:
    """What the model knows of a message."""

    id: str
    group: str | None
    sent: int
    hidden_until: int = 0
    held: bool = False
    receipts: int = 0
    handle: str = ""


@dataclass
class World:
    now: int = 0
    messages: list[Sent] = field(default_factory=list)
    old_handles: list[str] = field(default_factory=list)

    def settle(self) -> None:
        self.messages = [it for it in self.messages if it.sent + RETENTION > self.now]
        for it in self.messages:
            if it.hidden_until <= self.now:
                it.held = False

    def hidden(self, it: Sent) -> bool:
        return it.hidden_until > self.now

    def holder(self, handle: str) -> Sent | None:
        return next((it for it in self.messages if it.handle == handle), None)


class Leases(RuleBasedStateMachine):
    """A queue that keeps no order."""

    fifo = False

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        driver = provider.connect({"clock": self.clock}, asynchronous=False).queue()
        assert isinstance(driver, MockQueue)
        self.queue = driver
        self.world = World()
        self.count = 0
        driver.create_queue(
            CreateQueueRequest(
                name="q",
                fifo=self.fifo,
                visibility_timeout=timedelta(seconds=VISIBILITY),
                retention=timedelta(seconds=RETENTION),
            )
        )

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
        until = 0 if self.fifo else self.world.now + delay
        self.world.messages.append(Sent(name, request.group_id, self.world.now, hidden_until=until))

    @rule(most=st.integers(1, 10), lease=st.integers(0, 30) | st.none())
    def receive(self, most: int, lease: int | None) -> None:
        self.world.settle()
        can = self.receivable()
        answer = self.queue.receive_messages(
            ReceiveMessagesRequest(
                queue="q",
                max_messages=most,
                visibility_timeout=None if lease is None else timedelta(seconds=lease),
            )
        )
        self.check_received([it.id for it in answer.messages], can, most)
        known = {it.id: it for it in self.world.messages}
        for message in answer.messages:
            sent = known[message.id]
            sent.receipts += 1
            assert message.receive_count == sent.receipts
            if sent.handle:
                self.world.old_handles.append(sent.handle)
            sent.handle = message.receipt_handle
            sent.held = True
            sent.hidden_until = self.world.now + (VISIBILITY if lease is None else lease)

    def receivable(self) -> list[Sent]:
        return [it for it in self.world.messages if not self.world.hidden(it)]

    def check_received(self, names: list[str], can: list[Sent], most: int) -> None:
        assert len(names) == len(set(names)) == min(most, len(can))
        assert set(names) <= {it.id for it in can}

    @precondition(lambda self: any(it.handle for it in self.world.messages))
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        sent = data.draw(st.sampled_from([it for it in self.world.messages if it.handle]))
        self.world.settle()
        request = DeleteMessageRequest(queue="q", receipt_handle=sent.handle)
        if self.fifo and sent in self.world.messages and not sent.held:
            try:
                self.queue.delete_message(request)
            except ValidationError:
                return
            raise AssertionError("a lease that has ended gives no right to delete")
        self.queue.delete_message(request)
        self.world.messages = [it for it in self.world.messages if it is not sent]
        self.world.old_handles.append(sent.handle)

    @precondition(lambda self: self.world.old_handles)
    @rule(data=st.data())
    def delete_with_an_old_handle(self, data: st.DataObject) -> None:
        handle = data.draw(st.sampled_from(self.world.old_handles))
        self.queue.delete_message(DeleteMessageRequest(queue="q", receipt_handle=handle))

    @precondition(lambda self: any(it.handle for it in self.world.messages))
    @rule(data=st.data(), lease=st.integers(0, 30))
    def change_visibility(self, data: st.DataObject, lease: int) -> None:
        sent = data.draw(st.sampled_from([it for it in self.world.messages if it.handle]))
        self.world.settle()
        request = ChangeVisibilityRequest(
            queue="q", receipt_handle=sent.handle, visibility_timeout=timedelta(seconds=lease)
        )
        if sent not in self.world.messages or not sent.held:
            try:
                self.queue.change_visibility(request)
            except PreconditionFailedError:
                return
            raise AssertionError("what nobody holds has no lease")
        self.queue.change_visibility(request)
        sent.hidden_until = self.world.now + lease
        self.world.settle()

    @rule(seconds=st.integers(0, 20))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.world.now += seconds
        self.world.settle()

    @invariant()
    def counts_are_exact(self) -> None:
        self.world.settle()
        info = self.queue.get_queue(GetQueueRequest(name="q")).queue
        held = sum(it.held for it in self.world.messages)
        delayed = sum(self.world.hidden(it) and not it.held for it in self.world.messages)
        assert (info.available_messages, info.in_flight_messages, info.delayed_messages) == (
            len(self.world.messages) - held - delayed,
            held,
            delayed,
        )


class OrderedLeases(Leases):
    """A FIFO queue: of each group the oldest messages, in their order, and only while none of the group is held."""

    fifo = True

    @override
    def receivable(self) -> list[Sent]:
        resting = {it.group for it in self.world.messages if it.held}
        return [it for it in self.world.messages if it.group not in resting]

    @override
    def check_received(self, names: list[str], can: list[Sent], most: int) -> None:
        assert len(names) == len(set(names)) == min(most, len(can))
        for group in "abc":
            line = [it.id for it in can if it.group == group]
            taken = [name for name in names if name in line]
            assert taken == line[: len(taken)]


TestLeases = Leases.TestCase
TestOrderedLeases = OrderedLeases.TestCase
