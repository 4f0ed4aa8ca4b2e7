"""Watching a configuration: what an application says, and what a client must offer for it (FR-019, FR-020)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from lcplatform_runtime.clock import SYSTEM, Clock
from lcplatform_runtime.errors import FieldViolation, ValidationError

if TYPE_CHECKING:
    from lcplatform_runtime.extensions.live import AsyncLiveConfiguration, LiveConfiguration
    from lcplatform_runtime.extensions.watches import AsyncWatch, Watch
    from lcplatform_runtime.json_value import Json
    from lcplatform_runtime.options import CallOptions

REFRESH: Final = timedelta(minutes=5)
"""How often a live view reads anew, unless the application says otherwise."""


class ConfigurationChange(Protocol):
    """What a watch needs to know of a change."""

    @property
    def etag(self) -> str: ...
    @property
    def deleted(self) -> bool: ...


class ReadConfiguration(Protocol):
    """The answer of `get_configuration`."""

    @property
    def version(self) -> str: ...
    @property
    def etag(self) -> str | None: ...
    @property
    def data(self) -> Json | None: ...
    @property
    def not_modified(self) -> bool: ...


C = TypeVar("C", bound=ConfigurationChange)
C_co = TypeVar("C_co", bound=ConfigurationChange, covariant=True)


class ConfigurationClient(Protocol[C_co]):
    """What a blocking client offers."""

    def get_configuration(
        self,
        application: str,
        environment: str,
        /,
        *,
        if_none_match: str | None,
        reader: str | None,
        options: CallOptions | None,
    ) -> ReadConfiguration: ...

    def watch_configuration(
        self,
        application: str,
        environment: str,
        /,
        *,
        if_none_match: str | None,
        reader: str | None,
    ) -> Iterator[C_co]: ...


class AsyncConfigurationClient(Protocol[C_co]):
    """What an async client offers."""

    async def get_configuration(
        self,
        application: str,
        environment: str,
        /,
        *,
        if_none_match: str | None,
        reader: str | None,
        options: CallOptions | None,
    ) -> ReadConfiguration: ...

    def watch_configuration(
        self,
        application: str,
        environment: str,
        /,
        *,
        if_none_match: str | None,
        reader: str | None,
    ) -> AsyncIterator[C_co]: ...


class ConfigurationWatching:
    """Watching for blocking clients."""

    def watch(
        self: ConfigurationClient[C],
        application: str,
        environment: str,
        callback: Callable[[C], object],
        *,
        if_none_match: str | None = None,
        reader: str | None = None,
        clock: Clock = SYSTEM,
    ) -> Watch[C]:
        """Calls `callback` with what is current now, and then with every change, until it is closed.

            with platform.configuration.watch("shop", "production", lambda change: apply(change.data)):
                serve()

        A connection that breaks is made again, after pauses that grow to half a minute, and nothing is told twice: after a
        break the newest version is told if it is another one. The callback runs in a thread of the watch, one change at a
        time; what it raises is logged, and the next change is told all the same. A configuration that does not exist is
        waited for.

        Args:
            application: The application.
            environment: The environment.
            callback: Is told of each change.
            if_none_match: The etag of what the caller has already, which is not told then.
            reader: Who reads, for gradual deployments.
            clock: Tells the time.
        """
        from lcplatform_runtime.extensions.watches import Watch

        def opened(etag: str | None) -> Iterator[C]:
            return self.watch_configuration(
                application, environment, if_none_match=etag, reader=reader
            )

        return Watch(opened, callback, if_none_match, clock)

    def live(
        self: ConfigurationClient[C],
        application: str,
        environment: str,
        *,
        refresh: timedelta = REFRESH,
        reader: str | None = None,
        clock: Clock = SYSTEM,
    ) -> LiveConfiguration:
        """The configuration as it is from now on: read now, at once after each change, and every five minutes (FR-019).

            with platform.configuration.live("shop", "production") as live:
                limit = live.get("/limits/rate", as_type=int, default=100)

        A refresh that fails keeps the last good value and says so: `last_error` is set and `age` grows. It is tried again
        after a second, then after ever longer pauses. Where the provider tells of no changes, the refreshes alone do.

        Args:
            application: The application.
            environment: The environment.
            refresh: How often it is read anew, changes aside.
            reader: Who reads, for gradual deployments.
            clock: Tells the time.

        Raises:
            ResourceNotFoundError: there is no such configuration. Any error of the first read is raised.
        """
        from lcplatform_runtime.extensions.live import LiveConfiguration

        require_refresh(refresh)

        def read(etag: str | None, options: CallOptions) -> ReadConfiguration:
            return self.get_configuration(
                application, environment, if_none_match=etag, reader=reader, options=options
            )

        def opened(etag: str | None) -> Iterator[C]:
            return self.watch_configuration(
                application, environment, if_none_match=etag, reader=reader
            )

        return LiveConfiguration(read, opened, refresh, clock)


class AsyncConfigurationWatching:
    """Watching for async clients."""

    def watch(
        self: AsyncConfigurationClient[C],
        application: str,
        environment: str,
        callback: Callable[[C], Awaitable[object] | None],
        *,
        if_none_match: str | None = None,
        reader: str | None = None,
        clock: Clock = SYSTEM,
    ) -> AsyncWatch[C]:
        """Calls `callback` with what is current now, and then with every change, until it is closed.

            async with platform.configuration.watch("shop", "production", lambda change: apply(change.data)):
                await serve()

        A connection that breaks is made again, after pauses that grow to half a minute, and nothing is told twice: after a
        break the newest version is told if it is another one. The callback runs on the event loop that called `watch`, and
        is awaited if it is async; what it raises is logged, and the next change is told all the same. A configuration that
        does not exist is waited for.

        Args:
            application: The application.
            environment: The environment.
            callback: Is told of each change.
            if_none_match: The etag of what the caller has already, which is not told then.
            reader: Who reads, for gradual deployments.
            clock: Tells the time.
        """
        from lcplatform_runtime.extensions.watches import AsyncWatch

        def opened(etag: str | None) -> AsyncIterator[C]:
            return self.watch_configuration(
                application, environment, if_none_match=etag, reader=reader
            )

        return AsyncWatch(opened, callback, if_none_match, clock)

    async def live(
        self: AsyncConfigurationClient[C],
        application: str,
        environment: str,
        *,
        refresh: timedelta = REFRESH,
        reader: str | None = None,
        clock: Clock = SYSTEM,
    ) -> AsyncLiveConfiguration:
        """The configuration as it is from now on: read now, at once after each change, and every five minutes (FR-019).

            async with await platform.configuration.live("shop", "production") as live:
                limit = live.get("/limits/rate", as_type=int, default=100)

        A refresh that fails keeps the last good value and says so: `last_error` is set and `age` grows. It is tried again
        after a second, then after ever longer pauses. Where the provider tells of no changes, the refreshes alone do.

        Args:
            application: The application.
            environment: The environment.
            refresh: How often it is read anew, changes aside.
            reader: Who reads, for gradual deployments.
            clock: Tells the time.

        Raises:
            ResourceNotFoundError: there is no such configuration. Any error of the first read is raised.
        """
        from lcplatform_runtime.extensions.live import AsyncLiveConfiguration

        require_refresh(refresh)

        async def read(etag: str | None, options: CallOptions) -> ReadConfiguration:
            return await self.get_configuration(
                application, environment, if_none_match=etag, reader=reader, options=options
            )

        def opened(etag: str | None) -> AsyncIterator[C]:
            return self.watch_configuration(
                application, environment, if_none_match=etag, reader=reader
            )

        return await AsyncLiveConfiguration.opened(read, opened, refresh, clock)


def require_refresh(refresh: timedelta) -> None:
    """Refuses a refresh that would never end, or never come."""
    if refresh <= timedelta():
        text = "must be longer than 0"
        raise ValidationError(f"refresh {text}", violations=[FieldViolation("refresh", text)])
