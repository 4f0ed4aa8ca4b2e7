"""Secrets Manager on the wire: what it does rarely, and what is peculiar to it."""

from __future__ import annotations

import json
import logging
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lcplatform import CallOptions, LCPlatform
from lcplatform.errors import (
    AlreadyExistsError,
    ConflictError,
    InternalError,
    LCPlatformError,
    Outcome,
    PreconditionFailedError,
    QuotaExceededError,
    ResourceNotFoundError,
    ValidationError,
)
from lcplatform.secrets.models import VersionStage
from lcplatform_aws.values import token_for
from lcplatform_runtime.json_value import Json
from tests.unit.aws.stub import Answer, Asked, Stub, json_answer, json_error

pytestmark = pytest.mark.usefixtures("judged")

CREATED = 1700000000.5
KEY = "5f3c1a52-8f0e-4c36-9d0a-2f1b7f9f5a01"
DELETED = "You can't perform this operation on the secret because it was marked for deletion."

Handler = Callable[[dict[str, Any]], Answer]


class SecretsManager:
    """Secrets Manager as far as a test needs it."""

    def __init__(self, stub: Stub) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.labels: dict[str, list[str]] = {"v1": ["AWSCURRENT"]}
        self.more: dict[str, Any] = {}
        self.does: dict[str, Handler | list[Answer]] = {
            "DescribeSecret": lambda _: json_answer(
                Name="token", CreatedDate=CREATED, VersionIdsToStages=self.labels, **self.more
            ),
            "UpdateSecretVersionStage": lambda _: json_answer(),
        }
        stub.otherwise = self._answer

    def _answer(self, asked: Asked) -> Answer:
        parameters: dict[str, Any] = dict(asked.json)
        self.asked.append((asked.target, parameters))
        what = self.does[asked.target]
        return what.pop(0) if isinstance(what, list) else what(parameters)

    def calls(self, target: str) -> list[dict[str, Any]]:
        return [parameters for name, parameters in self.asked if name == target]


@pytest.fixture
def aws(stub: Stub) -> SecretsManager:
    return SecretsManager(stub)


def value(**more: Any) -> Answer:
    return json_answer(
        **{
            "Name": "token",
            "VersionId": "v1",
            "VersionStages": ["AWSCURRENT"],
            "CreatedDate": CREATED,
            **more,
        }
    )


def stored(asked: dict[str, Any]) -> Answer:
    return json_answer(Name="token", VersionId=asked["ClientRequestToken"])


# --- values


def test_the_current_version_is_asked_for_by_its_label(
    platform: LCPlatform, aws: SecretsManager
) -> None:
    aws.does["GetSecretValue"] = lambda _: value(SecretString="hush")
    secret = platform.secrets.get_secret("token")
    assert aws.calls("GetSecretValue") == [{"SecretId": "token", "VersionStage": "AWSCURRENT"}]
    assert (secret.value, secret.version, secret.etag) == ("hush", "v1", "v1")
    assert secret.created_at == datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=UTC)


def test_another_version_has_no_etag(platform: LCPlatform, aws: SecretsManager) -> None:
    aws.does["GetSecretValue"] = lambda _: value(SecretString="old", VersionStages=[])
    assert platform.secrets.get_secret("token", version="v1").etag is None
    platform.secrets.get_secret("token", stage=VersionStage.PREVIOUS)
    assert aws.calls("GetSecretValue") == [
        {"SecretId": "token", "VersionId": "v1"},
        {"SecretId": "token", "VersionStage": "AWSPREVIOUS"},
    ]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"SecretString": "text"}, "text"),
        ({"SecretString": "[1, 2]"}, "[1, 2]"),
        ({"SecretString": "{not json"}, "{not json"),
        ({"SecretBinary": b64encode(b"\x00\xff").decode()}, b"\x00\xff"),
    ],
)
def test_a_value_is_what_it_was(
    platform: LCPlatform, aws: SecretsManager, answer: dict[str, Any], expected: str | bytes
) -> None:
    aws.does["GetSecretValue"] = lambda _: value(**answer)
    assert platform.secrets.get_secret("token").value == expected


