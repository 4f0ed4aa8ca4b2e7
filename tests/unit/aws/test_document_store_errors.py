"""What a document server reports, in the platform's words: every number that is known, through the driver and a real socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

import pytest
from bson.errors import InvalidBSON
from pymongo import errors as vendor

from lcplatform import CallOptions, LCPlatform, PlatformSettings, RetryPolicy
from lcplatform.document_store.operations import CREATE_INDEX, FIND_DOCUMENTS, INSERT_DOCUMENT
from lcplatform_aws.document_store_errors import BY_CODE, BY_MESSAGE
from lcplatform_aws.errors import translate
from lcplatform_runtime.errors import (
    AlreadyExistsError,
    AuthenticationError,
    ConflictError,
    DeadlineExceededError,
    InternalError,
    LCPlatformError,
    OperationCancelledError,
    Outcome,
    PermissionDeniedError,
    PreconditionFailedError,
    QuotaExceededError,
    ResourceNotFoundError,
    ServiceUnavailableError,
    UnsupportedError,
    ValidationError,
)
from tests.unit.aws.mongo import Answer, Command, Mongo

NOT, UNKNOWN = Outcome.NOT_EXECUTED, Outcome.UNKNOWN
Expected = tuple[type[LCPlatformError], bool, Outcome]

INTERNAL: Expected = (InternalError, True, UNKNOWN)
VALIDATION: Expected = (ValidationError, False, NOT)
UNAVAILABLE: Expected = (ServiceUnavailableError, True, NOT)
BROKEN_OFF: Expected = (ServiceUnavailableError, True, UNKNOWN)
CONFLICT: Expected = (ConflictError, True, NOT)
LATE: Expected = (DeadlineExceededError, True, UNKNOWN)
EXISTS: Expected = (AlreadyExistsError, False, NOT)
MISSING: Expected = (ResourceNotFoundError, False, NOT)
PRECONDITION: Expected = (PreconditionFailedError, False, NOT)
UNSUPPORTED: Expected = (UnsupportedError, False, NOT)
UNAUTHENTICATED: Expected = (AuthenticationError, False, NOT)
DENIED: Expected = (PermissionDeniedError, False, NOT)
EXHAUSTED: Expected = (QuotaExceededError, False, NOT)
THROTTLED: Expected = (QuotaExceededError, True, NOT)
CANCELLED: Expected = (OperationCancelledError, False, UNKNOWN)

CODES: Final[dict[int, Expected]] = {
    **dict.fromkeys((1, 8, 96, 125, 211), INTERNAL),
    **dict.fromkeys((2, 4, 9, 14, 16, 20, 22, 28, 40, 52, 53, 61, 66, 67, 72, 73, 79), VALIDATION),
    **dict.fromkeys((121, 165, 197, 241, 260, 10334, 17280, 31249, 51024), VALIDATION),
    **dict.fromkeys((51091, 51108), VALIDATION),
    **dict.fromkeys((6, 7, 91, 133, 134, 175, 189, 222, 234, 291, 317, 358, 365, 371), UNAVAILABLE),
    **dict.fromkeys((384, 10058, 10107, 13388, 13435, 13436, 14031), UNAVAILABLE),
    **dict.fromkeys((89, 9001, 11600, 11602), BROKEN_OFF),
    **dict.fromkeys((11, 18, 334, 391), UNAUTHENTICATED),
    13: DENIED,
    **dict.fromkeys((24, 46, 112, 117, 239, 244, 246, 251, 267, 314), CONFLICT),
    225: (ConflictError, False, NOT),
    **dict.fromkeys((26, 27, 31), MISSING),
    **dict.fromkeys((43, 100, 136, 206, 217, 237, 256, 280, 286, 346, 351), PRECONDITION),
    **dict.fromkeys((48, 68, 85, 86, 11000, 11001, 12582), EXISTS),
    **dict.fromkeys((50, 64, 202, 262, 290), LATE),
    **dict.fromkeys((59, 101, 115, 166, 167, 168, 224, 238, 263, 304), UNSUPPORTED),
    **dict.fromkeys((322, 323, 352, 40324), UNSUPPORTED),
    **dict.fromkeys((146, 257, 261, 292, 388), EXHAUSTED),
    **dict.fromkeys((402, 433, 449, 16500), THROTTLED),
    **dict.fromkeys((279, 11601, 46841), CANCELLED),
    # Nobody knows it: it may have done anything.
    424242: (InternalError, False, UNKNOWN),
    # At MongoDB they mean that data is damaged and that hosts are split.
    301: (InternalError, False, UNKNOWN),
    303: (InternalError, False, UNKNOWN),
}
MESSAGES: Final = (
    (301, "Retryable writes are not supported", UNSUPPORTED),
    (303, "Feature not supported: $facet", UNSUPPORTED),
    (20, "Transaction numbers are only allowed on a replica set member or mongos", UNSUPPORTED),
    (67, "too many indexes for things", EXHAUSTED),
)


@contextmanager
def on(server: Mongo, *, max_attempts: int = 1, **more: object) -> Iterator[LCPlatform]:
    policy = RetryPolicy(max_attempts=max_attempts, base_delay=timedelta(0))
    store = {"host": "127.0.0.1", "port": server.port, "authentication": "none", "tls": False}
    options: dict[str, Any] = {"document_store": {**store, **more}}
    with LCPlatform("aws", settings=PlatformSettings(retry=policy), **options) as platform:
        yield platform


@pytest.fixture(scope="module")
def refusing() -> Iterator[tuple[Mongo, LCPlatform]]:
    """A server that fails as the test says, and a platform on it."""
    with Mongo(lambda command: {"ok": 1}) as server, on(server) as platform:
        yield server, platform


def refuse(server: Mongo, code: int, message: str) -> None:
    server.answer = lambda command: {"ok": 0, "code": code, "errmsg": message, "codeName": "Some"}


def check(problem: LCPlatformError, expected: Expected) -> None:
    assert (type(problem), problem.retryable, problem.outcome) == expected


@pytest.mark.parametrize("code", CODES)
def test_a_number_of_the_server_means_what_it_says(
    refusing: tuple[Mongo, LCPlatform], code: int
) -> None:
    server, platform = refusing
    refuse(server, code, "it failed")
    with pytest.raises(LCPlatformError) as caught:
        platform.document_store.insert_document("things", {"_id": "1"})
    check(caught.value, CODES[code])
    assert caught.value.details["code"] == str(code)
    assert isinstance(caught.value.__cause__, vendor.PyMongoError)


@pytest.mark.parametrize(("code", "message", "expected"), MESSAGES)
def test_a_number_with_two_meanings_means_what_its_message_says(
    refusing: tuple[Mongo, LCPlatform], code: int, message: str, expected: Expected
) -> None:
    server, platform = refusing
    refuse(server, code, message)
    with pytest.raises(LCPlatformError) as caught:
        platform.document_store.insert_document("things", {"_id": "1"})
    check(caught.value, expected)


def test_every_number_that_is_known_is_tried_here() -> None:
    assert {*BY_CODE, *(code for code, _, _ in BY_MESSAGE)} <= set(CODES)


def test_what_the_server_quotes_of_a_document_is_not_told(
    refusing: tuple[Mongo, LCPlatform],
) -> None:
    server, platform = refusing
    refuse(server, 11000, 'E11000 duplicate key error index: mail_1 dup key: { mail: "ada@home" }')
    with pytest.raises(AlreadyExistsError) as caught:
        platform.document_store.insert_document("things", {"mail": "ada@home"})
    assert "mail_1" in str(caught.value)
    assert "ada@home" not in str(caught.value)


def test_what_breaks_a_new_unique_index_is_a_state_of_the_collection() -> None:
    error = translate(vendor.DuplicateKeyError("E11000", 11000), CREATE_INDEX)
    assert isinstance(error, PreconditionFailedError)


@pytest.mark.parametrize(
    ("exception", "expected"),
    [
        (vendor.ServerSelectionTimeoutError("nobody"), UNAVAILABLE),
        (vendor.WaitQueueTimeoutError("nobody"), UNAVAILABLE),
        (vendor.NotPrimaryError("not primary"), UNAVAILABLE),
        (vendor.NetworkTimeout("timed out"), BROKEN_OFF),
        (vendor.AutoReconnect("connection closed"), BROKEN_OFF),
        (vendor.ConnectionFailure("broken"), BROKEN_OFF),
        (vendor.WriteConcernError("not replicated", 100), PRECONDITION),
        (vendor.WriteConcernError("not replicated"), BROKEN_OFF),
        (vendor.WTimeoutError("late"), LATE),
        (vendor.ExecutionTimeout("late", 50), LATE),
        (vendor.WriteError("refused"), VALIDATION),
        (vendor.DuplicateKeyError("there"), EXISTS),
        (vendor.CollectionInvalid("there"), EXISTS),
        (vendor.CursorNotFound("gone"), PRECONDITION),
        (vendor.BulkWriteError({"writeErrors": [], "writeConcernErrors": [{}]}), BROKEN_OFF),
        (vendor.ConfigurationError("pymongo[aws] is missing"), VALIDATION),
        (vendor.InvalidURI("no"), VALIDATION),
        (vendor.InvalidName("no"), VALIDATION),
        (vendor.DocumentTooLarge("no"), VALIDATION),
        (vendor.InvalidOperation("no"), PRECONDITION),
        (vendor.ProtocolError("no"), INTERNAL),
        (vendor.EncryptionError(ValueError("no")), INTERNAL),
        (vendor.OperationFailure("no"), (InternalError, False, UNKNOWN)),
        (vendor.PyMongoError("no"), (InternalError, False, UNKNOWN)),
        (InvalidBSON("no"), (InternalError, False, NOT)),
    ],
    ids=lambda it: type(it).__name__,
)
def test_an_exception_without_a_number_means_what_its_class_says(
    exception: Exception, expected: Expected
) -> None:
    error = translate(exception, INSERT_DOCUMENT)
    assert error is not None
    check(error, expected)


def test_a_server_that_asks_for_patience_is_a_quota() -> None:
    exception = vendor.OperationFailure("busy", 424242, {"errorLabels": ["SystemOverloadedError"]})
    error = translate(exception, FIND_DOCUMENTS)
    assert error is not None
    check(error, THROTTLED)


# --- what happens to calls


def test_a_write_whose_answer_is_lost_is_sent_once_and_its_outcome_is_unknown() -> None:
    with Mongo(lambda command: None) as server, on(server, max_attempts=3) as platform:
        with pytest.raises(ServiceUnavailableError) as caught:
            platform.document_store.insert_document("things", {"_id": "1"})
        assert caught.value.outcome is UNKNOWN
        assert len(server.named("insert")) == 1


def test_a_write_whose_answer_is_lost_is_repeated_by_its_number_where_the_server_knows_numbers() -> (
    None
):
    seen: list[Command] = []

    def answer(command: Command) -> Answer:
        seen.append(command)
        return None if len(seen) == 1 else {"ok": 1, "n": 1}

    with Mongo(answer, version="8.0.2") as server, on(server) as platform:
        platform.document_store.insert_document("things", {"_id": "1"})
    assert [it["txnNumber"] for it in seen] == [1, 1]


@pytest.mark.parametrize("version", ["5.0.0", "8.0.0", "8.0.1"])
def test_a_server_that_knows_no_repeated_writes_is_sent_no_numbers(version: str) -> None:
    with (
        Mongo(lambda command: {"ok": 1, "n": 1}, version=version) as server,
        on(server) as platform,
    ):
        platform.document_store.insert_document("things", {"_id": "1"})
        assert "txnNumber" not in server.named("insert")[0]


def test_a_read_whose_answer_is_lost_is_repeated() -> None:
    def answer(command: Command) -> Answer:
        if len(server.commands) == 1:
            return None
        found = [{"_id": "1"}]
        return {"ok": 1, "cursor": {"id": 0, "ns": "lcplatform.things", "firstBatch": found}}

    with Mongo(answer) as server, on(server, max_attempts=3) as platform:
        found = platform.document_store.find_documents("things")
        assert len(found.documents) == 1
        assert len(server.named("find")) == 2


def test_a_server_that_does_not_answer_is_waited_for_until_the_deadline() -> None:
    held: list[socket.socket] = []

    def answer(command: Command) -> Answer:
        # Nothing comes for a second.
        with socket.create_server(("127.0.0.1", 0)) as waiting:
            waiting.settimeout(1)
            held.append(waiting)
            with pytest.raises(TimeoutError):
                waiting.accept()
        return {"ok": 1, "n": 1}

    with Mongo(answer) as server, on(server, max_attempts=3) as platform:
        platform.document_store.list_collections()
        with pytest.raises(DeadlineExceededError) as caught:
            platform.document_store.insert_document(
                "things", {"_id": "1"}, options=CallOptions(deadline=timedelta(seconds=0.3))
            )
        assert caught.value.outcome is UNKNOWN
        assert len(server.named("insert")) == 1


def test_where_nobody_listens_nothing_was_done() -> None:
    with Mongo(lambda command: {"ok": 1}) as server:
        port = server.port
    with (
        LCPlatform(
            "aws",
            document_store={
                "host": "127.0.0.1",
                "port": port,
                "authentication": "none",
                "tls": False,
                "server_selection_timeout": 0.2,
            },
            settings=PlatformSettings(retry=RetryPolicy(max_attempts=1)),
        ) as platform,
        pytest.raises(ServiceUnavailableError) as caught,
    ):
        platform.document_store.insert_document("things", {"_id": "1"})
    assert caught.value.outcome is NOT
    assert caught.value.retryable


def test_a_commit_whose_answer_is_lost_leaves_the_outcome_unknown() -> None:
    def answer(command: Command) -> Answer:
        if "commitTransaction" in command:
            return None
        found = {"id": 0, "ns": "lcplatform.things", "firstBatch": []}
        return {"ok": 1, "n": 1, "cursor": found}

    with Mongo(answer) as server, on(server, max_attempts=3) as platform:
        store = platform.document_store
        transaction = store.begin_transaction().transaction
        store.insert_document("things", {"_id": "1"}, transaction=transaction)
        with pytest.raises(ServiceUnavailableError) as caught:
            store.commit_transaction(transaction)
        assert caught.value.outcome is UNKNOWN
        with pytest.raises(ResourceNotFoundError):
            store.commit_transaction(transaction)
        # The protocol's own repetition, which cannot commit twice.
        assert len(server.named("commitTransaction")) == 2


def test_a_transaction_takes_part_in_what_it_is_named_in_and_sees_one_state() -> None:
    found = {"id": 0, "ns": "lcplatform.things", "firstBatch": []}
    with (
        Mongo(lambda command: {"ok": 1, "n": 1, "cursor": found}) as server,
        on(server) as platform,
    ):
        store = platform.document_store
        transaction = store.begin_transaction().transaction
        store.insert_document("things", {"_id": "1"}, transaction=transaction)
        store.commit_transaction(transaction)
        first, insert, commit = server.named("find", "insert", "commitTransaction")
        assert first["startTransaction"] is True
        assert first["readConcern"]["level"] == "snapshot"
        assert first["lsid"] == insert["lsid"] == commit["lsid"]
        assert insert["autocommit"] is False
        assert commit["writeConcern"]["w"] == "majority"
