"""Scenarios: what is wrong with a file is told with its place, and what is right becomes a test that reads well.

The example is `kiosk/`. After a change of its output that is meant: `python -m tests.codegen.test_scenarios`.
"""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from lcplatform_codegen import contract, scenarios
from lcplatform_codegen.errors import IdlError
from lcplatform_codegen.model import Service
from lcplatform_codegen.publish import polish
from tests.codegen.rendering import HERE, ROOT, schema_of

KIOSK: Final = HERE / "kiosk" / "idl"
FILE: Final = "lcplatform/kiosk/v1/scenarios.yaml"
SCHEMA: Final = "scenarios.schema.json"
GOLDEN: Final = HERE / "kiosk" / "scenarios.golden"
TITLE: Final = "a thing is kept"
ADD: Final = {
    "add_thing": {"name": "$lamp", "worth": {"text": "much"}},
    "expect": {"thing": {"name": "$lamp"}},
}


@cache
def kiosk() -> Service:
    return next(service for service in schema_of(KIOSK).services if service.name == "Kiosk")


def problems(folder: Path, text: str) -> list[str]:
    """What the generator has against a file with this text."""
    target = folder / FILE
    target.parent.mkdir(parents=True)
    target.write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "idl" / SCHEMA, folder / SCHEMA)
    try:
        scenarios.load(folder, kiosk())
    except IdlError as error:
        return error.problems
    return []


def file_with(*steps: Any, **words: Any) -> str:
    """A file with one scenario of these steps; words replace or, being None, remove the scenario's own."""
    scenario = {
        "scenario": TITLE,
        "requirements": ["FR-001"],
        "names": ["lamp"],
        "steps": list(steps),
        **words,
    }
    return yaml.safe_dump(
        {
            "service": "lcplatform.kiosk.v1.KioskService",
            "requirements": {"FR-001": "Things are kept."},
            "scenarios": [{word: value for word, value in scenario.items() if value is not None}],
        }
    )


def rendered() -> str:
    """The test module of the kiosk, as it would be published."""
    idl = HERE / "kiosk" / "idl"
    suite = scenarios.load(idl, kiosk(), schema=ROOT / "idl" / SCHEMA)
    path = "lcplatform_contract/kiosk/test_kiosk_scenarios.py"
    return polish({path: contract.render_scenarios(suite)}, ROOT / "pyproject.toml")[path]


def test_a_good_file_is_accepted(tmp_path: Path) -> None:
    assert problems(tmp_path, file_with(ADD)) == []


def test_the_output_is_the_golden() -> None:
    assert rendered() == GOLDEN.read_text(encoding="utf-8")


