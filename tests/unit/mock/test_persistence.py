"""With a state directory, everything that was acknowledged is there after a restart, however the process ended (FR-061)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from cryptography.fernet import Fernet

from lcplatform import Json, LCPlatform
from lcplatform.errors import PreconditionFailedError, ResourceNotFoundError, ValidationError
from lcplatform.object_store.models import LifecycleRule
from lcplatform.queue.models import SendMessagesEntry
from lcplatform.secrets.models import VersionStage
from lcplatform_mock.services import Services
from lcplatform_runtime.testing.clock import ManualClock

DAY = timedelta(days=1)


class Home:
    """A platform that is closed and opened again, with a clock that goes on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock()

    @contextmanager
    def life(self, **options: Any) -> Iterator[LCPlatform]:
        with LCPlatform("mock", state=self.folder, clock=self.clock, **options) as platform:
            yield platform


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "state")


# --- secrets


def test_a_secret_keeps_its_versions_and_its_value_of_every_kind(home: Home) -> None:
    with home.life() as platform:
        secrets = platform.secrets
        first = secrets.create_secret("text", "one", description="d", tags={"a": "b"}).version
        secrets.put_secret_value("text", "two", idempotency_key="again")
        pending = secrets.put_secret_value("text", "three", pending=True).version
        secrets.create_secret("json", {"user": "u", "password": "p"})
        secrets.create_secret("bytes", b"\x00\xff")
        before = secrets.describe_secret("text").secret
    with home.life() as platform:
        secrets = platform.secrets
        assert secrets.describe_secret("text").secret == before
        assert secrets.get_secret("text").value == "two"
        assert secrets.get_secret("text", version=first).value == "one"
        assert secrets.get_secret("text", stage=VersionStage.PREVIOUS).value == "one"
        assert secrets.get_secret("text", stage=VersionStage.PENDING).version == pending
        assert secrets.get_secret("json").value == Json({"user": "u", "password": "p"})
        assert secrets.get_secret("bytes").value == b"\x00\xff"
        versions = len(secrets.list_secret_versions("text").versions)
        secrets.put_secret_value("text", "two", idempotency_key="again")
        assert len(secrets.list_secret_versions("text").versions) == versions


def test_a_deleted_secret_is_gone_for_good_in_time(home: Home) -> None:
    with home.life() as platform:
        platform.secrets.create_secret("old", "x")
        platform.secrets.create_secret("saved", "x")
        platform.secrets.delete_secret("old", recovery_window=7 * DAY)
        platform.secrets.delete_secret("saved", recovery_window=7 * DAY)
        platform.secrets.restore_secret("saved")
    home.clock.advance(8 * DAY)
    with home.life() as platform:
        with pytest.raises(ResourceNotFoundError):
            platform.secrets.describe_secret("old")
        assert platform.secrets.get_secret("saved").value == "x"
    with home.life() as platform, pytest.raises(ResourceNotFoundError):
        platform.secrets.describe_secret("old")


def test_rotations_go_on(home: Home) -> None:
    handlers = {"rotation_handlers": {"next": lambda value: f"{value}+"}}
    with home.life(**handlers) as platform:
        platform.secrets.create_secret("key", "k")
        platform.secrets.configure_rotation("key", every=DAY, handler="next")
    home.clock.advance(DAY)
    with home.life(**handlers) as platform:
        assert platform.secrets.get_secret("key").value == "k+"
        home.clock.advance(DAY)
        platform.control.advance_clock(timedelta())
    with home.life(**handlers) as platform:
        assert platform.secrets.get_secret("key").value == "k++"


def test_a_rotation_that_was_given_up_stays_so(home: Home) -> None:
    with home.life() as platform:
        platform.secrets.create_secret("key", "one")
        platform.secrets.put_secret_value("key", "two", pending=True)
        platform.secrets.cancel_rotation("key")
    with home.life() as platform:
        platform.secrets.put_secret_value("key", "three", pending=True)


def test_no_secret_is_written_in_the_clear(home: Home) -> None:
    with home.life() as platform:
        platform.secrets.create_secret("key", "canary-91f2")
        platform.secrets.put_secret_value("key", {"password": "canary-91f2"})
    for path in home.folder.rglob("*"):
        assert not path.is_file() or b"canary-91f2" not in path.read_bytes(), path


# --- queues


