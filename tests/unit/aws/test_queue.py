"""SQS on the wire: what it does rarely, and what is peculiar to it."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from typing import Any

import pytest

from lcplatform import LCPlatform
from lcplatform.errors import (
    AlreadyExistsError,
    ConflictError,
    InternalError,
    PermissionDeniedError,
    PreconditionFailedError,
    QuotaExceededError,
    ResourceNotFoundError,
    ServiceUnavailableError,
    ValidationError,
)
from lcplatform.queue.models import SendMessagesEntry
from lcplatform_runtime.json_value import Json
from tests.unit.aws.conftest import AtStub
from tests.unit.aws.sqs import ARN, FIFO, MISSING, URL, Sqs
from tests.unit.aws.stub import Answer, Stub, json_answer, json_error

pytestmark = pytest.mark.usefixtures("judged")

ATTRIBUTES = {
    "QueueArn": f"{ARN}orders",
    "VisibilityTimeout": "30",
    "MessageRetentionPeriod": "345600",
    "DelaySeconds": "0",
    "MaximumMessageSize": "1048576",
    "ApproximateNumberOfMessages": "3",
    "ApproximateNumberOfMessagesNotVisible": "2",
    "ApproximateNumberOfMessagesDelayed": "1",
}
REDRIVE = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": f"{ARN}dead", "maxReceiveCount": 4})}


def letter(number: int, **more: str) -> dict[str, Any]:
    system = {"SentTimestamp": "1700000000000", "ApproximateReceiveCount": "5", **more}
    return {
        "MessageId": f"m{number}",
        "ReceiptHandle": f"r{number}",
        "Body": f"letter {number}",
        "Attributes": system,
        "MessageAttributes": {"origin": {"DataType": "String", "StringValue": "web"}},
    }


@pytest.fixture
def sqs(stub: Stub) -> Sqs:
    return Sqs(stub)


def sent(parameters: dict[str, Any]) -> Answer:
    return json_answer(MessageId="m1", MD5OfMessageBody="")


# --- names


def test_a_name_is_looked_up_once(platform: LCPlatform, sqs: Sqs) -> None:
    sqs.does["SendMessage"] = sent
    platform.queue.send_message("orders", "one")
    platform.queue.send_message("orders", "two")
    assert len(sqs.calls("GetQueueUrl")) == 1
    assert [it["QueueUrl"] for it in sqs.calls("SendMessage")] == [URL, URL]


def test_the_suffix_of_a_fifo_queue_is_added_and_hidden(platform: LCPlatform, sqs: Sqs) -> None:
    sqs.does["GetQueueAttributes"] = lambda _: json_answer(
        Attributes={**ATTRIBUTES, "FifoQueue": "true"}
    )
    queue = platform.queue.get_queue("ledger").queue
    assert (queue.name, queue.fifo) == ("ledger", True)
    assert [it["QueueName"] for it in sqs.calls("GetQueueUrl")] == ["ledger", "ledger.fifo"]
    sqs.does["ListQueues"] = lambda _: json_answer(QueueUrls=[FIFO, URL], NextToken="next")
    listed = platform.queue.list_queues(prefix="l", page_size=7)
    assert [(it.name, it.fifo) for it in listed.queues] == [("ledger", True), ("orders", False)]
    assert sqs.calls("ListQueues") == [{"MaxResults": 7, "QueueNamePrefix": "l"}]


def test_a_queue_that_came_back_as_another_is_found(platform: LCPlatform, sqs: Sqs) -> None:
    sqs.does["SendMessage"] = lambda asked: MISSING if asked["QueueUrl"] == URL else sent(asked)
    sqs.does["GetQueueUrl"] = [
        json_answer(QueueUrl=URL),
        json_answer(QueueUrl="http://sqs/456/orders"),
    ]
    sqs.does["SendMessage"] = [sent({}), MISSING, sent({})]
    platform.queue.send_message("orders", "x")
    platform.queue.send_message("orders", "x")
    assert sqs.calls("SendMessage")[-1]["QueueUrl"] == "http://sqs/456/orders"


def test_a_queue_that_is_gone_is_looked_for_again(once: LCPlatform, sqs: Sqs) -> None:
    sqs.does["SendMessage"] = [sent({}), MISSING, sent({})]
    once.queue.send_message("orders", "x")
    with pytest.raises(ResourceNotFoundError):
        once.queue.send_message("orders", "x")
    once.queue.send_message("orders", "x")


def test_a_prefix_keeps_environments_apart(at_stub: AtStub, sqs: Sqs) -> None:
    staging = at_stub(queue_prefix="staging-")
    sqs.urls = {"staging-orders": "http://sqs/123/staging-orders"}
    sqs.does["SendMessage"] = sent
    sqs.does["ListQueues"] = lambda _: json_answer(QueueUrls=["http://sqs/123/staging-orders"])
    staging.queue.send_message("orders", "x")
    assert [it.name for it in staging.queue.list_queues().queues] == ["orders"]
    assert sqs.calls("ListQueues")[0]["QueueNamePrefix"] == "staging-"


# --- queues


def test_a_name_that_is_taken_is_not_created_again(platform: LCPlatform, sqs: Sqs) -> None:
    """SQS answers with the old queue if the attributes are the same."""
    for name in ("orders", "ledger"):
        with pytest.raises(AlreadyExistsError):
            platform.queue.create_queue(name)
    assert not sqs.calls("CreateQueue")


def test_a_queue_is_created_with_everything_at_once(platform: LCPlatform, sqs: Sqs) -> None:
    sqs.does["GetQueueAttributes"] = lambda asked: json_answer(
        Attributes={"QueueArn": f"{ARN}dead"} if asked["AttributeNames"] == ["QueueArn"] else {}
    )
    sqs.does["CreateQueue"] = lambda asked: json_answer(QueueUrl="http://sqs/123/new")
    queue = platform.queue.create_queue(
        "new",
        visibility_timeout=timedelta(seconds=1.2),
        dead_letter_queue="dead",
        max_receive_count=4,
    ).queue
    (created,) = sqs.calls("CreateQueue")
    assert created["Attributes"]["VisibilityTimeout"] == "2", "never shorter than asked for"
    assert json.loads(created["Attributes"]["RedrivePolicy"]) == {
        "deadLetterTargetArn": f"{ARN}dead",
        "maxReceiveCount": 4,
    }
    assert created["Attributes"]["MaximumMessageSize"] == "1048576", (
        "whatever the account's default is"
    )
    assert (queue.dead_letter_queue, queue.max_receive_count) == ("dead", 4)
    assert queue.visibility_timeout == timedelta(seconds=2)
    assert (queue.available_messages, queue.in_flight_messages, queue.delayed_messages) == (0, 0, 0)
    sqs.does["GetQueueAttributes"] = lambda _: json_answer(
        Attributes={**ATTRIBUTES, **REDRIVE, "VisibilityTimeout": "2"}
    )
    assert platform.queue.get_queue("new").queue.etag == queue.etag


def test_a_new_queue_that_not_all_servers_know_yet_is_created_all_the_same(
    platform: LCPlatform, sqs: Sqs
) -> None:
    """For a second, SQS may not know a queue that it has made."""
    sqs.does["CreateQueue"] = lambda asked: json_answer(QueueUrl="http://sqs/123/new")
    sqs.does["GetQueueAttributes"] = lambda _: MISSING
    assert platform.queue.create_queue("new").queue.name == "new"


def test_a_fifo_queue_tells_duplicates_by_content(platform: LCPlatform, sqs: Sqs) -> None:
    sqs.does["CreateQueue"] = lambda asked: json_answer(QueueUrl="http://sqs/123/new.fifo")
    assert platform.queue.create_queue("new", fifo=True).queue.fifo
    (created,) = sqs.calls("CreateQueue")
    assert created["QueueName"] == "new.fifo"
    assert created["Attributes"]["ContentBasedDeduplication"] == "true"


def test_an_update_is_checked_and_shows_what_it_changed(once: LCPlatform, sqs: Sqs) -> None:
    sqs.does["GetQueueAttributes"] = lambda _: json_answer(Attributes={**ATTRIBUTES, **REDRIVE})
    sqs.does["SetQueueAttributes"] = lambda _: json_answer()
    before = once.queue.get_queue("orders").queue
    after = once.queue.update_queue(
        "orders", visibility_timeout=timedelta(seconds=9), if_match=before.etag
    ).queue
    assert sqs.calls("SetQueueAttributes")[0]["Attributes"] == {"VisibilityTimeout": "9"}
    assert after.visibility_timeout == timedelta(seconds=9), "SQS may still tell the old one"
    assert after.etag != before.etag
    with pytest.raises(ConflictError):
        once.queue.update_queue("orders", delay=timedelta(seconds=1), if_match=after.etag)
    assert len(sqs.calls("SetQueueAttributes")) == 1


def test_counts_do_not_change_the_etag(platform: LCPlatform, sqs: Sqs) -> None:
    counted = {**ATTRIBUTES, "ApproximateNumberOfMessages": "99"}
    sqs.does["GetQueueAttributes"] = [
        json_answer(Attributes=ATTRIBUTES),
        json_answer(Attributes=counted),
    ]
    etags = {platform.queue.get_queue("orders").queue.etag for _ in range(2)}
    assert len(etags) == 1


def test_a_dead_letter_queue_is_taken_away_and_its_count_changed(
    platform: LCPlatform, sqs: Sqs
) -> None:
    sqs.does["GetQueueAttributes"] = lambda _: json_answer(Attributes={**ATTRIBUTES, **REDRIVE})
    sqs.does["SetQueueAttributes"] = lambda _: json_answer()
    freed = platform.queue.update_queue("orders", clear=["dead_letter_queue"]).queue
    counted = platform.queue.update_queue("orders", max_receive_count=9).queue
    first, second = sqs.calls("SetQueueAttributes")
    assert first["Attributes"] == {"RedrivePolicy": ""}
    assert json.loads(second["Attributes"]["RedrivePolicy"])["maxReceiveCount"] == 9
    assert freed.dead_letter_queue is None
    assert (counted.dead_letter_queue, counted.max_receive_count) == ("dead", 9)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"dead_letter_queue": "orders"}, "dead_letter_queue"),
        ({"dead_letter_queue": "ledger"}, "dead_letter_queue"),
        ({"dead_letter_queue": "dead", "clear": ["dead_letter_queue"]}, "clear"),
    ],
)
def test_a_dead_letter_queue_is_another_one_of_the_same_kind_and_not_cleared_at_once(
    platform: LCPlatform, sqs: Sqs, given: dict[str, Any], field: str
) -> None:
    def attributes(asked: dict[str, Any]) -> Answer:
        name = asked["QueueUrl"].rpartition("/")[2]
        return json_answer(Attributes={**ATTRIBUTES, "QueueArn": f"{ARN}{name}"})

    sqs.does["GetQueueAttributes"] = attributes
    with pytest.raises(ValidationError) as error:
        platform.queue.update_queue("orders", **given)
    assert [it.field for it in error.value.violations] == [field]
    assert not sqs.calls("SetQueueAttributes")


def test_a_count_is_for_no_dead_letter_queue_that_is_taken_away(
    platform: LCPlatform, sqs: Sqs
) -> None:
    sqs.does["GetQueueAttributes"] = lambda _: json_answer(Attributes={**ATTRIBUTES, **REDRIVE})
    with pytest.raises(PreconditionFailedError):
        platform.queue.update_queue("orders", max_receive_count=9, clear=["dead_letter_queue"])


def test_a_dead_letter_queue_that_is_missing_is_named(platform: LCPlatform, sqs: Sqs) -> None:
    sqs.does["GetQueueAttributes"] = lambda _: json_answer(Attributes=ATTRIBUTES)
    with pytest.raises(ResourceNotFoundError) as error:
        platform.queue.update_queue("orders", dead_letter_queue="nowhere")
    assert error.value.resource == "nowhere"


def test_a_count_needs_a_dead_letter_queue(platform: LCPlatform, sqs: Sqs) -> None:
    sqs.does["GetQueueAttributes"] = lambda _: json_answer(Attributes=ATTRIBUTES)
    with pytest.raises(PreconditionFailedError):
        platform.queue.update_queue("orders", max_receive_count=9)


def test_a_second_purge_within_a_minute_says_when_to_come_back(
    platform: LCPlatform, sqs: Sqs
) -> None:
    refused = json_error(
        403,
        "com.amazonaws.sqs#PurgeQueueInProgress",
        x_amzn_query_error="AWS.SimpleQueueService.PurgeQueueInProgress;Sender",
    )
    sqs.does["PurgeQueue"] = [refused]
    with pytest.raises(QuotaExceededError) as error:
        platform.queue.purge_queue("orders")
    assert error.value.retry_after == timedelta(minutes=1)


# --- sending


def test_a_send_whose_answer_never_came_is_not_repeated(at_stub: AtStub, sqs: Sqs) -> None:
    """The SDK would send it three times."""
    hasty = at_stub(read_timeout=0.2)
    sqs.does["SendMessage"] = lambda _: Answer(silent=True)
    with pytest.raises(ServiceUnavailableError) as error:
        hasty.queue.send_message("orders", "x")
    assert error.value.outcome == "unknown"
    assert len(sqs.calls("SendMessage")) == 1


def test_a_send_that_was_reset_is_not_repeated(platform: LCPlatform, sqs: Sqs) -> None:
    sqs.does["SendMessage"] = lambda _: Answer(cut=0)
    with pytest.raises(ServiceUnavailableError):
        platform.queue.send_message("orders", "x")
    assert len(sqs.calls("SendMessage")) == 1


def test_a_send_that_was_throttled_is_repeated(platform: LCPlatform, sqs: Sqs) -> None:
    throttled = json_error(
        400,
        "com.amazonaws.sqs#KmsThrottled",
        x_amzn_query_error="KMS.ThrottlingException;Sender",
    )
    sqs.does["SendMessage"] = [throttled, throttled, sent({})]
    assert platform.queue.send_message("orders", "x").message_id == "m1"


def test_a_send_with_a_deduplication_id_is_repeated(platform: LCPlatform, sqs: Sqs) -> None:
    sqs.does["SendMessage"] = [Answer(500), json_answer(MessageId="m1", SequenceNumber="7")]
    answer = platform.queue.send_message("ledger", "x", group_id="g", deduplication_id="d")
    assert (answer.message_id, answer.sequence) == ("m1", "7")
    assert sqs.calls("SendMessage")[0]["MessageDeduplicationId"] == "d"


@pytest.mark.parametrize(
    ("queue", "given", "field"),
    [
        ("ledger", {}, "group_id"),
        ("ledger", {"group_id": "g", "delay": timedelta(seconds=1)}, "delay"),
        ("ledger", {"group_id": "g", "delay": timedelta()}, "delay"),
        ("orders", {"group_id": "g"}, "group_id"),
        ("orders", {"deduplication_id": "d"}, "deduplication_id"),
    ],
)
def test_what_the_kind_of_queue_does_not_have_is_refused_before_it_is_sent(
    platform: LCPlatform, sqs: Sqs, queue: str, given: dict[str, Any], field: str
) -> None:
    """SQS takes a group on any queue, for something else."""
    with pytest.raises(ValidationError, match=field):
        platform.queue.send_message(queue, "x", **given)
    assert not sqs.calls("SendMessage")


def test_entries_that_fail_come_in_an_answer_that_says_ok(platform: LCPlatform, sqs: Sqs) -> None:
    sqs.does["SendMessageBatch"] = lambda _: json_answer(
        Successful=[{"Id": "3", "MessageId": "m3"}, {"Id": "0", "MessageId": "m0"}],
        Failed=[
            {"Id": "2", "Code": "RequestThrottled", "SenderFault": False, "Message": "slow"},
            {"Id": "1", "Code": "InvalidMessageContents", "SenderFault": True},
        ],
    )
    entries = [SendMessagesEntry(body=f"m{number}") for number in range(4)]
    answer = platform.queue.send_messages("orders", entries)
    assert [(it.index, it.message_id) for it in answer.successful] == [(0, "m0"), (3, "m3")]
    assert [(it.index, it.code, it.retryable) for it in answer.failed] == [
        (1, "validation", False),
        (2, "quota_exceeded", True),
    ]
    assert len(sqs.calls("SendMessageBatch")) == 1


def test_an_entry_that_the_queue_does_not_take_keeps_its_place(
    platform: LCPlatform, sqs: Sqs
) -> None:
    sqs.does["SendMessageBatch"] = lambda asked: json_answer(
        Successful=[{"Id": it["Id"], "MessageId": "m"} for it in asked["Entries"]]
    )
    entries = [
        SendMessagesEntry(body="x"),
        SendMessagesEntry(body="x", group_id="g"),
        SendMessagesEntry(body="x", attributes={f"a{number}": "v" for number in range(10)}),
        SendMessagesEntry(body=Json([1])),
    ]
    answer = platform.queue.send_messages("orders", entries)
    assert [it.index for it in answer.successful] == [0, 3]
    assert [(it.index, it.code) for it in answer.failed] == [(1, "validation"), (2, "validation")]


def test_a_batch_that_is_refused_for_one_entry_is_sent_entry_by_entry(
    platform: LCPlatform, sqs: Sqs
) -> None:
    refused = json_error(400, "com.amazonaws.sqs#BatchRequestTooLong", "too long")

    def batch(asked: dict[str, Any]) -> Answer:
        (first, *others) = asked["Entries"]
        if others or first["Id"] == "1":
            return refused
        return json_answer(Successful=[{"Id": first["Id"], "MessageId": "m"}])

    sqs.does["SendMessageBatch"] = batch
    entries = [SendMessagesEntry(body=f"m{number}") for number in range(3)]
    answer = platform.queue.send_messages("orders", entries)
    assert [it.index for it in answer.successful] == [0, 2]
    assert [(it.index, it.code) for it in answer.failed] == [(1, "validation")]


@pytest.mark.parametrize(
    "failure", [json_error(400, "ThrottlingException"), json_error(500, "InternalFailure")]
)
def test_what_goes_wrong_between_two_entries_repeats_none_of_them(
    platform: LCPlatform, sqs: Sqs, failure: Answer
) -> None:
    """Were it the whole batch's failure, the platform would send the first entry a second time."""
    sent_by_itself: list[str] = []

    def batch(asked: dict[str, Any]) -> Answer:
        (first, *others) = asked["Entries"]
        if others:
            return json_error(400, "com.amazonaws.sqs#BatchRequestTooLong", "too long")
        sent_by_itself.append(first["MessageBody"])
        if first["Id"] == "1":
            return failure
        return json_answer(Successful=[{"Id": first["Id"], "MessageId": "m"}])

    sqs.does["SendMessageBatch"] = batch
    entries = [SendMessagesEntry(body=f"m{number}") for number in range(3)]
    answer = platform.queue.send_messages("orders", entries)
    assert sent_by_itself == ["m0", "m1", "m2"]
    assert [it.index for it in answer.successful] == [0, 2]
    assert [(it.index, it.retryable) for it in answer.failed] == [(1, True)]


