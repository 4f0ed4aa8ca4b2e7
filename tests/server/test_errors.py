"""Every error comes out of the wire as it went in, and nothing else comes with it."""

from __future__ import annotations

import base64
import logging
from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, ResourceInfo, RetryInfo
from google.rpc.status_pb2 import Status
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from lcplatform import LCPlatform
from lcplatform.mocks import Mocks
from lcplatform.queue.operations import GET_QUEUE, SEND_MESSAGE
from lcplatform.secrets.operations import CREATE_SECRET
from lcplatform.secrets.v1 import secrets_pb2
from lcplatform_grpc.errors import DETAILS_KEY, read_status, status_of, trailers_of
from lcplatform_grpc.transport import translate
from lcplatform_runtime.errors import (
    ERRORS,
    AuthenticationError,
    ConflictError,
    DeadlineExceededError,
    FieldViolation,
    InternalError,
    LCPlatformError,
    OperationCancelledError,
    Outcome,
    PermissionDeniedError,
    QuotaExceededError,
    ResourceNotFoundError,
    ServiceUnavailableError,
    UnsupportedError,
    ValidationError,
)
from lcplatform_server.server import Server
from tests.server.raw import raw_call

# What protobuf takes as text, and short enough for a header.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
NAME = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


def violations() -> st.SearchStrategy[FieldViolation]:
    """Of fields, and of values inside of fields."""
    fields = st.builds(FieldViolation, field=NAME, description=TEXT)
    known = st.none() | TEXT
    values = st.builds(FieldViolation, NAME, TEXT, path=TEXT, expected=known, actual=known)
    return fields | values


@st.composite
def errors(draw: st.DrawFn) -> LCPlatformError:
    kind = draw(st.sampled_from(list(ERRORS.values())))
    return kind(
        draw(TEXT),
        operation=draw(st.none() | NAME),
        resource=draw(st.none() | NAME),
        retryable=draw(st.booleans()),
        outcome=draw(st.sampled_from(Outcome)),
        retry_after=draw(st.none() | st.timedeltas(timedelta(0), timedelta(days=9999))),
        request_id=draw(st.none() | NAME),
        details=draw(st.dictionaries(NAME, TEXT, max_size=4)),
        violations=draw(st.lists(violations(), max_size=4)),
    )


@given(errors())
def test_an_error_survives_its_status(error: LCPlatformError) -> None:
    read = read_status(status_of(error).SerializeToString())
    assert read is not None
    assert read.fields() == error.fields()
    assert read.from_server


# What only the server's own credentials can mean is told apart below.
REPORTED = errors().filter(lambda error: not isinstance(error, AuthenticationError))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(error=REPORTED)
def test_an_error_of_a_driver_reaches_the_caller_with_every_field(
    mocks: Mocks, client: LCPlatform, error: LCPlatformError
) -> None:
    mocks.queue.on_send_message.reset()
    # No text is taken for another secret, and no retry is due.
    error.operation, error.resource, error.retryable = "Queue.SendMessage", "orders", False
    mocks.queue.on_send_message.raises(error)
    with pytest.raises(type(error)) as caught:
        client.queue.send_message("orders", body="hello")
    assert caught.value.fields() == error.fields()
    assert caught.value.from_server


def test_a_status_has_the_details_that_every_language_knows() -> None:
    error = QuotaExceededError(
        "slow down",
        operation="Queue.SendMessage",
        resource="orders",
        retry_after=timedelta(seconds=1.5),
        request_id="r-1",
        details={"vendor_code": "SlowDown"},
        violations=[FieldViolation("body", "must be shorter")],
    )
    status = status_of(error)
    info, retry, refused, about = ErrorInfo(), RetryInfo(), BadRequest(), ResourceInfo()
    for detail, message in zip(status.details, (info, retry, refused, about), strict=True):
        assert detail.Unpack(message)
    assert status.code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
    assert (info.domain, info.reason) == ("lcplatform", "QUOTA_EXCEEDED")
    assert dict(info.metadata) == {
        "operation": "Queue.SendMessage",
        "resource": "orders",
        "request_id": "r-1",
        "retryable": "true",
        "outcome": "not_executed",
        "detail.vendor_code": "SlowDown",
    }
    assert retry.retry_delay.ToTimedelta() == timedelta(seconds=1.5)
    assert refused.field_violations[0].field == "body"
    assert (about.resource_type, about.resource_name) == ("Queue", "orders")


