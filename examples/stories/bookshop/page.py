"""What stands for the image of the site on the mock: it answers with GREETING, and with any other variable by its name."""

from __future__ import annotations

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Page(BaseHTTPRequestHandler):
    """The pages of the site."""

    def do_GET(self) -> None:
        """Answers with the value of a variable."""
        name = self.path.removeprefix("/environment/").strip("/") or "GREETING"
        value = os.environ.get(name)
        self.send_response(404 if value is None else 200)
        self.end_headers()
        self.wfile.write((value or "there is no such variable").encode())


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
