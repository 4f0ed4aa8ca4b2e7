"""Whether an event matches a pattern: what we say, and what ministack and moto say to the same.

The patterns and events are made by chance, of few names and values. One pattern in ten is broken on purpose: then it is also
compared whether it is refused. Ministack is asked over HTTP, as an application would; moto's matcher, which refuses nothing
that is an object, is called.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from lcplatform.errors import ValidationError
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.patterns import plain
from lcplatform_runtime.patterns.grammar import parse
from lcplatform_runtime.patterns.rules import Rules
from tests.differential.comparison import Differential, Tally
from tests.emulators import start_ministack
from tests.unit.runtime.patterns.workload import Workload

Verdict: TypeAlias = bool | str
"""Whether it matches, or why not: the pattern is refused."""

REFUSED: Final = "refused"
_BROKEN: Final = 0.1
_ATTEMPTS: Final = 50

# CloudEvents' names, and EventBridge's for the same.
_NAMES: Final = {"type": "detail-type", "data": "detail"}

_BOOLEANS: Final = "moto takes true for 1, and false for 0"
_ADDRESSES: Final = "moto takes a number for an address"
_ARRAYS: Final = "moto looks into no array on the way to a field"
_CONTAINERS: Final = "moto takes an array or an object for a value"
KNOWN: Final = {
    _BOOLEANS: "So does Python. In JSON, and to AWS's own matcher (Event Ruler), true and false are no numbers.",
    _ADDRESSES: "Python's ipaddress reads 10 as 0.0.0.10. To Event Ruler, and to ministack, an address is a text.",
    _ARRAYS: "Event Ruler looks for one object in it that has all that is asked, and so does ministack.",
    _CONTAINERS: "To Event Ruler, and to ministack, the values in an array are those of the field, however deep they are; an "
    "object, or an array without values, is none, so that nothing exists there.",
}


def compare(cases: int, seed: int) -> Tally:
    """Gives each case to both."""
    tally = Tally()
    work, dice = Workload(seed), random.Random(seed)
    with start_ministack() as emulator, closing(_connected(emulator.url)) as connection:
        ministack = _Ministack(connection)
        for _ in range(cases):
            pattern = work.pattern()
            event = _event(work, dice, pattern)
            broken = dice.random() < _BROKEN
            if broken:
                pattern = _broken(dice, pattern)
            case = f"{json.dumps(pattern)}  on  {json.dumps(event)}"
            ours = _ours(pattern, event)
            said = ministack.verdict(_renamed(pattern), _renamed(event))
            tally.add(f"ministack: {case}", ours, said)
            if not broken:
                said = _moto(pattern, event)
                tally.add(f"moto: {case}", ours, said, partial(_explained, pattern, event))
    return tally


def _event(work: Workload, dice: random.Random, pattern: Any) -> dict[str, Any]:
    """An event. For every other pattern one is sought that matches, since few do by chance."""
    event = work.event()
    read = parse(Json(pattern))
    if dice.random() < 0.5:
        for _ in range(_ATTEMPTS):
            if plain.matches(read, event):
                break
            event = work.event()
    return event


def _ours(pattern: Any, event: dict[str, Any]) -> Verdict:
    """What the index says, and the plain matcher, which must agree."""
    try:
        read = parse(Json(pattern))
    except ValidationError:
        return REFUSED
    rules: Rules[int] = Rules()
    rules.add(1, read)
    found = rules.matching(event) == [1]
    assert found is plain.matches(read, event)
    return found


def _moto(pattern: Any, event: Any) -> Verdict:
    from moto.events.models import EventPattern

    return bool(EventPattern.load(json.dumps(pattern)).matches_event(event))


def _explained(pattern: Any, event: dict[str, Any]) -> str | None:
    """Why moto says otherwise: because of something that it is known to take amiss, at a place where the pattern looks."""
    for asked, value in _met(pattern, event):
        if asked is None:
            return _ARRAYS
        if isinstance(value, dict) or value == [] or _nested(value):
            return _CONTAINERS
        values = value if isinstance(value, list) else [value]
        if any("cidr" in it for it in asked if isinstance(it, dict)) and any(
            isinstance(it, int) for it in values
        ):
            return _ADDRESSES
        if _mixed(values, _compared(asked)):
            return _BOOLEANS
    return None


def _met(pattern: Any, value: Any) -> Iterator[tuple[list[Any] | None, Any]]:
    """What is asked of each field of the pattern that the event has, and what is there; nothing is asked of an array on the
    way."""
    for name, inner in pattern.items():
        if name == "$or":
            for it in inner:
                yield from _met(it, value)
        elif isinstance(value, dict) and name in value:
            if isinstance(inner, list):
                yield inner, value[name]
            elif isinstance(value[name], list):
                yield None, value[name]
            else:
                yield from _met(inner, value[name])


def _nested(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(it, list | dict) for it in value)


def _compared(asked: list[Any]) -> Iterator[Any]:
    """Everything in a list of what may match that a value is compared with."""
    for it in asked:
        if isinstance(it, dict):
            for operand in it.values():
                yield from _compared(operand if isinstance(operand, list) else [operand])
        else:
            yield it


def _mixed(values: Iterable[Any], others: Iterable[Any]) -> bool:
    """Whether true or false is among the one, and a number among the other."""
    kinds, theirs = (
        {isinstance(it, bool) for it in some if isinstance(it, int | float)}
        for some in (values, others)
    )
    return bool(kinds and theirs and kinds | theirs == {True, False})


def _connected(url: str) -> HTTPConnection:
    return HTTPConnection(urlsplit(url).netloc)


class _Ministack:
    def __init__(self, connection: HTTPConnection) -> None:
        self._connection = connection

    def verdict(self, pattern: Any, event: Any) -> Verdict:
        """What the operation TestEventPattern says."""
        given = {"EventPattern": json.dumps(pattern), "Event": json.dumps(event)}
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "AWSEvents.TestEventPattern",
        }
        self._connection.request("POST", "/", json.dumps(given), headers)
        with self._connection.getresponse() as answer:
            said = json.load(answer)
        if answer.status == 400 and "InvalidEventPattern" in said.get("__type", ""):
            return REFUSED
        assert answer.status == 200, said
        return bool(said["Result"])


def _renamed(value: dict[str, Any]) -> dict[str, Any]:
    return {_NAMES.get(name, name): inner for name, inner in value.items()}


def _broken(dice: random.Random, pattern: Any) -> Any:
    """The pattern with something in it that nobody can have meant."""
    places = list(_lists(pattern))
    chosen = dice.choice(places)
    wrong: tuple[Any, ...] = (
        {"regex": "a"}, {"prefix": 1}, {"prefix": ["a"]}, {"suffix": None}, {"suffix": {"prefix": "a"}},
        {"equals-ignore-case": 1}, {"wildcard": "a**b"}, {"wildcard": "a\\b"}, {"wildcard": 1},
        {"numeric": []}, {"numeric": ["<", "1"]}, {"numeric": ["<", 1, ">", 2]}, {"numeric": [">", 2, "<", 1]},
        {"numeric": ["!=", 1]}, {"numeric": ["="]}, {"numeric": 1}, {"numeric": [">", 1, "=", 2]},
        {"cidr": "10.0.0.0"}, {"cidr": "10.0.0.256/8"}, {"cidr": "10.0.0.0/33"}, {"cidr": 1}, {"cidr": "x/8"},
        {"exists": 1}, {"exists": "true"}, {"exists": None},
        {"anything-but": []}, {"anything-but": None}, {"anything-but": True}, {"anything-but": ["a", 1]},
        {"anything-but": {"exists": True}}, {"anything-but": {"numeric": ["<", 1]}}, {"anything-but": {"prefix": ""}},
        {"anything-but": {"prefix": []}}, {"anything-but": {}}, {"anything-but": [["a"]]},
        {"prefix": "a", "suffix": "b"}, {}, ["a"],
    )  # fmt: skip
    chosen.append(dice.choice(wrong))
    return pattern


def _lists(pattern: Any) -> Iterator[list[Any]]:
    """The lists of what may match."""
    for name, inner in pattern.items():
        if isinstance(inner, dict):
            yield from _lists(inner)
        elif name == "$or":
            for it in inner:
                yield from _lists(it)
        else:
            yield inner


DIFFERENTIAL: Final = Differential("ministack and moto", compare, KNOWN)
