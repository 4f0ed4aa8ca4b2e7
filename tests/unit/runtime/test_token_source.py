"""Token sources: one request for all who ask, ahead of time, and the last token for as long as it is good (SC-011)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest

from lcplatform import AsyncLCPlatform, LCPlatform
from lcplatform.errors import AuthenticationError, ServiceUnavailableError, ValidationError
from lcplatform_runtime.extensions.authentication import AsyncTokenSourcing, TokenSourcing
from lcplatform_runtime.options import CallOptions
from lcplatform_runtime.testing.clock import ManualClock

T = TypeVar("T")
HOUR = timedelta(hours=1)
REFUSED = AuthenticationError("over", details={"cause": "given_token", "reason": "grant"})


@dataclass(frozen=True)
class Made:
    access_token: str
    expires_at: datetime | None
    refresh_token: str | None = None


@dataclass(frozen=True)
class Answer:
    tokens: Made


@dataclass
class Issuer:
    """Gives tokens that are numbered, or raises what it is told to."""

    clock: ManualClock
    lasts: timedelta | None = HOUR
    rotates: bool = True
    errors: list[Exception] = field(default_factory=list)
    asked: list[tuple[object, ...]] = field(default_factory=list)
    gate: threading.Event | None = None

    def give(self, *asked: object) -> Answer:
        self.asked.append(asked)
        number = len(self.asked)
        if self.errors:
            raise self.errors.pop(0)
        ends = None if self.lasts is None else self.clock.now() + self.lasts
        refresh = f"refresh {number}" if asked[0] == "refresh" and self.rotates else None
        return Answer(Made(f"access {number}", ends, refresh))


@dataclass
class Client(TokenSourcing):
    issuer: Issuer

    def client_credentials_token(
        self, *, scopes: Sequence[str], audience: str | None, options: CallOptions | None
    ) -> Answer:
        if self.issuer.gate is not None:
            self.issuer.gate.wait(30)
        return self.issuer.give("own", tuple(scopes), audience)

    def refresh_token(
        self, refresh_token: str, /, *, scopes: Sequence[str], options: CallOptions | None
    ) -> Answer:
        return self.issuer.give("refresh", refresh_token, tuple(scopes))


@dataclass
class AsyncClient(AsyncTokenSourcing):
    issuer: Issuer

    async def client_credentials_token(
        self, *, scopes: Sequence[str], audience: str | None, options: CallOptions | None
    ) -> Answer:
        await asyncio.sleep(0.01)
        return self.issuer.give("own", tuple(scopes), audience)

    async def refresh_token(
        self, refresh_token: str, /, *, scopes: Sequence[str], options: CallOptions | None
    ) -> Answer:
        await asyncio.sleep(0.01)
        return self.issuer.give("refresh", refresh_token, tuple(scopes))


class Source:
    """A source of either colour, asked from a test without any. What it stores is kept; `broken` makes that fail."""

    def __init__(self, colour: str, issuer: Issuer, **words: Any) -> None:
        self.stored: list[str] = []
        self.broken: list[Exception] = []
        words = {"clock": issuer.clock, **words}

        def store(token: str) -> None:
            if self.broken:
                raise self.broken.pop(0)
            self.stored.append(token)

        async def store_async(token: str) -> None:
            store(token)

        if colour == "async":
            tokens = AsyncClient(issuer).token_source(store=store_async, **words)
            self.source: Any = tokens
            self.token: Callable[[], str] = lambda: self._run(tokens.token())
        else:
            blocking = Client(issuer).token_source(store=store, **words)
            self.source = blocking
            self.token = blocking.token
        self._loop = asyncio.new_event_loop()

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(coroutine)

    def close(self) -> None:
        self._loop.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def issuer(clock: ManualClock) -> Issuer:
    return Issuer(clock)


@pytest.fixture(params=["blocking", "async"])
def make(request: pytest.FixtureRequest, issuer: Issuer) -> Any:
    made: list[Source] = []

    def make(**words: Any) -> Source:
        made.append(Source(request.param, issuer, **words))
        return made[-1]

    yield make
    for source in made:
        source.close()


def test_a_token_is_kept_and_renewed_ahead_of_its_end(make: Any, issuer: Issuer) -> None:
    source = make(scopes=["read"], audience="them")
    assert [source.token(), source.token()] == ["access 1"] * 2
    issuer.clock.advance(HOUR - timedelta(minutes=2, seconds=1))
    assert source.token() == "access 1"
    issuer.clock.advance(1)
    assert source.token() == "access 2"
    assert issuer.asked == [("own", ("read",), "them")] * 2


def test_a_brief_token_is_renewed_at_half_its_life(make: Any, issuer: Issuer) -> None:
    issuer.lasts = timedelta(seconds=60)
    source = make(ahead=timedelta(minutes=5))
    assert source.token() == "access 1"
    issuer.clock.advance(29)
    assert source.token() == "access 1"
    issuer.clock.advance(1)
    assert source.token() == "access 2"


def test_a_token_of_unknown_length_is_used_for_five_minutes(make: Any, issuer: Issuer) -> None:
    issuer.lasts = None
    source = make(ahead=timedelta())
    source.token()
    issuer.clock.advance(299)
    assert source.token() == "access 1"
    issuer.clock.advance(1)
    assert source.token() == "access 2"


def test_the_last_token_is_given_while_it_cannot_be_renewed(make: Any, issuer: Issuer) -> None:
    source = make()
    source.token()
    issuer.clock.advance(HOUR - timedelta(minutes=1))
    issuer.errors = [ServiceUnavailableError("away") for _ in range(9)]
    for _ in range(3):
        assert source.token() == "access 1"
    assert len(issuer.asked) == 2  # nobody tries again at once
    assert isinstance(source.source.last_error, ServiceUnavailableError)
    issuer.clock.advance(5)
    assert source.token() == "access 1"
    assert len(issuer.asked) == 3
    issuer.clock.advance(55)
    with pytest.raises(ServiceUnavailableError, match="away"):
        source.token()
    issuer.errors.clear()
    assert source.token() == f"access {len(issuer.asked)}"
    assert source.source.last_error is None


def test_an_issuer_that_asks_to_be_left_alone_is(make: Any, issuer: Issuer) -> None:
    source = make()
    source.token()
    issuer.clock.advance(HOUR - timedelta(minutes=1))
    issuer.errors = [ServiceUnavailableError("away", retry_after=timedelta(seconds=30))]
    source.token()
    issuer.clock.advance(29)
    assert source.token() == "access 1"
    issuer.clock.advance(1)
    assert source.token() == "access 3"


def test_a_refresh_token_follows_the_other_and_is_stored_first(make: Any, issuer: Issuer) -> None:
    source = make(refresh_token="refresh 0", scopes=["openid"])
    assert source.token() == "access 1"
    issuer.clock.advance(HOUR)
    assert source.token() == "access 2"
    assert source.stored == ["refresh 1", "refresh 2"]
    assert issuer.asked == [
        ("refresh", "refresh 0", ("openid",)),
        ("refresh", "refresh 1", ("openid",)),
    ]


def test_a_refresh_token_that_stays_is_not_stored(make: Any, issuer: Issuer) -> None:
    issuer.rotates = False
    source = make(refresh_token="refresh 0")
    source.token()
    issuer.clock.advance(HOUR)
    source.token()
    assert source.stored == []
    assert [it[1] for it in issuer.asked] == ["refresh 0"] * 2


def test_a_refresh_token_that_cannot_be_stored_is_not_lost(make: Any, issuer: Issuer) -> None:
    source = make(refresh_token="refresh 0")
    source.broken = [OSError("disk full")] * 2
    for _ in range(2):
        with pytest.raises(OSError, match="disk full"):
            source.token()
    assert source.token() == "access 1"
    assert source.stored == ["refresh 1"]
    assert (
        len(issuer.asked) == 1
    )  # the used one was not brought again, which would have ended the login


def test_a_store_that_fails_takes_no_good_token_from_anybody(make: Any, issuer: Issuer) -> None:
    source = make(refresh_token="refresh 0")
    source.token()
    issuer.clock.advance(HOUR - timedelta(minutes=1))
    source.broken = [OSError("disk full")]
    with pytest.raises(OSError, match="disk full"):
        source.token()
    assert source.token() == "access 1"
    issuer.clock.advance(5)
    assert source.token() == "access 2"
    assert source.stored == ["refresh 1", "refresh 2"]


def test_a_refresh_token_that_is_refused_is_not_tried_again(make: Any, issuer: Issuer) -> None:
    source = make(refresh_token="refresh 0")
    source.token()
    issuer.clock.advance(HOUR - timedelta(minutes=1))
    issuer.errors = [REFUSED]
    assert source.token() == "access 1"
    issuer.clock.advance(30)
    assert source.token() == "access 1"
    issuer.clock.advance(HOUR)
    for _ in range(3):
        with pytest.raises(AuthenticationError, match="over"):
            source.token()
    assert len(issuer.asked) == 2


def test_a_caller_who_is_not_known_may_be_known_later(make: Any, issuer: Issuer) -> None:
    issuer.errors = [AuthenticationError("who are you")]
    source = make(refresh_token="refresh 0")
    with pytest.raises(AuthenticationError, match="who are you"):
        source.token()
    assert source.token() == "access 2"


def test_a_token_that_is_refused_elsewhere_is_replaced_once(make: Any, issuer: Issuer) -> None:
    source = make()
    first = source.token()
    source.source.invalidate(first)
    source.source.invalidate("another one")
    assert source.token() == "access 2"
    source.source.invalidate(first)  # somebody who is late
    assert source.token() == "access 2"


def test_what_makes_no_sense_is_refused(make: Any) -> None:
    with pytest.raises(ValidationError, match="ahead"):
        make(ahead=timedelta(seconds=-1))
    with pytest.raises(ValidationError, match="audience"):
        make(refresh_token="x", audience="them")


# --- many callers


def test_fifty_threads_that_ask_at_once_cost_one_request(issuer: Issuer) -> None:
    issuer.gate = threading.Event()
    source = Client(issuer).token_source(clock=issuer.clock)
    start = threading.Barrier(51)

    def ask() -> str:
        start.wait()
        return source.token()

    with ThreadPoolExecutor(50) as pool:
        answers = [pool.submit(ask) for _ in range(50)]
        start.wait()
        issuer.gate.set()
        assert {answer.result(30) for answer in answers} == {"access 1"}
    assert len(issuer.asked) == 1


def test_nobody_waits_for_a_renewal_while_there_is_a_token(issuer: Issuer) -> None:
    source = Client(issuer).token_source(clock=issuer.clock)
    source.token()
    issuer.clock.advance(HOUR - timedelta(minutes=1))
    issuer.gate = threading.Event()
    renewing = threading.Thread(target=source.token)
    renewing.start()
    for _ in range(1000):
        if source._renewal is not None:
            break
        threading.Event().wait(0.005)
    assert [source.token() for _ in range(10)] == ["access 1"] * 10
    issuer.gate.set()
    renewing.join()
    assert source.token() == "access 2"


def test_everybody_who_waits_in_vain_is_told_so_by_an_error_of_their_own(issuer: Issuer) -> None:
    issuer.gate = threading.Event()
    issuer.errors = [ServiceUnavailableError("away") for _ in range(20)]
    source = Client(issuer).token_source(clock=issuer.clock)
    start = threading.Barrier(11)

    def ask() -> Exception | None:
        start.wait()
        try:
            source.token()
        except ServiceUnavailableError as error:
            return error
        return None

    with ThreadPoolExecutor(10) as pool:
        answers = [pool.submit(ask) for _ in range(10)]
        start.wait()
        issuer.gate.set()
        errors = [answer.result(30) for answer in answers]
    assert all(isinstance(error, ServiceUnavailableError) for error in errors)
    assert len({id(error) for error in errors}) == 10


async def _fifty(issuer: Issuer) -> set[str]:
    source = AsyncClient(issuer).token_source(clock=issuer.clock)
    return set(await asyncio.gather(*(source.token() for _ in range(50))))


def test_fifty_tasks_that_ask_at_once_cost_one_request(issuer: Issuer) -> None:
    assert asyncio.run(_fifty(issuer)) == {"access 1"}
    assert len(issuer.asked) == 1


async def _given_up(issuer: Issuer) -> str:
    source = AsyncClient(issuer).token_source(clock=issuer.clock)
    first = asyncio.ensure_future(source.token())
    second = asyncio.ensure_future(source.token())
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    return await second


def test_a_task_that_gives_up_takes_the_token_from_nobody(issuer: Issuer) -> None:
    assert asyncio.run(_given_up(issuer)) == "access 1"
    assert len(issuer.asked) == 1


# --- on the mock


def test_a_source_on_the_mock_gives_good_tokens_through_rotations(clock: ManualClock) -> None:
    from tests.unit.mock.oidc import log_in

    with LCPlatform("mock", clock=clock) as platform:
        authentication = platform.authentication
        kept: list[str] = []
        refresh = str(log_in(authentication, "openid", "offline_access").refresh_token)
        own = authentication.token_source(scopes=["read"], clock=clock)
        user = authentication.token_source(refresh_token=refresh, store=kept.append, clock=clock)
        for _ in range(4):
            claims = authentication.verify_token(own.token(), required_scopes=["read"]).claims
            assert claims.subject == "lcplatform"
            assert authentication.get_user_info(user.token()).subject == "ada"
            clock.advance(timedelta(minutes=59))
        assert len(set(kept)) == 4
        assert refresh not in kept
        authentication.revoke_token(kept[-1])
        clock.advance(HOUR)
        with pytest.raises(AuthenticationError):
            user.token()


async def _on_the_mock(clock: ManualClock) -> str:
    async with AsyncLCPlatform("mock", clock=clock) as platform:
        source = platform.authentication.token_source(scopes=["read"], clock=clock)
        token = await source.token()
        found = await platform.authentication.verify_token(token)
        return found.claims.subject


def test_a_source_is_there_in_async_too(clock: ManualClock) -> None:
    assert asyncio.run(_on_the_mock(clock)) == "lcplatform"
