"""Fixtures for the emulators: each starts when a test of this worker first asks for it and ends with the session."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from tests.emulators import Emulator, start_ministack, start_moto

_RUNNING: pytest.StashKey[list[Emulator]] = pytest.StashKey()


def _running(config: pytest.Config) -> list[Emulator]:
    return config.stash.setdefault(_RUNNING, [])


def _kept(emulator: Emulator, config: pytest.Config) -> Iterator[Emulator]:
    with emulator:
        _running(config).append(emulator)
        yield emulator
        _running(config).remove(emulator)


@pytest.fixture(scope="session")
def moto(pytestconfig: pytest.Config) -> Iterator[Emulator]:
    """AWS as moto emulates it. Its state lasts for the session: give resources names of your own."""
    yield from _kept(start_moto(), pytestconfig)


@pytest.fixture(scope="session")
def ministack(pytestconfig: pytest.Config) -> Iterator[Emulator]:
    """AWS as ministack emulates it. Its state lasts for the session: give resources names of your own."""
    yield from _kept(start_ministack(), pytestconfig)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows what the emulators printed last beside a test that failed while using them."""
    report = yield
    if report.failed:
        used = getattr(item, "fixturenames", ())
        report.sections.extend(
            (f"output of {emulator.name}", emulator.output())
            for emulator in _running(item.config)
            if emulator.name in used
        )
    return report