STEPS: Final[dict[str, tuple[Any, str]]] = {
    "an unknown operation": (
        {"add_thnig": {"name": "$lamp"}},
        "step 1: Kiosk has no operation add_thnig: did you mean add_thing?",
    ),
    "an unknown service": (
        {"bel.ring_bell": {"name": "$lamp"}},
        "step 1: there is no other service bel: did you mean bell?",
    ),
    "the service itself, named as another": (
        {"kiosk.add_thing": {"name": "$lamp"}},
        "step 1: there is no other service kiosk: there is bell",
    ),
    "an unknown operation of another service": (
        {"bell.ring_bel": {"name": "$lamp"}},
        "step 1: Bell has no operation ring_bel: did you mean ring_bell?",
    ),
    "an unknown field of another service": (
        {"bell.ring_bell": {"name": "$lamp", "lod": True}},
        "step 1: ring_bell: RingBellRequest has no field lod: did you mean loud?",
    ),
    "no operation": (
        {"expect": {"thing": {}}},
        "step 1: a step is one operation, and this has none",
    ),
    "two operations": (
        {"add_thing": {}, "give_thing": {}},
        "step 1: a step is one operation, and this has add_thing and give_thing",
    ),
    "an unknown field": (
        {"add_thing": {"name": "$lamp", "worht": {"text": "much"}}},
        "step 1: add_thing: AddThingRequest has no field worht: did you mean worth?",
    ),
    "an unknown field inside": (
        {
            "add_thing": {
                "name": "$lamp",
                "worth": {"text": "much"},
                "parts": [{"name": "a"}, {"nam": "b"}],
            }
        },
        "step 1: add_thing.parts[1]: Part has no field nam: did you mean name?",
    ),
    "a missing field": (
        {"add_thing": {"name": "$lamp"}},
        "step 1: add_thing: AddThingRequest requires worth",
    ),
    "a missing field inside": (
        {"add_thing": {"name": "$lamp", "worth": {"text": "much"}, "parts": [{}]}},
        "step 1: add_thing.parts[0]: Part requires name",
    ),
    "a number for a text": (
        {"add_thing": {"name": 3, "worth": {"text": "much"}}},
        "step 1: add_thing.name: expected a text (quote what looks like something else), found 3",
    ),
    "a text for a number": (
        {"list_things": {"page_size": "2"}},
        "step 1: list_things.page_size: expected an integer, found '2'",
    ),
    "a truth value for a number": (
        {"list_things": {"page_size": True}},
        "step 1: list_things.page_size: expected an integer, found true",
    ),
    "a number for a duration": (
        {"add_thing": {"name": "$lamp", "worth": {"text": "much"}, "term": 3}},
        "step 1: add_thing.term: expected a duration such as 2s, 5m or 30d, found 3",
    ),
    "an unknown enum value": (
        {"add_thing": {"name": "$lamp", "worth": {"text": "much"}, "place": "SHELF"}},
        "step 1: add_thing.place: 'SHELF' is no Place: there is shelf, out",
    ),
    "a text for a union": (
        {"add_thing": {"name": "$lamp", "worth": "much"}},
        "step 1: add_thing.worth: expected a Worth, which is a map, found 'much'",
    ),
    "two alternatives of a union": (
        {"add_thing": {"name": "$lamp", "worth": {"text": "much", "json": 1}}},
        "step 1: add_thing.worth: expected one of text, json",
    ),
    "a map for a list": (
        {"add_thing": {"name": "$lamp", "worth": {"text": "much"}, "parts": {"name": "a"}}},
        "step 1: add_thing.parts: expected a list, found a map",
    ),
    "a map for an alternative that is told by its type": (
        {"add_thing": {"name": "$lamp", "worth": {"text": "much"}, "figures": [{"words": "a"}]}},
        "step 1: add_thing.figures[0]: Figure has no field words: did you mean word?",
    ),
    "a truth value where none is an alternative": (
        {"add_thing": {"name": "$lamp", "worth": {"text": "much"}, "figures": [True]}},
        "step 1: add_thing.figures[0]: expected a Figure, found true",
    ),
    "a text that says no date": (
        {"add_thing": {"name": "$lamp", "worth": {"text": "much"}, "figures": [{"day": "31"}]}},
        "step 1: add_thing.figures[0].day: expected a date in quotes, found '31'",
    ),
    "a moment without a zone": (
        {
            "add_thing": {
                "name": "$lamp",
                "worth": {"text": "much"},
                "figures": [{"moment": "2026-01-31T12:00:00"}],
            }
        },
        "step 1: add_thing.figures[0].moment: expected a timestamp in quotes, "
        "found '2026-01-31T12:00:00'",
    ),
    "an unknown variable": (
        {"add_thing": {"name": "$lmap", "worth": {"text": "much"}}},
        "step 1: add_thing.name: $lmap has no value: did you mean lamp?",
    ),
    "number without repeat": (
        {"add_thing": {"name": "${number}", "worth": {"text": "much"}}},
        "step 1: add_thing.name: $number has no value: there is lamp",
    ),
    "a lone dollar": (
        {"add_thing": {"name": "5 $", "worth": {"text": "much"}}},
        "step 1: add_thing.name: a lone $ in '5 $': write $$ for the sign, ${name} for a variable in a text",
    ),
    "a variable of another type": (
        {"list_things": {"page_size": "$lamp"}},
        "step 1: list_things.page_size: expected a int, and $lamp is a string",
    ),
    "an unknown field expected": (
        {"list_things": {}, "expect": {"thngs": []}},
        "step 1: expect: ListThingsResponse has no field thngs: did you mean things?",
    ),
    "a wrong type expected": (
        {"list_things": {}, "expect": {"things": [{"fresh": "yes"}]}},
        "step 1: expect.things[0].fresh: expected true or false, found 'yes'",
    ),
    "a timestamp written out": (
        {"list_things": {}, "expect": {"things": [{"added_at": "2026-01-01"}]}},
        "step 1: expect.things[0].added_at: expected a variable or $any, since times differ from run to run, "
        "found '2026-01-01'",
    ),
    "any for a number": (
        {"put_picture": {"name": "$lamp", "body": ""}, "expect": {"size": "$any"}},
        "step 1: expect.size: $any tells nothing of a int",
    ),
    "absent for what is always there": (
        {"list_things": {}, "expect": {"next_page_token": "$absent"}},
        "step 1: expect.next_page_token: the field is never absent: write out its empty value",
    ),
    "unordered for a text": (
        {"list_things": {}, "expect": {"next_page_token": {"$unordered": []}}},
        "step 1: expect.next_page_token: $unordered stands for a list, not for a string",
    ),
    "an upload without a body": (
        {"put_picture": {"name": "$lamp"}},
        "step 1: put_picture: what is uploaded is missing: body",
    ),
    "a body that is a number": (
        {"put_picture": {"name": "$lamp", "body": 7}},
        "step 1: put_picture.body: expected a text, {$base64: ...}, {$size: ...} or a body in another form, found 7",
    ),
    "a body of a call that has none": (
        {"list_things": {}, "expect": {"body": "x"}},
        "step 1: expect: ListThingsResponse has no field body: there is things, next_page_token",
    ),
    "not base64": (
        {"put_picture": {"name": "$lamp", "body": {"$base64": "%"}}},
        "step 1: put_picture.body: '%' is not base64",
    ),
    "an error that is not declared": (
        {"add_thing": {"name": "$lamp", "worth": {"text": "much"}}, "error": "not_found"},
        "step 1: error: add_thing declares no NOT_FOUND: there is already_exists",
    ),
    "an error of an unknown field": (
        {
            "add_thing": {"name": "$lamp", "worth": {"text": "much"}},
            "error": {"code": "validation", "field": "wort"},
        },
        "step 1: error: AddThingRequest has no field wort: did you mean worth?",
    ),
    "a save from nowhere": (
        {"list_things": {}, "save": {"token": "page_token"}},
        "step 1: save.token: ListThingsResponse has no field page_token: did you mean next_page_token?",
    ),
    "a save of an item without its number": (
        {"list_things": {}, "save": {"one": "things.name"}},
        "step 1: save.one: things is a list: say which item, as in things[0]",
    ),
    "a save over another": (
        {"list_things": {}, "save": {"lamp": "next_page_token"}},
        "step 1: save.lamp: there is a variable of this name already",
    ),
    "a gather of what is no list": (
        {"list_things": {}, "gather": {"next_page_token": 2}},
        "step 1: gather: next_page_token is no list",
    ),
    "a field of many answers that is no list": (
        {"watch_things": {}, "expect": {"thing": {"name": "$lamp"}}},
        "step 1: watch_things answers many times, and thing is no list: say $items, or open the stream",
    ),
    "a value of one of many answers": (
        {"watch_things": {}, "save": {"one": "thing.name"}},
        "step 1: watch_things answers many times, and thing is no list: say $items, or open the stream",
    ),
    "a wrong type in one of many answers": (
        {"watch_things": {}, "expect": {"$items": [{}, {"thing": {"fresh": 1}}]}},
        "step 1: expect.$items[1].thing.fresh: expected true or false, found 1",
    ),
    "two things of many answers to wait for": (
        {"watch_things": {}, "expect": {"$items": [], "notes": []}, "within": "2s"},
        "step 1: within: of a stream, one thing can be waited for at a time",
    ),
    "a gather of many answers": (
        {"watch_things": {}, "gather": {"notes": 2}},
        "step 1: gather: the answers of a stream are together already",
    ),
    "all answers of a call that has one": (
        {"list_things": {}, "expect": {"$items": []}},
        "step 1: expect: ListThingsResponse has no field $items: there is things, next_page_token",
    ),
    "a stream of a call that answers once": (
        {"list_things": {}, "open": "things"},
        "step 1: open: list_things answers once",
    ),
    "a stream with the name of a variable": (
        {"watch_things": {}, "open": "lamp"},
        "step 1: open: there is a lamp already",
    ),
    "an answer of a stream that is not open": (
        {"next": "lamps"},
        "step 1: next: no stream lamps is open: there is none",
    ),
    "an HTTP answer with something else": (
        {"http": {"method": "GET", "url": "$lamp"}, "expect": {"code": 200}},
        "step 1: expect: an HTTP answer has no code: there is status, headers, body, location",
    ),
    "a save of an HTTP body": (
        {"http": {"method": "GET", "url": "$lamp"}, "save": {"text": "body"}},
        "step 1: save.text: of an HTTP answer, a parameter of its location is saved: location.code",
    ),
    "a save of an HTTP answer over another": (
        {"http": {"method": "GET", "url": "$lamp"}, "save": {"lamp": "location.lamp"}},
        "step 1: save.lamp: there is a variable of this name already",
    ),
    "an unknown variable in a form": (
        {"http": {"method": "POST", "url": "$lamp", "form": {"name": "$lmap"}}},
        "step 1: http.form.name: $lmap has no value: did you mean lamp?",
    ),
    "an HTTP status in words": (
        {"http": {"method": "GET", "url": "$lamp"}, "expect": {"status": "OK"}},
        "step 1: expect.status: expected an integer, found 'OK'",
    ),
}


