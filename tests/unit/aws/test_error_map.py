"""Everything that AWS, its SDK, databases and issuers can report has a meaning: each entry of a map of their documentation.

`error_map.json` holds what the vendors' documentation and models say, by category; `OTHERWISE` what is told otherwise here,
and why. What a service answers comes over a socket in its own protocol, through the platform's client. The codes of
databases that a server can be made to say come from PostgreSQL itself.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from lcplatform import LCPlatform
from lcplatform.data_store import DataStore
from lcplatform.queue.operations import LIST_QUEUES
from lcplatform_aws.document_store_errors import of_code
from lcplatform_aws.errors import translate
from lcplatform_runtime.errors import (
    AlreadyExistsError,
    AuthenticationError,
    ConflictError,
    DeadlineExceededError,
    InternalError,
    LCPlatformError,
    OperationCancelledError,
    PermissionDeniedError,
    PreconditionFailedError,
    QuotaExceededError,
    ResourceNotFoundError,
    ServiceUnavailableError,
    UnsupportedError,
    ValidationError,
)
from lcplatform_runtime.oidc.refusals import of_answer
from tests.unit.aws.conftest import AtStub
from tests.unit.aws.stub import Answer, Stub, json_error, s3_error

Categories = Mapping[str, list[str]]
KNOWN: Final = json.loads(Path(__file__).with_name("error_map.json").read_text(encoding="utf-8"))

KINDS: Final[Mapping[str, type[LCPlatformError]]] = {
    "not_found": ResourceNotFoundError,
    "already_exists": AlreadyExistsError,
    "conflict": ConflictError,
    "precondition_failed": PreconditionFailedError,
    "quota_exceeded": QuotaExceededError,
    "throttled": QuotaExceededError,
    "validation": ValidationError,
    "authentication": AuthenticationError,
    "permission_denied": PermissionDeniedError,
    "unavailable": ServiceUnavailableError,
    "refused": ServiceUnavailableError,
    "deadline": DeadlineExceededError,
    "internal": InternalError,
    "unsupported": UnsupportedError,
    "cancelled": OperationCancelledError,
    "data_loss": InternalError,
    "unknown": InternalError,
}
RETRYABLE: Final = {
    "throttled": True,
    "quota_exceeded": False,
    "unavailable": True,
    "refused": False,
    "validation": False,
}
"""Whether the same call may succeed later, where the category alone says so."""
UNSURE: Final = (InternalError, DeadlineExceededError, OperationCancelledError)

CALLERS: Final = "it is the provider's own mistake, and nothing that a caller could mend"
ELSEWHERE: Final = "no driver uses what raises it"
QUERIES: Final = "what a statement names, or makes, is the statement's fault: no name of the platform's is missing or taken"
OTHERWISE: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "common": {
        "DryRunOperation": ("internal", "EC2 alone answers it, which no driver calls"),
        **dict.fromkeys(
            ("RequestTimeout", "RequestTimeoutException"),
            ("unavailable", "the service gave up waiting; the caller's own time is not up"),
        ),
    },
    "statuses": {
        "405": ("not_found", "that is the answer to a HEAD of what marks a deletion"),
        "408": ("unavailable", "the service gave up waiting; the caller's own time is not up"),
        "412": ("conflict", "a condition on an etag did not hold"),
        "504": ("unavailable", "a gateway gave up waiting; the caller's own time is not up"),
        "499": ("internal", "nginx writes it in its own log, and no service answers it"),
    },
    "s3": {
        "MethodNotAllowed": ("not_found", "what it is asked of is the mark of a deletion"),
        "PreconditionFailed": ("conflict", "a condition on an etag did not hold"),
        "RestoreAlreadyInProgress": ("precondition_failed", "to read it again changes nothing"),
        "RequestTimeout": ("unavailable", "the service gave up waiting; the caller's time is not"),
    },
    "sqs": {
        "PurgeQueueInProgress": ("throttled", "it is once a minute, and may be tried again"),
        "QueueDeletedRecently": ("precondition_failed", "to read it again changes nothing"),
        "ReceiptHandleIsInvalid": ("validation", "it is none at all; one that has run out is told"),
    },
    "appconfigdata": {
        "BadRequestException": ("validation", "a token that is used up is replaced by the driver"),
    },
    "sesv2": {
        "ConflictException": ("precondition_failed", "to read it again changes nothing"),
    },
    "sns": {"ConflictException": ("precondition_failed", "SES answers it, and SNS never does")},
    "sqlstates": {
        **dict.fromkeys(
            [
                "08P01",
                "26000",
                "2F000",
                "2F002",
                "2F003",
                "2F004",
                "2F005",
                "3D000",
                "3F000",
                "42701",
                "42704",
                "42710",
                "42723",
                "42883",
                "42P01",
                "42P04",
                "42P05",
                "42P06",
                "42P07",
                "54000",
            ],
            ("validation", QUERIES),
        ),
        "23000": ("validation", "a row breaks a rule of its table"),
        "23P01": ("already_exists", "another row is where this one would be"),
        **dict.fromkeys(
            ("28000", "28P01"), ("refused", "the platform's own credentials, not the caller's")
        ),
        **dict.fromkeys(
            ("08007", "40003"), ("unavailable", "the connection broke, and the outcome is unknown")
        ),
        **dict.fromkeys(
            ("53100", "53200"), ("quota_exceeded", "there is no more, until somebody adds some")
        ),
        **dict.fromkeys(
            ("53300", "53400"),
            ("unavailable", "the server takes no more connections for the moment"),
        ),
        **dict.fromkeys(
            ("55006", "57P04"), ("precondition_failed", "the state of the database is another")
        ),
        **dict.fromkeys(
            ("P0000", "P0002", "P0004"),
            ("precondition_failed", "a function of the database raised it"),
        ),
    },
    "sdk": {
        **dict.fromkeys(
            [
                f"botocore.exceptions.{it}"
                for it in [
                    "InvalidExpressionError",
                    "MissingParametersError",
                    "MissingServiceIdError",
                    "OperationNotPageableError",
                    "StubAssertionError",
                    "StubResponseError",
                    "UnStubbedResponseError",
                    "UndefinedModelAttributeError",
                    "UnknownClientMethodError",
                    "UnknownServiceStyle",
                    "WaiterConfigError",
                ]
            ],
            ("internal", CALLERS),
        ),
        **dict.fromkeys(
            (
                "boto3.exceptions.RetriesExceededError",
                "botocore.exceptions.CapacityNotAvailableError",
                "botocore.exceptions.MD5UnavailableError",
                "botocore.exceptions.WaiterError",
                "s3transfer.exceptions.CancelledError",
                "s3transfer.exceptions.RetriesExceededError",
                "s3transfer.exceptions.S3CopyFailedError",
                "s3transfer.exceptions.S3DownloadFailedError",
            ),
            ("internal", ELSEWHERE),
        ),
        **dict.fromkeys(
            ("botocore.exceptions.ReadTimeoutError", "urllib3.exceptions.ReadTimeoutError"),
            ("unavailable", "the caller's own time is not up; where it is, that is said"),
        ),
        "botocore.exceptions.UnseekableStreamError": (
            "precondition_failed",
            "the bucket is in another region, and the body comes only once",
        ),
    },
    "oauth": {
        "invalid_client": ("refused", "the platform's own credentials, not the caller's"),
        "server_error": ("unavailable", "it is the issuer that failed, and not this platform"),
        **dict.fromkeys(
            ("invalid_scope", "invalid_target"),
            ("permission_denied", "the issuer grants this client no such thing"),
        ),
        "unsupported_token_type": ("unsupported", "the issuer does not do it"),
        **dict.fromkeys(
            ("authorization_pending", "slow_down", "invalid_dpop_proof", "use_dpop_nonce"),
            (
                "validation",
                "it answers what is never asked: there are no devices' logins and no DPoP",
            ),
        ),
    },
    "documents": {
        **dict.fromkeys(
            ("85", "86"), ("already_exists", "another index has the name or the fields")
        ),
    },
    "ecs": {
        "ServiceNotActiveException": ("not_found", "what is no longer active has been deleted"),
    },
}
"""By where a code comes from and the code: the category here, and why."""
SAYS: Final = {"301": "Retryable writes are not supported", "303": "Feature not supported"}
"""What DocumentDB says with numbers that are something else at MongoDB."""


def entries(source: str, categories: Categories) -> Iterator[tuple[str, str]]:
    """Each code of a source, and the category that it has here."""
    otherwise = OTHERWISE.get(source, {})
    for category, codes in categories.items():
        for code in codes:
            yield code, otherwise.get(code, (category, ""))[0]


def told(error: LCPlatformError, category: str) -> str:
    """What is wrong with an error for that category; nothing if it is right."""
    kind = KINDS[category]
    if type(error) is not kind:
        return f"{type(error).__name__}, not {kind.__name__}"
    if error.retryable is not RETRYABLE.get(category, error.retryable):
        return f"retryable is {error.retryable}"
    return ""


@pytest.mark.parametrize("source", OTHERWISE)
def test_what_is_told_otherwise_is_in_the_map_and_told_otherwise(source: str) -> None:
    own = KNOWN["answers"].get(source)
    tables = [KNOWN[source]] if own is None else [KNOWN["common"], own]
    known = {code: category for it in tables for category, codes in it.items() for code in codes}
    for code, (category, reason) in OTHERWISE[source].items():
        assert known[code] != category
        assert reason


# --- what services answer


def _rest_json(status: int, code: str, message: str) -> Answer:
    body = json.dumps({"message": message}).encode()
    return Answer(status, {"x-amzn-ErrorType": code}, body)


def _query(status: int, code: str, message: str) -> Answer:
    said = f"<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>"
    text = f"<ErrorResponse><Error>{said}</Error><RequestId>r-1</RequestId></ErrorResponse>"
    return Answer(status, {"Content-Type": "text/xml"}, text.encode())


ROLE: Final = "arn:aws:iam::000000000000:role/it"
EXPRESS: Final = {"infrastructure_role": ROLE, "execution_role": ROLE}
BATCH: Final = {"job_queue": "jobs", "execution_role": ROLE, "scheduler_role": ROLE}
APP_RUNNER: Final = {"backend": "app-runner", "access_role": ROLE}

Wire = Callable[[int, str, str], Answer]
Call = Callable[[LCPlatform], object]
DOORS: Final[Mapping[str, tuple[Wire, Mapping[str, object], Call]]] = {
    "s3": (s3_error, {}, lambda it: it.object_store.list_objects("shelf")),
    "sqs": (json_error, {}, lambda it: it.queue.list_queues()),
    "secretsmanager": (json_error, {}, lambda it: it.secrets.list_secrets()),
    "events": (json_error, {}, lambda it: it.event_bus.list_event_buses()),
    "sns": (_query, {}, lambda it: it.notification.list_topics()),
    "sesv2": (
        _rest_json,
        {"notification": {"sender": "it@example.com"}},
        lambda it: it.notification.send_email(to=["ada@example.com"], subject="Hi", text="Hello"),
    ),
    "pinpoint-sms-voice-v2": (
        json_error,
        {"notification": {"sms": "end-user-messaging"}},
        lambda it: it.notification.send_sms("+12025550100", "hello"),
    ),
    "appconfig": (
        _rest_json,
        {},
        lambda it: it.configuration.list_configurations(application="shop"),
    ),
    "appconfigdata": (_rest_json, {}, lambda it: it.configuration.get_configuration("shop", "x")),
    "batch": (_rest_json, {"batch": BATCH}, lambda it: it.batch.list_jobs()),
    "scheduler": (_rest_json, {"batch": BATCH}, lambda it: it.batch.list_schedules()),
    "ecs": (json_error, {"web_hosting": EXPRESS}, lambda it: it.web_hosting.list_applications()),
    "apprunner": (
        json_error,
        {"web_hosting": APP_RUNNER},
        lambda it: it.web_hosting.list_applications(),
    ),
}
"""By service: how its errors are written, the options, and a call that begins with a request to it."""
STATUSES: Final = {"internal": 500, "unavailable": 503, "throttled": 429, "not_found": 404}


def answered(platform: LCPlatform, stub: Stub, answer: Answer, call: Call) -> LCPlatformError:
    """The error for an answer, which ends the call."""
    asked = len(stub.asked)
    stub.otherwise = lambda _: answer
    with pytest.raises(LCPlatformError) as caught:
        call(platform)
    first, *others = [(it.method, it.path) for it in stub.asked[asked:]]
    assert first not in others
    assert "hush" not in f"{caught.value!r} {caught.value} {caught.value.details}"
    return caught.value


def answers(source: str) -> dict[str, str]:
    """Each code that a service answers with: one of its own, or one that all have."""
    own = dict(entries(source, KNOWN["answers"][source]))
    both = {**dict(entries("common", KNOWN["common"])), **own}
    otherwise = {code: category for code, (category, _) in OTHERWISE.get(source, {}).items()}
    return {code: it for code, it in {**both, **otherwise}.items() if not code.isdigit()}


@pytest.mark.parametrize("source", DOORS)
def test_every_code_of_a_service_means_what_it_says(
    source: str, at_stub: AtStub, stub: Stub
) -> None:
    wire, options, call = DOORS[source]
    platform = at_stub(max_attempts=1, **options)
    found = {}
    for code, category in answers(source).items():
        error = answered(platform, stub, wire(STATUSES.get(category, 400), code, "no"), call)
        assert error.details["code"] == code
        found[code] = told(error, category)
    assert {code: problem for code, problem in found.items() if problem} == {}


def test_every_older_code_means_what_the_newer_one_does(at_stub: AtStub, stub: Stub) -> None:
    platform = at_stub(max_attempts=1)
    newer = answers("sqs")
    found = {}
    for code, name in KNOWN["aliases"].items():
        answer = json_error(400, f"com.amazonaws.sqs#{name}", x_amzn_query_error=f"{code};Sender")
        error = answered(platform, stub, answer, lambda it: it.queue.list_queues())
        found[code] = told(error, newer[name])
    assert {code: problem for code, problem in found.items() if problem} == {}


def test_every_status_that_comes_alone_means_what_it_says(at_stub: AtStub, stub: Stub) -> None:
    """The answer to a HEAD has no body that could hold a code."""
    platform = at_stub(max_attempts=1)
    found = {}
    for status, category in entries("statuses", KNOWN["statuses"]):
        error = answered(
            platform,
            stub,
            Answer(int(status)),
            lambda it: it.object_store.head_object("shelf", "b"),
        )
        found[status] = told(error, category)
    assert {status: problem for status, problem in found.items() if problem} == {}


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_every_code_of_who_gives_credentials_means_what_it_says(
    at_stub: AtStub, stub: Stub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A process with an identity of its own gets its credentials in the course of a call."""
    (tmp_path / "token").write_text("s3cret-token", encoding="utf-8")
    for name, value in {
        "AWS_ROLE_ARN": ROLE,
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
        "AWS_ENDPOINT_URL_STS": stub.url,
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    platform = at_stub(max_attempts=1, access_key_id=None, secret_access_key=None)
    found = {}
    for code, category in answers("sts").items():
        answer = _query(STATUSES.get(category, 400), code, "no")
        error = answered(platform, stub, answer, lambda it: it.queue.list_queues())
        assert "s3cret-token" not in f"{error!r} {error} {error.details}"
        found[code] = told(error, category)
    assert {code: problem for code, problem in found.items() if problem} == {}


# --- what comes from elsewhere


def test_every_sqlstate_that_a_server_says_means_what_it_says(data: DataStore) -> None:
    found = {}
    for code, category in entries("sqlstates", KNOWN["sqlstates"]):
        with pytest.raises(LCPlatformError) as caught:
            data.execute(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$")
        assert caught.value.details["sqlstate"] == code
        found[code] = told(caught.value, category)
    assert {code: problem for code, problem in found.items() if problem} == {}


def test_every_number_of_a_document_server_means_what_it_says() -> None:
    """That each comes to the platform's client so is shown where a server that speaks the protocol refuses."""
    found = {}
    for number, category in entries("documents", KNOWN["documents"]):
        meaning = of_code(int(number), SAYS.get(number, ""), "insert_document")
        kind = None if meaning is None else meaning.kind
        found[number] = "" if kind is KINDS[category] else f"{kind}, not {category}"
    assert {number: problem for number, problem in found.items() if problem} == {}


def test_every_exception_of_the_sdk_means_what_it_says() -> None:
    found = {}
    for name, category in entries("sdk", KNOWN["sdk"]):
        module, _, kind = name.rpartition(".")
        exception = getattr(importlib.import_module(module), kind)
        error = translate(exception.__new__(exception), LIST_QUEUES)
        # Of what is unknown to the provider, the pipeline makes an InternalError.
        found[name] = told(error or InternalError("unknown"), category)
    assert {name: problem for name, problem in found.items() if problem} == {}


def test_every_refusal_of_an_issuer_means_what_it_says() -> None:
    found = {}
    for code, category in entries("oauth", KNOWN["oauth"]):
        status = 429 if code == "too_many_attempts" else 400
        found[code] = told(of_answer(status, {}, {"error": code}), category)
    assert {code: problem for code, problem in found.items() if problem} == {}
