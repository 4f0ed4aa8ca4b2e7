"""Consuming a queue: what an application says, and what a client must offer for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from lcplatform_runtime.clock import SYSTEM, Clock
from lcplatform_runtime.errors import FieldViolation, ValidationError

if TYPE_CHECKING:
    from lcplatform_runtime.extensions.consumers import AsyncConsumer, Consumer
    from lcplatform_runtime.json_value import Json

BATCH: Final = 10
"""The most messages that one call receives, deletes or changes."""


class Verdict(Enum):
    """What a handler says of its message."""

    SUCCESS = "success"
    """It is dealt with, and deleted."""
    RETRY = "retry"
    """It is to come again, after a while. A handler that raises says the same."""
    DEAD_LETTER = "dead_letter"
    """It will never succeed, and goes to the dead-letter queue now."""


class QueueMessage(Protocol):
    """What a consumer needs to know of a message."""

    @property
    def id(self) -> str: ...
    @property
    def receipt_handle(self) -> str: ...
    @property
    def body(self) -> str | bytes | Json: ...
    @property
    def attributes(self) -> Mapping[str, str]: ...
    @property
    def receive_count(self) -> int: ...
    @property
    def group_id(self) -> str | None: ...
    @property
    def deduplication_id(self) -> str | None: ...


M = TypeVar("M", bound=QueueMessage)
M_co = TypeVar("M_co", bound=QueueMessage, covariant=True)


class QueueFacts(Protocol):
    """What a consumer needs to know of its queue."""

    @property
    def visibility_timeout(self) -> timedelta: ...
    @property
    def dead_letter_queue(self) -> str | None: ...


class FoundQueue(Protocol):
    """The answer of `get_queue`."""

    @property
    def queue(self) -> QueueFacts: ...


class Received(Protocol[M_co]):
    """The answer of `receive_messages`."""

    @property
    def messages(self) -> Sequence[M_co]: ...


class EntryFailure(Protocol):
    """One entry of a batch that failed."""

    @property
    def index(self) -> int: ...
    @property
    def message(self) -> str: ...
    @property
    def retryable(self) -> bool: ...


class BatchAnswer(Protocol):
    """The answer of a batch."""

    @property
    def failed(self) -> Sequence[EntryFailure]: ...


class ChangedEntry(Protocol):
    """One entry of a batch that changed how long a message is hidden."""

    @property
    def index(self) -> int: ...
    @property
    def receipt_handle(self) -> str: ...


class ChangeAnswer(BatchAnswer, Protocol):
    """The answer of `change_visibilities`. It may bring another handle, and the one before is no longer good then."""

    @property
    def successful(self) -> Sequence[ChangedEntry]: ...


class QueueClient(Protocol[M_co]):
    """What a blocking client offers a consumer. An entry is a mapping here, since the messages are generated."""

    def get_queue(self, name: str, /) -> FoundQueue: ...

    def receive_messages(
        self, queue: str, /, *, max_messages: int, wait: timedelta, visibility_timeout: timedelta
    ) -> Received[M_co]: ...

    def delete_messages(self, queue: str, receipt_handles: Sequence[str], /) -> BatchAnswer: ...

    def change_visibilities(self, queue: str, entries: Sequence[Any], /) -> ChangeAnswer: ...

    def send_message(
        self,
        queue: str,
        body: str | bytes | Json,
        /,
        *,
        attributes: Mapping[str, str],
        group_id: str | None,
        deduplication_id: str | None,
    ) -> object: ...


class AsyncQueueClient(Protocol[M_co]):
    """What an async client offers a consumer."""

    async def get_queue(self, name: str, /) -> FoundQueue: ...

    async def receive_messages(
        self, queue: str, /, *, max_messages: int, wait: timedelta, visibility_timeout: timedelta
    ) -> Received[M_co]: ...

    async def delete_messages(
        self, queue: str, receipt_handles: Sequence[str], /
    ) -> BatchAnswer: ...

    async def change_visibilities(self, queue: str, entries: Sequence[Any], /) -> ChangeAnswer: ...

    async def send_message(
        self,
        queue: str,
        body: str | bytes | Json,
        /,
        *,
        attributes: Mapping[str, str],
        group_id: str | None,
        deduplication_id: str | None,
    ) -> object: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Consuming:
    """How a queue is consumed. The arguments of `consume` say what each value means."""

    queue: str
    concurrency: int
    batch: int
    wait: timedelta
    visibility_timeout: timedelta | None
    retry_delay: timedelta
    clock: Clock

    def __post_init__(self) -> None:
        nothing = timedelta(0)
        _require("concurrency", "at least 1", met=self.concurrency >= 1)
        _require("batch", f"from 1 to {BATCH}", met=1 <= self.batch <= BATCH)
        _require("wait", "from 0 to 20 s", met=nothing <= self.wait <= timedelta(seconds=20))
        _require("retry_delay", "at least 0", met=self.retry_delay >= nothing)
        lease = self.visibility_timeout
        _require("visibility_timeout", "longer than 0", met=lease is None or lease > nothing)


def _require(name: str, expected: str, *, met: bool) -> None:
    if not met:
        text = f"must be {expected}"
        raise ValidationError(f"{name} {text}", violations=[FieldViolation(name, text)])


class QueueConsuming:
    """Consuming for blocking clients."""

    def consume(
        self: QueueClient[M],
        queue: str,
        handler: Callable[[M], Verdict | None],
        *,
        concurrency: int = 1,
        batch: int | None = None,
        wait: timedelta = timedelta(seconds=5),
        visibility_timeout: timedelta | None = None,
        retry_delay: timedelta = timedelta(seconds=1),
        clock: Clock = SYSTEM,
    ) -> Consumer[M]:
        """A consumer of a queue. It starts with `run`, or as a context manager in the background.

            consumer = platform.queue.consume("orders", handle, concurrency=8)
            signal.signal(signal.SIGTERM, lambda *_: consumer.stop())
            consumer.run()

        The handler may see a message more than once. While it runs, and while its message waits for it, the message stays
        hidden from other receivers, however long that takes. Messages of one group are handled one after another; when
        one of them is to come again, those after it in its group are given back unhandled.

        Args:
            queue: The queue.
            handler: Deals with one message, in a thread, and returns its verdict; `None` is SUCCESS.
            concurrency: How many handlers run at the same time.
            batch: How many messages are received at once; as many as handlers where absent, 10 at most.
            wait: How long one call waits for messages. A stop may take as long.
            visibility_timeout: How long a message is hidden at a time, so how soon it comes back if the process dies;
                the queue's where absent.
            retry_delay: How long a message stays away that is to come again. It doubles with each receipt, up to 15
                minutes.
            clock: Tells the time.
        """
        from lcplatform_runtime.extensions.consumers import Consumer

        settings = Consuming(
            queue=queue,
            concurrency=concurrency,
            batch=min(concurrency, BATCH) if batch is None else batch,
            wait=wait,
            visibility_timeout=visibility_timeout,
            retry_delay=retry_delay,
            clock=clock,
        )
        return Consumer(self, handler, settings)


class AsyncQueueConsuming:
    """Consuming for async clients."""

    def consume(
        self: AsyncQueueClient[M],
        queue: str,
        handler: Callable[[M], Awaitable[Verdict | None]],
        *,
        concurrency: int = 1,
        batch: int | None = None,
        wait: timedelta = timedelta(seconds=5),
        visibility_timeout: timedelta | None = None,
        retry_delay: timedelta = timedelta(seconds=1),
        clock: Clock = SYSTEM,
    ) -> AsyncConsumer[M]:
        """A consumer of a queue. It starts with `await run()`, or as an async context manager in the background.

            consumer = platform.queue.consume("orders", handle, concurrency=100)
            loop.add_signal_handler(signal.SIGTERM, consumer.stop)
            await consumer.run()

        The handler may see a message more than once. While it runs, and while its message waits for it, the message stays
        hidden from other receivers, however long that takes. Messages of one group are handled one after another; when
        one of them is to come again, those after it in its group are given back unhandled.

        Args:
            queue: The queue.
            handler: Deals with one message and returns its verdict; `None` is SUCCESS.
            concurrency: How many handlers run at the same time.
            batch: How many messages are received at once; as many as handlers where absent, 10 at most.
            wait: How long one call waits for messages. A stop may take as long.
            visibility_timeout: How long a message is hidden at a time, so how soon it comes back if the process dies;
                the queue's where absent.
            retry_delay: How long a message stays away that is to come again. It doubles with each receipt, up to 15
                minutes.
            clock: Tells the time.
        """
        from lcplatform_runtime.extensions.consumers import AsyncConsumer

        settings = Consuming(
            queue=queue,
            concurrency=concurrency,
            batch=min(concurrency, BATCH) if batch is None else batch,
            wait=wait,
            visibility_timeout=visibility_timeout,
            retry_delay=retry_delay,
            clock=clock,
        )
        return AsyncConsumer(self, handler, settings)
