"""EventBridge on the wire: what it loses in silence, what it calls otherwise, and what it needs to reach a target."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lcplatform import LCPlatform, PlatformSettings, RetryPolicy
from lcplatform.errors import (
    AlreadyExistsError,
    ConflictError,
    InternalError,
    PermissionDeniedError,
    PreconditionFailedError,
    QuotaExceededError,
    ResourceNotFoundError,
    UnsupportedError,
    ValidationError,
)
from lcplatform.event_bus.models import (
    Event,
    FunctionTarget,
    HttpMode,
    HttpTarget,
    InputTransform,
    LogTarget,
    QueueTarget,
    ReplayStatus,
    TargetRetry,
    TopicTarget,
)
from lcplatform.type.models import ErrorCode
from lcplatform_aws import event_bus
from lcplatform_runtime.json_value import Json
from tests.fake_aws.api import AwsError
from tests.fake_aws.events import Events
from tests.fake_aws.server import FakeAws, Fault, Service
from tests.unit.aws.stub import Answer, Asked, Stub

ROLE = "arn:aws:iam::000000000000:role/poster"
MOMENT = datetime(2026, 1, 31, 8, 30, tzinfo=UTC)


class Queues(Service):
    """Queues by their names: their policies."""

    service = "sqs"

    def __init__(self) -> None:
        super().__init__()
        self.policies: dict[str, str | None] = {
            "orders": None,
            "letters": None,
            "ledger.fifo": None,
        }
        self.messages: list[dict[str, Any]] = []

    def get_queue_url(self, given: dict[str, Any]) -> Mapping[str, Any]:
        if given["QueueName"] not in self.policies:
            raise AwsError("QueueDoesNotExist", "The specified queue does not exist.")
        return {"QueueUrl": f"http://sqs/1/{given['QueueName']}"}

    def get_queue_attributes(self, given: dict[str, Any]) -> Mapping[str, Any]:
        name = given["QueueUrl"].rpartition("/")[2]
        policy = self.policies[name]
        known = {"QueueArn": self.arn(name), **({"Policy": policy} if policy else {})}
        return {"Attributes": {it: known[it] for it in given["AttributeNames"] if it in known}}

    def set_queue_attributes(self, given: dict[str, Any]) -> None:
        self.policies[given["QueueUrl"].rpartition("/")[2]] = given["Attributes"]["Policy"]

    def receive_message(self, given: dict[str, Any]) -> Mapping[str, Any]:
        received, self.messages = self.messages, []
        return {"Messages": received}


class Vault(Service):
    """Secrets by their names."""

    service = "secretsmanager"

    def __init__(self) -> None:
        super().__init__()
        self.secrets = {"token": "Bearer hush", "long": "x" * 513}

    def get_secret_value(self, given: dict[str, Any]) -> Mapping[str, Any]:
        if given["SecretId"] not in self.secrets:
            raise AwsError("ResourceNotFoundException", "no such secret")
        return {"Name": given["SecretId"], "SecretString": self.secrets[given["SecretId"]]}


class Logs(Service):
    """Log groups, and who may write to them."""

    service = "logs"

    def __init__(self) -> None:
        super().__init__()
        self.groups: set[str] = set()
        self.policies: dict[str, str] = {}

    def create_log_group(self, given: dict[str, Any]) -> None:
        if given["logGroupName"] in self.groups:
            raise AwsError("ResourceAlreadyExistsException", "it exists")
        self.groups.add(given["logGroupName"])

    def put_resource_policy(self, given: dict[str, Any]) -> Mapping[str, Any]:
        self.policies[given["policyName"]] = given["policyDocument"]
        return {}


class World:
    """What a test looks at."""

    def __init__(self, stub: Stub) -> None:
        self.stub = stub
        self.events, self.queues, self.vault, self.logs = Events(), Queues(), Vault(), Logs()
        services = (self.events, self.queues, self.vault, self.logs)
        self.fake = FakeAws(services, behind=stub.url)

    def reset(self) -> None:
        """Forgets everything, for the next test."""
        for it in (self.events, self.queues, self.vault, self.logs):
            it.__init__()  # type: ignore[misc]
            it.time = self.fake.time
        self.fake.calls.clear()
        self.stub.otherwise = lambda asked: Answer(501)

    def target(self) -> dict[str, Any]:
        """The target that is called it."""
        return self.events.targets["shop", "all"]["it"]


def connected(world: World, **options: Any) -> LCPlatform:
    """A platform whose AWS is the fake. It retries at once."""
    return LCPlatform(
        "aws",
        settings=PlatformSettings(retry=RetryPolicy(base_delay=timedelta(0))),
        endpoint_url=world.fake.url,
        region="us-east-1",
        access_key_id="AKIATEST",
        secret_access_key="hush",
        **options,
    )


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """AWS; what it does not know of, the stub answers. It takes a while to make."""
    with Stub() as stub:
        world = World(stub)
        with world.fake:
            yield world


@pytest.fixture(scope="module")
def platform_on_it(world: World) -> Iterator[LCPlatform]:
    with connected(world, event_bus={"role": ROLE}) as platform:
        yield platform


@pytest.fixture
def aws(world: World) -> Iterator[World]:
    """AWS with nothing in it. Nothing that the models do not allow was asked of it."""
    world.reset()
    yield world
    assert world.fake.refused == []


@pytest.fixture
def shop(aws: World, platform_on_it: LCPlatform) -> LCPlatform:
    """A platform with a bus, shop, that has a rule, all."""
    platform_on_it.event_bus.create_event_bus("shop")
    platform_on_it.event_bus.create_rule("shop", "all", pattern={"source": ["/orders"]})
    return platform_on_it


# --- events


def test_an_event_travels_whole_in_the_detail(aws: World, shop: LCPlatform) -> None:
    shop.event_bus.publish_event(
        "shop",
        source="/orders",
        type="placed",
        id="17",
        time=MOMENT,
        subject="s",
        data={"order": 9007199254740993},
        metadata={"tenant": "blue"},
        data_schema="https://example.com/order.json",
    )
    [entry] = aws.events.published
    assert entry["Source"] == "/orders"
    assert entry["DetailType"] == "placed"
    # EventBridge's own time is that of the publication: archives are kept by it.
    assert "Time" not in entry
    assert json.loads(entry["Detail"]) == {
        "specversion": "1.0",
        "id": "17",
        "source": "/orders",
        "type": "placed",
        "subject": "s",
        "time": "2026-01-31T08:30:00Z",
        "tenant": "blue",
        "dataschema": "https://example.com/order.json",
        "datacontenttype": "application/json",
        "data": {"order": 9007199254740993},
    }


def test_events_for_a_bus_that_does_not_exist_are_not_lost_in_silence(
    aws: World, shop: LCPlatform
) -> None:
    """EventBridge says OK to them."""
    with pytest.raises(ResourceNotFoundError):
        shop.event_bus.publish_event("nowhere", source="/orders", type="placed")
    with pytest.raises(ResourceNotFoundError):
        shop.event_bus.publish_events("nowhere", [Event(source="/orders", type="placed")])
    assert aws.fake.calls.count("events:PutEvents") == 0


def test_a_bus_is_looked_up_once_a_minute(
    aws: World, shop: LCPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def published() -> int:
        shop.event_bus.publish_event("shop", source="/orders", type="placed")
        return aws.fake.calls.count("events:DescribeEventBus")

    first = published()
    assert published() == first
    monkeypatch.setattr(event_bus, "_KNOWN_FOR", 0.0)
    shop.event_bus.list_archives("shop")  # looks it up, and does not remember it
    del aws.events.buses["shop"]
    with pytest.raises(ResourceNotFoundError):
        published()


@pytest.mark.parametrize(
    ("code", "kind", "attempts"),
    [
        ("ThrottlingException", QuotaExceededError, 3),
        ("InternalFailure", InternalError, 3),
        ("InternalException", InternalError, 3),
        ("AccessDeniedException", PermissionDeniedError, 1),
        ("NotAuthorizedForSourceException", PermissionDeniedError, 1),
        ("NotAuthorizedForDetailTypeException", PermissionDeniedError, 1),
        ("MalformedDetail", ValidationError, 1),
        ("InvalidArgument", ValidationError, 1),
        ("InvalidAccountIdException", ValidationError, 1),
        ("RedactionFailure", InternalError, 1),
    ],
)
def test_a_publication_that_failed_in_an_answer_that_says_ok(
    aws: World, shop: LCPlatform, code: str, kind: type[Exception], attempts: int
) -> None:
    """It was not taken, so it is sent again where that may help."""
    aws.events.failing = [{"ErrorCode": code, "ErrorMessage": "why"}] * attempts
    with pytest.raises(kind, match="why"):
        shop.event_bus.publish_event("shop", source="/orders", type="placed")
    assert aws.fake.calls.count("events:PutEvents") == attempts


def test_each_entry_of_a_batch_has_its_own_result(aws: World, shop: LCPlatform) -> None:
    aws.events.failing = [
        None,
        {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow"},
        {"ErrorCode": "MalformedDetail", "ErrorMessage": "bad"},
    ]
    answer = shop.event_bus.publish_events(
        "shop",
        [
            Event(source="/orders", type="placed", id="1"),
            Event(source="aws.orders", type="placed", id="2"),
            Event(source="/orders", type="placed", id="3"),
            Event(source="/orders", type="placed", id="4"),
            Event(source="/orders", type="placed", id="5"),
        ],
    )
    assert [(it.index, it.event_id) for it in answer.successful] == [(0, "1"), (4, "5")]
    assert [(it.index, it.code, it.retryable) for it in answer.failed] == [
        (1, ErrorCode.VALIDATION, False),
        (2, ErrorCode.QUOTA_EXCEEDED, True),
        (3, ErrorCode.VALIDATION, False),
    ]


def test_a_batch_that_is_too_large_together_is_refused(aws: World, shop: LCPlatform) -> None:
    data = {"it": "x" * 600_000}
    entries = [Event(source="/orders", type="placed", data=Json(data)) for _ in range(2)]
    with pytest.raises(ValidationError, match="entries"):
        shop.event_bus.publish_events("shop", entries)
    assert aws.events.published == []


def test_an_entry_that_is_too_large_fails_alone(shop: LCPlatform) -> None:
    data = Json({"it": "x" * 960_000})
    entries = [
        Event(source="/orders", type="placed", data=data),
        Event(source="/orders", type="placed"),
    ]
    answer = shop.event_bus.publish_events("shop", entries)
    assert [it.index for it in answer.successful] == [1]
    assert [it.code for it in answer.failed] == [ErrorCode.VALIDATION]


def test_a_source_of_aws_is_refused_by_its_field(shop: LCPlatform) -> None:
    with pytest.raises(ValidationError) as caught:
        shop.event_bus.publish_event("shop", source="aws.s3", type="placed")
    assert [it.field for it in caught.value.violations] == ["source"]


def test_a_publication_that_times_out_is_not_sent_twice(aws: World, shop: LCPlatform) -> None:
    aws.fake.will_fail("events:PutEvents", Fault(reset=True, after=True))
    with pytest.raises(Exception, match=r"."):
        shop.event_bus.publish_event("shop", source="/orders", type="placed")
    assert len(aws.events.published) == 1


# --- rules


def test_a_pattern_is_asked_of_the_detail(aws: World, shop: LCPlatform) -> None:
    assert json.loads(aws.events.rules["shop", "all"]["EventPattern"]) == {
        "detail": {"source": ["/orders"]}
    }
    [rule] = shop.event_bus.list_rules("shop").rules
    assert rule.pattern == Json({"source": ["/orders"]})


def test_the_largest_pattern_fits_with_its_envelope(aws: World, shop: LCPlatform) -> None:
    limit = event_bus._LIMITS.max_pattern_bytes
    pattern = Json({"source": ["x" * (limit - len('{"source":[""]}'))]})
    assert len(pattern.text) == limit
    shop.event_bus.create_rule("shop", "large", pattern=pattern)
    assert len(aws.events.rules["shop", "large"]["EventPattern"]) == 4096


def test_what_is_not_changed_of_a_rule_stays(aws: World, shop: LCPlatform) -> None:
    """EventBridge replaces a rule as a whole."""
    shop.event_bus.update_rule("shop", "all", description="why")
    aws.events.rules["shop", "all"]["RoleArn"] = ROLE
    rule = shop.event_bus.update_rule("shop", "all", enabled=False).rule
    assert (rule.description, rule.enabled) == ("why", False)
    known = aws.events.rules["shop", "all"]
    assert (known["Description"], known["State"], known["RoleArn"]) == ("why", "DISABLED", ROLE)
    assert shop.event_bus.update_rule("shop", "all", clear=["description"]).rule.description is None
    assert "Description" not in aws.events.rules["shop", "all"]


def test_a_rule_knows_when_it_was_created(shop: LCPlatform) -> None:
    created = shop.event_bus.create_rule("shop", "other", pattern={"source": ["a"]}).rule.created_at
    assert abs(datetime.now(UTC) - created) < timedelta(minutes=1)
    listed = {it.name: it for it in shop.event_bus.list_rules("shop").rules}
    assert listed["other"].created_at == created
    assert shop.event_bus.update_rule("shop", "other", enabled=False).rule.created_at == created


def test_a_rule_that_somebody_else_made_is_shown(aws: World, shop: LCPlatform) -> None:
    aws.events.put_rule(
        {
            "Name": "theirs",
            "EventBusName": "shop",
            "State": "ENABLED",
            "EventPattern": '{"source": ["aws.s3"], "detail": {"a": [1]}}',
        }
    )
    listed = {it.name: it for it in shop.event_bus.list_rules("shop").rules}
    assert listed["theirs"].pattern == Json({"source": ["aws.s3"], "detail": {"a": [1]}})
    assert listed["theirs"].created_at.year == 1970


def test_the_rules_of_archives_are_not_shown(shop: LCPlatform) -> None:
    shop.event_bus.create_archive("shop", "everything")
    assert [it.name for it in shop.event_bus.list_rules("shop").rules] == ["all"]


def test_a_stale_etag_changes_nothing(aws: World, shop: LCPlatform) -> None:
    [rule] = shop.event_bus.list_rules("shop").rules
    aws.events.rules["shop", "all"]["State"] = "DISABLED"
    with pytest.raises(ConflictError):
        shop.event_bus.update_rule("shop", "all", description="why", if_match=rule.etag)
    with pytest.raises(ConflictError):
        shop.event_bus.delete_rule("shop", "all", if_match=rule.etag)
    assert "Description" not in aws.events.rules["shop", "all"]


def test_a_rule_that_is_changed_by_two_at_once_is_changed_again(
    aws: World, shop: LCPlatform
) -> None:
    aws.fake.will_fail("events:PutRule", Fault(400, "ConcurrentModificationException"))
    assert not shop.event_bus.update_rule("shop", "all", enabled=False).rule.enabled


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ManagedRuleException", PreconditionFailedError),
        ("LimitExceededException", QuotaExceededError),
        ("InvalidEventPatternException", ValidationError),
        ("OperationDisabledException", PreconditionFailedError),
        ("InvalidStateException", PreconditionFailedError),
        ("IllegalStatusException", PreconditionFailedError),
        ("PolicyLengthExceededException", QuotaExceededError),
        ("ResourceAlreadyExistsException", AlreadyExistsError),
        ("AccessDeniedException", PermissionDeniedError),
    ],
)
def test_what_eventbridge_refuses_is_final(
    aws: World, shop: LCPlatform, code: str, kind: type[Exception]
) -> None:
    """The SDK takes one of these quotas for throttling."""
    aws.fake.will_fail("events:PutRule", Fault(400, code))
    with pytest.raises(kind):
        shop.event_bus.create_rule("shop", "other", pattern={"source": ["a"]})
    assert aws.fake.calls.count("events:PutRule") == 2  # one of them made the first rule


@pytest.mark.parametrize("code", ["InternalException", "ThrottlingException"])
def test_what_may_pass_is_asked_again(aws: World, shop: LCPlatform, code: str) -> None:
    aws.fake.will_fail("events:DescribeRule", Fault(500, code))
    assert not shop.event_bus.update_rule("shop", "all", enabled=False).rule.enabled


def test_a_pattern_is_tried_on_the_event_in_its_envelope(aws: World, shop: LCPlatform) -> None:
    aws.events.matches = False
    event = Event(source="/orders", type="placed", data=Json({"a": 1}))
    assert not shop.event_bus.test_event_pattern(pattern={"data": {"a": [1]}}, event=event).matches
    [given] = aws.events.tried
    assert json.loads(given["EventPattern"]) == {"detail": {"data": {"a": [1]}}}
    envelope = json.loads(given["Event"])
    assert envelope["detail"]["data"] == {"a": 1}
    required = {"id", "account", "source", "time", "region", "resources", "detail-type"}
    assert required <= envelope.keys()


# --- targets


def test_a_queue_gets_the_event_alone_and_lets_eventbridge_send(
    aws: World, shop: LCPlatform
) -> None:
    aws.queues.policies["orders"] = '{"Version":"2012-10-17","Statement":{"Sid":"theirs"}}'
    shop.event_bus.add_target(
        "shop",
        "all",
        target_id="it",
        target=QueueTarget(queue="orders"),
        retry=TargetRetry(max_retries=3, max_age=timedelta(minutes=5)),
        dead_letter_queue="letters",
    )
    assert aws.target() == {
        "Id": "it",
        "Arn": "arn:aws:sqs:us-east-1:000000000000:orders",
        "InputPath": "$.detail",
        "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 300},
        "DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:000000000000:letters"},
    }
    theirs, ours = json.loads(aws.queues.policies["orders"] or "")["Statement"]
    assert theirs == {"Sid": "theirs"}
    assert ours["Principal"] == {"Service": "events.amazonaws.com"}
    assert ours["Action"] == "sqs:SendMessage"
    assert ours["Condition"] == {
        "ArnLike": {"aws:SourceArn": "arn:aws:events:us-east-1:000000000000:rule/*"}
    }
    assert "events.amazonaws.com" in (aws.queues.policies["letters"] or "")
    [target] = shop.event_bus.list_targets("shop", "all").targets
    assert target.destination == QueueTarget(queue="orders")
    assert target.retry == TargetRetry(max_retries=3, max_age=timedelta(minutes=5))
    assert target.dead_letter_queue == "letters"


def test_a_queue_that_lets_eventbridge_send_is_not_changed_again(
    aws: World, shop: LCPlatform
) -> None:
    for identity in ("one", "two"):
        shop.event_bus.add_target(
            "shop", "all", target_id=identity, target=QueueTarget(queue="orders")
        )
    assert aws.fake.calls.count("sqs:SetQueueAttributes") == 1


def test_a_fifo_queue_has_a_group(aws: World, shop: LCPlatform) -> None:
    add = shop.event_bus.add_target
    add("shop", "all", target_id="it", target=QueueTarget(queue="ledger"))
    add("shop", "all", target_id="b", target=QueueTarget(queue="ledger", group_id="a"))
    assert aws.target()["Arn"].endswith(":ledger.fifo")
    assert aws.target()["SqsParameters"] == {"MessageGroupId": "lcplatform.events"}
    assert [it.destination for it in shop.event_bus.list_targets("shop", "all").targets] == [
        QueueTarget(queue="ledger"),
        QueueTarget(queue="ledger", group_id="a"),
    ]
    with pytest.raises(ValidationError, match="group_id"):
        add("shop", "all", target_id="c", target=QueueTarget(queue="ledger", group_id="x" * 101))


SNS = '<Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/">{}</Response>'


class Topics:
    """The attributes of one topic, as SNS tells them."""

    def __init__(self, stub: Stub, name: str) -> None:
        self.name = name
        self.asked: list[str] = []
        stub.otherwise = self._answer

    def _answer(self, asked: Asked) -> Answer:
        body = asked.body.decode()
        self.asked.append(body)
        if "Action=SetTopicAttributes" in body:
            return Answer(200, {}, SNS.format("").encode())
        if f"%3A{self.name}&" not in f"{body}&":
            error = "<Error><Code>NotFound</Code><Message>no topic</Message></Error>"
            return Answer(404, {}, f"<ErrorResponse>{error}</ErrorResponse>".encode())
        entry = "<entry><key>TopicArn</key><value>it</value></entry>"
        result = (
            f"<GetTopicAttributesResult><Attributes>{entry}</Attributes></GetTopicAttributesResult>"
        )
        return Answer(200, {}, SNS.format(result).encode())


def test_a_topic_lets_eventbridge_publish(aws: World, shop: LCPlatform) -> None:
    topics = Topics(aws.stub, "news")
    shop.event_bus.add_target("shop", "all", target_id="it", target=TopicTarget(topic="news"))
    assert aws.target()["Arn"] == "arn:aws:sns:us-east-1:000000000000:news"
    assert aws.target()["InputPath"] == "$.detail"
    assert "AttributeName=Policy" in topics.asked[-1]
    assert "sns%3APublish" in topics.asked[-1]
    [target] = shop.event_bus.list_targets("shop", "all").targets
    assert target.destination == TopicTarget(topic="news")


def test_a_fifo_topic_is_no_target(aws: World, shop: LCPlatform) -> None:
    Topics(aws.stub, "news.fifo")
    with pytest.raises(ValidationError) as caught:
        shop.event_bus.add_target("shop", "all", target_id="it", target=TopicTarget(topic="news"))
    assert [it.field for it in caught.value.violations] == ["target.topic.topic"]


def test_a_topic_that_does_not_exist_is_not_found(aws: World, shop: LCPlatform) -> None:
    Topics(aws.stub, "other")
    with pytest.raises(ResourceNotFoundError):
        shop.event_bus.add_target("shop", "all", target_id="it", target=TopicTarget(topic="news"))


def test_a_webhook_has_a_connection_and_a_destination(aws: World, shop: LCPlatform) -> None:
    place = HttpTarget(
        url="https://example.com/hook?a=b",
        headers={"X-Kind": "event"},
        secret_headers={"Authorization": "token"},
    )
    shop.event_bus.add_target("shop", "all", target_id="it", target=place)
    [connection] = aws.events.connections.values()
    parameters = connection["AuthParameters"]
    assert connection["AuthorizationType"] == "API_KEY"
    assert parameters["InvocationHttpParameters"]["HeaderParameters"] == [
        {"Key": "Authorization", "Value": "Bearer hush", "IsValueSecret": True}
    ]
    [destination] = aws.events.destinations.values()
    assert destination["InvocationEndpoint"] == "https://example.com/hook?a=b"
    assert aws.target()["Arn"] == destination["ApiDestinationArn"]
    assert aws.target()["RoleArn"] == ROLE
    assert aws.target()["HttpParameters"]["HeaderParameters"] == {
        "X-Kind": "event",
        "Content-Type": "application/cloudevents+json; charset=utf-8",
    }
    [target] = shop.event_bus.list_targets("shop", "all").targets
    assert target.destination == place
    shop.event_bus.remove_target("shop", "all", target_id="it")
    assert not aws.events.connections
    assert not aws.events.destinations


def test_a_webhook_goes_with_its_rule(aws: World, shop: LCPlatform) -> None:
    place = HttpTarget(url="https://example.com/hook")
    shop.event_bus.add_target("shop", "all", target_id="it", target=place)
    shop.event_bus.delete_rule("shop", "all")
    assert not aws.events.rules
    assert not aws.events.connections


def test_nothing_is_left_of_a_webhook_that_is_not_added(aws: World, shop: LCPlatform) -> None:
    place = HttpTarget(url="https://example.com/hook")
    aws.events.failing = [{"ErrorCode": "ConcurrentModificationException"}] * 3
    with pytest.raises(ConflictError):
        shop.event_bus.add_target("shop", "all", target_id="it", target=place)
    assert not aws.events.connections
    aws.fake.will_fail("events:CreateApiDestination", Fault(400, "LimitExceededException"))
    with pytest.raises(QuotaExceededError):
        shop.event_bus.add_target("shop", "all", target_id="it", target=place)
    assert not aws.events.connections


@pytest.mark.parametrize(
    ("place", "field"),
    [
        ({"mode": HttpMode.BINARY}, "target.http.mode"),
        ({"url": "https://me:word@example.com/"}, "target.http.url"),
        ({"url": "https://:80/"}, "target.http.url"),
        ({"url": "https://host:99999/"}, "target.http.url"),
        ({"headers": {"A": "1", "a": "2"}}, "target.http.headers"),
        ({"headers": {"Content-Type": "x"}}, "target.http.headers"),
        ({"headers": {"A": ""}}, "target.http.headers"),
        ({"headers": {"A": "x" * 513}}, "target.http.headers"),
        # EventBridge would take it for a path into the event.
        ({"headers": {"A": "$.detail"}}, "target.http.headers"),
        ({"secret_headers": {"ce-id": "token"}}, "target.http.secret_headers"),
        ({"secret_headers": {"a": "long"}}, "target.http.secret_headers"),
        ({"secret_headers": {"a": "x" * 512}}, "target.http.secret_headers"),
    ],
)
def test_a_webhook_that_eventbridge_does_not_take_is_refused_by_its_field(
    aws: World, shop: LCPlatform, place: dict[str, Any], field: str
) -> None:
    target = HttpTarget(**{"url": "https://example.com/", **place})
    with pytest.raises(ValidationError) as caught:
        shop.event_bus.add_target("shop", "all", target_id="it", target=target)
    assert [it.field for it in caught.value.violations] == [field]
    assert "hush" not in str(caught.value)
    assert not aws.events.connections


def test_a_webhook_needs_a_role(aws: World, shop: LCPlatform) -> None:
    with connected(aws) as platform, pytest.raises(ValidationError, match=r"event_bus\.role"):
        platform.event_bus.add_target(
            "shop", "all", target_id="it", target=HttpTarget(url="https://example.com/")
        )


def test_a_log_takes_the_envelope(aws: World, shop: LCPlatform) -> None:
    add = shop.event_bus.add_target
    add("shop", "all", target_id="it", target=LogTarget())
    add("shop", "all", target_id="other", target=LogTarget(log="audit"))
    home = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/events/"
    assert aws.target()["Arn"] == f"{home}all"
    assert "InputPath" not in aws.target()
    assert aws.logs.groups == {"/aws/events/all", "/aws/events/audit"}
    [statement] = json.loads(aws.logs.policies["lcplatform-events"])["Statement"]
    assert statement["Resource"] == f"{home}*"
    add("shop", "all", target_id="again", target=LogTarget())
    assert [it.destination for it in shop.event_bus.list_targets("shop", "all").targets] == [
        LogTarget(),
        LogTarget(log="audit"),
        LogTarget(),
    ]
    with pytest.raises(ValidationError, match=r"target\.log\.log"):
        add("shop", "all", target_id="bad", target=LogTarget(log="no spaces"))


def test_a_target_that_somebody_else_added_is_shown(aws: World, shop: LCPlatform) -> None:
    arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
    aws.events.targets["shop", "all"] = {"theirs": {"Id": "theirs", "Arn": arn}}
    [target] = shop.event_bus.list_targets("shop", "all").targets
    assert target.destination == FunctionTarget(function=arn)
    assert target.retry == TargetRetry()
    assert target.created_at.year == 1970


def test_functions_and_transforms_are_not_offered(shop: LCPlatform) -> None:
    with pytest.raises(UnsupportedError):
        shop.event_bus.add_target(
            "shop", "all", target_id="it", target=FunctionTarget(function="f")
        )
    with pytest.raises(UnsupportedError):
        shop.event_bus.add_target(
            "shop",
            "all",
            target_id="it",
            target=LogTarget(),
            transform=InputTransform(template="1"),
        )


def test_a_sixth_target_is_too_many(shop: LCPlatform) -> None:
    for number in range(5):
        shop.event_bus.add_target("shop", "all", target_id=f"t{number}", target=LogTarget())
    with pytest.raises(QuotaExceededError) as caught:
        shop.event_bus.add_target("shop", "all", target_id="t5", target=LogTarget())
    assert not caught.value.retryable


# --- what comes out of a queue


def received(body: str, **attributes: str) -> dict[str, Any]:
    return {
        "MessageId": "m",
        "ReceiptHandle": "r",
        "Body": body,
        "Attributes": {"SentTimestamp": "1700000000000", "ApproximateReceiveCount": "1"},
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    }


EVENT = {"specversion": "1.0", "id": "1", "source": "/orders", "type": "placed"}


def test_an_event_that_eventbridge_sent_is_json(aws: World, shop: LCPlatform) -> None:
    aws.queues.messages = [
        received(json.dumps(EVENT)),
        received('{"specversion": 1}'),
        received('{"specversion'),
        received('{"order": 1}'),
    ]
    found = [it.body for it in shop.queue.receive_messages("orders", max_messages=10).messages]
    assert found == [Json(EVENT), '{"specversion": 1}', '{"specversion', '{"order": 1}']


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ({}, "refused"),
        ({"EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts"}, "max_attempts"),
        ({"EXHAUSTED_RETRY_CONDITION": "MaximumEventAgeInSeconds"}, "max_age"),
    ],
)
def test_a_dead_letter_tells_what_became_of_the_event(
    aws: World, shop: LCPlatform, condition: dict[str, str], reason: str
) -> None:
    letter = received(
        json.dumps({"version": "0", "source": "/orders", "detail": EVENT}),
        RULE_ARN="arn:aws:events:us-east-1:000000000000:rule/shop/all",
        TARGET_ARN="arn:aws:sqs:us-east-1:000000000000:orders",
        ERROR_CODE="NO_PERMISSIONS",
        ERROR_MESSAGE="denied",
        RETRY_ATTEMPTS="4",
        **condition,
    )
    aws.queues.messages = [letter]
    [message] = shop.queue.receive_messages("letters").messages
    assert message.body == Json(EVENT)
    assert message.attributes == {
        "bus": "shop",
        "rule": "all",
        "target": "orders",
        "reason": reason,
        "error": "NO_PERMISSIONS: denied",
        "attempts": "5",
    }


# --- archives


def test_archives_of_one_name_on_two_buses(aws: World, shop: LCPlatform) -> None:
    """EventBridge knows one archive of a name."""
    name = "a" * 48
    shop.event_bus.create_event_bus("other")
    shop.event_bus.create_archive("shop", name, retention=timedelta(days=7))
    shop.event_bus.create_archive("other", name, pattern={"source": ["a"]})
    with pytest.raises(AlreadyExistsError):
        shop.event_bus.create_archive("shop", name)
    [archive] = shop.event_bus.list_archives("shop").archives
    assert (archive.name, archive.bus, archive.retention) == (name, "shop", timedelta(days=7))
    [archive] = shop.event_bus.list_archives("other").archives
    assert archive.pattern == Json({"source": ["a"]})
    assert archive.retention is None
    assert len(aws.events.archives) == 2


def test_a_replay_begins_with_the_second_and_has_no_end_that_is_to_come(
    aws: World, shop: LCPlatform
) -> None:
    shop.event_bus.create_archive("shop", "everything")
    since = MOMENT + timedelta(milliseconds=500)
    shop.event_bus.start_replay(
        "shop", "everything", since=since, until=datetime(2100, 1, 1, tzinfo=UTC), rules=["all"]
    )
    [replay] = aws.events.replays.values()
    assert replay["EventStartTime"] == MOMENT
    assert replay["EventEndTime"] <= datetime.now(UTC)
    assert replay["Destination"] == {
        "Arn": "arn:aws:events:us-east-1:000000000000:event-bus/shop",
        "FilterArns": ["arn:aws:events:us-east-1:000000000000:rule/shop/all"],
    }


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("STARTING", ReplayStatus.STARTING),
        ("RUNNING", ReplayStatus.RUNNING),
        ("CANCELLING", ReplayStatus.RUNNING),
        ("COMPLETED", ReplayStatus.COMPLETED),
        ("CANCELLED", ReplayStatus.CANCELLED),
        ("FAILED", ReplayStatus.FAILED),
    ],
)
def test_a_replay_tells_where_it_stands(
    aws: World, shop: LCPlatform, state: str, status: ReplayStatus
) -> None:
    shop.event_bus.create_archive("shop", "everything")
    replay = shop.event_bus.start_replay(
        "shop", "everything", since=MOMENT, until=datetime.now(UTC)
    ).replay
    [known] = aws.events.replays.values()
    known["State"] = state
    found = shop.event_bus.get_replay(replay.replay_id).replay
    assert (found.status, found.archive, found.bus) == (status, "everything", "shop")
    ended = state in {"COMPLETED", "CANCELLED", "FAILED"}
    assert (found.completed_at is not None) == ended
    cancelled = shop.event_bus.cancel_replay(replay.replay_id).replay
    assert cancelled.status == (status if ended else ReplayStatus.RUNNING)
    aws.events.archives.clear()
    assert shop.event_bus.get_replay(replay.replay_id).replay.archive.startswith("everything.")


def test_a_bus_with_an_archive_is_not_deleted(shop: LCPlatform) -> None:
    shop.event_bus.create_event_bus("other")
    shop.event_bus.create_archive("other", "everything")
    with pytest.raises(PreconditionFailedError):
        shop.event_bus.delete_event_bus("other")
