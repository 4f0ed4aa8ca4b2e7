"""Notification on Amazon SNS, with SES for e-mail and End User Messaging for text messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from typing_extensions import override

from lcplatform.notification.driver import NotificationDriver
from lcplatform.notification.models import (
    ConfirmSubscriptionRequest,
    ConfirmSubscriptionResponse,
    CreateTopicRequest,
    CreateTopicResponse,
    DeleteTopicRequest,
    DeleteTopicResponse,
    Delivery,
    DeliveryStatus,
    GetDeliveryStatusRequest,
    GetDeliveryStatusResponse,
    ListSubscriptionsRequest,
    ListSubscriptionsResponse,
    ListTopicsRequest,
    ListTopicsResponse,
    PublishMessageRequest,
    PublishMessageResponse,
    PublishMessagesEntry,
    PublishMessagesRequest,
    PublishMessagesResponse,
    PublishMessagesResult,
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
    Topic,
    UnregisterDeviceRequest,
    UnregisterDeviceResponse,
    UnsubscribeRequest,
    UnsubscribeResponse,
    VerifyWebhookRequest,
    VerifyWebhookResponse,
)
from lcplatform.notification.support import NotificationCapability, NotificationLimits
from lcplatform.type.models import BatchFailure, ErrorCode
from lcplatform_aws.errors import batch_failure, code_of, meaning_of, problem_of
from lcplatform_aws.messages import CONTENT_TYPE, MAX_ATTRIBUTES, encode
from lcplatform_aws.notification_email import MAX_BYTES, MAX_RECIPIENTS, Emails
from lcplatform_aws.notification_identities import Sent, is_of_topic
from lcplatform_aws.notification_push import Devices
from lcplatform_aws.notification_sms import MAX_CHARACTERS, TextMessages
from lcplatform_aws.notification_subscribing import Subscriptions
from lcplatform_aws.notification_topics import FIFO, Topics, page
from lcplatform_aws.notification_webhooks import Webhooks
from lcplatform_aws.units import given
from lcplatform_runtime.errors import (
    AlreadyExistsError,
    ResourceNotFoundError,
    ValidationError,
    invalid,
)
from lcplatform_runtime.support import Support

if TYPE_CHECKING:
    from lcplatform_aws.notification_options import NotificationOptions
    from lcplatform_aws.queue_names import Queues
    from lcplatform_aws.session import Session

_MESSAGE: Final = 256 * 1024 - 128
"""The bytes of a message. SNS counts the types of attributes as well, and the attribute that is ours."""
_BATCH: Final = 10
_PLAIN: Final = "text/plain; charset=utf-8"

# Delivery reports are in log groups or in event destinations, which AWS fills as somebody has set them up. No attribute is
# compared as a number: ours are texts.
_SUPPORT: Final = Support(
    capabilities=frozenset(NotificationCapability)
    - {NotificationCapability.DELIVERY_REPORTS, NotificationCapability.NUMERIC_FILTERS},
    limits=NotificationLimits(
        max_message_bytes=_MESSAGE,
        max_batch_entries=_BATCH,
        max_batch_bytes=_MESSAGE,
        max_attributes=MAX_ATTRIBUTES,
        max_subscriptions=12_500_000,
        max_recipients=MAX_RECIPIENTS,
        max_email_bytes=MAX_BYTES,
        max_sms_characters=MAX_CHARACTERS,
    ).by_name(),
)


class SnsNotification(NotificationDriver):
    """Topics on Amazon SNS, e-mail through SES, text messages through End User Messaging or SNS, push through SNS.

    SNS does not tell a topic that is there from one that is made, nor an end from a second one: both are looked up before,
    so two callers at the very same time may both succeed. AWS keeps no register of messages that could be asked: what
    became of one is told from its identity, which names the recipient where there is one.
    """

    def __init__(self, session: Session, queues: Queues, options: NotificationOptions, /) -> None:
        self._session = session
        self._topics = Topics(session)
        self._subscriptions = Subscriptions(session, self._topics, queues)
        self._webhooks = Webhooks(self._topics)
        self._emails = Emails(session, options)
        self._texts = TextMessages(session, options)
        self._devices = Devices(session, self._topics, options)

    @property
    @override
    def support(self) -> Support:
        return _SUPPORT

    # --- topics

    @override
    def create_topic(self, request: CreateTopicRequest, /) -> CreateTopicResponse:
        name = request.name
        if self._topics.found(name) is not None:
            raise AlreadyExistsError(f"there is a topic {name!r} already", resource=name)
        # Webhooks are signed with SHA-256 by version 2. FIFO topics have none.
        attributes = (
            {"FifoTopic": "true", "ContentBasedDeduplication": "true"}
            if request.fifo
            else {"SignatureVersion": "2"}
        )
        self._session.sns.create_topic(
            Name=f"{name}{FIFO if request.fifo else ''}", Attributes=attributes
        )
        return CreateTopicResponse(topic=Topic(name=name, fifo=request.fifo))

    @override
    def list_topics(self, request: ListTopicsRequest, /) -> ListTopicsResponse:
        found, token = page(
            self._session.sns.list_topics, "Topics", request.page_token, request.page_size
        )
        arns = [it["TopicArn"] for it in found]
        return ListTopicsResponse(
            topics=tuple(
                Topic(name=self._topics.name(arn), fifo=arn.endswith(FIFO)) for arn in arns
            ),
            next_page_token=token,
        )

    @override
    def delete_topic(self, request: DeleteTopicRequest, /) -> DeleteTopicResponse:
        self._session.sns.delete_topic(TopicArn=self._topics.arn(request.name))
        self._topics.forget(request.name)
        return DeleteTopicResponse()

    # --- publishing

    @override
    def publish_message(self, request: PublishMessageRequest, /) -> PublishMessageResponse:
        parameters = _encoded(request)

        def publish(topic: str) -> Mapping[str, Any]:
            _check_order(request, fifo=topic.endswith(FIFO))
            return self._session.sns.publish(TopicArn=topic, **parameters)

        answer = self._topics.sent(request.topic, publish, fifo=_for_fifo(request))
        return PublishMessageResponse(message_id=answer["MessageId"])

    @override
    def publish_messages(self, request: PublishMessagesRequest, /) -> PublishMessagesResponse:
        def publish(topic: str) -> tuple[Mapping[str, Any], list[BatchFailure]]:
            refused: list[BatchFailure] = []
            entries: list[Any] = []
            for index, entry in enumerate(request.entries):
                try:
                    _check_order(entry, fifo=topic.endswith(FIFO))
                    entries.append({"Id": str(index), **_encoded(entry)})
                except ValidationError as error:
                    refused.append(_refused(index, error))
            if not entries:
                self._topics.arn(request.topic)  # it may not even be there
            return self._batch(topic, entries), refused

        fifo = any(map(_for_fifo, request.entries))
        answer, refused = self._topics.sent(request.topic, publish, fifo=fifo)
        failed = [*refused, *_failures(answer)]
        return PublishMessagesResponse(
            successful=tuple(
                PublishMessagesResult(index=int(it["Id"]), message_id=it["MessageId"])
                for it in sorted(answer.get("Successful", ()), key=_index)
            ),
            failed=tuple(sorted(failed, key=lambda failure: failure.index)),
        )

    def _batch(self, topic: str, entries: Sequence[Any]) -> Mapping[str, Any]:
        """What became of the entries.

        SNS refuses some batches for the sake of one entry, or because they are too large together. Nothing of such a
        batch was published, so each entry is published by itself.
        """
        if not entries:
            return {}
        try:
            return self._session.sns.publish_batch(
                TopicArn=topic, PublishBatchRequestEntries=entries
            )
        except ClientError as error:
            problem = problem_of(error)
            code, text = code_of(problem), str(problem.get("Message", ""))
            meaning = meaning_of(code, text, "notification", "publish_messages", 0)
            if meaning.kind is not ValidationError:
                raise
        answers = [self._alone(topic, entry) for entry in entries]
        return {
            name: [it for answer in answers for it in answer.get(name, ())]
            for name in ("Successful", "Failed")
        }

    def _alone(self, topic: str, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        """What became of an entry that was published by itself. It fails alone: others may have been published before."""
        alone: Any = [entry]  # as the SDK's types have it
        try:
            return self._session.sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=alone)
        except ClientError as error:
            problem = problem_of(error)
            code, text = code_of(problem), str(problem.get("Message", ""))
        except BotoCoreError as error:
            code, text = type(error).__name__, str(error)
        return {"Failed": [{"Id": entry["Id"], "Code": code, "Message": text}]}

    # --- subscribing

    @override
    def subscribe(self, request: SubscribeRequest, /) -> SubscribeResponse:
        return SubscribeResponse(subscription=self._subscriptions.subscribe(request))

    @override
    def confirm_subscription(
        self, request: ConfirmSubscriptionRequest, /
    ) -> ConfirmSubscriptionResponse:
        return ConfirmSubscriptionResponse(
            subscription=self._subscriptions.confirm(request.topic, request.token)
        )

    @override
    def unsubscribe(self, request: UnsubscribeRequest, /) -> UnsubscribeResponse:
        self._subscriptions.unsubscribe(request.subscription_id)
        return UnsubscribeResponse()

    @override
    def list_subscriptions(self, request: ListSubscriptionsRequest, /) -> ListSubscriptionsResponse:
        found, token = self._subscriptions.listed(
            request.topic, request.page_token, request.page_size
        )
        return ListSubscriptionsResponse(subscriptions=tuple(found), next_page_token=token)

    @override
    def verify_webhook(self, request: VerifyWebhookRequest, /) -> VerifyWebhookResponse:
        # Everything that is signed is in the body: headers are believed nothing.
        return VerifyWebhookResponse(message=self._webhooks.read(request.body))

    # --- to one person

    @override
    def send_email(self, request: SendEmailRequest, /) -> SendEmailResponse:
        recipients = [*request.to, *request.cc, *request.bcc]
        sent = Sent.now(self._emails.send(request), list(dict.fromkeys(recipients)))
        return SendEmailResponse(message_id=sent.identity)

    @override
    def send_sms(self, request: SendSmsRequest, /) -> SendSmsResponse:
        return SendSmsResponse(
            message_id=Sent.now(self._texts.send(request), [request.to]).identity
        )

    @override
    def register_device(self, request: RegisterDeviceRequest, /) -> RegisterDeviceResponse:
        return RegisterDeviceResponse(device_id=self._devices.register(request))

    @override
    def unregister_device(self, request: UnregisterDeviceRequest, /) -> UnregisterDeviceResponse:
        device = request.device_id
        self._devices.check(device)
        # SNS leaves the subscriptions of a device that is gone.
        for subscription in self._subscriptions.of_device(device):
            self._session.sns.unsubscribe(SubscriptionArn=subscription)
        self._devices.forget(device)
        return UnregisterDeviceResponse()

    @override
    def send_push(self, request: SendPushRequest, /) -> SendPushResponse:
        sent = Sent.now(self._devices.send(request), [request.device_id])
        return SendPushResponse(message_id=sent.identity)

    @override
    def get_delivery_status(
        self, request: GetDeliveryStatusRequest, /
    ) -> GetDeliveryStatusResponse:
        identity = request.message_id
        sent = Sent.read(identity)
        if sent is None:
            if not is_of_topic(identity):
                raise ResourceNotFoundError("there is no such message", resource=identity)
            return GetDeliveryStatusResponse()
        return GetDeliveryStatusResponse(
            deliveries=self._emails.became(sent.vendor)
            or tuple(
                Delivery(recipient=it, status=DeliveryStatus.ACCEPTED, updated_at=sent.at)
                for it in sent.recipients
            )
        )


def _for_fifo(message: PublishMessageRequest | PublishMessagesEntry) -> bool:
    """Whether a message is for a FIFO topic, by what it says itself."""
    return message.group_id is not None or message.deduplication_id is not None


def _check_order(message: PublishMessageRequest | PublishMessagesEntry, *, fifo: bool) -> None:
    """Refuses what a topic of that kind does not take. SNS has other uses for groups on topics that keep no order."""
    if fifo:
        if message.group_id is None:
            raise invalid("group_id", "a group, since the topic is a FIFO topic")
    elif message.group_id is not None:
        raise invalid("group_id", "none, since the topic is no FIFO topic")
    elif message.deduplication_id is not None:
        raise invalid("deduplication_id", "none, since the topic is no FIFO topic")


def _encoded(message: PublishMessageRequest | PublishMessagesEntry) -> dict[str, Any]:
    """The parameters that carry a message."""
    if len(message.attributes) > MAX_ATTRIBUTES:
        raise invalid("attributes", f"at most {MAX_ATTRIBUTES} (max_attributes)")
    written = encode(message.body, message.attributes)
    # A filter policy that asks for what is absent lets nothing through that has no attribute at all.
    attributes = written.get("MessageAttributes") or {
        CONTENT_TYPE: {"DataType": "String", "StringValue": _PLAIN}
    }
    if _size(written["MessageBody"], message.attributes) > _MESSAGE:
        raise invalid("body", f"at most {_MESSAGE} bytes with its attributes (max_message_bytes)")
    return {
        "Message": written["MessageBody"],
        "MessageAttributes": attributes,
        **given(
            Subject=message.subject,
            MessageGroupId=message.group_id,
            MessageDeduplicationId=message.deduplication_id,
        ),
    }


def _size(text: str, attributes: Mapping[str, str]) -> int:
    parts = (text, *attributes, *attributes.values())
    return sum(len(it) if it.isascii() else len(it.encode()) for it in parts)


def _index(entry: Mapping[str, Any]) -> int:
    return int(entry["Id"])


def _refused(index: int, error: ValidationError) -> BatchFailure:
    return BatchFailure(
        index=index, code=ErrorCode.VALIDATION, message=error.message, retryable=False
    )


def _failures(answer: Mapping[str, Any]) -> list[BatchFailure]:
    """The entries that SNS did not take. They come in an answer that says OK."""
    return [
        batch_failure(
            _index(it),
            it.get("Code", ""),
            it.get("Message", ""),
            ("notification", "publish_messages"),
            sender_fault=it.get("SenderFault"),
        )
        for it in answer.get("Failed", ())
    ]
