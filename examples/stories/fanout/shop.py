"""A shop that tells of each order once, whoever wants to know."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from lcplatform import LCPlatform
from lcplatform.event_bus.models import (
    FunctionTarget,
    HttpTarget,
    InputTransform,
    QueueTarget,
    TargetRetry,
)

BUS: Final = "shop"
SOURCE: Final = "/shop"
PLACED: Final = "com.example.order.placed"
WAREHOUSE: Final = "warehouse"
LETTERS: Final = "partner-letters"
SECRET: Final = "partner/token"

ONCE_MORE: Final = TargetRetry(max_retries=1, max_age=timedelta(minutes=1))


def open_shop(platform: LCPlatform, billing: str, partner: str) -> None:
    """Makes the bus, and says who hears of what.

    Args:
        platform: where the shop works.
        billing: the URL of the billing department, which gets every order.
        partner: the URL of a partner, who gets large orders, in a shape of its own.
    """
    events, queues = platform.event_bus, platform.queue
    queues.create_queue(WAREHOUSE)
    queues.create_queue(LETTERS)
    events.create_event_bus(BUS)
    events.create_archive(BUS, "orders", pattern={"type": [PLACED]})

    events.create_rule(BUS, "orders", pattern={"source": [SOURCE], "type": [PLACED]})
    events.add_target(BUS, "orders", target_id=WAREHOUSE, target=QueueTarget(queue=WAREHOUSE))
    events.add_target(BUS, "orders", target_id="billing", target=HttpTarget(url=billing))
    events.add_target(BUS, "orders", target_id="loyalty", target=FunctionTarget(function="loyalty"))

    large = {"type": [PLACED], "data": {"total": [{"numeric": [">=", 1000]}]}}
    events.create_rule(BUS, "large", pattern=large)
    events.add_target(
        BUS,
        "large",
        target_id="partner",
        target=HttpTarget(url=partner, secret_headers={"Authorization": SECRET}),
        transform=InputTransform(
            paths={"order": "$.data.order", "total": "$.data.total", "at": "$.time"},
            template='{"reference": "shop-<order>", "amount": <total>, "placed": <at>}',
        ),
        retry=ONCE_MORE,
        dead_letter_queue=LETTERS,
    )


def sell(platform: LCPlatform, order: int, total: float) -> str:
    """Places an order, and tells of it. The id of the event."""
    data = {"order": order, "total": total}
    published = platform.event_bus.publish_event(
        BUS, source=SOURCE, type=PLACED, subject=f"{order}", data=data
    )
    return published.event_id
