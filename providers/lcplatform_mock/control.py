"""Control over a mock: its time, its state and its faults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from typing_extensions import override

from lcplatform.testing.driver import ControlDriver
from lcplatform.testing.models import (
    AdvanceClockRequest,
    AdvanceClockResponse,
    ClearFaultsRequest,
    ClearFaultsResponse,
    InjectFaultRequest,
    InjectFaultResponse,
    ListOutboxRequest,
    ListOutboxResponse,
    RestoreSnapshotRequest,
    RestoreSnapshotResponse,
    TakeSnapshotRequest,
    TakeSnapshotResponse,
)
from lcplatform_mock.clock import Movable
from lcplatform_mock.gate import Fault
from lcplatform_mock.refusals import missing
from lcplatform_mock.service import Service
from lcplatform_mock.world import World
from lcplatform_runtime.errors import UnsupportedError, invalid
from lcplatform_runtime.support import Support
from lcplatform_runtime.trusted import trusted

_INJECTED: Final = trusted(InjectFaultResponse)()
_CLEARED: Final = trusted(ClearFaultsResponse)()
_RESTORED: Final = trusted(RestoreSnapshotResponse)()


class MockControl(ControlDriver):
    """Moves the time of one platform's services, keeps and restores their state, makes them fail."""

    def __init__(self, world: World, services: Mapping[str, Service[Any]]) -> None:
        """`services` by their accessors. The state of each is its own business."""
        self._world = world
        self._services = services
        self._name = world.names()
        self._snapshots: dict[str, dict[str, Any]] = {}  # whatever each service keeps

    @property
    @override
    def support(self) -> Support:
        return Support()

    @override
    def advance_clock(self, request: AdvanceClockRequest, /) -> AdvanceClockResponse:
        clock = self._world.clock
        if not isinstance(clock, Movable):
            raise UnsupportedError("the clock that the mock was given cannot be moved")
        self._world.moved(request.by)
        self._world.agenda.advance(clock, request.by.total_seconds())
        for service in self._services.values():
            service.settle()
        return AdvanceClockResponse(now=clock.now())

    @override
    def take_snapshot(self, request: TakeSnapshotRequest, /) -> TakeSnapshotResponse:
        name = self._name()
        self._snapshots[name] = {it: service.snapshot() for it, service in self._services.items()}
        return TakeSnapshotResponse(snapshot_id=name)

    @override
    def restore_snapshot(self, request: RestoreSnapshotRequest, /) -> RestoreSnapshotResponse:
        kept = self._snapshots.get(request.snapshot_id)
        if kept is None:
            raise missing("snapshot", request.snapshot_id)
        for name, state in kept.items():
            self._services[name].restore(state)
        return _RESTORED

    @override
    def inject_fault(self, request: InjectFaultRequest, /) -> InjectFaultResponse:
        service = self._services.get(request.service)
        if service is None:
            raise invalid("service", f"one of {', '.join(self._services)}")
        if request.operation not in service.operations:
            raise invalid("operation", f"one of {', '.join(sorted(service.operations))}")
        if request.error is None and request.latency is None:
            raise invalid("error", "an error, a latency, or both")
        fault = Fault(
            error=None if request.error is None else request.error.value.upper(),
            latency=request.latency,
            retry_after=request.retry_after,
            times=request.times,
        )
        service.gate.inject(request.operation, fault)
        return _INJECTED

    @override
    def list_outbox(self, request: ListOutboxRequest, /) -> ListOutboxResponse:
        return self._world.services.notification().list_outbox(request)

    @override
    def clear_faults(self, request: ClearFaultsRequest, /) -> ClearFaultsResponse:
        for service in self._services.values():
            service.gate.clear()
        return _CLEARED
