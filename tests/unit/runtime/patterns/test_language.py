"""The language of patterns: what each operator matches and what it does not, and what is refused.

What AWS documents decides ("Comparison operators for use in event patterns in Amazon EventBridge"); where it leaves something
open, AWS's Event Ruler does. Every case is held against both matchers.
"""

from __future__ import annotations

from enum import Enum

import pytest

from lcplatform.errors import ValidationError
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.patterns.grammar import parse
from lcplatform_runtime.patterns.plain import Event, matches
from lcplatform_runtime.patterns.rules import Rules


class Nothing(Enum):
    """No value at all. Shown alike in every process, as the names of tests must be."""

    NOTHING = "nothing"


NOTHING = Nothing.NOTHING


def answer(pattern: object, event: Event) -> bool:
    """What both matchers say."""
    read = parse(Json(pattern))
    rules: Rules[str] = Rules()
    rules.add("it", read)
    said = matches(read, event)
    assert (rules.matching(event) == ["it"]) is said
    return said


def of_value(operator: object, value: object) -> bool:
    """Whether a value in the data matches."""
    return answer({"data": {"v": [operator]}}, {"data": {} if value is NOTHING else {"v": value}})


@pytest.mark.parametrize(
    ("operator", "yes", "no"),
    [
        ("", [""], ["a", None, 0, NOTHING, [], {}]),
        ("a", ["a", ["b", "a"], [["a"]]], ["A", "aa", "", 1, None, {"a": "a"}, ["b"]]),
        ("1", ["1"], [1, 1.0, True]),
        (1, [1, 1.0, 1e0, [2, 1]], ["1", True, 2]),
        (0, [0, -0.0], [False, None, ""]),
        (9007199254740993, [9007199254740993], [9007199254740992, 9007199254740994]),
        (True, [True, [False, True]], [1, "true", False, None]),
        (False, [False], [0, "", None, True]),
        (None, [None, ["a", None]], ["null", 0, "", False, NOTHING, []]),
        ({"prefix": "ab"}, ["ab", "abc", ["x", "ab"]], ["a", "AB", "xab", None, 1]),
        ({"prefix": ""}, ["", "a"], [1, None, True, NOTHING, {}]),
        ({"prefix": {"equals-ignore-case": "aB"}}, ["ab", "ABC", "Abc"], ["a", "bab", 1]),
        ({"suffix": "bc"}, ["bc", "abc"], ["c", "BC", "bcx", None, 1]),
        ({"suffix": ""}, ["", "a"], [1, None, NOTHING]),
        ({"suffix": {"equals-ignore-case": ".PNG"}}, ["a.png", ".Png"], ["png", "a.png.x"]),
        ({"equals-ignore-case": "Alice"}, ["alice", "ALICE"], ["alic", "alicex", 1, None]),
        ({"equals-ignore-case": "straße"}, ["STRASSE", "Straße"], ["strase"]),
        ({"wildcard": "dir/*.png"}, ["dir/a.png", "dir/.png"], ["dir/a.jpg", "xdir/a.png", 1]),
        ({"wildcard": "*"}, ["", "a"], [1, None, True, NOTHING, []]),
        ({"wildcard": "*/lib/*"}, ["/lib/", "a/lib/b"], ["lib", "/lib", "a/lab/b"]),
        ({"wildcard": "a*a"}, ["aa", "aba"], ["a", "ab"]),
        ({"wildcard": "a*ab*b"}, ["aabb", "aXabb", "aababb"], ["aab", "abb", "aabX"]),
        ({"wildcard": "a\\*b"}, ["a*b"], ["aXb", "ab", "a\\*b"]),
        ({"wildcard": "a\\\\*"}, ["a\\", "a\\b"], ["a", "a*"]),
        ({"wildcard": "plain"}, ["plain"], ["plainx", "*"]),
        ({"wildcard": "a?[b]*"}, ["a?[b]", "a?[b]c"], ["axb"]),
        ({"wildcard": "a*b"}, ["a\nb"], ["a\nb\n"]),
        ({"numeric": ["=", 5]}, [5, 5.0], ["5", 4, None, True]),
        ({"numeric": [">", 0]}, [0.1, 10**30], [0, -1, "1", True, None]),
        ({"numeric": [">=", 0]}, [0, 1], [-0.1]),
        ({"numeric": ["<", 0]}, [-1, -(10**30)], [0, False]),
        ({"numeric": ["<=", 0]}, [0, -1], [0.1]),
        ({"numeric": [">", 0, "<=", 5]}, [0.1, 5, [9, 3]], [0, 5.1, [-1, 9]]),
        ({"numeric": [">=", -1.5, "<", 1e200]}, [-1.5, 0, 1e199], [-1.6, 1e200, 10**201]),
        ({"numeric": [">", 1, "<", 1.0000000000000002e0]}, [], [1, 2]),
        ({"cidr": "10.0.0.0/24"}, ["10.0.0.0", "10.0.0.255", "010.0.0.1"], ["10.0.1.0", "10.0.0.256", "10.0.0", "a", 1, "::1"]),
        ({"cidr": "10.0.0.7/24"}, ["10.0.0.1"], ["10.0.1.7"]),
        ({"cidr": "0.0.0.0/0"}, ["255.255.255.255"], ["::1", "1.2.3"]),
        ({"cidr": "2001:db8::/32"}, ["2001:db8::1", "2001:0DB8:1::"], ["2001:db9::", "::", "2001:db8::1%eth0", "10.0.0.1"]),
        ({"cidr": "::/0"}, ["::", "ffff::"], ["0.0.0.0", "::ffff:1.2.3.4"]),
        ({"exists": True}, ["", None, 0, False, [1]], [NOTHING, {}, {"a": 1}, [], [{}]]),
        ({"exists": False}, [NOTHING, {}, {"a": 1}, [], [{}]], ["", None, 0, False, [1]]),
        ({"anything-but": "a"}, ["b", "A", 1, None, True, ["a", "b"]], ["a", ["a"], [], {}, NOTHING]),
        ({"anything-but": 1}, [2, "1", True, None], [1, 1.0, [1]]),
        ({"anything-but": ["a", "b"]}, ["c", 1, ["a", "c"]], ["a", "b", ["a", "b"]]),
        ({"anything-but": [1, 2]}, [3, "1"], [1, 2.0]),
        ({"anything-but": {"prefix": "a"}}, ["b", "ba", 1, None], ["a", "ab", NOTHING]),
        ({"anything-but": {"prefix": ["a", "b"]}}, ["c"], ["a", "bx"]),
        ({"anything-but": {"suffix": ".png"}}, ["a.gif", 1], ["a.png"]),
        ({"anything-but": {"suffix": ["a", "b"]}}, ["c"], ["xa", "b"]),
        ({"anything-but": {"equals-ignore-case": "a"}}, ["b", 1], ["a", "A"]),
        ({"anything-but": {"equals-ignore-case": ["a", "b"]}}, ["c"], ["A", "B"]),
        ({"anything-but": {"wildcard": "*/lib/*"}}, ["/bin/x", 1], ["/lib/x"]),
        ({"anything-but": {"wildcard": ["a*", "*b"]}}, ["ca"], ["ax", "xb"]),
    ],
    ids=str,
)  # fmt: skip
def test_what_an_operator_matches(operator: object, yes: list[object], no: list[object]) -> None:
    assert [it for it in yes if not of_value(operator, it)] == []
    assert [it for it in no if of_value(operator, it)] == []


