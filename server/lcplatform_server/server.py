"""A platform behind a socket."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import grpc

from lcplatform_grpc.draining import Draining
from lcplatform_grpc.handlers import CONTROL, SERVICES, handlers
from lcplatform_grpc.serving import Handlers, Lanes, Router
from lcplatform_runtime.errors import FieldViolation, ValidationError
from lcplatform_server.bearer import Bearer
from lcplatform_server.settings import ServerSettings
from lcplatform_server.standard import Health, reflection

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from lcplatform import LCPlatform

# Health checks are short. Tools that ask for the services keep a thread each.
_HEALTH_THREADS = 2
_REFLECTION_THREADS = 8


class Server:
    """Serves a platform, which stays its owner's to close.

    Ordinary calls, calls that wait for messages, transfers, streams of answers, health checks and reflection have threads
    of their own: however many of one kind there are, the others are answered.
    """

    def __init__(self, platform: LCPlatform, settings: ServerSettings | None = None) -> None:
        """Raises ValidationError where the settings are unsafe; nothing is opened yet."""
        self._settings = settings or ServerSettings()
        self._settings.check()
        self._calls = _threads("calls", self._settings.threads)
        self._long_polls = _threads("long-polls", self._settings.long_poll_threads)
        self._streams = _threads("streams", self._settings.stream_threads)
        self._answers = _threads("answers", self._settings.answer_threads)
        self._health_checks = _threads("health", _HEALTH_THREADS)
        self._reflections = _threads("reflection", _REFLECTION_THREADS)
        self._draining = Draining()
        control = self._settings.control
        services = [*SERVICES, CONTROL] if control else [*SERVICES]
        self._health = Health(["", *services], self._health_checks)
        answered: Handlers = {
            **handlers(
                platform,
                Lanes(self._long_polls, self._streams, self._answers, self._draining),
                control=control,
            ),
            **self._health.handlers(),
            **reflection(services, self._reflections),
        }
        token = self._settings.token
        self._server = grpc.server(
            self._calls,
            [Router(answered)],
            interceptors=[] if token is None else [Bearer(token.get_secret_value())],
            options=self._options(),
        )
        self.endpoint = ""
        """Where clients reach the server, once it is started."""

    def start(self) -> Self:
        """Listens. Raises ValidationError where the address cannot be had."""
        listen = self._settings.listen
        try:
            if self._settings.encrypted:
                port = self._server.add_secure_port(listen, self._settings.credentials())
            else:
                port = self._server.add_insecure_port(listen)
        except RuntimeError:
            port = 0
        if port == 0:
            expected = f"must be an address that is free on this machine, unlike {listen}"
            raise ValidationError(
                f"listen {expected}", violations=(FieldViolation("listen", expected),)
            )
        host, colon, _ = listen.rpartition(":")
        self.endpoint = listen if listen.startswith("unix:") else f"{host}{colon}{port}"
        self._server.start()
        return self

    def stop(self, grace: float | None = None) -> None:
        """Takes no more calls, lets those under way end for the grace, cancels the rest. May be called again.

        Streams of answers, such as watches, have no end to wait for: their callers are told at once that the server is
        unavailable, and ask again elsewhere.
        """
        self._health.stop()
        stopped = self._server.stop(self._settings.grace if grace is None else grace)
        self._draining.begin()
        stopped.wait()
        for lane in self._lanes():
            lane.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _lanes(self) -> tuple[ThreadPoolExecutor, ...]:
        return (
            self._calls,
            self._long_polls,
            self._streams,
            self._answers,
            self._health_checks,
            self._reflections,
        )

    def _options(self) -> list[tuple[str, int]]:
        return [
            ("grpc.max_receive_message_length", self._settings.max_message_bytes),
            ("grpc.max_send_message_length", self._settings.max_message_bytes),
            # Two servers on one port would share its connections by chance.
            ("grpc.so_reuseport", 0),
            # Clients may ask twice a minute whether the server is still there.
            ("grpc.http2.min_recv_ping_interval_without_data_ms", 30_000),
        ]


def _threads(lane: str, most: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(most, thread_name_prefix=f"lcplatform-{lane}")
