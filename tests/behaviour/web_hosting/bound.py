"""An application that reaches the platform it runs on through its bindings, and tells what became of each attempt."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from typing_extensions import override

from lcplatform import LCPlatform
from lcplatform.errors import LCPlatformError

platform = LCPlatform.from_env()
objects, queues, hosting = platform.object_store, platform.queue, platform.web_hosting


def bound(name: str) -> str:
    return platform.bindings[name].resource or ""


ATTEMPTS: dict[str, Callable[[], object]] = {
    "/": lambda: "well",
    "/bindings": lambda: {
        name: [one.service, one.resource, one.access] for name, one in platform.bindings.items()
    },
    "/write": lambda: objects.put_object(bound("uploads"), "key", b"from within").etag and "ok",
    "/read": lambda: objects.get_object(bound("uploads"), "key").read().decode(),
    "/delete": lambda: repr(objects.delete_object(bound("uploads"), "key")),
    "/send": lambda: queues.send_message(bound("inbox"), "from within").message_id and "ok",
    "/receive": lambda: len(queues.receive_messages(bound("inbox")).messages),
    "/describe": lambda: len(platform.describe().services),
    "/other-bucket": lambda: objects.get_object("private", "key").read().decode(),
    "/copy-from-other": lambda: objects.copy_object(
        bound("uploads"), "copy", source_bucket="private", source_key="key"
    ),
    "/all-buckets": lambda: [one.name for one in objects.iter_buckets()],
    "/other-queue": lambda: queues.send_message("private", "x"),
    "/dead-letters": lambda: queues.update_queue(
        bound("inbox"), dead_letter_queue="private", max_receive_count=1
    ),
    "/secret": lambda: platform.secrets.get_secret("private").value,
    "/deploy": lambda: hosting.deploy_application("another", image="site"),
    "/logs": lambda: list(hosting.get_logs("another")),
    "/control": lambda: platform.control.take_snapshot(),
}


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        try:
            told = ATTEMPTS[self.path]()
        except LCPlatformError as error:
            told = error.code
        body = json.dumps(told, default=str).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
