"""What is done for applications once a change was asked for: it takes its time, and goes on after a restart."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Literal, TypeAlias
from urllib.parse import urlsplit

from typing_extensions import override

from lcplatform.web_hosting.models import ApplicationStatus, DeploymentStatus
from lcplatform_mock.agenda import PATIENCE
from lcplatform_mock.applications import Release, Site, Task
from lcplatform_mock.fleet import StartError
from lcplatform_mock.hosting import WebHostingSettings
from lcplatform_mock.logbook import Line, LogBook
from lcplatform_mock.service import Service
from lcplatform_mock.stages import Owner, Run, Stage, Stages
from lcplatform_mock.world import World
from lcplatform_runtime.errors import LCPlatformError

_LOG: Final = logging.getLogger("lcplatform.mock")

_Work: TypeAlias = Task | Literal["revive", "rest"]
"""A task, or what an application needs that is where it should be and whose processes are not."""


@dataclass(slots=True)
class Sites:
    """All applications by their identities."""

    sites: dict[str, Site] = field(default_factory=dict)


class ApplicationWork(Service[Sites], Owner):
    """The applications, and the work on each, one at a time.

    A task belongs to an application until it is done. One whose application was given another task meanwhile, because a
    snapshot was restored, changes nothing any more.
    """

    def __init__(self, world: World) -> None:
        super().__init__(world, Sites())
        self._settings = world.settings.web_hosting or WebHostingSettings()
        self._name = world.names()
        self._stages: dict[str, Stage] = {}
        self._shared = Stages(world, self._settings, self)
        self._numbers = itertools.count()
        self._working: dict[str, int] = {}
        self._threads: set[threading.Thread] = set()
        self._closing = False
        self._books: dict[str, LogBook] = {}
        if world.journal is not None:
            self._table = world.journal.table("web_hosting.application", Site, sealed=True)
            self._lines = world.journal.table("web_hosting.line", Line, sealed=True)
            self._load()

    # --- state, under the lock

    def _put(self, site: Site) -> None:
        """Keeps an application as it is now."""
        if self._world.journal is not None:
            self._table.put(site.application_id, site)

    @override
    def _keep(self) -> None:
        self._table.clear()
        for site in self._state.sites.values():
            self._put(site)

    @override
    def _moved(self) -> None:
        self._working.clear()

    @override
    def restore(self, snapshot: Sites) -> None:
        super().restore(snapshot)
        self._reconcile()

    def _touch(self, site: Site) -> None:
        """Its settings have changed."""
        site.etag, site.updated_at = self._name(), self._clock.now()

    def _mark(self) -> str:
        return self._world.token()[:6]

    def _load(self) -> None:
        self._state.sites = dict(self._table.load())
        for key, line in self._lines.load():
            application_id, _, number = key.partition(" ")
            self._book(application_id).load(int(number), line)
        with (
            self._lock
        ):  # since the work on the first of them may be done before the last is taken up
            for site in self._state.sites.values():
                self._take_up(site)

    # --- where it runs

    def _stage(self, site: Site) -> Stage:
        """Where an application runs. Opened with its URL of before, if that is still free."""
        stage = self._stages.get(site.application_id)
        if stage is None:
            port = urlsplit(site.url).port or 0
            book = self._book(site.application_id)
            stage = Stage(self._shared, site.application_id, port, book)
            self._stages[site.application_id] = stage
            if stage.front.url != site.url:
                site.url = stage.front.url
                self._put(site)
        return stage

    def _book(self, application_id: str) -> LogBook:
        book = self._books.get(application_id)
        if book is None:
            shelf = None if self._world.journal is None else _Shelf(self, application_id)
            book = LogBook(self._clock.now, self._settings.log_lines, shelf)
            self._books[application_id] = book
        return book

    def keep_line(self, application_id: str, number: int, line: Line) -> None:
        """Keeps a line of a log. The next flush writes it."""
        self._lines.put(f"{application_id} {number}", line)

    def drop_line(self, application_id: str, number: int) -> None:
        """Keeps it no longer."""
        self._lines.remove(f"{application_id} {number}")

    # --- beginning

    def _begin(self, site: Site, task: Task) -> None:
        """Begins a task. Called under the lock; the status is set already."""
        site.task = task
        self._put(site)
        self._launch(site, task)

    def _launch(self, site: Site, work: _Work, *, again: bool = False) -> None:
        """Has work done, in a thread of its own if processes are involved: they take as long as they take."""
        number = next(self._numbers)
        self._working[site.application_id] = number
        do = partial(self._perform, site.application_id, number, work, again=again)
        stage, release = self._stage(site), site.pending or site.in_place
        if again or work == "revive":
            stage.front.show((), soon=True)
        real = release is not None and release.settings.image in self._shared.programs
        if not real:
            starts = work in {"deploy", "resume"}
            seconds = self._settings.start_time.total_seconds() if starts else 0.0
            self._world.agenda.after(seconds, do)
            return
        thread = threading.Thread(
            target=self._run, args=(do,), name="lcplatform-mock-application", daemon=True
        )
        self._threads.add(thread)
        thread.start()
        # Whoever moves the clock finds it done, if it does not take too long.
        self._world.agenda.soon(partial(thread.join, PATIENCE))

    def _run(self, do: Callable[[], None]) -> None:
        try:
            do()
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())
            if not self._closing:
                self._world.flush()

    def _current(self, application_id: str, number: int) -> Site | None:
        """The application, if this work is still wanted. Called under the lock."""
        if self._closing or self._working.get(application_id) != number:
            return None
        return self._state.sites.get(application_id)

    # --- doing, in a thread that holds no lock but the stage's

    def _perform(self, application_id: str, number: int, work: _Work, *, again: bool) -> None:
        with self._lock:
            site = self._current(application_id, number)
            if site is None:
                return
            stage = self._stage(site)
            if work == "delete":  # whoever needs one from now on opens another
                del self._stages[application_id]
            todo = _Todo(site.pending, site.in_place, site.settings.min_instances)
        with stage.lock:
            if again and work in {"deploy", "scale"} and todo.in_place is not None:
                _done("revive", stage, todo)
            problem, before = _done(work, stage, todo)
            if not stage.alive:
                stage.front.show(())
            with self._lock:
                if (current := self._current(application_id, number)) is not None:
                    del self._working[application_id]
                    _FINISH[work](self, current, stage, problem)
            if not self._closing:
                self._world.flush()
            if before is not None:
                before.stop()

    def _finish_deploy(self, site: Site, stage: Stage, problem: str | None) -> None:
        release = site.pending
        assert release is not None
        if problem is None:
            release.end(DeploymentStatus.SUCCEEDED, self._clock.now())
            site.revision = release.revision
            self._settle(site, ApplicationStatus.RUNNING)
            return
        before = site.in_place
        if before is not None:
            site.settings = before.settings
            self._touch(site)
        if before is not None and stage.alive:
            release.end(DeploymentStatus.ROLLED_BACK, self._clock.now(), problem)
            reason = f"revision {release.revision} failed, {before.revision} is in place: {problem}"
            self._settle(site, ApplicationStatus.RUNNING, reason)
        else:
            release.end(DeploymentStatus.FAILED, self._clock.now(), problem)
            self._settle(site, ApplicationStatus.FAILED, problem)

    def _finish_resume(self, site: Site, stage: Stage, problem: str | None) -> None:
        status = ApplicationStatus.RUNNING if problem is None else ApplicationStatus.FAILED
        self._settle(site, status, problem)

    def _finish_revive(self, site: Site, stage: Stage, problem: str | None) -> None:
        if problem is not None:
            self._settle(site, ApplicationStatus.FAILED, problem)

    def _finish_scale(self, site: Site, stage: Stage, problem: str | None) -> None:
        release = site.in_place
        assert release is not None
        if problem is None:
            release.settings = site.settings
        else:
            site.settings = release.settings
            self._touch(site)
        alive = stage.alive
        status = ApplicationStatus.RUNNING if alive else ApplicationStatus.FAILED
        self._settle(site, status, problem)

    def _finish_pause(self, site: Site, stage: Stage, problem: str | None) -> None:
        self._settle(site, ApplicationStatus.STOPPED)

    def _finish_rest(self, site: Site, stage: Stage, problem: str | None) -> None:
        """It is where it should be."""

    def _finish_delete(self, site: Site, stage: Stage, problem: str | None) -> None:
        self._forget(site.application_id)
        del self._state.sites[site.application_id]
        if self._world.journal is not None:
            self._table.remove(site.application_id)

    def _settle(self, site: Site, status: ApplicationStatus, reason: str | None = None) -> None:
        site.move(status, reason)
        self._put(site)

    def _forget(self, application_id: str) -> Stage | None:
        book = self._books.pop(application_id, None)
        if book is not None:
            book.clear()
        return self._stages.pop(application_id, None)

    # --- what happens by itself

    @override
    def troubled(self, application_id: str, revision: str, reason: str | None, /) -> None:
        with self._lock:
            site = self._running(application_id, revision)
            if site is None:
                return
            site.reason = reason
            self._put(site)
        self._world.flush()

    @override
    def failed(self, application_id: str, revision: str, reason: str, /) -> None:
        with self._lock:
            site = self._running(application_id, revision)
            if site is None:
                return
            self._settle(site, ApplicationStatus.FAILED, reason)
        self._world.flush()

    def _running(self, application_id: str, revision: str) -> Site | None:
        site = self._state.sites.get(application_id)
        if self._closing or site is None or site.revision != revision:
            return None
        return site if site.status is ApplicationStatus.RUNNING else None

    # --- after a restart, and after a snapshot was restored

    def _take_up(self, site: Site) -> None:
        """Has done what an application needs that is not as its state says. Called under the lock."""
        stage = self._stage(site)
        if site.task is not None:
            self._launch(site, site.task, again=not stage.alive)
        elif site.status is ApplicationStatus.RUNNING:
            if not stage.alive or stage.run is None or stage.run.revision != site.revision:
                self._launch(site, "revive")
        elif stage.run is not None:
            self._launch(site, "rest")

    def _reconcile(self) -> None:
        with self._lock:
            if self._closing:
                return
            gone = [one for one in self._stages if one not in self._state.sites]
            stages = [stage for one in gone if (stage := self._forget(one)) is not None]
            for application_id, site in self._state.sites.items():
                if application_id not in self._working:
                    self._take_up(site)
        for stage in stages:
            with stage.lock:
                stage.close()

    @override
    def hurry(self) -> None:
        with self._lock:
            self._closing = True
        self._shared.hurry()

    @override
    def close(self) -> None:
        with self._lock:
            threads, stages = list(self._threads), list(self._stages.values())
        for thread in threads:
            thread.join()
        if stages:
            with ThreadPoolExecutor(len(stages)) as pool:
                list(pool.map(Stage.close, stages))
        self._shared.close()


class _Shelf:
    """The lines of one application's log in the journal."""

    def __init__(self, work: ApplicationWork, application_id: str) -> None:
        self._work = work
        self._id = application_id

    def put(self, number: int, line: Line, /) -> None:
        """Keeps a line."""
        self._work.keep_line(self._id, number, line)

    def drop(self, number: int, /) -> None:
        """Keeps it no longer."""
        self._work.drop_line(self._id, number)


