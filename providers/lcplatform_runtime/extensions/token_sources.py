"""Sources of access tokens: one caller renews, ahead of time, and everybody else is served meanwhile (SC-011)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from lcplatform_runtime.errors import AuthenticationError, LCPlatformError
from lcplatform_runtime.extensions.authentication import (
    AsyncAuthenticationClient,
    AuthenticationClient,
    Sourcing,
    Tokens,
    TokensAnswer,
)

_PAUSE: Final = timedelta(seconds=5)
"""For how long nobody tries again, after a renewal failed, while there is a token that is still good."""

_UNTOLD: Final = timedelta(minutes=5)
"""For how long a token is used whose issuer does not say how long it lasts."""


class _Now(Enum):
    """What is to be done for a caller who wants a token."""

    USE = auto()
    """There is a good one."""
    RENEW = auto()
    """There is a good one, and it is time for the next."""
    MUST = auto()
    """There is none."""


@dataclass(slots=True)
class _Held:
    """The token that there is, and when it is renewed. Whoever changes it sees to it that nobody else does."""

    settings: Sourcing
    refresh_token: str | None = field(repr=False)
    tokens: Tokens | None = field(default=None, repr=False)
    unstored: Tokens | None = field(default=None, repr=False)
    renew_at: datetime = field(init=False)
    good_until: datetime = field(init=False)
    error: Exception | None = None
    refused: AuthenticationError | None = None

    def __post_init__(self) -> None:
        self.renew_at = self.good_until = self.settings.clock.now()

    def now(self) -> _Now:
        """What is to be done for a caller."""
        now = self.settings.clock.now()
        if self.tokens is None or now >= self.good_until:
            if self.refused is not None:
                raise self.refused.copy()
            return _Now.MUST
        return _Now.RENEW if now >= self.renew_at and self.refused is None else _Now.USE

    @property
    def access_token(self) -> str:
        """The token. It is there."""
        assert self.tokens is not None
        return self.tokens.access_token

    @property
    def rotated(self) -> str | None:
        """The new refresh token, of tokens that have come, if it is another one."""
        new = None if self.unstored is None else self.unstored.refresh_token
        return new if new != self.refresh_token else None

    def came(self, answer: TokensAnswer) -> None:
        """New tokens are there. They count once a new refresh token has been stored."""
        self.unstored = answer.tokens

    def stored(self) -> None:
        """The tokens that came take the place of those before."""
        tokens = self.tokens = self.unstored
        assert tokens is not None
        self.unstored = None
        self.error = None
        self.refresh_token = tokens.refresh_token or self.refresh_token
        now = self.settings.clock.now()
        self.good_until = tokens.expires_at or now + _UNTOLD
        life = max(timedelta(), self.good_until - now)
        self.renew_at = self.good_until - min(self.settings.ahead, life / 2)

    def failed(self, error: Exception) -> None:
        """They could not be renewed, or not be stored. Where the refresh token itself was refused, asking again would
        change nothing."""
        self.error = error
        asked = getattr(error, "retry_after", None) or _PAUSE
        self.renew_at = self.settings.clock.now() + max(asked, _PAUSE)
        if (
            isinstance(error, AuthenticationError)
            and self.refresh_token is not None
            and error.details.get("cause") == "given_token"
        ):
            self.refused = error

    def drop(self, access_token: str) -> None:
        """A token is refused by whom it is for, so it is good no longer."""
        if self.tokens is not None and self.tokens.access_token == access_token:
            self.tokens = None


class TokenSource:
    """Gives access tokens to any number of threads. `token_source` of a client makes one."""

    def __init__(
        self,
        client: AuthenticationClient,
        settings: Sourcing,
        store: Callable[[str], object] | None,
    ) -> None:
        self._client = client
        self._settings = settings
        self._store = store
        self._held = _Held(settings, settings.refresh_token)
        self._lock = threading.Lock()
        self._renewal: Future[None] | None = None

    def token(self) -> str:
        """An access token that is in force.

        Raises:
            LCPlatformError: there is none, and none could be had. Everybody who waited for it is told.
            AuthenticationError: the refresh token is good no longer: the user must log in again.
        """
        while True:
            with self._lock:
                now = self._held.now()
                if now is _Now.USE or (now is _Now.RENEW and self._renewal is not None):
                    return self._held.access_token
                running, mine = self._renewal, Future[None]()
                if running is None:
                    self._renewal = mine
            if running is None:
                self._renew(mine, needed=now is _Now.MUST)
            else:
                _joined(running)

    def invalidate(self, access_token: str) -> None:
        """The token is refused by whom it is for: the next caller gets another one."""
        with self._lock:
            self._held.drop(access_token)

    @property
    def last_error(self) -> Exception | None:
        """Why the token could not be renewed the last time; `None` once it was."""
        return self._held.error

    def _renew(self, mine: Future[None], *, needed: bool) -> None:
        error: BaseException | None = None
        try:
            self._fetch()
        except BaseException as raised:
            error = raised
            if needed or not isinstance(raised, LCPlatformError):
                raise
        finally:
            with self._lock:
                if isinstance(error, Exception):
                    self._held.failed(error)
                self._renewal = None
            mine.set_result(None) if error is None else mine.set_exception(error)

    def _fetch(self) -> None:
        held, settings = self._held, self._settings
        if held.unstored is None:
            if held.refresh_token is None:
                answer = self._client.client_credentials_token(
                    scopes=settings.scopes, audience=settings.audience, options=settings.options
                )
            else:
                answer = self._client.refresh_token(
                    held.refresh_token, scopes=settings.scopes, options=settings.options
                )
            held.came(answer)
        rotated = held.rotated
        if rotated is not None and self._store is not None:
            self._store(rotated)
        with self._lock:
            held.stored()


class AsyncTokenSource:
    """Gives access tokens to any number of tasks of one event loop. `token_source` of a client makes one."""

    def __init__(
        self,
        client: AsyncAuthenticationClient,
        settings: Sourcing,
        store: Callable[[str], Awaitable[object]] | None,
    ) -> None:
        self._client = client
        self._settings = settings
        self._store = store
        self._held = _Held(settings, settings.refresh_token)
        self._renewal: asyncio.Task[None] | None = None

    async def token(self) -> str:
        """An access token that is in force.

        Raises:
            LCPlatformError: there is none, and none could be had. Everybody who waited for it is told.
            AuthenticationError: the refresh token is good no longer: the user must log in again.
        """
        while True:
            now = self._held.now()
            if now is _Now.USE or (now is _Now.RENEW and self._renewal is not None):
                return self._held.access_token
            if self._renewal is None:
                self._renewal = asyncio.get_running_loop().create_task(self._renew())
                self._renewal.add_done_callback(_heard)
            try:
                # A caller who gives up takes nothing from the others who wait.
                await asyncio.shield(self._renewal)
            except LCPlatformError as error:
                if now is _Now.MUST:
                    raise error.copy() from error.__cause__

    def invalidate(self, access_token: str) -> None:
        """The token is refused by whom it is for: the next caller gets another one."""
        self._held.drop(access_token)

    @property
    def last_error(self) -> Exception | None:
        """Why the token could not be renewed the last time; `None` once it was."""
        return self._held.error

    async def _renew(self) -> None:
        try:
            await self._fetch()
        except Exception as error:
            self._held.failed(error)
            raise
        finally:
            self._renewal = None

    async def _fetch(self) -> None:
        held, settings = self._held, self._settings
        if held.unstored is None:
            if held.refresh_token is None:
                answer = await self._client.client_credentials_token(
                    scopes=settings.scopes, audience=settings.audience, options=settings.options
                )
            else:
                answer = await self._client.refresh_token(
                    held.refresh_token, scopes=settings.scopes, options=settings.options
                )
            held.came(answer)
        rotated = held.rotated
        if rotated is not None and self._store is not None:
            await self._store(rotated)
        held.stored()


def _joined(running: Future[None]) -> None:
    """Waits for somebody else's renewal. If the issuer refused it, each who waited raises that as an error of its own."""
    error = running.exception()
    if isinstance(error, LCPlatformError):
        raise error.copy() from error.__cause__


def _heard(renewal: asyncio.Task[None]) -> None:
    """Nobody need be there any more to hear that it failed: the next caller is told."""
    if not renewal.cancelled():
        renewal.exception()
