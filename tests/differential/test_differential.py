"""A portion of every differential test, and what the command makes of what it finds."""

from __future__ import annotations

import pytest

from tests.differential.__main__ import every, main
from tests.differential.comparison import Differential, Tally

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
