"""Applications on App Runner, against the fake that judges each call by the SDK's model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from lcplatform import LCPlatform
from lcplatform.errors import (
    AlreadyExistsError,
    InternalError,
    LCPlatformError,
    Outcome,
    PermissionDeniedError,
    PreconditionFailedError,
    QuotaExceededError,
    ResourceNotFoundError,
    ServiceUnavailableError,
    UnsupportedError,
    ValidationError,
)
from lcplatform.web_hosting.models import ApplicationStatus, Binding
from tests.fake_aws.server import Fault
from tests.fake_aws.site import TEST_SITE
from tests.unit.aws.app_runner import (
    ACCESS_ROLE,
    ECR,
    OPTIONS,
    OTHER_ROLE,
    ROLE,
    SECRET,
    Cloud,
    cloud_on,
)


@pytest.fixture
def options() -> Mapping[str, object]:
    """What App Runner is told."""
    return OPTIONS


@pytest.fixture
def cloud(options: Mapping[str, object]) -> Iterator[Cloud]:
    with cloud_on(options) as found:
        yield found


# --- the choice


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"backend": "app-runner"}, "access_role"),
        ({"backend": "app-runner", "access_role": "puller"}, "access_role"),
        (
            {"backend": "app-runner", "access_role": ROLE, "infrastructure_role": ROLE},
            "infrastructure_role",
        ),
        ({"backend": "app-runner", "access_role": ROLE, "cluster": "default"}, "cluster"),
        ({"backend": "app-runner", "access_role": ROLE, "max_concurrency": 201}, "max_concurrency"),
        ({"backend": "app-runner", "access_role": ROLE, "vpc_connector": "mine"}, "vpc_connector"),
        (
            {"backend": "app-runner", "access_role": ROLE, "mirrors": {"docker.io": "ghcr.io"}},
            "mirrors.docker.io",
        ),
        (
            {"infrastructure_role": ROLE, "execution_role": ROLE, "access_role": ROLE},
            "access_role",
        ),
        ({"backend": "app_runner"}, "backend"),
    ],
)
def test_options_of_the_other_backend_and_wrong_ones_are_refused_by_their_names(
    wrong: dict[str, object], field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        LCPlatform("aws", web_hosting=wrong)
    assert f"web_hosting.{field}" in [it.field for it in refused.value.violations]


def test_two_registries_in_one_place_could_not_be_told_apart() -> None:
    mirrors = {"docker.io": f"{ECR}/hub", "ghcr.io": f"{ECR}/hub"}
    with pytest.raises(ValidationError, match="mirrors"):
        LCPlatform(
            "aws",
            web_hosting={"backend": "app-runner", "access_role": ROLE, "mirrors": mirrors},
        )


# --- what App Runner is told


def test_everything_is_said_for_which_it_has_a_default_of_its_own(cloud: Cloud) -> None:
    """facts §1.1: images that are pushed would be deployed, and a port that is open would be healthy."""
    cloud.running(cpu=0.5, max_instances=3, health_check_path="/health", port=9000)
    told = cloud.runner.configuration
    source = told["SourceConfiguration"]
    assert source["AutoDeploymentsEnabled"] is False
    assert source["AuthenticationConfiguration"] == {"AccessRoleArn": ACCESS_ROLE}
    assert source["ImageRepository"]["ImageIdentifier"] == f"{ECR}/hub/{TEST_SITE}"
    assert source["ImageRepository"]["ImageConfiguration"]["Port"] == "9000"
    assert told["InstanceConfiguration"] == {
        "Cpu": "512",
        "Memory": "1024",
        "InstanceRoleArn": ROLE,
    }
    assert told["HealthCheckConfiguration"] == {"Protocol": "HTTP", "Path": "/health"}
    assert cloud.runner.environment == {"PORT": "9000"}


@pytest.mark.parametrize(
    ("image", "located", "told"),
    [
        ("nginx", f"{ECR}/hub/library/nginx", "nginx"),
        ("docker.io/team/site:1", f"{ECR}/hub/team/site:1", "team/site:1"),
        ("registry.example/site:1", f"{ECR}/example/site:1", "registry.example/site:1"),
        (f"{ECR}/site@sha256:ab", f"{ECR}/site@sha256:ab", f"{ECR}/site@sha256:ab"),
        (
            "public.ecr.aws/nginx/nginx:1",
            "public.ecr.aws/nginx/nginx:1",
            "public.ecr.aws/nginx/nginx:1",
        ),
    ],
)
def test_images_come_from_ecr_alone_and_keep_their_names(
    cloud: Cloud, image: str, located: str, told: str
) -> None:
    answer = cloud.hosting.deploy_application("shop", image=image).application
    assert cloud.runner.image["ImageIdentifier"] == located
    assert answer.image == told
    assert cloud.now(answer.application_id).etag == answer.etag
    public = located.startswith("public")
    assert cloud.runner.image["ImageRepositoryType"] == ("ECR_PUBLIC" if public else "ECR")
    # Who pulls public images needs no role, and may have none.
    source = cloud.runner.configuration["SourceConfiguration"]
    assert ("AuthenticationConfiguration" in source) is not public


def test_an_image_of_another_registry_is_refused_before_anything_is_asked(cloud: Cloud) -> None:
    with pytest.raises(ValidationError) as refused:
        cloud.hosting.deploy_application("shop", image="ghcr.io/team/site:1")
    assert [it.field for it in refused.value.violations] == ["image"]
    assert cloud.aws.calls == []


def test_secrets_are_references_that_instances_read(cloud: Cloud) -> None:
    application_id = cloud.running(secrets={"PASSWORD": "password"}, identity=OTHER_ROLE)
    configuration = cloud.runner.image["ImageConfiguration"]
    assert configuration["RuntimeEnvironmentSecrets"] == {"PASSWORD": SECRET}
    assert cloud.runner.configuration["InstanceConfiguration"]["InstanceRoleArn"] == OTHER_ROLE
    assert cloud.now(application_id).secrets == {"PASSWORD": "password"}
    assert cloud.updated(application_id, clear=["identity"]).identity is None
    assert cloud.runner.configuration["InstanceConfiguration"]["InstanceRoleArn"] == ROLE


class TestWithoutARole:
    @pytest.fixture
    def options(self) -> Mapping[str, object]:
        mirrors = {"docker.io": f"{ECR}/hub"}
        return {"backend": "app-runner", "access_role": ACCESS_ROLE, "mirrors": mirrors}

    def test_nobody_would_read_the_secrets(self, cloud: Cloud) -> None:
        with pytest.raises(ValidationError, match="identity"):
            cloud.hosting.deploy_application("shop", image=TEST_SITE, secrets={"A": "password"})
        assert cloud.aws.calls == []

    def test_an_identity_cannot_be_cleared(self, cloud: Cloud) -> None:
        application_id = cloud.running(identity=OTHER_ROLE)
        with pytest.raises(ValidationError, match="instance_role"):
            cloud.hosting.update_application(application_id, clear=["identity"])


def test_an_application_with_bindings_finds_the_platform_and_no_key(cloud: Cloud) -> None:
    bindings = [Binding(service="queue", resource="orders", name="inbox")]
    application_id = cloud.running(bindings=bindings, environment={"A": "1"})
    assert cloud.runner.environment == {
        "A": "1",
        "PORT": "8080",
        "LCPLATFORM_PROVIDER": "aws",
        "LCPLATFORM_PROVIDERS__AWS__REGION": "us-east-1",
        "LCPLATFORM_PROVIDERS__AWS__ENDPOINT_URL": cloud.aws.url,
        "LCPLATFORM_BINDINGS__INBOX__SERVICE": "queue",
        "LCPLATFORM_BINDINGS__INBOX__ACCESS": "read_write",
        "LCPLATFORM_BINDINGS__INBOX__RESOURCE": "orders",
    }
    application = cloud.now(application_id)
    assert (application.environment, application.bindings) == ({"A": "1"}, tuple(bindings))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"environment": {"AWSAPPRUNNER_X": "1"}}, "environment.AWSAPPRUNNER_X"),
        ({"secrets": {"AWSAPPRUNNER_X": "password"}}, "secrets.AWSAPPRUNNER_X"),
        (
            {"environment": {f"A{it}": "1" for it in range(49)}, "secrets": {"B": "password"}},
            "environment",
        ),
        (
            {
                "environment": {f"A{it}": "1" for it in range(45)},
                "bindings": [Binding(service="queue")],
            },
            "bindings",
        ),
    ],
)
def test_variables_that_app_runner_would_refuse_are_refused_before(
    cloud: Cloud, given: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        cloud.hosting.deploy_application("shop", image=TEST_SITE, **given)
    assert [it.field for it in refused.value.violations] == [field]
    assert cloud.aws.calls == []


class TestInAPrivateNetwork:
    connector = "arn:aws:apprunner:us-east-1:000000000000:vpcconnector/mine/1/ab"

    @pytest.fixture
    def options(self, options: Mapping[str, object]) -> Mapping[str, object]:
        return {**options, "vpc_connector": self.connector}

    def test_applications_are_connected(self, cloud: Cloud) -> None:
        cloud.running()
        egress = {"EgressType": "VPC", "VpcConnectorArn": self.connector}
        assert cloud.runner.configuration["NetworkConfiguration"] == {"EgressConfiguration": egress}


# --- scaling


def test_applications_of_a_shape_share_one_configuration(cloud: Cloud) -> None:
    first = cloud.running(min_instances=2, max_instances=3)
    cloud.running("store", min_instances=2, max_instances=3)
    [scaling] = cloud.runners.scalings.values()
    assert (scaling.name, scaling.least, scaling.most) == ("lcplatform-2-3-100", 2, 3)
    cloud.hosting.scale_application(first, max_instances=5)
    cloud.settled()
    application = cloud.now(first)
    assert (application.min_instances, application.max_instances) == (2, 5)
    assert len(cloud.runners.scalings) == 2


def test_a_configuration_of_that_name_that_somebody_else_made_is_not_used(cloud: Cloud) -> None:
    cloud.runners.create_auto_scaling_configuration(
        {"AutoScalingConfigurationName": "lcplatform-1-1-100", "MaxSize": 25}
    )
    application = cloud.now(cloud.running())
    assert (application.min_instances, application.max_instances) == (1, 1)
    assert [it.revision for it in cloud.runners.scalings.values()] == [1, 2]


def test_configurations_that_no_service_has_make_room_for_others(cloud: Cloud) -> None:
    application_id = cloud.running()
    theirs = {"AutoScalingConfigurationName": "theirs"}
    cloud.runners.create_auto_scaling_configuration(theirs)
    for most in range(2, 14):
        cloud.hosting.scale_application(application_id, max_instances=most)
        cloud.settled()
    assert cloud.now(application_id).max_instances == 13
    active = {it.name for it in cloud.runners.scalings.values() if it.status == "ACTIVE"}
    assert {"theirs", "lcplatform-1-13-100"} <= active


def test_where_all_configurations_are_in_use_there_is_no_room(cloud: Cloud) -> None:
    for number in range(10):
        name = {"AutoScalingConfigurationName": f"theirs-{number}"}
        cloud.runners.create_auto_scaling_configuration(name)
    with pytest.raises(QuotaExceededError):
        cloud.hosting.deploy_application("shop", image=TEST_SITE)


def test_scaling_to_what_there_is_asks_for_nothing(cloud: Cloud) -> None:
    application_id = cloud.running()
    calls = len(cloud.aws.calls)
    cloud.hosting.scale_application(application_id, min_instances=1)
    assert cloud.since(calls) == []


def test_there_is_no_less_than_one_instance_and_no_more_than_25(cloud: Cloud) -> None:
    with pytest.raises(UnsupportedError):
        cloud.hosting.deploy_application("shop", image=TEST_SITE, min_instances=0)
    with pytest.raises(ValidationError):
        cloud.hosting.deploy_application("shop", image=TEST_SITE, max_instances=26)
    assert cloud.aws.calls == []


# --- revisions


def test_a_failed_update_leaves_the_service_running_as_it_was(cloud: Cloud) -> None:
    """facts: the status of the service says RUNNING, and only its operations say that the update failed."""
    application_id = cloud.running(environment={"GREETING": "good"})
    good = cloud.now(application_id)
    after = cloud.updated(application_id, image="team/other:1", environment={"FAILS": "1"})
    assert after.status is ApplicationStatus.UPDATING
    cloud.aws.time.advance(timedelta(minutes=6))
    after = cloud.now(application_id)
    assert (after.status, after.revision) == (ApplicationStatus.RUNNING, good.revision)
    assert (after.image, after.environment) == (TEST_SITE, {"GREETING": "good"})
    assert f"/aws/apprunner/shop/{cloud.runner.id}/service" in (after.status_reason or "")
    failed, first = cloud.hosting.list_deployments(application_id).deployments
    assert (failed.status, failed.image) == ("rolled_back", "team/other:1")
    assert (first.status, first.status_reason) == ("succeeded", None)


def test_a_service_that_could_not_be_created_is_mended_by_an_update(cloud: Cloud) -> None:
    answer = cloud.hosting.deploy_application("shop", image=TEST_SITE, environment={"FAILS": "1"})
    application_id = answer.application.application_id
    cloud.settled()
    assert cloud.now(application_id).status is ApplicationStatus.FAILED
    mended = cloud.updated(application_id, clear=["environment"])
    assert (mended.status, mended.status_reason) == (ApplicationStatus.RUNNING, None)
    statuses = [it.status for it in cloud.hosting.iter_deployments(application_id)]
    assert statuses == ["succeeded", "failed"]


def test_what_a_rollback_puts_in_place_is_remembered_with_it(cloud: Cloud) -> None:
    application_id = cloud.running(
        environment={"GREETING": "one"}, health_check_path="/health", cpu=1
    )
    first = cloud.now(application_id)
    assert first.revision is not None
    for number in ("two", "three"):
        cloud.updated(application_id, environment={"GREETING": number}, cpu=2)
    cloud.hosting.scale_application(application_id, max_instances=5)
    cloud.settled()
    told = cloud.hosting.rollback_application(application_id, revision=first.revision).application
    assert told.environment == {"GREETING": "one"}
    assert (told.cpu, told.memory, told.health_check_path) == (1, 2048, "/health")
    cloud.settled()
    assert cloud.now(application_id).max_instances == 5
    deployments = list(cloud.hosting.iter_deployments(application_id, page_size=2))
    assert [it.rollback_of for it in deployments] == [first.revision, None, None, None]
    assert [it.image for it in deployments] == [TEST_SITE] * 4


def test_pausing_and_scaling_make_no_revision(cloud: Cloud) -> None:
    application_id = cloud.running()
    first = cloud.now(application_id)
    cloud.hosting.pause_application(application_id)
    assert cloud.now(application_id).status is ApplicationStatus.UPDATING
    cloud.settled()
    assert cloud.now(application_id).status is ApplicationStatus.STOPPED
    cloud.hosting.resume_application(application_id)
    cloud.settled()
    cloud.hosting.scale_application(application_id, max_instances=2)
    cloud.settled()
    second = cloud.updated(application_id, environment={"A": "1"})
    assert second.revision != first.revision
    told = [it.revision for it in cloud.hosting.iter_deployments(application_id)]
    assert told == [second.revision, first.revision]


def test_the_same_settings_are_deployed_again_though_app_runner_sees_no_change(
    cloud: Cloud,
) -> None:
    application_id = cloud.running(secrets={"PASSWORD": "password"})
    calls = len(cloud.aws.calls)
    cloud.updated(application_id)
    assert cloud.since(calls) == ["TagResource", "StartDeployment"]
    assert len(list(cloud.hosting.iter_deployments(application_id))) == 2


def test_only_so_many_revisions_are_remembered(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lcplatform_aws.web_hosting_app_runner_history.KEPT", 3)
    monkeypatch.setattr("lcplatform_aws.web_hosting_app_runner_services.PAGE", 2)
    application_id = cloud.running()
    revisions = [cloud.now(application_id).revision]
    for number in range(6):
        cloud.hosting.scale_application(application_id, max_instances=2 + number % 2)
        cloud.settled()
        revisions.append(cloud.updated(application_id, environment={"A": str(number)}).revision)
    told = [it.revision for it in cloud.hosting.iter_deployments(application_id)]
    assert told == revisions[:-5:-1]  # the three that are remembered, and the one in place
    oldest = told[-1]
    cloud.hosting.rollback_application(application_id, revision=oldest)
    cloud.settled()
    assert cloud.now(application_id).environment == {"A": "2"}
    with pytest.raises(ResourceNotFoundError):
        cloud.hosting.rollback_application(application_id, revision=revisions[0])


def test_settings_for_which_there_is_no_room_are_not_remembered(cloud: Cloud) -> None:
    noise = {f"A{number}": f"{pow(3, 900 + number):x}" for number in range(40)}
    application_id = cloud.running(environment=noise)
    first = cloud.now(application_id)
    cloud.updated(application_id, environment={"GREETING": "small"})
    deployments = cloud.hosting.list_deployments(application_id).deployments
    assert [(it.status, it.image) for it in deployments] == [("succeeded", TEST_SITE)] * 2
    assert deployments[1].revision == first.revision
    with pytest.raises(PreconditionFailedError, match="remembered"):
        cloud.hosting.rollback_application(application_id)
    assert cloud.now(application_id).status is ApplicationStatus.RUNNING


def test_a_change_that_somebody_else_made_is_a_revision_too(cloud: Cloud) -> None:
    application_id = cloud.running(environment={"GREETING": "one"})
    changed = {**cloud.runner.configuration["SourceConfiguration"]}
    repository = changed["ImageRepository"]
    changed["ImageRepository"] = {
        **repository,
        "ImageConfiguration": {
            **repository["ImageConfiguration"],
            "RuntimeEnvironmentVariables": {"PORT": "8080", "GREETING": "theirs"},
        },
    }
    cloud.runners.update_service({"ServiceArn": application_id, "SourceConfiguration": changed})
    cloud.settled()
    theirs = cloud.now(application_id)
    cloud.updated(application_id, environment={"GREETING": "three"})
    assert len(list(cloud.hosting.iter_deployments(application_id))) == 3
    cloud.hosting.rollback_application(application_id)
    cloud.settled()
    assert cloud.now(application_id).environment == {"GREETING": "theirs"}
    [last] = cloud.hosting.list_deployments(application_id, page_size=1).deployments
    assert last.rollback_of == theirs.revision


def test_tags_that_somebody_broke_are_no_failure(cloud: Cloud) -> None:
    application_id = cloud.running(environment={"GREETING": "one"})
    cloud.runner.tags = {"team": "blue", "lcplatform:00": "9999:broken"}
    second = cloud.updated(application_id, environment={"GREETING": "two"})
    assert second.status is ApplicationStatus.RUNNING
    assert cloud.runner.tags["team"] == "blue"
    cloud.hosting.rollback_application(application_id)
    cloud.settled()
    assert cloud.now(application_id).environment == {"GREETING": "one"}


def test_a_service_made_from_source_code_is_no_application(cloud: Cloud) -> None:
    application_id = cloud.running()
    cloud.running("store")
    code = {
        "CodeRepository": {
            "RepositoryUrl": "https://code.example/site",
            "SourceCodeVersion": {"Type": "BRANCH", "Value": "main"},
        }
    }
    cloud.runners.runners[application_id].configuration["SourceConfiguration"] = code
    with pytest.raises(ResourceNotFoundError):
        cloud.now(application_id)
    assert [it.name for it in cloud.hosting.iter_applications()] == ["store"]


def test_applications_are_listed_in_pages(cloud: Cloud) -> None:
    names = {f"shop-{number}" for number in range(5)}
    for name in sorted(names):
        cloud.hosting.deploy_application(name, image="registry.example/shop:1")
    assert {it.name for it in cloud.hosting.iter_applications(page_size=2)} == names
    assert {it.name for it in cloud.hosting.iter_applications(page_size=100)} == names


# --- the end


def test_a_deleted_service_can_still_be_described_and_is_not_found(cloud: Cloud) -> None:
    application_id = cloud.running()
    cloud.hosting.delete_application(application_id)
    assert cloud.hosting.delete_application(application_id).application.status == "deleting"
    cloud.settled()
    assert cloud.runner.status == "DELETED"
    with pytest.raises(ResourceNotFoundError):
        cloud.now(application_id)
    assert cloud.running() != application_id


def test_what_could_not_be_deleted_is_deleted_again(cloud: Cloud) -> None:
    """facts: DELETE_FAILED has to be deleted again."""
    application_id = cloud.running()
    cloud.runners.undeletable = True
    cloud.hosting.delete_application(application_id)
    cloud.settled()
    stuck = cloud.now(application_id)
    assert (stuck.status, stuck.status_reason) == (
        ApplicationStatus.DELETING,
        "App Runner could not delete all of it: delete it again",
    )
    cloud.runners.undeletable = False
    cloud.hosting.delete_application(application_id)
    cloud.settled()
    assert not cloud.hosting.exists(application_id)


# --- logs


def test_logs_are_those_of_the_revision_that_is_asked_for(cloud: Cloud) -> None:
    assert not cloud.logs.groups
    answer = cloud.hosting.deploy_application("shop", image=TEST_SITE)
    application_id = answer.application.application_id
    # App Runner makes the group when the first line is written.
    assert list(cloud.hosting.get_logs(application_id)) == []
    cloud.settled()
    first = cloud.now(application_id).revision
    cloud.aws.time.advance(timedelta(minutes=1))
    second = cloud.updated(application_id, port=9000).revision
    cloud.aws.time.advance(timedelta(minutes=1))
    cloud.updated(application_id, environment={"FAILS": "1"})
    cloud.runner.instance = "later"
    cloud.runners._write(cloud.runner, "of an instance that was added later")

    def lines(revision: str | None) -> list[str]:
        answers = cloud.hosting.get_logs(application_id, revision=revision)
        return [it.message for answer in answers for it in answer.entries]

    assert lines(first) == ["listening on 8080"]
    assert lines(second) == ["listening on 9000", "of an instance that was added later"]
    assert lines(None) == lines(first) + lines(second)


# --- what goes wrong


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(400, "InvalidRequestException", "no such role"), ValidationError),
        (
            Fault(400, "InvalidRequestException", "Service with the provided name already exists"),
            AlreadyExistsError,
        ),
        (Fault(500, "InternalServiceErrorException", "try later"), InternalError),
        (Fault(400, "ServiceQuotaExceededException", "no more services"), QuotaExceededError),
        (Fault(400, "ThrottlingException", "Rate exceeded"), QuotaExceededError),
        (Fault(400, "AccessDeniedException", "no"), PermissionDeniedError),
    ],
)
def test_failures_are_told_in_the_platforms_words(
    cloud: Cloud, fault: Fault, kind: type[LCPlatformError]
) -> None:
    cloud.aws.will_fail("apprunner:CreateService", *[fault] * 5)
    with pytest.raises(kind):
        cloud.hosting.deploy_application("shop", image=TEST_SITE)
    cloud.aws.heal()
    cloud.hosting.deploy_application("shop", image=TEST_SITE)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("InvalidStateException", PreconditionFailedError),
        ("ResourceNotFoundException", ResourceNotFoundError),
    ],
)
def test_a_change_that_is_refused_leaves_nothing_behind(
    cloud: Cloud, code: str, kind: type[LCPlatformError]
) -> None:
    """Somebody else was faster, and what is remembered is not taken for what they did."""
    application_id = cloud.running(environment={"GREETING": "one"})
    cloud.aws.will_fail("apprunner:UpdateService", Fault(400, code, "OPERATION_IN_PROGRESS"))
    with pytest.raises(kind) as refused:
        cloud.hosting.scale_application(application_id, max_instances=2)
    assert refused.value.outcome is Outcome.NOT_EXECUTED
    cloud.runners.start_deployment({"ServiceArn": application_id})
    cloud.settled()
    assert len(list(cloud.hosting.iter_deployments(application_id))) == 2


def test_a_change_is_refused_while_one_is_under_way(cloud: Cloud) -> None:
    application_id = cloud.running()
    cloud.hosting.update_application(application_id, environment={"A": "1"})
    calls = len(cloud.aws.calls)
    for change in (
        cloud.hosting.delete_application,
        cloud.hosting.pause_application,
        cloud.hosting.resume_application,
        cloud.hosting.rollback_application,
    ):
        with pytest.raises(PreconditionFailedError, match="wait"):
            change(application_id)
    assert cloud.since(calls) == []


def test_a_deployment_whose_answer_is_lost_is_not_asked_for_again(cloud: Cloud) -> None:
    """App Runner has no token by which it would know the repetition."""
    fault = Fault(500, "InternalServiceErrorException", after=True)
    cloud.aws.will_fail("apprunner:CreateService", fault)
    with pytest.raises(InternalError) as caught:
        cloud.hosting.deploy_application("shop", image=TEST_SITE)
    assert caught.value.outcome is Outcome.UNKNOWN
    assert cloud.aws.calls.count("apprunner:CreateService") == 1
    with pytest.raises(AlreadyExistsError):
        cloud.hosting.deploy_application("shop", image=TEST_SITE)


def test_an_update_whose_answer_is_lost_is_remembered_all_the_same(cloud: Cloud) -> None:
    application_id = cloud.running()
    cloud.aws.will_fail("apprunner:UpdateService", Fault(reset=True, after=True))
    with pytest.raises(ServiceUnavailableError) as caught:
        cloud.hosting.update_application(application_id, image="team/other:1")
    assert caught.value.outcome is Outcome.UNKNOWN
    assert cloud.aws.calls.count("apprunner:UpdateService") == 1
    [last, _] = cloud.hosting.list_deployments(application_id).deployments
    assert last.image == "team/other:1"


def test_what_cannot_be_remembered_is_not_done(cloud: Cloud) -> None:
    application_id = cloud.running()
    cloud.aws.will_fail("apprunner:TagResource", Fault(400, "AccessDeniedException", "no tags"))
    calls = len(cloud.aws.calls)
    with pytest.raises(PermissionDeniedError):
        cloud.hosting.update_application(application_id, environment={"A": "1"})
    assert cloud.since(calls) == ["TagResource"]


def test_reading_is_tried_again(cloud: Cloud) -> None:
    application_id = cloud.running()
    fault = Fault(500, "InternalServiceErrorException")
    cloud.aws.will_fail("apprunner:DescribeService", Fault(reset=True))
    cloud.aws.will_fail("apprunner:ListOperations", fault)
    assert cloud.now(application_id).status is ApplicationStatus.RUNNING
