"""What every gRPC server answers besides its own services: whether it is well, and what it offers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2
from grpc_health.v1.health import HealthServicer
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.reflection import ReflectionServicer

from lcplatform_grpc.serving import Handlers

HEALTH: Final = "grpc.health.v1.Health"
_ALPHA: Final = "grpc.reflection.v1alpha.ServerReflection"
# Both versions are the same on the wire. Newer tools ask for the first, of which there is no descriptor to list.
_REFLECTION: Final = (
    "grpc.reflection.v1.ServerReflection",
    _ALPHA,
)


class _InLane:
    """A behaviour that gRPC runs in threads of its own."""

    def __init__(
        self,
        behaviour: Callable[..., Any],  # gRPC decides what it is called with
        lane: ThreadPoolExecutor,
        *,
        non_blocking: bool = False,
    ) -> None:
        self._behaviour = behaviour
        self.experimental_thread_pool = lane
        self.experimental_non_blocking = non_blocking

    def __call__(self, *arguments: Any) -> Any:
        return self._behaviour(*arguments)


class Health:
    """Says that the server and each of its services are well, until they are not."""

    def __init__(self, services: Iterable[str], lane: ThreadPoolExecutor) -> None:
        self._servicer = HealthServicer(
            experimental_non_blocking=True, experimental_thread_pool=lane
        )
        self._lane = lane
        for service in services:
            self._servicer.set(service, health_pb2.HealthCheckResponse.SERVING)

    def handlers(self) -> Handlers:
        """The handlers of the service."""
        parse = health_pb2.HealthCheckRequest.FromString
        write = health_pb2.HealthCheckResponse.SerializeToString
        check = _InLane(self._servicer.Check, self._lane)
        watch = _InLane(self._servicer.Watch, self._lane, non_blocking=True)
        return {
            f"/{HEALTH}/Check": grpc.unary_unary_rpc_method_handler(check, parse, write),
            f"/{HEALTH}/Watch": grpc.unary_stream_rpc_method_handler(watch, parse, write),
        }

    def stop(self) -> None:
        """From now on the server says that it is not well, so that nobody sends it new calls."""
        self._servicer.enter_graceful_shutdown()


def reflection(services: Iterable[str], lane: ThreadPoolExecutor) -> Handlers:
    """The handlers that tell tools what the server offers."""
    servicer = ReflectionServicer([*services, HEALTH, _ALPHA])
    tell = grpc.stream_stream_rpc_method_handler(
        _InLane(servicer.ServerReflectionInfo, lane),
        reflection_pb2.ServerReflectionRequest.FromString,
        reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    return {f"/{name}/ServerReflectionInfo": tell for name in _REFLECTION}
