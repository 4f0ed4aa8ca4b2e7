"""The options of the provider `grpc`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final

import grpc
from pydantic import Field, SecretStr

from lcplatform_grpc.certificates import A_PAIR, CERTIFICATES, is_pair, vouches
from lcplatform_grpc.endpoint import is_loopback
from lcplatform_runtime.errors import FieldViolation, ValidationError
from lcplatform_runtime.model import Model

MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
"""The largest message that a client and a server take unless they are told otherwise. Bodies come in smaller ones."""


WELL_FORMED: Final = "must be a token of letters, digits and -._~+/ (RFC 6750)"
"""What a token is."""
_TOKENS: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def is_token(text: str, /) -> bool:
    """Whether a text can be shown as a token."""
    return _TOKENS.fullmatch(text) is not None


class GrpcOptions(Model):
    """How to reach a server.

    A connection is encrypted, unless it stays on this machine or `insecure` allows it to go without.
    """

    endpoint: Annotated[str, Field(min_length=1)]
    """The server's address, such as `platform.example:443` or `127.0.0.1:50051`."""

    insecure: bool = False
    """Allows an unencrypted connection to another machine."""

    root_certificates: Path | None = None
    """The file with the certificates that vouch for the server, in PEM; those that gRPC knows where absent."""

    private_key: Path | None = None
    """The file with the key by which the server knows the client, in PEM."""

    certificate_chain: Path | None = None
    """The file with the certificates of that key, in PEM."""

    max_message_bytes: Annotated[int, Field(ge=512 * 1024, le=2**31 - 1)] = MAX_MESSAGE_BYTES
    """The largest message to send or to take."""

    token: SecretStr | None = None
    """What the server asks of every call. It is sent on encrypted connections, and on those that stay on this machine."""

    @property
    def encrypted(self) -> bool:
        """Whether the connection is encrypted."""
        return self._given or not (self.insecure or is_loopback(self.endpoint))

    @property
    def _given(self) -> bool:
        return any((self.root_certificates, self.private_key, self.certificate_chain))

    def check(self) -> None:
        """Refuses options that contradict each other. Raises ValidationError, which names one of them."""
        if self.insecure and self._given:
            raise _refused("insecure", "must not be given together with certificates")
        if (self.private_key is None) != (self.certificate_chain is None):
            raise _refused("private_key", "must be given together with certificate_chain")

        token = self.token
        if token is not None and not is_token(token.get_secret_value()):
            raise _refused("token", WELL_FORMED)
        if token is not None and not (self.encrypted or is_loopback(self.endpoint)):
            raise _refused(
                "token", "must not be sent to another machine on an unencrypted connection"
            )

    def channel(self) -> list[tuple[str, int]]:
        """What gRPC is told of its connection."""
        return [
            ("grpc.max_receive_message_length", self.max_message_bytes),
            ("grpc.max_send_message_length", self.max_message_bytes),
            # A server that was away is found again as soon as our own retries ask for it.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 5_000),
            # A connection that died without a word is noticed while a call waits on it.
            ("grpc.keepalive_time_ms", 60_000),
            ("grpc.keepalive_timeout_ms", 20_000),
        ]

    def credentials(self) -> grpc.ChannelCredentials:
        """The certificates, read from their files. Raises ValidationError where they are of no use."""
        roots, key, chain = self.root_certificates, self.private_key, self.certificate_chain
        credentials = grpc.ssl_channel_credentials(
            root_certificates=_content("root_certificates", roots),
            private_key=_content("private_key", key),
            certificate_chain=_content("certificate_chain", chain),
        )
        if roots is not None and not vouches(roots):
            raise _refused("root_certificates", CERTIFICATES)
        if key is not None and chain is not None and not is_pair(chain, key):
            raise _refused("certificate_chain", A_PAIR)
        return credentials


def _content(option: str, path: Path | None) -> bytes | None:
    try:
        return None if path is None else path.read_bytes()
    except OSError as error:
        problem = _refused(option, f"must be a file that can be read ({error.strerror})")
    raise problem


def _refused(option: str, expected: str) -> ValidationError:
    return ValidationError(
        f"option {option} {expected}", violations=(FieldViolation(option, expected),)
    )
