"""What an application may say about notification on AWS."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lcplatform_runtime.model import Request


class NotificationOptions(Request):
    """What notification needs to know of the account."""

    sender: Annotated[
        str | None, Field(max_length=320, pattern=r"^[^\s@\"(),:;<>]{1,64}@[^\s@\"(),:;<>]{1,255}$")
    ] = None
    """The address that e-mails come from where a call names none. SES has verified it, or its domain."""

    email_configuration_set: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = None
    """The configuration set of SES that e-mails are sent by."""

    email_insights: bool = False
    """Whether get_delivery_status asks SES what became of an e-mail. It knows where the account has the Virtual
    Deliverability Manager."""

    sms: Literal["auto", "end-user-messaging", "sns"] = "auto"
    """What sends text messages. "auto": End User Messaging, and SNS from when it says that the account cannot use it."""

    sms_identity: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9_:/+-]{1,256}$")] = None
    """The number, pool or sender that text messages come from where a call names none; End User Messaging chooses where
    absent."""

    sms_configuration_set: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9_:/-]{1,256}$")] = None
    """The configuration set of End User Messaging that text messages are sent by."""

    sms_promotional: bool = False
    """Whether text messages are promotional: cheaper, and not where and when the law forbids them."""

    apns_sandbox: bool = False
    """Whether devices with iOS are reached through Apple's sandbox, as those of developers are."""
