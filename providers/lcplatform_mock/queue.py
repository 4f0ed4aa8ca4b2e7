"""Queue in memory (FR-037 to FR-042)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final, TypeAlias, TypeVar

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
    Message,
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
from lcplatform.queue.support import QueueCapability, QueueLimits
from lcplatform.type.models import BatchFailure
from lcplatform_mock.fifo import Fifo
from lcplatform_mock.gate import gated
from lcplatform_mock.listing import names_page
from lcplatform_mock.messages import INSTANT, Attributes, Bell, Entry, Messages, Standard
from lcplatform_mock.queue_records import QueueKeeper, QueueRecord, QueueTables
from lcplatform_mock.ready import FrozenDict, frozen
from lcplatform_mock.refusals import failure, missing, stale
from lcplatform_mock.service import Service
from lcplatform_mock.world import World
from lcplatform_runtime.cancellation import CANCELLATION
from lcplatform_runtime.errors import (
    AlreadyExistsError,
    LCPlatformError,
    PreconditionFailedError,
    invalid,
)
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.patience import patience
from lcplatform_runtime.support import ConditionalUpdate, Support
from lcplatform_runtime.trusted import trusted

# SQS's. Of its ten attributes one tells the content type, so an application has nine.
LIMITS: Final = QueueLimits(
    max_message_bytes=1024**2,
    max_attributes=9,
    max_batch_entries=10,
    max_batch_bytes=1024**2,
    max_receive_messages=10,
    max_wait_seconds=20,
    max_delay_seconds=900,
    max_visibility_timeout_seconds=12 * 3600,
    max_retention_seconds=14 * 24 * 3600,
)
_DEFAULT_RECEIVE_COUNT: Final = 5

T = TypeVar("T")
Sent: TypeAlias = SendMessageRequest | SendMessagesEntry

_sent = trusted(SendMessageResponse)
_receipts = trusted(ReceiveMessagesResponse)
_NO_MESSAGES: Final = trusted(ReceiveMessagesResponse)()
_DELETED: Final = trusted(DeleteMessageResponse)()
_PURGED: Final = trusted(PurgeQueueResponse)()
_DELETED_QUEUE: Final = trusted(DeleteQueueResponse)()


def _support(*, exact: bool) -> Support:
    lacking = set() if exact else {QueueCapability.EXACT_COUNTS}
    return Support(
        capabilities=frozenset(set(QueueCapability) - lacking),
        limits=LIMITS.by_name(),
        conditional_updates={"update_queue": ConditionalUpdate.ATOMIC},
    )


@gated(QueueDriver)
class MockQueue(Service[dict[str, Messages]], QueueDriver):
    """Queues in memory. What time brings about has happened whenever anybody looks; long polls wake when it does."""

    def __init__(self, world: World) -> None:
        super().__init__(world, {})
        self._name = world.names()
        adversity = world.adversity
        # A duplicate is one message more than was sent.
        self._support = _support(exact=adversity is None or not adversity.duplicates)
        self._renew = adversity is not None and adversity.new_handles
        self._tables = None if world.journal is None else QueueTables(world.journal, world)
        if self._tables is not None:
            self._state = {it.name: it for it in self._tables.load(self._taken_up)}

    @property
    @override
    def support(self) -> Support:
        return self._support

    # --- queues

    @override
    def create_queue(self, request: CreateQueueRequest, /) -> CreateQueueResponse:
        with self._lock:
            if request.name in self._state:
                raise AlreadyExistsError(f"queue {request.name!r} exists", resource=request.name)
            self._check_grave(request.name, request.dead_letter_queue, fifo=request.fifo)
            attributes = Attributes(
                visibility_timeout=request.visibility_timeout,
                retention=request.retention,
                delay=request.delay,
                max_message_size=request.max_message_size or LIMITS.max_message_bytes,
                dead_letter_queue=request.dead_letter_queue,
                max_receive_count=request.max_receive_count if request.dead_letter_queue else None,
            )
            queue = self._made(
                request.name,
                attributes,
                fifo=request.fifo,
                etag=self._name(),
                stem=f"{self._name()}-",
            )
            if self._tables is not None:
                queue.keeper = keeper = QueueKeeper(self._tables, queue)
                keeper.configured(queue)
            self._state[request.name] = queue
            return CreateQueueResponse(queue=_info(queue))

    @override
    def get_queue(self, request: GetQueueRequest, /) -> GetQueueResponse:
        with self._lock:
            queue = self._queue(request.name)
            queue.settle(self._clock.monotonic())
            return GetQueueResponse(queue=_info(queue))

    @override
    def list_queues(self, request: ListQueuesRequest, /) -> ListQueuesResponse:
        with self._lock:
            names, token = names_page(
                sorted(self._state), request.prefix, request.page_size, request.page_token
            )
            queues = tuple(QueueSummary(name=it, fifo=self._state[it].fifo) for it in names)
        return ListQueuesResponse(queues=queues, next_page_token=token)

    @override
    def update_queue(self, request: UpdateQueueRequest, /) -> UpdateQueueResponse:
        with self._lock:
            queue = self._queue(request.name)
            if request.if_match is not None and request.if_match != queue.etag:
                raise stale("queue", request.name)
            self._check_grave(request.name, request.dead_letter_queue, fifo=queue.fifo)
            attributes = _updated(queue.attributes, request)
            if attributes != queue.attributes:
                queue.configure(attributes, self._name())
                if isinstance(queue.keeper, QueueKeeper):
                    queue.keeper.configured(queue)
            queue.settle(self._clock.monotonic())
            queue.bell.ring()
            return UpdateQueueResponse(queue=_info(queue))

    @override
    def delete_queue(self, request: DeleteQueueRequest, /) -> DeleteQueueResponse:
        with self._lock:
            queue = self._queue(request.name)
            del self._state[request.name]
            if isinstance(queue.keeper, QueueKeeper):
                queue.keeper.removed(queue)
            queue.bell.ring()
        return _DELETED_QUEUE

    @override
    def purge_queue(self, request: PurgeQueueRequest, /) -> PurgeQueueResponse:
        with self._lock:
            self._queue(request.name).purge()
        return _PURGED

    # --- sending

    @override
    def send_message(self, request: SendMessageRequest, /) -> SendMessageResponse:
        with self._lock:
            return self._send(self._queue(request.queue), request)

    @override
    def send_messages(self, request: SendMessagesRequest, /) -> SendMessagesResponse:
        if sum(map(_size, request.entries)) > LIMITS.max_batch_bytes:
            raise invalid("entries", f"at most {LIMITS.max_batch_bytes} bytes together")
        successful: list[SendMessagesResult] = []
        failed: list[BatchFailure] = []
        with self._lock:
            queue = self._queue(request.queue)
            for index, entry in enumerate(request.entries):
                try:
                    if len(entry.attributes) > LIMITS.max_attributes:
                        raise invalid("attributes", f"at most {LIMITS.max_attributes}")
                    sent = self._send(queue, entry)
                except LCPlatformError as error:
                    failed.append(failure(index, error))
                else:
                    result = SendMessagesResult(
                        index=index, message_id=sent.message_id, sequence=sent.sequence
                    )
                    successful.append(result)
        return SendMessagesResponse(successful=tuple(successful), failed=tuple(failed))

    def deliver(
        self,
        queue: str,
        body: str | bytes | Json,
        attributes: FrozenDict,
        group_id: str | None,
        deduplication_id: str | None,
        /,
    ) -> None:
        """Takes a message that another service of the mock has for a queue, as `send_message` does and behind its gate, but with
        no request made for it, and no answer that nobody reads."""
        if self.gate.open:
            self._deliver(queue, body, attributes, group_id, deduplication_id)
        else:
            letter = partial(self._deliver, queue, body, attributes, group_id, deduplication_id)
            self.gate.through("send_message", letter)

    def _deliver(
        self,
        queue: str,
        body: str | bytes | Json,
        attributes: FrozenDict,
        group_id: str | None,
        deduplication_id: str | None,
    ) -> None:
        with self._lock:
            entry = self._entry(body, attributes, group_id, deduplication_id)
            self._take(self._queue(queue), entry, None)

    def _send(self, queue: Messages, message: Sent) -> SendMessageResponse:
        entry = self._entry(
            message.body, frozen(message.attributes), message.group_id, message.deduplication_id
        )
        return self._take(queue, entry, message.delay) or _sent(message_id=entry.id)

    def _entry(
        self,
        body: str | bytes | Json,
        attributes: FrozenDict,
        group_id: str | None,
        deduplication_id: str | None,
    ) -> Entry:
        return Entry(
            id=self._name(),
            body=body,
            attributes=attributes,
            sent_at=self._clock.now(),
            sent=self._clock.monotonic(),
            group_id=group_id,
            deduplication_id=deduplication_id,
        )

    def _take(
        self, queue: Messages, entry: Entry, delay: timedelta | None
    ) -> SendMessageResponse | None:
        """Takes a new message. Answers what a FIFO queue has to say of it, which may know it already."""
        if _size(entry) > queue.attributes.max_message_size:
            raise invalid(
                "body", f"at most {queue.attributes.max_message_size} bytes with its attributes"
            )
        if type(queue) is Fifo:  # no `isinstance`, which takes long to say no to an abstract class
            return _take_in_order(queue, entry, delay)
        if entry.group_id is not None:
            raise invalid("group_id", "none, since the queue is no FIFO queue")
        if entry.deduplication_id is not None:
            raise invalid("deduplication_id", "none, since the queue is no FIFO queue")
        queue.send(entry, queue.delay if delay is None else delay.total_seconds(), entry.sent)
        return None

    # --- receiving

    @override
    def receive_messages(self, request: ReceiveMessagesRequest, /) -> ReceiveMessagesResponse:
        with self._lock:
            messages = self._receive(request)
            if not messages and request.wait:
                messages = self._await(request)
        return _receipts(messages=tuple(messages)) if messages else _NO_MESSAGES

    def _receive(self, request: ReceiveMessagesRequest) -> list[Message]:
        queue = self._queue(request.queue)
        name = queue.attributes.dead_letter_queue
        timeout = request.visibility_timeout
        return queue.receive(
            request.max_messages,
            None if timeout is None else timeout.total_seconds(),
            self._clock.monotonic(),
            None if name is None else self._state.get(name),
            self._world,
        )

    def _await(self, request: ReceiveMessagesRequest) -> list[Message]:
        """Waits for messages: until there are some, the wait is over, the caller gave up or its deadline has passed."""
        end = self._clock.monotonic() + request.wait.total_seconds()
        while True:
            remaining = patience("a message came")  # asked first: nothing is taken for who has gone
            messages = self._receive(request)
            now = self._clock.monotonic()
            left = min(end - now, remaining)
            if messages or left <= INSTANT:
                return messages
            self._listen(self._queue(request.queue), left, now)

    def _listen(self, queue: Messages, left: float, now: float) -> None:
        if queue.next_due is not None:
            left = min(left, queue.next_due - now)
        bell = queue.bell
        cancellation = CANCELLATION.get()
        waking = nullcontext() if cancellation is None else cancellation.waking(bell.ring_aloud)
        bell.listeners += 1
        try:
            with waking:
                # Who gave up before it could be heard does not ring.
                if cancellation is None or not cancellation.cancelled:
                    self._clock.wait(bell.condition, max(left, INSTANT))
        finally:
            bell.listeners -= 1

    # --- receipts

    @override
    def delete_message(self, request: DeleteMessageRequest, /) -> DeleteMessageResponse:
        with self._lock:
            queue = self._queue(request.queue)
            queue.settle(self._clock.monotonic())
            queue.delete(request.receipt_handle)
            queue.bell.ring()
        return _DELETED

    @override
    def delete_messages(self, request: DeleteMessagesRequest, /) -> DeleteMessagesResponse:
        with self._lock:
            queue = self._queue(request.queue)
            queue.settle(self._clock.monotonic())
            done, failed = _each(partial(queue.delete, it) for it in request.receipt_handles)
            queue.bell.ring()
        deleted = tuple(DeleteMessagesResult(index=index) for index, _ in done)
        return DeleteMessagesResponse(successful=deleted, failed=failed)

    @override
    def change_visibility(self, request: ChangeVisibilityRequest, /) -> ChangeVisibilityResponse:
        with self._lock:
            queue = self._queue(request.queue)
            now = self._clock.monotonic()
            queue.settle(now)
            handle = queue.change_visibility(
                request.receipt_handle,
                request.visibility_timeout.total_seconds(),
                now,
                renew=self._renew,
            )
        return ChangeVisibilityResponse(receipt_handle=handle)

    @override
    def change_visibilities(
        self, request: ChangeVisibilitiesRequest, /
    ) -> ChangeVisibilitiesResponse:
        with self._lock:
            queue = self._queue(request.queue)
            now = self._clock.monotonic()
            queue.settle(now)
            done, failed = _each(
                partial(
                    queue.change_visibility,
                    it.receipt_handle,
                    it.visibility_timeout.total_seconds(),
                    now,
                    renew=self._renew,
                )
                for it in request.entries
            )
        changed = tuple(
            ChangeVisibilitiesResult(index=index, receipt_handle=handle) for index, handle in done
        )
        return ChangeVisibilitiesResponse(successful=changed, failed=failed)

    # --- dead letters

    @override
    def peek_dead_letters(self, request: PeekDeadLettersRequest, /) -> PeekDeadLettersResponse:
        with self._lock:
            grave = self._grave(self._queue(request.queue))
            messages = [
                it.message(grave.new_handle(), grave.sequence(it))
                for it, _ in zip(grave.waiting(), range(request.max_messages), strict=False)
            ]
        return PeekDeadLettersResponse(messages=tuple(messages))

    @override
    def redrive_dead_letters(
        self, request: RedriveDeadLettersRequest, /
    ) -> RedriveDeadLettersResponse:
        with self._lock:
            queue = self._queue(request.queue)
            grave = self._grave(queue)
            # Several queues may share a dead-letter queue: each gets back its own.
            found = [it for it in grave.waiting() if it.source == queue.name]
            now, sent_at = self._clock.monotonic(), self._clock.now()
            for letter in found[: request.max_messages]:
                # A new message, as with SQS, with a new life in front of it.
                again = Entry(
                    id=self._name(),
                    body=letter.body,
                    attributes=letter.attributes,
                    sent_at=sent_at,
                    sent=now,
                    group_id=letter.group_id,
                    deduplication_id=letter.deduplication_id,
                )
                queue.send(again, 0, now)
                grave.withdraw(letter)
        return RedriveDeadLettersResponse(moved=len(found[: request.max_messages]))

    # --- inside

    @override
    def settle(self) -> None:
        with self._lock:
            self._moved()

    @override
    def _moved(self) -> None:
        now = self._clock.monotonic()
        for queue in self._state.values():
            queue.settle(now)
            queue.bell.ring()

    def _made(
        self, name: str, attributes: Attributes, *, fifo: bool, etag: str, stem: str
    ) -> Messages:
        kind = Fifo if fifo else partial(Standard, world=self._world)
        return kind(name, attributes, Bell(self._lock), etag, stem)

    def _taken_up(self, name: str, record: QueueRecord) -> Messages:
        queue = self._made(
            name, record.attributes, fifo=record.fifo, etag=record.etag, stem=record.stem
        )
        queue.go_on(record.given, record.numbered)
        return queue

    @override
    def _keep(self) -> None:
        assert self._tables is not None
        self._tables.clear()
        for queue in self._state.values():
            queue.keeper = keeper = QueueKeeper(self._tables, queue)
            keeper.keep_all(queue)

    def _queue(self, name: str) -> Messages:
        queue = self._state.get(name)
        if queue is None:
            raise missing("queue", name)
        return queue

    def _grave(self, queue: Messages) -> Messages:
        """The dead-letter queue of a queue, as it is now."""
        name = queue.attributes.dead_letter_queue
        if name is None:
            raise PreconditionFailedError(f"queue {queue.name!r} has no dead-letter queue")
        grave = self._queue(name)
        grave.settle(self._clock.monotonic())
        return grave

    def _check_grave(self, name: str, grave: str | None, *, fifo: bool) -> None:
        """Refuses a dead-letter queue that is not there or is of the other kind."""
        if grave is None:
            return
        if self._queue(grave).fifo is not fifo:
            raise invalid(
                "dead_letter_queue", "a FIFO queue for a FIFO queue, and no other for others"
            )
        if grave == name:
            raise invalid("dead_letter_queue", "another queue")


def _take_in_order(queue: Fifo, entry: Entry, delay: timedelta | None) -> SendMessageResponse:
    if entry.group_id is None:
        raise invalid("group_id", "a group, since the queue is a FIFO queue")
    if delay is not None:
        raise invalid("delay", "none, since the queue is a FIFO queue: its own delay holds")
    entry.deduplication_id = entry.deduplication_id or _digest(entry.body)
    known = queue.duplicate(entry.deduplication_id, entry.sent)
    if known is not None:
        return known
    queue.send(entry, queue.delay, entry.sent)
    answer = _sent(message_id=entry.id, sequence=queue.sequence(entry))
    queue.remember(entry.deduplication_id, answer, entry.sent)
    return answer


def _digest(body: str | bytes | Json) -> str:
    """What two messages with the same content have in common."""
    match body:
        case str():
            return hashlib.sha256(b"t" + body.encode()).hexdigest()
        case bytes():
            return hashlib.sha256(b"b" + body).hexdigest()
        case _:
            return hashlib.sha256(b"j" + body.text.encode()).hexdigest()


def _size(message: Sent | Entry) -> int:
    """The bytes of a message: its body, and its attributes with their names."""
    body = message.body
    if isinstance(body, Json):
        body = body.text
    # Characters of ASCII have one byte, so most texts need not be encoded to be measured.
    size = len(body) if isinstance(body, bytes) or body.isascii() else len(body.encode())
    return size + _length(message.attributes) if message.attributes else size


def _length(attributes: Mapping[str, str]) -> int:
    return sum(len(name.encode()) + len(value.encode()) for name, value in attributes.items())


def _each(
    actions: Iterable[Callable[[], T]],
) -> tuple[list[tuple[int, T]], tuple[BatchFailure, ...]]:
    """What became of each entry of a batch: index and result of those that were done, and the others."""
    done: list[tuple[int, T]] = []
    failed: list[BatchFailure] = []
    for index, action in enumerate(actions):
        try:
            done.append((index, action()))
        except LCPlatformError as error:
            failed.append(failure(index, error))
    return done, tuple(failed)


def _updated(attributes: Attributes, request: UpdateQueueRequest) -> Attributes:
    """The attributes after an update: what it gives, without what it clears."""
    given = {
        name: value
        for name in Attributes.__dataclass_fields__
        if (value := getattr(request, name)) is not None
    }
    if "dead_letter_queue" in request.clear:
        if "dead_letter_queue" in given:
            raise invalid("clear", "no attribute that is given a value too")
        given |= {"dead_letter_queue": None, "max_receive_count": None}
    changed = replace(attributes, **given)
    if changed.dead_letter_queue is None and request.max_receive_count is not None:
        raise PreconditionFailedError(f"queue {request.name!r} has no dead-letter queue")
    if changed.dead_letter_queue is not None and changed.max_receive_count is None:
        changed = replace(changed, max_receive_count=_DEFAULT_RECEIVE_COUNT)
    return changed


def _info(queue: Messages) -> QueueInfo:
    attributes = queue.attributes
    return QueueInfo(
        name=queue.name,
        fifo=queue.fifo,
        visibility_timeout=attributes.visibility_timeout,
        retention=attributes.retention,
        delay=attributes.delay,
        max_message_size=attributes.max_message_size,
        dead_letter_queue=attributes.dead_letter_queue,
        max_receive_count=attributes.max_receive_count,
        available_messages=queue.total - queue.held - queue.delayed,
        in_flight_messages=queue.held,
        delayed_messages=queue.delayed,
        etag=queue.etag,
    )
