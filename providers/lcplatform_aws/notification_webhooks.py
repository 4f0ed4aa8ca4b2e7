"""Believes what a webhook was sent only if SNS has signed it, for a topic of this account.

SNS signs with a certificate that it names by a URL. Anybody can name one: so it is fetched from SNS's own host in our region
alone, over TLS. And anybody can have SNS sign something, for a topic of his own: so the topic has to be ours. Signatures of
version 1 are of SHA-1 and not believed; our topics ask for version 2.
"""

from __future__ import annotations

import json
import re
import threading
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from lcplatform.notification.models import WebhookKind, WebhookMessage
from lcplatform_aws.messages import CONTENT_TYPE, content_of
from lcplatform_aws.notification_topics import Topics
from lcplatform_runtime.clock import SYSTEM, Clock
from lcplatform_runtime.errors import AuthenticationError, ServiceUnavailableError
from lcplatform_runtime.json_value import Json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

TOLERANCE: Final = timedelta(minutes=65)
"""How far the time of a request may be from now. SNS signs once, when a message is published, and tries again for an hour."""

_CONFIRMING: Final = (
    "Message",
    "MessageId",
    "SubscribeURL",
    "Timestamp",
    "Token",
    "TopicArn",
    "Type",
)
_SIGNED: Final = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": _CONFIRMING,
    "UnsubscribeConfirmation": _CONFIRMING,
}
"""What is signed, in this order. Attributes are not."""
_KINDS: Final = {
    "Notification": WebhookKind.MESSAGE,
    "SubscriptionConfirmation": WebhookKind.CONFIRMATION,
}
_PATH: Final = r"/SimpleNotificationService-[0-9a-zA-Z]{1,64}\.pem"
_MOST_KEYS: Final = 16
_AGAIN: Final = timedelta(seconds=30)
"""For how long a certificate that could not be had is not asked for again."""
_TIMEOUT: Final = 5
_LARGEST: Final = 64 * 1024

Fetch = Callable[[str], bytes]
"""Gets what is at a URL. Raises OSError where it cannot, and LookupError where there is nothing."""


class Webhooks:
    """What SNS sends to webhooks for the topics of an account."""

    def __init__(self, topics: Topics, fetch: Fetch | None = None, clock: Clock = SYSTEM) -> None:
        self._topics = topics
        self._clock = clock
        self._certificates = Certificates(fetch or fetched, clock)

    def read(self, body: bytes) -> WebhookMessage:
        """What a request says.

        Raises:
            AuthenticationError: SNS has not signed it, or not lately, or not for a topic of this account.
            ServiceUnavailableError: SNS's certificate cannot be had now.
        """
        said = _parsed(body)
        kind, topic = said["Type"], said["TopicArn"]
        if not self._topics.ours(topic):
            raise AuthenticationError("the webhook is of a topic that is not one of this account")
        if said["SignatureVersion"] != "2":
            raise AuthenticationError(
                "the webhook is not signed with SHA-256: set SignatureVersion of the topic to 2"
            )
        at = self._checked_time(said["Timestamp"])
        key = self._certificates.key(self._url(said["SigningCertURL"]))
        _check_signature(key, said["Signature"], _canonical(said))
        message = kind == "Notification"
        return WebhookMessage(
            kind=_KINDS.get(kind, WebhookKind.UNKNOWN),
            topic=self._topics.name(topic),
            message_id=said["MessageId"],
            published_at=at,
            body=_content(said) if message else None,
            subject=said.get("Subject") if message else None,
            token=None if message else said["Token"],
        )

    def _url(self, url: str) -> str:
        """The URL of a certificate, if it is SNS's own. The region is that of the topic, which is ours."""
        _, partition, _, region, *_ = self._topics.home.split(":")
        suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
        if re.fullmatch(rf"https://sns\.{re.escape(region)}\.{re.escape(suffix)}{_PATH}", url):
            return url
        raise AuthenticationError("the certificate of the webhook is not at SNS")

    def _checked_time(self, timestamp: str) -> datetime:
        try:
            at = datetime.fromisoformat(timestamp)
        except ValueError:
            raise AuthenticationError("the webhook tells no time") from None
        at = at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)
        if abs(self._clock.now() - at) > TOLERANCE:
            raise AuthenticationError(
                f"the webhook was signed at {timestamp}: so far from now, it is taken for a replay"
            )
        return at


