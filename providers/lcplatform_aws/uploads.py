"""Bodies on their way to S3: one request where the size allows it, several parts where it is not known or too large."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from lcplatform_aws.errors import translate
from lcplatform_runtime.clock import SYSTEM
from lcplatform_runtime.context import current_call
from lcplatform_runtime.errors import (
    DeadlineExceededError,
    LCPlatformError,
    Outcome,
    ValidationError,
)
from lcplatform_runtime.retry import DEFAULT_POLICY
from lcplatform_runtime.streams import CHUNK

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from lcplatform_runtime.operation import Operation
    from lcplatform_runtime.streams import ByteSource

MIB: Final = 1024 * 1024
SMALL: Final = 64 * 1024
"""What is no larger is sent as one piece."""
PART: Final = 8 * MIB
"""The size of the first parts."""
MAX_PARTS: Final = 10_000
MAX_REQUEST: Final = 5 * 1024 * MIB
"""The largest body of one request, and the largest object that one request copies."""
MAX_OBJECT: Final = 5 * 1024**4
"""The largest object. Parts grow so that it fits into as many as there may be."""
_GROWTH: Final = 1200
_LARGE: Final = MIB

T = TypeVar("T")


class Outgoing:
    """A body of known size, in chunks. It has a length and is iterated over, which the SDK asks of a body."""

    def __init__(self, chunks: Callable[[], Iterator[bytes]], size: int) -> None:
        self._chunks = chunks
        self._size = size

    @property
    def large(self) -> bool:
        """Whether it is worth asking before it is sent."""
        return self._size >= _LARGE

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks()


@cache
def _extend() -> Callable[[int, bytes], int]:
    from google_crc32c import extend

    return extend  # type: ignore[no-any-return]  # the library is untyped


def checksum_of(crc32c: int, /) -> str:
    """A CRC-32C as S3 writes it."""
    return b64encode(crc32c.to_bytes(4, "big")).decode()


def part_size(offset: int, size: int | None) -> int:
    """How large the part is that starts at `offset`.

    Parts of a body of unknown size grow with what was sent, by less than a thousandth of it, so that memory stays small
    for all but the largest objects and the largest still fits.
    """
    wanted = offset // _GROWTH if size is None else -(-size // MAX_PARTS)
    return max(PART, -(-wanted // MIB) * MIB)


@dataclass(frozen=True, slots=True)
class Upload:
    """Where an upload goes: parameters of the SDK, as the requests of an upload share them."""

    s3: S3Client
    operation: Operation
    target: Mapping[str, Any]
    described: Mapping[str, Any]
    condition: Mapping[str, Any]

    def small(self, chunks: Sequence[bytes]) -> Mapping[str, Any]:
        """Stores a body that is in memory, with its checksum."""
        size, crc32c = _measured(chunks)
        if size > SMALL:
            return self._put(Outgoing(lambda: iter(chunks), size), checksum_of(crc32c))
        return self._put(bytearray().join(chunks), checksum_of(crc32c))

    def whole(self, source: ByteSource, size: int, crc32c: int | None) -> Mapping[str, Any]:
        """Stores a body of known size in one request, as it is read."""
        checksum = None if crc32c is None else checksum_of(crc32c)
        return self._put(Outgoing(source.chunks, size), checksum)

    def _put(self, body: Any, checksum: str | None) -> Mapping[str, Any]:
        return self.s3.put_object(
            Body=body, **self.target, **self.described, **self.condition, **_checksum(checksum)
        )

    def in_parts(self, source: ByteSource) -> Mapping[str, Any]:
        """Stores a body part by part. Nothing is left of one that fails, and the condition is asked at the end."""
        first = read_part(source, part_size(0, source.size))
        if sum(map(len, first)) < PART:
            return self.small(first)
        return self.multipart(lambda parts: _send(parts, first, source), checked=True)

    def multipart(
        self, fill: Callable[[Parts], Mapping[str, Any]], *, checked: bool
    ) -> Mapping[str, Any]:
        """Runs a multipart upload, and gives it up whatever goes wrong."""
        kind: dict[str, Any] = (
            {"ChecksumAlgorithm": "CRC32C", "ChecksumType": "FULL_OBJECT"} if checked else {}
        )
        begun: Any = self.s3.create_multipart_upload(**self.target, **self.described, **kind)
        parts = Parts(
            self,
            {**self.target, "UploadId": begun["UploadId"]},
            whole_checksum=begun.get("ChecksumType") == "FULL_OBJECT",
        )
        try:
            return parts.complete(fill(parts))
        except BaseException:
            with suppress(Exception):
                self.s3.abort_multipart_upload(**parts.upload)
            raise


class Parts:
    """The parts of one multipart upload. Each is sent again if it fails: the same part twice is once."""

    def __init__(self, owner: Upload, upload: Mapping[str, Any], *, whole_checksum: bool) -> None:
        self._owner = owner
        self.upload = upload
        self.whole_checksum = whole_checksum
        """Whether the service compares one checksum of all parts. Some stores know those of the parts only."""
        self.done: list[Any] = []  # what the SDK takes for a part that is there

    def send(self, chunks: Sequence[bytes], size: int, checksum: str) -> None:
        """Sends the next part."""
        number = len(self.done) + 1
        s3 = self._owner.s3
        answer = self.attempt(
            lambda: s3.upload_part(
                PartNumber=number,
                Body=Outgoing(lambda: iter(chunks), size),  # type: ignore[arg-type]  # the stubs know files only
                ChecksumCRC32C=checksum,
                **self.upload,
            )
        )
        self.done.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumCRC32C": checksum})

    def copy(self, first: int, last: int, origin: Mapping[str, Any]) -> None:
        """Makes the next part of a stretch of another object."""
        number = len(self.done) + 1
        s3 = self._owner.s3
        answer: Any = self.attempt(
            lambda: s3.upload_part_copy(
                PartNumber=number, CopySourceRange=f"bytes={first}-{last}", **self.upload, **origin
            )
        )
        self.done.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})

    def complete(self, checksum: Mapping[str, Any]) -> Mapping[str, Any]:
        """Makes the parts one object, if the condition holds."""
        owner = self._owner
        return self.attempt(
            lambda: owner.s3.complete_multipart_upload(
                MultipartUpload={"Parts": self.done}, **self.upload, **owner.condition, **checksum
            )
        )

    def attempt(self, send: Callable[[], T]) -> T:
        """What `send` answers, in as many attempts and as long as the call may take."""
        failures, unsure = 0, None
        while True:
            _check_deadline()
            try:
                return send()
            except Exception as problem:
                error = translate(problem, self._owner.operation)
                failures += 1
                pause = _pause(error, failures)
                if pause is None:
                    if unsure is None:
                        raise
                    # What may have succeeded before is refused now for that very reason, or is in doubt still.
                    raise unsure from None
                if error is not None and error.outcome is Outcome.UNKNOWN:
                    unsure = problem
            call = current_call()
            (SYSTEM if call is None else call.clock).sleep(pause)


def _send(parts: Parts, chunks: list[bytes], source: ByteSource) -> Mapping[str, Any]:
    """Sends a body of which `chunks` is the first part, and returns what completes it."""
    crc, offset = 0, 0
    while chunks:
        size, part_crc = _measured(chunks)
        offset += size
        if offset > MAX_OBJECT:
            raise ValidationError(f"the body is larger than {MAX_OBJECT} bytes")
        for chunk in chunks if parts.whole_checksum else ():
            crc = _extend()(crc, chunk)
        parts.send(chunks, size, checksum_of(part_crc))
        chunks.clear()  # before the next part is read: one at a time is in memory
        chunks = read_part(source, part_size(offset, source.size))
    if not parts.whole_checksum:
        return {}
    return {
        "ChecksumCRC32C": checksum_of(crc),
        "ChecksumType": "FULL_OBJECT",
        "MpuObjectSize": offset,
    }


def _measured(chunks: Sequence[bytes]) -> tuple[int, int]:
    """The size and the CRC-32C of a body, or of a part."""
    extend, size, crc = _extend(), 0, 0
    for chunk in chunks:
        size, crc = size + len(chunk), extend(crc, chunk)
    return size, crc


def _pause(error: LCPlatformError | None, failures: int) -> float | None:
    """How long to wait before a part is sent again; `None` if it is not."""
    if error is None or not error.retryable or failures >= DEFAULT_POLICY.max_attempts:
        return None
    pause = DEFAULT_POLICY.delay(failures, error.retry_after)
    call = current_call()
    remaining = None if call is None else call.remaining()
    return None if pause is None or (remaining is not None and pause >= remaining) else pause


def _check_deadline() -> None:
    call = current_call()
    if call is not None and call.remaining() == 0:
        raise DeadlineExceededError("the deadline passed between two parts of the object")


def read_part(source: ByteSource, size: int) -> list[bytes]:
    """The next part, in the chunks that it came in: joined, it would be in memory twice."""
    chunks = []
    while size > 0 and (chunk := source.read(min(CHUNK, size))):
        chunks.append(chunk)
        size -= len(chunk)
    return chunks


def _checksum(checksum: str | None) -> dict[str, Any]:
    return {} if checksum is None else {"ChecksumCRC32C": checksum}
