"""A server whose queue says that it was called and never answers."""

from __future__ import annotations

import sys
import threading
from typing import NoReturn

from lcplatform.mocks import Mocks
from lcplatform_server.server import Server
from lcplatform_server.settings import ServerSettings


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def stuck(_: object) -> NoReturn:
    say("called")
    threading.Event().wait()
    raise AssertionError


if __name__ == "__main__":
    mocks = Mocks()
    mocks.queue.on_send_message.returns(stuck)
    server = Server(mocks.platform(), ServerSettings(listen="127.0.0.1:0")).start()
    say(server.endpoint)
    threading.Event().wait()
