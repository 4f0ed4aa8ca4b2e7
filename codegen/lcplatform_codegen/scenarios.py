"""Reads `scenarios.yaml` of a service and holds every word of it against the format's schema and against the IDL."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import yaml
from typing_extensions import override

from lcplatform_codegen.errors import IdlError
from lcplatform_codegen.model import Field, Kind, Message, Method, Service
from lcplatform_codegen.scenario_values import (
    BODY,
    Reader,
    Record,
    Span,
    Value,
    Wrong,
    at,
    items_of,
    named,
    pseudo,
    single,
    span,
    suggest,
)
from lcplatform_codegen.shape import Test, compiled

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError as SchemaError

CLOCK: Final = "clock"
"""What a scenario needs that moves the time by more than seconds. No capability of a service: a test has it or not."""

_SCHEMA: Final = "scenarios.schema.json"
_PATIENCE: Final = 10
"""For so many seconds a scenario may really wait, where there is no clock to move."""

_MODIFIERS: Final = ("expect", "error", "save", "within", "repeat", "gather", "open")
_ITEMS: Final = "$items"
_HTTP_ANSWER: Final = {
    "status": pseudo("status", "int"),
    "headers": pseudo("headers", "map", map_of="string"),
    "body": BODY,
    "location": pseudo("location", "map", map_of="string"),
}
_HTTP_REQUEST: Final = {
    "url": pseudo("url", "string"),
    "headers": _HTTP_ANSWER["headers"],
    "body": BODY,
    "form": pseudo("form", "map", map_of="string"),
    "until": pseudo("until", "string"),
}
_LOCATION: Final = re.compile(r"location\.([a-z][a-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Refusal:
    """The error that a step raises."""

    code: str
    field: str | None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Save:
    """A new variable and where its value stands in the answer. `optional`: the paths, as far as the IDL allows that
    nothing stands there."""

    variable: str
    path: str
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An operation and what is to come of it. `body` is what is streamed, sent or expected.

    Of a stream of answers, `expected_items` are all of them, and `expected` is of the list fields of all together.
    `owner` is the accessor of another service, whose operation it is; empty if it is the service's own.
    """

    method: Method
    owner: str = ""
    request: Record
    body: Value | None = None
    expected: Record | None = None
    expected_body: Value | None = None
    expected_items: Value | None = None
    refusal: Refusal | None = None
    saves: tuple[Save, ...] = ()
    within: Span | None = None
    repeat: int | None = None
    counted: bool = False
    gather: tuple[Field, int] | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """A stream of answers that is read in the background, under the name `stream`."""

    stream: str
    call: Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """The next answer of an open stream and what is to come of it."""

    stream: str
    method: Method
    expected: Record | None = None
    refusal: Refusal | None = None
    saves: tuple[Save, ...] = ()
    within: Span | None = None
    gather: tuple[Field, int] | None = None


@dataclass(frozen=True, slots=True)
class End:
    """An open stream ends by itself."""

    stream: str
    within: Span | None


@dataclass(frozen=True, slots=True)
class Close:
    """An open stream is given up."""

    stream: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """A plain HTTP request and what is expected of its answer. Saves are parameters of the URL that it leads to."""

    method: str
    url: Value
    headers: Value | None = None
    body: Value | None = None
    form: Value | None = None
    until: Value | None = None
    expected: tuple[tuple[str, Value], ...] = ()
    saves: tuple[Save, ...] = ()


@dataclass(frozen=True, slots=True)
class Advance:
    """Time passes."""

    by: Span


Step: TypeAlias = Call | Open | Next | End | Close | Http | Advance
"""One step of a scenario."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that a service does."""

    title: str
    requirements: tuple[str, ...]
    needs: tuple[str, ...]
    names: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def owners(self) -> tuple[str, ...]:
        """The accessors of the other services whose operations it calls."""
        calls = (step.call if isinstance(step, Open) else step for step in self.steps)
        return tuple(
            sorted({call.owner for call in calls if isinstance(call, Call) and call.owner})
        )

    @property
    def marks(self) -> tuple[str, ...]:
        """All that it needs: capabilities, and the other services on the platform."""
        return (*self.needs, *(f"platform.{owner}" for owner in self.owners))

    @property
    def slug(self) -> str:
        """The title as a name: `a_deleted_message_does_not_come_back`."""
        return re.sub(r"[^a-z0-9]+", "_", self.title.lower().replace("'", "")).strip("_")


