"""The way past the platform: the SDKs' own clients, on the connection of the service that they are for."""

from __future__ import annotations

from decimal import Decimal

import psycopg
import pytest
from botocore.exceptions import ParamValidationError
from pymongo.errors import InvalidOperation

from lcplatform import LCPlatform
from lcplatform.errors import UnsupportedError
from lcplatform_aws import native
from lcplatform_aws.native import Native
from lcplatform_aws.session import Session
from tests.unit.aws.conftest import AtPostgresql, AtStub
from tests.unit.aws.mongo import Mongo
from tests.unit.aws.stub import Answer, Stub, json_answer, json_error

CLIENTS = {
    "appconfig": "appconfig",
    "appconfigdata": "appconfigdata",
    "apprunner": "apprunner",
    "batch": "batch",
    "ecs": "ecs",
    "events": "events",
    "logs": "logs",
    "rds": "rds",
    "s3": "s3",
    "scheduler": "scheduler",
    "secretsmanager": "secretsmanager",
    "sesv2": "sesv2",
    "sms": "pinpoint-sms-voice-v2",
    "sns": "sns",
    "sqs": "sqs",
    "sts": "sts",
}
SERVERS = {"mongodb"}


@pytest.mark.parametrize(("name", "service"), CLIENTS.items())
def test_each_client_is_plain_and_on_the_connection_of_the_platform(
    platform: LCPlatform, stub: Stub, name: str, service: str
) -> None:
    client = getattr(native(platform), name)
    assert client is getattr(native(platform), name)
    assert client.meta.service_model.service_name == service
    assert (client.meta.endpoint_url, client.meta.region_name) == (stub.url, "eu-west-1")
    assert client.meta.config.parameter_validation
    assert client.meta.config.retries == {"mode": "standard"}


def test_whatever_a_driver_uses_can_be_had() -> None:
    def properties(kind: type) -> set[str]:
        return {
            name for name, it in vars(kind).items() if isinstance(it, property) and name[0] != "_"
        }

    assert properties(Native) == set(CLIENTS) | SERVERS
    assert properties(Session) - {"sqs_polls"} == set(CLIENTS)


def test_a_client_checks_and_retries_by_itself(platform: LCPlatform, stub: Stub) -> None:
    stub.will(Answer(503), json_answer(QueueUrls=["http://q/1/a"]))
    sqs = native(platform).sqs
    assert sqs.list_queues()["QueueUrls"] == ["http://q/1/a"]
    with pytest.raises(ParamValidationError):
        sqs.send_message(QueueUrl=1)  # type: ignore[arg-type, call-arg]


def test_a_service_with_options_of_its_own_has_clients_of_its_own(stub: Stub) -> None:
    with LCPlatform(
        "aws",
        services={"notification": {"options": {"region": "eu-north-1"}}, "queue": "mock"},
        endpoint_url=stub.url,
        region="eu-west-1",
        access_key_id="AKIATEST",
        secret_access_key="hush",
    ) as platform:
        way = native(platform)
        regions = {it: getattr(way, it).meta.region_name for it in ("sns", "sesv2", "s3", "sts")}
        assert regions == {
            "sns": "eu-north-1",
            "sesv2": "eu-north-1",
            "s3": "eu-west-1",
            "sts": "eu-west-1",
        }
        assert way.sqs.meta.region_name == "eu-west-1"  # of a service that is elsewhere


def test_there_is_no_way_past_a_platform_that_is_not_on_aws() -> None:
    with LCPlatform("mock") as platform, pytest.raises(UnsupportedError, match="AWS"):
        native(platform)


def test_a_connection_to_the_database_is_psycopgs_own(at_postgresql: AtPostgresql) -> None:
    platform = at_postgresql()
    platform.data_store.execute("CREATE TABLE orders (price numeric)")
    with native(platform).postgresql() as connection:
        assert type(connection) is psycopg.Connection
        connection.execute("INSERT INTO orders VALUES (%s)", [Decimal("1.50")])
        assert platform.data_store.query("SELECT price FROM orders").rows == ()
    assert connection.closed
    assert platform.data_store.query("SELECT price FROM orders").rows[0].values == (Decimal("1.5"),)


def test_it_is_let_in_as_the_platform_is(at_postgresql: AtPostgresql, stub: Stub) -> None:
    stub.will(json_error(400, "ResourceNotFoundException"))
    with pytest.raises(Exception, match="ResourceNotFoundException"):
        native(at_postgresql(password_secret="db")).postgresql()
    assert stub.asked[0].headers["x-amz-target"] == "secretsmanager.GetSecretValue"


@pytest.mark.parametrize("used", [False, True])
def test_the_client_of_documents_is_the_platforms_own_which_closes_it(
    at_stub: AtStub, used: bool
) -> None:
    place = {"host": "127.0.0.1", "tls": False, "authentication": "none", "replica_set": None}
    with Mongo(lambda _: {"ok": 1, "n": 1}) as server:
        platform = at_stub(document_store={**place, "port": server.port, "database": "shop"})
        database = native(platform).mongodb
        database.command("ping")
        assert server.named("ping")[0]["$db"] == "shop"
        if used:
            platform.document_store.insert_document("books", {"_id": "emma"})
        assert native(platform).mongodb.client is database.client
        platform.close()
        with pytest.raises(InvalidOperation, match="close"):
            database.command("ping")


def test_what_a_platform_does_not_have_is_not_given(platform: LCPlatform) -> None:
    with pytest.raises(UnsupportedError, match="data_store"):
        native(platform).postgresql()
    with pytest.raises(UnsupportedError, match="document_store"):
        _ = native(platform).mongodb
