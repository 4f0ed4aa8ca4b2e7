"""What an application may reach of the platform that runs it: the services and resources that it is bound to, no more.

The application runs in a process of its own, so it comes in through a server on a loopback address, with a token. The server
is the installed surface `grpc`, which this package does not know (`lcplatform.surfaces`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol

from lcplatform.web_hosting.models import Access, Binding
from lcplatform_runtime.application_settings import variables
from lcplatform_runtime.errors import PermissionDeniedError, UnsupportedError
from lcplatform_runtime.operation import Idempotency, Operation

if TYPE_CHECKING:
    from lcplatform.drivers import Drivers

# The fields that name the resource that a binding may name, such as the bucket of an object. What creates, changes or deletes
# such a resource calls it `name`.
_NAMED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "configuration": ("application",),
    "document_store": ("collection",),
    "event_bus": ("bus",),
    "notification": ("topic",),
    "object_store": ("bucket", "source_bucket"),
    "queue": ("queue", "dead_letter_queue"),
    "secrets": ("names",),
}
# Operations that are about no resource at all, or that one needs for the sake of its own.
_FOR_ALL: Final = frozenset(
    {
        "abort_transaction",
        "begin_transaction",
        "commit_transaction",
        "test_event_pattern",
        "validate_configuration",
        "verify_webhook",
    }
)


class Loopback(Protocol):
    """A surface that can be opened over drivers that are there."""

    def loopback(
        self, drivers: Drivers, token: str, /
    ) -> AbstractContextManager[Mapping[str, object]]:
        """A server on a loopback address that takes calls with the token alone. The context gives the options of the
        platform that calls it: `provider`, and those of the provider, without the token."""
        ...


@dataclass(frozen=True, slots=True)
class Door:
    """A way into the platform for one revision of an application.

    Attributes:
        environment: the variables by which the application finds it.
        close: shuts it.
    """

    environment: Mapping[str, str]
    close: Callable[[], None]


def surface() -> Loopback:
    """The installed surface.

    Raises:
        UnsupportedError: there is none. It says what to install.
    """
    from importlib.metadata import entry_points

    for entry in entry_points(group="lcplatform.surfaces", name="grpc"):
        try:
            found: Loopback = entry.load()
        except ModuleNotFoundError:
            break
        if hasattr(found, "loopback"):
            return found
    raise UnsupportedError(
        "an application with bindings reaches the platform through a server: pip install 'lcplatform[server]'"
    )


def opened(drivers: Drivers, bindings: Sequence[Binding]) -> Door:
    """Opens a way in for an application with these bindings."""
    token = secrets.token_urlsafe(32)
    context = surface().loopback(restricted(drivers, bindings), token)
    options = dict(context.__enter__())
    provider = str(options.pop("provider"))
    start = f"LCPLATFORM_PROVIDERS__{provider.upper()}__"
    environment = {
        "LCPLATFORM_PROVIDER": provider,
        **{f"{start}{name.upper()}": str(value) for name, value in options.items()},
        f"{start}TOKEN": token,
        **variables(bindings),
    }
    return Door(environment, lambda: _closed(context))


def restricted(drivers: Drivers, bindings: Sequence[Binding]) -> Drivers:
    """The same drivers, which refuse what is not bound. Closing them closes nothing."""
    from lcplatform.catalogue import SERVICES

    guarded: dict[str, Any] = {
        service: partial(
            _guarded,
            service,
            getattr(drivers, service),
            bindings,
        )
        for service in SERVICES
    }
    return replace(drivers, **guarded, close=_nothing, control=None)


def _guarded(service: str, make: Callable[[], Any], bindings: Sequence[Binding]) -> Any:
    """A driver of the same service that asks the bindings first."""
    driver = make()
    module = import_module(f"lcplatform.{service}.operations")
    operations = {one.method: one for one in vars(module).values() if isinstance(one, Operation)}
    contract = next(
        base for base in type(driver).__mro__ if base.__module__ == f"lcplatform.{service}.driver"
    )
    methods: dict[str, Any] = {
        name: _asking(operations[name], getattr(driver, name), bindings) for name in operations
    }
    methods["support"] = property(lambda self: driver.support)
    return type(f"Guarded{contract.__name__}", (contract,), methods)()


def _asking(
    operation: Operation, method: Callable[..., Any], bindings: Sequence[Binding]
) -> Callable[..., Any]:
    def ask(self: object, request: Any, /, *body: Any) -> Any:  # of any operation
        _check(operation, request, bindings)
        return method(request, *body)

    return ask


def _check(operation: Operation, request: object, bindings: Sequence[Binding]) -> None:
    """Refuses a call that no binding allows."""
    reads = operation.idempotency is Idempotency.NO_SIDE_EFFECTS
    needs = [(operation.service, _resources(operation, request), reads)]
    needs += [
        (service, {name}, service == "secrets")
        for service, name in _elsewhere(operation.service, request)
    ]
    for service, resources, reading in needs:
        there = [one for one in bindings if one.service == service]
        if (reason := _beyond(service, resources, there, reads=reading)) is not None:
            raise PermissionDeniedError(reason, operation=operation.title)


def _beyond(
    service: str, resources: set[str] | None, bindings: Sequence[Binding], *, reads: bool
) -> str | None:
    """In what way a use of resources of a service goes beyond the bindings to it. No resources are all that there are."""
    if not bindings:
        return f"the application is not bound to {service}"
    allowing = [one for one in bindings if reads or one.access is not Access.READ]
    if not allowing:
        return f"the application may only read from {service}"
    bound = {one.resource for one in allowing}
    if None in bound or (resources is not None and resources <= bound):
        return None
    what = "all resources" if resources is None else ", ".join(map(repr, sorted(resources - bound)))
    return f"the application is not bound to {what} of {service}"


def _elsewhere(service: str, request: object) -> Iterator[tuple[str, str]]:
    """The resources of other services that a request has the platform use: where it delivers, and what it injects."""
    target = getattr(request, "target", None)
    queues = [getattr(target, "queue", None)]
    if service != "queue":  # whose own they are
        queues.append(getattr(request, "dead_letter_queue", None))
    if getattr(request, "protocol", None) == "queue":
        queues.append(getattr(request, "endpoint", None))
    yield from (("queue", name) for name in queues if name is not None)
    if (topic := getattr(target, "topic", None)) is not None:
        yield "notification", topic
    injected = (
        getattr(request, "secrets", {}),
        getattr(getattr(request, "job", None), "secrets", {}),
        getattr(target, "secret_headers", {}),
    )
    yield from (("secrets", name) for secrets in injected for name in secrets.values())


def _resources(operation: Operation, request: object) -> set[str] | None:
    """The resources that a request names: none where an identity that was given to the application stands for one, and
    nothing where the request is about all there are."""
    fields = _NAMED_BY.get(operation.service)
    if fields is None or operation.method in _FOR_ALL:
        return set()
    first = "name" if operation.resource == "name" and not hasattr(request, fields[0]) else None
    values = [
        value
        for name in (first, *fields)
        if name is not None and (value := getattr(request, name, None)) is not None
    ]
    if values:
        return {name for value in values for name in ([value] if isinstance(value, str) else value)}
    return None if operation.resource is None else set()


def _closed(context: AbstractContextManager[object]) -> None:
    context.__exit__(None, None, None)


def _nothing() -> None:
    """They are somebody else's to close."""
