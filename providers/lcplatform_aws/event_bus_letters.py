"""What EventBridge puts on a queue, which nobody can mark there: events, and the dead letters of targets.

An event is known by its shape, the JSON format of CloudEvents. A dead letter is known by its attributes; what it holds is
the event in EventBridge's own envelope.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from lcplatform_runtime.json_value import Json

_REQUIRED: Final = ("specversion", "id", "source", "type")
_RULE: Final = "RULE_ARN"
_REASONS: Final = {
    "MaximumRetryAttempts": "max_attempts",
    "MaximumEventAgeInSeconds": "max_age",
}


def may_be_event(text: str) -> bool:
    """Whether a text may be an event, seen at little cost."""
    return text.startswith("{") and '"specversion"' in text


def event_in(text: str) -> Json | None:
    """The event that a text is, if it is one."""
    value = _object(text) if may_be_event(text) else None
    if value is None or not all(isinstance(value.get(it), str) for it in _REQUIRED):
        return None
    return Json.from_text(text)


def letter_in(text: str, attributes: Mapping[str, str]) -> tuple[Json, dict[str, str]] | None:
    """The event and the attributes of a dead letter, if it is one.

    EventBridge names the place of the target and not its id, and counts the attempts after the first.
    """
    rule = attributes.get(_RULE)
    detail = (_object(text) or {}).get("detail") if rule is not None else None
    if rule is None or not isinstance(detail, dict):
        return None
    bus, _, name = rule.partition(":rule/")[2].rpartition("/")
    condition = attributes.get("EXHAUSTED_RETRY_CONDITION", "")
    error = [attributes[it] for it in ("ERROR_CODE", "ERROR_MESSAGE") if attributes.get(it)]
    return Json(detail), {
        "bus": bus or "default",
        "rule": name,
        "target": attributes.get("TARGET_ARN", "").rpartition(":")[2],
        "reason": _REASONS.get(condition, "refused"),
        "error": ": ".join(error) or "unknown",
        "attempts": str(int(attributes.get("RETRY_ATTEMPTS", "0")) + 1),
    }


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
