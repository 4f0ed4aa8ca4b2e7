"""A gallery over HTTP: pictures in a bucket, their titles in a database. It says neither where these are nor who provides them.

GET    /pictures            the titles, in JSON
POST   /pictures?title=...  a new picture
GET    /pictures/7          a picture
PUT    /pictures/7?title=.. another picture and title in its place
DELETE /pictures/7
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from lcplatform import LCPlatform
from lcplatform.data_store import Row
from lcplatform.errors import ResourceNotFoundError, ValidationError

platform = LCPlatform.from_env()
database, objects = platform.data_store, platform.object_store
BUCKET = platform.bindings["pictures"].resource or ""


def listed() -> object:
    rows = database.query("SELECT id, title FROM picture ORDER BY id").rows
    return [{"id": row.values[0], "title": row.values[1]} for row in rows]


def added(title: str, picture: bytes) -> object:
    key = str(uuid4())
    objects.put_object(BUCKET, key, picture)  # first, so that no title is without its picture
    row = "INSERT INTO picture (title, key) VALUES ($1, $2) RETURNING id"
    return {"id": database.execute(row, [title, key]).rows[0].values[0]}


def shown(number: int) -> bytes:
    rows = database.query("SELECT key FROM picture WHERE id = $1", [number]).rows
    return objects.get_object(BUCKET, one(rows)).read()


def changed(number: int, title: str, picture: bytes) -> None:
    row = "UPDATE picture SET title = $2 WHERE id = $1 RETURNING key"
    objects.put_object(BUCKET, one(database.execute(row, [number, title]).rows), picture)


def removed(number: int) -> None:
    row = "DELETE FROM picture WHERE id = $1 RETURNING key"
    objects.delete_object(BUCKET, one(database.execute(row, [number]).rows))


def one(rows: Sequence[Row]) -> str:
    if not rows:
        raise ResourceNotFoundError("there is no such picture")
    return str(rows[0].values[0])


def answer(method: str, path: str, title: str, body: bytes) -> tuple[int, object]:
    match method, path.strip("/").split("/"):
        case "GET", ["health"]:
            return 200, "well"
        case "GET", ["pictures"]:
            return 200, listed()
        case "POST", ["pictures"]:
            return 201, added(title, body)
        case "GET", ["pictures", number]:
            return 200, shown(int(number))
        case "PUT", ["pictures", number]:
            changed(int(number), title, body)
            return 200, "changed"
        case "DELETE", ["pictures", number]:
            removed(int(number))
            return 200, "removed"
    return 404, "there is nothing here"


class Page(BaseHTTPRequestHandler):
    def respond(self) -> None:
        url = urlsplit(self.path)
        title = parse_qs(url.query).get("title", [""])[0]
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        try:
            status, told = answer(self.command, url.path, title, body)
        except (ResourceNotFoundError, ValueError):
            status, told = 404, "there is no such picture"
        except ValidationError:
            status, told = 400, "a picture needs a title"
        content = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Process", str(os.getpid()))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = respond  # noqa: N815  so http.server calls them


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
