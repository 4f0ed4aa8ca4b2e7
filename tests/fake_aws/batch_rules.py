"""The rules of Batch in words of its documentation, without state: what it refuses, what it tries again, what it calls a match."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.fake_aws.api import AwsError

FARGATE: Final[Mapping[str, tuple[int, int, int]]] = {
    "0.25": (512, 2048, 512),
    "0.5": (1024, 4096, 1024),
    "1": (2048, 8192, 1024),
    "2": (4096, 16384, 1024),
    "4": (8192, 30720, 1024),
}
"""The memory that goes with so many virtual CPUs: the least, the most, and the steps between, in megabytes."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_OVERRIDES: Final = 8192


def refuse(message: str) -> AwsError:
    """Batch's one error for what the caller did wrong."""
    return AwsError("ClientException", message)


def check_name(what: str, name: str) -> None:
    """Refuses a name that is none."""
    if not _NAME.fullmatch(name):
        raise refuse(f"Error executing request, Exception : {what} is not valid.")


def check_submission(given: Mapping[str, Any]) -> None:
    """Refuses what no job may be."""
    check_name("jobName", given["jobName"])
    if "shareIdentifier" in given:
        raise refuse("shareIdentifier can't be specified without a scheduling policy.")
    if len(given.get("dependsOn", ())) > 20:
        raise refuse("A job can depend upon a maximum of 20 jobs.")
    if not 2 <= given.get("arrayProperties", {}).get("size", 2) <= 10_000:
        raise refuse("The array size must be between 2 and 10000.")
    overrides = given.get("containerOverrides", {})
    for it in overrides.get("environment", ()):
        if it["name"].startswith("AWS_BATCH"):
            raise refuse("Environment variables must not start with AWS_BATCH.")
    if "" in overrides.get("command", ()):
        raise refuse("command can't contain an empty string.")
    if len(str(overrides)) > _OVERRIDES:
        raise refuse("Container Overrides length must be at most 8192")
    check_attempts(given)


def check_attempts(given: Mapping[str, Any]) -> None:
    """Refuses retries and limits that there are not."""
    strategy = given.get("retryStrategy", {"attempts": 1})
    if not 1 <= strategy.get("attempts", 0) <= 10:
        raise refuse("attempts must be between 1 and 10.")
    if len(strategy.get("evaluateOnExit", ())) > 5:
        raise refuse("evaluateOnExit has at most 5 conditions.")
    if given.get("timeout", {}).get("attemptDurationSeconds", 60) < 60:
        raise refuse("attemptDurationSeconds must be at least 60.")


def check_container(container: Mapping[str, Any]) -> None:
    """Refuses a container that Fargate does not run."""
    if not container.get("image"):
        raise refuse("Container properties should have an image.")
    if not container.get("executionRoleArn"):
        raise refuse("EXECUTION_ROLE_ARN is required for Fargate.")
    names = [
        it["name"] for it in (*container.get("environment", ()), *container.get("secrets", ()))
    ]
    if len(names) != len(set(names)):
        raise refuse("The secret name must be unique and not shared with any variable.")
    sizes = {it["type"]: it["value"] for it in container.get("resourceRequirements", ())}
    least, most, step = FARGATE.get(sizes.get("VCPU", ""), (1, 0, 1))
    memory = int(sizes.get("MEMORY", "0"))
    if not least <= memory <= most or memory % step:
        raise refuse(f"Fargate resource requirements ({sizes}) not valid.")


def matches(pattern: str, text: str) -> bool:
    """Whether a condition of evaluateOnExit or a filter fits: all of it, or what comes before an asterisk at its end."""
    if pattern.endswith("*"):
        return text.startswith(pattern[:-1])
    return text == pattern


def tries_again(strategy: Mapping[str, Any], number: int, attempt: Mapping[str, Any]) -> bool:
    """Whether a job that failed is tried again after its attempt of that number. The first condition counts that is met in all
    its parts; where none is, the job is retried."""
    if number >= strategy.get("attempts", 1):
        return False
    conditions: Sequence[Mapping[str, Any]] = strategy.get("evaluateOnExit", ())
    container = attempt.get("container", {})
    told = {
        "onStatusReason": attempt.get("statusReason", ""),
        "onReason": container.get("reason", ""),
        "onExitCode": str(container.get("exitCode", "")),
    }
    for it in conditions:
        if all(matches(it[name], text) for name, text in told.items() if name in it):
            return bool(it["action"].upper() == "RETRY")
    return True