def test_an_object_keeps_its_text(platform: LCPlatform, aws: SecretsManager) -> None:
    text = '{"id": 9007199254740993,  "b": 1.10}'
    aws.does["CreateSecret"] = stored
    aws.does["GetSecretValue"] = lambda _: value(SecretString=text)
    platform.secrets.create_secret("token", Json.from_text(text))
    read = platform.secrets.get_secret("token").value
    assert aws.calls("CreateSecret")[0]["SecretString"] == text
    assert isinstance(read, Json)
    assert read.text == text


def test_the_label_of_a_rotation_that_is_over_is_not_shown(
    platform: LCPlatform, aws: SecretsManager
) -> None:
    """AWS leaves it on the version that has become current."""
    aws.does["GetSecretValue"] = lambda _: value(
        SecretString="x", VersionStages=["AWSCURRENT", "AWSPENDING", "mine"]
    )
    assert platform.secrets.get_secret("token").stages == (VersionStage.CURRENT,)


def test_each_name_that_cannot_be_read_is_reported(
    platform: LCPlatform, aws: SecretsManager
) -> None:
    aws.does["BatchGetSecretValue"] = lambda _: json_answer(
        SecretValues=[{"Name": "a", "VersionId": "v1", "SecretString": "x"}],
        Errors=[
            {"SecretId": "b", "ErrorCode": "AccessDeniedException", "Message": "no"},
            {"SecretId": "c", "ErrorCode": "InvalidRequestException", "Message": DELETED},
            {"SecretId": "d", "ErrorCode": "InternalServiceError"},
        ],
    )
    answer = platform.secrets.get_secrets(["b", "a", "c", "gone", "d", "a"])
    assert aws.calls("BatchGetSecretValue") == [{"SecretIdList": ["b", "a", "c", "gone", "d"]}]
    assert [(it.index, it.name) for it in answer.successful] == [(1, "a"), (5, "a")]
    assert [(it.index, it.code, it.retryable) for it in answer.failed] == [
        (0, "permission_denied", False),
        (2, "precondition_failed", False),
        (3, "not_found", False),
        (4, "internal", True),
    ]


# --- writing


def test_the_idempotency_key_is_the_version(platform: LCPlatform, aws: SecretsManager) -> None:
    aws.does["PutSecretValue"] = stored
    answer = platform.secrets.put_secret_value("token", "x", idempotency_key=KEY)
    assert answer.version == KEY
    platform.secrets.put_secret_value("token", "x", options=CallOptions(idempotency_key=KEY))
    assert [it["ClientRequestToken"] for it in aws.calls("PutSecretValue")] == [KEY, KEY]


@pytest.mark.parametrize("key", ["short", "with_underscore" * 4, "x" * 100])
def test_a_key_that_aws_does_not_take_stands_for_one_that_it_does(key: str) -> None:
    token = token_for(key)
    assert token == token_for(key)
    assert 32 <= len(token) <= 64
    assert token.isalnum()
    assert token_for(None) != token_for(None)


def test_a_write_whose_answer_was_lost_is_repeated_only_with_a_key(
    platform: LCPlatform, aws: SecretsManager
) -> None:
    """The SDK makes up a token, but a new one for each call."""
    aws.does["PutSecretValue"] = [Answer(500), json_answer(VersionId=KEY)]
    platform.secrets.put_secret_value("token", "x", idempotency_key=KEY)
    aws.does["PutSecretValue"] = [Answer(500)]
    with pytest.raises(InternalError):
        platform.secrets.put_secret_value("token", "x")
    assert len(aws.calls("PutSecretValue")) == 3


def test_the_same_key_with_another_value_is_a_conflict(
    platform: LCPlatform, aws: SecretsManager
) -> None:
    exists = json_error(400, "ResourceExistsException")
    aws.does["PutSecretValue"] = aws.does["CreateSecret"] = lambda _: exists
    aws.does["ListSecretVersionIds"] = lambda _: json_answer(
        Versions=[{"VersionId": KEY, "CreatedDate": CREATED}]
    )
    with pytest.raises(ConflictError):
        platform.secrets.put_secret_value("token", "x", idempotency_key=KEY)
    with pytest.raises(ConflictError):
        platform.secrets.create_secret("token", "x", idempotency_key=KEY)
    with pytest.raises(AlreadyExistsError):
        platform.secrets.create_secret("token", "x", idempotency_key=KEY.replace("5", "6"))
    with pytest.raises(AlreadyExistsError):
        platform.secrets.create_secret("token", "x")


