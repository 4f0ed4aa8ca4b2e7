"""Bodies in the messages of a stream, framed by hand: a chunk is copied once and not parsed.

A part of a stream is a message with one oneof, so on the wire a chunk is its field's tag, its length and its bytes. What is
written like that, protobuf reads, and the other way round; anything else than a lone chunk is left to protobuf.
"""

from __future__ import annotations

from collections.abc import Iterator

from lcplatform_runtime.streams import CHUNK


class Frame:
    """Reads and writes the chunks of one kind of message."""

    __slots__ = ("_full", "_tag")

    def __init__(self, number: int) -> None:
        """`number` is that of the field with the bytes."""
        self._tag = _varint(number << 3 | 2)
        self._full = self._tag + _varint(CHUNK)

    def parts(self, chunk: bytes, /) -> Iterator[bytes]:
        """The messages that carry a chunk of any size, none of them more than 256 KiB."""
        size = len(chunk)
        if size == CHUNK:
            yield self._full + chunk
        elif size < CHUNK:
            yield b"".join((self._tag, _varint(size), chunk))
        else:
            view = memoryview(chunk)
            for start in range(0, size, CHUNK):
                piece = view[start : start + CHUNK]
                yield b"".join((self._tag, _varint(len(piece)), piece))

    def chunk(self, message: bytes, /) -> bytes | None:
        """The bytes of a message that is nothing but a chunk. `None`: let protobuf read it."""
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


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)
