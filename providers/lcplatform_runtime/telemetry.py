"""Spans and metrics of OpenTelemetry. Imported only where its API is, and somebody collects what it says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry import metrics, trace

from lcplatform_runtime.errors import LCPlatformError
from lcplatform_runtime.steps import Call

_SCOPE: Final = "lcplatform"


class Telemetry:
    """One span a call, how long calls take, how often they are repeated and how often the cache answers."""

    def __init__(
        self,
        tracers: trace.TracerProvider | None = None,
        meters: metrics.MeterProvider | None = None,
    ) -> None:
        """What is not given is OpenTelemetry's global provider, even one that is set later."""
        meter = (meters or metrics.get_meter_provider()).get_meter(_SCOPE)
        self._tracer = (tracers or trace.get_tracer_provider()).get_tracer(_SCOPE)
        self._duration = meter.create_histogram(
            "lcplatform.call.duration",
            unit="s",
            description="How long calls take, retries included.",
        )
        self._retries = meter.create_counter(
            "lcplatform.call.retries", unit="{retry}", description="Attempts beyond the first."
        )
        self._hits = meter.create_counter(
            "lcplatform.cache.hits", unit="{call}", description="Calls that the cache answered."
        )

    @contextmanager
    def span(self, call: Call, provider: str) -> Iterator[trace.Span]:
        """A span around the call. Errors are recorded by `failed` alone: the usual way would record their causes."""
        operation = call.operation
        with self._tracer.start_as_current_span(
            operation.title,
            kind=trace.SpanKind.CLIENT,
            attributes={
                "rpc.system.name": _SCOPE,
                "rpc.method": operation.rpc.removeprefix("/"),
                "lcplatform.service": operation.service,
                "lcplatform.provider": provider,
                "lcplatform.correlation_id": call.context.correlation_id,
            },
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield span

    def failed(self, span: trace.Span, error: LCPlatformError) -> None:
        """The call failed."""
        span.set_status(trace.StatusCode.ERROR, error.message)
        span.set_attribute("error.type", error.code)

    def ended(
        self, span: trace.Span, call: Call, provider: str, outcome: str, seconds: float
    ) -> None:
        """The call is over."""
        span.set_attribute("lcplatform.attempts", call.attempts)
        span.set_attribute("lcplatform.from_cache", call.from_cache)
        resource = call.shown_resource
        if resource is not None:
            span.set_attribute("lcplatform.resource", resource)
        # No resource here: there can be any number of them.
        names = {
            "lcplatform.service": call.operation.service,
            "lcplatform.operation": call.operation.title,
            "lcplatform.provider": provider,
        }
        self._duration.record(seconds, {**names, "lcplatform.outcome": outcome})
        if call.attempts > 1:
            self._retries.add(call.attempts - 1, names)
        if call.from_cache:
            self._hits.add(1, names)


def collected() -> bool:
    """Whether the application has set a provider of its own: the API's are placeholders, which drop everything."""
    providers = (trace.get_tracer_provider(), metrics.get_meter_provider())
    placeholders = ("opentelemetry.trace", "opentelemetry.metrics")
    return any(not type(it).__module__.startswith(placeholders) for it in providers)
