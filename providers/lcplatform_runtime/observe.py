"""Tells what became of each call: a structured log record, and a span and metrics where somebody collects them (SC-012).

Nothing of OpenTelemetry is imported here before the application has done so, and nothing of it is called before there is a
provider that is more than the API's own placeholder.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Final

from lcplatform_runtime.errors import LCPlatformError
from lcplatform_runtime.steps import Call, Proceed, Steps

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from lcplatform_runtime.clock import Clock
    from lcplatform_runtime.telemetry import Telemetry

LOGGER: Final = logging.getLogger("lcplatform")
"""One record a call: INFO if it went well or was given up, WARNING if it failed."""
LOGGER.addHandler(logging.NullHandler())  # an application without logging sees nothing

_imported: Final = sys.modules.get
# A look costs more than a call, and many applications have the API and nobody who collects.
_SECONDS_BETWEEN_LOOKS: Final = 1.0


class Observer:
    """Watches the calls to one provider.

    Args:
        provider: its name, as it shows in records, spans and metrics.
        clock: measures how long a call takes.
        tracer_provider: where spans go; OpenTelemetry's global one where absent.
        meter_provider: where metrics go; OpenTelemetry's global one where absent.
    """

    def __init__(
        self,
        provider: str,
        clock: Clock,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        self._provider = provider
        self._monotonic = clock.monotonic
        self._telemetry: Telemetry | None = None
        self._next_look = float("-inf")
        if tracer_provider is not None or meter_provider is not None:
            from lcplatform_runtime.telemetry import Telemetry

            self._telemetry = Telemetry(tracer_provider, meter_provider)

    def watches(self) -> bool:
        """Whether anybody wants to know of a call that goes well."""
        if LOGGER.isEnabledFor(logging.INFO):
            return True
        # Asked here and not there, as nearly every call asks in vain.
        return _imported("opentelemetry") is not None and self.telemetry() is not None

    def telemetry(self) -> Telemetry | None:
        """Spans and metrics, if they are collected. Who begins to collect later is noticed within a second."""
        if self._telemetry is None and _imported("opentelemetry") is not None:
            self._look()
        return self._telemetry

    def _look(self) -> None:
        now = self._monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _SECONDS_BETWEEN_LOOKS
        try:
            from lcplatform_runtime.telemetry import Telemetry, collected
        except ImportError:
            return  # some other part of OpenTelemetry than its API
        if collected():
            self._telemetry = Telemetry()

    def observe(self, proceed: Proceed, /) -> Proceed:
        """The interceptor in front of `proceed`."""

        def observed(call: Call) -> Steps:
            if call.started is None:
                call.started = self._monotonic()
            if not self.watches():
                return self._unless_it_fails(call, proceed)
            telemetry = self.telemetry()
            if telemetry is None:
                return self._logged(call, proceed)
            return self._traced(call, proceed, telemetry)

        return observed

    def broke_off(self, call: Call, error: LCPlatformError) -> None:
        """A body or a stream that began well failed on its way."""
        self._failed(call, error)

    def _unless_it_fails(self, call: Call, proceed: Proceed) -> Steps:
        try:
            return (yield from proceed(call))
        except LCPlatformError as error:
            self._failed(call, call.named(error))
            raise

    def _logged(self, call: Call, proceed: Proceed) -> Steps:
        try:
            response = yield from proceed(call)
        except LCPlatformError as error:
            self._failed(call, call.named(error))
            raise
        except BaseException:
            self._log(call, logging.INFO, "given_up")
            raise
        self._log(call, logging.INFO, "ok")
        return response

    def _traced(self, call: Call, proceed: Proceed, telemetry: Telemetry) -> Steps:
        outcome = "given_up"
        with telemetry.span(call, self._provider) as span:
            try:
                response = yield from self._logged(call, proceed)
                outcome = "ok"
                return response
            except LCPlatformError as error:
                outcome = error.code
                telemetry.failed(span, error)
                raise
            finally:
                telemetry.ended(span, call, self._provider, outcome, self._seconds(call))

    def _failed(self, call: Call, error: LCPlatformError) -> None:
        self._log(call, logging.WARNING, error.code, f": {error.message}")

    def _log(self, call: Call, level: int, outcome: str, reason: str = "") -> None:
        if not LOGGER.isEnabledFor(level):
            return
        milliseconds = round(self._seconds(call) * 1000, 3)
        operation = call.operation
        LOGGER.log(
            level,
            "%s %s in %s ms%s",
            operation.title,
            outcome,
            milliseconds,
            reason,
            extra={
                "service": operation.service,
                "operation": operation.title,
                "provider": self._provider,
                "correlation_id": call.context.correlation_id,
                "resource": call.shown_resource,
                "outcome": outcome,
                "attempts": call.attempts,
                "from_cache": call.from_cache,
                "duration_ms": milliseconds,
            },
        )

    def _seconds(self, call: Call) -> float:
        return 0.0 if call.started is None else self._monotonic() - call.started
