"""Consumers of a queue, in both colours: how they are started, stopped and waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent import futures
from contextlib import suppress
from contextvars import copy_context
from datetime import timedelta
from threading import Thread
from typing import TYPE_CHECKING, Any, Generic

from typing_extensions import override

from lcplatform_runtime.bridge import Lanes
from lcplatform_runtime.errors import PreconditionFailedError
from lcplatform_runtime.extensions.consumption import Consumption
from lcplatform_runtime.extensions.handlers import HandlerThreads
from lcplatform_runtime.extensions.queue import (
    AsyncQueueClient,
    BatchAnswer,
    ChangeAnswer,
    Consuming,
    FoundQueue,
    M,
    QueueClient,
    Received,
    Verdict,
)

if TYPE_CHECKING:
    from typing import Self

    from lcplatform_runtime.json_value import Json


class Consumer(Generic[M]):
    """Consumes a queue with blocking handlers. It runs once.

    Raises, from its start: ResourceNotFoundError, if there is no such queue. From `run`, `wait` and the end of the context:
    the error that ended it, such as PreconditionFailedError for a dead letter of a queue that has no dead-letter queue.
    What passes by itself does not end it.
    """

    def __init__(
        self,
        client: QueueClient[M],
        handler: Callable[[M], Verdict | None],
        settings: Consuming,
    ) -> None:
        self._client = client
        self._handler = handler
        self._settings = settings
        self._ready: futures.Future[None] = futures.Future()
        self._done: futures.Future[None] = futures.Future()
        self._thread: Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._consumption: Consumption[M] | None = None
        self._stopped = False

    def run(self) -> None:
        """Consumes until `stop`, in threads of its own. An interrupt of this thread stops it as cleanly."""
        with self:
            self.wait()

    def stop(self) -> None:
        """Takes no more messages. May be called at any time, from any thread and from signal handlers.

        Handlers that run finish; what was received and not yet handled is given back. `wait` says when that is done.
        """
        self._stopped = True
        if self._loop is not None and self._consumption is not None:
            with suppress(RuntimeError):  # it has ended already
                self._loop.call_soon_threadsafe(self._consumption.stop)

    def wait(self) -> None:
        """Returns when the consumer has stopped."""
        if self._thread is None:
            raise PreconditionFailedError("the consumer has not been started")
        self._done.result()

    def __enter__(self) -> Self:
        if self._thread is not None:
            raise PreconditionFailedError("a consumer runs once: make another one")
        self._thread = Thread(
            target=copy_context().run,
            args=(asyncio.run, self._consume()),
            name="lcplatform-consumer",
            daemon=True,
        )
        self._thread.start()
        try:
            self._ready.result()
        except BaseException:  # an interrupt must not leave it running
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.stop()
        futures.wait([self._done])
        if kind is None:
            self.wait()

    async def _consume(self) -> None:
        calls = Lanes({"calls": 4, "long_polls": 1})
        self._loop = asyncio.get_running_loop()
        handlers = HandlerThreads(self._handler, self._settings.concurrency, self._loop)
        client = _InThreads(self._client, calls)
        self._consumption = Consumption(client, handlers.handle, self._settings)
        try:
            await self._consumption.prepare()
            if self._stopped:
                self._consumption.stop()
            self._ready.set_result(None)
            await self._consumption.run()
        except BaseException as error:  # noqa: BLE001  raised in the thread that waits
            if not self._ready.done():
                self._ready.set_exception(error)
            self._done.set_exception(error)
        else:
            self._done.set_result(None)
        finally:
            calls.close()
            handlers.close()


class AsyncConsumer(Generic[M]):
    """Consumes a queue with async handlers, on the event loop that starts it. It runs once.

    Raises, from its start: ResourceNotFoundError, if there is no such queue. From `run`, `wait` and the end of the context:
    the error that ended it, such as PreconditionFailedError for a dead letter of a queue that has no dead-letter queue.
    What passes by itself does not end it.
    """

    def __init__(
        self,
        client: AsyncQueueClient[M],
        handler: Callable[[M], Awaitable[Verdict | None]],
        settings: Consuming,
    ) -> None:
        self._consumption = Consumption(client, handler, settings)
        self._task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Consumes until `stop`. If its task is cancelled, it stops as cleanly."""
        async with self:
            await self.wait()

    def stop(self) -> None:
        """Takes no more messages. May be called at any time, on the event loop.

        Handlers that run finish; what was received and not yet handled is given back. `wait` says when that is done.
        """
        self._consumption.stop()

    async def wait(self) -> None:
        """Returns when the consumer has stopped."""
        if self._task is None:
            raise PreconditionFailedError("the consumer has not been started")
        await asyncio.shield(self._task)

    async def __aenter__(self) -> Self:
        if self._task is not None:
            raise PreconditionFailedError("a consumer runs once: make another one")
        await self._consumption.prepare()
        self._task = asyncio.create_task(self._consumption.run())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.stop()
        if self._task is not None:
            await asyncio.wait([self._task])
        if kind is None:
            await self.wait()


class _InThreads(AsyncQueueClient[M]):
    """A blocking client, awaited."""

    def __init__(self, client: QueueClient[M], lanes: Lanes) -> None:
        self._client = client
        self._lanes = lanes

    @override
    async def get_queue(self, name: str, /) -> FoundQueue:
        return await self._lanes.run("calls", self._client.get_queue, name)

    @override
    async def receive_messages(
        self, queue: str, /, *, max_messages: int, wait: timedelta, visibility_timeout: timedelta
    ) -> Received[M]:
        return await self._lanes.run(
            "long_polls",
            self._client.receive_messages,
            queue,
            max_messages=max_messages,
            wait=wait,
            visibility_timeout=visibility_timeout,
        )

    @override
    async def delete_messages(self, queue: str, receipt_handles: Sequence[str], /) -> BatchAnswer:
        return await self._lanes.run("calls", self._client.delete_messages, queue, receipt_handles)

    @override
    async def change_visibilities(self, queue: str, entries: Sequence[Any], /) -> ChangeAnswer:
        return await self._lanes.run("calls", self._client.change_visibilities, queue, entries)

    @override
    async def send_message(
        self,
        queue: str,
        body: str | bytes | Json,
        /,
        *,
        attributes: Mapping[str, str],
        group_id: str | None,
        deduplication_id: str | None,
    ) -> object:
        return await self._lanes.run(
            "calls",
            self._client.send_message,
            queue,
            body,
            attributes=attributes,
            group_id=group_id,
            deduplication_id=deduplication_id,
        )
