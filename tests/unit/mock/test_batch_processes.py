"""Jobs that are commands: what they are given, what they leave, and that they end when they must (FR-006, FR-009, FR-010)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from lcplatform import LCPlatform
from lcplatform.batch.client import Batch
from lcplatform.batch.models import JobStatus
from lcplatform_mock.images import Command
from tests.unit.mock.batch_jobs import await_no_room, ended, entries, written
from tests.unit.mock.processes import Lifeline

MINUTE = timedelta(minutes=1)

# It and its child hold the lifeline until they are ended.
FAMILY = 'exec 3> "$LIFELINE"; sleep 1000 & echo begun >&3; wait'
DEAF_FAMILY = f"trap '' TERM; {FAMILY}"
SHOW = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))"


@contextmanager
def batch_of(grace: float = 5.0, concurrency: int = 16, **images: object) -> Iterator[Batch]:
    settings = {
        "images": images,
        "grace": timedelta(seconds=grace),
        "concurrency": concurrency,
    }
    with LCPlatform("mock", batch=settings) as platform:
        yield platform.batch


@pytest.fixture
def lifeline(tmp_path: Path) -> Iterator[Lifeline]:
    with Lifeline(tmp_path / "lifeline") as made:
        yield made


def begun(batch: Batch, lifeline: Lifeline, image: str = "family") -> str:
    """A job whose process and child hold the lifeline."""
    environment = {"LIFELINE": lifeline.path}
    job = batch.submit_job("job", image=image, environment=environment, timeout=MINUTE).job
    lifeline.await_lines(1)
    return job.job_id


# --- what it is given


def test_a_process_has_the_jobs_environment_and_no_credentials_of_this_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-1c07")
    monkeypatch.setenv("LCPLATFORM_PROVIDER", "mock")
    show = Command(argv=(sys.executable, "-c", SHOW), environment={"A": "image", "B": "image"})
    with LCPlatform("mock", batch={"images": {"show": show}}) as platform:
        platform.secrets.create_secret("database", "canary-80b5")
        job = platform.batch.submit_job(
            "job",
            image="show",
            command=["--not", "taken"],
            environment={"B": "job", "C": "$HOME;reboot"},
            secrets={"D": "database"},
        ).job
        assert ended(platform.batch, job.job_id).status is JobStatus.SUCCEEDED
        arguments, environment = json.loads(written(platform.batch, job.job_id)[0])
    assert arguments == []
    given = {"A": "image", "B": "job", "C": "$HOME;reboot", "D": "***"}  # as logs may show it
    inherited = {"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ"}
    assert {it: environment[it] for it in environment if it not in inherited} == given


def test_a_copy_is_told_its_number() -> None:
    with batch_of(tell=["sh", "-c", "exit $LCPLATFORM_ARRAY_INDEX"]) as batch:
        job = batch.submit_job("job", image="tell", array_size=3, max_attempts=1).job
        copies = [it.job_id for it in batch.iter_jobs(parent_job_id=job.job_id)]
        assert [ended(batch, it).exit_code for it in copies] == [0, 1, 2]


def test_arguments_of_a_job_reach_only_a_command_that_takes_them() -> None:
    argv = (sys.executable, "-c", SHOW)
    takes, not_ = Command(argv=argv, takes_command=True), Command(argv=argv)
    with batch_of(takes=takes, leaves=not_) as batch:
        for image, expected in (("takes", ["$(reboot)", "; ls"]), ("leaves", [])):
            job = batch.submit_job("job", image=image, command=["$(reboot)", "; ls"]).job
            ended(batch, job.job_id)
            assert json.loads(written(batch, job.job_id)[0])[0] == expected


def test_commands_are_registered_in_a_file_as_well(tmp_path: Path) -> None:
    settings = tmp_path / "lcplatform.toml"
    settings.write_text(f"""
provider = "mock"

