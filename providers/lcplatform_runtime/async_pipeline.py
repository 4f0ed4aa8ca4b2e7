"""The pipeline of async callers: the same chains as those of `pipeline.py`, awaited. Blocking platforms never load it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from lcplatform_runtime.asynchronous import (
    AsyncDownloading,
    AsyncStreaming,
    AsyncUnary,
    AsyncUpload,
)
from lcplatform_runtime.chain import Binder
from lcplatform_runtime.model import Model
from lcplatform_runtime.operation import Operation
from lcplatform_runtime.streams import AsyncByteSource, AsyncByteStream

Req = TypeVar("Req", bound=Model)
Res = TypeVar("Res")


class AsyncPipeline(Binder):
    """Binds the operations of an async driver."""

    def unary(
        self, operation: Operation, method: Callable[[Req], Awaitable[Res]], /
    ) -> AsyncUnary[Req, Res]:
        """An operation with a request and an answer."""
        return AsyncUnary(self.chain(operation), method)

    def upload(
        self, operation: Operation, method: Callable[[Req, AsyncByteSource], Awaitable[Res]], /
    ) -> AsyncUpload[Req, Res]:
        """An operation with a request and a body, and an answer."""
        return AsyncUpload(self.chain(operation), method)

    def download(
        self, operation: Operation, method: Callable[[Req], Awaitable[AsyncByteStream[Res]]], /
    ) -> AsyncDownloading[Req, Res]:
        """An operation with a request, and a body with a header as its answer."""
        return AsyncDownloading(self.chain(operation), method)

    def stream(
        self, operation: Operation, method: Callable[[Req], AsyncIterator[Res]], /
    ) -> AsyncStreaming[Req, Res]:
        """An operation with a request, and any number of answers."""
        return AsyncStreaming(self.chain(operation), method)
