"""How containers name the secrets that they are given."""

from __future__ import annotations

import re
from typing import Final

# Secrets Manager ends the name in an ARN with a hyphen and six characters of its own.
_SECRET: Final = re.compile(r":secret:(.+)-[^-:]{6}$")


def secret_name(reference: str) -> str:
    """The name of a secret, of which a container has the ARN."""
    found = _SECRET.search(reference)
    return found.group(1) if found else reference
