"""The instances of one revision: brought up until they are healthy, watched, and started again when they end."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from lcplatform_mock.instances import Instance, problem_with, start
from lcplatform_runtime.clock import SYSTEM
from lcplatform_runtime.errors import LCPlatformError

if TYPE_CHECKING:
    from lcplatform_mock.guardian import Guardian
    from lcplatform_mock.hosting import Program
    from lcplatform_mock.logbook import LogBook

# Processes live in real time, whatever the clock of the mock says: these are seconds of the machine.
_FIRST_LOOKS: Final = 5.0
_OFTEN: Final = 0.003
_SELDOM: Final = 0.25
_PROBE_SECONDS: Final = 2.0
_UNHEALTHY_AFTER: Final = 3
_STABLE_AFTER: Final = 30.0
_FIRST_BACKOFF: Final = 0.1
_LONGEST_BACKOFF: Final = 10.0
_STARTS: Final = 3


class Patience(Protocol):
    """How much is put up with."""

    @property
    def start_timeout(self) -> float: ...
    @property
    def health_interval(self) -> float: ...
    @property
    def max_restarts(self) -> int: ...
    @property
    def grace(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to run.

    Attributes:
        environment: makes the environment of an instance, when one starts. May raise LCPlatformError.
    """

    revision: str
    program: Program
    health_check_path: str
    environment: Callable[[], Mapping[str, str]]


class StartError(Exception):
    """An instance did not become healthy. It says why."""


class Watcher(Protocol):
    """Who is told how a fleet fares. Called in threads of the fleet."""

    def ready(self, ports: tuple[int, ...], /) -> None:
        """These are the ports of the instances that are healthy. None is used any more that is not among them."""
        ...

    def drain(self, port: int, seconds: float, /) -> None:
        """Returns when nobody waits for an answer of this instance any more, or after so many seconds."""
        ...

    def troubled(self, reason: str | None, /) -> None:
        """An instance has ended and is started again; nothing, when all are well again."""
        ...

    def failed(self, reason: str, /) -> None:
        """Instances have ended too often: none is started again."""
        ...


@dataclass(slots=True)
class _Member:
    """An instance, and how it does."""

    name: str
    instance: Instance
    since: float
    unhealthy: int = 0


