"""Takes from a module the imports that it does not use: a template may name whatever it might need.

It goes by words, so a name stays that the module also uses for something else, such as a variable. ruff takes that away, but
removing a name costs it far more than seeing that none is left over.
"""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = r"[A-Za-z_]\w*"
_IMPORT: Final = re.compile(
    r"(\n *(?:from (?!__future__)\S+ )?import )(\w+(?:(?:, | as )\w+)*)(?=\n)"
)
# A docstring, a comment, a string on one line, a name. One after a dot, and one of an argument, is somebody else's.
_TOKEN: Final = re.compile(
    r"""[^\w"'#.]*("""
    r'"""[^"\\]*(?:(?:\\[\s\S]|"(?!""))[^"\\]*)*"""'
    r"|#.*"
    r'|"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
    r"|'[^'\\\n]*(?:\\.[^'\\\n]*)*'"
    rf"|\.?{_NAME}(?:=(?!=))?)"
)
_WORD: Final = re.compile(_NAME)


def trim(text: str) -> str:
    """The module without the names that stand in its imports alone."""
    first, *rest = _IMPORT.split(text)
    imports = list(zip(rest[::3], rest[1::3], rest[2::3], strict=True))
    used = _used("".join([first, *(code for _, _, code in imports)]))
    return "".join([first, *(_kept(start, names, used) + code for start, names, code in imports)])


def _kept(start: str, names: str, used: set[str]) -> str:
    wanted = [name for name in names.split(", ") if name.rpartition(" as ")[2] in used]
    return start + ", ".join(wanted) if wanted else ""


def _used(code: str) -> set[str]:
    """The names in code. Those in a string count, for it may be a type; those in docstrings and comments do not."""
    tokens = set(_TOKEN.findall(code))
    strings = {token for token in tokens if token[0] in "\"'" and not token.startswith('"""')}
    return tokens.union(*map(_WORD.findall, strings))
