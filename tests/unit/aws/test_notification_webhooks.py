"""What a webhook is sent is believed only if SNS has signed it for a topic of ours, with a certificate from its own host."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from typing_extensions import override

from lcplatform import Json, LCPlatform
from lcplatform.notification.models import WebhookKind, WebhookMessage
from lcplatform_aws.notification_topics import Topics
from lcplatform_aws.notification_webhooks import Webhooks
from lcplatform_runtime.errors import AuthenticationError, ServiceUnavailableError
from tests.unit.aws.query import HOME

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
KEY = generate_private_key(65537, 2048)


def certificate(
    key: RSAPrivateKey = KEY, *, since: datetime = NOW - timedelta(days=1), days: int = 30
) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(since)
        .not_valid_after(since + timedelta(days=days))
        .sign(key, SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def signed(key: RSAPrivateKey = KEY, **changes: Any) -> bytes:
    """A request as SNS sends it. A change to None leaves a field out."""
    said: dict[str, Any] = {
        "Type": "Notification",
        "MessageId": "0f7ad2b1-0000-4000-8000-000000000003",
        "TopicArn": f"{HOME}news",
        "Subject": "Hi",
        "Message": "a naïve café ☕",
        "Timestamp": "2030-01-01T11:59:30.123Z",
        "SignatureVersion": "2",
        "SigningCertURL": URL,
        "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
        **changes,
    }
    said = {name: value for name, value in said.items() if value is not None}
    names = (
        ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
        if said["Type"] == "Notification"
        else ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    )
    text = "".join(f"{name}\n{said[name]}\n" for name in names if name in said)
    digest = SHA256() if said["SignatureVersion"] == "2" else SHA1()
    signature = key.sign(text.encode(), PKCS1v15(), digest)
    return json.dumps({**said, "Signature": b64encode(signature).decode()}).encode()


class _OurTopics(Topics):
    def __init__(self) -> None:
        """No session is needed to know whose topics they are."""

    @property
    @override
    def home(self) -> str:
        return HOME


class _Clock:
    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


class Host:
    """The host of SNS, as far as certificates are concerned."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Callable[[], bytes] = certificate

    def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        return self.answer()


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def webhooks(host: Host, clock: _Clock) -> Webhooks:
    return Webhooks(_OurTopics(), host, clock)  # type: ignore[arg-type]  # it is only asked for the time


def test_a_message_is_read(webhooks: Webhooks) -> None:
    assert webhooks.read(signed()) == WebhookMessage(
        kind=WebhookKind.MESSAGE,
        topic="news",
        message_id="0f7ad2b1-0000-4000-8000-000000000003",
        published_at=datetime(2030, 1, 1, 11, 59, 30, 123000, tzinfo=UTC),
        body="a naïve café ☕",
        subject="Hi",
    )


def test_a_request_for_confirmation_is_read_and_its_token_not_shown(webhooks: Webhooks) -> None:
    message = webhooks.read(
        signed(
            Type="SubscriptionConfirmation", Token="t0ken", SubscribeURL="https://x", Subject=None
        )
    )
    assert (message.kind, message.token, message.body) == (WebhookKind.CONFIRMATION, "t0ken", None)
    assert "t0ken" not in repr(message)


def test_the_word_of_an_ended_subscription_is_of_an_unknown_kind(webhooks: Webhooks) -> None:
    said = signed(Type="UnsubscribeConfirmation", Token="t", SubscribeURL="https://x", Subject=None)
    assert webhooks.read(said).kind is WebhookKind.UNKNOWN


def test_a_json_value_is_one_and_attributes_are_not_believed(webhooks: Webhooks) -> None:
    """SNS does not sign attributes: whoever has one message could send it again with others."""
    attributes = {
        "lcplatform.content-type": {"Type": "String", "Value": "application/json"},
        "tenant": {"Type": "String", "Value": "another"},
    }
    message = webhooks.read(signed(Message='{"order": 1}', MessageAttributes=attributes))
    assert message.body == Json({"order": 1})
    assert message.attributes == {}


@pytest.mark.parametrize(
    "field", ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type", "Signature"]
)
def test_what_was_changed_on_the_way_is_refused(webhooks: Webhooks, field: str) -> None:
    said = json.loads(signed())
    changed = {
        "Timestamp": "2030-01-01T11:59:31.123Z",
        "TopicArn": f"{HOME}other",
        "Type": "SubscriptionConfirmation",
        "Signature": b64encode(b"x" * 256).decode(),
    }
    body = json.dumps({**said, field: changed.get(field, "changed")}).encode()
    with pytest.raises(AuthenticationError):
        webhooks.read(body)


