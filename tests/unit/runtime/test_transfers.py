"""Bodies on their way through the pipeline: checked, sent again only if they can be, resumed where they broke."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import google_crc32c
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from lcplatform_runtime.errors import (
    ConflictError,
    DeadlineExceededError,
    InternalError,
    LCPlatformError,
    QuotaExceededError,
    ServiceUnavailableError,
    ValidationError,
)
from lcplatform_runtime.model import Request, Response
from lcplatform_runtime.options import CallOptions
from lcplatform_runtime.pipeline import Pipeline
from lcplatform_runtime.settings import PipelineSettings
from lcplatform_runtime.streams import (
    AsyncByteSource,
    AsyncByteStream,
    AsyncDownload,
    ByteSource,
    ByteStream,
    Download,
)
from tests.unit.runtime.doubles import GET, PUT, Platform, Value, VendorError

BODY = bytes(range(256)) * 8
OK = Value(text="stored")


class Put(Request):
    name: str = "a"
    size: int | None = None
    crc32c: int | None = None


class ByteRange(Request):
    offset: int | None = None
    length: int | None = None
    last: int | None = None


class Get(Request):
    name: str = "a"
    range: ByteRange | None = None
    if_match: str | None = None


class Header(Response):
    etag: str = "e1"
    range_offset: int = 0
    range_length: int = len(BODY)


class Store:
    """A blocking driver of uploads that fails as it is told, having read a part of the body."""

    def __init__(self, *failures: Exception, reads: int = 100) -> None:
        self._failures = list(failures)
        self._reads = reads
        self.stored: list[bytes] = []
        self.attempts = 0

    def put(self, request: Put, source: ByteSource) -> Value:
        self.attempts += 1
        if self._failures:
            source.read(self._reads)
            raise self._failures.pop(0)
        self.stored.append(b"".join(source.chunks(100)))
        return OK

    async def put_async(self, request: Put, source: AsyncByteSource) -> Value:
        self.attempts += 1
        if self._failures:
            await source.read(self._reads)
            raise self._failures.pop(0)
        self.stored.append(b"".join([it async for it in source.chunks(100)]))
        return OK


def upload(
    platform: Platform,
    store: Store,
    data: Any,
    request: Put | None = None,
    options: CallOptions | None = None,
) -> Any:
    pipeline = platform.pipeline
    request = request or Put()
    if isinstance(pipeline, Pipeline):
        return pipeline.upload(PUT, store.put)(request, ByteSource.of(data), options)
    bound = pipeline.upload(PUT, store.put_async)
    return asyncio.run(bound(request, AsyncByteSource.of(data), options))


def pieces() -> Iterator[bytes]:
    for start in range(0, len(BODY), 300):
        yield BODY[start : start + 300]


def test_a_body_arrives_whole(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "body"
    file.write_bytes(BODY)
    store = Store()
    for data in (BODY, file, io.BytesIO(BODY), pieces()):
        assert upload(platform, store, data) == OK
    assert store.stored == [BODY] * 4


@pytest.mark.parametrize("form", ["bytes", "file", "seekable"])
def test_a_body_that_can_start_over_is_sent_again_from_its_start(
    platform: Platform, tmp_path: Path, form: str
) -> None:
    file = tmp_path / "body"
    file.write_bytes(BODY)
    data = {"bytes": BODY, "file": file, "seekable": io.BytesIO(BODY)}[form]
    store = Store(ServiceUnavailableError("reset"), QuotaExceededError("slow down"))
    assert upload(platform, store, data) == OK
    assert (store.stored, store.attempts) == ([BODY], 3)


def test_a_body_that_comes_once_is_never_sent_again_once_it_was_read(platform: Platform) -> None:
    store = Store(ServiceUnavailableError("reset"))
    with pytest.raises(ServiceUnavailableError, match="reset"):
        upload(platform, store, pieces())
    assert (store.attempts, platform.clock.slept) == (1, [])


def test_a_body_that_comes_once_may_be_sent_as_long_as_it_was_not_touched(
    platform: Platform,
) -> None:
    store = Store(ServiceUnavailableError("refused"), reads=0)
    assert upload(platform, store, pieces()) == OK
    assert (store.attempts, store.stored) == (2, [BODY])


CRC = int(google_crc32c.value(BODY))


def test_what_the_request_says_of_the_body_is_checked(platform: Platform) -> None:
    store = Store()
    assert upload(platform, store, pieces(), Put(size=len(BODY), crc32c=CRC)) == OK
    for wrong, data in [
        (Put(size=len(BODY) + 1), BODY),
        (Put(size=len(BODY) + 1), pieces()),
        (Put(size=len(BODY) - 1), pieces()),
        (Put(crc32c=CRC ^ 1), BODY),
        (Put(size=len(BODY), crc32c=CRC ^ 1), pieces()),
    ]:
        with pytest.raises(ValidationError, match="not the one announced") as caught:
            upload(platform, store, data, wrong)
        assert (caught.value.operation, caught.value.resource) == ("Things.Put", "a")
    assert store.stored == [BODY]


def test_what_a_library_makes_of_an_unusable_body_is_undone(platform: Platform) -> None:
    class Wrapping(Store):
        @override
        def put(self, request: Put, source: ByteSource) -> Value:
            try:
                return super().put(request, source)
            except ValidationError:
                raise VendorError("could not read") from None

        @override
        async def put_async(self, request: Put, source: AsyncByteSource) -> Value:
            try:
                return await super().put_async(request, source)
            except ValidationError:
                raise VendorError("could not read") from None

    with pytest.raises(ValidationError, match="not the one announced"):
        upload(platform, Wrapping(), pieces(), Put(crc32c=CRC ^ 1))


def test_what_the_source_opened_is_closed_however_the_call_ends(
    platform: Platform, tmp_path: Path
) -> None:
    file = tmp_path / "body"
    file.write_bytes(BODY)
    store = Store(ServiceUnavailableError("reset", retryable=False))
    with pytest.raises(ServiceUnavailableError):
        upload(platform, store, file)  # an open file would be a ResourceWarning, and so an error
    with pytest.raises(ValidationError):
        upload(platform, store, file, Put(size=1))


def test_a_blocking_upload_ends_with_its_deadline_however_slow_the_body() -> None:
    platform = Platform("blocking")

    def slow() -> Iterator[bytes]:
        for piece in pieces():
            platform.clock.advance(2)
            yield piece

    store = Store()
    with pytest.raises(DeadlineExceededError):
        upload(platform, store, slow(), options=CallOptions(deadline=timedelta(seconds=5)))
    assert (store.stored, store.attempts) == ([], 1)
    assert upload(platform, store, slow()) == OK


def test_an_async_upload_ends_with_its_deadline() -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    async def put(request: Put, source: AsyncByteSource) -> Value:
        await source.read()
        return OK

    async def main() -> None:
        from lcplatform_runtime.testing.clock import ManualClock

        clock = ManualClock()
        pipeline: Any = Platform("async", clock=clock).pipeline
        options = CallOptions(deadline=timedelta(seconds=5))
        source = AsyncByteSource.of(endless())
        task = asyncio.create_task(pipeline.upload(PUT, put)(Put(), source, options))
        for _ in range(5):
            await asyncio.sleep(0)
        clock.advance(5)
        with pytest.raises(DeadlineExceededError):
            await asyncio.wait_for(task, 5)

    asyncio.run(main())


# Downloads


class Source:
    """A driver of downloads whose transfers break where they are told to."""

    def __init__(self, *breaks: tuple[int, Exception], etags: tuple[str, ...] = ()) -> None:
        self._breaks = list(breaks)
        self._etags = list(etags)
        self.requests: list[Get] = []

    def _plan(self, request: Get) -> tuple[Header, Iterator[bytes]]:
        self.requests.append(request)
        wanted = request.range or ByteRange()
        offset = wanted.offset or 0
        length = wanted.length or len(BODY) - offset
        header = Header(range_offset=offset, range_length=length)
        if self._etags:
            header = header.model_copy(update={"etag": self._etags.pop(0)})
        return header, self._chunks(BODY[offset : offset + length])

    def _chunks(self, body: bytes) -> Iterator[bytes]:
        after, error = self._breaks.pop(0) if self._breaks else (len(body), None)
        for start in range(0, min(after, len(body)), 100):
            yield body[start : min(start + 100, after)]
        if error is not None:
            raise error

    def get(self, request: Get) -> ByteStream[Header]:
        header, chunks = self._plan(request)
        return ByteStream(header, chunks)

    async def get_async(self, request: Get) -> AsyncByteStream[Header]:
        header, chunks = self._plan(request)

        async def asynchronous() -> AsyncIterator[bytes]:
            for chunk in chunks:
                yield chunk

        return AsyncByteStream(header, asynchronous())


def download(platform: Platform, source: Source, options: CallOptions | None = None) -> bytes:
    """The whole body."""
    pipeline = platform.pipeline
    if isinstance(pipeline, Pipeline):
        with pipeline.download(GET, source.get)(Get(), options) as opened:
            return opened.read()

    async def main() -> bytes:
        async with await pipeline.download(GET, source.get_async)(Get(), options) as opened:
            return await opened.read()

    return asyncio.run(main())


DOWN = ServiceUnavailableError("reset")


def test_a_download_comes_whole(platform: Platform) -> None:
    source = Source()
    assert download(platform, source) == BODY
    assert len(source.requests) == 1


@given(
    breaks=st.lists(st.integers(1, len(BODY)), max_size=4),
    colour=st.sampled_from(["blocking", "async"]),
)
def test_a_broken_transfer_goes_on_where_it_stopped(breaks: list[int], colour: str) -> None:
    platform = Platform(colour)
    source = Source(*[(after, ServiceUnavailableError("reset")) for after in breaks])
    assert download(platform, source) == BODY
    assert all(it.if_match == "e1" for it in source.requests[1:])


def test_going_on_is_a_retry_like_any_other(platform: Platform) -> None:
    source = Source((100, DOWN), (0, DOWN), (0, DOWN), (0, DOWN))
    with pytest.raises(ServiceUnavailableError) as caught:
        download(platform, source)
    assert len(source.requests) == 3
    assert len(platform.clock.slept) == 2
    assert (caught.value.operation, caught.value.resource) == ("Things.Get", "a")


def test_retry_after_counts_in_the_middle_of_a_transfer(platform: Platform) -> None:
    source = Source((100, QuotaExceededError("slow down", retry_after=timedelta(seconds=3))))
    assert download(platform, source) == BODY
    assert platform.clock.slept[0] >= 3


def test_another_content_is_refused(platform: Platform) -> None:
    source = Source((100, DOWN), etags=("e1", "e2"))
    with pytest.raises(ConflictError, match="changed"):
        download(platform, source)


def test_what_a_vendor_raises_in_a_transfer_is_translated(platform: Platform) -> None:
    source = Source((100, VendorError("?")))
    with pytest.raises(InternalError, match="VendorError") as caught:
        download(platform, source)
    assert isinstance(caught.value.__cause__, VendorError)
    assert caught.value.operation == "Things.Get"
    assert len(source.requests) == 1


def test_what_a_server_reports_in_a_transfer_is_not_retried(platform: Platform) -> None:
    reported = ServiceUnavailableError("draining")
    reported.from_server = True
    source = Source((100, reported))
    with pytest.raises(ServiceUnavailableError):
        download(platform, source)
    assert len(source.requests) == 1


def test_a_deadline_ends_a_transfer(colour: str) -> None:
    platform = Platform(colour)

    class Slow(Source):
        @override
        def _chunks(self, body: bytes) -> Iterator[bytes]:
            for chunk in super()._chunks(body):
                platform.clock.advance(2)
                yield chunk

    with pytest.raises(DeadlineExceededError) as caught:
        download(platform, Slow(), CallOptions(deadline=timedelta(seconds=5)))
    assert caught.value.operation == "Things.Get"


def test_the_deadline_of_the_settings_is_not_for_transfers(colour: str) -> None:
    platform = Platform(colour, settings=PipelineSettings(deadline=timedelta(seconds=5)))

    class Slow(Source):
        @override
        def _chunks(self, body: bytes) -> Iterator[bytes]:
            for chunk in super()._chunks(body):
                platform.clock.advance(2)
                yield chunk

    assert download(platform, Slow()) == BODY


def test_an_async_transfer_that_hangs_ends_with_its_deadline() -> None:
    async def hang() -> AsyncIterator[bytes]:
        yield BODY[:100]
        await asyncio.Event().wait()

    async def get(request: Get) -> AsyncByteStream[Header]:
        return AsyncByteStream(Header(), hang())

    async def main() -> None:
        from lcplatform_runtime.testing.clock import ManualClock

        clock = ManualClock()
        pipeline: Any = Platform("async", clock=clock).pipeline
        options = CallOptions(deadline=timedelta(seconds=5))
        opened = await pipeline.download(GET, get)(Get(), options)
        reading = asyncio.create_task(opened.read())
        for _ in range(5):
            await asyncio.sleep(0)
        assert not reading.done()
        clock.advance(5)
        with pytest.raises(DeadlineExceededError):
            await asyncio.wait_for(reading, 5)

    asyncio.run(main())


def test_errors_stay_whole_on_their_way_out(platform: Platform) -> None:
    def failing(problem: LCPlatformError) -> Callable[[Get], Any]:
        def get(request: Get) -> Any:
            raise problem

        return get

    source = Source()
    source.get = failing(ConflictError("stale"))  # type: ignore[method-assign,assignment]
    source.get_async = failing(ConflictError("stale"))  # type: ignore[method-assign,assignment]
    with pytest.raises(ConflictError, match="stale"):
        download(platform, source)


def test_the_handles_are_what_the_client_promises() -> None:
    blocking: Any = Platform("blocking").pipeline
    opened = blocking.download(GET, Source().get)(Get())
    assert isinstance(opened, Download)
    assert opened.header == Header()
    opened.close()

    async def main() -> None:
        pipeline: Any = Platform("async").pipeline
        opened = await pipeline.download(GET, Source().get_async)(Get())
        assert isinstance(opened, AsyncDownload)
        await opened.close()

    asyncio.run(main())
