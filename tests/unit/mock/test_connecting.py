"""Connecting to the mock: its options, what it loads, and the clock that it makes itself."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from datetime import timedelta

import pytest

from lcplatform.errors import ValidationError
from lcplatform_mock.clock import RunningClock
from lcplatform_mock.provider import provider
from lcplatform_mock.settings import Adversity, MockSettings
from lcplatform_runtime.model import build
from lcplatform_runtime.testing.clock import ManualClock

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"seeds": 1}, "seeds"),
        ({"seed": "x"}, "seed"),
        ({"clock": 1}, "clock"),
        ({"adversarial": {"errors": 2}}, "adversarial.errors"),
        ({"adversarial": {"rain": 1}}, "adversarial.rain"),
        ({"adversarial": "sometimes"}, "adversarial"),
        ({"http_listen": "0.0.0.0:80"}, "http_listen"),
        ({"rotation_handlers": {"h": 1}}, "rotation_handlers.h"),
    ],
)
def test_an_option_that_is_wrong_is_named(options: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        provider.connect(options, asynchronous=False)
    assert caught.value.violations[0].field == field


@pytest.mark.parametrize("word", [True, "true", "1", "on"])
def test_adversity_can_be_asked_for_in_an_environment_variable(word: object) -> None:
    assert build(MockSettings, adversarial=word).adversarial == Adversity()


@pytest.mark.parametrize("word", [False, None, "false", "0", "off"])
def test_adversity_can_be_declined(word: object) -> None:
    assert build(MockSettings, adversarial=word).adversarial is None


def test_options_may_come_as_text() -> None:
    settings = build(MockSettings, seed="7", adversarial={"errors": "0.5", "shuffle": "false"})
    assert settings.seed == 7
    assert settings.adversarial is not None
    assert (settings.adversarial.errors, settings.adversarial.shuffle) == (0.5, False)


def test_connecting_opens_nothing_and_loads_no_service() -> None:
    script = (
        "import sys\n"
        "from lcplatform_mock import provider\n"
        "provider.connect({}, asynchronous=True)\n"
        "loaded = [it for it in sys.modules if it.startswith('lcplatform_mock.')]\n"
        "assert not {'lcplatform_mock.queue', 'lcplatform_mock.secrets', 'http.server',\n"
        "            'lcplatform_mock.object_store', 'socketserver'} & set(sys.modules), loaded\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


# --- the clock


def test_time_runs_and_can_be_moved_ahead() -> None:
    base = ManualClock()
    clock = RunningClock(base)
    start, begun = clock.now(), clock.monotonic()
    base.advance(1)
    clock.advance(DAY)
    assert clock.now() == start + DAY + timedelta(seconds=1)
    assert clock.monotonic() == pytest.approx(begun + 86401)
    with pytest.raises(ValueError, match="back"):
        clock.advance(-DAY)


def test_whoever_waits_wakes_when_the_clock_is_moved() -> None:
    clock = RunningClock()
    condition = threading.Condition()
    begun = threading.Barrier(3)
    results: list[bool] = []

    def sleep() -> None:
        begun.wait()
        clock.sleep(86400)

    def wait() -> None:
        with condition:
            begun.wait()
            results.append(clock.wait(condition, 86400))

    threads = [threading.Thread(target=it, daemon=True) for it in (sleep, wait)]
    for thread in threads:
        thread.start()
    begun.wait()
    for _ in range(1000):
        clock.advance(timedelta(hours=23))
        for thread in threads:
            thread.join(0.01)
        if not any(it.is_alive() for it in threads):
            break
    assert not any(it.is_alive() for it in threads)
    assert len(results) == 1


def test_a_wait_tells_whether_its_time_is_over() -> None:
    clock = RunningClock()
    condition = threading.Condition()
    with condition:
        assert clock.wait(condition, 0.001) is False
        timer = threading.Timer(0, lambda: _notify(condition))
        timer.start()
        assert clock.wait(condition, 60) is True
        timer = threading.Timer(0, lambda: _notify(condition))
        timer.start()
        assert clock.wait(condition) is True


def _notify(condition: threading.Condition) -> None:
    with condition:
        condition.notify_all()


def test_tasks_wake_when_the_clock_is_moved() -> None:
    clock = RunningClock()

    async def late() -> bool:
        scope = clock.timeout(86400)
        try:
            async with scope:
                await asyncio.Event().wait()
        except TimeoutError:
            return scope.expired()
        return False

    async def main() -> tuple[bool, None]:
        async def move() -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            clock.advance(DAY)

        expired, _, slept = await asyncio.gather(late(), move(), clock.sleep_async(86400))
        return expired, slept

    assert asyncio.run(main()) == (True, None)


def test_a_scope_that_is_left_in_time_has_not_expired() -> None:
    clock = RunningClock()

    async def main() -> bool:
        scope = clock.timeout(None)
        async with scope:
            pass
        other = clock.timeout(60)
        async with other:
            clock.advance(timedelta(seconds=1))
        clock.advance(DAY)
        await asyncio.sleep(0)
        return scope.expired() or other.expired()

    assert asyncio.run(main()) is False
