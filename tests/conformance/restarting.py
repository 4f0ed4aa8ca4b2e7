"""The mock on a state directory, closed and opened again every few calls: nobody who calls it may notice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

from typing_extensions import override

from lcplatform.catalogue import SERVICES
from lcplatform.drivers import Drivers
from lcplatform_mock.provider import MockProvider
from lcplatform_mock.provider import provider as mock

_CALLS: Final = 5
"""How many calls one life lasts at least. A call that waits, a stream that is read, or a transaction that is open holds
the restart up: those end with the life."""


class Lives:
    """One mock after another on the same state."""

    def __init__(self, options: Mapping[str, object]) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._calls = self._under_way = 0
        self._transactions: set[str] = set()
        self.drivers = mock.connect(options, asynchronous=False)
        self._made: dict[str, Any] = {}

    @contextmanager
    def life(self) -> Iterator[None]:
        """Keeps the present life for a call, which may be the first of another one."""
        with self._lock:
            self._calls += 1
            if self._calls >= _CALLS and not self._under_way and not self._transactions:
                self.restart()
            self._under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    def began(self, transaction: str) -> None:
        """A transaction is open from now on."""
        with self._lock:
            self._transactions.add(transaction)

    def ended(self, transaction: str) -> None:
        """It is no longer."""
        with self._lock:
            self._transactions.discard(transaction)

    def restart(self) -> None:
        """Ends this life and begins another."""
        self.drivers.close()
        self._made.clear()
        self._calls = 0
        self.drivers = mock.connect(self._options, asynchronous=False)

    def driver(self, name: str) -> Any:  # of any service
        """The driver of a service in this life."""
        if name not in self._made:
            self._made[name] = getattr(self.drivers, name)()
        return self._made[name]

    def close(self) -> None:
        """Ends the last life."""
        self.drivers.close()


class RestartingMock(MockProvider):
    """The mock, which has another life every few calls."""

    @override
    def connect(self, options: Mapping[str, object], /, *, asynchronous: bool) -> Drivers:
        """Drivers that outlive the services behind them."""
        lives = Lives(options)
        made: dict[str, Any] = {name: _surviving(name, lives) for name in (*SERVICES, "control")}
        return Drivers(
            **made,
            provider=self.name,
            translate=lives.drivers.translate,
            close=lives.close,
        )


def _surviving(name: str, lives: Lives) -> Callable[[], object]:
    package = "testing" if name == "control" else name
    module = import_module(f"lcplatform.{package}.driver")
    contract = next(
        it
        for given, it in vars(module).items()
        if given.endswith("Driver") and not given.startswith("Async") and hasattr(it, "support")
    )
    methods = {}
    for operation in contract.__abstractmethods__ - {"support"}:
        streams = str(getattr(contract, operation).__annotations__["return"]).startswith(
            "Iterator["
        )
        forward = _FORWARDS.get(operation) or (_streamed if streams else _forwarded)
        methods[operation] = forward(name, operation, lives)
    support = property(lambda self: lives.driver(name).support)
    return type(f"Restarting{contract.__name__}", (contract,), {**methods, "support": support})


def _forwarded(service: str, operation: str, lives: Lives) -> Callable[..., object]:
    def forwarded(self: object, *arguments: object) -> object:
        with lives.life():
            return getattr(lives.driver(service), operation)(*arguments)

    return forwarded


def _beginning(service: str, operation: str, lives: Lives) -> Callable[..., object]:
    def beginning(self: object, *arguments: object) -> object:
        with lives.life():
            answer = getattr(lives.driver(service), operation)(*arguments)
            lives.began(answer.transaction)
            return answer

    return beginning


def _ending(service: str, operation: str, lives: Lives) -> Callable[..., object]:
    forward = _forwarded(service, operation, lives)

    def ending(self: object, request: Any) -> object:  # names a transaction
        try:
            return forward(self, request)
        finally:
            lives.ended(request.transaction)

    return ending


def _streamed(service: str, operation: str, lives: Lives) -> Callable[..., object]:
    def streamed(self: object, *arguments: object) -> Iterator[object]:
        with lives.life():  # until its reader has enough: a stream is a call that is under way
            yield from getattr(lives.driver(service), operation)(*arguments)

    return streamed


_FORWARDS: Final = {
    "begin_transaction": _beginning,
    "commit_transaction": _ending,
    "rollback_transaction": _ending,
}

provider: Final = RestartingMock()
"""For `--lcplatform-provider tests.conformance.restarting:provider`."""
