"""Queues of the mock beside those of the AWS provider on an emulator."""

from __future__ import annotations

import random
import re
from datetime import timedelta
from functools import partial
from typing import Any, Final

from typing_extensions import override

from tests.differential.comparison import Differential
from tests.differential.sequences import Known, Recall, Sequences, Step, aws, compared, failed, step
from tests.emulators import start_ministack

_KINDS: Final = {"message_id": "message", "id": "message"}
_OPEN: Final = {
    "receipt_handle": "receipt",
    "sequence": "sequence",
    "etag": "etag",
    "next_page_token": "page",
    "message": "text",
}
_WRONG: Final = ("", "no blank", "a.fifo", "x" * 76)
_BODIES: Final[tuple[Any, ...]] = ("text", "two", {"a": 1}, [1, "b", None], 3.5, True, b"\x00\xff", "ü€", "", "x" * 70_000)  # fmt: skip


def _made(dice: random.Random) -> list[Step]:
    """A queue and perhaps a dead-letter queue, of one kind, and what is done with them."""
    fifo = dice.random() < 0.4
    steps = []
    if dice.random() < 0.95:
        steps.append(step("create_queue", name="~dead", fifo=fifo or None))
        steps.append(_create(dice, fifo, "~a"))
    one = _Fifo(dice) if fifo else _Made(dice)
    return steps + [one.any() for _ in range(dice.randint(4, 14))]


def _seconds(dice: random.Random, *choices: float) -> timedelta:
    return timedelta(seconds=dice.choice(choices))


def _create(dice: random.Random, fifo: bool, name: str) -> Step:
    dead = dice.random() < 0.4
    return step(
        "create_queue",
        name=name,
        fifo=fifo or None,
        visibility_timeout=_maybe(dice, 0.3, _seconds(dice, 0, 30, 43200, 43201)),
        retention=_maybe(dice, 0.2, _seconds(dice, 60, 1209600, 59)),
        delay=_maybe(dice, 0.1, _seconds(dice, 0, 900, 901)),
        max_message_size=_maybe(dice, 0.2, dice.choice((1024, 2048, 1023, 1_048_576, 1_048_577))),
        dead_letter_queue=dice.choices(("~dead", "~missing", "~a"), (9, 1, 0.3))[0]
        if dead
        else None,
        max_receive_count=_maybe(dice, 0.8, dice.choice((1, 2, 1000, 0, 1001))) if dead else None,
    )


def _maybe(dice: random.Random, share: float, value: Any) -> Any:
    return value if dice.random() < share else None


