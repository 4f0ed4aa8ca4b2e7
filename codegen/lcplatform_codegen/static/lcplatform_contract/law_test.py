"""What the tests of the laws do again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Final, TypeAlias

import pytest

from lcplatform.errors import (
    FieldViolation,
    LCPlatformError,
    Outcome,
    ResourceNotFoundError,
    UnsupportedError,
    ValidationError,
)
from lcplatform_contract.contract_test import ContractTest
from lcplatform_contract.open_stream import OpenStream

Arguments: TypeAlias = dict[str, Any]
"""The arguments of a call, whatever its operation."""

Call: TypeAlias = Callable[..., object]
"""A method of a client."""

ANYWHERE: Final = frozenset(
    {
        "AUTHENTICATION",
        "CANCELLED",
        "DEADLINE_EXCEEDED",
        "INTERNAL",
        "PERMISSION_DENIED",
        "QUOTA_EXCEEDED",
        "SERVICE_UNAVAILABLE",
        "UNSUPPORTED",
        "VALIDATION",
    }
)
"""The errors that any operation may raise without declaring them."""

_CANARY: Final = "canary-in-a-coal-mine"


class LawTest(ContractTest):
    """A test that knows an operation only by its rules."""

    def text(self, length: int) -> str:
        """A text of that length which no other test uses, as far as it has room for that."""
        return self.name("law").ljust(length, "a")[:length]

    def foreign_tokens(self) -> tuple[str, ...]:
        """Page tokens that nobody made."""
        return ("x", "AAAA", "A" * 500, "\u00e9", "../..", self.name("token"))

    def refuses_each(
        self, call: Call, right: Callable[[], Arguments], *edges: tuple[str, str, object]
    ) -> None:
        """Each value is refused before anything happens, and the refusal names its field."""
        for field, why, value in edges:
            with pytest.raises(ValidationError) as caught:
                _finish(call(**{**right(), field: value}))
            error = caught.value
            named = map(_first, error.violations)
            assert field.removesuffix("_") in named, f"{field}, {why}: not named in {error}"
            assert error.outcome is Outcome.NOT_EXECUTED
            assert not error.retryable

    def takes_each(
        self,
        call: Call,
        right: Callable[[], Arguments],
        declared: tuple[str, ...],
        *edges: tuple[str, str, object],
    ) -> None:
        """Each value passes the rules of its field. Where the call fails all the same, it fails as declared."""
        for field, why, value in edges:
            error = _error_of(call, {**right(), field: value})
            if error is None:
                continue
            assert error.code in ANYWHERE | set(declared), f"{field}, {why}: {error}"
            # A provider's own limit may lie below the IDL's: then it names that limit.
            refused = [one for one in error.violations if _first(one) == field]
            own = [
                one
                for one in refused
                if any(limit in one.description for limit in self.support.limits)
            ]
            assert refused == own, f"{field}, {why}: {error}"

    def misses(self, call: Call, arguments: Arguments, title: str) -> None:
        """The call fails because what it names does not exist, and says which operation failed."""
        with pytest.raises(ResourceNotFoundError) as caught:
            _finish(call(**arguments))
        assert caught.value.operation == title
        assert caught.value.outcome is Outcome.NOT_EXECUTED

    def misses_at_the_first_answer(self, call: Call, arguments: Arguments, title: str) -> None:
        """As `misses`, for a stream: nothing happens before its first answer is asked for, so nothing fails before."""
        answers = call(**arguments)
        self.misses(lambda: answers, {}, title)

    def unsupported(self, call: Call, arguments: Arguments) -> None:
        """The call is refused because the provider does not declare what it needs."""
        with pytest.raises(UnsupportedError) as caught:
            _finish(call(**arguments))
        assert caught.value.outcome is Outcome.NOT_EXECUTED

    def hides_what_is_sensitive(self, module: str) -> None:
        """No message shows the value of a field that is marked sensitive."""
        for model in vars(import_module(module)).values():
            hidden: frozenset[str] = getattr(model, "__sensitive__", frozenset())
            if hidden:
                shown = model.model_construct(**dict.fromkeys(model.model_fields, _CANARY))
                visible = len(model.model_fields) - len(hidden)
                assert repr(shown).count(_CANARY) == visible
                assert str(shown).count(_CANARY) == visible


def _finish(answer: object) -> None:
    """A download says what is wrong when it is opened, and a stream of answers when its first is asked for. Whatever was
    opened is closed again."""
    if isinstance(answer, Iterator):
        answer = OpenStream(answer)
        answer.begin()
    close = getattr(answer, "close", None)
    if close is not None:
        close()


def _error_of(call: Call, arguments: Arguments) -> LCPlatformError | None:
    try:
        _finish(call(**arguments))
    except LCPlatformError as error:
        return error
    return None


def _first(violation: FieldViolation) -> str:
    return violation.field.split(".")[0].split("[")[0]