def test_a_batch_that_may_not_be_sent_is_not_sent_entry_by_entry(
    platform: LCPlatform, sqs: Sqs
) -> None:
    sqs.does["SendMessageBatch"] = lambda _: json_error(403, "AccessDenied")
    with pytest.raises(PermissionDeniedError):
        platform.queue.send_messages("orders", [SendMessagesEntry(body="x")] * 2)
    assert len(sqs.calls("SendMessageBatch")) == 1


# --- receiving


def test_a_receive_asks_for_what_the_platform_shows(platform: LCPlatform, sqs: Sqs) -> None:
    sqs.does["ReceiveMessage"] = lambda _: json_answer(Messages=[letter(1)])
    (message,) = platform.queue.receive_messages(
        "orders", max_messages=10, wait=timedelta(seconds=20), visibility_timeout=timedelta(0)
    ).messages
    (asked,) = sqs.calls("ReceiveMessage")
    assert asked["WaitTimeSeconds"] == 20
    assert asked["VisibilityTimeout"] == 0
    assert asked["MessageSystemAttributeNames"] == ["SentTimestamp", "ApproximateReceiveCount"]
    assert (message.id, message.body, message.attributes) == ("m1", "letter 1", {"origin": "web"})


def test_a_receive_that_names_no_timeout_leaves_it_to_the_queue(
    platform: LCPlatform, sqs: Sqs
) -> None:
    sqs.does["ReceiveMessage"] = lambda _: json_answer()
    assert platform.queue.receive_messages("ledger").messages == ()
    (asked,) = sqs.calls("ReceiveMessage")
    assert "VisibilityTimeout" not in asked
    assert "MessageGroupId" in asked["MessageSystemAttributeNames"]


