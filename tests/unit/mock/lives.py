"""What is put to the test against a model is, in between, closed and opened again, and goes back to what it was before."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Final, Generic, TypeVar

from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from typing_extensions import override

from lcplatform.drivers import Drivers
from lcplatform.errors import LCPlatformError
from lcplatform_mock.provider import provider
from lcplatform_mock.service import Service
from lcplatform_runtime.testing.clock import ManualClock

M = TypeVar("M")
T = TypeVar("T")

_CALM: Final = 5
"""So many steps pass between two that go for the whole state: what lies between them is what matters."""


def bounded(examples: int, steps: int = 80) -> settings:
    """The same examples in every run, few of them, and as they are, since making one smaller takes minutes. Whoever
    searches says `--hypothesis-profile=thorough`."""
    if settings.get_current_profile_name() == "thorough":
        return settings()
    return settings(
        derandomize=True,
        database=None,
        max_examples=examples,
        stateful_step_count=steps,
        phases=(Phase.generate,),
    )


def attempt(call: Callable[[], T]) -> tuple[T, None] | tuple[None, type]:
    """What came of a call that may be refused: its result, or the type of its error."""
    try:
        return call(), None
    except LCPlatformError as error:
        return None, type(error)


class Lives(RuleBasedStateMachine, Generic[M]):
    """A service of the mock in a directory, next to a model of it.

    Attributes:
        options: what the mock is connected with.
        clock: its time, which stands still but for the rules that move it.
        model: what must be true of the service. It goes back to what it was together with the service.
    """

    options: ClassVar[Mapping[str, object]] = {}

    def __init__(self, model: M) -> None:
        super().__init__()
        self._folder = TemporaryDirectory(prefix="lcplatform-lives-")
        self._steps = 0
        self._kept: tuple[Any, M] | None = None  # the state of whichever service it is
        self.clock = ManualClock()
        self.model = model
        self._open()

    @abstractmethod
    def taken(self, drivers: Drivers) -> Service[Any]:
        """Takes the service of a new life."""

    @property
    def now(self) -> float:
        """How many seconds have passed."""
        return self.clock.monotonic()

    def pass_time(self, by: timedelta) -> None:
        """Moves the time on."""
        self.clock.advance(by)
        self.settle()

    def settle(self) -> None:
        """Has happen to the model what time has brought about."""

    def _open(self) -> None:
        options = {**self.options, "clock": self.clock, "state": Path(self._folder.name)}
        self._drivers = provider.connect(options, asynchronous=False)
        self._service = self.taken(self._drivers)

    @precondition(lambda self: self._steps >= _CALM)
    @rule()
    def open_again(self) -> None:
        self._steps = 0
        self._kept = None  # what was kept ends with the life
        self._drivers.close()
        self._open()

    @precondition(lambda self: self._steps >= _CALM and self._kept is None)
    @rule()
    def keep(self) -> None:
        self._steps = 0
        self._kept = self._service.snapshot(), deepcopy(self.model)

    @precondition(lambda self: self._steps >= _CALM and self._kept is not None)
    @rule()
    def go_back(self) -> None:
        self._steps = 0
        assert self._kept is not None
        state, model = self._kept
        self._service.restore(state)
        self._kept, self.model = None, model
        self.settle()

    @invariant()
    def a_step_has_passed(self) -> None:
        self._steps += 1

    @override
    def teardown(self) -> None:
        self._drivers.close()
        self._folder.cleanup()
