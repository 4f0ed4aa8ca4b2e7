"""The identities of messages to people: AWS has no register of them, so an identity says itself to whom it was sent, and when.

It is the vendor's own identity, the milliseconds since 1970, and the recipients in base64: as confidential as they are. The
identity of a message to a topic is SNS's own, which its subscribers see as well.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_LONGEST: Final = 2048
_FORM: Final = re.compile(r"([^/\s]+)/(\d{1,14})/([A-Za-z0-9_=-]+)")
_OF_TOPIC: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Sent:
    """A message to people.

    Attributes:
        vendor: its identity at AWS.
        at: when it was accepted.
        recipients: who gets it; those only that an identity has room for.
    """

    vendor: str
    at: datetime
    recipients: tuple[str, ...]

    @classmethod
    def now(cls, vendor: str, recipients: Sequence[str]) -> Self:
        """A message that was accepted now."""
        return cls(vendor, datetime.now(UTC), tuple(recipients))

    @classmethod
    def read(cls, identity: str) -> Self | None:
        """The message of an identity; none where it is not of this form."""
        found = _FORM.fullmatch(identity)
        if found is None:
            return None
        vendor, at, recipients = found.groups()
        try:
            names: object = json.loads(urlsafe_b64decode(recipients))
        except ValueError:
            return None
        if not isinstance(names, list):
            return None
        return cls(vendor, _EPOCH + int(at) * _MILLISECOND, tuple(str(it) for it in names))

    @property
    def identity(self) -> str:
        """The identity that callers know it by."""
        start = f"{self.vendor}/{(self.at - _EPOCH) // _MILLISECOND}/"
        named = list(self.recipients)
        while len(text := _text(named)) + len(start) > _LONGEST:
            named.pop()
        return start + text


def is_of_topic(identity: str) -> bool:
    """Whether an identity is one of a message to a topic."""
    return _OF_TOPIC.fullmatch(identity) is not None


def _text(names: Sequence[str]) -> str:
    written = json.dumps(names, separators=(",", ":"), ensure_ascii=False)
    return urlsafe_b64encode(written.encode()).decode()
