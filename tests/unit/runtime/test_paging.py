"""Page tokens are good for the request they were given for, and for nothing else."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcplatform_runtime.errors import ValidationError
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.model import Request, Response
from lcplatform_runtime.operation import Idempotency
from lcplatform_runtime.options import CallOptions
from lcplatform_runtime.paging import PageTokens, afirst, aiterate, first, iterate
from lcplatform_runtime.settings import PipelineSettings
from tests.unit.runtime.doubles import Platform, operation

LIST = operation(
    method="list",
    rpc="/lcplatform.things.v1.ThingsService/List",
    title="Things.List",
    paged=True,
    resource=None,
    idempotency=Idempotency.NO_SIDE_EFFECTS,
)
OTHER = operation(
    method="list_more", rpc="/lcplatform.things.v1.ThingsService/ListMore", paged=True
)
KEY = b"k" * 32


class List(Request):
    prefix: str = ""
    filter: str | bytes | Json | None = None
    since: timedelta | None = None
    page_size: int = 100
    page_token: str = ""


class Listed(Response):
    names: tuple[str, ...] = ()
    next_page_token: str = ""


REQUESTS = st.builds(
    List,
    prefix=st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    filter=st.none()
    | st.text("ab", max_size=2)
    | st.binary(max_size=2)
    | st.builds(Json, st.integers(0, 3)),
    since=st.none() | st.timedeltas(timedelta(0), timedelta(days=1)),
)
RAW = st.text(min_size=1, max_size=40)
tokens = PageTokens(KEY)


@given(request=REQUESTS, raw=RAW, size=st.integers(1, 1000))
def test_a_token_opens_for_the_same_request_of_any_page_size(
    request: List, raw: str, size: int
) -> None:
    token = tokens.seal(LIST, request, raw)
    assert token.isascii()
    assert "=" not in token
    again = request.model_copy(update={"page_size": size, "page_token": token})
    assert PageTokens(KEY).open(LIST, again, token) == raw


@given(one=REQUESTS, other=REQUESTS, raw=RAW)
def test_a_token_is_good_for_its_own_request_only(one: List, other: List, raw: str) -> None:
    token = tokens.seal(LIST, one, raw)
    if one == other and type(one.filter) is type(other.filter):
        assert tokens.open(LIST, other, token) == raw
    else:
        with pytest.raises(ValidationError):
            tokens.open(LIST, other, token)


@given(raw=RAW, position=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_changed_token_is_refused(raw: str, position: int, bit: int) -> None:
    token = tokens.seal(LIST, List(), raw)
    sealed = bytearray(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    sealed[position % len(sealed)] ^= 1 << bit
    changed = urlsafe_b64encode(sealed).decode().rstrip("=")
    with pytest.raises(ValidationError) as caught:
        tokens.open(LIST, List(), changed)
    assert [it.field for it in caught.value.violations] == ["page_token"]


@given(st.text(max_size=80))
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        tokens.open(LIST, List(), text)


def test_a_token_has_one_spelling() -> None:
    token = tokens.seal(LIST, List(), "raw")
    for other in (token + "=", token + "\n", token[:3] + " " + token[3:], token[:-1]):
        with pytest.raises(ValidationError):
            tokens.open(LIST, List(), other)


def test_a_token_of_another_operation_key_or_version_is_refused() -> None:
    token = tokens.seal(LIST, List(), "raw")
    sealed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    newer = urlsafe_b64encode(b"\x02" + sealed[1:]).decode().rstrip("=")
    for opener, of, it in [
        (tokens, OTHER, token),
        (PageTokens(b"other" * 8), LIST, token),
        (tokens, LIST, newer),
    ]:
        with pytest.raises(ValidationError):
            opener.open(of, List(), it)


def test_a_field_that_a_newer_contract_adds_leaves_tokens_good() -> None:
    class Newer(List):
        deleted: bool = False

    token = tokens.seal(LIST, List(prefix="a"), "raw")
    assert tokens.open(LIST, Newer(prefix="a"), token) == "raw"
    with pytest.raises(ValidationError):
        tokens.open(LIST, Newer(prefix="a", deleted=True), token)


def pages(request: List) -> Listed:
    """A driver whose own token is the number of the page."""
    page = int(request.page_token or 0)
    return Listed(
        names=tuple(f"{request.prefix}{page * 2 + it}" for it in range(2)),
        next_page_token=str(page + 1) if page < 2 else "",
    )


def test_callers_see_sealed_tokens_and_the_driver_its_own(platform: Platform) -> None:
    listing = platform.unary(LIST, pages)
    first = listing(List(prefix="x"))
    assert first.next_page_token not in ("", "1")
    second = listing(List(prefix="x", page_token=first.next_page_token, page_size=7))
    assert second.names == ("x2", "x3")
    third = listing(List(prefix="x", page_token=second.next_page_token))
    assert (third.names, third.next_page_token) == (("x4", "x5"), "")


def test_a_foreign_token_never_reaches_the_driver(platform: Platform) -> None:
    listing = platform.unary(LIST, pages)
    token = listing(List(prefix="x")).next_page_token
    for request in (List(prefix="y", page_token=token), List(prefix="x", page_token="1")):
        with pytest.raises(ValidationError, match="page_token") as caught:
            listing(request)
        assert caught.value.operation == "Things.List"


def test_processes_that_share_the_key_take_each_others_tokens(colour: str) -> None:
    settings = PipelineSettings(page_token_key=KEY)
    assert "kkkk" not in repr(settings)
    one, other = (Platform(colour, settings=settings).unary(LIST, pages) for _ in range(2))
    stranger = Platform(colour).unary(LIST, pages)
    token = one(List()).next_page_token
    assert other(List(page_token=token)).names == ("2", "3")
    with pytest.raises(ValidationError):
        stranger(List(page_token=token))


def test_a_remote_driver_sees_the_servers_tokens_as_they_are(colour: str) -> None:
    listing = Platform(colour, remote=True).unary(LIST, pages)
    assert listing(List()).next_page_token == "1"


def names(page: Listed) -> tuple[str, ...]:
    return page.names


def test_iterating_reads_a_page_when_its_first_item_is_asked_for() -> None:
    read: list[str] = []

    def counted(request: List) -> Listed:
        read.append(request.page_token)
        return pages(request)

    call: Any = Platform("blocking").pipeline
    items = iterate(call.unary(LIST, counted), List(prefix="x"), names, CallOptions())
    assert read == []
    assert [next(items), next(items)] == ["x0", "x1"]
    assert len(read) == 1
    assert list(items) == ["x2", "x3", "x4", "x5"]
    assert len(read) == 3


def test_iterating_asynchronously_gives_the_same() -> None:
    async def listing(request: List) -> Listed:
        return pages(request)

    async def main() -> list[str]:
        pipeline: Any = Platform("async").pipeline
        call = pipeline.unary(LIST, listing)
        return [it async for it in aiterate(call, List(prefix="x"), names)]

    assert asyncio.run(main()) == [f"x{it}" for it in range(6)]


def test_an_empty_page_in_the_middle_ends_nothing() -> None:
    listed = iter([Listed(next_page_token="2"), Listed(names=("a",))])

    def call(request: List, options: CallOptions | None = None, /) -> Listed:
        return next(listed)

    assert list(iterate(call, List(), names)) == ["a"]


def test_the_first_item_may_stand_on_a_later_page() -> None:
    pages = {"": Listed(next_page_token="2"), "2": Listed(names=("a", "b"))}
    asked: list[List] = []

    def call(request: List, options: CallOptions | None = None, /) -> Listed:
        asked.append(request)
        return pages[request.page_token]

    async def call_async(request: List, options: CallOptions | None = None, /) -> Listed:
        return call(request, options)

    request = List(prefix="a", page_size=1)
    assert first(call, request, lambda page: page.names) == "a"
    assert asyncio.run(afirst(call_async, request, lambda page: page.names)) == "a"
    assert [it.page_token for it in asked] == ["", "2"] * 2
    assert {(it.prefix, it.page_size) for it in asked} == {("a", 1)}


def test_there_is_no_first_item_of_nothing() -> None:
    def call(request: List, options: CallOptions | None = None, /) -> Listed:
        return Listed()

    async def call_async(request: List, options: CallOptions | None = None, /) -> Listed:
        return Listed()

    assert first(call, List(), lambda page: page.names) is None
    assert asyncio.run(afirst(call_async, List(), lambda page: page.names)) is None
