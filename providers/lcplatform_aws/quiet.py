"""Keeps secret values out of the SDK's own debug log, which writes down every request and answer."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Final

from typing_extensions import override

_TALKATIVE: Final = (
    "botocore.endpoint",
    "botocore.parsers",
    "botocore.hooks",
    "urllib3.connectionpool",
)
_quiet: Final[ContextVar[bool]] = ContextVar("lcplatform_aws_quiet", default=False)


class _Discreet(logging.Filter):
    """Lets nothing below a warning pass while a secret is on its way."""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING or not _quiet.get()


@cache
def _hush() -> None:
    """Puts the filter before the SDK's loggers, once."""
    for name in _TALKATIVE:
        logging.getLogger(name).addFilter(_Discreet())


@contextmanager
def quietly() -> Iterator[None]:
    """For a call whose request or answer holds a secret."""
    _hush()
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)
