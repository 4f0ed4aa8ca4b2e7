"""What the mock's issuer remembers: in a directory across restarts and crashes, and in snapshots."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from lcplatform import LCPlatform
from lcplatform.authentication.models import DeviceFlowStatus
from lcplatform.errors import AuthenticationError, ServiceUnavailableError
from lcplatform_runtime.testing.clock import ManualClock
from tests.unit.mock.oidc import HERE, ask, begin, finish, log_in, parts_of

pytestmark = pytest.mark.usefixtures("ready_keys")


def opened(folder: Path, clock: ManualClock) -> LCPlatform:
    return LCPlatform("mock", clock=clock, state=folder)


def test_an_issuer_goes_on_after_a_restart(clock: ManualClock, tmp_path: Path) -> None:
    with opened(tmp_path, clock) as platform:
        authentication = platform.authentication
        own = authentication.client_credentials_token().tokens.access_token
        taken = authentication.client_credentials_token().tokens.access_token
        authentication.revoke_token(taken)
        login = log_in(authentication, "openid", "offline_access")
        ended = log_in(authentication, "openid", "offline_access")
        authentication.revoke_token(str(ended.refresh_token))
        flow = authentication.start_device_flow()
        waiting, code = begin(authentication)
        used, spent = begin(authentication, "openid", "offline_access")
        first = finish(authentication, used, spent)
    clock.advance(30)
    with opened(tmp_path, clock) as platform:
        authentication = platform.authentication
        assert authentication.get_login_url(redirect_uri=HERE).issuer == waiting.issuer
        assert authentication.verify_token(own).claims.subject == "lcplatform"
        assert authentication.introspect_token(own).active
        assert not authentication.introspect_token(taken).active
        assert finish(authentication, waiting, code).id_token
        again = authentication.refresh_token(str(login.refresh_token)).tokens
        assert again.claims is not None
        assert again.claims.subject == "ada"
        for refused in (
            str(login.refresh_token),
            str(again.refresh_token),
            str(ended.refresh_token),
        ):
            with pytest.raises(AuthenticationError):
                authentication.refresh_token(refused)
        with pytest.raises(AuthenticationError):
            finish(authentication, used, spent)
        assert not authentication.introspect_token(first.access_token).active
        assert flow.complete_verification_url is not None
        ask(flow.complete_verification_url)
    with opened(tmp_path, clock) as platform:
        found = platform.authentication.poll_device_flow(flow.device_code)
        assert found.status is DeviceFlowStatus.COMPLETED
        with pytest.raises(AuthenticationError):
            platform.authentication.poll_device_flow(flow.device_code)


def test_keys_stay_the_same_after_a_restart_until_their_time_has_come(
    clock: ManualClock, tmp_path: Path
) -> None:
    kids = []
    for days in (0, 45, 46):
        clock.advance(timedelta(days=days))
        with opened(tmp_path, clock) as platform:
            token = platform.authentication.client_credentials_token().tokens.access_token
            kids.append(parts_of(token)[0]["kid"])
    assert kids[0] == kids[1] != kids[2]


def test_an_algorithm_can_be_changed_and_old_tokens_stay_good(
    clock: ManualClock, tmp_path: Path
) -> None:
    with opened(tmp_path, clock) as platform:
        old = platform.authentication.client_credentials_token().tokens.access_token
    settings = {"algorithm": "ES256"}
    with LCPlatform("mock", clock=clock, state=tmp_path, authentication=settings) as platform:
        new = platform.authentication.client_credentials_token().tokens.access_token
        assert [parts_of(it)[0]["alg"] for it in (old, new)] == ["RS256", "ES256"]
        for token in (old, new):
            assert platform.authentication.verify_token(token).claims.subject == "lcplatform"


def test_an_issuer_whose_port_is_taken_does_not_become_another(
    clock: ManualClock, tmp_path: Path
) -> None:
    with opened(tmp_path / "a", clock) as platform:
        issuer = platform.authentication.get_login_url(redirect_uri=HERE).issuer
    settings = {"listen": issuer.removeprefix("http://")}
    with LCPlatform("mock", authentication=settings) as other:
        other.authentication.client_credentials_token()
        with opened(tmp_path / "a", clock) as platform, pytest.raises(ServiceUnavailableError):
            platform.authentication.client_credentials_token()


def test_nothing_secret_lies_in_the_directory_in_clear(clock: ManualClock, tmp_path: Path) -> None:
    with opened(tmp_path, clock) as platform:
        tokens = log_in(platform.authentication, "openid", "offline_access")
        _, code = begin(platform.authentication)
    kept = b"".join(it.read_bytes() for it in tmp_path.iterdir())
    assert b"authentication.keys" in kept
    seal = str(tokens.refresh_token).rpartition(".")[2]
    for hidden in (tokens.access_token, seal, code, "PRIVATE", '"kty"', '"subject"'):
        assert hidden.encode() not in kept, hidden


def test_what_was_answered_outlives_a_process_that_is_killed(tmp_path: Path) -> None:
    script = """
