"""From a topic to a queue and out of it: our mock through the client, over moto through boto3, in the same process.

A turn publishes 200-byte messages to a topic with one queue as its subscriber, receives each from the queue and deletes it, one
after the other. With moto the subscription is raw, so that both queues get the very message that was published.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from unittest import mock

from benchmarks.benchmark import Benchmark, Effort
from benchmarks.turns import cpu_of, take_turns
from benchmarks.verdict import Bar, Samples

if TYPE_CHECKING:
    from types_boto3_sns.type_defs import MessageAttributeValueTypeDef

_CALLS: Final = 500
_PEER_CALLS: Final = 20
_BODY: Final = "x" * 200
_ATTRIBUTES: Final = {"kind": "order"}
_PEER_ATTRIBUTES: Final[Mapping[str, MessageAttributeValueTypeDef]] = {
    "kind": {"DataType": "String", "StringValue": "order"}
}
_KEYS: Final = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "eu-central-1",
}


def _measure(effort: Effort) -> Samples:
    import boto3
    from moto import mock_aws

    from lcplatform import LCPlatform
    from lcplatform.notification.models import DeliveryProtocol

    with mock.patch.dict(os.environ, _KEYS), mock_aws(), LCPlatform("mock") as platform:
        notification, queue = platform.notification, platform.queue
        notification.create_topic("orders")
        queue.create_queue("inbox")
        notification.subscribe("orders", protocol=DeliveryProtocol.QUEUE, endpoint="inbox")

        def deliver() -> None:
            notification.publish_message("orders", _BODY, attributes=_ATTRIBUTES)
            [message] = queue.receive_messages("inbox", wait=timedelta()).messages
            assert message.body == _BODY
            queue.delete_message("inbox", message.receipt_handle)

        sns, sqs = boto3.client("sns"), boto3.client("sqs")
        topic = sns.create_topic(Name="orders")["TopicArn"]
        inbox = sqs.create_queue(QueueName="inbox")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=arn["Attributes"]["QueueArn"],
            Attributes={"RawMessageDelivery": "true"},
        )

        def deliver_with_boto3() -> None:
            sns.publish(TopicArn=topic, Message=_BODY, MessageAttributes=_PEER_ATTRIBUTES)
            [message] = sqs.receive_message(QueueUrl=inbox, MessageAttributeNames=["All"])[
                "Messages"
            ]
            assert message.get("Body") == _BODY
            sqs.delete_message(QueueUrl=inbox, ReceiptHandle=message.get("ReceiptHandle", ""))

        ours = cpu_of(deliver, _CALLS)
        peer = cpu_of(deliver_with_boto3, _PEER_CALLS)
        return take_turns(lambda: ours() * 1e6, lambda: peer() * 1e6, effort.rounds(20))


BENCHMARKS: Final = (
    Benchmark(
        name="notification_delivery",
        bar=Bar(0.05),
        compared="a message from a topic through a queue: our mock over boto3 on moto",
        unit="CPU µs",
        measure=_measure,
    ),
)
