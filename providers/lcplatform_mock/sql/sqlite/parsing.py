"""The syntax of a statement, read by sqlglot: with functions left by their names, and operators grouped as PostgreSQL does."""

from __future__ import annotations

import logging
from typing import Any, Final

from sqlglot import ErrorLevel, exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.errors import SqlglotError

from lcplatform_mock.sql.sqlite.lexing import plain
from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.sqlstate import failure

# It remarks on what it does not know, with the statement in its words. What it does not know is refused here.
logging.getLogger("sqlglot").addFilter(lambda record: False)


class _Parser(Postgres.Parser):  # type: ignore[misc,valid-type]  # sqlglot makes it when it is imported
    """What has a syntax of its own stays; any other function is a name with arguments."""

    FUNCTIONS: Any = {}  # noqa: RUF012  the base class declares it so
    FUNCTION_PARSERS: Any = {  # noqa: RUF012
        name: parse
        for name, parse in Postgres.Parser.FUNCTION_PARSERS.items()
        if name in {"CAST", "EXTRACT", "POSITION", "SUBSTRING", "TRIM"}
    }


class Dialect(Postgres):
    """PostgreSQL's grammar, without what sqlglot knows of the functions of many databases."""

    INDEX_OFFSET = 0

    Parser = _Parser


_DIALECT: Final = Dialect()


def parse(sql: str) -> exp.Expr:
    """The syntax tree of one statement, which may be anything that sqlglot knows of.

    Raises:
        ValidationError: it is not well formed.
        UnsupportedError: sqlglot groups its operators in another way than PostgreSQL.
    """
    try:
        found = [
            tree
            for tree in _DIALECT.parse(plain(sql), error_level=ErrorLevel.IMMEDIATE)
            if tree is not None
        ]
    except (SqlglotError, RecursionError):
        # Its message quotes the statement and, with it, the literals there.
        problem = failure("42601", "syntax error")
    else:
        if len(found) == 1:
            check_grouping(found[0])
            return found[0]
        problem = failure("42601", f"one statement is needed, and these are {len(found)}")
    raise problem


# How tightly operators bind (PostgreSQL's documentation, chapter 4.1.6). What is not here stands for itself.
_OTHER: Final = 60
_COMPARISON: Final = 40
_BINDING: Final[dict[type[exp.Expr], int]] = {
    exp.Or: 10,
    exp.And: 15,
    exp.Not: 20,
    exp.Is: 30,
    exp.NullSafeEQ: 30,
    exp.NullSafeNEQ: 30,
    exp.EQ: _COMPARISON,
    exp.NEQ: _COMPARISON,
    exp.LT: _COMPARISON,
    exp.LTE: _COMPARISON,
    exp.GT: _COMPARISON,
    exp.GTE: _COMPARISON,
    exp.Between: 50,
    exp.In: 50,
    exp.Like: 50,
    exp.ILike: 50,
    exp.Escape: 50,
    exp.DPipe: _OTHER,
    exp.JSONExtract: _OTHER,
    exp.JSONExtractScalar: _OTHER,
    exp.JSONBExtract: _OTHER,
    exp.JSONBExtractScalar: _OTHER,
    exp.JSONBContainsTopKey: _OTHER,
    exp.ArrayContainsAll: _OTHER,
    exp.ArrayContainedBy: _OTHER,
    exp.ArrayOverlaps: _OTHER,
    exp.Add: 70,
    exp.Sub: 70,
    exp.Mul: 80,
    exp.Div: 80,
    exp.Mod: 80,
    exp.Pow: 90,
    exp.AtTimeZone: 95,
    exp.Neg: 100,
}
# `a NOT IN (…)` stands in the tree as the negation of `a IN (…)`, and binds as that does.
_NEGATED: Final = (exp.In, exp.Between, exp.Is)


def check_grouping(tree: exp.Expr) -> None:
    """Makes sure that operators without parentheses are grouped as PostgreSQL does.

    A tree in which every operator binds at least as tightly as the one above it, and more tightly on its right side, is the
    only one for its words. So a tree that passes is the right one, however it was found.
    """
    for node in tree.walk():
        binding = _binding(node)
        if binding is None:
            continue
        for side, child in (("this", node.this), ("expression", node.args.get("expression"))):
            inner = _binding(child) if isinstance(child, exp.Expr) else None
            if inner is None or child is None:
                continue
            tighter = (
                inner > binding if side == "expression" or _alone(binding) else inner >= binding
            )
            prefix = isinstance(child, exp.Neg) or (isinstance(child, exp.Not) and binding <= 20)
            if not tighter and not (prefix and side == "expression") and not _chain(node, child):
                raise unsupported(
                    "an expression whose operators are grouped in several ways",
                    "put parentheses around its parts",
                )


def _binding(node: exp.Expr) -> int | None:
    if isinstance(node, exp.Not) and isinstance(node.this, _NEGATED):
        return _BINDING[type(node.this)]
    return _BINDING.get(type(node))


def _alone(binding: int) -> bool:
    """Whether operators of this kind do not stand in a row: `a = b = c` is no expression."""
    return binding in {_COMPARISON, 50}


def _chain(node: exp.Expr, child: exp.Expr) -> bool:
    """Whether both are one construct, or a negation that does not change how its inside is grouped."""
    if isinstance(node, exp.Escape) and isinstance(child, exp.Like | exp.ILike):
        return True
    return isinstance(node, exp.Not) and isinstance(child, exp.Not | exp.In | exp.Between | exp.Is)
