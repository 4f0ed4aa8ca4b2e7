"""The quick test of a schema against jsonschema: whatever is done to a file of scenarios, both are of one mind."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from jsonschema import Draft202012Validator

from lcplatform_codegen.shape import compiled
from tests.codegen.rendering import ROOT

SCHEMA = json.loads((ROOT / "idl" / "scenarios.schema.json").read_text(encoding="utf-8"))
FILES = sorted((ROOT / "idl").rglob("scenarios.yaml"))
OTHERS: Final[tuple[object, ...]] = (
    None,
    True,
    0,
    1,
    1.5,
    101,
    "",
    "$",
    "x",
    "GET",
    "Any.",
    [],
    ["x", "x"],
    {},
    {"x": "x"},
)

SAMPLE = """
service: lcplatform.queue.v1.QueueService
requirements: {FR-001: It works.}
scenarios:
  - scenario: it works
    requirements: [FR-001]
    needs: [fifo, clock]
    names: [orders, bills]
    steps:
      - send_message: {queue: $orders}
        expect: {id: $any}
        save: {id: "messages[0].id"}
        within: 2s
      - receive_messages: {queue: $orders}
        repeat: 3
        expect: {messages: []}
      - receive_messages: {queue: $orders}
        gather: {messages: 3}
        expect: {messages: []}
      - secrets.get_secret: {}
        error: {code: validation, field: name, path: /name}
      - watch: {}
        open: stream
      - next: stream
        error: not_found
      - end: stream
      - close: stream
      - advance: 3s
      - http: {method: GET, url: $url, headers: {accept: x}, body: 1, until: x}
      - http: {method: POST, url: $url, headers: $headers, form: {a: b}}
        expect: {status: 200}
"""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parents[1].name)
def test_the_scenarios_pass(path: Path) -> None:
    assert compiled(SCHEMA)(yaml.safe_load(path.read_text(encoding="utf-8")))


def test_it_says_what_jsonschema_says() -> None:
    quick = compiled(SCHEMA)
    slow = Draft202012Validator(SCHEMA)
    assert quick(yaml.safe_load(SAMPLE))
    verdicts = set()
    for damaged in _damaged(yaml.safe_load(SAMPLE)):
        verdict = slow.is_valid(damaged)
        assert quick(damaged) is verdict, damaged
        verdicts.add(verdict)
    assert verdicts == {True, False}


def test_a_word_that_it_does_not_know_is_not_passed_over() -> None:
    with pytest.raises(NotImplementedError, match="multipleOf"):
        compiled({"multipleOf": 2})
    with pytest.raises(NotImplementedError, match="enum"):
        compiled({"enum": [1]})


def _damaged(whole: Any) -> Iterator[Any]:
    """The whole with something else in each place, with each thing left out, and with something more in each map."""
    for place in list(_places(whole)):
        for other in OTHERS:
            yield _with(whole, place, other)
        *above, last = place
        holder = _at(copied := copy.deepcopy(whole), above)
        del holder[last]
        yield copied
    for place in [(), *_places(whole)]:
        if isinstance(_at(whole, place), dict):
            for name in ("stray", "Stray!", "expect", "save", "within", "next", "until", "form"):
                for other in ("x", "2s", {"x": "y"}):
                    yield _with(whole, (*place, name), other)


def _places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for name, inner in entries:
        yield (*above, name)
        if isinstance(inner, dict | list):
            yield from _places(inner, (*above, name))


def _at(value: Any, place: Any) -> Any:
    for name in place:
        value = value[name]
    return value


def _with(whole: Any, place: tuple[Any, ...], other: object) -> Any:
    copied = copy.deepcopy(whole)
    *above, last = place
    _at(copied, above)[last] = other
    return copied
