"""No sensitive value gets into what people read."""

from __future__ import annotations

import base64
import json
import logging
import pickle
import traceback
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from typing_extensions import override

from lcplatform_runtime.errors import (
    FieldViolation,
    InternalError,
    LCPlatformError,
    ResourceNotFoundError,
)
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.model import Request
from lcplatform_runtime.observe import LOGGER, Observer
from lcplatform_runtime.operation import Operation
from lcplatform_runtime.redact import holds_secrets, redacted, scrub, secrets_of
from tests.unit.runtime.doubles import WRITE, Platform, Read, VendorError, Write

CANARY = "canary/7a+µ?'\" \\x"


class Inner(Request):
    __sensitive__: ClassVar[frozenset[str]] = frozenset({"token"})

    id: str
    token: str


class Outer(Request):
    entries: tuple[Inner, ...] = ()
    names: dict[str, str] = {}  # noqa: RUF012  pydantic copies it
    data: bytes | None = None
    body: Json | None = None


def test_a_message_for_the_log_hides_what_is_sensitive_at_any_depth() -> None:
    message = Outer(
        entries=(Inner(id="one", token=CANARY),), names={"a": "b"}, data=b"abc", body=Json([1])
    )
    assert redacted(message) == {
        "entries": [{"id": "one", "token": "***"}],
        "names": {"a": "b"},
        "data": "3 bytes",
        "body": "Json([1])",
    }
    assert redacted(Write(name="a", value=CANARY)) == {"name": "a", "value": "***"}


def test_types_without_secrets_are_known_as_such() -> None:
    assert holds_secrets(Outer)
    assert holds_secrets(Write)
    assert not holds_secrets(Read)
    assert secrets_of(Read(name=CANARY)) == frozenset()


VALUES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=4),
    st.binary(min_size=4),
    st.dictionaries(
        st.text("ab"), st.text(min_size=4).filter(str.isprintable), min_size=1, max_size=3
    ).map(Json),
)


def spellings(value: str | bytes | Json) -> Iterator[str]:
    """How libraries like to quote a value."""
    match value:
        case str():
            raw = value.encode()
            yield from (
                value,
                f"{value!r}",
                json.dumps(value),
                json.dumps(value, ensure_ascii=False),
            )
        case bytes():
            raw = value
            yield f"{value!r}"
        case Json():
            raw = value.text.encode()
            yield from (value.text, repr(value.value), *(str(it) for it in value.value.values()))
    yield from (base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode(), raw.hex())
    yield from (quote(raw), quote(raw, safe=""), quote_plus(raw))


@given(value=VALUES)
def test_every_usual_spelling_of_a_secret_is_scrubbed(value: str | bytes | Json) -> None:
    secrets = secrets_of(Write(name="a", value=value))
    for spelling in spellings(value):
        text = scrub(f"before {spelling} after", secrets)
        assert spelling.strip("\"'b=") not in text.replace("before ", "").replace(" after", "")


def test_words_of_any_text_are_no_secrets() -> None:
    assert secrets_of(Write(name="a", value=Json({"enabled": True, "n": None, "x": "abc"}))) >= {
        '{"enabled":true,"n":null,"x":"abc"}'
    }
    assert not {"True", "None", "abc", "***"} & secrets_of(
        Write(name="a", value=Json({"enabled": True, "n": None, "x": "abc"}))
    )


# Through the whole pipeline: wherever a vendor or a driver puts the secret, nobody gets to see it.


def in_the_message(secret: str) -> Exception:
    return VendorError(f"cannot store {secret!r}")


def in_an_attribute(secret: str) -> Exception:
    error = VendorError("cannot store it")
    error.response = {"Value": secret}  # type: ignore[attr-defined]
    return error


def in_the_cause(secret: str) -> Exception:
    error = VendorError("cannot store it")
    error.__cause__ = ValueError(secret)
    return error


def in_the_context(secret: str) -> Exception:
    try:
        try:
            raise ValueError(secret)
        except ValueError:
            raise VendorError("cannot store it")  # noqa: B904
    except VendorError as error:
        return error