class _Made:
    """Makes steps for queues that keep no order."""

    fifo = False

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def any(self) -> Step:
        """A step."""
        makers = (
            self.send, self.send_many, self.receive, self.delete, self.delete_many, self.visibility, self.visibilities,
            self.update, partial(self.named, "get_queue"), partial(self.named, "purge_queue"), self.peek, self.redrive,
            self.list, partial(self.named, "delete_queue"), self.create,
        )  # fmt: skip
        weights = (6, 2, 8, 4, 1, 3, 1, 2, 2, 0.4, 1, 1, 0.5, 0.4, 0.7)
        return self._dice.choices(makers, weights)[0]()

    def create(self) -> Step:
        return _create(self._dice, self._dice.random() < 0.3, self.name())

    def name(self) -> str:
        return self._dice.choices(
            ("~a", "~dead", "~missing", self._dice.choice(_WRONG)), (14, 2, 0.7, 0.4)
        )[0]

    def sent(self) -> str:
        """Where messages are sent: dead letters are to come from elsewhere."""
        return "~a" if (name := self.name()) == "~dead" else name

    def named(self, operation: str) -> Step:
        return step(operation, name=self.name())

    def message(self) -> dict[str, Any]:
        dice = self._dice
        given: dict[str, Any] = {
            "body": dice.choices(_BODIES, (9, 9, 4, 2, 1, 1, 3, 1, 0.3, 0.3))[0]
        }
        if dice.random() < 0.3:
            given["attributes"] = dice.choice(
                (
                    {"kind": "a"},
                    {"kind": "ü", "n": "1"},
                    {"1": "a"},
                    {"a": ""},
                    {f"a{n}": "1" for n in range(11)},
                    {f"a{n}": "1" for n in range(9)},
                )
            )
        if dice.random() < 0.1:
            given["delay"] = _seconds(dice, 0, 900, 901)
        return given | self.order()

    def order(self) -> dict[str, Any]:
        """What a message says of its group, which is refused here."""
        dice = self._dice
        return dice.choices(({}, {"group_id": "g"}, {"deduplication_id": "d"}), (20, 1, 1))[0]

    def send(self) -> Step:
        message = self.message()
        if self._dice.random() < 0.02:
            message["body"] = "x" * 1_048_577
        return step("send_message", queue=self.sent(), **message)

    def send_many(self) -> Step:
        entries = [self.message() for _ in range(self._dice.choice((1, 2, 3, 3, 10, 0, 11)))]
        return step("send_messages", queue=self.sent(), entries=entries)

    def receive(self) -> Step:
        dice = self._dice
        return step(
            "receive_messages",
            queue=self.name(),
            max_messages=_maybe(dice, 0.7, dice.choices((1, 2, 10, 0, 11), (4, 2, 8, 0.2, 0.2))[0]),
            visibility_timeout=_maybe(dice, 0.4, _seconds(dice, 0, 0, 30, 43200, 43201)),
        )

    def receipt(self) -> Recall:
        return Recall("receipt", self._dice.choice((0, 0, 0, 1, 2)), "no-such-receipt")

    def delete(self) -> Step:
        return step("delete_message", queue=self.name(), receipt_handle=self.receipt())

    def delete_many(self) -> Step:
        handles = [self.receipt() for _ in range(self._dice.choice((1, 2, 3, 0, 11)))]
        return step("delete_messages", queue=self.name(), receipt_handles=handles)

    def timeout(self) -> timedelta:
        return _seconds(self._dice, 0, 0, 0, 30, 43200, 43201)

    def visibility(self) -> Step:
        return step(
            "change_visibility",
            queue=self.name(),
            receipt_handle=self.receipt(),
            visibility_timeout=self.timeout(),
        )

    def visibilities(self) -> Step:
        entries = [
            {"receipt_handle": self.receipt(), "visibility_timeout": self.timeout()}
            for _ in range(self._dice.choice((1, 2, 0, 11)))
        ]
        return step("change_visibilities", queue=self.name(), entries=entries)

    def update(self) -> Step:
        dice = self._dice
        return step(
            "update_queue",
            name=self.name(),
            visibility_timeout=_maybe(dice, 0.4, _seconds(dice, 0, 30, 43200, 43201)),
            retention=_maybe(dice, 0.2, _seconds(dice, 60, 1209600, 59)),
            max_message_size=_maybe(dice, 0.2, dice.choice((1024, 2048, 1023))),
            dead_letter_queue=_maybe(dice, 0.2, dice.choice(("~dead", "~dead", "~missing"))),
            max_receive_count=_maybe(dice, 0.2, dice.choice((1, 3, 0, 1001))),
            clear=_maybe(dice, 0.1, [dice.choice(("dead_letter_queue", "name"))]),
            if_match=_maybe(dice, 0.3, Recall("etag", dice.choice((0, 0, 1)))),
        )

    def peek(self) -> Step:
        return step(
            "peek_dead_letters",
            queue=self.name(),
            max_messages=_maybe(self._dice, 0.3, self._dice.choice((1, 10, 0, 11))),
        )

    def redrive(self) -> Step:
        return step(
            "redrive_dead_letters",
            queue=self.name(),
            max_messages=_maybe(self._dice, 0.3, self._dice.choice((1, 10, 0))),
        )

    def list(self) -> Step:
        return step("list_queues", prefix="~")


class _Fifo(_Made):
    """Makes steps for queues that keep the order of their groups."""

    fifo = True

    @override
    def order(self) -> dict[str, Any]:
        dice = self._dice
        given: dict[str, Any] = {}
        if dice.random() < 0.95:
            given["group_id"] = dice.choice(
                ("g", "g", "h", "no blank" if dice.random() < 0.1 else "i")
            )
        if dice.random() < 0.4:
            given["deduplication_id"] = dice.choice(("d", "e", "f"))
        return given


_CONTENT: Final = re.compile("[0-9a-f]{64}")


def _meant(answer: Any) -> Any:
    """What stands for the content of a message, where no deduplication id was given, is no name that was agreed on."""
    for it in answer.get("messages", ()):
        if _CONTENT.fullmatch(it["deduplication_id"] or ""):
            it["deduplication_id"] = "by content"
    return answer


def _uncounted(answer: Any) -> Any:
    if "messages" not in answer:
        return answer
    return {**answer, "messages": [{**it, "receive_count": 0} for it in answer["messages"]]}


def _in_order(ours: list[Any], theirs: list[Any]) -> bool:
    """Whether both have the messages of each group in one order, as far as they have them."""

    def of(messages: list[Any], group: str) -> list[str]:
        return [it["id"] for it in messages if it["group_id"] == group]

    groups = {it["group_id"] for it in (*ours, *theirs)} - {None}
    return all(
        one == other
        for group in groups
        for one, other in zip(of(ours, group), of(theirs, group), strict=False)
    )


