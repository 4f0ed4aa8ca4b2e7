"""Presigned URLs: what they say, and how it is known that nobody changed it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from os import urandom
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Permit:
    """What the holder of a URL may do until it expires.

    Attributes:
        content_type: the media type that must be sent, where one was agreed on.
    """

    method: str
    bucket: str
    key: str
    expires_at: datetime
    content_type: str | None = None

    @property
    def _fields(self) -> dict[str, str]:
        fields = {"expires": str((self.expires_at - _EPOCH) // _MICROSECOND)}
        if self.content_type is not None:
            fields["content-type"] = self.content_type
        return fields

    @property
    def _signed(self) -> bytes:
        parts = [self.method, self.bucket, self.key, *map("=".join, self._fields.items())]
        # Each with its length, so that no two permits are the same text.
        return "".join(f"{len(part)}:{part}" for part in parts).encode()


class Signer:
    """Makes targets of HTTP requests out of permits, and permits out of targets that it made."""

    def __init__(self, key: bytes | None = None) -> None:
        """`key` is that of an earlier one, whose targets shall still be known."""
        self.key = key or urandom(32)

    def target(self, permit: Permit) -> str:
        """The path and query that carry a permit."""
        fields = {**permit._fields, "signature": self._signature(permit)}
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items())
        return f"/{permit.bucket}/{quote(permit.key)}?{query}"

    def permit(self, method: str, target: str, now: datetime) -> Permit | None:
        """The permit that a request shows, if it is genuine, for this method, and has not expired."""
        path, query = urlsplit(target)[2:4]
        _, _, rest = path.partition("/")
        bucket, _, key = rest.partition("/")
        pairs = parse_qsl(query, keep_blank_values=True)
        fields = dict(pairs)
        signature = fields.pop("signature", "")
        try:
            expires_at = _EPOCH + int(fields["expires"]) * _MICROSECOND
        except (KeyError, ValueError, OverflowError):
            return None
        permit = Permit(method, bucket, unquote(key), expires_at, fields.get("content-type"))
        genuine = fields == permit._fields and len(pairs) == len(fields) + 1
        if not genuine or not hmac.compare_digest(
            signature.encode(), self._signature(permit).encode()
        ):
            return None
        return permit if now < expires_at else None

    def _signature(self, permit: Permit) -> str:
        return hmac.digest(self.key, permit._signed, "sha256").hex()