@dataclass(frozen=True, slots=True)
class Suite:
    """The scenarios of a service. `path` is that of their file below the IDL's folder."""

    path: str
    service: Service
    requirements: tuple[tuple[str, str], ...]
    scenarios: tuple[Scenario, ...]


def load(idl: Path, service: Service, schema: Path | None = None) -> Suite:
    """The scenarios of a service. The schema of their format lies beside them, at the top of the IDL's folder.

    Raises:
        IdlError: everything that is wrong with the file, each problem with its scenario and its step.
    """
    file = service.schema.packages[service.package].files[0]
    path = f"{file.rpartition('/')[0]}/scenarios.yaml"
    if not (idl / path).is_file():
        raise IdlError([f"{path}: there is no such file, and every service has scenarios"])
    raw = _parse(path, (idl / path).read_text(encoding="utf-8"))
    problems = [f"{path}: {problem}" for problem in _malformed(raw, schema or idl / _SCHEMA)]
    if problems:
        raise IdlError(problems)
    return _Suite(path, service, raw).read()


@cache
def _format(path: Path) -> tuple[Mapping[str, Any], Test]:
    """The schema at this path, and whether something surely keeps to it."""
    schema = json.loads(path.read_text(encoding="utf-8"))
    return schema, compiled(schema)


class _Loader(yaml.CSafeLoader):
    """YAML 1.2 as people expect it: `on` and `12:30` are texts, dates are texts, and no key stands twice in a map.

    By libyaml, which takes a tenth of the time, and without PyYAML's constructors, which take as long again.
    """

    yaml_implicit_resolvers: Any = {}  # noqa: RUF012 - the base class declares it so

    @override
    def get_single_data(self) -> Any:
        node = self.get_single_node()
        return None if node is None else _value(node)


_TAG: Final = "tag:yaml.org,2002:"
_SCALAR_VALUES: Final[Mapping[str, Callable[[str], object]]] = {
    f"{_TAG}str": str,
    f"{_TAG}int": int,
    f"{_TAG}float": float,
    f"{_TAG}bool": "true".__eq__,
    f"{_TAG}null": lambda _: None,
}

for _name, _pattern, _first in (
    ("null", r"null|~|", ["n", "~", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"-?(?:0|[1-9][0-9]*)", list("-0123456789")),
    ("float", r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]+)?", list("-0123456789")),
):
    _Loader.add_implicit_resolver(f"{_TAG}{_name}", re.compile(rf"^(?:{_pattern})$"), _first)


def _value(node: yaml.Node) -> Any:
    """What a node of the file says."""
    if isinstance(node, yaml.ScalarNode) and node.tag in _SCALAR_VALUES:
        return _SCALAR_VALUES[node.tag](node.value)
    if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
        return _map(node)
    if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
        return [_value(item) for item in node.value]
    raise yaml.MarkedYAMLError(problem=f"unknown tag {node.tag}", problem_mark=node.start_mark)


def _map(node: yaml.MappingNode) -> dict[Hashable, Any]:
    entries: dict[Hashable, Any] = {}
    for key, value in node.value:
        name = _value(key)
        if not isinstance(name, Hashable):
            raise yaml.MarkedYAMLError(problem="a key is one value", problem_mark=key.start_mark)
        if name in entries:
            raise yaml.MarkedYAMLError(
                problem=f"{name!r} stands twice in one map", problem_mark=key.start_mark
            )
        entries[name] = _value(value)
    return entries


def _parse(path: str, text: str) -> Any:  # YAML can hold anything; the schema follows
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - the loader is a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise IdlError([f"{path}: {line}{error.problem}"]) from None


