"""However many calls wait or transfer, short calls and health checks are answered at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2

from lcplatform import CallOptions, LCPlatform
from lcplatform.mocks import Mocks
from lcplatform.object_store import GetObjectHeader
from lcplatform.queue import ReceiveMessagesResponse
from lcplatform.secrets import GetSecretResponse
from lcplatform_runtime.streams import CHUNK, ByteStream
from lcplatform_server.server import Server
from lcplatform_server.settings import ServerSettings

AT_ONCE = CallOptions(deadline=timedelta(seconds=10))
SECRET = GetSecretResponse(
    name="database", value="x", version="1", created_at=datetime(2026, 1, 1, tzinfo=UTC)
)
HEADER = GetObjectHeader(
    size=CHUNK,
    etag="e",
    modified_at=datetime(2026, 1, 1, tzinfo=UTC),
    content_type="a/b",
    range_offset=0,
    range_length=CHUNK,
    not_modified=False,
)


class _Held:
    """Calls that are held until the end of the test, and how many there are."""

    def __init__(self) -> None:
        self._arrived = threading.Semaphore(0)
        self.release = threading.Event()

    def hold(self, _: object) -> ReceiveMessagesResponse:
        self._arrived.release()
        self.release.wait(60)
        return ReceiveMessagesResponse()

    def chunks(self) -> Iterator[bytes]:
        self._arrived.release()
        self.release.wait(60)
        yield bytes(CHUNK)

    def wait_for(self, number: int) -> None:
        for _ in range(number):
            assert self._arrived.acquire(timeout=30)


@pytest.fixture
def narrow(mocks: Mocks) -> Iterator[Server]:
    """A server whose lanes are all full with 64 calls, and whose ordinary threads are few."""
    settings = ServerSettings(
        listen="127.0.0.1:0", grace=0, threads=2, long_poll_threads=64, stream_threads=4
    )
    with mocks.platform() as platform, Server(platform, settings) as started:
        yield started


@pytest.fixture
def held() -> Iterator[_Held]:
    one = _Held()
    yield one
    one.release.set()


def _check(server: Server) -> int:
    with grpc.insecure_channel(server.endpoint) as channel:
        call: Any = channel.unary_unary("/grpc.health.v1.Health/Check")
        answer = call(health_pb2.HealthCheckRequest().SerializeToString(), timeout=10)
        status: int = health_pb2.HealthCheckResponse.FromString(answer).status
        return status


def test_receivers_who_wait_keep_nobody_else_waiting(
    mocks: Mocks, narrow: Server, held: _Held
) -> None:
    mocks.queue.on_receive_messages.returns(held.hold)
    mocks.secrets.on_get_secret.returns(SECRET)
    mocks.object_store.on_get_object.returns(lambda _: ByteStream(HEADER, (bytes(CHUNK),)))
    with (
        LCPlatform(provider="grpc", endpoint=narrow.endpoint) as client,
        ThreadPoolExecutor(80) as receivers,
    ):
        waiting = [
            receivers.submit(client.queue.receive_messages, "orders", wait=timedelta(seconds=20))
            for _ in range(80)  # 64 run, the others wait for a thread of that lane
        ]
        held.wait_for(64)
        assert client.secrets.get_secret("database", options=AT_ONCE) == SECRET
        assert _check(narrow) == health_pb2.HealthCheckResponse.SERVING
        with client.object_store.get_object("reports", "q1", options=AT_ONCE) as download:
            assert len(download.read()) == CHUNK
        held.release.set()
        for call in waiting:
            assert call.result(30) == ReceiveMessagesResponse()


def test_transfers_keep_nobody_else_waiting(mocks: Mocks, narrow: Server, held: _Held) -> None:
    mocks.object_store.on_get_object.returns(lambda _: ByteStream(HEADER, held.chunks()))
    mocks.queue.on_receive_messages.returns(ReceiveMessagesResponse())
    mocks.secrets.on_get_secret.returns(SECRET)
    with (
        LCPlatform(provider="grpc", endpoint=narrow.endpoint) as client,
        ThreadPoolExecutor(4) as readers,
    ):
        reading = [
            readers.submit(lambda: client.object_store.get_object("reports", "q1").read())
            for _ in range(4)
        ]
        held.wait_for(4)
        assert client.secrets.get_secret("database", options=AT_ONCE) == SECRET
        assert client.queue.receive_messages("orders", options=AT_ONCE) == ReceiveMessagesResponse()
        assert _check(narrow) == health_pb2.HealthCheckResponse.SERVING
        held.release.set()
        for call in reading:
            assert len(call.result(30)) == CHUNK
