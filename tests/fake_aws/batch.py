"""AWS Batch on Fargate: definitions, a queue, and jobs that come to the outcome that their image says.

An image is a function that tells how an attempt goes on, of the kind that the mock has: what it writes, how long it takes, with
which exit code it ends. What is registered under no name cannot be pulled.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import uuid4

from lcplatform_mock.images import JobContext, Simulation
from tests.fake_aws.batch_rules import (
    check_attempts,
    check_container,
    check_name,
    check_submission,
    matches,
    refuse,
    tries_again,
)
from tests.fake_aws.logs import Logs
from tests.fake_aws.server import Service

QUEUE: Final = "jobs"
_SOON: Final = timedelta(milliseconds=5)
_LATE: Final = timedelta(seconds=1)
"""Limits of time are kept as well as possible, and not to the moment."""

_ENDED: Final = frozenset({"SUCCEEDED", "FAILED"})
_TIMED_OUT: Final = "Job attempt duration exceeded timeout"
_EXITED: Final = "Essential container in task exited"
_WAY: Final = {"RUNNABLE": "STARTING", "STARTING": "RUNNING"}
_STATUSES: Final = (
    "SUBMITTED",
    "PENDING",
    "RUNNABLE",
    "STARTING",
    "RUNNING",
    "SUCCEEDED",
    "FAILED",
)


@dataclass
class Definition:
    """A revision of a job definition."""

    arn: str
    given: dict[str, Any]
    revision: int
    active: bool = True

    def told(self) -> dict[str, Any]:
        """As DescribeJobDefinitions has it."""
        return {
            **self.given,
            "jobDefinitionArn": self.arn,
            "revision": self.revision,
            "status": "ACTIVE" if self.active else "INACTIVE",
            "containerOrchestrationType": "ECS",
        }


@dataclass
class Task:
    """A job, an array job, or a copy of one."""

    job_id: str
    given: dict[str, Any]
    definition: str
    container: dict[str, Any]
    created_at: datetime
    number: int
    index: int | None = None
    status: str = "SUBMITTED"
    reason: str | None = None
    attempts: list[dict[str, Any]] = field(default_factory=list)
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    stream: str | None = None
    cancelled: bool = False
    terminated: bool = False
    copies: list[Task] = field(default_factory=list)
    parent: Task | None = None
    dependents: list[Task] = field(default_factory=list)
    left: int = 0
    """So many copies have not ended."""

    @property
    def name(self) -> str:
        """The name that it was submitted under."""
        return str(self.given["jobName"])

    @property
    def is_array(self) -> bool:
        """Whether copies run in its place."""
        return self.index is None and "arrayProperties" in self.given

    @property
    def ended(self) -> bool:
        """Whether it stays as it is."""
        return self.status in _ENDED

    def array(self) -> dict[str, Any]:
        """Its `arrayProperties`."""
        if self.index is not None:
            return {"index": self.index}
        if not self.is_array:
            return {}
        found = Counter(it.status for it in self.copies)
        summary = {it: found[it] for it in _STATUSES}
        return {"size": self.given["arrayProperties"]["size"], "statusSummary": summary}

    def shared(self) -> dict[str, Any]:
        """What DescribeJobs and ListJobs both tell."""
        array = self.array()
        return {
            "jobId": self.job_id,
            "jobName": self.name,
            "createdAt": _milliseconds(self.created_at),
            "status": self.status,
            "jobDefinition": self.definition,
            **({"statusReason": self.reason} if self.reason else {}),
            **({"stoppedAt": _milliseconds(self.stopped_at)} if self.stopped_at else {}),
            **({"arrayProperties": array} if array else {}),
            **({"isCancelled": True} if self.cancelled else {}),
            **({"isTerminated": True} if self.terminated else {}),
        }


class Batch(Service):
    """The jobs of an account."""

    service = "batch"

    def __init__(
        self, logs: Logs, secret: Callable[[str], str], images: Mapping[str, Simulation]
    ) -> None:
        """`secret` reads the value of a secret by its ARN."""
        super().__init__()
        self.definitions: list[Definition] = []
        self.jobs: dict[str, Task] = {}
        self._logs = logs
        self._secret = secret
        self._images = images
        self._numbers = itertools.count()

    # --- definitions

    def register_job_definition(self, given: dict[str, Any]) -> Mapping[str, Any]:
        name = given["jobDefinitionName"]
        check_name("jobDefinitionName", name)
        check_attempts(given)
        check_container(given["containerProperties"])
        if given["type"] != "container" or given.get("platformCapabilities") != ["FARGATE"]:
            raise refuse("The queue's compute environments are of FARGATE.")
        revision = 1 + sum(it.given["jobDefinitionName"] == name for it in self.definitions)
        arn = self.arn(f"job-definition/{name}:{revision}")
        self.definitions.append(Definition(arn, given, revision))
        return {"jobDefinitionName": name, "jobDefinitionArn": arn, "revision": revision}

    def deregister_job_definition(self, given: dict[str, Any]) -> None:
        self._definition(given["jobDefinition"]).active = False

    def describe_job_definitions(self, given: dict[str, Any]) -> Mapping[str, Any]:
        status, name = given.get("status"), given.get("jobDefinitionName")
        wanted = given.get("jobDefinitions")
        found = [
            it.told()
            for it in self.definitions
            if name in {None, it.given["jobDefinitionName"]}
            and (wanted is None or it.arn in wanted)
            and status in {None, "ACTIVE" if it.active else "INACTIVE"}
        ]
        return {"jobDefinitions": found}

    def _definition(self, arn: str) -> Definition:
        for it in self.definitions:
            if it.arn == arn:
                return it
        raise refuse(f"JobDefinition {arn} not found.")

    # --- jobs

    def submit_job(self, given: dict[str, Any]) -> Mapping[str, Any]:
        check_submission(given)
        if given["jobQueue"] not in {QUEUE, self.arn(f"job-queue/{QUEUE}")}:
            raise refuse(f"JobQueue {given['jobQueue']} not found.")
        definition = self._definition(given["jobDefinition"])
        if not definition.active:
            raise refuse(f"JobDefinition {definition.arn} is not ACTIVE.")
        for it in given.get("dependsOn", ()):
            if it["jobId"] not in self.jobs:
                raise refuse(f"Job {it['jobId']} not found.")
        container = {
            **definition.given["containerProperties"],
            **given.get("containerOverrides", {}),
        }
        check_container(container)
        # Variables without a value are taken and forgotten.
        container["environment"] = [it for it in container.get("environment", ()) if it["value"]]
        number, now = next(self._numbers), self.time.now()
        task = Task(str(uuid4()), given, definition.arn, container, now, number)
        self.jobs[task.job_id] = task
        for it in given.get("dependsOn", ()):
            self.jobs[it["jobId"]].dependents.append(task)
        self.time.after(_SOON, lambda: self._spawn(task))
        return {
            "jobName": task.name,
            "jobId": task.job_id,
            "jobArn": self.arn(f"job/{task.job_id}"),
        }

    def describe_jobs(self, given: dict[str, Any]) -> Mapping[str, Any]:
        if len(given["jobs"]) > 100:
            raise refuse("At most 100 jobs.")
        # What it does not know it leaves out.
        return {"jobs": [self._told(self.jobs[it]) for it in given["jobs"] if it in self.jobs]}

    def list_jobs(self, given: dict[str, Any]) -> Mapping[str, Any]:
        if ("jobQueue" in given) == ("arrayJobId" in given):
            raise refuse("You must specify only one of jobQueue, arrayJobId.")
        filters = given.get("filters", ())
        if len(filters) > 1:
            raise refuse("Only one filter can be used at a time.")
        # The newest first; those of the same name together.
        found = sorted(self._listed(given), key=lambda it: -it.number)
        if filters and filters[0]["name"] == "JOB_NAME":
            found.sort(key=lambda it: it.name)
        start = int(given.get("nextToken", "0"))
        most = 100 if filters else 1000
        end = start + min(given.get("maxResults", most), most)
        page = [_summary(it) for it in found[start:end]]
        return {"jobSummaryList": page, **({"nextToken": str(end)} if end < len(found) else {})}

    def _listed(self, given: Mapping[str, Any]) -> Iterable[Task]:
        filters = given.get("filters", ())
        for it in self.jobs.values():
            parent = None if it.parent is None else it.parent.job_id
            if parent != given.get("arrayJobId"):
                continue
            if filters:
                if any(_fits(filters[0]["name"], value, it) for value in filters[0]["values"]):
                    yield it
            elif it.status == given.get("jobStatus", "RUNNING"):
                yield it

    def cancel_job(self, given: dict[str, Any]) -> None:
        task = self.jobs.get(given["jobId"])
        if task is not None and task.status in {"SUBMITTED", "PENDING", "RUNNABLE"}:
            task.cancelled = True
            self._end(task, "FAILED", given["reason"])

    def terminate_job(self, given: dict[str, Any]) -> None:
        task = self.jobs.get(given["jobId"])
        if task is None or task.ended:
            return
        task.terminated = True
        for it in (*task.copies, task):
            if not it.ended:
                it.terminated = True
                if it.started_at is not None and not it.is_array:
                    self._attempted(it, given["reason"], {"exitCode": 137})
                self._end(it, "FAILED", given["reason"])

    # --- how a job goes on

    def _spawn(self, task: Task) -> None:
        if task.ended:
            return
        if task.is_array:
            task.left = task.given["arrayProperties"]["size"]
            for index in range(task.left):
                copy = Task(
                    f"{task.job_id}:{index}",
                    task.given,
                    task.definition,
                    task.container,
                    self.time.now(),
                    next(self._numbers),
                    index,
                    status="PENDING",
                    parent=task,
                )
                task.copies.append(copy)
                self.jobs[copy.job_id] = copy
        task.status = "PENDING"
        self._look(task)

    def _look(self, task: Task) -> None:
        """Whether what a job waits for is over."""
        if task.ended:
            return
        before = [self.jobs[it["jobId"]] for it in task.given.get("dependsOn", ())]
        if any(it.status == "FAILED" for it in before):
            for it in (*task.copies, task):
                self._end(it, "FAILED", "Dependent Job failed")
        elif all(it.ended for it in before):
            for it in task.copies or [task]:
                it.status = "RUNNABLE"
                self._go_on(it)

    def _go_on(self, task: Task) -> None:
        def work(seen: str = task.status) -> None:
            if task.status != seen:
                return
            if seen == "STARTING":
                self._start(task)
                return
            task.status = _WAY[seen]
            self._go_on(task)

        self.time.after(_SOON, work)

    def _start(self, task: Task) -> None:
        image = self._images.get(task.container["image"])
        number = len(task.attempts) + 1
        if image is None:
            why = f"CannotPullContainerError: {task.container['image']} not found"
            self._over(task, "Task failed to start", {"reason": why})
            return
        task.status = "RUNNING"
        task.started_at = self.time.now()
        task.stream = f"{_log(task)['awslogs-stream-prefix']}/default/{uuid4().hex}"
        stream, group = task.stream, _log(task)["awslogs-group"]
        outcome = image.decide(
            JobContext(
                job_id=task.job_id,
                name=task.name,
                image=task.container["image"],
                command=task.container.get("command", ()),
                environment=self._environment(task),
                attempt=number,
                array_index=task.index,
                write=lambda line: self._logs.write(group, stream, line),
            )
        )
        limit = timedelta(seconds=self._limit(task))
        code = outcome.exit_code_of(number)

        def end() -> None:
            if task.status == "RUNNING" and len(task.attempts) == number - 1:
                self._over(task, _EXITED, {"exitCode": code})

        def time_out() -> None:
            if task.status == "RUNNING" and len(task.attempts) == number - 1:
                # It was killed.
                self._attempted(task, _TIMED_OUT, {"exitCode": 137})
                self._end(task, "FAILED", _TIMED_OUT)

        if outcome.duration <= limit:
            self.time.after(outcome.duration, end)
        else:
            self.time.after(limit + _LATE, time_out)

    def _over(self, task: Task, reason: str, container: dict[str, Any]) -> None:
        """An attempt has ended by itself."""
        self._attempted(task, reason, container)
        if container.get("exitCode") == 0:
            self._end(task, "SUCCEEDED", reason)
        elif tries_again(self._strategy(task), len(task.attempts), task.attempts[-1]):
            task.status = "RUNNABLE"
            self._go_on(task)
        else:
            self._end(task, "FAILED", reason)

    def _attempted(self, task: Task, reason: str, container: dict[str, Any]) -> None:
        stream = {"logStreamName": task.stream} if task.stream else {}
        started = {"startedAt": _milliseconds(task.started_at)} if task.started_at else {}
        task.attempts.append(
            {
                "container": {**container, **stream},
                **started,
                "stoppedAt": _milliseconds(self.time.now()),
                "statusReason": reason,
            }
        )

    def _end(self, task: Task, status: str, reason: str) -> None:
        if task.ended:
            return
        task.status, task.reason, task.stopped_at = status, reason, self.time.now()
        if task.parent is not None:
            self._follow(task.parent)
        for it in task.dependents:
            self.time.after(_SOON, partial(self._look, it))

    def _follow(self, parent: Task) -> None:
        """An array job ends with the last of its copies."""
        parent.left -= 1
        if parent.ended or parent.left:
            return
        failed = any(it.status == "FAILED" for it in parent.copies)
        if not parent.terminated:
            reason = "Array Child Job failed" if failed else "Array Child Jobs succeeded"
            self._end(parent, "FAILED" if failed else "SUCCEEDED", reason)

    # --- words

    def _environment(self, task: Task) -> dict[str, str]:
        found = {it["name"]: it["value"] for it in task.container.get("environment", ())}
        found |= {
            it["name"]: self._secret(it["valueFrom"]) for it in task.container.get("secrets", ())
        }
        found |= {
            "AWS_BATCH_JOB_ID": task.job_id,
            "AWS_BATCH_JOB_ATTEMPT": str(len(task.attempts) + 1),
        }
        if task.index is not None:
            found["AWS_BATCH_JOB_ARRAY_INDEX"] = str(task.index)
        return found

    def _limit(self, task: Task) -> int:
        timeout = task.given.get("timeout") or self._definition(task.definition).given.get(
            "timeout"
        )
        found: int = (timeout or {}).get("attemptDurationSeconds", 14 * 86_400)
        return found

    def _strategy(self, task: Task) -> Mapping[str, Any]:
        given = self._definition(task.definition).given
        found: Mapping[str, Any] = task.given.get("retryStrategy") or given.get("retryStrategy", {})
        return found

    def _told(self, task: Task) -> dict[str, Any]:
        running = {"logStreamName": task.stream} if task.stream and not task.is_array else {}
        return {
            **task.shared(),
            "jobArn": self.arn(f"job/{task.job_id}"),
            "jobQueue": self.arn(f"job-queue/{QUEUE}"),
            "startedAt": _milliseconds(task.started_at) if task.started_at else 0,
            "attempts": task.attempts,
            "dependsOn": task.given.get("dependsOn", []) if task.parent is None else [],
            "container": {**task.container, **running},
            "retryStrategy": self._strategy(task),
            "timeout": {"attemptDurationSeconds": self._limit(task)},
            "parameters": task.given.get("parameters", {}),
            "platformCapabilities": ["FARGATE"],
        }


def _summary(task: Task) -> dict[str, Any]:
    started = {"startedAt": _milliseconds(task.started_at)} if task.started_at else {}
    return {**task.shared(), **started}


def _fits(name: str, value: str, task: Task) -> bool:
    match name:
        case "JOB_NAME":
            return matches(value.lower(), task.name.lower())
        case "JOB_DEFINITION":
            return matches(value, task.definition.rpartition("/")[2].partition(":")[0])
        case _:
            raise refuse(f"{name} is not a valid filter.")


def _log(task: Task) -> dict[str, str]:
    found: dict[str, str] = task.container["logConfiguration"]["options"]
    return found


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
