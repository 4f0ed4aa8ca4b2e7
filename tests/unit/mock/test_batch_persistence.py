"""Jobs and schedules outlive the process that knew them, however it ended: none is lost, and each comes to an end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from lcplatform import LCPlatform
from lcplatform.batch.models import JobStatus, JobTemplate
from lcplatform_mock.images import JobContext, Simulated
from lcplatform_mock.journal import Journal
from lcplatform_runtime.testing.clock import ManualClock
from tests.unit.mock.batch_jobs import ended, entries, written
from tests.unit.mock.processes import Lifeline

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NOTHING = timedelta()


class Home:
    """A platform that is closed and opened again, with a clock that goes on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock()

    @contextmanager
    def life(self, **images: object) -> Iterator[LCPlatform]:
        batch = {"images": images, "grace": NOTHING}
        with LCPlatform("mock", state=self.folder, clock=self.clock, batch=batch) as platform:
            yield platform


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "state")


def test_everything_that_is_known_of_a_job_is_kept(home: Home) -> None:
    images = {"run": Simulated(duration=MINUTE, fail_attempts=1, lines=("a", "b"))}
    with home.life(**images) as platform:
        batch = platform.batch
        platform.secrets.create_secret("key", "canary-3b9d")
        first = batch.submit_job(
            "first",
            image="run",
            command=["x"],
            environment={"A": "a"},
            secrets={"B": "key"},
            idempotency_key="k",
        ).job.job_id
        second = batch.submit_job("second", image="run", array_size=3, depends_on=[first]).job
        schedule = batch.create_schedule(
            "s", cron="0 0 * * *", time_zone="Europe/Berlin", job=JobTemplate(image="run")
        ).schedule
        platform.control.advance_clock(3 * MINUTE)
        jobs = [batch.get_job(it).job for it in (first, second.job_id)]
        logs = entries(batch, first)
        listed = batch.list_jobs().jobs
        copies = batch.list_jobs(parent_job_id=second.job_id).jobs
    with home.life(**images) as platform:
        batch = platform.batch
        assert [batch.get_job(it.job_id).job for it in jobs] == jobs
        assert entries(batch, first) == logs
        assert len(logs) == 4
        assert batch.list_jobs().jobs == listed
        assert batch.list_jobs(parent_job_id=second.job_id).jobs == copies
        assert batch.get_schedule("s").schedule == schedule
        again = batch.submit_job(
            "first",
            image="run",
            command=["x"],
            environment={"A": "a"},
            secrets={"B": "key"},
            idempotency_key="k",
        ).job
        assert again.job_id == first
        newer = batch.submit_job("third", image="run").job.job_id
        assert batch.list_jobs().jobs[0].job_id == newer
    for path in home.folder.rglob("*"):
        assert not path.is_file() or b"canary-3b9d" not in path.read_bytes(), path


def test_outcomes_come_at_their_time_although_nobody_was_there(home: Home) -> None:
    images = {"run": Simulated(duration=HOUR), "long": Simulated(duration=3 * HOUR)}
    with home.life(**images) as platform:
        batch = platform.batch
        names = ["run", "long", "run"]
        jobs = [batch.submit_job("job", image=it, timeout=2 * HOUR).job.job_id for it in names]
        after = batch.submit_job("after", image="run", depends_on=jobs[:1]).job
        platform.control.advance_clock(MINUTE)
        batch.terminate_job(jobs[2], reason="enough")
    home.clock.advance(6 * HOUR)
    with home.life(**images) as platform:
        batch = platform.batch
        found = [batch.get_job(it).job for it in (*jobs, after.job_id)]
        assert [it.status.value for it in found] == [
            "succeeded",
            "timeout",
            "cancelled",
            "succeeded",
        ]
        start = after.created_at
        assert [it.completed_at for it in found] == [
            start + HOUR,
            start + 2 * HOUR,
            start + MINUTE,
            start + 2 * HOUR,
        ]


