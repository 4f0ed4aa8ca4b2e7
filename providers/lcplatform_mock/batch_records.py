"""Jobs, what they wrote, and schedules as they are written to the journal, and how they are taken up again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from typing_extensions import override

from lcplatform_mock.board import Board, Keeper
from lcplatform_mock.jobs import Line, Record
from lcplatform_mock.schedules import Schedule

if TYPE_CHECKING:
    from datetime import datetime

    from lcplatform_mock.journal import Journal


class BatchTables(Keeper):
    """The tables of Batch."""

    def __init__(self, journal: Journal) -> None:
        self._jobs = journal.table("batch.job", Record)
        self._lines = journal.table("batch.line", Line)
        self._schedules = journal.table("batch.schedule", Schedule)

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self  # a snapshot goes back to the same tables

    @override
    def put_job(self, record: Record, /) -> None:
        self._jobs.put(record.job_id, record)

    @override
    def put_line(self, job_id: str, number: int, line: Line, /) -> None:
        self._lines.put(f"{job_id}/{number}", line)

    @override
    def forget(self, job_id: str, lines: int, /) -> None:
        self._jobs.remove(job_id)
        for number in range(lines):
            self._lines.remove(f"{job_id}/{number}")

    def put_schedule(self, schedule: Schedule) -> None:
        """Keeps a schedule as it is now."""
        self._schedules.put(schedule.name, schedule)

    def remove_schedule(self, name: str) -> None:
        """Keeps a schedule no longer."""
        self._schedules.remove(name)

    def load(self, now: datetime) -> Board:
        """Everything that was kept. What ran in this process is lost, and what fell due meanwhile is due."""
        board = Board()
        for _, record in self._jobs.load():
            board.take_up(record)
        for key, line in self._lines.load():
            board.lines.setdefault(key.rpartition("/")[0], []).append(line)
        board.schedules = dict(self._schedules.load())
        board.keeper = self
        board.go_on(now)
        return board

    def keep(self, board: Board) -> None:
        """Keeps everything, in place of all that was kept."""
        for table in (self._jobs, self._lines, self._schedules):
            table.clear()
        for record in board.jobs.values():
            self.put_job(record)
        for job_id, lines in board.lines.items():
            for number, line in enumerate(lines):
                self.put_line(job_id, number, line)
        for schedule in board.schedules.values():
            self.put_schedule(schedule)
