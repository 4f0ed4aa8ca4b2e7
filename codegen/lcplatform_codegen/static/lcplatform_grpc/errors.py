"""Errors across the wire: as google.rpc.Status with details, and back as the same class with the same fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.message import DecodeError, Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, ResourceInfo, RetryInfo
from google.rpc.status_pb2 import Status

from lcplatform.type.v1.error_pb2 import RefusedValue, RefusedValues
from lcplatform_grpc.values import write_duration
from lcplatform_runtime.errors import (
    ERRORS,
    FieldViolation,
    InternalError,
    LCPlatformError,
    Outcome,
)

DOMAIN: Final = "lcplatform"
"""The domain of our ErrorInfo. A status without one comes from something on the way."""
DETAILS_KEY: Final = "grpc-status-details-bin"
"""The trailer with the serialized Status."""

CODES: Final[Mapping[str, grpc.StatusCode]] = {
    "NOT_FOUND": grpc.StatusCode.NOT_FOUND,
    "ALREADY_EXISTS": grpc.StatusCode.ALREADY_EXISTS,
    "VALIDATION": grpc.StatusCode.INVALID_ARGUMENT,
    "CONFLICT": grpc.StatusCode.ABORTED,
    "PRECONDITION_FAILED": grpc.StatusCode.FAILED_PRECONDITION,
    "AUTHENTICATION": grpc.StatusCode.UNAUTHENTICATED,
    "PERMISSION_DENIED": grpc.StatusCode.PERMISSION_DENIED,
    "QUOTA_EXCEEDED": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "SERVICE_UNAVAILABLE": grpc.StatusCode.UNAVAILABLE,
    "DEADLINE_EXCEEDED": grpc.StatusCode.DEADLINE_EXCEEDED,
    "UNSUPPORTED": grpc.StatusCode.UNIMPLEMENTED,
    "INTERNAL": grpc.StatusCode.INTERNAL,
    "CANCELLED": grpc.StatusCode.CANCELLED,
}
"""The canonical code of gRPC for each code of ours."""

# Some clients refuse headers of more than 8 KiB. Base64 makes four bytes of three, and the text travels a second time.
_MOST_DETAILS: Final = 5 * 1024
_MOST_TEXT: Final = 300
_DETAIL: Final = "detail."
_CUT: Final = "…"


def status_of(error: LCPlatformError, /) -> Status:
    """The error as a Status. What would not fit into a header is cut, and what is least needed first."""
    status = _status(error)
    cuts = _cuts(error.copy())
    while status.ByteSize() > _MOST_DETAILS and (cut := next(cuts, None)) is not None:
        status = _status(cut)
    return status


def _status(error: LCPlatformError) -> Status:
    return Status(
        code=CODES[error.code].value[0],
        message=_text(error.message),
        details=[_packed(detail) for detail in _details(error)],
    )


def _cuts(error: LCPlatformError) -> Iterator[LCPlatformError]:
    """The error with less and less of it."""
    while error.violations:
        error.violations = error.violations[: len(error.violations) // 2]
        yield error
    error.details = {}
    yield error
    for most in (_MOST_TEXT * 4, _MOST_TEXT):
        error.message = _cut(error.message, most)
        error.resource = None if error.resource is None else _cut(error.resource, most)
        error.request_id = None if error.request_id is None else _cut(error.request_id, most)
        yield error


def trailers_of(error: LCPlatformError, /) -> tuple[str, tuple[tuple[str, bytes], ...]]:
    """What a server says beside the code: a short text, and the trailing metadata with everything."""
    status = status_of(error)
    return _cut(status.message, _MOST_TEXT), ((DETAILS_KEY, status.SerializeToString()),)


def read_status(serialized: bytes, /) -> LCPlatformError | None:
    """The error of a serialized Status, or `None` if it is not one of ours."""
    info, retry, refused, values = ErrorInfo(), RetryInfo(), BadRequest(), RefusedValues()
    try:
        status = Status.FromString(serialized)
        for detail in status.details:
            for message in (info, retry, refused, values):
                detail.Unpack(message)
    except DecodeError:
        return None
    if info.domain != DOMAIN:
        return None
    delay = retry.retry_delay if retry.HasField("retry_delay") else None
    facts = info.metadata
    # A code that this version does not know is an internal error to it.
    error = ERRORS.get(info.reason, InternalError)(
        status.message,
        operation=facts.get("operation"),
        resource=facts.get("resource"),
        retryable=facts.get("retryable") == "true",
        outcome=Outcome.NOT_EXECUTED if facts.get("outcome") == "not_executed" else Outcome.UNKNOWN,
        retry_after=delay and timedelta(0, delay.seconds, delay.nanos // 1000),
        request_id=facts.get("request_id"),
        details={
            name.removeprefix(_DETAIL): value
            for name, value in facts.items()
            if name.startswith(_DETAIL)
        },
        violations=list(_violations(refused, values)),
    )
    error.from_server = True
    return error


def _violations(refused: BadRequest, values: RefusedValues) -> Iterator[FieldViolation]:
    known = {it.index: it for it in values.values}
    for index, it in enumerate(refused.field_violations):
        value = known.get(index)
        if value is None:
            yield FieldViolation(it.field, it.description)
            continue
        expected = value.expected if value.HasField("expected") else None
        actual = value.actual if value.HasField("actual") else None
        yield FieldViolation(it.field, it.description, value.path, expected, actual)


def _packed(message: Message) -> Any:
    packed = Any()
    packed.Pack(message)
    return packed


def _details(error: LCPlatformError) -> Iterator[Message]:
    facts = {
        "operation": error.operation,
        "resource": error.resource,
        "request_id": error.request_id,
        "retryable": str(error.retryable).lower(),
        "outcome": error.outcome.value,
        **{_DETAIL + name: value for name, value in error.details.items()},
    }
    known = {_text(name): _text(value) for name, value in facts.items() if value is not None}
    yield ErrorInfo(reason=error.code, domain=DOMAIN, metadata=known)
    if error.retry_after is not None:
        yield RetryInfo(retry_delay=write_duration(error.retry_after))
    if error.violations:
        yield BadRequest(
            field_violations=[
                BadRequest.FieldViolation(field=_text(it.field), description=_text(it.description))
                for it in error.violations
            ]
        )
        values = list(_values(error.violations))
        if values:
            yield RefusedValues(values=values)
    if error.resource is not None:
        service = (error.operation or "").partition(".")[0]
        yield ResourceInfo(resource_type=service, resource_name=_text(error.resource))


def _values(violations: Sequence[FieldViolation]) -> Iterator[RefusedValue]:
    for index, it in enumerate(violations):
        if it.path is not None:
            yield RefusedValue(
                index=index,
                path=_text(it.path),
                expected=None if it.expected is None else _text(it.expected),
                actual=None if it.actual is None else _text(it.actual),
            )


def _text(value: str) -> str:
    """What protobuf takes as text: halves of surrogate pairs become question marks."""
    return value.encode(errors="replace").decode()


def _cut(text: str, most: int) -> str:
    """At most so many bytes of a text, and a mark where there were more."""
    short = text.encode(errors="replace")[:most].decode(errors="ignore")
    return text if len(short) >= len(text) else short + _CUT
