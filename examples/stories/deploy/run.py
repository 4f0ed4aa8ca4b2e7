"""Plays the story: one command deploys a gallery with its database and its bucket from one file (SC-001).

    python run.py

Visitors come and go, a process is killed, the command is stopped and given again. What the story says has been checked.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

HERE: Final = Path(__file__).parent
LCPLATFORM: Final = Path(sys.executable).with_name("lcplatform")
PATIENCE: Final = 60.0
"""For how many seconds something is waited for that comes by itself."""


def main() -> None:
    """Plays it. Whatever is not as it should be ends it with an AssertionError."""
    with tempfile.TemporaryDirectory(prefix="deploy-") as state:
        with deployed(state) as (url, said):
            assert "bucket gallery-pictures: created" in said
            assert "migrations: 1 of 1 applied now" in said
            gallery = Gallery(url)
            opening(gallery)
            crash(gallery)
            processes = gallery.processes()
        assert not any(map(lives, processes)), "a process is left"
        assert not gallery.answers(), "somebody answers"
        print("stopped: no process is left, and nobody answers")
        with deployed(state) as (again, said):
            assert "bucket gallery-pictures: there already" in said
            assert "migrations: 0 of 1 applied now" in said
            assert again == url
            assert [it["title"] for it in gallery.list()] == ["Sunrise"]
            assert gallery.ask("GET", "/pictures/1") == (200, b"red and gold")
            print("the same URL, and the gallery as it was left")


def opening(gallery: Gallery) -> None:
    """Pictures are hung, looked at, exchanged and taken down, in the database and in the bucket."""
    assert gallery.list() == []
    assert gallery.add("Sunset", b"red") == 1
    assert gallery.add("Fog", b"grey on grey") == 2
    assert gallery.ask("GET", "/pictures/2") == (200, b"grey on grey")
    assert gallery.ask("PUT", "/pictures/1?title=Sunrise", b"red and gold")[0] == 200
    assert gallery.ask("GET", "/pictures/1") == (200, b"red and gold")
    assert gallery.ask("DELETE", "/pictures/2")[0] == 200
    assert gallery.ask("GET", "/pictures/2")[0] == 404
    assert gallery.ask("POST", "/pictures", b"without a title")[0] == 400
    assert gallery.list() == [{"id": 1, "title": "Sunrise"}]
    print(f"{gallery.asked} requests: created, read, changed and deleted, rows and objects alike")


def crash(gallery: Gallery) -> None:
    """A process is killed, and no visitor notices."""
    first, second = gallery.processes()
    os.kill(first, signal.SIGKILL)
    eventually(lambda: not lives(first))
    now = gallery.processes()
    assert second in now
    assert first not in now
    print(
        f"process {first} was killed, {(now - {second}).pop()} took its place; all requests were answered"
    )


class Gallery:
    """The application, as its visitors see it."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc
        self.asked = 0
        self.process = 0

    def list(self) -> list[dict[str, object]]:
        """The pictures without what is on them."""
        status, body = self.ask("GET", "/pictures")
        assert status == 200, body
        found: list[dict[str, object]] = json.loads(body)
        return found

    def add(self, title: str, picture: bytes) -> int:
        """Hangs a picture and returns its number."""
        status, body = self.ask("POST", f"/pictures?title={quote(title)}", picture)
        assert status == 201, body
        number: int = json.loads(body)["id"]
        return number

    def processes(self) -> set[int]:
        """The two processes that answer, in turn."""
        found: set[int] = set()

        def both() -> bool:
            assert self.ask("GET", "/pictures")[0] == 200
            found.add(self.process)
            return len(found) == 2

        eventually(both)
        return found

    def answers(self) -> bool:
        """Whether anybody is there."""
        try:
            self.ask("GET", "/health")
        except ConnectionRefusedError:
            return False
        return True

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """What is answered."""
        connection = HTTPConnection(self._address, timeout=PATIENCE)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            self.asked += 1
            self.process = int(answer.headers.get("X-Process", "0"))
            return answer.status, answer.read()
        finally:
            connection.close()


@contextmanager
def deployed(state: str) -> Iterator[tuple[str, list[str]]]:
    """The application, run by the command until the context ends: its URL, and what the command said."""
    command = [str(LCPLATFORM), "deploy", "app.toml", "--option", f"state={state}"]
    path = f"{LCPLATFORM.parent}{os.pathsep}{os.environ.get('PATH', '')}"  # where its Python is
    print("$ lcplatform deploy app.toml --option state=...", flush=True)
    started = time.perf_counter()
    with subprocess.Popen(
        command, cwd=HERE, env={**os.environ, "PATH": path}, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said: list[str] = []
        try:
            for line in process.stdout:
                said.append(line.strip())
                print(f"  {said[-1]}", flush=True)
                if "running at" in line:
                    break
            else:
                sys.exit("The command ended before the application ran.")
            print(f"{time.perf_counter() - started:.1f} seconds from the command to the answer")
            yield line.split()[-1], said
        finally:
            process.send_signal(signal.SIGINT)  # as Ctrl-C does
            process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def eventually(true: Callable[[], bool]) -> None:
    """Returns when that is true."""
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.02)


def lives(pid: int) -> bool:
    """Whether there is such a process."""
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


if __name__ == "__main__":
    main()
