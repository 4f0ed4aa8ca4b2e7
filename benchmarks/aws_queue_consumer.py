"""What a message costs that `consume` receives, handles and deletes, over a loop on boto3 that a careful hand writes.

Both sides receive ten messages at a time, handle them side by side in the same number of threads and delete them in batches, from a
stub that answers at once and always has more. The peer renews no lease, which handlers this quick do not need, and gives nothing
back at its end; ours does what `consume` always does.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from benchmarks.aws_queue_stub import stub
from benchmarks.aws_sides import Boto3, options, uncached
from benchmarks.benchmark import Benchmark, Effort
from benchmarks.turns import take_turns
from benchmarks.verdict import Bar, Samples

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

    from lcplatform import LCPlatform

_THREADS: Final = 10
_MESSAGES: Final = 2000
_ROUNDS: Final = 12


class _Handler:
    """Looks at bodies, and says when it has seen enough of them."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self.enough = threading.Event()

    def __call__(self, body: object) -> None:
        assert body
        if next(self._numbers) >= _MESSAGES:
            self.enough.set()


def _ours(platform: LCPlatform) -> None:
    handle = _Handler()
    with platform.queue.consume(
        "queue", lambda message: handle(message.body), concurrency=_THREADS
    ):
        handle.enough.wait()


def _by_hand(sqs: SQSClient, url: str) -> None:
    handle = _Handler()
    with ThreadPoolExecutor(_THREADS) as threads:
        while not handle.enough.is_set():
            answer: Any = sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=10,
                WaitTimeSeconds=5,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
            )
            messages = answer.get("Messages", [])
            # The results are looked at, so that a handler that fails is noticed.
            list(threads.map(handle, [it["Body"] for it in messages]))
            if messages:
                sqs.delete_message_batch(
                    QueueUrl=url,
                    Entries=[
                        {"Id": str(index), "ReceiptHandle": it["ReceiptHandle"]}
                        for index, it in enumerate(messages)
                    ],
                )


def _rate(consume: Callable[[], None]) -> Callable[[], float]:
    """A turn that consumes, and tells how many messages a second of CPU time of this process were."""

    def turn() -> float:
        began = time.process_time()
        consume()
        return _MESSAGES / (time.process_time() - began)

    return turn


def _measure(effort: Effort) -> Samples:
    from lcplatform import LCPlatform

    with (
        stub() as aws,
        LCPlatform("aws", settings=uncached(), **options(aws.ready)) as platform,
    ):
        sqs = Boto3(aws.ready, connections=_THREADS).sqs
        url = sqs.get_queue_url(QueueName="queue")["QueueUrl"]
        return take_turns(
            _rate(lambda: _ours(platform)),
            _rate(lambda: _by_hand(sqs, url)),
            effort.rounds(_ROUNDS),
        )


BENCHMARKS: Final = (
    Benchmark(
        name="sqs_consumer",
        bar=Bar(1.0, at_least=True),
        compared=f"messages that {_THREADS} threads consume: `consume` over a loop on boto3 that deletes in batches",
        unit="messages a CPU second",
        measure=_measure,
    ),
)
