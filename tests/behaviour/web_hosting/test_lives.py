"""What becomes of applications when their platform ends, in good order or not, and when its state is opened again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from lcplatform import LCPlatform
from lcplatform.web_hosting import ApplicationStatus
from tests.behaviour.web_hosting.hosting import (
    SITE,
    SOON,
    body,
    deploy,
    eventually,
    get,
    lives,
    options,
    told,
)

_OWNER = """
import sys, time
from lcplatform import LCPlatform
from tests.behaviour.web_hosting.hosting import body, deploy, options

platform = LCPlatform("mock", **options(), **({"state": sys.argv[1]} if len(sys.argv) > 1 else {}))
made = deploy(platform, environment={"VERSION": "1"})
print(made.application_id, body(made.url, "/pid"), body(made.url, "/child"), flush=True)
time.sleep(600)
"""


def owner(*words: str) -> tuple[subprocess.Popen[str], str, int, int]:
    """A process that deployed the site: its application, the site's process, and one that the site started."""
    process = subprocess.Popen(
        [sys.executable, "-c", _OWNER, *words],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    application, pid, child = process.stdout.readline().split()
    return process, application, int(pid), int(child)


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_platform_that_is_killed_leaves_no_process() -> None:
    process, _, pid, child = owner()
    assert lives(pid)
    kill(process)
    eventually(lambda: not lives(pid) and not lives(child))


def test_what_ran_runs_again_under_its_url_after_its_platform_was_killed(tmp_path: Path) -> None:
    process, application, pid, _ = owner(str(tmp_path))
    kill(process)
    eventually(lambda: not lives(pid))
    with LCPlatform("mock", **options(), state=tmp_path) as platform:
        made = platform.web_hosting.get_application(application).application
        assert made.status is ApplicationStatus.RUNNING
        assert body(made.url) == "1"
        assert int(body(made.url, "/pid")) != pid


def test_the_next_life_goes_on_with_all_that_was_there(tmp_path: Path) -> None:
    with LCPlatform("mock", **options(), state=tmp_path) as platform:
        running = deploy(platform, "running", environment={"VERSION": "1"})
        hosting = platform.web_hosting
        hosting.update_application(running.application_id, environment={"VERSION": "2"})
        hosting.wait_until_running(running.application_id, timeout=SOON)
        paused = deploy(platform, "paused")
        hosting.pause_application(paused.application_id)
        eventually(lambda: told(platform, paused).status == "stopped")
        simulated = deploy(platform, "simulated", image="registry.example/shop:1")
        before = [*hosting.iter_applications(), *hosting.iter_deployments(running.application_id)]
        lines = [e for a in hosting.get_logs(running.application_id) for e in a.entries]
    with LCPlatform("mock", **options(), state=tmp_path) as platform:
        hosting = platform.web_hosting
        after = [*hosting.iter_applications(), *hosting.iter_deployments(running.application_id)]
        assert after == before
        assert body(running.url) == "2"
        assert get(paused.url)[0] == 503
        assert "not registered" in body(simulated.url)
        assert [e for a in hosting.get_logs(running.application_id) for e in a.entries][
            : len(lines)
        ] == lines
        hosting.resume_application(paused.application_id)
        hosting.wait_until_running(paused.application_id, timeout=SOON)
        assert body(paused.url) == "none"
        hosting.rollback_application(running.application_id)
        hosting.wait_until_running(running.application_id, timeout=SOON)
        assert body(running.url) == "1"
        hosting.delete_application(running.application_id)
        eventually(lambda: not hosting.exists(running.application_id))
    with LCPlatform("mock", **options(), state=tmp_path) as platform:
        names = [one.name for one in platform.web_hosting.iter_applications()]
        assert names == ["paused", "simulated"]


def test_a_deployment_that_was_under_way_goes_on_in_the_next_life(tmp_path: Path) -> None:
    slow = {"site": [sys.executable, "-c", "import time; time.sleep(600)"]}
    with LCPlatform("mock", **options(images=slow), state=tmp_path) as platform:
        made = platform.web_hosting.deploy_application("shop", image="site").application
    with LCPlatform("mock", **options(images={"site": SITE}), state=tmp_path) as platform:
        platform.web_hosting.wait_until_running(made.application_id, timeout=SOON)
        assert body(made.url) == "none"


def test_values_are_encrypted_where_they_are_kept(tmp_path: Path) -> None:
    with LCPlatform("mock", **options(), state=tmp_path) as platform:
        platform.secrets.create_secret("database", "hush-hush")
        deploy(platform, environment={"VERSION": "plainly-said"}, secrets={"DB": "database"})
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"hush-hush" not in kept
    assert b"plainly-said" not in kept


def test_going_back_to_a_snapshot_brings_processes_back_and_ends_others() -> None:
    with LCPlatform("mock", **options()) as platform:
        hosting = platform.web_hosting
        first = deploy(platform, "first", environment={"VERSION": "1"})
        snapshot = platform.control.take_snapshot().snapshot_id
        hosting.update_application(first.application_id, environment={"VERSION": "2"})
        hosting.wait_until_running(first.application_id, timeout=SOON)
        second = deploy(platform, "second")
        pid = int(body(second.url, "/pid"))
        hosting.delete_application(first.application_id)
        eventually(lambda: not hosting.exists(first.application_id))
        platform.control.restore_snapshot(snapshot)
        back = told(platform, first)
        assert back.status is ApplicationStatus.RUNNING
        eventually(lambda: body(told(platform, first).url) == "1")
        assert not hosting.exists(second.application_id)
        eventually(lambda: not lives(pid))
