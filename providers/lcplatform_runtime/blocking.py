"""The bound operations of blocking callers."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from lcplatform_runtime.context import CURRENT
from lcplatform_runtime.model import Model
from lcplatform_runtime.steps import END, Again, Call, End, check_deadline, drive
from lcplatform_runtime.streams import ByteSource, ByteStream, Download

if TYPE_CHECKING:
    from lcplatform_runtime.chain import Chain
    from lcplatform_runtime.context import CallContext
    from lcplatform_runtime.errors import LCPlatformError
    from lcplatform_runtime.options import CallOptions

Req = TypeVar("Req", bound=Model)
Res = TypeVar("Res")
H = TypeVar("H")


class Unary(Generic[Req, Res]):
    """A request, an answer."""

    __slots__ = ("_chain", "_method")

    def __init__(self, chain: Chain, method: Callable[[Req], Res]) -> None:
        self._chain = chain
        self._method = method

    def __call__(self, request: Req, options: CallOptions | None = None, /) -> Res:
        """Calls the driver. Raises LCPlatformError if that fails and no retry helps."""
        chain, method = self._chain, self._method
        context = chain.ahead(request) if options is None else None
        answer: Res
        if context is not None:
            answer = _attempted(chain, request, context, method)
        else:
            call = chain.begin(request, options)
            answer = drive(chain.steps(call), call, method, chain.clock)
        return answer

    def kept(self, key: tuple[Hashable, ...], options: CallOptions | None = None, /) -> Res | None:
        """The answer that is kept under these values of the cache key, without a request. `None`: call."""
        answer: Res | None = self._chain.kept(key, options)
        return answer


class Upload(Generic[Req, Res]):
    """A request and a body, an answer."""

    __slots__ = ("_chain", "_method")

    def __init__(self, chain: Chain, method: Callable[[Req, ByteSource], Res]) -> None:
        self._chain = chain
        self._method = method

    def __call__(
        self, request: Req, source: ByteSource, options: CallOptions | None = None, /
    ) -> Res:
        """Calls the driver. A body that comes once and was begun is not sent again. What `source` opened is closed."""
        chain, method = self._chain, self._method

        def send(request: Req) -> Res:
            return method(request, source)

        try:
            context = chain.ahead(request, source) if options is None else None
            answer: Res
            if context is not None:
                answer = _attempted(chain, request, context, send, body=source)
            else:
                begun = chain.begin(request, options, source)
                if begun.context.deadline is not None:
                    source.guard(lambda: check_deadline(begun))
                answer = drive(chain.steps(begun), begun, send, chain.clock)
        finally:
            source.close()
        return answer


class Downloading(Generic[Req, H]):
    """A request, a body that comes back."""

    __slots__ = ("_chain", "_method")

    def __init__(self, chain: Chain, method: Callable[[Req], ByteStream[H]]) -> None:
        self._chain = chain
        self._method = method

    def __call__(self, request: Req, options: CallOptions | None = None, /) -> Download[H]:
        """Opens the body. A transfer that breaks goes on where it stopped, by the same rule as any retry."""
        chain, method = self._chain, self._method
        context = chain.ahead(request) if options is None else None
        stream: ByteStream[H]
        if context is not None:
            call = chain.call(request, context, chain.clock.monotonic())
            stream = _attempted(chain, request, context, method, call)
        else:
            call = chain.begin(request, options)
            stream = drive(chain.steps(call), call, method, chain.clock)

        def broken(problem: Exception) -> LCPlatformError:
            return chain.broken(problem, call)

        def reopen(rest: Model, error: LCPlatformError, failures: int, /) -> ByteStream[H]:
            call.request = rest
            more = drive(chain.resumed(call, error, failures), call, method, chain.clock)
            return _bounded(more, call)

        return Download(_bounded(stream, call), broken, request, chain.operation.resume, reopen)


class Streaming(Generic[Req, Res]):
    """A request, answers as they come."""

    __slots__ = ("_chain", "_method")

    def __init__(self, chain: Chain, method: Callable[[Req], Iterator[Res]]) -> None:
        self._chain = chain
        self._method = method

    def __call__(self, request: Req, options: CallOptions | None = None, /) -> Iterator[Res]:
        """Nothing happens before the first answer is asked for. Only what fails until then is retried."""
        return self._answers(self._chain.begin(request, options))

    def _answers(self, call: Call) -> Generator[Res, None, None]:
        chain = self._chain
        first, rest = drive(chain.steps(call), call, self._opened, chain.clock)
        try:
            answer: Res | End = first
            while not isinstance(answer, End):
                yield answer
                answer = self._next(rest, call)
        finally:
            close = getattr(rest, "close", None)
            if close is not None:
                close()

    def _opened(self, request: Req) -> tuple[Res | End, Iterator[Res]]:
        answers = iter(self._method(request))
        return next(answers, END), answers

    def _next(self, answers: Iterator[Res], call: Call) -> Res | End:
        token = CURRENT.set(call.context)
        try:
            check_deadline(call)
            return next(answers, END)
        except Exception as problem:  # noqa: BLE001  a driver may raise anything
            error = self._chain.broken(problem, call)
        finally:
            CURRENT.reset(token)
        try:
            raise error
        finally:
            del error  # or it would hold itself by its traceback


def _attempted(
    chain: Chain,
    request: Any,
    context: CallContext,
    method: Callable[[Any], Any],
    call: Call | None = None,
    *,
    body: ByteSource | None = None,
) -> Any:
    """The answer to a call whose first attempt is made ahead of the steps. If it fails, a `Call` is made for them, unless
    there is one."""
    started = chain.clock.monotonic()
    token = CURRENT.set(context)
    try:
        answer = method(request)
    except Exception as problem:  # noqa: BLE001  the steps decide what it means
        again = Again(problem, method)
    else:
        chain.worked()
        return answer if chain.sealed is None else chain.sealed(request, answer)
    finally:
        CURRENT.reset(token)
    if call is None:
        call = chain.call(request, context, started, body)
    return drive(chain.steps(call), call, again, chain.clock)


def _bounded(stream: ByteStream[H], call: Call) -> ByteStream[H]:
    """`stream`, which ends with the deadline of `call` if it has one."""
    if call.context.deadline is None:
        return stream

    def chunks() -> Generator[bytes, None, None]:
        for chunk in stream:
            check_deadline(call)
            yield chunk

    return ByteStream(stream.header, chunks(), close=stream.close)
