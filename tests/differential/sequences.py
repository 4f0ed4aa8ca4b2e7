"""Sequences of operations on two platforms: both are asked the same, step by step, and answer the same or fail with the same error.

What the contract leaves to the provider is compared by what it stands for: the n-th version or message that a sequence met,
that there is an etag, and moments by how many days they are away. A sequence ends where its answers differ, since both sides
are in different states then. One whose difference nobody knows is made as short as it can be before it is shown.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import partial
from typing import Any, Final, TypeAlias

from typing_extensions import override

from lcplatform import CallOptions, Json, LCPlatform, RetryPolicy
from lcplatform_runtime.errors import LCPlatformError
from lcplatform_runtime.model import Model
from lcplatform_runtime.streams import Download
from tests.differential.comparison import Tally

Plain: TypeAlias = Any
"""An answer as plain values that can be compared: `{"error": …}`, or the fields of the answer."""

NAMESPACE: Final = "~"
"""Stands, in a step, for what the names of its sequence begin with."""

# Each call is made once, and by the driver: neither tried again nor answered from a cache.
_ONCE: Final = CallOptions(retry=RetryPolicy(max_attempts=1), bypass_cache=True)
_DAY: Final = timedelta(days=1)
_SHRUNK: Final = 8
_RUNS: Final = 120


@dataclass(frozen=True, slots=True)
class Recall:
    """Something that the sequence was answered before about the same resource: the last etag, the one before it, and so on, in
    a circle."""

    kind: str
    back: int = 0
    otherwise: str = "none-was-given"

    @override
    def __repr__(self) -> str:
        return f"<{self.kind} {-1 - self.back}>"


@dataclass(frozen=True, slots=True)
class Step:
    """One operation and what it is given. That of another service is named with it: `queue.create_queue`."""

    operation: str
    words: Mapping[str, Any]

    @override
    def __str__(self) -> str:
        words = ", ".join(f"{name}={_short(value)}" for name, value in self.words.items())
        return f"{self.operation}({words})"


def step(operation: str, /, **words: Any) -> Step:
    """A step that is given these words; those that are None are left out."""
    return Step(operation, {name: it for name, it in words.items() if it is not None})


Explained: TypeAlias = Callable[[Step, Plain, Plain, Sequence[Step]], bool]
"""Whether a difference is the known one: the step, our answer and theirs, and the steps before it."""


@dataclass(frozen=True, slots=True)
class Known:
    """A difference that is known: what it is called, whose fault it is, and how it is told from others."""

    name: str
    reason: str
    told: Explained
    goes_on: bool = False
    """Both sides are in the same state all the same, so the sequence need not end."""


@dataclass(frozen=True, slots=True)
class Sequences:
    """What is asked of one service.

    Attributes:
        made: makes one sequence.
        kinds: what is opaque in answers and the same wherever it is met again: the kind of value, by the name of the field.
        open: the same of what may look different each time.
        unordered: the lists in whose order the provider is free, and the field that tells their items apart.
        stories: sequences that chance would make too rarely.
        meant: gives an answer without what the contract does not mean.
        known: the differences that are known.
    """

    service: str
    made: Callable[[random.Random], Sequence[Step]]
    kinds: Mapping[str, str]
    open: Mapping[str, str] = field(default_factory=dict)
    unordered: Mapping[str, str] = field(default_factory=dict)
    stories: Sequence[Sequence[Step]] = ()
    meant: Callable[[Plain], Plain] = lambda answer: answer
    known: Sequence[Known] = ()

    def reasons(self) -> dict[str, str]:
        """Why what is known differs, by its name."""
        return {it.name: it.reason for it in self.known}


@dataclass(slots=True)
class _Side:
    """A platform that is taken through a sequence."""

    platform: LCPlatform
    asked: Sequences
    namespace: str
    memory: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    symbols: dict[str, list[str]] = field(default_factory=dict)
    about: str = ""

    def ask(self, asked: Step) -> Plain:
        """What it answers."""
        self.about = _about(asked.words)
        source = _about(
            {name.removeprefix("source_"): it for name, it in asked.words.items() if name != "key"}
        )
        words = {
            name: self._meant(value, source if name.startswith("source_") else self.about)
            for name, value in asked.words.items()
        }
        try:
            service, _, operation = asked.operation.rpartition(".")
            client = getattr(self.platform, service or self.asked.service)
            answer = getattr(client, operation)(**words, options=_ONCE)
            if isinstance(answer, Download):
                with answer:
                    return self.asked.meant(
                        {"header": self._plain(answer.header), "body": answer.read()}
                    )
            return self.asked.meant(self._plain(answer))
        except LCPlatformError as error:
            return {
                "error": error.code,
                "operation": error.operation,
                "resource": self._named(error.resource or ""),
                "retryable": error.retryable,
                "outcome": error.outcome.value,
                "fields": sorted({it.field for it in error.violations}),
            }

    def _meant(self, value: Any, about: str) -> Any:
        match value:
            case Recall():
                known = self.memory.get((value.kind, about)) or self.memory.get((value.kind, ""))
                return known[-1 - value.back % len(known)] if known else value.otherwise
            case str():
                return value.replace(NAMESPACE, self.namespace)
            case dict():
                inner = f"{about}/{value['key']}" if "key" in value else about
                return {
                    self._meant(name, about): self._meant(it, inner) for name, it in value.items()
                }
            case list():
                return [self._meant(it, about) for it in value]
            case _:
                return value

    def _plain(self, value: Any, name: str = "") -> Plain:
        match value:
            case Model():
                fields = type(value).model_fields
                return {it: self._plain(getattr(value, it), it) for it in fields}
            case tuple() | list():
                if (key := self.asked.unordered.get(name)) is not None:
                    value = sorted(value, key=lambda it: str(getattr(it, key)))
                return [self._plain(it, name) for it in value]
            case Mapping():
                return {self._named(it): self._plain(inner) for it, inner in value.items()}
            case datetime():
                return f"{round((value - datetime.now(UTC)) / _DAY)} days"
            case Json():
                return ("json", self._named(str(value.value)))
            case Enum():
                return value.value
            case str():
                return self._text(name, value)
            case _:
                return value

    def _text(self, name: str, value: str) -> str:
        kind, free = self.asked.kinds.get(name), self.asked.open.get(name)
        if not value or not (kind or free):
            return self._named(value)
        self.memory.setdefault((kind or free or "", self.about), []).append(value)
        if kind is None:
            return f"some {free}"
        met = self.symbols.setdefault(kind, [])
        if value not in met:
            met.append(value)
        return f"{kind} {met.index(value)}"

    def _named(self, text: str) -> str:
        return text.replace(self.namespace, NAMESPACE)


def _about(words: Mapping[str, Any]) -> str:
    """What a step is about, by its name."""
    return "/".join(
        str(words[it]) for it in ("bus", "bucket", "queue", "rule", "name", "key") if it in words
    )


class Comparison:
    """Takes two platforms through sequences."""

    def __init__(self, asked: Sequences, ours: LCPlatform, theirs: LCPlatform) -> None:
        self._asked = asked
        self._ours = ours
        self._theirs = theirs
        self._numbers = itertools.count()
        self._shown: set[str] = set()

    def sequence(self, steps: Sequence[Step], tally: Tally) -> None:
        """Counts each step of a sequence as a case."""
        for at, (asked, ours, theirs) in enumerate(self._answers(steps)):
            before = steps[:at]
            known = None if ours == theirs else self._known(asked, ours, theirs, before)
            case = ""
            if ours != theirs and known is None:
                case, ours, theirs = self._shortest(steps[: at + 1], ours, theirs)
            tally.add(case, ours, theirs, partial(getattr, known, "name", None))
            if ours != theirs and not (known and known.goes_on):
                return

    def _answers(self, steps: Sequence[Step]) -> Iterator[tuple[Step, Plain, Plain]]:
        namespace = f"s{next(self._numbers)}-"
        ours = _Side(self._ours, self._asked, namespace)
        theirs = _Side(self._theirs, self._asked, namespace)
        for it in steps:
            yield it, ours.ask(it), theirs.ask(it)

    def _known(
        self, asked: Step, ours: Plain, theirs: Plain, before: Sequence[Step]
    ) -> Known | None:
        found = (it for it in self._asked.known if it.told(asked, ours, theirs, before))
        return next(found, None)

    def _shortest(
        self, steps: Sequence[Step], ours: Plain, theirs: Plain
    ) -> tuple[str, Plain, Plain]:
        """The shortest sequence found whose last step still differs, as text, and its answers. Those of a kind that was shown
        before stay as they are: there is nothing new to see."""
        kind = f"{steps[-1].operation} {_gist(ours)} {_gist(theirs)}"
        if kind not in self._shown and len(self._shown) < _SHRUNK:
            self._shown.add(kind)
            left, at = _RUNS, len(steps) - 2
            while at >= 0 and left:
                left -= 1
                fewer = [*steps[:at], *steps[at + 1 :]]
                if (answers := self._still_differs(fewer)) is not None:
                    steps, (ours, theirs) = fewer, answers
                at = min(at, len(steps) - 1) - 1
        return "\n    ".join(map(str, steps)), ours, theirs

    def _still_differs(self, steps: Sequence[Step]) -> tuple[Plain, Plain] | None:
        for at, (asked, ours, theirs) in enumerate(self._answers(steps)):
            if ours != theirs:
                known = self._known(asked, ours, theirs, steps[:at])
                if at == len(steps) - 1 and known is None:
                    return ours, theirs
                if not (known and known.goes_on):
                    return None
        return None


def compared(
    asked: Sequences,
    platforms: Callable[[], AbstractContextManager[LCPlatform]],
    cases: int,
    seed: int,
    **mock: Any,
) -> Tally:
    """Compares the mock with another platform, on sequences until there are so many cases."""
    tally, dice = Tally(), random.Random(seed)
    with platforms() as theirs, LCPlatform("mock", **mock) as ours:
        both = Comparison(asked, ours, theirs)
        for story in asked.stories:
            both.sequence(story, tally)
        while tally.cases < cases:
            both.sequence(asked.made(dice), tally)
    return tally


@contextmanager
def aws(server: AbstractContextManager[Any], **options: Any) -> Iterator[LCPlatform]:
    """The AWS provider on an emulator."""
    with (
        server as emulator,
        LCPlatform(
            "aws",
            endpoint_url=emulator.url,
            region="us-east-1",
            access_key_id="testing",
            secret_access_key="testing",
            **options,
        ) as platform,
    ):
        yield platform


def failed(answer: Plain, code: str = "") -> bool:
    """Whether an answer is an error, or this one."""
    return isinstance(answer, dict) and "error" in answer and code in {"", answer["error"]}


def _gist(answer: Plain) -> str:
    return str(answer["error"]) if failed(answer) else "answer"


def _short(value: Any) -> str:
    if isinstance(value, str | bytes) and len(value) > 60:
        return f"{value[:20]!r} of {len(value)}"
    return repr(value)