def test_the_receipts_of_a_batch_keep_their_places(platform: LCPlatform, sqs: Sqs) -> None:
    answer = json_answer(
        Successful=[{"Id": "2"}, {"Id": "0"}],
        Failed=[{"Id": "1", "Code": "ReceiptHandleIsInvalid", "SenderFault": True}],
    )
    sqs.does["DeleteMessageBatch"] = lambda _: answer
    deleted = platform.queue.delete_messages("orders", ["a", "b", "c"])
    assert [it.index for it in deleted.successful] == [0, 2]
    assert [(it.index, it.code) for it in deleted.failed] == [(1, "validation")]


# --- dead letters


@pytest.fixture
def redriving(sqs: Sqs) -> Sqs:
    sqs.does["GetQueueAttributes"] = lambda _: json_answer(Attributes={**ATTRIBUTES, **REDRIVE})
    sqs.does["DeleteMessageBatch"] = lambda _: json_answer()
    sqs.does["ChangeMessageVisibilityBatch"] = lambda _: json_answer()
    sqs.does["SendMessageBatch"] = lambda asked: json_answer(
        Successful=[{"Id": it["Id"], "MessageId": f"new{it['Id']}"} for it in asked["Entries"]]
    )
    return sqs


def test_dead_letters_are_looked_at_and_not_taken(platform: LCPlatform, redriving: Sqs) -> None:
    redriving.does["ReceiveMessage"] = [json_answer(Messages=[letter(1)])]
    (message,) = platform.queue.peek_dead_letters("orders").messages
    (asked,) = redriving.calls("ReceiveMessage")
    assert asked["QueueUrl"] == "http://sqs/123/dead"
    assert asked["VisibilityTimeout"] == 0
    assert message.body == "letter 1"