def _malformed(raw: Any, schema_path: Path) -> Iterator[str]:
    """What the schema at this path has against the file."""
    schema, keeps_to_it = _format(schema_path)
    if keeps_to_it(raw):
        return
    from jsonschema import Draft202012Validator  # takes longer to load than the scenarios do

    errors = sorted(
        Draft202012Validator(schema).iter_errors(raw),
        key=lambda error: [str(part) for part in error.absolute_path],
    )
    for error in errors:
        path = list(error.absolute_path)
        if path[:1] == ["scenarios"] and len(path) > 1:
            entry = raw["scenarios"][path[1]]
            title = entry.get("scenario") if isinstance(entry, dict) else None
            step = f", step {int(path[3]) + 1}" if path[2:3] == ["steps"] and len(path) > 3 else ""
            rest = path[4:] if step else path[2:]
            place = f"{_quoted(title, path[1])}{step}"
            yield f"{place}: {_words(error, rest)}"
        else:
            yield _words(error, path)


def _quoted(title: object, index: object) -> str:
    return f'"{title}"' if isinstance(title, str) else f"scenario {int(str(index)) + 1}"


def _words(error: SchemaError, path: list[Any]) -> str:
    place = ".".join(str(part) for part in path)
    if error.validator == "pattern":
        described = (error.schema if isinstance(error.schema, dict) else {}).get("description", "")
        words = f"{error.instance!r} is not well formed. {described}".strip()
    elif error.validator == "not" and "dependentSchemas" in error.absolute_schema_path:
        words = f"{error.instance} does not go together with {error.absolute_schema_path[-3]}"
    else:
        words = error.message
    return f"{place}: {words}" if place else words


class _Suite:
    """Reads one file that keeps to the schema."""

    def __init__(self, path: str, service: Service, raw: Mapping[str, Any]) -> None:
        self._path = path
        self._service = service
        self._raw = raw
        self._known = {CLOCK, *_capabilities(service)}
        self._problems: list[str] = []

    def read(self) -> Suite:
        if self._raw["service"] != self._service.full_name:
            self._refuse("", f"service: this is the folder of {self._service.full_name}")
        scenarios = [self._scenario(entry) for entry in self._raw["scenarios"]]
        self._check_titles(scenarios)
        self._check_requirements(scenarios)
        if self._problems:
            raise IdlError(self._problems)
        requirements = tuple(self._raw["requirements"].items())
        return Suite(self._path, self._service, requirements, tuple(scenarios))

    def _scenario(self, raw: Mapping[str, Any]) -> Scenario:
        title = raw["scenario"]
        reader = Reader(raw.get("names", ()))
        steps: list[Step] = []
        for number, entry in enumerate(raw["steps"], start=1):
            try:
                steps.append(_step(self._service, reader, entry))
            except Wrong as wrong:
                self._refuse(f'"{title}", step {number}: ', str(wrong))
        scenario = Scenario(
            title=title,
            requirements=tuple(raw["requirements"]),
            needs=tuple(raw.get("needs", ())),
            names=tuple(raw.get("names", ())),
            steps=tuple(steps),
        )
        if len(steps) == len(raw["steps"]):
            for problem in _whole(self._known, scenario, reader):
                self._refuse(f'"{title}": ', problem)
        return scenario

    def _check_titles(self, scenarios: list[Scenario]) -> None:
        slugs = [scenario.slug for scenario in scenarios]
        for scenario in scenarios:
            if slugs.count(scenario.slug) > 1:
                self._refuse(f'"{scenario.title}": ', "another scenario has this title")

    def _check_requirements(self, scenarios: list[Scenario]) -> None:
        told = self._raw["requirements"]
        for scenario in scenarios:
            for number in scenario.requirements:
                if number not in told:
                    self._refuse(
                        f'"{scenario.title}": ',
                        f"{number} is not among the requirements of this file",
                    )
        cited = {number for scenario in scenarios for number in scenario.requirements}
        for number in told:
            if number not in cited:
                self._refuse("", f"requirements: no scenario cites {number}")

    def _refuse(self, place: str, problem: str) -> None:
        self._problems.append(f"{self._path}: {place}{problem}")


