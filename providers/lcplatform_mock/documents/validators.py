"""What the documents of a collection must satisfy: a JSON Schema as MongoDB understands it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast

from lcplatform_mock.documents.filters import reading
from lcplatform_runtime.documents.extended_json import NoDocument
from lcplatform_runtime.documents.operators import check_schema
from lcplatform_runtime.documents.values import NAMES, NUMBERS, Object, name_of
from lcplatform_runtime.errors import FieldViolation, ValidationError
from lcplatform_runtime.json_value import Json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema.protocols import Validator as Checker

_SHOWN: Final = 20
_ALIASES: Final = {"number": frozenset({"int", "long", "double", "decimal"})}


class Validator:
    """A JSON Schema, draft 4 without references, that looks at documents.

    Attributes:
        schema: the schema as it was given.
    """

    def __init__(self, schema: Json) -> None:
        """Raises `ValidationError` if it is no such schema."""
        self.schema = schema
        raw = schema.plain
        check_schema(raw)
        self._checker = reading("validator", lambda: _checker(raw))

    def __deepcopy__(self, memo: dict[int, object]) -> Validator:
        return self

    def check(self, document: Object) -> None:
        """Refuses a document that the schema refuses, and names what is wrong. No value is quoted."""
        found = [
            FieldViolation(_path(error.absolute_path), f"breaks {error.validator} of the validator")
            for error, _ in zip(self._checker.iter_errors(document), range(_SHOWN), strict=False)
        ]
        if found:
            raise ValidationError(
                "the document breaks the validator of its collection: "
                + "; ".join(f"{it.field} {it.description}" for it in found),
                violations=found,
            )


def _path(parts: Any) -> str:
    return ".".join(["document", *map(str, parts)])


def _checker(raw: Any) -> Checker:
    from jsonschema import Draft4Validator
    from jsonschema.exceptions import SchemaError
    from jsonschema.exceptions import ValidationError as Flaw
    from jsonschema.validators import extend

    try:
        Draft4Validator.check_schema(raw)
    except SchemaError as error:
        problem = NoDocument(f"a JSON Schema of draft 4 ({error.json_path} is wrong)")
        raise problem from None

    def has_type(checker: Checker, wanted: Any, value: Any, schema: Any) -> Iterator[Flaw]:
        names = [wanted] if isinstance(wanted, str) else wanted
        kind = name_of(value)
        if not any(kind == name or kind in _ALIASES.get(name, ()) for name in names):
            yield Flaw("of another type")

    types = Draft4Validator.TYPE_CHECKER.redefine_many(
        {
            "array": lambda _, it: it.__class__ is tuple,
            "object": lambda _, it: it.__class__ is dict,
            "number": lambda _, it: it.__class__ in NUMBERS,
            "integer": lambda _, it: it.__class__ in NUMBERS and _is_whole(it),
        }
    )
    known = {*NAMES.values(), *_ALIASES, "minKey", "maxKey"}
    for name in _bson_types(raw):
        if name not in known:
            raise NoDocument(f"bsonType knows {', '.join(sorted(known))}")
    made = extend(Draft4Validator, {"bsonType": has_type}, type_checker=types)  # type: ignore[no-untyped-call]  # it has no types
    return cast("Checker", made(raw))


def _is_whole(number: Any) -> bool:
    return isinstance(number, int) or (not isinstance(number, Decimal) and number.is_integer())


def _bson_types(raw: Any) -> Iterator[Any]:
    """The types that a schema names anywhere."""
    if isinstance(raw, list):
        for item in raw:
            yield from _bson_types(item)
    elif isinstance(raw, dict):
        for name, item in raw.items():
            if name == "bsonType" and not isinstance(item, dict):
                yield from item if isinstance(item, list) else [item]
            elif name != "enum":
                yield from _bson_types(item)