def test_dead_letters_go_home_as_they_are_before_they_are_deleted(
    platform: LCPlatform, redriving: Sqs
) -> None:
    redriving.does["ReceiveMessage"] = [
        json_answer(Messages=[letter(1), letter(2)]),
        json_answer(Messages=[letter(3)]),
        json_answer(),
    ]
    assert platform.queue.redrive_dead_letters("orders").moved == 3
    entry = redriving.calls("SendMessageBatch")[0]["Entries"][0]
    assert entry == {
        "Id": "0",
        "MessageBody": "letter 1",
        "MessageAttributes": {"origin": {"DataType": "String", "StringValue": "web"}},
    }
    steps = [name for name, _ in redriving.asked if name.endswith("Batch")]
    assert steps == ["SendMessageBatch", "DeleteMessageBatch"] * 2


def test_no_more_dead_letters_go_home_than_were_asked_for(
    platform: LCPlatform, redriving: Sqs
) -> None:
    numbers = itertools.count()
    redriving.does["ReceiveMessage"] = lambda asked: json_answer(
        Messages=[letter(next(numbers)) for _ in range(asked["MaxNumberOfMessages"])]
    )
    assert platform.queue.redrive_dead_letters("orders", max_messages=12).moved == 12
    assert [it["MaxNumberOfMessages"] for it in redriving.calls("ReceiveMessage")] == [10, 2]