def in_a_group(secret: str) -> Exception:
    return ExceptionGroup("several", [ValueError(secret)])


def in_our_own_error(secret: str) -> Exception:
    error = ResourceNotFoundError(
        f"no {secret}",
        request_id=secret,
        details={secret: secret},
        violations=[FieldViolation(secret, f"not {secret}")],
    )
    error.add_note(f"think of {secret}")
    return error


def in_our_own_cause(secret: str) -> Exception:
    error = ResourceNotFoundError("no")
    error.__cause__ = VendorError(secret)
    return error


def that_cannot_be_shown(secret: str) -> Exception:
    class UnprintableError(Exception):
        @override
        def __str__(self) -> str:
            raise RuntimeError(secret)

    return UnprintableError(secret)


LEAKS = [
    in_the_message,
    in_an_attribute,
    in_the_cause,
    in_the_context,
    in_a_group,
    in_our_own_error,
    in_our_own_cause,
    that_cannot_be_shown,
]


def quoting(problem: Exception, operation: Operation, /) -> LCPlatformError | None:
    """A provider's table that is careless."""
    return InternalError(f"it said {problem}", details={"vendor": repr(problem)})


def failing(problem: Exception, operation: Operation, /) -> LCPlatformError | None:
    raise RuntimeError(f"what is {problem!r}?")


class Collected(logging.Handler):
    """Everything that is logged, with every attribute of every record."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.text += self.format(record) + repr(record.__dict__)


def everything_told(error: BaseException) -> str:
    """All that a curious logger would find."""
    text = "".join(
        traceback.TracebackException.from_exception(error, capture_locals=False).format()
    )
    chain: list[BaseException | None] = [error]
    while chain:
        it = chain.pop()
        if it is not None:
            text += repr(it.args) + repr(vars(it)) + repr(getattr(it, "__notes__", ""))
            chain += [it.__cause__, it.__context__]
    return text


@pytest.mark.parametrize(
    "translate", [None, quoting, failing], ids=["unknown", "quoting", "failing"]
)
@pytest.mark.parametrize("leak", LEAKS, ids=lambda it: it.__name__)
@settings(max_examples=15)  # of each leak with each table, in both colours
@given(value=st.text("abc/+ µ\"'\\", min_size=9) | st.just(CANARY))
def test_a_secret_gets_nowhere(leak: Any, translate: Any, value: str) -> None:
    handler = Collected()
    spans = InMemorySpanExporter()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    for colour in ("blocking", "async"):
        platform = Platform(colour)
        platform = Platform(
            colour,
            translate=translate or (lambda problem, operation: None),
            observer=Observer("test", platform.clock, tracer_provider=tracers),
        )

        def fail(request: Write) -> Any:
            raise leak(request.value)

        LOGGER.addHandler(handler)
        try:
            with pytest.raises(LCPlatformError) as caught:
                platform.unary(WRITE, fail)(Write(name="a", value=value))
        finally:
            LOGGER.removeHandler(handler)
        told = everything_told(caught.value)
        told += repr(caught.value.fields()) + str(pickle.dumps(caught.value))
        told += handler.text + "".join(span.to_json() for span in spans.get_finished_spans())
        for spelling in (value, repr(value)[1:-1], json.dumps(value)[1:-1]):
            assert spelling not in told


def test_a_cause_that_quotes_nothing_stays(platform: Platform) -> None:
    vendor = VendorError("cannot store it")

    def fail(request: Write) -> Any:
        raise vendor

    with pytest.raises(InternalError) as caught:
        platform.unary(WRITE, fail)(Write(name="a", value=CANARY))
    assert caught.value.__cause__ is vendor


def test_a_withheld_cause_still_tells_its_type(platform: Platform) -> None:
    def fail(request: Write) -> Any:
        raise VendorError(request.value)

    with pytest.raises(InternalError) as caught:
        platform.unary(WRITE, fail)(Write(name="a", value=CANARY))
    assert "VendorError: its text is withheld" in str(caught.value.__cause__)
