"""Answers presigned URLs over HTTP on a loopback address, so that they can be used as those of a cloud are (FR-033)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import format_datetime
from functools import partial
from http import HTTPStatus
from math import ceil
from typing import ClassVar, Final

from pydantic import ConfigDict
from typing_extensions import override

from lcplatform.object_store.driver import ObjectStoreDriver
from lcplatform.object_store.models import (
    ByteRange,
    DeleteObjectRequest,
    GeneratePresignedUrlRequest,
    GeneratePresignedUrlResponse,
    GetObjectHeader,
    GetObjectRequest,
    PutObjectHeader,
)
from lcplatform_mock.loopback import Handler, Loopback
from lcplatform_mock.objects import cut, span
from lcplatform_mock.presigned import Permit, Signer
from lcplatform_runtime.clock import Clock
from lcplatform_runtime.errors import LCPlatformError, ValidationError
from lcplatform_runtime.model import build
from lcplatform_runtime.streams import CHUNK, ByteSource

_STATUS: Final = {
    "NOT_FOUND": HTTPStatus.NOT_FOUND,
    "ALREADY_EXISTS": HTTPStatus.CONFLICT,
    "VALIDATION": HTTPStatus.BAD_REQUEST,
    "CONFLICT": HTTPStatus.CONFLICT,
    "PRECONDITION_FAILED": HTTPStatus.PRECONDITION_FAILED,
    "AUTHENTICATION": HTTPStatus.UNAUTHORIZED,
    "PERMISSION_DENIED": HTTPStatus.FORBIDDEN,
    "QUOTA_EXCEEDED": HTTPStatus.TOO_MANY_REQUESTS,
    "SERVICE_UNAVAILABLE": HTTPStatus.SERVICE_UNAVAILABLE,
    "DEADLINE_EXCEEDED": HTTPStatus.GATEWAY_TIMEOUT,
    "UNSUPPORTED": HTTPStatus.NOT_IMPLEMENTED,
}
# Headers of HTTP that an object keeps, by the names of its fields.
_KEPT: Final = {
    "cache_control": "Cache-Control",
    "content_disposition": "Content-Disposition",
    "content_encoding": "Content-Encoding",
}
# No object is so large that a longer number could mean anything.
_RANGE: Final = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))")


@dataclass(frozen=True, slots=True)
class Site:
    """What is served: a store, to those whose URL the signer made."""

    store: ObjectStoreDriver
    clock: Clock
    signer: Signer


@dataclass(slots=True, kw_only=True)
class Listening:
    """What a listener must have in common with an earlier one to answer its URLs."""

    __pydantic_config__: ClassVar = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    key: bytes = field(repr=False)
    port: int


class Listener:
    """An HTTP server for the presigned URLs of one store. It runs until it is closed."""

    def __init__(
        self, store: ObjectStoreDriver, clock: Clock, address: str, before: Listening | None = None
    ) -> None:
        """Opens it on `address`, a host and a port. Where an earlier one was open, its URLs are answered again."""
        self._site = Site(store, clock, Signer(None if before is None else before.key))
        again = None if before is None else before.port
        self._http = Loopback(address, partial(_Handler, self._site), again=again)

    @property
    def listening(self) -> Listening:
        """What another one needs to answer the same URLs."""
        return Listening(key=self._site.signer.key, port=self._http.port)

    def presign(self, request: GeneratePresignedUrlRequest) -> GeneratePresignedUrlResponse:
        """A URL that this server answers."""
        expires_at = self._site.clock.now() + request.expires
        method = request.method.value.upper()
        content_type = request.content_type
        permit = Permit(method, request.bucket, request.key, expires_at, content_type)
        return GeneratePresignedUrlResponse(
            url=self._http.base + self._site.signer.target(permit),
            expires_at=expires_at,
            headers={"Content-Type": content_type} if content_type and method == "PUT" else {},
        )

    def close(self) -> None:
        """Stops answering. Its port is free when this returns."""
        self._http.close()


class _Handler(Handler[Site]):
    """One connection."""

    methods = frozenset({"GET", "PUT", "DELETE"})

    @override
    def answer(self) -> None:
        permit = self.site.signer.permit(self.command, self.path, self.site.clock.now())
        if permit is None:
            self._refuse(
                HTTPStatus.FORBIDDEN, "the URL has expired, is for something else, or was changed"
            )
            return
        methods = {"GET": self._get, "PUT": self._put, "DELETE": self._delete}
        try:
            methods[permit.method](permit)
        except LCPlatformError as error:
            self._failed(error)

    def _get(self, permit: Permit) -> None:
        stream = self.site.store.get_object(
            build(GetObjectRequest, bucket=permit.bucket, key=permit.key)
        )
        header = stream.header
        if not _holds(self.headers.get("If-Match"), header.etag, absent=True):
            self._refuse(HTTPStatus.PRECONDITION_FAILED, "the object has changed")
            return
        if _holds(self.headers.get("If-None-Match"), header.etag, absent=False):
            self._head(HTTPStatus.NOT_MODIFIED, header)
            self.end_headers()
            return
        wanted = self._range(header.etag)
        status, offset, length = HTTPStatus.OK, 0, header.size
        if wanted is not None:
            try:
                offset, length = span(wanted, header.size)
            except ValidationError:
                self._refuse(
                    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
                    "the range starts beyond the end",
                    {"Content-Range": f"bytes */{header.size}"},
                )
                return
            status = HTTPStatus.PARTIAL_CONTENT
        self._head(status, header)
        self.send_header("Content-Length", str(length))
        if status is HTTPStatus.PARTIAL_CONTENT:
            self.send_header("Content-Range", f"bytes {offset}-{offset + length - 1}/{header.size}")
        self.end_headers()
        for chunk in cut(tuple(stream), offset, length):
            self.wfile.write(chunk)

    def _put(self, permit: Permit) -> None:
        sent = self.headers.get("Content-Type")
        if permit.content_type is not None and sent != permit.content_type:
            self._refuse(HTTPStatus.FORBIDDEN, "the Content-Type is not the one that was agreed on")
            return
        length = self.headers.get("Content-Length")
        chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
        if not chunked and (length is None or not length.isdecimal()):
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "a Content-Length is needed")
            return
        given = {field: self.headers.get(name) for field, name in _KEPT.items()}
        header = build(
            PutObjectHeader,
            bucket=permit.bucket,
            key=permit.key,
            **{name: value for name, value in given.items() if value is not None},
            **({} if sent is None else {"content_type": sent}),
        )
        body = self._chunks() if chunked else self._bytes(int(length or 0))
        stored = self.site.store.put_object(header, ByteSource.of(body))
        self.send_response(HTTPStatus.OK)
        self.send_header("ETag", f'"{stored.etag}"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _delete(self, permit: Permit) -> None:
        self.site.store.delete_object(
            build(DeleteObjectRequest, bucket=permit.bucket, key=permit.key)
        )
        self.send_response(HTTPStatus.NO_CONTENT)
        self.end_headers()

    # --- bodies that come

    def _bytes(self, length: int) -> Iterator[bytes]:
        """A body of known length. One that breaks off is no body."""
        while length > 0:
            piece = self.rfile.read(min(length, CHUNK))
            if not piece:
                raise ValidationError("the connection ended before the body did")
            self.read += len(piece)
            length -= len(piece)
            yield piece

    def _chunks(self) -> Iterator[bytes]:
        """A body in chunks (RFC 9112, section 7.1)."""
        while size := self._chunk_size():
            yield from self._bytes(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers say nothing that is kept

    def _chunk_size(self) -> int:
        try:
            return int(self.rfile.readline(1024).partition(b";")[0], 16)
        except ValueError:
            raise ValidationError("the connection ended before the body did") from None

    # --- answers that go

    def _range(self, etag: str) -> ByteRange | None:
        """The range that is asked for. A header that is none, or holds for another object, asks for all."""
        found = _RANGE.fullmatch(self.headers.get("Range", "").replace(" ", ""))
        if found is None or not _holds(self.headers.get("If-Range"), etag, absent=True):
            return None
        first, last, suffix = found.groups()
        if suffix is not None:
            # The last zero bytes are a range that nothing satisfies.
            return ByteRange(last=int(suffix)) if int(suffix) else ByteRange(offset=2**63 - 1)
        if not last:
            return ByteRange(offset=int(first))
        if int(last) < int(first):
            return None
        return ByteRange(offset=int(first), length=int(last) - int(first) + 1)

    def _head(self, status: HTTPStatus, header: GetObjectHeader) -> None:
        self.send_response(status)
        self.send_header("ETag", f'"{header.etag}"')
        if header.modified_at is not None:
            self.send_header("Last-Modified", format_datetime(header.modified_at, usegmt=True))
        self.send_header("Accept-Ranges", "bytes")
        if status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", header.content_type)
        for kept, name in _KEPT.items():
            if (value := getattr(header, kept)) is not None:
                self.send_header(name, value)

    def _failed(self, error: LCPlatformError) -> None:
        status = _STATUS.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
        after = error.retry_after
        more = {} if after is None else {"Retry-After": str(ceil(after.total_seconds()))}
        self._refuse(status, error.message, more)

    def _refuse(
        self, status: HTTPStatus, reason: str, headers: dict[str, str] | None = None
    ) -> None:
        """Says why not. The connection ends, since nobody knows where the next request on it would begin."""
        self.drain()
        text = f"{reason}\n".encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(text)


def _holds(condition: str | None, etag: str, *, absent: bool) -> bool:
    """Whether a list of etags names this one; `absent` where there is no such list."""
    if condition is None:
        return absent
    names = [it.strip().removeprefix("W/").strip('"') for it in condition.split(",")]
    return "*" in names or etag in names
