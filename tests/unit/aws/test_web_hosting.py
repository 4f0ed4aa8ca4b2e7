"""Applications on ECS in its Express Mode, against the fake that judges each call by the SDK's model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lcplatform import CallOptions, LCPlatform
from lcplatform.errors import (
    AlreadyExistsError,
    DeadlineExceededError,
    InternalError,
    LCPlatformError,
    Outcome,
    PermissionDeniedError,
    PreconditionFailedError,
    QuotaExceededError,
    ResourceNotFoundError,
    UnsupportedError,
    ValidationError,
)
from lcplatform.web_hosting.models import ApplicationStatus, Binding, DeploymentStatus
from lcplatform_aws.web_hosting_course import EcsCourse
from tests.fake_aws.ecs_express import EcsExpress
from tests.fake_aws.logs import Logs
from tests.fake_aws.server import FakeAws, Fault
from tests.fake_aws.site import TEST_SITE

ROLE = "arn:aws:iam::000000000000:role/ecs"
TASK_ROLE = "arn:aws:iam::000000000000:role/task"
OTHER_ROLE = "arn:aws:iam::000000000000:role/other"


@dataclass
class Cloud:
    """The fake with what runs in it, and a platform on it."""

    aws: FakeAws
    ecs: EcsExpress
    logs: Logs
    platform: LCPlatform

    def settled(self) -> None:
        """Everything that a deployment takes, at once."""
        self.aws.time.advance(timedelta(seconds=10))


@pytest.fixture
def options() -> dict[str, object]:
    """What ECS is told."""
    return {"infrastructure_role": ROLE, "execution_role": ROLE, "task_role": TASK_ROLE}


@pytest.fixture
def cloud(options: dict[str, object]) -> Iterator[Cloud]:
    logs = Logs()
    ecs = EcsExpress(logs, lambda arn: "value")
    ecs.quick = timedelta(seconds=9)  # nothing happens before it is asked for
    with (
        FakeAws([ecs, logs]) as aws,
        LCPlatform(
            "aws",
            region="us-east-1",
            endpoint_url=aws.url,
            access_key_id="testing",
            secret_access_key="testing",
            queue_prefix="test-",
            web_hosting=options,
        ) as platform,
    ):
        yield Cloud(aws, ecs, logs, platform)
        assert aws.refused == []
    ecs.close()


def _running(cloud: Cloud, **given: Any) -> str:
    hosting = cloud.platform.web_hosting
    answer = hosting.deploy_application("shop", image=TEST_SITE, **given)
    cloud.settled()
    application = hosting.get_application(answer.application.application_id).application
    assert application.status is ApplicationStatus.RUNNING
    return application.application_id


# --- what ECS is told


def test_sizes_and_roles_are_always_said(cloud: Cloud) -> None:
    """facts: the API model and the guide differ over the defaults."""
    _running(cloud, cpu=0.5, max_instances=3)
    [gateway] = cloud.ecs.gateways.values()
    told = gateway.revisions[0].configuration
    assert (told["cpu"], told["memory"], told["cpuArchitecture"]) == ("512", "1024", "X86_64")
    assert told["scalingTarget"] == {"minTaskCount": 1, "maxTaskCount": 3}
    assert (told["executionRoleArn"], told["taskRoleArn"]) == (ROLE, TASK_ROLE)
    assert gateway.infrastructure_role == ROLE
    assert gateway.revisions[0].environment == {"PORT": "8080"}


def test_an_application_with_bindings_finds_the_platform_and_no_key(cloud: Cloud) -> None:
    bindings = [Binding(service="queue", resource="orders", name="inbox")]
    application_id = _running(cloud, bindings=bindings, environment={"A": "1"})
    [gateway] = cloud.ecs.gateways.values()
    environment = gateway.revisions[0].environment
    assert environment == {
        "A": "1",
        "PORT": "8080",
        "LCPLATFORM_PROVIDER": "aws",
        "LCPLATFORM_PROVIDERS__AWS__REGION": "us-east-1",
        "LCPLATFORM_PROVIDERS__AWS__ENDPOINT_URL": cloud.aws.url,
        "LCPLATFORM_PROVIDERS__AWS__QUEUE_PREFIX": "test-",
        "LCPLATFORM_BINDINGS__INBOX__SERVICE": "queue",
        "LCPLATFORM_BINDINGS__INBOX__ACCESS": "read_write",
        "LCPLATFORM_BINDINGS__INBOX__RESOURCE": "orders",
    }
    application = cloud.platform.web_hosting.get_application(application_id).application
    assert application.environment == {"A": "1"}
    assert application.bindings == tuple(bindings)


def test_an_identity_is_a_role_and_can_be_given_back(cloud: Cloud) -> None:
    hosting = cloud.platform.web_hosting
    application_id = _running(cloud, identity=OTHER_ROLE)
    assert hosting.get_application(application_id).application.identity == OTHER_ROLE
    hosting.update_application(application_id, clear=["identity"])
    cloud.settled()
    assert hosting.get_application(application_id).application.identity is None
    [gateway] = cloud.ecs.gateways.values()
    assert gateway.revisions[-1].configuration["taskRoleArn"] == TASK_ROLE


class TestWithoutARole:
    @pytest.fixture
    def options(self) -> dict[str, object]:
        return {"infrastructure_role": ROLE, "execution_role": ROLE}

    def test_an_identity_cannot_be_cleared(self, cloud: Cloud) -> None:
        """An update without a role leaves the one that there is."""
        application_id = _running(cloud, identity=OTHER_ROLE)
        with pytest.raises(ValidationError, match="task_role"):
            cloud.platform.web_hosting.update_application(application_id, clear=["identity"])


def test_without_options_it_is_not_offered_and_says_what_is_missing() -> None:
    with (
        FakeAws([]) as aws,
        LCPlatform("aws", region="us-east-1", endpoint_url=aws.url) as platform,
    ):
        offered = {it.service: it.offered for it in platform.describe().services}
        with pytest.raises(UnsupportedError, match="the option web_hosting"):
            platform.web_hosting.deploy_application("shop", image=TEST_SITE)
    assert not offered["web_hosting"]
    assert aws.calls == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"execution_role": ROLE}, "infrastructure_role"),
        ({"infrastructure_role": "ecs", "execution_role": ROLE}, "infrastructure_role"),
        ({"infrastructure_role": ROLE, "execution_role": ROLE, "cluster": "a/b"}, "cluster"),
        ({"infrastructure_role": ROLE, "execution_role": ROLE, "backend": "ec2"}, "backend"),
    ],
)
def test_a_wrong_option_is_refused_by_its_name(wrong: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError, match=f"web_hosting.{field}"):
        LCPlatform("aws", web_hosting=wrong)


def test_none_at_all_is_not_how_many_instances_it_has(cloud: Cloud) -> None:
    with pytest.raises(UnsupportedError):
        cloud.platform.web_hosting.deploy_application("shop", image=TEST_SITE, min_instances=0)
    assert cloud.aws.calls == []


# --- how deployments go


def test_going_back_repeats_a_revision_that_is_active_no_more(cloud: Cloud) -> None:
    hosting = cloud.platform.web_hosting
    application_id = _running(
        cloud, environment={"GREETING": "one"}, health_check_path="/health", cpu=1
    )
    first = hosting.get_application(application_id).application
    for number in ("two", "three"):
        hosting.update_application(application_id, environment={"GREETING": number}, cpu=2)
        cloud.settled()
    hosting.scale_application(application_id, max_instances=5)
    assert first.revision is not None
    told = hosting.rollback_application(application_id, revision=first.revision).application
    assert told.environment == {"GREETING": "one"}
    assert (told.cpu, told.memory, told.health_check_path) == (1, 2048, "/health")
    assert told.max_instances == 5
    cloud.settled()
    deployments = list(hosting.iter_deployments(application_id, page_size=2))
    assert [it.rollback_of for it in deployments] == [first.revision, None, None, None]
    assert [it.image for it in deployments] == [TEST_SITE] * 4


def test_a_change_is_refused_while_one_is_under_way(cloud: Cloud) -> None:
    hosting = cloud.platform.web_hosting
    application_id = _running(cloud)
    hosting.update_application(application_id, environment={"A": "1"})
    assert hosting.get_application(application_id).application.status == "updating"
    calls = len(cloud.aws.calls)
    with pytest.raises(PreconditionFailedError, match="wait"):
        hosting.delete_application(application_id)
    assert "ecs:DeleteExpressGatewayService" not in cloud.aws.calls[calls:]


def test_the_next_of_the_same_name_is_another_application(cloud: Cloud) -> None:
    """ECS gives it the same ARN."""
    hosting = cloud.platform.web_hosting
    application_id = _running(cloud)
    hosting.delete_application(application_id)
    cloud.settled()
    again = _running(cloud)
    assert again != application_id
    with pytest.raises(ResourceNotFoundError):
        hosting.get_application(application_id)
    assert hosting.get_application(again).application.name == "shop"


def test_applications_are_listed_in_pages(cloud: Cloud) -> None:
    hosting = cloud.platform.web_hosting
    names = {f"shop-{number}" for number in range(5)}
    for name in sorted(names):
        hosting.deploy_application(name, image="registry.example/shop:1")
    assert {it.name for it in hosting.iter_applications(page_size=2)} == names


_START = datetime(2030, 1, 1, tzinfo=UTC)


def _course(*statuses: str, code: str = "ACTIVE") -> EcsCourse:
    """The deployments with these statuses, the newest first."""
    deployments = [
        {
            "serviceDeploymentArn": f"d{number}",
            "targetServiceRevisionArn": f"r{number}",
            "status": status,
            "createdAt": _START + timedelta(minutes=number),
        }
        for number, status in zip(range(len(statuses), 0, -1), statuses, strict=True)
    ]
    return EcsCourse({"status": {"statusCode": code}, "activeConfigurations": []}, deployments)


@pytest.mark.parametrize(
    ("statuses", "status", "in_place", "asked_for"),
    [
        (["PENDING"], "creating", None, "r1"),
        (["IN_PROGRESS"], "creating", None, "r1"),
        (["SUCCESSFUL"], "running", "r1", "r1"),
        (["STOPPED"], "failed", None, "r1"),
        (["ROLLBACK_FAILED"], "failed", None, "r1"),
        (["ROLLBACK_SUCCESSFUL"], "failed", None, "r1"),
        (["IN_PROGRESS", "STOPPED"], "creating", None, "r2"),
        (["PENDING", "SUCCESSFUL"], "updating", "r1", "r2"),
        (["STOP_REQUESTED", "SUCCESSFUL"], "updating", "r1", "r2"),
        (["ROLLBACK_REQUESTED", "SUCCESSFUL"], "updating", "r1", "r2"),
        (["ROLLBACK_IN_PROGRESS", "SUCCESSFUL"], "updating", "r1", "r2"),
        (["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"], "running", "r1", "r1"),
        (["STOPPED", "SUCCESSFUL"], "running", "r1", "r1"),
        (["ROLLBACK_FAILED", "SUCCESSFUL"], "failed", "r1", "r1"),
        (["SUCCESSFUL", "ROLLBACK_SUCCESSFUL", "SUCCESSFUL"], "running", "r3", "r3"),
    ],
)
def test_deployments_tell_where_an_application_stands(
    statuses: list[str], status: str, in_place: str | None, asked_for: str
) -> None:
    course = _course(*statuses)
    assert (course.status, course.in_place, course.asked_for) == (status, in_place, asked_for)
    assert _course(*statuses, code="DRAINING").status is ApplicationStatus.DELETING


def test_every_status_of_the_model_is_known() -> None:
    import botocore.session

    model = botocore.session.get_session().get_service_model("ecs")
    for status in model.shape_for("ServiceDeploymentStatus").enum:  # type: ignore[attr-defined]
        [deployment] = _course(status).deployments
        assert _course(status).status_of(deployment) in DeploymentStatus


def test_what_ecs_has_forgotten_of_deployments_still_runs() -> None:
    service: Mapping[str, Any] = {
        "status": {"statusCode": "ACTIVE"},
        "activeConfigurations": [{"serviceRevisionArn": "r9"}],
    }
    course = EcsCourse(service, [])
    assert (course.status, course.in_place) == (ApplicationStatus.RUNNING, "r9")


def test_a_deployment_that_the_list_does_not_have_yet_counts(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        EcsExpress, "list_service_deployments", lambda self, given: {"serviceDeployments": []}
    )
    hosting = cloud.platform.web_hosting
    answer = hosting.deploy_application("shop", image=TEST_SITE)
    found = hosting.get_application(answer.application.application_id).application
    assert found.status is ApplicationStatus.CREATING


# --- logs


def test_logs_are_followed_until_the_application_is_gone(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lcplatform_aws.pause._SECONDS", 0.01)
    monkeypatch.setattr("lcplatform_aws.web_hosting_logs._PAGE", 2)
    application_id = _running(cloud)
    [gateway] = cloud.ecs.gateways.values()
    stream = cloud.logs.groups["/lcplatform/applications"][0].stream
    assert stream.startswith("shop/")
    for number in range(5):
        cloud.logs.write("/lcplatform/applications", stream, f"line {number}\n")
    cloud.logs.write("/lcplatform/applications", "shop-2/other", "of another application")
    lines: list[str] = []
    for answer in cloud.platform.web_hosting.get_logs(application_id, follow=True):
        lines += [it.message for it in answer.entries]
        if lines[-1] == "line 4":
            cloud.logs.write("/lcplatform/applications", stream, "line 5")
        if lines[-1] == "line 5":
            gateway.status = "INACTIVE"
    assert lines == ["listening on 8080", *(f"line {number}" for number in range(6))]


# --- what goes wrong


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(400, "ThrottlingException", "Rate exceeded"), QuotaExceededError),
        (Fault(400, "AccessDeniedException", "no"), PermissionDeniedError),
        (Fault(400, "ClientException", "unable to assume the role"), PermissionDeniedError),
        (Fault(400, "ClientException", "A deployment is in progress."), PreconditionFailedError),
        (Fault(400, "ClientException", "anything else"), ValidationError),
        (Fault(400, "InvalidParameterException", "no such subnet"), ValidationError),
        (Fault(400, "UnsupportedFeatureException", "not here"), UnsupportedError),
        (Fault(500, "ServerException", "try later"), InternalError),
    ],
)
def test_failures_are_told_in_the_platforms_words(
    cloud: Cloud, fault: Fault, kind: type[LCPlatformError]
) -> None:
    cloud.aws.will_fail("ecs:CreateExpressGatewayService", *[fault] * 5)
    with pytest.raises(kind):
        cloud.platform.web_hosting.deploy_application("shop", image=TEST_SITE)
    cloud.aws.heal()
    cloud.platform.web_hosting.deploy_application("shop", image=TEST_SITE)


def test_a_deployment_whose_answer_is_lost_is_not_asked_for_again(cloud: Cloud) -> None:
    """ECS has no token by which it would know the repetition."""
    cloud.aws.will_fail(
        "ecs:CreateExpressGatewayService", Fault(500, "ServerException", after=True)
    )
    with pytest.raises(InternalError) as caught:
        cloud.platform.web_hosting.deploy_application("shop", image=TEST_SITE)
    assert caught.value.outcome is Outcome.UNKNOWN
    assert cloud.aws.calls.count("ecs:CreateExpressGatewayService") == 1
    with pytest.raises(AlreadyExistsError):
        cloud.platform.web_hosting.deploy_application("shop", image=TEST_SITE)


def test_a_rollback_that_cannot_be_marked_has_begun_all_the_same(cloud: Cloud) -> None:
    hosting = cloud.platform.web_hosting
    application_id = _running(cloud)
    hosting.update_application(application_id, environment={"A": "1"})
    cloud.settled()
    cloud.aws.will_fail("ecs:TagResource", *[Fault(400, "AccessDeniedException", "no tags")] * 5)
    with pytest.raises(PermissionDeniedError) as caught:
        hosting.rollback_application(application_id)
    assert caught.value.outcome is Outcome.UNKNOWN
    assert cloud.aws.calls.count("ecs:UpdateExpressGatewayService") == 2


def test_reading_is_tried_again(cloud: Cloud) -> None:
    application_id = _running(cloud)
    cloud.aws.will_fail(
        "ecs:DescribeExpressGatewayService", Fault(reset=True), Fault(500, "ServerException")
    )
    cloud.platform.web_hosting.get_application(application_id)
    cloud.aws.will_fail("ecs:ListServiceDeployments", *[Fault(500, "ServerException")] * 20)
    with pytest.raises((DeadlineExceededError, InternalError)):
        cloud.platform.web_hosting.get_application(
            application_id, options=CallOptions(deadline=timedelta(seconds=2))
        )