def test_a_field_matches_if_one_of_its_values_does() -> None:
    pattern = {"data": {"v": ["a", {"prefix": "b"}, {"numeric": [">", 5]}, {"exists": False}]}}
    for value in ("a", "bcd", 6):
        assert answer(pattern, {"data": {"v": value}})
    assert answer(pattern, {"data": {}})
    assert not answer(pattern, {"data": {"v": "c"}})


def test_every_field_has_to_match() -> None:
    pattern = {"source": ["s"], "data": {"a": [1], "b": {"c": [2]}}}
    assert answer(pattern, {"source": "s", "data": {"a": 1, "b": {"c": 2}, "more": 3}})
    assert not answer(pattern, {"source": "t", "data": {"a": 1, "b": {"c": 2}}})
    assert not answer(pattern, {"source": "s", "data": {"a": 1, "b": {"c": 3}}})
    assert not answer(pattern, {"source": "s", "data": {"a": 1, "b": 2}})
    assert not answer(pattern, {"source": "s"})


def test_one_of_the_alternatives_has_to_match() -> None:
    pattern = {
        "source": ["s"],
        "data": {"$or": [{"a": [1]}, {"b": [2], "c": [3]}, {"$or": [{"d": [4]}, {"e": [5]}]}]},
    }
    for data in ({"a": 1}, {"b": 2, "c": 3}, {"d": 4}, {"e": 5}, {"a": 1, "d": 4}):
        assert answer(pattern, {"source": "s", "data": data})
    for data in ({"b": 2}, {"c": 3}, {"a": 2}, {}):
        assert not answer(pattern, {"source": "s", "data": data})
    assert not answer(pattern, {"source": "t", "data": {"a": 1}})


