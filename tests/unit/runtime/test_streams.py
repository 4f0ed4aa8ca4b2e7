"""Bodies up and down: checked before the last byte, flat in memory, resumed where they broke."""

from __future__ import annotations

import asyncio
import io
import os
import stat
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path

import google_crc32c
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from lcplatform_runtime.errors import (
    ConflictError,
    InternalError,
    LCPlatformError,
    OperationCancelledError,
    PreconditionFailedError,
    ServiceUnavailableError,
    ValidationError,
)
from lcplatform_runtime.model import Request, Response
from lcplatform_runtime.operation import ResumeRule
from lcplatform_runtime.streams import (
    CHUNK,
    AsyncByteSource,
    AsyncByteStream,
    AsyncDownload,
    ByteSource,
    ByteStream,
    Data,
    Download,
)

BODY = os.urandom(3 * CHUNK + 17)


def checksum(data: bytes) -> int:
    value: int = google_crc32c.value(data)
    return value


class Dribble(io.RawIOBase):
    """A connection: it reads a few bytes at a time, and once."""

    def __init__(self, data: bytes, at_most: int = 1000) -> None:
        self._file = io.BytesIO(data)
        self._at_most = at_most

    @override
    def readable(self) -> bool:
        return True

    @override
    def read(self, size: int = -1, /) -> bytes:
        return self._file.read(min(size, self._at_most))


