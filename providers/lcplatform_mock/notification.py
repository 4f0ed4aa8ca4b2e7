"""Notification in memory (FR-048 to FR-052)."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from typing_extensions import override

from lcplatform.notification.driver import NotificationDriver
from lcplatform.notification.models import (
    ConfirmSubscriptionRequest,
    ConfirmSubscriptionResponse,
    CreateTopicRequest,
    CreateTopicResponse,
    DeleteTopicRequest,
    DeleteTopicResponse,
    DeliveryProtocol,
    GetDeliveryStatusRequest,
    GetDeliveryStatusResponse,
    ListSubscriptionsRequest,
    ListSubscriptionsResponse,
    ListTopicsRequest,
    ListTopicsResponse,
    RegisterDeviceRequest,
    RegisterDeviceResponse,
    SendEmailRequest,
    SendEmailResponse,
    SendPushRequest,
    SendPushResponse,
    SendSmsRequest,
    SendSmsResponse,
    SubscribeRequest,
    SubscribeResponse,
    UnregisterDeviceRequest,
    UnregisterDeviceResponse,
    UnsubscribeRequest,
    UnsubscribeResponse,
    VerifyWebhookRequest,
    VerifyWebhookResponse,
)
from lcplatform.notification.support import NotificationCapability
from lcplatform_mock import subscribing
from lcplatform_mock.couriers import read
from lcplatform_mock.delivering import Errands
from lcplatform_mock.gate import gated
from lcplatform_mock.listing import names_page
from lcplatform_mock.mail import File, Mail, check_files
from lcplatform_mock.publishing import LIMITS, Publishing
from lcplatform_mock.reaching import DISABLED
from lcplatform_mock.refusals import missing
from lcplatform_mock.simulators import OPTED_OUT
from lcplatform_mock.topics import CONFIRMED_WITHIN, WEBHOOKS, Device, Sent, Subscriber, TopicRecord
from lcplatform_runtime.errors import (
    AlreadyExistsError,
    PreconditionFailedError,
    QuotaExceededError,
    invalid,
)
from lcplatform_runtime.support import Support
from lcplatform_runtime.trusted import trusted
from lcplatform_runtime.webhooks import verify_webhook

SUPPORT: Final = Support(capabilities=frozenset(NotificationCapability), limits=LIMITS.by_name())

_DELETED: Final = trusted(DeleteTopicResponse)()
_UNSUBSCRIBED: Final = trusted(UnsubscribeResponse)()
_FORGOTTEN: Final = trusted(UnregisterDeviceResponse)()


@gated(NotificationDriver)
class MockNotification(Publishing, NotificationDriver):
    """Topics in memory. Queues get their messages before publishing is answered; couriers bring the rest."""

    @property
    @override
    def support(self) -> Support:
        return SUPPORT

    # --- topics

    @override
    def create_topic(self, request: CreateTopicRequest, /) -> CreateTopicResponse:
        with self._lock:
            if request.name in self._state.topics:
                raise AlreadyExistsError(f"topic {request.name!r} exists", resource=request.name)
            topic = TopicRecord(
                id=self._name(),
                name=request.name,
                fifo=request.fifo,
                created_at=self._clock.now(),
            )
            self._state.topics[topic.name] = topic
            if self._tables is not None:
                self._tables.topic(topic)
            return CreateTopicResponse(topic=topic.shown())

    @override
    def list_topics(self, request: ListTopicsRequest, /) -> ListTopicsResponse:
        with self._lock:
            topics = self._state.topics
            names, token = names_page(sorted(topics), "", request.page_size, request.page_token)
            shown = tuple(topics[it].shown() for it in names)
        return ListTopicsResponse(topics=shown, next_page_token=token)

    @override
    def delete_topic(self, request: DeleteTopicRequest, /) -> DeleteTopicResponse:
        with self._lock:
            topic = self._topic(request.name)
            for subscriber in self._state.of_topic(topic.name):
                self._leave(subscriber)
            del self._state.topics[topic.name]
            self._state.duplicates.pop(topic.id, None)
            self._orders.pop(topic.id, None)
            if self._tables is not None:
                self._tables.no_topic(topic)
        return _DELETED

    # --- subscribing

    @override
    def subscribe(self, request: SubscribeRequest, /) -> SubscribeResponse:
        with self._lock:
            fifo = self._topic(request.topic).fifo
        subscribing.check(request, self._world, fifo=fifo)
        key = self._signer.public_key if request.protocol in WEBHOOKS else None
        errands = Errands()
        with self._lock:
            self._topic(request.topic)
            self._expire()
            if request.protocol is DeliveryProtocol.PUSH:
                self._device(request.endpoint)
            it = self._state.same(request.topic, request.protocol, request.endpoint)
            if it is None:
                it = self._subscribed(request)
            else:
                subscribing.check_same(it, request)
            if not it.confirmed:
                self._invite(it, errands)
            shown = it.shown(key)
        self._run(errands)
        return SubscribeResponse(subscription=shown)

    @override
    def confirm_subscription(
        self, request: ConfirmSubscriptionRequest, /
    ) -> ConfirmSubscriptionResponse:
        with self._lock:
            self._topic(request.topic)
            self._expire()
            it = self._state.waiting_for(request.topic, request.token)
            if it is None:
                raise invalid("token", "the token that the endpoint was sent, in time")
            it.confirmed = True
            if self._tables is not None:
                self._tables.subscriber(it)
            return ConfirmSubscriptionResponse(subscription=it.shown(self._key_for(it)))

    @override
    def unsubscribe(self, request: UnsubscribeRequest, /) -> UnsubscribeResponse:
        with self._lock:
            it = self._state.subscribers.get(request.subscription_id)
            if it is None:
                raise missing("subscription", request.subscription_id)
            self._leave(it)
        return _UNSUBSCRIBED

    @override
    def list_subscriptions(self, request: ListSubscriptionsRequest, /) -> ListSubscriptionsResponse:
        with self._lock:
            self._expire()
            subscribers = self._state.subscribers
            if request.topic is not None:
                self._topic(request.topic)
                subscribers = {it.id: it for it in self._state.of_topic(request.topic)}
            names, token = names_page(
                sorted(subscribers), "", request.page_size, request.page_token
            )
            shown = tuple(subscribers[it].shown(self._key_for(subscribers[it])) for it in names)
        return ListSubscriptionsResponse(subscriptions=shown, next_page_token=token)

    @override
    def verify_webhook(self, request: VerifyWebhookRequest, /) -> VerifyWebhookResponse:
        said = verify_webhook(
            request.headers, request.body, self._signer.public_key, clock=self._clock
        )
        return VerifyWebhookResponse(message=read(said.value))

    def _subscribed(self, request: SubscribeRequest) -> Subscriber:
        """A new subscription."""
        if len(self._state.of_topic(request.topic)) >= LIMITS.max_subscriptions:
            raise QuotaExceededError(
                f"topic {request.topic!r} has {LIMITS.max_subscriptions} subscriptions",
                resource=request.topic,
                retryable=False,
            )
        policy = request.filter_policy
        it = Subscriber(
            id=self._name(),
            topic=request.topic,
            protocol=request.protocol,
            endpoint=request.endpoint,
            filter_policy=None if policy is None else policy.text,
            dead_letter_queue=request.dead_letter_queue,
            max_retries=request.max_retries,
            confirmed=request.protocol in subscribing.CONFIRMED,
        )
        if not it.confirmed:
            it.token = secrets.token_urlsafe(24)
        self._state.subscribe(it)
        if self._tables is not None:
            self._tables.subscriber(it)
        return it

    def _invite(self, it: Subscriber, errands: Errands) -> None:
        """Asks a subscriber to confirm."""
        assert it.token is not None
        now, name = self._clock.now(), self._name()
        it.confirm_by = now + CONFIRMED_WITHIN
        if self._tables is not None:
            self._tables.subscriber(it)
        words = subscribing.invitation(it.topic, it.token)
        match it.protocol:
            case DeliveryProtocol.EMAIL:
                mail = Mail(
                    identity=name,
                    at=now,
                    sender=self._settings.sender,
                    to=(it.endpoint,),
                    subject=f"Confirm the subscription to topic {it.topic}",
                    text=words,
                )
                self._mail(mail, errands, subscriber=it, token=it.token)
            case DeliveryProtocol.SMS:
                self._text(name, it.endpoint, words, topic=it.topic, token=it.token)
            case _:
                pending = self._to_webhook(it, name, errands)
                pending.token = it.token
                self._put(pending)

    def _leave(self, it: Subscriber) -> None:
        """Ends a subscription."""
        self._withdraw(it)
        self._state.unsubscribe(it)
        if self._tables is not None:
            self._tables.no_subscriber(it)

    def _expire(self) -> None:
        for it in self._state.overdue(self._clock.now()):
            self._leave(it)

    def _key_for(self, it: Subscriber) -> str | None:
        return self._signer.public_key if it.protocol in WEBHOOKS else None

    # --- to one person

    @override
    def send_email(self, request: SendEmailRequest, /) -> SendEmailResponse:
        if request.text is None and request.html is None:
            raise invalid("text", "a text or an HTML body, or both")
        check_files([it.content_type for it in request.attachments])
        sender = request.sender or self._settings.sender
        self._check_sender(sender)
        mail = Mail(
            identity=self._name(),
            at=self._clock.now(),
            sender=sender,
            to=tuple(request.to),
            cc=tuple(request.cc),
            bcc=tuple(request.bcc),
            reply_to=tuple(request.reply_to),
            subject=request.subject,
            text=request.text,
            html=request.html,
            files=tuple(
                File(it.filename, it.content_type, it.data, it.content_id)
                for it in request.attachments
            ),
        )
        if len(mail.recipients) > LIMITS.max_recipients:
            raise invalid("to", f"at most {LIMITS.max_recipients} with cc and bcc (max_recipients)")
        if mail.size > LIMITS.max_email_bytes:
            raise invalid(
                "attachments", f"at most {LIMITS.max_email_bytes} bytes (max_email_bytes)"
            )
        errands, sent = Errands(), Sent(mail.identity, mail.at)
        with self._lock:
            self._take(sent)
            self._mail(mail, errands, sent)
            self._keep_sent(sent)
        self._run(errands)
        return SendEmailResponse(message_id=sent.id)

    @override
    def send_sms(self, request: SendSmsRequest, /) -> SendSmsResponse:
        if request.to == OPTED_OUT:
            raise PreconditionFailedError(f"the number {request.to} wants no messages")
        errands = Errands()
        with self._lock:
            sent = self._direct()
            fate = self._text(sent.id, request.to, request.message, sender=request.sender_id)
            self._meet(sent, request.to, fate, errands)
            self._keep_sent(sent)
        self._run(errands)
        return SendSmsResponse(message_id=sent.id)

    @override
    def send_push(self, request: SendPushRequest, /) -> SendPushResponse:
        errands = Errands()
        with self._lock:
            device = self._device(request.device_id)
            if request.title is None and request.body is None and not request.data:
                raise invalid("title", "a title, a body or data")
            if not device.enabled:
                raise PreconditionFailedError(DISABLED, resource=device.id)
            sent = self._direct()
            fate = self._push(sent.id, device, request.title, request.body, data=request.data)
            self._meet(sent, device.id, fate, errands)
            self._keep_sent(sent)
        self._run(errands)
        return SendPushResponse(message_id=sent.id)

    @override
    def register_device(self, request: RegisterDeviceRequest, /) -> RegisterDeviceResponse:
        same = f"{request.application}\n{request.platform}\n{request.token}".encode()
        device = Device(
            id=f"device-{hashlib.sha256(same).hexdigest()[:32]}",
            token=request.token,
            platform=request.platform,
            application=request.application,
            user_data=request.user_data,
        )
        with self._lock:
            self._state.devices[device.id] = device
            if self._tables is not None:
                self._tables.device(device)
        return RegisterDeviceResponse(device_id=device.id)

    @override
    def unregister_device(self, request: UnregisterDeviceRequest, /) -> UnregisterDeviceResponse:
        with self._lock:
            device = self._device(request.device_id)
            for it in list(self._state.subscribers.values()):
                if it.protocol is DeliveryProtocol.PUSH and it.endpoint == device.id:
                    self._leave(it)
            del self._state.devices[device.id]
            if self._tables is not None:
                self._tables.no_device(device)
        return _FORGOTTEN

    @override
    def get_delivery_status(
        self, request: GetDeliveryStatusRequest, /
    ) -> GetDeliveryStatusResponse:
        with self._lock:
            sent = self._state.sent.get(request.message_id)
            if sent is None:
                raise missing("message", request.message_id)
            return GetDeliveryStatusResponse(
                deliveries=tuple(it.shown() for it in sent.outcomes.values())
            )

    def _direct(self) -> Sent:
        """A message to one person."""
        sent = Sent(self._name(), self._clock.now())
        self._take(sent)
        return sent

    def _check_sender(self, sender: str) -> None:
        known = self._settings.senders
        if known is not None and sender not in {*known, self._settings.sender}:
            raise PreconditionFailedError(f"sender {sender!r} is not verified", resource=sender)

    def _device(self, name: str) -> Device:
        device = self._state.devices.get(name)
        if device is None:
            raise missing("device", name)
        return device
