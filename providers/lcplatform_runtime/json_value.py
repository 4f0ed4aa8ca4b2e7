"""JSON values that keep their text: no integer is rounded, and a value is known to be JSON from the start."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias

from pydantic_core import PydanticCustomError, core_schema, from_json, to_json
from typing_extensions import override

from lcplatform_runtime.errors import FieldViolation, ResourceNotFoundError, ValidationError

_POINTER: Final = re.compile(r"(/([^~/]|~[01])*)*")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_AS_THEY_ARE: Final = frozenset({str, bool, int, type(None)})
# What it is given is a copy, in which nothing contains itself.
_encode: Final = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), check_circular=False
).encode


def _finite(number: str | float) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("NaN and numbers beyond the range of a double are not allowed")
    return value


def _no_number(name: str) -> NoReturn:
    raise ValueError("NaN and infinities are not allowed")


_decode: Final = json.JSONDecoder(parse_float=_finite, parse_constant=_no_number).decode


class Json:
    """One JSON value: made of Python values, or of its text, which is kept as it is.

    Two are equal if their values are: neither the order of names nor white space counts, and `1` is `1.0` but not
    `true`. Integers have no bounds. Nothing in it can be changed.

    Raises:
        ValidationError: the value is no JSON value (NaN and infinities are none, names are strings), or the text is not
            JSON. The message never quotes it.
    """

    __slots__ = ("_value", "text")

    text: str
    """The JSON text: as it was given, or compact if the value was made of Python values."""
    _value: object

    def __init__(self, value: object, /) -> None:
        text, plain = _written_and_read(value) or _looked_at_closely(value)
        _put_text(self, text)
        _put_value(self, plain)

    @classmethod
    def from_text(cls, text: str, /) -> Json:
        """The value that `text` is the JSON of (RFC 8259)."""
        try:
            text.encode()
            value = _decode(text)
        except (RecursionError, ValueError) as error:
            problem = _problem(error)
        else:
            made = cls.__new__(cls)
            _put_text(made, text)
            _put_value(made, value)
            return made
        raise ValidationError(f"not JSON text: {problem}")

    @classmethod
    def of_plain(cls, value: object, /) -> Json:
        """As `Json(value)`, for a value that is known to be JSON and that nobody changes any more: it is not looked at."""
        made = cls.__new__(cls)
        _put_text(made, _written(value))
        _put_value(made, value)
        return made

    @property
    def plain(self) -> Any:  # what JSON can be is for the caller to know
        """The value itself and no copy, for whoever only reads it."""
        return self._value

    @property
    def value(self) -> Any:  # what JSON can be is for the caller to know
        """The value as dict, list, str, int, float, bool or None, and the caller's own: changing it changes nothing."""
        return _copy(self._value)

    @property
    def is_object(self) -> bool:
        """Whether the value is a JSON object."""
        return isinstance(self._value, dict)

    def at(self, path: str, /) -> Json:
        """The value to which a JSON Pointer (RFC 6901) such as `/limits/rate` leads. The empty one leads to this value.

        Raises:
            ResourceNotFoundError: it leads nowhere.
            ValidationError: it is no JSON Pointer.
        """
        return Json(_at(self._value, path)) if path else self

    @override
    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Json cannot be changed, so {name} cannot be set")

    @override
    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Json cannot be changed, so {name} cannot be deleted")

    @override
    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Json):
            return NotImplemented
        return self.text == other.text or _frozen(self._value) == _frozen(other._value)

    @override
    def __hash__(self) -> int:
        return hash(_frozen(self._value))

    @override
    def __repr__(self) -> str:
        return f"Json({self._value!r})"

    @override
    def __reduce__(self) -> tuple[Any, ...]:  # the type that object gives it
        return Json.from_text, (self.text,)

    def __copy__(self) -> Json:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Json:
        return self

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: object
    ) -> core_schema.CoreSchema:
        """A field takes a Json or Python values, and no bare text: that could be meant as text. In JSON it is as on the
        wire, `{"text": …}`."""
        return core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_after_validator_function(
                _from_wire,
                core_schema.typed_dict_schema(
                    {"text": core_schema.typed_dict_field(core_schema.str_schema(strict=True))},
                    extra_behavior="forbid",
                ),
            ),
            python_schema=core_schema.no_info_plain_validator_function(_from_python),
            serialization=core_schema.plain_serializer_function_ser_schema(
                _to_wire, when_used="json"
            ),
        )


