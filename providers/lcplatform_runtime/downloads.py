"""Bodies that come back: what a driver returns, and the handle on it that survives a broken transfer."""

from __future__ import annotations

import io
import os
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
)
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, Protocol, TypeAlias, TypeVar

from lcplatform_runtime.errors import (
    ConflictError,
    InternalError,
    LCPlatformError,
    PreconditionFailedError,
    ServiceUnavailableError,
)

if TYPE_CHECKING:
    from typing import Self

    from lcplatform_runtime.model import Model
    from lcplatform_runtime.operation import ResumeRule

H = TypeVar("H")
S = TypeVar("S", bound="ByteStream[Any] | AsyncByteStream[Any]")

Failure: TypeAlias = "Callable[[Exception], LCPlatformError]"
"""Says in the platform's words what a driver's exception means; one that is in those words already comes back as it is."""


class ByteStream(Generic[H]):
    """What a blocking driver returns for a download: the header at once, the body as it comes."""

    __slots__ = ("_chunks", "_close", "header")

    def __init__(
        self, header: H, chunks: Iterable[bytes] = (), *, close: Callable[[], object] | None = None
    ) -> None:
        """`close` gives back what the body is read from; an iterator that has a `close` of its own is closed too."""
        self.header = header
        self._chunks = chunks
        self._close = close

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)

    def close(self) -> None:
        """Ends the transfer, finished or not. May be called again."""
        ends, self._close = (getattr(self._chunks, "close", None), self._close), None
        for end in ends:
            if end is not None:
                end()


class AsyncByteStream(Generic[H]):
    """What an async driver returns for a download: the header at once, the body as it comes."""

    __slots__ = ("_chunks", "_close", "header")

    def __init__(
        self,
        header: H,
        chunks: AsyncIterable[bytes],
        *,
        close: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        """`close` gives back what the body is read from; an iterator that has an `aclose` of its own is closed too."""
        self.header = header
        self._chunks = chunks
        self._close = close

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._chunks)

    async def close(self) -> None:
        """Ends the transfer, finished or not. May be called again."""
        ends, self._close = (getattr(self._chunks, "aclose", None), self._close), None
        for end in ends:
            if end is not None:
                await end()


class Reopen(Protocol[H]):
    """Opens the rest of a broken download: waits as the retry policy says, then calls the driver again.

    Raises the error that broke the download where the policy, the budget or the deadline allows no further attempt.
    """

    def __call__(self, request: Model, error: LCPlatformError, failures: int, /) -> ByteStream[H]:
        """`failures` is how often the transfer broke since the last byte that came, this time included."""
        ...


class AsyncReopen(Protocol[H]):
    """As `Reopen`, awaited."""

    def __call__(
        self, request: Model, error: LCPlatformError, failures: int, /
    ) -> Awaitable[AsyncByteStream[H]]:
        """`failures` is how often the transfer broke since the last byte that came, this time included."""
        ...


