"""Drains a queue of orders into one object. It runs as a batch job, every night.

An attempt may end anywhere, and a message may come twice. So what a batch of messages changes is written in one step, under
their ids, if nobody else wrote meanwhile; and only then are they deleted. Whatever comes again is known by its id.

    LCPLATFORM_PROVIDER=grpc LCPLATFORM_PROVIDERS__GRPC__ENDPOINT=127.0.0.1:50051 python drain.py
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from lcplatform import Json, LCPlatform
from lcplatform.errors import AlreadyExistsError, ConflictError, ResourceNotFoundError

QUEUE: Final = "orders"
BUCKET: Final = "shop"
SALES: Final = "sales.json"
"""The object: every order that was sold, by the id of its message."""

PATIENCE: Final = timedelta(milliseconds=200)
"""How long the job waits at an empty queue before it ends."""

Orders = dict[str, Any]  # JSON, by the ids of messages


def main() -> None:
    """What the job does."""
    with LCPlatform.from_env() as platform:
        drain(platform)


def drain(platform: LCPlatform) -> None:
    """Takes messages in batches until there are none."""
    while messages := platform.queue.receive_messages(
        QUEUE, max_messages=10, wait=PATIENCE
    ).messages:
        added = add(platform, {it.id: content(it.body) for it in messages})
        print(f"{added} added, {len(messages) - added} known", flush=True)
        platform.queue.delete_messages(QUEUE, [it.receipt_handle for it in messages])


def add(platform: LCPlatform, orders: Orders) -> int:
    """Writes down the orders that are not there yet, all of them or none. Returns how many those were."""
    while True:
        sales, etag = read(platform)
        new = {it: order for it, order in orders.items() if it not in sales}
        if not new:
            return 0
        with suppress(ConflictError, AlreadyExistsError):  # somebody was faster: what is there now?
            platform.object_store.put_object(
                BUCKET,
                SALES,
                json.dumps({**sales, **new}).encode(),
                content_type="application/json",
                if_match=etag,
                if_absent=etag is None,
            )
            return len(new)


def read(platform: LCPlatform) -> tuple[Orders, str | None]:
    """What was sold so far, and the etag of that. There is none before the first order."""
    try:
        with platform.object_store.get_object(BUCKET, SALES) as found:
            return json.loads(found.read()), found.header.etag
    except ResourceNotFoundError:
        return {}, None


def content(body: str | bytes | Json) -> object:
    """Orders are JSON."""
    assert isinstance(body, Json)
    return body.value


if __name__ == "__main__":
    main()