# What `__setattr__` refuses, and faster than `object.__setattr__`, which looks for these first.
_new = Json.__new__
_put_text, _put_value = Json.__dict__["text"].__set__, Json.__dict__["_value"].__set__
_put_class = object.__dict__["__class__"].__set__


def inside(json_value: Json, /) -> Any:  # what JSON can be is for the caller to know
    """The very value of a Json, without a copy of it: for whoever only reads it, and often."""
    return json_value._value


def _made(text: str, plain: object) -> Json:
    made = _new(Json)
    _put_text(made, text)
    _put_value(made, plain)
    return made


def unread(text: str, /) -> Json:
    """The Json of a text that is known to be JSON. It is read when somebody asks for what is in it."""
    made = _new(_Unread)
    _put_text(made, text)
    return made


class _Unread(Json):
    """One that nobody has asked yet. A class of its own, since a class with `__getattr__` is slow to find any attribute."""

    __slots__ = ()

    if not TYPE_CHECKING:  # it has no other attributes

        def __getattr__(self, name: str) -> object:
            if name != "_value":
                raise AttributeError(f"a Json has no {name}")
            value = _read(self.text)
            _put_value(self, value)
            _put_class(self, Json)
            return value


def unwritten(value: object, /) -> Json:
    """As `Json.of_plain`. It is written when somebody asks for its text."""
    made = _new(_Unwritten)
    _put_value(made, value)
    return made


class _Unwritten(Json):
    """One whose text nobody has asked for yet."""

    __slots__ = ()

    if not TYPE_CHECKING:  # it has no other attributes

        def __getattr__(self, name: str) -> object:
            if name != "text":
                raise AttributeError(f"a Json has no {name}")
            text = _written(self._value)
            _put_text(self, text)
            _put_class(self, Json)
            return text


def _unusable(why: str) -> PydanticCustomError:
    """The refusal of a field. It has a type of its own, since its text may be shown: it never quotes a value."""
    return PydanticCustomError("json_value", "{why}", {"why": why})


def _from_python(value: object) -> Json:
    if (value.__class__ is dict or value.__class__ is list) and (read := _written_and_read(value)):
        return _made(*read)  # as nearly every time: what `Json(value)` would do, at less cost
    if isinstance(value, Json):
        return value
    if isinstance(value, _TEXTS):
        raise _unusable("text and bytes are no JSON value: write Json(…) or Json.from_text(…)")
    if value is None:
        raise _unusable("a value is needed: for the null of JSON write Json(None)")
    try:
        return Json(value)
    except ValidationError as error:
        problem = _unusable(error.message)
    raise problem


_TEXTS: Final = (str, bytes, bytearray, memoryview)


def _from_wire(message: dict[str, str]) -> Json:
    try:
        return Json.from_text(message["text"])
    except ValidationError as error:
        problem = _unusable(error.message)
    raise problem


def _to_wire(value: Json) -> dict[str, str]:
    return {"text": value.text}


def _written_and_read(value: object) -> tuple[str, object] | None:
    """The text of a value, and the copy of it that is in there. `None` where they differ, or there is none: it is to be
    looked at closely.

    The writer takes more than JSON, such as times, sets, and names that are numbers. What it makes of them is something
    else when it is read again, and that tells: to write, read and compare takes a third of the time of a closer look.
    """
    try:
        text = to_json(value)
        copy = from_json(text, allow_inf_nan=False, cache_strings="keys")
        return (text.decode(), copy) if copy == value else None
    except Exception:  # noqa: BLE001  a value of any class may be in there, and raise whatever it likes
        return None


