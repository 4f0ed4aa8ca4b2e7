"""Says in the platform's words what AWS and its SDK report: the table decides, this looks things up in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from lcplatform.type.models import BatchFailure, ErrorCode
from lcplatform_aws import document_store_errors
from lcplatform_aws.error_table import (
    ALIASES,
    BROKEN,
    BY_EXCEPTION,
    BY_MESSAGE,
    BY_OPERATION,
    BY_SERVICE,
    BY_STATUS,
    BY_SUFFIX,
    COMMON,
    FIELDS,
    HINTS,
    INVALID,
    MISSING,
    MISSING_BUS,
    Meaning,
)
from lcplatform_runtime.context import current_call
from lcplatform_runtime.errors import DeadlineExceededError, FieldViolation, Outcome
from lcplatform_runtime.retry import parse_retry_after

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

    from lcplatform_runtime.errors import LCPlatformError
    from lcplatform_runtime.operation import Operation

_OURS: Final = ("botocore.", "boto3.", "s3transfer.", "urllib3.", "builtins")


def translate(exception: Exception, operation: Operation, /) -> LCPlatformError | None:
    """The error for what a driver raised in the course of `operation`; `None` for what is not the vendor's.

    An unknown code is an InternalError whose outcome is not known. The vendor's code is in `details`.
    """
    # Any, since botocore's classes are not imported for this.
    response: Any = getattr(exception, "response", None)
    if isinstance(response, dict) and "ResponseMetadata" in response:
        return _answered(response, operation)
    if type(exception).__module__.startswith(document_store_errors.MODULES):
        return document_store_errors.translate(exception, operation)
    return _unanswered(exception)


def _answered(response: Mapping[str, Any], operation: Operation) -> LCPlatformError:
    """What an answer of the service means."""
    problem: Mapping[str, Any] = response.get("Error") or {}
    metadata: Mapping[str, Any] = response.get("ResponseMetadata") or {}
    status = int(metadata.get("HTTPStatusCode") or 0)
    code, text = code_of(problem), str(problem.get("Message") or "")
    meaning = meaning_of(code, text, operation.service, operation.method, status)
    headers: Mapping[str, str] = metadata.get("HTTPHeaders") or {}
    asked = retry_after(headers, datetime.now(UTC)) if meaning.retryable else None
    # The answer to a HEAD has nothing but its status.
    said = f"{code}: {text}" if text and text != code else code
    return meaning.kind(
        f"the service answered {said}",
        retryable=meaning.retryable,
        outcome=meaning.outcome,
        retry_after=asked or meaning.retry_after,
        request_id=metadata.get("RequestId") or None,
        details={"code": code, "status": str(status)},
        resource=_missing(problem, code, text),
        violations=_violations(code, text, operation.service),
    )


def _missing(problem: Mapping[str, Any], code: str, text: str) -> str | None:
    """What is missing, where the answer says so: a call may name a container and what is in it, or two of each."""
    if (said := problem.get(MISSING.get(code, ""))) is not None:
        return str(said)
    found = MISSING_BUS.match(text)
    return found["name"] if found else None


def _violations(code: str, text: str, service: str) -> tuple[FieldViolation, ...]:
    """The field that an answer complains of."""
    return tuple(
        FieldViolation(field, text or code)
        for of_service, of_code, part, field in FIELDS
        if code == of_code and service == of_service and part in text
    )


def _unanswered(exception: Exception) -> LCPlatformError | None:
    """What an exception of the SDK means that tells of no answer."""
    module = type(exception).__module__
    if module.startswith("psycopg"):
        from lcplatform_aws.data_store_errors import translated

        return translated(exception)
    if not module.startswith(_OURS):
        return None
    name = type(exception).__name__
    call = current_call()
    if name == "ReadTimeoutError" and call is not None and call.remaining() == 0:
        return DeadlineExceededError(
            "the deadline passed before the service answered",
            outcome=Outcome.UNKNOWN,
            details={"exception": name},
        )
    for kind in _names(exception):
        if (meaning := BY_EXCEPTION.get(kind)) is not None:
            return meaning.kind(
                HINTS.get(name) or str(exception) or name,
                retryable=meaning.retryable,
                outcome=meaning.outcome,
                details={"exception": name},
            )
    return None


def _names(exception: Exception) -> Iterator[str]:
    return (kind.__name__ for kind in type(exception).__mro__)


def code_of(problem: Mapping[str, Any], /) -> str:
    """The code of an answer. Some services have an old one and a new one, and the new one tells more."""
    return str(problem.get("QueryErrorCode") or problem.get("Code") or "Unknown")


def problem_of(error: ClientError, /) -> Mapping[str, Any]:
    """What an answer says went wrong: Code, Message, and whatever the service adds."""
    return dict(error.response.get("Error", {}))


def status_of(error: ClientError, /) -> int:
    """The HTTP status of an answer."""
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def meaning_of(code: str, text: str, service: str, method: str, status: int) -> Meaning:
    """What a vendor's code means when that operation of the platform meets it."""
    name = ALIASES.get(code, code)
    for of_service, of_code, part, meaning in BY_MESSAGE:
        if name == of_code and service == of_service and re.search(part, text):
            return meaning
    for table in (BY_OPERATION.get((service, method)), BY_SERVICE.get(service), COMMON):
        if table is not None and (found := table.get(name)) is not None:
            return found
    if name.isdigit():
        return BY_STATUS.get(int(name), BROKEN)
    for pattern, meaning in BY_SUFFIX:
        if re.search(pattern, name):
            return meaning
    # That it is overloaded or failed is plain from the status, whatever the code means.
    return BY_STATUS.get(status, BROKEN) if status >= 500 or status == 429 else BROKEN


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long the service asks to wait: in milliseconds in a header of its own, or as RFC 9110 has it."""
    own = headers.get("x-amz-retry-after", "").strip()
    if own.isascii() and own.isdigit():
        return timedelta(milliseconds=int(own[:12]))
    asked = headers.get("retry-after")
    return None if asked is None else parse_retry_after(asked, now)


def batch_failure(
    index: int,
    code: str,
    text: str,
    operation: tuple[str, str],
    *,
    sender_fault: bool | None = None,
) -> BatchFailure:
    """What became of one entry of a batch that the service did not take.

    `sender_fault` is the service's own word on an unknown code: whether the same entry would fail again.
    """
    meaning, retryable = _of_entry(code, text, operation, sender_fault=sender_fault)
    return BatchFailure(
        index=index,
        code=ErrorCode(meaning.kind.code.lower()),
        message=f"{code}: {text}" if text else code,
        retryable=retryable,
    )


def entry_error(failure: Mapping[str, Any], operation: Operation, /) -> LCPlatformError:
    """The same as an error, for an entry that was a call of its own to whoever made it."""
    code, text = str(failure.get("Code", "Unknown")), str(failure.get("Message", ""))
    meaning, retryable = _of_entry(
        code,
        text,
        (operation.service, operation.method),
        sender_fault=failure.get("SenderFault"),
    )
    return meaning.kind(
        f"the service answered {code}: {text}" if text else f"the service answered {code}",
        retryable=retryable,
        outcome=meaning.outcome,
        retry_after=meaning.retry_after,
        details={"code": code},
    )


def _of_entry(
    code: str, text: str, operation: tuple[str, str], *, sender_fault: bool | None
) -> tuple[Meaning, bool]:
    """What the code of an entry means, and whether the same entry may fare better another time."""
    service, method = operation
    meaning = meaning_of(code, text, service, method, 0)
    if meaning is not BROKEN or sender_fault is None:
        return meaning, meaning.retryable
    return (INVALID, False) if sender_fault else (BROKEN, True)


def refused(code: str, text: str, operation: Operation, /) -> LCPlatformError:
    """The error for the one entry that the service did not take, in an answer that says OK. Nothing came of it."""
    meaning = meaning_of(code, text, operation.service, operation.method, 0)
    return meaning.kind(
        f"the service answered {code}: {text}" if text else f"the service answered {code}",
        retryable=meaning.retryable,
        outcome=Outcome.NOT_EXECUTED,
        details={"code": code},
    )


@contextmanager
def begun(operation: Operation, *, already: Callable[[], bool]) -> Iterator[None]:
    """Says of a failure that the operation has had an effect, if it has `already`: as a whole it must not be repeated."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (ClientError, BotoCoreError) as failure:
        error = translate(failure, operation) if already() else None
        if error is None:
            raise
        error.outcome = Outcome.UNKNOWN
        raise error from failure
