"""Messages of many callers, gathered for a few milliseconds and sent together: a batch of ten costs what one message does.

Every caller has a result or an error of its own, and a deadline of its own: whoever gives up before the batch is on its way takes
the message back, whoever gives up later does not know what became of it. The batch itself is sent in a thread of its own, in
nobody's name, so that no caller's deadline is another's.

Messages of one queue leave in the order in which they came. Of a FIFO queue one batch is on its way at a time, or a group could
overtake itself.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context
from copy import copy
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from botocore.exceptions import ClientError

from lcplatform.queue.operations import SEND_MESSAGE
from lcplatform_aws.errors import entry_error
from lcplatform_aws.queue_attributes import MIB
from lcplatform_aws.queue_batches import BATCH, index_of, refused_whole
from lcplatform_aws.queue_names import FIFO
from lcplatform_runtime.cancellation import CANCELLATION
from lcplatform_runtime.context import current_call
from lcplatform_runtime.errors import (
    DeadlineExceededError,
    OperationCancelledError,
    Outcome,
    ServiceUnavailableError,
)

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

_THREADS: Final = 32
_AT_ONCE: Final = 16
"""How many batches of a standard queue are on their way at the same time. While they are, the next ones fill up."""


class _Message:
    """A message that waits, and then what became of it."""

    __slots__ = ("_bell", "answer", "came", "parameters", "problem", "size")

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self.parameters = parameters
        self.size = _size(parameters)
        self.came = time.monotonic()
        self.answer: Mapping[str, Any] | None = None
        self.problem: Exception | None = None
        # One waits, so that a lock does, which is held until something has happened. An event costs three times as much.
        self._bell = threading.Lock()
        self._bell.acquire()

    @property
    def known(self) -> bool:
        """Whether it is known what became of it."""
        return self.answer is not None or self.problem is not None

    def arrived(self, answer: Mapping[str, Any]) -> None:
        """SQS took it."""
        self.answer = answer
        self.ring()

    def failed(self, problem: Exception) -> None:
        """SQS did not, or nobody knows."""
        self.problem = problem
        self.ring()

    def ring(self) -> None:
        """Wakes whoever waits."""
        with suppress(RuntimeError):  # somebody else rang at the same moment
            self._bell.release()

    def wait(self, seconds: float | None) -> None:
        """Returns when it rings, and after so many seconds."""
        self._bell.acquire(timeout=-1 if seconds is None else min(seconds, threading.TIMEOUT_MAX))

    def result(self) -> Mapping[str, Any]:
        """What SQS answered. An error is a copy of its own for each caller: others add to theirs."""
        if self.answer is not None:
            return self.answer
        assert self.problem is not None
        raise copy(self.problem) from self.problem


class _Lane:
    """The messages that wait for one queue. Only under the lock of the gathering."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.at_once = 1 if url.endswith(FIFO) else _AT_ONCE
        self.waiting: deque[_Message] = deque()
        self.size = 0
        self.full = threading.Event()
        self.watched = False
        """Whether a thread waits for the batch to fill."""
        self.under_way = 0
        """How many batches are being sent."""

    def add(self, message: _Message) -> None:
        """Has a message wait behind those that came before."""
        self.waiting.append(message)
        self.size += message.size
        self._judge()

    def withdraw(self, message: _Message) -> bool:
        """Takes a message back, if it still waits."""
        if message not in self.waiting:
            return False
        self.waiting.remove(message)
        self.size -= message.size
        self._judge()
        return True

    def take(self) -> list[_Message]:
        """The next batch: as many as one may hold."""
        batch: list[_Message] = []
        room = MIB
        while self.waiting and len(batch) < BATCH:
            room -= self.waiting[0].size
            if room < 0 and batch:
                break
            batch.append(self.waiting.popleft())
        self.size -= sum(it.size for it in batch)
        self._judge()
        return batch

    @property
    def wanted(self) -> bool:
        """Whether a thread should see to the messages that wait."""
        return bool(self.waiting) and not self.watched and self.under_way < self.at_once

    def _judge(self) -> None:
        if len(self.waiting) >= BATCH or self.size >= MIB:
            self.full.set()
        else:
            self.full.clear()


