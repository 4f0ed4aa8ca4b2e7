"""Where applications run: the front of each, and what runs behind it. Nothing of it is kept: it is made again from what is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from typing_extensions import override

from lcplatform.secrets.models import GetSecretRequest
from lcplatform_mock import bound
from lcplatform_mock.fleet import Fleet, Plan, StartError, Watcher
from lcplatform_mock.fronts import Front, Fronts
from lcplatform_mock.guardian import Guardian
from lcplatform_mock.hosting import WebHostingSettings, refused_variable
from lcplatform_runtime.errors import PreconditionFailedError
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.model import build

if TYPE_CHECKING:
    from lcplatform.drivers import Drivers
    from lcplatform_mock.applications import Release, Settings
    from lcplatform_mock.logbook import LogBook
    from lcplatform_mock.world import World

_PAGE: Final = "The image of this application is not registered with the mock: its place is taken by this page.\n"


class Owner(Protocol):
    """Who is told how the revision fares that runs. Called in threads of its fleet."""

    def troubled(self, application_id: str, revision: str, reason: str | None, /) -> None:
        """An instance has ended and is started again; no reason, when all are well again."""
        ...

    def failed(self, application_id: str, revision: str, reason: str, /) -> None:
        """Instances have ended too often: none is started again."""
        ...


class Stage:
    """One application: its front, which stays, and the revision that runs behind it."""

    def __init__(self, stages: Stages, application_id: str, port: int, logs: LogBook) -> None:
        self._stages = stages
        self._id = application_id
        self.front = stages.fronts.open(port)
        self.logs = logs
        self.run: Run | None = None
        self.lock = threading.Lock()
        """Held by whoever changes what runs: one at a time."""

    @property
    def alive(self) -> bool:
        """Whether something runs."""
        return self.run is not None and self.run.broken is None

    def start(self, release: Release) -> Run | None:
        """Runs a revision in the place of what runs, once it is healthy.

        Returns:
            What ran, and is to be stopped. Nobody is sent to it any more.

        Raises:
            StartError: the revision does not become healthy. What ran goes on.
        """
        run = Run(self._id, release.revision, self.front, self._stages.owner)
        run.start(self._stages, release.settings, self.logs)
        before, self.run = self.run, run
        run.show()
        return before

    def stop(self) -> None:
        """Ends what runs. The front goes on, and says that nobody is there."""
        before, self.run = self.run, None
        self.front.show(())
        if before is not None:
            before.stop()

    def close(self) -> None:
        """Ends everything."""
        self.stop()
        self.front.close()
        self.logs.close()


class Run(Watcher):
    """A revision that runs, or is about to."""

    def __init__(self, application_id: str, revision: str, front: Front, owner: Owner) -> None:
        self.revision = revision
        self.broken: str | None = None
        """Why it does not run any more, although nobody stopped it."""
        self._id = application_id
        self._front = front
        self._owner = owner
        self._shown = False
        self._lock = threading.Lock()
        self._fleet: Fleet | None = None
        self._close_door: Callable[[], None] | None = None

    def start(self, stages: Stages, settings: Settings, logs: LogBook) -> None:
        """Starts its instances. Raises StartError if one of them does not become healthy; then nothing is left."""
        program = stages.programs.get(settings.image)
        if program is None:
            logs.write("the image is not registered: simulated", revision=self.revision)
            return
        if name := refused_variable(program, (*settings.environment, *settings.secrets)):
            raise StartError(f"the image {settings.image!r} takes no variable {name}")
        variables = dict(settings.environment)
        if settings.bindings:
            door = bound.opened(stages.drivers, settings.bindings)
            self._close_door = door.close
            variables.update(door.environment)
        secrets = settings.secrets
        plan = Plan(
            revision=self.revision,
            program=program,
            health_check_path=settings.health_check_path,
            environment=lambda: {**variables, **stages.values_of(secrets)},
        )
        self._fleet = Fleet(plan, stages.settings, stages.guardian, logs, self)
        stages.starting(self)
        try:
            self._fleet.start(settings.min_instances)
        except BaseException:
            self.stop()
            raise
        finally:
            stages.started(self)

    def scale(self, count: int) -> None:
        """Runs so many instances. Raises StartError if a new one does not become healthy."""
        if self._fleet is not None:
            self._fleet.resize(count)

    def show(self) -> None:
        """From now on the front sends requests here."""
        with self._lock:
            self._shown = True
            fleet = self._fleet
            self._front.show(() if fleet is None else fleet.ports, _PAGE if fleet is None else None)

    def stop(self) -> None:
        """Ends its instances and shuts its door."""
        with self._lock:
            self._shown = False
        if self._fleet is not None:
            self._fleet.stop()
        if self._close_door is not None:
            self._close_door()
            self._close_door = None

    @override
    def ready(self, ports: tuple[int, ...], /) -> None:
        with self._lock:
            if self._shown:
                self._front.show(ports, soon=self.broken is None)

    @override
    def drain(self, port: int, seconds: float, /) -> None:
        self._front.drain(port, seconds)

    @override
    def troubled(self, reason: str | None, /) -> None:
        self._owner.troubled(self._id, self.revision, reason)

    @override
    def failed(self, reason: str, /) -> None:
        self.broken = reason
        self.ready(())
        self._owner.failed(self._id, self.revision, reason)


class Stages:
    """What the applications of one platform share."""

    def __init__(self, world: World, settings: WebHostingSettings, owner: Owner) -> None:
        self.world = world
        self.settings = settings
        self.owner = owner
        self.programs = settings.images
        self.guardian = Guardian()
        self._lock = threading.Lock()
        self._fronts: Fronts | None = None
        self._starting: set[Run] = set()
        self._closed = False

    @property
    def fronts(self) -> Fronts:
        """The loop of all fronts, which starts with the first."""
        with self._lock:
            if self._fronts is None:
                self._fronts = Fronts()
            return self._fronts

    @property
    def drivers(self) -> Drivers:
        """The drivers of the platform."""
        return self.world.drivers

    def values_of(self, secrets: dict[str, str]) -> dict[str, str]:
        """The values of secrets, read now. They are in the environment of an instance and nowhere else.

        Raises:
            LCPlatformError: a secret cannot be read, or is nothing that an environment could hold.
        """
        driver = self.world.services.secrets()
        return {
            variable: _text(name, driver.get_secret(build(GetSecretRequest, name=name)).value)
            for variable, name in secrets.items()
        }

    def starting(self, run: Run) -> None:
        """This is about to run: it is stopped if all is closed meanwhile."""
        with self._lock:
            self._starting.add(run)
            closed = self._closed
        if closed:
            run.stop()

    def started(self, run: Run) -> None:
        """It runs, or does not."""
        with self._lock:
            self._starting.discard(run)

    def hurry(self) -> None:
        """Gives up whatever is just starting, and everything that would."""
        with self._lock:
            self._closed = True
            starting = list(self._starting)
        for run in starting:
            run.stop()

    def close(self) -> None:
        """Gives back what they share. Nothing runs any more."""
        self.guardian.close()
        if self._fronts is not None:
            self._fronts.close()


def _text(name: str, value: str | bytes | Json) -> str:
    """The value of a secret as an environment variable."""
    match value:
        case Json():
            return value.text
        case str() if "\0" not in value:
            return value
        case _:
            raise PreconditionFailedError(
                f"secret {name!r} holds what no environment variable can hold", resource=name
            )