def in_pieces(data: bytes, size: int = 1000) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def in_async_pieces(data: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for piece in in_pieces(data, size):
        await asyncio.sleep(0)
        yield piece


KINDS: dict[str, Callable[[bytes, Path], Data]] = {
    "bytes": lambda data, _: data,
    "bytearray": lambda data, _: bytearray(data),
    "memoryview": lambda data, _: memoryview(data),
    "path": lambda data, path: _written(path, data),
    "binary file": lambda data, _: io.BytesIO(data),
    "connection": lambda data, _: Dribble(data),
    "list": lambda data, _: list(in_pieces(data)),
    "generator": lambda data, _: in_pieces(data),
}
ONCE = {"connection", "generator"}
SIZED = {"bytes", "bytearray", "memoryview", "path", "binary file"}


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# Uploads


def test_every_kind_of_body_is_read_in_full_chunks(kind: str, tmp_path: Path) -> None:
    source = ByteSource.of(KINDS[kind](BODY, tmp_path / "body"))

    chunks = list(source.chunks())

    assert [len(chunk) for chunk in chunks] == [CHUNK, CHUNK, CHUNK, 17]
    assert b"".join(chunks) == BODY
    assert all(type(chunk) is bytes for chunk in chunks)
    assert source.read() == b""


def test_a_source_reads_like_a_file(kind: str, tmp_path: Path) -> None:
    source = ByteSource.of(KINDS[kind](BODY, tmp_path / "body"))

    assert source.read(0) == b""
    assert source.read(5) == BODY[:5]
    assert source.read(CHUNK) == BODY[5 : CHUNK + 5]
    assert source.read() == BODY[CHUNK + 5 :]


def test_the_size_is_known_beforehand_where_the_origin_tells_it(kind: str, tmp_path: Path) -> None:
    source = ByteSource.of(KINDS[kind](BODY, tmp_path / "body"))

    assert source.size == (len(BODY) if kind in SIZED else None)


def test_a_source_starts_over_unless_its_body_comes_once(kind: str, tmp_path: Path) -> None:
    source = ByteSource.of(KINDS[kind](BODY, tmp_path / "body")).checksum()
    source.rewind()
    assert source.repeatable

    source.read(CHUNK + 1)

    assert source.rewindable == source.repeatable == (kind not in ONCE)
    if kind in ONCE:
        with pytest.raises(PreconditionFailedError, match="once"):
            source.rewind()
    else:
        source.rewind()
        assert source.read() == BODY
        assert source.count == len(BODY)
        assert source.crc32c == checksum(BODY)


@pytest.mark.parametrize("body", [b"", b"x", BODY])
def test_size_and_checksum_are_those_of_the_body(kind: str, body: bytes, tmp_path: Path) -> None:
    source = ByteSource.of(KINDS[kind](body, tmp_path / "body")).checksum()

    assert source.read() == body
    assert source.count == len(body)
    assert source.crc32c == checksum(body)


@pytest.mark.parametrize("body", [b"", b"x", BODY[: 2 * CHUNK], BODY])
@pytest.mark.parametrize("wrong", ["size", "crc32c"])
def test_the_last_chunk_of_another_body_is_never_given_out(
    kind: str, body: bytes, wrong: str, tmp_path: Path
) -> None:
    source = ByteSource.of(KINDS[kind](body, tmp_path / "body"))
    given: list[bytes] = []

    def announce_and_read() -> None:
        if wrong == "size":
            source.expect(size=len(body) + 1)
        else:
            source.expect(crc32c=checksum(body) ^ 1)
        given.extend(source.chunks())

    with pytest.raises(ValidationError) as caught:
        announce_and_read()

    assert caught.value.details["mismatch"] == wrong
    assert len(b"".join(given)) <= max(0, len(body) - 1)
    if source.started:
        with pytest.raises(ValidationError):
            source.read()


def test_a_body_that_exceeds_its_announced_size_is_refused_as_soon_as_it_does() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 1000

    source = ByteSource.of(endless()).expect(size=5000)

    with pytest.raises(ValidationError, match="size"):
        source.read()
    assert source.count == 6000


def test_a_body_as_announced_is_given_out(kind: str, tmp_path: Path) -> None:
    source = ByteSource.of(KINDS[kind](BODY, tmp_path / "body"))

    source.expect(size=len(BODY), crc32c=checksum(BODY))

    assert source.size == len(BODY)
    assert source.read() == BODY


def test_what_vouches_for_a_body_may_come_at_its_end() -> None:
    def with_trailer() -> Iterator[bytes]:
        yield b"first"
        yield b"last"
        source.expect(size=9, crc32c=0)

    source = ByteSource.of(with_trailer()).checksum()
    chunks = source.chunks(5)

    assert next(chunks) == b"first"
    with pytest.raises(ValidationError, match="crc32c"):
        next(chunks)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = _written(tmp_path / "body", BODY)
    source = ByteSource.of(path)
    chunks = source.chunks()
    next(chunks)

    path.write_bytes(BODY[: 2 * CHUNK])

    with pytest.raises(ValidationError, match="size"):
        list(chunks)


def test_a_file_is_read_from_where_it_stands() -> None:
    file = io.BytesIO(b"header body")
    file.seek(7)
    source = ByteSource.of(file)

    assert source.size == 4
    assert source.read() == b"body"
    source.rewind()
    assert source.read() == b"body"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("text", "encoded"),
        (io.StringIO("text"), "binary"),
        (5, "int"),
        (Path("/no/such/file"), "cannot be read"),
        (["text"], "str instead of bytes"),
    ],
)
def test_what_is_no_body_is_refused_with_the_reason(data: Data, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason) as caught:
        ByteSource.of(data).read()
    assert [violation.field for violation in caught.value.violations] == ["data"]


def test_an_iterator_that_fails_is_the_cause_and_not_the_message() -> None:
    def failing() -> Iterator[bytes]:
        yield b"first"
        raise KeyError("hunter2")

    source = ByteSource.of(failing())

    with pytest.raises(ValidationError, match="KeyError") as caught:
        source.read()
    assert isinstance(caught.value.__cause__, KeyError)
    assert "hunter2" not in str(caught.value)
    assert source.failure is caught.value
    with pytest.raises(ValidationError):
        source.read()


def test_an_error_of_the_platform_passes_through_a_source_as_it_is() -> None:
    def failing() -> Iterator[bytes]:
        yield b"first"
        raise error

    error = ServiceUnavailableError("gone")

    with pytest.raises(ServiceUnavailableError) as caught:
        ByteSource.of(failing()).read()
    assert caught.value is error


