"""A consumer on queues whose receipt handles change with every renewal."""

from __future__ import annotations

import threading
from datetime import timedelta

from lcplatform import LCPlatform
from lcplatform.queue.models import Message
from lcplatform_runtime.testing.clock import ManualClock

ADVERSITY = {"duplicates": 0, "errors": 0, "lost_answers": 0, "latency": 0, "new_handles": True}


def test_a_consumer_deletes_what_it_renewed() -> None:
    clock = ManualClock()
    handling, go_on = threading.Event(), threading.Event()

    def handle(message: Message) -> None:
        handling.set()
        assert go_on.wait(10)

    with LCPlatform(provider="mock", clock=clock, adversarial=ADVERSITY) as platform:
        queue = platform.queue
        queue.create_queue("orders", visibility_timeout=timedelta(seconds=30))
        queue.send_message("orders", "slow")
        with queue.consume("orders", handle, wait=timedelta(), clock=clock):
            assert handling.wait(10)
            for _ in range(6):
                clock.await_sleepers()
                clock.advance(10)
            go_on.set()
        info = queue.get_queue("orders").queue
        assert (info.available_messages, info.in_flight_messages) == (0, 0)
