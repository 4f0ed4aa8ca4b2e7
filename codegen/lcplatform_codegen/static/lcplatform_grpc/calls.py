"""A blocking remote driver's end of every call: one class for each way in which an operation moves its data."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any, Generic, TypeVar

import grpc
from google.protobuf.message import Message
from typing_extensions import override

from lcplatform_grpc.answers import BodyReader, Reader
from lcplatform_grpc.metadata import metadata_of
from lcplatform_grpc.parts import Envelope
from lcplatform_runtime.cancellation import CANCELLATION
from lcplatform_runtime.context import current_call
from lcplatform_runtime.errors import LCPlatformError
from lcplatform_runtime.streams import ByteSource, ByteStream

Req = TypeVar("Req")
Res = TypeVar("Res")


class Unary(Generic[Req, Res]):
    """A request, an answer."""

    __slots__ = ("_call", "_read", "_write")

    def __init__(
        self,
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes],
        write: Callable[[Req], Message],
        read: Reader[Any, Res],
    ) -> None:
        self._call = call
        self._write = write
        self._read = read

    def __call__(self, request: Req, /) -> Res:
        context = current_call()
        answer = self._call(
            self._write(request).SerializeToString(),
            None if context is None else context.remaining(),
            metadata_of(context),
        )
        return self._read(answer)


class Uploading(Generic[Req, Res]):
    """A request and a body, an answer."""

    __slots__ = ("_call", "_envelope", "_read", "_write")

    def __init__(
        self,
        call: grpc.StreamUnaryMultiCallable[bytes, bytes],
        write: Callable[[Req], Message],
        envelope: Envelope[Any],
        read: Reader[Any, Res],
    ) -> None:
        self._call = call
        self._write = write
        self._envelope = envelope
        self._read = read

    def __call__(self, request: Req, source: ByteSource, /) -> Res:
        context = current_call()
        parts = _Parts(self._parts(self._envelope.header(self._write(request)), source))
        try:
            answer = self._call(
                parts, None if context is None else context.remaining(), metadata_of(context)
            )
        finally:
            parts.stop()
            if source.failure is not None:
                raise source.failure
        return self._read(answer)

    def _parts(self, header: bytes, source: ByteSource) -> Generator[bytes, None, None]:
        """The messages of an upload. A body that fails gets no trailer, so the server stores nothing."""
        yield header
        source.checksum()
        try:
            for chunk in source:
                yield from self._envelope.chunks(chunk)
        except LCPlatformError:
            return  # kept by the source, and raised in the caller's own thread
        yield self._envelope.trail(source.count, source.crc32c)


class _Parts(Iterator[bytes]):
    """Messages that gRPC takes in a thread of its own, until the call is over: then nobody reads the body any more."""

    def __init__(self, parts: Generator[bytes, None, None]) -> None:
        self._parts = parts
        self._lock = threading.Lock()

    @override
    def __next__(self) -> bytes:
        with self._lock:
            return next(self._parts)

    def stop(self) -> None:
        """Ends them, after the one that is being read now."""
        with self._lock:
            self._parts.close()


class Downloading(Generic[Req, Res]):
    """A request, a body that comes back. The next chunk is taken from the connection when it is asked for."""

    __slots__ = ("_call", "_read", "_write")

    def __init__(
        self,
        call: grpc.UnaryStreamMultiCallable[bytes, bytes],
        write: Callable[[Req], Message],
        read: BodyReader[Res],
    ) -> None:
        self._call = call
        self._write = write
        self._read = read

    def __call__(self, request: Req, /) -> ByteStream[Res]:
        context = current_call()
        messages: Any = self._call(  # an iterator that is a call as well
            self._write(request).SerializeToString(),
            None if context is None else context.remaining(),
            metadata_of(context),
        )
        try:
            header = self._read.header(next(messages, None))
        except BaseException:
            messages.cancel()
            raise
        chunk = self._read.chunk
        return ByteStream(header, (chunk(it) for it in messages), close=messages.cancel)


class Streaming(Generic[Req, Res]):
    """A request, answers as they come."""

    __slots__ = ("_call", "_read", "_write")

    def __init__(
        self,
        call: grpc.UnaryStreamMultiCallable[bytes, bytes],
        write: Callable[[Req], Message],
        read: Reader[Any, Res],
    ) -> None:
        self._call = call
        self._write = write
        self._read = read

    def __call__(self, request: Req, /) -> Iterator[Res]:
        context = current_call()
        messages: Any = self._call(  # an iterator that is a call as well
            self._write(request).SerializeToString(),
            None if context is None else context.remaining(),
            metadata_of(context),
        )
        return self._answers(messages)

    def _answers(self, messages: Any) -> Generator[Res, None, None]:
        try:
            while (message := _next(messages)) is not None:
                yield self._read(message)
        finally:
            messages.cancel()


def _next(messages: Any) -> bytes | None:
    """The next message, or `None` at the end. A caller who gives up meanwhile cancels the call."""
    cancellation = CANCELLATION.get()
    if cancellation is None:
        return next(messages, None)
    with cancellation.waking(messages.cancel):
        if cancellation.cancelled:
            messages.cancel()
        return next(messages, None)
