"""A platform refuses what it cannot be made of, and closes all that it opened."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from lcplatform import AsyncLCPlatform, LCPlatform, unimplemented
from lcplatform.drivers import Drivers
from lcplatform.mocks import Mocks
from lcplatform.queue.models import SendMessageResponse
from lcplatform_runtime.config import PlatformSettings
from lcplatform_runtime.errors import (
    PreconditionFailedError,
    ServiceUnavailableError,
    ValidationError,
)
from lcplatform_runtime.foundation import Choice
from lcplatform_runtime.retry import RetryPolicy
from lcplatform_runtime.testing.clock import ManualClock

ONCE = PlatformSettings(retry=RetryPolicy(max_attempts=1))


class Provider:
    """Counts its connections, and closes them as it was told."""

    name = "counting"

    def __init__(self, failure: Exception | None = None) -> None:
        self.mocks = Mocks()
        self.open = 0
        self._failure = failure

    def connect(self, options: Mapping[str, object], /, *, asynchronous: bool) -> Drivers:
        self.open += 1
        mocks = self.mocks
        return Drivers(
            object_store=lambda: mocks.object_store,
            queue=lambda: mocks.queue,
            secrets=lambda: mocks.secrets,
            authentication=unimplemented.authentication,
            batch=unimplemented.batch,
            configuration=unimplemented.configuration,
            data_store=unimplemented.data_store,
            document_store=unimplemented.document_store,
            event_bus=unimplemented.event_bus,
            notification=unimplemented.notification,
            web_hosting=unimplemented.web_hosting,
            provider=self.name,
            translate=lambda error, operation: None,
            close=self._close,
        )

    def _close(self) -> None:
        self.open -= 1
        if self._failure is not None:
            raise self._failure


@pytest.mark.parametrize("platform", [LCPlatform, AsyncLCPlatform])
@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"provider": "nope"}, "provider"),
        ({"provider": 3}, "provider"),
        ({}, "provider"),
        ({"provider": "mock", "sed": 1}, "sed"),
        ({"provider": "mock", "services": {"queues": "mock"}}, "services.queues"),
        ({"provider": "mock", "services": {"queue": "nope"}}, "provider"),
        ({"provider": "mock", "services": {"queue": {"options": {"sed": 1}}}}, "sed"),
        ({"provider": "mock", "settings": {"deadline": 3}}, "settings"),
    ],
)
def test_a_mistake_is_told_where_it_is_made(
    platform: type[Any], arguments: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        platform(**arguments)
    assert [it.field for it in caught.value.violations] == [field]


def test_what_was_connected_before_a_mistake_is_closed() -> None:
    provider = Provider()
    with pytest.raises(ValidationError, match="nope"):
        LCPlatform(provider=provider, services={"queue": "nope"})
    assert provider.open == 0


def test_the_options_of_a_choice_are_not_shown() -> None:
    assert "hush" not in repr(Choice("grpc", {"token": "hush-hush"}))


def test_a_closed_platform_serves_no_more() -> None:
    platform = LCPlatform(provider="mock")
    platform.queue.create_queue("orders")
    platform.close()
    platform.close()
    with pytest.raises(PreconditionFailedError, match="closed"):
        platform.queue.send_message("orders", "late")
    with pytest.raises(PreconditionFailedError, match="closed"):
        platform.describe()


def test_one_provider_that_fails_to_close_leaves_no_other_open() -> None:
    failing, other = Provider(OSError("stuck")), Provider()
    platform = LCPlatform(provider=failing)
    platform._foundation._connected.append((None, other.connect({}, asynchronous=False)))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(OSError, match="stuck"):
        platform.close()
    assert (failing.open, other.open) == (0, 0)


def test_a_call_that_runs_ends_before_its_provider_is_closed() -> None:
    provider = Provider()
    running, release = threading.Event(), threading.Event()
    open_meanwhile: list[int] = []

    def slow(_: object) -> SendMessageResponse:
        running.set()
        assert release.wait(10)
        open_meanwhile.append(provider.open)
        return SendMessageResponse(message_id="m")

    provider.mocks.queue.on_send_message.returns(slow)

    async def main() -> None:
        platform = AsyncLCPlatform(provider=provider)
        sending = asyncio.create_task(platform.queue.send_message("orders", "a"))
        await asyncio.to_thread(running.wait, 10)
        closing = asyncio.create_task(platform.close())
        while not platform._foundation._closed:
            await asyncio.sleep(0)
        release.set()
        assert (await sending).message_id == "m"
        await closing

    asyncio.run(main())
    assert open_meanwhile == [1]
    assert provider.open == 0


def test_a_receiver_that_waits_does_not_hold_up_the_end() -> None:
    clock = ManualClock()

    async def main() -> None:
        platform = AsyncLCPlatform(provider="mock", clock=clock)
        await platform.queue.create_queue("orders")
        waiting = asyncio.create_task(
            platform.queue.receive_messages("orders", wait=timedelta(seconds=20))
        )
        await asyncio.to_thread(clock.await_sleepers)
        try:
            async with asyncio.timeout(10):
                await platform.close()
                with pytest.raises(PreconditionFailedError, match="closed"):
                    await waiting
        finally:
            clock.advance(20)

    asyncio.run(main())


def test_a_server_that_cannot_be_reached_is_told_in_the_words_of_the_platform() -> None:
    options: dict[str, Any] = {"provider": "grpc", "endpoint": "127.0.0.1:1", "settings": ONCE}
    with LCPlatform(**options) as platform, pytest.raises(ServiceUnavailableError) as caught:
        platform.describe()
    assert caught.value.operation == "Platform.Describe"

    async def main() -> None:
        async with AsyncLCPlatform(**options) as platform:
            with pytest.raises(ServiceUnavailableError):
                await platform.describe()

    asyncio.run(main())
