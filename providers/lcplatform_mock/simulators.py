"""Recipients who are nobody: whatever is sent to them meets a fate that a test can rely on.

E-mail to these addresses of `simulator.test`, a domain that nobody can have (RFC 6761), never leaves the mock. A label may
follow a plus, as in bounce+7@simulator.test:

    success     is delivered, as any other where no SMTP server is configured
    deferred    is not taken at first, and delivered when it is tried again
    bounce      fails: there is no such mailbox
    suppressed  fails: nothing is sent to this address any more
    complaint   is delivered, and its recipient complains

Text messages to these numbers, which are set aside for fiction:

    +12025550101    fails: the telephone cannot be reached
    +12025550102    is refused: the number wants no messages
    +12025550103    is not taken at first, and delivered when it is tried again

Pushes to devices with these tokens:

    simulator-unregistered  fails, and the device is disabled: the next one is refused
    simulator-deferred      is not taken at first, and delivered when it is tried again
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lcplatform.notification.models import DeliveryStatus


@dataclass(frozen=True, slots=True)
class Fate:
    """What comes of a message. One that is being tried again arrives the next time."""

    status: DeliveryStatus
    reason: str | None = None


ARRIVES: Final = Fate(DeliveryStatus.DELIVERED)

DOMAIN: Final = "simulator.test"
OPTED_OUT: Final = "+12025550102"
UNREGISTERED: Final = "simulator-unregistered"

_MAILBOXES: Final[Mapping[str, Fate]] = {
    "success": ARRIVES,
    "deferred": Fate(DeliveryStatus.RETRYING, "451 4.3.0 the mailbox is busy"),
    "bounce": Fate(DeliveryStatus.FAILED, "550 5.1.1 there is no such mailbox"),
    "suppressed": Fate(DeliveryStatus.FAILED, "nothing is sent to this address any more"),
    "complaint": Fate(DeliveryStatus.DELIVERED, "the recipient complained"),
}
_NUMBERS: Final[Mapping[str, Fate]] = {
    "+12025550101": Fate(DeliveryStatus.FAILED, "the telephone cannot be reached"),
    OPTED_OUT: Fate(DeliveryStatus.FAILED, "the number wants no messages"),
    "+12025550103": Fate(DeliveryStatus.RETRYING, "the carrier is busy"),
}
_TOKENS: Final[Mapping[str, Fate]] = {
    UNREGISTERED: Fate(DeliveryStatus.FAILED, "the token of the device is no longer good"),
    "simulator-deferred": Fate(DeliveryStatus.RETRYING, "the push service is busy"),
}


def of_address(address: str) -> Fate | None:
    """What comes of an e-mail to a simulated mailbox; nothing for any other."""
    mailbox, _, domain = address.partition("@")
    if domain.lower() != DOMAIN:
        return None
    return _MAILBOXES.get(mailbox.partition("+")[0].lower(), ARRIVES)


def of_number(number: str) -> Fate:
    """What comes of a text message."""
    return _NUMBERS.get(number, ARRIVES)


def of_token(token: str) -> Fate:
    """What comes of a push."""
    return _TOKENS.get(token, ARRIVES)
