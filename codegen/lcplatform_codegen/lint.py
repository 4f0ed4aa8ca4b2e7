"""What the IDL must keep to beyond buf's rules. Everything found is told at once, each with its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from lcplatform_codegen.composed import Composition
from lcplatform_codegen.errors import IdlError
from lcplatform_codegen.model import Field, Kind, Message, Method, Package, Schema, Service

VENDOR_WORDS = re.compile(
    r"\b(amazon|aws|arn|s3|sqs|sns|ses|lambda|dynamo\w*|cloudwatch|eventbridge|fargate|rds|documentdb|kms|azure|gcp|blob|"
    r"pub/?sub|bigquery|key vault|queue url|cosmos|firestore)\b",
    re.IGNORECASE,
)


def lint(schema: Schema) -> None:
    """Raise `IdlError` with every problem of every package, drafts included."""
    problems = [problem for package in schema.packages.values() for problem in _package(package)]
    if problems:
        raise IdlError(sorted(problems))


def _package(package: Package) -> Iterator[str]:
    for enum in package.enums:
        yield from _comment(enum.full_name, enum.comment)
        for value in enum.values:
            yield from _comment(f"{enum.full_name}.{value.proto_name}", value.comment)
    for message in package.messages:
        yield from _message(message)
    for service in package.services:
        yield from _service(service)


def _comment(place: str, comment: str) -> Iterator[str]:
    place = place.removeprefix(".")
    if not comment:
        yield f"{place}: has no comment; the comments are the documentation"
    for text in (comment, place.replace("_", " ")):
        word = VENDOR_WORDS.search(text)
        if word:
            yield f"{place}: says {word.group()!r}; the contract names no vendor"
            return


def _message(message: Message) -> Iterator[str]:
    place = message.full_name.removeprefix(".")
    yield from _comment(place, message.comment)
    if message.is_union and (
        len(message.oneofs) != 1 or any(item.oneof is None for item in message.fields)
    ):
        yield f"{place}: a union is one oneof and nothing else"
    if message.is_union:
        yield from _distinct(message, place)
    if message.takes_list and not (message.fields and message.fields[0].repeated):
        yield f"{place}: a list stands for the items of the first field, which is repeated"
    if message.takes_duration and not (message.find("days") and message.find("microseconds")):
        yield f"{place}: a duration needs `days` and `microseconds`"
    for item in message.fields:
        yield from _comment(f"{place}.{item.proto_name}", item.comment)
        yield from _field(item, message, f"{place}.{item.proto_name}")
    masks = [item for item in message.fields if item.kind == "mask"]
    if bool(masks) != bool(message.clearable):
        yield f"{place}: `clear` and clearable fields go together"


def _distinct(union: Message, place: str) -> Iterator[str]:
    """What a value of a union means is told by its type in Python."""
    seen: dict[str, str] = {}
    for item in union.fields:
        other = seen.setdefault(item.distinct_type, item.proto_name)
        if other != item.proto_name:
            yield f"{place}: {other} and {item.proto_name} are both a {item.distinct_type} in Python"


def _field(item: Field, message: Message, place: str) -> Iterator[str]:
    rules = item.rules
    checks: tuple[tuple[bool, str], ...] = (
        (bool(rules.pattern) and item.kind != "string", "a pattern is for strings"),
        (
            rules.required and item.wire_kind == "bool",
            "a required bool has no meaning: false is also absent",
        ),
        (
            rules.positional and not rules.required and not item.repeated,
            "what is positional is required",
        ),
        (bool(rules.default_json) and rules.required, "what is required has no default"),
        (
            bool(rules.default_json) and not item.presence and item.kind != "enum",
            "a default needs `optional`",
        ),
        (
            item.kind == "union" and _secret_inside(item) and not rules.sensitive,
            "holds a secret and is not marked sensitive",
        ),
        (
            bool(item.format) and item.wire_kind != ("bool" if item.format == "null" else "string"),
            "a format is for strings, and NULL for a bool",
        ),
        (bool(item.format) and bool(rules.pattern), "a format needs no pattern"),
        (
            bool(item.format) and not (item.presence or item.repeated or rules.required),
            "a string with a format is required, optional or a list: an empty one says nothing",
        ),
        (
            item.format == "null" and not (message.is_union and item.oneof),
            "nothing is an alternative of a union",
        ),
        (
            item.kind == "union" and _nullable(item.message) and not (item.repeated or item.is_map),
            "a union with null is for lists: alone it looks as if it were absent",
        ),
        (rules.body and item.kind != "bytes", "a streamed body is bytes"),
        (
            (item.integer_range or (0, 0))[1] > 2**32 and not item.js_string,
            "int64 that JavaScript may meet needs jstype = JS_STRING",
        ),
    )
    for wrong, why in checks:
        if wrong:
            yield f"{place}: {why}"
    if rules.default_json:
        try:
            json.loads(rules.default_json)
        except ValueError:
            yield f"{place}: default_json is no JSON"
    if rules.pattern and not (rules.pattern.startswith("^") and rules.pattern.endswith("$")):
        yield f"{place}: a pattern is anchored by ^ and $"


def _nullable(union: Message) -> bool:
    return any(part.format == "null" for part in union.fields)


def _secret_inside(item: Field) -> bool:
    return any(part.sensitive for part in item.message.fields)


def _service(service: Service) -> Iterator[str]:
    place = service.full_name
    yield from _comment(place, service.comment)
    for declared in (*service.capabilities, *service.limits):
        yield from _comment(f"{place}.{declared.name}", declared.description)
    for method in service.methods:
        where = f"{place}/{method.rpc}"
        yield from _comment(where, method.comment)
        misshapen = list(_streams(method, where))
        yield from misshapen
        # What a broken stream asks and answers cannot be told.
        for check in () if misshapen else (_names, _places, _paging, _batch, _composed):
            yield from check(method, where)
    names = [name for method in service.methods for name in Composition(method).names]
    yield from (
        f"{place}: two composed methods are called {name}"
        for name in sorted(set(names))
        if names.count(name) > 1
    )


def _names(method: Method, place: str) -> Iterator[str]:
    """Whatever a rule names must be there."""
    declared = {
        "capability": {item.name for item in method.service.capabilities},
        "limit": {item.name for item in method.service.limits},
        "operation": {other.rpc for other in method.service.methods},
        "request field": {item.proto_name for item in method.request.fields},
        "header field": {item.proto_name for item in method.response.fields},
    }
    resume = method.rules.resume
    named = {
        "capability": [*(capability for _, capability, _ in method.needs), method.rules.capability],
        "limit": [item.rules.limit for item in method.request.fields],
        "operation": list(method.rules.invalidates),
        "request field": [
            *method.rules.cache.key,
            method.rules.long_poll,
            resume.range,
            resume.if_match,
        ],
        "header field": [resume.etag, resume.version],
    }
    for what, names in named.items():
        for name in names:
            if name and name not in declared[what]:
                yield f"{place}: names the {what} {name!r}, which is not there"


def _places(method: Method, place: str) -> Iterator[str]:
    """What a caller gives by position, and what names the resource."""
    if len(method.positional) > 2:
        yield f"{place}: two positional fields at most"
    if any(item.default is not None for item in method.positional[:-1]):
        yield f"{place}: of what is positional, only the last may be left out"
    if sum(bool(item.rules.resource) for item in method.request.fields) > 1:
        yield f"{place}: one field names the resource"


def _paging(method: Method, place: str) -> Iterator[str]:
    request = {item.proto_name for item in method.request.fields}
    response = {item.proto_name for item in method.response.fields}
    shape = ("page_size" in request, "page_token" in request, "next_page_token" in response)
    lists = method.rpc.startswith("List")
    if any(shape) and not all(shape):
        yield f"{place}: paging is page_size, page_token and next_page_token, all three"
    if lists and not all(shape):
        yield f"{place}: every list is paged"
    if all(shape) and not any(item.repeated for item in method.response.fields):
        yield f"{place}: a page has items"


def _batch(method: Method, place: str) -> Iterator[str]:
    response = {item.proto_name for item in method.response.fields}
    if ("successful" in response) != ("failed" in response):
        yield f"{place}: a batch answers with `successful` and `failed`"


def _composed(method: Method, place: str) -> Iterator[str]:
    yield from (f"{place}: {problem}" for problem in Composition(method).problems())


def _streams(method: Method, place: str) -> Iterator[str]:
    if method.client_streaming and method.server_streaming:
        yield f"{place}: a call streams one way"
        return
    parts: dict[Kind, tuple[Callable[[Method], Message], list[str]]] = {
        Kind.UPLOAD: (lambda it: it.input, ["header", "chunk", "trailer"]),
        Kind.DOWNLOAD: (lambda it: it.output, ["header", "chunk"]),
    }
    if method.client_streaming or any(item.rules.body for item in method.output.fields):
        message, expected = parts[Kind.UPLOAD if method.client_streaming else Kind.DOWNLOAD]
        if [item.proto_name for item in message(method).fields] != expected:
            yield f"{place}: the parts of this stream are {', '.join(expected)}"
