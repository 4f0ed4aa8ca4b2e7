"""The usual call takes the short way. Function calls are counted, not seconds, so the answer is the same everywhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from opentelemetry import trace

from lcplatform_runtime.model import build
from lcplatform_runtime.streams import ByteStream
from tests.unit.runtime.doubles import CACHED, GET, READ, Platform, Read, Value

OK = Value(text="ok")


# As in many applications, some library has imported the API of OpenTelemetry, and nobody collects.
assert not trace.get_current_span().is_recording()


def calls_of(work: Callable[[], object]) -> int:
    """How many functions, of Python or C, one run of `work` calls."""
    count = 0

    def profile(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    work()
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count - 1  # the one that takes the profile off again


def answer(request: Read) -> Value:
    return OK


def test_a_plain_call_needs_few_functions_beside_the_driver() -> None:
    read = Platform("blocking").unary(READ, answer)
    request = Read(name="a")
    assert calls_of(lambda: read(request)) <= 23


def test_building_a_request_is_one_validation() -> None:
    assert calls_of(lambda: build(Read, name="a", version=None)) <= 4


def test_a_kept_answer_takes_hardly_any() -> None:
    read = Platform("blocking").unary(CACHED, answer)
    read(Read(name="a"))
    assert read.kept(("a", None)) is OK
    assert calls_of(lambda: read.kept(("a", None))) <= 14


def test_opening_a_download_needs_few_functions_beside_the_driver() -> None:
    stream = ByteStream(OK, [b"x"])
    pipeline: Any = Platform("blocking").pipeline
    get = pipeline.download(GET._replace(resume=None), lambda request: stream)
    request = Read(name="a")
    assert calls_of(lambda: get(request)) <= 26
