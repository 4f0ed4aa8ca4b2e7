"""What a provider lacks is refused before anything happens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import Field

from lcplatform_runtime.checks import checks_of
from lcplatform_runtime.errors import UnsupportedError, ValidationError
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.model import Request
from lcplatform_runtime.operation import FieldLimit, FieldNeed
from lcplatform_runtime.support import Support
from tests.unit.runtime.doubles import Platform, Script, Value, operation


class Entry(Request):
    body: str | bytes | Json = ""
    delay: timedelta | None = None


class Send(Request):
    schema_: str = ""
    queue: str = "orders"
    body: str | bytes | Json = ""
    attributes: dict[str, str] = Field(default_factory=dict)
    delay: timedelta = timedelta(0)
    attempts: int = 5
    fifo: bool = False
    size: int | None = None
    entries: tuple[Entry, ...] = ()


def needs(field: str, kind: type | None = None) -> Any:
    return operation(
        resource="queue", needs=(FieldNeed(field=field, capability="special", kind=kind),)
    )


def bounded(field: str, unit: Any) -> Any:
    return operation(resource="queue", limits=(FieldLimit(field=field, limit="most", unit=unit),))


def run(platform_arguments: tuple[str, Any, Support], request: Send) -> int:
    """How often the driver was called."""
    colour, of, support = platform_arguments
    driver = Script(Value(text="ok"))
    Platform(colour, support=lambda: support).unary(of, driver)(request)
    return driver.attempts


LACKING = Support()
HAVING = Support(capabilities=frozenset({"special"}))
FOUR = Support(limits={"most": 4})


def test_an_operation_without_its_capability_is_unsupported(colour: str) -> None:
    of = operation(capability="special", resource="queue")
    driver = Script(Value(text="ok"))
    with pytest.raises(UnsupportedError, match="capability special") as caught:
        Platform(colour, support=lambda: LACKING).unary(of, driver)(Send())
    assert driver.attempts == 0
    assert caught.value.details == {"capability": "special"}
    assert (caught.value.operation, caught.value.resource) == ("Things.Read", "orders")
    assert run((colour, of, HAVING), Send()) == 1


ASKING: list[tuple[str, type | None, Send]] = [
    ("delay", None, Send(delay=timedelta(seconds=1))),
    ("attempts", None, Send(attempts=3)),
    ("fifo", None, Send(fifo=True)),
    ("body", bytes, Send(body=b"")),
    ("attributes", None, Send(attributes={"a": "b"})),
    ("entries.delay", None, Send(entries=(Entry(), Entry(delay=timedelta(seconds=1))))),
    ("entries.body", bytes, Send(entries=(Entry(body="a"), Entry(body=b"b")))),
]


@pytest.mark.parametrize(("field", "kind", "request_"), ASKING)
def test_a_field_that_needs_a_capability_is_refused_where_it_is_lacking(
    colour: str, field: str, kind: type | None, request_: Send
) -> None:
    path = field.replace(".", ".1.")
    with pytest.raises(UnsupportedError, match=f"^{path} needs the capability special"):
        run((colour, needs(field, kind), LACKING), request_)
    assert run((colour, needs(field, kind), HAVING), request_) == 1


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("delay", None),
        ("attempts", None),
        ("fifo", None),
        ("body", bytes),
        ("attributes", None),
        ("size", None),
        ("entries.delay", None),
    ],
)
def test_a_field_that_is_not_set_needs_nothing(colour: str, field: str, kind: type | None) -> None:
    assert run((colour, needs(field, kind), LACKING), Send(entries=(Entry(),))) == 1


AT_THE_LIMIT: list[tuple[str, str, Send, Send]] = [
    ("body", "bytes", Send(body="abcd"), Send(body="abcde")),
    ("body", "bytes", Send(body="éé"), Send(body="éé!")),
    ("body", "bytes", Send(body=b"abcd"), Send(body=b"abcde")),
    ("body", "bytes", Send(body=Json([10])), Send(body=Json([100]))),
    ("attributes", "bytes", Send(attributes={"é": "ab"}), Send(attributes={"é": "abc"})),
    (
        "attributes",
        "count",
        Send(attributes=dict.fromkeys("abcd", "x")),
        Send(attributes=dict.fromkeys("abcde", "x")),
    ),
    ("entries", "count", Send(entries=(Entry(),) * 4), Send(entries=(Entry(),) * 5)),
    ("attempts", "count", Send(attempts=4), Send(attempts=5)),
    ("size", "bytes", Send(size=4), Send(size=5)),
    ("schema_", "bytes", Send(schema_="abcd"), Send(schema_="abcde")),
    ("delay", "seconds", Send(delay=timedelta(seconds=4)), Send(delay=timedelta(seconds=4.5))),
    (
        "entries.body",
        "bytes",
        Send(entries=(Entry(), Entry(body="abcd"))),
        Send(entries=(Entry(), Entry(body="abcde"))),
    ),
]


@pytest.mark.parametrize(("field", "unit", "fits", "exceeds"), AT_THE_LIMIT)
def test_the_limit_passes_and_more_is_refused(
    colour: str, field: str, unit: str, fits: Send, exceeds: Send
) -> None:
    assert run((colour, bounded(field, unit), FOUR), fits) == 1
    with pytest.raises(ValidationError) as caught:
        run((colour, bounded(field, unit), FOUR), exceeds)
    (violation,) = caught.value.violations
    assert violation.field == field.replace(".", ".1.").removesuffix("_")
    actual = "4.5" if unit == "seconds" else "5"
    assert caught.value.details == {"limit": "most", "maximum": "4", "actual": actual}
    assert f"at most 4 {unit} (most), not {actual}" in str(caught.value)
    assert caught.value.operation == "Things.Read"


@pytest.mark.parametrize(("field", "unit"), [(it[0], it[1]) for it in AT_THE_LIMIT])
def test_a_provider_without_the_limit_is_not_bound(field: str, unit: str) -> None:
    assert checks_of(bounded(field, unit), LACKING) == ()


@example(text="😀", most=3)
@given(text=st.text("aé€😀", max_size=12), most=st.integers(0, 40))
def test_the_short_cut_for_text_decides_as_counting_does(text: str, most: int) -> None:
    (check,) = checks_of(bounded("body", "bytes"), Support(limits={"most": most}))
    try:
        check(Send(body=text))
        passed = True
    except ValidationError:
        passed = False
    assert passed == (len(text.encode()) <= most)


def test_the_client_of_a_server_leaves_the_checks_to_it(colour: str) -> None:
    def unknown() -> Support:
        raise AssertionError("asking would cost a call")

    driver = Script(Value(text="ok"))
    of = operation(capability="special", resource="queue")
    Platform(colour, support=unknown, remote=True).unary(of, driver)(Send())
    assert driver.attempts == 1


def test_a_driver_is_only_asked_where_something_depends_on_it(colour: str) -> None:
    def unknown() -> Support:
        raise AssertionError("nothing depends on it")

    Platform(colour, support=unknown).unary(operation(), Script(Value(text="ok")))
