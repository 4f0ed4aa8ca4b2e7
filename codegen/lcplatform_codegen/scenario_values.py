"""The values in a scenario, read against the IDL: whatever a field cannot hold is refused with its place."""

from __future__ import annotations

import base64
import binascii
import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn, TypeAlias
from uuid import UUID

from typing_extensions import override

from lcplatform_codegen.model import Enum, EnumValue, Field, Message, Method, Schema

_REFERENCE: Final = re.compile(r"\$([a-z][a-z0-9_]*)")
_TOKEN: Final = re.compile(r"\$(?:(\$)|\{([a-z][a-z0-9_]*)\}|)")
_DURATION: Final = re.compile(r"(\d+)(ms|s|m|h|d)")
_SIZE: Final = re.compile(r"(\d+)(B|KiB|MiB)")
_SCALARS: Final = {"int": int, "float": (int, float), "bool": bool, "null": bool}
# What a plain value means in a union whose alternatives the type of a value tells apart.
_TELLING: Final = {
    type(None): "null",
    bool: "bool",
    int: "int",
    float: "float",
    str: "string",
}
_PARSERS: Final[Mapping[str, Callable[[str], object]]] = {
    "decimal": Decimal,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "local_timestamp": datetime.fromisoformat,
    "timestamp": datetime.fromisoformat,
    "uuid": UUID,
}
_ARTICLES: Final = {
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "null": "true",
}


