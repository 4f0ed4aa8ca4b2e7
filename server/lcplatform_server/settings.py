"""How a server runs, and what it refuses to do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import grpc
from pydantic import Field, SecretStr

from lcplatform_grpc.certificates import A_PAIR, CERTIFICATES, is_pair, vouches
from lcplatform_grpc.endpoint import is_loopback
from lcplatform_grpc.options import MAX_MESSAGE_BYTES, WELL_FORMED, is_token
from lcplatform_runtime.errors import FieldViolation, ValidationError
from lcplatform_runtime.model import Model

_LAST_PORT: Final = 65_535  # gRPC takes a larger one for another


class ServerSettings(Model):
    """Where a server listens, with how many threads, and how its connections are protected."""

    listen: Annotated[str, Field(pattern=r"^.+:[0-9]{1,5}$|^unix:.")] = "127.0.0.1:50051"
    """The address, such as `127.0.0.1:50051`; port 0 takes a free one."""

    control: bool = False
    """Offers control over a mock's clock and faults. On loopback addresses only."""

    threads: Annotated[int, Field(ge=1, le=4096)] = 64
    """How many ordinary calls run at a time. More wait."""

    long_poll_threads: Annotated[int, Field(ge=1, le=4096)] = 128
    """How many calls that wait for messages run at a time."""

    stream_threads: Annotated[int, Field(ge=1, le=4096)] = 64
    """How many bodies are on their way at a time."""

    answer_threads: Annotated[int, Field(ge=1, le=4096)] = 256
    """How many streams of answers, such as watches, are open at a time. More wait."""

    max_message_bytes: Annotated[int, Field(ge=512 * 1024, le=2**31 - 1)] = MAX_MESSAGE_BYTES
    """The largest message to take or to send. Bodies come in smaller ones."""

    grace: Annotated[float, Field(ge=0)] = 10.0
    """For how many seconds calls that are under way may go on when the server stops."""

    certificate_chain: Path | None = None
    """The file with the server's certificates, in PEM. Without it connections are not encrypted."""

    private_key: Path | None = None
    """The file with the key of the certificates, in PEM."""

    client_certificates: Path | None = None
    """The file with the certificates that vouch for clients, in PEM. With it, clients must have one."""

    token: SecretStr | None = None
    """What every call must show: `authorization: Bearer` and this token. Without it, whoever reaches the server may call."""

    def check(self) -> None:
        """Refuses what would be unsafe. Raises ValidationError, which names the setting."""
        if (self.private_key is None) != (self.certificate_chain is None):
            raise _refused("private_key", "must be given together with certificate_chain")
        if self.client_certificates is not None and not self.encrypted:
            raise _refused("client_certificates", "needs certificate_chain and private_key")
        if self.token is not None and not is_token(self.token.get_secret_value()):
            raise _refused("token", WELL_FORMED)
        port = self.listen.rpartition(":")[2]
        if not self.listen.startswith("unix:") and int(port) > _LAST_PORT:
            raise _refused("listen", f"must have a port of at most {_LAST_PORT}")
        if is_loopback(self.listen):
            return
        if not self.encrypted:
            raise _refused(
                "listen",
                "must be a loopback address, such as 127.0.0.1:50051, unless certificate_chain and private_key are given:"
                " connections from other machines are always encrypted",
            )
        if self.control:
            raise _refused(
                "control", "is offered on a loopback address only, such as 127.0.0.1:50051"
            )

    @property
    def encrypted(self) -> bool:
        """Whether connections are encrypted."""
        return self.certificate_chain is not None

    def credentials(self) -> grpc.ServerCredentials:
        """The certificates, read from their files. Raises ValidationError where they are of no use: gRPC would not say why."""
        assert self.private_key is not None
        assert self.certificate_chain is not None
        clients = self.client_certificates
        key = _content("private_key", self.private_key)
        chain = _content("certificate_chain", self.certificate_chain)
        vouching = None if clients is None else _content("client_certificates", clients)
        if not is_pair(self.certificate_chain, self.private_key):
            raise _refused("certificate_chain", A_PAIR)
        if clients is not None and not vouches(clients):
            raise _refused("client_certificates", CERTIFICATES)
        return grpc.ssl_server_credentials(
            [(key, chain)], root_certificates=vouching, require_client_auth=clients is not None
        )


def _content(setting: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        problem = _refused(setting, f"must be a file that can be read ({error.strerror})")
    raise problem


def _refused(setting: str, expected: str) -> ValidationError:
    return ValidationError(f"{setting} {expected}", violations=(FieldViolation(setting, expected),))
