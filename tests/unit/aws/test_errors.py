"""What AWS reports, in the platform's words. decisions: who may retry what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from lcplatform.event_bus.operations import CREATE_RULE
from lcplatform.object_store.operations import CREATE_BUCKET, GET_OBJECT, HEAD_OBJECT, PUT_OBJECT
from lcplatform.queue.operations import (
    CHANGE_VISIBILITY,
    CREATE_QUEUE,
    DELETE_MESSAGE,
    PURGE_QUEUE,
    SEND_MESSAGE,
)
from lcplatform.secrets.operations import (
    CREATE_SECRET,
    GET_SECRET,
    PUT_SECRET_VALUE,
    ROTATE_SECRET,
)
from lcplatform.type.models import ErrorCode
from lcplatform_aws.error_table import BY_OPERATION, BY_SERVICE, COMMON
from lcplatform_aws.errors import batch_failure, retry_after, translate
from lcplatform_runtime.errors import (
    AlreadyExistsError,
    AuthenticationError,
    ConflictError,
    InternalError,
    LCPlatformError,
    Outcome,
    PermissionDeniedError,
    PreconditionFailedError,
    QuotaExceededError,
    ResourceNotFoundError,
    ServiceUnavailableError,
    ValidationError,
)
from lcplatform_runtime.operation import Operation

NO, YES = False, True
NOT, UNKNOWN = Outcome.NOT_EXECUTED, Outcome.UNKNOWN


def answered(code: str, status: int = 400, message: str = "", **more: str) -> ClientError:
    headers = {name.replace("_", "-"): value for name, value in more.items() if name != "query"}
    error = {"Code": code, "Message": message}
    if "query" in more:
        error["QueryErrorCode"] = more["query"]
    return ClientError(
        {
            "Error": error,  # type: ignore[typeddict-item]
            "ResponseMetadata": {  # type: ignore[typeddict-item]
                "HTTPStatusCode": status,
                "HTTPHeaders": headers,
                "RequestId": "r-1",
            },
        },
        "Anything",
    )


def said(error: Exception, operation: Operation) -> LCPlatformError:
    translated = translate(error, operation)
    assert translated is not None
    return translated


@pytest.mark.parametrize(
    ("operation", "code", "status", "kind", "retryable", "outcome"),
    [
        (PUT_OBJECT, "SlowDown", 503, QuotaExceededError, YES, NOT),
        (PUT_OBJECT, "ServiceUnavailable", 503, ServiceUnavailableError, YES, UNKNOWN),
        (PUT_OBJECT, "InternalError", 500, InternalError, YES, UNKNOWN),
        (PUT_OBJECT, "RequestTimeout", 400, ServiceUnavailableError, YES, UNKNOWN),
        (PUT_OBJECT, "ConditionalRequestConflict", 409, ConflictError, YES, NOT),
        (PUT_OBJECT, "OperationAborted", 409, ConflictError, YES, NOT),
        (PUT_OBJECT, "PreconditionFailed", 412, ConflictError, NO, NOT),
        (PUT_OBJECT, "NoSuchBucket", 404, ResourceNotFoundError, NO, NOT),
        (PUT_OBJECT, "BadDigest", 400, InternalError, YES, NOT),
        (PUT_OBJECT, "AccessDenied", 403, PermissionDeniedError, NO, NOT),
        (PUT_OBJECT, "ExpiredToken", 400, AuthenticationError, NO, NOT),
        (PUT_OBJECT, "SignatureDoesNotMatch", 403, AuthenticationError, NO, NOT),
        (GET_OBJECT, "InvalidRange", 416, ValidationError, NO, NOT),
        (GET_OBJECT, "MethodNotAllowed", 405, ResourceNotFoundError, NO, NOT),
        (HEAD_OBJECT, "404", 404, ResourceNotFoundError, NO, NOT),
        (HEAD_OBJECT, "403", 403, PermissionDeniedError, NO, NOT),
        (HEAD_OBJECT, "412", 412, ConflictError, NO, NOT),
        (HEAD_OBJECT, "405", 405, ResourceNotFoundError, NO, NOT),
        (HEAD_OBJECT, "503", 503, ServiceUnavailableError, YES, UNKNOWN),
        (CREATE_BUCKET, "TooManyBuckets", 400, QuotaExceededError, NO, NOT),
        (CREATE_BUCKET, "BucketAlreadyExists", 409, AlreadyExistsError, NO, NOT),
        (SEND_MESSAGE, "KMS.ThrottlingException", 400, QuotaExceededError, YES, NOT),
        (SEND_MESSAGE, "RequestThrottled", 403, QuotaExceededError, YES, NOT),
        (SEND_MESSAGE, "OverLimit", 403, QuotaExceededError, NO, NOT),
        (DELETE_MESSAGE, "ReceiptHandleIsInvalid", 404, ValidationError, NO, NOT),
        (CHANGE_VISIBILITY, "MessageNotInflight", 400, PreconditionFailedError, NO, NOT),
        (CREATE_QUEUE, "QueueDeletedRecently", 400, PreconditionFailedError, NO, NOT),
        (GET_SECRET, "InvalidRequestException", 400, PreconditionFailedError, NO, NOT),
        (CREATE_SECRET, "InvalidRequestException", 400, AlreadyExistsError, NO, NOT),
        (CREATE_SECRET, "ResourceExistsException", 400, AlreadyExistsError, NO, NOT),
        (PUT_SECRET_VALUE, "ResourceExistsException", 400, ConflictError, NO, NOT),
        # The SDK takes it for throttling: it is a quota.
        (PUT_SECRET_VALUE, "LimitExceededException", 400, QuotaExceededError, NO, NOT),
        (PUT_SECRET_VALUE, "ThrottlingException", 400, QuotaExceededError, YES, NOT),
        (GET_SECRET, "InternalServiceError", 500, InternalError, YES, UNKNOWN),
        (GET_SECRET, "DecryptionFailure", 400, PermissionDeniedError, NO, NOT),
    ],
)
def test_a_code_means_what_the_decisions_say(
    operation: Operation,
    code: str,
    status: int,
    kind: type[LCPlatformError],
    retryable: bool,
    outcome: Outcome,
) -> None:
    error = said(answered(code, status), operation)
    assert (type(error), error.retryable, error.outcome) == (kind, retryable, outcome)
    assert error.details == {"code": code, "status": str(status)}
    assert error.request_id == "r-1"


def test_the_newer_of_two_codes_decides() -> None:
    error = answered(
        "AWS.SimpleQueueService.NonExistentQueue", message="no", query="QueueDoesNotExist"
    )
    found = said(error, SEND_MESSAGE)
    assert isinstance(found, ResourceNotFoundError)
    assert found.details["code"] == "QueueDoesNotExist"


def test_the_older_code_alone_is_understood() -> None:
    assert isinstance(
        said(answered("AWS.SimpleQueueService.NonExistentQueue"), SEND_MESSAGE),
        ResourceNotFoundError,
    )


def test_a_lost_lease_is_told_by_its_message() -> None:
    text = (
        "Value x for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not "
        "available for visibility timeout change."
    )
    lost = said(answered("InvalidParameterValue", message=text), CHANGE_VISIBILITY)
    wrong = said(answered("InvalidParameterValue", message="else"), CHANGE_VISIBILITY)
    assert isinstance(lost, PreconditionFailedError)
    assert isinstance(wrong, ValidationError)


def test_a_rotation_that_is_under_way_is_a_conflict() -> None:
    text = "A previous rotation isn't complete. That rotation will be reattempted."
    error = said(answered("InvalidRequestException", message=text), ROTATE_SECRET)
    assert isinstance(error, ConflictError)


def test_a_queue_is_purged_once_a_minute() -> None:
    error = said(answered("PurgeQueueInProgress", query="PurgeQueueInProgress"), PURGE_QUEUE)
    assert isinstance(error, QuotaExceededError)
    assert error.retry_after == timedelta(minutes=1)


def test_an_unknown_code_is_an_internal_error_of_unknown_outcome() -> None:
    error = said(answered("BrandNewException", 400, "what?"), SEND_MESSAGE)
    assert isinstance(error, InternalError)
    assert (error.retryable, error.outcome) == (False, Outcome.UNKNOWN)
    assert error.details["code"] == "BrandNewException"


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("BrandNewThrottle", 400, QuotaExceededError),
        ("WidgetNotFound", 400, ResourceNotFoundError),
        ("BrandNewException", 503, ServiceUnavailableError),
        ("BrandNewException", 429, QuotaExceededError),
    ],
)
def test_an_unknown_code_may_tell_by_its_name_or_its_status(
    code: str, status: int, kind: type[LCPlatformError]
) -> None:
    assert isinstance(said(answered(code, status), SEND_MESSAGE), kind)


@pytest.mark.parametrize(
    ("error", "kind", "retryable", "outcome"),
    [
        (EndpointConnectionError(endpoint_url="u"), ServiceUnavailableError, YES, NOT),
        (ConnectTimeoutError(endpoint_url="u"), ServiceUnavailableError, YES, NOT),
        (ReadTimeoutError(endpoint_url="u"), ServiceUnavailableError, YES, UNKNOWN),
        (ConnectionClosedError(endpoint_url="u"), ServiceUnavailableError, YES, UNKNOWN),
        (HTTPClientError(error="e"), ServiceUnavailableError, YES, UNKNOWN),
        (ResponseStreamingError(error="e"), ServiceUnavailableError, YES, UNKNOWN),
        (ConnectionResetError(), ServiceUnavailableError, YES, UNKNOWN),
        (NoCredentialsError(), AuthenticationError, NO, NOT),
        (PartialCredentialsError(provider="p", cred_var="v"), AuthenticationError, NO, NOT),
        (NoRegionError(), ValidationError, NO, NOT),
        (BotoCoreError(), InternalError, NO, UNKNOWN),
    ],
)
def test_what_the_sdk_raises_means_what_the_decisions_say(
    error: Exception, kind: type[LCPlatformError], retryable: bool, outcome: Outcome
) -> None:
    found = said(error, PUT_OBJECT)
    assert (type(found), found.retryable, found.outcome) == (kind, retryable, outcome)


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), RuntimeError("x")])
def test_what_is_not_the_vendors_is_left_alone(error: Exception) -> None:
    assert translate(error, PUT_OBJECT) is None


NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "7"}, timedelta(seconds=7)),
        ({"retry-after": "Thu, 01 Jan 2026 00:00:09 GMT"}, timedelta(seconds=9)),
        ({"x-amz-retry-after": "1500"}, timedelta(milliseconds=1500)),
        ({"x-amz-retry-after": "250", "retry-after": "7"}, timedelta(milliseconds=250)),
        ({"retry-after": "soon"}, None),
        ({"x-amz-retry-after": "-1"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait_comes_in_three_forms(
    headers: dict[str, str], expected: timedelta | None
) -> None:
    assert retry_after(headers, NOW) == expected


def test_a_final_error_does_not_ask_to_come_back() -> None:
    assert said(answered("AccessDenied", 403, retry_after="7"), PUT_OBJECT).retry_after is None


@pytest.mark.parametrize(
    ("code", "fault", "expected", "retryable"),
    [
        ("InternalError", False, ErrorCode.INTERNAL, True),
        ("RequestThrottled", False, ErrorCode.QUOTA_EXCEEDED, True),
        ("InvalidParameterValue", True, ErrorCode.VALIDATION, False),
        ("BrandNew", True, ErrorCode.VALIDATION, False),
        ("BrandNew", False, ErrorCode.INTERNAL, True),
    ],
)
def test_an_entry_of_a_batch_fails_by_the_same_table(
    code: str, fault: bool, expected: ErrorCode, retryable: bool
) -> None:
    failure = batch_failure(3, code, "why", ("queue", "send_messages"), sender_fault=fault)
    assert (failure.index, failure.code, failure.retryable) == (3, expected, retryable)
    assert "why" in failure.message


def test_what_may_have_happened_is_never_taken_for_not_executed() -> None:
    """Retrying a send is right only where nothing was sent."""
    unsure = ("Internal", "Unavailable", "Timeout", "Redirect", "RequestAborted", "PriorRequest")
    tables = [*BY_SERVICE.values(), COMMON, *BY_OPERATION.values()]
    for table in tables:
        for code, meaning in table.items():
            if code.startswith(unsure) or "Timeout" in code:
                assert meaning.outcome is Outcome.UNKNOWN, code


@pytest.mark.parametrize(
    ("operation", "code", "field"),
    [
        (GET_OBJECT, "InvalidRange", "range"),
        (PUT_OBJECT, "InvalidTag", "tags"),
        (DELETE_MESSAGE, "ReceiptHandleIsInvalid", "receipt_handle"),
        (PUT_OBJECT, "InvalidArgument", None),
    ],
)
def test_a_code_that_complains_of_one_field_names_it(
    operation: Operation, code: str, field: str | None
) -> None:
    error = said(answered(code, 400, "it is not as it should be"), operation)
    assert [it.field for it in error.violations] == ([] if field is None else [field])


@pytest.mark.parametrize(
    ("operation", "code", "more", "message", "resource"),
    [
        (PUT_OBJECT, "NoSuchBucket", {"BucketName": "b"}, "no", "b"),
        (GET_OBJECT, "NoSuchKey", {"Key": "a/b"}, "no", "a/b"),
        (GET_OBJECT, "NoSuchVersion", {"Key": "a/b", "BucketName": "b"}, "no", "a/b"),
        (CREATE_RULE, "ResourceNotFoundException", {}, "Event bus orders does not exist.", "orders"),
        (CREATE_RULE, "ResourceNotFoundException", {}, "Rule r does not exist on EventBus orders.", None),
        (GET_SECRET, "ResourceNotFoundException", {"Key": "k"}, "no", None),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_where_the_answer_says_so(
    operation: Operation, code: str, more: dict[str, str], message: str, resource: str | None
) -> None:
    error = answered(code, 404, message)
    error.response["Error"].update(more)  # type: ignore[typeddict-item]  # S3 adds to it
    assert said(error, operation).resource == resource


def test_a_version_that_cannot_be_is_a_version_that_is_missing() -> None:
    error = said(answered("InvalidArgument", 400, "Invalid version id specified"), GET_OBJECT)
    assert isinstance(error, ResourceNotFoundError)