def test_the_name_of_a_deleted_secret_is_taken(platform: LCPlatform, aws: SecretsManager) -> None:
    text = "You can't create this secret because a secret with this name is already scheduled for deletion."
    aws.does["CreateSecret"] = lambda _: json_error(400, "InvalidRequestException", text)
    with pytest.raises(AlreadyExistsError):
        platform.secrets.create_secret("token", "x")


def test_a_stale_etag_writes_nothing(platform: LCPlatform, aws: SecretsManager) -> None:
    for write in (
        lambda: platform.secrets.put_secret_value("token", "x", if_match="v0"),
        lambda: platform.secrets.delete_secret("token", if_match="v0"),
        lambda: platform.secrets.restore_version("token", version="v0", if_match="v0"),
    ):
        with pytest.raises(ConflictError):
            write()
    assert {name for name, _ in aws.asked} == {"DescribeSecret"}


def test_a_pending_version_waits_beside_the_current_one(
    platform: LCPlatform, aws: SecretsManager
) -> None:
    aws.does["PutSecretValue"] = stored
    answer = platform.secrets.put_secret_value("token", "x", pending=True)
    assert aws.calls("PutSecretValue")[0]["VersionStages"] == ["AWSPENDING"]
    assert answer.etag == "v1"
    aws.labels["v2"] = ["AWSPENDING"]
    with pytest.raises(ConflictError):
        platform.secrets.put_secret_value("token", "x", pending=True)


def test_a_pending_version_that_is_put_again_with_its_key_is_no_conflict(
    platform: LCPlatform, aws: SecretsManager
) -> None:
    aws.does["PutSecretValue"] = stored
    aws.labels[KEY] = ["AWSPENDING"]
    answer = platform.secrets.put_secret_value("token", "x", pending=True, idempotency_key=KEY)
    assert answer.version == KEY


def test_the_label_of_a_rotation_that_is_over_does_not_hinder_the_next(
    platform: LCPlatform, aws: SecretsManager
) -> None:
    aws.does["PutSecretValue"] = stored
    aws.labels["v1"] = ["AWSCURRENT", "AWSPENDING"]
    platform.secrets.put_secret_value("token", "x", pending=True)


def test_too_many_versions_are_a_quota_and_no_throttling(
    platform: LCPlatform, aws: SecretsManager
) -> None:
    aws.does["PutSecretValue"] = [json_error(400, "LimitExceededException")]
    with pytest.raises(QuotaExceededError) as error:
        platform.secrets.put_secret_value("token", "x", idempotency_key=KEY)
    assert not error.value.retryable


# --- versions and rotation


def test_an_earlier_version_takes_the_place_of_the_one_that_was_seen(
    platform: LCPlatform, aws: SecretsManager
) -> None:
    aws.labels["v0"] = ["AWSPREVIOUS"]
    answer = platform.secrets.restore_version("token", version="v0", if_match="v1")
    assert (answer.version, answer.etag) == ("v0", "v0")
    assert aws.calls("UpdateSecretVersionStage") == [
        {
            "SecretId": "token",
            "VersionStage": "AWSCURRENT",
            "MoveToVersionId": "v0",
            "RemoveFromVersionId": "v1",
        }
    ]


def test_another_writer_in_between_is_a_conflict(platform: LCPlatform, aws: SecretsManager) -> None:
    aws.labels["v0"] = ["AWSPREVIOUS"]
    text = "The staging label AWSCURRENT is currently attached to version v2, not attached to version v1"
    aws.does["UpdateSecretVersionStage"] = lambda _: json_error(
        400, "InvalidParameterException", text
    )
    with pytest.raises(ConflictError):
        platform.secrets.restore_version("token", version="v0", if_match="v1")


def test_a_restored_version_whose_label_stays_is_not_in_conflict_with_itself(
    platform: LCPlatform, aws: SecretsManager
) -> None:
    aws.labels["v2"] = ["AWSPENDING"]
    throttled = json_error(400, "ThrottlingException")
    aws.does["UpdateSecretVersionStage"] = [json_answer(), throttled]
    with pytest.raises(QuotaExceededError) as error:
        platform.secrets.restore_version("token", version="v2", if_match="v1")
    assert error.value.outcome is Outcome.UNKNOWN
    assert len(aws.calls("UpdateSecretVersionStage")) == 2