def _looked_at_closely(value: object) -> tuple[str, object]:
    """The text and a copy of a value of any class, in which nothing but JSON is let pass."""
    try:
        plain = _plain(value)
        text, plain = _written_and_read(plain) or (_encode(plain), plain)
        text.encode()
    except (RecursionError, ValueError) as error:
        problem = _problem(error)
    else:
        return text, plain
    raise ValidationError(f"not a JSON value: {problem}")


def _written(value: object) -> str:
    """The text of a value that is known to be JSON."""
    try:
        return to_json(value).decode()
    except ValueError:  # it is nested more deeply than this writer goes
        return _encode(value)


def _read(text: str) -> object:
    """The value of a text that is known to be JSON."""
    try:
        return from_json(text, allow_inf_nan=False, cache_strings="keys")
    except (
        ValueError
    ):  # it is nested more deeply than this reader goes, or has half of a character in it
        return json.loads(text)


def _plain(value: object) -> object:
    """A copy in plain containers."""
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if type(value) is dict:
        return _plain_object(value)
    if type(value) is list or type(value) is tuple:
        return [_plain(item) for item in value]
    if type(value) is float and math.isfinite(value):
        return value
    return _converted(value)


def _plain_object(
    value: dict[Any, Any],
) -> object:  # whoever gives it may have other names than text in it
    made: dict[str, object] = {}
    for name, item in value.items():
        if name.__class__ is not str:
            return _converted(value)
        made[name] = item if item.__class__ in _AS_THEY_ARE else _plain(item)
    return made


def _converted(value: object) -> object:
    """The same for values of other classes than JSON's own."""
    match value:
        case str():
            return value
        case int():
            return int(value)
        case float():
            return _finite(value)
        case Json():
            return value._value
        case Mapping():
            if not all(isinstance(name, str) for name in value):
                raise ValueError("the names of an object must be strings")
            return {str.__str__(name): _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            raise ValueError(f"a {type(value).__name__} has no form in JSON")


def _at(value: object, path: str) -> object:
    """What stands at a path. An array is counted from 0, without leading zeros; `-`, its end, is nothing."""
    if not _POINTER.fullmatch(path):
        expected = (
            "a JSON Pointer: empty, or names that each follow a /, with ~0 for ~ and ~1 for /"
        )
        raise ValidationError(
            f"path must be {expected}", violations=[FieldViolation("path", f"must be {expected}")]
        )
    for token in path.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        match value:
            case dict() if name in value:
                value = value[name]
            case list() if _INDEX.fullmatch(name) and int(name) < len(value):
                value = value[int(name)]
            case _:
                raise ResourceNotFoundError(f"nothing stands at {path!r}", resource=path)
    return value


def _copy(value: object) -> object:
    if isinstance(value, dict):
        return {name: _copy(item) for name, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _frozen(value: object) -> object:
    """What can be compared and hashed, and tells `true` from `1`."""
    if isinstance(value, dict):
        return frozenset((name, _frozen(item)) for name, item in value.items())
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    return (bool, value) if isinstance(value, bool) else value


def _problem(error: Exception) -> str:
    """What is wrong, without a word of the value."""
    match error:
        case RecursionError():
            return "it is nested too deeply or contains itself"
        case json.JSONDecodeError():
            return f"{error.msg} at character {error.pos}"
        case UnicodeError():
            return "it contains half of a surrogate pair"
        case _:
            return _SIZES.get(str(error)[:17], str(error))


# Python limits how many digits it turns into a number. Its message speaks of the interpreter's settings.
_SIZES: Final = {"Exceeds the limit": "an integer has too many digits"}


JsonInput: TypeAlias = "Mapping[str, object] | Sequence[object] | int | float | bool"
"""What a client takes for a JSON value besides `Json`. Text is text: for a JSON string or null write `Json(...)`."""
