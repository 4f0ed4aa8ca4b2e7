"""Archives, and how the events in them are delivered again."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Final

from typing_extensions import override

from lcplatform.event_bus.models import (
    CancelReplayRequest,
    CancelReplayResponse,
    CreateArchiveRequest,
    CreateArchiveResponse,
    DeleteArchiveRequest,
    DeleteArchiveResponse,
    GetReplayRequest,
    GetReplayResponse,
    ListArchivesRequest,
    ListArchivesResponse,
    ReplayStatus,
    StartReplayRequest,
    StartReplayResponse,
)
from lcplatform_mock.event_delivering import Delivering
from lcplatform_mock.event_records import (
    FINAL,
    ArchiveRecord,
    ArchiveState,
    BusState,
    Delivery,
    ReplayRecord,
)
from lcplatform_mock.listing import names_page
from lcplatform_mock.refusals import missing, whole_days
from lcplatform_runtime.errors import AlreadyExistsError, QuotaExceededError, invalid
from lcplatform_runtime.json_value import inside
from lcplatform_runtime.patterns.grammar import parse
from lcplatform_runtime.trusted import trusted

MAX_ARCHIVES: Final = 100

_AT_ONCE: Final = 100
"""So many events are delivered again before anybody else's work has its turn."""


class Replaying(Delivering):
    """Archives and replays. What begins with an underscore is called under the lock, unless it says otherwise."""

    # --- archives

    def create_archive(self, request: CreateArchiveRequest, /) -> CreateArchiveResponse:
        """Creates an archive."""
        pattern = None if request.pattern is None else parse(request.pattern)
        if request.retention is not None:
            whole_days("retention", request.retention)
        with self._lock:
            bus = self._bus(request.bus)
            if request.name in bus.archives:
                raise AlreadyExistsError(f"archive {request.name!r} exists", resource=request.name)
            if len(bus.archives) >= MAX_ARCHIVES:
                raise QuotaExceededError(
                    f"a bus has {MAX_ARCHIVES} archives at most", retryable=False
                )
            record = ArchiveRecord(
                uid=self._name(),
                bus=request.bus,
                name=request.name,
                pattern=request.pattern,
                retention=request.retention,
                created_at=self._clock.now(),
            )
            archive = ArchiveState(record)
            index = self._index(bus)
            bus.archives[request.name] = archive
            if pattern is not None:
                index.add(archive, pattern)
            if self._tables is not None:
                self._tables.archive(archive)
            return CreateArchiveResponse(archive=archive.shown())

    def list_archives(self, request: ListArchivesRequest, /) -> ListArchivesResponse:
        """Lists the archives of a bus."""
        with self._lock:
            archives = self._bus(request.bus).archives
            names, token = names_page(sorted(archives), "", request.page_size, request.page_token)
            now = self._clock.now()
            for it in names:
                self._expire(archives[it], now)
            shown = tuple(archives[it].shown() for it in names)
        return ListArchivesResponse(archives=shown, next_page_token=token)

    def delete_archive(self, request: DeleteArchiveRequest, /) -> DeleteArchiveResponse:
        """Deletes an archive with the events in it."""
        with self._lock:
            bus = self._bus(request.bus)
            archive = _archive(bus, request.name)
            self._index(bus).discard(archive)
            del bus.archives[request.name]
            if self._tables is not None:
                self._tables.no_archive(archive)
        return _DELETED

    # --- replays

    def start_replay(self, request: StartReplayRequest, /) -> StartReplayResponse:
        """Begins to deliver archived events again."""
        with self._lock:
            bus = self._bus(request.bus)
            archive = _archive(bus, request.archive)
            if request.until <= request.since:
                raise invalid("until", "a time after since")
            for name in request.rules:
                if name not in bus.rules:
                    raise missing("rule", name)
            replay = ReplayRecord(
                id=self._name(),
                bus=request.bus,
                archive=request.archive,
                archive_uid=archive.record.uid,
                since=request.since,
                until=request.until,
                rules=request.rules,
                started_at=self._clock.now(),
                position=archive.first,
                end=archive.next,
            )
            self._state.replays[replay.id] = replay
            self._started.add(replay.id)
            self._keep_replay(replay)
            shown = replay.shown()
            life = self._life
        self._world.agenda.soon(partial(self._replay, replay.id, life))
        return StartReplayResponse(replay=shown)

    def get_replay(self, request: GetReplayRequest, /) -> GetReplayResponse:
        """Reads how far a replay has come."""
        with self._lock:
            return GetReplayResponse(replay=self._replay_of(request.replay_id).shown())

    def cancel_replay(self, request: CancelReplayRequest, /) -> CancelReplayResponse:
        """Ends a replay."""
        with self._lock:
            replay = self._replay_of(request.replay_id)
            if replay.status not in FINAL:
                replay.finish(ReplayStatus.CANCELLED, self._clock.now())
                self._keep_replay(replay)
            return CancelReplayResponse(replay=replay.shown())

    def _replay(self, name: str, life: int) -> None:
        """Delivers the next events of a replay. Without the lock."""
        with self._lock:
            if life != self._life:
                return
            replay = self._state.replays.get(name)
            if replay is None or replay.status in FINAL:
                return
            archive = self._archive_of(replay)
            if archive is None:
                replay.finish(ReplayStatus.FAILED, self._clock.now(), "the archive is deleted")
                self._keep_replay(replay)
                return
            replay.status = ReplayStatus.RUNNING
            now = self._clock.now()
            following, found = self._again(replay, archive, now)
        self._dispatch(found, now)
        with self._lock:
            if life != self._life or replay.status in FINAL:
                return
            replay.position = following
            over = following >= replay.end
            if over:
                replay.finish(ReplayStatus.COMPLETED, self._clock.now())
                self._started.discard(name)
            self._keep_replay(replay)
        if not over:
            self._world.agenda.soon(partial(self._replay, name, life))

    def _again(
        self, replay: ReplayRecord, archive: ArchiveState, now: datetime
    ) -> tuple[int, list[Delivery]]:
        """Puts the next events of a replay on their way. Answers where it goes on, and what is to be dispatched."""
        self._expire(archive, now)
        bus = self._state.buses[replay.bus]
        index = self._index(bus)
        found: list[Delivery] = []
        start = max(replay.position, archive.first)
        end = min(start + _AT_ONCE, replay.end)
        for number in range(start, end):
            event = archive.events.get(number)
            if event is not None and replay.since <= event.at < replay.until:
                asking = index.matching(inside(event.body))
                found += self._route(bus, event, now, asking, replay.rules)
        return max(start, end), found

    @override
    def _resume_replays(self) -> None:
        for it in self._state.replays.values():
            if it.status not in FINAL and it.id not in self._started:
                self._started.add(it.id)
                self._world.agenda.soon(partial(self._replay, it.id, self._life))

    def _keep_replay(self, replay: ReplayRecord) -> None:
        if self._tables is not None:
            self._tables.replay(replay)

    def _archive_of(self, replay: ReplayRecord) -> ArchiveState | None:
        archive = self._bus(replay.bus).archives.get(replay.archive)
        return None if archive is None or archive.record.uid != replay.archive_uid else archive

    def _replay_of(self, name: str) -> ReplayRecord:
        replay = self._state.replays.get(name)
        if replay is None:
            raise missing("replay", name)
        return replay

    def _bus(self, name: str) -> BusState:
        bus = self._state.buses.get(name)
        if bus is None:
            raise missing("event bus", name)
        return bus


_DELETED: Final = trusted(DeleteArchiveResponse)()


def _archive(bus: BusState, name: str) -> ArchiveState:
    archive = bus.archives.get(name)
    if archive is None:
        raise missing("archive", name)
    return archive
