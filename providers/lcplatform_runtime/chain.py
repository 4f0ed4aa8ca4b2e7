"""One operation, bound: the interceptors that have something to do for it, composed once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import timedelta
from os import urandom
from typing import Any

from lcplatform_runtime.cache import Cache, Invalidate, Keep, Shelf
from lcplatform_runtime.checks import Check, checks_of
from lcplatform_runtime.clock import SYSTEM, Clock
from lcplatform_runtime.context import CURRENT, CallContext
from lcplatform_runtime.errors import FieldViolation, LCPlatformError, ValidationError
from lcplatform_runtime.model import build
from lcplatform_runtime.observe import Observer
from lcplatform_runtime.operation import Idempotency, Kind, Operation
from lcplatform_runtime.options import CallOptions
from lcplatform_runtime.paging import PageTokens, Paging
from lcplatform_runtime.retry import Retry, RetryBudget
from lcplatform_runtime.settings import DEFAULTS, PipelineSettings
from lcplatform_runtime.steps import Call, Proceed, Steps
from lcplatform_runtime.support import Support
from lcplatform_runtime.translate import Translate, Translation


class Binder:
    """Makes the chains of one service's operations. The pipelines of both colours are binders."""

    def __init__(
        self,
        *,
        provider: str,
        translate: Translate,
        support: Callable[[], Support],
        settings: PipelineSettings = DEFAULTS,
        remote: bool = False,
        clock: Clock = SYSTEM,
        time: Clock | None = None,
        observer: Observer | None = None,
        cache: Cache | None = None,
        budget: RetryBudget | None = None,
    ) -> None:
        """What calls of one driver have in common.

        Args:
            provider: the provider's name.
            translate: says what the exceptions of its vendor mean.
            support: what the driver supports. Asked when an operation is bound that depends on it.
            settings: the application's.
            remote: whether the driver speaks to a platform's server, whose own pipeline checks requests and seals pages.
            clock: the time of calls.
            time: the time of what stands behind the driver, by which callers wait for it; the same where absent.
            observer: may be shared by pipelines, as may `cache` and `budget`. Made here where absent.
        """
        self.clock = clock
        self.time = clock if time is None else time
        self._settings = settings
        self._translate = translate
        self._support = support
        self._remote = remote
        self._observer = observer or Observer(provider, clock)
        self._cache = cache or Cache(settings.cache, clock)
        self._budget = budget or RetryBudget(clock)
        self._tokens = PageTokens(settings.page_token_key or urandom(32))

    def chain(self, operation: Operation) -> Chain:
        """The chain of `operation`, from the driver outwards: Translate, Retry, Cache, checks, Observe, Correlate."""
        translation = Translation(operation, self._translate)
        retry = Retry(translation, self._settings.retry, self._budget, self.clock)
        checks = self._checks(operation)
        # A server keeps answers for all its callers, and writes through it make them stale at once. Kept a second time
        # here, an answer would outlive both.
        shelf = None if self._remote else self._cache.shelf(operation)
        proceed: Proceed = retry
        if shelf is not None:
            proceed = Keep(proceed, operation, shelf)
        if operation.invalidates and not self._remote:
            proceed = Invalidate(proceed, operation, self._cache)
        plain = proceed is retry
        paging = None
        if operation.paged and not self._remote:
            proceed = paging = Paging(proceed, operation, self._tokens)
        if operation.kind is Kind.UPLOAD:
            proceed = _announced(proceed)
        if checks:
            proceed = _checked(checks, proceed)
        return Chain(
            operation=operation,
            clock=self.clock,
            deadline=self._deadline(operation),
            observer=self._observer,
            proceed=self._observer.observe(proceed),
            straight=plain and self._deadline(operation) is None,
            checks=checks,
            sealed=None if paging is None else paging.sealed,
            shelf=shelf,
            retry=retry,
            worked=self._budget.deposit,
            translation=translation,
        )

    def _checks(self, operation: Operation) -> tuple[Check, ...]:
        depends = operation.capability is not None or operation.needs or operation.limits
        return checks_of(operation, self._support()) if depends and not self._remote else ()

    def _deadline(self, operation: Operation) -> float | None:
        deadline = self._settings.deadline if operation.kind is Kind.UNARY else None
        return None if deadline is None else deadline.total_seconds()


def _checked(checks: tuple[Check, ...], proceed: Proceed) -> Proceed:
    def checked(call: Call) -> Steps:
        for check in checks:
            check(call.request)
        return proceed(call)

    return checked


def _announced(proceed: Proceed) -> Proceed:
    """The body must come to what the request says of it, where it does."""

    def announced(call: Call) -> Steps:
        size, crc32c = _announcement(call.request)
        if call.body is not None and (size is not None or crc32c is not None):
            call.body.expect(size=size, crc32c=crc32c)
        return proceed(call)

    return announced


def _announcement(request: Any) -> tuple[Any, Any]:
    return getattr(request, "size", None), getattr(request, "crc32c", None)


