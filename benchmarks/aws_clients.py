"""What it costs to get at AWS: the clients of the SDK, which are made when they are first needed, in CPU time of the process.

A first client reads the descriptions of its service and much else of the SDK. Those that come after it, of another service or of
another platform in the process, find that read. Each round is a process of its own, in which everything is imported
already, and a client counts with the first call that is made by it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from benchmarks.aws_sides import boto3_client, options, uncached
from benchmarks.aws_stub import stub
from benchmarks.benchmark import Benchmark, Effort
from benchmarks.child import Child, Served
from benchmarks.turns import cpu_of, take_turns
from benchmarks.verdict import Bar, Samples

_ROUNDS: Final = 15
_TIMES: Final = 5
_SERVICES: Final = (
    "object_store",
    "queue",
    "secrets",
    "configuration",
    "event_bus",
    "notification",
    "web_hosting",
    "batch",
    "document_store",
    "data_store",
    "authentication",
)
_IMPORTED: Final = (
    "boto3",
    "lcplatform_aws.session",
    "lcplatform_aws.object_store",
    "lcplatform_aws.queue",
    "lcplatform.object_store.client",
    "lcplatform.queue.client",
)
_ROLE: Final = "arn:aws:iam::000000000000:role/shop"
_MORE: Final[dict[str, Any]] = {
    "web_hosting": {"infrastructure_role": _ROLE, "execution_role": _ROLE},
    "batch": {"job_queue": "jobs", "execution_role": _ROLE, "scheduler_role": _ROLE},
    "document_store": {
        "host": "127.0.0.1",
        "authentication": "password",
        "password_secret": "documents",
        "user": "shop",
    },
    "data_store": {
        "host": "127.0.0.1",
        "database": "shop",
        "user": "shop",
        "password_secret": "data",
    },
    "authentication": {
        "discovery_url": "https://issuer.example/.well-known/openid-configuration",
        "client_id": "shop",
        "audience": "shop",
    },
}


def serve(endpoint: str) -> Served:
    """Makes the clients. Tells what each cost: the first, that of another service, that of another platform."""
    from lcplatform import LCPlatform

    for it in _IMPORTED:
        import_module(it)

    def spent(work: Callable[[], object]) -> float:
        started = time.process_time()
        work()
        return (time.process_time() - started) * 1000

    platforms = [LCPlatform("aws", settings=uncached(), **options(endpoint)) for _ in range(2)]

    def stored(platform: LCPlatform) -> bytes:
        return platform.object_store.get_object("bucket", "10").read()

    costs = [
        spent(lambda: stored(platforms[0])),
        spent(lambda: platforms[0].queue.send_message("queue", "text")),
        spent(lambda: stored(platforms[1])),
    ]
    return Served(lambda: None, costs)


def _next_over_first(which: int) -> Callable[[Effort], Samples]:
    def measure(effort: Effort) -> Samples:
        found: list[list[float]] = []
        with stub() as aws:
            for _ in range(effort.rounds(_ROUNDS)):
                with Child("benchmarks.aws_clients:serve", aws.ready) as process:
                    found.append(process.ready)
        return Samples(tuple(it[which] for it in found), tuple(it[0] for it in found))

    return measure


def _eleven(effort: Effort) -> Samples:
    from lcplatform import LCPlatform

    with stub() as aws:

        def ours() -> None:
            with LCPlatform("aws", settings=uncached(), **options(aws.ready), **_MORE) as platform:
                for it in _SERVICES:
                    assert getattr(platform, it) is not None

        eleven = cpu_of(ours, _TIMES)
        one = cpu_of(lambda: boto3_client("s3", aws.ready), _TIMES)
        return take_turns(lambda: eleven() * 1e3, lambda: one() * 1e3, effort.rounds(20))


BENCHMARKS: Final = (
    Benchmark(
        name="aws_second_client",
        bar=Bar(0.15),
        compared="a platform's second AWS service, first call included, over its first",
        unit="CPU ms",
        measure=_next_over_first(1),
    ),
    Benchmark(
        name="aws_second_platform",
        bar=Bar(0.15),
        compared="a second platform's first AWS service, first call included, over the first platform's",
        unit="CPU ms",
        measure=_next_over_first(2),
    ),
    Benchmark(
        name="aws_all_drivers",
        bar=Bar(0.2),
        compared="a platform with the drivers of all eleven services over one client of boto3",
        unit="CPU ms",
        measure=_eleven,
    ),
)
