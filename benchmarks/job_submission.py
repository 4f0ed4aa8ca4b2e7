"""Jobs on the mock: submitting one over boto3 on moto, what many others cost it, and what a job adds to its process."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from benchmarks.benchmark import Benchmark, Effort
from benchmarks.turns import cpu_of, take_turns
from benchmarks.verdict import Bar, Samples

if TYPE_CHECKING:
    from lcplatform import LCPlatform

_OURS: Final = 300
_PEERS: Final = 30
_DEPTH: Final = 10_000
_PROCESSES: Final = 20
_COMMAND: Final = ("true",)


@contextmanager
def _ours() -> Iterator[LCPlatform]:
    """A platform whose image `outcome` only comes to an outcome, and `command` is a process."""
    from lcplatform import LCPlatform

    images = {"outcome": {"exit_code": 0}, "command": _COMMAND}
    with LCPlatform("mock", batch={"images": images}) as platform:
        yield platform


@contextmanager
def _peer() -> Iterator[Any]:
    """Moto with a queue `queue` and a definition `job`. It runs no container: a job succeeds at once, as ours does.
    There are no types for this client in the environment."""
    import boto3
    from moto import mock_aws

    with mock_aws(config={"batch": {"use_docker": False}}):
        session = boto3.Session("testing", "testing", region_name="us-east-1")
        batch = session.client("batch")
        role = session.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")
        environment = batch.create_compute_environment(
            computeEnvironmentName="place",
            type="UNMANAGED",
            state="ENABLED",
            serviceRole=role["Role"]["Arn"],
        )["computeEnvironmentArn"]
        batch.create_job_queue(
            jobQueueName="queue",
            state="ENABLED",
            priority=1,
            computeEnvironmentOrder=[{"order": 1, "computeEnvironment": environment}],
        )
        batch.register_job_definition(
            jobDefinitionName="job",
            type="container",
            containerProperties={"image": "outcome", "vcpus": 1, "memory": 2048},
        )
        yield batch


def _job(platform: LCPlatform) -> Callable[[], object]:
    """Submits a job and looks at it until it has succeeded."""
    batch = platform.batch

    def once() -> None:
        job_id = batch.submit_job("job", image="outcome").job.job_id
        while batch.get_job(job_id).job.exit_code != 0:
            pass

    return once


def _submission(effort: Effort) -> Samples:
    with _ours() as platform, _peer() as batch:

        def peer() -> None:
            job_id = batch.submit_job(jobName="job", jobQueue="queue", jobDefinition="job")["jobId"]
            (job,) = batch.describe_jobs(jobs=[job_id])["jobs"]
            assert job["status"] == "SUCCEEDED"

        our_cpu, peer_cpu = cpu_of(_job(platform), _OURS), cpu_of(peer, _PEERS)
        return take_turns(lambda: our_cpu() * 1e6, lambda: peer_cpu() * 1e6, effort.rounds(20))


def _depth(effort: Effort) -> Samples:
    with _ours() as many, _ours() as few:
        for _ in range(_DEPTH):
            many.batch.submit_job("job", image="outcome")
        deep, shallow = cpu_of(_job(many), _OURS), cpu_of(_job(few), _OURS)
        return take_turns(lambda: deep() * 1e6, lambda: shallow() * 1e6, effort.rounds(20))


def _process(effort: Effort) -> Samples:
    with _ours() as platform:

        def ours() -> None:
            job_id = platform.batch.submit_job("job", image="command").job.job_id
            for _ in platform.batch.get_job_logs(job_id, follow=True):
                pass
            assert platform.batch.get_job(job_id).job.exit_code == 0

        def peer() -> None:
            subprocess.run(_COMMAND, check=True, capture_output=True)

        return take_turns(lambda: _wall(ours), lambda: _wall(peer), effort.rounds(20))


def _wall(work: Callable[[], object]) -> float:
    """The milliseconds that it takes on average."""
    started = time.perf_counter()
    for _ in range(_PROCESSES):
        work()
    return (time.perf_counter() - started) / _PROCESSES * 1e3


BENCHMARKS: Final = (
    Benchmark(
        name="job_submission",
        bar=Bar(1 / 20),
        compared="a job submitted and seen to succeed: the mock's client over boto3 on moto in process",
        unit="CPU µs",
        measure=_submission,
    ),
    Benchmark(
        name="job_depth",
        bar=Bar(1.5),
        compared="the same beside 10,000 jobs over beside few",
        unit="CPU µs",
        measure=_depth,
    ),
    Benchmark(
        name="job_process",
        bar=Bar(4),
        compared="a job whose command ends at once, to its end, over the same command alone",
        unit="ms",
        measure=_process,
    ),
)
