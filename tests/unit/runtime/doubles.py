"""A small service, and a pipeline of either colour that is called as if it blocked: tests are written once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import Field

from lcplatform_runtime.async_pipeline import AsyncPipeline
from lcplatform_runtime.errors import LCPlatformError
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.model import Request, Response
from lcplatform_runtime.operation import CacheRule, Idempotency, Kind, Operation, ResumeRule
from lcplatform_runtime.options import CallOptions
from lcplatform_runtime.pipeline import Pipeline
from lcplatform_runtime.support import Support
from lcplatform_runtime.testing.clock import ManualClock

Res = TypeVar("Res")


class Read(Request):
    name: Annotated[str, Field(min_length=1, max_length=64)]
    version: str | None = None


class Write(Request):
    __sensitive__: ClassVar[frozenset[str]] = frozenset({"value"})

    name: str
    value: str | bytes | Json = ""
    key: str | None = None
    delay: timedelta | None = None


class Value(Response):
    text: str


def operation(**facts: Any) -> Operation:
    return Operation(
        **{
            "service": "things",
            "method": "read",
            "rpc": "/lcplatform.things.v1.ThingsService/Read",
            "title": "Things.Read",
            "resource": "name",
            **facts,
        }
    )


READ = operation(idempotency=Idempotency.NO_SIDE_EFFECTS)
CACHED = operation(
    method="cached",
    title="Things.Cached",
    idempotency=Idempotency.NO_SIDE_EFFECTS,
    cache=CacheRule(key=("name", "version"), ttl=timedelta(minutes=5)),
)
WRITE = operation(method="write", title="Things.Write", invalidates=("cached",))
KEYED = operation(method="write", title="Things.Write", idempotency_key="key")
PUT = operation(
    method="put", title="Things.Put", kind=Kind.UPLOAD, idempotency=Idempotency.IDEMPOTENT
)
WATCH = operation(method="watch", title="Things.Watch", kind=Kind.STREAM)
GET = operation(
    method="get",
    title="Things.Get",
    kind=Kind.DOWNLOAD,
    idempotency=Idempotency.NO_SIDE_EFFECTS,
    resume=ResumeRule(range="range", if_match="if_match", etag="etag"),
)


class VendorError(Exception):
    """Something that a vendor's library raises."""


def nothing_known(problem: Exception, operation: Operation, /) -> LCPlatformError | None:
    return None


class Script(Generic[Res]):
    """A driver method that plays what it was given, one act a call, the last one for ever."""

    def __init__(self, *acts: Res | Exception | Callable[[Any], Res]) -> None:
        self._acts = list(acts)
        self.requests: list[Any] = []

    def __call__(self, request: Any) -> Res:
        self.requests.append(request)
        act = self._acts.pop(0) if len(self._acts) > 1 else self._acts[0]
        if isinstance(act, Exception):
            raise act
        answer: Any = act(request) if callable(act) else act
        return answer  # type: ignore[no-any-return]

    @property
    def attempts(self) -> int:
        return len(self.requests)


class Platform:
    """A pipeline on a clock that jumps over every sleep."""

    def __init__(self, colour: str, **settings: Any) -> None:
        self.colour = colour
        self.clock = settings.setdefault("clock", ManualClock(self_advancing=True))
        arguments = {
            "provider": "test",
            "translate": nothing_known,
            "support": Support,
            **settings,
        }
        self.pipeline = (Pipeline if colour == "blocking" else AsyncPipeline)(**arguments)

    def unary(self, operation: Operation, method: Callable[[Any], Any]) -> Any:
        """The bound operation. Untyped, since it is called with what only a test would do."""
        if isinstance(self.pipeline, Pipeline):
            return self.pipeline.unary(operation, method)
        bound = self.pipeline.unary(operation, asynchronous(method))

        def call(request: Any, options: CallOptions | None = None) -> Any:
            return asyncio.run(bound(request, options))

        call.kept = bound.kept  # type: ignore[attr-defined]
        return call


def asynchronous(method: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*arguments: Any) -> Any:
        return method(*arguments)

    return call