[providers.mock.batch.images]
list = ["sh", "-c", "echo listed"]
here = {{ argv = ["pwd"], folder = "{tmp_path}" }}
outcome = {{ duration = 0, exit_code = 4 }}
""")
    with LCPlatform.from_file(settings) as platform:
        batch = platform.batch
        jobs = [batch.submit_job("job", image=it).job for it in ("list", "here", "outcome")]
        assert [ended(batch, it.job_id).exit_code for it in jobs] == [0, 0, 4]
        assert [written(batch, it.job_id) for it in jobs] == [["listed"], [str(tmp_path)], []]


# --- what it leaves


def test_what_a_process_writes_is_kept_line_by_line_with_its_attempt() -> None:
    script = "echo out; echo err >&2; printf '\\377 no end'; exit 3"
    with batch_of(talk=["sh", "-c", script]) as batch:
        job = ended(batch, batch.submit_job("job", image="talk", max_attempts=2).job.job_id)
        assert (job.status, job.exit_code) == (JobStatus.FAILED, 3)
        assert [it.exit_code for it in job.attempts] == [3, 3]
        lines = [(it.attempt, it.message) for it in entries(batch, job.job_id)]
        told = ["out", "err", "\N{REPLACEMENT CHARACTER} no end"]
        assert lines == [(attempt, line) for attempt in (1, 2) for line in told]
        assert written(batch, job.job_id, attempt=2) == told


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("canary-77aa", ["it is ***"]),
        ("canary-1\ncanary-2\n}", ["it is ***", "***", "}"]),
        ({"user": "canary-3", "keys": ["canary-4", 5]}, ["it is ***"]),
    ],
    ids=["text", "lines", "json"],
)
def test_a_secret_that_a_process_writes_is_not_shown(
    value: str | dict[str, object], shown: list[str]
) -> None:
    images = {"leak": ["sh", "-c", 'echo "it is $KEY"; echo canary-3 canary-4']}
    with LCPlatform("mock", batch={"images": images}) as platform:
        platform.secrets.create_secret("key", value)
        job = platform.batch.submit_job("job", image="leak", secrets={"KEY": "key"}).job
        assert "canary" not in repr(ended(platform.batch, job.job_id))
        *lines, last = written(platform.batch, job.job_id)
        assert lines == shown
        assert last == ("*** ***" if isinstance(value, dict) else "canary-3 canary-4")


def test_a_process_that_a_signal_ended_says_so() -> None:
    with batch_of(dies=["sh", "-c", "kill -9 $$"]) as batch:
        submitted = batch.submit_job("job", image="dies", max_attempts=1).job
        job = ended(batch, submitted.job_id)
        assert job.exit_code == 128 + signal.SIGKILL
        assert "SIGKILL" in (job.reason or "")


def test_a_command_that_is_not_there_fails_the_job_with_the_reason() -> None:
    with batch_of(none=["/nowhere/program"]) as batch:
        job = ended(batch, batch.submit_job("job", image="none").job.job_id)
        assert job.status is JobStatus.FAILED
        assert "No such file" in (job.reason or "")
        assert [it.exit_code for it in job.attempts] == [None] * 3


def test_what_a_process_leaves_behind_ends_with_it(lifeline: Lifeline) -> None:
    leaves = 'exec 3> "$LIFELINE"; sleep 1000 & echo begun >&3'
    with batch_of(family=["sh", "-c", leaves]) as batch:
        job = ended(batch, begun(batch, lifeline))
        lifeline.await_end()
        assert job.status is JobStatus.SUCCEEDED


# --- how it is ended


@pytest.mark.parametrize("script", [FAMILY, DEAF_FAMILY], ids=["listens", "deaf"])
def test_a_process_that_runs_too_long_is_ended_with_its_children(
    lifeline: Lifeline, script: str
) -> None:
    settings = {"images": {"family": ["sh", "-c", script]}, "grace": timedelta(seconds=0.1)}
    with LCPlatform("mock", batch=settings) as platform:
        job_id = begun(platform.batch, lifeline)
        platform.control.advance_clock(MINUTE)
        lifeline.await_end()
        job = platform.batch.get_job(job_id).job
        assert (job.status, len(job.attempts)) == (JobStatus.TIMEOUT, 1)
        assert "0:01:00" in (job.reason or "")


@pytest.mark.parametrize("script", [FAMILY, DEAF_FAMILY], ids=["listens", "deaf"])
def test_a_process_is_ended_with_its_children_when_its_job_is_terminated(
    lifeline: Lifeline, script: str
) -> None:
    with batch_of(grace=0.1, family=["sh", "-c", script]) as batch:
        job_id = begun(batch, lifeline)
        batch.terminate_job(job_id, reason="enough")
        lifeline.await_end()
        job = batch.get_job(job_id).job
        assert (job.status, job.reason, len(job.attempts)) == (JobStatus.CANCELLED, "enough", 1)


@pytest.mark.parametrize("script", [FAMILY, DEAF_FAMILY], ids=["listens", "deaf"])
def test_a_process_ends_with_the_platform(lifeline: Lifeline, script: str) -> None:
    with batch_of(grace=0.1, family=["sh", "-c", script]) as batch:
        begun(batch, lifeline)
    lifeline.await_end()


def test_a_process_may_clean_up_before_it_is_ended(lifeline: Lifeline, tmp_path: Path) -> None:
    cleans = f"trap 'echo clean > {tmp_path}/cleaned; exit 1' TERM; {FAMILY}"
    with batch_of(grace=60, family=["sh", "-c", cleans]) as batch:
        job_id = begun(batch, lifeline)
        batch.terminate_job(job_id, reason="enough")
        lifeline.await_end()
    assert (tmp_path / "cleaned").read_text() == "clean\n"


def test_a_process_is_ended_when_the_state_is_another(lifeline: Lifeline) -> None:
    with LCPlatform("mock", batch={"images": {"family": ["sh", "-c", FAMILY]}}) as platform:
        before = platform.control.snapshot()
        job_id = begun(platform.batch, lifeline)
        before.restore()
        lifeline.await_end()
        assert not platform.batch.exists(job_id)


def test_processes_end_although_this_one_is_killed(lifeline: Lifeline) -> None:
    script = """