@pytest.mark.parametrize("case", STEPS)
def test_a_wrong_step_is_refused_with_its_place(case: str, tmp_path: Path) -> None:
    step, expected = STEPS[case]
    assert problems(tmp_path, file_with(step)) == [f'{FILE}: "{TITLE}", {expected}']


OPEN: Final = {"watch_things": {}, "open": "told"}
HEARD: Final[dict[str, tuple[list[Any], str]]] = {
    "a stream that was closed": (
        [OPEN, {"close": "told"}, {"next": "told"}],
        "step 3: next: no stream told is open: there is none",
    ),
    "a stream under a name that is not quite right": (
        [OPEN, {"end": "tld"}],
        "step 2: end: no stream tld is open: did you mean told?",
    ),
    "a stream that is open already": (
        [OPEN, OPEN],
        "step 2: open: there is a told already",
    ),
    "an end with an expectation": (
        [OPEN, {"end": "told", "expect": {"notes": []}}],
        "step 2: end: it does not go together with expect",
    ),
    "a field that an answer has not": (
        [OPEN, {"next": "told", "expect": {"note": []}}],
        "step 2: expect: WatchThingsResponse has no field note: did you mean notes?",
    ),
    "an error that the stream does not declare": (
        [OPEN, {"next": "told", "error": "conflict"}],
        "step 2: error: watch_things declares no CONFLICT: there is not_found",
    ),
}


