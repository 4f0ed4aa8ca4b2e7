"""Page tokens that callers cannot forge or mix up, and iterators over all pages."""

from __future__ import annotations

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from lcplatform_runtime.errors import FieldViolation, ValidationError
from lcplatform_runtime.steps import Call, Proceed, Steps

if TYPE_CHECKING:
    from pydantic import BaseModel

    from lcplatform_runtime.operation import Operation
    from lcplatform_runtime.options import CallOptions

_VERSION: Final = b"\x01"
_MAC_BYTES: Final = 16
# What a page may differ in: everything else must be as it was for the first one.
_OF_THE_PAGE: Final = {"page_token", "page_size"}


class PageTokens:
    """Seals what a provider calls the next page into a token that is good for the same request only.

    A token is the version, a MAC over version, rpc, request and content, and the content. Workers that share `key` take each
    other's tokens.
    """

    def __init__(self, key: bytes, /) -> None:
        self._key = key

    def seal(self, operation: Operation, request: BaseModel, raw: str, /) -> str:
        """The token for the page that the provider calls `raw`."""
        content = raw.encode(errors="surrogatepass")
        sealed = _VERSION + self._mac(operation, request, content) + content
        return urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, operation: Operation, request: BaseModel, token: str, /) -> str:
        """What the provider calls the page.

        Raises:
            ValidationError: the token is from another request or operation, of another version, or was changed.
        """
        sealed = _decoded(token)
        mac, content = sealed[1 : 1 + _MAC_BYTES], sealed[1 + _MAC_BYTES :]
        genuine = sealed[:1] == _VERSION and hmac.compare_digest(
            mac, self._mac(operation, request, content)
        )
        if not genuine:
            expected = "the next_page_token of this very request, as it was given"
            raise ValidationError(
                f"page_token must be {expected}",
                violations=(FieldViolation("page_token", f"must be {expected}"),),
            )
        return content.decode(errors="surrogatepass")

    def _mac(self, operation: Operation, request: BaseModel, content: bytes) -> bytes:
        # Defaults are left out, so a field that a newer contract adds leaves tokens good. As Python writes it and not as
        # JSON, in which text and bytes would look alike.
        fixed = repr(request.model_dump(exclude=_OF_THE_PAGE, exclude_defaults=True))
        parts = (_VERSION, operation.rpc.encode(), fixed.encode(), content)
        message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hmac.digest(self._key, message, "sha256")[:_MAC_BYTES]


def _decoded(token: str) -> bytes:
    """The bytes of a token; none of something that is no token."""
    try:
        text = token.encode("ascii")
        sealed = urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except (UnicodeError, binascii.Error, ValueError):
        return b""
    # One spelling only: the decoder skips what it does not know, and ignores bits that are left over.
    return sealed if urlsafe_b64encode(sealed).rstrip(b"=") == text else b""


class Paging:
    """Gives the driver its own page tokens and the caller sealed ones."""

    def __init__(self, proceed: Proceed, operation: Operation, tokens: PageTokens) -> None:
        self._proceed = proceed
        self._operation = operation
        self._tokens = tokens

    def __call__(self, call: Call, /) -> Steps:
        request = call.request
        if request.page_token:
            raw = self._tokens.open(self._operation, request, request.page_token)
            call.request = request.model_copy(update={"page_token": raw})
        response = yield from self._proceed(call)
        return self.sealed(request, response)

    def sealed(self, request: Any, response: Any) -> Any:
        """The answer to a request with its token sealed, if there is another page."""
        if not response.next_page_token:
            return response
        token = self._tokens.seal(self._operation, request, response.next_page_token)
        return response.model_copy(update={"next_page_token": token})


R = TypeVar("R", bound="BaseModel")
R_contra = TypeVar("R_contra", bound="BaseModel", contravariant=True)
P = TypeVar("P")
P_co = TypeVar("P_co", covariant=True)
T = TypeVar("T")


class Pages(Protocol[R_contra, P_co]):
    """A bound operation that answers with pages."""

    def __call__(self, request: R_contra, options: CallOptions | None = None, /) -> P_co:
        """One page."""
        ...


def iterate(
    call: Pages[R, P],
    request: R,
    items: Callable[[P], Iterable[T]],
    options: CallOptions | None = None,
) -> Iterator[T]:
    """The items of all pages, each page read when its first item is asked for. Options hold for each page."""
    while True:
        page = call(request, options)
        yield from items(page)
        token = _next(page)
        if not token:
            return
        request = request.model_copy(update={"page_token": token})


async def aiterate(
    call: Pages[R, Awaitable[P]],
    request: R,
    items: Callable[[P], Iterable[T]],
    options: CallOptions | None = None,
) -> AsyncIterator[T]:
    """The items of all pages, each page read when its first item is asked for. Options hold for each page."""
    while True:
        page = await call(request, options)
        for item in items(page):
            yield item
        token = _next(page)
        if not token:
            return
        request = request.model_copy(update={"page_token": token})


def first(
    call: Pages[R, P],
    request: R,
    items: Callable[[P], Iterable[T]],
    options: CallOptions | None = None,
) -> T | None:
    """The first item of all pages, or None. A page may be empty and not the last. Options hold for each page."""
    while True:
        page = call(request, options)
        for item in items(page):
            return item
        token = _next(page)
        if not token:
            return None
        request = request.model_copy(update={"page_token": token})


async def afirst(
    call: Pages[R, Awaitable[P]],
    request: R,
    items: Callable[[P], Iterable[T]],
    options: CallOptions | None = None,
) -> T | None:
    """The first item of all pages, or None. A page may be empty and not the last. Options hold for each page."""
    while True:
        page = await call(request, options)
        for item in items(page):
            return item
        token = _next(page)
        if not token:
            return None
        request = request.model_copy(update={"page_token": token})


def _next(page: Any) -> str:  # that a page has it is the IDL lint's promise, not a type
    token: str | None = page.next_page_token
    return token or ""
