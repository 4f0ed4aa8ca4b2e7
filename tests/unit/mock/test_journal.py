"""What is kept across restarts: written before it is acknowledged, whole or not at all, by one writer."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from lcplatform.errors import PreconditionFailedError, ValidationError
from lcplatform_mock.journal import Journal


@dataclass
class Note:
    text: str
    number: int = 0


def notes(journal: Journal) -> dict[str, Note]:
    return dict(journal.table("note", Note).load())


def test_what_was_flushed_is_there_after_a_restart(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    table = first.table("note", Note)
    table.put("a", Note("one"))
    table.put("b", Note("two"))
    table.put("a", Note("three", 3))
    table.remove("b")
    table.put("c", Note("four"))
    first.flush()
    first.close()
    second = Journal(tmp_path)
    assert notes(second) == {"a": Note("three", 3), "c": Note("four")}
    second.close()


def test_records_come_back_in_the_order_in_which_they_were_first_put(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    table = journal.table("note", Note)
    for key in "cab":
        table.put(key, Note(key))
    table.put("c", Note("again"))
    journal.flush()
    assert [key for key, _ in table.load()] == ["c", "a", "b"]
    table.clear()
    journal.flush()
    assert notes(journal) == {}
    journal.close()


def test_a_second_platform_is_refused_and_told_the_way_out(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    with pytest.raises(PreconditionFailedError, match="lcplatform serve"):
        Journal(tmp_path)
    first.close()
    Journal(tmp_path).close()


def test_a_state_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    Journal(tmp_path).close()
    database = sqlite3.connect(tmp_path / "state.db")
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(ValidationError, match="version 1, not 99"):
        Journal(tmp_path)


def test_a_state_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValidationError) as caught:
        Journal(tmp_path / "file")
    assert caught.value.violations[0].field == "state"


def test_what_is_sealed_cannot_be_read_from_the_files(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    table = journal.table("note", Note, sealed=True)
    table.put("a", Note("hunter2-hunter2"))
    journal.flush()
    assert dict(table.load()) == {"a": Note("hunter2-hunter2")}
    for path in tmp_path.iterdir():
        assert b"hunter2" not in path.read_bytes(), path
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    journal.close()


def test_the_key_may_be_given(tmp_path: Path) -> None:
    key = Fernet.generate_key()
    journal = Journal(tmp_path, key)
    journal.table("note", Note, sealed=True).put("a", Note("secret"))
    journal.close()
    assert not (tmp_path / "key").exists()
    again = Journal(tmp_path, key)
    assert dict(again.table("note", Note, sealed=True).load()) == {"a": Note("secret")}
    again.close()


@pytest.mark.parametrize(
    "key", [Fernet.generate_key(), b"too short", None], ids=["another", "no key", "none"]
)
def test_a_key_that_did_not_seal_the_state_is_refused_before_anything_is_read(
    tmp_path: Path, key: bytes | None
) -> None:
    right = Fernet.generate_key()
    journal = Journal(tmp_path, right)
    journal.table("note", Note, sealed=True).put("a", Note("secret"))
    journal.close()
    with pytest.raises(ValidationError) as caught:
        Journal(tmp_path, key)
    assert caught.value.violations[0].field == "state_key"
    assert right.decode() not in str(caught.value)
    Journal(tmp_path, right).close()  # the refusal let go of the directory


def test_a_flush_keeps_what_others_put_as_well(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    table = journal.table("note", Note)

    def work(number: int) -> None:
        for index in range(200):
            table.put(f"{number} {index}", Note("x", index))
            journal.flush()

    threads = [threading.Thread(target=work, args=(it,)) for it in range(8)]
    for it in threads:
        it.start()
    for it in threads:
        it.join()
    assert len(notes(journal)) == 1600
    journal.close()


def test_a_change_that_could_not_be_written_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    table, done = journal.table("note", Note), list[int]()
    table.put("a", Note("one"))
    journal.afterwards(lambda: done.append(1))
    blocker = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    journal._database.execute("PRAGMA busy_timeout = 1")
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError):
        journal.flush()
    assert not done
    blocker.execute("ROLLBACK")
    blocker.close()
    journal.flush()
    assert notes(journal) == {"a": Note("one")}
    assert done == [1]
    journal.close()


def test_what_was_flushed_outlives_a_process_that_is_killed(tmp_path: Path) -> None:
    script = """
import os, signal, sys
from dataclasses import dataclass
from pathlib import Path
from lcplatform_mock.journal import Journal

@dataclass
class Note:
    text: str
    number: int = 0

journal = Journal(Path(sys.argv[1]))
table = journal.table("note", Note)
for number in range(100):
    table.put(str(number), Note("kept", number))
    journal.flush()
table.put("lost", Note("never acknowledged"))
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert killed.returncode == -9
    journal = Journal(tmp_path)
    assert list(notes(journal)) == [str(it) for it in range(100)]
    journal.close()
