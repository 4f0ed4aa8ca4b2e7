"""Notification on SNS, SES and End User Messaging: what emulators do otherwise or not at all, each request judged by the SDK's model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from lcplatform import Json, LCPlatform
from lcplatform.notification.models import (
    Attachment,
    DeliveryProtocol,
    DeliveryStatus,
    DevicePlatform,
    PublishMessagesEntry,
    SubscriptionStatus,
)
from lcplatform_aws.errors import meaning_of
from lcplatform_runtime.errors import (
    AlreadyExistsError,
    ConflictError,
    LCPlatformError,
    PermissionDeniedError,
    PreconditionFailedError,
    QuotaExceededError,
    ResourceNotFoundError,
    UnsupportedError,
    ValidationError,
)
from tests.fake_aws.api import AwsError
from tests.fake_aws.server import FakeAws, Service
from tests.unit.aws.conftest import AtStub
from tests.unit.aws.query import HOME, Query, Refusal
from tests.unit.aws.stub import Answer, Asked, Stub, json_answer, json_error

TOPIC = f"{HOME}news"
GONE = Refusal("NotFound", "Topic does not exist", 404)
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:inbox"
DEVICE = f"{HOME}endpoint/GCM/shop/0f7ad2b1-0000-4000-8000-000000000001"
SUBSCRIPTION = f"{TOPIC}:0f7ad2b1-0000-4000-8000-000000000002"
UUID = "0f7ad2b1-0000-4000-8000-000000000003"


@pytest.fixture
def sns(stub: Stub) -> Query:
    """SNS at the stub, and a queue `inbox` at its SQS."""
    query = Query()

    def answer(asked: Asked) -> Answer:
        match asked.target:
            case "":
                return query(asked)
            case "GetQueueUrl":
                name = str(asked.json["QueueName"])
                known = name in {"inbox", "ordered.fifo"}
                missing = json_error(400, "com.amazonaws.sqs#QueueDoesNotExist")
                return json_answer(QueueUrl=f"{stub.url}/1/{name}") if known else missing
            case "GetQueueAttributes":
                name = str(asked.json["QueueUrl"]).rpartition("/")[2]
                return json_answer(Attributes={"QueueArn": QUEUE.replace("inbox", name)})
            case _:
                query.asked.append((asked.target, dict(asked.json)))
                return json_answer()

    stub.otherwise = answer
    query.will("GetTopicAttributes", {"Attributes": {"TopicArn": TOPIC}})
    query.will("Publish", {"MessageId": UUID})
    return query


# --- topics


def test_a_topic_that_is_there_is_not_made_again(platform: LCPlatform, sns: Query) -> None:
    with pytest.raises(AlreadyExistsError):
        platform.notification.create_topic("news")
    assert sns.given("CreateTopic") == []


def test_webhooks_of_a_topic_are_signed_by_sha_256(platform: LCPlatform, sns: Query) -> None:
    sns.will("GetTopicAttributes", GONE)
    platform.notification.create_topic("news")
    platform.notification.create_topic("ledger", fifo=True)
    assert sns.given("CreateTopic") == [
        {"Name": "news", "Attributes": {"SignatureVersion": "2"}},
        {
            "Name": "ledger.fifo",
            "Attributes": {"FifoTopic": "true", "ContentBasedDeduplication": "true"},
        },
    ]


def test_whose_account_it_is_is_asked_once(platform: LCPlatform, sns: Query) -> None:
    platform.notification.publish_message("news", "a")
    platform.notification.publish_message("other", "b")
    assert len(sns.given("GetCallerIdentity")) == 1


def test_topics_are_listed_in_pages_of_any_size(platform: LCPlatform, sns: Query) -> None:
    arns = [{"TopicArn": f"{HOME}t{number}"} for number in range(3)]
    sns.will(
        "ListTopics",
        {"Topics": arns, "NextToken": "more"},
        {"Topics": arns, "NextToken": "more"},
        {"Topics": [{"TopicArn": f"{HOME}t3.fifo"}]},
    )
    found, token = [], ""
    for _ in range(3):
        answer = platform.notification.list_topics(page_size=2, page_token=token)
        found += [(it.name, it.fifo) for it in answer.topics]
        token = answer.next_page_token
    assert found == [("t0", False), ("t1", False), ("t2", False), ("t3", True)]
    assert token == ""
    assert sns.given("ListTopics") == [{}, {}, {"NextToken": "more"}]


# --- publishing


def test_who_may_only_publish_can(platform: LCPlatform, sns: Query) -> None:
    """Without a look at the topic, which another permission is for."""
    sns.will("GetTopicAttributes", Refusal("AuthorizationError", "no", 403))
    platform.notification.publish_message("news", "hello", subject="Hi", attributes={"kind": "a"})
    [given] = sns.given("Publish")
    assert given == {
        "TopicArn": TOPIC,
        "Message": "hello",
        "Subject": "Hi",
        "MessageAttributes": {"kind": {"DataType": "String", "StringValue": "a"}},
    }


def test_a_message_without_attributes_has_one_all_the_same(
    platform: LCPlatform, sns: Query
) -> None:
    """SNS lets nothing through a policy of `exists: false` that has no attributes at all."""
    platform.notification.publish_message("news", "hello")
    assert list(sns.given("Publish")[0]["MessageAttributes"]) == ["lcplatform.content-type"]


def test_a_json_value_travels_as_its_text(platform: LCPlatform, sns: Query) -> None:
    platform.notification.publish_message("news", Json({"order": 9007199254740993}))
    [given] = sns.given("Publish")
    assert json.loads(given["Message"]) == {"order": 9007199254740993}
    assert (
        given["MessageAttributes"]["lcplatform.content-type"]["StringValue"] == "application/json"
    )


def test_a_topic_of_the_other_kind_is_looked_up(platform: LCPlatform, sns: Query) -> None:
    sns.will("GetTopicAttributes", GONE, {"Attributes": {}})
    sns.will("Publish", GONE)
    with pytest.raises(ValidationError, match="group_id"):
        platform.notification.publish_message("ledger", "a")
    sns.will("Publish", {"MessageId": UUID, "SequenceNumber": "1"})
    platform.notification.publish_message("ledger", "a", group_id="g", deduplication_id="d")
    assert sns.given("Publish")[-1]["TopicArn"] == f"{HOME}ledger.fifo"
    assert sns.given("Publish")[-1]["MessageGroupId"] == "g"


def test_a_message_with_its_attributes_is_no_larger_than_sns_takes(
    platform: LCPlatform, sns: Query
) -> None:
    largest = 256 * 1024 - 128
    platform.notification.publish_message("news", "a" * largest)
    with pytest.raises(ValidationError, match="max_message_bytes"):
        platform.notification.publish_message("news", "a" * largest, attributes={"kind": "a"})
    assert len(sns.given("Publish")) == 1


def test_entries_of_a_batch_fail_by_themselves(platform: LCPlatform, sns: Query) -> None:
    sns.will(
        "PublishBatch",
        {
            "Successful": [{"Id": "2", "MessageId": UUID}],
            "Failed": [{"Id": "1", "Code": "InternalError", "Message": "x", "SenderFault": False}],
        },
    )
    entries = [
        PublishMessagesEntry(body="a" * 262_144),
        PublishMessagesEntry(body="b"),
        PublishMessagesEntry(body="c"),
        PublishMessagesEntry(body="d", attributes={f"a{it}": "x" for it in range(10)}),
    ]
    answer = platform.notification.publish_messages("news", entries)
    assert [(it.index, it.message_id) for it in answer.successful] == [(2, UUID)]
    assert [(it.index, it.code, it.retryable) for it in answer.failed] == [
        (0, "validation", False),
        (1, "internal", True),
        (3, "validation", False),
    ]


def test_a_batch_that_is_too_large_together_is_published_one_by_one(
    platform: LCPlatform, sns: Query
) -> None:
    sns.will(
        "PublishBatch",
        Refusal("BatchRequestTooLong"),
        {"Successful": [{"Id": "0", "MessageId": UUID}], "Failed": []},
        Refusal("Throttling", status=400),
    )
    entries = [PublishMessagesEntry(body="a" * 200_000), PublishMessagesEntry(body="b" * 200_000)]
    answer = platform.notification.publish_messages("news", entries)
    assert [it.index for it in answer.successful] == [0]
    assert [(it.index, it.code, it.retryable) for it in answer.failed] == [
        (1, "quota_exceeded", True)
    ]


@pytest.mark.parametrize(
    ("code", "message", "kind", "retryable", "calls"),
    [
        ("AuthorizationError", "", PermissionDeniedError, False, 1),
        ("InvalidParameter", "", ValidationError, False, 1),
        ("ParameterValueInvalid", "", ValidationError, False, 1),
        ("EndpointDisabled", "", PreconditionFailedError, False, 1),
        ("PlatformApplicationDisabled", "", PreconditionFailedError, False, 1),
        ("KMSThrottling", "", QuotaExceededError, True, 3),
        ("Throttled", "", QuotaExceededError, True, 3),
        ("Throttling", "Rate exceeded", QuotaExceededError, True, 3),
        ("InternalError", "", LCPlatformError, True, 1),
    ],
)
def test_what_sns_refuses_is_said_in_our_words(
    platform: LCPlatform,
    sns: Query,
    code: str,
    message: str,
    kind: type[LCPlatformError],
    retryable: bool,
    calls: int,
) -> None:
    """A message that may have been published is not published again."""
    sns.will("Publish", Refusal(code, message, 500 if code == "InternalError" else 400))
    with pytest.raises(kind) as caught:
        platform.notification.publish_message("news", "a")
    assert caught.value.retryable is retryable
    assert len(sns.given("Publish")) == calls


# --- subscribing


def _there(**attributes: str) -> Mapping[str, Any]:
    known = {"PendingConfirmation": "false", "TopicArn": TOPIC, "Protocol": "sqs"}
    return {"Attributes": {**known, "Endpoint": QUEUE, **attributes}}


def test_a_queue_gets_messages_as_they_are_and_lets_topics_send(
    platform: LCPlatform, sns: Query
) -> None:
    sns.will("Subscribe", {"SubscriptionArn": SUBSCRIPTION})
    policy = '{"kind": ["paid"]}'
    letters = json.dumps({"deadLetterTargetArn": QUEUE})
    sns.will(
        "GetSubscriptionAttributes",
        _there(FilterPolicy=policy, RedrivePolicy=letters, RawMessageDelivery="true"),
    )
    made = platform.notification.subscribe(
        "news",
        protocol=DeliveryProtocol.QUEUE,
        endpoint="inbox",
        filter_policy=Json({"kind": ["paid"]}),
        dead_letter_queue="inbox",
    ).subscription
    assert (made.subscription_id, made.endpoint, made.dead_letter_queue) == (
        SUBSCRIPTION,
        "inbox",
        "inbox",
    )
    [given] = sns.given("Subscribe")
    assert given["Endpoint"] == QUEUE
    assert given["ReturnSubscriptionArn"] is True
    assert given["Attributes"]["RawMessageDelivery"] == "true"
    [changed] = sns.given("SetQueueAttributes")
    [statement] = json.loads(changed["Attributes"]["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
    assert statement["Condition"] == {"ArnLike": {"aws:SourceArn": f"{HOME}*"}}


@pytest.mark.parametrize("refused", [True, False])
def test_another_subscription_of_the_same_endpoint_is_a_conflict(
    platform: LCPlatform, sns: Query, refused: bool
) -> None:
    """Whether SNS says so, or answers with the one that is there."""
    text = "Invalid parameter: Attributes Reason: Subscription already exists with different attributes"
    sns.will(
        "Subscribe",
        Refusal("InvalidParameter", text) if refused else {"SubscriptionArn": SUBSCRIPTION},
    )
    sns.will("GetSubscriptionAttributes", _there(FilterPolicy='{"kind": ["paid"]}'))
    with pytest.raises(ConflictError):
        platform.notification.subscribe("news", protocol=DeliveryProtocol.QUEUE, endpoint="inbox")


def test_a_webhook_is_tried_as_often_as_it_is_said(platform: LCPlatform, sns: Query) -> None:
    sns.will("Subscribe", {"SubscriptionArn": SUBSCRIPTION})
    sns.will("GetSubscriptionAttributes", Refusal("NotFound", status=404))
    made = platform.notification.subscribe(
        "news", protocol=DeliveryProtocol.HTTPS, endpoint="https://example.com/x", max_retries=7
    ).subscription
    assert made.status is SubscriptionStatus.PENDING
    assert made.max_retries == 7
    [given] = sns.given("Subscribe")
    policy = json.loads(given["Attributes"]["DeliveryPolicy"])["healthyRetryPolicy"]
    assert policy["numRetries"] == 7
    assert "RawMessageDelivery" not in given["Attributes"]


@pytest.mark.parametrize(
    ("policy", "kind"),
    [
        ({"total": [{"numeric": [">", 5]}]}, UnsupportedError),
        ({"total": [5]}, UnsupportedError),
        ({"name": ['say "hello"']}, ValidationError),
        ({"name": {"nested": ["x"]}}, ValidationError),
    ],
)
def test_a_policy_that_sns_would_understand_otherwise_is_refused(
    platform: LCPlatform, sns: Query, policy: object, kind: type[LCPlatformError]
) -> None:
    with pytest.raises(kind):
        platform.notification.subscribe(
            "news",
            protocol=DeliveryProtocol.EMAIL,
            endpoint="kim@example.com",
            filter_policy=Json(policy),
        )
    assert sns.given("Subscribe") == []


def test_a_subscription_that_nobody_confirmed_is_listed_and_cannot_be_ended(
    platform: LCPlatform, sns: Query
) -> None:
    listed = {"TopicArn": TOPIC, "Owner": "1", "Protocol": "email"}
    sns.will(
        "ListSubscriptionsByTopic",
        {
            "Subscriptions": [
                {**listed, "Endpoint": "kim@example.com", "SubscriptionArn": "PendingConfirmation"},
                {**listed, "Endpoint": "lee@example.com", "SubscriptionArn": "Deleted"},
            ]
        },
    )
    [found] = platform.notification.list_subscriptions(topic="news").subscriptions
    assert (found.endpoint, found.status) == ("kim@example.com", SubscriptionStatus.PENDING)
    with pytest.raises(PreconditionFailedError):
        platform.notification.unsubscribe(found.subscription_id)
    assert sns.given("Unsubscribe") == []


def test_a_token_that_does_not_fit_is_named(platform: LCPlatform, sns: Query) -> None:
    sns.will("ConfirmSubscription", Refusal("InvalidParameter", "Invalid parameter: Token"))
    with pytest.raises(ValidationError) as caught:
        platform.notification.confirm_subscription("news", "0123")
    assert [it.field for it in caught.value.violations] == ["token"]
    assert "0123" not in str(caught.value)


def test_ending_what_is_not_there_is_not_found(platform: LCPlatform, sns: Query) -> None:
    """SNS itself would say that it is done."""
    sns.will("GetSubscriptionAttributes", Refusal("NotFound", status=404))
    for name in (SUBSCRIPTION, "nothing of SNS"):
        with pytest.raises(ResourceNotFoundError):
            platform.notification.unsubscribe(name)
    assert sns.given("Unsubscribe") == []


# --- devices


def test_a_device_that_is_known_with_other_data_gets_the_new(
    platform: LCPlatform, sns: Query
) -> None:
    text = (
        f"Invalid parameter: Token Reason: Endpoint {DEVICE} already exists with the same Token,"
        " but different attributes."
    )
    sns.will("CreatePlatformEndpoint", Refusal("InvalidParameter", text))
    device = platform.notification.register_device(
        "device-token", platform=DevicePlatform.WEB, application="shop", user_data="17"
    )
    assert device.device_id == DEVICE
    assert sns.given("CreatePlatformEndpoint")[0]["PlatformApplicationArn"] == f"{HOME}app/GCM/shop"
    assert sns.given("SetEndpointAttributes") == [
        {
            "EndpointArn": DEVICE,
            "Attributes": {"Enabled": "true", "Token": "device-token", "CustomUserData": "17"},
        }
    ]


@pytest.mark.parametrize(("sandbox", "service"), [(False, "APNS"), (True, "APNS_SANDBOX")])
def test_apple_is_reached_as_the_option_says(
    at_stub: AtStub, sns: Query, sandbox: bool, service: str
) -> None:
    platform = at_stub(notification={"apns_sandbox": sandbox})
    sns.will("CreatePlatformEndpoint", {"EndpointArn": DEVICE})
    platform.notification.register_device("t", platform=DevicePlatform.IOS, application="shop")
    [given] = sns.given("CreatePlatformEndpoint")
    assert given["PlatformApplicationArn"] == f"{HOME}app/{service}/shop"


def test_a_push_says_to_each_service_what_it_understands(platform: LCPlatform, sns: Query) -> None:
    push = platform.notification.send_push
    push(DEVICE, title="Hi", body="There", data={"badge": "1"})
    push(DEVICE.replace("GCM", "APNS"), title="Hi", data={"badge": "1"})
    push(DEVICE.replace("GCM", "APNS"), data={"badge": "1"})
    firebase, apple, silent = [
        (given, json.loads(given["Message"])) for given in sns.given("Publish")
    ]
    assert json.loads(firebase[1]["GCM"]) == {
        "fcmV1Message": {
            "message": {"notification": {"title": "Hi", "body": "There"}, "data": {"badge": "1"}}
        }
    }
    assert json.loads(apple[1]["APNS"]) == {"badge": "1", "aps": {"alert": {"title": "Hi"}}}
    assert json.loads(silent[1]["APNS"])["aps"] == {"content-available": 1}
    assert "AWS.SNS.MOBILE.APNS.PUSH_TYPE" in silent[0]["MessageAttributes"]
    assert all(given["MessageStructure"] == "json" for given, _ in (firebase, apple, silent))


def test_a_device_that_is_gone_is_not_found(platform: LCPlatform, sns: Query) -> None:
    text = "Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified"
    sns.will("Publish", Refusal("InvalidParameter", text))
    with pytest.raises(ResourceNotFoundError):
        platform.notification.send_push(DEVICE, title="Hi")


def test_a_device_that_is_forgotten_takes_its_subscriptions_along(
    platform: LCPlatform, sns: Query
) -> None:
    listed = {"TopicArn": TOPIC, "Owner": "1", "Protocol": "application"}
    sns.will(
        "ListSubscriptions",
        {
            "Subscriptions": [{**listed, "Endpoint": DEVICE, "SubscriptionArn": SUBSCRIPTION}],
            "NextToken": "more",
        },
        {"Subscriptions": [{**listed, "Endpoint": "another", "SubscriptionArn": SUBSCRIPTION}]},
    )
    sns.will("GetEndpointAttributes", {"Attributes": {"Enabled": "true"}})
    platform.notification.unregister_device(DEVICE)
    assert sns.given("Unsubscribe") == [{"SubscriptionArn": SUBSCRIPTION}]
    assert sns.given("DeleteEndpoint") == [{"EndpointArn": DEVICE}]


# --- text messages


class _Messaging(Service):
    service = "pinpoint-sms-voice-v2"

    def __init__(self) -> None:
        super().__init__()
        self.given: list[dict[str, Any]] = []
        self.error: AwsError | None = None

    def send_text_message(self, given: dict[str, Any]) -> Mapping[str, Any]:
        self.given.append(given)
        if self.error is not None:
            raise self.error
        return {"MessageId": UUID}


class _Mail(Service):
    service = "sesv2"

    def __init__(self) -> None:
        super().__init__()
        self.given: list[dict[str, Any]] = []
        self.error: AwsError | None = None
        self.insights: list[dict[str, Any]] = []

    def send_email(self, given: dict[str, Any]) -> Mapping[str, Any]:
        self.given.append(given)
        if self.error is not None:
            raise self.error
        return {"MessageId": f"0100018f2b3c4d5e-{UUID}-000000"}

    def get_message_insights(self, given: dict[str, Any]) -> Mapping[str, Any]:
        if not self.insights:
            raise AwsError("NotFoundException", "not yet")
        return {"MessageId": given["MessageId"], "Insights": self.insights}


@pytest.fixture
def messaging() -> _Messaging:
    return _Messaging()


@pytest.fixture
def mail() -> _Mail:
    return _Mail()


@pytest.fixture
def aws(stub: Stub, sns: Query, messaging: _Messaging, mail: _Mail) -> Iterator[FakeAws]:
    with FakeAws([messaging, mail], behind=stub.url) as aws:
        yield aws
        assert aws.refused == []


def test_a_text_message_goes_through_end_user_messaging(
    at_stub: AtStub, aws: FakeAws, messaging: _Messaging, sns: Query
) -> None:
    options = {"sms_identity": "pool-1", "sms_configuration_set": "all", "sms_promotional": True}
    platform = at_stub(endpoint_url=aws.url, notification=options)
    message = platform.notification.send_sms("+12025550100", "Your code is 1234").message_id
    platform.notification.send_sms("+12025550100", "Sale!", sender_id="SHOP")
    assert messaging.given == [
        {
            "DestinationPhoneNumber": "+12025550100",
            "MessageBody": "Your code is 1234",
            "MessageType": "PROMOTIONAL",
            "OriginationIdentity": "pool-1",
            "ConfigurationSetName": "all",
        },
        {
            "DestinationPhoneNumber": "+12025550100",
            "MessageBody": "Sale!",
            "MessageType": "PROMOTIONAL",
            "OriginationIdentity": "SHOP",
            "ConfigurationSetName": "all",
        },
    ]
    assert sns.given("Publish") == []
    [delivery] = platform.notification.get_delivery_status(message).deliveries
    assert (delivery.recipient, delivery.status) == ("+12025550100", DeliveryStatus.ACCEPTED)


def test_an_account_without_it_sends_through_sns_from_then_on(
    at_stub: AtStub, aws: FakeAws, messaging: _Messaging, sns: Query
) -> None:
    platform = at_stub(endpoint_url=aws.url)
    messaging.error = AwsError("AccessDeniedException", "no")
    for _ in range(2):
        platform.notification.send_sms("+12025550100", "hello", sender_id="SHOP")
    assert len(messaging.given) == 1
    assert len(sns.given("Publish")) == 2
    assert sns.given("Publish")[0] == {
        "PhoneNumber": "+12025550100",
        "Message": "hello",
        "MessageAttributes": {
            "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"},
            "AWS.SNS.SMS.SenderID": {"DataType": "String", "StringValue": "SHOP"},
        },
    }


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (
            AwsError("ConflictException", "x", Reason="DESTINATION_PHONE_NUMBER_OPTED_OUT"),
            PreconditionFailedError,
        ),
        (
            AwsError(
                "ServiceQuotaExceededException", "x", Reason="MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"
            ),
            QuotaExceededError,
        ),
        (AwsError("ValidationException", "x"), ValidationError),
    ],
)
def test_a_text_message_that_is_refused_is_not_sent_another_way(
    at_stub: AtStub,
    aws: FakeAws,
    messaging: _Messaging,
    sns: Query,
    error: AwsError,
    kind: type[LCPlatformError],
) -> None:
    messaging.error = error
    with pytest.raises(kind) as caught:
        at_stub(endpoint_url=aws.url).notification.send_sms("+12025550100", "hello")
    assert not caught.value.retryable
    assert sns.given("Publish") == []


def test_the_option_forbids_the_other_way(
    at_stub: AtStub, aws: FakeAws, messaging: _Messaging, sns: Query
) -> None:
    messaging.error = AwsError("AccessDeniedException", "no")
    platform = at_stub(endpoint_url=aws.url, notification={"sms": "end-user-messaging"})
    with pytest.raises(PermissionDeniedError):
        platform.notification.send_sms("+12025550100", "hello")
    at_stub(endpoint_url=aws.url, notification={"sms": "sns"}).notification.send_sms(
        "+12025550100", "hello"
    )
    assert len(messaging.given) == 1
    assert len(sns.given("Publish")) == 1


def test_a_sender_that_no_country_shows_is_refused(platform: LCPlatform, sns: Query) -> None:
    with pytest.raises(ValidationError, match="sender_id"):
        platform.notification.send_sms("+12025550100", "hello", sender_id="THE SHOP")
    assert sns.asked == []


# --- e-mail


def _mailing(at_stub: AtStub, aws: FakeAws, **options: object) -> LCPlatform:
    given = {"sender": "platform@example.com", **options}
    return at_stub(endpoint_url=aws.url, notification=given)


def test_an_e_mail_goes_to_each_once(at_stub: AtStub, aws: FakeAws, mail: _Mail) -> None:
    platform = _mailing(at_stub, aws, email_configuration_set="all")
    platform.notification.send_email(
        to=["kim@example.com", "kim@example.com"],
        cc=["kim@example.com", "lee@bücher.example"],
        bcc=["lee@bücher.example", "max@example.com"],
        subject="Grüße",
        text="Hello",
        html="<img src='cid:logo'>",
        attachments=[
            Attachment(
                filename="l.png", content_type="image/png", data=b"\x89PNG", content_id="logo"
            ),
            Attachment(filename="Über.txt", content_type="text/plain", data=b"about"),
        ],
        reply_to=["office@example.com"],
    )
    [given] = mail.given
    assert given["FromEmailAddress"] == "platform@example.com"
    assert given["Destination"] == {
        "ToAddresses": ["kim@example.com"],
        "CcAddresses": ["lee@xn--bcher-kva.example"],
        "BccAddresses": ["max@example.com"],
    }
    assert given["ConfigurationSetName"] == "all"
    logo, about = given["Content"]["Simple"]["Attachments"]
    assert (logo["ContentDisposition"], logo["ContentId"], logo["RawContent"]) == (
        "INLINE",
        "logo",
        b"\x89PNG",
    )
    assert (about["ContentDisposition"], about["FileName"]) == ("ATTACHMENT", "Über.txt")


def test_an_e_mail_of_nobody_is_refused(platform: LCPlatform, sns: Query) -> None:
    with pytest.raises(ValidationError, match=r"notification\.sender"):
        platform.notification.send_email(to=["kim@example.com"], subject="Hi", text="Hello")
    assert sns.asked == []


@pytest.mark.parametrize(
    ("code", "message", "kind", "retryable"),
    [
        ("MessageRejected", "Email address is not verified", PreconditionFailedError, False),
        ("MailFromDomainNotVerifiedException", "", PreconditionFailedError, False),
        ("SendingPausedException", "", PreconditionFailedError, False),
        ("AccountSuspendedException", "", PermissionDeniedError, False),
        ("BadRequestException", "", ValidationError, False),
        # The SDK takes this hard quota for throttling.
        ("LimitExceededException", "", QuotaExceededError, False),
        ("TooManyRequestsException", "Maximum sending rate exceeded.", QuotaExceededError, True),
    ],
)
def test_what_ses_refuses_is_said_in_our_words(
    at_stub: AtStub,
    aws: FakeAws,
    mail: _Mail,
    code: str,
    message: str,
    kind: type[LCPlatformError],
    retryable: bool,
) -> None:
    mail.error = AwsError(code, message)
    with pytest.raises(kind) as caught:
        _mailing(at_stub, aws).notification.send_email(
            to=["kim@example.com"], subject="Hi", text="Hello"
        )
    assert caught.value.retryable is retryable
    assert len(mail.given) == (3 if retryable else 1)


def test_the_quota_of_a_day_is_not_tried_again() -> None:
    meaning = meaning_of(
        "TooManyRequestsException",
        "Daily message quota exceeded.",
        "notification",
        "send_email",
        429,
    )
    assert (meaning.kind, meaning.retryable) == (QuotaExceededError, False)


def test_what_became_of_an_e_mail_is_told_where_ses_keeps_it(
    at_stub: AtStub, aws: FakeAws, mail: _Mail
) -> None:
    platform = _mailing(at_stub, aws, email_insights=True)
    message = platform.notification.send_email(
        to=["kim@example.com", "lee@example.com"], subject="Hi", text="Hello"
    ).message_id
    status = platform.notification.get_delivery_status(message).deliveries
    assert [(it.recipient, it.status) for it in status] == [
        ("kim@example.com", DeliveryStatus.ACCEPTED),
        ("lee@example.com", DeliveryStatus.ACCEPTED),
    ]
    at = status[0].updated_at
    bounced = {"Bounce": {"BounceType": "PERMANENT", "DiagnosticCode": "550 5.1.1 unknown"}}
    mail.insights = [
        {"Destination": "kim@example.com", "Events": [{"Timestamp": at, "Type": "DELIVERY"}]},
        {
            "Destination": "lee@example.com",
            "Events": [
                {"Timestamp": at, "Type": "SEND"},
                {"Timestamp": at, "Type": "BOUNCE", "Details": bounced},
            ],
        },
    ]
    kim, lee = platform.notification.get_delivery_status(message).deliveries
    assert (kim.status, kim.reason) == (DeliveryStatus.DELIVERED, None)
    assert lee.status is DeliveryStatus.FAILED
    assert "550 5.1.1 unknown" in str(lee.reason)


def test_of_many_recipients_an_identity_names_those_it_has_room_for(
    at_stub: AtStub, aws: FakeAws
) -> None:
    platform = _mailing(at_stub, aws)
    many = [f"{'a' * 60}{number:02}@example.com" for number in range(50)]
    message = platform.notification.send_email(to=many, subject="Hi", text="Hello").message_id
    assert len(message) <= 2048
    told = platform.notification.get_delivery_status(message).deliveries
    assert [it.recipient for it in told] == many[: len(told)]
    assert len(told) > 10


# --- options


@pytest.mark.parametrize(
    "wrong",
    [{"sender": "nobody"}, {"sms": "pigeon"}, {"sms_identity": "a b"}, {"unheard": 1}],
)
def test_a_wrong_option_is_refused_by_its_name(at_stub: AtStub, wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=f"notification.{next(iter(wrong))}"):
        at_stub(notification=wrong)