class Certificates:
    """The keys of the certificates that were fetched: SNS changes them now and then, and has few at a time."""

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: OrderedDict[str, tuple[RSAPublicKey, datetime]] = OrderedDict()
        self._failed: OrderedDict[str, datetime] = OrderedDict()

    def key(self, url: str) -> RSAPublicKey:
        """The key of the certificate at a URL. It is fetched once, however many ask."""
        now = self._clock.now()
        held = self._keys.get(url)
        if held is not None and now < held[1]:
            return held[0]
        with self._lock:
            if (known := self._keys.get(url)) is not None and known is not held:
                return known[0]  # somebody has fetched it in the meantime
            failed = self._failed.get(url)
            if failed is not None and now - failed < _AGAIN:
                raise AuthenticationError("the webhook names a certificate that SNS does not have")
            try:
                held = _opened(self._fetch(url), now)
            except OSError as error:
                raise ServiceUnavailableError(
                    "the certificate of SNS cannot be had now", retryable=True
                ) from error
            except (LookupError, ValueError) as error:
                _put(self._failed, url, now)
                raise AuthenticationError(
                    "the webhook names a certificate that SNS does not have"
                ) from error
            _put(self._keys, url, held)
            return held[0]


def _put(held: OrderedDict[str, Any], name: str, value: object) -> None:  # of two kinds
    held[name] = value
    held.move_to_end(name)
    if len(held) > _MOST_KEYS:
        held.popitem(last=False)


def _opened(pem: bytes, now: datetime) -> tuple[RSAPublicKey, datetime]:
    """The key of a certificate, and until when it is good. Raises ValueError where it is not."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509 import load_pem_x509_certificate

    certificate = load_pem_x509_certificate(pem)
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise ValueError("not a key for RSA")
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        raise ValueError("not valid now")
    return key, certificate.not_valid_after_utc


def fetched(url: str) -> bytes:
    """What is at a URL, over verified TLS, without following where it might lead elsewhere."""
    from botocore.awsrequest import AWSRequest
    from botocore.exceptions import HTTPClientError
    from botocore.httpsession import URLLib3Session

    session = URLLib3Session(timeout=_TIMEOUT)
    try:
        answer = session.send(AWSRequest("GET", url).prepare())
    except HTTPClientError as error:
        raise OSError("SNS does not answer") from error
    finally:
        session.close()
    if answer.status_code >= 500 or answer.status_code == 429:
        raise OSError(f"SNS answered {answer.status_code}")
    if answer.status_code != 200 or len(answer.content) > _LARGEST:
        raise LookupError(f"SNS answered {answer.status_code}")
    content: bytes = answer.content
    return content


def _parsed(body: bytes) -> Mapping[str, Any]:
    """The envelope. What is none was not signed by SNS."""
    try:
        said: object = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise AuthenticationError("the webhook is not signed: it is no message of SNS")
    signed = _SIGNED.get(str(said.get("Type")), ())
    needed = {*signed, "SignatureVersion", "Signature", "SigningCertURL"} - {"Subject"}
    if not signed or not all(isinstance(said.get(name), str) for name in needed):
        raise AuthenticationError("the webhook is not signed: it is no message of SNS")
    if not isinstance(said.get("Subject", ""), str | None):
        raise AuthenticationError("the webhook is not signed: it is no message of SNS")
    return said


def _content(said: Mapping[str, Any]) -> str | Json:
    """The content in the form in which it was published. What form that is, is not signed, and no secret."""
    text: str = said["Message"]
    attributes = said.get("MessageAttributes")
    marked = attributes.get(CONTENT_TYPE) if isinstance(attributes, dict) else None
    kind = marked.get("Value") if isinstance(marked, dict) else None
    content = content_of(text, kind if isinstance(kind, str) else None)
    return content if isinstance(content, str | Json) else text


def _canonical(said: Mapping[str, Any]) -> bytes:
    """What SNS has signed: names and values, each on a line."""
    present = [it for it in _SIGNED[said["Type"]] if said.get(it) is not None]
    return "".join(f"{name}\n{said[name]}\n" for name in present).encode()


def _check_signature(key: RSAPublicKey, signature: str, signed: bytes) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        key.verify(b64decode(signature, validate=True), signed, PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        raise AuthenticationError(
            "the webhook is not signed by SNS, or was changed on the way"
        ) from None
