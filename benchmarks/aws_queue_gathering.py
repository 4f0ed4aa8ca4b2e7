"""What a message costs that many callers send at once, gathered into batches, over what boto3 takes to send it.

Both sides have the same number of callers, each of which sends one message after another to the same queue, of a stub that answers
at once. The peer sends them as applications do, by `send_message`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from benchmarks.aws_queue_stub import stub
from benchmarks.aws_sides import Boto3, options, uncached
from benchmarks.benchmark import Benchmark, Effort
from benchmarks.turns import take_turns
from benchmarks.verdict import Bar, Samples

_CALLERS: Final = 64
_EACH: Final = 25
_ROUNDS: Final = 12
_WINDOW: Final = 5
_TEXT: Final = "x" * 200


def _turn(send: Callable[[], object]) -> Callable[[], float]:
    """A turn in which every caller sends its messages; it costs the CPU time of this process for one message, in µs."""

    def caller() -> None:
        for _ in range(_EACH):
            send()

    def turn() -> float:
        callers = [threading.Thread(target=caller) for _ in range(_CALLERS)]
        began = time.process_time()
        for it in callers:
            it.start()
        for it in callers:
            it.join()
        return (time.process_time() - began) / (_CALLERS * _EACH) * 1e6

    return turn


def _measure(effort: Effort) -> Samples:
    from lcplatform import LCPlatform

    with (
        stub() as aws,
        LCPlatform(
            "aws",
            settings=uncached(),
            **options(aws.ready),
            queue={"gather_window": _WINDOW},
        ) as platform,
    ):
        queue, sqs = platform.queue, Boto3(aws.ready, connections=_CALLERS).sqs
        url = sqs.get_queue_url(QueueName="queue")["QueueUrl"]
        return take_turns(
            _turn(lambda: queue.send_message("queue", _TEXT)),
            _turn(lambda: sqs.send_message(QueueUrl=url, MessageBody=_TEXT)),
            effort.rounds(_ROUNDS),
        )


BENCHMARKS: Final = (
    Benchmark(
        name="sqs_gathering",
        bar=Bar(0.2),
        compared=f"send_message of {_CALLERS} callers: gathered over boto3's one by one, CPU a message",
        unit="CPU µs",
        measure=_measure,
    ),
)
