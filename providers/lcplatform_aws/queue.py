"""Queues on Amazon SQS."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from typing_extensions import override

from lcplatform.queue.driver import QueueDriver
from lcplatform.queue.models import (
    ChangeVisibilitiesRequest,
    ChangeVisibilitiesResponse,
    ChangeVisibilitiesResult,
    ChangeVisibilityRequest,
    ChangeVisibilityResponse,
    CreateQueueRequest,
    CreateQueueResponse,
    DeleteMessageRequest,
    DeleteMessageResponse,
    DeleteMessagesRequest,
    DeleteMessagesResponse,
    DeleteMessagesResult,
    DeleteQueueRequest,
    DeleteQueueResponse,
    GetQueueRequest,
    GetQueueResponse,
    ListQueuesRequest,
    ListQueuesResponse,
    PeekDeadLettersRequest,
    PeekDeadLettersResponse,
    PurgeQueueRequest,
    PurgeQueueResponse,
    QueueInfo,
    QueueSummary,
    ReceiveMessagesRequest,
    ReceiveMessagesResponse,
    RedriveDeadLettersRequest,
    RedriveDeadLettersResponse,
    SendMessageRequest,
    SendMessageResponse,
    SendMessagesEntry,
    SendMessagesRequest,
    SendMessagesResponse,
    SendMessagesResult,
    UpdateQueueRequest,
    UpdateQueueResponse,
)
from lcplatform.queue.operations import REDRIVE_DEAD_LETTERS
from lcplatform.queue.support import QueueCapability, QueueLimits
from lcplatform.type.models import BatchFailure, ErrorCode
from lcplatform_aws.errors import batch_failure, begun, code_of, meaning_of, problem_of
from lcplatform_aws.messages import MAX_ATTRIBUTES, decode, encode
from lcplatform_aws.resource_policies import allowing
from lcplatform_aws.units import given, invalid, seconds
from lcplatform_runtime.cancellation import CANCELLATION
from lcplatform_runtime.context import current_call
from lcplatform_runtime.errors import (
    AlreadyExistsError,
    ConflictError,
    DeadlineExceededError,
    OperationCancelledError,
    Outcome,
    PreconditionFailedError,
    ResourceNotFoundError,
    ServiceUnavailableError,
    ValidationError,
)
from lcplatform_runtime.support import ConditionalUpdate, Support

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

    from lcplatform_aws.session import Session

_FIFO: Final = ".fifo"
_MIB: Final = 1024 * 1024
_BATCH: Final = 10
_LEASE: Final = 60
"""For how many seconds a dead letter that is being sent back stays hidden."""
_LOOK: Final = 1
"""How many seconds a look for dead letters takes. One that does not wait asks a part of the servers only."""
_MISSING: Final = frozenset({"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"})
_STANDARD: Final = ["SentTimestamp", "ApproximateReceiveCount"]
_ORDERED: Final = [*_STANDARD, "MessageGroupId", "SequenceNumber", "MessageDeduplicationId"]

_SUPPORT: Final = Support(
    capabilities=frozenset(QueueCapability) - {QueueCapability.EXACT_COUNTS},
    limits=QueueLimits(
        max_message_bytes=_MIB,
        max_attributes=MAX_ATTRIBUTES,
        max_batch_entries=_BATCH,
        max_batch_bytes=_MIB,
        max_receive_messages=10,
        max_wait_seconds=20,
        max_delay_seconds=900,
        max_visibility_timeout_seconds=43_200,
        max_retention_seconds=1_209_600,
    ).by_name(),
    conditional_updates={"update_queue": ConditionalUpdate.CHECKED},
)

_EMPTY: Final = dict.fromkeys(
    (
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ),
    "0",
)

T = TypeVar("T")


class SqsQueue(QueueDriver):
    """Queues and messages on Amazon SQS.

    SQS does not tell a name that is taken from a creation that is repeated, and has no conditional updates: both are
    checked before, so two callers at the very same time may both succeed. Lengths of time are whole seconds there: a
    fraction counts as one more.
    """

    def __init__(self, session: Session, prefix: str = "", /) -> None:
        self._session = session
        self._prefix = prefix
        self._urls: dict[str, str] = {}

    @property
    @override
    def support(self) -> Support:
        return _SUPPORT

    @property
    def _sqs(self) -> SQSClient:
        return self._session.sqs

    # --- queues

    @override
    def create_queue(self, request: CreateQueueRequest, /) -> CreateQueueResponse:
        if self._found(request.name) is not None:
            raise AlreadyExistsError(f"there is a queue {request.name!r} already")
        attributes = {
            "VisibilityTimeout": str(seconds(request.visibility_timeout)),
            "MessageRetentionPeriod": str(seconds(request.retention)),
            "DelaySeconds": str(seconds(request.delay)),
            "MaximumMessageSize": str(request.max_message_size or _MIB),
        }
        if request.dead_letter_queue is not None:
            attributes["RedrivePolicy"] = self._redrive_policy(
                request.dead_letter_queue, request.max_receive_count
            )
        if request.fifo:
            attributes |= {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        name = f"{self._prefix}{request.name}{_FIFO if request.fifo else ''}"
        answer = self._sqs.create_queue(QueueName=name, Attributes=attributes)  # type: ignore[arg-type]  # by literals
        self._urls[request.name] = answer["QueueUrl"]
        # Asked for at once, SQS may not know the queue yet.
        return CreateQueueResponse(queue=self._info(request.name, {**_EMPTY, **attributes}))

    @override
    def get_queue(self, request: GetQueueRequest, /) -> GetQueueResponse:
        return GetQueueResponse(queue=self._info(request.name, self._attributes(request.name)))

    @override
    def list_queues(self, request: ListQueuesRequest, /) -> ListQueuesResponse:
        prefix = f"{self._prefix}{request.prefix}"
        answer = self._sqs.list_queues(
            MaxResults=request.page_size,
            **given(QueueNamePrefix=prefix or None, NextToken=request.page_token or None),
        )
        known = [url.rpartition("/")[2] for url in answer.get("QueueUrls", ())]
        return ListQueuesResponse(
            queues=tuple(QueueSummary(name=self.name(it), fifo=it.endswith(_FIFO)) for it in known),
            next_page_token=answer.get("NextToken", ""),
        )

    @override
    def update_queue(self, request: UpdateQueueRequest, /) -> UpdateQueueResponse:
        name = request.name
        attributes = self._attributes(name)
        if request.if_match is not None and request.if_match != _etag(attributes):
            raise ConflictError("the attributes of the queue have changed since they were read")
        changes = _changes(request)
        policy = self._changed_policy(request, _policy(attributes))
        if policy is not None:
            changes["RedrivePolicy"] = policy
        if changes:
            self._at(name, partial(self._sqs.set_queue_attributes, Attributes=changes))
        # Read again, they might still be the old ones for a minute.
        return UpdateQueueResponse(queue=self._info(name, {**attributes, **changes}))

    def _changed_policy(self, request: UpdateQueueRequest, known: Mapping[str, Any]) -> str | None:
        """The redrive policy as it is to be; none at all where it stays, empty where it goes."""
        if "dead_letter_queue" in request.clear:
            return ""
        if request.dead_letter_queue is not None:
            count = request.max_receive_count or int(known.get("maxReceiveCount", 5))
            return self._redrive_policy(request.dead_letter_queue, count)
        if request.max_receive_count is None:
            return None
        if not known:
            raise PreconditionFailedError(
                "the queue has no dead-letter queue that max_receive_count could be for"
            )
        return json.dumps({**known, "maxReceiveCount": request.max_receive_count})

    @override
    def delete_queue(self, request: DeleteQueueRequest, /) -> DeleteQueueResponse:
        self._at(request.name, self._sqs.delete_queue)
        self._urls.pop(request.name, None)
        return DeleteQueueResponse()

    @override
    def purge_queue(self, request: PurgeQueueRequest, /) -> PurgeQueueResponse:
        self._at(request.name, self._sqs.purge_queue)
        return PurgeQueueResponse()

    # --- messages

    @override
    def send_message(self, request: SendMessageRequest, /) -> SendMessageResponse:
        parameters = encode(request.body, request.attributes)

        def send(url: str) -> Mapping[str, Any]:
            return self._sqs.send_message(
                QueueUrl=url, **parameters, **_routing(request, fifo=url.endswith(_FIFO))
            )

        answer = self._sent(request.queue, send)
        return SendMessageResponse(
            message_id=answer["MessageId"], sequence=answer.get("SequenceNumber")
        )

    @override
    def send_messages(self, request: SendMessagesRequest, /) -> SendMessagesResponse:
        def send(url: str) -> tuple[Mapping[str, Any], list[BatchFailure]]:
            refused: list[BatchFailure] = []
            entries: list[Any] = []
            for index, entry in enumerate(request.entries):
                try:
                    entries.append(_entry(index, entry, fifo=url.endswith(_FIFO)))
                except ValidationError as error:
                    refused.append(_refused(index, error))
            return self._batch(url, entries), refused

        answer, refused = self._sent(request.queue, send)
        successful = sorted(answer.get("Successful", ()), key=_index)
        failures = [*refused, *_failures(answer, "send_messages")]
        return SendMessagesResponse(
            successful=tuple(
                SendMessagesResult(
                    index=_index(it),
                    message_id=it["MessageId"],
                    sequence=it.get("SequenceNumber"),
                )
                for it in successful
            ),
            failed=tuple(sorted(failures, key=lambda failure: failure.index)),
        )

    def _batch(self, url: str, entries: list[Any]) -> Mapping[str, Any]:
        """What became of the entries.

        SQS refuses some batches for the sake of one entry, or because they are too large together. Nothing of such a
        batch was sent, so each entry is sent by itself.
        """
        if not entries:
            return {}
        try:
            return self._sqs.send_message_batch(QueueUrl=url, Entries=entries)
        except ClientError as error:
            problem = problem_of(error)
            code, text = code_of(problem), str(problem.get("Message", ""))
            if meaning_of(code, text, "queue", "send_messages", 0).kind is not ValidationError:
                raise
        answers = [self._alone(url, entry) for entry in entries]
        return {
            name: [it for answer in answers for it in answer.get(name, ())]
            for name in ("Successful", "Failed")
        }

    def _alone(self, url: str, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        """What became of an entry that was sent by itself. It fails alone: others may have been sent before."""
        try:
            return self._sqs.send_message_batch(QueueUrl=url, Entries=[entry])  # type: ignore[list-item]  # as above
        except ClientError as error:
            problem = problem_of(error)
            code, text = code_of(problem), str(problem.get("Message", ""))
        except BotoCoreError as error:
            code, text = type(error).__name__, str(error)
        return {"Failed": [{"Id": entry["Id"], "Code": code, "Message": text}]}

    @override
    def receive_messages(self, request: ReceiveMessagesRequest, /) -> ReceiveMessagesResponse:
        wait = seconds(request.wait)
        hidden_for = request.visibility_timeout
        lease: dict[str, Any] = (
            {} if hidden_for is None else {"VisibilityTimeout": seconds(hidden_for)}
        )
        sqs = self._session.sqs_polls if wait else self._session.sqs

        def receive(url: str) -> Mapping[str, Any]:
            return sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=request.max_messages,
                WaitTimeSeconds=wait,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=_ORDERED if url.endswith(_FIFO) else _STANDARD,  # type: ignore[arg-type]
                **lease,
            )

        received = self._sent(request.queue, receive).get("Messages", ())
        cancellation = CANCELLATION.get()
        if received and cancellation is not None and cancellation.cancelled:
            self._give_back(self._url(request.queue), received)
            raise OperationCancelledError("the caller gave up before the messages came")
        return ReceiveMessagesResponse(messages=tuple(decode(it) for it in received))

    @override
    def delete_message(self, request: DeleteMessageRequest, /) -> DeleteMessageResponse:
        self._at(
            request.queue,
            partial(self._sqs.delete_message, ReceiptHandle=request.receipt_handle),
        )
        return DeleteMessageResponse()

    @override
    def delete_messages(self, request: DeleteMessagesRequest, /) -> DeleteMessagesResponse:
        entries: list[Any] = [
            {"Id": str(index), "ReceiptHandle": handle}
            for index, handle in enumerate(request.receipt_handles)
        ]
        answer = self._at(request.queue, partial(self._sqs.delete_message_batch, Entries=entries))
        return DeleteMessagesResponse(
            successful=tuple(DeleteMessagesResult(index=index) for index in _done(answer)),
            failed=tuple(_failures(answer, "delete_messages")),
        )

    @override
    def change_visibility(self, request: ChangeVisibilityRequest, /) -> ChangeVisibilityResponse:
        self._at(
            request.queue,
            partial(
                self._sqs.change_message_visibility,
                ReceiptHandle=request.receipt_handle,
                VisibilityTimeout=seconds(request.visibility_timeout),
            ),
        )
        return ChangeVisibilityResponse(receipt_handle=request.receipt_handle)

    @override
    def change_visibilities(
        self, request: ChangeVisibilitiesRequest, /
    ) -> ChangeVisibilitiesResponse:
        entries: list[Any] = [
            {
                "Id": str(index),
                "ReceiptHandle": entry.receipt_handle,
                "VisibilityTimeout": seconds(entry.visibility_timeout),
            }
            for index, entry in enumerate(request.entries)
        ]
        answer = self._at(
            request.queue, partial(self._sqs.change_message_visibility_batch, Entries=entries)
        )
        return ChangeVisibilitiesResponse(
            successful=tuple(
                ChangeVisibilitiesResult(
                    index=index, receipt_handle=request.entries[index].receipt_handle
                )
                for index in _done(answer)
            ),
            failed=tuple(_failures(answer, "change_visibilities")),
        )

    # --- dead letters

    @override
    def peek_dead_letters(self, request: PeekDeadLettersRequest, /) -> PeekDeadLettersResponse:
        url = self._dead_letters(request.queue)
        found = self._taken(url, request.max_messages, hidden_for=0)
        return PeekDeadLettersResponse(messages=tuple(decode(it) for it in found))

    @override
    def redrive_dead_letters(
        self, request: RedriveDeadLettersRequest, /
    ) -> RedriveDeadLettersResponse:
        origin, home = self._dead_letters(request.queue), self._url(request.queue)
        moved, ours = 0, set[str]()
        while moved < request.max_messages:
            _check_deadline(moved)
            left = min(request.max_messages - moved, _BATCH)
            with begun(REDRIVE_DEAD_LETTERS, already=lambda: bool(ours)):
                taken = self._taken(origin, left, hidden_for=_LEASE)
                # What was sent back and has died again while we were at it is not moved in circles.
                fresh = [it for it in taken if it["MessageId"] not in ours]
                self._give_back(origin, [it for it in taken if it["MessageId"] in ours])
                if not fresh:
                    break
                moved += self._moved(origin, home, fresh, ours)
        return RedriveDeadLettersResponse(moved=moved)

    def _moved(
        self, origin: str, home: str, letters: Sequence[Mapping[str, Any]], ours: set[str]
    ) -> int:
        """Sends letters home, then deletes what has arrived. Says how many that were."""
        entries: list[Any] = [
            _returned(index, letter, fifo=home.endswith(_FIFO))
            for index, letter in enumerate(letters)
        ]
        answer = self._batch(home, entries)
        arrived = [letters[_index(it)] for it in answer.get("Successful", ())]
        ours.update(it["MessageId"] for it in answer.get("Successful", ()))
        if arrived:
            self._sqs.delete_message_batch(
                QueueUrl=origin,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": letter["ReceiptHandle"]}
                    for index, letter in enumerate(arrived)
                ],
            )
        failures = _failures(answer, "redrive_dead_letters")
        if failures:
            self._give_back(origin, [letters[failure.index] for failure in failures])
            raise ServiceUnavailableError(
                f"{len(failures)} dead letters could not be sent back: {failures[0].message}",
                retryable=any(failure.retryable for failure in failures),
                outcome=Outcome.UNKNOWN,
            )
        return len(arrived)

    def _taken(self, url: str, count: int, *, hidden_for: int) -> Sequence[Mapping[str, Any]]:
        """Dead letters as SQS gives them out."""
        answer: Any = self._session.sqs_polls.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=count,
            VisibilityTimeout=hidden_for,
            WaitTimeSeconds=_LOOK,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=_ORDERED if url.endswith(_FIFO) else _STANDARD,  # type: ignore[arg-type]
        )
        found: Sequence[Mapping[str, Any]] = answer.get("Messages", ())
        return found

    def _give_back(self, url: str, letters: Sequence[Mapping[str, Any]]) -> None:
        if letters:
            self._sqs.change_message_visibility_batch(
                QueueUrl=url,
                Entries=[
                    {
                        "Id": str(index),
                        "ReceiptHandle": letter["ReceiptHandle"],
                        "VisibilityTimeout": 0,
                    }
                    for index, letter in enumerate(letters)
                ],
            )

    def _dead_letters(self, name: str) -> str:
        """The URL of a queue's dead-letter queue."""
        policy = _policy(self._attributes(name))
        if not policy:
            raise PreconditionFailedError(f"the queue {name!r} has no dead-letter queue")
        return self._url(self.name(_named(policy["deadLetterTargetArn"])))

    def _redrive_policy(self, dead_letter_queue: str, max_receive_count: int) -> str:
        arn = self.arn(dead_letter_queue)
        return json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": max_receive_count})

    # --- for other services

    def arn(self, name: str, /) -> str:
        """What other services of AWS know a queue by. Raises ResourceNotFoundError where there is none."""
        answer: Any = self._at(
            name, partial(self._sqs.get_queue_attributes, AttributeNames=["QueueArn"])
        )
        arn: str = answer["Attributes"]["QueueArn"]
        return arn

    def permit(self, name: str, statement: Mapping[str, Any], /) -> None:
        """Adds a statement to the policy of a queue, if it is not there: with it another service may send to it."""
        answer: Any = self._at(
            name, partial(self._sqs.get_queue_attributes, AttributeNames=["Policy"])
        )
        policy = allowing(answer.get("Attributes", {}).get("Policy"), statement)
        if policy is not None:
            self._at(name, partial(self._sqs.set_queue_attributes, Attributes={"Policy": policy}))

    # --- names

    def name(self, known: str, /) -> str:
        """The name of a queue as callers know it."""
        return known.removeprefix(self._prefix).removesuffix(_FIFO)

    def _url(self, name: str) -> str:
        """The URL of a queue. Raises ResourceNotFoundError where there is none."""
        url = self._urls.get(name)
        if url is None:
            url = self._found(name)
            if url is None:
                raise ResourceNotFoundError(f"there is no queue {name!r}")
            self._urls[name] = url
        return url

    def _found(self, name: str) -> str | None:
        """The URL of a queue of either kind."""
        for suffix in ("", _FIFO):
            try:
                return self._sqs.get_queue_url(QueueName=f"{self._prefix}{name}{suffix}")[
                    "QueueUrl"
                ]
            except ClientError as error:
                if not _missing(error):
                    raise
        return None

    def _at(self, name: str, call: Callable[..., T]) -> T:
        """What `call` answers for the queue of that name."""
        return self._sent(name, lambda url: call(QueueUrl=url))

    def _sent(self, name: str, call: Callable[[str], T]) -> T:
        """What `call` answers for the URL of a queue. A queue that is gone may have come back as one of the other kind."""
        known = self._urls.get(name)
        try:
            return call(known or self._url(name))
        except ClientError as error:
            if not _missing(error):
                raise
            self._urls.pop(name, None)
            if known is None or self._url(name) == known:
                raise
        return call(self._url(name))

    def _attributes(self, name: str) -> dict[str, Any]:
        answer: Any = self._at(
            name, partial(self._sqs.get_queue_attributes, AttributeNames=["All"])
        )
        attributes: dict[str, Any] = answer["Attributes"]
        return attributes

    def _info(self, name: str, attributes: Mapping[str, Any]) -> QueueInfo:
        policy = _policy(attributes)
        return QueueInfo(
            name=name,
            fifo=attributes.get("FifoQueue") == "true",
            visibility_timeout=_length(attributes["VisibilityTimeout"]),
            retention=_length(attributes["MessageRetentionPeriod"]),
            delay=_length(attributes["DelaySeconds"]),
            max_message_size=int(attributes["MaximumMessageSize"]),
            dead_letter_queue=self.name(_named(policy["deadLetterTargetArn"])) if policy else None,
            max_receive_count=int(policy["maxReceiveCount"]) if policy else None,
            available_messages=int(attributes["ApproximateNumberOfMessages"]),
            in_flight_messages=int(attributes["ApproximateNumberOfMessagesNotVisible"]),
            delayed_messages=int(attributes["ApproximateNumberOfMessagesDelayed"]),
            etag=_etag(attributes),
        )


