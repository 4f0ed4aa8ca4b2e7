"""The emulators start, serve, end with their starter and say what went wrong."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import psutil
import pymongo
import pytest

from tests import emulators
from tests.emulators import (
    Emulator,
    EmulatorError,
    start_ministack,
    start_moto,
    start_secantusdb,
)

ROOT = Path(__file__).resolve().parents[2]

STARTER = """
import sys
from tests.emulators import start_ministack, start_moto
emulator = {"moto": start_moto, "ministack": start_ministack}[sys.argv[1]]()
print(emulator.pid, flush=True)
sys.stdin.read()
"""


def put_and_get(emulator: Emulator) -> bytes:
    s3 = boto3.client(
        "s3",
        endpoint_url=emulator.url,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    try:
        s3.create_bucket(Bucket="shelf")
        s3.put_object(Bucket="shelf", Key="book", Body=b"once upon a time")
        with s3.get_object(Bucket="shelf", Key="book")["Body"] as body:
            content: bytes = body.read()
            return content
    finally:
        s3.close()


def assert_port_is_free(url: str) -> None:
    address = urlsplit(url)
    assert address.hostname is not None
    with socket.socket() as probe:
        # Connections of a moment ago may linger on the port; a listener would still be refused.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address.hostname, address.port))
        probe.listen()


@pytest.mark.parametrize("start", [start_moto, start_ministack])
def test_an_emulator_serves_until_it_is_stopped(start: Callable[[], Emulator]) -> None:
    emulator = start()
    try:
        assert put_and_get(emulator) == b"once upon a time"
    finally:
        emulator.stop()
    assert not psutil.pid_exists(emulator.pid)
    assert_port_is_free(emulator.url)
    emulator.stop()


def test_the_emulator_of_mongodb_serves_until_it_is_stopped() -> None:
    with (
        start_secantusdb() as emulator,
        pymongo.MongoClient[dict[str, object]](emulator.url) as client,
    ):
        client["library"]["books"].insert_one({"_id": 1, "title": "once upon a time"})
        assert client["library"]["books"].count_documents({"title": "once upon a time"}) == 1
    assert_port_is_free(emulator.url)


@pytest.mark.parametrize("start", [start_moto, start_ministack, start_secantusdb])
def test_an_emulator_listens_on_loopback_alone(start: Callable[[], Emulator]) -> None:
    with start() as emulator:
        listening = {
            connection.laddr.ip
            for connection in psutil.Process(emulator.pid).net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        }
    assert listening == {"127.0.0.1"}


@pytest.mark.parametrize("name", ["moto", "ministack"])
def test_an_emulator_ends_when_its_starter_is_killed(name: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, name],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as starter:
        assert starter.stdout is not None
        emulator = psutil.Process(int(starter.stdout.readline()))
        home = Path(emulator.cwd())
        starter.send_signal(signal.SIGKILL)
        starter.wait()
        emulator.wait(timeout=10)
    assert not emulator.is_running()
    assert not home.exists()


def test_what_an_emulator_prints_is_shown_when_it_does_not_start() -> None:
    with pytest.raises(EmulatorError, match="port must be 0-65535"):
        start_ministack({"GATEWAY_PORT": "70000"})


def test_a_missing_environment_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EMULATORS_VENV", str(tmp_path))
    with pytest.raises(EmulatorError, match="make setup"):
        start_moto()


def test_a_taken_port_is_tried_again_on_another(monkeypatch: pytest.MonkeyPatch) -> None:
    free = emulators._free_port
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = [taken.getsockname()[1], free()]
        monkeypatch.setattr(emulators, "_free_port", lambda: ports.pop(0))
        with start_ministack() as emulator:
            assert put_and_get(emulator) == b"once upon a time"
    assert ports == []


def test_the_fixtures_hand_out_running_emulators(moto: Emulator, ministack: Emulator) -> None:
    assert moto.url != ministack.url
    assert {os.getpgid(moto.pid), os.getpgid(ministack.pid)} == {moto.pid, ministack.pid}
