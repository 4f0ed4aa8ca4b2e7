"""What each failure that AWS or its SDK reports means in the platform's words. The rules over it are in `errors.py`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

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
    UnsupportedError,
    ValidationError,
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a failure is, whether the same call may succeed later, and whether this one may have had an effect."""

    kind: type[LCPlatformError]
    retryable: bool = False
    outcome: Outcome = Outcome.NOT_EXECUTED
    retry_after: timedelta | None = None


NOT_FOUND: Final = Meaning(ResourceNotFoundError)
EXISTS: Final = Meaning(AlreadyExistsError)
INVALID: Final = Meaning(ValidationError)
STALE: Final = Meaning(ConflictError)
COLLISION: Final = Meaning(ConflictError, retryable=True)
WRONG_STATE: Final = Meaning(PreconditionFailedError)
UNAUTHENTICATED: Final = Meaning(AuthenticationError)
DENIED: Final = Meaning(PermissionDeniedError)
THROTTLED: Final = Meaning(QuotaExceededError, retryable=True)
EXHAUSTED: Final = Meaning(QuotaExceededError)
MINUTE: Final = Meaning(QuotaExceededError, retryable=True, retry_after=timedelta(seconds=60))
UNSENT: Final = Meaning(ServiceUnavailableError, retryable=True)
UNAVAILABLE: Final = Meaning(ServiceUnavailableError, retryable=True, outcome=Outcome.UNKNOWN)
FAILED: Final = Meaning(InternalError, retryable=True, outcome=Outcome.UNKNOWN)
DAMAGED: Final = Meaning(InternalError, retryable=True)
BROKEN: Final = Meaning(InternalError, outcome=Outcome.UNKNOWN)
UNSUPPORTED: Final = Meaning(UnsupportedError)


def _codes(meaning: Meaning, names: str) -> dict[str, Meaning]:
    return dict.fromkeys(names.split(), meaning)