def test_an_aborted_source_gives_nothing_more() -> None:
    source = ByteSource.of(in_pieces(BODY))
    source.read(10)

    source.abort()

    with pytest.raises(OperationCancelledError):
        source.read(10)


def test_a_checksum_must_be_asked_for_before_the_first_read() -> None:
    source = ByteSource.of(BODY)
    with pytest.raises(ValueError, match="no checksum"):
        source.crc32c  # noqa: B018
    source.read(1)
    with pytest.raises(ValueError, match="before"):
        source.checksum()


def test_a_path_is_closed_at_its_end_and_by_close(tmp_path: Path) -> None:
    path = _written(tmp_path / "body", BODY)
    source = ByteSource.of(path)
    source.read()
    source.rewind()
    source.read(1)
    source.close()  # an open file would warn when it is collected, and warnings are errors


@given(
    st.lists(st.binary(max_size=50), max_size=20),
    st.lists(st.integers(min_value=1, max_value=60), min_size=1, max_size=20),
)
def test_however_it_comes_and_is_read_a_body_stays_the_same(
    pieces: list[bytes], reads: list[int]
) -> None:
    body = b"".join(pieces)
    source = ByteSource.of(pieces).expect(size=len(body), crc32c=checksum(body))

    taken = b"".join(source.read(n) for n in reads)

    assert taken == body[: sum(reads)]
    assert taken + source.read() == body


def test_a_gibibyte_passes_with_flat_memory() -> None:
    piece = bytes(CHUNK)
    source = ByteSource.of(piece for _ in range(4096)).checksum()
    download = Download(ByteStream(None, source.chunks()), _as_it_is)

    tracemalloc.start()
    try:
        total = sum(len(chunk) for chunk in download)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert total == 2**30
    assert peak < 8 * CHUNK


# Uploads, async


@pytest.mark.parametrize("colour", ["async", "async iterable", "blocking to async"])
def test_an_async_source_keeps_the_same_promises(colour: str, kind: str, tmp_path: Path) -> None:
    def source() -> AsyncByteSource:
        data = KINDS[kind](BODY, tmp_path / "body")
        match colour:
            case "async":
                return AsyncByteSource.of(data)
            case "async iterable":
                return AsyncByteSource.of(in_async_pieces(BODY))
            case _:
                return ByteSource.of(data).to_async()

    async def main() -> None:
        good = source().expect(size=len(BODY), crc32c=checksum(BODY))
        assert await good.read(10) == BODY[:10]
        assert [len(chunk) async for chunk in good] == [CHUNK, CHUNK, CHUNK, 7]
        await good.close()

        bad = source().expect(crc32c=checksum(BODY) ^ 1)
        chunks = aiter(bad)
        assert [len(await anext(chunks)) for _ in range(3)] == [CHUNK] * 3
        with pytest.raises(ValidationError, match="crc32c"):
            await anext(chunks)

    asyncio.run(main())


def test_an_async_iterable_is_read_by_a_thread_through_its_loop() -> None:
    async def main() -> None:
        source = AsyncByteSource.of(in_async_pieces(BODY)).checksum()
        blocking = source.to_blocking(asyncio.get_running_loop())
        assert await asyncio.to_thread(blocking.read) == BODY
        assert source.started
        assert not source.repeatable
        assert source.crc32c == checksum(BODY)

    asyncio.run(main())


def test_a_thread_that_waits_for_an_async_iterable_is_freed_by_abort() -> None:
    async def main() -> None:
        waiting = asyncio.Event()

        async def stuck() -> AsyncIterator[bytes]:
            yield b"first"
            waiting.set()
            await asyncio.Event().wait()

        source = AsyncByteSource.of(stuck())
        blocking = source.to_blocking(asyncio.get_running_loop())
        reading = asyncio.create_task(asyncio.to_thread(blocking.read))
        await waiting.wait()
        blocking.abort()
        with pytest.raises(OperationCancelledError):
            await reading

    asyncio.run(main())


