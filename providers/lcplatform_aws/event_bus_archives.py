"""Archives of EventBridge and their replays.

The names of archives are unique in an account there, and in a bus here. So an archive is known to EventBridge by a name made
from both, and its own is its description.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from botocore.exceptions import ClientError

from lcplatform.event_bus.models import (
    Archive,
    CreateArchiveRequest,
    Replay,
    ReplayStatus,
    StartReplayRequest,
)
from lcplatform_aws.errors import code_of, problem_of
from lcplatform_aws.event_bus_patterns import shown, translated
from lcplatform_aws.units import days, given
from lcplatform_runtime.errors import AlreadyExistsError, invalid

if TYPE_CHECKING:
    from lcplatform_aws.session import Session

_LONGEST_NAME: Final = 48
_MARK: Final = 12
_STATUSES: Final = {
    "STARTING": ReplayStatus.STARTING,
    "RUNNING": ReplayStatus.RUNNING,
    "CANCELLING": ReplayStatus.RUNNING,
    "COMPLETED": ReplayStatus.COMPLETED,
    "CANCELLED": ReplayStatus.CANCELLED,
    "FAILED": ReplayStatus.FAILED,
}
_FINAL: Final = frozenset({"COMPLETED", "CANCELLED", "FAILED"})
_ENDED: Final = frozenset({"IllegalStatusException", "ValidationException"})


class Archives:
    """The archives of an account."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, bus_arn: str, request: CreateArchiveRequest) -> Archive:
        """Creates an archive. Raises AlreadyExistsError where the bus has one of that name."""
        parameters = given(
            EventPattern=None if request.pattern is None else translated(request.pattern),
            RetentionDays=None
            if request.retention is None
            else days(request.retention, "retention"),
        )
        try:
            made = self._session.events.create_archive(
                ArchiveName=_known_as(request.bus, request.name),
                EventSourceArn=bus_arn,
                Description=request.name,
                **parameters,
            )
        except ClientError as error:
            if code_of(problem_of(error)) != "ResourceAlreadyExistsException":
                raise
            raise AlreadyExistsError(
                f"archive {request.name!r} exists", resource=request.name
            ) from error
        return Archive(
            name=request.name,
            bus=request.bus,
            pattern=request.pattern,
            retention=request.retention,
            created_at=made["CreationTime"],
            events=0,
        )

    def page(self, bus: str, bus_arn: str, size: int, token: str) -> tuple[tuple[Archive, ...], str]:  # fmt: skip
        """Some archives of a bus, and where the next page starts. EventBridge lists no descriptions."""
        events = self._session.events
        answer: Any = events.list_archives(
            EventSourceArn=bus_arn, Limit=size, **given(NextToken=token or None)
        )
        whole: list[Any] = [
            events.describe_archive(ArchiveName=it["ArchiveName"]) for it in answer["Archives"]
        ]
        return tuple(_archive(bus, it) for it in whole), answer.get("NextToken", "")

    def any(self, bus_arn: str) -> bool:
        """Whether a bus has archives."""
        return bool(self._session.events.list_archives(EventSourceArn=bus_arn, Limit=1)["Archives"])

    def delete(self, bus: str, name: str) -> None:
        """Deletes an archive."""
        self._session.events.delete_archive(ArchiveName=_known_as(bus, name))

    # --- replays

    def start(self, bus_arn: str, request: StartReplayRequest) -> Replay:
        """Starts a replay.

        EventBridge knows the times of events to the second, so the first second counts as a whole. It takes no end that is
        yet to come; nothing of what is published from now on is archived already.
        """
        if request.since >= request.until:
            raise invalid("until", "later than since")
        events = self._session.events
        for rule in request.rules:
            events.describe_rule(Name=rule, EventBusName=request.bus)
        archive: Any = events.describe_archive(ArchiveName=_known_as(request.bus, request.archive))
        now = datetime.now(UTC)
        name = f"lcplatform-{uuid4().hex}"
        destination: Any = {"Arn": bus_arn}
        if request.rules:
            destination["FilterArns"] = [f"{_rules_of(bus_arn)}{it}" for it in request.rules]
        events.start_replay(
            ReplayName=name,
            EventSourceArn=archive["ArchiveArn"],
            EventStartTime=request.since.replace(microsecond=0),
            EventEndTime=min(request.until, now) if request.since < now else request.until,
            Destination=destination,
        )
        return Replay(
            replay_id=name,
            archive=request.archive,
            bus=request.bus,
            status=ReplayStatus.STARTING,
            since=request.since,
            until=request.until,
            started_at=now,
        )

    def replay(self, replay_id: str) -> Replay:
        """How far a replay has come."""
        events = self._session.events
        known: Any = events.describe_replay(ReplayName=replay_id)
        source = known["EventSourceArn"].partition("/")[2]
        try:
            archive = events.describe_archive(ArchiveName=source).get("Description") or source
        except events.exceptions.ResourceNotFoundException:  # deleted since
            archive = source
        final = known["State"] in _FINAL
        started = known.get("ReplayStartTime") or known["EventStartTime"]
        return Replay(
            replay_id=replay_id,
            archive=archive,
            bus=known["Destination"]["Arn"].partition("/")[2],
            status=_STATUSES.get(known["State"], ReplayStatus.UNKNOWN),
            reason=known.get("StateReason"),
            since=known["EventStartTime"],
            until=known["EventEndTime"],
            started_at=started,
            completed_at=known.get("ReplayEndTime") or started if final else None,
        )

    def cancel(self, replay_id: str) -> Replay:
        """Ends a replay. One that has ended stays as it is."""
        before = self.replay(replay_id)
        if before.completed_at is not None:
            return before
        try:
            self._session.events.cancel_replay(ReplayName=replay_id)
        except ClientError as error:  # it may have ended meanwhile
            if code_of(problem_of(error)) not in _ENDED:
                raise
        return self.replay(replay_id)


def _archive(bus: str, known: dict[str, Any]) -> Archive:
    kept = known.get("RetentionDays")
    pattern = known.get("EventPattern")
    return Archive(
        name=known.get("Description") or known["ArchiveName"],
        bus=bus,
        pattern=shown(pattern) if pattern else None,
        retention=timedelta(days=kept) if kept else None,
        created_at=known["CreationTime"],
        events=known.get("EventCount"),
    )


def _known_as(bus: str, name: str) -> str:
    mark = sha256(f"{bus}/{name}".encode()).hexdigest()[:_MARK]
    return f"{name[: _LONGEST_NAME - _MARK - 1]}.{mark}"


def _rules_of(bus_arn: str) -> str:
    """What the rules of a bus are known by, up to their names."""
    return bus_arn.replace(":event-bus/", ":rule/") + "/"
