"""The machinery of generated mocks: what they keep, and how they are programmed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from lcplatform_runtime.errors import QuotaExceededError, UnsupportedError, ValidationError
from lcplatform_runtime.operation import Operation
from lcplatform_runtime.streams import ByteSource, ByteStream
from lcplatform_runtime.testing.clock import ManualClock
from lcplatform_runtime.testing.recorder import Program

SEND = Operation(
    service="queue", method="send_message", rpc="/q/SendMessage", title="Queue.SendMessage"
)


@pytest.fixture
def program() -> Program[str, int]:
    return Program(SEND)


def test_a_call_without_a_program_says_how_to_write_one(program: Program[str, int]) -> None:
    with pytest.raises(UnsupportedError, match=r"on_send_message\.returns\(\.\.\.\)"):
        program.play("a")
    assert program.calls == ("a",)


def test_calls_are_kept_in_their_order(program: Program[str, int]) -> None:
    program.returns(1)

    assert [program.play(request) for request in "abc"] == [1, 1, 1]
    assert program.calls == ("a", "b", "c")


def test_a_function_answers_each_request(program: Program[str, int]) -> None:
    program.returns(len)

    assert program.play("four") == 4


def test_what_comes_next_precedes_what_comes_always(program: Program[str, int]) -> None:
    program.returns(0)
    program.answers(1, lambda _: 2)
    program.raises(QuotaExceededError("slow down"), times=2)
    program.answers(3)

    assert [program.play("x"), program.play("x")] == [1, 2]
    for _ in range(2):
        with pytest.raises(QuotaExceededError):
            program.play("x")
    assert [program.play("x"), program.play("x")] == [3, 0]


def test_an_error_can_stay(program: Program[str, int]) -> None:
    program.raises(ConnectionError("vendor"), times=None)

    for _ in range(3):
        with pytest.raises(ConnectionError):
            program.play("x")


def test_each_call_raises_an_error_of_its_own(program: Program[str, int]) -> None:
    error = ValidationError("no")
    program.raises(error, times=2)
    raised = []

    for _ in range(2):
        with pytest.raises(ValidationError) as caught:
            program.play("x")
        raised.append(caught.value)

    assert raised[0] is not raised[1] is not error
    assert [one.fields() for one in raised] == [error.fields()] * 2


def test_a_call_takes_its_time(program: Program[str, int]) -> None:
    clock = ManualClock(self_advancing=True)
    program.returns(1)
    program.takes(timedelta(seconds=3), clock=clock)

    assert program.play("x") == 1
    assert clock.slept == [3.0]


def test_an_uploaded_body_is_kept(program: Program[str, int]) -> None:
    program.returns(1)

    program.play("k", ByteSource.of([b"a", b"b"]))

    assert program.calls == ("k",)
    assert program.bodies == (b"ab",)


def test_a_body_that_is_not_as_announced_fails_as_in_a_driver(program: Program[str, int]) -> None:
    program.returns(1)

    with pytest.raises(ValidationError):
        program.play("k", ByteSource.of([b"a"]).expect(size=2))


def test_one_download_answers_many_calls() -> None:
    program: Program[str, ByteStream[str]] = Program(SEND)
    program.returns(ByteStream("header", [b"a", b"b"]))

    assert [b"".join(program.play("k")) for _ in range(2)] == [b"ab", b"ab"]


def test_a_reset_forgets_all(program: Program[str, int]) -> None:
    program.returns(1)
    program.answers(2)
    program.play("x", ByteSource.of(b""))

    program.reset()

    assert (program.calls, program.bodies) == ((), ())
    with pytest.raises(UnsupportedError):
        program.play("x")


def test_threads_get_one_answer_each(program: Program[str, int]) -> None:
    program.answers(*range(200))
    start = threading.Barrier(8, timeout=10)

    def work() -> list[int]:
        start.wait()
        return [program.play("x") for _ in range(25)]

    with ThreadPoolExecutor(8) as pool:
        given = [
            answer for work in [pool.submit(work) for _ in range(8)] for answer in work.result()
        ]

    assert sorted(given) == list(range(200))
    assert len(program.calls) == 200
