"""The call in progress is known wherever its code runs."""

from __future__ import annotations

import os
import re
import sys
from datetime import timedelta
from typing import Any

import pytest

from lcplatform_runtime.context import CallContext, correlation, current_call, entered
from lcplatform_runtime.errors import ValidationError
from lcplatform_runtime.options import CallOptions
from lcplatform_runtime.retry import RetryPolicy
from lcplatform_runtime.testing.clock import ManualClock
from tests.unit.runtime.doubles import KEYED, READ, Platform, Read, Script, Value, Write


def watching(contexts: list[CallContext | None]) -> Script[Value]:
    def answer(request: Any) -> Value:
        contexts.append(current_call())
        return Value(text="a")

    return Script(answer)


def test_outside_of_a_call_there_is_none() -> None:
    assert current_call() is None


def test_every_call_has_a_name_of_its_own(platform: Platform) -> None:
    contexts: list[CallContext | None] = []
    read = platform.unary(READ, watching(contexts))
    for _ in range(3):
        read(Read(name="a"))
    names = [it.correlation_id for it in contexts if it]
    assert len(set(names)) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in names)
    assert contexts[0] is not None
    assert contexts[0].correlation_id == names[0]
    assert current_call() is None


def test_a_correlation_names_every_call_within(platform: Platform) -> None:
    contexts: list[CallContext | None] = []
    read = platform.unary(READ, watching(contexts))
    with correlation("order-17"):
        read(Read(name="a"))
        read(Read(name="a"), CallOptions(correlation_id="other"))
    assert [it and it.correlation_id for it in contexts] == ["order-17", "other"]
    with pytest.raises(ValidationError), correlation("not good\n"):
        pass


def test_options_reach_the_driver_with_the_deadline_as_a_moment(platform: Platform) -> None:
    contexts: list[CallContext | None] = []
    write = platform.unary(KEYED, watching(contexts))
    platform.clock.advance(100)
    options = CallOptions(deadline=timedelta(seconds=5), idempotency_key="k1", correlation_id="c")
    write(Write(name="a"), options)
    (context,) = contexts
    assert context is not None
    assert (context.correlation_id, context.deadline, context.idempotency_key) == ("c", 105.0, "k1")
    assert context.remaining() == 5.0
    platform.clock.advance(6)
    assert context.remaining() == 0.0


def test_a_nested_call_keeps_name_and_deadline_but_not_the_key(platform: Platform) -> None:
    contexts: list[CallContext | None] = []
    read = platform.unary(READ, watching(contexts))
    with entered(CallContext("outer", 50.0, "k1", platform.clock)):
        read(Read(name="a"))
        read(Read(name="a"), CallOptions(deadline=timedelta(seconds=80)))
        read(Read(name="a"), CallOptions(deadline=timedelta(seconds=20)))
    assert [(it.correlation_id, it.deadline, it.idempotency_key) for it in contexts if it] == [
        ("outer", 50.0, None),
        ("outer", 50.0, None),
        ("outer", 20.0, None),
    ]


def test_what_a_call_says_of_cache_and_retries_reaches_its_driver_and_no_other(
    platform: Platform,
) -> None:
    """A remote driver tells its server, which has a cache and retries of its own."""
    contexts: list[CallContext | None] = []
    read = platform.unary(READ, watching(contexts))
    policy = RetryPolicy(max_attempts=7)
    read(Read(name="a"), CallOptions(bypass_cache=True, retry=policy))
    (own,) = [it for it in contexts if it]
    with entered(own):
        read(Read(name="a"))
    assert [(it.bypass_cache, it.retry) for it in contexts if it] == [(True, policy), (False, None)]


def test_a_deadline_by_another_clock_leaves_as_much_time(platform: Platform) -> None:
    contexts: list[CallContext | None] = []
    read = platform.unary(READ, watching(contexts))
    other = ManualClock()
    other.advance(1000)
    with entered(CallContext("outer", 1005.0, clock=other)):
        read(Read(name="a"))
        read(Read(name="a"), CallOptions(deadline=timedelta(seconds=3)))
    assert [it.remaining() for it in contexts if it] == [5.0, 3.0]


def test_correlation_keeps_the_deadline_of_the_call_around_it() -> None:
    with entered(CallContext("outer", 50.0)), correlation("inner") as context:
        assert (context.correlation_id, context.deadline) == ("inner", 50.0)
        assert current_call() is context


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork on Windows")
def test_a_forked_process_names_its_calls_differently() -> None:
    own = CallContext().correlation_id[:16]
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, CallContext().correlation_id[:16].encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 16).decode() != own
    os.close(reader)
    os.close(writer)
