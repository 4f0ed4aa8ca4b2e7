"""What the notification service of the mock can be told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

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

    trust: Path | None = None
    """A file with the certificates (PEM) that the server's is held against; those that this machine trusts by default."""

    user: str | None = None
    """Who logs in, if anybody does."""

    password: SecretStr | None = None
    """With what. Only over an encrypted connection, or to this machine."""

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if (self.user is None) is not (self.password is None):
            raise ValueError("user and password go together")
        here = self.address.startswith(("127.", "localhost:", "[::1]:"))
        if self.user is not None and not self.starttls and not here:
            raise ValueError("a password is not sent in the open: starttls is needed")
        return self


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

    webhook_trust: Path | None = None
    """A file with the certificates (PEM) that those of webhooks are held against; those that this machine trusts by
    default."""

    webhook_retries: Annotated[int, Field(ge=0, le=100)] = 10
    """How often a webhook is tried again, unless its subscription says otherwise. The waits double from a second to ten
    minutes."""