def test_what_dies_again_meanwhile_is_not_moved_in_circles(
    platform: LCPlatform, redriving: Sqs
) -> None:
    back = {**letter(9), "MessageId": "new0"}
    redriving.does["ReceiveMessage"] = [
        json_answer(Messages=[letter(1)]),
        json_answer(Messages=[back]),
    ]
    assert platform.queue.redrive_dead_letters("orders").moved == 1
    (given_back,) = redriving.calls("ChangeMessageVisibilityBatch")
    assert given_back["Entries"] == [{"Id": "0", "ReceiptHandle": "r9", "VisibilityTimeout": 0}]


def test_each_queue_that_shares_a_dead_letter_queue_gets_back_its_own(
    platform: LCPlatform, redriving: Sqs
) -> None:
    """Those of others are hidden meanwhile, or they would be all that is ever found."""
    source = "DeadLetterQueueSourceArn"
    others = [letter(number, **{source: f"{ARN}others"}) for number in range(10)]
    by_hand, mine = letter(10), letter(11, **{source: f"{ARN}orders"})
    redriving.does["ReceiveMessage"] = [
        json_answer(Messages=others),
        json_answer(Messages=[by_hand, mine]),
        json_answer(Messages=others[:3]),
    ]
    assert platform.queue.redrive_dead_letters("orders").moved == 2
    assert source in redriving.calls("ReceiveMessage")[0]["MessageSystemAttributeNames"]
    (sent_back,) = redriving.calls("SendMessageBatch")
    assert [it["MessageBody"] for it in sent_back["Entries"]] == ["letter 10", "letter 11"]
    given_back = redriving.calls("ChangeMessageVisibilityBatch")
    assert [len(it["Entries"]) for it in given_back] == [10, 3]
    assert [name for name, _ in redriving.asked][-2:] == ["ChangeMessageVisibilityBatch"] * 2


