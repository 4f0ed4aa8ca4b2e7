"""The fake on a real socket: services that answer by hand, each call judged by its model, and the rest handed on to an emulator.

    with FakeAws([AppRunner()], behind=emulator.url) as aws:
        LCPlatform("aws", endpoint_url=aws.url, …)

A service is a class with `service`, its name in the SDK, and a method for each operation that it knows, named as in the SDK
(`create_service`). It takes the parameters and answers the result, or raises AwsError with one of the declared errors. Methods run one at a
time, after everything that has fallen due.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
import traceback
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self
from urllib.parse import urlsplit

from typing_extensions import override

from tests.fake_aws.api import Answer, Api, AwsError, Call, Request
from tests.fake_aws.shapes import Refused
from tests.fake_aws.time import Time

ACCOUNT: Final = "000000000000"
REGION: Final = "us-east-1"


class Service:
    """What the services of the fake have in common."""

    service: str

    def __init__(self) -> None:
        self.time = Time()
        """The server gives all services one."""

    def arn(self, resource: str, service: str | None = None) -> str:
        """The ARN of something of this service."""
        return f"arn:aws:{service or self.service}:{REGION}:{ACCOUNT}:{resource}"


@dataclass(frozen=True, slots=True)
class Fault:
    """What one call meets in the place of its answer."""

    status: int = 503
    code: str = "ServiceUnavailable"
    message: str = ""
    headers: Mapping[str, str] | None = None
    after: bool = False
    """Whether the call has its effect, and only the answer is lost."""
    reset: bool = False
    """Nothing is answered: the connection ends."""


class FakeAws:
    """The server. `calls` lists what was asked of the services here, in order, as `service:Operation`."""

    def __init__(self, services: Iterable[Service], *, behind: str | None = None) -> None:
        """`behind` is where every request goes that is for none of the services."""
        self.time = Time()
        self.calls: list[str] = []
        self.refused: list[str] = []
        """What our drivers asked that no model allows, and what the fake answered so: both are defects."""
        self._behind = behind
        self._apis: list[tuple[Api, Service]] = []
        for it in services:
            it.time = self.time
            self._apis.append((Api(it.service), it))
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._lock = threading.RLock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def will_fail(self, call: str, *faults: Fault) -> None:
        """Has the next calls of an operation, named `service:Operation`, meet these faults."""
        with self._lock:
            self._faults[call].extend(faults)

    def advance(self, by: timedelta) -> None:
        """Moves the time on, between two calls."""
        with self._lock:
            self.time.advance(by)

    def heal(self) -> None:
        """Takes back the faults that no call has met yet."""
        with self._lock:
            self._faults.clear()

    def stop(self) -> None:
        """Ends it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def answer(self, request: Request) -> Answer | None:
        """The answer to a request; None if the connection is to end without one."""
        for api, service in self._apis:
            found = None if api.signing_name != request.signing_name else api.operation(request)
            # What a service here does not know, the emulator behind it may.
            if found and (self._behind is None or _method(service, found.name) is not None):
                return self._answer(api, service, found.name, request)
        if self._behind is None:
            return Answer(
                501, {}, f"nobody here answers {request.method} {request.target}".encode()
            )
        return forwarded(self._behind, request)

    def _answer(self, api: Api, service: Service, name: str, request: Request) -> Answer | None:
        operation = api.model.operation_model(name)
        called = f"{api.service}:{name}"
        with self._lock:
            self.calls.append(called)
            fault = self._faults[called].popleft() if self._faults[called] else None
            if fault is not None and not fault.after:
                return _failed(api, fault)
            self.time.settle()
            try:
                answer = self._carried_out(api, service, api.call(operation, request))
            except Refused as refused:
                self.refused.append(f"{called}: {refused}")
                answer = api.failure(400, "ValidationException", {"message": str(refused)})
        return answer if fault is None else _failed(api, fault)

    def _carried_out(self, api: Api, service: Service, call: Call) -> Answer:
        method = _method(service, call.name)
        if method is None:
            return api.failure(501, "NotImplemented", {"message": f"the fake has no {call.name}"})
        try:
            return api.answer(call.operation, method(dict(call.given)) or {})
        except AwsError as error:
            return api.error(call.operation, error)


def _failed(api: Api, fault: Fault) -> Answer | None:
    if fault.reset:
        return None
    answer = api.failure(fault.status, fault.code, {"message": fault.message})
    return Answer(answer.status, {**answer.headers, **(fault.headers or {})}, answer.body)


def _method(
    service: Service, operation: str
) -> Callable[[dict[str, Any]], Mapping[str, Any] | None] | None:
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", operation).lower()
    found: Callable[[dict[str, Any]], Mapping[str, Any] | None] | None = getattr(
        service, name, None
    )
    return found


_HOP_BY_HOP: Final = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}
)


def forwarded(url: str, request: Request) -> Answer:
    """The answer of another server to the same request."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port or 80, timeout=60)
    try:
        headers = {
            name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP
        }
        connection.request(request.method, request.target, request.body, headers)
        answer = connection.getresponse()
        kept = {name: it for name, it in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
        return Answer(answer.status, kept, answer.read())
    finally:
        connection.close()


def _handler(aws: FakeAws) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        @override
        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except ConnectionError:  # a caller who has given up
                self.close_connection = True

        def _any(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            try:
                answer = aws.answer(Request(self.command, self.path, headers, body))
            except Exception:  # noqa: BLE001  a defect of the fake: the test sees it
                text = json.dumps({"message": traceback.format_exc()})
                aws.refused.append(text)
                answer = Answer(500, {"x-amzn-errortype": "InternalFailure"}, text.encode())
            if answer is None:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        # As the library looks for them.
        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _any  # noqa: N815

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Nothing is logged: `calls` tells."""

    return Handler
