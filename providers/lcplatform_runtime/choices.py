"""What protobuf leaves open and a model must not: values of a newer contract, more than one field of a oneof, and which
alternative of a union a value is."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from types import NoneType
from typing import Any, Final, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from lcplatform_runtime.json_value import Json

E = TypeVar("E", bound=StrEnum | None)
M = TypeVar("M", bound=BaseModel)


def _known(value: E) -> E:
    if value == "unknown":
        raise ValueError("a value of this version of the contract")
    return value


KNOWN: Final = AfterValidator(_known)
"""Marks a field of a request: `UNKNOWN`, which a newer contract puts into answers, is refused there."""


def _object(value: Json) -> Json:
    if not value.is_object:
        raise PydanticCustomError("json_object", "input should be a JSON object")
    return value


JSON_OBJECT: Final = AfterValidator(_object)
"""Marks a field whose JSON value is an object."""


def _no_signal(value: Decimal) -> Decimal:
    if value.is_snan():
        raise PydanticCustomError("decimal", "input should be a number, NaN or an infinity")
    return value


class _Decimal:
    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            _no_signal, core_schema.decimal_schema(allow_inf_nan=True)
        )


DECIMAL: Final = _Decimal()
"""Marks an exact number: NaN and the infinities are some, too."""


class _ByType:
    """Tells the alternatives of a union by the type of a value alone, so nothing is turned into something else on its way.

    Where a message has stand-ins (a list for an array), they are told as that message; what is of no type at all is JSON,
    if JSON is an alternative.
    """

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        parts = {_plain_type(part): part for part in get_args(source)}
        tags: dict[type, str | None] = {kind: kind.__name__ for kind in parts}
        for kind in parts:
            tags.update(dict.fromkeys(getattr(kind, "__stand_ins__", ()), kind.__name__))
        rest = Json.__name__ if Json in parts else None

        def tag_of(value: object) -> str | None:
            kind = type(value)
            if kind not in tags:
                tags[kind] = next((tags[base] for base in kind.__mro__ if base in tags), rest)
            return tags[kind]

        return core_schema.tagged_union_schema(
            {kind.__name__: handler.generate_schema(part) for kind, part in parts.items()},
            tag_of,
            custom_error_type="union_type",
            custom_error_message=f"input should be one of {', '.join(kind.__name__ for kind in parts)}",
        )


BY_TYPE: Final = _ByType()
"""Marks a union whose alternatives the type of a value tells apart."""


def _plain_type(part: Any) -> type:
    """The class of an alternative, without what is asked of it."""
    if part is None:
        return NoneType
    plain: type = get_args(part)[0] if hasattr(part, "__metadata__") else part
    return plain


def parts_of(duration: timedelta, /) -> dict[str, int]:
    """The days and microseconds of a length of time."""
    seconds = duration.seconds * 1_000_000
    return {"days": duration.days, "microseconds": seconds + duration.microseconds}


def one_of(model: M, names: tuple[str, ...], /) -> M:
    """The model, if it sets at most one of the fields of a oneof."""
    if sum(getattr(model, name) is not None for name in names) > 1:
        raise ValueError(f"at most one of {', '.join(names)}")
    return model


def not_together(field: str, other: str, /) -> ValueError:
    """What a model raises that was given both fields."""
    return ValueError(f"{field} is not given together with {other}")
