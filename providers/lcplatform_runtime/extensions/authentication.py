"""Tokens that renew themselves (SC-011): what an application says, and what a client must offer for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from lcplatform_runtime.clock import SYSTEM, Clock
from lcplatform_runtime.errors import FieldViolation, ValidationError
from lcplatform_runtime.options import CallOptions

if TYPE_CHECKING:
    from lcplatform_runtime.extensions.token_sources import AsyncTokenSource, TokenSource


class Tokens(Protocol):
    """What a source needs to know of tokens."""

    @property
    def access_token(self) -> str: ...
    @property
    def expires_at(self) -> datetime | None: ...
    @property
    def refresh_token(self) -> str | None: ...


class TokensAnswer(Protocol):
    """The answer of an operation that brings tokens."""

    @property
    def tokens(self) -> Tokens: ...


class AuthenticationClient(Protocol):
    """What a source needs of a blocking client."""

    def client_credentials_token(
        self, *, scopes: Sequence[str], audience: str | None, options: CallOptions | None
    ) -> TokensAnswer: ...

    def refresh_token(
        self, refresh_token: str, /, *, scopes: Sequence[str], options: CallOptions | None
    ) -> TokensAnswer: ...


class AsyncAuthenticationClient(Protocol):
    """What a source needs of an async client."""

    async def client_credentials_token(
        self, *, scopes: Sequence[str], audience: str | None, options: CallOptions | None
    ) -> TokensAnswer: ...

    async def refresh_token(
        self, refresh_token: str, /, *, scopes: Sequence[str], options: CallOptions | None
    ) -> TokensAnswer: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourcing:
    """Where tokens come from. The arguments of `token_source` say what each value means."""

    scopes: tuple[str, ...]
    audience: str | None
    refresh_token: str | None = field(repr=False)
    ahead: timedelta
    options: CallOptions | None
    clock: Clock

    def __post_init__(self) -> None:
        _require("ahead", "at least 0", met=self.ahead >= timedelta())
        both = self.refresh_token is not None and self.audience is not None
        _require("audience", "none with a refresh token, whose login has one", met=not both)


def _require(name: str, expected: str, *, met: bool) -> None:
    if not met:
        text = f"must be {expected}"
        raise ValidationError(f"{name} {text}", violations=[FieldViolation(name, text)])


class TokenSourcing:
    """Token sources for blocking clients."""

    def token_source(
        self: AuthenticationClient,
        *,
        scopes: Sequence[str] = (),
        audience: str | None = None,
        refresh_token: str | None = None,
        store: Callable[[str], object] | None = None,
        ahead: timedelta = timedelta(minutes=2),
        options: CallOptions | None = None,
        clock: Clock = SYSTEM,
    ) -> TokenSource:
        """A source of access tokens that are always good, for any number of threads.

            source = platform.authentication.token_source(scopes=["read"])
            headers = {"Authorization": f"Bearer {source.token()}"}

        A token is renewed before it expires, by one caller; the others go on with the one that there is, and wait only
        where there is none. While it cannot be renewed, the last is given until it expires.

        Args:
            scopes: The scopes that are asked for.
            audience: For whom the tokens are meant, where the issuer asks for that.
            refresh_token: The refresh token of a user's login. Without one, tokens are the application's own.
            store: Is given each new refresh token, to keep it, before the one in use is forgotten. If it raises, that
                is raised, and the next caller tries again.
            ahead: How long before it expires a token is renewed; half its life at most.
            options: For the calls that renew it.
            clock: Tells the time.
        """
        from lcplatform_runtime.extensions.token_sources import TokenSource

        settings = Sourcing(
            scopes=tuple(scopes),
            audience=audience,
            refresh_token=refresh_token,
            ahead=ahead,
            options=options,
            clock=clock,
        )
        return TokenSource(self, settings, store)


class AsyncTokenSourcing:
    """Token sources for async clients."""

    def token_source(
        self: AsyncAuthenticationClient,
        *,
        scopes: Sequence[str] = (),
        audience: str | None = None,
        refresh_token: str | None = None,
        store: Callable[[str], Awaitable[object]] | None = None,
        ahead: timedelta = timedelta(minutes=2),
        options: CallOptions | None = None,
        clock: Clock = SYSTEM,
    ) -> AsyncTokenSource:
        """A source of access tokens that are always good, for any number of tasks of one event loop.

            source = platform.authentication.token_source(scopes=["read"])
            headers = {"Authorization": f"Bearer {await source.token()}"}

        A token is renewed before it expires, for one caller; the others go on with the one that there is, and wait only
        where there is none. While it cannot be renewed, the last is given until it expires.

        Args:
            scopes: The scopes that are asked for.
            audience: For whom the tokens are meant, where the issuer asks for that.
            refresh_token: The refresh token of a user's login. Without one, tokens are the application's own.
            store: Is given each new refresh token, to keep it, before the one in use is forgotten. If it raises, that
                is raised, and the next caller tries again.
            ahead: How long before it expires a token is renewed; half its life at most.
            options: For the calls that renew it.
            clock: Tells the time.
        """
        from lcplatform_runtime.extensions.token_sources import AsyncTokenSource

        settings = Sourcing(
            scopes=tuple(scopes),
            audience=audience,
            refresh_token=refresh_token,
            ahead=ahead,
            options=options,
            clock=clock,
        )
        return AsyncTokenSource(self, settings, store)
