"""Bodies stream both ways, are checked before the last byte is handed on, and wait for whoever is slow."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import create_autospec

import google_crc32c
import grpc
import pytest

from lcplatform import AsyncLCPlatform, CallOptions, LCPlatform
from lcplatform.mocks import Mocks
from lcplatform.object_store import (
    GetObjectHeader,
    GetObjectRequest,
    PutObjectHeader,
    PutObjectResponse,
    UnimplementedObjectStore,
)
from lcplatform.object_store.operations import GET_OBJECT, PUT_OBJECT
from lcplatform.object_store.v1 import object_store_pb2
from lcplatform_grpc.errors import DETAILS_KEY, read_status
from lcplatform_grpc.parts import Envelope
from lcplatform_grpc.serving import _Incoming as Incoming
from lcplatform_runtime.errors import (
    ConflictError,
    DeadlineExceededError,
    LCPlatformError,
    OperationCancelledError,
    ResourceNotFoundError,
    ServiceUnavailableError,
    ValidationError,
)
from lcplatform_runtime.streams import CHUNK, ByteSource, ByteStream
from lcplatform_server.server import Server
from tests.server.raw import channel, raw_upload

Put = object_store_pb2.PutObjectRequest
STORED = PutObjectResponse(etag="e", size=3)
BODY = b"".join(
    bytes([n % 251]) * 1000 for n in range(2000)
)  # some chunks, and not a whole number of them


def header(size: int, start: int = 0, **facts: Any) -> GetObjectHeader:
    return GetObjectHeader(
        **{
            "size": size,
            "etag": "e-1",
            "modified_at": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
            "content_type": "text/plain",
            "range_offset": start,
            "range_length": size - start,
            "not_modified": False,
            **facts,
        }
    )


def pieces(body: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, len(BODY)])
def test_an_upload_arrives_whole(mocks: Mocks, client: LCPlatform, size: int) -> None:
    mocks.object_store.on_put_object.returns(STORED)
    assert client.object_store.put_object("reports", "q1", data=BODY[:size]) == STORED
    assert mocks.object_store.on_put_object.bodies == (BODY[:size],)
    assert mocks.object_store.on_put_object.calls[0].key == "q1"


def test_an_upload_that_comes_once_arrives_whole(mocks: Mocks, client: LCPlatform) -> None:
    mocks.object_store.on_put_object.returns(STORED)
    client.object_store.put_object("reports", "q1", data=pieces(BODY, 77_777))
    assert mocks.object_store.on_put_object.bodies == (BODY,)


@pytest.mark.parametrize("size", [1000, CHUNK, 700_000, len(BODY)])
def test_a_download_arrives_whole(mocks: Mocks, client: LCPlatform, size: int) -> None:
    mocks.object_store.on_get_object.returns(
        lambda _: ByteStream(header(len(BODY)), pieces(BODY, size))
    )
    with client.object_store.get_object("reports", "q1") as download:
        assert download.header == header(len(BODY))
        assert download.read() == BODY


def test_chunks_on_the_wire_are_256_kib_at_most(mocks: Mocks, server: Server) -> None:
    mocks.object_store.on_get_object.returns(ByteStream(header(len(BODY)), (BODY,)))
    request = object_store_pb2.GetObjectRequest(bucket="reports", key="q1")
    with channel(server) as opened:
        call: Any = opened.unary_stream(
            GET_OBJECT.rpc, response_deserializer=object_store_pb2.GetObjectResponse.FromString
        )
        first, *rest = call(request.SerializeToString())
    assert first.header.etag == "e-1"
    assert {it.WhichOneof("part") for it in rest} == {"chunk"}
    assert max(len(it.chunk) for it in rest) == CHUNK
    assert b"".join(it.chunk for it in rest) == BODY


def test_an_object_that_is_not_modified_has_no_body(mocks: Mocks, client: LCPlatform) -> None:
    head = header(0, not_modified=True)
    mocks.object_store.on_get_object.returns(ByteStream(head))
    with client.object_store.get_object("reports", "q1", if_none_match="e-1") as download:
        assert download.header.not_modified
        assert download.read() == b""


def test_a_download_that_fails_before_it_begins_raises_the_error(
    mocks: Mocks, client: LCPlatform
) -> None:
    mocks.object_store.on_get_object.raises(ResourceNotFoundError("no such object"))
    with pytest.raises(ResourceNotFoundError):
        client.object_store.get_object("reports", "q1")


def test_a_download_that_fails_on_its_way_raises_the_error(
    mocks: Mocks, client: LCPlatform
) -> None:
    def broken() -> Iterator[bytes]:
        yield BODY[:CHUNK]
        raise ConflictError("it changed")

    mocks.object_store.on_get_object.returns(lambda _: ByteStream(header(len(BODY)), broken()))
    with (
        client.object_store.get_object("reports", "q1") as download,
        pytest.raises(ConflictError) as caught,
    ):
        download.read()
    assert caught.value.from_server


def test_a_download_that_breaks_behind_the_server_goes_on(mocks: Mocks, client: LCPlatform) -> None:
    def answer(request: GetObjectRequest) -> ByteStream[GetObjectHeader]:
        start = 0 if request.range is None else request.range.offset or 0

        def chunks() -> Iterator[bytes]:
            yield BODY[start : start + CHUNK]
            if start:
                yield BODY[start + CHUNK :]
            else:
                raise ServiceUnavailableError("reset")

        return ByteStream(header(len(BODY), start), chunks())

    mocks.object_store.on_get_object.returns(answer)
    with client.object_store.get_object("reports", "q1") as download:
        assert download.read() == BODY
    assert [it.if_match for it in mocks.object_store.on_get_object.calls] == [None, "e-1"]


def test_an_upload_that_is_refused_early_is_not_sent_to_its_end(
    mocks: Mocks, client: LCPlatform
) -> None:
    mocks.object_store.put_object = lambda request, source, /: _refuse()  # type: ignore[method-assign]
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield bytes(CHUNK)

    for _ in range(20):  # the answer meets messages that are still on their way
        with pytest.raises(ResourceNotFoundError):
            client.object_store.put_object("reports", "q1", data=endless())
    assert sent < 20 * IN_FLIGHT


def _refuse() -> PutObjectResponse:
    raise ResourceNotFoundError("no such bucket")


def test_an_upload_whose_body_fails_is_not_stored(mocks: Mocks, client: LCPlatform) -> None:
    mocks.object_store.on_put_object.returns(STORED)

    def failing() -> Iterator[bytes]:
        yield bytes(3 * CHUNK)
        raise ValidationError("the disk is on fire")

    with pytest.raises(ValidationError, match="the disk is on fire"):
        client.object_store.put_object("reports", "q1", data=failing())
    assert mocks.object_store.on_put_object.bodies == ()


def test_a_body_that_is_not_as_announced_is_not_stored(mocks: Mocks, client: LCPlatform) -> None:
    mocks.object_store.on_put_object.returns(STORED)
    with pytest.raises(ValidationError):
        client.object_store.put_object("reports", "q1", data=BODY, size=len(BODY) + 1)
    with pytest.raises(ValidationError):
        client.object_store.put_object("reports", "q1", data=BODY, crc32c=1)
    assert mocks.object_store.on_put_object.bodies == ()


HEAD = Put(header={"bucket": "reports", "key": "q1"})
CHUNKS = [Put(chunk=b"abc"), Put(chunk=b"def")]
RIGHT = Put(trailer={"size": 6, "crc32c": google_crc32c.value(b"abcdef")})


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        ([], "header"),
        ([Put()], "header"),
        ([*CHUNKS, RIGHT], "header"),
        ([RIGHT], "header"),
        ([HEAD, *CHUNKS], "trailer"),
        ([HEAD], "trailer"),
        ([HEAD, HEAD, *CHUNKS, RIGHT], "header"),
        ([HEAD, Put(), *CHUNKS, RIGHT], "part"),
        ([HEAD, *CHUNKS, RIGHT, RIGHT], "trailer"),
        ([HEAD, *CHUNKS, RIGHT, CHUNKS[0]], "trailer"),
        ([HEAD, *CHUNKS, Put(trailer={"size": 5, "crc32c": RIGHT.trailer.crc32c})], "size"),
        ([HEAD, *CHUNKS, Put(trailer={"size": 7, "crc32c": RIGHT.trailer.crc32c})], "size"),
        ([HEAD, *CHUNKS, Put(trailer={"size": 6, "crc32c": 7})], "crc32c"),
        ([HEAD, *CHUNKS, Put(trailer={})], "size"),
        ([Put(header={"bucket": "reports", "key": "q1", "size": 9}), *CHUNKS, RIGHT], "size"),
        ([Put(header={"bucket": "x", "key": "q1"}), *CHUNKS, RIGHT], "bucket"),
    ],
)
def test_an_upload_that_breaks_the_rules_stores_nothing(
    mocks: Mocks, server: Server, messages: list[Put], field: str
) -> None:
    mocks.object_store.on_put_object.returns(STORED)
    with pytest.raises(grpc.RpcError) as caught:
        raw_upload(server, PUT_OBJECT, messages)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    trailers: Any = caught.value.trailing_metadata()
    error = read_status(dict(trailers)[DETAILS_KEY])
    assert error is not None
    assert field in {it.field for it in error.violations}
    assert mocks.object_store.on_put_object.bodies == ()


def test_a_driver_that_stores_as_it_reads_gets_the_last_bytes_only_when_they_are_vouched_for(
    mocks: Mocks, server: Server
) -> None:
    read: list[bytes] = []

    def put(request: PutObjectHeader, source: ByteSource, /) -> PutObjectResponse:
        read.extend(source.chunks(3))
        return STORED

    mocks.object_store.put_object = put  # type: ignore[method-assign]
    with pytest.raises(grpc.RpcError):
        raw_upload(server, PUT_OBJECT, [HEAD, *CHUNKS])
    assert read in ([], [b"abc"])
    read.clear()
    raw_upload(server, PUT_OBJECT, [HEAD, *CHUNKS, RIGHT])
    assert read == [b"abc", b"def"]


def test_an_upload_may_be_empty(mocks: Mocks, server: Server) -> None:
    mocks.object_store.on_put_object.returns(STORED)
    raw_upload(server, PUT_OBJECT, [HEAD, Put(chunk=b""), Put(trailer={})])
    assert mocks.object_store.on_put_object.bodies == (b"",)


class _Counter:
    """Counts what is taken from an endless body, and says when nobody takes any more."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = threading.Condition()
        self.count = 0

    def __iter__(self) -> Iterator[bytes]:
        while self.count < self._most:
            with self._taken:
                self.count += 1
                self._taken.notify_all()
            yield bytes(CHUNK)

    def at_rest(self) -> int:
        """How many chunks were taken when none was for a while."""
        with self._taken:
            while self._taken.wait(0.5):
                pass
            return self.count