def test_a_pending_version_that_becomes_current_no_longer_waits(
    platform: LCPlatform, aws: SecretsManager
) -> None:
    aws.labels["v2"] = ["AWSPENDING"]
    platform.secrets.restore_version("token", version="v2")
    assert [it["VersionStage"] for it in aws.calls("UpdateSecretVersionStage")] == [
        "AWSCURRENT",
        "AWSPENDING",
    ]


def test_a_version_without_a_label_is_looked_for(platform: LCPlatform, aws: SecretsManager) -> None:
    aws.does["ListSecretVersionIds"] = lambda _: json_answer(
        Versions=[{"VersionId": "v00", "CreatedDate": CREATED}]
    )
    platform.secrets.restore_version("token", version="v00")
    with pytest.raises(ResourceNotFoundError):
        platform.secrets.restore_version("token", version="v99")


def test_a_rotation_is_given_up_by_taking_its_label_away(
    platform: LCPlatform, aws: SecretsManager
) -> None:
    platform.secrets.cancel_rotation("token")
    assert not aws.calls("UpdateSecretVersionStage")
    aws.labels["v2"] = ["AWSPENDING"]
    platform.secrets.cancel_rotation("token")
    assert aws.calls("UpdateSecretVersionStage") == [
        {"SecretId": "token", "VersionStage": "AWSPENDING", "RemoveFromVersionId": "v2"}
    ]


def test_versions_come_newest_first_over_all_pages(
    platform: LCPlatform, aws: SecretsManager
) -> None:
    def listed(asked: dict[str, Any]) -> Answer:
        assert asked["IncludeDeprecated"] is True
        first = {"VersionId": "old", "CreatedDate": CREATED}
        second = {"VersionId": "new", "CreatedDate": CREATED + 1, "VersionStages": ["AWSCURRENT"]}
        if "NextToken" in asked:
            return json_answer(Versions=[second])
        return json_answer(Versions=[first], NextToken="more")

    aws.does["ListSecretVersionIds"] = listed
    page = platform.secrets.list_secret_versions("token", page_size=1)
    assert [it.version for it in page.versions] == ["new"]
    rest = platform.secrets.list_secret_versions(
        "token", page_size=1, page_token=page.next_page_token
    )
    assert ([it.version for it in rest.versions], rest.next_page_token) == (["old"], "")


def test_a_rotation_is_configured_and_not_begun(platform: LCPlatform, aws: SecretsManager) -> None:
    aws.more = {"NextRotationDate": CREATED}
    aws.does["RotateSecret"] = lambda _: json_answer(VersionId="v2")
    answer = platform.secrets.configure_rotation(
        "token", every=timedelta(days=30), handler="arn:aws:lambda:eu-west-1:1:function:f"
    )
    assert aws.calls("RotateSecret")[0] | {"ClientRequestToken": ""} == {
        "SecretId": "token",
        "ClientRequestToken": "",
        "RotationLambdaARN": "arn:aws:lambda:eu-west-1:1:function:f",
        "RotationRules": {"AutomaticallyAfterDays": 30},
        "RotateImmediately": False,
    }
    assert answer.next_rotation.year == 2023


def test_a_rotation_under_way_is_not_joined(platform: LCPlatform, aws: SecretsManager) -> None:
    text = "A previous rotation isn't complete. That rotation will be reattempted."
    aws.does["RotateSecret"] = lambda _: json_error(400, "InvalidRequestException", text)
    with pytest.raises(ConflictError):
        platform.secrets.rotate_secret("token")


# --- deleting


def test_deleting_again_keeps_the_first_date(platform: LCPlatform, aws: SecretsManager) -> None:
    aws.more = {"DeletedDate": CREATED}
    assert platform.secrets.delete_secret("token").purge_at.year == 2023
    assert not aws.calls("DeleteSecret")


def test_a_recovery_window_is_in_whole_days(platform: LCPlatform, aws: SecretsManager) -> None:
    aws.does["DeleteSecret"] = lambda _: json_answer(DeletionDate=CREATED)
    platform.secrets.delete_secret("token", recovery_window=timedelta(days=7))
    assert aws.calls("DeleteSecret") == [{"SecretId": "token", "RecoveryWindowInDays": 7}]
    with pytest.raises(ValidationError, match="recovery_window"):
        platform.secrets.delete_secret("token", recovery_window=timedelta(days=7.5))


