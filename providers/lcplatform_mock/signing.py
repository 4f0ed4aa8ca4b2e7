"""Signs what webhooks are sent, as Standard Webhooks says, with an Ed25519 key whose public half anybody may have."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Self

from lcplatform_runtime.errors import UnsupportedError
from lcplatform_runtime.webhooks import ID, SIGNATURE, TIMESTAMP, signed_content

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class Signer:
    """A key that signs.

    Attributes:
        seed: the key itself.
    """

    def __init__(self, seed: bytes) -> None:
        self.seed = seed

    @classmethod
    def new(cls) -> Self:
        """A key that nobody has."""
        import secrets

        return cls(secrets.token_bytes(32))

    @cached_property
    def public_key(self) -> str:
        """The key with which others check what this one signed."""
        return f"whpk_{b64encode(self._key.public_key().public_bytes_raw()).decode()}"

    def headers(self, identity: str, body: bytes, now: datetime) -> dict[str, str]:
        """The headers that show who sent `body`, and when."""
        timestamp = str(int(now.timestamp()))
        signature = self._key.sign(signed_content(identity, timestamp, body))
        return {
            ID: identity,
            TIMESTAMP: timestamp,
            SIGNATURE: f"v1a,{b64encode(signature).decode()}",
        }

    @cached_property
    def _key(self) -> Ed25519PrivateKey:
        try:
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        except ImportError as error:
            raise UnsupportedError(
                "webhooks are signed, which needs a package: pip install 'lcplatform[mock]'"
            ) from error
        return Ed25519PrivateKey.from_private_bytes(self.seed)
