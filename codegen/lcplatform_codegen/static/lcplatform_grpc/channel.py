"""Connections to a server, one for each colour. They are made at the first call and shared by all remote drivers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias, TypeVar

import grpc
from google.protobuf.message import Message

from lcplatform_grpc.answers import BodyReader, Reader
from lcplatform_grpc.async_calls import AsyncDownloading, AsyncStreaming, AsyncUnary, AsyncUploading
from lcplatform_grpc.calls import Downloading, Streaming, Unary, Uploading
from lcplatform_grpc.metadata import AUTHORIZATION, bearer
from lcplatform_grpc.options import GrpcOptions
from lcplatform_grpc.parts import Envelope
from lcplatform_runtime.operation import Operation

Req = TypeVar("Req")
Res = TypeVar("Res")
P = TypeVar("P", bound=Message)


_Metadata: TypeAlias = tuple[tuple[str, str], ...]


class _Shown:
    """A call of gRPC that shows the server's token besides. A blocking one is given all by position, an async one all but
    the request by name."""

    def __init__(self, call: Callable[..., Any], token: str) -> None:
        self._call = call
        self._shown = ((AUTHORIZATION, bearer(token)),)

    def blocking(self, request: object, timeout: float | None, metadata: _Metadata, /) -> Any:
        """Calls, and gives back what gRPC does."""
        return self._call(request, timeout, metadata + self._shown)

    def asynchronous(self, *request: object, timeout: float | None, metadata: _Metadata) -> Any:
        """Calls, and gives back what gRPC does."""
        return self._call(*request, timeout=timeout, metadata=metadata + self._shown)


class Channel:
    """A blocking connection."""

    def __init__(self, options: GrpcOptions) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._channel: grpc.Channel | None = None

    def unary(
        self,
        operation: Operation,
        write: Callable[[Req], Message],
        message: type[P],
        read: Callable[[P], Res],
    ) -> Unary[Req, Res]:
        """An operation with one request and one answer."""
        return Unary(
            self._shown(self._grpc().unary_unary(operation.rpc)), write, Reader(message, read)
        )

    def upload(
        self,
        operation: Operation,
        write: Callable[[Req], Message],
        envelope: Envelope[Any],
        message: type[P],
        read: Callable[[P], Res],
    ) -> Uploading[Req, Res]:
        """An operation that takes a body."""
        return Uploading(
            self._shown(self._grpc().stream_unary(operation.rpc)),
            write,
            envelope,
            Reader(message, read),
        )

    def download(
        self,
        operation: Operation,
        write: Callable[[Req], Message],
        envelope: Envelope[Any],
        read: Callable[[Any], Res],
    ) -> Downloading[Req, Res]:
        """An operation that gives a body."""
        return Downloading(
            self._shown(self._grpc().unary_stream(operation.rpc)), write, BodyReader(envelope, read)
        )

    def stream(
        self,
        operation: Operation,
        write: Callable[[Req], Message],
        message: type[P],
        read: Callable[[P], Res],
    ) -> Streaming[Req, Res]:
        """An operation with a stream of answers."""
        return Streaming(
            self._shown(self._grpc().unary_stream(operation.rpc)), write, Reader(message, read)
        )

    def close(self) -> None:
        """Ends the connection and what is under way on it."""
        with self._lock:
            channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def _shown(self, call: Any) -> Any:
        token = self._options.token
        return call if token is None else _Shown(call, token.get_secret_value()).blocking

    def _grpc(self) -> grpc.Channel:
        options = self._options
        with self._lock:
            if self._channel is None:
                self._channel = (
                    grpc.secure_channel(options.endpoint, options.credentials(), options.channel())
                    if options.encrypted
                    else grpc.insecure_channel(options.endpoint, options.channel())
                )
            return self._channel


class AsyncChannel:
    """An async connection. It belongs to the event loop of its first call."""

    def __init__(self, options: GrpcOptions) -> None:
        self._options = options
        self._channel: grpc.aio.Channel | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def unary(
        self,
        operation: Operation,
        write: Callable[[Req], Message],
        message: type[P],
        read: Callable[[P], Res],
    ) -> AsyncUnary[Req, Res]:
        """An operation with one request and one answer."""
        connect = self._once(lambda channel: channel.unary_unary(operation.rpc))
        return AsyncUnary(connect, write, Reader(message, read))

    def upload(
        self,
        operation: Operation,
        write: Callable[[Req], Message],
        envelope: Envelope[Any],
        message: type[P],
        read: Callable[[P], Res],
    ) -> AsyncUploading[Req, Res]:
        """An operation that takes a body."""
        connect = self._once(lambda channel: channel.stream_unary(operation.rpc))
        return AsyncUploading(connect, write, envelope, Reader(message, read))

    def download(
        self,
        operation: Operation,
        write: Callable[[Req], Message],
        envelope: Envelope[Any],
        read: Callable[[Any], Res],
    ) -> AsyncDownloading[Req, Res]:
        """An operation that gives a body."""
        connect = self._once(lambda channel: channel.unary_stream(operation.rpc))
        return AsyncDownloading(connect, write, BodyReader(envelope, read))

    def stream(
        self,
        operation: Operation,
        write: Callable[[Req], Message],
        message: type[P],
        read: Callable[[P], Res],
    ) -> AsyncStreaming[Req, Res]:
        """An operation with a stream of answers."""
        connect = self._once(lambda channel: channel.unary_stream(operation.rpc))
        return AsyncStreaming(connect, write, Reader(message, read))

    def close(self) -> None:
        """Ends the connection and what is under way on it. Called in another thread than the loop's."""
        channel, loop = self._channel, self._loop
        if channel is not None and loop is not None and loop.is_running():
            asyncio.run_coroutine_threadsafe(channel.close(), loop).result()

    def _once(self, make: Callable[[grpc.aio.Channel], Any]) -> Callable[[], Any]:
        """What gRPC needs to make a call of one operation. It exists only on a running loop, so it is made there."""
        return cache(lambda: self._shown(make(self._grpc())))

    def _shown(self, call: Any) -> Any:
        token = self._options.token
        return call if token is None else _Shown(call, token.get_secret_value()).asynchronous

    def _grpc(self) -> grpc.aio.Channel:
        options = self._options
        if self._channel is None:
            self._loop = asyncio.get_running_loop()
            self._channel = (
                grpc.aio.secure_channel(options.endpoint, options.credentials(), options.channel())
                if options.encrypted
                else grpc.aio.insecure_channel(options.endpoint, options.channel())
            )
        return self._channel
