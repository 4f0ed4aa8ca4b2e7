"""A server's end of every call: bytes to a checked request, the platform's own pipeline, and bytes back or a status."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final, Generic, NoReturn, TypeAlias, TypeVar

import grpc
from google.protobuf.message import Message
from typing_extensions import override

from lcplatform_grpc.draining import Draining
from lcplatform_grpc.errors import CODES, trailers_of
from lcplatform_grpc.metadata import enter
from lcplatform_grpc.parts import Envelope, parse
from lcplatform_runtime.cancellation import CANCELLATION, Cancellation
from lcplatform_runtime.errors import (
    AuthenticationError,
    FieldViolation,
    InternalError,
    LCPlatformError,
    OperationCancelledError,
    ServiceUnavailableError,
    ValidationError,
)
from lcplatform_runtime.operation import Operation
from lcplatform_runtime.options import CallOptions
from lcplatform_runtime.streams import ByteSource, Download

Req = TypeVar("Req")
Res = TypeVar("Res")
P = TypeVar("P", bound=Message)
C = TypeVar("C", bound=Callable[..., object])

LOGGER: Final = logging.getLogger("lcplatform.server")
"""What callers are not told: why the server's own credentials fail, and what broke inside of it."""


Handlers: TypeAlias = "Mapping[str, grpc.RpcMethodHandler[Any, Any]]"
"""Handlers by the path of their rpc, such as `/lcplatform.queue.v1.QueueService/SendMessage`."""


class Router(grpc.GenericRpcHandler):
    """Finds the handler of a call with one look, however many services there are."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers

    @override
    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        return self._handlers.get(handler_call_details.method)


@dataclass(frozen=True, slots=True)
class Lanes:
    """Threads apart from those of ordinary calls, so that those who wait or transfer never keep a short call waiting.

    Streams of answers have no end, so they share what ends them.
    """

    long_polls: ThreadPoolExecutor | None = None
    streams: ThreadPoolExecutor | None = None
    answers: ThreadPoolExecutor | None = None
    draining: Draining = field(default_factory=Draining)


class _Handler(Generic[P, Req, C]):
    """One operation, connected at its first call. gRPC runs it in `experimental_thread_pool` if it has one, else in the server's own threads."""

    def __init__(
        self,
        operation: Operation,
        bind: Callable[[], C],
        message: type[P],
        read: Callable[[P], Req],
        lane: ThreadPoolExecutor | None,
    ) -> None:
        self._operation = operation
        self._bind = bind
        self._bound: C | None = None
        self._message = message
        self._read = read
        self.experimental_thread_pool = lane

    def _connected(self) -> C:
        """What the platform does for this operation."""
        bound = self._bound
        if bound is None:
            bound = self._bound = self._bind()
        return bound

    def _fail(self, error: Exception, context: grpc.ServicerContext) -> NoReturn:
        """Ends the call with the status of an error."""
        shown = shown_to_callers(error, self._operation)
        text, trailers = trailers_of(shown)
        context.set_trailing_metadata(trailers)
        context.abort(CODES[shown.code], text)


class Unary(_Handler[P, Req, "Callable[[Req, CallOptions | None], Res]"], Generic[P, Req, Res]):
    """A request, an answer."""

    def __init__(
        self,
        operation: Operation,
        bind: Callable[[], Callable[[Req, CallOptions | None], Res]],
        message: type[P],
        read: Callable[[P], Req],
        write: Callable[[Res], Message],
        lanes: Lanes,
    ) -> None:
        lane = lanes.long_polls if operation.long_poll is not None else None
        super().__init__(operation, bind, message, read, lane)
        self._write = write

    def __call__(self, data: bytes, context: grpc.ServicerContext, /) -> bytes:
        if self.experimental_thread_pool is not None:
            _hear_cancellation(context)
        try:
            request = self._read(parse(self._message, data))
            return self._write(
                (self._bound or self._connected())(request, enter(context))
            ).SerializeToString()
        except Exception as error:  # noqa: BLE001  whatever it is, it becomes a status
            self._fail(error, context)


def _hear_cancellation(context: grpc.ServicerContext) -> Cancellation:
    """Lets a driver that waits learn that its caller gave up. gRPC runs each call in a context of its own."""
    cancellation = Cancellation()
    CANCELLATION.set(cancellation)
    if not context.add_callback(cancellation.cancel):  # the call has ended already
        cancellation.cancel()
    return cancellation


class Uploading(
    _Handler[P, Req, "Callable[[Req, ByteSource, CallOptions | None], Res]"], Generic[P, Req, Res]
):
    """A request and a body, an answer."""

    def __init__(
        self,
        operation: Operation,
        bind: Callable[[], Callable[[Req, ByteSource, CallOptions | None], Res]],
        message: type[P],
        read: Callable[[P], Req],
        write: Callable[[Res], Message],
        envelope: Envelope[Any],
        lanes: Lanes,
    ) -> None:
        super().__init__(operation, bind, message, read, lanes.streams)
        self._write = write
        self._envelope = envelope

    def __call__(self, messages: Iterator[bytes], context: grpc.ServicerContext, /) -> bytes:
        incoming = _Incoming(self._envelope, messages, context)
        context.add_callback(incoming.source.abort)
        try:
            request = self._read(incoming.header())
            answer = self._connected()(request, incoming.source, enter(context))
            return self._write(answer).SerializeToString()
        except Exception as error:  # noqa: BLE001  whatever it is, it becomes a status
            self._fail(error, context)