class Gathering:
    """Sends messages in batches for any number of threads."""

    def __init__(self, sqs: Callable[[], SQSClient], window: float, /) -> None:
        """`window` is how many seconds a message waits for others."""
        self._sqs = sqs
        self._window = window
        self._closed = False
        self.forked()
        _gatherings.add(self)

    def forked(self) -> None:
        """Begins anew: a fork has none of the threads of its parent, and none of its callers."""
        self._lock = threading.Lock()
        self._lanes: dict[str, _Lane] = {}
        self._threads = ThreadPoolExecutor(_THREADS, "lcplatform-gathering")

    def send(self, url: str, parameters: Mapping[str, Any], /) -> Mapping[str, Any]:
        """Sends a message together with others, and answers as if it had been sent alone.

        Raises:
            ClientError, BotoCoreError: as if it had been sent alone.
            LCPlatformError: it was not taken while others were, or its caller gave up.
        """
        message = _Message(parameters)
        with self._lock:
            lane = self._joined(url, message)
        if lane is None:
            self._deliver(url, [message])
        else:
            self._wait(lane, message)
        return message.result()

    def close(self) -> None:
        """Sends at once what waits, and returns when everybody knows what became of it. Later messages are sent alone."""
        with self._lock:
            self._closed = True
            for lane in self._lanes.values():
                lane.full.set()
        self._threads.shutdown()

    def _joined(self, url: str, message: _Message) -> _Lane | None:
        """The lane that a message joins; None if nobody gathers any more. Under the lock."""
        if self._closed:
            return None
        lane = self._lanes.get(url)
        if lane is None:
            lane = self._lanes[url] = _Lane(url)
        lane.add(message)
        if not self._seen_to(lane) and lane.withdraw(message):
            return None
        return lane

    def _seen_to(self, lane: _Lane) -> bool:
        """Has a thread see to a lane, if that is wanted. False if nobody gathers any more. Under the lock."""
        if self._closed:
            return False
        if lane.wanted:
            try:
                # In a context of its own: the call in progress is that of one caller among many.
                self._threads.submit(Context().run, self._work, lane)
            except RuntimeError:  # the interpreter ends: what runs goes on, and nothing new does
                self._closed = True
                return False
            lane.watched = True
        return True

    def _work(self, lane: _Lane) -> None:
        """Waits for a batch to fill and sends it, as long as there is something to send."""
        while True:
            self._fill(lane)
            with self._lock:
                batch = lane.take()
                lane.watched = False
                lane.under_way += 1
                self._seen_to(lane)
            if batch:
                self._deliver(lane.url, batch)
            with self._lock:
                lane.under_way -= 1
                if not lane.wanted:
                    return
                lane.watched = True

    def _fill(self, lane: _Lane) -> None:
        """Returns when the batch is full, or its first message has waited long enough."""
        with self._lock:
            if self._closed or not lane.waiting:
                return
            due = lane.waiting[0].came + self._window
        lane.full.wait(max(0.0, due - time.monotonic()))

    def _deliver(self, url: str, batch: list[_Message]) -> None:
        """Sends messages, and tells each what became of it."""
        entries: list[Any] = [
            {"Id": str(index), **message.parameters} for index, message in enumerate(batch)
        ]
        try:
            answer = self._sqs().send_message_batch(QueueUrl=url, Entries=entries)
        except Exception as problem:  # noqa: BLE001  whoever waits has to know, whatever it is
            if len(batch) > 1 and isinstance(problem, ClientError) and refused_whole(problem):
                # For the sake of one, or for all of them together. None was sent.
                for message in batch:
                    self._deliver(url, [message])
                return
            for message in batch:
                message.failed(problem)
            return
        for it in answer.get("Successful", ()):
            batch[index_of(it)].arrived(it)
        for failure in answer.get("Failed", ()):
            batch[index_of(failure)].failed(entry_error(failure, SEND_MESSAGE))
        for message in batch:
            if not message.known:
                message.failed(
                    ServiceUnavailableError(
                        "the service answered nothing about the message",
                        retryable=True,
                        outcome=Outcome.UNKNOWN,
                    )
                )

    def _wait(self, lane: _Lane, message: _Message) -> None:
        """Returns when it is known what became of a message. Raises if its caller gives up before."""
        call, cancellation = current_call(), CANCELLATION.get()
        remaining = None if call is None else call.remaining()
        if cancellation is None:
            message.wait(remaining)
        else:
            with cancellation.waking(message.ring):
                if not cancellation.cancelled:
                    message.wait(remaining)
        if message.known:
            return
        with self._lock:
            outcome = Outcome.NOT_EXECUTED if lane.withdraw(message) else Outcome.UNKNOWN
        if cancellation is not None and cancellation.cancelled:
            raise OperationCancelledError("the caller gave up", outcome=outcome)
        if not message.known:
            raise DeadlineExceededError(
                "the deadline passed before the message was sent"
                if outcome is Outcome.NOT_EXECUTED
                else "the deadline passed before the service answered",
                outcome=outcome,
            )


def _size(parameters: Mapping[str, Any]) -> int:
    """What a message counts for in a batch, in bytes: its body and its attributes."""
    size = _length(parameters["MessageBody"])
    for name, it in parameters.get("MessageAttributes", {}).items():
        size += _length(name) + _length(it["DataType"]) + _length(it["StringValue"])
    return size


def _length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _forked() -> None:
    for it in list(_gatherings):
        it.forked()


_gatherings: Final[WeakSet[Gathering]] = WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