# What HTTP/2 and gRPC hold on their way, and far less than the body.
IN_FLIGHT = 64
LONG = 1000


def test_a_slow_reader_holds_up_the_driver(mocks: Mocks, client: LCPlatform) -> None:
    body = _Counter(LONG)
    mocks.object_store.on_get_object.returns(ByteStream(header(LONG * CHUNK), body))
    with client.object_store.get_object("reports", "q1") as download:
        chunks = iter(download)
        first = len(next(chunks))
        assert body.at_rest() < IN_FLIGHT
        assert first + sum(map(len, chunks)) == LONG * CHUNK


def test_a_slow_driver_holds_up_the_sender(mocks: Mocks, client: LCPlatform) -> None:
    body = _Counter(LONG)
    go_on = threading.Event()
    read = 0

    def put(request: PutObjectHeader, source: ByteSource, /) -> PutObjectResponse:
        nonlocal read
        source.read(1)
        go_on.wait(60)
        read = sum(len(chunk) for chunk in source)
        return STORED

    mocks.object_store.put_object = put  # type: ignore[method-assign]
    call = threading.Thread(
        target=client.object_store.put_object, args=("reports", "q1"), kwargs={"data": iter(body)}
    )
    call.start()
    try:
        assert body.at_rest() < IN_FLIGHT
    finally:
        go_on.set()
        call.join(60)
    assert read == LONG * CHUNK - 1


