"""The way of every call to its driver and back: named, observed, answered from the cache, retried, its errors translated.

An operation is bound once, and what has nothing to do for it is not in its chain (`chain.py`). The interceptors are
generators, so they serve both colours (`steps.py`); what differs between the colours is in `blocking.py` and
`asynchronous.py`, and async callers have a pipeline of their own (`async_pipeline.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from lcplatform_runtime.blocking import Downloading, Streaming, Unary, Upload
from lcplatform_runtime.chain import Binder
from lcplatform_runtime.model import Model
from lcplatform_runtime.operation import Operation
from lcplatform_runtime.settings import PipelineSettings
from lcplatform_runtime.streams import ByteSource, ByteStream
from lcplatform_runtime.translate import Translate

__all__ = ["Pipeline", "PipelineSettings", "Translate"]

Req = TypeVar("Req", bound=Model)
Res = TypeVar("Res")


class Pipeline(Binder):
    """Binds the operations of a blocking driver."""

    def unary(self, operation: Operation, method: Callable[[Req], Res], /) -> Unary[Req, Res]:
        """An operation with a request and an answer."""
        return Unary(self.chain(operation), method)

    def upload(
        self, operation: Operation, method: Callable[[Req, ByteSource], Res], /
    ) -> Upload[Req, Res]:
        """An operation with a request and a body, and an answer."""
        return Upload(self.chain(operation), method)

    def download(
        self, operation: Operation, method: Callable[[Req], ByteStream[Res]], /
    ) -> Downloading[Req, Res]:
        """An operation with a request, and a body with a header as its answer."""
        return Downloading(self.chain(operation), method)

    def stream(
        self, operation: Operation, method: Callable[[Req], Iterator[Res]], /
    ) -> Streaming[Req, Res]:
        """An operation with a request, and any number of answers."""
        return Streaming(self.chain(operation), method)
