"""The parts of a streamed body on the wire: header, chunks, and for an upload the trailer that vouches for them.

A part is a message with one oneof, so a chunk is its field's tag, its length and its bytes. Chunks are framed here by hand,
which spares parsing and one copy; whatever is no lone chunk is left to protobuf.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from google.protobuf.message import DecodeError, Message

from lcplatform_runtime.errors import ValidationError
from lcplatform_runtime.streams import CHUNK

E = TypeVar("E", bound=Message)


class Envelope(Generic[E]):
    """One kind of message that carries the parts of a body.

    Args:
        message: its class, whose field `header` comes first.
        body: the field with the bytes.
        trailer: the field that ends an upload.
    """

    __slots__ = ("_full", "_message", "_tag", "body", "trailer")

    def __init__(self, message: type[E], body: str, trailer: str | None = None) -> None:
        self._message = message
        self.body = body
        self.trailer = trailer
        self._tag = _varint(message.DESCRIPTOR.fields_by_name[body].number << 3 | 2)
        self._full = self._tag + _varint(CHUNK)

    def chunks(self, data: bytes, /) -> Iterator[bytes]:
        """The messages that carry so many bytes, 256 KiB at most in each."""
        size = len(data)
        if size == CHUNK:
            yield self._full + data
        elif size < CHUNK:
            yield b"".join((self._tag, _varint(size), data))
        else:
            view = memoryview(data)
            for start in range(0, size, CHUNK):
                piece = view[start : start + CHUNK]
                yield b"".join((self._tag, _varint(len(piece)), piece))

    def chunk(self, message: bytes, /) -> bytes | None:
        """The bytes in a message that is nothing but a chunk; `None` for any other."""
        tag = self._tag
        if not message.startswith(tag):
            return None
        size = shift = 0
        for position in range(len(tag), min(len(message), len(tag) + 5)):
            byte = message[position]
            size |= (byte & 0x7F) << shift
            if byte < 0x80:
                start = position + 1
                return message[start:] if start + size == len(message) else None
            shift += 7
        return None

    def part(self, message: bytes, /) -> tuple[str, Any]:
        """The name and the value of the part in a message; no name where there is none that this contract knows.

        Raises:
            ValidationError: the bytes are no such message.
        """
        parsed = parse(self._message, message)
        for descriptor, value in parsed.ListFields():
            return descriptor.name, value
        return "", None

    def header(self, header: Message, /) -> bytes:
        """The message that carries a header."""
        return self._message(header=header).SerializeToString()

    def trail(self, size: int, crc32c: int, /) -> bytes:
        """The message that ends an upload."""
        return self._message(
            **{str(self.trailer): {"size": size, "crc32c": crc32c}}
        ).SerializeToString()


P = TypeVar("P", bound=Message)


def parse(kind: type[P], data: bytes, /) -> P:
    """A message from its bytes. Raises ValidationError where they are none."""
    try:
        return kind.FromString(data)
    except DecodeError:
        pass
    raise ValidationError(f"the bytes that came are no {kind.DESCRIPTOR.full_name}")


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)
