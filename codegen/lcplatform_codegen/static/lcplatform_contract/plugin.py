"""The pytest plugin of the contract tests. It does nothing in a run that has none.

pytest loads it wherever LCPlatform is installed, so what is heavy is imported where it is used.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from lcplatform import Provider
    from lcplatform_contract.harness import Harness
    from lcplatform_contract.session import Combination, Session

_FIXTURE: Final = "lcplatform_session"
_ALL: Final = "all"
_CLOCK: Final = "clock"
_HARNESS: Final = pytest.StashKey["Harness"]()
_LACKING: Final = pytest.StashKey[dict[str, int]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the contract tests."""
    group = parser.getgroup(
        "lcplatform", "contract tests of LCPlatform (pytest --pyargs lcplatform_contract)"
    )
    group.addoption(
        "--lcplatform-provider",
        metavar="NAME",
        default="mock",
        help="the provider under test: its name, or MODULE:NAME of one that is not installed (mock)",
    )
    group.addoption(
        "--lcplatform-option", metavar="KEY=VALUE", action="append", default=[],
        help="an option of the provider; the value is a text or a TOML value (repeatable)",
    )  # fmt: skip
    group.addoption(
        "--lcplatform-surface", metavar="NAME", action="append", default=[],
        help="in-process, or an installed surface such as grpc, or all (repeatable; in-process)",
    )  # fmt: skip
    group.addoption(
        "--lcplatform-colour", metavar="NAME", action="append", default=[], choices=["blocking", "async", _ALL],
        help="blocking, async or all (repeatable; all)",
    )  # fmt: skip
    group.addoption(
        "--lcplatform-differences", metavar="FILE", action="append", default=[],
        help="a TOML file of known differences: [service] test_name = \"reason\" (repeatable)",
    )  # fmt: skip
    group.addoption(
        "--lcplatform-harness", metavar="MODULE:NAME", default=None,
        help="what sets the provider up, in place of the harness that it registered",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """The marks of the contract tests."""
    config.addinivalue_line(
        "markers", "lcplatform_needs(*capabilities): runs where the provider declares them all"
    )
    config.addinivalue_line(
        "markers", "lcplatform_lacks(*capabilities): runs where the provider declares none of them"
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """Takes down what was set up."""
    harness = config.stash.get(_HARNESS, None)
    if harness is not None:
        harness.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every contract test runs on each surface and in each colour that were asked for."""
    if _FIXTURE in metafunc.fixturenames:
        metafunc.parametrize(
            _FIXTURE, _combinations(metafunc.config), indirect=True, ids=str, scope="session"
        )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what the provider does not declare, and expects known differences to fail."""
    contract = [item for item in items if _FIXTURE in getattr(item, "fixturenames", ())]
    if not contract:
        return
    from lcplatform_contract import differences

    declared = _declared(config)
    out = [item for item in contract if not _fits(item, declared)]
    if out:
        config.hook.pytest_deselected(items=out)
        config.stash[_LACKING] = _count(out, declared)
        gone = set(out)
        items[:] = [item for item in items if item not in gone]
    reasons = dict(_harness(config).differences)
    for path in _given(config, "--lcplatform-differences"):
        reasons |= differences.read(Path(path))
    differences.apply(contract, reasons)


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    """Tells what was left out and why."""
    provider = config.getoption("--lcplatform-provider")
    lacking = config.stash.get(_LACKING, {})
    return [
        f"lcplatform: {provider} has no {need}: {count} tests left out"
        for need, count in sorted(lacking.items())
    ]


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Shows where a value differs from what was expected."""
    if op != "==":
        return None
    from lcplatform_contract.expect import explain

    return explain(left, right)


@pytest.fixture(scope="session")
def lcplatform_session(request: pytest.FixtureRequest) -> Iterator[Session]:
    """The provider under test, on one surface and in one colour."""
    from lcplatform_contract.session import session

    with session(_provider(request.config), _harness(request.config), request.param) as current:
        yield current


def _combinations(config: pytest.Config) -> list[Combination]:
    from lcplatform_contract.colours import COLOURS
    from lcplatform_contract.harness import IN_PROCESS, surface_names, surface_of
    from lcplatform_contract.session import Combination

    surfaces = _chosen(_given(config, "--lcplatform-surface"), surface_names(), [IN_PROCESS])
    colours = _chosen(_given(config, "--lcplatform-colour"), list(COLOURS), list(COLOURS))
    for surface in surfaces:
        surface_of(surface)  # an unknown one is told before anything runs
    return [Combination(surface, colour) for surface in surfaces for colour in colours]


def _chosen(given: list[str], every: list[str], default: list[str]) -> list[str]:
    return every if _ALL in given else list(dict.fromkeys(given)) or default


def _given(config: pytest.Config, option: str) -> list[str]:
    """The values of an option that can be repeated."""
    return [str(value) for value in config.getoption(option) or ()]


def _provider(config: pytest.Config) -> str | Provider:
    from lcplatform_contract.harness import loaded

    name = str(config.getoption("--lcplatform-provider"))
    provider: str | Provider = loaded(name) if ":" in name else name
    return provider


def _harness(config: pytest.Config) -> Harness:
    if _HARNESS not in config.stash:
        from lcplatform_contract.harness import harness_of

        options = dict(map(_option, _given(config, "--lcplatform-option")))
        config.stash[_HARNESS] = harness_of(
            str(config.getoption("--lcplatform-provider")),
            options,
            config.getoption("--lcplatform-harness"),
        )
    return config.stash[_HARNESS]


def _option(given: str) -> tuple[str, object]:
    key, equals, value = given.partition("=")
    if not equals or not key:
        raise pytest.UsageError(f"--lcplatform-option takes KEY=VALUE, not {given!r}")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value


def _declared(config: pytest.Config) -> Mapping[str, frozenset[str]]:
    """By service, the capabilities that the provider declares, and the clock."""
    from lcplatform.errors import LCPlatformError

    try:
        return _support(_provider(config), _harness(config))
    except LCPlatformError as error:
        raise pytest.UsageError(str(error)) from None


def _support(provider: str | Provider, harness: Harness) -> Mapping[str, frozenset[str]]:
    from lcplatform_contract.colours import BLOCKING, opened

    clock = {_CLOCK} if harness.has_clock else set()
    with opened(BLOCKING, {"provider": provider, **harness.platform_options()}) as platform:
        return {
            one.service: frozenset({*one.capabilities, *clock})
            for one in platform.describe().services
            if one.offered
        }


def _marked(item: pytest.Item, mark: str) -> set[str]:
    return {str(name) for found in item.iter_markers(mark) for name in found.args}


def _missing(item: pytest.Item, declared: Mapping[str, frozenset[str]]) -> set[str]:
    service = getattr(getattr(item, "cls", None), "service", "")
    if service not in declared:
        return {service}
    return {need for need in _marked(item, "lcplatform_needs") if not _met(need, service, declared)}


def _met(need: str, service: str, declared: Mapping[str, frozenset[str]]) -> bool:
    """Whether there is a capability of the service, one of another (`queue.fifo`), or another service (`platform.queue`)."""
    owner, dot, name = need.rpartition(".")
    if owner == "platform":
        return name in declared
    return name in declared.get(owner if dot else service, frozenset())


def _fits(item: pytest.Item, declared: Mapping[str, frozenset[str]]) -> bool:
    service = getattr(getattr(item, "cls", None), "service", "")
    present = _marked(item, "lcplatform_lacks") & declared.get(service, frozenset())
    return not present and not _missing(item, declared)


def _count(items: Iterable[pytest.Item], declared: Mapping[str, frozenset[str]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for item in items:
        for need in _missing(item, declared):
            counts[need] = counts.get(need, 0) + 1
    return counts
