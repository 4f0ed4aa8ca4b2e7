"""PostgreSQL's SQL in plainer words: the literals that only it writes become those that everybody reads the same way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lcplatform_runtime.errors import LCPlatformError
from lcplatform_runtime.sql.words import after_comment, unsupported
from lcplatform_runtime.sqlstate import failure

_TOKEN: Final = re.compile(
    r"""
      (?P<space> \s+ )
    | (?P<line> --[^\n]* )
    | (?P<comment> /\* )
    | (?P<escaped> [eE]'(?:[^'\\]|\\.|'')*' )
    | (?P<special> (?:[uU]&|[bBxXnN])'(?:[^']|'')*' | [uU]&"(?:[^"]|"")*" )
    | (?P<text> '(?:[^']|'')*' )
    | (?P<quoted> "(?:[^"]|"")+" )
    | (?P<dollar> \$(?P<tag>(?:[A-Za-z_\x80-\uffff][A-Za-z0-9_\x80-\uffff]*)?)\$ .*? \$(?P=tag)\$ )
    | (?P<param> \$[0-9]+ )
    | (?P<number> (?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)? )
    | (?P<word> [A-Za-z_\x80-\uffff][A-Za-z0-9_$\x80-\uffff]* )
    | (?P<sign> :: | [()\[\],.;:] )
    | (?P<operator> [-+*/<>=~!@\#%^&|?]+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(
    r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL
)
_ARROWS: Final = frozenset({"->", "->>", "#>", "#>>"})
# The operators that are known. Others may be those of an extension.
_OPERATORS: Final = frozenset(
    {
        "+",
        "-",
        "*",
        "/",
        "%",
        "^",
        "<",
        ">",
        "=",
        "<=",
        ">=",
        "<>",
        "!=",
        "||",
        "~~",
        "~~*",
        "!~~",
        "!~~*",
    }
    | {"->", "->>", "#>", "#>>", "@>", "<@", "&&", "?"}
)
_LETTERS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
# Types whose name before a text makes a constant of it. The parser knows some of them, and not this form of all.
_TYPES: Final = frozenset(
    {
        "bool",
        "boolean",
        "bytea",
        "date",
        "float4",
        "float8",
        "int2",
        "int4",
        "int8",
        "interval",
        "json",
        "jsonb",
        "numeric",
        "text",
        "time",
        "timestamp",
        "timestamptz",
        "uuid",
        "varchar",
    }
)


def plain(sql: str) -> str:
    """The same statement without comments, with every literal as a plain one."""
    return "".join(_joined(list(_tokens(sql))))


def quoted(text: str) -> str:
    """A text as a literal."""
    return "'" + text.replace("'", "''") + "'"


def _joined(tokens: list[tuple[str, str]]) -> Iterator[str]:
    index = 0
    while index < len(tokens):
        kind, text = tokens[index]
        follower = _next(tokens, index)
        if kind == "word" and text.lower() in _TYPES and follower is not None:
            place, (what, literal) = follower
            if what == "text":
                yield f"CAST({literal} AS {text})"
                index = place + 1
                continue
        if text in _ARROWS and follower is not None and follower[1][0] in {"text", "number"}:
            # The parser reads paths of its own into what stands after an arrow; in parentheses it leaves it alone.
            yield f"{text}({follower[1][1]})"
            index = follower[0] + 1
            continue
        if kind == "text":
            text, index = _continued(tokens, index)
        if text == "," and (follower is None or follower[1][1].lower() in _ENDS):
            raise failure("42601", "syntax error: nothing follows a comma")
        yield text
        index += 1


# What ends a list. The parser takes a comma before it for a slip of the pen.
_ENDS: Final = frozenset(
    {",", ")", "]", ";", "from", "group", "having", "limit", "offset", "order", "returning", "set"}
    | {"union", "intersect", "except", "values", "where", "window", "on"}
)


def _continued(tokens: list[tuple[str, str]], index: int) -> tuple[str, int]:
    """A text with those on the next lines, which go on with it."""
    text = tokens[index][1]
    while True:
        follower = _next(tokens, index)
        if follower is None or follower[1][0] != "text":
            return text, index
        if not any(it == "\n" for _, it in tokens[index : follower[0]]):
            raise failure("42601", "syntax error: a text follows a text")
        text, index = text[:-1] + follower[1][1][1:], follower[0]


def _next(tokens: list[tuple[str, str]], index: int) -> tuple[int, tuple[str, str]] | None:
    """The next token that is no space, and where it stands."""
    for place in range(index + 1, len(tokens)):
        if tokens[place][0] != "space":
            return place, tokens[place]
    return None


def _tokens(sql: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(sql):
        found = _TOKEN.match(sql, position)
        if found is None:
            raise _unreadable(sql, position)
        kind = "dollar" if found.lastgroup == "tag" else str(found.lastgroup)
        position = found.end()
        if kind == "comment":
            position = after_comment(sql, position)
        elif kind == "operator":
            name = _operator(found[0])
            position = found.start() + len(name)
            yield kind, name
            continue
        yield _plain(kind, found)


def _operator(run: str) -> str:
    """The operator at the beginning of a run of signs (PostgreSQL's documentation, chapter 4.1.3)."""
    name = re.split(r"--|/\*", run, maxsplit=1)[0]
    while len(name) > 1 and name[-1] in "+-" and not set(name) & set("~!@#%^&|?"):
        name = name[:-1]
    if name not in _OPERATORS:
        raise unsupported(f"the operator {name}")
    return name


def _plain(kind: str, found: re.Match[str]) -> tuple[str, str]:
    text = found[0]
    match kind:
        case "space" | "line" | "comment":
            return "space", "\n" if "\n" in text else " "
        case "escaped":
            return "text", quoted(_ESCAPE.sub(_unescaped, text[2:-1].replace("''", "'")))
        case "dollar":
            mark = len(found["tag"]) + 2
            return "text", quoted(text[mark:-mark])
        case "param":  # "$1,$" would be the beginning of a text to the parser
            return kind, f"{text} "
        case "special":
            raise unsupported(f"the literal {text[0].upper()}'…'")
        case _:
            return kind, text


def _unescaped(found: re.Match[str]) -> str:
    octal, two, four, eight, letter = found.groups()
    if letter is not None:
        return _LETTERS.get(letter, letter)
    number = int(octal, 8) & 255 if octal else int(two or four or eight, 16)
    if number == 0 or number > 0x10FFFF or 0xD800 <= number < 0xE000:
        raise failure("22021", "an escape sequence stands for no character of a text")
    if number > 127 and not (four or eight):
        raise unsupported("an escape sequence for a byte of a character")
    return chr(number)


def _unreadable(sql: str, position: int) -> LCPlatformError:
    sign = sql[position]
    if sign in "'\"$":
        return failure("42601", "a literal or a name has no end")
    return failure("42601", f"syntax error at or near {sign!r}")
