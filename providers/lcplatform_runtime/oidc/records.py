"""What an issuer's answers come down to: tokens and claims under the names that the IDL gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lcplatform_runtime.json_value import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a verified token says."""

    subject: str
    issuer: str
    audience: tuple[str, ...]
    expires_at: datetime
    issued_at: datetime
    not_before: datetime | None
    scopes: tuple[str, ...]
    token_id: str | None
    client_id: str | None
    all: Json = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Tokens that belong together. Their repr shows none of them."""

    access_token: str = field(repr=False)
    token_type: str
    expires_at: datetime | None
    refresh_token: str | None = field(repr=False)
    id_token: str | None = field(repr=False)
    scopes: tuple[str, ...]
    claims: Claims | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A login URL and what belongs to it."""

    url: str = field(repr=False)
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    issuer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user, as the issuer tells."""

    subject: str
    name: str | None = field(repr=False)
    email: str | None = field(repr=False)
    email_verified: bool | None
    all: Json = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Introspection:
    """Whether a token is in force."""

    active: bool
    subject: str | None
    client_id: str | None
    scopes: tuple[str, ...]
    expires_at: datetime | None
    all: Json = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFlow:
    """A login that waits for its user."""

    device_code: str = field(repr=False)
    user_code: str = field(repr=False)
    verification_url: str
    complete_verification_url: str | None = field(repr=False)
    expires_at: datetime
    interval: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePoll:
    """Where a device flow stands: pending, completed, denied or expired."""

    status: str
    tokens: Tokens | None = None
    interval: timedelta | None = None


def text_of(answer: Mapping[str, Any], name: str) -> str | None:
    """The text under that name, if there is one that is not empty."""
    value = answer.get(name)
    return value if isinstance(value, str) and value else None


def scopes_of(value: object) -> tuple[str, ...]:
    """Scopes, as a text with spaces between them or as a list."""
    if isinstance(value, str):
        return tuple(value.split())
    if isinstance(value, list):
        return tuple(it for it in value if isinstance(it, str))
    return ()