import sys
from lcplatform import LCPlatform
images = {"family": ["sh", "-c", "echo hello;" + sys.argv[1]]}
with LCPlatform("mock", batch={"images": images}) as platform:
    job = platform.batch.submit_job("job", image="family", environment={"LIFELINE": sys.argv[2]}).job
    for told in platform.batch.get_job_logs(job.job_id, follow=True):
        print("it runs", flush=True)
"""
    command = [sys.executable, "-c", script, FAMILY, lifeline.path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "it runs\n"
        lifeline.await_lines(1)
        parent.kill()
    lifeline.await_end()


def test_whoever_waits_for_room_starts_when_there_is_some(lifeline: Lifeline) -> None:
    quick = ["sh", "-c", "exit 0"]
    with batch_of(concurrency=1, family=["sh", "-c", FAMILY], quick=quick) as batch:
        holding = begun(batch, lifeline)
        waiting = [batch.submit_job("quick", image="quick").job.job_id for _ in range(3)]
        await_no_room(batch, waiting[-1])
        assert {batch.get_job(it).job.status for it in waiting} == {JobStatus.PENDING}
        batch.terminate_job(waiting[0], reason="enough")
        batch.terminate_job(holding, reason="enough")
        assert [ended(batch, it).status for it in waiting[1:]] == [JobStatus.SUCCEEDED] * 2


def test_one_that_cannot_start_does_not_keep_others_from_the_room(lifeline: Lifeline) -> None:
    images = {"family": ["sh", "-c", FAMILY], "quick": ["sh", "-c", "exit 0"]}
    with LCPlatform("mock", batch={"images": images, "concurrency": 1}) as platform:
        batch = platform.batch
        platform.secrets.create_secret("key", "value")
        holding = begun(batch, lifeline)
        first = batch.submit_job("first", image="quick", secrets={"KEY": "key"}).job.job_id
        second = batch.submit_job("second", image="quick").job.job_id
        await_no_room(batch, second)
        platform.secrets.delete_secret("key")
        batch.terminate_job(holding, reason="enough")
        assert ended(batch, first).status is JobStatus.FAILED
        assert ended(batch, second).status is JobStatus.SUCCEEDED


# --- nothing that a caller sends is executed


@pytest.mark.parametrize("image", ["sh", "/bin/sh", "touch", "os:system", "../sh", "quick "])
def test_an_image_that_is_not_registered_runs_nothing(image: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    with batch_of(quick=["sh", "-c", "exit 0"]) as batch:
        command = ["-c", f"touch {canary}"]
        job = batch.submit_job("job", image=image, command=command, max_attempts=1).job
        job = ended(batch, job.job_id)
        assert (job.status, job.exit_code) == (JobStatus.FAILED, None)
        assert "there is no image" in (job.reason or "")
    assert not canary.exists()


@pytest.mark.parametrize("secret", [False, True], ids=["plain", "secret"])
@pytest.mark.parametrize(
    "name", ["PATH", "BASH_ENV", "ENV", "LD_PRELOAD", "PYTHONPATH", "HOME", "NODE_OPTIONS"]
)
def test_no_variable_of_a_job_decides_what_a_command_runs(
    name: str, secret: bool, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    program = tmp_path / "true"
    program.write_text(f"#!/bin/sh\ntouch {canary}\n")
    program.chmod(0o755)
    value = str(tmp_path) if name == "PATH" else f"$(touch {canary})"
    images = {"run": ["bash", "-c", "true; command true; exec true"]}
    with LCPlatform("mock", batch={"images": images}) as platform:
        platform.secrets.create_secret("value", value)
        job = platform.batch.submit_job(
            "job",
            image="run",
            environment={} if secret else {name: value},
            secrets={name: "value"} if secret else {},
        ).job
        job = ended(platform.batch, job.job_id)
        assert job.status is JobStatus.FAILED
        assert job.reason is not None
        assert f"may not set the variable {name}" in job.reason
        assert value not in job.reason
    assert not canary.exists()


def test_a_command_can_name_the_variables_that_it_takes() -> None:
    show = Command(
        argv=("sh", "-c", "echo $A$PYTHONPATH"), variables=frozenset({"A", "PYTHONPATH"})
    )
    with batch_of(show=show) as batch:
        taken = batch.submit_job("job", image="show", environment={"A": "a", "PYTHONPATH": "b"}).job
        assert ended(batch, taken.job_id).status is JobStatus.SUCCEEDED
        assert written(batch, taken.job_id) == ["ab"]
        other = batch.submit_job("job", image="show", environment={"B": "b"}).job
        assert "variable B" in (ended(batch, other.job_id).reason or "")


def test_a_process_inherits_no_open_file(tmp_path: Path) -> None:
    with batch_of(lists=["ls", "/proc/self/fd"], grace=1) as batch, (tmp_path / "x").open("w") as x:
        os.set_inheritable(x.fileno(), True)
        job = ended(batch, batch.submit_job("job", image="lists").job.job_id)
        assert job.status is JobStatus.SUCCEEDED
        assert written(batch, job.job_id) == ["0", "1", "2", "3"]  # 3 is the listing itself
