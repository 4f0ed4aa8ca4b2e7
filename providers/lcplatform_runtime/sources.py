"""The body of an upload, as drivers read it: in chunks or like a file, checked before its last byte is given out."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

from lcplatform_runtime.body import CHUNK, Body
from lcplatform_runtime.downloads import Download
from lcplatform_runtime.errors import (
    LCPlatformError,
    OperationCancelledError,
    PreconditionFailedError,
)
from lcplatform_runtime.origins import (
    AsyncData,
    AsyncOrigin,
    AsyncPieces,
    Data,
    FromLoop,
    Origin,
    Pieces,
    origin_of,
    unusable,
)

if TYPE_CHECKING:
    import asyncio
    from typing import Self

_O = TypeVar("_O", bound=Origin | AsyncOrigin)


class _Source(Generic[_O]):
    """What both colours share: everything but the reading."""

    __slots__ = ("_body", "_origin")

    def __init__(self, origin: _O, body: Body | None = None) -> None:
        self._origin = origin
        self._body = body or Body(origin.size)

    @property
    def size(self) -> int | None:
        """The size of the body in bytes, if it is known. A body that comes to another size is refused."""
        return self._body.size

    @property
    def rewindable(self) -> bool:
        """Whether the body can be read again from its start."""
        return isinstance(self._origin, Origin) and self._origin.rewindable

    @property
    def started(self) -> bool:
        """Whether anything has been read."""
        return self._body.started

    @property
    def repeatable(self) -> bool:
        """Whether an attempt may (still) read the body from its start: what a retry must ask first."""
        return self.rewindable or not self.started

    @property
    def count(self) -> int:
        """How many bytes were read from the origin: all of them once the last chunk is out."""
        return self._body.count

    @property
    def crc32c(self) -> int:
        """The CRC-32C of the bytes counted. Only after `checksum` or `expect(crc32c=…)`."""
        return self._body.crc32c

    @property
    def failure(self) -> LCPlatformError | None:
        """Why reading failed, if it did. SDKs wrap what a body raises: this is what really happened."""
        return self._body.failure

    def checksum(self) -> Self:
        """Keeps a CRC-32C of what is read. Called before the first read; nothing is computed for who never asks."""
        self._body.checksum()
        return self

    def expect(self, *, size: int | None = None, crc32c: int | None = None) -> Self:
        """Announces what the body must come to, at the latest when its origin ends.

        A body that differs raises ValidationError from the read that would give out its last bytes, or here if the
        difference is known already. With `size`, the size is known even where the origin does not tell it.
        """
        self._body.expect(size, crc32c)
        return self

    def guard(self, check: Callable[[], object], /) -> None:
        """Has `check` called before more of the body is read. What it raises ends the body, as a deadline does."""
        self._body.guard = check

    def rewind(self) -> None:
        """Goes back to the start. Raises PreconditionFailedError where a body that comes once has been read."""
        if not self.started:
            return
        if not isinstance(self._origin, Origin) or not self._origin.rewindable:
            raise PreconditionFailedError(
                "the body comes once and has been read: it cannot be sent again"
            )
        self._origin.rewind()
        self._body.reset()

    def abort(self) -> None:
        """Ends the body from outside, from any thread: the next read raises OperationCancelledError."""
        if self._body.failure is None:
            self._body.failure = OperationCancelledError("the upload was given up by its caller")
        if isinstance(self._origin, FromLoop):
            self._origin.close()

    def _raise_failure(self) -> None:
        if self._body.failure is not None:
            raise self._body.failure

    def _failed(self, error: Exception) -> LCPlatformError:
        """The error for the caller, kept so that whatever an SDK makes of it can be undone."""
        failure = self._body.failure  # set already if the body was aborted while it waited
        if failure is None:
            if isinstance(error, LCPlatformError):
                failure = error
            else:
                failure = unusable(f"reading it raised {type(error).__name__}")
                failure.__cause__ = error
            self._body.failure = failure
        return failure


class ByteSource(_Source[Origin]):
    """The body of an upload for a blocking driver. One reader at a time."""

    __slots__ = ()

    @classmethod
    def of(cls, data: Data | Download[object], /) -> ByteSource:
        """The source for what a caller gave. Raises ValidationError for text and for what is no body at all."""
        if isinstance(data, Download):
            return cls(_downloaded(data))
        return cls(origin_of(data))

    def read(self, n: int = -1, /) -> bytes:
        """The next `n` bytes, or all that are left; fewer only at the end, none after it."""
        if n == 0:
            return b""
        body, origin = self._body, self._origin
        if body.failure is not None:
            raise body.failure
        try:
            while (chunk := body.take(n)) is None:
                if body.guard is not None:
                    body.guard()
                body.feed(origin.pull(max(n, CHUNK)))
                if body.failure is not None:
                    raise body.failure
        except Exception as error:  # noqa: BLE001  an application's iterator may raise anything
            failure = self._failed(error)
            raise failure from failure.__cause__
        return chunk

    def chunks(self, size: int = CHUNK, /) -> Iterator[bytes]:
        """The body in chunks of `size` bytes, of which only the last may be shorter. None is empty."""
        while chunk := self.read(size):
            yield chunk

    def __iter__(self) -> Iterator[bytes]:
        return self.chunks()

    def close(self) -> None:
        """Closes what the source itself opened. A file that the caller opened stays open."""
        self._origin.close()

    def to_async(self) -> AsyncByteSource:
        """The same body for an async driver: what may block is read in a thread. Read one of the two."""
        return AsyncByteSource(self._origin, self._body)


class AsyncByteSource(_Source[Origin | AsyncOrigin]):
    """The body of an upload for an async driver. One reader at a time."""

    __slots__ = ()

    @classmethod
    def of(cls, data: AsyncData | Download[object], /) -> AsyncByteSource:
        """The source for what a caller gave. Raises ValidationError for text and for what is no body at all."""
        if isinstance(data, Download):
            return cls(_downloaded(data))
        if isinstance(data, AsyncIterable):
            return cls(AsyncPieces(data))
        return cls(origin_of(data))

    async def read(self, n: int = -1, /) -> bytes:
        """The next `n` bytes, or all that are left; fewer only at the end, none after it."""
        if n == 0:
            return b""
        self._raise_failure()
        try:
            while (chunk := self._body.take(n)) is None:
                if self._body.guard is not None:
                    self._body.guard()
                self._body.feed(await self._pull(max(n, CHUNK)))
                self._raise_failure()
        except Exception as error:  # noqa: BLE001  an application's iterator may raise anything
            failure = self._failed(error)
            raise failure from failure.__cause__
        return chunk

    async def chunks(self, size: int = CHUNK, /) -> AsyncIterator[bytes]:
        """The body in chunks of `size` bytes, of which only the last may be shorter. None is empty."""
        while chunk := await self.read(size):
            yield chunk

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.chunks()

    async def close(self) -> None:
        """Closes what the source itself opened. A file that the caller opened stays open."""
        if isinstance(self._origin, Origin):
            self._origin.close()
        else:
            await self._origin.close()

    def to_blocking(self, loop: asyncio.AbstractEventLoop) -> ByteSource:
        """The same body for a blocking driver in another thread than the loop's. Read one of the two.

        Files and memory are read in that thread; only an async iterable is awaited on the loop.
        """
        origin = self._origin
        return ByteSource(
            origin if isinstance(origin, Origin) else FromLoop(origin, loop), self._body
        )

    async def _pull(self, n: int) -> bytes:
        origin = self._origin
        if isinstance(origin, AsyncOrigin):
            return await origin.pull(n)
        if not origin.blocking:
            return origin.pull(n)
        import asyncio

        return await asyncio.to_thread(origin.pull, n)


def _downloaded(download: Download[object]) -> Origin:
    """A download that is sent on as an upload, never in memory as a whole."""
    return Pieces(download, download.length)
