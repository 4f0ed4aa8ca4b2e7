"""The patterns of JSON Schemas, which come from whoever calls: none may keep a provider busy for ever.

Python's own engine goes back and forth in a text, so a pattern such as ^(a+)+$ takes it longer than anybody lives, and holds
up every thread meanwhile. RE2 reads a text once, whatever the pattern, and other threads go on. The price is what cannot be
told in one reading: lookaround and back-references, which JSON Schema asks its authors not to use (Core, section 6.4). A
schema with one of them is refused. Limiting the time instead would let the load of the machine decide what is valid, and
looking for dangerous patterns finds either too few of them or too many.

One reading of a long text can still be much work for a large pattern. So the work of a call is counted, as the size of
the pattern times the length of the text at worst, and limited: the same call meets the same answer on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import re2  # type: ignore[import-untyped]  # it has none

_MOST_WORK: Final = 200_000_000
"""Seconds at the very worst. Of an ordinary pattern of 100 instructions it is two megabytes of text."""

_MOST_MEMORY: Final = 2 * 1024**2
_MAKING: Final = 1000
"""So much more work is an instruction to be made than to be followed."""

# Those of ECMA-262 that RE2 writes in another way.
_ESCAPE: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}|.)", re.DOTALL)


class TooMuchWorkError(Exception):
    """The patterns of a schema are more work than one call may make."""


@dataclass(slots=True)
class _Work:
    left: int = _MOST_WORK

    def do(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise TooMuchWorkError


_WORK: Final[ContextVar[_Work | None]] = ContextVar("lcplatform_patterns", default=None)


@contextmanager
def limited() -> Iterator[None]:
    """Limits what all patterns together may cost from here on.

    Raises:
        TooMuchWorkError: they cost more.
    """
    token = _WORK.set(_Work())
    try:
        yield
    finally:
        _WORK.reset(token)


def is_pattern(text: str) -> bool:
    """Whether this is a pattern that can be used."""
    try:
        pattern = _made(text)
    except (re2.error, UnicodeEncodeError):
        return False
    _charge(pattern.programsize * _MAKING)
    return True


def occurs(pattern: str, text: str) -> bool:
    """Whether a pattern is found somewhere in a text."""
    made = _made(pattern)
    _charge(made.programsize * (len(text) + 1))
    return made.search(text.encode("utf-8", "replace")) is not None


def _charge(amount: int) -> None:
    work = _WORK.get()
    if work is not None:
        work.do(amount)


@lru_cache(maxsize=256)
def _made(text: str) -> Any:  # RE2 tells no types
    options = re2.Options()
    options.max_mem = _MOST_MEMORY
    options.log_errors = False
    options.never_capture = True
    return re2.compile(_ESCAPE.sub(_translated, text).encode(), options)


def _translated(escape: re.Match[str]) -> str:
    digits = escape[1] or escape[2]
    return escape[0] if digits is None else f"\\x{{{digits}}}"
