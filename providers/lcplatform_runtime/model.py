"""The ground of every generated message: a frozen value that is checked once and never shows a secret."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Final, TypeVar

import pydantic
from pydantic import BaseModel, ConfigDict
from typing_extensions import override

from lcplatform_runtime.errors import FieldViolation, ValidationError


class _Hidden:
    """Stands for a value that is not shown."""

    @override
    def __repr__(self) -> str:
        return "***"


HIDDEN: Final = _Hidden()
"""What is shown in the place of a sensitive value."""


class Model(BaseModel):
    """A message. It is frozen, takes keywords only, and shows `***` for its sensitive fields.

    Attributes:
        __sensitive__: the names of the fields whose value is never shown.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        defer_build=True,
        hide_input_in_errors=True,
        ser_json_bytes="base64",
        val_json_bytes="base64",
        ser_json_timedelta="float",
    )

    __sensitive__: ClassVar[frozenset[str]] = frozenset()

    @override
    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """What repr, str and rich show."""
        hidden = self.__sensitive__
        for name, value in super().__repr_args__():
            yield name, HIDDEN if name in hidden and value is not None else value


class Request(Model):
    """What a caller asks for. A field that it does not know is refused."""


class Response(Model):
    """What a caller is answered. A field that it does not know is ignored, so an older client understands a newer server."""

    model_config = ConfigDict(extra="ignore")


M = TypeVar("M", bound=BaseModel)


def build(model: type[M], /, **values: object) -> M:
    """Checks `values` and makes a message of them.

    Raises:
        ValidationError: names each field that is wrong, and what is expected there. It never quotes a value.
    """
    try:
        return model.__pydantic_validator__.validate_python(values)  # type: ignore[no-any-return]
    except pydantic.ValidationError as error:
        problem = refusal(model, error)
    # Outside of the handler: what pydantic raises holds the input, so it is no context either.
    raise problem


def refusal(model: type[BaseModel], error: pydantic.ValidationError, /) -> ValidationError:
    """Pydantic's refusal of values for `model` as the platform's error, without the values."""
    expected: dict[str, list[str]] = {}
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        path, hidden = _path(model, problem["loc"])
        texts = expected.setdefault(path, [])
        text = _expectation(problem["type"], problem["msg"], hidden=hidden)
        if text not in texts:
            texts.append(text)
    violations = [FieldViolation(path, "; or ".join(texts)) for path, texts in expected.items()]
    listed = ". ".join(
        f"{it.field}: {it.description}" if it.field else it.description for it in violations
    )
    return ValidationError(f"invalid {model.__name__}: {listed}", violations=violations)


# Their texts repeat a part of the input.
_TALKATIVE: Final = frozenset({"union_tag_invalid", "assertion_error"})


def _expectation(kind: str, message: str, *, hidden: bool) -> str:
    if kind in _TALKATIVE or (hidden and kind == "value_error"):
        return "the value is not allowed"
    text = message.removeprefix("Value error, ")
    return text[:1].lower() + text[1:]


def _path(model: type[BaseModel], location: Sequence[int | str]) -> tuple[str, bool]:
    """The dotted path of what was refused, without pydantic's names for the branches of a union; and whether it is
    sensitive, in which case it ends there."""
    path: list[str] = []
    here: type[BaseModel] | None = model
    in_map = False
    for step in location:
        if here is not None and isinstance(step, str) and step in here.model_fields:
            path.append(step)
            if step in getattr(here, "__sensitive__", ()):
                return ".".join(path), True
            annotation = here.model_fields[step].annotation
            here, in_map = message_in(annotation), _holds_map(annotation)
        elif isinstance(step, int) or in_map or not path:
            path.append(str(step))
            in_map = False
    return ".".join(path), False


def message_in(annotation: object) -> type[BaseModel] | None:
    """The message that a field holds, perhaps inside a container or a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    arguments = getattr(annotation, "__args__", ())
    return next((found for it in arguments if (found := message_in(it)) is not None), None)


def _holds_map(annotation: object) -> bool:
    arguments = getattr(annotation, "__args__", ())
    return getattr(annotation, "__origin__", None) is dict or any(map(_holds_map, arguments))
