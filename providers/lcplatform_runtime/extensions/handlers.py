"""The threads in which a blocking consumer's handlers run, and the way of what they say back to its event loop.

An executor would wake the loop for every message, which costs more than many a handler. Here the loop is woken once for all
messages that were dealt with until it comes to look.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, copy_context
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Generic, TypeAlias, TypeVar

M = TypeVar("M")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class _Raised:
    """What a handler raised."""

    error: BaseException


_Answer: TypeAlias = "asyncio.Future[V | _Raised]"


class HandlerThreads(Generic[M, V]):
    """Runs a handler in up to so many threads, for one event loop. They start when they are first needed."""

    def __init__(
        self, handler: Callable[[M], V], most: int, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._handler = handler
        self._most = most
        self._loop = loop
        self._threads: list[Thread] = []
        self._idle = 0
        self._given: SimpleQueue[tuple[M, Context, _Answer[V]] | None] = SimpleQueue()
        self._said: deque[tuple[_Answer[V], V | _Raised]] = deque()
        self._woken = False

    async def handle(self, message: M) -> V:
        """What the handler says of a message. It sees the context variables of the caller. Only on the event loop."""
        answer: _Answer[V] = self._loop.create_future()
        if self._idle == 0 and len(self._threads) < self._most:
            thread = Thread(target=self._work, name="lcplatform-handler", daemon=True)
            self._threads.append(thread)
            thread.start()
        else:
            self._idle -= 1
        self._given.put((message, copy_context(), answer))
        said = await answer
        if isinstance(said, _Raised):
            raise said.error
        return said

    def close(self) -> None:
        """Returns when the threads have ended. Nothing may be given to them any more."""
        for _ in self._threads:
            self._given.put(None)
        for it in self._threads:
            it.join()

    def _work(self) -> None:
        while (given := self._given.get()) is not None:
            self._deal_with(*given)
            del given  # or the last message would live as long as the thread

    def _deal_with(self, message: M, context: Context, answer: _Answer[V]) -> None:
        said: V | _Raised
        try:
            said = context.run(self._handler, message)
        except BaseException as error:  # noqa: BLE001  it is raised where the message is dealt with
            said = _Raised(error)
        self._said.append((answer, said))
        if not self._woken:
            self._woken = True
            with suppress(RuntimeError):  # the loop has ended, and nobody listens
                self._loop.call_soon_threadsafe(self._listen)

    def _listen(self) -> None:
        """Tells everybody what was said until now. What is said from here on wakes the loop again."""
        self._woken = False
        while self._said:
            answer, said = self._said.popleft()
            self._idle += 1
            if not answer.done():  # else its task was cancelled
                answer.set_result(said)
