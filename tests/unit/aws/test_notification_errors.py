"""Every error that SNS, SES and End User Messaging declare, in the platform's words."""

from __future__ import annotations

import pytest

from lcplatform_aws.errors import meaning_of
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
    ValidationError,
)

NO, YES = False, True

MEANINGS: dict[tuple[type[LCPlatformError], bool], str] = {
    (ValidationError, NO): """
        BadRequestException BatchEntryIdsNotDistinct BatchRequestTooLong EmptyBatchRequest InvalidBatchEntryId
        InvalidNextTokenException InvalidParameter ParameterValueInvalid TagPolicy TooManyEntriesInBatchRequest UserError
        ValidationException VerificationException
    """,
    (ResourceNotFoundError, NO): """
        NotFound NotFoundException ResourceNotFound ResourceNotFoundException
    """,
    (AlreadyExistsError, NO): "AlreadyExistsException",
    (ConflictError, NO): "StaleTag",
    (ConflictError, YES): "ConcurrentAccess ConcurrentModificationException",
    (PreconditionFailedError, NO): """
        ConflictException EndpointDisabled InvalidState KMSDisabled KMSInvalidState KMSNotFound
        MailFromDomainNotVerifiedException MessageRejected OptedOut PlatformApplicationDisabled SendingPausedException
    """,
    (AuthenticationError, NO): "InvalidSecurity",
    (PermissionDeniedError, NO): """
        AccessDeniedException AccountSuspendedException AuthorizationError KMSAccessDenied KMSOptInRequired
    """,
    (QuotaExceededError, NO): """
        FilterPolicyLimitExceeded LimitExceededException ReplayLimitExceeded ServiceQuotaExceededException
        SubscriptionLimitExceeded TagLimitExceeded TopicLimitExceeded
    """,
    (QuotaExceededError, YES): """
        KMSThrottling Throttled Throttling ThrottlingException TooManyRequestsException
    """,
    (InternalError, YES): """
        InternalError InternalServerException InternalServiceErrorException
    """,
}


@pytest.mark.parametrize(
    ("code", "kind", "retryable"),
    [(code, *meant) for meant, codes in MEANINGS.items() for code in codes.split()],
)
def test_a_code_means_what_the_decisions_say(
    code: str, kind: type[LCPlatformError], retryable: bool
) -> None:
    meaning = meaning_of(code, "", "notification", "publish_message", 400)
    assert (meaning.kind, meaning.retryable) == (kind, retryable)
    executed = Outcome.UNKNOWN if kind is InternalError else Outcome.NOT_EXECUTED
    assert meaning.outcome is executed


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        (
            "InvalidParameter",
            "Attributes Reason: Subscription already exists with different attributes",
            ConflictError,
        ),
        ("InvalidParameter", "No endpoint found for the target arn", ResourceNotFoundError),
        ("InvalidParameter", "PhoneNumber Reason: +1 is opted out", PreconditionFailedError),
        ("InvalidParameter", "This subscription is pending confirmation", PreconditionFailedError),
    ],
)
def test_what_a_code_alone_does_not_tell_its_message_does(
    code: str, text: str, kind: type[LCPlatformError]
) -> None:
    assert meaning_of(code, text, "notification", "subscribe", 400).kind is kind