@pytest.mark.parametrize("field", ["Subject", "Message", "Signature", "SigningCertURL", "Type"])
def test_what_something_was_left_out_of_is_refused(webhooks: Webhooks, field: str) -> None:
    said = json.loads(signed())
    del said[field]
    with pytest.raises(AuthenticationError):
        webhooks.read(json.dumps(said).encode())


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-01.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-01.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/SimpleNotificationService-01.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-01.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-01.pem",
        "https://sns.eu-west-1xamazonaws.com/SimpleNotificationService-01.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-01.pem",
        "https://bucket.s3.amazonaws.com/SimpleNotificationService-01.pem",
        "https://sns.eu-west-1.amazonaws.com/other/SimpleNotificationService-01.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-01.pem?x=/../",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-01.pem\n",
        "file:///etc/passwd",
        "",
    ],
)
def test_a_certificate_is_fetched_from_sns_alone(webhooks: Webhooks, host: Host, url: str) -> None:
    with pytest.raises(AuthenticationError):
        webhooks.read(signed(SigningCertURL=url))
    assert host.asked == []


@pytest.mark.parametrize(
    "topic",
    [
        "arn:aws:sns:eu-west-1:999999999999:news",
        "arn:aws:sns:us-east-1:123456789012:news",
        "arn:aws-cn:sns:eu-west-1:123456789012:news",
    ],
)
def test_a_topic_of_somebody_else_is_refused(webhooks: Webhooks, host: Host, topic: str) -> None:
    """SNS signs for everybody."""
    with pytest.raises(AuthenticationError, match="not one of this account"):
        webhooks.read(signed(TopicArn=topic))
    assert host.asked == []


def test_a_signature_of_sha_1_is_not_believed(webhooks: Webhooks) -> None:
    with pytest.raises(AuthenticationError, match="SignatureVersion"):
        webhooks.read(signed(SignatureVersion="1"))


@pytest.mark.parametrize(
    ("timestamp", "good"),
    [
        # SNS tries for an hour, and signs once.
        ("2030-01-01T11:00:00.000Z", True),
        ("2030-01-01T10:54:59.000Z", False),
        ("2030-01-01T13:05:01.000Z", False),
        ("yesterday", False),
    ],
)
def test_a_request_that_is_too_old_is_taken_for_a_replay(
    webhooks: Webhooks, timestamp: str, good: bool
) -> None:
    body = signed(Timestamp=timestamp)
    if good:
        assert webhooks.read(body).topic == "news"
    else:
        with pytest.raises(AuthenticationError):
            webhooks.read(body)


def test_a_key_of_somebody_else_does_not_fit(webhooks: Webhooks) -> None:
    with pytest.raises(AuthenticationError, match="not signed by SNS"):
        webhooks.read(signed(generate_private_key(65537, 2048)))


@pytest.mark.parametrize(
    "pem",
    [
        b"no certificate",
        certificate(since=NOW - timedelta(days=60)),
        certificate(since=NOW + timedelta(days=1)),
    ],
)
def test_a_certificate_that_is_none_or_out_of_date_is_refused(
    webhooks: Webhooks, host: Host, pem: bytes
) -> None:
    host.answer = lambda: pem
    with pytest.raises(AuthenticationError):
        webhooks.read(signed())


def test_a_certificate_is_fetched_once_until_it_expires(
    webhooks: Webhooks, host: Host, clock: _Clock
) -> None:
    for _ in range(3):
        webhooks.read(signed())
    assert len(host.asked) == 1
    clock.time = NOW + timedelta(days=30)
    host.answer = lambda: certificate(since=NOW + timedelta(days=20))
    webhooks.read(signed(Timestamp="2030-01-31T12:00:00.000Z"))
    assert len(host.asked) == 2


def test_a_certificate_that_sns_does_not_have_is_not_asked_for_each_time(
    webhooks: Webhooks, host: Host, clock: _Clock
) -> None:
    def missing() -> bytes:
        raise LookupError("404")

    host.answer = missing
    for _ in range(3):
        with pytest.raises(AuthenticationError):
            webhooks.read(signed())
    assert len(host.asked) == 1
    clock.time += timedelta(seconds=31)
    host.answer = certificate
    assert webhooks.read(signed()).topic == "news"


def test_a_host_that_does_not_answer_is_no_forgery(webhooks: Webhooks, host: Host) -> None:
    def away() -> bytes:
        raise OSError("no answer")

    host.answer = away
    with pytest.raises(ServiceUnavailableError) as caught:
        webhooks.read(signed())
    assert caught.value.retryable
    host.answer = certificate
    assert webhooks.read(signed()).topic == "news"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"{}", b"\xff", b"[" * 100_000, b'{"Type": 1}']
)
def test_what_is_no_message_of_sns_is_refused(webhooks: Webhooks, body: bytes) -> None:
    with pytest.raises(AuthenticationError):
        webhooks.read(body)


def test_the_operation_believes_nothing_that_is_not_signed(platform: LCPlatform) -> None:
    with pytest.raises(AuthenticationError):
        platform.notification.verify_webhook({"x-amz-sns-message-type": "Notification"}, b"{}")