@pytest.mark.parametrize(
    "error",
    [
        ValidationError(
            "wrong", violations=[FieldViolation(f"entries.{n}.name", "x" * 90) for n in range(500)]
        ),
        ValidationError("wrong", details={str(n): "ü" * 90 for n in range(500)}),
        InternalError("é" * 50_000),
        InternalError("x", resource="r" * 50_000),
    ],
    ids=["violations", "details", "message", "resource"],
)
def test_an_error_that_is_too_large_for_a_header_is_cut_to_fit(error: LCPlatformError) -> None:
    text, ((key, serialized),) = trailers_of(error)
    assert key == DETAILS_KEY
    assert len(base64.b64encode(serialized)) + 3 * len(text.encode()) < 8 * 1024
    read = read_status(serialized)
    assert type(read) is type(error)
    assert error.message.startswith(text.removesuffix("…"))


def test_halves_of_surrogate_pairs_do_not_break_the_status() -> None:
    read = read_status(
        status_of(InternalError("a\ud800b", details={"\udfff": "\ud800"})).SerializeToString()
    )
    assert read is not None
    assert read.message == "a?b"


def test_a_large_error_passes_a_real_connection(mocks: Mocks, client: LCPlatform) -> None:
    mocks.queue.on_get_queue.raises(InternalError("é" * 50_000, retryable=False))
    with pytest.raises(InternalError) as caught:
        client.queue.get_queue("orders")
    assert caught.value.from_server


def test_a_status_of_somebody_else_is_not_taken_for_ours() -> None:
    foreign = status_of(ConflictError("x"))
    info = ErrorInfo(domain="example.com", reason="CONFLICT")
    foreign.details[0].Pack(info)
    assert read_status(foreign.SerializeToString()) is None
    assert read_status(Status(code=10).SerializeToString()) is None
    assert read_status(b"\xff\xff\xff") is None


def test_a_code_of_a_newer_contract_is_an_internal_error() -> None:
    status = status_of(ConflictError("x"))
    info = ErrorInfo()
    status.details[0].Unpack(info)
    info.reason = "FROM_THE_FUTURE"
    status.details[0].Pack(info)
    assert type(read_status(status.SerializeToString())) is InternalError