def test_letters_that_cannot_be_given_back_come_back_by_themselves(
    platform: LCPlatform, redriving: Sqs
) -> None:
    theirs = letter(1, DeadLetterQueueSourceArn=f"{ARN}others")
    redriving.does["ReceiveMessage"] = [json_answer(Messages=[theirs]), json_answer()]
    redriving.does["ChangeMessageVisibilityBatch"] = lambda _: json_error(500, "InternalFailure")
    assert platform.queue.redrive_dead_letters("orders").moved == 0


def test_a_dead_letter_that_cannot_go_home_is_given_back(
    platform: LCPlatform, redriving: Sqs
) -> None:
    redriving.does["ReceiveMessage"] = [json_answer(Messages=[letter(1), letter(2)])]
    redriving.does["SendMessageBatch"] = lambda _: json_answer(
        Successful=[{"Id": "1", "MessageId": "new"}],
        Failed=[{"Id": "0", "Code": "InternalError", "SenderFault": False}],
    )
    with pytest.raises((ServiceUnavailableError, InternalError)):
        platform.queue.redrive_dead_letters("orders")
    (deleted,) = redriving.calls("DeleteMessageBatch")
    assert [it["ReceiptHandle"] for it in deleted["Entries"]] == ["r2"]
    (given_back,) = redriving.calls("ChangeMessageVisibilityBatch")
    assert [it["ReceiptHandle"] for it in given_back["Entries"]] == ["r1"]


