"""How the data store is let in: by tokens, by the password in a secret, by nothing less than TLS."""

from __future__ import annotations

import json
import logging
import socket
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import botocore.session
import psycopg
import pytest
import trustme
from botocore.validate import ParamValidator

from lcplatform import LCPlatform
from lcplatform.data_store.models import TlsMode
from lcplatform.errors import (
    AuthenticationError,
    ResourceNotFoundError,
    ServiceUnavailableError,
    UnsupportedError,
    ValidationError,
)
from lcplatform_aws.options import read_options
from tests.postgresql import HOST, USER, PostgreSQL
from tests.unit.aws.conftest import AtPostgresql, AtStub
from tests.unit.aws.stub import Answer, Asked, Stub, json_answer, json_error
from tests.unit.aws.tls_front import TlsFront

CANARY = "canary-8c2d"


# --- options


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"tls": "disable", "host": "db.example.com"}, "tls"),
        ({"tls": "disable", "host": "10.0.0.1"}, "tls"),
        ({"tls": "require"}, "tls"),
        ({"user": None}, "user"),
        ({"host": "one,other"}, "host"),
        ({"port": 0}, "port"),
        ({"pool_size": 0}, "pool_size"),
        ({"pool_timeout": 0}, "pool_timeout"),
        ({"max_lifetime": 0}, "max_lifetime"),
        ({"tls_ca_file": "/nowhere"}, "tls_ca_file"),
        ({"password": CANARY}, "password"),
    ],
)
def test_a_wrong_option_is_refused_by_its_name(options: dict[str, object], field: str) -> None:
    given = {"host": "db.example.com", "database": "d", "user": "u", **options}
    with pytest.raises(ValidationError, match=field) as refused:
        read_options({"data_store": given})
    assert CANARY not in f"{refused.value!r} {refused.value}"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "/run/postgresql"])
def test_the_machine_itself_needs_no_tls_if_it_is_told_so(host: str) -> None:
    given = {"host": host, "database": "d", "user": "u"}
    options = read_options({"data_store": {**given, "tls": "disable"}}).data_store
    plain = read_options({"data_store": given}).data_store
    assert options is not None
    assert plain is not None
    assert (options.tls, plain.tls) == ("disable", "verify-full")


def test_without_options_there_is_no_data_store(platform: LCPlatform) -> None:
    with pytest.raises(UnsupportedError, match="data_store"):
        platform.data_store.query("SELECT 1")


# --- tokens


@contextmanager
def listening(passwords: list[str], port: int) -> Iterator[int]:
    """A server that asks for the password, notes it, and passes everything on to one that does not ask."""
    with socket.create_server((HOST, 0)) as listener:

        def serve(client: socket.socket) -> None:
            with client, socket.create_connection((HOST, port)) as server:
                (size,) = struct.unpack("!i", client.recv(4, socket.MSG_WAITALL))
                startup = client.recv(size - 4, socket.MSG_WAITALL)
                client.sendall(struct.pack("!cii", b"R", 8, 3))  # AuthenticationCleartextPassword
                _, size = struct.unpack("!ci", client.recv(5, socket.MSG_WAITALL))
                passwords.append(client.recv(size - 4, socket.MSG_WAITALL)[:-1].decode())
                server.sendall(struct.pack("!i", size_of(startup)) + startup)
                back = threading.Thread(target=pump, args=(server, client), daemon=True)
                back.start()
                pump(client, server)
                back.join(10)

        def accept() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def size_of(startup: bytes) -> int:
    return len(startup) + 4


def pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while some := source.recv(65_536):
            target.sendall(some)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


def test_each_connection_has_a_token_of_its_own_for_this_host_port_and_user(
    at_postgresql: AtPostgresql, postgresql: PostgreSQL, stub: Stub
) -> None:
    """FR-060. facts: the token is for the real endpoint and its port, and good for 900 seconds."""
    passwords: list[str] = []
    with listening(passwords, postgresql.port) as port:
        data = at_postgresql(port=port).data_store
        open_ = [data.begin_transaction().transaction for _ in range(3)]
        for transaction in open_:
            data.rollback_transaction(transaction)
    assert len(passwords) == 3
    for token in passwords:
        parts = urlsplit(f"https://{token}")
        words = parse_qs(parts.query)
        assert parts.netloc == f"{HOST}:{port}"
        assert (words["Action"], words["DBUser"]) == (["connect"], [USER])
        assert words["X-Amz-Expires"] == ["900"]
        assert "/eu-west-1/rds-db/aws4_request" in words["X-Amz-Credential"][0]
    assert stub.asked == []


