"""Keeps sensitive values out of what people read: logs, spans and errors, whoever wrote their text."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Final
from urllib.parse import quote, quote_plus

from pydantic import BaseModel

from lcplatform_runtime.errors import FieldViolation, LCPlatformError
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.model import message_in

MASK: Final = "***"

# What is shorter occurs in any text by chance, and masking it would only show where.
_SHORTEST: Final = 4


def redacted(message: BaseModel) -> dict[str, object]:
    """The fields that are set, as plain values for a log, with `***` for what is sensitive."""
    hidden = _sensitive(type(message))
    return {
        name: MASK if name in hidden else _plain(value)
        for name, value in message
        if value is not None
    }


def _plain(value: object) -> object:
    match value:
        case BaseModel():
            return redacted(value)
        case Mapping():
            return {str(name): _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case bool() | int() | float() | str():
            return value
        case bytes():
            return f"{len(value)} bytes"
        case _:
            return str(value)


def _sensitive(model: type[BaseModel]) -> frozenset[str]:
    return getattr(model, "__sensitive__", frozenset())


@cache
def holds_secrets(model: type[BaseModel]) -> bool:
    """Whether a message of this type may hold a sensitive value, at any depth."""
    return _holds(model, frozenset())


def _holds(model: type[BaseModel], seen: frozenset[type[BaseModel]]) -> bool:
    if model in seen:
        return False
    inner = (message_in(field.annotation) for field in model.model_fields.values())
    return bool(_sensitive(model)) or any(
        _holds(it, seen | {model}) for it in inner if it is not None
    )


def secrets_of(message: BaseModel) -> frozenset[str]:
    """Every form in which a sensitive value of `message` may turn up in a text."""
    if not holds_secrets(type(message)):
        return frozenset()
    forms = (form for value in _secrets_in(message) for form in _forms(value))
    return frozenset(form for form in forms if len(form) >= _SHORTEST)


def _secrets_in(message: BaseModel) -> Iterator[object]:
    hidden = _sensitive(type(message))
    for name, value in message:
        if name in hidden:
            yield value
        else:
            yield from _nested(value)


def _nested(value: object) -> Iterator[object]:
    match value:
        case BaseModel():
            yield from _secrets_in(value)
        case Mapping():
            for item in value.values():
                yield from _nested(item)
        case list() | tuple():
            for item in value:
                yield from _nested(item)


def _forms(value: object) -> Iterator[str]:
    """`value` and every value in it as text, and as a text, a URL, JSON, or Python would spell it."""
    match value:
        case str():
            yield from _spellings(value)
        case bytes():
            yield repr(value)[2:-1]
            yield value.decode("latin-1")
            yield value.decode(errors="replace")
            yield from _encoded(value)
        case Json():
            yield from _spellings(value.text)
            yield from _forms(value.value)
        case Mapping() | list() | tuple() | BaseModel():
            yield repr(value)
            items = dict(value).values() if isinstance(value, Mapping | BaseModel) else value
            for item in items:
                yield from _forms(item)
        case _:
            # None and booleans are words of any text.
            yield "" if value is None or isinstance(value, bool) else str(value)


def _spellings(text: str) -> Iterator[str]:
    yield text
    yield repr(text)[1:-1]
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield from _encoded(text.encode(errors="surrogatepass"))


def _encoded(value: bytes) -> Iterator[str]:
    # Without the last characters, in which the padding and what follows the value would differ.
    yield base64.b64encode(value).decode().rstrip("=")
    yield base64.urlsafe_b64encode(value).decode().rstrip("=")
    yield value.hex()
    yield quote(value)
    yield quote(value, safe="")
    yield quote_plus(value)


def scrub(text: str, secrets: Iterable[str]) -> str:
    """`text` with `***` for every secret in it, longer ones first."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


class WithheldError(Exception):
    """Stands for an exception whose text quotes a sensitive value. It tells its type."""


def scrub_error(error: LCPlatformError, secrets: frozenset[str], /) -> None:
    """Takes every secret out of an error, and out of the exceptions that led to it."""
    if not secrets:
        return

    def clean(text: str | None) -> str | None:
        return None if text is None else scrub(text, secrets)

    error.message = scrub(error.message, secrets)
    error.args = (error.message,)
    error.request_id = clean(error.request_id)
    error.resource = clean(error.resource)
    error.details = {scrub(k, secrets): scrub(v, secrets) for k, v in error.details.items()}
    error.violations = tuple(
        FieldViolation(
            scrub(it.field, secrets),
            scrub(it.description, secrets),
            clean(it.path),
            clean(it.expected),
            clean(it.actual),
        )
        for it in error.violations
    )
    if hasattr(error, "__notes__"):
        error.__notes__ = [scrub(note, secrets) for note in error.__notes__]
    origin = error.__cause__ or error.__context__
    if origin is not None and any(_quotes(it, secrets) for it in _chain(error) if it is not error):
        error.__cause__ = WithheldError(
            f"{type(origin).__module__}.{type(origin).__qualname__}: its text is withheld, since it quotes a sensitive value"
        )
        error.__context__ = None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        it = waiting.pop()
        if it is not None and id(it) not in seen:
            seen.add(id(it))
            waiting += [it.__cause__, it.__context__, *getattr(it, "exceptions", ())]
            yield it


def _quotes(error: BaseException, secrets: frozenset[str]) -> bool:
    texts = [
        _text(str, error),
        _text(repr, error.args),
        _text(repr, getattr(error, "__dict__", None)),
    ]
    return any(secret in text for text in texts for secret in secrets)


def _text(render: Callable[[object], str], value: object) -> str:
    try:
        return render(value)
    except Exception:  # noqa: BLE001  somebody else's exception that cannot even be shown
        return ""