def test_a_thread_reads_files_itself(tmp_path: Path) -> None:
    async def main() -> None:
        source = AsyncByteSource.of(_written(tmp_path / "body", BODY))
        # Nothing is awaited here, so a source that needed the loop would wait for ever.
        assert source.to_blocking(asyncio.get_running_loop()).read() == BODY

    asyncio.run(main())


# Downloads


class Range(Request):
    offset: int | None = None
    length: int | None = None


class Get(Request):
    key: str
    range: Range | None = None
    if_match: str | None = None
    version: str | None = None


class Header(Response):
    etag: str
    range_offset: int
    range_length: int
    version: str | None = None


RULE = ResumeRule(range="range", if_match="if_match", etag="etag", version="version")


class Gone(Exception):
    """The vendor's word for a broken connection."""


def _as_it_is(error: Exception) -> LCPlatformError:
    return error if isinstance(error, LCPlatformError) else ServiceUnavailableError("gone")


class Vendor:
    """An object store whose transfers break after so many bytes each, for as long as there are breaks."""

    def __init__(
        self, body: bytes, breaks: Iterable[int] = (), *, silent: bool = False, chunk: int = 7
    ) -> None:
        self.body = body
        self.breaks = list(breaks)
        self.silent = silent
        self.chunk = chunk
        self.etag = "e1"
        self.requests: list[Get] = []
        self.failures: list[int] = []
        self.open = 0

    def get(self, request: Get) -> ByteStream[Header]:
        return ByteStream(self._header(request), self._chunks(request))

    async def get_async(self, request: Get) -> AsyncByteStream[Header]:
        async def chunks() -> AsyncIterator[bytes]:
            for chunk in self._chunks(request):
                await asyncio.sleep(0)
                yield chunk

        return AsyncByteStream(self._header(request), chunks())

    def download(self, request: Get, *, attempts: int = 3) -> Download[Header]:
        def reopen(rest: object, error: LCPlatformError, failures: int) -> ByteStream[Header]:
            return self.get(self._allowed(rest, error, failures, attempts))

        return Download(self.get(request), _as_it_is, request, RULE, reopen)

    async def download_async(self, request: Get, *, attempts: int = 3) -> AsyncDownload[Header]:
        async def reopen(
            rest: object, error: LCPlatformError, failures: int
        ) -> AsyncByteStream[Header]:
            return await self.get_async(self._allowed(rest, error, failures, attempts))

        return AsyncDownload(await self.get_async(request), _as_it_is, request, RULE, reopen)

    def _allowed(self, rest: object, error: LCPlatformError, failures: int, attempts: int) -> Get:
        self.failures.append(failures)
        if failures >= attempts:
            raise error
        assert isinstance(rest, Get)
        return rest

    def _span(self, request: Get) -> tuple[int, int]:
        wanted = request.range or Range()
        offset = wanted.offset or 0
        length = len(self.body) - offset
        return offset, length if wanted.length is None else min(length, wanted.length)

    def _header(self, request: Get) -> Header:
        self.requests.append(request)
        offset, length = self._span(request)
        return Header(etag=self.etag, range_offset=offset, range_length=length, version="v1")

    def _chunks(self, request: Get) -> Iterator[bytes]:
        offset, length = self._span(request)
        stop = self.breaks.pop(0) if self.breaks else None
        reached = length if stop is None else min(stop, length)
        self.open += 1
        try:
            for start in range(0, reached, self.chunk):
                yield self.body[offset + start : offset + min(start + self.chunk, reached)]
            if stop is not None and not self.silent:
                raise Gone
        finally:
            self.open -= 1


