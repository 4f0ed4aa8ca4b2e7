"""Secrets of the mock beside those of the AWS provider on ministack and moto."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, Final

from tests.differential.comparison import Differential
from tests.differential.sequences import Known, Recall, Sequences, Step, aws, compared, failed, step
from tests.emulators import start_moto

_KINDS: Final = {"version": "version"}
_OPEN: Final = {"etag": "etag", "next_page_token": "page", "message": "text"}
_NAMES: Final = ("~a", "~b", "~path/to.c_d")
_WRONG: Final = ("", "no blank", "ü", "x" * 128)
_VALUES: Final[tuple[Any, ...]] = (
    "text", "another", {"user": "app", "password": "p"}, {"n": 1, "deep": [True, None]}, b"\x00\xff", "x" * 65_536, "x" * 65_537,
    "", b"", [1, 2], "{\"a\": 1}",
)  # fmt: skip


def _made(dice: random.Random) -> list[Step]:
    """Most sequences begin with a secret, and a few of them do nothing but go wrong."""
    steps = [_create(dice)] if dice.random() < 0.9 else []
    return steps + [dice.choices(_STEPS, _WEIGHTS)[0](dice) for _ in range(dice.randint(4, 14))]


def _name(dice: random.Random) -> str:
    return dice.choices([*_NAMES, dice.choice(_WRONG)], [12, 4, 2, 0.6])[0]


def _maybe(dice: random.Random, share: float, value: Any) -> Any:
    return value if dice.random() < share else None


def _version(dice: random.Random) -> Recall:
    return Recall("version", dice.randrange(4))


def _etag(dice: random.Random) -> Recall:
    return Recall("etag", dice.choice((0, 0, 0, 1, 2)))


def _key(dice: random.Random, name: str) -> str:
    # Secrets Manager makes a version of it, which is known in its secret only.
    return f"~key-{sum(name.encode())}-{dice.choice('ab')}-" + "-" * 26


def _create(dice: random.Random) -> Step:
    name = _name(dice)
    tags = {"team": "core", "stage": dice.choice(("test", ""))}
    return step(
        "create_secret",
        name=name,
        value=_value(dice),
        description=_maybe(dice, 0.2, "what it is for"),
        tags=_maybe(dice, 0.2, tags),
        idempotency_key=_maybe(dice, 0.1, _key(dice, name)),
    )


def _value(dice: random.Random) -> Any:
    return dice.choices(_VALUES, [8, 8, 4, 4, 4, 0.5, 0.5, 0.3, 0.3, 0.3, 1])[0]


def _put(dice: random.Random) -> Step:
    name = _name(dice)
    return step(
        "put_secret_value",
        name=name,
        value=_value(dice),
        pending=_maybe(dice, 0.25, True),
        if_match=_maybe(dice, 0.3, _etag(dice)),
        idempotency_key=_maybe(dice, 0.1, _key(dice, name)),
    )


def _get(dice: random.Random) -> Step:
    by = dice.random()
    return step(
        "get_secret",
        name=_name(dice),
        version=_version(dice) if by < 0.3 else None,
        stage=dice.choice(("current", "previous", "pending", "nowhere")) if by > 0.5 else None,
    )


def _get_many(dice: random.Random) -> Step:
    return step("get_secrets", names=[_name(dice) for _ in range(dice.choice((0, 1, 2, 3, 21)))])


def _list(dice: random.Random) -> Step:
    return step(
        "list_secrets",
        prefix="~",
        include_deleted=_maybe(dice, 0.5, True),
        page_size=_maybe(dice, 0.1, dice.choice((0, 100, 101))),
    )


def _versions(dice: random.Random) -> Step:
    return step("list_secret_versions", name=_name(dice))


def _delete(dice: random.Random) -> Step:
    window = timedelta(days=dice.choice((7, 30, 6, 31)), hours=dice.choice((0, 0, 0, 1)))
    return step(
        "delete_secret",
        name=_name(dice),
        recovery_window=_maybe(dice, 0.4, window),
        if_match=_maybe(dice, 0.2, _etag(dice)),
    )


def _restore_version(dice: random.Random) -> Step:
    return step(
        "restore_version",
        name=_name(dice),
        version=_version(dice),
        if_match=_maybe(dice, 0.2, _etag(dice)),
    )


def _named(dice: random.Random, operation: str) -> Step:
    return step(operation, name=_name(dice))


_STEPS: Final[tuple[Callable[[random.Random], Step], ...]] = (
    _create, _put, _get, _get_many, _list, _versions, _delete, _restore_version,
    *(partial(_named, operation=it) for it in ("describe_secret", "restore_secret", "cancel_rotation", "rotate_secret")),
)  # fmt: skip
_WEIGHTS: Final = (2, 6, 6, 1, 1, 3, 2, 3, 3, 2, 1, 0.5)
_STORIES: Final = (
    # The first version comes back, and so does its etag.
    (
        step("create_secret", name="~a", value="text"),
        step("put_secret_value", name="~a", value="another"),
        step("restore_version", name="~a", version=Recall("version", 1)),
        step("get_secret", name="~a"),
        step("put_secret_value", name="~a", value="third", if_match=Recall("etag", 3)),
    ),
    (
        step("create_secret", name="~a", value="text", idempotency_key="~" + "k" * 32),
        step("delete_secret", name="~a"),
        step("create_secret", name="~a", value="another", idempotency_key="~" + "k" * 32),
    ),
)
_KNOWN: Final = (
    Known(
        "the versions of a missing secret",
        "moto fails with status 500 where they are listed; Secrets Manager answers ResourceNotFoundException.",
        lambda asked, ours, theirs, _: (
            asked.operation == "list_secret_versions"
            and failed(ours, "NOT_FOUND")
            and failed(theirs, "INTERNAL")
        ),
        goes_on=True,
    ),
    Known(
        "a rotation without a function",
        "moto rotates a secret that has none; Secrets Manager refuses that.",
        lambda asked, ours, theirs, _: (
            asked.operation == "rotate_secret"
            and failed(ours, "PRECONDITION_FAILED")
            and not failed(theirs)
        ),
    ),
    Known(
        "a deleted secret changes",
        "moto takes a new value for a deleted secret; Secrets Manager refuses it.",
        lambda asked, ours, theirs, before: (
            asked.operation == "put_secret_value"
            and failed(ours, "PRECONDITION_FAILED")
            and not failed(theirs)
            and any(it.operation == "delete_secret" for it in before)
        ),
    ),
    Known(
        "a deleted secret is created again with its key",
        "moto says that it exists, as of any other; Secrets Manager says that it is scheduled for deletion.",
        lambda asked, ours, theirs, before: (
            asked.operation == "create_secret"
            and "idempotency_key" in asked.words
            and failed(ours, "ALREADY_EXISTS")
            and failed(theirs, "CONFLICT")
            and any(it.operation == "delete_secret" for it in before)
        ),
    ),
    Known(
        "a deleted secret has no such version",
        "moto looks for the version first; Secrets Manager refuses to read a deleted secret.",
        lambda asked, ours, theirs, _: (
            asked.operation == "get_secret"
            and failed(ours, "PRECONDITION_FAILED")
            and failed(theirs, "NOT_FOUND")
        ),
        goes_on=True,
    ),
    Known(
        "a version that came back",
        "Once labels were moved, moto takes another version for the current one here and there; Secrets Manager goes by the labels.",
        lambda asked, ours, theirs, before: (
            asked.operation in {"get_secrets", "describe_secret", "list_secrets"}
            and not failed(ours)
            and not failed(theirs)
            and any(it.operation == "restore_version" for it in before)
        ),
    ),
    Known(
        "versions of one second",
        "moto keeps the time of a version in whole seconds, so that those of one second have no order; Secrets Manager keeps milliseconds.",
        lambda asked, ours, theirs, _: (
            asked.operation == "list_secret_versions"
            and not failed(ours)
            and not failed(theirs)
            and _in_any_order(ours) == _in_any_order(theirs)
        ),
    ),
    Known(
        "an etag comes back",
        "Whether the etag of a value comes back with the value is left open: it does on Secrets Manager, and not on the mock.",
        lambda asked, ours, theirs, before: (
            "if_match" in asked.words
            and failed(ours, "CONFLICT")
            and any(it.operation == "restore_version" for it in before)
        ),
    ),
)


def _in_any_order(answer: Any) -> list[str]:
    return sorted(map(str, answer["versions"]))


_SEQUENCES: Final = Sequences(
    "secrets", _made, _KINDS, _OPEN, unordered={"secrets": "name"}, stories=_STORIES, known=_KNOWN
)

DIFFERENTIAL: Final = Differential(
    "aws on moto",
    lambda cases, seed: compared(_SEQUENCES, lambda: aws(start_moto()), cases, seed),
    _SEQUENCES.reasons(),
    strict=True,
    portion=60,
)