def test_messages_keep_their_place_their_leases_and_their_delays(home: Home) -> None:
    with home.life() as platform:
        queue = platform.queue
        queue.create_queue("orders", visibility_timeout=timedelta(seconds=30))
        queue.send_message("orders", {"n": 1}, attributes={"a": "b"})
        held = queue.receive_messages("orders").messages[0]
        queue.send_message("orders", "two")
        queue.send_message("orders", b"\xff", delay=timedelta(seconds=60))
        info = queue.get_queue("orders").queue
    with home.life() as platform:
        queue = platform.queue
        assert queue.get_queue("orders").queue == info
        messages = queue.receive_messages("orders", max_messages=10).messages
        assert [it.body for it in messages] == ["two"]
        queue.delete_message("orders", messages[0].receipt_handle)
        home.clock.advance(31)
        again = queue.receive_messages("orders").messages[0]
        assert (again.id, again.receive_count, again.body) == (held.id, 2, Json({"n": 1}))
        assert again.attributes == {"a": "b"}
        assert again.receipt_handle != held.receipt_handle
        home.clock.advance(30)
        late = queue.receive_messages("orders", max_messages=10).messages
        assert b"\xff" in [it.body for it in late]


def test_a_receipt_of_the_life_before_still_works(home: Home) -> None:
    with home.life() as platform:
        platform.queue.create_queue("orders")
        platform.queue.send_message("orders", "x")
        receipt = platform.queue.receive_messages("orders").messages[0].receipt_handle
    with home.life() as platform:
        platform.queue.change_visibility("orders", receipt, visibility_timeout=timedelta(minutes=5))
    with home.life() as platform:
        platform.queue.delete_message("orders", receipt)
        assert platform.queue.get_queue("orders").queue.in_flight_messages == 0
    with home.life() as platform:
        home.clock.advance(3600)
        assert platform.queue.receive_messages("orders").messages == ()


def test_order_groups_and_duplicates_outlive_a_restart(home: Home) -> None:
    with home.life() as platform:
        queue = platform.queue
        queue.create_queue("orders", fifo=True)
        first = queue.send_message("orders", "a1", group_id="a", deduplication_id="1")
        queue.send_message("orders", "a2", group_id="a")
        queue.send_message("orders", "b1", group_id="b")
        held = queue.receive_messages("orders").messages
        assert [it.body for it in held] == ["a1"]
    with home.life() as platform:
        queue = platform.queue
        assert queue.send_message("orders", "a1", group_id="a", deduplication_id="1") == first
        last = queue.send_message("orders", "a3", group_id="a")
        assert (last.sequence or "") > (first.sequence or "")
        assert [it.body for it in queue.receive_messages("orders", max_messages=10).messages] == [
            "b1"
        ]
        queue.delete_message("orders", held[0].receipt_handle)
        assert [it.body for it in queue.receive_messages("orders", max_messages=10).messages] == [
            "a2",
            "a3",
        ]


def test_dead_letters_know_where_they_came_from(home: Home) -> None:
    with home.life() as platform:
        queue = platform.queue
        queue.create_queue("dead")
        queue.create_queue("orders", dead_letter_queue="dead", max_receive_count=1)
        queue.send_message("orders", "bad")
        queue.receive_messages("orders", visibility_timeout=timedelta())
        assert queue.receive_messages("orders").messages == ()
    with home.life() as platform:
        queue = platform.queue
        assert [it.body for it in queue.peek_dead_letters("orders").messages] == ["bad"]
        assert queue.redrive_dead_letters("orders").moved == 1
    with home.life() as platform:
        assert [it.body for it in platform.queue.receive_messages("orders").messages] == ["bad"]
        assert platform.queue.get_queue("dead").queue.available_messages == 0


def test_what_was_deleted_or_purged_stays_away(home: Home) -> None:
    with home.life() as platform:
        queue = platform.queue
        for name in ("purged", "gone"):
            queue.create_queue(name)
            queue.send_messages(name, [SendMessagesEntry(body="x"), SendMessagesEntry(body="y")])
        queue.purge_queue("purged")
        queue.delete_queue("gone")
        queue.create_queue("gone")
    with home.life() as platform:
        for name in ("purged", "gone"):
            assert platform.queue.receive_messages(name).messages == ()


# --- objects


