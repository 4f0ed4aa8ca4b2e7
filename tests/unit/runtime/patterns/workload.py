"""Random patterns and events that have something to do with each other, for tests that compare matchers.

They are made of few names and few values, so that patterns match often enough, and fail at each of their parts.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final, TypeAlias

Value: TypeAlias = "dict[str, Value] | list[Value] | str | int | float | bool | None"

TEXTS: Final = (
    "",
    "a",
    "ab",
    "abc",
    "abcd",
    "b",
    "Ab",
    "AB",
    "aBc",
    "x*y",
    "10.0.0.1",
    "10.0.1.7",
    "::1",
    "a.b.c",
    "1",
)
NUMBERS: Final = (0, 1, -1, 2, 2.5, 3, 10, 1.0, 100, 1e3)
CONSTANTS: Final = (True, False, None)
NETWORKS: Final = ("10.0.0.0/24", "10.0.0.0/8", "10.0.1.4/30", "0.0.0.0/0", "::/16", "::/64")
WILDCARDS: Final = ("*", "a*", "*c", "a*c", "*b*", "a*b*c", "*.*.*", "x\\*y", "x*y")
LEAVES: Final = ("p", "q", "r")
INNER: Final = ("m", "n")
TOP: Final = ("source", "type", "subject")


class Workload:
    """Patterns and events of one seed."""

    def __init__(self, seed: int, *, arrays: bool = True) -> None:
        self._dice = random.Random(seed)
        self._arrays = arrays
        self._operators: tuple[Callable[[], Value], ...] = (
            lambda: {"prefix": self._text()},
            lambda: {"prefix": {"equals-ignore-case": self._text()}},
            lambda: {"suffix": self._text()},
            lambda: {"suffix": {"equals-ignore-case": self._text()}},
            lambda: {"equals-ignore-case": self._text()},
            lambda: {"wildcard": self._dice.choice(WILDCARDS)},
            lambda: {"numeric": self._comparison()},
            lambda: {"cidr": self._dice.choice(NETWORKS)},
            lambda: {"exists": self._dice.random() < 0.5},
            lambda: {"anything-but": self._others()},
        )

    # --- events

    def event(self) -> dict[str, Value]:
        """An event as the matchers see it."""
        event: dict[str, Value] = {
            name: self._text() for name in TOP if name != "subject" or self._dice.random() < 0.8
        }
        event["data"] = self._object(2)
        return event

    def _object(self, depth: int) -> dict[str, Value]:
        made: dict[str, Value] = {
            name: self._leaf() for name in LEAVES if self._dice.random() < 0.7
        }
        if depth:
            made |= {name: self._inner(depth - 1) for name in INNER if self._dice.random() < 0.7}
        return made

    def _inner(self, depth: int) -> Value:
        chance = self._dice.random()
        if not self._arrays or chance < 0.6:
            return self._object(depth)
        if chance < 0.9:
            return [self._inner(depth) for _ in range(self._dice.randrange(4))]
        return self._leaf()

    def _leaf(self) -> Value:
        chance = self._dice.random()
        if not self._arrays or chance < 0.8:
            return self._scalar()
        if chance < 0.97:
            return [self._leaf() for _ in range(self._dice.randrange(4))]
        return {"z": self._scalar()}

    def _scalar(self) -> Value:
        kind: tuple[Value, ...] = self._dice.choice((TEXTS, TEXTS, NUMBERS, CONSTANTS))
        return self._dice.choice(kind)

    def _text(self) -> str:
        return self._dice.choice(TEXTS)

    # --- patterns

    def pattern(self) -> dict[str, Value]:
        """A pattern that is accepted."""
        made: dict[str, Value] = {name: self._values() for name in TOP if self._dice.random() < 0.2}
        if self._dice.random() < 0.9 or not made:
            made["data"] = self._fields(2, self._dice.random() < 0.25)
        return made

    def _fields(self, depth: int, either: bool) -> dict[str, Value]:
        names = self._dice.sample(LEAVES, self._dice.randrange(0 if either else 1, 3))
        made: dict[str, Value] = {name: self._values() for name in names}
        if depth and self._dice.random() < 0.5:
            inner = self._dice.choice(INNER)
            made[inner] = self._fields(depth - 1, either and self._dice.random() < 0.2)
        if either:
            # No field is named twice, so the alternatives have names that nothing else has.
            free = [it for it in (*LEAVES, *INNER) if it not in made]
            made["$or"] = [
                {self._dice.choice(free): self._values()} for _ in range(self._dice.randrange(2, 4))
            ]
        return made

    def _values(self) -> Value:
        return [self._value() for _ in range(self._dice.choice((1, 1, 1, 2, 3)))]

    def _value(self) -> Value:
        return self._scalar() if self._dice.random() < 0.4 else self._dice.choice(self._operators)()

    def _comparison(self) -> Value:
        low, high = sorted(self._dice.sample(sorted(set(NUMBERS)), 2))
        choices: tuple[list[Value], ...] = (
            [">", low], [">=", low], ["<", high], ["<=", high], ["=", low],
            [">", low, "<", high], [">=", low, "<=", high],
        )  # fmt: skip
        return self._dice.choice(choices)

    def _others(self) -> Value:
        text, texts = self._dice.choice(TEXTS[1:]), list(self._dice.sample(TEXTS[1:], 2))
        number, numbers = self._dice.choice(NUMBERS), list(self._dice.sample(NUMBERS, 2))
        choices: tuple[Value, ...] = (
            text, [*texts], number, [*numbers],
            {"prefix": text}, {"prefix": [*texts]}, {"suffix": text}, {"suffix": [*texts]},
            {"equals-ignore-case": text}, {"equals-ignore-case": [*texts]},
            {"wildcard": self._dice.choice(WILDCARDS)}, {"wildcard": ["a*", "*c"]},
        )  # fmt: skip
        return self._dice.choice(choices)
