"""Message move tasks of SQS, which no emulator has: what they do to queues is done at the emulator behind the fake.

As AWS was recorded doing it: one task at a time for a dead-letter queue; a destination is optional; a handle is told while the task runs;
a task that is cancelled ends a moment later and may move a little more until then.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

import boto3

from tests.fake_aws.api import AwsError, UndeclaredError
from tests.fake_aws.server import Service

_STEP: Final = timedelta(seconds=1)
_RATE: Final = 100
"""How many messages a second a task moves that names no rate."""
_SOURCE: Final = "DeadLetterQueueSourceArn"


@dataclass(slots=True)
class Task:
    """One task."""

    handle: str
    source: str
    destination: str | None
    rate: int | None
    started: int
    to_move: int
    moved: int = 0
    status: str = "RUNNING"
    reason: str | None = None

    def told(self) -> dict[str, Any]:
        """As ListMessageMoveTasks has it."""
        return {
            "TaskHandle": self.handle if self.status == "RUNNING" else None,
            "Status": self.status,
            "SourceArn": self.source,
            "DestinationArn": self.destination,
            "MaxNumberOfMessagesPerSecond": self.rate,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "FailureReason": self.reason,
            "StartedTimestamp": self.started,
        }


class MoveTasks(Service):
    """The tasks, and the queues at an emulator that they work on."""

    service = "sqs"

    def __init__(self, emulator: str) -> None:
        super().__init__()
        self.tasks: list[Task] = []
        self.delay = timedelta()
        """How long a task takes to begin."""
        self.fail_for: str | None = None
        """The reason for which tasks fail, if they do."""
        self._numbers = itertools.count(1)
        self._sqs = boto3.client(
            "sqs",
            region_name="us-east-1",
            endpoint_url=emulator,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def start_message_move_task(self, given: dict[str, Any]) -> Mapping[str, Any]:
        source, destination = given["SourceArn"], given.get("DestinationArn")
        url = self._url(source, "SourceArn")
        if destination is not None:
            self._url(destination, "DestinationArn")
        if not self._sqs.list_dead_letter_source_queues(QueueUrl=url).get("queueUrls"):
            raise UndeclaredError(
                "InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue."
            )
        if any(it.source == source and it.status == "RUNNING" for it in self.tasks):
            raise UndeclaredError(
                "InvalidParameterValue",
                "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
            )
        counted = self._sqs.get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        task = Task(
            handle=f"task-{next(self._numbers)}",
            source=source,
            destination=destination,
            rate=given.get("MaxNumberOfMessagesPerSecond"),
            started=round(self.time.now().timestamp() * 1000),
            to_move=int(counted["Attributes"]["ApproximateNumberOfMessages"]),
        )
        self.tasks.append(task)
        self.time.after(self.delay, partial(self._run, task))
        return {"TaskHandle": task.handle}

    def list_message_move_tasks(self, given: dict[str, Any]) -> Mapping[str, Any]:
        self._url(given["SourceArn"], "SourceArn")
        found = [it for it in reversed(self.tasks) if it.source == given["SourceArn"]]
        return {"Results": [it.told() for it in found[: given.get("MaxResults", 1)]]}

    def cancel_message_move_task(self, given: dict[str, Any]) -> Mapping[str, Any]:
        for task in self.tasks:
            if task.handle == given["TaskHandle"] and task.status == "RUNNING":
                task.status = "CANCELLING"
                self.time.after(timedelta(), partial(self._run, task))
                return {"ApproximateNumberOfMessagesMoved": task.moved}
        raise AwsError("ResourceNotFoundException", "Task does not exist.")

    def _run(self, task: Task) -> None:
        """Moves as many messages as a second allows, and goes on a second later."""
        if task.status == "CANCELLING":
            task.status = "CANCELLED"
        if task.status != "RUNNING":
            return
        try:
            if self.fail_for is not None:
                raise AwsError(self.fail_for)
            for _ in range(task.rate or _RATE):
                if not self._moved_one(task):
                    task.status = "COMPLETED"
                    return
                task.moved += 1
        except AwsError as error:
            task.status, task.reason = "FAILED", error.code
            return
        self.time.after(_STEP, partial(self._run, task))

    def _moved_one(self, task: Task) -> bool:
        origin = self._url(task.source, "SourceArn")
        received: Any = self._sqs.receive_message(
            QueueUrl=origin,
            MaxNumberOfMessages=1,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        for message in received.get("Messages", ()):
            system = message.get("Attributes", {})
            destination = task.destination or system.get(_SOURCE)
            if destination is None:
                raise AwsError("CouldNotDetermineMessageSource")
            self._send(destination, message, system)
            self._sqs.delete_message(QueueUrl=origin, ReceiptHandle=message["ReceiptHandle"])
            return True
        return False

    def _send(
        self, destination: str, message: Mapping[str, Any], system: Mapping[str, Any]
    ) -> None:
        try:
            url = self._url(destination, "DestinationArn")
        except AwsError as error:
            raise AwsError("AWS.SimpleQueueService.NonExistentQueue") from error
        ordered = {}
        if "MessageGroupId" in system:
            ordered = {
                "MessageGroupId": system["MessageGroupId"],
                "MessageDeduplicationId": message["MessageId"],
            }
        self._sqs.send_message(
            QueueUrl=url,
            MessageBody=message["Body"],
            MessageAttributes=message.get("MessageAttributes", {}),
            **ordered,
        )

    def _url(self, arn: str, parameter: str) -> str:
        try:
            return self._sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
        except self._sqs.exceptions.QueueDoesNotExist as error:
            raise AwsError(
                "ResourceNotFoundException",
                f"The resource that you specified for the {parameter} parameter doesn't exist.",
            ) from error