@dataclass(frozen=True, slots=True)
class _Todo:
    """What work needs to know of its application."""

    pending: Release | None
    in_place: Release | None
    count: int


_Done: TypeAlias = tuple[str | None, Run | None]
"""Why work failed, if it did, and what ran before and is to be stopped."""


def _done(work: _Work, stage: Stage, todo: _Todo) -> _Done:
    """Does it. Whatever goes wrong is why the work failed: no application stays under way for ever."""
    try:
        return _DO[work](stage, todo)
    except StartError as error:
        return str(error), None
    except LCPlatformError as error:
        return error.message, None
    except Exception as error:  # noqa: BLE001  a defect, which somebody must hear of
        _LOG.exception("the work on an application broke")
        return f"the mock failed: {type(error).__name__}", None


def _started(stage: Stage, release: Release | None) -> _Done:
    """Runs a revision."""
    if release is None:
        return "there is no revision", None
    return None, stage.start(release)


def _scaled(stage: Stage, todo: _Todo) -> _Done:
    if stage.run is not None:
        stage.run.scale(todo.count)
    return None, None


def _stopped(stage: Stage, _: _Todo) -> _Done:
    stage.stop()
    return None, None


def _closed(stage: Stage, _: _Todo) -> _Done:
    stage.close()
    return None, None


_DO: Final[Mapping[_Work, Callable[[Stage, _Todo], _Done]]] = {
    "deploy": lambda stage, todo: _started(stage, todo.pending),
    "scale": _scaled,
    "pause": _stopped,
    "resume": lambda stage, todo: _started(stage, todo.in_place),
    "delete": _closed,
    "revive": lambda stage, todo: _started(stage, todo.in_place),
    "rest": _stopped,
}
_Finish: TypeAlias = Callable[[ApplicationWork, Site, Stage, str | None], None]
_FINISH: Final[Mapping[_Work, _Finish]] = {
    "deploy": ApplicationWork._finish_deploy,
    "scale": ApplicationWork._finish_scale,
    "pause": ApplicationWork._finish_pause,
    "resume": ApplicationWork._finish_resume,
    "delete": ApplicationWork._finish_delete,
    "revive": ApplicationWork._finish_revive,
    "rest": ApplicationWork._finish_rest,
}