BY_SERVICE: Final[dict[str, dict[str, Meaning]]] = {
    "object_store": {
        **_codes(
            NOT_FOUND,
            "NoLoggingStatusForKey NoSuchBucket NoSuchKey NoSuchTagSet NoSuchUpload NoSuchVersion",
        ),
        **_codes(EXISTS, "BucketAlreadyExists BucketAlreadyOwnedByYou"),
        **_codes(
            INVALID,
            """
            AmbiguousGrantByEmailAddress AnnotationNameTooLong AuthorizationQueryParametersError EncryptionTypeMismatch
            EntityTooLarge EntityTooSmall IllegalVersioningConfigurationException IncompleteBody
            IncorrectNumberOfFilesInPostRequest InlineDataTooLarge InvalidAddressingHeader InvalidAnnotationName
            InvalidArgument InvalidBucketName InvalidDigest InvalidEncryptionAlgorithmError InvalidLocationConstraint
            InvalidPartOrder InvalidPolicyDocument InvalidPrefix InvalidRange InvalidRequest InvalidStorageClass
            InvalidTag InvalidTargetBucketForLogging InvalidURI KeyTooLongError MalformedACLError MalformedPOSTRequest
            MalformedXML MaxMessageLengthExceeded MaxPostPreDataLengthExceededError MetadataTooLarge
            MissingContentLength MissingRequestBodyError RequestIsNotMultiPartContent RequestTorrentOfBucketError
            TooManyParts UnexpectedContent UnresolvableGrantByEmailAddress UnsupportedMediaType
            UserKeyMustBeSpecified XAmzContentSHA256Mismatch
            """,
        ),
        # A condition did not hold. `object_store.py` tells whose it was.
        **_codes(STALE, "PreconditionFailed"),
        # Two writers at once. The SDK does not retry these.
        **_codes(COLLISION, "ConditionalRequestConflict OperationAborted"),
        **_codes(
            WRONG_STATE,
            """
            BucketNotEmpty InvalidBucketState InvalidObjectState InvalidPart InvalidWriteOffset PermanentRedirect
            KMS.DisabledException KMS.KMSInvalidStateException KMS.NotFoundException NotModified
            ObjectAlreadyInActiveTierError ObjectNotInActiveTierError RestoreAlreadyInProgress
            """,
        ),
        **_codes(
            UNAUTHENTICATED,
            "AuthorizationHeaderMalformed CredentialsNotSupported InvalidSecurity MissingSecurityHeader TokenRefreshRequired",
        ),
        **_codes(
            DENIED,
            "AccountProblem AllAccessDisabled CrossLocationLoggingProhibited InvalidPayer NotSignedUp",
        ),
        **_codes(THROTTLED, "SlowDown RequestLimitExceeded"),
        **_codes(EXHAUSTED, "TooManyBuckets"),
        **_codes(UNAVAILABLE, "Redirect TemporaryRedirect RequestTimeout ServiceUnavailable"),
        # What arrived was not what was sent, and was refused.
        **_codes(DAMAGED, "BadDigest XAmzContentChecksumMismatch"),
        # What it is asked of is the mark of a deletion.
        **_codes(NOT_FOUND, "MethodNotAllowed"),
    },
    "queue": {
        **_codes(NOT_FOUND, "QueueDoesNotExist ResourceNotFoundException"),
        **_codes(EXISTS, "QueueNameExists"),
        **_codes(
            INVALID,
            """
            BatchEntryIdsNotDistinct BatchRequestTooLong EmptyBatchRequest InvalidAddress InvalidAttributeName
            InvalidAttributeValue InvalidBatchEntryId InvalidIdFormat InvalidMessageContents ReceiptHandleIsInvalid
            TooManyEntriesInBatchRequest
            """,
        ),
        **_codes(
            WRONG_STATE,
            """
            MessageNotInflight KmsDisabled KmsInvalidKeyUsage KmsInvalidState KmsNotFound QueueDeletedRecently
            """,
        ),
        **_codes(UNAUTHENTICATED, "InvalidSecurity"),
        **_codes(DENIED, "KmsAccessDenied KmsOptInRequired"),
        # The SDK does not retry KmsThrottled.
        **_codes(THROTTLED, "KmsThrottled"),
        **_codes(EXHAUSTED, "OverLimit"),
        # Once a minute at most.
        **_codes(MINUTE, "PurgeQueueInProgress"),
    },
    "batch": {
        # Batch has one code for all that is wrong: its message tells.
        **_codes(INVALID, "ClientException InvalidParameterException"),
        **_codes(FAILED, "ServerException"),
    },
    "configuration": {
        **_codes(INVALID, "BadRequestException PayloadTooLargeException"),
    },
    "event_bus": {
        **_codes(
            INVALID,
            "InvalidAccountIdException InvalidArgument InvalidEventPatternException MalformedDetail",
        ),
        **_codes(
            WRONG_STATE,
            """
            IllegalStatusException InvalidStateException ManagedRuleException OperationDisabledException
            """,
        ),
        **_codes(DENIED, "NotAuthorizedForDetailTypeException NotAuthorizedForSourceException"),
        **_codes(FAILED, "InternalException"),
        # The SDK takes the first of these hard quotas for throttling.
        **_codes(EXHAUSTED, "LimitExceededException PolicyLengthExceededException"),
        **_codes(BROKEN, "RedactionFailure"),
    },
    "notification": {
        **_codes(
            INVALID,
            """
            BadRequestException BatchEntryIdsNotDistinct BatchRequestTooLong EmptyBatchRequest InvalidBatchEntryId
            InvalidNextTokenException InvalidParameterException ParameterValueInvalid TagPolicy
            TooManyEntriesInBatchRequest UserError VerificationException
            """,
        ),
        **_codes(COLLISION, "ConcurrentAccess"),
        **_codes(STALE, "StaleTag"),
        # A device that is switched off, a number that wants nothing, an account that may not send now or not to there.
        **_codes(
            WRONG_STATE,
            """
            ConflictException EndpointDisabled InvalidState KMSDisabled KMSInvalidState KMSNotFound
            MailFromDomainNotVerifiedException MessageRejected OptedOut PlatformApplicationDisabled
            SendingPausedException
            """,
        ),
        **_codes(UNAUTHENTICATED, "InvalidSecurity"),
        **_codes(
            DENIED, "AccountSuspendedException AuthorizationError KMSAccessDenied KMSOptInRequired"
        ),
        # The SDK retries neither of the two.
        **_codes(THROTTLED, "KMSThrottling Throttled"),
        # The SDK takes the first of these hard quotas for throttling.
        **_codes(
            EXHAUSTED,
            """
            LimitExceededException FilterPolicyLimitExceeded ReplayLimitExceeded SubscriptionLimitExceeded
            TagLimitExceeded TopicLimitExceeded
            """,
        ),
        **_codes(FAILED, "InternalServiceErrorException"),
    },
    "secrets": {
        **_codes(EXISTS, "ResourceExistsException"),
        **_codes(
            INVALID,
            "InvalidNextTokenException InvalidParameterException MalformedPolicyDocumentException",
        ),
        **_codes(WRONG_STATE, "InvalidRequestException PreconditionNotMetException"),
        **_codes(DENIED, "DecryptionFailure EncryptionFailure PublicPolicyException"),
        # The SDK takes this hard quota for throttling.
        **_codes(EXHAUSTED, "LimitExceededException"),
    },
    "web_hosting": {
        **_codes(
            INVALID,
            """
            ClientException InvalidParameterException InvalidRequestException
            PlatformTaskDefinitionIncompatibilityException
            """,
        ),
        # A service that is no longer active is deleted.
        **_codes(NOT_FOUND, "PlatformUnknownException ServiceNotActiveException"),
        **_codes(
            WRONG_STATE,
            """
            ClusterContainsCapacityProviderException ClusterContainsContainerInstancesException
            ClusterContainsServicesException ClusterContainsTasksException DaemonNotActiveException
            MissingVersionException NoUpdateAvailableException TargetNotConnectedException
            """,
        ),
        **_codes(STALE, "UpdateInProgressException"),
        **_codes(FAILED, "InternalServiceErrorException ServerException"),
        **_codes(DENIED, "BlockedException"),
        **_codes(UNSUPPORTED, "UnsupportedFeatureException"),
    },
}
"""By the platform's service, then by the vendor's code."""

