"""What each failure that DocumentDB or its driver reports means in the platform's words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from lcplatform_aws.error_table import (
    BROKEN,
    COLLISION,
    DENIED,
    EXHAUSTED,
    EXISTS,
    FAILED,
    INVALID,
    NOT_FOUND,
    STALE,
    THROTTLED,
    UNAUTHENTICATED,
    UNAVAILABLE,
    UNSENT,
    UNSUPPORTED,
    WRONG_STATE,
    Meaning,
)
from lcplatform_runtime.context import current_call
from lcplatform_runtime.errors import (
    DeadlineExceededError,
    InternalError,
    OperationCancelledError,
    Outcome,
)

if TYPE_CHECKING:
    from lcplatform_runtime.errors import LCPlatformError
    from lcplatform_runtime.operation import Operation

LATE: Final = Meaning(DeadlineExceededError, retryable=True, outcome=Outcome.UNKNOWN)
CANCELLED: Final = Meaning(OperationCancelledError, outcome=Outcome.UNKNOWN)
MODULES: Final = ("pymongo.", "bson.", "pymongo_auth_aws.")
"""Whose exceptions are explained here."""


def _codes(meaning: Meaning, *codes: int) -> dict[int, Meaning]:
    return dict.fromkeys(codes, meaning)


BY_CODE: Final[dict[int, Meaning]] = {
    # InternalError, UnknownError, OperationFailed, CommandFailed, KeyNotFound
    **_codes(FAILED, 1, 8, 96, 125, 211),
    # BadValue, NoSuchKey, FailedToParse, TypeMismatch, InvalidLength, IllegalOperation, InvalidBSON,
    # ConflictingUpdateOperators, DollarPrefixedFieldName, InvalidIdField, ShardKeyNotFound, ImmutableField,
    # CannotCreateIndex, InvalidOptions, InvalidNamespace, UnknownReplWriteConcern, DocumentValidationFailure,
    # ViewDepthLimitExceeded, InvalidIndexSpecificationOption, ConversionFailure, InvalidResumeToken,
    # BSONObjectTooLarge, KeyTooLong, PathCollision, BSON value out of range
    **_codes(
        INVALID,
        *(2, 4, 9, 14, 16, 20, 22, 40, 52, 53, 61, 66, 67, 72, 73, 79, 121, 165, 197, 241, 260),
        *(10334, 17280, 31249, 51024),
    ),
    # PathNotViable, NotSingleValueField, InvalidRegex, and expressions given what they do not take
    **_codes(INVALID, 28, 51091, 51108),
    # HostUnreachable, HostNotFound, ShutdownInProgress, FailedToSatisfyReadPreference,
    # ReadConcernMajorityNotAvailableYet, QueryPlanKilled, PrimarySteppedDown, CloseChangeStream, RetryChangeStream,
    # NoQueryExecutionPlans, ConnectionPoolExpired, InternalTransactionNotSupported, TemporarilyUnavailable,
    # UserWritesBlocked, ConnectionError, LegacyNotPrimary, NotWritablePrimary, StaleConfig, NotPrimaryNoSecondaryOk,
    # NotPrimaryOrSecondary, OutOfDiskSpace: refused, so nothing was done.
    **_codes(
        UNSENT,
        *(6, 7, 91, 133, 134, 175, 189, 222, 234, 291, 317, 358, 365, 371, 384),
        *(10058, 10107, 13388, 13435, 13436, 14031),
    ),
    # NetworkTimeout, SocketException, InterruptedAtShutdown, InterruptedDueToReplStateChange: maybe in the middle of it.
    **_codes(UNAVAILABLE, 89, 9001, 11600, 11602),
    # UserNotFound, AuthenticationFailed, MechanismUnavailable, ReauthenticationRequired
    **_codes(UNAUTHENTICATED, 11, 18, 334, 391),
    **_codes(DENIED, 13),
    # LockTimeout, LockBusy, WriteConflict, ConflictingOperationInProgress, SnapshotTooOld, TransactionAborted,
    # SnapshotUnavailable, NoSuchTransaction, PreparedTransactionInProgress, ObjectIsBusy
    **_codes(COLLISION, 24, 46, 112, 117, 239, 244, 246, 251, 267, 314),
    # NamespaceNotFound, IndexNotFound, RoleNotFound
    **_codes(NOT_FOUND, 26, 27, 31),
    # CursorNotFound, UnsatisfiableWriteConcern, CappedPositionLost, NoSuchSession, IncompleteTransactionHistory,
    # CursorKilled, TransactionCommitted, ChangeStreamFatalError, ChangeStreamHistoryLost, ChangeStreamInvalidated,
    # ChangeStreamStartAfterInvalidate
    **_codes(WRONG_STATE, 43, 100, 136, 206, 217, 237, 256, 280, 286, 346, 351),
    # NamespaceExists, IndexAlreadyExists, DuplicateKey in its three forms
    **_codes(EXISTS, 48, 68, 11000, 11001, 12582),
    # IndexOptionsConflict, IndexKeySpecsConflict: another index has the name or the fields.
    **_codes(EXISTS, 85, 86),
    # TransactionTooOld
    **_codes(STALE, 225),
    # MaxTimeMSExpired, WriteConcernTimeout, NetworkInterfaceExceededTimeLimit, ExceededTimeLimit,
    # TransactionExceededLifetimeLimitSeconds
    **_codes(LATE, 50, 64, 202, 262, 290),
    # CommandNotFound, OutdatedClient, CommandNotSupported, CommandNotSupportedOnView, OptionNotSupportedOnView,
    # InvalidPipelineOperator, QueryFeatureNotAllowed, NotImplemented, OperationNotSupportedInTransaction,
    # APIVersionError, APIStrictError, UnsupportedOpQueryCommand, UnrecognizedPipelineStage
    **_codes(UNSUPPORTED, 59, 101, 115, 166, 167, 168, 224, 238, 263, 322, 323, 352, 40324),
    # DocumentDB alone: an aggregation stage or an option that it does not have
    **_codes(UNSUPPORTED, 304),
    # ExceededMemoryLimit, TransactionTooLarge, TooManyLogicalSessions, QueryExceededMemoryLimitNoDiskUseAllowed,
    # TransactionTooLargeForCache
    **_codes(EXHAUSTED, 146, 257, 261, 292, 388),
    # ResourceExhausted, AdmissionQueueOverflow, RateLimitExceeded, RequestRateTooLarge
    **_codes(THROTTLED, 402, 433, 449, 16500),
    # ClientDisconnect, Interrupted, ClientMarkedKilled
    **_codes(CANCELLED, 279, 11601, 46841),
}
"""By the number of an error. Their names are MongoDB's (src/mongo/base/error_codes.yml)."""