def test_a_connection_that_has_become_old_is_replaced_with_a_new_token(
    at_postgresql: AtPostgresql, postgresql: PostgreSQL
) -> None:
    passwords: list[str] = []
    with listening(passwords, postgresql.port) as port:
        data = at_postgresql(port=port, pool_size=1, max_lifetime=timedelta(seconds=1)).data_store
        data.query("SELECT 1")
        threading.Event().wait(1.1)
        data.query("SELECT 1")  # when it is given back, it is too old
        data.query("SELECT 1")
    assert len(passwords) == 2


def test_without_credentials_nobody_is_let_in(
    postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    options = {"host": HOST, "port": postgresql.port, "database": USER, "user": USER}
    with (
        LCPlatform("aws", region="eu-west-1", data_store={**options, "tls": "disable"}) as platform,
        pytest.raises(AuthenticationError),
    ):
        platform.data_store.query("SELECT 1")


# --- the secret


_SHAPE: Final[Any] = (  # of an operation that has input
    botocore.session.Session()
    .get_service_model("secretsmanager")
    .operation_model("GetSecretValue")
    .input_shape
)


class Kept:
    """A secret that holds a password."""

    def __init__(self, stub: Stub, text: str) -> None:
        self.text = text
        self.reads = 0
        stub.otherwise = self._answer

    def _answer(self, asked: Asked) -> Answer:
        assert asked.target == "GetSecretValue"
        assert asked.json == {"SecretId": "rds!db-1"}
        assert not ParamValidator().validate(asked.json, _SHAPE).has_errors()
        self.reads += 1
        return json_answer(Name="rds!db-1", VersionId="v", SecretString=self.text)


@pytest.fixture
def role(postgresql: PostgreSQL) -> Iterator[str]:
    postgresql.run("CREATE ROLE somebody LOGIN PASSWORD 'first-8c2d'")
    yield "somebody"
    postgresql.run("DROP OWNED BY somebody")
    postgresql.run("DROP ROLE somebody")


def test_the_secret_of_rds_tells_user_and_password(
    at_postgresql: AtPostgresql, stub: Stub, role: str
) -> None:
    kept = Kept(stub, json.dumps({"username": role, "password": "first-8c2d"}))
    data = at_postgresql(user=None, password_secret="rds!db-1").data_store
    assert data.query("SELECT current_user::text").rows[0].values == (role,)
    info = data.get_connection_info()
    assert (info.user, info.password_secret, info.tls_mode) == (role, "rds!db-1", TlsMode.DISABLED)
    assert kept.reads == 1


def test_a_password_that_was_rotated_is_read_again(
    at_postgresql: AtPostgresql, postgresql: PostgreSQL, stub: Stub, role: str
) -> None:
    kept = Kept(stub, "first-8c2d")
    data = at_postgresql(user=role, password_secret="rds!db-1").data_store
    first = data.begin_transaction().transaction
    postgresql.run("ALTER ROLE somebody PASSWORD 'second-8c2d'")
    kept.text = "second-8c2d"
    second = data.begin_transaction().transaction
    assert kept.reads == 2
    data.rollback_transaction(first)
    data.rollback_transaction(second)


def test_a_wrong_password_is_told_at_once_and_never_shown(
    at_postgresql: AtPostgresql, stub: Stub, role: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    Kept(stub, CANARY)
    data = at_postgresql(user=role, password_secret="rds!db-1", max_attempts=3).data_store
    started = datetime.now(UTC)
    with pytest.raises(ServiceUnavailableError) as caught:
        data.query("SELECT 1")
    assert caught.value.details["sqlstate"] == "28P01"
    assert not caught.value.retryable
    assert datetime.now(UTC) - started < timedelta(seconds=10)
    assert CANARY not in f"{caught.value!r} {caught.value} {caplog.text} {data!r}"


def test_a_server_that_is_full_is_waited_for(
    at_postgresql: AtPostgresql, postgresql: PostgreSQL, stub: Stub, role: str
) -> None:
    Kept(stub, "first-8c2d")
    postgresql.run("ALTER ROLE somebody CONNECTION LIMIT 1")
    data = at_postgresql(
        user=role, password_secret="rds!db-1", pool_timeout=timedelta(seconds=2)
    ).data_store
    with postgresql.connect(user=role, password="first-8c2d"):
        with pytest.raises(ServiceUnavailableError) as caught:
            data.query("SELECT 1")
        assert (caught.value.details["sqlstate"], caught.value.retryable) == ("53300", True)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(data.query, "SELECT 1")
            time.sleep(0.2)
            postgresql.run("ALTER ROLE somebody CONNECTION LIMIT 2")
            assert waiting.result().rows[0].values == (1,)


@pytest.mark.parametrize("text", ["", "{", json.dumps({"username": "somebody"})])
def test_a_secret_of_another_shape_is_no_password(
    at_postgresql: AtPostgresql, stub: Stub, text: str
) -> None:
    Kept(stub, text)
    data = at_postgresql(user="somebody", password_secret="rds!db-1").data_store
    with pytest.raises(ServiceUnavailableError, match="password_secret"):
        data.query("SELECT 1")


def test_a_secret_that_is_not_there_is_told_at_once(
    at_postgresql: AtPostgresql, stub: Stub
) -> None:
    stub.otherwise = lambda _: json_error(400, "ResourceNotFoundException", "no")
    data = at_postgresql(user="somebody", password_secret="rds!db-1").data_store
    with pytest.raises(ResourceNotFoundError):
        data.query("SELECT 1")


@pytest.mark.parametrize(
    ("options", "sqlstate"),
    [({"database": "nowhere"}, "3D000"), ({"port": 1, "pool_timeout": 3}, "08001")],
)
def test_what_is_wrong_with_the_address_is_told(
    at_postgresql: AtPostgresql, options: dict[str, object], sqlstate: str
) -> None:
    with pytest.raises(ServiceUnavailableError) as caught:
        at_postgresql(**options).data_store.query("SELECT 1")
    assert caught.value.details["sqlstate"] == sqlstate


# --- TLS


@pytest.fixture
def authority(tmp_path: Path) -> tuple[trustme.CA, str]:
    """Who signs certificates, and the file with its own."""
    made = trustme.CA()
    path = tmp_path / "authority.pem"
    made.cert_pem.write_to_path(path)
    return made, str(path)


def test_the_server_is_known_by_its_certificate_and_its_name(
    postgresql: PostgreSQL, at_postgresql: AtPostgresql, authority: tuple[trustme.CA, str]
) -> None:
    """What libpq calls verify-full."""
    signed, trusted = authority
    with TlsFront(signed, postgresql.port) as front:
        data = at_postgresql(port=front.port, tls="verify-full", tls_ca_file=trusted).data_store
        assert data.query("SELECT 1").rows
        assert front.secured == 1
        assert data.get_connection_info().tls_mode is TlsMode.VERIFY_FULL
        renamed = at_postgresql(
            host="localhost", port=front.port, tls="verify-full", tls_ca_file=trusted
        )
        with pytest.raises(ServiceUnavailableError, match="certificate"):
            renamed.data_store.query("SELECT 1")
    with TlsFront(trustme.CA(), postgresql.port) as other:
        stranger = at_postgresql(port=other.port, tls="verify-full", tls_ca_file=trusted)
        with pytest.raises(ServiceUnavailableError, match="certificate") as caught:
            stranger.data_store.query("SELECT 1")
        assert not caught.value.retryable


def test_a_server_without_tls_gets_no_password(
    at_postgresql: AtPostgresql, authority: tuple[trustme.CA, str]
) -> None:
    with pytest.raises(ServiceUnavailableError, match="SSL") as caught:
        at_postgresql(tls="verify-full", tls_ca_file=authority[1]).data_store.query("SELECT 1")
    assert not caught.value.retryable


def test_what_psycopg_is_told(
    at_stub: AtStub, authority: tuple[trustme.CA, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, object]] = []

    def connect(conninfo: str = "", **words: object) -> None:
        told.append(words)
        raise psycopg.OperationalError("authentication failed")

    monkeypatch.setattr(psycopg.Connection, "connect", connect)
    _, root = authority
    options = {"host": "db.example.com", "database": "d", "user": "u", "tls_ca_file": root}
    with pytest.raises(ServiceUnavailableError):
        at_stub(data_store=options).data_store.query("SELECT 1")
    words = told[0]
    assert (words["sslmode"], words["sslrootcert"]) == ("verify-full", root)
    assert words["target_session_attrs"] == "read-write"
    assert str(words["password"]).startswith("db.example.com:5432/?Action=connect&DBUser=u&")
