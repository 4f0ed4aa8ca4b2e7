"""What the tests of applications in real processes do again and again."""

from __future__ import annotations

import http.client
import os
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lcplatform import LCPlatform
from lcplatform.web_hosting import Application

HERE = Path(__file__).parent
SITE = [sys.executable, str(HERE / "site.py")]
SOON = timedelta(seconds=30)


def options(**more: Any) -> dict[str, Any]:
    """The options of a mock that runs the site as an image of its name, without much patience."""
    chosen = {"images": {"site": SITE}, "start_timeout": 20, "grace": 3, **more}
    return {"web_hosting": chosen}


def deploy(platform: LCPlatform, name: str = "shop", **more: Any) -> Application:
    """A deployed site that runs."""
    made = platform.web_hosting.deploy_application(name, **{"image": "site", **more}).application
    return platform.web_hosting.wait_until_running(made.application_id, timeout=SOON)


def told(platform: LCPlatform, application: Application) -> Application:
    """The application as it is now."""
    return platform.web_hosting.get_application(application.application_id).application


def get(url: str | None, path: str = "/") -> tuple[int, str]:
    """Status and body of an answer."""
    assert url is not None
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def body(url: str | None, path: str = "/") -> str:
    """The body of an answer that is a success."""
    status, text = get(url, path)
    assert status == 200, (status, text)
    return text


def eventually(read: Callable[[], bool], seconds: float = 20) -> None:
    """Returns when that is true."""
    until = time.monotonic() + seconds
    while not read():
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.02)


def lives(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


def pids(url: str | None, count: int) -> set[int]:
    """The processes that answer, of which there are so many."""
    found: set[int] = set()

    def enough() -> bool:
        found.add(int(body(url, "/pid")))
        return len(found) >= count

    eventually(enough)
    return found
