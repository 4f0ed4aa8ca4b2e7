"""How secret values travel through Secrets Manager, which knows text and bytes.

Text is kept as text, a JSON object as its text, bytes as bytes. Text that is a JSON object is one when it is read, whoever
wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

from lcplatform.secrets.models import SecretValue
from lcplatform_runtime.errors import ValidationError
from lcplatform_runtime.json_value import Json

_TOKEN: Final = re.compile(r"[A-Za-z0-9-]{32,64}")


def encode(value: SecretValue) -> dict[str, Any]:
    """The parameter that carries a value."""
    match value:
        case str():
            return {"SecretString": value}
        case bytes():
            return {"SecretBinary": value}
        case Json():
            return {"SecretString": value.text}


def decode(answer: Mapping[str, Any]) -> SecretValue:
    """The value that Secrets Manager gave out."""
    text: str | None = answer.get("SecretString")
    if text is None:
        return bytes(answer["SecretBinary"])
    if text.lstrip(" \t\n\r").startswith("{"):
        try:
            return Json.from_text(text)
        except ValidationError:
            return text
    return text


def token_for(key: str | None) -> str:
    """The id of a new version. With an idempotency key it is the same for the same key."""
    if key is None:
        return str(uuid4())
    return key if _TOKEN.fullmatch(key) else sha256(key.encode()).hexdigest()
