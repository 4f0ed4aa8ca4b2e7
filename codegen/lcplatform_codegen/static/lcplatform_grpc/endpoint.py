"""Where a server listens, and whether a connection to it may go without encryption."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final

_RESOLVED: Final = re.compile(r"dns:(///)?|ipv4:|ipv6:")
"""What gRPC lets one write before an address that it resolves itself. Anything else may lead anywhere."""


def is_loopback(endpoint: str, /) -> bool:
    """Whether what is sent there never leaves this machine."""
    if endpoint.startswith(("unix:", "unix-abstract:")):
        return True
    scheme = _RESOLVED.match(endpoint)
    address = endpoint if scheme is None else endpoint[scheme.end() :]
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
