"""Finds a provider by its name among the installed distributions (FR-059)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

from lcplatform_runtime.errors import FieldViolation, UnsupportedError, ValidationError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP: Final = "lcplatform.providers"
"""The entry point group of providers. Each entry names an object with a `connect` method."""


_OWN: Final = {
    "aws": "lcplatform_aws",
    "grpc": "lcplatform_grpc",
    "mock": "lcplatform_mock",
}
"""The providers of this distribution: their names are taken, and found without a look at the environment."""


def providers() -> tuple[str, ...]:
    """The names of the installed providers, in their order. None of them is imported."""
    return tuple(sorted(_installed()))


def find_provider(name: str, /) -> object:
    """The provider that is installed under this name.

    Raises:
        ValidationError: no distribution offers the name, or two of them claim it.
        UnsupportedError: a package that the provider needs is not installed. It says what to install.
    """
    if name in _OWN:
        return _loaded(name, _OWN[name], lambda: import_module(_OWN[name]).provider)
    entries = _installed().get(name)
    if not entries:
        known = ", ".join(providers()) or "none"
        raise _refused(f"there is no provider {name!r}; installed: {known}")
    if len(entries) > 1:
        claims = ", ".join(f"{_distribution(entry)} ({entry.value})" for entry in entries)
        raise _refused(
            f"several distributions offer a provider {name!r}, uninstall all but one: {claims}"
        )
    return _loaded(name, entries[0].module, entries[0].load)


def refresh() -> None:
    """Looks for installed providers anew. Only for a process that installs some while it runs."""
    _installed.cache_clear()


@cache
def _installed() -> dict[str, list[EntryPoint]]:
    """Every entry by name. One look at the environment lasts for the process."""
    from importlib.metadata import entry_points

    found: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=GROUP):
        others = found.setdefault(entry.name, [])
        if all(entry.value != other.value for other in others):
            others.append(entry)
    return found


def missing_package(name: str, error: ModuleNotFoundError, /) -> UnsupportedError:
    """The refusal of a provider that imports what is not installed, whenever it does so. It says what to install."""
    missing = error.name or str(error)
    return UnsupportedError(
        f"the provider {name!r} needs {missing}, which is not installed: pip install '{_remedy(name, missing)}'",
        details={"module": missing},
    )


def _loaded(name: str, module: str, load: Callable[[], object]) -> object:
    try:
        return load()
    except ModuleNotFoundError as error:
        if error.name == module:  # the provider itself: its distribution is broken
            raise
        raise missing_package(name, error) from error


def _remedy(name: str, missing: str) -> str:
    """What to install: the extra that is named after the provider, if its distribution has one."""
    for entry in _installed().get(name, ()):
        if entry.dist and name in (entry.dist.metadata.get_all("Provides-Extra") or ()):
            return f"{_distribution(entry)}[{name}]"
    return missing


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.module


def _refused(reason: str) -> ValidationError:
    return ValidationError(reason, violations=[FieldViolation("provider", reason)])
