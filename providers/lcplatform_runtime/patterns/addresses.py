"""IP addresses, as patterns read them."""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import IPv6Address
from socket import AF_INET, inet_pton
from typing import Final

V4_BITS: Final = 32
V6_BITS: Final = 128
_V4_MARK: Final = 1 << V6_BITS
"""Keeps the numbers of version 4 apart from those of version 6."""

_V4: Final = re.compile(r"[0-9]{1,10}\.[0-9]{1,10}\.[0-9]{1,10}\.[0-9]{1,10}")
_V6: Final = re.compile(r"[0-9a-fA-F:]{2,45}")


def address_of(text: str) -> int | None:
    """The number of the address that a text is, if it is one: no two addresses have the same, and those of a network have
    their first bits in common.

    The parts of version 4 are decimal, with or without leading zeros. Version 6 has no zone, and no dots.
    """
    if text[:1].isdigit():
        try:
            return _V4_MARK | int.from_bytes(inet_pton(AF_INET, text))
        except (OSError, ValueError):
            pass
    if _V4.fullmatch(text):
        number = 0
        for part in text.split("."):
            octet = int(part)
            if octet > 255:
                return None
            number = number << 8 | octet
        return _V4_MARK | number
    if _V6.fullmatch(text) and ":" in text:
        with suppress(ValueError):
            return int(IPv6Address(text))
    return None


def width_of(address: int) -> int:
    """How many bits addresses of the same version have."""
    return V4_BITS if address & _V4_MARK else V6_BITS