def test_two_lists_of_alternatives_are_independent() -> None:
    pattern = {
        "$or": [{"source": ["a"]}, {"type": ["b"]}],
        "data": {"$or": [{"c": [1]}, {"d": [2]}]},
    }
    assert answer(pattern, {"source": "a", "type": "x", "data": {"d": 2}})
    assert not answer(pattern, {"source": "x", "type": "x", "data": {"d": 2}})
    assert not answer(pattern, {"source": "a", "type": "b", "data": {}})


def test_fields_inside_of_an_array_match_in_one_item() -> None:
    people = {"data": {"who": [{"first": "Anna", "last": "Smith"}, {"first": "Jo", "last": "Doe"}]}}
    assert answer({"data": {"who": {"first": ["Anna"], "last": ["Smith"]}}}, people)
    assert not answer({"data": {"who": {"first": ["Anna"], "last": ["Doe"]}}}, people)
    assert answer({"data": {"who": {"first": ["Jo"]}}}, {"data": [[people["data"]], []]})
    assert not answer({"data": {"who": {"first": ["Jo"]}}}, {"data": {"who": []}})


def test_a_field_is_absent_if_no_item_of_an_array_has_it() -> None:
    pattern = {"data": {"who": {"first": ["Jo"], "last": [{"exists": False}]}}}
    assert answer(pattern, {"data": {"who": [{"first": "Jo"}, {"first": "Anna"}]}})
    assert not answer(pattern, {"data": {"who": [{"first": "Jo"}, {"last": "Smith"}]}})
    assert answer({"data": {"a": {"b": [{"exists": False}]}}}, {"data": 1})
    assert answer({"data": {"a": {"b": [{"exists": False}]}}}, {})


def test_a_name_with_a_dot_is_one_name() -> None:
    assert answer({"data": {"a.b": [1]}}, {"data": {"a.b": 1}})
    assert not answer({"data": {"a.b": [1]}}, {"data": {"a": {"b": 1}}})


def test_an_event_may_be_nested_as_deep_as_json_can_be() -> None:
    deep: object = "a"
    for _ in range(5000):
        deep = [deep]
    assert of_value("a", deep)
    assert not of_value({"exists": False}, deep)


@pytest.mark.parametrize("text", ["a" * 20_000, "ab" * 10_000, "a" * 20_000 + "b"])
def test_no_text_makes_a_wildcard_slow(text: str) -> None:
    assert not of_value({"wildcard": "a*a*a*a*a*a*a*c"}, text)
    assert not of_value({"wildcard": "*a*b*a*b*a*b*x*"}, text)


