"""The laws: what follows from the IDL alone, as one test module a service.

Each operation gets arguments that are right, and for each rule of a field a value at its edge and one beyond it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from lcplatform_codegen.imports import models_of
from lcplatform_codegen.layout import ERROR_CLASSES, render
from lcplatform_codegen.model import Field, Kind, Message, Method, Role, Schema, Service

_IMPORTS: Final = f"""\
from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from lcplatform import Json
from lcplatform.errors import {", ".join(ERROR_CLASSES.values())}
from lcplatform_contract.contract_test import lacks, needs
from lcplatform_contract.law_test import Arguments, LawTest
"""
# A control character: no pattern of the contract allows one.
_MISFIT: Final = '"\\n"'
# What the texts of laws look like, what stands before them where a pattern asks for a URL, and what
# else a pattern may be about.
_WORD: Final = "law-0123abcd-0001"
_URL: Final = "https://"
_EXAMPLES: Final = ("a@example.com", "+12025550100", "a/a")


@dataclass(frozen=True, slots=True)
class Edge:
    """A field with a value that is allowed, or that is not, as Python text."""

    field: str
    value: str
    why: str


def render_all(schema: Schema) -> dict[str, str]:
    """One module a service."""
    return {
        f"lcplatform_contract/{service.accessor}/test_{service.accessor}_laws.py": _module(service)
        for service in schema.services
    }


def _module(service: Service) -> str:
    models = models_of(service.schema.packages[service.package])
    imports = "\n".join([_IMPORTS, f"from {service.module}.client import {service.name}", models])
    return render(
        "contract_laws.py.j2",
        service=service,
        imports=imports,
        arguments=arguments,
        beyond=beyond,
        at_the_edge=at_the_edge,
        needed=needed,
        misses=misses,
        missing=missing,
        errors=lambda method: tuple(sorted(method.errors)),
    )


_CHOICE: Final = re.compile(r"\^\((\w+)(?:\|\w+)*\)\$")
"""A pattern that lists what there is to choose from."""


def arguments(method: Method) -> list[tuple[str, str]]:
    """What the method must be given, with right values: name and Python text."""
    given = [(item.argument, _right(item)) for item in method.parameters if item.default is None]
    return [*given, ("data", 'b"law"')] if method.kind is Kind.UPLOAD else given


def misses(method: Method) -> bool:
    """Whether the method must fail on what does not exist. What creates is none of them."""
    creates = method.rpc.startswith(("Create", "Deploy", "Submit"))
    return method.resource is not None and "NOT_FOUND" in method.errors and not creates


def missing(method: Method) -> str:
    """The way in which it fails then."""
    return "misses_at_the_first_answer" if method.kind is Kind.STREAM else "misses"


def needed(method: Method) -> list[Edge]:
    """For each field that needs a capability, a value that makes it needed."""
    whole = [Edge("", "", method.rules.capability)] if method.rules.capability else []
    fields = [
        Edge(item.argument, _set(item), item.rules.capability)
        for item in method.request.fields
        if item.rules.capability
    ]
    parts = [
        Edge(item.argument, _right(part), part.rules.capability)
        for item in method.request.fields
        if item.kind == "union"
        for part in item.message.fields
        if part.rules.capability
    ]
    return whole + fields + parts


def beyond(method: Method) -> list[Edge]:
    """Values that the rules of the IDL refuse."""
    return [edge for item in method.request.fields for edge in _beyond(item)]


def at_the_edge(method: Method) -> list[Edge]:
    """Values that the rules of the IDL just allow."""
    # What an upload announces of its body is judged by the body.
    announced = {"size", "crc32c"} if method.kind is Kind.UPLOAD else set()
    fields = [item for item in method.request.fields if item.proto_name not in announced]
    return [edge for item in fields for edge in _edges(item)]


def _right(item: Field) -> str:
    """A right value."""
    if item.is_map:
        return "{}"
    one = _right_one(item)
    return f"[{one}]" if item.repeated else one


def _right_one(item: Field) -> str:
    if item.kind == "message":
        return _right_message(item.message)
    if item.kind == "enum":
        return f"{item.enum.name}.{item.enum.members[0].member}"
    if item.kind == "union":
        return _right_part(item.message)
    least = item.minimum if item.rules.HasField("minimum") else 1
    return {
        "string": _text(item),
        "bytes": 'b"law"',
        "bool": "True",
        "int": f"{least}",
        "float": f"{least}",
        "duration": f"timedelta(seconds={least})",
        "json": "Json({})",
        "mask": "()",
        "timestamp": "datetime(2026, 1, 1, tzinfo=UTC)",
        "decimal": 'Decimal("1.50")',
        "date": "date(2026, 1, 1)",
        "time": "time(12, 30)",
        "local_timestamp": "datetime(2026, 1, 1)",
        "uuid": "UUID(int=1)",
    }[item.kind]


def _right_part(union: Message) -> str:
    """A text where the union has one, and the first that it has where not."""
    texts = any(it.kind == "string" and not it.repeated for it in union.fields)
    return '"law"' if texts else _right(union.fields[0])


def _text(item: Field) -> str:
    if choice := _CHOICE.fullmatch(item.rules.pattern):
        return f'"{choice[1]}"'
    named = item.rules.resource or item.proto_name in {"bucket", "queue", "name", "names"}
    if named:
        return 'self.name("law")'
    plain = "a" * max(item.min_length or 1, 1)
    candidates = (plain, _URL + plain, *_EXAMPLES)
    return f'"{next((text for text in candidates if _fits(item, text)), plain)}"'


def _right_message(message: Message) -> str:
    given = (
        f"{item.name}={_right(item)}"
        for item in message.fields
        if item.default is None
        or (item.proto_name == "offset" and message.role is not Role.RESPONSE)
    )
    return f"{message.name}({', '.join(given)})"


def _set(item: Field) -> str:
    """A value that counts as given."""
    if item.is_map:
        return '{"a": "b"}'
    if item.kind in {"duration", "int"} and not item.repeated:
        most = item.maximum if item.rules.HasField("maximum") else 1024
        return f"timedelta(seconds={most})" if item.kind == "duration" else f"{most}"
    return _right(item)


def _beyond(item: Field) -> list[Edge]:
    if item.is_map:
        return _beyond_map(item)
    if item.repeated:
        return _beyond_many(item)
    if item.kind == "string":
        return _beyond_text(item)
    if item.kind in {"int", "float", "duration"}:
        return _beyond_number(item)
    if item.kind == "enum":
        return [Edge(item.argument, f"{item.enum.name}.UNKNOWN", "a value of a newer contract")]
    if item.kind == "mask":
        return [Edge(item.argument, '("no_such_field",)', "not clearable")]
    return _beyond_json(item)


def _beyond_json(item: Field) -> list[Edge]:
    bounded = item.kind == "json" and item.rules.json_object
    return [Edge(item.argument, "Json([])", "no object")] if bounded else []


def _beyond_map(item: Field) -> list[Edge]:
    edges = []
    if item.rules.key_pattern:
        edges.append(Edge(item.argument, f'{{{_MISFIT}: "a"}}', "a key against the pattern"))
    if item.rules.value_pattern:
        edges.append(Edge(item.argument, f'{{"a": {_MISFIT}}}', "a value against the pattern"))
    return edges


def _beyond_many(item: Field) -> list[Edge]:
    edges = []
    if item.max_length is not None:
        edges.append(
            Edge(item.argument, f"[{_right_one(item)}] * {item.max_length + 1}", "too many")
        )
    if item.min_length:
        edges.append(Edge(item.argument, "[]", "too few"))
    if item.rules.pattern:
        edges.append(Edge(item.argument, f"[{_MISFIT}]", "an item against the pattern"))
    return edges


def _beyond_text(item: Field) -> list[Edge]:
    edges = []
    if item.max_length is not None:
        edges.append(Edge(item.argument, f'"a" * {item.max_length + 1}', "too long"))
    if item.min_length:
        edges.append(Edge(item.argument, f'"{"a" * (item.min_length - 1)}"', "too short"))
    if item.rules.pattern:
        misfit = f"{_MISFIT} * {item.min_length}" if (item.min_length or 1) > 1 else _MISFIT
        edges.append(Edge(item.argument, misfit, "against the pattern"))
    return edges


def _beyond_number(item: Field) -> list[Edge]:
    edges = []
    if item.rules.HasField("minimum"):
        edges.append(Edge(item.argument, _number(item, item.rules.minimum - 1), "too small"))
    if item.rules.HasField("maximum"):
        edges.append(Edge(item.argument, _number(item, item.rules.maximum + 1), "too large"))
    return edges


def _edges(item: Field) -> list[Edge]:
    edges = []
    if item.kind == "string" and not item.repeated and item.max_length is not None:
        edges += _longest(item)
    if item.kind in {"int", "float", "duration"} and not item.repeated:
        bounds = (("minimum", "the least"), ("maximum", "the greatest"))
        edges += [
            Edge(item.argument, _number(item, getattr(item.rules, bound)), why)
            for bound, why in bounds
            if item.rules.HasField(bound)
        ]
    return edges


def _longest(item: Field) -> list[Edge]:
    """The longest text, as a word or as a URL; none where the pattern asks for something else."""
    most = item.max_length or 0
    if _fits(item, _WORD.ljust(most, "a")[:most]):
        return [Edge(item.argument, f"self.text({most})", "the longest")]
    rest = most - len(_URL)
    if rest > 0 and _fits(item, _URL + _WORD.ljust(rest, "a")[:rest]):
        return [Edge(item.argument, f'"{_URL}" + self.text({rest})', "the longest")]
    return []


def _fits(item: Field, text: str) -> bool:
    return not item.rules.pattern or re.search(item.rules.pattern, text) is not None


def _number(item: Field, value: float) -> str:
    plain = f"{int(value)}" if float(value).is_integer() else f"{value}"
    return f"timedelta(seconds={plain})" if item.kind == "duration" else plain
