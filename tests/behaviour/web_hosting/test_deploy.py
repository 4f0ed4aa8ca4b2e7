"""`lcplatform deploy app.toml`, as somebody at a terminal uses it (SC-001)."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lcplatform import LCPlatform
from lcplatform.errors import ValidationError
from lcplatform_server.__main__ import main
from lcplatform_server.manifest import migrations, read
from lcplatform_server.server import Server
from lcplatform_server.settings import ServerSettings
from tests.behaviour.web_hosting.hosting import HERE, body, eventually, get, options

APPLICATION = f"""
[platform]
provider = "mock"

[application]
name = "shop"
command = ["{sys.executable}", "{HERE / "bound.py"}"]
secrets = {{SESSION_KEY = "session-key"}}

[bindings.uploads]
service = "object_store"
resource = "uploads"

[bindings.inbox]
service = "queue"
resource = "inbox"

[resources]
buckets = ["uploads"]
queues = ["inbox"]

[resources.secrets]
session-key = {{}}
"""

Command = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def command() -> Iterator[Command]:
    begun: list[subprocess.Popen[str]] = []

    def begin(*words: str) -> subprocess.Popen[str]:
        environment = {it: v for it, v in os.environ.items() if not it.startswith("LCPLATFORM_")}
        process = subprocess.Popen(
            [sys.executable, "-m", "lcplatform_server", "deploy", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**environment, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        begun.append(process)
        return process

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def written(folder: Path, text: str) -> str:
    path = folder / "app.toml"
    path.write_text(text)
    return str(path)


def url_of(process: subprocess.Popen[str]) -> tuple[str, list[str]]:
    """Where it says that the application runs, and what it said before."""
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        said.append(line.strip())
        if found := re.search(r"running at (http://\S+)", line):
            return found[1], said
    raise AssertionError((said, process.communicate()))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_command_deploys_an_application_with_what_it_needs_until_it_is_told_to_stop(
    command: Command, tmp_path: Path, number: signal.Signals
) -> None:
    process = command(written(tmp_path, APPLICATION))
    url, said = url_of(process)
    assert said[:4] == [
        "bucket uploads: created",
        "queue inbox: created",
        "secret session-key: created",
        "application shop: deploying",
    ]
    assert body(url, "/write") == '"ok"'
    assert body(url, "/read") == '"from within"'
    assert body(url, "/send") == '"ok"'
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert out.endswith("stopped\n")
    with pytest.raises(ConnectionRefusedError):
        get(url)


def test_a_second_run_updates_what_the_first_one_left(command: Command, tmp_path: Path) -> None:
    file = written(tmp_path, APPLICATION)
    state = f"--option=state={tmp_path / 'state'}"
    first = command(file, state)
    url, _ = url_of(first)
    body(url, "/write")
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=20)
    second = command(file, state)
    again, said = url_of(second)
    assert said[:4] == [
        "bucket uploads: there already",
        "queue inbox: there already",
        "secret session-key: there already",
        "application shop: updating",
    ]
    assert again == url
    assert body(url, "/read") == '"from within"'


def test_an_application_that_does_not_start_is_told_with_its_reason(
    command: Command, tmp_path: Path
) -> None:
    process = command(written(tmp_path, APPLICATION.replace("bound.py", "missing.py")))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "exited with code 2" in err
    assert "Traceback" not in err


def test_one_who_stops_it_while_it_starts_need_not_wait(command: Command, tmp_path: Path) -> None:
    text = APPLICATION.replace(f'"{HERE / "bound.py"}"', '"-c", "import time; time.sleep(600)"')
    process = command(written(tmp_path, text))
    assert process.stdout is not None
    next(line for line in process.stdout if "deploying" in line)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "stopped\n", "")


def test_over_grpc_it_leaves_the_application_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LCPLATFORM_PROVIDER", raising=False)
    text = """
    [application]
    name = "shop"
    image = "site"
    environment = {VERSION = "%s"}
    [resources]
    buckets = ["uploads"]
    """
    settings = ServerSettings(listen="127.0.0.1:0", grace=0)
    with LCPlatform("mock", **options()) as platform, Server(platform, settings) as server:
        words = ["--provider", "grpc", "--option", f"endpoint={server.endpoint}"]
        for version in ("1", "2"):
            assert main(["deploy", written(tmp_path, text % version), *words, "--detach"]) == 0
            (made,) = platform.web_hosting.iter_applications()
            assert body(made.url) == version
        said = capsys.readouterr().out
        assert "bucket uploads: created" in said
        assert "bucket uploads: there already" in said
        broken = (text % "3").replace('VERSION = "3"', 'EXIT = "9"')
        assert main(["deploy", written(tmp_path, broken), *words]) == 2
        assert "exited with code 9" in capsys.readouterr().err
        assert body(made.url) == "2"
        bare = text % "4"
        without = bare.replace('environment = {VERSION = "4"}', "")
        assert main(["deploy", written(tmp_path, without), *words]) == 0
        assert body(made.url) == "none"
        eventually(lambda: len(list(platform.web_hosting.iter_applications())) == 1)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (("name = ", "nmae = "), "application.nmae: there is no such key"),
        (("[resources]", "[resourcse]"), "resourcse: there is no such key"),
        (('"shop"', '"S"'), "name"),
        (('service = "queue"', 'service = "quueue"'), "service"),
        (('buckets = ["uploads"]', "buckets = 3"), "resources.buckets"),
        (('provider = "mock"', 'provder = "mock"'), "provder"),
        (("queues", 'migrations = "nowhere"\nqueues'), "resources.migrations"),
        (("session-key = {}", 'session-key = {environment = "NOT_SET_HERE"}'), "NOT_SET_HERE"),
        (("[application]", "[application"), "is no TOML"),
        (('provider = "mock"', 'provider = "aws"'), "application.image is needed"),
        (("command", "#"), "application.command is needed"),
    ],
)
def test_a_wrong_file_is_refused_by_the_name_of_its_key_before_anything_happens(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    wrong: tuple[str, str],
    named: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("LCPLATFORM_PROVIDER", raising=False)
    assert main(["deploy", written(tmp_path, APPLICATION.replace(*wrong, 1))]) == 2
    told = capsys.readouterr()
    assert named in told.err
    assert not told.out


def test_a_file_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deploy", "/nowhere/app.toml"]) == 2
    assert "/nowhere/app.toml: cannot be read" in capsys.readouterr().err


def test_the_mock_is_not_left_running(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deploy", written(tmp_path, APPLICATION), "--detach"]) == 2
    assert "the mock lives in this process" in capsys.readouterr().err


def test_migrations_are_read_from_a_folder_in_their_order(tmp_path: Path) -> None:
    for name, text in {
        "002_prices.sql": "CREATE TABLE price (n int)",
        "001_orders.up.sql": "CREATE TABLE orders (n int)",
        "001_orders.down.sql": "DROP TABLE orders",
        "notes.txt": "",
    }.items():
        (tmp_path / name).write_text(text)
    first, second = migrations(tmp_path)
    assert (first.version, first.name, first.down) == ("001", "orders", "DROP TABLE orders")
    assert (second.version, second.up, second.down) == ("002", "CREATE TABLE price (n int)", None)
    file = written(
        tmp_path.parent,
        f'[application]\nname = "shop"\n[resources]\nmigrations = "{tmp_path.name}"\n',
    )
    assert read(Path(file))[1] == (first, second)


@pytest.mark.parametrize("name", ["orders.sql", "001_orders.down.sql"])
def test_what_is_no_migration_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(ValidationError, match=r"resources\.migrations"):
        migrations(tmp_path)