MISSING: Final = {"NoSuchBucket": "BucketName", "NoSuchKey": "Key", "NoSuchVersion": "Key"}
"""Where an answer of S3 says what is missing."""

MISSING_BUS: Final = re.compile(r"Event bus (?P<name>\S+) (?:does not exist|not found)")
"""EventBridge says it in its message alone, and has one code for a bus and for a rule."""

FIELDS: Final = (
    ("object_store", "InvalidRange", "", "range"),
    ("object_store", "InvalidTag", "", "tags"),
    ("queue", "InvalidParameterValue", "must be shorter than", "body"),
    ("queue", "ReceiptHandleIsInvalid", "", "receipt_handle"),
)
"""Service, code, what its message contains, and the field of the request that it complains of."""

ALIASES: Final = {
    "AWS.SimpleQueueService.BatchEntryIdsNotDistinct": "BatchEntryIdsNotDistinct",
    "AWS.SimpleQueueService.BatchRequestTooLong": "BatchRequestTooLong",
    "AWS.SimpleQueueService.EmptyBatchRequest": "EmptyBatchRequest",
    "AWS.SimpleQueueService.InvalidBatchEntryId": "InvalidBatchEntryId",
    "AWS.SimpleQueueService.MessageNotInflight": "MessageNotInflight",
    "AWS.SimpleQueueService.NonExistentQueue": "QueueDoesNotExist",
    "AWS.SimpleQueueService.PurgeQueueInProgress": "PurgeQueueInProgress",
    "AWS.SimpleQueueService.QueueDeletedRecently": "QueueDeletedRecently",
    "AWS.SimpleQueueService.TooManyEntriesInBatchRequest": "TooManyEntriesInBatchRequest",
    "AWS.SimpleQueueService.UnsupportedOperation": "UnsupportedOperation",
    "KMS.AccessDeniedException": "KmsAccessDenied",
    "KMS.InvalidKeyUsageException": "KmsInvalidKeyUsage",
    "KMS.InvalidStateException": "KmsInvalidState",
    "KMS.OptInRequired": "KmsOptInRequired",
    "KMS.ThrottlingException": "KmsThrottled",
    "QueueAlreadyExists": "QueueNameExists",
}
"""The names that codes of one service had before, and still have on the wire."""

