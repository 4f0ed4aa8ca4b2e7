"""What the mock's PostgreSQL leaves in a state directory: its data, and no password that anybody could read."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from lcplatform import LCPlatform
from lcplatform_mock.sql.postgres import server


def test_a_database_is_kept_and_its_password_is_in_no_file(tmp_path: Path) -> None:
    def opened() -> LCPlatform:
        return LCPlatform("mock", state=tmp_path / "state", data_store={"engine": "postgresql"})

    with opened() as platform:
        platform.data_store.execute("CREATE TABLE kept (n integer)")
        platform.data_store.execute("INSERT INTO kept VALUES ($1)", [7])
        name = platform.data_store.get_connection_info().password_secret
        assert name is not None
        password = platform.secrets.get_secret(name).value
    files = [it for it in (tmp_path / "state").rglob("*") if it.is_file()]
    assert len(files) > 100
    assert [it for it in files if str(password).encode() in it.read_bytes()] == []
    with opened() as platform:
        assert platform.data_store.query("SELECT n FROM kept").rows[0].values == (7,)


@pytest.mark.skipif(os.geteuid() != 0, reason="only an administrator starts it as somebody else")
def test_an_administrator_starts_it_from_a_folder_that_is_closed_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as an environment in their home."""
    package = server._programs().parents[1]
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for source in package.parent.glob(f"{package.name}*"):
        if source.is_dir():
            shutil.copytree(source, closed / source.name)
    programs = closed / package.name / "pginstall" / "bin"
    monkeypatch.setattr(server, "_programs", lambda: programs)
    with LCPlatform("mock", data_store={"engine": "postgresql"}) as platform:
        assert platform.data_store.query("SELECT 1").rows[0].values == (1,)
