"""The IDL's own rules: each breach is refused with the place that has to change."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcplatform_codegen.errors import IdlError
from tests.codegen.rendering import schema_of

OPTIONS = "(lcplatform.options.v1.{})"
PROTO = """
// A file.
syntax = "proto3";
package lcplatform.demo.v1;
import "google/protobuf/field_mask.proto";
import "lcplatform/options/v1/options.proto";
import "lcplatform/type/v1/batch.proto";
import "lcplatform/type/v1/error.proto";
// Does things.
service DemoService {{
  option (lcplatform.options.v1.service) = {{
    capabilities: {{name: "speed" description: "It is fast."}}
  }};
  // Does it.
  rpc {rpc}({request_stream}DoRequest) returns ({response_stream}DoResponse) {{
    {method}
  }}
}}
// Asks.
message DoRequest {{
  {request}
}}
// Answers.
message DoResponse {{
  {response}
}}
"""


def problems(folder: Path, **parts: str) -> list[str]:
    blank = dict.fromkeys(
        ("method", "request", "response", "request_stream", "response_stream"), ""
    )
    target = folder / "lcplatform" / "demo" / "v1" / "demo.proto"
    target.parent.mkdir(parents=True)
    target.write_text(PROTO.format(**{**blank, "rpc": "Do", **parts}), encoding="utf-8")
    try:
        schema_of(folder)
    except IdlError as error:
        return error.problems
    return []


def test_a_clean_idl_passes(tmp_path: Path) -> None:
    assert problems(tmp_path) == []


NAME = "// The name.\n  string name = 1"


def named(rules: str) -> str:
    return f"{NAME} [(lcplatform.options.v1.field) = {{{rules}}}];"


def composed(rules: str) -> str:
    return f"option (lcplatform.options.v1.method) = {{{rules}}};"


CODE = "// The code.\n lcplatform.type.v1.ErrorCode code = 1;"
PAGE = "// Size.\n optional int32 page_size = 1;\n// Token.\n string page_token = 2;"
BREACHES = {
    "a field without a comment": (
        {"request": "string name = 1;"},
        "DoRequest.name: has no comment",
    ),
    "a vendor's word": (
        {"request": "// The arn.\n string name = 1;"},
        "the contract names no vendor",
    ),
    "a vendor's word in a name": ({"request": "// It.\n string s3_key = 1;"}, "names no vendor"),
    "an unpaged list": ({"rpc": "ListThings"}, "every list is paged"),
    "half a page": ({"request": PAGE}, "paging is page_size, page_token and next_page_token"),
    "half a batch": (
        {"response": "// Bad.\n repeated lcplatform.type.v1.BatchFailure failed = 1;"},
        "a batch answers with `successful` and `failed`",
    ),
    "an undeclared capability": (
        {"request": named('capability: "flight"')},
        "names the capability 'flight', which is not there",
    ),
    "an undeclared limit": (
        {"request": named('limit: "max_things"')},
        "names the limit 'max_things', which is not there",
    ),
    "an unknown cache key": (
        {"method": 'option (lcplatform.options.v1.method) = {cache: {key: ["id"]}};'},
        "names the request field 'id', which is not there",
    ),
    "an optional positional": (
        {"request": named("positional: true")},
        "what is positional is required",
    ),
    "a pattern without anchors": (
        {"request": named('pattern: "[a-z]+"')},
        "a pattern is anchored",
    ),
    "an int64 that JavaScript would round": (
        {"response": "// How many.\n int64 count = 1;"},
        "needs jstype = JS_STRING",
    ),
    "a mask of nothing": (
        {"request": "// Gone.\n google.protobuf.FieldMask clear = 1;"},
        "`clear` and clearable fields go together",
    ),
    "both directions streamed": (
        {"request_stream": "stream ", "response_stream": "stream "},
        "a call streams one way",
    ),
    "an upload without a header": (
        {"request_stream": "stream "},
        "the parts of this stream are header, chunk, trailer",
    ),
    "a wait for a status that is not there": (
        {
            "method": composed(
                'wait: {name: "wait" status: "state" until: ["on"] timeout_seconds: 1}'
            )
        },
        "wait: state: there is no 'state'",
    ),
    "a wait without an end": (
        {
            "method": composed('wait: {name: "wait" status: "code" timeout_seconds: 1}'),
            "response": CODE,
        },
        "wait: it never ends",
    ),
    "a wait without a timeout": (
        {
            "method": composed('wait: {name: "wait" status: "code" until: ["conflict"]}'),
            "response": CODE,
        },
        "wait: it has no timeout",
    ),
    "a wait for what never comes": (
        {
            "method": composed(
                'wait: {name: "wait" status: "code" until: ["on"] timeout_seconds: 1}'
            ),
            "response": CODE,
        },
        "wait: there is no status ['on']",
    ),
    "a reason elsewhere": (
        {
            "method": composed(
                'wait: {name: "wait" status: "code" reason: "failure.message"'
                ' until: ["conflict"] timeout_seconds: 1}'
            ),
            "response": f"{CODE}\n// Why.\n lcplatform.type.v1.BatchFailure failure = 2;",
        },
        "wait: the reason stands beside the status",
    ),
    "a projection of nothing": (
        {"method": composed('project: {name: "get_it" field: "it"}')},
        "get_it: it: there is no 'it'",
    ),
    "a projection past what may be absent": (
        {
            "method": composed('project: {name: "get_it" field: "failure.message"}'),
            "response": "// Why.\n optional lcplatform.type.v1.BatchFailure failure = 1;",
        },
        "get_it: failure.message: 'failure' is no message that is always there",
    ),
    "a first of one": (
        {"method": composed('first: {name: "find"}')},
        "find: the first item is one of a paged list",
    ),
    "a pointer into text": (
        {
            "method": composed('pointer: {name: "get_it" field: "it" omit: ["size"]}'),
            "response": "// It.\n string it = 1;",
        },
        "get_it: it is no json",
    ),
    "an omitted stranger": (
        {"method": composed('pointer: {name: "get_it" field: "it" omit: ["size"]}')},
        "get_it: 'size' is no request field that can be left out",
    ),
    "a composed method in an operation's place": (
        {"method": composed('first: {name: "do"}')},
        "needs a name of its own, and 'do' is none",
    ),
    "two composed methods of one name": (
        {"method": composed('first: {name: "find"} project: {name: "find" field: "it"}')},
        "two composed methods are called find",
    ),
    "a composition of a stream": (
        {"method": composed('first: {name: "find"}'), "response_stream": "stream "},
        "only an operation with one answer composes methods",
    ),
    "a default that is no JSON": (
        {"request": named('default_json: "oops"').replace("string", "optional string")},
        "default_json is no JSON",
    ),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_a_breach_is_refused_with_its_place(breach: str, tmp_path: Path) -> None:
    parts, expected = BREACHES[breach]
    found = problems(tmp_path, **parts)
    assert any(expected in problem for problem in found), found
    assert all(problem.startswith("lcplatform.demo.v1.") for problem in found)


UNION = """
// One of two.
message Either {{
  option (lcplatform.options.v1.message).union = true;
  // The value.
  oneof value {{
    // One.
    {one} = 1 [(lcplatform.options.v1.field) = {{{one_rules}}}];
    // The other.
    {other} = 2 [(lcplatform.options.v1.field) = {{{other_rules}}}];
  }}
}}
"""


def union(one: str, one_rules: str, other: str, other_rules: str, field: str = "") -> str:
    """What follows the request, up to the brace that the template closes."""
    text = UNION.format(one=one, one_rules=one_rules, other=other, other_rules=other_rules)
    return f"{field}}}{text}// Nothing.\nmessage Nothing {{"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("string one", "", "string other", ""), "one and other are both a str in Python"),
        (
            ("string one", "format: FORMAT_DATE", "string other", "format: FORMAT_DATE"),
            "one and other are both a date in Python",
        ),
        (("int32 one", "", "sint64 other", ""), "one and other are both a int in Python"),
        (("string one", 'format: FORMAT_UUID pattern: "^a$"', "bytes other", ""), "no pattern"),
        (("int32 one", "format: FORMAT_DATE", "bytes other", ""), "a format is for strings"),
        (("string one", "format: FORMAT_NULL", "bytes other", ""), "and NULL for a bool"),
        (
            (
                "bool one",
                "format: FORMAT_NULL",
                "bytes other",
                "",
                "// It.\n Either it = 1;",
            ),
            "alone it looks as if it were absent",
        ),
    ],
)
def test_the_alternatives_of_a_union_are_distinct(
    parts: tuple[str, ...], expected: str, tmp_path: Path
) -> None:
    found = problems(tmp_path, request=union(*parts))
    assert any(expected in problem for problem in found), found


def test_what_python_tells_apart_may_be_one_union(tmp_path: Path) -> None:
    parts = (
        "bool one",
        "format: FORMAT_NULL",
        "bool other",
        "",
        "// It.\n repeated Either it = 1;",
    )
    assert problems(tmp_path, request=union(*parts)) == []


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (
            "// A.\n repeated string a = 1 [(lcplatform.options.v1.field) = {positional: true}];"
            "// B.\n string b = 2 [(lcplatform.options.v1.field) = {required: true positional: true}];",
            "only the last may be left out",
        ),
        (
            "// It.\n string it = 1 [(lcplatform.options.v1.field) = {format: FORMAT_DATE}];",
            "an empty one says nothing",
        ),
        (
            "// It.\n optional bool it = 1 [(lcplatform.options.v1.field) = {format: FORMAT_NULL}];",
            "nothing is an alternative of a union",
        ),
        (
            "option (lcplatform.options.v1.message).list = true;// It.\n string it = 1;",
            "the first field, which is repeated",
        ),
        (
            "option (lcplatform.options.v1.message).duration = true;// It.\n int32 days = 1;",
            "needs `days` and `microseconds`",
        ),
    ],
)
def test_positions_formats_and_stand_ins_make_sense(
    request_: str, expected: str, tmp_path: Path
) -> None:
    found = problems(tmp_path, request=request_)
    assert any(expected in problem for problem in found), found


def test_what_protoc_refuses_is_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, request="string name = 0;") == [
        f"{tmp_path.name}: protoc refuses the IDL (its words are above)"
    ]
