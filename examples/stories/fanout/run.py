"""Plays the story: one event reaches a queue, a webhook and a function within a second, and what a partner misses is not lost.

python run.py
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from lcplatform import Json, LCPlatform
from lcplatform.queue.models import Message

sys.path.insert(0, str(Path(__file__).parents[3]))

from examples.stories.fanout.receivers import Loyalty, Receiver, receiving
from examples.stories.fanout.shop import (
    BUS,
    LETTERS,
    SECRET,
    WAREHOUSE,
    open_shop,
    sell,
)

PROMISED: Final = 1.0
"""Within so many seconds an event reaches whoever is there (SC-009)."""

PATIENCE: Final = 60.0
"""For how many seconds something is waited for of which nobody promised when it comes."""

A_WHILE: Final = timedelta(seconds=20)
"""For how long a queue is asked."""


def main() -> int:
    """Plays the story. Whatever is not as it should be ends it with an AssertionError."""
    loyalty = Loyalty()
    with (
        receiving() as billing,
        receiving() as partner,
        LCPlatform("mock", event_bus={"functions": {"loyalty": loyalty}}) as platform,
    ):
        platform.secrets.create_secret(SECRET, "Bearer open-sesame")
        open_shop(platform, billing.url, partner.url)
        everybody_hears(platform, billing, partner, loyalty)
        a_partner_is_away(platform, billing, partner)
        the_partner_is_back(platform, billing, partner)
    return 0


def everybody_hears(
    platform: LCPlatform, billing: Receiver, partner: Receiver, loyalty: Loyalty
) -> None:
    """An event reaches all that want it, within a second."""
    started = time.monotonic()
    event = sell(platform, 1, 19.99)
    (message,) = platform.queue.receive_messages(WAREHOUSE, wait=A_WHILE).messages
    until(lambda: bool(billing.heard and loyalty.orders), "events at billing and loyalty")
    took = time.monotonic() - started
    assert took < PROMISED, f"it took {took:.2f} s"
    assert read(message)["id"] == billing.heard[0]["id"] == event
    assert read(message)["data"] == billing.heard[0]["data"] == {"order": 1, "total": 19.99}
    assert loyalty.orders == [1]
    assert not partner.heard
    platform.queue.delete_message(WAREHOUSE, message.receipt_handle)
    say(f"One event reached a queue, a webhook and a function in {took * 1000:.0f} ms.")

    sell(platform, 2, 1500.5)
    until(lambda: bool(partner.heard), "events at the partner")
    (heard,) = partner.heard
    assert {it: heard[it] for it in ("reference", "amount")} == {
        "reference": "shop-2",
        "amount": 1500.5,
    }
    assert partner.headers["Authorization"] == "Bearer open-sesame"
    say("A large order reached the partner too, in the partner's shape and with its token.")


def a_partner_is_away(platform: LCPlatform, billing: Receiver, partner: Receiver) -> None:
    """What a partner cannot take becomes a dead letter, and nobody else notices."""
    partner.closed = True
    event = sell(platform, 3, 2000.0)
    until(lambda: billing.heard[-1]["id"] == event, "events at billing")
    (letter,) = platform.queue.receive_messages(LETTERS, wait=A_WHILE).messages
    assert read(letter)["id"] == event
    told = letter.attributes
    assert (told["rule"], told["target"], told["attempts"]) == ("large", "partner", "2")
    assert (told["reason"], told["error"]) == ("max_attempts", "HTTP 503")
    platform.queue.delete_message(LETTERS, letter.receipt_handle)
    say(f"The partner was away: after {told['attempts']} attempts its copy is a dead letter.")


def the_partner_is_back(platform: LCPlatform, billing: Receiver, partner: Receiver) -> None:
    """What was kept is delivered again, to the partner alone."""
    partner.closed = False
    so_far = len(billing.heard)
    now = datetime.now(UTC)
    replay = platform.event_bus.start_replay(
        BUS,
        "orders",
        since=now - timedelta(days=1),
        until=now + timedelta(days=1),
        rules=["large"],
    ).replay
    until(lambda: len(partner.heard) == 3, "events that are delivered again")
    assert [it["reference"] for it in partner.heard][:1] == ["shop-2"]
    assert sorted(it["reference"] for it in partner.heard[1:]) == ["shop-2", "shop-3"]
    assert len(billing.heard) == so_far
    until(
        lambda: platform.event_bus.get_replay(replay.replay_id).replay.status.value == "completed",
        "ends of the replay",
    )
    say("The partner is back: the archive delivered its orders again, to it alone.")


def read(message: Message) -> Any:  # JSON
    """The event in a message."""
    assert isinstance(message.body, Json)
    return message.body.value


def until(condition: Callable[[], bool], what: str) -> None:
    """Waits for something that comes by itself."""
    latest = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < latest, f"there are no {what}"
        time.sleep(0.005)


def say(what: str) -> None:
    """Tells how the story goes."""
    print(what, flush=True)


if __name__ == "__main__":
    sys.exit(main())
