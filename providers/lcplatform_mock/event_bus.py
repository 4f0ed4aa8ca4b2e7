"""EventBus in memory (FR-043 to FR-047)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from typing_extensions import override

from lcplatform.event_bus.driver import EventBusDriver
from lcplatform.event_bus.models import (
    AddTargetRequest,
    AddTargetResponse,
    CreateEventBusRequest,
    CreateEventBusResponse,
    CreateRuleRequest,
    CreateRuleResponse,
    DeleteEventBusRequest,
    DeleteEventBusResponse,
    DeleteRuleRequest,
    DeleteRuleResponse,
    Event,
    ListEventBusesRequest,
    ListEventBusesResponse,
    ListRulesRequest,
    ListRulesResponse,
    ListTargetsRequest,
    ListTargetsResponse,
    PublishEventRequest,
    PublishEventResponse,
    PublishEventsRequest,
    PublishEventsResponse,
    PublishEventsResult,
    RemoveTargetRequest,
    RemoveTargetResponse,
    TargetRetry,
    TestEventPatternRequest,
    TestEventPatternResponse,
    UpdateRuleRequest,
    UpdateRuleResponse,
)
from lcplatform.event_bus.support import EventBusCapability, EventBusLimits
from lcplatform.type.models import BatchFailure
from lcplatform_mock.event_records import (
    BusRecord,
    BusState,
    Delivery,
    Place,
    Published,
    RuleRecord,
    RuleState,
    TargetRecord,
)
from lcplatform_mock.event_replaying import MAX_ARCHIVES, Replaying
from lcplatform_mock.gate import gated
from lcplatform_mock.listing import names_page
from lcplatform_mock.refusals import failure, missing, stale
from lcplatform_runtime.cloud_events import check_metadata, enveloped
from lcplatform_runtime.errors import (
    AlreadyExistsError,
    LCPlatformError,
    PreconditionFailedError,
    QuotaExceededError,
    invalid,
)
from lcplatform_runtime.patterns import plain
from lcplatform_runtime.patterns.grammar import parse
from lcplatform_runtime.support import ConditionalUpdate, Support
from lcplatform_runtime.trusted import trusted, trusted_value

# EventBridge's, with as many rules as it grants a bus on request.
LIMITS: Final = EventBusLimits(
    max_data_bytes=240 * 1024,
    max_batch_entries=10,
    max_batch_bytes=1_000_000,
    max_pattern_bytes=4096,
    max_rules=10_000,
    max_targets=5,
    max_archives=MAX_ARCHIVES,
    max_retention_seconds=3650 * 24 * 3600,
)
SUPPORT: Final = Support(
    capabilities=frozenset(EventBusCapability),
    limits=LIMITS.by_name(),
    conditional_updates=dict.fromkeys(("delete_rule", "update_rule"), ConditionalUpdate.ATOMIC),
)

_published = trusted_value(PublishEventResponse, "event_id", str)
_DELETED_BUS: Final = trusted(DeleteEventBusResponse)()
_DELETED_RULE: Final = trusted(DeleteRuleResponse)()
_REMOVED: Final = trusted(RemoveTargetResponse)()
_RETRY: Final = TargetRetry()


@gated(EventBusDriver)
class MockEventBus(Replaying, EventBusDriver):
    """Buses in memory. Queues, topics and the log get an event before publishing is answered, others right after."""

    @property
    @override
    def support(self) -> Support:
        return SUPPORT

    # --- buses

    @override
    def create_event_bus(self, request: CreateEventBusRequest, /) -> CreateEventBusResponse:
        with self._lock:
            if request.name in self._state.buses:
                raise AlreadyExistsError(
                    f"event bus {request.name!r} exists", resource=request.name
                )
            bus = BusState(BusRecord(request.name, self._clock.now()))
            self._state.buses[request.name] = bus
            if self._tables is not None:
                self._tables.bus(bus)
            return CreateEventBusResponse(bus=bus.record.shown())

    @override
    def list_event_buses(self, request: ListEventBusesRequest, /) -> ListEventBusesResponse:
        with self._lock:
            buses = self._state.buses
            names, token = names_page(sorted(buses), "", request.page_size, request.page_token)
            shown = tuple(buses[it].record.shown() for it in names)
        return ListEventBusesResponse(buses=shown, next_page_token=token)

    @override
    def delete_event_bus(self, request: DeleteEventBusRequest, /) -> DeleteEventBusResponse:
        with self._lock:
            bus = self._bus(request.name)
            if bus.rules or bus.archives:
                raise PreconditionFailedError(
                    f"event bus {request.name!r} has rules or archives: delete them first",
                    resource=request.name,
                )
            replays = [it for it in self._state.replays.values() if it.bus == request.name]
            for it in replays:
                del self._state.replays[it.id]
            del self._state.buses[request.name]
            self._indexes.pop(request.name, None)
            if self._tables is not None:
                self._tables.no_bus(bus, replays)
        return _DELETED_BUS

    # --- publishing

    @override
    def publish_event(self, request: PublishEventRequest, /) -> PublishEventResponse:
        check_metadata(request)
        with self._lock:
            bus = self._bus(request.bus)
            now = self._clock.now()
            event, content = self._event(request, now)
            found = self._accept(bus, event, content)
        self._dispatch(found, now)
        return _published(event.id)

    @override
    def publish_events(self, request: PublishEventsRequest, /) -> PublishEventsResponse:
        successful: list[PublishEventsResult] = []
        failed: list[BatchFailure] = []
        found: list[Delivery] = []
        with self._lock:
            bus = self._bus(request.bus)
            now = self._clock.now()
            events = [self._event(it, now) for it in request.entries]
            if sum(_bytes(it.body.text) for it, _ in events) > LIMITS.max_batch_bytes:
                raise invalid("entries", f"at most {LIMITS.max_batch_bytes} bytes together")
            for index, (entry, taken) in enumerate(zip(request.entries, events, strict=True)):
                event, content = taken
                try:
                    _check_entry(entry)
                except LCPlatformError as error:
                    failed.append(failure(index, error))
                else:
                    found += self._accept(bus, event, content)
                    successful.append(PublishEventsResult(index=index, event_id=event.id))
        self._dispatch(found, now)
        return PublishEventsResponse(successful=tuple(successful), failed=tuple(failed))

    def _event(
        self, given: PublishEventRequest | Event, now: datetime
    ) -> tuple[Published, dict[str, Any]]:
        """What an event is once it is published. And what rules match of it."""
        identity = given.id or self._name()
        body, content = enveloped(given, identity, now)
        return Published(identity, body, now, given.ordering_key), content

    @override
    def test_event_pattern(self, request: TestEventPatternRequest, /) -> TestEventPatternResponse:
        pattern = parse(request.pattern)
        check_metadata(request.event, "event.metadata")
        _, content = enveloped(request.event, self._name(), self._clock.now())
        return TestEventPatternResponse(matches=plain.matches(pattern, content))

    # --- rules

    @override
    def create_rule(self, request: CreateRuleRequest, /) -> CreateRuleResponse:
        pattern = parse(request.pattern)
        with self._lock:
            bus = self._bus(request.bus)
            if request.name in bus.rules:
                raise AlreadyExistsError(f"rule {request.name!r} exists", resource=request.name)
            if len(bus.rules) >= LIMITS.max_rules:
                raise _full("a bus", LIMITS.max_rules, "rules")
            record = RuleRecord(
                uid=self._name(),
                bus=request.bus,
                name=request.name,
                description=request.description,
                pattern=request.pattern,
                enabled=request.enabled,
                created_at=self._clock.now(),
                etag=self._name(),
            )
            rule = RuleState(record)
            index = self._index(bus)
            bus.rules[request.name] = rule
            if record.enabled:
                index.add(rule, pattern)
            self._keep_rule(rule)
            return CreateRuleResponse(rule=record.shown())

    @override
    def update_rule(self, request: UpdateRuleRequest, /) -> UpdateRuleResponse:
        if "description" in request.clear and request.description is not None:
            raise invalid("clear", "no field that is given a value too")
        pattern = None if request.pattern is None else parse(request.pattern)
        with self._lock:
            bus = self._bus(request.bus)
            rule = _rule(bus, request.name, request.if_match)
            record, index = rule.record, self._index(bus)
            before = record.shown()
            if request.pattern is not None:
                record.pattern = request.pattern
            if request.description is not None or request.clear:
                record.description = request.description
            if request.enabled is not None:
                record.enabled = request.enabled
            if record.shown() != before:
                record.etag = self._name()
                self._keep_rule(rule)
            if not record.enabled:
                index.discard(rule)
            elif pattern is not None or not before.enabled:
                index.add(rule, pattern or parse(record.pattern))
            return UpdateRuleResponse(rule=record.shown())

    @override
    def list_rules(self, request: ListRulesRequest, /) -> ListRulesResponse:
        with self._lock:
            rules = self._bus(request.bus).rules
            names, token = names_page(
                sorted(rules), request.prefix, request.page_size, request.page_token
            )
            shown = tuple(rules[it].record.shown() for it in names)
        return ListRulesResponse(rules=shown, next_page_token=token)

    @override
    def delete_rule(self, request: DeleteRuleRequest, /) -> DeleteRuleResponse:
        with self._lock:
            bus = self._bus(request.bus)
            rule = _rule(bus, request.name, request.if_match)
            self._index(bus).discard(rule)
            del bus.rules[request.name]
            if self._tables is not None:
                self._tables.no_rule(rule)
        return _DELETED_RULE

    def _keep_rule(self, rule: RuleState) -> None:
        if self._tables is not None:
            self._tables.rule(rule)

    # --- targets

    @override
    def add_target(self, request: AddTargetRequest, /) -> AddTargetResponse:
        with self._lock:
            _rule(self._bus(request.bus), request.rule)  # first of all that can be missing
        fifo = self._couriers.check(request)  # which asks other services, so without the lock
        with self._lock:
            rule = _rule(self._bus(request.bus), request.rule)
            if request.target_id in rule.targets:
                raise AlreadyExistsError(
                    f"target {request.target_id!r} exists", resource=request.target_id
                )
            if len(rule.targets) >= LIMITS.max_targets:
                raise _full("a rule", LIMITS.max_targets, "targets")
            target = TargetRecord(
                uid=self._name(),
                target_id=request.target_id,
                place=Place.of(request.target),
                transform=request.transform,
                retry=request.retry or _RETRY,
                dead_letter_queue=request.dead_letter_queue,
                created_at=self._clock.now(),
                fifo=fifo,
            )
            rule.targets[request.target_id] = target
            if self._tables is not None:
                self._tables.target(rule, target)
        return AddTargetResponse(target=target.shown())

    @override
    def remove_target(self, request: RemoveTargetRequest, /) -> RemoveTargetResponse:
        with self._lock:
            rule = _rule(self._bus(request.bus), request.rule)
            target = rule.targets.pop(request.target_id, None)
            if target is None:
                raise missing("target", request.target_id)
            if self._tables is not None:
                self._tables.no_target(target)
        return _REMOVED

    @override
    def list_targets(self, request: ListTargetsRequest, /) -> ListTargetsResponse:
        with self._lock:
            targets = _rule(self._bus(request.bus), request.rule).targets
            names, token = names_page(sorted(targets), "", request.page_size, request.page_token)
            shown = tuple(targets[it].shown() for it in names)
        return ListTargetsResponse(targets=shown, next_page_token=token)


def _rule(bus: BusState, name: str, etag: str | None = None) -> RuleState:
    """A rule, which is as an etag says."""
    rule = bus.rules.get(name)
    if rule is None:
        raise missing("rule", name)
    if etag is not None and etag != rule.record.etag:
        raise stale("rule", name)
    return rule


def _check_entry(entry: Event) -> None:
    check_metadata(entry)
    if entry.data is not None and _bytes(entry.data.text) > LIMITS.max_data_bytes:
        raise invalid("data", f"at most {LIMITS.max_data_bytes} bytes (max_data_bytes)")


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _full(owner: str, most: int, things: str) -> QuotaExceededError:
    return QuotaExceededError(f"{owner} has {most} {things} at most", retryable=False)
