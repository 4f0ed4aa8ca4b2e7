"""AppConfig on the wire: what it locks, what takes its time, and tokens that are used up whatever comes of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lcplatform import CallOptions, LCPlatform, PlatformSettings, RetryPolicy
from lcplatform.configuration.models import Rollout, WatchConfigurationRequest
from lcplatform.errors import (
    AlreadyExistsError,
    ConflictError,
    DeadlineExceededError,
    InternalError,
    PreconditionFailedError,
    QuotaExceededError,
    ResourceNotFoundError,
    ServiceUnavailableError,
    ValidationError,
)
from lcplatform_aws import configuration, configuration_deployments, configuration_sessions
from lcplatform_aws.configuration import AppConfigConfiguration
from lcplatform_aws.options import AwsOptions
from lcplatform_aws.session import Session
from lcplatform_runtime.errors import Outcome
from lcplatform_runtime.json_value import Json
from tests.fake_aws.appconfig import AppConfig, AppConfigData, Store
from tests.fake_aws.server import FakeAws, Fault

ROLLOUT = Rollout(duration=timedelta(minutes=10), step_percent=50, bake=timedelta(minutes=5))


class Clock:
    """The driver's clock: it decides when a session is asked again, and passes when a driver sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class World:
    """What a test looks at."""

    def __init__(self) -> None:
        self.writing = AppConfig()
        self.reading = AppConfigData(self.writing)
        self.fake = FakeAws([self.writing, self.reading])
        self.clock = Clock()

    @property
    def store(self) -> Store:
        return self.writing.store

    def reset(self) -> None:
        """Forgets everything, for the next test."""
        self.writing.store = Store()
        self.reading.sessions.clear()
        self.reading.share = 0
        self.fake.calls.clear()

    def count(self, *operations: str) -> list[int]:
        """How often operations were asked for."""
        return [self.fake.calls.count(it) for it in operations]

    def pass_time(self, by: timedelta) -> None:
        """Moves both clocks on."""
        self.fake.time.advance(by)
        self.clock.now += by.total_seconds()

    def versions(self, profile: str = "test") -> dict[int, dict[str, Any]]:
        """The hosted versions of a profile."""
        [key] = [key for key, it in self.store.profiles.items() if it["Name"] == profile]
        return self.store.versions[key]

    def deploy(self, data: object) -> None:
        """Somebody else stores a version and deploys it."""
        [key] = [key for key, it in self.store.profiles.items() if it["Name"] == "test"]
        [environment] = [it for it in self.store.environments if it[0] == key[0]]
        where = {"ApplicationId": key[0], "ConfigurationProfileId": key[1]}
        content = {"Content": json.dumps(data).encode(), "ContentType": "application/json"}
        made = self.writing.create_hosted_configuration_version({**where, **content})
        strategies = [
            it for it in self.store.strategies.values() if it["DeploymentDurationInMinutes"] == 0
        ]
        at_once = {
            "Name": "theirs",
            "DeploymentDurationInMinutes": 0,
            "GrowthFactor": 100.0,
            "GrowthType": "LINEAR",
            "FinalBakeTimeInMinutes": 0,
        }
        strategy = strategies[0] if strategies else self.writing.create_deployment_strategy(at_once)
        self.writing.start_deployment(
            {
                **where,
                "EnvironmentId": environment[1],
                "DeploymentStrategyId": strategy["Id"],
                "ConfigurationVersion": str(made["VersionNumber"]),
            }
        )

    def stranger(self) -> None:
        """Somebody else makes a configuration of the shop for test, without us."""
        application = self.writing.create_application({"Name": "shop"})["Id"]
        self.writing.create_environment({"ApplicationId": application, "Name": "test"})
        self.writing.create_configuration_profile(
            {"ApplicationId": application, "Name": "test", "LocationUri": "hosted"}
        )
        self.deploy({"limit": 7})


OPTIONS: Mapping[str, Any] = {
    "region": "us-east-1",
    "access_key_id": "AKIATEST",
    "secret_access_key": "hush",
}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    world = World()
    with world.fake:
        yield world


