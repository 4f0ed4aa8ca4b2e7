"""What a call asks of the world, so that one body serves blocking and async callers.

An interceptor is a generator: it yields `INVOKE` for one attempt at the driver, `Sleep` to let time pass and `Join` to wait
for another caller's answer, and `drive` or `drive_async` does what it asks and sends back what came of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from lcplatform_runtime.errors import DeadlineExceededError, LCPlatformError

if TYPE_CHECKING:
    from lcplatform_runtime.clock import Clock
    from lcplatform_runtime.context import CallContext
    from lcplatform_runtime.operation import Operation
    from lcplatform_runtime.options import CallOptions


class Body(Protocol):
    """The body of an upload, as far as a pipeline needs to know it."""

    @property
    def repeatable(self) -> bool:
        """Whether another attempt could read it from its start."""
        ...

    @property
    def failure(self) -> Exception | None:
        """Why reading it failed."""
        ...

    def rewind(self) -> None:
        """Goes back to the start."""
        ...

    def expect(self, *, size: int | None = None, crc32c: int | None = None) -> object:
        """Announces what it must come to."""
        ...


class Call:
    """One call on its way through the interceptors. Messages are of any type here: the bound call knows them."""

    __slots__ = (
        "attempts",
        "body",
        "context",
        "from_cache",
        "operation",
        "options",
        "request",
        "started",
    )

    def __init__(
        self,
        operation: Operation,
        request: Any,
        options: CallOptions | None,
        context: CallContext,
        body: Body | None = None,
    ) -> None:
        self.operation = operation
        self.request = request
        self.options = options
        self.context = context
        self.body = body
        self.attempts = 0
        """How often the driver was called for it."""
        self.from_cache = False
        """Whether it was answered without the driver."""
        self.started: float | None = None
        """When it began, by the clock's `monotonic`."""

    @property
    def resource(self) -> str | None:
        """The name of the resource that the call is about."""
        name = self.operation.resource
        return None if name is None else getattr(self.request, name, None)

    @property
    def shown_resource(self) -> str | None:
        """The name as people may see it."""
        resource = self.resource
        sensitive = self.operation.resource in getattr(self.request, "__sensitive__", ())
        return "***" if sensitive and resource is not None else resource

    def named(self, error: LCPlatformError) -> LCPlatformError:
        """`error`, which says what it was about even if who raised it did not."""
        if error.operation is None:
            error.operation = self.operation.title
        if error.resource is None:
            error.resource = self.shown_resource
        return error


class Invoke:
    """Asks for one attempt. Answered with the driver's response, or its exception is thrown."""

    __slots__ = ()


class Sleep:
    """Asks to let so many seconds pass."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


class Waitable(Protocol):
    """Something that will be done in another thread or task."""

    def wait(self, seconds: float | None) -> bool:
        """Blocks until it is done; false if the time passed before."""
        ...

    async def wait_async(self) -> None:
        """Returns when it is done."""
        ...


class Join:
    """Asks to wait until `flight` is done, until the call's deadline at most. Answered with whether it is."""

    __slots__ = ("flight",)

    def __init__(self, flight: Waitable) -> None:
        self.flight = flight


INVOKE: Final = Invoke()


class End:
    """Comes after the last answer of a stream."""

    __slots__ = ()


END: Final = End()

Steps: TypeAlias = Generator[Invoke | Sleep | Join, Any, Any]
"""A call in progress."""

Proceed: TypeAlias = Callable[[Call], Steps]
"""The rest of the chain."""


def drive(steps: Steps, call: Call, invoke: Callable[[Any], Any], clock: Clock) -> Any:
    """Does what the steps ask in this thread, and returns what they return."""
    step = _next(steps)
    while not isinstance(step, Done):
        reply: Any = None
        problem: BaseException | None = None
        try:
            if step is INVOKE:
                reply = invoke(call.request)
            elif isinstance(step, Sleep):
                clock.sleep(step.seconds)
            elif isinstance(step, Join):
                reply = step.flight.wait(call.context.remaining())
        except BaseException as error:  # noqa: BLE001  the steps decide what it means
            problem = error
        try:
            step = _next(steps, reply, problem)
        finally:
            problem = None  # what is raised from here would hold itself by its traceback
    return step.result


async def drive_async(
    steps: Steps, call: Call, invoke: Callable[[Any], Awaitable[Any]], clock: Clock
) -> Any:
    """Does what the steps ask in this task, and returns what they return. An attempt ends with the call's deadline."""
    step = _next(steps)
    while not isinstance(step, Done):
        reply: Any = None
        problem: BaseException | None = None
        try:
            if step is INVOKE:
                reply = await within(call, invoke(call.request))
            elif isinstance(step, Sleep):
                await clock.sleep_async(step.seconds)
            elif isinstance(step, Join):
                reply = await _joined(call, step.flight)
        except BaseException as error:  # noqa: BLE001  the steps decide what it means
            problem = error
        try:
            step = _next(steps, reply, problem)
        finally:
            problem = None  # what is raised from here would hold itself by its traceback
    return step.result


class Done:
    """The steps are over."""

    __slots__ = ("result",)

    def __init__(self, result: Any) -> None:
        self.result = result


def _next(
    steps: Steps, reply: Any = None, problem: BaseException | None = None
) -> Invoke | Sleep | Join | Done:
    """What the steps ask for next, after they are told what came of the last.

    A problem is thrown while nothing is being handled, so that it does not become the context of what the steps raise: it
    may quote what must not be shown.
    """
    try:
        return steps.send(reply) if problem is None else steps.throw(problem)
    except StopIteration as stop:
        return Done(stop.value)
    finally:
        del problem


class Again:
    """Answers the first attempt with the failure of one that was made ahead of the steps, and makes all others."""

    __slots__ = ("_failure", "_invoke")

    def __init__(self, failure: Exception, invoke: Callable[[Any], Any]) -> None:
        self._failure: Exception | None = failure
        self._invoke = invoke

    def __call__(self, request: Any) -> Any:
        failure, self._failure = self._failure, None
        try:
            if failure is not None:
                raise failure
        finally:
            del failure
        return self._invoke(request)


async def within(call: Call, waiting: Awaitable[Any]) -> Any:
    """What `waiting` gives, unless the deadline of `call` passes first."""
    context = call.context
    if context.deadline is None:
        return await waiting
    scope = context.clock.timeout(context.remaining())
    try:
        async with scope:
            return await waiting
    except Exception:
        if not scope.expired():
            raise
    raise DeadlineExceededError("the deadline passed while the call was under way")


def check_deadline(call: Call) -> None:
    """Raises DeadlineExceededError if the deadline of a transfer has passed."""
    if call.context.deadline is not None and call.context.remaining() == 0:
        raise DeadlineExceededError("the deadline passed during the transfer")


async def _joined(call: Call, flight: Waitable) -> bool:
    try:
        await within(call, flight.wait_async())
    except DeadlineExceededError:
        return False
    return True
