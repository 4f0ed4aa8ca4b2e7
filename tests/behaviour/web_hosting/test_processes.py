"""Applications in real processes on real ports: they start, fail, crash, are replaced and end, and nobody who asks notices."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from lcplatform import LCPlatform
from lcplatform.errors import PreconditionFailedError, ResourceNotFoundError, ValidationError
from lcplatform.web_hosting import Application, ApplicationStatus, DeploymentStatus
from tests.behaviour.web_hosting.hosting import (
    HERE,
    SITE,
    SOON,
    body,
    deploy,
    eventually,
    get,
    lives,
    options,
    pids,
    told,
)


def test_an_application_is_a_process_with_its_environment_and_no_other(
    platform: LCPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LCPLATFORM_PROVIDER", "aws")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-one-who-deploys")
    platform.secrets.create_secret("database", {"user": "shop", "password": "hush"})
    made = deploy(platform, environment={"VERSION": "1"}, secrets={"DATABASE": "database"})
    assert body(made.url) == "1"
    assert '"password"' in body(made.url, "/environment/DATABASE")
    assert int(body(made.url, "/pid")) != os.getpid()
    names = body(made.url, "/names").split()
    assert {"DATABASE", "PORT", "VERSION"} <= set(names)
    assert not {"LCPLATFORM_PROVIDER", "AWS_SECRET_ACCESS_KEY"} & set(names)


def test_the_value_of_a_secret_is_told_nowhere(platform: LCPlatform) -> None:
    platform.secrets.create_secret("database", "hush-hush")
    made = deploy(platform, secrets={"DATABASE": "database"})
    hosting = platform.web_hosting
    seen = [
        made,
        *hosting.iter_applications(),
        *hosting.iter_deployments(made.application_id),
        *hosting.get_logs(made.application_id),
        platform.control.take_snapshot(),
    ]
    assert "hush-hush" not in repr(seen)


def test_a_secret_that_no_variable_can_hold_fails_the_deployment(platform: LCPlatform) -> None:
    platform.secrets.create_secret("picture", b"\x89PNG")
    with pytest.raises(PreconditionFailedError, match="picture"):
        deploy(platform, secrets={"PICTURE": "picture"})


def test_bodies_pass_through_both_ways(platform: LCPlatform) -> None:
    made = deploy(platform)
    assert made.url is not None
    connection = HTTPConnection(urlsplit(made.url).netloc, timeout=20)
    connection.request("POST", "/", body=b"x" * 3_000_000)
    assert connection.getresponse().read() == b"3000000"
    connection.close()


def test_a_process_that_ends_before_it_is_healthy_fails_the_deployment(
    platform: LCPlatform,
) -> None:
    with pytest.raises(PreconditionFailedError, match="exited with code 7"):
        deploy(platform, environment={"EXIT": "7"})
    (made,) = platform.web_hosting.iter_applications()
    assert made.status is ApplicationStatus.FAILED
    (deployment,) = platform.web_hosting.iter_deployments(made.application_id)
    assert deployment.status is DeploymentStatus.FAILED
    assert "exited with code 7" in (deployment.status_reason or "")
    logs = [
        entry.message
        for answer in platform.web_hosting.get_logs(made.application_id)
        for entry in answer.entries
    ]
    assert "leaving" in logs
    assert get(made.url)[0] == 503


def test_a_process_that_never_gets_healthy_fails_the_deployment_and_is_ended() -> None:
    with LCPlatform("mock", **options(start_timeout=1)) as platform:
        with pytest.raises(PreconditionFailedError, match="/health answers 503"):
            deploy(platform, environment={"SICK": "yes"}, health_check_path="/health")
        made = next(iter(platform.web_hosting.iter_applications()))
        assert get(made.url)[0] == 503


def test_what_cannot_be_started_fails_the_deployment() -> None:
    images = {"ghost": ["/nowhere/at-all"]}
    with (
        LCPlatform("mock", **options(images=images)) as platform,
        pytest.raises(PreconditionFailedError, match="No such file"),
    ):
        deploy(platform, image="ghost")


def logs(platform: LCPlatform, made: Application) -> str:
    answers = platform.web_hosting.get_logs(made.application_id)
    return "\n".join(entry.message for answer in answers for entry in answer.entries)


def test_a_crashed_process_is_started_again_and_those_who_ask_meanwhile_are_answered(
    platform: LCPlatform,
) -> None:
    made = deploy(platform)
    before = int(body(made.url, "/pid"))
    assert get(made.url, "/crash")[0] == 502
    eventually(lambda: not lives(before))
    assert int(body(made.url, "/pid")) != before
    eventually(lambda: told(platform, made).status_reason is None)
    assert told(platform, made).status == "running"
    assert "exited with code 3; restart 1 of 5" in logs(platform, made)


def test_an_application_that_crashes_too_often_has_failed_for_good() -> None:
    with LCPlatform("mock", **options(max_restarts=1)) as platform:
        made = deploy(platform, min_instances=2)
        for pid in pids(made.url, 2):
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: told(platform, made).status == "failed")
        failed = told(platform, made)
        assert "was ended by signal 9, after 1 restarts" in (failed.status_reason or "")
        assert get(made.url)[0] == 503
        platform.web_hosting.update_application(made.application_id, environment={"VERSION": "2"})
        platform.web_hosting.wait_until_running(made.application_id, timeout=SOON)
        assert body(made.url) == "2"


def test_a_change_of_scale_while_a_process_is_started_again_leaves_no_process_too_many(
    platform: LCPlatform,
) -> None:
    made = deploy(platform, min_instances=2, max_instances=3)
    os.kill(pids(made.url, 2).pop(), signal.SIGKILL)
    eventually(lambda: "restart 1" in logs(platform, made))
    platform.web_hosting.scale_application(made.application_id, min_instances=3)
    platform.web_hosting.wait_until_running(made.application_id, timeout=SOON)
    eventually(lambda: told(platform, made).status_reason is None)
    assert len(pids(made.url, 3) | {int(body(made.url, "/pid")) for _ in range(12)}) == 3


def test_an_instance_that_is_no_longer_healthy_is_replaced() -> None:
    with LCPlatform("mock", **options(health_interval=0.1, grace=0.5)) as platform:
        made = deploy(platform)
        pid = int(body(made.url, "/pid"))
        os.kill(pid, signal.SIGSTOP)
        eventually(lambda: not lives(pid), 60)
        assert int(body(made.url, "/pid")) != pid


def hammer(url: str | None, stop: threading.Event, seen: list[Any]) -> None:
    while not stop.is_set():
        try:
            seen.append(get(url))
        except OSError as error:
            seen.append(error)


def while_asked(url: str | None, change: Callable[[], object]) -> list[Any]:
    """What several clients were answered while something changed."""
    stop, seen = threading.Event(), list[Any]()
    clients = [threading.Thread(target=hammer, args=(url, stop, seen)) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        change()
        enough = len(seen) + 20
        eventually(lambda: len(seen) > enough)
    finally:
        stop.set()
        for client in clients:
            client.join()
    return seen


def test_an_update_loses_no_request(platform: LCPlatform) -> None:
    made = deploy(platform, environment={"VERSION": "1"}, min_instances=2)
    old = pids(made.url, 2)

    def update() -> None:
        for version in ("2", "3"):
            platform.web_hosting.update_application(
                made.application_id, environment={"VERSION": version}
            )
            platform.web_hosting.wait_until_running(made.application_id, timeout=SOON)

    seen = while_asked(made.url, update)
    assert {status for status, _ in seen} == {200}
    assert [text for _, text in seen][-1] == "3"
    eventually(lambda: not any(map(lives, old)))


def test_scaling_loses_no_request_and_is_real(platform: LCPlatform) -> None:
    made = deploy(platform)

    def scale() -> None:
        for count in (3, 1):
            platform.web_hosting.scale_application(
                made.application_id, min_instances=count, max_instances=3
            )
            platform.web_hosting.wait_until_running(made.application_id, timeout=SOON)
            assert len(pids(made.url, count)) == count

    assert {status for status, _ in while_asked(made.url, scale)} == {200}


def test_a_request_under_way_is_answered_before_its_instance_ends(platform: LCPlatform) -> None:
    made = deploy(platform, environment={"VERSION": "1"})
    seen: list[Any] = []
    client = threading.Thread(target=lambda: seen.append(get(made.url, "/slow")))
    client.start()
    platform.web_hosting.update_application(made.application_id, environment={"VERSION": "2"})
    platform.web_hosting.wait_until_running(made.application_id, timeout=SOON)
    client.join()
    assert seen in ([(200, "1")], [(200, "2")])


def test_a_failed_update_leaves_the_old_processes_and_loses_no_request(
    platform: LCPlatform,
) -> None:
    made = deploy(platform, environment={"VERSION": "1"})
    pid = body(made.url, "/pid")

    def update() -> None:
        platform.web_hosting.update_application(made.application_id, environment={"EXIT": "9"})
        platform.web_hosting.wait_until_running(made.application_id, timeout=SOON)

    assert set(while_asked(made.url, update)) == {(200, "1")}
    assert body(made.url, "/pid") == pid
    bad, good = platform.web_hosting.iter_deployments(made.application_id)
    assert bad.status is DeploymentStatus.ROLLED_BACK
    assert "exited with code 9" in (bad.status_reason or "")
    now = told(platform, made)
    assert now.revision == good.revision
    assert bad.revision in (now.status_reason or "")


def test_a_rollback_runs_what_ran_before(platform: LCPlatform) -> None:
    made = deploy(platform, environment={"VERSION": "1"})
    hosting = platform.web_hosting
    hosting.update_application(made.application_id, environment={"VERSION": "2"})
    hosting.wait_until_running(made.application_id, timeout=SOON)
    assert body(made.url) == "2"
    hosting.rollback_application(made.application_id)
    hosting.wait_until_running(made.application_id, timeout=SOON)
    assert body(made.url) == "1"


def test_a_paused_application_has_no_process(platform: LCPlatform) -> None:
    made = deploy(platform)
    pid = int(body(made.url, "/pid"))
    hosting = platform.web_hosting
    hosting.pause_application(made.application_id)
    eventually(lambda: told(platform, made).status == "stopped")
    assert not lives(pid)
    assert get(made.url)[0] == 503
    hosting.resume_application(made.application_id)
    hosting.wait_until_running(made.application_id, timeout=SOON)
    assert int(body(made.url, "/pid")) != pid


@pytest.mark.parametrize("environment", [{}, {"STUBBORN": "yes"}])
def test_a_deleted_application_leaves_no_process_not_even_what_it_started(
    platform: LCPlatform, environment: dict[str, str]
) -> None:
    made = deploy(platform, environment=environment)
    pid, child = int(body(made.url, "/pid")), int(body(made.url, "/child"))
    assert lives(pid)
    assert lives(child)
    platform.web_hosting.delete_application(made.application_id)
    eventually(lambda: not platform.web_hosting.exists(made.application_id))
    assert not lives(pid)
    eventually(lambda: not lives(child))
    with pytest.raises(ConnectionRefusedError):
        get(made.url)
    with pytest.raises(ResourceNotFoundError):
        list(platform.web_hosting.get_logs(made.application_id))


def test_closing_the_platform_ends_every_process() -> None:
    with LCPlatform("mock", **options()) as platform:
        first = deploy(platform, "first", min_instances=2)
        second = deploy(platform, "second", environment={"STUBBORN": "yes"})
        all_ = pids(first.url, 2) | pids(second.url, 1)
    assert not any(map(lives, all_))


def test_closing_the_platform_ends_what_is_just_starting() -> None:
    with LCPlatform("mock", **options(start_timeout=60)) as platform:
        made = platform.web_hosting.deploy_application(
            "shop", image="site", environment={"SICK": "yes"}, health_check_path="/health"
        ).application
        logs = platform.web_hosting.get_logs(made.application_id, follow=True)
        assert any(e.message == "listening" for answer in logs for e in answer.entries)


def test_logs_are_bounded_followed_and_cut_into_lines() -> None:
    with LCPlatform("mock", **options(log_lines=50)) as platform:
        made = deploy(platform, environment={"LINES": "1000"})
        hosting = platform.web_hosting
        entries = [
            entry
            for answer in hosting.get_logs(made.application_id, revision=made.revision)
            for entry in answer.entries
        ]
        assert len(entries) == 50
        assert all(entry.instance for entry in entries)
        assert [entry.time for entry in entries] == sorted(entry.time for entry in entries)
        followed = hosting.get_logs(
            made.application_id, follow=True, since=platform.control.advance_clock(0 * SOON).now
        )
        body(made.url, "/environment/FOLLOW")
        lines = (entry.message for answer in followed for entry in answer.entries)
        assert next(line for line in lines if "FOLLOW" in line)
        hosting.delete_application(made.application_id)
        list(lines)  # comes to its end with the application


def test_nothing_that_a_caller_sends_is_executed(platform: LCPlatform) -> None:
    made = deploy(platform, "trap", image="/bin/sleep 600")
    assert "not registered" in body(made.url)


@pytest.mark.parametrize("name", ["PATH", "LD_PRELOAD", "PYTHONPATH", "BASH_ENV", "NODE_OPTIONS"])
def test_no_variable_of_a_caller_decides_what_an_image_runs(
    platform: LCPlatform, name: str
) -> None:
    hosting = platform.web_hosting
    platform.secrets.create_secret("harmless", "/nowhere")
    with pytest.raises(ValidationError, match=rf"environment\.{name}"):
        hosting.deploy_application("trap", image="site", environment={name: "/nowhere"})
    with pytest.raises(ValidationError, match=rf"secrets\.{name}"):
        hosting.deploy_application("trap", image="site", secrets={name: "harmless"})
    made = deploy(platform)
    with pytest.raises(ValidationError, match=rf"environment\.{name}"):
        hosting.update_application(made.application_id, environment={name: "/nowhere"})
    assert told(platform, made).etag == made.etag


def test_a_command_has_a_folder_and_variables_and_says_which_it_takes(tmp_path: Path) -> None:
    (tmp_path / "site.py").write_text((HERE / "site.py").read_text())
    command = {
        "argv": [sys.executable, "site.py"],
        "folder": tmp_path,
        "environment": {"VERSION": "1"},
        "variables": ["LINES"],
    }
    with LCPlatform("mock", **options(images={"site": command})) as platform:
        made = deploy(platform, environment={"LINES": "1"})
        assert body(made.url) == "1"
        with pytest.raises(ValidationError, match=r"environment\.VERSION"):
            deploy(platform, "other", environment={"VERSION": "2"})


def test_a_variable_that_is_no_longer_taken_fails_what_was_deployed_with_it(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with LCPlatform("mock", state=state, **options()) as platform:
        made = deploy(platform, environment={"VERSION": "1"})
    strict = {"site": {"argv": SITE, "variables": []}}
    with LCPlatform("mock", state=state, **options(images=strict)) as platform:
        eventually(lambda: told(platform, made).status == "failed")
        assert "takes no variable VERSION" in (told(platform, made).status_reason or "")
