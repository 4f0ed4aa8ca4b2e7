"""What an application says about its database on RDS."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from lcplatform_runtime.model import Request

_LIFE: Final = timedelta(minutes=30)


class DataStoreOptions(Request):
    """The database, who is let in, and how many connections there are.

    Without `password_secret` the workload's own identity logs in: a token is signed for each connection (FR-060).
    """

    host: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\s,]+$")]
    """The endpoint of the instance, cluster or proxy, by its real name: tokens and certificates hold for no alias."""

    port: Annotated[int, Field(ge=1, le=65_535)] = 5432
    """The port."""

    database: Annotated[str, Field(min_length=1, max_length=63)]
    """The name of the database."""

    user: Annotated[str | None, Field(min_length=1, max_length=63)] = None
    """The user of the database. It may be left to the secret, where that is the JSON that RDS keeps there."""

    password_secret: Annotated[str | None, Field(min_length=1, max_length=2048)] = None
    """The name or ARN of the secret with the password: the JSON that RDS keeps (`username`, `password`), or the bare password.
    It is read again when the server refuses it, so a rotation needs no restart."""

    tls: Literal["verify-full", "disable"] = "verify-full"
    """How the connection is protected: by TLS, to a server whose certificate is of the right authority and in its own name;
    or not at all, which is allowed on the machine itself alone."""

    tls_ca_file: Annotated[str | None, Field(min_length=1)] = None
    """The file with the certificates of the authorities, such as the global bundle of RDS; `system` for those that the system
    trusts. Where absent, libpq's own place: ~/.postgresql/root.crt."""

    pool_size: Annotated[int, Field(ge=1, le=10_000)] = 100
    """The most connections that are open at once. They are opened when they are needed (FR-028)."""

    pool_timeout: Annotated[timedelta, Field(gt=timedelta(), le=timedelta(minutes=10))] = timedelta(
        seconds=30
    )
    """How long a caller waits for a connection at most. Its own deadline may come earlier."""

    max_lifetime: Annotated[timedelta, Field(ge=timedelta(seconds=1), le=timedelta(days=1))] = _LIFE
    """How old a connection becomes: less than an old password stays valid beside a new one."""

    @model_validator(mode="after")
    def _safe(self) -> DataStoreOptions:
        if self.tls == "disable" and not _here(self.host):
            raise ValueError("tls is disabled for a server on this very machine alone")
        if self.user is None and self.password_secret is None:
            raise ValueError("user is given, unless the secret in password_secret tells it")
        if self.tls_ca_file not in {None, "system"} and not Path(self.tls_ca_file or "").is_file():
            raise ValueError("tls_ca_file is the name of a file, or system")
        return self


def _here(host: str) -> bool:
    """Whether a host is the machine itself, or a socket on it."""
    if host == "localhost" or host.startswith("/"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
