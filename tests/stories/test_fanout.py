"""The story of an event that reaches whoever wants to know."""

from __future__ import annotations

import pytest

from examples.stories.fanout import run, shop
from lcplatform.event_bus.models import TargetRetry


def test_the_story_comes_out_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main() == 0
    told = capsys.readouterr().out
    assert "One event reached a queue, a webhook and a function in " in told
    assert "after 2 attempts its copy is a dead letter" in told
    assert "delivered its orders again, to it alone" in told


def test_an_event_that_takes_too_long_spoils_the_story(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PROMISED", 0.0)
    with pytest.raises(AssertionError, match="it took"):
        run.main()


def test_a_letter_of_another_kind_spoils_the_story(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop, "ONCE_MORE", TargetRetry(max_retries=0))
    with pytest.raises(AssertionError):
        run.main()
