"""Jobs on AWS Batch, on Fargate; EventBridge Scheduler submits them at set times, and CloudWatch Logs has what they write.

AWS keeps everything: a job is one of Batch, a schedule one of EventBridge Scheduler. Batch knows no idempotency: a job that is
submitted under a key bears it in its name, by which it is found again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError
from typing_extensions import override

from lcplatform.batch.driver import BatchDriver
from lcplatform.batch.models import (
    ArrayProgress,
    CreateScheduleRequest,
    CreateScheduleResponse,
    DeleteScheduleRequest,
    DeleteScheduleResponse,
    GetJobLogsRequest,
    GetJobLogsResponse,
    GetJobRequest,
    GetJobResponse,
    GetScheduleRequest,
    GetScheduleResponse,
    Job,
    JobStatus,
    JobSummary,
    JobTemplate,
    ListJobsRequest,
    ListJobsResponse,
    ListSchedulesRequest,
    ListSchedulesResponse,
    SubmitJobRequest,
    SubmitJobResponse,
    TerminateJobRequest,
    TerminateJobResponse,
    UpdateScheduleRequest,
    UpdateScheduleResponse,
)
from lcplatform.batch.models import Schedule as ScheduleInfo
from lcplatform.batch.operations import SUBMIT_JOB
from lcplatform.batch.support import BatchCapability, BatchLimits
from lcplatform_aws.batch_definitions import Definitions
from lcplatform_aws.batch_jobs import (
    FINAL,
    OWN,
    check,
    is_ours,
    job_of,
    name_of,
    name_of_schedule,
    name_under_key,
    status_of,
    submission,
    summary_of,
    template_of,
    waited_in_vain,
)
from lcplatform_aws.batch_logs import logged
from lcplatform_aws.batch_schedules import Schedule, schedule_of, submission_of
from lcplatform_aws.errors import begun, problem_of
from lcplatform_aws.pages import join_token, split_token
from lcplatform_aws.units import given
from lcplatform_runtime.errors import ConflictError, ResourceNotFoundError
from lcplatform_runtime.job_variables import MAX_ENVIRONMENT
from lcplatform_runtime.sizes import fitting_memory
from lcplatform_runtime.support import ConditionalUpdate, Support

if TYPE_CHECKING:
    from types_boto3_batch import BatchClient
    from types_boto3_scheduler import EventBridgeSchedulerClient

    from lcplatform_aws.batch_options import BatchOptions
    from lcplatform_aws.session import Session

_SUPPORT: Final = Support(
    capabilities=frozenset(BatchCapability) - {BatchCapability.BOTH_DAYS},
    limits=BatchLimits(
        max_array_size=10_000,
        max_dependencies=20,
        max_attempts=10,
        max_timeout_seconds=14 * 24 * 3600,
        max_environment=MAX_ENVIRONMENT,
        max_schedules=1_000_000,
    ).by_name(),
    conditional_updates=dict.fromkeys(
        ("delete_schedule", "update_schedule"), ConditionalUpdate.CHECKED
    ),
)
_KEY_IS_GOOD_FOR: Final = timedelta(days=1)
_AT_ONCE: Final = 100  # DescribeJobs, and ListJobs with a filter
_ASKED: Final = "lcplatform-request"
_DEFINITION_GONE: Final = re.compile(r"(?i)job ?definition.*(not|inactive)")


class AwsBatch(BatchDriver):
    """Jobs on AWS Batch. `BatchOptions` says what AWS has to be told."""

    def __init__(self, session: Session, options: BatchOptions, /) -> None:
        self._session = session
        self._options = options
        self._definitions = Definitions(session, options)

    @property
    @override
    def support(self) -> Support:
        return _SUPPORT

    @property
    def _batch(self) -> BatchClient:
        return self._session.batch

    @property
    def _scheduler(self) -> EventBridgeSchedulerClient:
        return self._session.scheduler

    # --- jobs

    @override
    def submit_job(self, request: SubmitJobRequest, /) -> SubmitJobResponse:
        names = JobTemplate.model_fields.keys() - {"memory"}
        memory = fitting_memory(request.cpu, request.memory)
        template = JobTemplate(memory=memory, **{name: getattr(request, name) for name in names})
        check(request.name, template)
        key = request.idempotency_key
        first = None if key is None else self._first(key)
        if first is not None:
            return self._repeated(first, request)
        for job_id, found in self._described(request.depends_on).items():
            if found is None:
                raise ResourceNotFoundError(f"job {job_id!r} does not exist", resource=job_id)
        job_id = self._submit(request, template)
        with begun(SUBMIT_JOB, already=lambda: True):
            first = None if key is None else self._first(key)
            if first is not None and first != job_id:
                # Another call was as quick with the same key, and came first.
                self._batch.terminate_job(jobId=job_id, reason="submitted twice at once")
                return self._repeated(first, request)
        return SubmitJobResponse(job=_submitted(job_id, request, template))

    @override
    def get_job(self, request: GetJobRequest, /) -> GetJobResponse:
        return GetJobResponse(job=self._told(self._job(request.job_id)))

    @override
    def list_jobs(self, request: ListJobsRequest, /) -> ListJobsResponse:
        listed = self._copies(request) if request.parent_job_id else self._jobs(request.page_token)
        found: list[JobSummary] = []
        last = ""
        for place, it in listed:
            wanted = request.name in {None, name_of(it)}
            if wanted and request.status in {None, status_of(it)}:
                if len(found) == request.page_size:
                    return ListJobsResponse(jobs=tuple(found), next_page_token=last)
                found.append(summary_of(it))
            last = place
        return ListJobsResponse(jobs=tuple(found))

    @override
    def terminate_job(self, request: TerminateJobRequest, /) -> TerminateJobResponse:
        it = self._job(request.job_id)
        if it["status"] not in FINAL:
            # CancelJob would do nothing, and say that it did, once the job starts.
            self._batch.terminate_job(jobId=request.job_id, reason=request.reason)
            it = self._job(request.job_id)
        return TerminateJobResponse(job=self._told(it))

    @override
    def get_job_logs(self, request: GetJobLogsRequest, /) -> Iterator[GetJobLogsResponse]:
        return logged(
            self._session.logs,
            self._options.log_group,
            request,
            lambda: self._job(request.job_id),
        )

    # --- schedules

    @override
    def create_schedule(self, request: CreateScheduleRequest, /) -> CreateScheduleResponse:
        schedule = Schedule(
            cron=request.cron,
            time_zone=request.time_zone,
            job=_checked(request.name, request.job),
            description=request.description,
            enabled=request.enabled,
        )
        schedule.check()
        self._scheduler.create_schedule(**self._parameters(request.name, schedule))
        told = schedule.told(request.name, datetime.now(UTC), None)
        return CreateScheduleResponse(schedule=told)

    @override
    def get_schedule(self, request: GetScheduleRequest, /) -> GetScheduleResponse:
        schedule, created_at = self._schedule(request.name)
        return GetScheduleResponse(schedule=self._shown(request.name, schedule, created_at))

    @override
    def list_schedules(self, request: ListSchedulesRequest, /) -> ListSchedulesResponse:
        answer = self._scheduler.list_schedules(
            GroupName=self._options.schedule_group,
            MaxResults=request.page_size,
            **given(NextToken=request.page_token or None),
        )
        found: list[ScheduleInfo] = []
        for it in answer["Schedules"]:
            name = it.get("Name", "")
            try:
                schedule, created_at = self._schedule(name)
            except (ResourceNotFoundError, ClientError) as error:
                # Deleted meanwhile, or none of a platform's.
                if isinstance(error, ClientError) and not _is_missing(error):
                    raise
                continue
            found.append(self._shown(name, schedule, created_at))
        return ListSchedulesResponse(
            schedules=tuple(found), next_page_token=answer.get("NextToken", "")
        )

    @override
    def update_schedule(self, request: UpdateScheduleRequest, /) -> UpdateScheduleResponse:
        before, created_at = self._schedule(request.name)
        _check_match(request.name, request.if_match, before)
        job = None if request.job is None else _checked(request.name, request.job)
        changes = given(
            cron=request.cron,
            time_zone=request.time_zone,
            job=job,
            description=request.description,
            enabled=request.enabled,
        )
        changes |= dict.fromkeys(request.clear)
        after = replace(before, **changes)
        after.check()
        if after != before:
            self._scheduler.update_schedule(**self._parameters(request.name, after))
        return UpdateScheduleResponse(schedule=self._shown(request.name, after, created_at))

    @override
    def delete_schedule(self, request: DeleteScheduleRequest, /) -> DeleteScheduleResponse:
        schedule, _ = self._schedule(request.name)
        _check_match(request.name, request.if_match, schedule)
        self._scheduler.delete_schedule(Name=request.name, GroupName=self._options.schedule_group)
        return DeleteScheduleResponse()

    # --- inside: jobs

    def _job(self, job_id: str) -> Mapping[str, Any]:
        found = self._described([job_id])[job_id]
        if found is None:
            raise ResourceNotFoundError(f"job {job_id!r} does not exist", resource=job_id)
        return found

    def _described(self, job_ids: Sequence[str]) -> dict[str, Mapping[str, Any] | None]:
        """The jobs by their ids; None for those that are not there, which Batch leaves out without a word."""
        found: dict[str, Mapping[str, Any] | None] = dict.fromkeys(job_ids)
        if found:
            answer = self._batch.describe_jobs(jobs=list(found))
            found |= {it["jobId"]: it for it in answer["jobs"] if is_ours(it)}
        return found

    def _told(self, it: Mapping[str, Any]) -> Job:
        """A job as callers see it. Of one that waited in vain Batch does not say for which."""
        reason = None
        if waited_in_vain(it):
            waited_for = self._described([one["jobId"] for one in it["dependsOn"]])
            failed = [
                name for name, one in waited_for.items() if not one or one["status"] == "FAILED"
            ]
            reason = f"{it['statusReason']}: {', '.join(failed)}"
        return job_of(it, self._options.job_role, reason)

    def _submit(self, request: SubmitJobRequest, template: JobTemplate) -> str:
        container = self._definitions.container(template)
        key, name = request.idempotency_key, request.name
        told = given(
            jobName=name if key is None else name_under_key(key, name),
            jobQueue=self._options.job_queue,
            dependsOn=[{"jobId": it} for it in dict.fromkeys(request.depends_on)] or None,
            **submission(template),
        )
        if key is not None:
            told["parameters"][_ASKED] = _fingerprint(request)
        definition = self._definitions.of(container)
        try:
            return self._batch.submit_job(jobDefinition=definition, **told)["jobId"]
        except ClientError as error:
            if not _DEFINITION_GONE.search(problem_of(error).get("Message", "")):
                raise
        self._definitions.forget(definition)
        return self._batch.submit_job(jobDefinition=self._definitions.of(container), **told)[
            "jobId"
        ]

    def _first(self, key: str) -> str | None:
        """The first job that was submitted under a key, if one was."""
        since = (datetime.now(UTC) - _KEY_IS_GOOD_FOR).timestamp() * 1000
        named = self._listed({"name": "JOB_NAME", "values": [f"{name_under_key(key)}*"]})
        found = [it for _, it in named if it["createdAt"] > since]
        first = min(found, key=lambda it: (it["createdAt"], it["jobId"]), default=None)
        return None if first is None else str(first["jobId"])

    def _repeated(self, job_id: str, request: SubmitJobRequest) -> SubmitJobResponse:
        it = self._job(job_id)
        if it.get("parameters", {}).get(_ASKED) != _fingerprint(request):
            raise ConflictError("the idempotency key came with another job before")
        return SubmitJobResponse(job=self._told(it))

    def _jobs(self, after: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The jobs after a place, the newest first, each with its place."""
        return self._listed({"name": "JOB_DEFINITION", "values": [f"{OWN}*"]}, after)

    def _listed(
        self, condition: Mapping[str, Any], after: str = ""
    ) -> Iterator[tuple[str, Mapping[str, Any]]]:
        # With a filter Batch lists jobs in any status; without one only those that run.
        token, number = split_token(after)
        start = int(number or 0)
        while True:
            filters: Any = [condition]
            answer = self._batch.list_jobs(
                jobQueue=self._options.job_queue,
                filters=filters,
                maxResults=_AT_ONCE,
                **given(nextToken=token or None),
            )
            page = answer["jobSummaryList"]
            for place in range(start, len(page)):
                yield join_token(token, str(place + 1)), page[place]
            token, start = answer.get("nextToken", ""), 0
            if not token:
                return

    def _copies(self, request: ListJobsRequest) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The copies of an array job in the order of their numbers. ListJobs has them by status only."""
        parent_id = request.parent_job_id or ""
        parent = self._described([parent_id])[parent_id]
        size = 0 if parent is None else parent.get("arrayProperties", {}).get("size", 0)
        for start in range(int(request.page_token or 0), size, _AT_ONCE):
            names = [f"{parent_id}:{it}" for it in range(start, min(start + _AT_ONCE, size))]
            for number, it in enumerate(self._described(names).values(), start + 1):
                if it is not None:
                    yield str(number), it

    # --- inside: schedules

    def _parameters(self, name: str, schedule: Schedule) -> dict[str, Any]:
        container = self._definitions.container(schedule.job, "job.")
        told = {
            "jobName": name_of_schedule(name),
            "jobQueue": self._options.job_queue,
            "jobDefinition": self._definitions.of(container),
            **submission(schedule.job),
        }
        return {
            "Name": name,
            "GroupName": self._options.schedule_group,
            **schedule.parameters(told, self._options.scheduler_role),
        }

    def _schedule(self, name: str) -> tuple[Schedule, datetime]:
        """A schedule, and when it was made."""
        group = self._options.schedule_group
        answer: Any = self._scheduler.get_schedule(Name=name, GroupName=group)
        told = submission_of(answer)
        if told is None:
            raise ResourceNotFoundError(f"schedule {name!r} does not exist", resource=name)
        container = {
            **self._definitions.of_arn(told["jobDefinition"]),
            **told["containerOverrides"],
        }
        job = template_of({**told, "container": container}, self._options.job_role)
        return schedule_of(answer, told, job), answer["CreationDate"]

    def _shown(self, name: str, schedule: Schedule, created_at: datetime) -> ScheduleInfo:
        return schedule.told(name, created_at, self._last_run(name))

    def _last_run(self, schedule: str) -> datetime | None:
        """When the last job was submitted that Batch has not forgotten yet. The scheduler itself does not tell."""
        name = name_of_schedule(schedule)
        for _, it in self._listed({"name": "JOB_NAME", "values": [name]}):
            if it["jobName"] == name:  # the filter does not tell capital letters from small ones
                return datetime.fromtimestamp(it["createdAt"] / 1000, UTC)
        return None


def _submitted(job_id: str, request: SubmitJobRequest, template: JobTemplate) -> Job:
    size = template.array_size
    progress = ArrayProgress(pending=size or 0, running=0, succeeded=0, failed=0)
    return Job(
        job_id=job_id,
        name=request.name,
        status=JobStatus.PENDING,
        template=template,
        created_at=datetime.now(UTC),
        depends_on=tuple(dict.fromkeys(request.depends_on)),
        array_progress=None if size is None else progress,
    )


def _fingerprint(request: SubmitJobRequest) -> str:
    """What tells whether a request is the same as one before."""
    told = request.model_dump(mode="json", exclude={"idempotency_key"})
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _checked(name: str, template: JobTemplate) -> JobTemplate:
    """What a schedule submits, with what it leaves open."""
    check(name, template, "job.")
    memory = fitting_memory(template.cpu, template.memory, place="job.")
    return template.model_copy(update={"memory": memory})


def _check_match(name: str, if_match: str | None, schedule: Schedule) -> None:
    if if_match is not None and if_match != schedule.etag:
        raise ConflictError(
            f"schedule {name!r} has changed: read it again and repeat the change on what is there now",
            resource=name,
        )


def _is_missing(error: ClientError) -> bool:
    return problem_of(error).get("Code") == "ResourceNotFoundException"
