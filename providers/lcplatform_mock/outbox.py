"""What was sent to people, kept so that a test or a console can read it."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Self

from lcplatform.testing.models import (
    ListOutboxRequest,
    ListOutboxResponse,
    OutboxAttachment,
    OutboxKind,
    OutboxMessage,
)
from lcplatform_mock.mail import Mail

MESSAGES: Final = 10_000
"""How many messages are kept."""

BYTES: Final = 256 * 1024**2
"""How much of their attachments is kept."""


@dataclass(slots=True)
class Outbox:
    """The messages by their numbers, the newest last. A message never changes, but the oldest lose their attachments."""

    numbers: deque[int] = field(default_factory=deque)
    messages: dict[int, OutboxMessage] = field(default_factory=dict, repr=False)
    next: int = 1
    heavy: deque[int] = field(default_factory=deque)
    """Which of them have attachments."""
    size: int = 0
    """Of those, in bytes."""

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return type(self)(
            deque(self.numbers), dict(self.messages), self.next, deque(self.heavy), self.size
        )

    def add(self, message: OutboxMessage) -> Iterator[int]:
        """Keeps a message. The numbers of those that changed: the new one, and others that are gone or lighter now."""
        number = self.next
        self.put(number, message)
        yield number
        while len(self.numbers) > MESSAGES:
            yield self._drop()
        while self.size > BYTES and len(self.heavy) > 1:
            yield self._lighten()

    def put(self, number: int, message: OutboxMessage) -> None:
        """Keeps a message under its number, which is the greatest so far."""
        self.next = number + 1
        self.numbers.append(number)
        self.messages[number] = message
        if weight := _weight(message):
            self.heavy.append(number)
            self.size += weight

    def page(self, request: ListOutboxRequest) -> ListOutboxResponse:
        """A page of the messages that are asked for, the newest first."""
        end = int(request.page_token) if request.page_token else self.next
        numbers = list(self.numbers)
        found: list[int] = []
        for number in reversed(numbers[: bisect_left(numbers, end)]):
            if _asked_for(self.messages[number], request):
                found.append(number)
                if len(found) > request.page_size:
                    break
        page = found[: request.page_size]
        return ListOutboxResponse(
            messages=tuple(self.messages[it] for it in page),
            next_page_token=str(page[-1]) if len(found) > len(page) else "",
        )

    def _drop(self) -> int:
        number = self.numbers.popleft()
        self.size -= _weight(self.messages.pop(number))
        if self.heavy and self.heavy[0] == number:
            self.heavy.popleft()
        return number

    def _lighten(self) -> int:
        number = self.heavy.popleft()
        message = self.messages[number]
        self.size -= _weight(message)
        attachments = tuple(it.model_copy(update={"data": None}) for it in message.attachments)
        self.messages[number] = message.model_copy(update={"attachments": attachments})
        return number


def _weight(message: OutboxMessage) -> int:
    return sum(it.size for it in message.attachments if it.data is not None)


def _asked_for(message: OutboxMessage, request: ListOutboxRequest) -> bool:
    if request.kind is not None and request.kind is not message.kind:
        return False
    recipient = request.recipient
    return recipient is None or any(
        recipient in some for some in (message.to, message.cc, message.bcc)
    )


def shown(mail: Mail, topic: str | None, token: str | None) -> OutboxMessage:
    """An e-mail as it is kept."""
    return OutboxMessage(
        message_id=mail.identity,
        kind=OutboxKind.EMAIL,
        sent_at=mail.at,
        to=mail.to,
        cc=mail.cc,
        bcc=mail.bcc,
        sender=mail.sender,
        reply_to=mail.reply_to,
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        attachments=tuple(
            OutboxAttachment(
                filename=it.filename,
                content_type=it.content_type,
                content_id=it.content_id,
                size=len(it.data),
                data=it.data,
            )
            for it in mail.files
        ),
        topic=topic,
        token=token,
    )
