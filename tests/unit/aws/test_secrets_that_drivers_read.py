"""What drivers read from secrets for themselves is shown nowhere, not even in the SDK's own debug log (FR-060)."""

from __future__ import annotations

import json
import logging
import socket
from datetime import timedelta

import pytest

from lcplatform import CallOptions, LCPlatform
from lcplatform.errors import LCPlatformError, ServiceUnavailableError
from lcplatform.event_bus.models import HttpTarget
from lcplatform_aws.event_bus_webhooks import Webhooks
from lcplatform_aws.options import AwsOptions
from lcplatform_aws.session import Session
from tests.unit.aws.stub import Stub, json_answer

CANARY = "canary-password"


@pytest.mark.parametrize(
    "secret",
    [CANARY, json.dumps({"username": "shop", "password": CANARY}), f'{{"user": "{CANARY}"}}'],
)
def test_a_password_is_in_no_error_and_in_no_log(
    secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        Stub() as stub,
        socket.create_server(("127.0.0.1", 0)) as nobody,  # answers there
        LCPlatform(
            "aws",
            region="eu-west-1",
            endpoint_url=stub.url,
            access_key_id="testing",
            secret_access_key="testing",
            connect_timeout=1,
            data_store={
                "host": "127.0.0.1",
                "port": nobody.getsockname()[1],
                "database": "shop",
                "user": "shop",
                "tls": "disable",
                "password_secret": "database",
                "pool_timeout": 1,
            },
        ) as platform,
        caplog.at_level(logging.DEBUG),
    ):
        stub.otherwise = lambda asked: json_answer(Name="database", SecretString=secret)
        with pytest.raises(ServiceUnavailableError) as caught:
            platform.data_store.query("SELECT 1")
        assert stub.asked, "the secret was read"
    error = caught.value
    shown = [str(error), repr(error), repr(error.__cause__), repr(error.__context__), caplog.text]
    shown += [repr(record.args) for record in caplog.records]
    assert not any(CANARY in text for text in shown)


def test_the_password_of_a_cluster_of_documents_is_in_no_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with (
        Stub() as stub,
        socket.create_server(("127.0.0.1", 0)) as nobody,
        LCPlatform(
            "aws",
            region="eu-west-1",
            endpoint_url=stub.url,
            access_key_id="testing",
            secret_access_key="testing",
            document_store={
                "host": "127.0.0.1",
                "port": nobody.getsockname()[1],
                "tls": False,
                "authentication": "password",
                "user": "shop",
                "password_secret": "documents",
                "server_selection_timeout": 0.2,
            },
        ) as platform,
        caplog.at_level(logging.DEBUG),
    ):
        stub.otherwise = lambda asked: json_answer(Name="documents", SecretString=CANARY)
        with pytest.raises(LCPlatformError) as caught:
            platform.document_store.get_document(
                "things", "1", options=CallOptions(deadline=timedelta(seconds=2))
            )
        assert stub.asked, "the secret was read"
    assert CANARY not in f"{caught.value} {caught.value!r} {caplog.text}"
    assert CANARY not in repr([record.args for record in caplog.records])


def test_the_secret_headers_of_a_webhook_are_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with Stub() as stub, caplog.at_level(logging.DEBUG):
        session = Session(
            AwsOptions(
                region="eu-west-1",
                endpoint_url=stub.url,
                access_key_id="testing",
                secret_access_key="testing",
            )
        )
        stub.will(
            json_answer(SecretString=CANARY),
            json_answer(ConnectionArn="connection"),
            json_answer(ApiDestinationArn="destination"),
        )
        webhooks = Webhooks(session, "arn:aws:iam::000000000000:role/events")
        place = HttpTarget(url="https://shop.example/events", secret_headers={"X-Key": "key"})
        secrets = webhooks.check(place)
        webhooks.create("rule", place, secrets)
        session.close()
        assert secrets == {"X-Key": CANARY}
    assert CANARY in repr(stub.asked), "EventBridge was told"
    assert CANARY not in caplog.text
    assert CANARY not in repr([record.args for record in caplog.records])