def test_what_ran_is_tried_again_and_says_why(home: Home) -> None:
    attempts: list[int] = []

    def run(job: JobContext) -> None:
        attempts.append(job.attempt)
        job.print("begun")
        if job.attempt == 1:
            job.wait(60)

    with home.life(run=run) as platform:
        job_id = platform.batch.submit_job("job", image="run").job.job_id
        once = platform.batch.submit_job("once", image="run", max_attempts=1).job.job_id
        for it in (job_id, once):
            next(iter(platform.batch.get_job_logs(it, follow=True)))
    with home.life(run=run) as platform:
        job = ended(platform.batch, job_id)
        assert (job.status, job.exit_code) == (JobStatus.SUCCEEDED, 0)
        lost = job.attempts[0]
        assert (lost.exit_code, len(job.attempts)) == (None, 2)
        assert "the platform ended while it ran" in (lost.reason or "")
        assert [it.attempt for it in entries(platform.batch, job_id)] == [1, 2]
        job = ended(platform.batch, once)
        assert job.status is JobStatus.FAILED
        assert "the platform ended while it ran" in (job.reason or "")
    assert sorted(attempts) == [1, 1, 2]


def test_whoever_waited_for_room_or_others_still_does(home: Home) -> None:
    with home.life(run=Simulated(duration=HOUR)) as platform:
        batch = platform.batch
        first = batch.submit_job("first", image="run").job.job_id
        second = batch.submit_job("second", image="run", array_size=2, depends_on=[first]).job
        lost = batch.submit_job("lost", image="none", max_attempts=1).job.job_id
        third = batch.submit_job("third", image="run", depends_on=[lost, second.job_id]).job
    with home.life(run=Simulated(duration=HOUR)) as platform:
        platform.control.advance_clock(3 * HOUR)
        assert platform.batch.get_job(second.job_id).job.status is JobStatus.SUCCEEDED
        job = platform.batch.get_job(third.job_id).job
        assert job.status is JobStatus.FAILED
        assert lost in (job.reason or "")


def test_what_succeeded_before_it_was_forgotten_is_waited_for_no_longer(home: Home) -> None:
    images = {"quick": Simulated(), "long": Simulated(duration=timedelta(days=8))}
    with home.life(**images) as platform:
        batch = platform.batch
        quick = batch.submit_job("quick", image="quick").job.job_id
        long_ = batch.submit_job("long", image="long", timeout=timedelta(days=9)).job.job_id
        job = batch.submit_job("job", image="quick", depends_on=[quick, long_]).job
        platform.control.advance_clock(timedelta(days=7.5))
        assert not batch.exists(quick)
    with home.life(**images) as platform:
        platform.control.advance_clock(timedelta(days=1))
        assert platform.batch.get_job(job.job_id).job.status is JobStatus.SUCCEEDED


def test_times_that_passed_are_made_up_for_by_one_job(home: Home) -> None:
    with home.life(run=Simulated()) as platform:
        batch = platform.batch
        schedule = batch.create_schedule("s", cron="0 * * * *", job=JobTemplate(image="run"))
        batch.create_schedule("off", cron="0 * * * *", job=JobTemplate(image="run"), enabled=False)
    start = schedule.schedule.created_at
    home.clock.advance(7.5 * 3600)
    with home.life(run=Simulated()) as platform:
        platform.control.advance_clock(NOTHING)
        (only,) = platform.batch.list_jobs().jobs
        assert (only.name, only.created_at) == ("s", start + 7.5 * HOUR)
        after = platform.batch.get_schedule("s").schedule
        assert (after.last_run, after.next_run) == (start + 7.5 * HOUR, start + 8 * HOUR)
    with home.life(run=Simulated()) as platform:
        platform.control.advance_clock(HOUR)
        assert len(platform.batch.list_jobs().jobs) == 2


def test_what_was_deleted_or_forgotten_stays_away(home: Home) -> None:
    with home.life(run=Simulated(lines=("x",))) as platform:
        batch = platform.batch
        batch.create_schedule("s", cron="0 * * * *", job=JobTemplate(image="run"))
        batch.delete_schedule("s")
        batch.submit_job("job", image="run", array_size=3)
        platform.control.advance_clock(NOTHING)
    home.clock.advance(timedelta(days=8))
    with home.life(run=Simulated()) as platform:
        platform.control.advance_clock(NOTHING)
        assert platform.batch.list_jobs().jobs == ()
        assert platform.batch.list_schedules().schedules == ()
    journal = Journal(home.folder)
    try:
        assert not [it for it in journal.kinds() if it.startswith("batch.")]
    finally:
        journal.close()


