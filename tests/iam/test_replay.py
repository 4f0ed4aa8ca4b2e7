"""What is recorded, what it needs, and what is said when a policy does not fit."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any, cast

import pytest

from lcplatform import LCPlatform
from lcplatform.object_store.models import PresignedMethod
from lcplatform_aws.authentication import OidcAuthentication
from lcplatform_aws.secrets import SecretsManagerSecrets
from lcplatform_aws.session import Session
from tests.conformance import __main__ as conformance
from tests.iam import policies, recording, replay
from tests.iam.evaluator import allows, matches
from tests.iam.needs import Need, needs
from tests.iam.policies import Policy, Statement
from tests.iam.recording import Made, Recorder
from tests.unit.aws.stub import Stub, json_answer

QUEUE = "arn:aws:sqs:us-east-1:000000000000:orders"
SEND = Made("queue.send_message", "sqs:SendMessage", (Need("sqs:SendMessage", QUEUE),))


def sender(**changed: Any) -> Policy:
    given = {
        "why": "",
        "actions": ("sqs:SendMessage",),
        "resources": ("arn:aws:sqs:${REGION}:${ACCOUNT}:${QUEUE}",),
    }
    statement = Statement(**(given | changed))
    return Policy("queue", "sender", "", ("send_message",), (statement,))


def test_a_call_is_recorded_for_the_operation_that_it_is_made_for(tmp_path: Path) -> None:
    original = Session._made
    recorder = Recorder()
    undo = recorder.install()
    try:
        with Stub() as stub, _platform(stub.url) as platform:
            stub.will(json_answer(QueueUrl=f"{stub.url}/000000000000/orders"))
            stub.will(
                json_answer(MessageId="1", MD5OfMessageBody="5d41402abc4b2a76b9719d911017c592")
            )
            platform.queue.send_message("orders", b"hello")
            assert platform.object_store.generate_presigned_url(
                "reports", "q1", method=PresignedMethod.GET
            ).url
    finally:
        undo()
    assert Session._made is original
    recorder.write(tmp_path / "1.jsonl")
    recorder.write(tmp_path / "2.jsonl")
    made = {(it.operation, it.call): it for it in recording.read(tmp_path)}
    assert set(made) == {
        ("queue.send_message", "sqs:GetQueueUrl"),
        ("queue.send_message", "sqs:SendMessage"),
        ("object_store.generate_presigned_url", "s3:GetObject"),
    }
    assert made["queue.send_message", "sqs:SendMessage"] == SEND
    assert not replay.forbidden(policies.read(), made.values())


def test_an_operation_that_another_is_made_of_is_not_what_was_asked_for() -> None:
    inner, outer = object.__new__(SecretsManagerSecrets), object.__new__(OidcAuthentication)
    asked = _frame(outer, "exchange_code", _frame(None, "elsewhere", None))
    frame = _frame(outer, "_secret", asked)
    assert recording.operation(_frame(inner, "get_secret", frame)) == "authentication.exchange_code"
    assert recording.operation(_frame(inner, "get_secret", None)) == "secrets.get_secret"
    assert not recording.operation(_frame(inner, "_read", None))


def _frame(driver: object, method: str, back: FrameType | None) -> FrameType:
    code = SimpleNamespace(co_filename="/lcplatform_aws/it.py", co_name=method)
    frame = SimpleNamespace(f_code=code, f_locals={"self": driver}, f_back=back)
    return cast("FrameType", frame)


def _platform(url: str) -> LCPlatform:
    return LCPlatform(
        "aws",
        endpoint_url=url,
        region="us-east-1",
        access_key_id="testing",
        secret_access_key="testing",
    )


BUCKET, OBJECT = "arn:aws:s3:::b", "arn:aws:s3:::b/k"
ROLE = "arn:aws:iam::000000000000:role/r"


@pytest.mark.parametrize(
    ("service", "operation", "params", "expected"),
    [
        (
            "s3",
            "HeadObject",
            {"Bucket": "b", "Key": "k"},
            {"GetObject": OBJECT, "ListBucket": BUCKET},
        ),
        (
            "s3",
            "GetObject",
            {"Bucket": "b", "Key": "k", "VersionId": "1"},
            {"GetObjectVersion": OBJECT, "ListBucket": BUCKET},
        ),
        (
            "s3",
            "PutObject",
            {"Bucket": "b", "Key": "k", "Tagging": "a=b", "IfMatch": '"1"'},
            {"PutObject": OBJECT, "PutObjectTagging": OBJECT, "GetObject": OBJECT},
        ),
        ("s3", "UploadPart", {"Bucket": "b", "Key": "k"}, {"PutObject": OBJECT}),
        ("s3", "ListObjectsV2", {"Bucket": "b"}, {"ListBucket": BUCKET}),
        ("s3", "ListBuckets", {}, {"ListAllMyBuckets": "*"}),
        (
            "s3",
            "DeleteObjects",
            {"Bucket": "b", "Delete": {"Objects": [{"Key": "k"}, {"Key": "l", "VersionId": "1"}]}},
            {"DeleteObject": OBJECT, "DeleteObjectVersion": "arn:aws:s3:::b/l"},
        ),
        (
            "s3",
            "CopyObject",
            {"Bucket": "b", "Key": "k", "CopySource": "c/a%20b?versionId=1"},
            {
                "GetObjectVersion": "arn:aws:s3:::c/a b",
                "ListBucket": "arn:aws:s3:::c",
                "PutObject": OBJECT,
                "GetObjectVersionTagging": "arn:aws:s3:::c/a b",
                "PutObjectTagging": OBJECT,
            },
        ),
        ("sqs", "DeleteMessageBatch", {"QueueUrl": "http://q/0/orders"}, {"DeleteMessage": QUEUE}),
        ("sns", "PublishBatch", {"TopicArn": "arn:t"}, {"Publish": "arn:t"}),
        ("sns", "Publish", {"PhoneNumber": "+491"}, {"Publish": "+491"}),
        ("secretsmanager", "ListSecrets", {}, {"ListSecrets": "*"}),
    ],
)
def test_what_a_call_needs(
    service: str, operation: str, params: dict[str, Any], expected: dict[str, str]
) -> None:
    assert needs(service, operation, params) == [
        Need(f"{service}:{action}", resource) for action, resource in expected.items()
    ]


def test_a_role_that_is_handed_on_has_to_be_passed_and_tags_to_be_set() -> None:
    params = {
        "jobDefinitionName": "d",
        "tags": {"a": "b"},
        "containerProperties": {"jobRoleArn": ROLE},
    }
    needed = needs("batch", "RegisterJobDefinition", params)
    assert Need("iam:PassRole", ROLE) in needed
    assert Need("batch:TagResource") in needed


@pytest.mark.parametrize(
    ("pattern", "resource", "expected"),
    [
        ("*", "anything", True),
        ("arn:aws:sqs:${REGION}:${ACCOUNT}:${QUEUE}", QUEUE, True),
        (
            "arn:aws:sqs:${REGION}:${ACCOUNT}:${QUEUE}",
            QUEUE.replace("us-east-1", "eu-west-1"),
            False,
        ),
        ("arn:aws:s3:::${BUCKET}", BUCKET, True),
        ("arn:aws:s3:::b/*", BUCKET, False),
        ("arn:aws:s3:::b.c", "arn:aws:s3:::bxc", False),
        ("secret:a-??????", "secret:a-a1B2c3", True),
        ("secret:a-??????", "secret:a-b-a1B2c3", False),
    ],
)
def test_what_a_pattern_stands_for(pattern: str, resource: str, *, expected: bool) -> None:
    assert matches(pattern, resource) is expected


def test_everything_but_topics_is_a_number() -> None:
    statement = Statement("", ("sns:Publish",), all_but=("arn:aws:sns:*:*:*",)).document("Sms")
    assert allows(statement, Need("sns:Publish", "+491"))
    assert not allows(statement, Need("sns:Publish", "arn:aws:sns:us-east-1:000000000000:news"))


def test_what_fits_is_not_spoken_of() -> None:
    assert not replay.forbidden([sender()], [SEND])
    assert not replay.unused([sender()], [SEND], {"queue"})


@pytest.mark.parametrize(
    "changed",
    [{"actions": ("sqs:ReceiveMessage",)}, {"resources": ("arn:aws:sqs:*:*:others",)}],
    ids=["action", "resource"],
)
def test_a_call_that_is_not_allowed_is_named_with_what_is_missing(changed: dict[str, Any]) -> None:
    assert replay.forbidden([sender(**changed)], [SEND]) == [
        f"queue/sender does not allow sqs:SendMessage, which sqs:SendMessage of queue.send_message needs on {QUEUE}"
    ]


def test_one_place_stands_for_all() -> None:
    other = SEND._replace(needs=(Need("sqs:SendMessage", f"{QUEUE}-too"),))
    assert len(replay.forbidden([sender(actions=("sqs:ReceiveMessage",))], [SEND, other])) == 1


def test_a_call_for_which_no_policy_is_there_is_named() -> None:
    received = Made("queue.receive_messages", "sqs:ReceiveMessage", ())
    assert replay.forbidden([sender()], [received]) == [
        "no policy is there for queue.receive_messages, which called sqs:ReceiveMessage"
    ]


def test_what_nothing_called_needs_a_reason() -> None:
    wide = sender(actions=("sqs:SendMessage", "sqs:PurgeQueue"))
    assert replay.unused([wide], [SEND], {"queue"}) == [
        "queue/sender allows sqs:PurgeQueue, which nothing called: take it away, or say why"
    ]
    assert not replay.unused([wide], [SEND], set()), "not all of the service ran"
    told = sender(actions=wide.statements[0].actions, uncalled={"sqs:PurgeQueue": "a reason"})
    assert not replay.unused([told], [SEND], {"queue"})


def test_a_reason_for_what_is_called_after_all_is_none() -> None:
    told = sender(uncalled={"sqs:SendMessage": "nobody sends"})
    assert replay.unused([told], [SEND], {"queue"}) == [
        "queue/sender says why sqs:SendMessage is not called, and it is: nobody sends"
    ]


def test_what_is_asked_once_counts_for_every_role_of_the_service() -> None:
    other = Made(
        "queue.create_queue", "sts:GetCallerIdentity", (Need("sts:GetCallerIdentity", "*"),)
    )
    once = {"actions": ("sts:GetCallerIdentity",), "resources": ("*",)}
    assert replay.unused([sender(**once)], [other], {"queue"})
    assert not replay.unused([sender(**once, once=True)], [other], {"queue"})


def test_work_of_its_own_needs_any_of_the_policies() -> None:
    assert not replay.forbidden([sender()], [SEND._replace(operation="")])
    assert replay.forbidden(
        [sender()], [Made("", "sqs:PurgeQueue", (Need("sqs:PurgeQueue", QUEUE),))]
    )


def test_what_ran_in_part_may_not_be_called_unused() -> None:
    ran = [it for it in conformance.PROVIDERS if it.name != "aws on moto"]
    whole = conformance._whole(ran)
    assert {"configuration", "web_hosting"} <= whole
    assert not {"object_store", "queue", "secrets"} & whole


def test_a_run_of_the_suite_fails_by_what_no_policy_allows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = SEND

    def run(
        _provider: object, _surfaces: object, calls: Path
    ) -> tuple[int, dict[tuple[str, str, str], Counter[str]]]:
        recorder = Recorder()
        recorder.made.add(made)
        recorder.write(calls / "1.jsonl")
        return 0, {}

    monkeypatch.setattr(conformance, "run", run)
    monkeypatch.setattr("sys.argv", ["tests.conformance", "aws on secantusdb"])
    assert conformance.main() == 0
    made = SEND._replace(needs=(Need("sqs:PurgeQueue", QUEUE),))
    assert conformance.main() == 1
    assert "docs/iam: queue/sender does not allow sqs:PurgeQueue" in capsys.readouterr().out
