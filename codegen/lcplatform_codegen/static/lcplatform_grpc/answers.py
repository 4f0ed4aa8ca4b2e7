"""What comes back from a server, as far as both colours treat it alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from lcplatform_grpc.parts import Envelope, parse
from lcplatform_runtime.errors import InternalError, ValidationError

Res = TypeVar("Res")
P = TypeVar("P", bound=Message)


class Reader(Generic[P, Res]):
    """Reads the answers of one operation. One that makes no sense is the server's fault, not the caller's."""

    __slots__ = ("_message", "_read")

    def __init__(self, message: type[P], read: Callable[[P], Res]) -> None:
        self._message = message
        self._read = read

    def __call__(self, data: bytes, /) -> Res:
        """The answer in these bytes."""
        try:
            return self._read(parse(self._message, data))
        except ValidationError as error:
            problem = _not_understood(error)
        raise problem


class BodyReader(Generic[Res]):
    """Reads the parts of one kind of download."""

    __slots__ = ("_envelope", "_read")

    def __init__(self, envelope: Envelope[Any], read: Callable[[Any], Res]) -> None:
        self._envelope = envelope
        self._read = read

    def header(self, data: bytes | None, /) -> Res:
        """The header in the first message, if there is one."""
        try:
            name, value = self._envelope.part(data or b"")
            if name == "header":
                return self._read(value)
            problem = InternalError("the server began a body without its header")
        except ValidationError as error:
            problem = _not_understood(error)
        raise problem

    def chunk(self, data: bytes, /) -> bytes:
        """The bytes in a further message."""
        chunk = self._envelope.chunk(data)
        if chunk is not None:
            return chunk
        try:
            name, value = self._envelope.part(data)
            if name == self._envelope.body:
                return bytes(value)
            problem = InternalError("the server put something else between the chunks of a body")
        except ValidationError as error:
            problem = _not_understood(error)
        raise problem


def _not_understood(error: ValidationError) -> InternalError:
    return InternalError(f"the server's answer is not understood: {error.message}")
