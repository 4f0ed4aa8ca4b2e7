"""Lets a blocking test call the async clients: each call runs on a loop of its own and is waited for."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Self, cast

from lcplatform_runtime.bridge import BackgroundLoop

if TYPE_CHECKING:
    from lcplatform import AsyncLCPlatform, LCPlatform

BLOCKING: Final = "blocking"
ASYNC: Final = "async"
COLOURS: Final = (BLOCKING, ASYNC)


@contextmanager
def opened(colour: str, arguments: Mapping[str, object]) -> Iterator[LCPlatform]:
    """A platform of that colour. An async one looks like a blocking one and is called through a loop."""
    from lcplatform import AsyncLCPlatform, LCPlatform

    # The arguments come from a surface: `provider` and its options, whatever they are.
    given: dict[str, Any] = dict(arguments)
    if colour == BLOCKING:
        with LCPlatform(**given) as platform:
            yield platform
        return
    loop = BackgroundLoop()
    try:
        proxy = _Blocking(loop.run(_made(AsyncLCPlatform, given)), loop)
        try:
            # What the proxy answers to is the blocking platform's interface; types cannot express that.
            yield cast("LCPlatform", proxy)
        finally:
            proxy.close()
    finally:
        loop.close()


def blocking_view(platform: AsyncLCPlatform, loop: BackgroundLoop) -> LCPlatform:
    """An async platform that looks like a blocking one: each of its calls runs on the loop and is waited for."""
    # What the view answers to is the blocking platform's interface; types cannot express that.
    return cast("LCPlatform", _Blocking(platform, loop))


async def _made(platform: Callable[..., object], arguments: Mapping[str, object]) -> object:
    return platform(**arguments)


class _Blocking:
    """An async object as its blocking counterpart."""

    def __init__(self, target: Any, loop: BackgroundLoop) -> None:  # any class of the async colour
        self._target = target
        self._loop = loop

    def __getattr__(self, name: str) -> Any:  # whatever the blocking counterpart has there
        value = getattr(self._target, name)
        return self._blocking_call(value) if inspect.isroutine(value) else self._blocking(value)

    def __enter__(self) -> Self:
        self._loop.run(self._target.__aenter__())
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.run(self._target.__aexit__(*error))

    def __iter__(self) -> Iterator[object]:
        return self._loop.iterate(aiter(self._target))

    def _blocking_call(self, function: Callable[..., Any]) -> Callable[..., object]:
        async def awaited(*arguments: object, **words: object) -> object:
            result = function(*arguments, **words)
            return await result if inspect.isawaitable(result) else result

        def call(*arguments: object, **words: object) -> object:
            return self._blocking(self._loop.run(awaited(*arguments, **words)))

        return call

    def _blocking(self, value: object) -> object:
        if isinstance(value, AsyncIterator):
            return self._loop.iterate(value)
        # Every class of the async colour says so in its name; the rest are values of both.
        return _Blocking(value, self._loop) if type(value).__name__.startswith("Async") else value
