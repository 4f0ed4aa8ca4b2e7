"""What becomes of each call can be seen by whoever looks, and costs nothing where nobody does."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any, ClassVar

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from lcplatform_runtime.errors import ResourceNotFoundError, ServiceUnavailableError
from lcplatform_runtime.model import Request
from lcplatform_runtime.observe import LOGGER, Observer
from lcplatform_runtime.options import CallOptions
from lcplatform_runtime.telemetry import collected
from lcplatform_runtime.testing.clock import ManualClock
from tests.unit.runtime.doubles import CACHED, READ, Platform, Read, Script, Value

OPTIONS = CallOptions(correlation_id="order-17")
OK = Value(text="ok")


class Telemetry:
    """OpenTelemetry's SDK, collecting in memory."""

    def __init__(self, clock: ManualClock) -> None:
        self.spans = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        self.observer = Observer(
            "test", clock, tracer_provider=tracers, meter_provider=MeterProvider([self.reader])
        )

    def points(self, name: str) -> list[Any]:
        data: Any = self.reader.get_metrics_data()
        found = data.resource_metrics[0].scope_metrics[0].metrics
        return [point for it in found if it.name == name for point in it.data.data_points]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(self_advancing=True)


@pytest.fixture
def telemetry(clock: ManualClock) -> Telemetry:
    return Telemetry(clock)


@pytest.fixture
def info(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO, "lcplatform"):
        yield caplog


def test_a_call_that_works_is_one_record(
    info: pytest.LogCaptureFixture, platform: Platform
) -> None:
    """SC-012"""

    def take_time(request: object) -> Value:
        platform.clock.advance(0.25)
        return OK

    platform.unary(READ, take_time)(Read(name="a"), OPTIONS)
    (record,) = info.records
    assert (record.name, record.levelname) == ("lcplatform", "INFO")
    assert record.getMessage() == "Things.Read ok in 250.0 ms"
    facts = {
        "service": "things",
        "operation": "Things.Read",
        "provider": "test",
        "correlation_id": "order-17",
        "resource": "a",
        "outcome": "ok",
        "attempts": 1,
        "from_cache": False,
        "duration_ms": 250.0,
    }
    assert {name: record.__dict__[name] for name in facts} == facts


def test_a_call_that_fails_is_one_warning(
    caplog: pytest.LogCaptureFixture, platform: Platform
) -> None:
    read = platform.unary(
        READ, Script(ServiceUnavailableError("down"), ResourceNotFoundError("no"))
    )
    with pytest.raises(ResourceNotFoundError):
        read(Read(name="a"))
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith("Things.Read NOT_FOUND in ")
    assert record.getMessage().endswith(" ms: no")
    assert (record.__dict__["attempts"], record.__dict__["outcome"]) == (2, "NOT_FOUND")


def test_without_anybody_listening_a_call_that_works_leaves_no_record(
    caplog: pytest.LogCaptureFixture, platform: Platform
) -> None:
    platform.unary(READ, Script(OK))(Read(name="a"))
    assert caplog.records == []


def test_a_hit_is_recorded_when_somebody_looks(
    info: pytest.LogCaptureFixture, platform: Platform
) -> None:
    read = platform.unary(CACHED, Script(OK))
    read(Read(name="a"))
    assert read.kept(("a", None)) is None  # the way without a request leaves no record
    read(Read(name="a"))
    hits = [it.__dict__["from_cache"] for it in info.records]
    attempts = [it.__dict__["attempts"] for it in info.records]
    assert (hits, attempts) == ([False, True], [1, 0])


def test_a_cancelled_call_is_given_up(info: pytest.LogCaptureFixture) -> None:
    async def hang(request: Read) -> Value:
        await asyncio.Event().wait()
        return OK

    async def main() -> None:
        pipeline: Any = Platform("async").pipeline
        task = asyncio.create_task(pipeline.unary(READ, hang)(Read(name="a")))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    (record,) = [it for it in info.records if it.name == "lcplatform"]
    assert (record.levelname, record.__dict__["outcome"]) == ("INFO", "given_up")


def test_a_secret_name_is_not_recorded(info: pytest.LogCaptureFixture, colour: str) -> None:
    class Hidden(Request):
        __sensitive__: ClassVar[frozenset[str]] = frozenset({"name"})

        name: str

    Platform(colour).unary(READ, Script(OK))(Hidden(name="hush-hush"))
    assert info.records[0].__dict__["resource"] == "***"


