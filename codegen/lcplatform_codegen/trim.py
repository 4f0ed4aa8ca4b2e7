"""Takes from a module the imports that it does not use: a template may name whatever it might need.

It goes by words, so a name stays that the module also uses for something else, such as a field. ruff takes that away, but
removing a name costs it far more than seeing that none is left over.
"""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = r"[A-Za-z_]\w*"
_IMPORT: Final = re.compile(
    r"^( *(?:from (?!__future__)\S+ )?import )(\w+(?:(?:, | as )\w+)*)$", re.MULTILINE
)
# A docstring, a comment, a string on one line, a name; one after a dot is somebody else's.
_TOKEN: Final = re.compile(
    r'"""[^"\\]*(?:(?:\\[\s\S]|"(?!""))[^"\\]*)*"""'
    r"|#.*"
    r'|"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
    r"|'[^'\\\n]*(?:\\.[^'\\\n]*)*'"
    rf"|\.?{_NAME}"
)
_WORD: Final = re.compile(_NAME)


def trim(text: str) -> str:
    """The module without the names that stand in its imports alone."""
    used = _used(_IMPORT.sub("", text))

    def kept(line: re.Match[str]) -> str:
        start, names = line.groups()
        wanted = [name for name in names.split(", ") if name.rpartition(" as ")[2] in used]
        return start + ", ".join(wanted) if wanted else ""

    return _IMPORT.sub(kept, text)


def _used(code: str) -> set[str]:
    """The names in code. Those in a string count, for it may be a type; those in docstrings and comments do not."""
    tokens = set(_TOKEN.findall(code))
    strings = {token for token in tokens if token[0] in "\"'" and not token.startswith('"""')}
    return tokens.union(*map(_WORD.findall, strings))
