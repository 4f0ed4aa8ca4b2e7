"""The password of a database comes from its secret and is shown nowhere (FR-060)."""

from __future__ import annotations

import json
import logging
import socket

import pytest

from lcplatform import LCPlatform
from lcplatform.errors import ServiceUnavailableError
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
