"""Known differences of a provider: tests that it cannot pass, each with its reason. One that passes all the same fails.

[queue]
test_a_purged_queue_is_empty_and_goes_on_working = "the emulator forgets only what is visible"
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest


def read(path: Path) -> dict[str, str]:
    """The reasons in a file, by `<service>.<test>`."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise pytest.UsageError(f"{path}: {error}") from None
    reasons: dict[str, str] = {}
    for service, tests in tables.items():
        for test, reason in tests.items() if isinstance(tests, dict) else [("", tests)]:
            if not isinstance(reason, str) or not reason.strip() or not test:
                raise pytest.UsageError(
                    f'{path}: write [service] and under it test_name = "reason"; see {service}.{test}'
                )
            reasons[f"{service}.{test}"] = reason
    return reasons


def apply(items: Iterable[pytest.Item], reasons: Mapping[str, str]) -> None:
    """Expects the tests with a reason to fail.

    Raises:
        UsageError: a difference names a test that does not exist. Tests of services that were not collected are not missed.
    """
    known: set[str] = set()
    services: set[str] = set()
    for item in items:
        cls = getattr(item, "cls", None)
        service = getattr(cls, "service", "")
        services.add(service)
        known |= {f"{service}.{name}" for name in dir(cls) if name.startswith("test_")}
        reason = reasons.get(f"{service}.{getattr(item, 'originalname', item.name)}")
        if reason is not None:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
    stray = sorted(
        name for name in reasons if name.partition(".")[0] in services and name not in known
    )
    if stray and _complete(services, items):
        raise pytest.UsageError(
            f"known differences name tests that do not exist: {', '.join(stray)}"
        )


def _complete(services: set[str], items: Iterable[pytest.Item]) -> bool:
    """Whether all test modules of the services were collected, so that what is not there does not exist."""
    collected = {Path(item.path) for item in items}
    folders = {path.parent for path in collected}
    return all(path in collected for folder in folders for path in folder.glob("test_*.py"))