COMMON: Final[dict[str, Meaning]] = {
    **_codes(
        DENIED,
        """
        AccessDenied AccessDeniedException NotAuthorized OptInRequired SessionDurationEscalationException
        SubscriptionRequiredException UnauthorizedAccess UnauthorizedOperation
        """,
    ),
    **_codes(
        UNAUTHENTICATED,
        """
        AuthFailure ExpiredToken ExpiredTokenException IncompleteSignature IncompleteSignatureException
        IDPRejectedClaim InvalidAccessKeyId InvalidClientTokenId InvalidIdentityToken InvalidSignatureException InvalidToken MissingAuthenticationToken
        MissingAuthenticationTokenException RequestExpired RequestTimeTooSkewed SignatureDoesNotMatch
        UnrecognizedClientException
        """,
    ),
    **_codes(
        FAILED,
        """
        InternalError InternalFailure InternalServerError InternalServerException InternalServiceError
        InternalServiceException
        """,
    ),
    **_codes(
        UNAVAILABLE,
        """
        PriorRequestNotComplete RequestAbortedException RequestTimeout RequestTimeoutException ServiceUnavailable
        ServiceUnavailableError ServiceUnavailableException Unavailable
        """,
    ),
    **_codes(
        THROTTLED,
        """
        BandwidthLimitExceeded EC2ThrottledException ProvisionedThroughputExceededException RequestLimitExceeded
        RequestThrottled RequestThrottledException SlowDown ThrottledException Throttling Throttling.User
        ThrottlingException TooManyRequestsException
        """,
    ),
    **_codes(
        EXHAUSTED,
        "LimitExceeded LimitExceededException ServiceQuotaExceeded ServiceQuotaExceededException",
    ),
    **_codes(
        STALE,
        """
        ConflictException IdempotencyParameterMismatch IdempotentParameterMismatch ResourceConflictException
        ResourceInUseException
        """,
    ),
    **_codes(COLLISION, "ConcurrentModificationException TransactionInProgressException"),
    **_codes(NOT_FOUND, "NotFound NotFoundException ResourceNotFound ResourceNotFoundException"),
    **_codes(EXISTS, "AlreadyExistsException ResourceAlreadyExistsException"),
    **_codes(
        INVALID,
        """
        InvalidAuthorizationMessageException InvalidParameter InvalidParameterCombination InvalidParameterValue
        InvalidQueryParameter InvalidRequest JWTPayloadSizeExceededException MalformedHttpRequestException
        MalformedPolicyDocument MalformedQueryString MissingAction MissingParameter PackedPolicyTooLarge
        RequestEntityTooLargeException SerializationException ValidationError ValidationException
        """,
    ),
    **_codes(
        WRONG_STATE,
        "InvalidStateException OutboundWebIdentityFederationDisabledException RegionDisabledException",
    ),
    # Whoever vouches for this process was not reached, so there were no credentials to send anything with.
    **_codes(UNSENT, "IDPCommunicationError"),
    **_codes(
        UNSUPPORTED, "InvalidAction NotImplemented UnknownOperationException UnsupportedOperation"
    ),
}
"""By the codes that any service may answer with, and those of STS, of which any call may get its credentials."""

