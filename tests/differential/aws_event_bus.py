"""Event buses of the mock beside those of the AWS provider on ministack: buses, rules and targets, and which events match."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any, Final

from tests.differential.comparison import Differential
from tests.differential.sequences import Known, Recall, Sequences, Step, aws, compared, step
from tests.emulators import start_ministack
from tests.unit.runtime.patterns.workload import Workload

_KINDS: Final[dict[str, str]] = {}
_OPEN: Final = {
    "etag": "etag",
    "event_id": "event",
    "next_page_token": "page",
    "message": "text",
}
_WRONG: Final = ("", "no blank", "-a", "x" * 65)
_PATTERNS: Final[tuple[Any, ...]] = (
    {}, {"source": []}, {"source": "a"}, {"source": [{"prefix": 1}]}, [], {"nothing": ["a"]}, {"data": {}}, {"data": "text"},
    {"source": ["a"], "unknown": {"a": ["b"]}}, {"source": [{"regex": "a"}]}, {"data": {"a": [{"numeric": ["<", "1"]}]}},
    {"time": ["2024-01-01T00:00:00Z"]}, {"id": [{"exists": True}]}, {"source": [{"wildcard": "a**"}]}, {"ext": ["a"]},
)  # fmt: skip


_ODD: Final[tuple[dict[str, Any], ...]] = (
    {"metadata": {"ext": "a"}}, {"metadata": {"No": "a"}}, {"id": ""}, {"data": []}, {"source": ""}, {"type": "x" * 129},
)  # fmt: skip


def _made(dice: random.Random) -> list[Step]:
    """A bus, a rule and a queue, and what is done with them."""
    made = _Made(dice)
    steps = [step("queue.create_queue", name="~q")]
    if dice.random() < 0.95:
        steps.append(step("create_event_bus", name="~a"))
    if dice.random() < 0.8:
        steps.append(step("create_rule", bus="~a", name="r", pattern=made.pattern()))
    return steps + [made.any() for _ in range(dice.randint(4, 12))]


class _Made:
    """Makes steps."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._work = Workload(dice.randrange(2**30))

    def any(self) -> Step:
        """A step."""
        makers = (
            self.matched, self.create_rule, self.update_rule, self.delete_rule, self.list_rules, self.add, self.remove,
            self.targets, self.publish, self.publish_many, self.create, self.drop, self.archive,
        )  # fmt: skip
        return self._dice.choices(makers, (8, 3, 4, 1, 2, 5, 2, 3, 2, 1, 0.7, 0.7, 0.7))[0]()

    def maybe(self, share: float, value: Any) -> Any:
        return value if self._dice.random() < share else None

    def bus(self) -> str:
        return self._dice.choices(
            ("~a", "~b", "~missing", self._dice.choice(_WRONG)), (16, 1, 0.7, 0.3)
        )[0]

    def rule(self) -> str:
        return self._dice.choices(
            ("r", "s", "missing", self._dice.choice(_WRONG)), (12, 4, 0.7, 0.3)
        )[0]

    def place(self) -> dict[str, str]:
        return {"bus": self.bus(), "name": self.rule()}

    def pattern(self) -> Any:
        return self._dice.choice(_PATTERNS) if self._dice.random() < 0.2 else self._work.pattern()

    def event(self) -> dict[str, Any]:
        dice = self._dice
        made = self._work.event()
        event: dict[str, Any] = {
            "source": made.get("source") or "a",
            "type": made.get("type") or "a",
            "data": made.get("data") if isinstance(made.get("data"), dict) else {},
        }
        if isinstance(subject := made.get("subject"), str) and subject:
            event["subject"] = subject
        if dice.random() < 0.1:
            event |= dice.choice(_ODD)
        return event

    def matched(self) -> Step:
        return step("test_event_pattern", pattern=self.pattern(), event={"id": "1", **self.event()})

    def create_rule(self) -> Step:
        return step(
            "create_rule",
            **self.place(),
            pattern=self.pattern(),
            description=self.maybe(0.3, self._dice.choice(("what for", "", "x" * 513))),
            enabled=self.maybe(0.2, False),
        )

    def etag(self) -> Any:
        return Recall("etag", self._dice.choice((0, 0, 0, 1)))

    def update_rule(self) -> Step:
        return step(
            "update_rule",
            **self.place(),
            pattern=self.maybe(0.4, self.pattern()),
            description=self.maybe(0.3, self._dice.choice(("what for", "another", ""))),
            enabled=self.maybe(0.3, self._dice.random() < 0.5),
            clear=self.maybe(0.25, [self._dice.choices(("description", "name"), (9, 1))[0]]),
            if_match=self.maybe(0.3, self.etag()),
        )

    def delete_rule(self) -> Step:
        return step("delete_rule", **self.place(), if_match=self.maybe(0.3, self.etag()))

    def list_rules(self) -> Step:
        return step(
            "list_rules",
            bus=self.bus(),
            prefix=self.maybe(0.3, self._dice.choice(("r", "s", "none"))),
            page_size=self.maybe(0.1, self._dice.choice((0, 100, 101))),
        )

    def target(self) -> dict[str, str]:
        return {
            "bus": self.bus(),
            "rule": self.rule(),
            "target_id": self._dice.choices(
                ("t", "u", self._dice.choice(("", "no blank"))), (8, 4, 0.3)
            )[0],
        }

    def add(self) -> Step:
        dice = self._dice
        targets = (
            {"queue": "~q"},
            {"queue": "~missing"},
            {"queue": "~q", "group_id": "g"},
            {"url": "http://127.0.0.1:9/"},
            {"log": "log"},
            {"topic": "~missing"},
            {"url": "ftp://a"},
        )
        transforms = (
            {"paths": {"a": "$.data.p"}, "template": '{"a": <a>}'},
            {"template": '"text"'},
            {"paths": {"a": "p"}, "template": "<a>"},
            {"template": ""},
            {"template": "{"},
            {"template": "<unknown>"},
        )
        retries = (
            {"max_retries": 3},
            {"max_age": timedelta(minutes=5)},
            {"max_retries": 186},
            {"max_age": timedelta(seconds=59)},
        )
        return step(
            "add_target",
            **self.target(),
            target=dice.choices(targets, (12, 1, 1, 0, 3, 1, 0.5))[0],
            transform=self.maybe(0.2, dice.choice(transforms)),
            retry=self.maybe(0.2, dice.choice(retries)),
            dead_letter_queue=self.maybe(0.2, dice.choice(("~q", "~q", "~missing"))),
        )

    def remove(self) -> Step:
        return step("remove_target", **self.target())

    def targets(self) -> Step:
        return step("list_targets", bus=self.bus(), rule=self.rule())

    def publish(self) -> Step:
        return step("publish_event", bus=self.bus(), **self.event())

    def publish_many(self) -> Step:
        number = self._dice.choices((1, 2, 3, 0, 11), (4, 4, 4, 0.5, 0.5))[0]
        return step(
            "publish_events",
            bus=self.bus(),
            entries=[{"id": f"e{n}", **self.event()} for n in range(number)],
        )

    def create(self) -> Step:
        return step("create_event_bus", name=self.bus())

    def drop(self) -> Step:
        return step("delete_event_bus", name=self.bus())

    def archive(self) -> Step:
        return self._dice.choice(
            (
                step(
                    "create_archive",
                    bus=self.bus(),
                    name="~arch",
                    pattern=self.maybe(0.5, self.pattern()),
                ),
                step("list_archives", bus=self.bus()),
                step("delete_archive", bus=self.bus(), name="~arch"),
            )
        )


_STORIES: Final = (
    (
        step("create_event_bus", name="~a"),
        step("create_rule", bus="~a", name="r", pattern={"source": ["a"]}, description="what for"),
        step("update_rule", bus="~a", name="r", clear=["description"]),
        step("list_rules", bus="~a"),
    ),
)
_KNOWN: Final = (
    Known(
        "a description that is cleared",
        "ministack keeps the description of a rule that is put again without one; EventBridge does not.",
        lambda asked, ours, theirs, before: any(
            "description" in it.words.get("clear", ()) for it in before
        ),
    ),
)
_SEQUENCES: Final = Sequences(
    "event_bus",
    _made,
    _KINDS,
    _OPEN,
    unordered={"rules": "name", "targets": "target_id", "buses": "name", "archives": "name"},
    stories=_STORIES,
    known=_KNOWN,
)

DIFFERENTIAL: Final = Differential(
    "aws on ministack",
    lambda cases, seed: compared(_SEQUENCES, lambda: aws(start_ministack()), cases, seed),
    _SEQUENCES.reasons(),
    strict=True,
    portion=60,
)
