"""E-mail over real SMTP: what is written, who gets it, who is refused, and when it is tried again (FR-050)."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes
from email.policy import SMTP, default
from pathlib import Path

import pydantic
import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from lcplatform import LCPlatform
from lcplatform.errors import ValidationError
from lcplatform.notification.models import Attachment, DeliveryProtocol, DeliveryStatus
from lcplatform_mock.mail import File, Mail
from lcplatform_runtime.testing.clock import ManualClock
from tests.unit.mock.mailbox import Mailbox, receiving_mail

DELIVERED, RETRYING, FAILED = (
    DeliveryStatus.DELIVERED,
    DeliveryStatus.RETRYING,
    DeliveryStatus.FAILED,
)
PNG = bytes.fromhex("89504e470d0a1a0a")


@contextmanager
def sending(address: str, **smtp: object) -> Iterator[LCPlatform]:
    """A platform that hands its e-mails to a server."""
    options = {"smtp": {"address": address, **smtp}, "sender": "us@example.com"}
    with LCPlatform("mock", clock=ManualClock(), notification=options) as platform:
        yield platform


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with receiving_mail() as made:
        yield made


@pytest.fixture
def post(mailbox: Mailbox) -> Iterator[LCPlatform]:
    with sending(mailbox.address) as platform:
        yield platform


def settle(platform: LCPlatform, **by: float) -> None:
    platform.control.advance_clock(timedelta(**by))


def statuses(platform: LCPlatform, message_id: str) -> dict[str, tuple[DeliveryStatus, str | None]]:
    deliveries = platform.notification.get_delivery_status(message_id).deliveries
    return {it.recipient: (it.status, it.reason) for it in deliveries}


# --- what is written


def test_an_email_arrives_as_it_was_sent(post: LCPlatform, mailbox: Mailbox) -> None:
    message_id = post.notification.send_email(
        to=["kim@example.com"],
        cc=["lee@example.com"],
        bcc=["max@example.com"],
        sender="me@example.com",
        reply_to=["office@example.com", "desk@example.com"],
        subject="Grüße aus ☕",
        text="Hallo Kim\n.\nZeile 3",
        html="<p>Hallo <b>Kim</b> <img src='cid:logo'></p>",
        attachments=[
            Attachment(filename="logo.png", content_type="image/png", data=PNG, content_id="logo"),
            Attachment(
                filename="Über uns.pdf", content_type="application/pdf", data=b"\x00\xff" * 99
            ),
            Attachment(filename="note.txt", content_type="text/plain", data=b"a\n.\nb"),
        ],
    ).message_id
    settle(post)
    [taken] = mailbox.taken
    assert taken.sender == "me@example.com"
    assert taken.recipients == ["kim@example.com", "lee@example.com", "max@example.com"]
    assert b"max@example.com" not in taken.raw
    message = taken.message
    assert {name: message[name] for name in ("From", "To", "Cc", "Reply-To", "Subject")} == {
        "From": "me@example.com",
        "To": "kim@example.com",
        "Cc": "lee@example.com",
        "Reply-To": "office@example.com, desk@example.com",
        "Subject": "Grüße aus ☕",
    }
    assert message["Message-ID"] == f"<{message_id}@example.com>"
    assert message["Date"].datetime.year == 2030
    text, page = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert page is not None
    assert text.get_content().splitlines() == ["Hallo Kim", ".", "Zeile 3"]
    assert "<b>Kim</b>" in page.get_content()
    [picture] = [it for it in message.walk() if it["Content-ID"] is not None]
    assert (picture["Content-ID"], picture.get_content()) == ("<logo>", PNG)
    files = {it.get_filename(): it.get_content() for it in message.iter_attachments()}
    assert files["Über uns.pdf"] == b"\x00\xff" * 99
    assert files["note.txt"].splitlines() == ["a", ".", "b"]
    assert {status for status, _ in statuses(post, message_id).values()} == {DELIVERED}
    [shown] = post.control.list_outbox().messages
    assert shown.message_id == message_id


@pytest.mark.parametrize("body", [{"text": "plain"}, {"html": "<p>page</p>"}])
def test_an_email_has_a_text_or_a_page_or_both(
    post: LCPlatform, mailbox: Mailbox, body: dict[str, str]
) -> None:
    post.notification.send_email(
        to=["kim@example.com"],
        subject="s",
        attachments=[Attachment(filename="f", data=PNG, content_id="c")],
        text=body.get("text"),
        html=body.get("html"),
    )
    settle(post)
    [taken] = mailbox.taken
    [content] = body.values()
    assert content in taken.raw.decode()
    assert PNG in [it.get_content() for it in taken.message.walk() if not it.is_multipart()]


def test_no_header_can_be_smuggled_in(post: LCPlatform, mailbox: Mailbox) -> None:
    """Neither what the contract refuses nor what Unicode takes for an end of a line."""
    send = post.notification.send_email
    for end in ("\n", "\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\x00"):
        with pytest.raises(ValidationError):
            send(to=["kim@example.com"], subject=f"a{end}Bcc: spy@example.com", text="t")
        with pytest.raises(ValidationError):
            send(to=[f"kim@example.com{end}Bcc: spy@example.com"], subject="s", text="t")
        with pytest.raises(pydantic.ValidationError):
            Attachment(filename=f"a{end}X-Own: 1", data=b"x")
        with pytest.raises(pydantic.ValidationError):
            Attachment(filename="a", content_type=f"text/plain{end}X-Own: 1", data=b"x")
    send(
        to=["kim@example.com"],
        subject="a\u2028Bcc: spy@example.com\u2029",
        text="\nBcc: spy@example.com",
        attachments=[Attachment(filename='a"; x=\u2028b.txt', data=b"x")],
    )
    settle(post)
    [taken] = mailbox.taken
    assert taken.message["Bcc"] is None
    assert taken.recipients == ["kim@example.com"]


_line = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=60)


@given(subject=_line, filename=_line, text=st.text(st.characters(exclude_categories=["Cs"])))
def test_whatever_it_says_only_its_own_headers_are_written(
    subject: str, filename: str, text: str
) -> None:
    mail = Mail(
        identity="1",
        at=ManualClock().now(),
        sender="us@example.com",
        to=("kim@example.com",),
        bcc=("max@example.com",),
        subject=subject,
        text=text,
        files=(File(filename, "text/plain", b"\x00x"),),
    )
    read = message_from_bytes(mail.written().as_bytes(), policy=SMTP)
    assert [name.lower() for name in read.keys()] == [  # noqa: SIM118  a message is no mapping
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "mime-version",
        "content-type",
    ]
    assert mail.size >= len(mail.written().as_bytes()) - 2000


@pytest.mark.parametrize(
    "content_type",
    ["text/html", "text/csv", "application/json", "image/svg+xml"],
)
def test_a_file_of_any_type_arrives_byte_for_byte(content_type: str) -> None:
    data = b"From: x\r\n\r\n\xff\x00line\nline\r" * 50
    mail = Mail(
        identity="1",
        at=ManualClock().now(),
        sender="us@example.com",
        to=("kim@example.com",),
        subject="s",
        html="<p>x</p>",
        files=(File("f", content_type, data), File("g", content_type, data, "cid")),
    )
    read = message_from_bytes(mail.written().as_bytes(), policy=default)
    files = [it for it in read.walk() if it.get_filename() is not None]
    assert {it.get_filename() for it in files} == {"f", "g"}
    for file in files:
        assert file.get_content_type() == content_type
        assert base64.b64decode(str(file.get_payload(decode=False))) == data


# --- who is refused


def test_who_is_refused_fails_with_the_servers_words_and_the_others_get_it(
    post: LCPlatform, mailbox: Mailbox
) -> None:
    mailbox.refusals["gone@example.com"] = ["550 5.1.1 no such user here"]
    message = post.notification.send_email(
        to=["kim@example.com", "gone@example.com"], subject="s", text="t"
    ).message_id
    settle(post, hours=1)
    assert statuses(post, message) == {
        "kim@example.com": (DELIVERED, None),
        "gone@example.com": (FAILED, "550 5.1.1 no such user here"),
    }
    assert [it.recipients for it in mailbox.taken] == [["kim@example.com"]]


def test_who_is_refused_for_now_is_tried_again_alone(post: LCPlatform, mailbox: Mailbox) -> None:
    mailbox.refusals["busy@example.com"] = ["451 4.2.1 later", "450 4.2.1 still busy", "250 OK"]
    mailbox.refusals["gone@example.com"] = ["550 5.1.1 gone"]
    message = post.notification.send_email(
        to=["kim@example.com", "busy@example.com", "gone@example.com"], subject="s", text="t"
    ).message_id
    settle(post)
    assert statuses(post, message) == {
        "kim@example.com": (DELIVERED, None),
        "busy@example.com": (RETRYING, "451 4.2.1 later"),
        "gone@example.com": (FAILED, "550 5.1.1 gone"),
    }
    settle(post, minutes=1)
    assert statuses(post, message)["busy@example.com"] == (DELIVERED, None)
    assert [it.recipients for it in mailbox.taken] == [["kim@example.com"], ["busy@example.com"]]


def test_when_all_are_refused_for_good_nothing_is_tried_again(
    post: LCPlatform, mailbox: Mailbox
) -> None:
    mailbox.refusals["gone@example.com"] = ["550 5.1.1 gone"]
    message = post.notification.send_email(
        to=["gone@example.com"], subject="s", text="t"
    ).message_id
    settle(post, hours=1)
    assert statuses(post, message) == {"gone@example.com": (FAILED, "550 5.1.1 gone")}
    assert mailbox.attempts == 1


def test_an_email_that_the_server_does_not_want_fails_or_is_tried_again(
    post: LCPlatform, mailbox: Mailbox
) -> None:
    mailbox.data = ["552 5.3.4 too large", "451 4.3.0 disk full"]
    send = post.notification.send_email
    first = send(to=["kim@example.com"], subject="s", text="t").message_id
    settle(post, minutes=1)
    second = send(to=["kim@example.com"], subject="s", text="t").message_id
    settle(post)
    assert statuses(post, first) == {"kim@example.com": (FAILED, "552 5.3.4 too large")}
    assert statuses(post, second) == {"kim@example.com": (RETRYING, "451 4.3.0 disk full")}
    settle(post, minutes=1)
    assert statuses(post, second) == {"kim@example.com": (DELIVERED, None)}


@pytest.mark.parametrize("farewell", ["421 busy", "554 go away"])
def test_what_the_server_took_has_arrived_whatever_it_says_to_a_farewell(
    post: LCPlatform, mailbox: Mailbox, farewell: str
) -> None:
    mailbox.farewell = farewell
    message = post.notification.send_email(to=["kim@example.com"], subject="s", text="t").message_id
    settle(post, minutes=1)
    assert statuses(post, message) == {"kim@example.com": (DELIVERED, None)}
    assert len(mailbox.taken) == 1


def test_a_request_for_confirmation_that_nobody_takes_is_told(
    post: LCPlatform, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    mailbox.refusals["kim@example.com"] = ["550 5.1.1 moved away"]
    post.notification.create_topic("news")
    subscription = post.notification.subscribe(
        "news", protocol=DeliveryProtocol.EMAIL, endpoint="kim@example.com"
    ).subscription
    settle(post)
    token = post.control.list_outbox().messages[0].token
    assert token is not None
    assert subscription.subscription_id in caplog.text
    assert "550 5.1.1 moved away" in caplog.text
    assert token not in caplog.text


def test_simulated_mailboxes_never_reach_the_server(post: LCPlatform, mailbox: Mailbox) -> None:
    message = post.notification.send_email(
        to=["kim@example.com", "bounce@simulator.test"], subject="s", text="t"
    ).message_id
    settle(post)
    assert [it.recipients for it in mailbox.taken] == [["kim@example.com"]]
    assert statuses(post, message)["bounce@simulator.test"][0] is FAILED


def test_a_server_that_is_not_there_gets_the_email_when_it_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with sending(f"127.0.0.1:{port}") as platform:
        message = platform.notification.send_email(
            to=["kim@example.com"], subject="s", text="t"
        ).message_id
        settle(platform)
        status, reason = statuses(platform, message)["kim@example.com"]
        assert status is RETRYING
        assert reason is not None
        assert "cannot be reached" in reason
        with receiving_mail(port=port) as mailbox:
            settle(platform, minutes=1)
            assert len(mailbox.taken) == 1
        assert statuses(platform, message) == {"kim@example.com": (DELIVERED, None)}


# --- subscribers


def test_subscribers_by_email_confirm_and_get_their_messages(
    post: LCPlatform, mailbox: Mailbox
) -> None:
    notification = post.notification
    notification.create_topic("news")
    notification.subscribe("news", protocol=DeliveryProtocol.EMAIL, endpoint="kim@example.com")
    settle(post)
    [invitation] = mailbox.taken
    token = invitation.message.get_content().split()[-1]
    notification.confirm_subscription("news", token)
    message = notification.publish_message("news", "Hello", subject="News").message_id
    settle(post)
    [_, taken] = mailbox.taken
    assert (taken.message["Subject"], taken.message.get_content().strip()) == ("News", "Hello")
    assert statuses(post, message) == {"kim@example.com": (DELIVERED, None)}


def test_a_subscriber_whom_the_server_refuses_leaves_a_dead_letter(
    post: LCPlatform, mailbox: Mailbox
) -> None:
    notification = post.notification
    notification.create_topic("news")
    post.queue.create_queue("letters")
    notification.subscribe(
        "news",
        protocol=DeliveryProtocol.EMAIL,
        endpoint="kim@example.com",
        dead_letter_queue="letters",
    )
    token = post.control.list_outbox().messages[0].token
    assert token is not None
    notification.confirm_subscription("news", token)
    settle(post)
    mailbox.refusals["kim@example.com"] = ["550 5.1.1 moved away"]
    message = notification.publish_message("news", "Hello").message_id
    settle(post)
    assert statuses(post, message) == {"kim@example.com": (FAILED, "550 5.1.1 moved away")}
    assert [it.body for it in post.queue.receive_messages("letters").messages] == ["Hello"]


# --- encryption and login


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def server_context(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def test_with_starttls_everything_is_encrypted(authority: trustme.CA, tmp_path: Path) -> None:
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    with (
        receiving_mail(server_context(authority), login=True) as mailbox,
        sending(
            mailbox.address, starttls=True, trust=trusted, user="us", password="right"
        ) as platform,
    ):
        message = platform.notification.send_email(
            to=["kim@example.com"], subject="s", text="t"
        ).message_id
        settle(platform)
        assert statuses(platform, message) == {"kim@example.com": (DELIVERED, None)}
        assert mailbox.taken[0].encrypted
        assert mailbox.logins == [(b"us", b"right")]


@pytest.mark.parametrize("name", [None, "mail.example.com"])
def test_nothing_is_sent_to_a_server_that_shows_the_wrong_certificate(
    authority: trustme.CA, tmp_path: Path, name: str | None
) -> None:
    trusted = tmp_path / "ca.pem"
    (trustme.CA() if name is None else authority).cert_pem.write_to_path(str(trusted))
    with (
        receiving_mail(server_context(authority, name or "127.0.0.1")) as mailbox,
        sending(mailbox.address, starttls=True, trust=trusted) as platform,
    ):
        message = platform.notification.send_email(
            to=["kim@example.com"], subject="s", text="t"
        ).message_id
        settle(platform)
        status, reason = statuses(platform, message)["kim@example.com"]
        assert status is RETRYING
        assert reason is not None
        assert "certificate" in reason
        assert mailbox.taken == []


def test_nothing_is_sent_in_the_open_where_encryption_is_asked_for(mailbox: Mailbox) -> None:
    with sending(mailbox.address, starttls=True) as platform:
        message = platform.notification.send_email(
            to=["kim@example.com"], subject="s", text="t"
        ).message_id
        settle(platform)
        assert statuses(platform, message)["kim@example.com"][0] is FAILED
        assert mailbox.attempts == 0


def test_a_password_that_is_wrong_is_told_and_never_shown(
    authority: trustme.CA, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    with (
        receiving_mail(server_context(authority), login=True) as mailbox,
        sending(
            mailbox.address, starttls=True, trust=trusted, user="us", password="canary-77"
        ) as platform,
    ):
        message = platform.notification.send_email(
            to=["kim@example.com"], subject="s", text="t"
        ).message_id
        settle(platform)
        status, reason = statuses(platform, message)["kim@example.com"]
        assert status is FAILED
        assert reason is not None
        assert reason.startswith("535")
        assert "canary-77" not in reason
        assert "canary-77" not in repr(platform)
    assert "canary-77" not in caplog.text
