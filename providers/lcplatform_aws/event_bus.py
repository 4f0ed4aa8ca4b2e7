"""Event buses on Amazon EventBridge."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError
from typing_extensions import override

from lcplatform.event_bus.driver import EventBusDriver
from lcplatform.event_bus.models import (
    AddTargetRequest,
    AddTargetResponse,
    CancelReplayRequest,
    CancelReplayResponse,
    CreateArchiveRequest,
    CreateArchiveResponse,
    CreateEventBusRequest,
    CreateEventBusResponse,
    CreateRuleRequest,
    CreateRuleResponse,
    DeleteArchiveRequest,
    DeleteArchiveResponse,
    DeleteEventBusRequest,
    DeleteEventBusResponse,
    DeleteRuleRequest,
    DeleteRuleResponse,
    EventBusInfo,
    GetReplayRequest,
    GetReplayResponse,
    ListArchivesRequest,
    ListArchivesResponse,
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
    Rule,
    StartReplayRequest,
    StartReplayResponse,
    Target,
    TestEventPatternRequest,
    TestEventPatternResponse,
    UpdateRuleRequest,
    UpdateRuleResponse,
)
from lcplatform.event_bus.operations import ADD_TARGET, PUBLISH_EVENT
from lcplatform.event_bus.support import EventBusCapability, EventBusLimits
from lcplatform.type.models import BatchFailure, ErrorCode
from lcplatform_aws.errors import batch_failure, code_of, problem_of, refused
from lcplatform_aws.event_bus_archives import Archives
from lcplatform_aws.event_bus_patterns import ENVELOPE, checked, entry, example, shown, translated
from lcplatform_aws.event_bus_targets import Places, retry_of
from lcplatform_aws.units import given
from lcplatform_runtime.errors import (
    AlreadyExistsError,
    ConflictError,
    PreconditionFailedError,
    ResourceNotFoundError,
    ValidationError,
    invalid,
)
from lcplatform_runtime.support import ConditionalUpdate, Support

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient

    from lcplatform_aws.queue_names import Queues
    from lcplatform_aws.session import Session

_MISSING: Final = "ResourceNotFoundException"
_DAYS: Final = 24 * 3600
_KNOWN_FOR: Final = 60.0
"""For how many seconds a bus that was seen is taken to be there."""

# A publication has a megabyte for its events with their envelopes, of which 40,000 bytes hold what is not data.
_LIMITS: Final = EventBusLimits(
    max_data_bytes=960_000,
    max_batch_entries=10,
    max_batch_bytes=1_000_000,
    max_pattern_bytes=4096 - ENVELOPE,
    max_rules=300,
    max_targets=5,
    max_archives=100,
    max_retention_seconds=3650 * _DAYS,
)
# No transforms: EventBridge puts values into texts without escaping them, and what an event lacks leaves a hole, so that
# some events would make no JSON and reach nobody.
_SUPPORT: Final = Support(
    capabilities=frozenset({EventBusCapability.CONTENT_FILTERS, EventBusCapability.REPLAY}),
    limits=_LIMITS.by_name(),
    conditional_updates=dict.fromkeys(("delete_rule", "update_rule"), ConditionalUpdate.CHECKED),
)

_CREATED: Final = "lcplatform:created"
_ADDED: Final = "lcplatform:added:"
"""Tags of a rule: when it was created, and when each of its targets was added. EventBridge keeps neither."""
_UNKNOWN: Final = datetime(1970, 1, 1, tzinfo=UTC)


class EventBridgeEventBus(EventBusDriver):
    """Buses, rules and targets of Amazon EventBridge, the classic one.

    EventBridge replaces a rule, or a target, of a name that is taken, and has no conditional updates: both are checked
    before, so two callers at the very same time may both succeed. It takes events for a bus that does not exist, and drops
    them: so a bus is looked up, and for a minute taken to be there.
    """

    def __init__(self, session: Session, queues: Queues, role: str | None = None, /) -> None:
        self._session = session
        self._places = Places(session, queues, role)
        self._archives = Archives(session)
        self._buses: dict[str, tuple[str, float]] = {}

    @property
    @override
    def support(self) -> Support:
        return _SUPPORT

    @property
    def _events(self) -> EventBridgeClient:
        return self._session.events

    # --- buses

    @override
    def create_event_bus(self, request: CreateEventBusRequest, /) -> CreateEventBusResponse:
        self._events.create_event_bus(Name=request.name)
        known = self._events.describe_event_bus(Name=request.name)
        return CreateEventBusResponse(bus=_bus(known))

    @override
    def list_event_buses(self, request: ListEventBusesRequest, /) -> ListEventBusesResponse:
        answer = self._events.list_event_buses(
            Limit=request.page_size, **given(NextToken=request.page_token or None)
        )
        return ListEventBusesResponse(
            buses=tuple(_bus(it) for it in answer["EventBuses"]),
            next_page_token=answer.get("NextToken", ""),
        )

    @override
    def delete_event_bus(self, request: DeleteEventBusRequest, /) -> DeleteEventBusResponse:
        arn = self._arn(request.name, anew=True)
        rules = self._events.list_rules(EventBusName=request.name, Limit=1)["Rules"]
        if rules or self._archives.any(arn):
            raise PreconditionFailedError(
                f"event bus {request.name!r} has rules or archives: delete them first",
                resource=request.name,
            )
        self._buses.pop(request.name, None)
        self._events.delete_event_bus(Name=request.name)
        return DeleteEventBusResponse()

    def _arn(self, bus: str, *, anew: bool = False) -> str:
        """What AWS knows a bus by. Raises ResourceNotFoundError where there is none."""
        arn, until = self._buses.get(bus, ("", 0.0))
        now = time.monotonic()
        if anew or now >= until:
            self._buses.pop(bus, None)
            arn = self._events.describe_event_bus(Name=bus)["Arn"]
            self._buses[bus] = arn, now + _KNOWN_FOR
        return arn

    # --- publishing

    @override
    def publish_event(self, request: PublishEventRequest, /) -> PublishEventResponse:
        checked(request)
        identity, taken = entry(request, self._arn(request.bus))
        result = self._put([taken])[0]
        if "EventId" not in result:
            raise refused(
                result.get("ErrorCode", ""), result.get("ErrorMessage", ""), PUBLISH_EVENT
            )
        return PublishEventResponse(event_id=identity)

    @override
    def publish_events(self, request: PublishEventsRequest, /) -> PublishEventsResponse:
        arn = self._arn(request.bus)
        failed: list[BatchFailure] = []
        sent: list[tuple[int, str]] = []
        entries: list[dict[str, Any]] = []
        for index, event in enumerate(request.entries):
            try:
                checked(event)
                _check_size("data", "" if event.data is None else event.data.text)
            except ValidationError as error:
                failed.append(_failure(index, error))
                continue
            identity, taken = entry(event, arn)
            sent.append((index, identity))
            entries.append(taken)
        if sum(_size(it) for it in entries) > _LIMITS.max_batch_bytes:
            raise invalid("entries", f"at most {_LIMITS.max_batch_bytes} bytes together")
        successful: list[PublishEventsResult] = []
        for (index, identity), result in zip(sent, self._put(entries), strict=True):
            if "EventId" in result:
                successful.append(PublishEventsResult(index=index, event_id=identity))
                continue
            code, text = result.get("ErrorCode", ""), result.get("ErrorMessage", "")
            failed.append(batch_failure(index, code, text, ("event_bus", "publish_events")))
        failed.sort(key=lambda failure: failure.index)
        return PublishEventsResponse(successful=tuple(successful), failed=tuple(failed))

    def _put(self, entries: list[Any]) -> list[Any]:
        """What became of each entry: it comes in an answer that says OK."""
        return self._events.put_events(Entries=entries)["Entries"] if entries else []

    @override
    def test_event_pattern(self, request: TestEventPatternRequest, /) -> TestEventPatternResponse:
        pattern = translated(request.pattern)
        checked(request.event, "event.")
        answer = self._events.test_event_pattern(EventPattern=pattern, Event=example(request.event))
        return TestEventPatternResponse(matches=answer["Result"])

    # --- rules

    @override
    def create_rule(self, request: CreateRuleRequest, /) -> CreateRuleResponse:
        pattern = translated(request.pattern)
        try:
            self._rule(request.bus, request.name)
        except ResourceNotFoundError:
            pass
        else:
            raise AlreadyExistsError(f"rule {request.name!r} exists", resource=request.name)
        rule = {
            "Name": request.name,
            "EventPattern": pattern,
            "State": _state(enabled=request.enabled),
            **given(Description=request.description),
        }
        created = datetime.now(UTC)
        tags: Any = [{"Key": _CREATED, "Value": created.isoformat()}]
        self._events.put_rule(EventBusName=request.bus, Tags=tags, **rule)
        return CreateRuleResponse(rule=_shown(rule, created))

    @override
    def update_rule(self, request: UpdateRuleRequest, /) -> UpdateRuleResponse:
        if "description" in request.clear and request.description is not None:
            raise invalid("clear", "no field that is given a value too")
        pattern = None if request.pattern is None else translated(request.pattern)
        known = self._rule(request.bus, request.name, request.if_match)
        kept = (
            "Name", "EventPattern", "State", "Description", "RoleArn", "ScheduleExpression",
        )  # fmt: skip
        rule: dict[str, Any] = {name: known[name] for name in kept if known.get(name)}
        # Whatever is not given is gone: EventBridge replaces the rule as a whole.
        if "description" in request.clear:
            rule.pop("Description", None)
        enabled = request.enabled
        rule |= given(
            EventPattern=pattern,
            Description=request.description,
            State=None if enabled is None else _state(enabled=enabled),
        )
        self._events.put_rule(EventBusName=request.bus, **rule)
        return UpdateRuleResponse(rule=_shown(rule, _moment(self._tags(known), _CREATED)))

    @override
    def list_rules(self, request: ListRulesRequest, /) -> ListRulesResponse:
        self._arn(request.bus)
        answer: Any = self._events.list_rules(
            EventBusName=request.bus,
            Limit=request.page_size,
            **given(NamePrefix=request.prefix or None, NextToken=request.page_token or None),
        )
        # Archives have rules of EventBridge's own.
        rules = [it for it in answer["Rules"] if not it.get("ManagedBy")]
        return ListRulesResponse(
            rules=tuple(_shown(it, _moment(self._tags(it), _CREATED)) for it in rules),
            next_page_token=answer.get("NextToken", ""),
        )

    @override
    def delete_rule(self, request: DeleteRuleRequest, /) -> DeleteRuleResponse:
        self._rule(request.bus, request.name, request.if_match)
        targets = self._targets(request.bus, request.name)
        if targets:
            self._remove(request.bus, request.name, targets)
        self._events.delete_rule(Name=request.name, EventBusName=request.bus)
        return DeleteRuleResponse()

    def _rule(self, bus: str, name: str, etag: str | None = None) -> dict[str, Any]:
        """A rule, which is as an etag says. Raises ResourceNotFoundError where there is none, or no bus."""
        try:
            known: Any = self._events.describe_rule(Name=name, EventBusName=bus)
        except ClientError as error:
            if code_of(problem_of(error)) != _MISSING:
                raise
            self._arn(bus)
            raise ResourceNotFoundError(f"there is no rule {name!r}", resource=name) from error
        rule: dict[str, Any] = known
        if etag is not None and etag != _etag(rule):
            raise ConflictError("the rule has changed since it was read", resource=name)
        return rule

    def _tags(self, rule: Mapping[str, Any]) -> dict[str, str]:
        answer = self._events.list_tags_for_resource(ResourceARN=rule["Arn"])
        return {it["Key"]: it["Value"] for it in answer.get("Tags", ())}

    # --- targets

    @override
    def add_target(self, request: AddTargetRequest, /) -> AddTargetResponse:
        rule = self._rule(request.bus, request.rule)
        known = self._targets(request.bus, request.rule)
        if any(it["Id"] == request.target_id for it in known):
            raise AlreadyExistsError(
                f"target {request.target_id!r} exists", resource=request.target_id
            )
        target = self._places.prepare(self._arn(request.bus), request)
        added = datetime.now(UTC)
        try:
            answer: Any = self._events.put_targets(
                Rule=request.rule,
                EventBusName=request.bus,
                Targets=[target],  # type: ignore[list-item]  # it depends on the place
            )
            for it in answer.get("FailedEntries", ()):
                raise refused(it.get("ErrorCode", ""), it.get("ErrorMessage", ""), ADD_TARGET)
        except Exception:
            self._places.clear(target)
            raise
        tag: Any = {"Key": f"{_ADDED}{request.target_id}", "Value": added.isoformat()}
        self._events.tag_resource(ResourceARN=rule["Arn"], Tags=[tag])
        return AddTargetResponse(target=self._shown_target(request.rule, target, added))

    @override
    def remove_target(self, request: RemoveTargetRequest, /) -> RemoveTargetResponse:
        rule = self._rule(request.bus, request.rule)
        targets = [
            it for it in self._targets(request.bus, request.rule) if it["Id"] == request.target_id
        ]
        if not targets:
            raise ResourceNotFoundError(
                f"there is no target {request.target_id!r}", resource=request.target_id
            )
        self._remove(request.bus, request.rule, targets)
        self._events.untag_resource(
            ResourceARN=rule["Arn"], TagKeys=[f"{_ADDED}{request.target_id}"]
        )
        return RemoveTargetResponse()

    @override
    def list_targets(self, request: ListTargetsRequest, /) -> ListTargetsResponse:
        rule = self._rule(request.bus, request.rule)
        answer: Any = self._events.list_targets_by_rule(
            Rule=request.rule,
            EventBusName=request.bus,
            Limit=request.page_size,
            **given(NextToken=request.page_token or None),
        )
        targets = answer.get("Targets", ())
        tags = self._tags(rule) if targets else {}
        return ListTargetsResponse(
            targets=tuple(
                self._shown_target(request.rule, it, _moment(tags, f"{_ADDED}{it['Id']}"))
                for it in targets
            ),
            next_page_token=answer.get("NextToken", ""),
        )

    def _targets(self, bus: str, rule: str) -> list[Any]:
        """The targets of a rule. No rule has more than a page of them."""
        answer = self._events.list_targets_by_rule(Rule=rule, EventBusName=bus)
        return list(answer.get("Targets", ()))  # the model knows no empty list

    def _remove(self, bus: str, rule: str, targets: list[Any]) -> None:
        answer: Any = self._events.remove_targets(
            Rule=rule, EventBusName=bus, Ids=[it["Id"] for it in targets]
        )
        for it in answer.get("FailedEntries", ()):
            raise refused(it.get("ErrorCode", ""), it.get("ErrorMessage", ""), ADD_TARGET)
        for it in targets:
            self._places.clear(it)

    def _shown_target(self, rule: str, target: dict[str, Any], added: datetime) -> Target:
        return Target(
            target_id=target["Id"],
            destination=self._places.read(rule, target),
            retry=retry_of(target),
            dead_letter_queue=self._places.letters(target),
            created_at=added,
        )

    # --- archives

    @override
    def create_archive(self, request: CreateArchiveRequest, /) -> CreateArchiveResponse:
        arn = self._arn(request.bus, anew=True)
        return CreateArchiveResponse(archive=self._archives.create(arn, request))

    @override
    def list_archives(self, request: ListArchivesRequest, /) -> ListArchivesResponse:
        arn = self._arn(request.bus, anew=True)
        found, token = self._archives.page(request.bus, arn, request.page_size, request.page_token)
        return ListArchivesResponse(archives=found, next_page_token=token)

    @override
    def delete_archive(self, request: DeleteArchiveRequest, /) -> DeleteArchiveResponse:
        try:
            self._archives.delete(request.bus, request.name)
        except ClientError as error:
            if code_of(problem_of(error)) == _MISSING:
                self._arn(request.bus, anew=True)  # it may be the bus that is missing
            raise
        return DeleteArchiveResponse()

    @override
    def start_replay(self, request: StartReplayRequest, /) -> StartReplayResponse:
        return StartReplayResponse(
            replay=self._archives.start(self._arn(request.bus, anew=True), request)
        )

    @override
    def get_replay(self, request: GetReplayRequest, /) -> GetReplayResponse:
        return GetReplayResponse(replay=self._archives.replay(request.replay_id))

    @override
    def cancel_replay(self, request: CancelReplayRequest, /) -> CancelReplayResponse:
        return CancelReplayResponse(replay=self._archives.cancel(request.replay_id))


def _bus(known: Mapping[str, Any]) -> EventBusInfo:
    return EventBusInfo(name=known["Name"], created_at=known.get("CreationTime", _UNKNOWN))


def _state(*, enabled: bool) -> str:
    return "ENABLED" if enabled else "DISABLED"


def _shown(rule: Mapping[str, Any], created: datetime) -> Rule:
    return Rule(
        name=rule["Name"],
        description=rule.get("Description") or None,
        pattern=shown(rule.get("EventPattern", "")),
        enabled=rule["State"] != "DISABLED",
        created_at=created,
        etag=_etag(rule),
    )


def _etag(rule: Mapping[str, Any]) -> str:
    """A mark of everything that an update can change. EventBridge has none of its own."""
    marked = [rule.get("EventPattern", ""), rule.get("Description") or "", rule["State"]]
    return sha256(json.dumps(marked).encode()).hexdigest()[:32]


def _moment(tags: Mapping[str, str], key: str) -> datetime:
    """When something was made. Of what others made, that is not known."""
    try:
        return datetime.fromisoformat(tags.get(key, ""))
    except ValueError:
        return _UNKNOWN


def _check_size(field: str, text: str) -> None:
    if len(text.encode()) > _LIMITS.max_data_bytes:
        raise invalid(field, f"at most {_LIMITS.max_data_bytes} bytes (max_data_bytes)")


def _size(taken: Mapping[str, Any]) -> int:
    return sum(len(taken[name].encode()) for name in ("Source", "DetailType", "Detail"))


def _failure(index: int, error: ValidationError) -> BatchFailure:
    return BatchFailure(
        index=index, code=ErrorCode.VALIDATION, message=error.message, retryable=False
    )