def test_the_servers_own_refused_credentials_are_its_own_affair(
    mocks: Mocks, client: LCPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    refused = AuthenticationError("the security token is expired", request_id="r-9")
    mocks.queue.on_get_queue.raises(refused)
    with (
        caplog.at_level(logging.ERROR, "lcplatform.server"),
        pytest.raises(ServiceUnavailableError) as caught,
    ):
        client.queue.get_queue("orders")
    assert not caught.value.retryable
    assert "expired" not in str(caught.value)
    assert caught.value.request_id == "r-9"
    assert "the security token is expired" in caplog.text


def test_what_breaks_inside_the_server_is_not_told_to_callers(
    mocks: Mocks, client: LCPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    mocks.queue.on_send_message.returns(lambda request: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(InternalError) as caught:
        client.queue.send_message("orders", body="hello")
    assert caught.value.message == "the server failed unexpectedly"
    assert caught.value.details == {}
    assert "AttributeError" in caplog.text


def test_a_secret_does_not_leave_with_an_error(
    mocks: Mocks, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    canary = "canary-c0ffee"
    mocks.secrets.on_create_secret.raises(RuntimeError(f"cannot store {canary}"), times=None)
    request = secrets_pb2.CreateSecretRequest(
        name="database", value=secrets_pb2.SecretValue(text=canary)
    )
    with pytest.raises(grpc.RpcError) as caught:
        raw_call(server, CREATE_SECRET, request)
    trailers: Any = caught.value.trailing_metadata()
    assert DETAILS_KEY in dict(trailers)
    assert canary not in repr(trailers)
    assert canary not in (caught.value.details() or "")
    assert canary not in caplog.text


class _Failed(grpc.RpcError):
    """A call that failed on its way."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        self._code = code
        self._details = details

    @override
    def code(self) -> grpc.StatusCode:
        return self._code

    @override
    def details(self) -> str:
        return self._details

    @override
    def trailing_metadata(self) -> tuple[()]:
        return ()


@pytest.mark.parametrize(
    ("code", "details", "kind", "retryable", "outcome"),
    [
        (
            "UNAVAILABLE",
            "failed to connect to all addresses; last error: …",
            ServiceUnavailableError,
            True,
            Outcome.NOT_EXECUTED,
        ),
        (
            "UNAVAILABLE",
            "errors resolving nohost:33: […]",
            ServiceUnavailableError,
            True,
            Outcome.NOT_EXECUTED,
        ),
        (
            "RESOURCE_EXHAUSTED",
            "Concurrent RPC limit exceeded!",
            ServiceUnavailableError,
            True,
            Outcome.NOT_EXECUTED,
        ),
        ("UNAVAILABLE", "Socket closed", ServiceUnavailableError, True, Outcome.UNKNOWN),
        ("DEADLINE_EXCEEDED", "Deadline Exceeded", DeadlineExceededError, True, Outcome.UNKNOWN),
        (
            "CANCELLED",
            "Locally cancelled by application!",
            OperationCancelledError,
            False,
            Outcome.UNKNOWN,
        ),
        ("INTERNAL", "Received RST_STREAM with error code 2", InternalError, True, Outcome.UNKNOWN),
        ("UNKNOWN", "Stream removed", InternalError, False, Outcome.UNKNOWN),
        (
            "RESOURCE_EXHAUSTED",
            "Received message larger than max",
            QuotaExceededError,
            False,
            Outcome.UNKNOWN,
        ),
        ("PERMISSION_DENIED", "from a proxy", PermissionDeniedError, False, Outcome.UNKNOWN),
        ("NOT_FOUND", "from a proxy", ResourceNotFoundError, False, Outcome.UNKNOWN),
    ],
)
def test_a_failure_of_the_connection_says_what_may_have_happened(
    code: str, details: str, kind: type[LCPlatformError], retryable: bool, outcome: Outcome
) -> None:
    error = translate(_Failed(grpc.StatusCode[code], details), SEND_MESSAGE)
    assert isinstance(error, kind)
    assert (error.retryable, error.outcome, error.from_server) == (retryable, outcome, False)
    assert details in error.message


class _Contradicting(_Failed):
    """A status that says one thing and an error inside of it that says another."""

    @override
    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:  # type: ignore[override]
        _, trailers = trailers_of(ConflictError("stale"))
        return trailers


@pytest.mark.parametrize("status", ["UNKNOWN", "NOT_FOUND", "UNAVAILABLE"])
def test_a_server_that_contradicts_itself_is_not_believed(status: str) -> None:
    error = translate(_Contradicting(grpc.StatusCode[status], "stale"), SEND_MESSAGE)
    assert isinstance(error, InternalError)
    assert "contradicts itself" in error.message
    assert error.from_server
    assert not error.retryable


def test_a_status_that_agrees_with_its_error_is_that_error() -> None:
    error = translate(_Contradicting(grpc.StatusCode.ABORTED, "stale"), SEND_MESSAGE)
    assert isinstance(error, ConflictError)


def test_an_unknown_rpc_means_another_version_of_the_contract() -> None:
    error = translate(_Failed(grpc.StatusCode.UNIMPLEMENTED, "Method not found!"), GET_QUEUE)
    assert isinstance(error, UnsupportedError)
    assert "/lcplatform.queue.v1.QueueService/GetQueue" in error.message
    assert "different versions of the contract" in error.message


def test_an_exception_that_is_not_of_grpc_is_not_translated() -> None:
    assert translate(RuntimeError("x"), GET_QUEUE) is None