BY_MESSAGE: Final[tuple[tuple[int, str, Meaning], ...]] = (
    # A server that does not know retryable writes.
    (20, r"[Tt]ransaction numbers", UNSUPPORTED),
    # Numbers that are something else at DocumentDB than at MongoDB, where both mean that data is damaged or hosts are split.
    (301, r"[Rr]etryable writes", UNSUPPORTED),
    (303, r"not supported", UNSUPPORTED),
    (67, r"too many indexes", EXHAUSTED),
)
"""Number, what its message contains: where the number alone does not tell."""

BY_OPERATION: Final[dict[tuple[str, int], Meaning]] = {
    # Documents that are there break the index.
    ("create_index", 11000): WRONG_STATE,
}
"""Where a number means something else than it usually does."""

BY_EXCEPTION: Final[dict[str, Meaning]] = {
    # Nothing was sent.
    "ServerSelectionTimeoutError": UNSENT,
    "WaitQueueTimeoutError": UNSENT,
    # Refused by a server that is not the one to write to (any more).
    "NotPrimaryError": UNSENT,
    # Something was sent, and what became of it is not known.
    "NetworkTimeout": UNAVAILABLE,
    "AutoReconnect": UNAVAILABLE,
    "ConnectionFailure": UNAVAILABLE,
    "ExecutionTimeout": LATE,
    "WTimeoutError": LATE,
    # Done at one instance at least.
    "WriteConcernError": UNAVAILABLE,
    "BulkWriteError": UNAVAILABLE,
    "DuplicateKeyError": EXISTS,
    "CollectionInvalid": EXISTS,
    "CursorNotFound": WRONG_STATE,
    "InvalidOperation": WRONG_STATE,
    "ConfigurationError": INVALID,
    "InvalidURI": INVALID,
    "InvalidName": INVALID,
    "DocumentTooLarge": INVALID,
    "InvalidDocument": INVALID,
    "InvalidStringData": INVALID,
    "InvalidId": INVALID,
    # An exception of one write that is of no known number.
    "WriteError": INVALID,
    "EncryptionError": FAILED,
    "EncryptedCollectionError": FAILED,
    "ProtocolError": FAILED,
    "InvalidBSON": Meaning(InternalError),
    "PyMongoError": BROKEN,
    "BSONError": BROKEN,
    "PyMongoAuthAwsError": UNAUTHENTICATED,
}
"""By the class of an exception without a number that is known, or of what that inherits from."""