def test_objects_keep_their_bodies_and_what_is_known_of_them(home: Home) -> None:
    body = bytes(range(256)) * 4096
    with home.life() as platform:
        objects = platform.object_store
        objects.create_bucket("plain")
        objects.put_object("plain", "a/b", body, content_type="x/y", metadata={"k": "v"})
        objects.put_object("plain", "empty", b"")
        objects.put_object_tags("plain", "a/b", tags={"t": "1"})
        objects.copy_object("plain", "copy", source_key="a/b")
        objects.put_object("plain", "a/b2", b"old")
        objects.put_object("plain", "a/b2", b"new")
        objects.put_object("plain", "gone", b"gone")
        objects.delete_object("plain", "gone")
        head = objects.head_object("plain", "a/b")
        listed = objects.list_objects("plain").objects
    with home.life() as platform:
        objects = platform.object_store
        assert objects.head_object("plain", "a/b") == head
        assert objects.list_objects("plain").objects == listed
        assert objects.get_object("plain", "a/b").read() == body
        assert objects.get_object("plain", "empty").read() == b""
        assert objects.get_object("plain", "copy").read() == body
        assert objects.get_object("plain", "a/b2").read() == b"new"
        assert objects.get_object_tags("plain", "a/b").tags == {"t": "1"}
        objects.delete_object("plain", "a/b")
        assert objects.get_object("plain", "copy").read() == body


def test_versions_stay_in_their_order(home: Home) -> None:
    with home.life() as platform:
        objects = platform.object_store
        objects.create_bucket("kept", versioning=True)
        versions = [objects.put_object("kept", "k", f"{it}".encode()).version for it in range(20)]
        objects.delete_object("kept", "k")
    with home.life() as platform:
        objects = platform.object_store
        versions += [
            objects.put_object("kept", "k", f"{it}".encode()).version for it in range(20, 25)
        ]
        listed = [
            it.version for it in objects.iter_object_versions("kept", page_size=3) if not it.deleted
        ]
        assert listed == versions[::-1]
        assert objects.get_object("kept", "k", version=versions[3]).read() == b"3"
        objects.delete_object("kept", "k", version=versions[24])
    with home.life() as platform:
        assert platform.object_store.get_object("kept", "k").read() == b"23"


def test_objects_expire_although_nobody_was_there(home: Home) -> None:
    with home.life() as platform:
        rule = LifecycleRule(prefix="tmp/", expire_after=DAY)
        platform.object_store.create_bucket("logs", lifecycle=[rule])
        platform.object_store.put_object("logs", "tmp/a", b"x")
        platform.object_store.put_object("logs", "b", b"x")
    home.clock.advance(2 * DAY)
    with home.life() as platform:
        assert [it.key for it in platform.object_store.list_objects("logs").objects] == ["b"]


def test_no_file_is_left_of_what_is_gone(home: Home) -> None:
    with home.life() as platform:
        objects = platform.object_store
        objects.create_bucket("plain")
        for _ in range(5):
            objects.put_object("plain", "k", b"x" * 1000)

        def broken() -> Iterator[bytes]:
            yield b"half"
            raise RuntimeError("the reader broke")

        with pytest.raises(ValidationError):
            objects.put_object("plain", "half", broken())
        objects.put_object("plain", "other", b"y")
        objects.delete_object("plain", "other")
    assert len([it for it in (home.folder / "objects").iterdir() if it.is_file()]) == 1


def test_a_reader_keeps_what_it_began_to_read(home: Home) -> None:
    body = b"x" * 3_000_000
    with home.life() as platform:
        objects = platform.object_store
        objects.create_bucket("plain")
        objects.put_object("plain", "k", body)
        with objects.get_object("plain", "k") as reading:
            chunks = iter(reading)
            begun = next(chunks)
            objects.put_object("plain", "k", b"new")
            objects.delete_object("plain", "k")
            assert begun + b"".join(chunks) == body


def test_a_presigned_url_is_answered_by_the_next_life(home: Home) -> None:
    with home.life() as platform:
        platform.object_store.create_bucket("plain")
        platform.object_store.put_object("plain", "k", b"body")
        url = platform.object_store.generate_presigned_url("plain", "k").url
    with home.life(), urlopen(url) as answer:
        assert answer.read() == b"body"


# --- all of it


def test_a_snapshot_brings_back_what_was_kept(home: Home) -> None:
    with home.life() as platform:
        platform.queue.create_queue("orders")
        platform.queue.send_message("orders", "x")
        platform.object_store.create_bucket("plain")
        platform.object_store.put_object("plain", "k", b"before")
        platform.secrets.create_secret("key", "before")
        snapshot = platform.control.take_snapshot().snapshot_id
        platform.queue.purge_queue("orders")
        platform.object_store.put_object("plain", "k", b"after")
        platform.secrets.put_secret_value("key", "after")
        platform.control.restore_snapshot(snapshot)
    with home.life() as platform:
        assert platform.secrets.get_secret("key").value == "before"
        assert platform.object_store.get_object("plain", "k").read() == b"before"
        assert [it.body for it in platform.queue.receive_messages("orders").messages] == ["x"]


