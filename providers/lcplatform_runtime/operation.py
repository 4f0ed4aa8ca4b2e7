"""What the runtime knows of an operation: the facts of the IDL that decide how a call is treated.

Every process makes these classes before its first call. A named tuple takes a seventh of the time that a dataclass takes.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import Literal, NamedTuple


class Idempotency(Enum):
    """What the IDL promises about a repeated call."""

    UNKNOWN = "unknown"
    NO_SIDE_EFFECTS = "no_side_effects"
    IDEMPOTENT = "idempotent"


class Kind(Enum):
    """The form of a call."""

    UNARY = "unary"
    UPLOAD = "upload"
    DOWNLOAD = "download"
    STREAM = "stream"


class CacheRule(NamedTuple):
    """Answers are kept for `ttl` under the values of the request fields `key`."""

    key: tuple[str, ...]
    ttl: timedelta


class ResumeRule(NamedTuple):
    """How a broken download goes on: the request's `range` and `if_match`, from the header's `etag` and `version`."""

    range: str
    if_match: str
    etag: str
    version: str | None = None


class FieldNeed(NamedTuple):
    """A request field that needs a capability when it is set.

    `field` is a path: `messages.delay` is the field `delay` of every entry of `messages`. With a `kind`, only a value of
    that Python type needs the capability.
    """

    field: str
    capability: str
    kind: type | None = None


class FieldLimit(NamedTuple):
    """A request field (a path, as in `FieldNeed`) whose size or value a limit of the provider bounds."""

    field: str
    limit: str
    unit: Literal["bytes", "count", "seconds"]


class Operation(NamedTuple):
    """One rpc, as the pipeline sees it.

    Attributes:
        service: the accessor of the service, such as `object_store`.
        method: the method's name, such as `put_object`.
        rpc: the full name on the wire, such as `/lcplatform.object_store.v1.ObjectStoreService/PutObject`.
        title: the name in spans, logs and errors, such as `ObjectStore.PutObject`.
        kind: the form of the call.
        idempotency: what the IDL promises about a repeated call.
        errors: the codes that the operation declares beyond those that any operation may raise.
        capability: the capability without which the whole operation is unsupported.
        needs: the request fields that need a capability.
        limits: the request fields that a limit bounds.
        resource: the request field that names the resource.
        idempotency_key: the request field that makes a repeated call harmless.
        if_match: the request field with the etag that must still hold.
        if_absent: the request field that asks for nothing to be there yet.
        transaction: the request field that makes the call a part of a transaction, which is repeated as a whole or not at all.
        long_poll: the request field with the longest wait of a call that may wait.
        paged: whether the request has `page_token` and the response `next_page_token`.
        cache: how answers are kept.
        invalidates: the methods of the same service whose kept answers a call makes stale.
        resume: how a broken download goes on.
    """

    service: str
    method: str
    rpc: str
    title: str
    kind: Kind = Kind.UNARY
    idempotency: Idempotency = Idempotency.UNKNOWN
    errors: tuple[str, ...] = ()
    capability: str | None = None
    needs: tuple[FieldNeed, ...] = ()
    limits: tuple[FieldLimit, ...] = ()
    resource: str | None = None
    idempotency_key: str | None = None
    if_match: str | None = None
    if_absent: str | None = None
    transaction: str | None = None
    long_poll: str | None = None
    paged: bool = False
    cache: CacheRule | None = None
    invalidates: tuple[str, ...] = ()
    resume: ResumeRule | None = None