_THROTTLED_LABEL: Final = "SystemOverloadedError"
_VALUES: Final = re.compile(r'[{"]')
"""Where a message of the server begins to quote values."""
_SECRETS: Final = re.compile(r"(?i)(mongodb(?:\+srv)?://)[^@/\s]*@")


def translate(exception: Exception, operation: Operation, /) -> LCPlatformError:
    """The error for what pymongo raised in the course of `operation`. What the server said comes without documents."""
    meaning = meaning_of(exception, operation.method)
    call = current_call()
    name = type(exception).__name__
    if meaning in {UNAVAILABLE, UNSENT, LATE} and call is not None and call.remaining() == 0:
        return DeadlineExceededError(
            "the deadline passed before the server answered",
            outcome=meaning.outcome,
            details={"exception": name},
        )
    code = _code_in(exception)
    details = {"exception": name} if code is None else {"exception": name, "code": str(code)}
    return meaning.kind(
        _told(exception, name),
        retryable=meaning.retryable,
        outcome=meaning.outcome,
        retry_after=meaning.retry_after,
        details=details,
    )


def meaning_of(exception: Exception, method: str) -> Meaning:
    """What an exception of pymongo means when that operation of the platform meets it."""
    found = _by_code(exception, method)
    if found is not None:
        return found
    cause = exception.__cause__
    if isinstance(cause, ConnectionRefusedError):
        return UNSENT
    labelled: Any = getattr(exception, "has_error_label", None)
    if labelled is not None and labelled(_THROTTLED_LABEL) and not _is_connection(exception):
        return THROTTLED
    for kind in type(exception).__mro__:
        if (meaning := BY_EXCEPTION.get(kind.__name__)) is not None:
            return meaning
    return BROKEN


def _by_code(exception: Exception, method: str) -> Meaning | None:
    code = _code_in(exception)
    return None if code is None else of_code(code, str(exception), method)


def _code_in(exception: Exception) -> int | None:
    """The number that an exception has, or what the server said, where it says that it is not the one to write to."""
    # Any, since pymongo's classes are not imported for this.
    code: Any = getattr(exception, "code", None)
    if code is None:
        details: Any = getattr(exception, "details", None)
        code = details.get("code") if isinstance(details, dict) else None
    return code if isinstance(code, int) else None


def of_code(code: int, text: str, method: str) -> Meaning | None:
    """What a number of the server means when that operation of the platform meets it; none if nobody knows it."""
    for number, part, meaning in BY_MESSAGE:
        if code == number and re.search(part, text):
            return meaning
    return BY_OPERATION.get((method, code)) or BY_CODE.get(code)


def _is_connection(exception: Exception) -> bool:
    return any(kind.__name__ == "ConnectionFailure" for kind in type(exception).__mro__)


def _told(exception: Exception, name: str) -> str:
    """What a person is told. Where the server quotes a document, it is left out: it is nobody's business in a log."""
    details: Any = getattr(exception, "details", None)
    said = details.get("errmsg") if isinstance(details, dict) else None
    text = str(said if said is not None else exception) or name
    text = text.partition(", full error:")[0].partition(", Timeout:")[0]
    text = _VALUES.split(_SECRETS.sub(r"\1", text), maxsplit=1)[0]
    return f"the document server: {text.rstrip(' :')}"