class Fleet:
    """As many instances as are asked for."""

    def __init__(
        self, plan: Plan, patience: Patience, guardian: Guardian, logs: LogBook, watcher: Watcher
    ) -> None:
        self._plan = plan
        self._patience = patience
        self._guardian = guardian
        self._logs = logs
        self._watcher = watcher
        self._lock = threading.Lock()
        self._members: list[_Member] = []
        self._wanted = 0
        self._number = 0
        self._restarts = 0
        self._stopping = threading.Event()
        self._ended: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._monitor: threading.Thread | None = None

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports of the instances that are healthy."""
        with self._lock:
            return tuple(one.instance.port for one in self._members)

    def start(self, count: int) -> None:
        """Starts so many instances and returns when all are healthy.

        Raises:
            StartError: one of them did not become so. None is left.
        """
        self._wanted = count
        try:
            self._grow(count)
        except BaseException:
            self.stop()
            raise
        monitor = threading.Thread(target=self._watch, name="lcplatform-mock-fleet", daemon=True)
        monitor.start()
        # Not before: whoever stops it just now could not join what has not begun.
        self._monitor = monitor

    def resize(self, count: int) -> None:
        """Starts what is missing, or ends what is too much once it has answered everybody.

        Raises:
            StartError: a new instance did not become healthy. Those that were there stay.
        """
        missing = count - len(self.ports)
        if missing > 0:
            self._grow(missing)
        with self._lock:
            self._wanted = count
        self._trim()

    def stop(self) -> None:
        """Ends all instances, those that are just starting as well. May be called again."""
        self._stopping.set()
        self._ended.put(None)
        if self._monitor is not None and self._monitor is not threading.current_thread():
            self._monitor.join()
        with self._lock:
            leaving, self._members = self._members, []
        self._end(leaving)

    # --- starting and ending

    def _grow(self, count: int) -> None:
        """Starts so many more, all at a time."""
        begun: list[_Member] = []
        try:
            for _ in range(count):
                begun.append(self._begin())  # noqa: PERF401  those before one that fails are to be ended
            for index in range(count):
                self._settle(begun, index)
        except BaseException:
            self._end(begun)
            raise
        with self._lock:
            self._members += begun
        for member in begun:
            if member.instance.ended is not None:  # in the meantime, when nobody counted on it
                self._ended.put(member.name)

    def _trim(self) -> None:
        """Sends requests to as many as are wanted, and ends the others."""
        with self._lock:
            count = self._wanted
            leaving, self._members = self._members[count:], self._members[:count]
        self._watcher.ready(self.ports)
        self._end(leaving)

    def _settle(self, begun: list[_Member], index: int) -> None:
        """Returns when an instance is healthy, or one in its place: one that ends at once may have met another on its port."""
        for left in reversed(range(_STARTS)):
            try:
                return self._await_health(begun[index])
            except StartError:
                if not left or begun[index].instance.ended is None or self._stopping.is_set():
                    raise
            begun[index] = self._begin()
        return None

    def _begin(self) -> _Member:
        self._number += 1
        name = f"{self._plan.revision}-{self._number}"

        def write(text: str) -> None:
            self._logs.write(text, instance=name, revision=self._plan.revision)

        try:
            instance = start(
                self._plan.program,
                self._plan.environment(),
                self._guardian,
                write,
                lambda: self._ended.put(name),
            )
        except OSError as error:
            raise StartError(f"instance {name} cannot be started: {error.strerror}") from error
        except LCPlatformError as error:
            raise StartError(f"instance {name} cannot be started: {error.message}") from error
        return _Member(name, instance, SYSTEM.monotonic())

    def _await_health(self, member: _Member) -> None:
        instance, since = member.instance, SYSTEM.monotonic()
        while True:
            if instance.ended is not None:
                raise StartError(f"instance {member.name} {instance.ended} before it was healthy")
            problem = problem_with(instance.port, self._plan.health_check_path, _PROBE_SECONDS)
            if problem is None:
                return
            waited = SYSTEM.monotonic() - since
            if waited > self._patience.start_timeout:
                seconds = f"{self._patience.start_timeout:g}"
                raise StartError(
                    f"instance {member.name} was not healthy within {seconds} seconds: {problem}"
                )
            if self._stopping.wait(_OFTEN if waited < _FIRST_LOOKS else _SELDOM):
                raise StartError(f"instance {member.name} was stopped before it was healthy")

    def _end(self, members: list[_Member]) -> None:
        """Ends instances that nobody is sent to any more, all at a time."""
        threads = [threading.Thread(target=self._end_one, args=(one,)) for one in members]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _end_one(self, member: _Member) -> None:
        grace = self._patience.grace
        if member.instance.ended is None:
            self._watcher.drain(member.instance.port, grace)
        member.instance.stop(grace)

    # --- watching

    def _watch(self) -> None:
        """Replaces what ends or is no longer healthy, until it is told to stop or gives up."""
        due = SYSTEM.monotonic() + self._patience.health_interval
        while not self._stopping.is_set():
            try:
                name = self._ended.get(timeout=max(0.0, due - SYSTEM.monotonic()))
            except queue.Empty:
                sick = self._look()
                due = SYSTEM.monotonic() + self._patience.health_interval
                for one in sick:
                    self._replace(one, "is no longer healthy")
            else:
                for member in self._named(name):
                    self._replace(member, member.instance.ended or "ended")

    def _named(self, name: str | None) -> list[_Member]:
        with self._lock:
            return [one for one in self._members if one.name == name]

    def _look(self) -> list[_Member]:
        """Looks after each instance, and tells which have been unhealthy for too long."""
        with self._lock:
            members = list(self._members)
        for member in members:
            problem = problem_with(
                member.instance.port, self._plan.health_check_path, _PROBE_SECONDS
            )
            member.unhealthy = 0 if problem is None else member.unhealthy + 1
        return [one for one in members if one.unhealthy >= _UNHEALTHY_AFTER]

    def _replace(self, member: _Member, why: str) -> None:
        with self._lock:
            if self._stopping.is_set() or member not in self._members:
                return  # it was to go
            self._members.remove(member)
        self._watcher.ready(self.ports)
        if SYSTEM.monotonic() - member.since > _STABLE_AFTER:
            self._restarts = 0
        member.instance.stop(self._patience.grace)  # nobody waits for it who will be answered
        reason = f"instance {member.name} {why}"
        while not self._stopping.is_set():
            if self._restarts >= self._patience.max_restarts:
                self._log(f"{reason}; it is not started again")
                with self._lock:
                    others, self._members = self._members, []
                self._end(others)
                self._watcher.failed(f"{reason}, after {self._restarts} restarts")
                return
            backoff = min(_FIRST_BACKOFF * 2**self._restarts, _LONGEST_BACKOFF)
            self._restarts += 1
            told = f"{reason}; restart {self._restarts} of {self._patience.max_restarts}"
            self._log(told)
            self._watcher.troubled(told)
            if self._stopping.wait(backoff):
                return
            try:
                self._grow(1)
            except StartError as error:
                reason = str(error)
            else:
                self._trim()  # another may have come meanwhile, by a change of scale
                self._watcher.troubled(None)
                return

    def _log(self, text: str) -> None:
        self._logs.write(text, revision=self._plan.revision)
