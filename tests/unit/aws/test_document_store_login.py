"""How a process shows a cluster who it is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import bson
import pytest
from bson.binary import Binary
from pymongo.errors import OperationFailure

from lcplatform_aws.document_store_server import Server
from lcplatform_aws.options import AwsOptions, read_options
from lcplatform_runtime.errors import AuthenticationError
from tests.unit.aws.mongo import Answer, Command, Mongo


def options(port: int, **more: object) -> AwsOptions:
    return read_options(
        {"document_store": {"host": "127.0.0.1", "port": port, "tls": False, **more}}
    )


def server_for(made: AwsOptions, secret: dict[str, str]) -> Server:
    """A server whose password is in a secret."""

    def get_secret_value(**asked: object) -> dict[str, str]:
        assert asked == {"SecretId": "db", "VersionStage": "AWSCURRENT"}
        return secret

    session: Any = SimpleNamespace(
        secretsmanager=SimpleNamespace(get_secret_value=get_secret_value)
    )
    assert made.document_store is not None
    return Server(made, made.document_store, lambda: session)


def refusing(command: Command) -> Answer:
    return {"ok": 0, "code": 18, "errmsg": "Authentication failed.", "codeName": "Failed"}


def test_a_password_comes_out_of_its_secret_and_a_new_one_is_read_when_it_is_refused() -> None:
    secret = {"SecretString": '{"username": "ada", "password": "hush"}'}
    with Mongo(refusing) as mongo:
        made = options(
            mongo.port,
            authentication="password",
            user="ada",
            password_secret="db",
            retry_writes=False,
        )
        server = server_for(made, secret)
        first = server.client
        with pytest.raises(OperationFailure) as caught:
            server.database.command("ping")
        server.refused(caught.value)
        assert server.client is first
        secret["SecretString"] = "another"
        server.refused(caught.value)
        assert server.client is not first
        server.close()
        start = mongo.named("saslStart")[0]
        assert b"n=ada" in start["payload"]
        assert "hush" not in repr(mongo.commands)
        assert "hush" not in repr(made)


@pytest.mark.parametrize("text", ['{"user": "ada"}', '{"password": 7}'])
def test_a_secret_without_a_password_is_told_without_its_content(text: str) -> None:
    made = options(1, authentication="password", user="ada", password_secret="db")
    server = server_for(made, {"SecretString": text})
    with pytest.raises(AuthenticationError) as caught:
        _ = server.client
    assert text not in str(caught.value)


def test_without_more_the_process_is_known_by_its_identity() -> None:
    made = read_options({"document_store": {"host": "cluster.example", "retry_writes": False}})
    assert made.document_store is not None
    server = Server(made, made.document_store, lambda: pytest.fail("no secret is needed"))
    client = server.client
    credentials = client.options._options
    assert credentials["authmechanism"] == "MONGODB-AWS"
    assert credentials["authsource"] == "$external"
    assert credentials["tls"] is True
    assert credentials["replicaset"] == "rs0"
    assert not client.options.retry_reads
    server.close()


def test_an_identity_signs_what_the_cluster_asks_and_sends_no_secret() -> None:
    """Facts §1.10: MONGODB-AWS sends a signed request to STS, which the cluster makes."""

    def answer(command: Command) -> Answer:
        if "saslStart" in command:
            asked = bson.decode(command["payload"])
            nonce = Binary(bytes(asked["r"]) + bytes(32))
            told = bson.encode({"s": nonce, "h": "sts.amazonaws.com"})
            return {"ok": 1, "conversationId": 1, "done": False, "payload": told}
        if "saslContinue" in command:
            return {"ok": 1, "conversationId": 1, "done": True, "payload": b""}
        return {"ok": 1}

    with Mongo(answer) as mongo:
        made = read_options(
            {
                "access_key_id": "AKIATESTING",
                "secret_access_key": "hush",
                "document_store": {
                    "host": "127.0.0.1",
                    "port": mongo.port,
                    "tls": False,
                    "retry_writes": False,
                },
            }
        )
        server = server_for(made, {})
        assert server.database.command("ping")["ok"] == 1
        server.close()
    [start] = mongo.named("saslStart")
    assert start["mechanism"] == "MONGODB-AWS"
    signed = bson.decode(mongo.named("saslContinue")[0]["payload"])
    assert "Credential=AKIATESTING/" in signed["a"]
    assert "hush" not in repr(mongo.commands)
