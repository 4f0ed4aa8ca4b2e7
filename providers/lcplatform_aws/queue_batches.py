"""Messages as entries of a batch, and what SQS says became of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from lcplatform.queue.models import SendMessageRequest, SendMessagesEntry
from lcplatform.type.models import BatchFailure, ErrorCode
from lcplatform_aws.errors import batch_failure, code_of, meaning_of, problem_of
from lcplatform_aws.messages import MAX_ATTRIBUTES, encode
from lcplatform_aws.units import seconds
from lcplatform_runtime.errors import ValidationError, invalid

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

BATCH: Final = 10
"""The most entries of one batch."""


def send(sqs: SQSClient, url: str, entries: list[Any], /) -> Mapping[str, Any]:
    """What became of the entries.

    SQS refuses some batches for the sake of one entry, or because they are too large together. Nothing of such a
    batch was sent, so each entry is sent by itself.
    """
    if not entries:
        return {}
    try:
        return sqs.send_message_batch(QueueUrl=url, Entries=entries)
    except ClientError as error:
        if not refused_whole(error):
            raise
    answers = [_alone(sqs, url, entry) for entry in entries]
    return {
        name: [it for answer in answers for it in answer.get(name, ())]
        for name in ("Successful", "Failed")
    }


def _alone(sqs: SQSClient, url: str, entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """What became of an entry that was sent by itself. It fails alone: others may have been sent before."""
    try:
        return sqs.send_message_batch(QueueUrl=url, Entries=[entry])  # type: ignore[list-item]  # entries are of any kind
    except ClientError as error:
        problem = problem_of(error)
        code, text = code_of(problem), str(problem.get("Message", ""))
    except BotoCoreError as error:
        code, text = type(error).__name__, str(error)
    return {"Failed": [{"Id": entry["Id"], "Code": code, "Message": text}]}


def refused_whole(error: ClientError, /) -> bool:
    """Whether a batch was refused for what is in it: nothing of it was sent."""
    problem = problem_of(error)
    code, text = code_of(problem), str(problem.get("Message", ""))
    return meaning_of(code, text, "queue", "send_messages", 0).kind is ValidationError


def routing(message: SendMessageRequest | SendMessagesEntry, /, *, fifo: bool) -> dict[str, Any]:
    """How a message is ordered and held back.

    SQS takes a group on any queue, where it means something else, and tells of a missing one late.
    """
    if fifo:
        if message.group_id is None:
            raise invalid("group_id", "required on a FIFO queue")
        if message.delay is not None:
            raise invalid("delay", "not on a FIFO queue, which delays all messages or none")
        given = {"MessageGroupId": message.group_id}
        if message.deduplication_id is not None:
            given["MessageDeduplicationId"] = message.deduplication_id
        return given
    if message.group_id is not None:
        raise invalid("group_id", "only on a FIFO queue")
    if message.deduplication_id is not None:
        raise invalid("deduplication_id", "only on a FIFO queue")
    return {} if message.delay is None else {"DelaySeconds": seconds(message.delay)}


def entry(index: int, message: SendMessagesEntry, /, *, fifo: bool) -> dict[str, Any]:
    """A message as an entry of a batch. Raises ValidationError for what the kind of queue does not take."""
    if len(message.attributes) > MAX_ATTRIBUTES:
        raise invalid("attributes", f"at most {MAX_ATTRIBUTES}")
    return {
        "Id": str(index),
        **encode(message.body, message.attributes),
        **routing(message, fifo=fifo),
    }


def index_of(it: Mapping[str, Any], /) -> int:
    """Where an entry stood in the request."""
    return int(it["Id"])


def refused(index: int, error: ValidationError, /) -> BatchFailure:
    """An entry that was not sent."""
    return BatchFailure(
        index=index, code=ErrorCode.VALIDATION, message=error.message, retryable=False
    )


def failures(answer: Mapping[str, Any], method: str, /) -> list[BatchFailure]:
    """The entries that SQS did not take. They come in an answer that says OK."""
    return [
        batch_failure(
            index_of(it),
            it.get("Code", ""),
            it.get("Message", ""),
            ("queue", method),
            sender_fault=it.get("SenderFault"),
        )
        for it in sorted(answer.get("Failed", ()), key=index_of)
    ]


def done(answer: Mapping[str, Any], /) -> list[int]:
    """Where the entries that SQS took stood in the request."""
    return sorted(index_of(it) for it in answer.get("Successful", ()))