BY_OPERATION: Final[dict[tuple[str, str], dict[str, Meaning]]] = {
    # What marks a deletion has no body to read.
    ("object_store", "get_object"): {"405": NOT_FOUND},
    ("object_store", "head_object"): {"405": NOT_FOUND},
    ("batch", "create_schedule"): {"ConflictException": EXISTS},
    # The name of a secret that can still be restored is taken.
    ("secrets", "create_secret"): {"InvalidRequestException": EXISTS},
    # The same idempotency key with another value.
    ("secrets", "put_secret_value"): {"ResourceExistsException": STALE},
}
"""Where a code means something else than it usually does."""

BY_MESSAGE: Final[tuple[tuple[str, str, str, Meaning], ...]] = (
    # What is no longer held has no lease to extend.
    ("queue", "InvalidAttributeValue", "not available for visibility timeout", WRONG_STATE),
    ("queue", "InvalidParameterValue", "not available for visibility timeout", WRONG_STATE),
    # Two redrives of one dead-letter queue at the same time.
    ("queue", "InvalidParameterValue", "already a task running", WRONG_STATE),
    # Versions are opaque: one that S3 cannot have given out is one that is not there.
    ("object_store", "InvalidArgument", "version id", NOT_FOUND),
    ("notification", "InvalidParameter", "with different attributes", STALE),
    ("notification", "InvalidParameter", "No endpoint found", NOT_FOUND),
    ("notification", "InvalidParameter", "opted out", WRONG_STATE),
    ("notification", "InvalidParameter", "pending confirmation", WRONG_STATE),
    # The quota of a day, not the rate.
    ("notification", "TooManyRequestsException", "Daily", EXHAUSTED),
    ("secrets", "InvalidRequestException", "previous rotation", STALE),
    # ECS takes the creation of what exists for a repetition that does not agree.
    ("web_hosting", "InvalidParameterException", "not idempotent", EXISTS),
    ("web_hosting", "ClientException", "already exists", EXISTS),
    # App Runner has no code of its own for a name that is taken.
    ("web_hosting", "InvalidRequestException", "already exists", EXISTS),
    ("web_hosting", "ClientException", "not authorized", DENIED),
    ("web_hosting", "ClientException", "unable to assume", DENIED),
    ("web_hosting", "ClientException", "in progress", WRONG_STATE),
    ("secrets", "InvalidParameterException", "not attached to version", STALE),
    ("batch", "ClientException", "(?i)does not exist|not found|could not be found", NOT_FOUND),
    ("batch", "ClientException", "(?i)already exists", EXISTS),
    ("batch", "ClientException", "(?i)not authorized|access ?denied", DENIED),
    ("batch", "ClientException", "(?i)throttl|rate exceeded", THROTTLED),
    ("batch", "ClientException", "(?i)too many|exceed", EXHAUSTED),
    (
        "batch",
        "ClientException",
        r"(?i)cannot (be )?(delete|update)|in use|being modified|is not (in )?(a )?valid|disabled",
        WRONG_STATE,
    ),
)
"""Service, code, what is found in its message: where the code alone does not tell."""

BY_SUFFIX: Final[tuple[tuple[str, Meaning], ...]] = (
    (r"NotFound|DoesNotExist|NoSuch", NOT_FOUND),
    (r"AlreadyExists|Exists(Exception)?$", EXISTS),
    (r"Throttl|TooManyRequests|RateExceeded", THROTTLED),
    (r"(Quota|Limit)(Exceeded|Reached)", EXHAUSTED),
    (r"AccessDenied|Unauthorized|Forbidden|NotAuthorized", DENIED),
    (r"Expired|Signature|Credential|Token(Id)?$", UNAUTHENTICATED),
)
"""What the name of an unknown code gives away. Only where being wrong does no harm: nothing of it is taken for executed."""

