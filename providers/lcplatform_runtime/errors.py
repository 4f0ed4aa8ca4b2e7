"""One root and one class per canonical code, so that every surface fails in the same words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, Final, Self, TypeVar

from typing_extensions import override


class Outcome(StrEnum):
    """Whether a call that failed may have had an effect."""

    NOT_EXECUTED = "not_executed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """A field of a request that was refused: its dotted path, and what was expected there.

    Where the value inside of the field is known that was refused, such as the part of a document that its schema does not
    allow (FR-017), the rest tells of it. A value that must not be shown is not there.
    """

    field: str
    description: str
    path: str | None = None
    """Where inside of the field, as a JSON Pointer (RFC 6901); empty for the whole of it. `expected` and `actual` are given
    with it alone."""
    expected: str | None = None
    """What is expected there, as JSON."""
    actual: str | None = None
    """What is there, as JSON."""


class LCPlatformError(Exception):
    """What every operation raises when it fails. The vendor's exception, if there is one, is its `__cause__`.

    No attribute ever holds a sensitive value.

    Attributes:
        code: the canonical code, the same on every surface.
        message: what happened, and what to do about it.
        operation: the operation that failed, such as `Queue.SendMessage`.
        resource: the name of the resource that the call was about.
        retryable: whether the same call may succeed later.
        outcome: whether the call may have had an effect.
        retry_after: how long the service asks to wait before the next call.
        request_id: the provider's own name for the call, for its support.
        details: further facts, such as the vendor's code.
        violations: the fields that were refused.
        from_server: whether a platform's server reported the error, so that its pipeline has retried already. It
            tells how the error came here, so it does not travel any further.
    """

    code: ClassVar[str] = "INTERNAL"
    _retryable: ClassVar[bool] = False
    _outcome: ClassVar[Outcome] = Outcome.NOT_EXECUTED

    def __init__(
        self,
        message: str,
        *,
        operation: str | None = None,
        resource: str | None = None,
        retryable: bool | None = None,
        outcome: Outcome | None = None,
        retry_after: timedelta | None = None,
        request_id: str | None = None,
        details: Mapping[str, str] | None = None,
        violations: Sequence[FieldViolation] = (),
    ) -> None:
        """What `retryable` and `outcome` leave open is what is usual for the class."""
        super().__init__(message)
        self.message = message
        self.operation = operation
        self.resource = resource
        self.retryable = self._retryable if retryable is None else retryable
        self.outcome = self._outcome if outcome is None else outcome
        self.retry_after = retry_after
        self.request_id = request_id
        self.details: Mapping[str, str] = dict(details or {})
        self.violations = tuple(violations)
        self.from_server = False

    def fields(self) -> dict[str, object]:
        """Everything that must be the same on each surface, as plain values that can be compared."""
        return {"type": type(self).__name__, "code": self.code, **self._arguments()}

    def copy(self) -> Self:
        """The same error as an instance of its own, with the same cause, for another caller to raise."""
        twin = _restore(type(self), self._arguments(), self.from_server)
        twin.__cause__ = self.__cause__
        return twin

    @override
    def __str__(self) -> str:
        facts = [
            f"{name} {value}"
            for name, value in (
                ("operation", self.operation),
                ("resource", self.resource),
                ("request id", self.request_id),
            )
            if value is not None
        ]
        return f"{self.message} ({', '.join(facts)})" if facts else self.message

    @override
    def __reduce__(self) -> tuple[Any, ...]:  # the type that object gives it
        return _restore, (type(self), self._arguments(), self.from_server)

    def _arguments(self) -> dict[str, Any]:  # keyword arguments of different types
        return {
            "message": self.message,
            "operation": self.operation,
            "resource": self.resource,
            "retryable": self.retryable,
            "outcome": self.outcome,
            "retry_after": self.retry_after,
            "request_id": self.request_id,
            "details": dict(self.details),
            "violations": self.violations,
        }


E = TypeVar("E", bound=LCPlatformError)


def _restore(kind: type[E], arguments: dict[str, Any], from_server: bool) -> E:  # noqa: FBT001  pickle has no keywords
    error = kind(**arguments)
    error.from_server = from_server
    return error


class ResourceNotFoundError(LCPlatformError):
    """A named resource does not exist."""

    code = "NOT_FOUND"


class AlreadyExistsError(LCPlatformError):
    """The resource to be created exists already."""

    code = "ALREADY_EXISTS"


class ValidationError(LCPlatformError):
    """The request itself is wrong, whatever the state of the system. `violations` names the fields."""

    code = "VALIDATION"


class ConflictError(LCPlatformError):
    """An etag or version is stale, or two callers collided."""

    code = "CONFLICT"


class PreconditionFailedError(LCPlatformError):
    """The resource is not in the state that the operation needs."""

    code = "PRECONDITION_FAILED"


class AuthenticationError(LCPlatformError):
    """The caller is not known: a token or credential is missing, wrong or expired."""

    code = "AUTHENTICATION"


class PermissionDeniedError(LCPlatformError):
    """The caller is known and may not do this."""

    code = "PERMISSION_DENIED"


class QuotaExceededError(LCPlatformError):
    """A rate is used up, which passes; or a hard quota, which is then not retryable."""

    code = "QUOTA_EXCEEDED"
    _retryable = True


class ServiceUnavailableError(LCPlatformError):
    """The service cannot be reached or cannot answer now."""

    code = "SERVICE_UNAVAILABLE"
    _retryable = True
    _outcome = Outcome.UNKNOWN


class DeadlineExceededError(LCPlatformError):
    """The deadline passed before an answer came."""

    code = "DEADLINE_EXCEEDED"
    _retryable = True
    _outcome = Outcome.UNKNOWN


class UnsupportedError(LCPlatformError):
    """The provider does not offer this capability."""

    code = "UNSUPPORTED"


class InternalError(LCPlatformError):
    """The service failed in a way that the caller cannot mend."""

    code = "INTERNAL"
    _outcome = Outcome.UNKNOWN


class OperationCancelledError(LCPlatformError):
    """The caller gave up."""

    code = "CANCELLED"
    _outcome = Outcome.UNKNOWN


def invalid(field: str, expected: str, /) -> ValidationError:
    """The refusal of a field that is not as `expected`: a rule is broken that is stated in words, or that one provider has."""
    return ValidationError(f"{field}: {expected}", violations=[FieldViolation(field, expected)])


ERRORS: Final[Mapping[str, type[LCPlatformError]]] = MappingProxyType(
    {
        kind.code: kind
        for kind in (
            ResourceNotFoundError,
            AlreadyExistsError,
            ValidationError,
            ConflictError,
            PreconditionFailedError,
            AuthenticationError,
            PermissionDeniedError,
            QuotaExceededError,
            ServiceUnavailableError,
            DeadlineExceededError,
            UnsupportedError,
            InternalError,
            OperationCancelledError,
        )
    }
)
"""The class of every canonical code."""