def test_that_a_secret_is_deleted_comes_before_all_conditions(
    platform: LCPlatform, aws: SecretsManager
) -> None:
    aws.more = {"DeletedDate": CREATED}
    for change in (
        lambda: platform.secrets.put_secret_value("token", "x", if_match="v0"),
        lambda: platform.secrets.put_secret_value("token", "x", pending=True),
        lambda: platform.secrets.restore_version("token", version="v0", if_match="v0"),
        lambda: platform.secrets.cancel_rotation("token"),
    ):
        with pytest.raises(PreconditionFailedError):
            change()
    assert {name for name, _ in aws.asked} == {"DescribeSecret"}


def test_what_is_not_deleted_is_restored_already(platform: LCPlatform, aws: SecretsManager) -> None:
    aws.does["RestoreSecret"] = lambda _: json_error(400, "InvalidRequestException", "not deleted")
    platform.secrets.restore_secret("token")
    aws.more = {"DeletedDate": CREATED}
    with pytest.raises(PreconditionFailedError):
        platform.secrets.restore_secret("token")


def test_a_list_may_hold_what_was_deleted(platform: LCPlatform, aws: SecretsManager) -> None:
    aws.does["ListSecrets"] = lambda _: json_answer(
        SecretList=[
            {
                "Name": "shop/a",
                "CreatedDate": CREATED,
                "DeletedDate": CREATED,
                "Tags": [{"Key": "team", "Value": "pay"}],
                "SecretVersionsToStages": {"v1": ["AWSCURRENT"]},
            },
            {"Name": "shop/empty", "CreatedDate": CREATED},
        ]
    )
    listed = platform.secrets.list_secrets(prefix="shop/", include_deleted=True, page_size=5)
    assert aws.calls("ListSecrets") == [
        {
            "Filters": [{"Key": "name", "Values": ["shop/"]}],
            "IncludePlannedDeletion": True,
            "MaxResults": 5,
        }
    ]
    first, empty = listed.secrets
    assert (first.version, first.tags, first.purge_at is not None) == ("v1", {"team": "pay"}, True)
    assert (empty.version, empty.etag) == (None, None)


# --- silence


@pytest.mark.parametrize("fault", [None, "ValidationException", "InternalServiceError"])
def test_no_secret_reaches_a_log_or_an_error(
    platform: LCPlatform,
    aws: SecretsManager,
    caplog: pytest.LogCaptureFixture,
    fault: str | None,
) -> None:
    """Not even the SDK's own debug log, which writes down every request and answer."""
    canary = "c4n4ry-v4lue"
    refusal = json_error(400, fault or "", f"1 validation error: Value '{canary}' is not allowed")
    ok = stored if fault is None else lambda _: refusal
    aws.does |= {"CreateSecret": ok, "PutSecretValue": ok}
    aws.does["GetSecretValue"] = lambda _: value(SecretString=canary)
    aws.does["BatchGetSecretValue"] = lambda _: json_answer(
        SecretValues=[{"Name": "token", "VersionId": "v1", "SecretString": canary}]
    )
    shown: list[str] = []
    with caplog.at_level(logging.DEBUG):
        for call in (
            lambda: platform.secrets.create_secret("token", canary),
            lambda: platform.secrets.create_secret("token", canary.encode()),
            lambda: platform.secrets.put_secret_value("token", Json({"a": canary})),
            lambda: platform.secrets.get_secret("token"),
            lambda: platform.secrets.get_secrets(["token"]),
        ):
            try:
                shown.append(repr(call()))
            except LCPlatformError as error:
                shown += [str(error), repr(error), json.dumps(error.fields(), default=str)]
    hidden = (canary, b64encode(canary.encode()).decode())
    for text in [*shown, caplog.text, *(repr(record.args) for record in caplog.records)]:
        assert not any(it in text for it in hidden)


def test_other_debug_logs_of_the_sdk_stay(
    platform: LCPlatform, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    assert platform.secrets is not None
    stub.will(json_answer(QueueUrls=[]))
    with caplog.at_level(logging.DEBUG, "botocore.endpoint"):
        platform.queue.list_queues()
    assert "ListQueues" in caplog.text
