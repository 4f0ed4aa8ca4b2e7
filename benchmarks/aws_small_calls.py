"""Small calls of the AWS provider over the same calls of boto3, in CPU time of the client's process.

Both sides ask the same stub over warm connections and read the same answers. The blocking client is to cost no more than boto3
itself; the async client calls from an event loop, one call after another, and pays for a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from benchmarks.aws_sides import Boto3, options, uncached
from benchmarks.aws_stub import stub
from benchmarks.benchmark import Benchmark, Effort
from benchmarks.turns import cpu_of, take_turns
from benchmarks.verdict import Bar, Samples

if TYPE_CHECKING:
    from lcplatform import AsyncLCPlatform, LCPlatform

_CALLS: Final = 40
_ROUNDS: Final = 60
_BODY: Final = bytes(1024)
_TEXT: Final = "x" * 200
_HANDLE: Final = "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a" * 6


class _Blocking:
    """The calls by our blocking client."""

    def __init__(self, platform: LCPlatform) -> None:
        self._store = platform.object_store
        self._queue = platform.queue
        self._secrets = platform.secrets

    def s3_put(self) -> object:
        return self._store.put_object("bucket", "1024", _BODY)

    def s3_get(self) -> object:
        return self._store.get_object("bucket", "1024").read()

    def sqs_send(self) -> object:
        return self._queue.send_message("queue", _TEXT)

    def sqs_receive(self) -> object:
        return self._queue.receive_messages("queue")

    def sqs_delete(self) -> object:
        return self._queue.delete_message("queue", _HANDLE)

    def secret_read(self) -> object:
        return self._secrets.get_secret("secret")


class _Async:
    """The calls by our async client."""

    def __init__(self, platform: AsyncLCPlatform) -> None:
        self._store = platform.object_store
        self._queue = platform.queue
        self._secrets = platform.secrets

    async def s3_put(self) -> object:
        return await self._store.put_object("bucket", "1024", _BODY)

    async def s3_get(self) -> object:
        return await (await self._store.get_object("bucket", "1024")).read()

    async def sqs_send(self) -> object:
        return await self._queue.send_message("queue", _TEXT)

    async def sqs_receive(self) -> object:
        return await self._queue.receive_messages("queue")

    async def sqs_delete(self) -> object:
        return await self._queue.delete_message("queue", _HANDLE)

    async def secret_read(self) -> object:
        return await self._secrets.get_secret("secret")


class _Raw:
    """The same calls by boto3."""

    def __init__(self, endpoint: str) -> None:
        clients = Boto3(endpoint)
        self._s3, self._sqs, self._secrets = clients.s3, clients.sqs, clients.secrets
        self._url = self._sqs.get_queue_url(QueueName="queue")["QueueUrl"]

    def s3_put(self) -> object:
        return self._s3.put_object(Bucket="bucket", Key="1024", Body=_BODY)

    def s3_get(self) -> object:
        return self._s3.get_object(Bucket="bucket", Key="1024")["Body"].read()

    def sqs_send(self) -> object:
        return self._sqs.send_message(QueueUrl=self._url, MessageBody=_TEXT)

    def sqs_receive(self) -> object:
        return self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=1,
            WaitTimeSeconds=0,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
        )

    def sqs_delete(self) -> object:
        return self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=_HANDLE)

    def secret_read(self) -> object:
        return self._secrets.get_secret_value(SecretId="secret")


def _blocking(name: str) -> Callable[[Effort], Samples]:
    def measure(effort: Effort) -> Samples:
        from lcplatform import LCPlatform

        with (
            stub() as aws,
            LCPlatform("aws", settings=uncached(), **options(aws.ready)) as platform,
        ):
            ours: Callable[[], object] = getattr(_Blocking(platform), name)
            return _compare(cpu_of(ours, _CALLS), name, aws.ready, effort)

    return measure


def _async(name: str) -> Callable[[Effort], Samples]:
    def measure(effort: Effort) -> Samples:
        from lcplatform import AsyncLCPlatform

        async def calls(call: Callable[[], Awaitable[object]]) -> None:
            for _ in range(_CALLS):
                await call()

        with stub() as aws, asyncio.Runner() as runner:
            platform = AsyncLCPlatform("aws", settings=uncached(), **options(aws.ready))
            ours: Callable[[], Awaitable[object]] = getattr(_Async(platform), name)
            turn = cpu_of(lambda: runner.run(calls(ours)), 1)
            try:
                return _compare(lambda: turn() / _CALLS, name, aws.ready, effort)
            finally:
                runner.run(platform.close())

    return measure


def _compare(ours: Callable[[], float], name: str, endpoint: str, effort: Effort) -> Samples:
    peer = cpu_of(getattr(_Raw(endpoint), name), _CALLS)
    return take_turns(lambda: ours() * 1e6, lambda: peer() * 1e6, effort.rounds(_ROUNDS))


_CALLED: Final = {
    "s3_put": "put_object of 1 KiB",
    "s3_get": "get_object of 1 KiB",
    "sqs_send": "send_message",
    "sqs_receive": "receive_message",
    "sqs_delete": "delete_message",
    "secret_read": "uncached get_secret_value",
}

BENCHMARKS: Final = (
    *(
        Benchmark(
            name=name,
            bar=Bar(1.0),
            compared=f"{called}: our blocking client over boto3, CPU a call, server answers at once",
            unit="CPU µs",
            measure=_blocking(name),
        )
        for name, called in _CALLED.items()
    ),
    *(
        Benchmark(
            name=f"{name}_async",
            bar=Bar(1.25),
            compared=f"{called}: our async client over blocking boto3, CPU a call, server answers at once",
            unit="CPU µs",
            measure=_async(name),
        )
        for name, called in _CALLED.items()
    ),
)