@given(
    body=st.integers(0, 255).map(lambda size: bytes(range(size))),
    breaks=st.lists(st.integers(1, 40), max_size=12),
    span=st.none() | st.tuples(st.integers(0, 50), st.integers(1, 100)),
    silent=st.booleans(),
    colour=st.sampled_from(["blocking", "async"]),
)
def test_a_download_that_breaks_anywhere_comes_whole(
    body: bytes, breaks: list[int], span: tuple[int, int] | None, silent: bool, colour: str
) -> None:
    vendor = Vendor(body, breaks, silent=silent)
    wanted = Range(offset=min(span[0], len(body)), length=span[1]) if span else None
    request = Get(key="k", range=wanted)
    expected = body if wanted is None else body[wanted.offset :][: span[1] if span else None]

    async def main() -> bytes:
        return await (await vendor.download_async(request)).read()

    received = vendor.download(request).read() if colour == "blocking" else asyncio.run(main())

    assert received == expected
    assert vendor.open == 0
    for resumed in vendor.requests[1:]:
        assert (resumed.key, resumed.if_match, resumed.version) == ("k", "e1", "v1")


def test_a_resumed_download_asks_for_the_rest_of_the_same_version() -> None:
    vendor = Vendor(bytes(range(100)), [30, 20])

    download = vendor.download(Get(key="k"))

    assert download.length == 100
    assert download.header.etag == "e1"
    assert download.read() == bytes(range(100))
    assert vendor.requests == [
        Get(key="k"),
        Get(key="k", range=Range(offset=30, length=70), if_match="e1", version="v1"),
        Get(key="k", range=Range(offset=50, length=50), if_match="e1", version="v1"),
    ]


def test_attempts_are_counted_from_the_last_byte_that_came() -> None:
    vendor = Vendor(bytes(100), [10, 10, 0, 10])

    assert vendor.download(Get(key="k")).read() == bytes(100)
    assert vendor.failures == [1, 1, 2, 1]


def test_a_download_that_cannot_go_on_raises_and_keeps_raising() -> None:
    vendor = Vendor(bytes(100), [10, 0, 0])
    download = vendor.download(Get(key="k"))

    for _ in range(2):
        with pytest.raises(ServiceUnavailableError):
            download.read()
    assert vendor.failures == [1, 2, 3]
    assert vendor.open == 0


def test_the_vendors_exception_is_the_cause() -> None:
    download = Download(Vendor(bytes(100), [10]).get(Get(key="k")), _as_it_is)

    with pytest.raises(ServiceUnavailableError) as caught:
        download.read()
    assert isinstance(caught.value.__cause__, Gone)


def test_an_error_that_is_final_is_not_resumed() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"x"
        raise InternalError("data loss")

    header = Header(etag="e", range_offset=0, range_length=5)
    download = Download(
        ByteStream(header, chunks()), _as_it_is, Get(key="k"), RULE, lambda *_: pytest.fail("again")
    )

    with pytest.raises(InternalError, match="data loss"):
        download.read()


def test_an_object_that_changed_meanwhile_is_a_conflict() -> None:
    vendor = Vendor(bytes(100), [10])
    download = vendor.download(Get(key="k"))
    vendor.etag = "e2"

    with pytest.raises(ConflictError):
        download.read()
    assert vendor.open == 0


def test_a_driver_that_goes_on_elsewhere_is_found_out() -> None:
    vendor = Vendor(bytes(100), [10])
    request = Get(key="k")
    download = Download(
        vendor.get(request), _as_it_is, request, RULE, lambda *_: vendor.get(request)
    )

    with pytest.raises(InternalError, match="another byte"):
        download.read()


def test_more_bytes_than_announced_are_refused() -> None:
    header = Header(etag="e", range_offset=0, range_length=5)
    download = Download(ByteStream(header, [b"1234", b"56"]), _as_it_is, Get(key="k"), RULE)

    with pytest.raises(InternalError, match="more than the 5"):
        download.read()


def test_a_connection_that_breaks_after_the_last_byte_does_no_harm() -> None:
    vendor = Vendor(bytes(10), [10])

    assert vendor.download(Get(key="k")).read() == bytes(10)
    assert len(vendor.requests) == 1


