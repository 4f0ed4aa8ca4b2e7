"""What the mock's Batch does beyond its contract: functions, outcomes, many copies, many at once (FR-006 to FR-010)."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from lcplatform import LCPlatform
from lcplatform.batch.client import Batch
from lcplatform.batch.models import JobStatus
from lcplatform.errors import LCPlatformError, PreconditionFailedError, ValidationError
from lcplatform_mock.images import JobContext, Simulated, Simulation
from lcplatform_runtime.testing.clock import ManualClock
from lcplatform_server.server import Server
from lcplatform_server.settings import ServerSettings
from tests.unit.mock.batch_jobs import await_no_room, ended, entries, written
from tests.unit.mock.race import RUNNERS, race

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@contextmanager
def batch_of(clock: ManualClock | None = None, **images: object) -> Iterator[LCPlatform]:
    time: dict[str, Any] = {} if clock is None else {"clock": clock}
    with LCPlatform("mock", batch={"images": images}, **time) as platform:
        yield platform


# --- functions


def test_a_function_is_told_what_it_is_to_do() -> None:
    seen: list[JobContext] = []
    with batch_of(run=seen.append) as platform:
        platform.secrets.create_secret("key", "value")
        job = platform.batch.submit_job(
            "report",
            image="run",
            command=["--month", "7"],
            environment={"A": "a"},
            secrets={"B": "key"},
        ).job
        assert ended(platform.batch, job.job_id).exit_code == 0
    (context,) = seen
    assert (context.job_id, context.name, context.image) == (job.job_id, "report", "run")
    assert (context.command, context.attempt, context.array_index) == (("--month", "7"), 1, None)
    assert context.environment == {"A": "a", "B": "value"}
    assert "value" not in repr(context)


@pytest.mark.parametrize(
    ("come", "exit_code", "reason"),
    [
        (lambda: None, 0, None),
        (lambda: 0, 0, None),
        (lambda: 7, 7, "exit code 7"),
        (lambda: sys.exit(4), 4, "exit code 4"),
        (lambda: sys.exit("no"), 1, "exit code 1"),
        (lambda: sys.exit(), 0, None),
        (lambda: "done", 1, "the function returned a str, which is no exit code"),
        (lambda: dict[str, int]()["canary"], 1, "the function raised KeyError"),
    ],
)
def test_how_a_function_ends_is_how_its_job_does(
    come: Any, exit_code: int, reason: str | None
) -> None:
    with batch_of(run=lambda _: come()) as platform:
        submitted = platform.batch.submit_job("job", image="run", max_attempts=1).job
        job = ended(platform.batch, submitted.job_id)
        assert (job.exit_code, job.reason) == (exit_code, reason)
        assert job.status is (JobStatus.FAILED if exit_code else JobStatus.SUCCEEDED)


def test_what_a_function_writes_and_raises_is_among_the_logs() -> None:
    def run(job: JobContext) -> None:
        job.print("one", "two", sep="\n")
        job.logger.warning("three is %s", job.environment["KEY"])
        raise ArithmeticError(f"broken by {job.environment['KEY']}")

    with batch_of(run=run) as platform:
        platform.secrets.create_secret("key", "canary-5d1e")
        job = platform.batch.submit_job(
            "job", image="run", secrets={"KEY": "key"}, max_attempts=1
        ).job
        assert "canary-5d1e" not in repr(ended(platform.batch, job.job_id))
        lines = written(platform.batch, job.job_id)
    assert lines[:3] == ["one", "two", "three is ***"]
    assert lines[-1] == "ArithmeticError: broken by ***"
    assert any("in run" in line for line in lines)
    assert not any("executions.py" in line for line in lines)


def test_a_function_that_fails_is_tried_again() -> None:
    def run(job: JobContext) -> int:
        job.print(f"attempt {job.attempt}")
        return 0 if job.attempt == 3 else 1

    with batch_of(run=run) as platform:
        job = ended(platform.batch, platform.batch.submit_job("job", image="run").job.job_id)
        assert (job.status, job.reason) == (JobStatus.SUCCEEDED, None)
        assert [it.exit_code for it in job.attempts] == [1, 1, 0]
        told = [(it.attempt, it.message) for it in entries(platform.batch, job.job_id)]
        assert told == [(it, f"attempt {it}") for it in (1, 2, 3)]


@pytest.mark.parametrize("how", ["timeout", "terminated", "closed"])
def test_a_function_is_told_that_nobody_waits_any_more(how: str) -> None:
    began, told = threading.Event(), threading.Event()

    def run(job: JobContext) -> None:
        began.set()
        assert job.wait(60)
        assert job.cancelled
        told.set()

    with batch_of(run=run) as platform:
        job = platform.batch.submit_job("job", image="run", timeout=MINUTE).job
        assert began.wait(60)
        if how == "timeout":
            platform.control.advance_clock(MINUTE)
            assert platform.batch.get_job(job.job_id).job.status is JobStatus.TIMEOUT
        if how == "terminated":
            platform.batch.terminate_job(job.job_id, reason="enough")
            assert platform.batch.get_job(job.job_id).job.status is JobStatus.CANCELLED
    assert told.wait(60)


def test_what_comes_after_the_time_limit_counts_no_longer() -> None:
    began, go_on = threading.Event(), threading.Event()

    def deaf(_: JobContext) -> None:
        began.set()
        go_on.wait(60)

    settings = {"images": {"deaf": deaf, "next": lambda _: None}, "concurrency": 1}
    with LCPlatform("mock", batch=settings) as platform:
        batch = platform.batch
        job_id = batch.submit_job("job", image="deaf", timeout=MINUTE).job.job_id
        assert began.wait(60)
        platform.control.advance_clock(MINUTE)
        before = batch.get_job(job_id).job
        next_ = batch.submit_job("job", image="next").job.job_id
        go_on.set()
        ended(batch, next_)  # for which it made room at its end
        assert batch.get_job(job_id).job == before
        assert before.status is JobStatus.TIMEOUT


def test_a_job_may_use_the_platform_that_runs_it() -> None:
    def run(job: JobContext) -> None:
        platform.batch.submit_job("next", image="none")
        platform.queue.send_message("done", job.name)

    with batch_of(run=run) as platform:
        platform.queue.create_queue("done")
        ended(platform.batch, platform.batch.submit_job("first", image="run").job.job_id)
        assert [it.body for it in platform.queue.receive_messages("done").messages] == ["first"]
        assert [it.name for it in platform.batch.iter_jobs()] == ["next", "first"]


def test_so_many_run_at_a_time_and_no_more() -> None:
    lock, running, most = threading.Lock(), 0, 0
    go_on = threading.Event()

    def run(job: JobContext) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        assert go_on.wait(60)
        with lock:
            running -= 1

    settings = {"images": {"run": run}, "concurrency": 3}
    with LCPlatform("mock", batch=settings) as platform:
        batch = platform.batch
        job = batch.submit_job("job", image="run", array_size=12).job
        copies = [it.job_id for it in batch.iter_jobs(parent_job_id=job.job_id)]
        for copy in copies[3:]:
            await_no_room(batch, copy)
        go_on.set()
        assert {ended(batch, it).status for it in copies} == {JobStatus.SUCCEEDED}
    assert most == 3


# --- outcomes, arrays and dependencies


def test_an_array_of_a_hundred_waits_for_another_and_is_waited_for(clock: ManualClock) -> None:
    def copy(job: JobContext) -> Simulated:
        job.print(f"number {job.environment['LCPLATFORM_ARRAY_INDEX']}")
        return Simulated(duration=MINUTE, fail_attempts=int(job.array_index in {7, 70}))

    images = {"first": Simulated(duration=MINUTE), "copy": Simulation(copy), "last": Simulated()}
    with batch_of(clock, **images) as platform:
        batch, advance = platform.batch, platform.control.advance_clock
        first = batch.submit_job("first", image="first", array_size=100).job.job_id
        middle = batch.submit_job(
            "middle", image="copy", array_size=100, depends_on=[first]
        ).job.job_id
        last = batch.submit_job("last", image="last", depends_on=[middle, first]).job.job_id

        advance(MINUTE / 2)
        progress = batch.get_job(first).job.array_progress
        assert progress is not None
        assert (progress.pending, progress.running) == (0, 100)
        assert batch.get_job(middle).job.status is JobStatus.PENDING
        advance(MINUTE)
        assert batch.get_job(first).job.status is JobStatus.SUCCEEDED
        assert batch.get_job(middle).job.status is JobStatus.RUNNING
        advance(MINUTE)
        progress = batch.get_job(middle).job.array_progress
        assert progress is not None
        assert (progress.running, progress.succeeded, progress.failed) == (2, 98, 0)
        assert batch.get_job(last).job.status is JobStatus.PENDING
        advance(MINUTE)
        assert batch.get_job(middle).job.status is JobStatus.SUCCEEDED
        assert batch.get_job(last).job.status is JobStatus.SUCCEEDED

        copies = [batch.get_job(it.job_id).job for it in batch.iter_jobs(parent_job_id=middle)]
        assert [it.array_index for it in copies] == list(range(100))
        assert [it.array_index for it in copies if len(it.attempts) == 2] == [7, 70]
        assert written(batch, copies[70].job_id) == ["number 70"] * 2
        assert {it.name for it in batch.iter_jobs()} == {"first", "middle", "last"}


def test_a_failure_reaches_all_that_wait_however_far_away(clock: ManualClock) -> None:
    with batch_of(clock, fails=Simulated(exit_code=2), works=Simulated()) as platform:
        batch = platform.batch
        chain = [batch.submit_job("job", image="fails").job.job_id]
        chain += [
            batch.submit_job("job", image="works", depends_on=[chain[0]]).job.job_id
            for _ in range(3)
        ]
        last = batch.submit_job("job", image="works", array_size=5, depends_on=chain[1:]).job.job_id
        platform.control.advance_clock(timedelta())
        job = batch.get_job(last).job
        assert (job.status, job.started_at) == (JobStatus.FAILED, None)
        assert "on which it depends, ended in status failed" in (job.reason or "")
        progress = job.array_progress
        assert progress is not None
        assert progress.failed == 5
        assert len(batch.get_job(chain[0]).job.attempts) == 3


def test_a_job_whose_predecessor_has_failed_already_fails_as_well(clock: ManualClock) -> None:
    with batch_of(clock, fails=Simulated(exit_code=2)) as platform:
        batch = platform.batch
        first = batch.submit_job("job", image="fails").job.job_id
        platform.control.advance_clock(timedelta())
        late = batch.submit_job("job", image="fails", depends_on=[first]).job
        assert late.status is JobStatus.PENDING
        platform.control.advance_clock(timedelta())
        assert batch.get_job(late.job_id).job.status is JobStatus.FAILED
        assert batch.get_job(late.job_id).job.attempts == ()


def test_one_copy_is_terminated_and_the_others_go_on(clock: ManualClock) -> None:
    with batch_of(clock, run=Simulated(duration=MINUTE)) as platform:
        batch = platform.batch
        job_id = batch.submit_job("job", image="run", array_size=4).job.job_id
        copies = [it.job_id for it in batch.iter_jobs(parent_job_id=job_id)]
        batch.terminate_job(copies[2], reason="enough")
        platform.control.advance_clock(MINUTE)
        statuses = [batch.get_job(it).job.status for it in copies]
        assert [it.value for it in statuses] == ["succeeded", "succeeded", "cancelled", "succeeded"]
        job = batch.get_job(job_id).job
        assert (job.status, job.reason) == (JobStatus.FAILED, "1 of 4 copies did not succeed")


def test_an_outcome_that_takes_longer_than_the_limit_is_a_timeout(clock: ManualClock) -> None:
    images = {"just": Simulated(duration=MINUTE), "long": Simulated(duration=MINUTE * 1.001)}
    with batch_of(clock, **images) as platform:
        batch = platform.batch
        just = batch.submit_job("job", image="just", timeout=MINUTE).job.job_id
        long_ = batch.submit_job("job", image="long", timeout=MINUTE).job.job_id
        platform.control.advance_clock(HOUR)
        assert batch.get_job(just).job.status is JobStatus.SUCCEEDED
        job = batch.get_job(long_).job
        assert job.status is JobStatus.TIMEOUT
        assert job.completed_at == job.created_at + MINUTE


def test_images_that_nobody_registered_have_the_outcome_for_them(clock: ManualClock) -> None:
    settings = {"unregistered": {"exit_code": 3, "lines": ["hello"]}}
    with LCPlatform("mock", clock=clock, batch=settings) as platform:
        job = platform.batch.submit_job("job", image="any/image:1", max_attempts=1).job
        platform.control.advance_clock(timedelta())
        assert platform.batch.get_job(job.job_id).job.exit_code == 3
        assert written(platform.batch, job.job_id) == ["hello"]


def test_a_job_is_forgotten_a_week_after_it_ended(clock: ManualClock) -> None:
    with batch_of(clock, run=Simulated(duration=HOUR, lines=("x",))) as platform:
        batch = platform.batch
        job = batch.submit_job("job", image="run", array_size=2, idempotency_key="k").job
        copy = batch.list_jobs(parent_job_id=job.job_id).jobs[0].job_id
        platform.control.advance_clock(timedelta(days=7))
        assert batch.exists(job.job_id)
        platform.control.advance_clock(HOUR)
        assert not batch.exists(job.job_id)
        assert not batch.exists(copy)
        assert batch.list_jobs().jobs == ()


def test_a_snapshot_brings_jobs_and_schedules_back(clock: ManualClock) -> None:
    with batch_of(clock, run=Simulated(duration=MINUTE)) as platform:
        batch, control = platform.batch, platform.control
        job_id = batch.submit_job("job", image="run").job.job_id
        control.advance_clock(MINUTE / 2)
        before = control.snapshot()
        control.advance_clock(MINUTE)
        later = batch.submit_job("job", image="run").job.job_id
        assert batch.get_job(job_id).job.status is JobStatus.SUCCEEDED
        before.restore()
        assert not batch.exists(later)
        control.advance_clock(timedelta())
        job = batch.get_job(job_id).job
        assert job.status is JobStatus.SUCCEEDED
        assert job.completed_at == job.created_at + MINUTE


# --- several callers


def test_one_key_submits_one_job_however_many_ask_at_once() -> None:
    with batch_of(run=Simulated()) as platform:
        submit = platform.batch.submit_job
        answers = race(lambda _: submit("job", image="run", idempotency_key="k").job.job_id)
        assert len(set(answers)) == 1
        assert len(platform.batch.list_jobs().jobs) == 1


def test_one_of_many_changes_of_a_schedule_is_taken() -> None:
    with batch_of() as platform:
        batch = platform.batch
        job = {"image": "run"}
        etag = batch.create_schedule("s", cron="0 0 * * *", job=job).schedule.etag  # type: ignore[arg-type]  # a template may be given as its fields
        answers = race(lambda it: batch.update_schedule("s", cron=f"{it} 0 * * *", if_match=etag))
        lost = [it for it in answers if isinstance(it, LCPlatformError)]
        assert {it.code for it in lost} == {"CONFLICT"}
        assert len(lost) == RUNNERS - 1


def test_jobs_that_many_submit_at_once_all_run() -> None:
    with batch_of(run=lambda job: job.print(job.name)) as platform:
        batch = platform.batch

        def submit(number: int) -> list[str]:
            return [batch.submit_job(f"{number}-{it}", image="run").job.job_id for it in range(20)]

        with ThreadPoolExecutor(RUNNERS) as pool:
            jobs = [it for some in pool.map(submit, range(RUNNERS)) for it in some]
        for job_id in jobs:
            job = ended(batch, job_id)
            assert job.status is JobStatus.SUCCEEDED
            assert written(batch, job_id) == [job.name]


def test_who_follows_a_job_is_told_that_the_platform_closes() -> None:
    began = threading.Event()

    def run(job: JobContext) -> None:
        job.print("begun")
        began.set()
        job.wait(60)

    def follow(batch: Batch, job_id: str, first: threading.Event) -> None:
        for _ in batch.get_job_logs(job_id, follow=True):
            first.set()

    with ThreadPoolExecutor(1) as pool:
        with batch_of(run=run) as platform:
            job_id = platform.batch.submit_job("job", image="run").job.job_id
            first = threading.Event()
            following = pool.submit(follow, platform.batch, job_id, first)
            assert first.wait(60)
        with pytest.raises(PreconditionFailedError, match="closed"):
            following.result(60)


# --- who registers, and who calls


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"images": {"x": []}}, "batch.images.x"),
        ({"images": {"x": "sh -c ls"}}, "batch.images.x"),
        ({"images": {"x": 5}}, "batch.images.x"),
        ({"images": {"x": {"duration": -1}}}, "batch.images.x"),
        ({"concurrency": 0}, "batch.concurrency"),
        ({"grace": -1}, "batch.grace"),
        ({"nothing": 0}, "batch.nothing"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(
    settings: dict[str, object], field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        LCPlatform("mock", batch=settings)
    assert caught.value.violations[0].field.startswith(field)


def test_a_remote_caller_chooses_among_what_is_registered_and_executes_nothing_else(
    capfd: pytest.CaptureFixture[str],
) -> None:
    seen: list[JobContext] = []
    settings = ServerSettings(listen="127.0.0.1:0", grace=0)
    hostile = "__import__('os').system('echo canary-e01c')"
    with (
        batch_of(run=seen.append) as platform,
        Server(platform, settings) as server,
        LCPlatform("grpc", endpoint=server.endpoint) as remote,
    ):
        for image in ("run", "os.system", hostile, "/bin/sh"):
            job = remote.batch.submit_job(
                "job",
                image=image,
                command=["sh", "-c", "echo canary-e01c", hostile],
                environment={"PATH": "/tmp", "BASH_ENV": "$(echo canary-e01c >&2)"},
                max_attempts=1,
            ).job
            for _ in remote.batch.get_job_logs(job.job_id, follow=True):
                pass
            status = remote.batch.get_job(job.job_id).job.status
            assert status is (JobStatus.SUCCEEDED if image == "run" else JobStatus.FAILED)
    assert len(seen) == 1
    assert seen[0].command[-1] == hostile
    assert "canary" not in "".join(capfd.readouterr())
