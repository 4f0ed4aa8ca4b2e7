"""The threads of a blocking consumer: what a handler says arrives, whatever it is, and the loop is not woken for each message."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable
from contextvars import ContextVar

import pytest

from lcplatform_runtime.extensions.handlers import HandlerThreads

NAME: ContextVar[str] = ContextVar("name", default="nobody")


async def handled(handler: Callable[[int], object], count: int, threads: int) -> list[object]:
    """What the handler says of so many messages that come together."""
    handlers = HandlerThreads(handler, threads, asyncio.get_running_loop())
    try:
        tasks = (handlers.handle(number) for number in range(count))
        return list(await asyncio.gather(*tasks, return_exceptions=True))
    finally:
        handlers.close()


def test_every_message_gets_what_the_handler_says_of_it() -> None:
    assert asyncio.run(handled(lambda it: it * 2, 100, 4)) == [it * 2 for it in range(100)]


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1), StopIteration()])
def test_what_a_handler_raises_is_raised_where_its_message_is(error: BaseException) -> None:
    def handler(number: int) -> int:
        if number == 1:
            raise error
        return number

    first, raised, last = asyncio.run(_each(handler))
    assert (first, last) == (0, 2)
    # A coroutine cannot raise the one that ends iterations.
    assert isinstance(raised, RuntimeError if isinstance(error, StopIteration) else type(error))


async def _each(handler: Callable[[int], int]) -> list[object]:
    handlers = HandlerThreads(handler, 1, asyncio.get_running_loop())
    said: list[object] = []
    for number in range(3):
        try:
            said.append(await handlers.handle(number))
        except BaseException as error:  # noqa: BLE001  an exit is looked at too
            said.append(error)
    handlers.close()
    return said


def test_as_many_messages_are_handled_side_by_side_as_there_are_threads() -> None:
    meeting = threading.Barrier(4, timeout=5)
    asyncio.run(handled(lambda _: meeting.wait(), 8, 4))
    assert not meeting.broken


def test_threads_start_when_they_are_needed() -> None:
    async def one_after_another() -> int:
        seen: set[int] = set()

        def handler(number: int) -> None:
            seen.add(threading.get_ident())

        handlers = HandlerThreads(handler, 8, asyncio.get_running_loop())
        for number in range(5):
            await handlers.handle(number)
        handlers.close()
        return len(seen)

    assert asyncio.run(one_after_another()) == 1


def test_a_handler_sees_the_context_of_its_message() -> None:
    async def handling() -> list[str]:
        handlers: HandlerThreads[int, str] = HandlerThreads(
            lambda _: NAME.get(), 2, asyncio.get_running_loop()
        )

        async def under(name: str) -> str:
            NAME.set(name)
            return await handlers.handle(0)

        names = await asyncio.gather(*(under(it) for it in ("kim", "lee")))
        handlers.close()
        return names

    assert asyncio.run(handling()) == ["kim", "lee"]


def test_a_message_whose_task_was_cancelled_holds_up_nobody() -> None:
    async def handling() -> int:
        go = threading.Event()

        def handler(number: int) -> int:
            go.wait(5)
            return number

        handlers = HandlerThreads(handler, 1, asyncio.get_running_loop())
        gone = asyncio.create_task(handlers.handle(1))
        await asyncio.sleep(0)
        gone.cancel()
        go.set()
        said = await handlers.handle(2)
        handlers.close()
        return said

    assert asyncio.run(handling()) == 2


def test_a_message_does_not_live_as_long_as_a_thread_that_handled_it() -> None:
    class Message:
        pass

    async def handling() -> bool:
        def handler(message: Message) -> None:
            return

        handlers = HandlerThreads(handler, 1, asyncio.get_running_loop())
        message = Message()
        alive = weakref.ref(message)
        await handlers.handle(message)
        del message
        for _ in range(200):
            gc.collect()
            if alive() is None:
                break
            await asyncio.sleep(0.01)
        handlers.close()
        return alive() is None

    assert asyncio.run(handling())
