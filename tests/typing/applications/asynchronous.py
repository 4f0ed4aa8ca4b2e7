"""An async application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import assert_type

from lcplatform import AsyncLCPlatform
from lcplatform.batch import Job
from lcplatform.object_store import GetObjectHeader
from lcplatform.queue import QueueSummary, SendMessageResponse
from lcplatform_runtime.streams import AsyncDownload


async def application(platform: AsyncLCPlatform) -> None:
    assert_type(await platform.queue.send_message("orders", "first"), SendMessageResponse)
    assert_type(platform.queue.iter_queues(), AsyncIterator[QueueSummary])
    got = await platform.object_store.get_object("reports", "a.txt")
    assert_type(got, AsyncDownload[GetObjectHeader])
    assert_type(await got.read(), bytes)
    assert_type(await platform.batch.wait_for_job("1"), Job)
    value = platform.configuration.get_configuration_value
    assert_type(await value("shop", "test", path="/limits/rate", as_type=int), int)
