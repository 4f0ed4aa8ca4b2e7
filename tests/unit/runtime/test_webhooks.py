"""Whether a webhook is believed, by the published vectors of Standard Webhooks and by what an attacker would try."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import lcplatform
from lcplatform import Json
from lcplatform.errors import AuthenticationError, ValidationError
from lcplatform_runtime.testing.clock import ManualClock
from lcplatform_runtime.webhooks import verify_webhook

# The example in the documentation of Standard Webhooks.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SIGNED = datetime.fromtimestamp(1614265330, UTC)
BODY = b'{"test": 2432232314}'
HEADERS = {
    "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "Webhook-Timestamp": "1614265330",
    "Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def verify(
    headers: Mapping[str, str] = HEADERS,
    body: bytes = BODY,
    keys: str | list[str] = SECRET,
    *,
    ago: float = 0,
) -> Json:
    clock = ManualClock(SIGNED + timedelta(seconds=ago))
    return verify_webhook(headers, body, keys, clock=clock)


def test_the_published_example_is_believed() -> None:
    assert verify() == Json({"test": 2432232314})
    assert lcplatform.verify_webhook is verify_webhook


@pytest.mark.parametrize(
    "forged",
    [
        lambda: verify(body=BODY + b" "),
        lambda: verify({**HEADERS, "Webhook-Id": "msg_other"}),
        lambda: verify({**HEADERS, "Webhook-Timestamp": "1614265331"}),
        lambda: verify({**HEADERS, "Webhook-Signature": "v1,"}),
        lambda: verify({**HEADERS, "Webhook-Signature": "v1,%%%"}),
        lambda: verify({**HEADERS, "Webhook-Signature": "v1,AAAA"}),
        lambda: verify({**HEADERS, "Webhook-Signature": HEADERS["Webhook-Signature"][3:]}),
        lambda: verify({**HEADERS, "Webhook-Signature": f"v2{HEADERS['Webhook-Signature'][2:]}"}),
        lambda: verify({**HEADERS, "Webhook-Timestamp": "yesterday"}),
        lambda: verify({**HEADERS, "Webhook-Timestamp": "1" * 400}),
        lambda: verify({**HEADERS, "Webhook-Timestamp": "-1614265330"}),
        lambda: verify(keys=f"whsec_{base64.b64encode(bytes(32)).decode()}"),
        lambda: verify(keys=[]),
        lambda: verify({}),
        *(
            lambda name=name: verify({k: v for k, v in HEADERS.items() if k != name})
            for name in HEADERS
        ),
    ],
)
def test_what_is_not_signed_is_not_believed(forged: Callable[[], object]) -> None:
    with pytest.raises(AuthenticationError):
        forged()


@pytest.mark.parametrize("ago", [-300, -1, 0, 300])
def test_what_was_signed_lately_is_believed(ago: float) -> None:
    verify(ago=ago)


@pytest.mark.parametrize("ago", [-301, 301, 86400])
def test_what_was_signed_long_ago_is_a_replay(ago: float) -> None:
    with pytest.raises(AuthenticationError, match="replay"):
        verify(ago=ago)


def test_while_keys_change_both_are_good_and_any_signature_will_do() -> None:
    old = f"whsec_{base64.b64encode(bytes(32)).decode()}"
    several = f"v1,AAAA v1a,AAAA {HEADERS['Webhook-Signature']}"
    verify({**HEADERS, "Webhook-Signature": several}, keys=[old, SECRET])


def test_a_public_key_does_not_pass_for_a_secret() -> None:
    """Whoever has only the public key cannot sign, by either kind of signature."""
    key = Ed25519PrivateKey.generate()
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    content = b"id.1614265330." + BODY
    signature = base64.b64encode(key.sign(content)).decode()
    headers = {"webhook-id": "id", "webhook-timestamp": "1614265330"}
    verify({**headers, "webhook-signature": f"v1a,{signature}"}, keys=f"whpk_{public}")
    for wrong in (
        f"v1,{signature}",
        f"v1a,{public}",
        f"v1a,{base64.b64encode(bytes(64)).decode()}",
    ):
        with pytest.raises(AuthenticationError):
            verify({**headers, "webhook-signature": wrong}, keys=f"whpk_{public}")


@pytest.mark.parametrize("key", ["", "canary", "whpk_AAAA", "whsec_", "whpk_%", "whsk_AAAA"])
def test_what_is_no_key_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ValidationError) as caught:
        verify(keys=key)
    assert "canary" not in str(caught.value)
    assert "AAAA" not in str(caught.value)
