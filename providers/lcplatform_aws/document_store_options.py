"""What an application may say about its cluster of documents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from lcplatform_runtime.model import Request


class DocumentStoreOptions(Request):
    """The options of DocumentStore on DocumentDB (5.0 or later, on instances).

    Without more than `host`, the process is known by its AWS identity (FR-060), for which the cluster has a user.
    """

    host: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9.:\[\]-]+$")]
    """The cluster's endpoint."""

    port: Annotated[int, Field(ge=1, le=65_535)] = 27017
    """Its port."""

    database: Annotated[str, Field(max_length=63, pattern=r"^[A-Za-z0-9_-]+$")] = "lcplatform"
    """The database with the collections."""

    authentication: Literal["identity", "password", "none"] = "identity"
    """How the process shows who it is: by its AWS identity, or by a user with a password in a secret. A cluster in AWS
    always asks."""

    user: Annotated[str | None, Field(min_length=1, max_length=63)] = None
    """The user, where there is a password."""

    password_secret: Annotated[str | None, Field(min_length=1, max_length=2048)] = None
    """The name of the secret with the password: as text, or as `password` of a JSON object, which is what a cluster that
    looks after its own password has. It is read again when the password is refused."""

    tls: bool = True
    """Whether connections are encrypted, and the server's certificate and name are checked."""

    tls_ca_file: Annotated[str | None, Field(min_length=1)] = None
    """A file with the certificates to trust; where absent, those of the system. AWS signs clusters with its own, which it
    publishes as `global-bundle.pem` (https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem)."""

    replica_set: Annotated[str | None, Field(min_length=1)] = "rs0"
    """The name of the cluster's replica set, which finds the instance to write to; none for a server that stands alone."""

    retry_writes: bool | None = None
    """Whether a write is repeated whose answer was lost, which the server recognises; where absent, the server's version
    decides: DocumentDB can from 8.0.2 on."""

    server_selection_timeout: Annotated[float, Field(gt=0, le=300)] = 10.0
    """Seconds until an instance must be found that takes the call. A failover usually takes less than thirty."""

    @model_validator(mode="after")
    def _whole(self) -> DocumentStoreOptions:
        has_password = self.user is not None and self.password_secret is not None
        if (self.authentication == "password") != has_password or (
            not has_password and (self.user is not None or self.password_secret is not None)
        ):
            raise ValueError(
                "authentication by password goes with user and password_secret, and no other does"
            )
        if self.tls_ca_file is not None and not self.tls:
            raise ValueError("tls_ca_file goes with tls")
        if self.tls_ca_file is not None and not Path(self.tls_ca_file).is_file():
            raise ValueError("tls_ca_file is no file")
        return self
