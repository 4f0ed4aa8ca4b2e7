"""Scenarios as the Python that a person would have written: one statement after the other, nothing clever."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lcplatform_codegen import naming
from lcplatform_codegen.layout import ERROR_CLASSES
from lcplatform_codegen.model import Field, Kind, Method
from lcplatform_codegen.scenario_values import (
    Bytes,
    Choice,
    Entries,
    File,
    Filler,
    Formed,
    Items,
    JsonValue,
    Matcher,
    Pieces,
    Plain,
    Record,
    Span,
    Text,
    Value,
    Variable,
)
from lcplatform_codegen.scenarios import (
    Advance,
    Call,
    Close,
    End,
    Http,
    Next,
    Open,
    Save,
    Scenario,
    Step,
)

_UNITS: Final = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_INDENT: Final = "    "
_WIDTH: Final = 92
"""A statement that fits on a line at the indentation of a method; a longer one is told in two."""
# What an answer is called after the verb of its operation, where the regular participle would not do.
_PARTICIPLES: Final = {
    "query": "queried",
    "get": "found",
    "head": "found",
    "put": "stored",
    "send": "sent",
    "submit": "submitted",
}
_MAKERS: Final = {
    "decimal": "Decimal",
    "date": "date.fromisoformat",
    "time": "time.fromisoformat",
    "local_timestamp": "datetime.fromisoformat",
    "timestamp": "datetime.fromisoformat",
    "uuid": "UUID",
}
_MATCHERS: Final = {"any": "ANY", "moment": "ANY", "absent": "None"}
_CALLS: Final = {
    "not": "unlike",
    "one_of": "one_of",
    "length": "of_length",
    "contains": "containing",
    "unordered": "unordered",
}


def statements(scenario: Scenario, service: str) -> list[str]:
    """The body of the test, line by line, without indentation. `service` is the accessor."""
    return list(_Writer(scenario, service).lines())


class _Writer:
    """Writes one test."""

    def __init__(self, scenario: Scenario, service: str) -> None:
        self._scenario = scenario
        self._service = service
        saved = [
            save.variable
            for step in scenario.steps
            if isinstance(step, Call | Next | Http)
            for save in step.saves
        ]
        opened = [step.stream for step in scenario.steps if isinstance(step, Open)]
        self._variables = {name: naming.local(name) for name in (*scenario.names, *saved, *opened)}
        self._taken = set(self._variables.values())
        self._answers: dict[str, str] = {}

    def lines(self) -> Iterator[str]:
        for name in self._scenario.names:
            label = name.replace("_", "-")
            yield f'{self._variables[name]} = self.name("{label}")'
        for step in self._scenario.steps:
            yield from self._step(step)

    def _step(self, step: Step) -> Iterator[str]:
        match step:
            case Advance():
                yield f"self.advance({self._span(step.by)})"
            case Http():
                yield from self._http(step)
            case Call(repeat=int(times)):
                yield f"for {'number' if step.counted else '_'} in range({times}):"
                yield from (_INDENT + line for line in self._call(step))
            case Call():
                yield from self._call(step)
            case Open():
                yield f"{self._variables[step.stream]} = self.open({self._expression(step.call)})"
            case Next():
                yield from self._next(step)
            case End():
                within = "" if step.within is None else f"within={self._span(step.within)}"
                yield f"{self._variables[step.stream]}.end({within})"
            case Close():
                yield f"{self._variables[step.stream]}.close()"

    # --- operations

    def _call(self, step: Call) -> Iterator[str]:
        call = self._expression(step)
        if step.refusal is not None:
            yield from self._refused(step, call)
        elif step.within is not None:
            yield from self._eventually(step, call)
        elif step.gather is not None:
            yield from self._gathered(step, call)
        elif step.method.kind is Kind.DOWNLOAD:
            yield from self._downloaded(step, call)
        else:
            yield from self._answered(step, self._whole(step.method, call))

    def _expression(self, step: Call) -> str:
        method = step.method
        given = {field.proto_name: (field, value) for field, value in step.request.fields}
        positional = [
            self._argument(*given.pop(field.proto_name))
            for field in method.positional
            if field.proto_name in given
        ]
        if step.body is not None:
            positional.append(self._sent(step.body))
        words = [
            f"{field.argument}={self._argument(field, value)}" for field, value in given.values()
        ]
        service = f"platform.{step.owner}" if step.owner else self._service
        return f"self.{service}.{method.name}({', '.join(positional + words)})"

    def _refused(self, step: Call, call: str) -> Iterator[str]:
        assert step.refusal is not None
        error = ERROR_CLASSES[step.refusal.code]
        read = (
            f"{call}.read()"
            if step.method.kind is Kind.DOWNLOAD
            else self._whole(step.method, call)
        )
        if step.within is not None:
            yield f"self.eventually_refused({error}, lambda: {read}, within={self._span(step.within)})"
            return
        if step.refusal.field is None:
            yield f"with pytest.raises({error}):"
        else:
            path = "" if step.refusal.path is None else f", path={step.refusal.path!r}"
            yield f"with refused({error}, field={step.refusal.field!r}{path}):"
        yield _INDENT + read

    def _eventually(self, step: Call, call: str) -> Iterator[str]:
        assert step.within is not None
        fields = step.expected.fields if step.expected is not None else ()
        within = f"within={self._span(step.within)}"
        if step.method.kind is Kind.STREAM:
            ((expression, value),) = self._all(step, self._whole(step.method, call))
            yield f"self.eventually(lambda: {expression}, {self._value(value)}, {within})"
            return
        if len(fields) == 1 and not step.saves:
            ((field, value),) = fields
            yield f"self.eventually(lambda: {call}.{field.name}, {self._value(value)}, {within})"
            return
        assert step.expected is not None
        waited = f"self.eventually(lambda: {call}, {self._value(step.expected)}, {within})"
        if not step.saves:
            yield waited
            return
        answer = self._answer(step.method)
        yield f"{answer} = {waited}"
        yield from self._saves(step.saves, answer)

    def _gathered(self, step: Call | Next, call: str) -> Iterator[str]:
        assert step.gather is not None
        field, count = step.gather
        gathered = f"self.gather(lambda: {call}.{field.name}, {count})"
        expected = [value for _, value in step.expected.fields] if step.expected is not None else []
        if not step.saves and len(expected) == 1:
            yield self._assertion(gathered, expected[0])
            return
        variable = field.name if field.name not in self._taken else self._answer(step.method)
        yield f"{variable} = {gathered}"
        for value in expected:
            yield self._assertion(variable, value)
        for save in step.saves:
            first = save.path.partition(".")[0]
            yield self._save(save, variable + first.removeprefix(field.proto_name))

    def _downloaded(self, step: Call, call: str) -> Iterator[str]:
        expected = (
            [] if step.expected is None else list(self._flat("download.header", step.expected))
        )
        if not expected and not step.saves and step.expected_body is not None:
            yield self._assertion(f"{call}.read()", step.expected_body)
            return
        yield f"with {call} as download:"
        for expression, value in expected:
            yield _INDENT + self._assertion(expression, value)
        if step.expected_body is not None:
            yield _INDENT + self._assertion("download.read()", step.expected_body)
        for line in self._saves(step.saves, "download.header"):
            yield _INDENT + line
        if not expected and not step.saves:
            yield f"{_INDENT}download.read()"

    def _whole(self, method: Method, call: str) -> str:
        """The answer of a call, which for a stream is all of its answers."""
        return f"self.finished({call})" if method.kind is Kind.STREAM else call

    def _all(self, step: Call, answers: str) -> Iterator[tuple[str, Value]]:
        """What is expected of all answers of a stream, each with the expression that gives it."""
        if step.expected_items is not None:
            yield answers, step.expected_items
        for field, value in step.expected.fields if step.expected is not None else ():
            yield _flat(answers, field.name), value

    def _next(self, step: Next) -> Iterator[str]:
        within = "" if step.within is None else f"within={self._span(step.within)}"
        call = f"{self._variables[step.stream]}.next({within})"
        if step.refusal is not None:
            yield f"with pytest.raises({ERROR_CLASSES[step.refusal.code]}):"
            yield _INDENT + call
        elif step.gather is not None:
            yield from self._gathered(step, call)
        else:
            yield from self._answered(step, call)

    def _answered(self, step: Call | Next, call: str) -> Iterator[str]:
        direct = list(self._told(step, call))
        if not direct:
            yield call
        elif len(direct) == 1 and len(direct[0]) <= _WIDTH:
            yield direct[0]
        else:
            answer = self._answer(step.method)
            yield f"{answer} = {call}"
            yield from self._told(step, answer)

    def _told(self, step: Call | Next, answer: str) -> Iterator[str]:
        """What is expected of an answer and saved from it; `answer` is the expression that gives it."""
        if isinstance(step, Call) and step.method.kind is Kind.STREAM:
            for expression, value in self._all(step, answer):
                yield self._assertion(expression, value)
            for save in step.saves:
                name, bracket, rest = save.path.partition("[")
                yield self._save(save, _flat(answer, name) + bracket + rest)
            return
        if step.expected is not None:
            for expression, value in self._flat(answer, step.expected):
                yield self._assertion(expression, value)
        yield from self._saves(step.saves, answer)

    def _saves(self, saves: tuple[Save, ...], answer: str) -> Iterator[str]:
        for save in saves:
            yield self._save(save, f"{answer}.{save.path.partition('.')[0]}")

    def _save(self, save: Save, expression: str) -> str:
        """Takes the value at the end of a path, of which `expression` gives the first part."""
        path, *rest = save.path.split(".")
        for part in (*rest, None):
            if path in save.optional:
                expression = f"present({expression})"
            if part is not None:
                path, expression = f"{path}.{part}", f"{expression}.{part}"
        return f"{self._variables[save.variable]} = {expression}"

    def _flat(self, expression: str, record: Record) -> Iterator[tuple[str, Value]]:
        """What is expected, each with the expression that gives it. A message in the answer is looked into."""
        for field, value in record.fields:
            path = f"{expression}.{field.name}"
            if isinstance(value, Record) and not field.optional:
                yield from self._flat(path, value)
            else:
                yield path, value

    def _answer(self, method: Method) -> str:
        """A variable for an answer: `received`, and `received_messages` where that is taken. One operation, one variable."""
        if method.name not in self._answers:
            verb, _, noun = method.name.partition("_")
            participle = _PARTICIPLES.get(verb) or (
                f"{verb}d" if verb.endswith("e") else f"{verb}ed"
            )
            names = (participle, f"{participle}_{noun}", f"answer_to_{method.name}")
            name = next(name for name in names if name not in self._taken)
            self._taken.add(name)
            self._answers[method.name] = name
        return self._answers[method.name]

    # --- HTTP

    def _http(self, step: Http) -> Iterator[str]:
        words = [f'"{step.method}"', self._value(step.url)]
        if step.headers is not None:
            words.append(f"headers={self._value(step.headers)}")
        if step.body is not None:
            words.append(f"body={self._value(step.body)}")
        if step.form is not None:
            words.append(f"form={self._value(step.form)}")
        if step.until is not None:
            words.append(f"until={self._value(step.until)}")
        call = f"self.http({', '.join(words)})"
        direct = list(self._shown(step, call))
        if not direct:
            yield call
        elif len(direct) == 1 and len(direct[0]) <= _WIDTH:
            yield direct[0]
        else:
            yield f"answer = {call}"
            yield from self._shown(step, "answer")

    def _shown(self, step: Http, answer: str) -> Iterator[str]:
        for part, value in self._parts(step):
            yield self._assertion(f"{answer}.{part}", value)
        for save in step.saves:
            parameter = save.path.removeprefix("location.")
            yield f"{self._variables[save.variable]} = {answer}.location[{parameter!r}]"

    def _parts(self, step: Http) -> Iterator[tuple[str, Value]]:
        for word, value in step.expected:
            if word in {"headers", "location"} and isinstance(value, Entries):
                for key, inner in value.entries:
                    yield f"{word}[{key.lower() if word == 'headers' else key!r}]", inner
            else:
                yield word, value

    # --- expectations

    def _assertion(self, expression: str, value: Value) -> str:
        match value:
            case Plain(value=True):
                return f"assert {expression}"
            case Plain(value=False):
                return f"assert not {expression}"
            case Matcher(kind="any"):
                return f"assert {expression}"
            case Matcher(kind="absent"):
                return f"assert {expression} is None"
            case Matcher(kind="not", operands=(inner,)):
                return f"assert {expression} != {self._value(inner)}"
            case Matcher(kind="length", operands=(inner,)):
                return f"assert len({expression}) == {self._value(inner)}"
            case Matcher(kind="contains", operands=(inner,)):
                return f"assert {self._value(inner)} in {expression}"
            case Matcher(kind="one_of", operands=operands):
                return f"assert {expression} in {self._tuple(operands)}"
            case _:
                return f"assert {expression} == {self._value(value)}"

    # --- values

    def _value(self, value: Value) -> str:
        """A value that is expected."""
        match value:
            case Record():
                return f"like({self._words(value)})"
            case Items():
                return self._tuple(value.items)
            case Matcher():
                return self._matcher(value)
            case Pieces():
                return " + ".join(map(self._value, value.parts)) or 'b""'
            case _:
                return self._plain(value)

    def _matcher(self, value: Matcher) -> str:
        if value.kind in _MATCHERS:
            return _MATCHERS[value.kind]
        return f"{_CALLS[value.kind]}({', '.join(map(self._value, value.operands))})"

    def _tuple(self, items: tuple[Value, ...]) -> str:
        comma = "," if len(items) == 1 else ""
        return f"({', '.join(map(self._value, items))}{comma})"

    def _argument(self, field: Field, value: Value) -> str:
        """A value that is given to an operation. A JSON object or list needs no wrapping there."""
        if isinstance(value, JsonValue) and isinstance(value.value, dict | list):
            return repr(value.value)
        return self._given(field, value)

    def _given(self, field: Field, value: Value) -> str:
        match value:
            case Record(message=message, fields=((_, Items() as only),)) if message.takes_list:
                return self._given(field, only)
            case Record():
                inner = ", ".join(
                    f"{part.name}={self._held(part, given)}" for part, given in value.fields
                )
                return f"{value.message.name}({inner})"
            case Items():
                return f"[{', '.join(self._given(field, item) for item in value.items)}]"
            case _:
                return self._plain(value)

    def _held(self, field: Field, value: Value) -> str:
        """A field of a message that is given. What a message holds cannot change, so a list is a tuple there."""
        if not isinstance(value, Items):
            return self._given(field, value)
        items = [self._given(field, item) for item in value.items]
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"

    def _sent(self, body: Value) -> str:
        """A body that is uploaded."""
        match body:
            case Pieces():
                return f"iter([{', '.join(map(self._plain, body.parts))}])"
            case File():
                return f"self.file({self._plain(body.content)})"
            case _:
                return self._plain(body)

    def _plain(self, value: Value) -> str:
        match value:
            case Plain():
                return repr(value.value)
            case Variable():
                return self._variable(value)
            case Text():
                return self._text(value)
            case Span():
                return self._span(value)
            case Bytes():
                return _bytes(value.value)
            case Filler():
                return _filler(value)
            case JsonValue() | Choice():
                return _open(value)
            case Formed():
                return _formed(value)
            case Entries():
                return f"{{{', '.join(f'{key!r}: {self._value(inner)}' for key, inner in value.entries)}}}"
            case _:
                raise AssertionError(value)

    def _words(self, record: Record) -> str:
        return ", ".join(f"{field.name}={self._value(value)}" for field, value in record.fields)

    def _variable(self, value: Variable) -> str:
        return self._variables.get(value.name, value.name)

    def _text(self, value: Text) -> str:
        parts = (
            f"{{{self._variable(part)}}}"
            if isinstance(part, Variable)
            else part.replace("{", "{{").replace("}", "}}")
            for part in value.parts
        )
        return f"f{''.join(parts)!r}"

    def _span(self, value: Span) -> str:
        return f"timedelta({_UNITS[value.unit]}={value.number})" if value.number else "timedelta()"


def _formed(value: Formed) -> str:
    whole = value.kind == "decimal" and value.text.removeprefix("-").isdigit()
    return f"{_MAKERS[value.kind]}({value.text if whole else repr(value.text)})"


def _open(value: JsonValue | Choice) -> str:
    if isinstance(value, JsonValue):
        return f"Json({value.value!r})"
    return f"{value.enum.name}.{value.value.member}"


def _flat(answers: str, field: str) -> str:
    """The items that a list field has in all answers together."""
    return f"flat(it.{field} for it in {answers})"


def _bytes(value: bytes) -> str:
    """Text reads as text where it is not ASCII."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return repr(value)
    return repr(value) if text.isascii() or not text.isprintable() else f"{text!r}.encode()"


def _filler(value: Filler) -> str:
    number = str(value.number) if value.unit == "B" else f"{value.number} * {value.unit.upper()}"
    return f'"x" * {number}' if value.text else f"bytes_of_size({number})"