def test_the_clock_that_was_moved_stays_ahead(tmp_path: Path) -> None:
    with LCPlatform("mock", state=tmp_path) as platform:
        ahead = platform.control.advance_clock(30 * DAY).now
    with LCPlatform("mock", state=tmp_path) as platform:
        assert timedelta() <= platform.control.advance_clock(timedelta()).now - ahead < DAY


def test_a_seed_makes_no_name_twice(home: Home) -> None:
    etags = set()
    for _ in range(3):
        with home.life(seed=7) as platform:
            objects = platform.object_store
            if not objects.list_buckets().buckets:
                objects.create_bucket("plain")
            etags |= {objects.put_object("plain", "k", b"x").etag for _ in range(3)}
    assert len(etags) == 9


@pytest.mark.parametrize(
    "key", ["too short", Fernet.generate_key().decode()], ids=["no key", "another"]
)
def test_a_wrong_key_is_named_and_leaves_the_directory_free(home: Home, key: str) -> None:
    with home.life() as platform:
        platform.secrets.create_secret("key", "value")
    with pytest.raises(ValidationError) as caught, home.life(state_key=key):
        pass
    assert caught.value.violations[0].field == "state_key"
    assert key not in str(caught.value)
    with home.life() as platform:
        assert platform.secrets.get_secret("key").value == "value"


def test_a_state_that_cannot_be_taken_up_leaves_the_directory_free(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with home.life() as platform:
        platform.queue.create_queue("orders")
    with monkeypatch.context() as broken:
        broken.setattr(Services, "open", lambda self, drivers: 1 // 0)
        with pytest.raises(ZeroDivisionError), home.life():
            pass
    with home.life() as platform:
        assert platform.queue.get_queue("orders").queue.name == "orders"


# --- configurations


def test_a_configuration_keeps_its_versions_and_what_was_deleted(home: Home) -> None:
    schema = {"type": "object", "required": ["rate"]}
    with home.life() as platform:
        configuration = platform.configuration
        first = configuration.create_configuration(
            "shop", "test", data={"rate": 1}, schema=schema, description="d"
        )
        second = configuration.update_configuration("shop", "test", data={"rate": 2})
        configuration.create_configuration("old", "test", data={})
        configuration.delete_configuration("old", "test")
        listed = configuration.list_versions("shop", "test").versions
    with home.life() as platform:
        configuration = platform.configuration
        now = configuration.get_configuration("shop", "test")
        assert (now.data, now.version, now.etag) == (Json({"rate": 2}), second.version, second.etag)
        assert configuration.list_versions("shop", "test").versions == listed
        earlier = configuration.get_configuration("shop", "test", version=first.version)
        assert earlier.data == Json({"rate": 1})
        with pytest.raises(ValidationError):  # its schema is there as well
            configuration.update_configuration("shop", "test", data={})
        configuration.restore_configuration("old", "test")
    home.clock.advance(31 * DAY)
    with home.life() as platform:
        assert platform.configuration.get_configuration("old", "test").data == Json({})


def test_a_directory_serves_one_platform_at_a_time(tmp_path: Path) -> None:
    with (
        LCPlatform("mock", state=tmp_path),
        pytest.raises(PreconditionFailedError, match="lcplatform serve"),
    ):
        LCPlatform("mock", state=tmp_path)
    LCPlatform("mock", state=tmp_path).close()


def test_what_was_acknowledged_outlives_a_process_that_is_killed(tmp_path: Path) -> None:
    script = """
import sys
from lcplatform import LCPlatform
with LCPlatform("mock", state=sys.argv[1]) as platform:
    platform.queue.create_queue("orders")
    platform.object_store.create_bucket("plain")
    number = 0
    while True:
        platform.queue.send_message("orders", str(number))
        platform.object_store.put_object("plain", str(number), b"x" * 100_000)
        platform.secrets.create_secret(f"key-{number}", str(number))
        platform.configuration.create_configuration(f"app-{number}", "test", data={"n": number})
        print(number, flush=True)
        number += 1
"""
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(50)][-1]
        process.kill()
        acknowledged = max([acknowledged, *map(int, process.stdout.read().split())])
    with LCPlatform("mock", state=tmp_path) as platform:
        sent: set[str] = set()
        while messages := platform.queue.receive_messages("orders", max_messages=10).messages:
            sent |= {str(it.body) for it in messages}
        for number in range(acknowledged + 1):
            assert str(number) in sent
            body = platform.object_store.get_object("plain", str(number)).read()
            assert body == b"x" * 100_000
            assert platform.secrets.get_secret(f"key-{number}").value == str(number)
            kept = platform.configuration.get_configuration(f"app-{number}", "test")
            assert kept.data == Json({"n": number})
