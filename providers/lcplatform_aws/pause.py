"""Waits between two looks at what is new."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from lcplatform_runtime.cancellation import CANCELLATION

_SECONDS: Final = 1.0


class Pause:
    """Waits a moment, or until the caller gives up: then it answers True."""

    def __init__(self) -> None:
        self._given_up = threading.Event()
        self._cancellation = CANCELLATION.get()

    def __enter__(self) -> Callable[[], bool]:
        if self._cancellation is not None:
            self._waking = self._cancellation.waking(self._given_up.set)
            self._waking.__enter__()
        return self._wait

    def __exit__(self, *_: object) -> None:
        if self._cancellation is not None:
            self._waking.__exit__(None, None, None)

    def _wait(self) -> bool:
        if self._cancellation is not None and self._cancellation.cancelled:
            return True
        return self._given_up.wait(_SECONDS)
