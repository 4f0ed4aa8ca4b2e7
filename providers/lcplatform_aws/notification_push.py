"""Devices, which SNS calls platform endpoints, and what is pushed to them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lcplatform.notification.models import DevicePlatform, RegisterDeviceRequest, SendPushRequest
from lcplatform_aws.errors import problem_of
from lcplatform_aws.notification_topics import Topics
from lcplatform_aws.units import given
from lcplatform_runtime.errors import ResourceNotFoundError, invalid

if TYPE_CHECKING:
    from lcplatform_aws.notification_options import NotificationOptions
    from lcplatform_aws.session import Session

_APPLICATION: Final = re.compile(r"[A-Za-z0-9_.-]{1,256}")
_DEVICE: Final = re.compile(
    r"arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:(?:endpoint|app)/([A-Z_]+)/[^/]+/[^/]+"
)
_TAKEN: Final = re.compile(r"Endpoint (arn:\S+) already exists with the same Token")
_FIREBASE: Final = "GCM"
"""What SNS still calls Firebase Cloud Messaging. It reaches browsers too."""


class Devices:
    """The devices of an account."""

    def __init__(self, session: Session, topics: Topics, options: NotificationOptions) -> None:
        self._session = session
        self._topics = topics
        self._apple = "APNS_SANDBOX" if options.apns_sandbox else "APNS"

    def register(self, request: RegisterDeviceRequest) -> str:
        """Makes a device known, or says anew what is known of it. Its identity."""
        if _APPLICATION.fullmatch(request.application) is None:
            raise ResourceNotFoundError("there is no such application", resource="application")
        service = self._apple if request.platform is DevicePlatform.IOS else _FIREBASE
        home = self._topics.home
        wanted = {"Enabled": "true"}
        sns = self._session.sns
        try:
            answer = sns.create_platform_endpoint(
                PlatformApplicationArn=f"{home}app/{service}/{request.application}",
                Token=request.token,
                Attributes=wanted,
                **given(CustomUserData=request.user_data),
            )
            return answer["EndpointArn"]
        except ClientError as error:
            # It is known with other data, or with a token that was no longer good.
            found = _TAKEN.search(str(problem_of(error).get("Message", "")))
            if found is None:
                raise
        device = found[1]
        sns.set_endpoint_attributes(
            EndpointArn=device,
            Attributes={
                **wanted,
                "Token": request.token,
                "CustomUserData": request.user_data or "",
            },
        )
        return device

    def check(self, device: str) -> None:
        """Raises ResourceNotFoundError where there is no such device. SNS would call what is no ARN invalid."""
        _service_of(device)
        self._session.sns.get_endpoint_attributes(EndpointArn=device)

    def forget(self, device: str) -> None:
        """Forgets a device."""
        self._session.sns.delete_endpoint(EndpointArn=device)

    def send(self, request: SendPushRequest) -> str:
        """Pushes a message. Its identity."""
        service = _service_of(request.device_id)
        if request.title is None and request.body is None and not request.data:
            raise invalid("title", "a title, a body or data")
        apple = service.startswith("APNS")
        payload = _for_apple(request) if apple else _for_firebase(request)
        message = {
            # SNS wants one, and shows it to none of them.
            "default": request.body or request.title or "-",
            service: json.dumps(payload, ensure_ascii=False),
        }
        silent = apple and request.title is None and request.body is None
        answer = self._session.sns.publish(
            TargetArn=request.device_id,
            MessageStructure="json",
            Message=json.dumps(message, ensure_ascii=False),
            **given(MessageAttributes=_SILENT if silent else None),
        )
        return answer["MessageId"]


_SILENT: Final = {
    "AWS.SNS.MOBILE.APNS.PUSH_TYPE": {"DataType": "String", "StringValue": "background"},
    "AWS.SNS.MOBILE.APNS.PRIORITY": {"DataType": "String", "StringValue": "5"},
}
"""Apple refuses data that nobody is shown, if it does not say that it is that."""


def _service_of(device: str) -> str:
    """The push service of a device."""
    found = _DEVICE.fullmatch(device)
    if found is None:
        raise ResourceNotFoundError("there is no such device", resource=device)
    return found[1]


def _shown(request: SendPushRequest) -> dict[str, str]:
    return given(title=request.title, body=request.body)


def _for_apple(request: SendPushRequest) -> dict[str, Any]:
    if "aps" in request.data:
        raise invalid("data", 'no "aps", which is Apple\'s own')
    shown = _shown(request)
    return {**request.data, "aps": {"alert": shown} if shown else {"content-available": 1}}


def _for_firebase(request: SendPushRequest) -> dict[str, Any]:
    return {
        "fcmV1Message": {
            "message": given(notification=_shown(request) or None, data=request.data or None)
        }
    }
