"""Jobs in the words of AWS Batch, and back.

Batch keeps everything: what a job runs is told by the job itself. What a job's name says beside the name comes first in it,
since listings can be narrowed by how a name begins: that it was submitted under an idempotency key, or by a schedule.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from lcplatform.batch.models import (
    ArrayProgress,
    Job,
    JobAttempt,
    JobStatus,
    JobSummary,
    JobTemplate,
)
from lcplatform_aws.secret_references import secret_name
from lcplatform_aws.units import given, seconds
from lcplatform_runtime.errors import invalid
from lcplatform_runtime.job_variables import ARRAY_INDEX_VARIABLE, check_variables

OWN: Final = "lcplatform-"
"""How the names of everything begin that only the platform names: definitions, and jobs that have more to their names."""

_BY_KEY: Final = re.compile(r"lcplatform-key-[0-9a-f]{32}-(.+)")
_BY_SCHEDULE: Final = re.compile(r"lcplatform-cron-(.+)")
_INDEX: Final = "AWS_BATCH_JOB_ARRAY_INDEX"
_RESERVED: Final = "AWS_BATCH"
TIMED_OUT: Final = "Job attempt duration exceeded timeout"
"""Why Batch ended a job that ran for too long. Nothing else tells it from one that failed."""

_EMPTY: Final = "lcplatform-empty"
"""The parameter that names the variables without a value, which Batch takes and forgets."""

_DEPENDENCY_FAILED: Final = "Dependent Job failed"
FINAL: Final = frozenset({"SUCCEEDED", "FAILED"})
"""The statuses of Batch in which a job stays."""

_MOVING: Final = ("RUNNING", "SUCCEEDED", "FAILED")


# --- names


def name_under_key(key: str, name: str = "") -> str:
    """The name of a job that is submitted under an idempotency key; how all of them begin where `name` is absent."""
    return f"{OWN}key-{hashlib.sha256(key.encode()).hexdigest()[:32]}-{name}"


def name_of_schedule(schedule: str) -> str:
    """The name of the jobs that a schedule submits."""
    return f"{OWN}cron-{schedule}"


def name_of(it: Mapping[str, Any]) -> str:
    """The name of a job, as callers know it."""
    name = str(it["jobName"])
    found = _BY_KEY.fullmatch(name) or _BY_SCHEDULE.fullmatch(name)
    return found.group(1) if found else name


def is_ours(it: Mapping[str, Any]) -> bool:
    """Whether a job was submitted by a platform."""
    return f":job-definition/{OWN}" in it.get("jobDefinition", "")


# --- what is submitted


def check(name: str, template: JobTemplate, place: str = "") -> None:
    """Whether AWS takes it.

    Raises:
        ValidationError: a name is reserved, variables do not go together, or an argument is empty.
    """
    if name.startswith(OWN):
        raise invalid("name", f"none that begins with {OWN}, which is the platform's own on AWS")
    check_variables(template.environment, template.secrets, place)
    for field, names in (("environment", template.environment), ("secrets", template.secrets)):
        if any(it.startswith(_RESERVED) for it in names):
            raise invalid(f"{place}{field}", f"no variable that begins with {_RESERVED}")
    if "" in template.command:
        raise invalid(f"{place}command", "no empty argument, which Batch does not take")


def submission(template: JobTemplate) -> dict[str, Any]:
    """What SubmitJob is told of a job beside its definition.

    Nothing says when to try again: by default Batch does after every failure, and never after a timeout.
    """
    environment = dict(template.environment)
    if template.array_size is not None:
        # Batch names the variable itself, and ECS puts no variables into others.
        environment[ARRAY_INDEX_VARIABLE] = _INDEX
    empty = ",".join(name for name, value in environment.items() if not value)
    return given(
        parameters={_EMPTY: empty} if empty else {},
        containerOverrides=given(
            command=list(template.command) or None,
            environment=[{"name": name, "value": value} for name, value in environment.items()],
            resourceRequirements=resources(template.cpu, template.memory or 0),
        ),
        retryStrategy={"attempts": template.max_attempts},
        timeout={"attemptDurationSeconds": seconds(template.timeout)},
        arrayProperties=None if template.array_size is None else {"size": template.array_size},
    )


def resources(cpu: float, memory: int) -> list[dict[str, str]]:
    """The `resourceRequirements`."""
    return [{"type": "VCPU", "value": f"{cpu:g}"}, {"type": "MEMORY", "value": str(memory)}]


# --- what is told


def template_of(it: Mapping[str, Any], own_role: str | None) -> JobTemplate:
    """What a job runs. `own_role` is the role of jobs that name none."""
    container = it["container"]
    sizes = {need["type"]: need["value"] for need in container["resourceRequirements"]}
    role = container.get("jobRoleArn")
    empty = it.get("parameters", {}).get(_EMPTY, "")
    variables = {one["name"]: one["value"] for one in container.get("environment", ())}
    variables |= dict.fromkeys(empty.split(",") if empty else (), "")
    return JobTemplate(
        image=container["image"],
        command=tuple(container.get("command", ())),
        environment={
            name: value
            for name, value in variables.items()
            if name != ARRAY_INDEX_VARIABLE and not name.startswith(_RESERVED)
        },
        secrets={
            one["name"]: secret_name(one["valueFrom"]) for one in container.get("secrets", ())
        },
        cpu=float(sizes["VCPU"]),
        memory=int(sizes["MEMORY"]),
        timeout=timedelta(seconds=it["timeout"]["attemptDurationSeconds"]),
        max_attempts=it["retryStrategy"]["attempts"],
        array_size=it.get("arrayProperties", {}).get("size"),
        identity=None if role == own_role else role,
    )


def status_of(it: Mapping[str, Any]) -> JobStatus:
    """Where a job stands. To terminate one that has ended already does not change that."""
    match it["status"]:
        case "SUCCEEDED":
            return JobStatus.SUCCEEDED
        case "FAILED" if it.get("statusReason", "").startswith(TIMED_OUT):
            return JobStatus.TIMEOUT
        case "FAILED" if it.get("isTerminated") or it.get("isCancelled"):
            return JobStatus.CANCELLED
        case "FAILED":
            return JobStatus.FAILED
        case "RUNNING":
            return JobStatus.RUNNING
    # An array job itself is pending until all its copies have ended.
    copies = it.get("arrayProperties", {}).get("statusSummary", {})
    return JobStatus.RUNNING if any(copies.get(one) for one in _MOVING) else JobStatus.PENDING


@dataclass(frozen=True, slots=True)
class _Attempt:
    """An attempt, and the stream that it wrote to."""

    told: JobAttempt
    stream: str | None


def _attempts(it: Mapping[str, Any]) -> Iterator[_Attempt]:
    """The attempts. Batch lists those that have ended; the one that runs is the job itself."""
    ended = it.get("attempts", ())
    cancelled = status_of(it) is JobStatus.CANCELLED
    for number, one in enumerate(ended, 1):
        container = one.get("container", {})
        why = one.get("statusReason", "")
        # What was killed did not end by itself, whatever its exit code says.
        killed = why.startswith(TIMED_OUT) or (cancelled and number == len(ended))
        code = None if killed else container.get("exitCode")
        told = JobAttempt(
            started_at=_moment(one.get("startedAt")),
            completed_at=_moment(one.get("stoppedAt")),
            exit_code=code,
            reason=None
            if code == 0
            else (why if killed else container.get("reason")) or why or None,
        )
        yield _Attempt(told, container.get("logStreamName"))
    if it["status"] == "RUNNING" and "size" not in it.get("arrayProperties", {}):
        started = JobAttempt(started_at=_moment(it.get("startedAt")))
        yield _Attempt(started, it.get("container", {}).get("logStreamName"))


def streams_of(it: Mapping[str, Any]) -> list[str | None]:
    """The log streams of the attempts, in their order."""
    return [one.stream for one in _attempts(it)]


def job_of(it: Mapping[str, Any], own_role: str | None, reason: str | None = None) -> Job:
    """The job that DescribeJobs tells of. `reason` is a better one than Batch has."""
    attempts = [one.told for one in _attempts(it)]
    codes = [one.exit_code for one in attempts if one.exit_code is not None]
    array = it.get("arrayProperties", {})
    started = attempts[0].started_at if attempts else _moment(it.get("startedAt"))
    schedule = _BY_SCHEDULE.fullmatch(it["jobName"])
    return Job(
        **_shared(it, reason),
        template=template_of(it, own_role),
        attempts=tuple(attempts),
        exit_code=codes[-1] if codes else None,
        started_at=started,
        depends_on=tuple(one["jobId"] for one in it.get("dependsOn", ()) if "jobId" in one),
        schedule=schedule and schedule.group(1),
        array_progress=_progress(array) if "size" in array else None,
        parent_job_id=it["jobId"].rpartition(":")[0] or None,
        array_index=array.get("index"),
    )


def summary_of(it: Mapping[str, Any]) -> JobSummary:
    """What a listing tells of a job."""
    return JobSummary(**_shared(it, None), started_at=_moment(it.get("startedAt")))


def _shared(it: Mapping[str, Any], reason: str | None) -> dict[str, Any]:
    status = status_of(it)
    succeeded = status is JobStatus.SUCCEEDED
    return {
        "job_id": it["jobId"],
        "name": name_of(it),
        "status": status,
        "reason": None if succeeded else reason or it.get("statusReason") or None,
        "created_at": _moment(it["createdAt"]),
        "completed_at": _moment(it.get("stoppedAt")) if it["status"] in FINAL else None,
    }


def waited_in_vain(it: Mapping[str, Any]) -> bool:
    """Whether a job failed since one that it waited for did."""
    why = str(it.get("statusReason", ""))
    return it["status"] == "FAILED" and why.startswith(_DEPENDENCY_FAILED)


def _progress(array: Mapping[str, Any]) -> ArrayProgress:
    counts = array.get("statusSummary", {})
    running, succeeded, failed = (counts.get(one, 0) for one in _MOVING)
    return ArrayProgress(
        pending=array["size"] - running - succeeded - failed,
        running=running,
        succeeded=succeeded,
        failed=failed,
    )


def _moment(milliseconds: int | None) -> datetime | None:
    """Batch tells 0 where something has not happened yet."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
