"""What a crash leaves of jobs comes to an end, after whichever record the writing of it broke off (FR-009)."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta

from typing_extensions import override

from lcplatform.batch.models import JobStatus, JobTemplate
from lcplatform_mock.board import Board, Keeper, What
from lcplatform_mock.images import Simulated
from lcplatform_mock.jobs import Line, Record

START = datetime(2030, 1, 1, tzinfo=UTC)
OUTCOMES = {
    "works": Simulated(),
    "fails": Simulated(exit_code=1),
    "retries": Simulated(fail_attempts=1),
}


class Kept(Keeper):
    """Every record as it was put, in the order of time."""

    def __init__(self) -> None:
        self.jobs: list[Record] = []

    @override
    def put_job(self, record: Record, /) -> None:
        self.jobs.append(deepcopy(record))

    @override
    def put_line(self, job_id: str, number: int, line: Line, /) -> None: ...

    @override
    def forget(self, job_id: str, lines: int, /) -> None: ...


def job(name: str, image: str, *depends_on: str, size: int | None = None) -> Record:
    template = JobTemplate(image=image, array_size=size, max_attempts=2)
    waits_for = list(depends_on)
    return Record(name, name, template, START, depends_on=depends_on, waits_for=waits_for)


def run(board: Board) -> None:
    """Lets everything happen that falls due within a day."""
    end = START + timedelta(days=1)
    while (due := board.pop(end)) is not None:
        assert due.what is What.START
        record = board.jobs[due.key]
        board.start(due.key, due.attempt, OUTCOMES[record.template.image], due.moment)


def filled(keeper: Keeper | None) -> Board:
    board = Board(keeper=keeper)
    for record in (
        job("a", "retries", size=3),
        job("b", "works", "a"),
        job("c", "fails"),
        job("d", "works", "b", "c", size=2),
        job("e", "works", "d"),
    ):
        board.add(record)
    board.cancel(_added(board, job("f", "works", size=4)), "enough", START)
    return board


def _added(board: Board, record: Record) -> Record:
    board.add(record)
    return record


def statuses(board: Board) -> dict[str, str]:
    return {name: record.status.value for name, record in board.jobs.items()}


def test_jobs_come_to_their_end_wherever_their_writing_broke_off() -> None:
    kept = Kept()
    whole = filled(kept)
    run(whole)
    expected = statuses(whole)
    assert [expected[it] for it in "abcdef"] == [
        "succeeded",
        "succeeded",
        "failed",
        "failed",
        "failed",
        "cancelled",
    ]
    assert len(kept.jobs) > 40
    for cut in range(len(kept.jobs) + 1):
        board = Board()
        for record in _latest(kept.jobs[:cut]):
            board.take_up(deepcopy(record))
        board.go_on(START)
        run(board)
        ended = statuses(board)
        if "f" in ended and ended["f"] != "cancelled":  # nobody was told yet that it is
            ended = {it: status for it, status in ended.items() if not it.startswith("f")}
        assert ended == {it: expected[it] for it in ended}, f"cut off after {cut} records"
        assert not any(it.waits_for and it.succeeded for it in board.jobs.values())


def test_what_a_crash_cuts_off_of_an_array_is_made_up_for() -> None:
    board = Board()
    board.take_up(job("a", "works", size=50))
    board.go_on(START)
    run(board)
    assert len(board.copies["a"].job_ids) == 50
    assert board.jobs["a"].status is JobStatus.SUCCEEDED
    progress = board.copies["a"].progress()
    assert (progress.pending, progress.running, progress.succeeded) == (0, 0, 50)


def _latest(records: list[Record]) -> list[Record]:
    """Each job as it was put last, in the order in which they were put first."""
    found: dict[str, Record] = {}
    for record in records:
        found[record.job_id] = record
    return list(found.values())