class _Transfer(Generic[H, S]):
    """What both colours share: how far a download is, and how it goes on after it broke."""

    __slots__ = (
        "_chunks",
        "_error",
        "_failures",
        "_request",
        "_rule",
        "_stream",
        "_translate",
        "header",
        "length",
        "received",
    )

    header: H
    """What is known of the body. It came before the first byte."""
    length: int | None
    """How many bytes the whole download has, if the header tells."""
    received: int
    """How many bytes have come."""

    def __init__(
        self, stream: S, translate: Failure, request: Model | None, rule: ResumeRule | None
    ) -> None:
        self.header = header = stream.header
        self.received = 0
        self.length = None if rule is None else getattr(header, f"{rule.range}_length")
        self._stream = stream
        self._translate = translate
        self._request = request
        self._rule = rule
        self._failures = 0
        self._error: Exception | None = None

    def _take(self, chunk: bytes) -> bytes:
        self.received += len(chunk)
        self._failures = 0
        if self.length is not None and self.received > self.length:
            raise InternalError(
                f"the transfer brought more than the {self.length} bytes that were announced"
            )
        return chunk

    def _end(self) -> None:
        """The stream is over: so must be the body."""
        if self.length is not None and self.received < self.length:
            raise ServiceUnavailableError(
                f"the transfer ended after {self.received} of {self.length} bytes"
            )

    def _whole(self, error: LCPlatformError) -> bool:
        """Whether a connection that broke has brought everything before."""
        return error.retryable and self.received == self.length

    def _rest(self, error: LCPlatformError) -> Model | None:
        """The request for what has not come yet. None: the error is final."""
        rule, request = self._rule, self._request
        if rule is None or request is None or self.length is None or not error.retryable:
            return None
        self._failures += 1
        rest = {
            rule.range: {"offset": self._offset, "length": self.length - self.received},
            rule.if_match: getattr(self.header, rule.etag),
        }
        if rule.version is not None:
            rest[rule.version] = getattr(self.header, rule.version)
        return type(request).model_validate({**dict(request), **rest})

    def _same(self, stream: S) -> S:
        """Takes the stream with the rest, if it is the rest of the same body."""
        rule = self._rule
        if rule is not None:
            if getattr(stream.header, rule.etag) != getattr(self.header, rule.etag):
                raise ConflictError("the object changed while it was read: read it anew")
            if getattr(stream.header, f"{rule.range}_offset") != self._offset:
                raise InternalError("the transfer went on at another byte than asked for")
        self._stream = stream
        return stream

    @property
    def _offset(self) -> int:
        """Where the next byte stands in the object."""
        start: int = getattr(self.header, f"{self._rule.range}_offset") if self._rule else 0
        return start + self.received

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _closed(self) -> None:
        if self._error is None and self.received != self.length:
            self._error = PreconditionFailedError("the download is closed")


class Download(_Transfer[H, ByteStream[H]]):
    """A body that comes back: read it whole, iterate over its chunks, or save it.

    Each byte is given out once. A transfer that breaks goes on where it stopped; if it cannot, the error is raised, and
    raised again by every further read. Use it as a context manager, or read it to its end, to free its connection.
    """

    __slots__ = ("_reopen",)

    def __init__(
        self,
        stream: ByteStream[H],
        translate: Failure,
        request: Model | None = None,
        rule: ResumeRule | None = None,
        reopen: Reopen[H] | None = None,
    ) -> None:
        """With `rule`, the header also has `<range>_offset` and `<range>_length`: where the bytes start, how many come."""
        super().__init__(stream, translate, request, rule)
        self._reopen = reopen
        self._chunks = self._transfer()

    def read(self) -> bytes:
        """All bytes that have not been given out yet."""
        self._raise_error()
        return b"".join(self._chunks)

    def __iter__(self) -> Iterator[bytes]:
        """The chunks that have not been given out yet."""
        self._raise_error()
        return self._chunks

    def save(self, target: str | os.PathLike[str] | BinaryIO, /) -> int:
        """Writes what has not been given out yet to a file and says how many bytes that were.

        A file that is given by its path appears whole or not at all, and is replaced in one step if there is one. One
        that is open belongs to the caller.
        """
        if not isinstance(target, str | os.PathLike):
            return sum(_write(target, chunk) for chunk in self)
        with _Replacement(target) as file:
            return sum(_write(file, chunk) for chunk in self)

    def close(self) -> None:
        """Ends the transfer. What has not been given out is lost."""
        self._closed()
        self._chunks.close()
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _transfer(self) -> Generator[bytes, None, None]:
        stream = self._stream
        try:
            while True:
                try:
                    for chunk in stream:
                        yield self._take(chunk)
                    return self._end()
                except Exception as problem:  # noqa: BLE001  a driver may raise anything
                    error = self._translate(problem)
                    if self._whole(error):
                        return None
                    stream = self._go_on(error, problem)
        finally:
            self._stream.close()

    def _go_on(self, error: LCPlatformError, problem: Exception) -> ByteStream[H]:
        try:
            request = self._rest(error)
            if request is None or self._reopen is None:
                raise error from (problem if problem is not error else error.__cause__)
            self._stream.close()
            return self._same(self._reopen(request, error, self._failures))
        except Exception as final:
            self._error = final
            raise


