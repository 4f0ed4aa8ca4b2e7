"""A test keeps the state of a mock and goes back to it, in-process and over gRPC, in both colours."""

from __future__ import annotations

import asyncio

import pytest

from lcplatform import AsyncLCPlatform, LCPlatform
from lcplatform_server.server import Server
from lcplatform_server.settings import ServerSettings


def test_a_snapshot_is_restored_at_the_end_of_its_block(platform: LCPlatform) -> None:
    platform.queue.create_queue("orders")

    def fails() -> None:
        with platform.control.snapshot():
            platform.queue.create_queue("passing")
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        fails()
    assert [it.name for it in platform.queue.iter_queues()] == ["orders"]


def test_a_snapshot_can_be_restored_again_and_again(platform: LCPlatform) -> None:
    platform.secrets.create_secret("key", "before")
    kept = platform.control.snapshot()
    for value in ("one", "two"):
        platform.secrets.put_secret_value("key", value)
        kept.restore()
        assert platform.secrets.get_secret("key").value == "before"


def test_it_works_over_grpc_and_in_the_other_colour(platform: LCPlatform) -> None:
    settings = ServerSettings(listen="127.0.0.1:0", control=True, grace=0)

    async def use(endpoint: str) -> None:
        async with AsyncLCPlatform("grpc", endpoint=endpoint) as remote:
            async with await remote.control.snapshot():
                await remote.queue.create_queue("passing")
                assert (await remote.queue.list_queues()).queues
            assert not (await remote.queue.list_queues()).queues

    with Server(platform, settings) as server:
        asyncio.run(use(server.endpoint))
