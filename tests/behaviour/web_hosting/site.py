"""A small web application, as somebody would write it, that the tests deploy: `python site.py` with PORT in its environment."""

import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from typing_extensions import override

STARTED = time.monotonic()


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path
        if path == "/crash":
            os._exit(3)
        if path == "/slow":
            time.sleep(0.5)
        if path == "/child":
            self.answer(
                200,
                str(subprocess.Popen(["sh", "-c", "trap : TERM; while :; do sleep 60; done"]).pid),
            )
        elif path == "/pid":
            self.answer(200, str(os.getpid()))
        elif path == "/health":
            self.answer(503 if "SICK" in os.environ else 200, "")
        elif path.startswith("/environment/"):
            self.answer(200, os.environ.get(path.removeprefix("/environment/"), "-"))
        elif path == "/names":
            self.answer(200, " ".join(sorted(os.environ)))
        else:
            self.answer(200, os.environ.get("VERSION", "none"))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, str(len(body)))

    def answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        say(f"asked for {self.path}")


if "EXIT" in os.environ:
    sys.stderr.write("leaving\n")
    sys.exit(int(os.environ["EXIT"]))
if "STUBBORN" in os.environ:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "LINES" in os.environ:
    for number in range(int(os.environ["LINES"])):
        say(f"line {number}")
server = ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page)
say("listening")
server.serve_forever()
