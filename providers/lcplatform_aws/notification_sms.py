"""Text messages to people: through End User Messaging, and through SNS where an account cannot use that."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError, EndpointConnectionError

from lcplatform.notification.models import SendSmsRequest
from lcplatform_aws.errors import code_of, problem_of, status_of
from lcplatform_aws.units import given
from lcplatform_runtime.errors import invalid

if TYPE_CHECKING:
    from lcplatform_aws.notification_options import NotificationOptions
    from lcplatform_aws.session import Session

MAX_CHARACTERS: Final = 1600
_SENDER: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9-]{1,11}")
_UNUSABLE: Final = frozenset(
    {
        "AccessDeniedException",
        "InvalidAction",
        "OptInRequired",
        "ResourceNotFoundException",
        "SubscriptionRequiredException",
        "UnknownOperationException",
    }
)
"""What says that this account, or this region, sends nothing through End User Messaging. Nothing has been sent then."""


class TextMessages:
    """The text messages of an account."""

    def __init__(self, session: Session, options: NotificationOptions) -> None:
        self._session = session
        self._options = options
        self._by_topics = options.sms == "sns"

    def send(self, request: SendSmsRequest) -> str:
        """Sends a text message. Its identity."""
        if request.sender_id is not None and _SENDER.fullmatch(request.sender_id) is None:
            raise invalid("sender_id", "letters, digits and hyphens, at least one letter")
        if self._by_topics:
            return self._through_topics(request)
        try:
            return self._through_messaging(request)
        except (ClientError, EndpointConnectionError) as error:
            if self._options.sms != "auto" or not _unusable(error):
                raise
        identity = self._through_topics(request)
        self._by_topics = True  # it works: the other is not asked again
        return identity

    def _through_messaging(self, request: SendSmsRequest) -> str:
        options = self._options
        answer = self._session.sms.send_text_message(
            DestinationPhoneNumber=request.to,
            MessageBody=request.message,
            MessageType="PROMOTIONAL" if options.sms_promotional else "TRANSACTIONAL",
            **given(
                OriginationIdentity=request.sender_id or options.sms_identity,
                ConfigurationSetName=options.sms_configuration_set,
            ),
        )
        return answer["MessageId"]

    def _through_topics(self, request: SendSmsRequest) -> str:
        kind = "Promotional" if self._options.sms_promotional else "Transactional"
        attributes = {"AWS.SNS.SMS.SMSType": kind}
        if request.sender_id is not None:
            attributes["AWS.SNS.SMS.SenderID"] = request.sender_id
        answer = self._session.sns.publish(
            PhoneNumber=request.to,
            Message=request.message,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in attributes.items()
            },
        )
        return answer["MessageId"]


def _unusable(error: ClientError | EndpointConnectionError) -> bool:
    if isinstance(error, EndpointConnectionError):
        return True  # there is no such endpoint in the region: nothing was sent
    code = code_of(problem_of(error))
    # An error without a code of its own is the answer of somebody who has never heard of the service.
    if code in _UNUSABLE or (code.isdigit() and status_of(error) < 500):
        return True
    reason: object = error.response.get("Reason")
    return reason == "NO_ORIGINATION_IDENTITIES_FOUND"
