"""An async remote driver's end of every call: one class for each way in which an operation moves its data."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, Generic, TypeVar

import grpc
from google.protobuf.message import Message

from lcplatform_grpc.answers import BodyReader, Reader
from lcplatform_grpc.metadata import metadata_of
from lcplatform_grpc.parts import Envelope
from lcplatform_runtime.context import current_call
from lcplatform_runtime.errors import PreconditionFailedError
from lcplatform_runtime.streams import AsyncByteSource, AsyncByteStream

Req = TypeVar("Req")
Res = TypeVar("Res")

# What gRPC calls a call that can be made, of whatever form. It exists only on a running loop, so it is made at the first call.
Connect = Callable[[], Any]


class AsyncUnary(Generic[Req, Res]):
    """A request, an answer."""

    __slots__ = ("_connect", "_read", "_write")

    def __init__(
        self, connect: Connect, write: Callable[[Req], Message], read: Reader[Any, Res]
    ) -> None:
        self._connect = connect
        self._write = write
        self._read = read

    async def __call__(self, request: Req, /) -> Res:
        context = current_call()
        answer = await self._connect()(
            self._write(request).SerializeToString(),
            timeout=None if context is None else context.remaining(),
            metadata=metadata_of(context),
        )
        return self._read(answer)


class AsyncUploading(Generic[Req, Res]):
    """A request and a body, an answer."""

    __slots__ = ("_connect", "_envelope", "_read", "_write")

    def __init__(
        self,
        connect: Connect,
        write: Callable[[Req], Message],
        envelope: Envelope[Any],
        read: Reader[Any, Res],
    ) -> None:
        self._connect = connect
        self._write = write
        self._envelope = envelope
        self._read = read

    async def __call__(self, request: Req, source: AsyncByteSource, /) -> Res:
        context = current_call()
        header = self._envelope.header(self._write(request))
        call = self._connect()(
            timeout=None if context is None else context.remaining(), metadata=metadata_of(context)
        )
        ending = _Ending(call)
        try:
            async for part in self._parts(header, source):
                await call.write(part)
            await call.done_writing()
        except (asyncio.InvalidStateError, grpc.aio.AioRpcError):
            pass  # the server has answered without reading on, or is gone: the status of the call says why
        except BaseException:
            call.cancel()
            raise
        try:
            return self._read(await call)
        except grpc.aio.AioRpcError as error:
            raise ending.error or error from None

    async def _parts(self, header: bytes, source: AsyncByteSource) -> AsyncGenerator[bytes, None]:
        """The messages of an upload. A body that fails gets no trailer, so the server stores nothing."""
        yield header
        source.checksum()
        async for chunk in source:
            for part in self._envelope.chunks(chunk):
                yield part
        yield self._envelope.trail(source.count, source.crc32c)


class _Ending:
    """What the server ended a call with.

    gRPC puts an error of its own in the place of that status where a message was on its way meanwhile and failed, so it is
    kept when it comes.
    """

    def __init__(self, call: Any) -> None:
        self.error: grpc.aio.AioRpcError | None = None
        call.add_done_callback(self._ended)

    def _ended(self, call: Any) -> None:
        code, details = _at_once(call.code()), _at_once(call.details())
        if details != "Internal error from Core":
            trailers = _at_once(call.trailing_metadata())
            self.error = grpc.aio.AioRpcError(code, None, trailers, details)


def _at_once(coroutine: Coroutine[None, None, Any]) -> Any:
    """The result of a coroutine that has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    raise AssertionError("the status of a call that is done is there")


class AsyncDownloading(Generic[Req, Res]):
    """A request, a body that comes back. The next chunk is taken from the connection when it is asked for."""

    __slots__ = ("_connect", "_read", "_write")

    def __init__(
        self, connect: Connect, write: Callable[[Req], Message], read: BodyReader[Res]
    ) -> None:
        self._connect = connect
        self._write = write
        self._read = read

    async def __call__(self, request: Req, /) -> AsyncByteStream[Res]:
        context = current_call()
        call = self._connect()(
            self._write(request).SerializeToString(),
            timeout=None if context is None else context.remaining(),
            metadata=metadata_of(context),
        )
        try:
            header = self._read.header(await _next(call))
        except BaseException:
            call.cancel()
            raise

        async def close() -> None:
            call.cancel()

        return AsyncByteStream(header, self._chunks(call), close=close)

    async def _chunks(self, call: Any) -> AsyncGenerator[bytes, None]:
        while (message := await _next(call)) is not None:
            yield self._read.chunk(message)


class AsyncStreaming(Generic[Req, Res]):
    """A request, answers as they come. Nothing is sent before the first is asked for."""

    __slots__ = ("_connect", "_read", "_write")

    def __init__(
        self, connect: Connect, write: Callable[[Req], Message], read: Reader[Any, Res]
    ) -> None:
        self._connect = connect
        self._write = write
        self._read = read

    async def __call__(self, request: Req, /) -> AsyncGenerator[Res, None]:
        context = current_call()
        call = self._connect()(
            self._write(request).SerializeToString(),
            timeout=None if context is None else context.remaining(),
            metadata=metadata_of(context),
        )
        try:
            while (message := await _next(call)) is not None:
                yield self._read(message)
        finally:
            call.cancel()


async def _next(call: Any) -> bytes | None:
    """The next message, or `None` at the end."""
    try:
        message = await call.read()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        # Nobody cancelled the caller: the connection was closed under its call.
        raise PreconditionFailedError("the platform is closed") from None
    return None if message is grpc.aio.EOF else message