def _capabilities(service: Service) -> Iterator[str]:
    """Those of the service itself, and those of the others by both names."""
    yield from (capability.name for capability in service.capabilities)
    for other in _others(service):
        yield from (f"{other.accessor}.{capability.name}" for capability in other.capabilities)


def _whole(known: AbstractSet[str], scenario: Scenario, reader: Reader) -> Iterator[str]:
    """What only shows when all steps have been read. `known` is all that a scenario may need."""
    for name in reader.variables:
        if name not in reader.used:
            yield f"${name} is never used"
    for stream in reader.unheard:
        yield f"nothing is heard of the stream {stream}"
    for need in scenario.needs:
        if need not in known:
            yield f"needs: there is no capability {need}: {suggest(need, sorted(known))}"
    for capability, asker in reader.needs.items():
        if capability not in scenario.needs:
            yield f"needs: {capability} is missing, without which there is no {asker}"
    waits = sum(step.by.seconds for step in scenario.steps if isinstance(step, Advance))
    if waits > _PATIENCE and CLOCK not in scenario.needs:
        yield f"needs: {CLOCK} is missing, since time is advanced by more than {_PATIENCE} s"
    if not any(_tells(step) for step in scenario.steps):
        yield "nothing is expected, so nothing is shown"


def _tells(step: Step) -> bool:
    match step:
        case Call():
            idempotent = step.repeat is not None
            return bool(
                step.expected
                or step.expected_body is not None
                or step.expected_items is not None
                or step.refusal
                or idempotent
            )
        case Next():
            return bool(step.expected or step.refusal)
        case End():
            return True
        case Http():
            return bool(step.expected)
        case Open() | Close() | Advance():
            return False


def _step(service: Service, reader: Reader, raw: Mapping[str, Any]) -> Step:
    actions = [word for word in raw if word not in _MODIFIERS]
    if len(actions) != 1:
        raise Wrong(f"a step is one operation, and this has {' and '.join(actions) or 'none'}")
    action = actions[0]
    if action == "advance":
        return Advance(span(raw["advance"]))
    if action == "http":
        return _http(reader, raw)
    if action in _OF_STREAMS:
        return _OF_STREAMS[action](reader, raw)
    call = _operation(service, reader, raw, action)
    return _opened(reader, raw["open"], call) if "open" in raw else call


def _operation(service: Service, reader: Reader, raw: Mapping[str, Any], action: str) -> Call:
    """The call of an operation: one of the service's own, or `queue.send_message`, which is another's."""
    owner, dot, name = action.rpartition(".")
    if dot:
        others = {other.accessor: other for other in _others(service)}
        if owner not in others:
            raise Wrong(f"there is no other service {owner}: {suggest(owner, others)}")
        service = others[owner]
    method = service.by_name.get(name)
    if method is None:
        raise Wrong(f"{service.name} has no operation {name}: {suggest(name, service.by_name)}")
    with reader.of(owner):
        return _call(method, reader, {**raw, name: raw[action]}, owner)


def _others(service: Service) -> list[Service]:
    return [other for other in service.schema.services if other is not service]


def _call(method: Method, reader: Reader, raw: Mapping[str, Any], owner: str) -> Call:
    request = dict(raw[method.name])
    reader.used.discard("number")
    reader.counting = "repeat" in raw
    with at(method.name):
        body = _body(method, reader, request)
        arguments = reader.request(method.request, request)
    reader.counting = False
    if method.rules.capability:
        reader.need(method.rules.capability, method.name)
    gather = _gather(method, raw)
    expected, expected_body, expected_items = _expected(method, reader, raw.get("expect", {}))
    refusal = _refusal(method, raw.get("error"))
    if method.kind is Kind.STREAM:
        _check_stream(method, raw)
    return Call(
        method=method,
        owner=owner,
        request=arguments,
        body=body,
        expected=expected,
        expected_body=expected_body,
        expected_items=expected_items,
        refusal=refusal,
        saves=tuple(
            _save(method, reader, variable, path) for variable, path in raw.get("save", {}).items()
        ),
        within=_span_of(raw, "within"),
        repeat=raw.get("repeat"),
        counted="number" in reader.used,
        gather=gather,
    )