class Downloading(
    _Handler[P, Req, "Callable[[Req, CallOptions | None], Download[Res]]"], Generic[P, Req, Res]
):
    """A request, a body that goes back. The next chunk is read when gRPC has taken the one before."""

    def __init__(
        self,
        operation: Operation,
        bind: Callable[[], Callable[[Req, CallOptions | None], Download[Res]]],
        message: type[P],
        read: Callable[[P], Req],
        write: Callable[[Res], Message],
        envelope: Envelope[Any],
        lanes: Lanes,
    ) -> None:
        super().__init__(operation, bind, message, read, lanes.streams)
        self._write = write
        self._envelope = envelope

    def __call__(self, data: bytes, context: grpc.ServicerContext, /) -> Iterator[bytes]:
        envelope = self._envelope
        try:
            request = self._read(parse(self._message, data))
            with self._connected()(request, enter(context)) as download:
                yield envelope.header(self._write(download.header))
                for chunk in download:
                    yield from envelope.chunks(chunk)
        except Exception as error:  # noqa: BLE001  whatever it is, it becomes a status
            self._fail(error, context)


class Streaming(
    _Handler[P, Req, "Callable[[Req, CallOptions | None], Iterator[Res]]"], Generic[P, Req, Res]
):
    """A request, answers as they come. The next is asked for when gRPC has taken the one before."""

    def __init__(
        self,
        operation: Operation,
        bind: Callable[[], Callable[[Req, CallOptions | None], Iterator[Res]]],
        message: type[P],
        read: Callable[[P], Req],
        write: Callable[[Res], Message],
        lanes: Lanes,
    ) -> None:
        super().__init__(operation, bind, message, read, lanes.answers)
        self._write = write
        self._draining = lanes.draining

    def __call__(self, data: bytes, context: grpc.ServicerContext, /) -> Iterator[bytes]:
        cancellation = _hear_cancellation(context)
        try:
            with self._draining.stream(cancellation):
                request = self._read(parse(self._message, data))
                # A generator, as far as closing it goes.
                answers: Any = self._connected()(request, enter(context))
                with closing(answers):
                    for answer in answers:
                        yield self._write(answer).SerializeToString()
                        if cancellation.cancelled:  # which nobody notices who never waits
                            raise OperationCancelledError("the caller gave up")
        except Exception as error:  # noqa: BLE001  whatever it is, it becomes a status
            self._fail(error, context)


_MOMENT: Final = 0.5
"""Seconds."""


class _Incoming:
    """An upload as it comes in. Its body ends well only with a trailer that is right, and with nothing after it."""

    def __init__(
        self, envelope: Envelope[Any], messages: Iterator[bytes], context: grpc.ServicerContext
    ) -> None:
        self._envelope = envelope
        self._messages = messages
        self._gone = threading.Event()
        if not context.add_callback(self._gone.set):  # the call has ended already
            self._gone.set()
        self.source = ByteSource.of(self._chunks()).checksum()

    def header(self) -> Any:
        """The first message, which must be the header."""
        for message in self._messages:
            name, value = self._envelope.part(message)
            if name == "header":
                return value
            break
        raise _out_of_order("header", "must come first, and once")

    def _chunks(self) -> Iterator[bytes]:
        envelope = self._envelope
        try:
            for message in self._messages:
                chunk = envelope.chunk(message)
                if chunk is not None:
                    yield chunk
                    continue
                name, value = envelope.part(message)
                if name == envelope.trailer:
                    return self._finish(value)
                if name != envelope.body:
                    raise _out_of_order(name or "part", "has no place between header and trailer")
                yield value
        except grpc.RpcError:
            pass
        else:
            # The messages of a caller who gives up end a moment before gRPC says that he did.
            if not self._gone.wait(_MOMENT):
                missing = "is missing, so the body may be incomplete"
                raise _out_of_order(str(envelope.trailer), missing)
        raise OperationCancelledError("the upload was given up by its caller")

    def _finish(self, trailer: Any) -> None:
        for _ in self._messages:
            raise _out_of_order(str(self._envelope.trailer), "must come last")
        self.source.expect(size=trailer.size, crc32c=trailer.crc32c)


def _out_of_order(part: str, rule: str) -> ValidationError:
    return ValidationError(f"{part}: {rule}", violations=(FieldViolation(part, rule),))


def shown_to_callers(error: Exception, operation: Operation, /) -> LCPlatformError:
    """What a caller is told. What is the server's own affair stays in its log."""
    if isinstance(error, AuthenticationError) and "AUTHENTICATION" not in operation.errors:
        LOGGER.error("the provider refuses this server's credentials: %s", error, exc_info=error)
        return ServiceUnavailableError(
            "the server cannot use its provider: its own credentials are refused",
            operation=error.operation,
            resource=error.resource,
            retryable=False,
            outcome=error.outcome,
            request_id=error.request_id,
        )
    if isinstance(error, LCPlatformError):
        return error
    # Its text may quote anything, so not even the log has it.
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    LOGGER.error("%s failed unexpectedly: %s at %s", operation.title, kind, _place(error))
    return InternalError("the server failed unexpectedly", operation=operation.title)


def _place(error: Exception) -> str:
    trace, place = error.__traceback__, "?"
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f"{code.co_filename}:{trace.tb_lineno} in {code.co_qualname}"
        trace = trace.tb_next
    return place
