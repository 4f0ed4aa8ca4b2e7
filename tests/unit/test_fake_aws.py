"""The fake of AWS judges both directions by the SDK's models, and speaks its protocols to the SDK itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.fake_aws.api import AwsError
from tests.fake_aws.server import FakeAws, Fault, Service

_MOMENT = datetime(2030, 1, 1, 12, tzinfo=UTC)


class _AppRunner(Service):
    service = "apprunner"

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, Any] = {"OperationSummaryList": []}

    def list_operations(self, given: dict[str, Any]) -> Mapping[str, Any]:
        if "missing" in given["ServiceArn"]:
            raise AwsError("ResourceNotFoundException", "no such service")
        if "strange" in given["ServiceArn"]:
            raise AwsError("StrangeException", "nobody declares it")
        return self.answers


class _Data(Service):
    service = "appconfigdata"

    def get_latest_configuration(self, given: dict[str, Any]) -> Mapping[str, Any]:
        if given["ConfigurationToken"] != "first":
            raise AwsError("BadRequestException", "burned")
        return {
            "NextPollConfigurationToken": "second",
            "NextPollIntervalInSeconds": 60,
            "ContentType": "application/json",
            "Configuration": b"{}",
        }


class _Scheduler(Service):
    service = "scheduler"

    def get_schedule(self, given: dict[str, Any]) -> Mapping[str, Any]:
        return {"Name": given["Name"], "GroupName": given["GroupName"], "StartDate": _MOMENT}

    def create_schedule(self, given: dict[str, Any]) -> Mapping[str, Any]:
        return {"ScheduleArn": self.arn(f"schedule/default/{given['Name']}")}


@pytest.fixture
def runner() -> _AppRunner:
    return _AppRunner()


@pytest.fixture
def aws(runner: _AppRunner) -> Iterator[FakeAws]:
    with FakeAws([runner, _Data(), _Scheduler()]) as aws:
        yield aws


def _client(aws: FakeAws, service: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        region_name="us-east-1",
        endpoint_url=aws.url,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
    )


_SERVICE = "arn:aws:apprunner:us-east-1:000000000000:service/shop/0123456789abcdef0123456789abcdef"


def _operation(**members: object) -> dict[str, object]:
    return {"Id": "01234567-89ab-4def-8123-456789abcdef", "Type": "CREATE_SERVICE", **members}


def test_json_goes_both_ways(aws: FakeAws, runner: _AppRunner) -> None:
    runner.answers = {"OperationSummaryList": [_operation(StartedAt=_MOMENT, Status="SUCCEEDED")]}
    [found] = _client(aws, "apprunner").list_operations(ServiceArn=_SERVICE)["OperationSummaryList"]
    assert found["StartedAt"] == _MOMENT
    assert found["Status"] == "SUCCEEDED"
    assert aws.calls == ["apprunner:ListOperations"]
    assert aws.refused == []


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "ServiceArn is required"),
        ({"ServiceArn": 7}, "expected a string"),
        ({"ServiceArn": "no ARN at all"}, "expected to match"),
        ({"ServiceArn": _SERVICE, "MaxResults": 21}, "at most 20"),
        ({"ServiceArn": _SERVICE, "MaxResults": True}, "expected a integer"),
    ],
)
def test_a_request_that_the_model_does_not_allow_is_refused(
    aws: FakeAws, given: dict[str, object], problem: str
) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        _client(aws, "apprunner").list_operations(**given)
    [refused] = aws.refused
    assert problem in refused


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"OperationSummaryList": [_operation(Status="FINE")]}, "one of PENDING"),
        ({"OperationSummaryList": [{"Id": "short"}]}, "at least 36"),
        ({"Operations": []}, "has no member Operations"),
    ],
)
def test_an_answer_that_the_model_does_not_allow_is_a_defect_of_the_fake(
    aws: FakeAws, runner: _AppRunner, answer: dict[str, Any], problem: str
) -> None:
    runner.answers = answer
    with pytest.raises(ClientError):
        _client(aws, "apprunner").list_operations(ServiceArn=_SERVICE)
    [refused] = aws.refused
    assert problem in refused


def test_only_declared_errors_are_answered(aws: FakeAws) -> None:
    client = _client(aws, "apprunner")
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="no such service"):
        client.list_operations(ServiceArn=_SERVICE.replace("shop", "missing"))
    assert aws.refused == []
    with pytest.raises(ClientError, match="ValidationException"):
        client.list_operations(ServiceArn=_SERVICE.replace("shop", "strange"))
    assert aws.refused == [
        "apprunner:ListOperations: ListOperations declares no error StrangeException"
    ]


def test_what_travels_in_headers_and_as_the_body(aws: FakeAws) -> None:
    client = _client(aws, "appconfigdata")
    answer = client.get_latest_configuration(ConfigurationToken="first")
    assert answer["NextPollConfigurationToken"] == "second"
    assert answer["NextPollIntervalInSeconds"] == 60
    assert answer["Configuration"].read() == b"{}"
    with pytest.raises(client.exceptions.BadRequestException):
        client.get_latest_configuration(ConfigurationToken="second")


def test_what_travels_in_the_path_and_the_query(aws: FakeAws) -> None:
    client = _client(aws, "scheduler")
    found = client.get_schedule(Name="night.ly", GroupName="jobs")
    assert (found["Name"], found["GroupName"], found["StartDate"]) == ("night.ly", "jobs", _MOMENT)
    with pytest.raises(ClientError, match="ValidationException"):
        client.create_schedule(
            Name="nightly",
            ScheduleExpression="rate(1 day)",
            FlexibleTimeWindow={"Mode": "SOMETIMES"},
            Target={"Arn": "arn", "RoleArn": "role"},
        )
    assert "one of OFF, FLEXIBLE" in aws.refused[0]


def test_a_fault_takes_the_place_of_an_answer(aws: FakeAws) -> None:
    client = _client(aws, "apprunner")
    aws.will_fail(
        "apprunner:ListOperations",
        Fault(429, "ThrottlingException", headers={"Retry-After": "3"}),
        Fault(reset=True),
    )
    with pytest.raises(ClientError, match="ThrottlingException") as caught:
        client.list_operations(ServiceArn=_SERVICE)
    metadata = caught.value.response.get("ResponseMetadata", {})
    assert metadata["HTTPHeaders"]["retry-after"] == "3"
    with pytest.raises(ConnectionClosedError):
        client.list_operations(ServiceArn=_SERVICE)
    assert client.list_operations(ServiceArn=_SERVICE)["OperationSummaryList"] == []


def test_what_is_for_nobody_here_goes_to_the_server_behind(aws: FakeAws) -> None:
    with FakeAws([], behind=aws.url) as front:
        assert _client(front, "apprunner").list_operations(ServiceArn=_SERVICE)
        assert front.calls == []
    assert aws.calls == ["apprunner:ListOperations"]


def test_what_is_due_happens_in_order_and_at_its_own_moment(aws: FakeAws) -> None:
    happened: list[tuple[str, datetime]] = []
    start = aws.time.now()

    def first() -> None:
        happened.append(("first", aws.time.now()))
        aws.time.after(timedelta(seconds=5), lambda: happened.append(("then", aws.time.now())))

    aws.time.after(timedelta(seconds=20), lambda: happened.append(("last", aws.time.now())))
    aws.time.after(timedelta(seconds=10), first)
    aws.time.advance(timedelta(seconds=9))
    assert happened == []
    aws.time.advance(timedelta(minutes=1))
    assert [name for name, _ in happened] == ["first", "then", "last"]
    assert happened[1][1] - happened[0][1] == timedelta(seconds=5)
    assert happened[0][1] - start < timedelta(seconds=15)