def _span_of(raw: Mapping[str, Any], word: str) -> Span | None:
    return span(raw[word]) if word in raw else None


def _body(method: Method, reader: Reader, request: dict[str, Any]) -> Value | None:
    if method.kind is not Kind.UPLOAD:
        return None
    if "body" not in request:
        raise Wrong("what is uploaded is missing: body")
    with at("body"):
        return reader.field(BODY, request.pop("body"))


def _expected(
    method: Method, reader: Reader, raw: Mapping[str, Any]
) -> tuple[Record | None, Value | None, Value | None]:
    """What is expected of the answer, of its body, and of all answers of a stream."""
    fields = dict(raw)
    body = items = None
    with at("expect"):
        if method.kind is Kind.DOWNLOAD and "body" in fields:
            with at("body"):
                body = reader.field(BODY, fields.pop("body"), expected=True)
        if method.kind is Kind.STREAM and _ITEMS in fields:
            with at(_ITEMS):
                items = reader.field(items_of(method.response), fields.pop(_ITEMS), expected=True)
        return (reader.answer(method.response, fields) if fields else None), body, items


def _check_stream(method: Method, raw: Mapping[str, Any]) -> None:
    """What is said of all answers of a stream is said of a list: of the answers, or of a list field of all together."""
    if "gather" in raw:
        raise Wrong("gather: the answers of a stream are together already")
    paths = [*raw.get("expect", {}), *raw.get("save", {}).values()]
    for path in paths:
        name = path.partition(".")[0].partition("[")[0]
        if name != _ITEMS and not named(method.response, name).repeated:
            raise Wrong(
                f"{method.name} answers many times, and {name} is no list: say {_ITEMS}, or open the stream"
            )
    if "within" in raw and "expect" in raw and len(paths) != 1:
        raise Wrong("within: of a stream, one thing can be waited for at a time")


def _opened(reader: Reader, stream: str, call: Call) -> Open:
    method = call.method
    if method.kind is not Kind.STREAM:
        raise Wrong(f"open: {method.name} answers once")
    if stream in reader.streams or stream in reader.variables:
        raise Wrong(f"open: there is a {stream} already")
    reader.streams[stream] = method
    reader.unheard.append(stream)
    return Open(stream, call)


def _next(reader: Reader, raw: Mapping[str, Any]) -> Next:
    stream = raw["next"]
    method = _heard(reader, raw, "next", "expect", "error", "save", "within", "gather")
    gather = _gather(method, raw)
    with at("expect"):
        expect = raw.get("expect")
        expected = reader.answer(method.response, expect) if expect else None
    refusal = _refusal(method, raw.get("error"))
    saves = (_save(method, reader, name, path) for name, path in raw.get("save", {}).items())
    return Next(
        stream=stream,
        method=method,
        expected=expected,
        refusal=refusal,
        saves=tuple(saves),
        within=_span_of(raw, "within"),
        gather=gather,
    )


def _end(reader: Reader, raw: Mapping[str, Any]) -> End:
    _heard(reader, raw, "end", "within")
    return End(raw["end"], _span_of(raw, "within"))


def _close(reader: Reader, raw: Mapping[str, Any]) -> Close:
    _heard(reader, raw, "close")
    del reader.streams[raw["close"]]
    return Close(raw["close"])


def _heard(reader: Reader, raw: Mapping[str, Any], action: str, *words: str) -> Method:
    """The operation of the open stream that a step names."""
    stream = raw[action]
    with at(action):
        if stream not in reader.streams:
            raise Wrong(f"no stream {stream} is open: {suggest(stream, reader.streams)}")
        stray = [word for word in raw if word != action and word not in words]
        if stray:
            raise Wrong(f"it does not go together with {stray[0]}")
    if stream in reader.unheard:
        reader.unheard.remove(stream)
    return reader.streams[stream]


_OF_STREAMS: Final[Mapping[str, Callable[[Reader, Mapping[str, Any]], Step]]] = {
    "next": _next,
    "end": _end,
    "close": _close,
}


