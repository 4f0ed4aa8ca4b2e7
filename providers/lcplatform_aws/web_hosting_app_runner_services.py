"""App Runner services as they are found: their settings, what happened to them, and what is remembered of that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from lcplatform_aws.units import given
from lcplatform_aws.web_hosting_app_runner_course import AppRunnerCourse
from lcplatform_aws.web_hosting_app_runner_history import History
from lcplatform_aws.web_hosting_app_runner_scaling import Scalings
from lcplatform_aws.web_hosting_app_runner_source import Images, settings_of_service
from lcplatform_aws.web_hosting_settings import Settings
from lcplatform_aws.web_hosting_site import Facts, Site, reachable
from lcplatform_runtime.errors import ResourceNotFoundError

if TYPE_CHECKING:
    from types_boto3_apprunner import AppRunnerClient

    from lcplatform_aws.session import Session
    from lcplatform_aws.web_hosting_options import AppRunnerOptions

_ARN: Final = re.compile(r"arn:[\w-]+:apprunner:[\w-]+:\d{12}:service/[\w-]+/[0-9a-f]+")
PAGE: Final = 20
"""What App Runner lists at once."""


@dataclass(frozen=True, kw_only=True)
class AppRunnerSite(Site[AppRunnerCourse]):
    """An App Runner service."""

    service: Mapping[str, Any]

    @property
    def history(self) -> History:
        """What is remembered, with the settings of what is in place."""
        course, operations = self.course, [it["Id"] for it in self.course.operations]
        if course.in_place is None:
            return course.history
        record = replace(
            course.record(course.in_place), image=self.settings.image, settings=self.settings
        )
        return course.history.with_record(course.in_place, record, operations)


def site_of(
    service: Mapping[str, Any], course: AppRunnerCourse, settings: Settings
) -> AppRunnerSite:
    """The application that a service is."""
    url = service.get("ServiceUrl")
    facts = Facts(
        identity=service["ServiceArn"],
        name=service["ServiceName"],
        url=reachable(url) if url else None,
        created_at=service["CreatedAt"],
        updated_at=service["UpdatedAt"],
    )
    return AppRunnerSite(facts=facts, settings=settings, course=course, service=service)


class AppRunnerServices:
    """Finds the services of an account that run an image."""

    def __init__(self, session: Session, options: AppRunnerOptions) -> None:
        self._session = session
        self._options = options
        self.images = Images(options.mirrors)
        self.scalings = Scalings(session, options.max_concurrency)

    @property
    def _apprunner(self) -> AppRunnerClient:
        return self._session.apprunner

    def found(self, application_id: str) -> AppRunnerSite:
        """The service as it is now.

        Raises:
            ResourceNotFoundError: there is none.
        """
        service = self.described(application_id)
        tags = self._apprunner.list_tags_for_resource(ResourceArn=application_id)["Tags"]
        history = History.read(tags)
        operations = self._operations(application_id, history)
        history = history.seen([it["Id"] for it in operations])
        course = AppRunnerCourse(service, operations, history)
        return site_of(service, course, self._settings(service))

    def described(self, application_id: str) -> Mapping[str, Any]:
        """The service as App Runner tells it.

        Raises:
            ResourceNotFoundError: there is none that runs an image, or it is deleted: App Runner still tells of it for a while.
        """
        if not _ARN.fullmatch(application_id):
            raise ResourceNotFoundError("there is no such application", resource=application_id)
        answer: Any = self._apprunner.describe_service(ServiceArn=application_id)
        service: Mapping[str, Any] = answer["Service"]
        if (
            service["Status"] == "DELETED"
            or "ImageRepository" not in service["SourceConfiguration"]
        ):
            raise ResourceNotFoundError("there is no such application", resource=application_id)
        return service

    def _settings(self, service: Mapping[str, Any]) -> Settings:
        scaling = service["AutoScalingConfigurationSummary"]["AutoScalingConfigurationArn"]
        return settings_of_service(
            service,
            images=self.images,
            own_role=self._options.instance_role,
            instances=self.scalings.instances(scaling),
        )

    def _operations(self, arn: str, history: History) -> Sequence[Mapping[str, Any]]:
        """What happened, the newest first, as far back as anything is remembered."""
        oldest = next(iter(history.records), None)
        found: list[Mapping[str, Any]] = []
        for page in self._pages(arn):
            found += page
            if oldest is not None and any(it["Id"] == oldest for it in page):
                break
        return found

    def _pages(self, arn: str) -> Iterator[Sequence[Mapping[str, Any]]]:
        token: str | None = None
        while True:
            answer: Any = self._apprunner.list_operations(
                ServiceArn=arn, MaxResults=PAGE, **given(NextToken=token)
            )
            yield answer.get("OperationSummaryList", ())
            token = answer.get("NextToken")
            if not token:
                return
