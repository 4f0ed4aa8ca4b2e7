"""The ground of every generated message: a frozen value that is checked once and never shows a secret."""

# Annotations are compiled with this module: those of a class are evaluated once for each class that is derived from it.

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import pydantic
from pydantic import BaseModel, ConfigDict
from typing_extensions import override

from lcplatform_runtime.errors import FieldViolation, ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


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


def refusal(
    model: type[BaseModel], error: pydantic.ValidationError, /, *, place: str = ""
) -> ValidationError:
    """Pydantic's refusal of values for `model` as the platform's error, without the values. `place` is where the model stands
    in another."""
    expected: dict[str, list[str]] = {}
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        path, text = problem_of(model, problem)
        path = ".".join(filter(None, (place, path)))
        texts = expected.setdefault(path, [])
        if text not in texts:
            texts.append(text)
    violations = [FieldViolation(path, "; or ".join(texts)) for path, texts in expected.items()]
    listed = ". ".join(
        f"{it.field}: {it.description}" if it.field else it.description for it in violations
    )
    return ValidationError(f"invalid {model.__name__}: {listed}", violations=violations)


def problem_of(model: type[BaseModel], problem: "ErrorDetails", /) -> tuple[str, str]:
    """Where pydantic found a problem, as a dotted path, and what is expected there. No value is quoted."""
    kind, location = problem["type"], problem["loc"]
    if kind == _UNKNOWN:
        path, here, hidden = _walk(model, location[:-1])
        known = "" if here is None else f"; known: {', '.join(map(idl_name, here.model_fields))}"
        return (
            (path, "unknown name") if hidden else (_joined(path, location[-1]), f"unknown{known}")
        )
    path, _, hidden = _walk(model, location)
    if kind in _TALKATIVE or (hidden and kind == "value_error"):
        return path, "the value is not allowed"
    text = problem["msg"].removeprefix("Value error, ")
    return path, text[:1].lower() + text[1:]


# Their texts repeat a part of the input.
_TALKATIVE: Final = frozenset({"union_tag_invalid", "assertion_error"})
_UNKNOWN: Final = "extra_forbidden"


def _walk(
    model: type[BaseModel], location: Sequence[int | str]
) -> tuple[str, type[BaseModel] | None, bool]:
    """The dotted path of a location, without pydantic's names for the branches of a union; the message that stands
    there; and whether it is sensitive, in which case the path ends there."""
    path = ""
    here: type[BaseModel] | None = model
    in_map = False
    for step in location:
        if here is not None and isinstance(step, str) and step in here.model_fields:
            path = _joined(path, idl_name(step))
            if step in getattr(here, "__sensitive__", ()):
                return path, None, True
            annotation = here.model_fields[step].annotation
            here, in_map = message_in(annotation), _holds_map(annotation)
        elif isinstance(step, int) or in_map or not path:
            path = _joined(path, step)
            in_map = False
    return path, here, False


def idl_name(field: str, /) -> str:
    """The name of a field in the IDL. In Python it has an underscore at its end where Python or pydantic needs the word."""
    return field.removesuffix("_")


def _joined(path: str, step: int | str) -> str:
    """The path with one more step. What is the caller's own word stays on one line of a log."""
    text = str(step)
    text = text if text.isprintable() else ascii(text)
    return f"{path}.{text}" if path else text


def message_in(annotation: object) -> type[BaseModel] | None:
    """The message that a field holds, perhaps inside a container or a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    arguments = getattr(annotation, "__args__", ())
    return next((found for it in arguments if (found := message_in(it)) is not None), None)


def _holds_map(annotation: object) -> bool:
    arguments = getattr(annotation, "__args__", ())
    return getattr(annotation, "__origin__", None) is dict or any(map(_holds_map, arguments))