def _refusal(method: Method, raw: Any) -> Refusal | None:
    if raw is None:
        return None
    code, field, path = (
        (raw, None, None) if isinstance(raw, str) else (raw["code"], raw["field"], raw.get("path"))
    )
    specific = {"not_found", "already_exists", "conflict", "precondition_failed"}
    declared = {error.lower() for error in method.errors}
    if code in specific and code not in declared:
        raise Wrong(
            f"error: {method.name} declares no {code.upper()}: {suggest(code, sorted(declared))}"
        )
    if field is not None:
        with at("error"):
            named(method.request, field.partition(".")[0].partition("[")[0])
    return Refusal(code.upper(), field, path)


def _gather(method: Method, raw: Mapping[str, Any]) -> tuple[Field, int] | None:
    if "gather" not in raw:
        return None
    ((name, count),) = raw["gather"].items()
    with at("gather"):
        field = named(method.response, name)
        if not field.repeated:
            raise Wrong(f"{name} is no list")
        others = [word for word in raw.get("expect", {}) if word != name]
        others += [path for path in raw.get("save", {}).values() if not path.startswith(f"{name}[")]
        if others:
            raise Wrong(f"only {name} is gathered, so nothing can be said of {others[0]}")
    return field, count


def _save(method: Method, reader: Reader, variable: str, path: str) -> Save:
    with at("save"), at(variable):
        field, optional = _resolve(method.response, path)
        _new(reader, variable, field)
        return Save(variable, path, optional)


def _new(reader: Reader, variable: str, field: Field) -> None:
    if variable in reader.variables:
        raise Wrong("there is a variable of this name already")
    reader.variables[variable] = field


def _resolve(message: Message, path: str) -> tuple[Field, frozenset[str]]:
    """The field at the end of a path, and the paths on the way, to the end, at which nothing may stand."""
    optional: set[str] = set()
    *ahead, last = path.split(".")
    reached = ""
    for part in ahead:
        field = _part(message, part)
        reached += part
        if field.optional:
            optional.add(reached)
        if field.kind != "message":
            raise Wrong(f"{part} has no fields")
        message, reached = field.message, f"{reached}."
    field = _part(message, last)
    if field.optional:
        optional.add(path)
    return single(field), frozenset(optional)


def _part(message: Message, part: str) -> Field:
    name, bracket, _ = part.partition("[")
    field = named(message, name)
    if bool(bracket) != field.repeated:
        raise Wrong(
            f"{name} is {'a list: say which item, as in' if field.repeated else 'no list, unlike'} {name}[0]"
        )
    return field


def _http(reader: Reader, raw: Mapping[str, Any]) -> Http:
    stray = [word for word in raw if word not in {"http", "expect", "save"}]
    if stray:
        raise Wrong(f"http does not go together with {stray[0]}")
    given = raw["http"]
    parts: dict[str, Value] = {}
    for word, field in _HTTP_REQUEST.items():
        if word in given:
            with at("http"), at(word):
                parts[word] = reader.field(field, given[word])
    expected: list[tuple[str, Value]] = []
    for word, value in raw.get("expect", {}).items():
        with at("expect"):
            if word not in _HTTP_ANSWER:
                raise Wrong(f"an HTTP answer has no {word}: {suggest(word, _HTTP_ANSWER)}")
            with at(word):
                expected.append((word, reader.field(_HTTP_ANSWER[word], value, expected=True)))
    return Http(
        method=given["method"],
        url=parts["url"],
        headers=parts.get("headers"),
        body=parts.get("body"),
        form=parts.get("form"),
        until=parts.get("until"),
        expected=tuple(expected),
        saves=tuple(
            _location(reader, variable, path) for variable, path in raw.get("save", {}).items()
        ),
    )


def _location(reader: Reader, variable: str, path: str) -> Save:
    with at("save"), at(variable):
        found = _LOCATION.fullmatch(path)
        if found is None:
            raise Wrong("of an HTTP answer, a parameter of its location is saved: location.code")
        _new(reader, variable, pseudo(found[1], "string"))
        return Save(variable, path)
