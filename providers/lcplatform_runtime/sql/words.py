"""What a statement begins with, and where it ends: enough to refuse what does not belong to a shared connection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lcplatform_runtime.errors import LCPlatformError, UnsupportedError
from lcplatform_runtime.sqlstate import failure

# The lexical structure of PostgreSQL's SQL (its documentation, chapter 4.1), as far as it hides a semicolon or a word.
_TOKEN: Final = re.compile(
    r"""
      (?P<space> \s+ | --[^\n]* )
    | (?P<comment> /\* )
    | (?P<quoted> [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*" )
    | (?P<dollar> \$(?P<tag>(?:[A-Za-z_\x80-\uffff][A-Za-z0-9_\x80-\uffff]*)?)\$ .*? \$(?P=tag)\$ )
    | (?P<word> [A-Za-z_\x80-\uffff][A-Za-z0-9_$\x80-\uffff]* )
    | (?P<end> ; )
    | (?P<other> \$[0-9]+ | [0-9]+ | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT: Final = re.compile(r"/\*|\*/")

_TRANSACTIONS: Final = frozenset(
    {"abort", "begin", "commit", "end", "release", "rollback", "savepoint", "start"}
)
_SESSIONS: Final = frozenset(
    {
        "close",
        "copy",
        "deallocate",
        "declare",
        "discard",
        "execute",
        "fetch",
        "listen",
        "load",
        "move",
        "notify",
        "prepare",
        "reset",
        "set",
        "unlisten",
    }
)


def statements(sql: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The statements of a script, each with its first two words in lower case. Empty ones are left out."""
    start, found = 0, False
    words: list[str] = []
    for kind, text, end in _tokens(sql):
        if kind == "end":
            if found:
                yield sql[start : end - 1].strip(), tuple(words)
            start, words, found = end, [], False
        elif kind != "space":
            if len(words) < 2 and (kind == "word" or not found):
                words.append(text.lower() if kind == "word" else "")
            found = True
    if found:
        yield sql[start:].strip(), tuple(words)


def only_statement(sql: str) -> str:
    """The one statement in `sql`, without the semicolon, if it may run on a connection that others use next.

    Raises:
        ValidationError: there are none or several, or it begins or ends a transaction.
        UnsupportedError: it changes the connection.
    """
    found = list(statements(sql))
    if len(found) != 1:
        raise failure("42601", f"one statement is needed, and these are {len(found)}")
    check(found[0][1])
    return found[0][0]


def check(words: tuple[str, ...]) -> None:
    """Refuses a statement that begins with these words, if it does not belong to a shared connection."""
    first = words[0]
    if first in _TRANSACTIONS:
        raise failure(
            "42601", f"{first.upper()}: transactions and savepoints have operations of their own"
        )
    if first in _SESSIONS and words != ("set", "constraints"):
        raise unsupported(first.upper(), "it changes the connection for those who use it next")


def unsupported(construct: str, why: str = "") -> LCPlatformError:
    """The refusal of something that SQL has and the provider does not offer."""
    reason = f": {why}" if why else ""
    return UnsupportedError(f"{construct} is not supported{reason}", details={"sqlstate": "0A000"})


def _tokens(sql: str) -> Iterator[tuple[str, str, int]]:
    """The tokens with their kind and where each ends."""
    position = 0
    while position < len(sql):
        token = _TOKEN.match(sql, position)
        assert token is not None, "the last alternative matches anything"
        kind = str(token.lastgroup if token.lastgroup != "tag" else "dollar")
        position = token.end()
        if kind == "comment":
            position = after_comment(sql, position)
            kind = "space"
        yield kind, token[0], position


def after_comment(sql: str, position: int) -> int:
    """Where a comment ends. Comments stand inside of comments."""
    depth = 1
    while depth:
        mark = _COMMENT.search(sql, position)
        if mark is None:
            raise failure("42601", "a comment has no end")
        depth += 1 if mark[0] == "/*" else -1
        position = mark.end()
    return position
