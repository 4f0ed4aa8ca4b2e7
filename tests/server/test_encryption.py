"""Connections that are encrypted, end to end: with certificates that the tests make themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import trustme

from lcplatform import CallOptions, LCPlatform, RetryPolicy
from lcplatform.mocks import Mocks
from lcplatform.queue import SendMessageResponse
from lcplatform_contract.colours import COLOURS, opened
from lcplatform_runtime.errors import ServiceUnavailableError, ValidationError
from lcplatform_server.server import Server
from lcplatform_server.settings import ServerSettings


@dataclass(frozen=True)
class Identity:
    """A key, a certificate for it, and the authority that vouches for the certificate."""

    private_key: Path
    certificate: Path
    authority: Path


def identity(folder: Path, name: str) -> Identity:
    made = Identity(*(folder / f"{name}.{part}" for part in ("key", "pem", "authority")))
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1", common_name=name)
    issued.private_key_pem.write_to_path(made.private_key)
    issued.cert_chain_pems[0].write_to_path(made.certificate)
    authority.cert_pem.write_to_path(made.authority)
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def own(folder: Path) -> Identity:
    return identity(folder, "server")


@pytest.fixture(scope="module")
def known(folder: Path) -> Identity:
    """The client that the server knows."""
    return identity(folder, "client")


@pytest.fixture(scope="module")
def stranger(folder: Path) -> Identity:
    return identity(folder, "stranger")


def serving(mocks: Mocks, own: Identity, clients: Identity | None = None) -> Server:
    mocks.queue.on_send_message.returns(SendMessageResponse(message_id="m-1"))
    settings = ServerSettings(
        listen="127.0.0.1:0",
        grace=0,
        private_key=own.private_key,
        certificate_chain=own.certificate,
        client_certificates=None if clients is None else clients.authority,
    )
    return Server(mocks.platform(), settings)


@pytest.fixture
def encrypted(mocks: Mocks, own: Identity) -> Iterator[Server]:
    """A server that anybody may call who trusts it."""
    with serving(mocks, own) as server:
        yield server


@pytest.fixture
def mutual(mocks: Mocks, own: Identity, known: Identity) -> Iterator[Server]:
    """A server that answers those alone whom it knows."""
    with serving(mocks, own, known) as server:
        yield server


def send(server: Server, colour: str = "blocking", **certificates: Path) -> str:
    once = CallOptions(retry=RetryPolicy(max_attempts=1))
    arguments = {"provider": "grpc", "endpoint": server.endpoint, **certificates}
    with opened(colour, arguments) as client:
        return client.queue.send_message("orders", body="hello", options=once).message_id


@pytest.mark.parametrize("colour", COLOURS)
def test_who_trusts_the_server_calls_it(encrypted: Server, own: Identity, colour: str) -> None:
    assert send(encrypted, colour, root_certificates=own.authority) == "m-1"


def test_who_does_not_trust_the_server_tells_it_nothing(
    mocks: Mocks, encrypted: Server, stranger: Identity
) -> None:
    with pytest.raises(ServiceUnavailableError) as caught:
        send(encrypted, root_certificates=stranger.authority)
    assert caught.value.outcome == "not_executed"
    assert not mocks.queue.on_send_message.calls


def test_who_does_not_encrypt_is_not_answered(mocks: Mocks, encrypted: Server) -> None:
    with pytest.raises(ServiceUnavailableError):
        send(encrypted)
    assert not mocks.queue.on_send_message.calls


@pytest.mark.parametrize("colour", COLOURS)
def test_a_client_that_the_server_knows_calls_it(
    mutual: Server, own: Identity, known: Identity, colour: str
) -> None:
    answer = send(
        mutual,
        colour,
        root_certificates=own.authority,
        private_key=known.private_key,
        certificate_chain=known.certificate,
    )
    assert answer == "m-1"


def test_a_client_without_a_certificate_is_not_answered(
    mocks: Mocks, mutual: Server, own: Identity
) -> None:
    with pytest.raises(ServiceUnavailableError):
        send(mutual, root_certificates=own.authority)
    assert not mocks.queue.on_send_message.calls


def test_a_client_whom_nobody_vouches_for_is_not_answered(
    mocks: Mocks, mutual: Server, own: Identity, stranger: Identity
) -> None:
    with pytest.raises(ServiceUnavailableError):
        send(
            mutual,
            root_certificates=own.authority,
            private_key=stranger.private_key,
            certificate_chain=stranger.certificate,
        )
    assert not mocks.queue.on_send_message.calls


def test_files_that_hold_no_certificates_are_named(mocks: Mocks, own: Identity) -> None:
    swapped = replace(own, private_key=own.certificate, certificate=own.private_key)
    with pytest.raises(ValidationError) as caught:
        serving(mocks, swapped).start()
    assert [it.field for it in caught.value.violations] == ["certificate_chain"]


def test_a_key_of_another_certificate_is_named(
    mocks: Mocks, own: Identity, stranger: Identity
) -> None:
    mixed = replace(own, private_key=stranger.private_key)
    with pytest.raises(ValidationError) as caught:
        serving(mocks, mixed).start()
    assert [it.field for it in caught.value.violations] == ["certificate_chain"]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"root_certificates": "key"}, "root_certificates"),
        ({"private_key": "pem", "certificate_chain": "key"}, "certificate_chain"),
    ],
)
def test_a_client_whose_files_hold_no_certificates_names_them(
    own: Identity, options: dict[str, str], field: str
) -> None:
    files = {"key": own.private_key, "pem": own.certificate}
    given: dict[str, Any] = {name: files[kind] for name, kind in options.items()}
    with (
        pytest.raises(ValidationError) as caught,
        LCPlatform("grpc", endpoint="127.0.0.1:1", **given) as platform,
    ):
        _ = platform.queue
    assert [it.field for it in caught.value.violations] == [field]


def test_an_encrypted_server_may_be_called_from_other_machines(mocks: Mocks, own: Identity) -> None:
    settings = ServerSettings(
        listen="0.0.0.0:0",
        grace=0,
        private_key=own.private_key,
        certificate_chain=own.certificate,
    )
    mocks.queue.on_send_message.returns(SendMessageResponse(message_id="m-1"))
    with (
        Server(mocks.platform(), settings) as server,
        LCPlatform(
            "grpc",
            endpoint=f"localhost:{server.endpoint.rpartition(':')[2]}",
            root_certificates=own.authority,
        ) as client,
    ):
        assert client.queue.send_message("orders", body="hello").message_id == "m-1"