@dataclass(slots=True, kw_only=True, eq=False)
class Chain:
    """One operation with everything that happens to its calls. Not frozen, nor a tuple: every call reads most of it, and what
    stands in slots is read several times as fast."""

    operation: Operation
    clock: Clock
    deadline: float | None
    """How many seconds a call has that says nothing itself."""
    observer: Observer
    proceed: Proceed
    straight: bool
    """Whether nothing but checks and pages comes between a caller and the first attempt, and no deadline."""
    checks: tuple[Check, ...]
    sealed: Callable[[Any, Any], Any] | None
    """Seals where the next page begins, in the answer to a request; where answers are pages."""
    shelf: Shelf | None
    retry: Retry
    worked: Callable[[], None]
    """Is called when an attempt worked."""
    translation: Translation

    def kept(self, key: tuple[Hashable, ...], options: CallOptions | None) -> Any:
        """The answer that is kept under `key`, if it may be given without anybody noticing."""
        shelf = self.shelf
        if shelf is None or (options is not None and _usable(options).bypass_cache):
            return None
        try:
            kept = shelf.get(key)
        except TypeError:  # not hashable, so not valid: building the request will say so
            return None
        return None if kept is None or self.observer.watches() else kept

    def begin(self, request: Any, options: CallOptions | None, body: Any = None) -> Call:
        """A call, with all that is known of it beforehand."""
        key = None if options is None else _usable(options).idempotency_key
        if key is not None:
            request = self._with_key(request, key)
        return Call(self.operation, request, options, self._context(request, options), body)

    def ahead(self, request: Any, body: Any = None) -> CallContext | None:
        """The context of a call without options whose first attempt may be made ahead of the steps. `None`: it has to go
        through them.

        Everything that would come before the first attempt has been done then. If it works, `worked` and `sealed` do what would
        come after it; if it fails, the steps start with its failure (`Again`).
        """
        if not self.straight or self.observer.watches():
            return None
        if self.sealed is not None and request.page_token:
            return None
        context = CURRENT.get()
        if context is None:
            context = CallContext(None, None, None, self.clock)
        elif not context.heritable:
            return None
        if body is not None and _announcement(request) != (None, None):
            return None
        try:
            for check in self.checks:
                check(request)
        except LCPlatformError:
            return None  # on its way through the steps the error is named and logged
        return context

    def call(self, request: Any, context: CallContext, started: float, body: Any = None) -> Call:
        """The call without options in a context of `ahead`, which began at `started`, by the clock's `monotonic`."""
        call = Call(self.operation, request, None, context, body)
        call.started = started
        return call

    def steps(self, call: Call) -> Steps:
        """The whole way of a call, which is the current one meanwhile."""
        token = CURRENT.set(call.context)
        try:
            return (yield from self.proceed(call))
        finally:
            CURRENT.reset(token)

    def resumed(self, call: Call, error: LCPlatformError, failures: int) -> Steps:
        """The way of a transfer that goes on after `error`, its so many-th failure in a row."""
        token = CURRENT.set(call.context)
        try:
            return (yield from self.retry.again(call, error, failures))
        finally:
            CURRENT.reset(token)

    def broken(self, problem: Exception, call: Call) -> LCPlatformError:
        """What `problem` means, which ended a body or a stream on its way. It is logged."""
        error = self.translation.error(problem, call)
        self.observer.broke_off(call, error)
        return error

    def _context(self, request: Any, options: CallOptions | None) -> CallContext:
        outer = CURRENT.get()
        name = key = deadline = retry = None
        bypass = False
        if options is not None:
            name, key = options.correlation_id, options.idempotency_key
            bypass, retry = options.bypass_cache, options.retry
        if options is not None and options.deadline is not None:
            deadline = self.clock.monotonic() + options.deadline.total_seconds()
        elif self.deadline is not None:
            deadline = self.clock.monotonic() + self.deadline + self._wait(request)
        if outer is not None:
            name = name or outer.correlation_id
            left = outer.remaining()
            if left is not None and (deadline is None or self.clock.monotonic() + left < deadline):
                # The moment itself where it can be told: a call must not outlast another by the time it took to ask.
                same = outer.clock is self.clock
                deadline = outer.deadline if same else self.clock.monotonic() + left
        return CallContext(name, deadline, key, self.clock, bypass_cache=bypass, retry=retry)

    def _wait(self, request: Any) -> float:
        field = self.operation.long_poll
        wait = None if field is None else getattr(request, field)
        return wait.total_seconds() if isinstance(wait, timedelta) else 0.0

    def _with_key(self, request: Any, key: str) -> Any:
        name = self.operation.idempotency_key
        if name is not None and not getattr(request, name):
            return build(type(request), **{**dict(request), name: key})
        if name is None and self.operation.idempotency is Idempotency.UNKNOWN:
            problem = f"{self.operation.title} takes no idempotency key"
            raise ValidationError(
                problem,
                operation=self.operation.title,
                violations=(FieldViolation("options.idempotency_key", problem),),
            )
        return request


def _usable(options: object) -> CallOptions:
    """The options of a call, if that is what they are."""
    if isinstance(options, CallOptions):
        return options
    expected = "must be CallOptions, such as CallOptions(bypass_cache=True)"
    raise ValidationError(f"options {expected}", violations=(FieldViolation("options", expected),))
