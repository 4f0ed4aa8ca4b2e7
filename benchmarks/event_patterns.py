"""Events against patterns: our index over moto's matcher, in one process, and the index over itself with more rules.

Every rule is for the events of one shop, most are for one type, and have a condition on the data; every operator has its share.
The events are orders of some 700 bytes, parsed, as either matcher takes them; each matches a rule or two, however many there
are. moto is given the same rules as a service of its would have them, one `EventPattern` each.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, Final

from benchmarks.benchmark import Benchmark, Effort
from benchmarks.turns import cpu_of, take_turns
from benchmarks.verdict import Bar, Samples
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.patterns.grammar import Pattern, parse
from lcplatform_runtime.patterns.rules import Rules

_EVENTS: Final = 50
_KINDS: Final = ("placed", "paid", "packed", "shipped", "delivered", "returned")


def patterns(count: int) -> list[dict[str, Any]]:
    """So many patterns: ten for each shop, or for all shops whose names begin alike, most of them for one type of event, and
    with a condition on the data, of another operator each."""
    made = []
    for number in range(count):
        shop = number // len(_CONDITIONS)
        type_, data = _CONDITIONS[number % len(_CONDITIONS)]
        pattern = {"source": [_shop(shop)], "type": [f"com.example.order.{it}" for it in type_]}
        made.append(pattern | ({"data": data} if data else {}))
    return made


def _shop(number: int) -> str:
    return f"/shops/{number:05}"


_CONDITIONS: Final[tuple[tuple[tuple[str, ...], dict[str, Any]], ...]] = (
    (("placed",), {}),
    (("placed",), {"total": [{"numeric": [">=", 500]}]}),
    (("placed", "paid"), {"state": ["held"]}),
    (("paid",), {"address": [{"cidr": "10.0.0.0/16"}]}),
    (("packed",), {"state": [{"prefix": "he"}]}),
    (("packed",), {"till": [{"suffix": "-00"}], "state": [{"anything-but": ["open", "held"]}]}),
    (("shipped",), {"tags": ["fragile"]}),
    (("shipped",), {"note": [{"exists": True}]}),
    (("delivered",), {"customer": {"city": [{"equals-ignore-case": "SPRINGFIELD"}]}}),
    (("returned",), {"$or": [{"total": [{"numeric": ["<", 50]}]}, {"tags": ["gift"]}]}),
)  # fmt: skip


def events(rules: int) -> list[dict[str, Any]]:
    """Orders of shops that are spread over all that have rules."""
    dice = random.Random(0)
    shops = max(1, rules // len(_CONDITIONS))
    return [_order(dice, dice.randrange(shops)) for _ in range(_EVENTS)]


def _order(dice: random.Random, shop: int) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"{dice.getrandbits(128):032x}",
        "source": _shop(shop),
        "type": f"com.example.order.{dice.choice(_KINDS)}",
        "subject": f"{dice.randrange(10**9)}",
        "time": "2030-01-01T00:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "order": dice.randrange(10**9),
            "state": dice.choice(["open", "held", "closed"]),
            "total": dice.randrange(100000) / 100,
            "till": f"till-{dice.randrange(100):02}",
            "address": f"10.{dice.randrange(2)}.{shop % 250}.{dice.randrange(250)}",
            "customer": {
                "id": dice.randrange(10**9),
                "name": "A. Customer",
                "since": 2021,
                "city": "Springfield",
            },
            "tags": dice.sample(["gift", "fragile", "cold", "heavy"], 2),
            "lines": [
                {"sku": f"{dice.getrandbits(32):08x}", "count": dice.randrange(9), "price": 9.99}
                for _ in range(3)
            ],
        },
    }


def index_of(given: list[Pattern]) -> Rules[int]:
    """The index of some patterns."""
    rules: Rules[int] = Rules()
    for number, pattern in enumerate(given):
        rules.add(number, pattern)
    return rules


def _each(
    events_: list[dict[str, Any]], match: Callable[[dict[str, Any]], object]
) -> Callable[[], None]:
    def all_of_them() -> None:
        for event in events_:
            match(event)

    return all_of_them


def _beside_moto(count: int) -> Callable[[Effort], Samples]:
    def measure(effort: Effort) -> Samples:
        import json

        from moto.events.models import EventPattern

        given, sent = patterns(count), events(count)
        ours = index_of([parse(Json(it)) for it in given])
        theirs = [EventPattern.load(json.dumps(it)) for it in given]

        def peers(event: Any) -> list[int]:
            return [number for number, it in enumerate(theirs) if it.matches_event(event)]

        for event in sent:
            assert ours.matching(event) == peers(event)
        mine = cpu_of(_each(sent, ours.matching), 20)
        other = cpu_of(_each(sent, peers), max(1, 20 // count))
        scale = 1e6 / _EVENTS
        # Rates, so that more is better: how many of our events moto has time for one of.
        return take_turns(lambda: other() * scale, lambda: mine() * scale, effort.rounds(20))

    return measure


def _per_event(effort: Effort) -> Samples:
    turns = []
    for count in (10_000, 10):
        ours, sent = index_of([parse(Json(it)) for it in patterns(count)]), events(count)
        turns.append(cpu_of(_each(sent, ours.matching), 20))
    large, small = turns
    scale = 1e6 / _EVENTS
    return take_turns(lambda: large() * scale, lambda: small() * scale, effort.rounds(40))


def _building(effort: Effort) -> Samples:
    read = [parse(Json(it)) for it in patterns(10_000)]

    def cost(count: int) -> float:
        started = time.process_time()
        index_of(read[:count])
        return (time.process_time() - started) * 1e3

    return take_turns(lambda: cost(10_000), lambda: cost(1_000), effort.rounds(8, 4))


BENCHMARKS: Final = (
    *(
        Benchmark(
            name=f"event_patterns_{count}",
            bar=Bar(bar, at_least=True),
            compared=f"an event against {count} {'rule' if count == 1 else 'rules'}: moto's matcher over ours",
            unit="CPU µs",
            measure=_beside_moto(count),
        )
        for count, bar in ((1, 30), (10, 150), (1_000, 1_000))
    ),
    Benchmark(
        name="event_patterns_growth",
        bar=Bar(15),
        compared="an event against 10,000 rules over one against 10",
        unit="CPU µs",
        measure=_per_event,
    ),
    Benchmark(
        name="event_patterns_building",
        bar=Bar(15),
        compared="filing 10,000 rules over filing 1,000",
        unit="CPU ms",
        measure=_building,
    ),
)