def test_an_application_without_logging_sees_nothing() -> None:
    code = """
from tests.unit.runtime.test_observe import *
try:
    Platform("blocking").unary(READ, Script(ResourceNotFoundError("no")))(Read(name="a"))
except ResourceNotFoundError:
    pass
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")


# OpenTelemetry


def test_a_call_is_one_span(telemetry: Telemetry, clock: ManualClock, colour: str) -> None:
    current: list[trace.Span] = []

    def note(request: object) -> Value:
        current.append(trace.get_current_span())
        return OK

    platform = Platform(colour, clock=clock, observer=telemetry.observer)
    platform.unary(READ, note)(Read(name="a"), OPTIONS)
    (span,) = telemetry.spans.get_finished_spans()
    assert (span.name, span.kind) == ("Things.Read", trace.SpanKind.CLIENT)
    assert dict(span.attributes or {}) == {
        "rpc.system.name": "lcplatform",
        "rpc.method": "lcplatform.things.v1.ThingsService/Read",
        "lcplatform.service": "things",
        "lcplatform.provider": "test",
        "lcplatform.correlation_id": "order-17",
        "lcplatform.attempts": 1,
        "lcplatform.from_cache": False,
        "lcplatform.resource": "a",
    }
    assert span.status.status_code is trace.StatusCode.UNSET
    # The driver's own spans are inside of it.
    assert current[0].get_span_context() == span.get_span_context()
    assert not trace.get_current_span().get_span_context().is_valid


def test_a_failure_shows_in_the_span_without_its_cause(
    telemetry: Telemetry, clock: ManualClock, colour: str
) -> None:
    platform = Platform(colour, clock=clock, observer=telemetry.observer)
    error = ResourceNotFoundError("no such thing")
    error.__cause__ = KeyError("what the vendor said")
    with pytest.raises(ResourceNotFoundError):
        platform.unary(READ, Script(error))(Read(name="a"))
    (span,) = telemetry.spans.get_finished_spans()
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.status.description == "no such thing"
    assert (span.attributes or {})["error.type"] == "NOT_FOUND"
    assert span.events == ()
    assert "vendor" not in span.to_json()


def test_metrics_tell_duration_retries_and_hits(
    telemetry: Telemetry, clock: ManualClock, colour: str
) -> None:
    platform = Platform(colour, clock=clock, observer=telemetry.observer)
    driver = Script(ServiceUnavailableError("down"), ServiceUnavailableError("down"), OK)
    read = platform.unary(CACHED, driver)
    for _ in range(3):
        read(Read(name="a"))
    with pytest.raises(ResourceNotFoundError):
        platform.unary(READ, Script(ResourceNotFoundError("no")))(Read(name="a"))
    durations = {
        it.attributes["lcplatform.outcome"]: it
        for it in telemetry.points("lcplatform.call.duration")
    }
    assert {name: it.count for name, it in durations.items()} == {"ok": 3, "NOT_FOUND": 1}
    assert durations["ok"].sum == pytest.approx(sum(clock.slept))
    assert set(durations["ok"].attributes) == {
        "lcplatform.service",
        "lcplatform.operation",
        "lcplatform.provider",
        "lcplatform.outcome",
    }
    assert [it.value for it in telemetry.points("lcplatform.call.retries")] == [2]
    assert [it.value for it in telemetry.points("lcplatform.cache.hits")] == [2]


def test_placeholders_of_the_api_are_nobody() -> None:
    assert not collected()
    observer = Observer("test", ManualClock())
    assert observer.telemetry() is None
    assert not observer.watches()


def test_providers_that_come_later_are_noticed_within_a_second() -> None:
    code = """
from opentelemetry import metrics
from tests.unit.runtime.test_observe import *
platform = Platform("blocking")
read = platform.unary(READ, Script(OK))
read(Read(name="a"))
spans = InMemorySpanExporter()
tracers = TracerProvider()
tracers.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(tracers)
platform.clock.advance(1)
read(Read(name="a"))
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
assert [it.name for it in spans.get_finished_spans()] == ["Things.Read"]
read(Read(name="a"))
assert "lcplatform.call.duration" in reader.get_metrics_data().to_json()
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


WITHOUT_API = """
import sys
for name in ("opentelemetry", "opentelemetry.trace", "opentelemetry.metrics"):
    if {blocked}:
        sys.modules[name] = None
from tests.unit.runtime.doubles import *
from lcplatform_runtime.errors import ResourceNotFoundError
import logging
logging.getLogger("lcplatform").setLevel(logging.INFO)
read = Platform("blocking").unary(READ, Script(Value(text="a"), ResourceNotFoundError("no")))
read(Read(name="a"))
try:
    read(Read(name="a"))
except ResourceNotFoundError:
    pass
assert not [it for it, module in sys.modules.items() if it.startswith("opentelemetry") and module]
"""


def test_another_part_of_opentelemetry_than_its_api_is_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("opentelemetry.trace", "lcplatform_runtime.telemetry"):
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", ModuleType("opentelemetry"))
    observer = Observer("test", ManualClock())
    assert observer.telemetry() is None
    assert observer.telemetry() is None


@pytest.mark.parametrize("blocked", [False, True])
def test_nothing_of_opentelemetry_is_imported_before_the_application_does(blocked: bool) -> None:
    code = WITHOUT_API.format(blocked=blocked)
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_the_logger_can_be_found_by_its_name() -> None:
    assert LOGGER is logging.getLogger("lcplatform")
