"""The work of a consumer: it takes messages, keeps their leases alive, hands them to the handler and settles them.

Every message that was received is *held* until it is deleted or given back, and every held message is renewed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Generic

from lcplatform_runtime.errors import (
    FieldViolation,
    LCPlatformError,
    PreconditionFailedError,
    ValidationError,
)
from lcplatform_runtime.extensions.queue import (
    BATCH,
    AsyncQueueClient,
    ChangeAnswer,
    Consuming,
    M,
    Verdict,
)

LOGGER: Final = logging.getLogger("lcplatform.consumer")
"""What a consumer survives and a person should know."""

_LONGEST_AWAY: Final = timedelta(minutes=15)
_LONGEST_PAUSE: Final = 20.0


@dataclass(slots=True)
class _Held(Generic[M]):
    """A message that this consumer holds, and the handle by which it does so now: a renewal may change it."""

    message: M
    handle: str


class Consumption(Generic[M]):
    """One run of a consumer, on one event loop. The client and the handler are awaited."""

    def __init__(
        self,
        client: AsyncQueueClient[M],
        handler: Callable[[M], Awaitable[Verdict | None]],
        settings: Consuming,
    ) -> None:
        self._client = client
        self._handler = handler
        self._settings = settings
        self._queue = settings.queue
        self._lease = settings.visibility_timeout or timedelta(0)
        self._dead_letters: str | None = None
        self._waiting: deque[deque[M]] = deque()
        self._working: set[asyncio.Task[None]] = set()
        self._held: dict[str, _Held[M]] = {}
        self._renewing: frozenset[str] = frozenset()
        self._renewed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._dealt_with: asyncio.Queue[M] = asyncio.Queue()
        self._stopping = asyncio.Event()
        self._failure: BaseException | None = None

    async def prepare(self) -> None:
        """Learns what must be known of the queue. Raises what makes it impossible to consume it."""
        facts = (await self._client.get_queue(self._queue)).queue
        self._lease = self._settings.visibility_timeout or facts.visibility_timeout
        self._dead_letters = facts.dead_letter_queue
        if self._lease <= timedelta(0):
            text = "must be given, since that of the queue is zero"
            raise ValidationError(
                f"visibility_timeout {text}",
                violations=[FieldViolation("visibility_timeout", text)],
            )

    async def run(self) -> None:
        """Consumes until `stop`. Then running handlers finish, and what was not handled is given back.

        Raises the error that ended the consumer, if it did not stop on request.
        """
        helpers = [asyncio.create_task(self._renew()), asyncio.create_task(self._delete())]
        try:
            await self._take()
        finally:
            self.stop()
            await self._give_back(message for unit in self._waiting for message in unit)
            while self._working:
                await asyncio.wait(self._working)
            await self._dealt_with.join()
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Takes no more messages. Only on the event loop."""
        self._stopping.set()
        self._room.set()

    # Taking

    async def _take(self) -> None:
        failures = 0
        while True:
            await self._room.wait()
            if self._stopping.is_set():
                return
            try:
                messages = await self._receive()
            except LCPlatformError as error:
                if not error.retryable:
                    raise
                failures += 1
                LOGGER.warning("receiving from %s failed: %s", self._queue, error)
                await self._pause(failures)
            else:
                failures = 0
                self._hand_out(messages)

    async def _receive(self) -> Sequence[M]:
        received = await self._client.receive_messages(
            self._queue,
            max_messages=self._settings.batch,
            wait=self._settings.wait,
            visibility_timeout=self._lease,
        )
        return received.messages

    def _hand_out(self, messages: Sequence[M]) -> None:
        for message in messages:
            self._held[message.receipt_handle] = _Held(message, message.receipt_handle)
        if len(self._held) >= self._settings.concurrency and not self._stopping.is_set():
            self._room.clear()
        self._waiting.extend(_units(messages))
        self._dispatch()

    def _dispatch(self) -> None:
        idle = self._settings.concurrency - len(self._working)
        while self._waiting and idle > 0 and not self._stopping.is_set():
            task = asyncio.create_task(self._work(self._waiting.popleft()))
            self._working.add(task)
            task.add_done_callback(self._worked)
            idle -= 1

    async def _pause(self, failures: int) -> None:
        """Lets a queue recover that cannot be reached, unless the consumer is stopped meanwhile."""
        seconds = min(_LONGEST_PAUSE, 2.0 ** min(failures - 1, 10))
        either = [
            asyncio.create_task(self._settings.clock.sleep_async(seconds)),
            asyncio.create_task(self._wait_for_stop()),
        ]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in either:
                task.cancel()
            await asyncio.gather(*either, return_exceptions=True)

    async def _wait_for_stop(self) -> None:
        await self._stopping.wait()

    # Handling

    async def _work(self, unit: deque[M]) -> None:
        """Handles messages one after another, until one is to come again or the consumer stops."""
        try:
            while unit and not self._stopping.is_set() and await self._deal_with(unit[0]):
                unit.popleft()
        finally:
            await self._give_back(unit)

    async def _deal_with(self, message: M) -> bool:
        """Whether the message is settled; otherwise it is to be given back."""
        verdict = await self._verdict(message)
        if verdict is Verdict.DEAD_LETTER and not await self._bury(message):
            verdict = Verdict.RETRY
        if verdict is Verdict.RETRY:
            await self._hide([message], self._away(message))
            return False
        self._dealt_with.put_nowait(message)
        return True

    async def _verdict(self, message: M) -> Verdict:
        try:
            verdict = await self._handler(message)
        except Exception:
            LOGGER.warning(
                "the handler of %s failed on message %s", self._queue, message.id, exc_info=True
            )
            return Verdict.RETRY
        if verdict is None or isinstance(verdict, Verdict):
            return verdict or Verdict.SUCCESS
        # Nothing is deleted for a word that was meant otherwise, or for a coroutine that nobody awaited.
        LOGGER.warning(
            "the handler of %s answered message %s with a %s instead of a Verdict or None",
            self._queue,
            message.id,
            type(verdict).__name__,
        )
        return Verdict.RETRY

    async def _bury(self, message: M) -> bool:
        """Sends the message to the dead-letter queue. It is deleted after that, so it may be there twice, and is never lost."""
        if self._dead_letters is None:
            raise PreconditionFailedError(
                f"the handler says DEAD_LETTER, and {self._queue} has no dead-letter queue",
                resource=self._queue,
            )
        ordered = message.group_id is not None
        try:
            await self._client.send_message(
                self._dead_letters,
                message.body,
                attributes=message.attributes,
                group_id=message.group_id,
                deduplication_id=(message.deduplication_id or message.id) if ordered else None,
            )
        except LCPlatformError as error:
            LOGGER.warning("message %s could not be dead-lettered: %s", message.id, error)
            return False
        return True

    def _away(self, message: M) -> timedelta:
        doublings = min(max(message.receive_count - 1, 0), 30)
        return min(min(self._settings.retry_delay, _LONGEST_AWAY) * 2.0**doublings, _LONGEST_AWAY)

    def _worked(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._failure = self._failure or error
            self.stop()
        self._dispatch()

    # Settling

    async def _delete(self) -> None:
        """Deletes what was dealt with. While one batch is on its way the next one gathers."""
        while True:
            batch = [await self._dealt_with.get()]
            while len(batch) < BATCH and not self._dealt_with.empty():
                batch.append(self._dealt_with.get_nowait())
            handles = await self._let_go(batch)
            try:
                answer = await self._client.delete_messages(self._queue, handles)
                for failure in answer.failed:
                    LOGGER.warning(
                        "message %s of %s was not deleted and may come again: %s",
                        batch[failure.index].id,
                        self._queue,
                        failure.message,
                    )
            except Exception as error:  # noqa: BLE001  it must go on deleting, whatever a client raises
                LOGGER.warning(
                    "%d messages of %s were not deleted and may come again: %s",
                    len(batch),
                    self._queue,
                    error,
                )
            finally:
                for _ in batch:
                    self._dealt_with.task_done()

    async def _give_back(self, messages: Iterable[M]) -> None:
        """Makes messages visible again that were not handled."""
        held = [message for message in messages if message.receipt_handle in self._held]
        if held:
            await self._hide(held, timedelta(0))

    async def _hide(self, messages: Sequence[M], away: timedelta) -> None:
        """Lets go of messages that are to come again after a while."""
        handles = await self._let_go(messages)
        for batch in _batches(handles):
            await self._change(batch, away)

    async def _let_go(self, messages: Sequence[M]) -> list[str]:
        """Holds messages no longer, and says by which handles they were held last."""
        own = [message.receipt_handle for message in messages]
        while not self._renewing.isdisjoint(
            own
        ):  # or the handle would change under the call that uses it
            await self._renewed.wait()
        handles = [held.handle if (held := self._held.get(it)) else it for it in own]
        self._release(own)
        return handles

    def _release(self, receipts: Iterable[str]) -> None:
        for receipt in receipts:
            self._held.pop(receipt, None)
        if len(self._held) < self._settings.concurrency:
            self._room.set()

    # Leases

    async def _renew(self) -> None:
        """Renews every held message three times a lease, so that a call may fail before one is lost."""
        while True:
            await self._settings.clock.sleep_async(self._lease.total_seconds() / 3)
            for receipts in _batches(list(self._held)):
                await self._renew_held([it for it in receipts if it in self._held])

    async def _renew_held(self, receipts: Sequence[str]) -> None:
        if not receipts:  # they were let go of while others were renewed
            return
        batch = [self._held[it] for it in receipts]
        self._renewing = frozenset(receipts)
        self._renewed.clear()
        try:
            answer = await self._change([it.handle for it in batch], self._lease)
        finally:
            self._renewing = frozenset()
            self._renewed.set()
        if answer is None:
            return
        for changed in answer.successful:
            batch[changed.index].handle = changed.receipt_handle
        for lost in (batch[it.index].message for it in answer.failed if not it.retryable):
            self._release([lost.receipt_handle])
            LOGGER.warning(
                "message %s of %s was taken back and may come again: its lease ended",
                lost.id,
                self._queue,
            )

    async def _change(self, handles: Sequence[str], visibility: timedelta) -> ChangeAnswer | None:
        """Changes how long messages stay hidden. `None`: it could not be done, which was logged."""
        entries = [{"receipt_handle": it, "visibility_timeout": visibility} for it in handles]
        try:
            return await self._client.change_visibilities(self._queue, entries)
        except Exception as error:  # noqa: BLE001  it must go on renewing, whatever a client raises
            LOGGER.warning(
                "the visibility of %d messages of %s was not changed: %s",
                len(handles),
                self._queue,
                error,
            )
            return None


def _batches(receipts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(receipts), BATCH):
        yield receipts[start : start + BATCH]


def _units(messages: Sequence[M]) -> Iterator[deque[M]]:
    """What may be handled side by side: each message, or all messages of one group in their order."""
    groups: dict[str, deque[M]] = {}
    for message in messages:
        if message.group_id is None:
            yield deque([message])
        else:
            groups.setdefault(message.group_id, deque()).append(message)
    yield from groups.values()