@pytest.fixture
def aws(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """AppConfig with nothing in it. Nothing that the models do not allow was asked of it."""
    world.reset()
    for module in (configuration_sessions, configuration_deployments):
        monkeypatch.setattr(module, "time", world.clock)
    yield world
    assert world.fake.refused == []


@pytest.fixture
def platform(aws: World) -> Iterator[LCPlatform]:
    """A platform on the fake, which retries at once."""
    settings = PlatformSettings(retry=RetryPolicy(base_delay=timedelta(0)))
    with LCPlatform("aws", settings=settings, endpoint_url=aws.fake.url, **OPTIONS) as platform:
        yield platform


@pytest.fixture
def shop(platform: LCPlatform) -> LCPlatform:
    """The same with a configuration of the shop for test, which nothing but sessions remembers."""
    platform.configuration.create_configuration("shop", "test", data={"limit": 1})
    return platform


@pytest.fixture
def driver(aws: World) -> Iterator[AppConfigConfiguration]:
    """The driver alone."""
    session = Session(AwsOptions(endpoint_url=aws.fake.url, **OPTIONS))
    yield AppConfigConfiguration(session)
    session.close()


FRESH = CallOptions(bypass_cache=True)
POLLS = ("appconfigdata:StartConfigurationSession", "appconfigdata:GetLatestConfiguration")


def limit(platform: LCPlatform) -> object:
    found = platform.configuration.get_configuration("shop", "test", options=FRESH)
    assert found.data is not None
    return found.data.value["limit"]


# --- what is stored


def test_data_is_stored_as_it_is_and_what_else_is_known_beside_it(
    aws: World, platform: LCPlatform
) -> None:
    """Whoever reads AppConfig otherwise finds plain JSON."""
    platform.configuration.create_configuration(
        "shop",
        "test",
        data=Json.from_text('{"a": 1.0}'),
        schema={"type": "object"},
        description="d",
    )
    [version] = aws.versions().values()
    assert version["Content"] == b'{"a": 1.0}'
    assert version["ContentType"] == "application/json"
    assert version["VersionLabel"] == "v1"
    [about] = aws.versions("test:about").values()
    known = json.loads(about["Content"])
    assert (known["schema"], known["description"]) == ('{"type":"object"}', "d")


def test_a_name_is_found_among_many_applications(aws: World, platform: LCPlatform) -> None:
    for number in range(120):
        aws.writing.create_application({"Name": f"a{number}"})
    aws.stranger()
    assert platform.configuration.get_configuration("shop", "test").data == Json({"limit": 7})


def test_versions_beyond_a_page_are_listed(aws: World, shop: LCPlatform) -> None:
    for number in range(55):
        aws.deploy({"limit": number})
    listed = shop.configuration.list_versions("shop", "test", page_size=100).versions
    assert len(listed) == 56
    assert listed[0].current
    assert listed[-1].version == "v1"


def test_the_oldest_version_makes_room(
    aws: World, shop: LCPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configuration, "_LIMITS", replace(configuration._LIMITS, max_versions=2))
    for number in (2, 3):
        shop.configuration.update_configuration("shop", "test", data={"limit": number})
    listed = shop.configuration.list_versions("shop", "test").versions
    assert [it.version for it in listed] == ["v3", "v2"]
    with pytest.raises(ResourceNotFoundError):
        shop.configuration.get_configuration("shop", "test", version="v1")


def test_a_configuration_that_somebody_else_made(aws: World, platform: LCPlatform) -> None:
    aws.stranger()
    found = platform.configuration.get_configuration("shop", "test")
    assert (found.version, found.data, found.schema_) == ("1", Json({"limit": 7}), None)
    platform.configuration.update_configuration(
        "shop", "test", data={"limit": 8}, if_match=found.etag, schema={"required": ["limit"]}
    )
    assert limit(platform) == 8
    assert len(aws.store.profiles) == 2
    listed = platform.configuration.list_versions("shop", "test").versions
    assert [it.version for it in listed] == ["v1", "1"]


# --- reading


def test_a_session_is_asked_once_in_its_interval(aws: World, shop: LCPlatform) -> None:
    assert [limit(shop) for _ in range(3)] == [1, 1, 1]
    assert aws.count(*POLLS) == [1, 1]


def test_a_poll_that_brings_nothing_leaves_what_was_there(aws: World, shop: LCPlatform) -> None:
    limit(shop)
    aws.pass_time(timedelta(seconds=16))
    assert limit(shop) == 1
    assert aws.count(*POLLS) == [1, 2]


def test_what_others_change_is_seen_after_the_interval(aws: World, shop: LCPlatform) -> None:
    limit(shop)
    aws.deploy({"limit": 2})
    assert limit(shop) == 1
    aws.pass_time(timedelta(seconds=16))
    assert limit(shop) == 2
    assert shop.configuration.get_configuration("shop", "test", options=FRESH).version == "2"


def test_what_is_changed_here_is_seen_at_once(aws: World, shop: LCPlatform) -> None:
    limit(shop)
    shop.configuration.update_configuration("shop", "test", data={"limit": 2})
    assert limit(shop) == 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault(400, "BadRequestException"),  # expired, used before, or asked too early
        Fault(429, "ThrottlingException"),
        Fault(500, "InternalServerException"),
        Fault(reset=True),
        Fault(reset=True, after=True),  # the answer was lost, and the token with it
    ],
    ids=["refused", "throttled", "failed", "unsent", "lost"],
)
def test_a_token_is_never_used_twice(aws: World, shop: LCPlatform, fault: Fault) -> None:
    limit(shop)
    aws.deploy({"limit": 2})
    aws.pass_time(timedelta(seconds=16))
    aws.fake.will_fail(POLLS[1], fault)
    assert limit(shop) == 2
    assert aws.count(*POLLS) == [2, 3]


