"""What the notification service of the mock can be told."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Self

from pydantic import Field, FilePath, SecretStr, model_validator

from lcplatform_runtime.model import Request

_Address = Annotated[
    str, Field(pattern=r"^[^\x00-\x20\x7f-\xa0\"(),:;<>@]{1,64}@[^\x00-\x20\x7f-\xa0\"(),:;<>@]+$")
]


class SmtpSettings(Request):
    """The server that e-mails are handed to."""

    address: Annotated[str, Field(pattern=r"^([^\s:\[\]]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$")]
    """Its host and port, as in mail.example.com:587."""

    starttls: bool = False
    """Encrypts the connection, and sends nothing if the server cannot."""

    trust: FilePath | None = None
    """A file with the certificates (PEM) that the server's is held against; those that this machine trusts by default."""

    user: str | None = None
    """Who logs in, if anybody does."""

    password: SecretStr | None = None
    """With what. Only over an encrypted connection, or to this machine."""

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if (self.user is None) is not (self.password is None):
            raise ValueError("user and password go together")
        if self.user is not None and not self.starttls and not _here(self.host):
            raise ValueError("a password is not sent in the open: starttls is needed")
        if not 0 < self.port < 2**16:
            raise ValueError("address: a port from 1 to 65535")
        return self

    @property
    def host(self) -> str:
        """Its name or address."""
        return self.address.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """Its port."""
        return int(self.address.rpartition(":")[2])


def _here(host: str) -> bool:
    """Whether it is this machine. A name that only begins like an address may be anybody's."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class NotificationSettings(Request):
    """How the notification service reaches the world. By default it reaches webhooks and queues alone, and what it sends to
    people is read with `control.list_outbox`. `lcplatform_mock.simulators` has addresses, numbers and tokens to which
    delivery fails."""

    smtp: SmtpSettings | None = None
    """Where e-mails are really delivered. They are in the outbox all the same."""

    sender: _Address = "no-reply@example.com"
    """Who e-mails come from that name no sender."""

    senders: tuple[_Address, ...] | None = None
    """Who e-mails may come from besides; anybody by default."""

    webhook_trust: FilePath | None = None
    """A file with the certificates (PEM) that those of webhooks are held against; those that this machine trusts by
    default."""

    webhook_retries: Annotated[int, Field(ge=0, le=100)] = 10
    """How often a webhook is tried again, unless its subscription says otherwise. The waits double from a second to ten
    minutes."""
