"""What an issuer must remember: its keys, who is logged in, and what it has given out or taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from lcplatform_mock.journal import Journal, Table

SELF: Final = "self"
"""The key of the issuer's one `Identity`."""


@dataclass(slots=True)
class Identity:
    """By what an issuer is known again: its port, and the key of its refresh tokens."""

    secret: str = field(repr=False)
    port: int


def made_identity() -> Identity:
    """That of a new issuer, which listens nowhere yet."""
    return Identity(token_hex(32), 0)


@dataclass(slots=True)
class SigningKey:
    """A key by its JWK, the private part included. The next one is published before it signs, and the last one after."""

    jwk: dict[str, str] = field(repr=False)
    signs_from: datetime | None = None
    gone_at: datetime | None = None


@dataclass(slots=True)
class Login:
    """A user who is logged in with a client. Its refresh tokens are numbered, and only the last one is good."""

    id: str
    client_id: str
    subject: str
    scope: str
    audience: str
    auth_time: datetime
    expires_at: datetime
    refreshes: int = 0
    tokens: int = 0
    revoked: bool = False


@dataclass(slots=True)
class Code:
    """What an authorization code stands for. `login` is that which it brought, once it was used."""

    client_id: str
    redirect_uri: str
    subject: str
    scope: str
    audience: str
    challenge: str
    nonce: str | None
    auth_time: datetime
    expires_at: datetime
    login: str | None = None


@dataclass(slots=True)
class Device:
    """A device that waits for its user, or the user's answer."""

    user_code: str
    client_id: str
    scope: str
    audience: str
    expires_at: datetime
    interval: timedelta
    asked_at: datetime | None = None
    subject: str | None = None
    denied: bool = False


@dataclass(slots=True)
class Revoked:
    """An access token that was taken back, by its `jti`, until it expires anyway."""

    expires_at: datetime


@dataclass(slots=True)
class Issued:
    """Everything, each by its key. Codes are known by a digest only."""

    identities: dict[str, Identity] = field(default_factory=dict)
    keys: dict[str, SigningKey] = field(default_factory=dict)
    logins: dict[str, Login] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    revoked: dict[str, Revoked] = field(default_factory=dict)


_RECORDS: Final[Mapping[str, type[object]]] = {
    "identities": Identity,
    "keys": SigningKey,
    "logins": Login,
    "codes": Code,
    "devices": Device,
    "revoked": Revoked,
}

# For how long what is over is still known, so that whoever brings it again is found out.
_MEMORY: Final = timedelta(hours=1)
_SWEEP: Final = timedelta(minutes=1)


class Store:
    """Changes the state and keeps what changed, where anything is kept. Whoever calls holds the lock of the service."""

    def __init__(self, journal: Journal | None, state: Callable[[], Issued]) -> None:
        """`state` gives the state as it is now: a snapshot may take its place."""
        self._state = state
        self._swept: datetime | None = None
        self._tables: dict[str, Table[Any]] = {}  # each of records of its own type
        if journal is not None:
            self._tables = {
                name: journal.table(f"authentication.{name}", record, sealed=True)
                for name, record in _RECORDS.items()
            }
        for name, table in self._tables.items():
            self._of(name).update(table.load())

    @property
    def state(self) -> Issued:
        """The state, for reading."""
        return self._state()

    def put(self, name: str, key: str, record: object) -> None:
        """Keeps a record of the state's `name`: a new one, or one that was changed."""
        self._of(name)[key] = record
        if name in self._tables:
            self._tables[name].put(key, record)

    def drop(self, name: str, key: str) -> None:
        """Forgets a record."""
        del self._of(name)[key]
        if name in self._tables:
            self._tables[name].remove(key)

    def keep(self) -> None:
        """Keeps the whole state in place of what was kept."""
        for name, table in self._tables.items():
            table.clear()
            for key, record in self._of(name).items():
                table.put(key, record)

    def sweep(self, now: datetime) -> None:
        """Forgets what is over, now and then."""
        if self._swept is not None and self._swept <= now < self._swept + _SWEEP:
            return
        self._swept = now
        for name in ("logins", "codes", "devices", "revoked"):
            over = [key for key, it in self._of(name).items() if it.expires_at + _MEMORY <= now]
            for key in over:
                self.drop(name, key)

    def _of(self, name: str) -> dict[str, Any]:
        records: dict[str, Any] = getattr(self._state(), name)
        return records