def test_an_old_token_is_not_tried(aws: World, shop: LCPlatform) -> None:
    """It is good for a day."""
    limit(shop)
    aws.pass_time(timedelta(hours=24))
    assert limit(shop) == 1
    assert aws.count(*POLLS) == [2, 2]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(429, "ThrottlingException"), QuotaExceededError),
        (Fault(500, "InternalServerException"), InternalError),
        (Fault(reset=True), ServiceUnavailableError),
    ],
)
def test_a_failure_that_lasts_is_told_and_a_later_read_is_well(
    aws: World, shop: LCPlatform, fault: Fault, kind: type[Exception]
) -> None:
    """A live view keeps what it has, and has to know."""
    limit(shop)
    aws.pass_time(timedelta(seconds=16))
    aws.fake.will_fail(POLLS[1], fault)
    aws.fake.will_fail(POLLS[0], fault, fault)
    with pytest.raises(kind):
        limit(shop)
    assert limit(shop) == 1


def test_nothing_that_was_deployed_is_not_found(aws: World, platform: LCPlatform) -> None:
    application = aws.writing.create_application({"Name": "shop"})["Id"]
    aws.writing.create_environment({"ApplicationId": application, "Name": "test"})
    aws.writing.create_configuration_profile(
        {"ApplicationId": application, "Name": "test", "LocationUri": "hosted"}
    )
    with pytest.raises(ResourceNotFoundError):
        platform.configuration.get_configuration("shop", "test")
    platform.configuration.create_configuration("shop", "test", data={"limit": 1})
    assert limit(platform) == 1


def test_a_configuration_that_others_deleted_is_not_found(aws: World, shop: LCPlatform) -> None:
    limit(shop)
    aws.reset()
    aws.pass_time(timedelta(seconds=16))
    for call in (
        lambda: shop.configuration.get_configuration("shop", "test", options=FRESH),
        lambda: shop.configuration.update_configuration("shop", "test", data={}),
    ):
        with pytest.raises(ResourceNotFoundError):
            call()


# --- writing


