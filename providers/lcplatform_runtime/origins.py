"""Where the bytes of an upload come from: memory, a file, something that reads, or an iterator of pieces.

An origin pulls pieces and can start over if it is rewindable. Cutting and checking is `body.py`'s.
"""

from __future__ import annotations

import io
import os
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Protocol, TypeAlias, runtime_checkable

from typing_extensions import override

from lcplatform_runtime.errors import FieldViolation, OperationCancelledError, ValidationError

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future


@runtime_checkable
class Readable(Protocol):
    """What can be read like a binary file."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, none at the end."""
        ...


Data: TypeAlias = (
    "bytes | bytearray | memoryview | os.PathLike[str] | BinaryIO | Readable | Iterable[bytes]"
)
"""What a blocking client takes as a body. Text is refused: encode it, or make a file name a `pathlib.Path`."""

AsyncData: TypeAlias = "Data | AsyncIterable[bytes]"
"""What an async client takes as a body."""


class Origin(ABC):
    """Bytes that are pulled piece by piece."""

    size: int | None = None
    """How many bytes there are, if that is known beforehand."""
    rewindable: bool = False
    """Whether `rewind` can start over."""
    blocking: ClassVar[bool] = True
    """Whether pulling may wait for a disk, a socket or somebody's code."""

    @abstractmethod
    def pull(self, n: int) -> bytes:
        """The next piece, of about `n` bytes where the origin can choose. Empty at the end."""

    def rewind(self) -> None:  # noqa: B027  most have nothing to do
        """Starts over."""

    def close(self) -> None:  # noqa: B027  most have nothing to do
        """Gives back what the origin itself opened."""


class AsyncOrigin(ABC):
    """Bytes that are awaited piece by piece. They come once, and nobody knows how many."""

    size: ClassVar[None] = None

    @abstractmethod
    async def pull(self, n: int) -> bytes:
        """The next piece. Empty at the end."""

    @abstractmethod
    async def close(self) -> None:
        """Ends the iterator that the origin was made from."""


class Memory(Origin):
    """Bytes that are there already."""

    rewindable = True
    blocking = False

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._given = False
        self.size = len(data)

    @override
    def pull(self, n: int) -> bytes:
        given, self._given = self._given, True
        return b"" if given else self._data

    @override
    def rewind(self) -> None:
        self._given = False


class File(Origin):
    """A file by its path, opened at the first pull and closed at its end."""

    rewindable = True

    def __init__(self, path: os.PathLike[str]) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._ended = False
        try:
            self.size = os.stat(path).st_size
        except OSError as error:
            raise unusable(f"the file cannot be read ({error.strerror})") from error

    @override
    def pull(self, n: int) -> bytes:
        if self._ended:
            return b""
        if self._file is None:
            self._file = open(self._path, "rb", buffering=0)  # noqa: SIM115  it stays open between pulls
        piece = self._file.read(n)
        if not piece:
            self._ended = True
            self.close()
        return piece

    @override
    def rewind(self) -> None:
        self.close()
        self._ended = False

    @override
    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class Stream(Origin):
    """Something open that reads. It belongs to the caller, who closes it. Seekable ones start over where they stood."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        if isinstance(stream, io.IOBase | _Seekable) and stream.seekable():
            self._start = stream.tell()
            self.size = stream.seek(0, os.SEEK_END) - self._start
            stream.seek(self._start)
            self.rewindable = True

    @override
    def pull(self, n: int) -> bytes:
        return piece_of(self._stream.read(n))

    @override
    def rewind(self) -> None:
        if isinstance(self._stream, _Seekable):
            self._stream.seek(self._start)


@runtime_checkable
class _Seekable(Protocol):
    def seekable(self) -> bool: ...
    def tell(self) -> int: ...
    def seek(self, offset: int, whence: int = ..., /) -> int: ...


class Pieces(Origin):
    """An iterable of pieces. A sequence can start over, an iterator comes once."""

    def __init__(self, pieces: Iterable[bytes], size: int | None = None) -> None:
        self._pieces = pieces
        self._iterator: Iterator[bytes] | None = None
        self.rewindable = isinstance(pieces, Sequence)
        self.size = size

    @override
    def pull(self, n: int) -> bytes:
        if self._iterator is None:
            self._iterator = iter(self._pieces)
        for piece in self._iterator:
            if piece:
                return piece_of(piece)
        return b""

    @override
    def rewind(self) -> None:
        self._iterator = None

    @override
    def close(self) -> None:
        close = getattr(self._iterator, "close", None)
        if close is not None:
            close()


class AsyncPieces(AsyncOrigin):
    """An async iterable of pieces."""

    def __init__(self, pieces: AsyncIterable[bytes]) -> None:
        self._iterator: AsyncIterator[bytes] = aiter(pieces)

    @override
    async def pull(self, n: int) -> bytes:
        async for piece in self._iterator:
            if piece:
                return piece_of(piece)
        return b""

    @override
    async def close(self) -> None:
        close = getattr(self._iterator, "aclose", None)
        if close is not None:
            await close()


class FromLoop(Origin):
    """An async origin for a thread: each piece is awaited on the loop that the origin belongs to."""

    def __init__(self, origin: AsyncOrigin, loop: asyncio.AbstractEventLoop) -> None:
        self._origin = origin
        self._loop = loop
        self._waiting: Future[bytes] | None = None
        self._closed = False

    @override
    def pull(self, n: int) -> bytes:
        import asyncio
        from concurrent.futures import CancelledError

        self._waiting = asyncio.run_coroutine_threadsafe(self._origin.pull(n), self._loop)
        if self._closed:
            self._waiting.cancel()
        try:
            return self._waiting.result()
        except CancelledError:
            raise OperationCancelledError("the upload was given up by its caller") from None

    @override
    def close(self) -> None:
        """Frees a thread that waits for a piece."""
        self._closed = True
        if self._waiting is not None:
            self._waiting.cancel()


def origin_of(data: Data) -> Origin:
    """The origin for what a caller gave as a body. Raises ValidationError for what is none."""
    match data:
        case bytes():
            return Memory(data)
        case bytearray() | memoryview():
            return Memory(bytes(data))
        case os.PathLike():
            return File(data)
        case io.TextIOBase():
            raise unusable("the file is open for text: open it in binary mode")
        case str():
            raise unusable("text must be encoded, and a file name must be a pathlib.Path")
        case Readable():
            return Stream(data)
        case Iterable():
            return Pieces(data)
        case _:
            raise unusable(
                f"bytes, a path, a binary file or pieces are needed: {type(data).__name__}"
            )


def piece_of(piece: object) -> bytes:
    """The piece as bytes, which is what checksums and protobuf take. Raises ValidationError for what is none."""
    match piece:
        case bytes():
            return piece
        case bytearray() | memoryview():
            return bytes(piece)
        case _:
            raise unusable(f"a piece of it is {type(piece).__name__} instead of bytes")


def unusable(why: str) -> ValidationError:
    """The refusal of a body that cannot be read, for the stated reason."""
    return ValidationError(
        f"the body cannot be used: {why}", violations=[FieldViolation("data", why)]
    )
