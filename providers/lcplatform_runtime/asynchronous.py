"""The bound operations of async callers. An attempt, and each wait for more, ends with the deadline of its call."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Hashable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from lcplatform_runtime.context import CURRENT
from lcplatform_runtime.model import Model
from lcplatform_runtime.steps import END, Again, Call, End, check_deadline, drive_async, within
from lcplatform_runtime.streams import AsyncByteSource, AsyncByteStream, AsyncDownload

if TYPE_CHECKING:
    from lcplatform_runtime.chain import Chain
    from lcplatform_runtime.errors import LCPlatformError
    from lcplatform_runtime.options import CallOptions

Req = TypeVar("Req", bound=Model)
Res = TypeVar("Res")
H = TypeVar("H")


class AsyncUnary(Generic[Req, Res]):
    """A request, an answer."""

    __slots__ = ("_chain", "_method")

    def __init__(self, chain: Chain, method: Callable[[Req], Awaitable[Res]]) -> None:
        self._chain = chain
        self._method = method

    async def __call__(self, request: Req, options: CallOptions | None = None, /) -> Res:
        """Calls the driver. Raises LCPlatformError if that fails and no retry helps."""
        answer: Res = (await _answer(self._chain, request, options, self._method))[0]
        return answer

    def kept(self, key: tuple[Hashable, ...], options: CallOptions | None = None, /) -> Res | None:
        """The answer that is kept under these values of the cache key, without a request. `None`: call."""
        answer: Res | None = self._chain.kept(key, options)
        return answer


class AsyncUpload(Generic[Req, Res]):
    """A request and a body, an answer."""

    __slots__ = ("_chain", "_method")

    def __init__(
        self, chain: Chain, method: Callable[[Req, AsyncByteSource], Awaitable[Res]]
    ) -> None:
        self._chain = chain
        self._method = method

    async def __call__(
        self, request: Req, source: AsyncByteSource, options: CallOptions | None = None, /
    ) -> Res:
        """Calls the driver. A body that comes once and was begun is not sent again. What `source` opened is closed."""
        chain, method = self._chain, self._method
        try:
            call = chain.begin(request, options, source)
            answer: Res = await drive_async(
                chain.steps(call), call, lambda it: method(it, source), chain.clock
            )
        finally:
            await source.close()
        return answer


class AsyncDownloading(Generic[Req, H]):
    """A request, a body that comes back."""

    __slots__ = ("_chain", "_method")

    def __init__(
        self, chain: Chain, method: Callable[[Req], Awaitable[AsyncByteStream[H]]]
    ) -> None:
        self._chain = chain
        self._method = method

    async def __call__(
        self, request: Req, options: CallOptions | None = None, /
    ) -> AsyncDownload[H]:
        """Opens the body. A transfer that breaks goes on where it stopped, by the same rule as any retry."""
        chain, method = self._chain, self._method
        stream, call = await _answer(chain, request, options, method)

        def broken(problem: Exception) -> LCPlatformError:
            return chain.broken(problem, call)

        async def reopen(
            rest: Model, error: LCPlatformError, failures: int, /
        ) -> AsyncByteStream[H]:
            call.request = rest
            steps = chain.resumed(call, error, failures)
            return _bounded(await drive_async(steps, call, method, chain.clock), call)

        return AsyncDownload(
            _bounded(stream, call), broken, request, chain.operation.resume, reopen
        )


class AsyncStreaming(Generic[Req, Res]):
    """A request, answers as they come."""

    __slots__ = ("_chain", "_method")

    def __init__(self, chain: Chain, method: Callable[[Req], AsyncIterator[Res]]) -> None:
        self._chain = chain
        self._method = method

    def __call__(self, request: Req, options: CallOptions | None = None, /) -> AsyncIterator[Res]:
        """Nothing happens before the first answer is asked for. Only what fails until then is retried."""
        return self._answers(self._chain.begin(request, options))

    async def _answers(self, call: Call) -> AsyncGenerator[Res, None]:
        chain = self._chain
        first, rest = await drive_async(chain.steps(call), call, self._opened, chain.clock)
        try:
            answer: Res | End = first
            while not isinstance(answer, End):
                yield answer
                answer = await self._next(rest, call)
        finally:
            close = getattr(rest, "aclose", None)
            if close is not None:
                await close()

    async def _opened(self, request: Req) -> tuple[Res | End, AsyncIterator[Res]]:
        answers = aiter(self._method(request))
        return await anext(answers, END), answers

    async def _next(self, answers: AsyncIterator[Res], call: Call) -> Res | End:
        token = CURRENT.set(call.context)
        try:
            check_deadline(call)
            answer: Res | End = await within(call, anext(answers, END))
        except Exception as problem:  # noqa: BLE001  a driver may raise anything
            error = self._chain.broken(problem, call)
        else:
            return answer
        finally:
            CURRENT.reset(token)
        try:
            raise error
        finally:
            del error  # or it would hold itself by its traceback


async def _answer(
    chain: Chain, request: Any, options: CallOptions | None, method: Callable[[Any], Awaitable[Any]]
) -> tuple[Any, Call]:
    """What the driver answers in the end, and the call that it answered."""
    context = chain.ahead(request) if options is None else None
    if context is None:
        call = chain.begin(request, options)
        return await drive_async(chain.steps(call), call, method, chain.clock), call
    call = chain.call(request, context, chain.clock.monotonic())
    token = CURRENT.set(context)
    try:
        answer = await method(request)
    except Exception as problem:  # noqa: BLE001  the steps decide what it means
        again = Again(problem, method)
    else:
        chain.worked()
        return answer if chain.sealed is None else chain.sealed(request, answer), call
    finally:
        CURRENT.reset(token)
    steps = chain.steps(call)
    return await drive_async(steps, call, again, chain.clock), call


def _bounded(stream: AsyncByteStream[H], call: Call) -> AsyncByteStream[H]:
    """`stream`, which ends with the deadline of `call` if it has one."""
    if call.context.deadline is None:
        return stream

    async def chunks() -> AsyncGenerator[bytes, None]:
        pieces = aiter(stream)
        while chunk := await within(call, anext(pieces, b"")):
            check_deadline(call)
            yield chunk

    return AsyncByteStream(stream.header, chunks(), close=stream.close)