def test_a_download_that_is_given_up_ends_at_the_driver(mocks: Mocks, client: LCPlatform) -> None:
    closed = threading.Event()
    mocks.object_store.on_get_object.returns(
        ByteStream(header(LONG * CHUNK), _Counter(LONG), close=closed.set)
    )
    with client.object_store.get_object("reports", "q1") as download:
        next(iter(download))
    assert closed.wait(20)


def test_a_deadline_ends_a_download(mocks: Mocks, client: LCPlatform) -> None:
    release = threading.Event()

    def stuck() -> Iterator[bytes]:
        yield bytes(CHUNK)
        release.wait(30)
        yield bytes(CHUNK)

    mocks.object_store.on_get_object.returns(lambda _: ByteStream(header(2 * CHUNK), stuck()))
    options = CallOptions(deadline=timedelta(seconds=0.5))
    try:
        with (
            client.object_store.get_object("reports", "q1", options=options) as download,
            pytest.raises(DeadlineExceededError),
        ):
            download.read()
    finally:
        release.set()


class _Reading(UnimplementedObjectStore):
    """Tells what came of reading an upload."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.ended = threading.Event()
        self.error: LCPlatformError | None = None

    def put(self, request: PutObjectHeader, source: ByteSource, /) -> PutObjectResponse:
        try:
            for _ in source.chunks(1000):
                self.started.set()
        except LCPlatformError as error:
            self.error = error
            raise
        finally:
            self.ended.set()
        return STORED


def test_an_upload_that_is_cancelled_ends_at_the_driver(mocks: Mocks, server: Server) -> None:
    driver = _Reading()
    mocks.object_store.put_object = driver.put  # type: ignore[method-assign]

    async def body() -> AsyncIterator[bytes]:
        yield bytes(3 * CHUNK)
        await asyncio.Event().wait()

    async def cancelled() -> None:
        async with AsyncLCPlatform(provider="grpc", endpoint=server.endpoint) as platform:
            call = asyncio.ensure_future(
                platform.object_store.put_object("reports", "q1", data=body())
            )
            await asyncio.to_thread(driver.started.wait, 20)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    asyncio.run(cancelled())
    assert driver.ended.wait(20)
    assert isinstance(driver.error, OperationCancelledError)


def test_an_upload_whose_messages_end_before_its_cancellation_is_told_is_given_up() -> None:
    told: list[Callable[[], None]] = []

    def add_callback(callback: Callable[[], None]) -> bool:
        told.append(callback)
        return True

    context = create_autospec(grpc.ServicerContext, instance=True)
    context.add_callback.side_effect = add_callback

    def messages() -> Iterator[bytes]:
        yield from (HEAD.SerializeToString(), Put(chunk=b"abc").SerializeToString())
        threading.Timer(0.05, lambda: [tell() for tell in told]).start()

    incoming = Incoming(Envelope(Put, body="chunk", trailer="trailer"), messages(), context)
    incoming.header()
    with pytest.raises(OperationCancelledError):
        list(incoming.source.chunks())


@pytest.mark.parametrize("data", [b"", b"a", bytes(127), bytes(128), bytes(20_000), bytes(CHUNK)])
def test_a_chunk_is_framed_as_protobuf_would(data: bytes) -> None:
    envelope = Envelope(Put, body="chunk", trailer="trailer")
    (message,) = envelope.chunks(data)
    assert message == Put(chunk=data).SerializeToString()
    assert envelope.chunk(message) == data
    assert envelope.part(message) == ("chunk", data)


@pytest.mark.parametrize(
    "message",
    [
        HEAD.SerializeToString(),
        RIGHT.SerializeToString(),
        b"",
        b"\x12",
        b"\x12\x05ab",
        b"\x12\xff\xff\xff\xff\xff",
        b"\x12\x01a\x12\x01b",
    ],
)
def test_what_is_no_lone_chunk_is_left_to_protobuf(message: bytes) -> None:
    assert Envelope(Put, body="chunk", trailer="trailer").chunk(message) is None