@pytest.mark.parametrize("case", HEARD)
def test_a_wrong_step_of_an_open_stream_is_refused(case: str, tmp_path: Path) -> None:
    steps, expected = HEARD[case]
    assert problems(tmp_path, file_with(*steps)) == [f'{FILE}: "{TITLE}", {expected}']


def test_a_stream_of_which_nothing_is_heard_is_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, file_with(ADD, OPEN)) == [
        f'{FILE}: "{TITLE}": nothing is heard of the stream told'
    ]


def test_the_step_that_is_wrong_is_counted_from_one(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, file_with(ADD, ADD, {"give_thing": {}}))
    assert f'"{TITLE}", step 3: give_thing' in problem


WHOLES: Final[dict[str, tuple[str, str]]] = {
    "a name that is never used": (
        file_with({"list_things": {}, "expect": {"things": []}}),
        "$lamp is never used",
    ),
    "a saved value that is never used": (
        file_with(ADD, {"list_things": {}, "save": {"next": "next_page_token"}}),
        "$next is never used",
    ),
    "a capability of an operation": (
        file_with({"give_thing": {"name": "$lamp"}, "error": "not_found"}),
        "needs: gifts is missing, without which there is no give_thing",
    ),
    "a capability of a field": (
        file_with(
            {
                "add_thing": {"name": "$lamp", "worth": {"text": "much"}, "gift": True},
                "error": "validation",
            }
        ),
        "needs: gifts is missing, without which there is no AddThingRequest.gift",
    ),
    "a capability that does not exist": (
        file_with(ADD, needs=["gift"]),
        "needs: there is no capability gift: did you mean gifts?",
    ),
    "a capability of another service": (
        file_with(ADD, {"bell.ring_bell": {"name": "$lamp", "loud": True}}),
        "needs: bell.loud is missing, without which there is no RingBellRequest.loud",
    ),
    "a capability that another service does not have": (
        file_with(ADD, needs=["bell.lod"]),
        "needs: there is no capability bell.lod: did you mean bell.loud?",
    ),
    "waiting for too long": (
        file_with(ADD, {"advance": "6s"}, {"advance": "5s"}),
        "needs: clock is missing, since time is advanced by more than 10 s",
    ),
    "a scenario that shows nothing": (
        file_with({"add_thing": {"name": "$lamp", "worth": {"text": "much"}}}),
        "nothing is expected, so nothing is shown",
    ),
    "a requirement that the file does not tell": (
        file_with(ADD, requirements=["FR-001", "FR-002"]),
        "FR-002 is not among the requirements of this file",
    ),
}