def test_a_snapshot_that_was_restored_is_what_is_kept(home: Home) -> None:
    with home.life(run=Simulated(duration=HOUR)) as platform:
        batch = platform.batch
        job_id = batch.submit_job("job", image="run", array_size=2).job.job_id
        batch.create_schedule("s", cron="0 * * * *", job=JobTemplate(image="run"))
        before = platform.control.snapshot()
        batch.delete_schedule("s")
        later = batch.submit_job("later", image="run").job.job_id
        before.restore()
    with home.life(run=Simulated(duration=HOUR)) as platform:
        assert not platform.batch.exists(later)
        platform.control.advance_clock(HOUR)
        assert platform.batch.get_job(job_id).job.status is JobStatus.SUCCEEDED
        assert platform.batch.list_jobs(name="s").jobs != ()


# --- a process that is killed

KILLED = """
import sys
from datetime import timedelta
from lcplatform import LCPlatform
from lcplatform.batch.models import JobTemplate
from lcplatform_mock.images import Simulated
state, lifeline = sys.argv[1:]
hold = 'exec 3> "$LIFELINE"; echo begun >&3; sleep 1000'
images = {
    "hold": ["sh", "-c", hold],
    "quick": lambda job: job.print("quick"),
    "later": Simulated(duration=timedelta(hours=1)),
}
with LCPlatform("mock", state=state, batch={"images": images, "concurrency": 4}) as platform:
    batch = platform.batch
    batch.create_schedule("s", cron="0 0 1 1 *", job=JobTemplate(image="later"))
    environment = {"LIFELINE": lifeline}
    for name in ("hold", "once"):
        attempts = 1 if name == "once" else 3
        job = batch.submit_job(name, image="hold", environment=environment, max_attempts=attempts).job
        print("job", job.job_id, flush=True)
    while True:
        for image in ("quick", "later"):
            print("job", batch.submit_job("many", image=image).job.job_id, flush=True)
        array = batch.submit_job("many", image="quick", array_size=20, depends_on=[job.job_id])
        print("job", array.job.job_id, flush=True)
        for told in batch.iter_jobs(name="many", status="succeeded"):
            print("succeeded", told.job_id, flush=True)
            break
"""


def test_no_acknowledged_job_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with Lifeline(tmp_path / "lifeline") as lifeline:
        command = [sys.executable, "-c", KILLED, str(state), lifeline.path]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            lifeline.await_lines(2)  # both run
            lines = [process.stdout.readline() for _ in range(200)]
            process.kill()
            lines += process.stdout.read().splitlines(keepends=True)
        lifeline.await_end()
    whole = [line.split() for line in lines if line.endswith("\n")]
    submitted = [job_id for what, job_id in whole if what == "job"]
    succeeded = {job_id for what, job_id in whole if what == "succeeded"}
    assert len(submitted) > 50
    assert succeeded

    images = {
        "hold": lambda job: job.print("again"),
        "quick": lambda job: job.print("quick"),
        "later": Simulated(),
    }
    with LCPlatform("mock", state=state, batch={"images": images}) as platform:
        batch = platform.batch
        kept = {it.job_id for it in batch.iter_jobs()}
        assert kept >= set(submitted)
        for job_id in succeeded:
            assert batch.get_job(job_id).job.status is JobStatus.SUCCEEDED
            assert len(batch.get_job(job_id).job.attempts) == 1  # it is not done again
        holding = ended(batch, submitted[0])
        assert holding.status is JobStatus.SUCCEEDED
        assert "the platform ended" in (holding.attempts[0].reason or "")
        assert written(batch, submitted[0], attempt=2) == ["again"]
        once = ended(batch, submitted[1])
        assert once.status is JobStatus.FAILED
        assert "the platform ended" in (once.reason or "")
        platform.control.advance_clock(HOUR)
        for job_id in kept - {submitted[1]}:
            job = ended(batch, job_id)
            waits = bool(job.depends_on)
            assert job.status is (JobStatus.FAILED if waits else JobStatus.SUCCEEDED)
        assert batch.get_schedule("s").schedule.next_run is not None
        platform.control.advance_clock(timedelta(days=366))
        assert batch.get_schedule("s").schedule.last_run is not None
