"""A receiver that gives up frees what waits for it, and no message is taken for it, on any surface."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta

import grpc
import pytest

from lcplatform import AsyncLCPlatform, LCPlatform
from lcplatform.queue.v1 import queue_pb2
from lcplatform_runtime.testing.clock import ManualClock
from lcplatform_server.server import Server
from lcplatform_server.settings import ServerSettings

WAIT = timedelta(seconds=20)


def waiting(clock: ManualClock) -> None:
    clock.await_sleepers(1)


def woken(clock: ManualClock) -> bool:
    """Whether nobody waits for the clock any more, after a moment."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            clock.await_sleepers(1, timeout=0.01)
        except TimeoutError:
            return True
    return False


def test_a_remote_receiver_that_cancels_takes_no_message() -> None:
    clock = ManualClock()
    settings = ServerSettings(listen="127.0.0.1:0", grace=0)
    with LCPlatform("mock", clock=clock) as platform, Server(platform, settings) as server:
        platform.queue.create_queue("orders")
        with grpc.insecure_channel(server.endpoint) as channel:
            receive: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
                "/lcplatform.queue.v1.QueueService/ReceiveMessages"
            )
            request = queue_pb2.ReceiveMessagesRequest(queue="orders")
            request.wait.FromTimedelta(WAIT)
            call = receive.future(request.SerializeToString())
            waiting(clock)
            call.cancel()
            assert woken(clock)
        platform.queue.send_message("orders", "first")
        assert [m.body for m in platform.queue.receive_messages("orders").messages] == ["first"]


@pytest.mark.parametrize("remote", [False, True], ids=["in-process", "grpc"])
def test_an_async_receiver_that_is_cancelled_takes_no_message(remote: bool) -> None:
    clock = ManualClock()

    async def main(make: Callable[[], AsyncLCPlatform]) -> None:
        async with make() as platform:
            await platform.queue.create_queue("orders")
            receiving = asyncio.create_task(platform.queue.receive_messages("orders", wait=WAIT))
            await asyncio.to_thread(waiting, clock)
            receiving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await receiving
            assert await asyncio.to_thread(woken, clock)
            await platform.queue.send_message("orders", "first")
            received = await platform.queue.receive_messages("orders")
            assert [message.body for message in received.messages] == ["first"]

    if not remote:
        asyncio.run(main(lambda: AsyncLCPlatform("mock", clock=clock)))
        return
    settings = ServerSettings(listen="127.0.0.1:0", grace=0)
    with LCPlatform("mock", clock=clock) as platform, Server(platform, settings) as server:
        asyncio.run(main(lambda: AsyncLCPlatform("grpc", endpoint=server.endpoint)))