def test_dead_letters_that_are_too_large_together_go_home_one_by_one(
    platform: LCPlatform, redriving: Sqs
) -> None:
    def batch(asked: dict[str, Any]) -> Answer:
        if len(asked["Entries"]) > 1:
            return json_error(400, "com.amazonaws.sqs#BatchRequestTooLong", "too long")
        return json_answer(Successful=[{"Id": asked["Entries"][0]["Id"], "MessageId": "new"}])

    redriving.does["SendMessageBatch"] = batch
    redriving.does["ReceiveMessage"] = [json_answer(Messages=[letter(1), letter(2)]), json_answer()]
    assert platform.queue.redrive_dead_letters("orders").moved == 2
    (deleted,) = redriving.calls("DeleteMessageBatch")
    assert [it["ReceiptHandle"] for it in deleted["Entries"]] == ["r1", "r2"]


@pytest.mark.parametrize("step", ["DeleteMessageBatch", "ReceiveMessage"])
def test_a_redrive_that_is_throttled_on_its_way_is_not_taken_for_one_that_never_began(
    platform: LCPlatform, redriving: Sqs, step: str
) -> None:
    throttled = json_error(400, "ThrottlingException")
    received = [json_answer(Messages=[letter(1)]), json_answer()]
    redriving.does["ReceiveMessage"] = received
    if step == "ReceiveMessage":
        received.insert(1, throttled)
    else:
        redriving.does[step] = [throttled]
    with pytest.raises(QuotaExceededError) as caught:
        platform.queue.redrive_dead_letters("orders")
    assert caught.value.outcome == "unknown"
    assert len(redriving.calls("SendMessageBatch")) == 1


def test_a_fifo_dead_letter_is_not_lost_to_its_own_deduplication_id(
    platform: LCPlatform, redriving: Sqs
) -> None:
    policy = json.dumps({"deadLetterTargetArn": f"{ARN}dead", "maxReceiveCount": 4})
    redriving.does["GetQueueAttributes"] = lambda _: json_answer(
        Attributes={**ATTRIBUTES, "RedrivePolicy": policy}
    )
    dead = letter(1, MessageGroupId="g", MessageDeduplicationId="d", SequenceNumber="1")
    redriving.does["ReceiveMessage"] = [json_answer(Messages=[dead]), json_answer()]
    platform.queue.redrive_dead_letters("ledger")
    (batch,) = redriving.calls("SendMessageBatch")
    assert batch["Entries"][0]["MessageGroupId"] == "g"
    assert batch["Entries"][0]["MessageDeduplicationId"] == "m1"
