"""What a failed call over gRPC means: the server's own error, or what became of the connection."""

from __future__ import annotations

from typing import Any, Final

import grpc

from lcplatform_grpc.errors import CODES, DETAILS_KEY, read_status
from lcplatform_runtime.errors import (
    ERRORS,
    InternalError,
    LCPlatformError,
    Outcome,
    PreconditionFailedError,
    QuotaExceededError,
    ServiceUnavailableError,
    UnsupportedError,
)
from lcplatform_runtime.operation import Operation

_CLASSES: Final = {code: ERRORS[name] for name, code in CODES.items()}
# How gRPC says that it never had a connection to send the call on.
_NEVER_SENT: Final = (
    "failed to connect to all addresses",
    "failed to connect to remote host",
    "errors resolving",
    "dns resolution failed",
    "name resolution",
    "concurrent rpc limit exceeded",
)


_OTHER_VERSION: Final = "client and server speak different versions of the contract"
_REFUSALS: Final = {"control": "it was not started with --control"}


def translate(error: Exception, operation: Operation, /) -> LCPlatformError | None:
    """The table of this provider."""
    if isinstance(error, ValueError | grpc.aio.UsageError) and "closed" in str(error).lower():
        return PreconditionFailedError("the platform is closed")
    if not isinstance(error, grpc.RpcError):
        return None
    trailers: Any = (
        error.trailing_metadata() or ()
    )  # pairs, which the stubs say of async calls only
    serialized = next((value for key, value in trailers if key == DETAILS_KEY), None)
    known = read_status(serialized) if isinstance(serialized, bytes) else None
    if known is None:
        return _of_connection(error.code(), error.details() or "", operation)
    return _agreeing(known, error.code())


def _agreeing(error: LCPlatformError, status: grpc.StatusCode) -> LCPlatformError:
    """The error, if the status says the same. Proxies and clients in other languages go by the status, so a server that
    contradicts itself misleads them. A code of a newer contract reads as INTERNAL, whatever its status."""
    if error.code == InternalError.code or status is CODES[error.code]:
        return error
    contradiction = InternalError(
        f"the server contradicts itself: its status is {status.name}, its error {error.code}: {error.message}",
        operation=error.operation,
        resource=error.resource,
        outcome=error.outcome,
        retryable=False,
    )
    contradiction.from_server = True
    return contradiction


def _of_connection(code: grpc.StatusCode, text: str, operation: Operation) -> LCPlatformError:
    said = text.lower()
    if code is grpc.StatusCode.UNIMPLEMENTED:
        why = _REFUSALS.get(operation.service, _OTHER_VERSION)
        return UnsupportedError(f"the server does not know {operation.rpc}: {why}")
    if any(words in said for words in _NEVER_SENT):
        return ServiceUnavailableError(
            f"the server cannot be reached: {text}", outcome=Outcome.NOT_EXECUTED
        )
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in said:
        return QuotaExceededError(
            f"a message is too large for the connection (option max_message_bytes): {text}",
            retryable=False,
            outcome=Outcome.UNKNOWN,
        )
    kind = _CLASSES.get(code, InternalError)
    reset = kind is InternalError and "rst_stream" in said
    return kind(
        f"the call failed on its way ({code.name}): {text}",
        outcome=Outcome.UNKNOWN,
        retryable=True if reset else None,
    )
