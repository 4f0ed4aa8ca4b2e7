"""E-mails: made as RFC 5322 and MIME have them, and handed to an SMTP server (RFC 5321)."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

from pydantic import ConfigDict

from lcplatform_mock.retrying import Failure
from lcplatform_runtime.errors import invalid

if TYPE_CHECKING:
    from lcplatform_mock.notification_settings import SmtpSettings

_PART: Final = 2048
"""The longest headers of a file."""

_TIMEOUT: Final = 10.0
"""Seconds of real time for each answer of the server."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that comes with an e-mail."""

    __pydantic_config__ = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    filename: str
    content_type: str
    data: bytes = field(repr=False)
    content_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """An e-mail before it is written."""

    identity: str
    at: datetime
    sender: str
    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    subject: str = field(repr=False)
    text: str | None = field(default=None, repr=False)
    html: str | None = field(default=None, repr=False)
    files: tuple[File, ...] = field(default=(), repr=False)

    @property
    def recipients(self) -> tuple[str, ...]:
        """Everybody who gets it, each once."""
        return tuple(dict.fromkeys((*self.to, *self.cc, *self.bcc)))

    @property
    def size(self) -> int:
        """Its bytes when it is written, at the most. Files are not written for that: they are large."""
        plain = replace(self, files=()).written().as_bytes()
        return len(plain) + sum(_PART + 78 * -(-len(it.data) // 57) for it in self.files)

    def written(self) -> EmailMessage:
        """The message. Who gets a copy unseen is not in it."""
        message = EmailMessage(SMTP)
        message["From"] = _address(self.sender)
        message["To"] = [_address(it) for it in self.to]
        if self.cc:
            message["Cc"] = [_address(it) for it in self.cc]
        if self.reply_to:
            message["Reply-To"] = [_address(it) for it in self.reply_to]
        # No line may end in a header, whatever Unicode takes for an end of a line.
        message["Subject"] = " ".join(self.subject.splitlines())
        message["Date"] = format_datetime(self.at)
        message["Message-ID"] = f"<{self.identity}@{self.sender.partition('@')[2]}>"
        self._fill(message)
        return message

    def _fill(self, message: EmailMessage) -> None:
        if self.text is not None:
            message.set_content(self.text)
        if self.html is not None and self.text is not None:
            message.add_alternative(self.html, subtype="html")
        elif self.html is not None:
            message.set_content(self.html, subtype="html")
        page = message.get_body(("html",)) or message
        for file in self.files:
            if file.content_id is not None and self.html is not None:
                _embed(page, file)
        for file in self.files:
            if file.content_id is None or self.html is None:
                _attach(message, file)


def check_files(content_types: Sequence[str]) -> None:
    """Refuses files that are no files."""
    if any(it.lower().startswith(("message/", "multipart/")) for it in content_types):
        raise invalid("attachments", "none of a composite type, which is no file (RFC 2046)")


def _address(text: str) -> Address:
    user, _, domain = text.partition("@")
    return Address(username=user, domain=domain)


def _embed(page: MIMEPart, file: File) -> None:
    main, _, sub = file.content_type.partition("/")
    page.add_related(
        file.data,
        maintype=main,
        subtype=sub,
        cid=f"<{file.content_id}>",
        filename=file.filename,
        disposition="inline",
    )


def _attach(message: EmailMessage, file: File) -> None:
    main, _, sub = file.content_type.partition("/")
    cid = None if file.content_id is None else f"<{file.content_id}>"
    message.add_attachment(file.data, maintype=main, subtype=sub, filename=file.filename, cid=cid)


def deliver(
    mail: Mail, recipients: Sequence[str], settings: SmtpSettings
) -> dict[str, Failure] | Failure:
    """Hands an e-mail to the server for these recipients. Answers who was refused, and why; or why all of them were.

    A refusal of the 500s is final; one of the 400s, and a server that cannot be reached, are not.
    """
    try:
        with _session(settings) as server:
            refused = server.send_message(mail.written(), mail.sender, list(recipients))
    except smtplib.SMTPRecipientsRefused as error:
        refused = error.recipients
    except smtplib.SMTPResponseException as error:
        return _refusal(error.smtp_code, error.smtp_error)
    except smtplib.SMTPNotSupportedError:
        return Failure("the SMTP server lacks what this e-mail needs", final=True)
    except ssl.SSLCertVerificationError as error:
        return Failure(f"certificate of the SMTP server: {error.verify_message}")
    except smtplib.SMTPServerDisconnected:
        return Failure("the SMTP server ended the connection")
    except smtplib.SMTPException as error:
        return Failure(f"the SMTP server could not be used ({type(error).__name__})")
    except OSError as error:
        return Failure(f"the SMTP server cannot be reached: {error.strerror or 'no answer'}")
    return {address: _refusal(code, text) for address, (code, text) in refused.items()}


@contextmanager
def _session(settings: SmtpSettings) -> Iterator[smtplib.SMTP]:
    server = smtplib.SMTP(settings.host, settings.port, timeout=_TIMEOUT)
    try:
        if settings.starttls:
            server.starttls(context=ssl.create_default_context(cafile=settings.trust))
        if settings.user is not None and settings.password is not None:
            server.login(settings.user, settings.password.get_secret_value())
        yield server
        # Whatever the server says to a farewell, it has taken the e-mail.
        with suppress(smtplib.SMTPException, OSError):
            server.quit()
    finally:
        server.close()


def _refusal(code: int, text: bytes | str) -> Failure:
    said = text.decode(errors="replace") if isinstance(text, bytes) else text
    return Failure(f"{code} {' '.join(said.split())}"[:500], final=not 400 <= code < 500)
