"""The index of many patterns says what the plain matcher says, whatever is added and dropped meanwhile."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lcplatform_runtime.json_value import Json
from lcplatform_runtime.patterns.grammar import Pattern, parse
from lcplatform_runtime.patterns.plain import Event, matches
from lcplatform_runtime.patterns.rules import Rules
from tests.unit.runtime.patterns.workload import Workload


def said(rules: Rules[int], kept: dict[int, Pattern], event: Event) -> list[int]:
    """What the index says, which is what the plain matcher says of each."""
    found = rules.matching(event)
    assert found == [key for key, pattern in kept.items() if matches(pattern, event)], event
    return found


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.sampled_from([1, 2, 5, 20, 80]), arrays=st.booleans())
def test_the_index_says_what_the_plain_matcher_says(seed: int, count: int, *, arrays: bool) -> None:
    workload = Workload(seed, arrays=arrays)
    kept = {number: parse(Json(workload.pattern())) for number in range(count)}
    rules: Rules[int] = Rules()
    for number, pattern in kept.items():
        rules.add(number, pattern)
    dice = random.Random(seed)
    for _ in range(3):
        for _ in range(5):
            said(rules, kept, workload.event())
        for number in dice.sample(list(kept), len(kept) // 3):
            rules.discard(number)
            del kept[number]
        kept[dice.randrange(10**6, 10**9)] = pattern = parse(Json(workload.pattern()))
        rules.add(list(kept)[-1], pattern)
    assert len(rules) == len(kept)
    for number in list(kept):
        rules.discard(number)
    assert rules.matching(workload.event()) == []
    assert not rules._root._buckets
    assert not rules._root._rest.checks


def test_the_workload_makes_patterns_match_and_fail() -> None:
    """Otherwise the property above would say little."""
    workload = Workload(7)
    answers = [matches(parse(Json(workload.pattern())), workload.event()) for _ in range(3000)]
    assert 100 < sum(answers) < 1500


def test_a_pattern_takes_the_place_of_one_with_its_key() -> None:
    rules: Rules[str] = Rules()
    rules.add("rule", parse(Json({"source": ["a"]})))
    rules.add("rule", parse(Json({"source": ["b"]})))
    assert rules.matching({"source": "a"}) == []
    assert rules.matching({"source": "b"}) == ["rule"]
    rules.discard("rule")
    rules.discard("rule")
    assert (rules.matching({"source": "b"}), len(rules)) == ([], 0)


@pytest.mark.parametrize("shape", ["alike", "by one field", "by two fields", "by a range"])
def test_many_rules_cost_little_more_than_few(shape: str) -> None:
    """Neither does any set of rules make adding or dropping one slow. The bars are wide: a machine may be busy."""

    def pattern(number: int) -> object:
        match shape:
            case "alike":
                return {"source": [{"anything-but": "a"}], "type": ["t"]}
            case "by one field":
                return {"source": ["s"], "data": {"id": [number]}}
            case "by two fields":
                return {"source": [f"s{number % 100}"], "data": {"id": [number // 100]}}
            case _:
                return {
                    "source": ["s"],
                    "data": {"id": [{"numeric": [">", number, "<", number + 1]}]},
                }

    rules: Rules[int] = Rules()
    read = [parse(Json(pattern(number))) for number in range(5000)]
    started = time.process_time()
    for number, it in enumerate(read):
        rules.add(number, it)
    assert time.process_time() - started < 10
    event = {"source": "s" if "two" not in shape else "s7", "type": "x", "data": {"id": 7.5}}
    rules.matching(event)
    started = time.process_time()
    for _ in range(100):
        rules.matching(event)
    assert (time.process_time() - started) / 100 < 0.001
    started = time.process_time()
    for number in reversed(range(5000)):
        rules.discard(number)
    assert time.process_time() - started < 5
