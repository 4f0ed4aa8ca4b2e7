"""Believes a webhook only if it was signed: Standard Webhooks (https://www.standardwebhooks.com), for receivers that check
by themselves.

A receiver that has a platform calls `platform.notification.verify_webhook`, which knows how its provider signs.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import b64decode
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from lcplatform_runtime.clock import SYSTEM, Clock
from lcplatform_runtime.errors import AuthenticationError, FieldViolation, ValidationError
from lcplatform_runtime.json_value import Json

TOLERANCE: Final = timedelta(minutes=5)
"""How far the time of a request may be from now: what is older may be a replay."""

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"

_SECRET: Final = "whsec_"  # noqa: S105  what a key begins with
_PUBLIC: Final = "whpk_"
_SYMMETRIC: Final = "v1"
_ASYMMETRIC: Final = "v1a"


def verify_webhook(
    headers: Mapping[str, str],
    body: bytes,
    keys: str | Iterable[str],
    *,
    tolerance: timedelta = TOLERANCE,
    clock: Clock = SYSTEM,
) -> Json:
    """What a request to a webhook says, if it was signed with one of the keys, and lately.

        message = verify_webhook(request.headers, request.body, subscription.public_key).value

    Args:
        headers: The headers of the request, their names in any case.
        body: The body, byte for byte as it came.
        keys: The keys that are good: public ones for Ed25519 (`whpk_` and base64), or shared secrets for HMAC-SHA256
            (`whsec_` and base64). While keys change, the old and the new.
        tolerance: How far the time of the request may be from now, in either direction.
        clock: Tells the time.

    Raises:
        AuthenticationError: it is not signed with any of them, or not lately, or was changed on the way.
        ValidationError: a key is none, or what was signed is not JSON.
    """
    given = {name.lower(): value for name, value in headers.items()}
    signed = _signed(given, body)
    _check_time(given[TIMESTAMP], tolerance, clock)
    signatures = [it.partition(",") for it in given[SIGNATURE].split()]
    for key in [keys] if isinstance(keys, str) else keys:
        version, secret = _opened(key)
        fits = _fits_secret if version == _SYMMETRIC else _fits_public
        # Each is looked at, so that how long it takes tells nothing.
        found = [
            fits(secret, signed, _decoded(text)) for kind, _, text in signatures if kind == version
        ]
        if any(found):
            return Json.from_text(body.decode(errors="replace"))
    raise AuthenticationError("the webhook is not signed with any key that is good")


def signed_content(identity: str, timestamp: str, body: bytes) -> bytes:
    """What a signature is about: the identity, the time and the body, so that none of them can be exchanged."""
    return b".".join((identity.encode(), timestamp.encode(), body))


def _signed(headers: Mapping[str, str], body: bytes) -> bytes:
    missing = [it for it in (ID, TIMESTAMP, SIGNATURE) if not headers.get(it)]
    if missing:
        raise AuthenticationError(f"the webhook is not signed: it has no {', '.join(missing)}")
    return signed_content(headers[ID], headers[TIMESTAMP], body)


def _check_time(timestamp: str, tolerance: timedelta, clock: Clock) -> None:
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) < 16):
        raise AuthenticationError("the webhook tells no time")
    age = clock.now().timestamp() - int(timestamp)
    if abs(age) > tolerance.total_seconds():
        raise AuthenticationError(
            f"the webhook was signed {abs(age):.0f} s {'ago' if age > 0 else 'ahead of now'}:"
            f" more than {tolerance.total_seconds():.0f} s is taken for a replay"
        )


def _opened(key: str) -> tuple[str, bytes]:
    """The version of the signatures that a key is for, and its bytes."""
    for prefix, version in ((_SECRET, _SYMMETRIC), (_PUBLIC, _ASYMMETRIC)):
        if key.startswith(prefix):
            secret = _decoded(key.removeprefix(prefix))
            if len(secret) == 32 or (version == _SYMMETRIC and 24 <= len(secret) <= 64):
                return version, secret
    expected = "a key as Standard Webhooks writes it: whpk_ or whsec_ and base64"
    raise ValidationError(f"keys: {expected}", violations=[FieldViolation("keys", expected)])


def _decoded(text: str) -> bytes:
    """The bytes of base64; none where it is not."""
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _fits_secret(secret: bytes, signed: bytes, signature: bytes) -> bool:
    return hmac.compare_digest(hmac.digest(secret, signed, hashlib.sha256), signature)


def _fits_public(key: bytes, signed: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except InvalidSignature:
        return False
    return True