@pytest.mark.parametrize(
    ("pattern", "place"),
    [
        ({}, ""),
        ({"source": []}, "source"),
        ({"source": "a"}, "source"),
        ({"source": None}, "source"),
        ({"source": 5}, "source"),
        ({"data": {}}, "data"),
        ({"data": {"a": {}}}, "data.a"),
        ({"source": [["a"]]}, "source"),
        ({"source": [{}]}, "source"),
        ({"source": [{"begins-with": "a"}]}, "source"),
        ({"source": [{"prefix": "a", "suffix": "b"}]}, "source"),
        ({"source": [{"prefix": 1}]}, "source"),
        ({"source": [{"prefix": ["a"]}]}, "source"),
        ({"source": [{"prefix": {"suffix": "a"}}]}, "source"),
        ({"source": [{"prefix": {"equals-ignore-case": 1}}]}, "source"),
        ({"source": [{"suffix": None}]}, "source"),
        ({"source": [{"equals-ignore-case": ["a"]}]}, "source"),
        ({"source": [{"wildcard": ["a*"]}]}, "source"),
        ({"source": [{"wildcard": "a**b"}]}, "source"),
        ({"source": [{"wildcard": "a\\b"}]}, "source"),
        ({"source": [{"wildcard": "a\\"}]}, "source"),
        ({"source": [{"exists": "true"}]}, "source"),
        ({"source": [{"exists": 1}]}, "source"),
        ({"source": [{"exists": None}]}, "source"),
        ({"source": [{"cidr": "10.0.0.0"}]}, "source"),
        ({"source": [{"cidr": "10.0.0.0/32"}]}, "source"),
        ({"source": [{"cidr": "10.0.0.0/-1"}]}, "source"),
        ({"source": [{"cidr": "10.0.0.0/x"}]}, "source"),
        ({"source": [{"cidr": "10.0.0.0/"}]}, "source"),
        ({"source": [{"cidr": "10.0.0.256/8"}]}, "source"),
        ({"source": [{"cidr": "::/128"}]}, "source"),
        ({"source": [{"cidr": "example.org/8"}]}, "source"),
        ({"source": [{"cidr": ["10.0.0.0/8"]}]}, "source"),
        ({"source": [{"numeric": []}]}, "source"),
        ({"source": [{"numeric": 5}]}, "source"),
        ({"source": [{"numeric": ["=="]}]}, "source"),
        ({"source": [{"numeric": [">"]}]}, "source"),
        ({"source": [{"numeric": [">", "1"]}]}, "source"),
        ({"source": [{"numeric": [">", True]}]}, "source"),
        ({"source": [{"numeric": ["<", 5, ">", 1]}]}, "source"),
        ({"source": [{"numeric": ["=", 5, "<", 9]}]}, "source"),
        ({"source": [{"numeric": [">", 5, "<", 5]}]}, "source"),
        ({"source": [{"numeric": [">", 5, "<", 6, "<", 7]}]}, "source"),
        ({"source": [{"anything-but": []}]}, "source"),
        ({"source": [{"anything-but": None}]}, "source"),
        ({"source": [{"anything-but": True}]}, "source"),
        ({"source": [{"anything-but": ["a", 1]}]}, "source"),
        ({"source": [{"anything-but": [True]}]}, "source"),
        ({"source": [{"anything-but": {}}]}, "source"),
        ({"source": [{"anything-but": {"numeric": [">", 1]}}]}, "source"),
        ({"source": [{"anything-but": {"cidr": "10.0.0.0/8"}}]}, "source"),
        ({"source": [{"anything-but": {"exists": True}}]}, "source"),
        ({"source": [{"anything-but": {"prefix": ""}}]}, "source"),
        ({"source": [{"anything-but": {"prefix": []}}]}, "source"),
        ({"source": [{"anything-but": {"suffix": ["a", 1]}}]}, "source"),
        ({"source": [{"anything-but": {"wildcard": "**"}}]}, "source"),
        ({"source": [{"anything-but": {"prefix": "a", "suffix": "b"}}]}, "source"),
        ({"$or": [{"source": ["a"]}]}, "$or"),
        ({"$or": {"source": ["a"]}}, "$or"),
        ({"$or": [{"source": ["a"]}, "b"]}, "$or"),
        ({"data": {"$or": [{"a": [1]}, {}]}}, "data"),
        ({"data": {"$or": [{"a": [1]}, {"prefix": ["b"]}]}}, "data"),
        ({"source": ["a"], "$or": [{"source": ["b"]}, {"type": ["c"]}]}, "source"),
        ({"$or": [{f"a{n}": [1]} for n in range(1001)]}, "$or"),
        ({"x": {"$or": [{f"a{n}": [1]} for n in range(50)]}, "y": {"$or": [{f"a{n}": [1]} for n in range(21)]}}, "y.$or"),
    ],
    ids=lambda it: str(it)[:60],
)  # fmt: skip
def test_what_is_no_pattern_is_refused(pattern: object, place: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse(Json(pattern), "pattern")
    [violation] = caught.value.violations
    assert violation.field == "pattern"
    assert violation.description.startswith(f"{place}: " if place else "at least")


def test_a_name_that_stands_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="twice"):
        parse(Json.from_text('{"source": ["a"], "source": ["b"]}'))


@pytest.mark.parametrize("deep", [52, 300])
def test_a_pattern_that_is_too_deep_is_refused(deep: int) -> None:
    pattern: object = ["a"]
    for _ in range(deep):
        pattern = {"x": pattern}
    with pytest.raises(ValidationError, match="levels"):
        parse(Json(pattern))


@pytest.mark.parametrize(
    ("pattern", "basic"),
    [
        ({"source": ["a", {"prefix": "b"}], "type": ["c"], "subject": [{"prefix": "d"}]}, True),
        ({"source": [{"suffix": "a"}]}, False),
        ({"source": [{"prefix": {"equals-ignore-case": "a"}}]}, False),
        ({"subject": [{"exists": False}]}, False),
        ({"time": ["a"]}, False),
        ({"data": {"source": ["a"]}}, False),
        ({"$or": [{"source": ["a"]}, {"type": ["b"]}]}, False),
    ],
)
def test_what_any_provider_matches_is_known(pattern: object, *, basic: bool) -> None:
    assert parse(Json(pattern)).basic is basic
