"""How two sides take turns, and processes of their own."""

from __future__ import annotations

import pytest

from benchmarks.aws_stub import stub
from benchmarks.child import Child, ChildError, Served
from benchmarks.turns import cpu_of, take_turns


def echo(first: str) -> Served:
    """For a child: says what it was given."""
    return Served(lambda *more: [first, *more], {"first": first})


def test_both_sides_take_a_turn_in_every_round_and_the_first_changes() -> None:
    order: list[str] = []

    def side(name: str, cost: float) -> float:
        order.append(name)
        return cost

    samples = take_turns(lambda: side("ours", 1.0), lambda: side("peer", 2.0), rounds=3)
    assert samples.ours == (1.0,) * 3
    assert samples.peer == (2.0,) * 3
    assert order[:2] == ["ours", "peer"]  # not counted
    assert order[2:] == ["peer", "ours", "ours", "peer", "peer", "ours"]


def test_the_cost_of_a_turn_is_that_of_doing_the_work_once() -> None:
    done: list[None] = []
    turn = cpu_of(lambda: done.append(None), times=1000)
    assert 0 < turn() < 0.001
    assert len(done) == 1000


def test_a_child_answers_what_its_function_returns() -> None:
    with Child("tests.unit.benchmarks.test_turns:echo", "one") as child:
        assert child.ready == {"first": "one"}
        assert child.ask("two", 3) == ["one", "two", 3]
        assert child.ask() == ["one"]


def test_a_child_that_ends_is_an_error() -> None:
    with pytest.raises(ChildError, match="ended with 1"):
        Child("tests.unit.benchmarks.test_turns:absent")


def test_the_stub_of_aws_stores_and_gives_out_objects() -> None:
    from benchmarks.aws_sides import Boto3

    with stub() as aws:
        s3 = Boto3(aws.ready).s3
        assert s3.put_object(Bucket="bucket", Key="3", Body=b"abc")["ETag"].startswith('"')
        assert s3.get_object(Bucket="bucket", Key="3")["Body"].read() == bytes(3)
        part = s3.get_object(Bucket="bucket", Key="10", Range="bytes=2-4")
        assert part["ContentRange"] == "bytes 2-4/10"
        assert part["Body"].read() == bytes(3)
