"""Opens the shop: creates its queue and its bucket, and schedules the job that drains the one into the other.

LCPLATFORM_PROVIDER=grpc LCPLATFORM_PROVIDERS__GRPC__ENDPOINT=127.0.0.1:50051 python orders.py
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Final

from lcplatform import Json, LCPlatform
from lcplatform.batch.models import JobTemplate
from lcplatform.queue.models import SendMessagesEntry

QUEUE: Final = "orders"
BUCKET: Final = "shop"
JOB: Final = "drain"


def main() -> None:
    """Opens it. The job reaches the platform as this program does."""
    with LCPlatform.from_env() as platform:
        open_shop(
            platform, {it: os.environ[it] for it in os.environ if it.startswith("LCPLATFORM_")}
        )


def open_shop(platform: LCPlatform, environment: dict[str, str]) -> None:
    """Creates everything. `environment` tells the job where the platform is."""
    platform.object_store.create_bucket(BUCKET)
    platform.queue.create_queue(QUEUE, visibility_timeout=timedelta(minutes=1))
    platform.batch.create_schedule(
        JOB,
        cron="0 3 * * *",
        job=JobTemplate(image="shop/drain", environment=environment),
        description="Adds up what was sold",
    )


def sell(platform: LCPlatform, orders: list[dict[str, object]]) -> list[str]:
    """Sends orders. Returns the ids of their messages."""
    ids: list[str] = []
    for start in range(0, len(orders), 10):
        entries = [SendMessagesEntry(body=Json(order)) for order in orders[start : start + 10]]
        answer = platform.queue.send_messages(QUEUE, entries)
        assert not answer.failed
        ids += [it.message_id for it in answer.successful]
    return ids


if __name__ == "__main__":
    main()