def in_between(aws: World, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Has somebody else deploy something just before the next deployments of ours."""
    ours = aws.writing.start_deployment
    left = [times]

    def start(given: dict[str, Any]) -> Mapping[str, Any]:
        if left[0]:
            left[0] -= 1
            monkeypatch.setattr(aws.writing, "start_deployment", ours)
            aws.deploy({"limit": "theirs"})
            monkeypatch.setattr(aws.writing, "start_deployment", start)
        return ours(given)

    monkeypatch.setattr(aws.writing, "start_deployment", start)


def test_of_two_changes_at_once_one_comes_after_the_other(
    aws: World, shop: LCPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_between(aws, monkeypatch, 2)
    shop.configuration.update_configuration("shop", "test", data={"limit": 3})
    assert limit(shop) == 3
    # What came too late did not become a version.
    assert len(shop.configuration.list_versions("shop", "test").versions) == 4


def test_of_two_conditional_changes_at_once_one_is_stale(
    aws: World, shop: LCPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    etag = shop.configuration.get_configuration("shop", "test").etag
    in_between(aws, monkeypatch, 1)
    with pytest.raises(ConflictError):
        shop.configuration.update_configuration("shop", "test", data={"limit": 3}, if_match=etag)
    aws.pass_time(timedelta(seconds=16))
    assert limit(shop) == "theirs"
    assert len(shop.configuration.list_versions("shop", "test").versions) == 2


@pytest.mark.parametrize("what", ["rollback", "delete", "restore"])
def test_other_changes_are_begun_anew_too(
    aws: World, shop: LCPlatform, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    service = shop.configuration
    if what == "restore":
        service.delete_configuration("shop", "test")
        shown = service.restore_configuration("shop", "test")
        assert shown.version == "v1"
        return
    in_between(aws, monkeypatch, 1)
    if what == "rollback":
        service.rollback_configuration("shop", "test", version="v1")
        assert limit(shop) == 1
    else:
        service.delete_configuration("shop", "test")
        with pytest.raises(ResourceNotFoundError):
            limit(shop)
        assert service.restore_configuration("shop", "test").version == "3"  # theirs


def test_whoever_is_always_too_late_is_told(
    aws: World, shop: LCPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_between(aws, monkeypatch, 1000)
    with pytest.raises(ConflictError) as caught:
        shop.configuration.update_configuration(
            "shop",
            "test",
            data={"limit": 3},
            options=CallOptions(retry=RetryPolicy(max_attempts=1)),
        )
    assert caught.value.retryable


def test_a_validator_that_somebody_added_tells_what_it_refuses(
    aws: World, shop: LCPlatform
) -> None:
    aws.store.flaws = [
        {"Type": "CONSTRAINT", "Location": "/limit", "Reason": "too small", "Constraint": "minimum", "Value": "0"}
    ]  # fmt: skip
    with pytest.raises(ValidationError) as caught:
        shop.configuration.update_configuration("shop", "test", data={"limit": 0})
    [violation] = caught.value.violations
    assert (violation.field, violation.path, violation.description) == (
        "data",
        "/limit",
        "too small",
    )
    assert len(aws.versions()) == 1


def test_a_deployment_that_was_rolled_back_is_told(
    aws: World, shop: LCPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = aws.writing.get_deployment

    def get(given: dict[str, Any]) -> Mapping[str, Any]:
        event = {"EventType": "ROLLBACK_STARTED", "Description": "an alarm went off"}
        return {**ours(given), "State": "ROLLED_BACK", "EventLog": [event]}

    monkeypatch.setattr(aws.writing, "get_deployment", get)
    with pytest.raises(PreconditionFailedError, match="an alarm went off"):
        shop.configuration.update_configuration("shop", "test", data={"limit": 2})


def test_a_deployment_that_takes_its_time_is_waited_for(
    aws: World, shop: LCPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, asked = aws.writing.get_deployment, []

    def get(given: dict[str, Any]) -> Mapping[str, Any]:
        asked.append(given)
        return {**ours(given), "State": "DEPLOYING" if len(asked) < 4 else "COMPLETE"}

    monkeypatch.setattr(aws.writing, "get_deployment", get)
    shop.configuration.update_configuration("shop", "test", data={"limit": 2})
    assert len(asked) == 4


def test_a_deployment_that_never_ends_is_waited_for_until_the_deadline(
    aws: World, shop: LCPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = aws.writing.get_deployment
    monkeypatch.setattr(
        aws.writing, "get_deployment", lambda given: {**ours(given), "State": "DEPLOYING"}
    )
    with pytest.raises(DeadlineExceededError) as caught:
        shop.configuration.update_configuration("shop", "test", data={"limit": 2})
    assert caught.value.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("BadRequestException", 400, ValidationError),
        ("PayloadTooLargeException", 413, ValidationError),
        ("ServiceQuotaExceededException", 402, QuotaExceededError),
        ("ConflictException", 409, ConflictError),
        ("ResourceNotFoundException", 404, ResourceNotFoundError),
        ("InternalServerException", 500, InternalError),
    ],
)
def test_what_appconfig_refuses_is_said_in_our_words(
    aws: World, shop: LCPlatform, code: str, status: int, kind: type[Exception]
) -> None:
    aws.fake.will_fail("appconfig:CreateHostedConfigurationVersion", Fault(status, code))
    before = aws.count("appconfig:CreateHostedConfigurationVersion")[0]
    with pytest.raises(kind):
        shop.configuration.update_configuration("shop", "test", data={"limit": 2})
    assert aws.count("appconfig:CreateHostedConfigurationVersion") == [before + 1]


# --- little by little


def test_a_rollout_reaches_readers_by_their_sessions(aws: World, shop: LCPlatform) -> None:
    service = shop.configuration
    old = service.get_configuration("shop", "test", options=FRESH)
    changed = service.update_configuration("shop", "test", data={"limit": 2}, rollout=ROLLOUT)
    assert changed.etag == old.etag
    aws.reading.share = 30
    assert limit(shop) == 2
    aws.reading.share = 70
    late = service.get_configuration("shop", "test", reader="late", options=FRESH)
    assert late.data == Json({"limit": 1})
    [info] = service.list_configurations(application="shop").configurations
    assert info.version == "v1"
    assert info.rollout is not None
    assert (info.rollout.version, info.rollout.percent) == ("v2", 50)
    for change in (
        lambda: service.update_configuration("shop", "test", data={}),
        lambda: service.rollback_configuration("shop", "test", version="v1"),
    ):
        with pytest.raises(PreconditionFailedError):
            change()
    aws.pass_time(timedelta(minutes=6))
    late = service.get_configuration("shop", "test", reader="late", options=FRESH)
    assert late.data == Json({"limit": 2})
    assert not service.list_versions("shop", "test").versions[0].current
    aws.pass_time(timedelta(minutes=10))
    assert service.list_versions("shop", "test").versions[0].current


def test_a_rollout_is_a_strategy_that_is_used_again(aws: World, shop: LCPlatform) -> None:
    """AppConfig has room for twenty."""
    length = timedelta(seconds=61)
    for _ in range(2):
        shop.configuration.update_configuration(
            "shop", "test", data={}, rollout=Rollout(duration=length)
        )
        aws.pass_time(timedelta(minutes=3))
    assert [
        (it["DeploymentDurationInMinutes"], it["GrowthFactor"], it["FinalBakeTimeInMinutes"])
        for it in aws.store.strategies.values()
    ] == [(0, 100.0, 0), (2, 20.0, 0)]


@pytest.mark.parametrize("after", [1, 12], ids=["deploying", "baking"])
def test_a_rollout_that_is_stopped_gives_back_what_was_there(
    aws: World, shop: LCPlatform, after: int
) -> None:
    service = shop.configuration
    service.update_configuration("shop", "test", data={"limit": 2}, rollout=ROLLOUT)
    assert limit(shop) == 2
    aws.pass_time(timedelta(minutes=after))
    assert service.stop_deployment("shop", "test").version == "v1"
    assert limit(shop) == 1
    assert len(service.list_versions("shop", "test").versions) == 2
    assert service.stop_deployment("shop", "test").version == "v1"


def test_a_rollout_ends_when_its_configuration_is_deleted(aws: World, shop: LCPlatform) -> None:
    service = shop.configuration
    service.update_configuration("shop", "test", data={"limit": 2}, rollout=ROLLOUT)
    service.delete_configuration("shop", "test")
    aws.pass_time(timedelta(hours=1))
    assert service.restore_configuration("shop", "test").version == "v1"
    assert limit(shop) == 1


def test_what_is_current_is_found_behind_any_number_of_rollouts_that_were_stopped(
    aws: World, shop: LCPlatform
) -> None:
    shop.configuration.update_configuration("shop", "test", data={}, rollout=ROLLOUT)
    shop.configuration.stop_deployment("shop", "test")
    [deployments] = aws.store.deployments.values()
    for _ in range(60):
        number = deployments[-1]["DeploymentNumber"] + 1
        deployments.append({**deployments[-1], "DeploymentNumber": number})
    assert shop.configuration.list_versions("shop", "test").versions[1].current
    shop.configuration.update_configuration("shop", "test", data={"limit": 2})
    assert limit(shop) == 2


# --- deleting


def test_a_deleted_configuration_tells_those_who_read_it(aws: World, shop: LCPlatform) -> None:
    shop.configuration.delete_configuration("shop", "test")
    newest = max(aws.versions())
    assert aws.versions()[newest]["Content"] == b"null"
    assert aws.versions()[newest]["VersionLabel"].startswith("deleted-")
    with pytest.raises(ResourceNotFoundError):
        limit(shop)


def test_what_was_deleted_long_ago_is_gone_and_its_place_is_free(
    aws: World, shop: LCPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = shop.configuration
    monkeypatch.setattr(configuration, "_KEPT", timedelta(0))
    service.delete_configuration("shop", "test")
    with pytest.raises(ResourceNotFoundError):
        service.restore_configuration("shop", "test")
    assert service.list_configurations(include_deleted=True).configurations == ()
    service.create_configuration("shop", "test", data={"limit": 9})
    assert limit(shop) == 9
    assert len(aws.store.profiles) == 2
    assert len(service.list_versions("shop", "test").versions) == 1
    with pytest.raises(AlreadyExistsError):
        service.create_configuration("shop", "test", data={})


# --- watching


def test_a_watch_hears_what_others_change_and_misses_nothing(
    aws: World, driver: AppConfigConfiguration
) -> None:
    aws.stranger()
    driver._interval = 0  # asks at once
    watch = driver.watch_configuration(
        WatchConfigurationRequest(application="shop", environment="test")
    )
    assert next(watch).data == Json({"limit": 7})
    for number in (8, 9):
        aws.deploy({"limit": number})
    aws.pass_time(timedelta(seconds=16))
    told = [next(watch) for _ in range(2)]
    assert [(it.version, it.data) for it in told] == [
        ("2", Json({"limit": 8})),
        ("3", Json({"limit": 9})),
    ]


def test_a_watch_hears_of_a_rollout_once_and_of_its_end(
    aws: World, driver: AppConfigConfiguration, platform: LCPlatform
) -> None:
    aws.stranger()
    driver._interval = 0
    watch = driver.watch_configuration(
        WatchConfigurationRequest(application="shop", environment="test")
    )
    next(watch)

    def elsewhere(change: Callable[[], object]) -> str:
        change()
        aws.pass_time(timedelta(seconds=16))
        return next(watch).version

    service = platform.configuration
    assert (
        elsewhere(lambda: service.update_configuration("shop", "test", data={}, rollout=ROLLOUT))
        == "v1"
    )
    assert elsewhere(lambda: service.stop_deployment("shop", "test")) == "1"
    assert (
        elsewhere(lambda: service.update_configuration("shop", "test", data={}, rollout=ROLLOUT))
        == "v2"
    )
    aws.pass_time(timedelta(minutes=20))  # which makes it current, and is no news to this reader
    assert elsewhere(lambda: service.update_configuration("shop", "test", data={})) == "v3"


def test_a_watch_ends_with_the_platform(driver: AppConfigConfiguration, aws: World) -> None:
    aws.stranger()
    watch = driver.watch_configuration(
        WatchConfigurationRequest(application="shop", environment="test")
    )
    next(watch)
    driver.close()
    with pytest.raises(PreconditionFailedError):
        next(watch)
