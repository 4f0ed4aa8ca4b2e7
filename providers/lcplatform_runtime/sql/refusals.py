"""What is said of the errors of both databases: never a value, since values are the application's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lcplatform_runtime.errors import LCPlatformError, PreconditionFailedError
from lcplatform_runtime.sqlstate import failure

_WORDS: Final[Mapping[str, str]] = {
    "08P01": "the statement has another number of parameters than were given",
    "22001": "a value is too long for its type",
    "22003": "a number is out of range",
    "22004": "null is not allowed here",
    "22007": "a date or time is not well formed",
    "22008": "a date or time is out of range",
    "2200H": "a sequence has come to its end",
    "22011": "a length is negative",
    "22012": "division by zero",
    "22021": "text cannot be stored in UTF-8",
    "22023": "an argument is not allowed",
    "22025": "a pattern ends in its escape character",
    "2201B": "a regular expression is not well formed",
    "2201E": "there is no such logarithm",
    "2201F": "there is no such power",
    "2201W": "the limit of rows is negative",
    "2201X": "the offset of rows is negative",
    "2202E": "arrays do not have the same dimensions",
    "22P05": "text holds a character that cannot be stored",
    "22P02": "text is not well formed for its type",
    "22P03": "binary data are not well formed for their type",
    "21000": "a subquery that stands for one value gave more than one row, or a row was to be changed twice",
    "23502": "a column must not be null",
    "23503": "a foreign key refers to what is not there, or something still refers to the row",
    "23505": "a value that must be unique is there already",
    "23514": "a check is not kept",
    "23P01": "an exclusion constraint is not kept",
    "40001": "another transaction was at it: run the whole transaction again",
    "40P01": "transactions wait for each other: run the whole transaction again",
    "55P03": "a lock is held by another transaction",
    "57014": "the statement was ended because it took too long",
}


def explained(sqlstate: str) -> str:
    """What happened, in words of our own."""
    return _WORDS.get(sqlstate, f"the database refused the statement with SQLSTATE {sqlstate}")


def refused(sqlstate: str, **details: str | None) -> LCPlatformError:
    """The error of a code."""
    return failure(sqlstate, explained(sqlstate), details)


# What these say of an error names things of the schema alone, and parts of the statement, which is the application's.
_TELLING: Final = ("42", "3F", "3D", "0A", "25", "3B", "2B", "P0")


def reported(
    sqlstate: str, message: str | None, details: Mapping[str, str | None]
) -> LCPlatformError:
    """The error that PostgreSQL reports, in its own words where they quote no value."""
    told = message if message and sqlstate.startswith(_TELLING) else explained(sqlstate)
    return failure(sqlstate, told, details)


def too_many_rows(most: int) -> LCPlatformError:
    """A result that `query` does not tell."""
    return PreconditionFailedError(
        f"the result has more than {most} rows: use stream_query, or ask for fewer"
    )