BY_STATUS: Final[dict[int, Meaning]] = {
    301: WRONG_STATE,
    304: WRONG_STATE,
    400: INVALID,
    401: UNAUTHENTICATED,
    402: EXHAUSTED,
    403: DENIED,
    404: NOT_FOUND,
    405: UNSUPPORTED,
    408: UNAVAILABLE,
    409: STALE,
    410: NOT_FOUND,
    411: INVALID,
    412: STALE,
    413: INVALID,
    415: INVALID,
    416: INVALID,
    421: UNSENT,
    422: INVALID,
    423: WRONG_STATE,
    425: UNSENT,
    428: WRONG_STATE,
    429: THROTTLED,
    431: INVALID,
    500: FAILED,
    501: UNSUPPORTED,
    502: UNAVAILABLE,
    503: UNAVAILABLE,
    504: UNAVAILABLE,
    507: EXHAUSTED,
}
"""By the HTTP status, where it is all there is: the answer to a HEAD has no body that could hold a code."""

BY_EXCEPTION: Final[dict[str, Meaning]] = {
    # Nothing was sent.
    **_codes(UNSENT, "EndpointConnectionError ConnectTimeoutError ProxyConnectionError"),
    # Something was, and what became of it is not known.
    **_codes(
        UNAVAILABLE,
        """
        ConnectionClosedError ReadTimeoutError HTTPClientError ResponseStreamingError IncompleteReadError SSLError
        """,
    ),
    # The same as the HTTP library underneath, or the socket, calls it.
    **_codes(UNAVAILABLE, "ProtocolError IncompleteRead ConnectionError TimeoutError"),
    **_codes(
        UNAUTHENTICATED,
        """
        CredentialRetrievalError LoginError NoAuthTokenError NoCredentialsError PartialCredentialsError
        RefreshWithMFAUnsupportedError SSOError TokenRetrievalError UnauthorizedSSOTokenError UnknownCredentialError
        UnknownTokenProviderError
        """,
    ),
    **_codes(DENIED, "LoginInsufficientPermissions"),
    **_codes(UNSENT, "MetadataRetrievalError"),
    **_codes(
        INVALID,
        """
        AliasConflictParameterError ApiVersionNotFoundError BaseEndpointResolverError ConfigNotFound ConfigParseError
        DataNotFoundError EndpointProviderError InvalidChecksumConfigError InvalidConfigError InvalidDNSNameError
        InvalidDefaultsMode InvalidEndpointConfigurationError InvalidEndpointDiscoveryConfigurationError
        InvalidHostLabelError InvalidIMDSEndpointError InvalidIMDSEndpointModeError InvalidProxiesConfigError
        InvalidRegionError InvalidRetryConfigurationError InvalidS3AddressingStyleError
        InvalidS3UsEast1RegionalEndpointConfigError InvalidSTSRegionalEndpointsConfigError NoRegionError
        ParamValidationError ProfileNotFound UnknownRegionError UnknownSignatureVersionError
        UnsupportedOutpostResourceError UnsupportedS3AccesspointConfigurationError UnsupportedS3ArnError
        UnsupportedS3ConfigurationError UnsupportedS3ControlArnError UnsupportedS3ControlConfigurationError
        UnsupportedSignatureVersionError ValidationError
        """,
    ),
    **_codes(
        UNSUPPORTED,
        """
        EndpointVariantError MissingDependencyException ServiceNotInRegionError UnknownEndpointError
        UnknownFIPSEndpointError UnknownServiceError UnsupportedServiceProtocolsError
        """,
    ),
    # A body that comes once cannot follow a redirect to another region.
    **_codes(WRONG_STATE, "UnseekableStreamError"),
    **_codes(BROKEN, "ChecksumError FlexibleChecksumError BotoCoreError"),
}
"""By the class of what the SDK raised before there was an answer, or of what that inherits from."""

HINTS: Final = {
    "NoRegionError": "the option `region`, or AWS_REGION, must say where",
    "NoCredentialsError": "no credentials were found: give the process an identity, or configure some",
}
"""What to do about it, where the SDK's own text does not say."""
