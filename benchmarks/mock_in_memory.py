"""The mock through its client over moto in the same process, driven by boto3 as an application's tests would.

Moto is patched into botocore (`mock_aws`), so neither side opens a socket. Both do the same work on the same sizes; moto's time
includes boto3's, as ours includes the client's.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from benchmarks.benchmark import Benchmark, Effort
from benchmarks.turns import cpu_of, take_turns
from benchmarks.verdict import Bar, Samples

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

    from lcplatform import LCPlatform

_BODY: Final = b"x" * 1024
_TEXT: Final = "x" * 200
_KEYS: Final = 100
_DEPTH: Final = 10_000
_OURS: Final = 1_000
_PEERS: Final = 30
_BATCH: Final = 10


@contextmanager
def _both() -> Iterator[tuple[LCPlatform, S3Client, SQSClient]]:
    """A platform on the mock, and clients of moto."""
    import boto3
    from moto import mock_aws

    from lcplatform import LCPlatform

    with LCPlatform("mock") as platform, mock_aws():
        session = boto3.Session("testing", "testing", region_name="us-east-1")
        yield platform, session.client("s3"), session.client("sqs")


def _turns(ours: Callable[[], object], peer: Callable[[], object], effort: Effort) -> Samples:
    our_cpu, peer_cpu = cpu_of(ours, _OURS), cpu_of(peer, _PEERS)
    return take_turns(lambda: our_cpu() * 1e6, lambda: peer_cpu() * 1e6, effort.rounds(20))


def _objects(effort: Effort) -> Samples:
    with _both() as (platform, s3, _):
        objects = platform.object_store
        objects.create_bucket("bucket")
        s3.create_bucket(Bucket="bucket")

        def ours() -> None:
            objects.put_object("bucket", "key", _BODY)
            assert objects.get_object("bucket", "key").read() == _BODY

        def peer() -> None:
            s3.put_object(Bucket="bucket", Key="key", Body=_BODY)
            assert s3.get_object(Bucket="bucket", Key="key")["Body"].read() == _BODY

        return _turns(ours, peer, effort)


def _listing(effort: Effort) -> Samples:
    with _both() as (platform, s3, _):
        objects = platform.object_store
        objects.create_bucket("bucket")
        s3.create_bucket(Bucket="bucket")
        for number in range(_KEYS):
            objects.put_object("bucket", f"{number:04}", b"")
            s3.put_object(Bucket="bucket", Key=f"{number:04}", Body=b"")

        def ours() -> None:
            assert len(objects.list_objects("bucket").objects) == _KEYS

        def peer() -> None:
            assert len(s3.list_objects_v2(Bucket="bucket").get("Contents", ())) == _KEYS

        return _turns(ours, peer, effort)


def _messages(effort: Effort) -> Samples:
    with _both() as (platform, _, sqs):
        queues = platform.queue
        queues.create_queue("queue")
        url = sqs.create_queue(QueueName="queue")["QueueUrl"]

        def ours() -> None:
            queues.send_message("queue", _TEXT)
            (message,) = queues.receive_messages("queue").messages
            queues.delete_message("queue", message.receipt_handle)

        def peer() -> None:
            sqs.send_message(QueueUrl=url, MessageBody=_TEXT)
            (message,) = sqs.receive_message(QueueUrl=url).get("Messages", ())
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message.get("ReceiptHandle", ""))

        return _turns(ours, peer, effort)


def _depth(effort: Effort) -> Samples:
    from lcplatform import LCPlatform

    with LCPlatform("mock") as platform:
        queues = platform.queue
        queues.create_queue("deep")
        queues.create_queue("empty")
        for _ in range(_DEPTH):
            queues.send_message("deep", _TEXT)

        def send(name: str) -> Callable[[], object]:
            return lambda: queues.send_message(name, _TEXT)

        deep, empty = cpu_of(send("deep"), _OURS), cpu_of(send("empty"), _OURS)

        def at_zero() -> float:
            queues.purge_queue("empty")
            return empty() * 1e6

        return take_turns(lambda: deep() * 1e6, at_zero, effort.rounds(30))


def _batches(effort: Effort) -> Samples:
    from lcplatform import LCPlatform
    from lcplatform.queue.models import SendMessagesEntry

    line: deque[str] = deque()
    lock = threading.Lock()
    entries = tuple(SendMessagesEntry(body=_TEXT) for _ in range(_BATCH))

    def peer() -> None:
        for _ in range(_BATCH):
            with lock:
                line.append(_TEXT)
        for _ in range(_BATCH):
            with lock:
                line.popleft()

    with LCPlatform("mock") as platform:
        queues = platform.queue
        queues.create_queue("queue")

        def ours() -> None:
            queues.send_messages("queue", entries)
            messages = queues.receive_messages("queue", max_messages=_BATCH).messages
            queues.delete_messages("queue", [it.receipt_handle for it in messages])

        our_cpu, peer_cpu = cpu_of(ours, _OURS), cpu_of(peer, _OURS * 10)
        return take_turns(
            lambda: our_cpu() * 1e6 / _BATCH,
            lambda: peer_cpu() * 1e6 / _BATCH,
            effort.rounds(30),
        )


BENCHMARKS: Final = (
    Benchmark(
        name="mock_s3",
        bar=Bar(1 / 100),
        compared="put and get of 1 KiB: the mock's client over boto3 on moto in process",
        unit="CPU µs",
        measure=_objects,
    ),
    Benchmark(
        name="mock_list",
        bar=Bar(1 / 300),
        compared="a list of 100 keys: the mock's client over boto3 on moto in process",
        unit="CPU µs",
        measure=_listing,
    ),
    Benchmark(
        name="mock_sqs",
        bar=Bar(1 / 100),
        compared="send, receive, delete: the mock's client over boto3 on moto in process",
        unit="CPU µs",
        measure=_messages,
    ),
    Benchmark(
        name="mock_queue_depth",
        bar=Bar(1.5),
        compared="a send to a queue of 10,000 messages over one to an empty queue",
        unit="CPU µs",
        measure=_depth,
    ),
    Benchmark(
        name="mock_queue_batches",
        bar=Bar(40),
        compared="a message sent, received and deleted in batches of 10 over a locked deque",
        unit="CPU µs",
        measure=_batches,
    ),
)