def test_a_download_gives_each_byte_once() -> None:
    download = Vendor(bytes(range(30)), chunk=10).download(Get(key="k"))

    for chunk in download:
        assert chunk == bytes(range(10))
        break

    assert download.read() == bytes(range(10, 30))
    assert download.read() == b""
    assert download.received == 30


def test_a_closed_download_says_so_and_frees_its_connection() -> None:
    vendor = Vendor(bytes(100))
    closed = []

    with Download(
        ByteStream(None, vendor.get(Get(key="k")), close=lambda: closed.append(1)), _as_it_is
    ) as download:
        next(iter(download))

    assert vendor.open == 0
    assert closed == [1]
    with pytest.raises(PreconditionFailedError, match="closed"):
        download.read()


def test_a_single_chunk_is_not_copied() -> None:
    assert Download(ByteStream(None, (BODY,)), _as_it_is).read() is BODY


def test_a_saved_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "report"
    target.write_bytes(b"old")

    with pytest.raises(ServiceUnavailableError):
        Vendor(bytes(100), [10, 0, 0]).download(Get(key="k")).save(target)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]

    assert Vendor(BODY, [10]).download(Get(key="k")).save(str(target)) == len(BODY)
    assert target.read_bytes() == BODY
    assert list(tmp_path.iterdir()) == [target]


def test_a_saved_file_has_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "usual").write_bytes(b"")

    Download(ByteStream(None, (b"x",)), _as_it_is).save(tmp_path / "saved")

    assert stat.S_IMODE((tmp_path / "saved").stat().st_mode) == stat.S_IMODE(
        (tmp_path / "usual").stat().st_mode
    )


def test_saving_through_a_link_keeps_the_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")

    Download(ByteStream(None, (b"x",)), _as_it_is).save(tmp_path / "link")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"x"


def test_an_open_file_that_takes_a_little_at_a_time_gets_it_all() -> None:
    class Slow(io.RawIOBase):
        def __init__(self) -> None:
            self.taken = bytearray()

        @override
        def writable(self) -> bool:
            return True

        @override
        def write(self, data: object, /) -> int:
            view = memoryview(data)[:3]  # type: ignore[arg-type]  # bytes or a view of them
            self.taken += view
            return len(view)

    file = Slow()

    assert Download(ByteStream(None, (b"abcdefgh",)), _as_it_is).save(file) == 8  # type: ignore[arg-type]  # raw
    assert file.taken == b"abcdefgh"


def test_an_async_download_saves_closes_and_fails_alike(tmp_path: Path) -> None:
    target = tmp_path / "report"

    in_chunks = Vendor(BODY, [CHUNK], chunk=CHUNK)

    async def main() -> None:
        assert await (await in_chunks.download_async(Get(key="k"))).save(target) == len(BODY)
        buffer = io.BytesIO()
        await (await in_chunks.download_async(Get(key="k"))).save(buffer)
        assert buffer.getvalue() == BODY

        broken = await Vendor(bytes(100), [10, 0, 0]).download_async(Get(key="k"))
        with pytest.raises(ServiceUnavailableError):
            await broken.save(target)
        with pytest.raises(ServiceUnavailableError):
            await broken.read()

        vendor = Vendor(bytes(100))
        async with await vendor.download_async(Get(key="k")) as download:
            async for _ in download:
                break
        assert vendor.open == 0
        with pytest.raises(PreconditionFailedError, match="closed"):
            await download.read()

    asyncio.run(main())
    assert target.read_bytes() == BODY
    assert list(tmp_path.iterdir()) == [target]


def test_a_download_can_be_sent_on_as_an_upload() -> None:
    source = ByteSource.of(Vendor(BODY, [10]).download(Get(key="k")))

    assert source.size == len(BODY)
    assert source.read() == BODY


def test_an_async_download_can_be_sent_on_as_an_upload() -> None:
    async def main() -> bytes:
        download = await Vendor(BODY, [10]).download_async(Get(key="k"))
        return await AsyncByteSource.of(download).read()

    assert asyncio.run(main()) == BODY
