"""One value of a JSON document is found by its path, and is of the type that the caller asks for or an error."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest

from lcplatform_runtime.errors import ResourceNotFoundError, ValidationError
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.pointer import NO_DEFAULT, value_at

# The document and the pointers of RFC 6901, section 5.
RFC = Json(
    {
        "foo": ["bar", "baz"],
        "": 0,
        "a/b": 1,
        "c%d": 2,
        "e^f": 3,
        "g|h": 4,
        "i\\j": 5,
        'k"l': 6,
        " ": 7,
        "m~n": 8,
    }
)
POINTERS = {
    "/foo": ["bar", "baz"],
    "/foo/0": "bar",
    "/": 0,
    "/a~1b": 1,
    "/c%d": 2,
    "/e^f": 3,
    "/g|h": 4,
    "/i\\j": 5,
    '/k"l': 6,
    "/ ": 7,
    "/m~0n": 8,
}


@pytest.mark.parametrize("path", POINTERS)
def test_a_pointer_leads_where_the_rfc_says(path: str) -> None:
    assert RFC.at(path).value == POINTERS[path]


def test_the_empty_pointer_leads_to_the_whole_document() -> None:
    assert RFC.at("") is RFC


def test_an_escaped_tilde_escapes_nothing_else() -> None:
    assert Json({"~1": "here"}).at("/~01").value == "here"


@pytest.mark.parametrize(
    "path", ["/foo/2", "/foo/-", "/foo/00", "/foo/-1", "/foo/x", "/bar", "/a~1b/c"]
)
def test_a_pointer_that_leads_nowhere_is_not_found(path: str) -> None:
    with pytest.raises(ResourceNotFoundError) as refused:
        RFC.at(path)
    assert refused.value.resource == path


@pytest.mark.parametrize("path", ["foo", "/a~b", "/~2", "/foo/~"])
def test_what_is_no_pointer_is_refused(path: str) -> None:
    with pytest.raises(ValidationError) as refused:
        RFC.at(path)
    assert [it.field for it in refused.value.violations] == ["path"]


SETTINGS = Json(
    {
        "rate": 5,
        "share": 0.5,
        "on": True,
        "host": "a.example",
        "hosts": ["a", "b"],
        "since": "2026-07-01",
        "pool": {"size": 3, "name": "main"},
        "nothing": None,
    }
)


@dataclass
class Pool:
    size: int
    name: str


@pytest.mark.parametrize(
    ("path", "kind", "expected"),
    [
        ("/rate", int, 5),
        ("/rate", float, 5.0),
        ("/share", float, 0.5),
        ("/on", bool, True),
        ("/host", str, "a.example"),
        ("/hosts", list[str], ["a", "b"]),
        ("/since", date, date(2026, 7, 1)),
        ("/pool", Pool, Pool(size=3, name="main")),
        ("/pool", dict, {"size": 3, "name": "main"}),
    ],
)
def test_a_value_is_of_the_type_that_was_asked_for(
    path: str, kind: type[object], expected: object
) -> None:
    value = value_at(SETTINGS, path, kind, NO_DEFAULT)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/rate", str),
        ("/rate", bool),
        ("/on", int),
        ("/host", int),
        ("/share", int),
        ("/hosts", list[int]),
        ("/pool", list[str]),
        ("/nothing", str),
    ],
)
def test_a_value_of_another_type_is_refused_and_not_quoted(path: str, kind: type[object]) -> None:
    with pytest.raises(ValidationError) as refused:
        value_at(SETTINGS, path, kind, NO_DEFAULT)
    assert refused.value.violations[0].field.startswith(path)
    assert "a.example" not in repr(refused.value.fields())
    assert refused.value.__context__ is None


def test_a_refusal_names_the_place_inside_the_value() -> None:
    with pytest.raises(ValidationError) as refused:
        value_at(Json({"pools": [{"size": "3", "name": "main"}]}), "/pools", list[Pool], NO_DEFAULT)
    assert [it.field for it in refused.value.violations] == ["/pools/0/size"]


def test_without_a_type_the_value_is_json() -> None:
    assert value_at(SETTINGS, "/pool/size", None, NO_DEFAULT) == Json(3)
    assert value_at(SETTINGS, "/pool/size", Json, NO_DEFAULT) == Json(3)


def test_a_default_stands_for_what_is_not_there_and_for_nothing_else() -> None:
    assert value_at(SETTINGS, "/pool/none", int, None) is None
    assert value_at(None, "/pool", int, 7) == 7
    with pytest.raises(ValidationError):
        value_at(SETTINGS, "/host", int, 7)
    with pytest.raises(ResourceNotFoundError):
        value_at(None, "/pool", int, NO_DEFAULT)
