"""What the operations of an App Runner service say of the application, and what is remembered of them in its tags."""

from __future__ import annotations

from dataclasses import replace

import pytest
from botocore.model import StringShape
from hypothesis import given, settings
from hypothesis import strategies as st

from lcplatform.web_hosting.models import ApplicationStatus, Binding, DeploymentStatus
from lcplatform_aws.web_hosting_app_runner_course import AppRunnerCourse
from lcplatform_aws.web_hosting_app_runner_history import History, Record
from lcplatform_runtime.application_settings import Settings


def _course(service: str, *operations: str) -> AppRunnerCourse:
    """A service in this status after these operations, the newest first: each its type, its status and how old it is."""
    told = []
    for number, it in zip(range(len(operations), 0, -1), operations, strict=True):
        kind, _, status = it.partition(" ")
        told.append({"Id": f"o{number}", "Type": kind, "Status": status})
    names = {"ServiceName": "shop", "ServiceId": "ab"}
    return AppRunnerCourse({"Status": service, **names}, told, History())


CREATED = "CREATE_SERVICE SUCCEEDED"


@pytest.mark.parametrize(
    ("service", "operations", "status", "in_place", "last"),
    [
        # The list may lag behind.
        ("OPERATION_IN_PROGRESS", [], "creating", None, None),
        ("OPERATION_IN_PROGRESS", [CREATED], "creating", "o1", "succeeded"),
        ("OPERATION_IN_PROGRESS", ["CREATE_SERVICE PENDING"], "creating", None, "pending"),
        ("OPERATION_IN_PROGRESS", ["CREATE_SERVICE IN_PROGRESS"], "creating", None, "running"),
        ("OPERATION_IN_PROGRESS", ["UPDATE_SERVICE PENDING", CREATED], "updating", "o1", "pending"),
        (
            "OPERATION_IN_PROGRESS",
            ["PAUSE_SERVICE PENDING", CREATED],
            "updating",
            "o1",
            "succeeded",
        ),
        (
            "OPERATION_IN_PROGRESS",
            ["RESUME_SERVICE PENDING", CREATED],
            "updating",
            "o1",
            "succeeded",
        ),
        (
            "OPERATION_IN_PROGRESS",
            ["DELETE_SERVICE PENDING", CREATED],
            "deleting",
            "o1",
            "succeeded",
        ),
        (
            "OPERATION_IN_PROGRESS",
            ["UPDATE_SERVICE ROLLBACK_IN_PROGRESS", CREATED],
            "updating",
            "o1",
            "rolling_back",
        ),
        ("RUNNING", [CREATED], "running", "o1", "succeeded"),
        ("RUNNING", ["START_DEPLOYMENT SUCCEEDED", CREATED], "running", "o2", "succeeded"),
        ("RUNNING", ["START_DEPLOYMENT FAILED", CREATED], "running", "o1", "rolled_back"),
        ("RUNNING", ["UPDATE_SERVICE ROLLBACK_SUCCEEDED", CREATED], "running", "o1", "rolled_back"),
        ("RUNNING", ["UPDATE_SERVICE ROLLBACK_FAILED", CREATED], "failed", "o1", "failed"),
        ("PAUSED", ["PAUSE_SERVICE SUCCEEDED", CREATED], "stopped", "o1", "succeeded"),
        ("CREATE_FAILED", ["CREATE_SERVICE FAILED"], "failed", None, "failed"),
        ("CREATE_FAILED", ["CREATE_SERVICE ROLLBACK_SUCCEEDED"], "failed", None, "failed"),
        ("DELETE_FAILED", ["DELETE_SERVICE FAILED", CREATED], "deleting", "o1", "succeeded"),
    ],
)
def test_operations_tell_where_an_application_stands(
    service: str, operations: list[str], status: str, in_place: str | None, last: str | None
) -> None:
    course = _course(service, *operations)
    assert (course.status, course.in_place) == (status, in_place)
    statuses = [course.status_of(it) for it in course.deployments]
    assert (statuses[0] if statuses else None) == last


def test_every_status_and_type_of_the_model_is_known() -> None:
    import botocore.session

    model = botocore.session.get_session().get_service_model("apprunner")

    def values(shape: str) -> list[str]:
        found = model.shape_for(shape)
        assert isinstance(found, StringShape)
        return list(found.enum)

    for service in values("ServiceStatus"):
        assert _course(service, CREATED).status in ApplicationStatus
    for kind in values("OperationType"):
        for status in values("OperationStatus"):
            course = _course("RUNNING", f"{kind} {status}", CREATED)
            assert [course.status_of(it) in DeploymentStatus for it in course.deployments]


# --- what is remembered


_NAMES = st.text("abcdef", min_size=1, max_size=6)
_SETTINGS = st.builds(
    Settings,
    image=_NAMES,
    port=st.integers(1, 65535),
    environment=st.dictionaries(_NAMES, st.text(max_size=400), max_size=30),
    secrets=st.dictionaries(_NAMES, _NAMES, max_size=3),
    cpu=st.sampled_from([0.25, 1.0]),
    memory=st.just(2048),
    min_instances=st.just(1),
    max_instances=st.integers(1, 25),
    health_check_path=st.just("/"),
    identity=st.none() | _NAMES,
    bindings=st.lists(st.builds(Binding, service=st.just("queue"), name=_NAMES)).map(tuple),
)
_RECORDS = st.builds(
    Record,
    image=_NAMES,
    rollback_of=st.none() | _NAMES,
    scaling=st.booleans(),
    settings=st.none() | _SETTINGS,
)


@settings(max_examples=20, deadline=None)
@given(
    records=st.dictionaries(_NAMES, _RECORDS, max_size=30),
    after=_NAMES,
    coming=st.none() | st.builds(Record, image=_NAMES, scaling=st.booleans()),
)
def test_as_much_is_remembered_as_there_is_room_for(
    records: dict[str, Record], after: str, coming: Record | None
) -> None:
    history = History(records, after if coming else "", coming)
    tags = history.tags()
    assert len(tags) <= 40
    assert all(len(it.get("Value", "")) <= 256 for it in tags)
    again = History.read(reversed(tags))
    assert (again.after, again.coming) == (history.after, coming)
    # What is forgotten are the oldest, and before that their settings.
    names = list(records)
    assert list(again.records) == names[len(names) - len(again.records) :]
    for name, it in again.records.items():
        assert it in (records[name], replace(records[name], settings=None))
    assert again.tags() == tags


@pytest.mark.parametrize("image", ["x", "xy", "xyz", "xyzw"])
def test_a_shorter_history_is_not_confused_by_what_is_left_of_a_longer_one(image: str) -> None:
    long = History({"a": Record(image=f"{pow(3, 1500):x}")})
    short = History({"a": Record(image=image)})
    left = long.tags()
    now = [*short.tags(), *left[len(short.tags()) :]]
    assert len(now) == len(left) > len(short.tags())
    assert History.read(now) == short