import json, os, signal, sys
from lcplatform import LCPlatform
from tests.unit.mock.oidc import log_in

platform = LCPlatform("mock", state=sys.argv[1])
first = log_in(platform.authentication, "openid", "offline_access")
second = platform.authentication.refresh_token(first.refresh_token).tokens
platform.authentication.revoke_token(second.access_token)
print(json.dumps([first.refresh_token, second.refresh_token, second.access_token]), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        check=False,
        capture_output=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(["", *sys.path])},
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    first, second, token = json.loads(killed.stdout)
    with LCPlatform("mock", state=tmp_path) as platform:
        authentication = platform.authentication
        assert not authentication.introspect_token(token).active
        assert authentication.introspect_token(second).active
        with pytest.raises(AuthenticationError):
            authentication.refresh_token(first)
        with pytest.raises(AuthenticationError):
            authentication.refresh_token(second)


def test_a_snapshot_brings_back_who_was_logged_in(platform: LCPlatform, clock: ManualClock) -> None:
    authentication = platform.authentication
    tokens = log_in(authentication, "openid", "offline_access")
    authentication.verify_token(tokens.access_token)
    snapshot = platform.control.take_snapshot().snapshot_id
    authentication.revoke_token(str(tokens.refresh_token))
    authentication.revoke_token(tokens.access_token)
    clock.advance(timedelta(days=200))
    authentication.client_credentials_token()  # with other keys than before
    assert not authentication.introspect_token(tokens.access_token).active
    platform.control.restore_snapshot(snapshot)
    clock.advance(1)
    fresh = authentication.client_credentials_token().tokens.access_token
    assert authentication.verify_token(fresh).claims.subject == "lcplatform"
    platform.control.restore_snapshot(snapshot)
    assert authentication.get_login_url(redirect_uri=HERE).issuer


def test_a_snapshot_of_an_issuer_that_was_not_open_yet_can_be_restored(
    platform: LCPlatform,
) -> None:
    snapshot = platform.control.take_snapshot().snapshot_id
    tokens = log_in(platform.authentication, "openid", "offline_access")
    platform.control.restore_snapshot(snapshot)
    with pytest.raises(AuthenticationError):
        platform.authentication.refresh_token(str(tokens.refresh_token))
    again = log_in(platform.authentication, "openid", "offline_access")
    assert platform.authentication.refresh_token(str(again.refresh_token)).tokens.refresh_token


def test_what_was_taken_back_before_a_snapshot_was_restored_is_good_again(
    platform: LCPlatform,
) -> None:
    authentication = platform.authentication
    token = authentication.client_credentials_token().tokens.access_token
    snapshot = platform.control.take_snapshot().snapshot_id
    authentication.revoke_token(token)
    with pytest.raises(AuthenticationError):
        authentication.verify_token(token)
    platform.control.restore_snapshot(snapshot)
    assert authentication.verify_token(token).claims.subject == "lcplatform"
    assert authentication.introspect_token(token).active


def test_what_is_over_is_forgotten(clock: ManualClock, tmp_path: Path) -> None:
    with opened(tmp_path, clock) as platform:
        for _ in range(3):
            log_in(platform.authentication, "openid", "offline_access")
            platform.authentication.start_device_flow()
        clock.advance(timedelta(days=31))
        platform.control.advance_clock(timedelta())
    from lcplatform_mock.journal import Journal

    journal = Journal(tmp_path)
    try:
        for kind in ("logins", "codes", "devices"):
            assert journal.rows(f"authentication.{kind}") == []
        assert journal.rows("authentication.keys")
    finally:
        journal.close()
