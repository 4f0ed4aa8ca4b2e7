"""Where a server listens, and whether a connection to it may go without encryption."""

from __future__ import annotations

from ipaddress import ip_address


def is_loopback(endpoint: str, /) -> bool:
    """Whether what is sent there never leaves this machine."""
    if endpoint.startswith("unix"):
        return True
    address = endpoint.rpartition("/")[2].removeprefix("ipv4:").removeprefix("ipv6:")
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