def _missing(error: ClientError) -> bool:
    return code_of(problem_of(error)) in _MISSING


def _named(arn: str) -> str:
    return arn.rpartition(":")[2]


def _length(value: str) -> timedelta:
    return timedelta(seconds=int(value))


def _policy(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The redrive policy; empty where there is none."""
    text = attributes.get("RedrivePolicy")
    policy: dict[str, Any] = json.loads(text) if text else {}
    return policy


_SETTABLE: Final = (
    "VisibilityTimeout",
    "MessageRetentionPeriod",
    "DelaySeconds",
    "MaximumMessageSize",
)


def _etag(attributes: Mapping[str, Any]) -> str:
    """A mark of everything that an update can change. SQS has none of its own."""
    policy = sorted((name, str(value)) for name, value in _policy(attributes).items())
    marked = json.dumps([[attributes.get(name) for name in _SETTABLE], policy])
    return sha256(marked.encode()).hexdigest()[:32]


def _changes(request: UpdateQueueRequest) -> dict[Any, str]:  # the stubs know the names only
    lengths = {
        "VisibilityTimeout": request.visibility_timeout,
        "MessageRetentionPeriod": request.retention,
        "DelaySeconds": request.delay,
    }
    changes = {name: str(seconds(it)) for name, it in lengths.items() if it is not None}
    if request.max_message_size is not None:
        changes["MaximumMessageSize"] = str(request.max_message_size)
    return changes


def _routing(message: SendMessageRequest | SendMessagesEntry, *, fifo: bool) -> dict[str, Any]:
    """How a message is ordered and held back.

    SQS takes a group on any queue, where it means something else, and tells of a missing one late.
    """
    if fifo:
        if message.group_id is None:
            raise invalid("group_id", "required on a FIFO queue")
        if message.delay:
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


def _entry(index: int, entry: SendMessagesEntry, *, fifo: bool) -> dict[str, Any]:
    if len(entry.attributes) > MAX_ATTRIBUTES:
        raise invalid("attributes", f"at most {MAX_ATTRIBUTES}")
    return {
        "Id": str(index),
        **encode(entry.body, entry.attributes),
        **_routing(entry, fifo=fifo),
    }


def _returned(index: int, letter: Mapping[str, Any], *, fifo: bool) -> dict[str, Any]:
    """A dead letter as it goes home: as it is, whoever sent it.

    Its own deduplication id may still be remembered there, and would lose it; its message id is as good, and new with
    each journey.
    """
    entry = {"Id": str(index), "MessageBody": letter["Body"]}
    if "MessageAttributes" in letter:
        entry["MessageAttributes"] = letter["MessageAttributes"]
    if fifo:
        entry["MessageGroupId"] = letter["Attributes"]["MessageGroupId"]
        entry["MessageDeduplicationId"] = letter["MessageId"]
    return entry


def _index(entry: Mapping[str, Any]) -> int:
    return int(entry["Id"])


def _refused(index: int, error: ValidationError) -> BatchFailure:
    return BatchFailure(
        index=index, code=ErrorCode.VALIDATION, message=error.message, retryable=False
    )


def _failures(answer: Mapping[str, Any], method: str) -> list[BatchFailure]:
    """The entries that SQS did not take. They come in an answer that says OK."""
    return [
        batch_failure(
            _index(it),
            it.get("Code", ""),
            it.get("Message", ""),
            ("queue", method),
            sender_fault=it.get("SenderFault"),
        )
        for it in sorted(answer.get("Failed", ()), key=_index)
    ]


def _done(answer: Mapping[str, Any]) -> list[int]:
    """Where the entries that SQS took stood in the request."""
    return sorted(_index(it) for it in answer.get("Successful", ()))


def _check_deadline(moved: int) -> None:
    call = current_call()
    if call is not None and call.remaining() == 0:
        raise DeadlineExceededError(
            f"the deadline passed after {moved} dead letters were sent back",
            details={"moved": str(moved)},
        )