_STORIES: Final = (
    (
        step("create_queue", name="~a", fifo=True, max_message_size=1024),
        step("send_message", queue="~a", body="x" * 1025, group_id="g", delay=timedelta(seconds=1)),
    ),
    # A message dies at its second receipt, and is looked at.
    (
        step("create_queue", name="~dead"),
        step("create_queue", name="~a", dead_letter_queue="~dead", max_receive_count=1),
        step("send_message", queue="~a", body="text"),
        step("receive_messages", queue="~a", visibility_timeout=timedelta()),
        step("receive_messages", queue="~a"),
        step("peek_dead_letters", queue="~a"),
        step("receive_messages", queue="~dead", visibility_timeout=timedelta()),
        step("redrive_dead_letters", queue="~a"),
        step("receive_messages", queue="~a"),
    ),
)
_KNOWN: Final = (
    Known(
        "a look at dead letters",
        "SQS shows a message to a receiver only, and counts it; the mock looks at it without that.",
        lambda asked, ours, theirs, before: (
            any(it.operation == "peek_dead_letters" for it in (*before, asked))
            and not failed(ours)
            and _uncounted(ours) == _uncounted(theirs)
        ),
        goes_on=True,
    ),
    Known(
        "hidden for longer than twelve hours",
        "ministack hides a message for twelve hours from now on; SQS refuses more than twelve hours since it was received.",
        lambda asked, ours, theirs, _: (
            asked.operation == "change_visibility"
            and asked.words["visibility_timeout"] == timedelta(seconds=43200)
            and failed(ours, "VALIDATION")
            and not failed(theirs)
        ),
    ),
    Known(
        "a message that nobody holds",
        "ministack changes its visibility; SQS refuses that.",
        lambda asked, ours, theirs, _: (
            asked.operation == "change_visibility"
            and failed(ours, "PRECONDITION_FAILED")
            and not failed(theirs)
        ),
    ),
    Known(
        "a receipt of the past",
        "ministack forgets the receipts of a message that is deleted, or was received again; SQS takes them.",
        lambda asked, ours, theirs, _: (
            asked.operation in {"delete_message", "change_visibility"}
            and not failed(ours, "VALIDATION")
            and failed(theirs, "VALIDATION")
            and theirs["fields"] == ["receipt_handle"]
        ),
    ),
    Known(
        "an expired receipt",
        "ministack takes the receipt of a message of a FIFO queue whose visibility timeout is over; SQS refuses it.",
        lambda asked, ours, theirs, before: (
            asked.operation == "delete_message"
            and failed(ours, "VALIDATION")
            and not failed(theirs)
            and any(it.words.get("fifo") for it in before)
        ),
    ),
    Known(
        "which message comes first",
        "There is no order but that of a message group, so that others may come where not all do.",
        lambda asked, ours, theirs, _: (
            asked.operation in {"receive_messages", "peek_dead_letters"}
            and not failed(ours)
            and not failed(theirs)
            and len(ours["messages"]) == len(theirs["messages"])
            and [it["id"] for it in ours["messages"]] != [it["id"] for it in theirs["messages"]]
            and _in_order(ours["messages"], theirs["messages"])
        ),
    ),
    Known(
        "two that are wrong",
        "Which of them is named is left open: a body that is too large for its queue is told by SQS, a delay by the driver.",
        lambda asked, ours, theirs, _: (
            asked.operation == "send_message"
            and failed(ours, "VALIDATION")
            and {**ours, "fields": theirs.get("fields")} == theirs
            and ours["fields"] == ["body"]
            and "delay" in asked.words
        ),
        goes_on=True,
    ),
    Known(
        "an entry of a batch about such a message",
        "The same, one by one.",
        lambda asked, ours, theirs, _: (
            asked.operation in {"delete_messages", "change_visibilities"}
            and not failed(ours)
            and not failed(theirs)
        ),
    ),
)
_SEQUENCES: Final = Sequences(
    "queue",
    _made,
    _KINDS,
    _OPEN,
    unordered={"queues": "name"},
    stories=_STORIES,
    meant=_meant,
    known=_KNOWN,
)

DIFFERENTIAL: Final = Differential(
    "aws on ministack",
    lambda cases, seed: compared(_SEQUENCES, lambda: aws(start_ministack()), cases, seed),
    _SEQUENCES.reasons(),
    strict=True,
    portion=60,
)
