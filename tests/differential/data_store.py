"""The data store on SQLite against PostgreSQL itself: the same statements, and the same columns, values and errors.

A statement that SQLite's translation refuses is a difference that is known, and is not run on PostgreSQL, so that both
databases go on with the same content. Whatever both answer must be the same, down to the types and the SQLSTATE.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from decimal import Decimal
from typing import Final

from typing_extensions import override

from lcplatform import LCPlatform
from lcplatform.data_store.models import ArrayValue, Value
from lcplatform_runtime.errors import LCPlatformError
from lcplatform_runtime.extensions.control import Snapshot
from lcplatform_runtime.json_value import Json
from tests.differential.comparison import Differential, Tally
from tests.differential.corpus import STORIES, expressions, queries
from tests.differential.statements import Statements

Outcome = tuple[object, ...]

REFUSED: Final = "refused"
ORDER: Final = "order of evaluation"
ZERO: Final = "negative zero"
EQUAL: Final = "one of equal values"
KNOWN: Final = {
    REFUSED: "What SQLite cannot do faithfully is refused with UnsupportedError and has no effect (sql/sqlite).",
    ORDER: (
        "Whether an expression fails whose value is not needed, or which of two that fail does so first, is left to the"
        " planner (PostgreSQL's documentation, chapter 4.2.14)."
    ),
    EQUAL: "Of 1.5 and 1.50, min and max tell one: which, is left to the order of the rows.",
    ZERO: "A column keeps a negative zero as zero (SQLite's documentation, Floating Point Numbers).",
}
_EXACT: Final = re.compile(r"Decimal\('([^']*)'\)")
_LAZY: Final = re.compile(r"\b(where|limit|and|or|case|coalesce|having|over|filter)\b|, ")


class Side:
    """A database under comparison."""

    def __init__(self, platform: LCPlatform) -> None:
        self._data_store = platform.data_store

    def empty(self) -> None:
        """Takes away whatever was made."""
        raise NotImplementedError

    def run(self, sql: str, params: Sequence[Value]) -> Outcome:
        """What comes of a statement. Rows have an order only where the statement asks for one."""
        try:
            done = self._data_store.execute(sql, list(params))
        except LCPlatformError as error:
            fields = sorted({it.field for it in error.violations})
            what = (error.resource, error.retryable, error.outcome.value, fields)
            return error.code, *sorted(error.details.items()), *what
        columns = tuple((it.name, it.type_name) for it in done.columns)
        rows = [tuple(_told(value) for value in row.values) for row in done.rows]
        if "order by" not in sql:
            rows.sort()
        return done.rows_affected, columns, rows


class Mock(Side):
    """The mock, which is put back to what it was at first."""

    def __init__(self, platform: LCPlatform) -> None:
        super().__init__(platform)
        self._empty: Snapshot = platform.control.snapshot()

    @override
    def empty(self) -> None:
        self._empty.restore()


class Comparison:
    """Runs statements on both sides."""

    def __init__(self, ours: Side, theirs: Side) -> None:
        self._ours = ours
        self._theirs = theirs
        self.tally: Final = Tally()

    def empty(self) -> None:
        """Both begin anew."""
        self._ours.empty()
        self._theirs.empty()

    def run(self, where: str, sql: str, params: Sequence[Value] = ()) -> None:
        """Runs one statement, unless ours refuses it."""
        ours = self._ours.run(sql, params)
        refused = ours[0] == "UNSUPPORTED"
        theirs = ("not run",) if refused else self._theirs.run(sql, params)
        case = f"{where}: {sql}" + (f" with {list(params)}" if params else "")
        self.tally.add(case, ours, theirs, lambda: _explained(sql, ours, theirs))


def _explained(sql: str, ours: Outcome, theirs: Outcome) -> str | None:
    """The known difference that this one is."""
    if ours[0] == "UNSUPPORTED":
        return REFUSED
    if (_fails(ours) or _fails(theirs)) and _LAZY.search(sql):
        return ORDER
    if str(ours).replace("-0.0", "0.0") == str(theirs).replace("-0.0", "0.0"):
        return ZERO
    if ("min(" in sql or "max(" in sql) and _shortened(ours) == _shortened(theirs):
        return EQUAL
    return None


def _shortened(outcome: Outcome) -> str:
    """Without the zeros at the ends of decimals."""
    return _EXACT.sub(lambda found: str(Decimal(found[1]).normalize()), str(outcome))


def _fails(outcome: Outcome) -> bool:
    """Whether it failed because of the values that it met."""
    return outcome[0] == "VALIDATION" and "('sqlstate', '22" in str(outcome[1:])


def _told(value: Value) -> str:
    """A value with its type, so that 1, 1.0 and true are three things."""
    match value:
        case ArrayValue():
            return f"{value.item_type}[{', '.join(map(_told, value.items))}]"
        case Json():
            return value.text
        case _:
            return f"{type(value).__name__} {value!r}"


@contextmanager
def _sides() -> Iterator[Comparison]:
    with ExitStack() as stack:
        ours, theirs = (
            Mock(stack.enter_context(LCPlatform("mock", data_store={"engine": engine})))
            for engine in ("sqlite", "postgresql")
        )
        yield Comparison(ours, theirs)


def compare(cases: int, seed: int) -> Tally:
    """The whole corpus, and generated statements until there are enough cases."""
    return compared(_sides(), cases, seed)


def compared(
    sides: AbstractContextManager[Comparison], cases: int, seed: int, *, corpus: bool = True
) -> Tally:
    """The same for whatever two sides there are, and perhaps without the corpus."""
    with sides as both:
        for sql in (*expressions(), *queries()) if corpus else ():
            both.run("corpus", sql)
        for story in STORIES if corpus else ():
            both.empty()
            for sql, params in story.steps:
                both.run(story.name, sql, params)
        generated = Statements(seed)
        while both.tally.cases < cases or not generated.rounds:
            both.empty()
            for sql, params in generated.round():
                both.run("generated", sql, params)
        return both.tally


DIFFERENTIAL: Final = Differential("PostgreSQL", compare, KNOWN)
