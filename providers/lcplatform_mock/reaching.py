"""How the notification service reaches people: by e-mail, text message and push, with a copy of each in the outbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lcplatform.notification.models import DeliveryStatus
from lcplatform.testing.models import (
    ListOutboxRequest,
    ListOutboxResponse,
    OutboxKind,
    OutboxMessage,
)
from lcplatform_mock.delivering import ACCEPTED, Delivering, Errands
from lcplatform_mock.mail import Mail
from lcplatform_mock.outbox import shown
from lcplatform_mock.ready import EMPTY
from lcplatform_mock.simulators import ARRIVES, Fate, of_address, of_number, of_token
from lcplatform_mock.topics import Channel, Device, Letter, Sent, Subscriber

SMS_CHARACTERS: Final = 1600
"""The longest text message."""

DISABLED: Final = "the token of the device is no longer good: register it anew"


class Reaching(Delivering):
    """The ways to people. What begins with an underscore is called under the lock."""

    def list_outbox(self, request: ListOutboxRequest, /) -> ListOutboxResponse:
        """What was sent to people."""
        with self._lock:
            return self._state.outbox.page(request)

    def _mail(
        self,
        mail: Mail,
        errands: Errands,
        sent: Sent | None = None,
        *,
        subscriber: Subscriber | None = None,
        letter: Letter | None = None,
        token: str | None = None,
    ) -> None:
        """Sends an e-mail, by SMTP to those who are not simulated."""
        self._show(shown(mail, None if subscriber is None else subscriber.topic, token))
        real: list[str] = []
        for address in mail.recipients:
            fate = of_address(address)
            if fate is None and self._settings.smtp is not None:
                real.append(address)
                fate = ACCEPTED
            if sent is not None:
                self._meet(sent, address, fate or ARRIVES, errands, subscriber, letter)
        if real:
            pending = self._pending(Channel.MAIL, mail.identity, *real)
            pending.mail, pending.letter, pending.token = mail, letter, token
            pending.subscription_id = None if subscriber is None else subscriber.id
            self._put(pending)
            errands.pending.append(pending)

    def _meet(
        self,
        sent: Sent,
        recipient: str,
        fate: Fate,
        errands: Errands,
        subscriber: Subscriber | None = None,
        letter: Letter | None = None,
    ) -> None:
        """Writes down what becomes of a message: at once, or when it is tried again."""
        subscription_id = None if subscriber is None else subscriber.id
        self._note(sent, recipient, fate, subscription_id)
        if fate.status is DeliveryStatus.FAILED and subscriber is not None and letter is not None:
            dead = self._letter_for(subscriber, sent.id, letter)
            errands.letters += [] if dead is None else [dead]
        if fate.status is DeliveryStatus.RETRYING:
            pending = self._pending(Channel.SIMULATED, sent.id, recipient)
            pending.progress.reason = fate.reason or ""
            pending.subscription_id, pending.letter = subscription_id, letter
            self._put(pending)
            errands.pending.append(pending)

    def _show(self, message: OutboxMessage) -> None:
        numbers = list(self._state.outbox.add(message))
        if self._tables is not None:
            self._tables.outbox(self._state, numbers)

    def _text(
        self,
        name: str,
        number: str,
        words: str,
        *,
        sender: str | None = None,
        topic: str | None = None,
        token: str | None = None,
    ) -> Fate:
        """Sends a text message. Answers what comes of it."""
        self._show(
            OutboxMessage(
                message_id=name,
                kind=OutboxKind.SMS,
                sent_at=self._clock.now(),
                to=(number,),
                sender=sender,
                text=words[:SMS_CHARACTERS],
                topic=topic,
                token=token,
            )
        )
        return of_number(number)

    def _push(
        self,
        name: str,
        device: Device,
        title: str | None,
        words: str | None,
        *,
        data: Mapping[str, str] = EMPTY,
        topic: str | None = None,
    ) -> Fate:
        """Pushes a message to a device. Answers what comes of it."""
        if not device.enabled:
            return Fate(DeliveryStatus.FAILED, DISABLED)
        self._show(
            OutboxMessage(
                message_id=name,
                kind=OutboxKind.PUSH,
                sent_at=self._clock.now(),
                to=(device.id,),
                subject=title,
                text=words,
                data=dict(data),
                topic=topic,
            )
        )
        fate = of_token(device.token)
        if fate.status is DeliveryStatus.FAILED:
            device.enabled = False
            if self._tables is not None:
                self._tables.device(device)
        return fate
