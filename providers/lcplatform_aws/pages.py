"""What a vendor needs to go on with a listing, as one text. The platform seals it before callers see it."""

from __future__ import annotations

import json


def join_token(*parts: str) -> str:
    """The parts as one text; none at all where all are empty."""
    return json.dumps(parts) if any(parts) else ""


def split_token(token: str) -> tuple[str, str]:
    """The two parts of what `join_token` made."""
    if not token:
        return "", ""
    first, second = json.loads(token)
    return first, second
