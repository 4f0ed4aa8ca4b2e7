"""The story of the queue that a job drains: it plays, and the job writes each order once, wherever it dies."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from examples.stories.drain import drain, run
from examples.stories.drain.drain import BUCKET, QUEUE, SALES
from examples.stories.drain.orders import open_shop, sell
from lcplatform import LCPlatform
from lcplatform.object_store.client import ObjectStore
from lcplatform.queue.client import Queue


class Death(BaseException):
    """The process is gone: nothing after this happens."""


@pytest.fixture
def shop(lcplatform_mock: LCPlatform, monkeypatch: pytest.MonkeyPatch) -> LCPlatform:
    monkeypatch.setattr(drain, "PATIENCE", timedelta())
    open_shop(lcplatform_mock, {})
    return lcplatform_mock


def orders(count: int) -> list[dict[str, object]]:
    return [{"order": number} for number in range(count)]


def written(platform: LCPlatform) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(platform.object_store.get_object(BUCKET, SALES).read())
    return found


def test_the_story_plays() -> None:
    command = [sys.executable, run.__file__]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "attempt 3: 10 added, 0 known" in done.stdout
    assert done.stdout.endswith("each once, and the queue is empty.\n")


def test_nothing_is_left_or_made_where_there_is_nothing_to_do(shop: LCPlatform) -> None:
    drain.drain(shop)
    assert not shop.object_store.exists(BUCKET, SALES)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(1, 4))
@pytest.mark.parametrize(
    ("client", "name"),
    [
        (Queue, "receive_messages"),
        (ObjectStore, "get_object"),
        (ObjectStore, "put_object"),
        (Queue, "delete_messages"),
    ],
)
def test_wherever_a_job_dies_each_order_is_written_once(
    shop: LCPlatform,
    monkeypatch: pytest.MonkeyPatch,
    client: type[Any],
    name: str,
    call: int,
    after: bool,
) -> None:
    sold = sell(shop, orders(25))
    with monkeypatch.context() as fragile:
        fragile.setattr(client, name, dying(getattr(client, name), call, after))
        with pytest.raises(Death):
            drain.drain(shop)
    drain.drain(shop)  # the next attempt, at once
    shop.control.advance_clock(timedelta(minutes=1))
    drain.drain(shop)  # the next run, when what the dead one held is free again
    found = written(shop)
    assert sorted(found) == sorted(sold)
    assert sorted(it["order"] for it in found.values()) == list(range(25))
    queue = shop.queue.get_queue(QUEUE).queue
    assert (queue.available_messages, queue.in_flight_messages) == (0, 0)


def dying(real: Callable[..., object], call: int, after: bool) -> Callable[..., object]:
    """A method that is the last one of its process when it is called so often."""
    calls = 0

    def method(*arguments: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        if calls == call and not after:
            raise Death
        try:
            return real(*arguments, **named)
        finally:
            if calls == call:
                raise Death

    return method


def test_jobs_that_run_at_once_get_in_nobodys_way(shop: LCPlatform) -> None:
    sold = sell(shop, orders(120))
    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(drain.drain, shop) for _ in range(6)]:
            done.result()
    assert sorted(written(shop)) == sorted(sold)


def test_a_message_that_comes_again_is_known(
    shop: LCPlatform, capsys: pytest.CaptureFixture[str]
) -> None:
    sell(shop, orders(1))
    received = shop.queue.receive_messages(QUEUE, visibility_timeout=timedelta()).messages[0]
    drain.drain(shop)
    assert drain.add(shop, {received.id: "another content"}) == 0
    assert capsys.readouterr().out == "1 added, 0 known\n"
    assert list(written(shop).values()) == [{"order": 0}]


def test_the_files_of_the_story_are_as_long_as_one_reads_at_once() -> None:
    folder = Path(drain.__file__).parent
    for name in ("drain.py", "orders.py"):
        assert len((folder / name).read_text().splitlines()) < 100
