"""A real SMTP server on loopback that refuses whom a test tells it to, and keeps what it took."""

from __future__ import annotations

import ssl
from asyncio.base_events import Server
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from typing_extensions import override


@dataclass(slots=True)
class Taken:
    """An e-mail as it came: for whom, and what."""

    sender: str
    recipients: list[str]
    message: EmailMessage
    raw: bytes
    encrypted: bool


@dataclass(slots=True)
class Mailbox:
    """What came, and how it is answered.

    Attributes:
        address: where it listens.
        taken: the e-mails, in the order in which they came.
        refusals: by recipient, the answers to them in turn; the last from then on.
        data: the answers to whole e-mails in turn; none: taken.
        farewell: the answer to whoever leaves.
        attempts: how often somebody tried to send something.
        logins: who logged in.
    """

    address: str = ""
    taken: list[Taken] = field(default_factory=list)
    refusals: dict[str, list[str]] = field(default_factory=dict)
    data: list[str] = field(default_factory=list)
    farewell: str = "221 Bye"
    attempts: int = 0
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)


class _Handler:
    """The hooks of aiosmtpd."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_MAIL(  # noqa: N802  aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self._mailbox.attempts += 1
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        waiting = self._mailbox.refusals.get(address, [])
        answer = (waiting.pop(0) if len(waiting) > 1 else waiting[0]) if waiting else "250 OK"
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's name
        if self._mailbox.data:
            return self._mailbox.data.pop(0)
        raw = envelope.content
        assert isinstance(raw, bytes)
        message = message_from_bytes(raw, policy=default)
        assert isinstance(message, EmailMessage)
        assert envelope.mail_from is not None
        self._mailbox.taken.append(
            Taken(
                envelope.mail_from, list(envelope.rcpt_tos), message, raw, session.ssl is not None
            )
        )
        return "250 OK"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's name
        return self._mailbox.farewell

    def login(
        self, server: SMTP, session: Session, envelope: Envelope, how: str, who: Any
    ) -> AuthResult:  # what the mechanism brings
        assert isinstance(who, LoginPassword)
        self._mailbox.logins.append((who.login, who.password))
        return AuthResult(success=who.password == b"right", handled=False)


class _Controller(Controller):
    """On a port that is free, which is known once it listens."""

    @override
    def _trigger_server(self) -> None:
        assert isinstance(self.server, Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # it has no types


@contextmanager
def receiving_mail(
    context: ssl.SSLContext | None = None, *, login: bool = False, port: int = 0
) -> Iterator[Mailbox]:
    """A server that listens, and offers to encrypt if there is a context."""
    mailbox = Mailbox()
    handler = _Handler(mailbox)
    controller = _Controller(
        handler,
        hostname="127.0.0.1",
        port=port,
        tls_context=context,
        require_starttls=context is not None,
        authenticator=handler.login,
        auth_required=login,
        auth_require_tls=context is not None,
        enable_SMTPUTF8=True,
    )
    controller.start()
    try:
        mailbox.address = f"127.0.0.1:{controller.port}"
        yield mailbox
    finally:
        controller.stop()