@pytest.mark.parametrize("case", WHOLES)
def test_a_wrong_scenario_is_refused_by_its_title(case: str, tmp_path: Path) -> None:
    text, expected = WHOLES[case]
    assert problems(tmp_path, text) == [f'{FILE}: "{TITLE}": {expected}']


MALFORMED: Final[dict[str, tuple[str, str]]] = {
    "no requirement": (
        file_with(ADD, requirements=None),
        f"\"{TITLE}\": 'requirements' is a required property",
    ),
    "an impossible requirement": (
        file_with(ADD, requirements=["FR-067"]),
        f"\"{TITLE}\": requirements.0: 'FR-067'",
    ),
    "no title": (file_with(ADD, scenario=None), "scenario 1: 'scenario' is a required property"),
    "a title with a full stop": (
        file_with(ADD, scenario="It works."),
        "scenario: 'It works.' is not well formed",
    ),
    "an unknown word": (
        file_with(ADD, need=["gifts"]),
        f"\"{TITLE}\": Additional properties are not allowed ('need'",
    ),
    "an unknown error": (
        file_with({"list_things": {}, "error": "NotFound"}),
        f"\"{TITLE}\", step 1: error: 'NotFound' is not valid",
    ),
    "an error and an expectation": (
        file_with({**ADD, "error": "validation"}),
        f'"{TITLE}", step 1: expect does not go together with error',
    ),
    "a duration without a unit": (
        file_with(ADD, {"advance": "5"}),
        f"\"{TITLE}\", step 2: advance: '5' is not well formed",
    ),
    "a stream that is opened with an expectation": (
        file_with(ADD, {"watch_things": {}, "open": "told", "expect": {"$items": []}}),
        f'"{TITLE}", step 2: expect does not go together with open',
    ),
    "an answer of what is no name": (
        file_with(ADD, {"next": "$told"}),
        f"\"{TITLE}\", step 2: next: '$told' is not well formed",
    ),
    "a request that is no map": (
        file_with({"list_things": "all"}),
        f"\"{TITLE}\", step 1: list_things: 'all' is not of type",
    ),
    "no steps": (file_with(), f'"{TITLE}": steps: [] should be non-empty'),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_file_that_breaks_the_schema_is_refused_with_its_place(case: str, tmp_path: Path) -> None:
    text, expected = MALFORMED[case]
    found = problems(tmp_path, text)
    assert any(problem.startswith(f"{FILE}: ") and expected in problem for problem in found), found


def test_a_requirement_that_no_scenario_cites_is_refused(tmp_path: Path) -> None:
    text = file_with(ADD).replace(
        "FR-001: Things are kept.", "FR-001: Things are kept.\n  FR-002: More."
    )
    assert problems(tmp_path, text) == [f"{FILE}: requirements: no scenario cites FR-002"]


def test_two_scenarios_with_one_title_are_refused(tmp_path: Path) -> None:
    raw = yaml.safe_load(file_with(ADD))
    raw["scenarios"] *= 2
    assert f'{FILE}: "{TITLE}": another scenario has this title' in problems(
        tmp_path, yaml.safe_dump(raw)
    )


def test_the_service_of_another_folder_is_refused(tmp_path: Path) -> None:
    text = file_with(ADD).replace(
        "lcplatform.kiosk.v1.KioskService", "lcplatform.queue.v1.QueueService"
    )
    assert problems(tmp_path, text) == [
        f"{FILE}: service: this is the folder of lcplatform.kiosk.v1.KioskService"
    ]


def test_a_word_that_stands_twice_is_refused_with_its_line(tmp_path: Path) -> None:
    assert problems(tmp_path, "service: one\nservice: other\n") == [
        f"{FILE}: line 2: 'service' stands twice in one map"
    ]


def test_what_is_not_yaml_is_refused_with_its_line(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "service: [one\nrequirements: {}\n")
    assert problem.startswith(f"{FILE}: line 2: ")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("service: one\nmore: !!binary eA==\n", "line 2: unknown tag tag:yaml.org,2002:binary"),
        ("service: one\nmore: !own {}\n", "line 2: unknown tag !own"),
        ("service: one\n? [two]\n: three\n", "line 2: a key is one value"),
    ],
)
def test_what_json_could_not_say_is_refused_with_its_line(
    tmp_path: Path, text: str, problem: str
) -> None:
    assert problems(tmp_path, text) == [f"{FILE}: {problem}"]


def test_a_service_without_scenarios_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IdlError, match="every service has scenarios"):
        scenarios.load(tmp_path, kiosk())


def test_words_that_look_like_truth_or_time_are_texts(tmp_path: Path) -> None:
    step = "{name: on, worth: {text: 12:30}, labels: {a: no, b: 2026-01-01}}"
    text = file_with(ADD).replace("steps:\n", f"steps:\n  - add_thing: {step}\n")
    assert problems(tmp_path, text) == []


@pytest.mark.parametrize("name", ["object_store", "queue", "secrets"])
def test_the_scenarios_of_the_project_are_right(name: str) -> None:
    service = next(one for one in schema_of(ROOT / "idl").services if one.accessor == name)
    suite = scenarios.load(ROOT / "idl", service)
    refused = [
        s for s in suite.scenarios if any(getattr(step, "refusal", None) for step in s.steps)
    ]
    assert len(suite.scenarios) >= 30
    assert len(refused) >= 10


if __name__ == "__main__":
    GOLDEN.write_text(rendered(), encoding="utf-8")
