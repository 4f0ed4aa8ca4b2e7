"""Policies of resources: who else of AWS may reach a queue, a topic or a log group."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

_VERSION: Final = "2012-10-17"


def allowing(policy: str | None, statement: Mapping[str, Any]) -> str | None:
    """The policy with a statement added, in place of one of the same Sid. `None` where it says so already.

    AWS has no condition for a change of a policy. Who adds a statement that is the same for everybody does no harm: two
    that add it at once write the same.
    """
    known: dict[str, Any] = json.loads(policy) if policy else {"Version": _VERSION}
    held = known.get("Statement", [])
    statements: list[Any] = held if isinstance(held, list) else [held]
    if statement in statements:
        return None
    others = [it for it in statements if it.get("Sid") != statement["Sid"]]
    return json.dumps({**known, "Statement": [*others, statement]}, separators=(",", ":"))
