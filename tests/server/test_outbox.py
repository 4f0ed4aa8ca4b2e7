"""What a mock sent to people, read over gRPC, as a test in any language does."""

from __future__ import annotations

import pytest

from lcplatform import LCPlatform
from lcplatform.notification.models import Attachment, DeliveryProtocol, SubscriptionStatus
from lcplatform.testing.models import OutboxKind
from lcplatform_contract.colours import COLOURS, opened
from lcplatform_server.server import Server
from lcplatform_server.settings import ServerSettings


@pytest.mark.parametrize("colour", COLOURS)
def test_a_remote_test_reads_the_token_and_confirms(colour: str) -> None:
    settings = ServerSettings(listen="127.0.0.1:0", grace=0, control=True)
    with (
        LCPlatform("mock") as platform,
        Server(platform, settings) as server,
        opened(colour, {"provider": "grpc", "endpoint": server.endpoint}) as client,
    ):
        client.notification.create_topic("news")
        client.notification.subscribe(
            "news", protocol=DeliveryProtocol.EMAIL, endpoint="kim@example.com"
        )
        [asked] = client.control.list_outbox(recipient="kim@example.com").messages
        assert asked.token is not None
        confirmed = client.notification.confirm_subscription("news", asked.token).subscription
        assert confirmed.status is SubscriptionStatus.CONFIRMED

        for number in range(3):
            client.notification.send_email(
                to=["kim@example.com"],
                bcc=["max@example.com"],
                subject=f"{number}",
                html="<p>x</p>",
                attachments=[Attachment(filename="f", data=b"\x00\xff")],
            )
        page = client.control.list_outbox(kind=OutboxKind.EMAIL, page_size=3)
        assert [it.subject for it in page.messages] == ["2", "1", "0"]
        assert page.messages[0].attachments[0].data == b"\x00\xff"
        assert page.messages == platform.control.list_outbox(page_size=3).messages
        rest = client.control.list_outbox(
            kind=OutboxKind.EMAIL, page_token=page.next_page_token, page_size=3
        )
        assert rest.messages == (asked,)
