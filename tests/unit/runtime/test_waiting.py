"""Whoever waits for a status asks again and again, ever less often, until it is there, cannot come, or time is up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise
from typing import TypeAlias, TypedDict

import pytest

from lcplatform import LCPlatform
from lcplatform.batch.models import GetJobResponse, Job, JobStatus, JobTemplate
from lcplatform.errors import DeadlineExceededError, PreconditionFailedError
from lcplatform.mocks import Mocks
from lcplatform_runtime.clock import Clock
from lcplatform_runtime.errors import Outcome
from lcplatform_runtime.testing.clock import ManualClock
from lcplatform_runtime.waiting import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    present,
    wait_until,
    wait_until_async,
)


@dataclass
class Kettle:
    status: str
    reason: str | None = None


class Arguments(TypedDict):
    until: tuple[str, ...]
    fails_on: tuple[str, ...]
    timeout: timedelta
    clock: Clock
    operation: str
    resource: str


def waiting(clock: Clock, timeout: float = 60) -> Arguments:
    return {
        "until": ("hot",),
        "fails_on": ("broken",),
        "timeout": timedelta(seconds=timeout),
        "clock": clock,
        "operation": "Kitchen.GetKettle",
        "resource": "kettle",
    }


def wait(kettles: Iterator[Kettle], clock: Clock, timeout: float = 60) -> Kettle:
    return wait_until(
        lambda: next(kettles),
        status=lambda it: it.status,
        reason=lambda it: it.reason,
        **waiting(clock, timeout),
    )


def wait_async(kettles: Iterator[Kettle], clock: Clock, timeout: float = 60) -> Kettle:
    async def poll() -> Kettle:
        return next(kettles)

    return asyncio.run(
        wait_until_async(
            poll,
            status=lambda it: it.status,
            reason=lambda it: it.reason,
            **waiting(clock, timeout),
        )
    )


Waiter: TypeAlias = Callable[..., Kettle]
BOTH = pytest.mark.parametrize("wait", [wait, wait_async])


def cold(times: int) -> list[Kettle]:
    return [Kettle("cold", "it was just filled")] * times


@BOTH
def test_what_is_there_already_is_not_waited_for(wait: Waiter) -> None:
    clock = ManualClock(self_advancing=True)
    assert wait(iter([Kettle("hot")]), clock).status == "hot"
    assert clock.slept == []


@BOTH
def test_it_is_answered_with_as_it_is_in_the_end(wait: Waiter) -> None:
    clock = ManualClock(self_advancing=True)
    hot = Kettle("hot", "of the fire")
    assert wait(iter([*cold(3), hot]), clock) is hot
    assert len(clock.slept) == 3


@BOTH
def test_pauses_grow_up_to_the_longest(wait: Waiter) -> None:
    clock = ManualClock(self_advancing=True)
    wait(iter([*cold(20), Kettle("hot")]), clock, 3600)
    growing = [pause for pause in clock.slept if pause < LONGEST_PAUSE]
    assert growing[0] == FIRST_PAUSE
    assert all(before < after for before, after in pairwise(growing))
    assert clock.slept[-1] == LONGEST_PAUSE


@BOTH
def test_a_status_that_ends_the_wait_in_vain_is_told_with_its_reason(wait: Waiter) -> None:
    clock = ManualClock(self_advancing=True)
    with pytest.raises(PreconditionFailedError, match=r"it is broken \(it fell\)") as refused:
        wait(iter([*cold(1), Kettle("broken", "it fell")]), clock)
    assert refused.value.operation == "Kitchen.GetKettle"
    assert refused.value.resource == "kettle"
    assert not refused.value.retryable


@BOTH
def test_a_wait_ends_with_its_timeout_after_a_last_look(wait: Waiter) -> None:
    clock = ManualClock(self_advancing=True)
    expected = r"after 0:00:20 it is still cold \(it was just filled\)"
    with pytest.raises(DeadlineExceededError, match=expected) as refused:
        wait(iter(cold(99)), clock, 20)
    assert sum(clock.slept) == pytest.approx(20)
    assert refused.value.outcome is Outcome.NOT_EXECUTED
    kettles = chain(cold(1), [Kettle("hot")])
    assert wait(kettles, clock, 0.01).status == "hot"


def test_what_is_present_is_answered_with() -> None:
    assert present("x", "url", status="on", reason=None, operation="A.B", resource="r") == "x"
    assert not present("", "url", status="on", reason=None, operation="A.B", resource="r")


def test_what_is_absent_is_told_with_the_status() -> None:
    with pytest.raises(PreconditionFailedError, match="there is no url: it is creating") as refused:
        present(None, "url", status="creating", reason=None, operation="A.B", resource="r")
    assert refused.value.resource == "r"
    with pytest.raises(PreconditionFailedError, match=r"there is no url \(operation"):
        present(None, "url", status=None, reason=None, operation="A.B", resource="r")


JOB = Job(
    job_id="1",
    name="report",
    status=JobStatus.RUNNING,
    template=JobTemplate(image="reports"),
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def test_a_client_waits_by_the_clock_of_its_provider(lcplatform_mocks: Mocks) -> None:
    clock = ManualClock(self_advancing=True)
    get_job = lcplatform_mocks.batch.on_get_job
    get_job.answers(*[GetJobResponse(job=JOB)] * 3)
    get_job.returns(GetJobResponse(job=JOB.model_copy(update={"status": JobStatus.FAILED})))
    drivers = replace(lcplatform_mocks.drivers(), time=clock)
    platform = LCPlatform.from_drivers(drivers)
    assert platform.batch.wait_for_job("1").status is JobStatus.FAILED
    assert len(clock.slept) == 3
    assert [call.job_id for call in get_job.calls] == ["1"] * 4
