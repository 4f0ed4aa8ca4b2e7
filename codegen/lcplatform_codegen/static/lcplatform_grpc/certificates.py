"""Looks at the files of certificates and keys before gRPC does, which would not say what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext, SSLError
from typing import Final

A_PAIR: Final = "must hold certificates in PEM of which private_key is the key, not encrypted"
CERTIFICATES: Final = "must hold certificates in PEM"


def is_pair(chain: Path, key: Path, /) -> bool:
    """Whether the files hold certificates and the key of the first of them."""
    try:
        # Without a password, one would be asked for at the terminal.
        SSLContext(PROTOCOL_TLS_SERVER).load_cert_chain(chain, key, password="")
    except SSLError:
        return False
    return True


def vouches(certificates: Path, /) -> bool:
    """Whether the file holds certificates that can vouch for others."""
    try:
        SSLContext(PROTOCOL_TLS_SERVER).load_verify_locations(certificates)
    except SSLError:
        return False
    return True
