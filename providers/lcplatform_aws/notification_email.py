"""E-mail to people, through SESv2, and what became of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lcplatform.notification.models import Attachment, Delivery, DeliveryStatus, SendEmailRequest
from lcplatform_aws.errors import code_of, problem_of
from lcplatform_aws.units import given
from lcplatform_runtime.errors import invalid

if TYPE_CHECKING:
    from lcplatform_aws.notification_options import NotificationOptions
    from lcplatform_aws.session import Session

MAX_RECIPIENTS: Final = 50
MAX_BYTES: Final = 40 * 1024 * 1024
_UTF8: Final = "UTF-8"
_PART: Final = 2048
"""The longest headers of a part."""
_LONGEST_TYPE: Final = 78
_LONGEST_ID: Final = 78
_FATES: Final = {
    "DELIVERY": DeliveryStatus.DELIVERED,
    "BOUNCE": DeliveryStatus.FAILED,
    "REJECT": DeliveryStatus.FAILED,
    "RENDERING_FAILURE": DeliveryStatus.FAILED,
    "DELIVERY_DELAY": DeliveryStatus.RETRYING,
    # Who complains, opens or clicks has got it.
    "COMPLAINT": DeliveryStatus.DELIVERED,
    "OPEN": DeliveryStatus.DELIVERED,
    "CLICK": DeliveryStatus.DELIVERED,
}
_OF_SES: Final = re.compile(r"[0-9a-f]{16}-[0-9a-f-]{36}-[0-9]{6}")
_UNKNOWN: Final = frozenset({"NotFoundException", "BadRequestException"})


class Emails:
    """The e-mails of an account."""

    def __init__(self, session: Session, options: NotificationOptions) -> None:
        self._session = session
        self._options = options

    def send(self, request: SendEmailRequest) -> str:
        """Sends an e-mail. Its identity."""
        if request.text is None and request.html is None:
            raise invalid("text", "a text or an HTML body, or both")
        sender = request.sender or self._options.sender
        if sender is None:
            raise invalid("sender", "an address, since the option notification.sender names none")
        destination = _destination(request)
        if _size(request) > MAX_BYTES:
            raise invalid("attachments", f"at most {MAX_BYTES} bytes (max_email_bytes)")
        body = {
            kind: {"Data": text, "Charset": _UTF8}
            for kind, text in (("Text", request.text), ("Html", request.html))
            if text is not None
        }
        simple = {
            # No line may end in a header, whatever Unicode takes for an end of a line.
            "Subject": {"Data": " ".join(request.subject.splitlines()), "Charset": _UTF8},
            "Body": body,
            **given(Attachments=[_attachment(it, request) for it in request.attachments] or None),
        }
        answer = self._session.sesv2.send_email(
            FromEmailAddress=_address(sender),
            Destination=destination,
            Content={"Simple": simple},  # type: ignore[typeddict-item]  # made above
            **given(
                ReplyToAddresses=[_address(it) for it in request.reply_to] or None,
                ConfigurationSetName=self._options.email_configuration_set,
            ),
        )
        return answer["MessageId"]

    def became(self, identity: str) -> tuple[Delivery, ...]:
        """What SES tells of an e-mail for each recipient. Nothing where nobody asked it to keep that."""
        if not self._options.email_insights or _OF_SES.fullmatch(identity) is None:
            return ()
        try:
            answer = self._session.sesv2.get_message_insights(MessageId=identity)
        except ClientError as error:
            if code_of(problem_of(error)) not in _UNKNOWN:
                raise
            return ()  # it comes minutes later
        return tuple(
            found for it in answer.get("Insights", ()) if (found := _delivery(it)) is not None
        )


def _destination(request: SendEmailRequest) -> Any:  # as the SDK's types have it
    """Everybody who gets it, each once: SES sends to whoever is named twice twice."""
    seen: set[str] = set()
    kinds = {
        name: [_address(it) for it in _new(addresses, seen)]
        for name, addresses in (
            ("ToAddresses", request.to),
            ("CcAddresses", request.cc),
            ("BccAddresses", request.bcc),
        )
    }
    if len(seen) > MAX_RECIPIENTS:
        raise invalid("to", f"at most {MAX_RECIPIENTS} with cc and bcc (max_recipients)")
    return {name: addresses for name, addresses in kinds.items() if addresses}


def _new(addresses: Iterable[str], seen: set[str]) -> list[str]:
    fresh = [it for it in dict.fromkeys(addresses) if it not in seen]
    seen.update(fresh)
    return fresh


def _address(address: str) -> str:
    """An address as SES takes it: a domain with other letters than those of ASCII in Punycode (RFC 5891)."""
    user, _, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return f"{user}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return address  # let SES say what is wrong with it


def _attachment(file: Attachment, request: SendEmailRequest) -> Mapping[str, Any]:
    if file.content_type.lower().startswith(("message/", "multipart/")):
        raise invalid("attachments", "none of a composite type, which is no file (RFC 2046)")
    if len(file.content_type) > _LONGEST_TYPE:
        raise invalid("attachments", f"a content type of at most {_LONGEST_TYPE} characters")
    if file.content_id is not None and len(file.content_id) > _LONGEST_ID:
        raise invalid("attachments", f"a content id of at most {_LONGEST_ID} characters")
    inline = file.content_id is not None and request.html is not None
    return {
        "RawContent": file.data,
        "FileName": file.filename,
        "ContentType": file.content_type,
        "ContentTransferEncoding": "BASE64",
        "ContentDisposition": "INLINE" if inline else "ATTACHMENT",
        **given(ContentId=file.content_id),
    }


def _size(request: SendEmailRequest) -> int:
    """The bytes of an e-mail at the most, when SES has written it: 57 bytes are a line of 78 in base64."""
    parts = [
        *(len(it.encode()) for it in (request.subject, request.text, request.html) if it),
        *(len(it.data) for it in request.attachments),
    ]
    return _PART + sum(_PART + 78 * -(-part // 57) for part in parts)


def _delivery(insight: Mapping[str, Any]) -> Delivery | None:
    """What became of an e-mail for one recipient: what happened last that is known to mean something."""
    told = [it for it in insight.get("Events", ()) if it.get("Type") in _FATES]
    if not told:
        return None
    last = max(told, key=lambda it: it["Timestamp"])
    details: Mapping[str, Any] = last.get("Details") or {}
    bounce = details.get("Bounce") or {}
    complaint = details.get("Complaint") or {}
    words = [
        last["Type"].lower().replace("_", " "),
        *(str(it) for it in (*bounce.values(), *complaint.values()) if it),
    ]
    plain = last["Type"] in {"DELIVERY", "OPEN", "CLICK"}
    return Delivery(
        recipient=insight.get("Destination", ""),
        status=_FATES[last["Type"]],
        reason=None if plain else ": ".join(words),
        updated_at=last["Timestamp"],
    )
