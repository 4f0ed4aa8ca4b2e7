"""The contract tests' own browser: it sends what it is told, and follows redirections no further than it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import pytest
from typing_extensions import override

from lcplatform_contract.contract_test import ContractTest

THERE: Final = "https://app.example/callback"
LEADS: Final = {
    "/login": ("/consent?step=1", "session=one; Path=/; HttpOnly"),
    "/consent": (f"{THERE}?code=c%20d&state=s", "session=two; Path=/"),
    "/round": ("/round", ""),
}


class Site(BaseHTTPRequestHandler):
    """Leads from one page to the next, and repeats what it was sent on the page that leads nowhere."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        where, cookie = LEADS.get(path, ("", ""))
        body = f"{self.command} {self.path} {self.headers.get('Cookie')}".encode()
        self.send_response(302 if where else 200)
        if where:
            self.send_header("Location", where)
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers["Content-Length"]))
        kind = str(self.headers["Content-Type"]).encode()
        self.send_response(303)
        self.send_header("Location", "/done")
        self.send_header("Set-Cookie", f"form={(kind + b' ' + form).hex()}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_redirection_is_not_followed_unless_that_is_asked_for(site: str) -> None:
    answer = ContractTest().http("GET", f"{site}/login")
    assert answer.status == 302
    assert answer.location == {"step": "1"}


def test_redirections_are_followed_up_to_the_url_that_is_named(site: str) -> None:
    answer = ContractTest().http("GET", f"{site}/login", until=THERE)
    assert answer.status == 302
    assert answer.location == {"code": "c d", "state": "s"}
    assert answer.body == b"GET /consent?step=1 session=one"


def test_an_answer_that_leads_nowhere_ends_it(site: str) -> None:
    answer = ContractTest().http("GET", f"{site}/page", until=THERE)
    assert answer.status == 200
    assert answer.location == {}


def test_a_form_is_sent_once_and_its_answer_followed_without_it(site: str) -> None:
    answer = ContractTest().http("POST", f"{site}/form", form={"user": "ada l"}, until=THERE)
    sent = b"application/x-www-form-urlencoded user=ada+l".hex().encode()
    assert answer.body == b"GET /done form=" + sent


def test_going_round_in_circles_is_noticed(site: str) -> None:
    with pytest.raises(pytest.fail.Exception, match="10 redirections"):
        ContractTest().http("GET", f"{site}/round", until=THERE)
