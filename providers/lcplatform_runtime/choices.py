"""What protobuf leaves open and a model must not: values of a newer contract, and more than one field of a oneof."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, TypeVar

from pydantic import AfterValidator, BaseModel
from pydantic_core import PydanticCustomError

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


def one_of(model: M, names: tuple[str, ...], /) -> M:
    """The model, if it sets at most one of the fields of a oneof."""
    if sum(getattr(model, name) is not None for name in names) > 1:
        raise ValueError(f"at most one of {', '.join(names)}")
    return model


def not_together(field: str, other: str, /) -> ValueError:
    """What a model raises that was given both fields."""
    return ValueError(f"{field} is not given together with {other}")