class AsyncDownload(_Transfer[H, AsyncByteStream[H]]):
    """A body that comes back: read it whole, iterate over its chunks, or save it.

    Each byte is given out once. A transfer that breaks goes on where it stopped; if it cannot, the error is raised, and
    raised again by every further read. Use it as a context manager, or read it to its end, to free its connection.
    """

    __slots__ = ("_reopen",)

    def __init__(
        self,
        stream: AsyncByteStream[H],
        translate: Failure,
        request: Model | None = None,
        rule: ResumeRule | None = None,
        reopen: AsyncReopen[H] | None = None,
    ) -> None:
        """With `rule`, the header also has `<range>_offset` and `<range>_length`: where the bytes start, how many come."""
        super().__init__(stream, translate, request, rule)
        self._reopen = reopen
        self._chunks = self._transfer()

    async def read(self) -> bytes:
        """All bytes that have not been given out yet."""
        self._raise_error()
        return b"".join([chunk async for chunk in self._chunks])

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The chunks that have not been given out yet."""
        self._raise_error()
        return self._chunks

    async def save(self, target: str | os.PathLike[str] | BinaryIO, /) -> int:
        """Writes what has not been given out yet to a file, in a thread, and says how many bytes that were.

        A file that is given by its path appears whole or not at all, and is replaced in one step if there is one. One
        that is open belongs to the caller.
        """
        if not isinstance(target, str | os.PathLike):
            return await self._write_to(target)
        from asyncio import to_thread

        replacement = _Replacement(target)
        file = await to_thread(replacement.__enter__)
        try:
            written = await self._write_to(file)
        except BaseException as error:
            replacement.__exit__(type(error))
            raise
        await to_thread(replacement.__exit__, None)
        return written

    async def _write_to(self, file: BinaryIO) -> int:
        from asyncio import to_thread

        return sum([await to_thread(_write, file, chunk) async for chunk in self])

    async def close(self) -> None:
        """Ends the transfer. What has not been given out is lost."""
        self._closed()
        await self._chunks.aclose()
        await self._stream.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _transfer(self) -> AsyncGenerator[bytes, None]:
        stream = self._stream
        try:
            while True:
                try:
                    async for chunk in stream:
                        yield self._take(chunk)
                    self._end()
                    return
                except Exception as problem:  # noqa: BLE001  a driver may raise anything
                    error = self._translate(problem)
                    if self._whole(error):
                        return
                    stream = await self._go_on(error, problem)
        finally:
            await self._stream.close()

    async def _go_on(self, error: LCPlatformError, problem: Exception) -> AsyncByteStream[H]:
        try:
            request = self._rest(error)
            if request is None or self._reopen is None:
                raise error from (problem if problem is not error else error.__cause__)
            await self._stream.close()
            return self._same(await self._reopen(request, error, self._failures))
        except Exception as final:
            self._error = final
            raise


class _Replacement:
    """A file beside the target that takes its place at the end, or vanishes if there is an exception."""

    def __init__(self, target: str | os.PathLike[str]) -> None:
        self._target = os.path.realpath(target)
        folder, name = os.path.split(self._target)
        self._path = os.path.join(folder, f".{name}.{os.urandom(8).hex()}.part")

    def __enter__(self) -> BinaryIO:
        self._file = open(self._path, "xb")  # the usual permissions of a new file
        return self._file

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self._file.close()
            if kind is None:
                os.replace(self._path, self._target)
        except BaseException:
            os.unlink(self._path)
            raise
        if kind is not None:
            os.unlink(self._path)


def _write(file: BinaryIO, chunk: bytes) -> int:
    """Writes all of it, also to a raw file, which may take less at a time."""
    done = file.write(chunk)
    if isinstance(file, io.RawIOBase):
        while done < len(chunk):
            done += file.write(memoryview(chunk)[done:])
    return len(chunk)
