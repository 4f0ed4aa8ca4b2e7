"""Plays the story: a job drains a queue, dies twice on the way, and in the end each order is written down once.

python run.py
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from lcplatform import LCPlatform
from lcplatform.batch.models import Job, JobStatus
from lcplatform_mock.images import Command
from lcplatform_server.server import Server
from lcplatform_server.settings import ServerSettings

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2]))

from examples.stories.drain.drain import BUCKET, QUEUE, SALES  # noqa: E402  found only now
from examples.stories.drain.orders import JOB, open_shop, sell  # noqa: E402  likewise

ORDERS: Final = 60

FRAGILE: Final = """
import os, runpy, signal, sys
from lcplatform.object_store.client import ObjectStore
from lcplatform.queue.client import Queue

def die(): os.kill(os.getpid(), signal.SIGKILL)

def fragile(client, name, call, before):
    real, calls = getattr(client, name), 0
    def method(self, *args, **kwargs):
        nonlocal calls
        calls += 1
        if calls == call and before: die()
        answer = real(self, *args, **kwargs)
        if calls == call: die()
        return answer
    setattr(client, name, method)

deaths, program = sys.argv[1:]
with open(deaths, "a+") as file:
    file.write(".")
    file.flush()
    attempt = file.tell()
if attempt == 1: fragile(ObjectStore, "put_object", 3, before=False)
if attempt == 2: fragile(ObjectStore, "put_object", 2, before=True)
runpy.run_path(program, run_name="__main__")
"""
"""Runs a program as it is, but kills its first attempt when the third batch is written and still in the queue, and the second
when a batch is received and not yet written."""


def main() -> int:
    """Plays the story. Whatever is not as it should be ends it with an AssertionError."""
    with tempfile.TemporaryDirectory() as scratch:
        argv = (sys.executable, "-c", FRAGILE, f"{scratch}/deaths", "drain.py")
        image = Command(argv=argv, folder=HERE, environment=import_path())
        settings = ServerSettings(listen="127.0.0.1:0", grace=0)
        with (
            LCPlatform("mock", batch={"images": {"shop/drain": image}}) as cloud,
            Server(cloud, settings) as server,
            LCPlatform("grpc", endpoint=server.endpoint) as platform,
        ):
            play(cloud, platform, server.endpoint)
    return 0


def play(cloud: LCPlatform, platform: LCPlatform, endpoint: str) -> None:
    """The story on a platform. The clock of the cloud behind it is moved, so that nobody waits."""
    environment = {
        "LCPLATFORM_PROVIDER": "grpc",
        "LCPLATFORM_PROVIDERS__GRPC__ENDPOINT": endpoint,
    }
    open_shop(platform, environment)
    orders: list[dict[str, object]] = [{"order": number} for number in range(ORDERS)]
    sold = dict(zip(sell(platform, orders), orders, strict=True))
    say(f"{ORDERS} orders are in the queue, and {JOB} is scheduled for every night.")

    go_to_next_run(cloud)
    job = only_job(platform)
    assert job.status is JobStatus.SUCCEEDED, job
    codes = [it.exit_code for it in job.attempts]
    assert codes == [137, 137, 0], codes
    say("The job ran. Two attempts were killed half way, and the third came to its end.")
    told(platform, job)

    written, waiting = sales(platform), left(platform)
    assert written.items() < sold.items()
    assert (len(written), waiting) == (50, 20)
    say(f"{len(written)} orders are written down; {waiting} messages are leased to the dead.")

    go_to_next_run(cloud)
    again = newest_job(platform, after=job)
    assert again.status is JobStatus.SUCCEEDED, again
    told(platform, again)
    lines = [line for _, line in log(platform, again)]
    assert lines.count("10 added, 0 known") == lines.count("0 added, 10 known") == 1, lines
    say("The next night they came again: 10 were new, 10 were known by their ids.")

    assert sales(platform) == sold
    assert left(platform) == 0
    numbers = sorted(order["order"] for order in sales(platform).values())
    assert numbers == list(range(ORDERS))
    say(f"All {ORDERS} orders are written down, each once, and the queue is empty.")


def go_to_next_run(cloud: LCPlatform) -> None:
    """Moves the clock to the moment at which the job is submitted next."""
    next_run = cloud.batch.get_schedule(JOB).schedule.next_run
    assert next_run is not None
    now = cloud.control.advance_clock(timedelta()).now
    cloud.control.advance_clock(next_run - now)


def only_job(platform: LCPlatform) -> Job:
    """The job that the schedule has submitted, when it has ended."""
    (summary,) = platform.batch.list_jobs(name=JOB).jobs
    return platform.batch.wait_for_job(summary.job_id)


def newest_job(platform: LCPlatform, *, after: Job) -> Job:
    """The job after that, when it has ended."""
    newest = platform.batch.list_jobs(name=JOB).jobs[0]
    assert newest.job_id != after.job_id
    return platform.batch.wait_for_job(newest.job_id)


def sales(platform: LCPlatform) -> Mapping[str, Mapping[str, int]]:
    """What is written down, by the ids of the messages."""
    found: Mapping[str, Mapping[str, int]] = json.loads(
        platform.object_store.get_object(BUCKET, SALES).read()
    )
    return found


def left(platform: LCPlatform) -> int:
    """How many messages the queue has."""
    queue = platform.queue.get_queue(QUEUE).queue
    return (queue.available_messages or 0) + (queue.in_flight_messages or 0)


def log(platform: LCPlatform, job: Job) -> list[tuple[int, str]]:
    """What a job wrote, with the attempt that did."""
    answers = platform.batch.get_job_logs(job.job_id)
    return [(entry.attempt, entry.message) for answer in answers for entry in answer.entries]


def told(platform: LCPlatform, job: Job) -> None:
    """Prints what a job wrote."""
    for attempt, line in log(platform, job):
        say(f"    attempt {attempt}: {line}")


def import_path() -> dict[str, str]:
    """Where this program finds its modules, if it had to be told."""
    return {it: os.environ[it] for it in ("PYTHONPATH",) if it in os.environ}


def say(text: str) -> None:
    """Tells what has been shown."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
