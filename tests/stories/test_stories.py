"""What plays the stories: every one, and it tells which went wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples.stories.__main__ import main, stories


def story(folder: Path, name: str, program: str) -> None:
    (folder / name).mkdir()
    (folder / name / "run.py").write_text(program)


def test_every_story_is_played_although_one_before_it_fails(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    story(tmp_path, "bad", "raise SystemExit(3)")
    story(tmp_path, "good", "print('once upon a time')")
    (tmp_path / "notes").mkdir()
    assert main([], tmp_path) == 1
    told = capfd.readouterr().out
    assert "--- bad: FAILED with status 3" in told
    assert "once upon a time" in told
    assert "--- good: well" in told
    assert "notes" not in told


def test_a_story_that_is_named_is_played_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    story(tmp_path, "bad", "raise SystemExit(3)")
    story(tmp_path, "good", "")
    assert main(["good"], tmp_path) == 0
    assert "bad" not in capfd.readouterr().out


def test_a_story_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    story(tmp_path, "good", "")
    with pytest.raises(SystemExit, match=r"no story fable\. There are: good\."):
        stories(tmp_path, ["fable"])


def test_stories_see_no_settings_but_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LCPLATFORM_PROVIDER", "aws")
    story(tmp_path, "good", "import os; assert 'LCPLATFORM_PROVIDER' not in os.environ")
    assert main([], tmp_path) == 0
