"""A portion of every differential test, and what the command makes of what it finds."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from lcplatform import CallOptions, LCPlatform
from lcplatform.queue.client import Queue
from tests.differential.__main__ import every, main
from tests.differential.comparison import Differential, Tally
from tests.differential.sequences import Comparison, Sequences, step

KNOWN = {"rounding": "They round half to even (their manual, page 3)."}


def _compare(cases: int, seed: int) -> Tally:
    tally = Tally()
    for case in range(cases):
        tally.add(f"case {case}", case, case)
    tally.add("a half", 1, 0, lambda: "rounding")
    return tally


def _differ(cases: int, seed: int) -> Tally:
    tally = _compare(cases, seed)
    tally.add(f"seed {seed}", "so", "otherwise")
    return tally


THERE = {
    "fine": Differential("a peer", _compare, KNOWN),
    "broken": Differential("a peer", _differ, KNOWN),
}


@pytest.mark.parametrize("name", every())
def test_a_portion_of_the_cases_shows_no_unexplained_difference(name: str) -> None:
    differential = every()[name]
    tally = differential.compare(differential.portion, 1)
    assert [str(it) for it in tally.unexplained] == []
    assert tally.cases >= differential.portion
    assert set(tally.known) <= set(differential.known)


def test_known_differences_are_told_with_their_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--cases", "4", "fine"], THERE) == 0
    told = capsys.readouterr().out
    assert "fine  a peer   5      4     1      0" in told
    assert "fine: rounding (1)\n    They round half to even" in told


def test_an_unexplained_difference_is_shown_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "7"], THERE) == 1
    told = capsys.readouterr().out
    assert "broken: UNEXPLAINED seed 7\n    ours:   so\n    theirs: otherwise" in told


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["no_such"], THERE) == 2
    assert "there are fine, broken" in capsys.readouterr().err


class _Forgetful:
    """Queues that give every message back as it is, but for the third."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)

    def send_message(self, queue: str, body: str, options: CallOptions) -> Any:
        number = self._queue.get_queue(queue).queue.available_messages
        return self._queue.send_message(queue, "lost" if number == 2 else body, options=options)


def test_a_difference_between_sequences_is_shown_as_short_as_it_can_be() -> None:
    send = step("send_message", queue="~a", body="text")
    steps = [
        step("list_queues", prefix="~"),
        step("create_queue", name="~a"),
        *(send, send, step("get_queue", name="~a"), send, send),
        step("list_queues", prefix="~"),
        step("receive_messages", queue="~a", max_messages=10),
    ]
    asked = Sequences("queue", lambda _: steps, {"id": "message", "message_id": "message"}, {"receipt_handle": "receipt", "etag": "etag"})  # fmt: skip
    tally = Tally()
    with LCPlatform("mock") as ours, LCPlatform("mock") as theirs:
        forgetful = SimpleNamespace(queue=_Forgetful(theirs.queue))
        Comparison(asked, ours, cast("LCPlatform", forgetful)).sequence(steps, tally)
    (found,) = tally.unexplained
    assert tally.same == len(steps) - 1
    assert found.case.split("\n    ") == [str(it) for it in (steps[1], *([send] * 3), steps[-1])]
    assert "lost" in str(found.theirs)
    assert "lost" not in str(found.ours)


def test_a_known_difference_that_is_no_longer_met_fails_a_whole_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    there = {"fine": Differential("a peer", _compare, {**KNOWN, "gone": "no"}, strict=True)}
    assert main(["--cases", "4"], there) == 0
    assert "NO LONGER" not in capsys.readouterr().out
    assert main([], there) == 1
    assert "fine: NO LONGER MET gone" in capsys.readouterr().out