class Wrong(Exception):
    """A value, a field or an operation that the IDL does not allow, with the path to it inside its step."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path = ""

    @override
    def __str__(self) -> str:
        return f"{self.path}: {self.problem}" if self.path else self.problem


@contextmanager
def at(place: str) -> Iterator[None]:
    """Says of what is wrong inside that it is wrong there: in the field `name`, or in the item `[2]`."""
    try:
        yield
    except Wrong as wrong:
        dot = "." if wrong.path and not wrong.path.startswith("[") else ""
        wrong.path = f"{place}{dot}{wrong.path}"
        raise


@dataclass(frozen=True, slots=True)
class Plain:
    """A string, a number, a truth value, or nothing as a value of a union."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Variable:
    """The value of a variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text with the values of variables in it."""

    parts: tuple[str | Variable, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """A duration, in the unit in which it was written."""

    number: int
    unit: str  # ms s m h d

    @property
    def seconds(self) -> float:
        """The whole duration."""
        return self.number * {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}[self.unit]


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes that are written out."""

    value: bytes


@dataclass(frozen=True, slots=True)
class Filler:
    """So many letters x, or so many bytes of the pattern that the schema of the format describes."""

    number: int
    unit: str  # B KiB MiB
    text: bool


@dataclass(frozen=True, slots=True)
class Pieces:
    """A body in pieces: a stream of unknown length where it is sent, their sum where it is expected."""

    parts: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class File:
    """A body that is sent from a file."""

    content: Value


@dataclass(frozen=True, slots=True)
class JsonValue:
    """A JSON value."""

    value: object


@dataclass(frozen=True, slots=True)
class Formed:
    """A string that says something of another type: a date, an exact number. `kind` is that of the field."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of an enum."""

    enum: Enum
    value: EnumValue


@dataclass(frozen=True, slots=True)
class Record:
    """A message: all of a request, or what is expected of an answer."""

    message: Message
    fields: tuple[tuple[Field, Value], ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Entries:
    """A map."""

    entries: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Matcher:
    """What stands for a value in an expectation: any moment absent not one_of length contains unordered."""

    kind: str
    operands: tuple[Value, ...] = ()


Value: TypeAlias = (
    Plain
    | Variable
    | Text
    | Span
    | Bytes
    | Filler
    | Pieces
    | File
    | JsonValue
    | Formed
    | Choice
    | Record
    | Items
    | Entries
    | Matcher
)
"""What a field can hold in a scenario."""


def pseudo(name: str, kind: str, *, map_of: str = "") -> Field:
    """A field that is in no message: the body of a stream, a part of an HTTP answer."""
    return Field(
        proto_name=name,
        number=0,
        wire_kind="map" if map_of else kind,
        type_name="",
        repeated=False,
        map_value=pseudo(name, map_of) if map_of else None,
        presence=False,
        oneof=None,
        comment="",
        rules=None,
        integer_range=None,
        js_string=False,
        deprecated=False,
        schema=Schema(),
    )


def items_of(message: Message) -> Field:
    """All answers of a stream, as if they were a list field of one."""
    items = pseudo("$items", "message")
    return replace(items, type_name=message.full_name, repeated=True, schema=message.schema)


STRING: Final = pseudo("name", "string")
NUMBER: Final = pseudo("number", "int")
BODY: Final = pseudo("body", "bytes")


def span(raw: object) -> Span:
    """A duration such as `2s`."""
    found = _DURATION.fullmatch(raw) if isinstance(raw, str) else None
    if found is None:
        _refuse(raw, "a duration such as 2s, 5m or 30d")
    return Span(int(found[1]), found[2])


def shape(field: Field) -> str:
    """The type of a field in words, which is also what tells whether a variable fits."""
    if field.map_value is not None:
        return f"map of {shape(field.map_value)}"
    named = field.type_name.removeprefix(".")
    one = named if field.wire_kind in {"message", "enum"} else field.kind
    return f"list of {one}" if field.repeated else one


def _fits(known: Field, field: Field) -> bool:
    """Whether a variable of one field may stand in another."""
    if shape(known) == shape(field):
        return True
    told = field.kind == "union" and not field.repeated and field.message.told_by_type
    return told and any(shape(known) == shape(part) for part in field.message.fields)


def single(field: Field) -> Field:
    """One item of the field, if it is a list."""
    return replace(field, repeated=False) if field.repeated else field


def suggest(name: str, known: Iterable[str]) -> str:
    """The known names, the nearest first if there is one."""
    names = list(known)
    near = difflib.get_close_matches(name, names, 1)
    return f"did you mean {near[0]}?" if near else f"there is {', '.join(names) or 'none'}"


def named(message: Message, name: object) -> Field:
    """The field of that name."""
    found = message.find(str(name))
    if found is None:
        raise Wrong(
            f"{message.name} has no field {name}: {suggest(str(name), (f.proto_name for f in message.fields))}"
        )
    return found


class Reader:
    """Reads the values of one scenario and keeps account of its variables and of the capabilities that it uses."""

    def __init__(self, names: Iterable[str]) -> None:
        self.variables: dict[str, Field] = dict.fromkeys(names, STRING)
        self.used: set[str] = set()
        self.needs: dict[str, str] = {}
        """Each capability that a request asks for, and what asks for it."""
        self._owner = ""
        """The other service that the current step calls."""
        self.streams: dict[str, Method] = {}
        """The streams that are open, and their operations."""
        self.unheard: list[str] = []
        """Those of which nothing has been heard."""
        self.counting = False
        """Whether `number` has a value."""

    @contextmanager
    def of(self, owner: str) -> Iterator[None]:
        """What is read inside is of another service, or of the service itself where that is empty."""
        self._owner = owner
        try:
            yield
        finally:
            self._owner = ""

    def need(self, capability: str, asker: str) -> None:
        """Notes that `asker` asks for a capability of the service whose step is read."""
        name = f"{self._owner}.{capability}" if self._owner else capability
        self.needs.setdefault(name, asker)

    def request(self, message: Message, raw: Mapping[str, object]) -> Record:
        """A request, or a message in one. What is required must be given."""
        record = self._record(message, raw, expected=False)
        given = {field.proto_name for field, _ in record.fields}
        missing = [
            field.proto_name
            for field in message.fields
            if field.rules.required and field.proto_name not in given
        ]
        if missing:
            raise Wrong(f"{message.name} requires {missing[0]}")
        return record

    def answer(self, message: Message, raw: Mapping[str, object]) -> Record:
        """What is expected of an answer."""
        return self._record(message, raw, expected=True)

    def field(self, field: Field, raw: object, *, expected: bool = False) -> Value:
        """The value of a field: a variable, a matcher where something is expected, or what its type allows."""
        if expected and raw in ("$any", "$absent"):
            return _presence(field, str(raw))
        variable = _REFERENCE.fullmatch(raw) if isinstance(raw, str) else None
        if variable is not None:
            return self._variable(variable[1], field)
        if expected and isinstance(raw, Mapping) and len(raw) == 1:
            (word, operand), *_ = raw.items()
            matcher = _MATCHERS.get(str(word))
            if matcher is not None:
                return matcher(self, field, operand)
        if field.map_value is not None:
            return self._entries(field.map_value, raw, expected=expected)
        if field.repeated or field.wire_kind == "mask":
            return self.items(field, raw, expected=expected)
        return self.item(field, raw, expected=expected)

    def items(self, field: Field, raw: object, *, expected: bool) -> Items:
        """A list."""
        if not isinstance(raw, list):
            _refuse(raw, "a list")
        return Items(
            tuple(
                self._numbered(field, index, item, expected=expected)
                for index, item in enumerate(raw)
            )
        )

    def item(self, field: Field, raw: object, *, expected: bool) -> Value:
        """One item of a field. An item of a list may be a variable, too."""
        variable = _REFERENCE.fullmatch(raw) if isinstance(raw, str) else None
        if variable is not None:
            return self._variable(variable[1], single(field))
        match field.kind:
            case "string":
                return self._string(field, raw)
            case "bytes":
                return self._bytes(field, raw)
            case "duration":
                return span(raw)
            case "timestamp" if expected and not field.schema.messages[field.owner].told_by_type:
                return _refuse(raw, "a variable or $any, since times differ from run to run")
            case "mask":
                return _mask(field, raw)
            case "json":
                return JsonValue(raw)
            case "enum":
                return _choice(field, raw)
            case "message" | "union":
                return self._message(field, raw, expected=expected)
            case _:
                return _formed(field, raw) if field.kind in _PARSERS else _scalar(field, raw)

    def _numbered(self, field: Field, index: int, raw: object, *, expected: bool) -> Value:
        with at(f"[{index}]"):
            return self.item(field, raw, expected=expected)

    def _record(self, message: Message, raw: Mapping[str, object], *, expected: bool) -> Record:
        fields: list[tuple[Field, Value]] = []
        for name, given in raw.items():
            field = named(message, name)
            with at(field.proto_name):
                fields.append((field, self.field(field, given, expected=expected)))
            if not expected:
                self._need(field, given, f"{message.name}.{field.proto_name}")
        return Record(message, tuple(fields))

    def _need(self, field: Field, given: object, asker: str) -> None:
        if field.rules.capability and given is not False:
            self.need(field.rules.capability, asker)

    def _variable(self, name: str, field: Field | None) -> Variable:
        if name == "number" and self.counting:
            known = NUMBER
        elif name in self.variables:
            known = self.variables[name]
        else:
            raise Wrong(f"${name} has no value: {suggest(name, self.variables)}")
        if field is not None and not _fits(known, field):
            raise Wrong(f"expected a {shape(field)}, and ${name} is a {shape(known)}")
        self.used.add(name)
        return Variable(name)

    def _string(self, field: Field, raw: object) -> Value:
        if isinstance(raw, str):
            return self.text(raw)
        return _filler(raw, text=True) or _refuse(
            raw, "a text (quote what looks like something else)"
        )

    def text(self, raw: str) -> Plain | Text:
        """A text, perhaps with variables in it."""
        parts: list[str | Variable] = []
        end = 0
        for token in _TOKEN.finditer(raw):
            parts.append(raw[end : token.start()])
            if token[2] is not None:
                parts.append(self._variable(token[2], None))
            elif token[1] is not None:
                parts.append("$")
            else:
                raise Wrong(
                    f"a lone $ in {raw!r}: write $$ for the sign, ${{name}} for a variable in a text"
                )
            end = token.end()
        parts.append(raw[end:])
        if all(isinstance(part, str) for part in parts):
            return Plain("".join(str(part) for part in parts))
        return Text(tuple(part for part in parts if part != ""))

    def _bytes(self, field: Field, raw: object) -> Value:
        if isinstance(raw, str):
            text = self.text(raw)
            if isinstance(text, Plain):
                return Bytes(str(text.value).encode())
        if isinstance(raw, Mapping) and len(raw) == 1:
            (word, operand), *_ = raw.items()
            if word == "$base64":
                return Bytes(_base64(operand))
            if word == "$chunks" and isinstance(operand, list):
                return Pieces(tuple(self._bytes(field, part) for part in operand))
            if word == "$file":
                return File(self._bytes(field, operand))
        return _filler(raw, text=False) or _refuse(
            raw, "a text, {$base64: ...}, {$size: ...} or a body in another form"
        )

    def _message(self, field: Field, raw: object, *, expected: bool) -> Value:
        message = field.message
        if message.told_by_type and not isinstance(raw, Mapping):
            return self._told(field, raw, expected=expected)
        if message.takes_list and isinstance(raw, list):
            raw = {message.fields[0].proto_name: raw}
        if not isinstance(raw, Mapping):
            _refuse(raw, f"a {message.name}, which is a map")
        if not message.is_union:
            return (
                self._record(message, raw, expected=True)
                if expected
                else self.request(message, raw)
            )
        if len(raw) != 1:
            raise Wrong(f"expected one of {', '.join(f.proto_name for f in message.fields)}")
        record = self._record(message, raw, expected=expected)
        return record.fields[0][1]

    def _told(self, field: Field, raw: object, *, expected: bool) -> Value:
        """A plain value where the type tells which alternative of a union is meant."""
        for part in field.message.fields:
            if part.kind == "message" and part.message.takes_list and isinstance(raw, list):
                return self.item(part, raw, expected=expected)
            if part.kind == _TELLING.get(type(raw)):
                return Plain(None) if raw is None else self.item(part, raw, expected=expected)
        return _refuse(raw, f"a {field.message.name}")

    def _entries(self, field: Field, raw: object, *, expected: bool) -> Entries:
        if not isinstance(raw, Mapping):
            _refuse(raw, "a map")
        return Entries(
            tuple(
                (str(key), self._entry(field, str(key), raw[key], expected=expected)) for key in raw
            )
        )

    def _entry(self, field: Field, key: str, raw: object, *, expected: bool) -> Value:
        with at(key):
            return self.field(field, raw, expected=expected)

    def negation(self, field: Field, raw: object) -> Matcher:
        """`$not`"""
        return Matcher("not", (self.field(field, raw, expected=False),))

    def one_of(self, field: Field, raw: object) -> Matcher:
        """`$one_of`"""
        if not isinstance(raw, list) or not raw:
            raise Wrong("$one_of takes a list of values")
        return Matcher("one_of", tuple(self.field(field, value, expected=False) for value in raw))

    def length(self, field: Field, raw: object) -> Matcher:
        """`$length`"""
        countable = field.repeated or field.is_map or field.kind in {"string", "bytes"}
        if not countable or not isinstance(raw, int) or isinstance(raw, bool):
            raise Wrong(
                f"$length takes a number and stands for a list, a map or a text, not for a {shape(field)}"
            )
        return Matcher("length", (Plain(raw),))

    def contains(self, field: Field, raw: object) -> Matcher:
        """`$contains`"""
        if not field.repeated and field.kind != "string":
            raise Wrong(f"$contains stands for a list or a text, not for a {shape(field)}")
        return Matcher("contains", (self.item(field, raw, expected=True),))

    def unordered(self, field: Field, raw: object) -> Matcher:
        """`$unordered`"""
        if not field.repeated:
            raise Wrong(f"$unordered stands for a list, not for a {shape(field)}")
        return Matcher("unordered", self.items(field, raw, expected=True).items)


_MATCHERS: Final[Mapping[str, Callable[[Reader, Field, object], Matcher]]] = {
    "$not": Reader.negation,
    "$one_of": Reader.one_of,
    "$length": Reader.length,
    "$contains": Reader.contains,
    "$unordered": Reader.unordered,
}


def _presence(field: Field, raw: str) -> Matcher:
    if raw == "$absent" and not (field.rules is not None and field.optional):
        raise Wrong("the field is never absent: write out its empty value")
    if raw == "$any" and field.kind in {"bool", "int", "float"}:
        raise Wrong(f"$any tells nothing of a {shape(field)}")
    moment = raw == "$any" and field.kind in {"timestamp", "duration"}
    return Matcher("moment" if moment else raw[1:])


def _choice(field: Field, raw: object) -> Choice:
    known = {value.value: value for value in field.enum.members}
    if raw not in known:
        raise Wrong(f"{_shown(raw)} is no {field.enum.name}: {suggest(str(raw), known)}")
    return Choice(field.enum, known[str(raw)])


def _mask(field: Field, raw: object) -> Plain:
    known = field.schema.messages[field.owner].clearable
    if raw not in known:
        raise Wrong(f"{_shown(raw)} cannot be cleared: {suggest(str(raw), known)}")
    return Plain(str(raw))


def _scalar(field: Field, raw: object) -> Plain:
    accepted: Any = _SCALARS[field.kind]  # a class or a tuple of classes
    if not isinstance(raw, accepted) or (
        isinstance(raw, bool) and field.kind not in {"bool", "null"}
    ):
        _refuse(raw, _ARTICLES[field.kind])
    assert isinstance(raw, int | float)
    if field.kind == "null":
        return Plain(None)
    return Plain(float(raw) if field.kind == "float" else raw)


def _formed(field: Field, raw: object) -> Formed:
    try:
        value = _PARSERS[field.kind](raw) if isinstance(raw, str) else None
    except (ValueError, InvalidOperation):
        value = None
    zone = isinstance(value, datetime) and value.tzinfo is not None
    if value is None or zone is not (field.kind == "timestamp"):
        _refuse(raw, f"a {field.kind.replace('_', ' ')} in quotes")
    return Formed(field.kind, str(raw))


def _filler(raw: object, *, text: bool) -> Filler | None:
    if not isinstance(raw, Mapping) or list(raw) != ["$size"]:
        return None
    size = raw["$size"]
    if isinstance(size, int) and not isinstance(size, bool):
        return Filler(size, "B", text)
    found = _SIZE.fullmatch(str(size))
    if found is None:
        raise Wrong(f"{size!r} is no size such as 100, 300KiB or 5MiB")
    return Filler(int(found[1]), found[2], text)


def _base64(raw: object) -> bytes:
    try:
        return base64.b64decode(str(raw), validate=True)
    except binascii.Error:
        raise Wrong(f"{raw!r} is not base64") from None


def _refuse(raw: object, wanted: str) -> NoReturn:
    raise Wrong(f"expected {wanted}, found {_shown(raw)}")


def _shown(raw: object) -> str:
    match raw:
        case None:
            return "null"
        case bool():
            return "true" if raw else "false"
        case Mapping():
            return "a map"
        case list():
            return "a list"
        case _:
            return repr(raw)
