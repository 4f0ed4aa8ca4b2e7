"""The two colours of Python: what differs between blocking and async code, so that one template serves both."""

from __future__ import annotations

from dataclasses import dataclass

from lcplatform_codegen.model import Kind, Method, Service

# Hand-written methods on top of a generated client (providers/lcplatform_runtime/extensions), by accessor.
EXTENSIONS = {
    "authentication": "TokenSourcing",
    "configuration": "ConfigurationWatching",
    "control": "Snapshots",
    "data_store": "Transactions",
    "document_store": "DocumentTransactions",
    "queue": "QueueConsuming",
    "secrets": "SecretRotating",
}
# What applications need of them by name, by accessor.
EXTENSION_NAMES = {
    "authentication": [
        ("lcplatform_runtime.extensions.token_sources", ["AsyncTokenSource", "TokenSource"]),
    ],
    "configuration": [
        (
            "lcplatform_runtime.extensions.live",
            ["AsyncLiveConfiguration", "LiveConfiguration", "LiveState"],
        ),
        ("lcplatform_runtime.extensions.watches", ["AsyncWatch", "Watch"]),
    ],
    "data_store": [
        ("lcplatform_runtime.extensions.transactions", ["AsyncTransaction", "Transaction"]),
    ],
    "queue": [
        ("lcplatform_runtime.extensions.consumers", ["AsyncConsumer", "Consumer"]),
        ("lcplatform_runtime.extensions.queue", ["Verdict"]),
    ],
}


# How a driver of one colour is called for callers of the other.
_IN_THREADS = {
    Kind.UNARY: 'await self._lanes.run("{lane}", {driver}, request)',
    Kind.UPLOAD: "await self._lanes.upload({driver}, request, source)",
    Kind.DOWNLOAD: "await self._lanes.download({driver}, request)",
    Kind.STREAM: "self._lanes.stream({driver}, request)",
}
_ON_THE_LOOP = {
    Kind.UNARY: "self._loop.run({driver}(request))",
    Kind.UPLOAD: "self._loop.upload({driver}, request, source)",
    Kind.DOWNLOAD: "self._loop.download({driver}, request)",
    Kind.STREAM: "self._loop.stream({driver}, request)",
}


@dataclass(frozen=True, slots=True)
class Colour:
    """How one colour spells what both say."""

    prefix: str
    word: str
    define: str
    wait: str
    data: str
    source: str
    stream: str
    download: str
    iterator: str
    iterate: str
    first: str
    wait_until: str

    def result(self, method: Method) -> str:
        """What a driver method returns."""
        if method.kind is Kind.DOWNLOAD:
            return f"{self.stream}[{method.response.name}]"
        return (
            f"{self.iterator}[{method.response.name}]"
            if method.kind is Kind.STREAM
            else method.response.name
        )

    def answer(self, method: Method) -> str:
        """What a client method returns."""
        return (
            f"{self.download}[{method.response.name}]"
            if method.kind is Kind.DOWNLOAD
            else self.result(method)
        )

    def bridged(self, method: Method) -> str:
        """The call of a driver of the other colour."""
        calls = _IN_THREADS if self.prefix else _ON_THE_LOOP
        return calls[method.kind].format(driver=f"self._driver.{method.name}", lane=method.lane)

    def bases(self, service: Service) -> str:
        """The hand-written methods that a client inherits."""
        extension = EXTENSIONS.get(service.accessor)
        return f"({self.prefix}{extension})" if extension else ""

    def define_client(self, method: Method) -> str:
        """`def` or `async def`: an async stream is iterated, not awaited."""
        return "def" if method.kind is Kind.STREAM else self.define

    def wait_for(self, method: Method) -> str:
        """`await` where there is something to wait for."""
        return "" if method.kind is Kind.STREAM else self.wait


BLOCKING = Colour(
    prefix="",
    word="blocking",
    define="def",
    wait="",
    data="Data",
    source="ByteSource",
    stream="ByteStream",
    download="Download",
    iterator="Iterator",
    iterate="iterate",
    first="first",
    wait_until="wait_until",
)
ASYNC = Colour(
    prefix="Async",
    word="async",
    define="async def",
    wait="await ",
    data="AsyncData",
    source="AsyncByteSource",
    stream="AsyncByteStream",
    download="AsyncDownload",
    iterator="AsyncIterator",
    iterate="aiterate",
    first="afirst",
    wait_until="wait_until_async",
)
COLOURS = (BLOCKING, ASYNC)
