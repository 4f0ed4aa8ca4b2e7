"""Queues on Amazon SQS."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

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
    SendMessagesRequest,
    SendMessagesResponse,
    SendMessagesResult,
    UpdateQueueRequest,
    UpdateQueueResponse,
)
from lcplatform.queue.support import QueueCapability, QueueLimits
from lcplatform.type.models import BatchFailure
from lcplatform_aws import queue_batches
from lcplatform_aws.messages import MAX_ATTRIBUTES, decode, encode
from lcplatform_aws.queue_attributes import (
    EMPTY,
    MIB,
    changed_policy,
    changes,
    created,
    etag,
    info,
    policy,
    redrive_policy,
)
from lcplatform_aws.queue_batches import BATCH, done, failures, index_of, refused, routing
from lcplatform_aws.queue_dead_letters import ORDERED, STANDARD, Redrive, give_back, looked_at
from lcplatform_aws.queue_gathering import Gathering
from lcplatform_aws.queue_move_tasks import fits, moved
from lcplatform_aws.queue_names import FIFO, Queues
from lcplatform_aws.units import given, seconds
from lcplatform_runtime.cancellation import CANCELLATION
from lcplatform_runtime.errors import (
    AlreadyExistsError,
    ConflictError,
    OperationCancelledError,
    PreconditionFailedError,
    ValidationError,
    invalid,
)
from lcplatform_runtime.support import ConditionalUpdate, Support

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

    from lcplatform_aws.options import QueueOptions
    from lcplatform_aws.session import Session

_SUPPORT: Final = Support(
    capabilities=frozenset(QueueCapability) - {QueueCapability.EXACT_COUNTS},
    limits=QueueLimits(
        max_message_bytes=MIB,
        max_attributes=MAX_ATTRIBUTES,
        max_batch_entries=BATCH,
        max_batch_bytes=MIB,
        max_receive_messages=10,
        max_wait_seconds=20,
        max_delay_seconds=900,
        max_visibility_timeout_seconds=43_200,
        max_retention_seconds=1_209_600,
    ).by_name(),
    conditional_updates={"update_queue": ConditionalUpdate.CHECKED},
)


class SqsQueue(QueueDriver):
    """Queues and messages on Amazon SQS.

    SQS does not tell a name that is taken from a creation that is repeated, and has no conditional updates: both are
    checked before, so two callers at the very same time may both succeed. Lengths of time are whole seconds there: a
    fraction counts as one more.
    """

    def __init__(self, session: Session, queues: Queues, options: QueueOptions, /) -> None:
        self._session = session
        self._queues = queues
        self._by_tasks = options.redrive == "tasks"
        window = options.gather_window
        self._gathering = None if window is None else Gathering(lambda: session.sqs, window / 1000)

    @property
    @override
    def support(self) -> Support:
        return _SUPPORT

    @property
    def _sqs(self) -> SQSClient:
        return self._session.sqs

    def close(self) -> None:
        """Returns when every message that is being gathered was sent."""
        if self._gathering is not None:
            self._gathering.close()

    # --- queues

    @override
    def create_queue(self, request: CreateQueueRequest, /) -> CreateQueueResponse:
        queues = self._queues
        if queues.found(request.name) is not None:
            raise AlreadyExistsError(f"there is a queue {request.name!r} already")
        letters = request.dead_letter_queue
        redrive = (
            None
            if letters is None
            else redrive_policy(
                self._letters(request.name, request.fifo, letters), request.max_receive_count
            )
        )
        attributes = created(request, redrive)
        name = f"{queues.known(request.name)}{FIFO if request.fifo else ''}"
        answer = self._sqs.create_queue(QueueName=name, Attributes=attributes)  # type: ignore[arg-type]  # by literals
        queues.keep(request.name, answer["QueueUrl"])
        # Asked for at once, SQS may not know the queue yet.
        return CreateQueueResponse(queue=self._info(request.name, {**EMPTY, **attributes}))

    @override
    def get_queue(self, request: GetQueueRequest, /) -> GetQueueResponse:
        return GetQueueResponse(queue=self._info(request.name, self._attributes(request.name)))

    @override
    def list_queues(self, request: ListQueuesRequest, /) -> ListQueuesResponse:
        queues = self._queues
        answer = self._sqs.list_queues(
            MaxResults=request.page_size,
            **given(
                QueueNamePrefix=queues.known(request.prefix) or None,
                NextToken=request.page_token or None,
            ),
        )
        known = [url.rpartition("/")[2] for url in answer.get("QueueUrls", ())]
        return ListQueuesResponse(
            queues=tuple(
                QueueSummary(name=queues.name(it), fifo=it.endswith(FIFO)) for it in known
            ),
            next_page_token=answer.get("NextToken", ""),
        )

    @override
    def update_queue(self, request: UpdateQueueRequest, /) -> UpdateQueueResponse:
        name = request.name
        attributes = self._attributes(name)
        if request.if_match is not None and request.if_match != etag(attributes):
            raise ConflictError("the attributes of the queue have changed since they were read")
        changed = changes(request)
        fifo = attributes.get("FifoQueue") == "true"
        redrive = changed_policy(
            request, policy(attributes), partial(self._letters, request.name, fifo)
        )
        if redrive is not None:
            changed["RedrivePolicy"] = redrive
        if changed:
            self._queues.at(name, partial(self._sqs.set_queue_attributes, Attributes=changed))
        # Read again, they might still be the old ones for a minute.
        return UpdateQueueResponse(queue=self._info(name, {**attributes, **changed}))

    def _letters(self, name: str, fifo: bool, letters: str) -> str:  # noqa: FBT001  partial gives it
        """The ARN of a queue's dead-letter queue, which has to be another one of the same kind."""
        arn = self._queues.arn(letters)
        if arn.endswith(FIFO) is not fifo:
            raise invalid(
                "dead_letter_queue", "a FIFO queue for a FIFO queue, and no other for others"
            )
        if letters == name:
            raise invalid("dead_letter_queue", "another queue")
        return arn

    def _attributes(self, name: str) -> Mapping[str, Any]:
        answer: Any = self._queues.at(
            name, partial(self._sqs.get_queue_attributes, AttributeNames=["All"])
        )
        attributes: Mapping[str, Any] = answer["Attributes"]
        return attributes

    def _info(self, name: str, attributes: Mapping[str, Any]) -> QueueInfo:
        return info(name, attributes, self._queues.name)

    @override
    def delete_queue(self, request: DeleteQueueRequest, /) -> DeleteQueueResponse:
        self._queues.at(request.name, self._sqs.delete_queue)
        self._queues.forget(request.name)
        return DeleteQueueResponse()

    @override
    def purge_queue(self, request: PurgeQueueRequest, /) -> PurgeQueueResponse:
        self._queues.at(request.name, self._sqs.purge_queue)
        return PurgeQueueResponse()

    # --- messages

    @override
    def send_message(self, request: SendMessageRequest, /) -> SendMessageResponse:
        parameters = encode(request.body, request.attributes)

        def send(url: str) -> Mapping[str, Any]:
            message = {**parameters, **routing(request, fifo=url.endswith(FIFO))}
            if self._gathering is None:
                return self._sqs.send_message(QueueUrl=url, **message)
            return self._gathering.send(url, message)

        answer = self._queues.sent(request.queue, send)
        return SendMessageResponse(
            message_id=answer["MessageId"], sequence=answer.get("SequenceNumber")
        )

    @override
    def send_messages(self, request: SendMessagesRequest, /) -> SendMessagesResponse:
        def send(url: str) -> tuple[Mapping[str, Any], list[BatchFailure]]:
            bad: list[BatchFailure] = []
            entries: list[Any] = []
            for index, message in enumerate(request.entries):
                try:
                    entries.append(queue_batches.entry(index, message, fifo=url.endswith(FIFO)))
                except ValidationError as error:
                    bad.append(refused(index, error))
            return queue_batches.send(self._sqs, url, entries), bad

        answer, bad = self._queues.sent(request.queue, send)
        successful = sorted(answer.get("Successful", ()), key=index_of)
        failed = [*bad, *failures(answer, "send_messages")]
        return SendMessagesResponse(
            successful=tuple(
                SendMessagesResult(
                    index=index_of(it),
                    message_id=it["MessageId"],
                    sequence=it.get("SequenceNumber"),
                )
                for it in successful
            ),
            failed=tuple(sorted(failed, key=lambda failure: failure.index)),
        )

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
                MessageSystemAttributeNames=ORDERED if url.endswith(FIFO) else STANDARD,  # type: ignore[arg-type]
                **lease,
            )

        received = self._queues.sent(request.queue, receive).get("Messages", ())
        cancellation = CANCELLATION.get()
        if received and cancellation is not None and cancellation.cancelled:
            give_back(
                self._session,
                self._queues.url(request.queue),
                [it["ReceiptHandle"] for it in received],
            )
            raise OperationCancelledError("the caller gave up before the messages came")
        return ReceiveMessagesResponse(messages=tuple(decode(it) for it in received))

    @override
    def delete_message(self, request: DeleteMessageRequest, /) -> DeleteMessageResponse:
        self._queues.at(
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
        answer = self._queues.at(
            request.queue, partial(self._sqs.delete_message_batch, Entries=entries)
        )
        return DeleteMessagesResponse(
            successful=tuple(DeleteMessagesResult(index=index) for index in done(answer)),
            failed=tuple(failures(answer, "delete_messages")),
        )

    @override
    def change_visibility(self, request: ChangeVisibilityRequest, /) -> ChangeVisibilityResponse:
        self._queues.at(
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
        answer = self._queues.at(
            request.queue, partial(self._sqs.change_message_visibility_batch, Entries=entries)
        )
        return ChangeVisibilitiesResponse(
            successful=tuple(
                ChangeVisibilitiesResult(
                    index=index, receipt_handle=request.entries[index].receipt_handle
                )
                for index in done(answer)
            ),
            failed=tuple(failures(answer, "change_visibilities")),
        )

    # --- dead letters

    @override
    def peek_dead_letters(self, request: PeekDeadLettersRequest, /) -> PeekDeadLettersResponse:
        url = self._dead_letters(request.queue, self._attributes(request.queue))
        found = looked_at(self._session, url, request.max_messages)
        return PeekDeadLettersResponse(messages=tuple(decode(it) for it in found))

    @override
    def redrive_dead_letters(
        self, request: RedriveDeadLettersRequest, /
    ) -> RedriveDeadLettersResponse:
        name, most = request.queue, request.max_messages
        attributes = self._attributes(name)
        origin, home = self._dead_letters(name, attributes), attributes["QueueArn"]
        if self._by_tasks and fits(self._sqs, origin, most):
            count = moved(self._sqs, policy(attributes)["deadLetterTargetArn"], home)
        else:
            count = Redrive(self._session, origin, self._queues.url(name), home).run(most)
        return RedriveDeadLettersResponse(moved=count)

    def _dead_letters(self, name: str, attributes: Mapping[str, Any]) -> str:
        """The URL of a queue's dead-letter queue."""
        found = policy(attributes)
        if not found:
            raise PreconditionFailedError(f"the queue {name!r} has no dead-letter queue")
        return self._queues.url(self._queues.name(found["deadLetterTargetArn"]))
