"""What a differential test is, and the tally of what it finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from typing_extensions import override


@dataclass(frozen=True, slots=True)
class Difference:
    """Both sides were given the same and answered differently."""

    case: str
    ours: object
    theirs: object

    @override
    def __str__(self) -> str:
        return f"{self.case}\n    ours:   {self.ours}\n    theirs: {self.theirs}"


@dataclass(slots=True)
class Tally:
    """What came out of the cases so far.

    Attributes:
        same: in how many both sides answered the same.
        known: how many differ in a way that is known, by its name.
        unexplained: those that differ in any other way.
    """

    same: int = 0
    known: Counter[str] = field(default_factory=Counter)
    unexplained: list[Difference] = field(default_factory=list)

    @property
    def cases(self) -> int:
        """How many cases there were."""
        return self.same + self.known.total() + len(self.unexplained)

    def add(
        self,
        case: str,
        ours: object,
        theirs: object,
        explain: Callable[[], str | None] = lambda: None,
    ) -> None:
        """Counts a case. `explain` is asked about one that differs: for the name of a known difference, or for none."""
        if ours == theirs:
            self.same += 1
        elif (name := explain()) is not None:
            self.known[name] += 1
        else:
            self.unexplained.append(Difference(case, ours, theirs))


@dataclass(frozen=True, slots=True)
class Differential:
    """A comparison of something of ours with something that others have made.

    A module of this folder that has one as `DIFFERENTIAL` is found by itself, under the module's name.

    Attributes:
        against: what ours is compared with.
        compare: makes at least so many cases from a seed (all there are, where they are not made) and counts them.
        known: what is known to differ, by its name: why, and where that is written.
        strict: whether each known difference is met in a whole run, so that one that is no more can be struck off.
        portion: so many cases are made in every run of the tests.
    """

    against: str
    compare: Callable[[int, int], Tally]
    known: dict[str, str] = field(default_factory=dict)
    strict: bool = False
    portion: int = 300
