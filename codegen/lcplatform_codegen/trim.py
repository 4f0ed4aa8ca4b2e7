"""Takes from a module the imports that it does not use: a template may name whatever it might need.

It goes by words, so a name that stands in a comment is kept; ruff, which is slower, takes away the rest.
"""

from __future__ import annotations

import re

_IMPORT = re.compile(r"^from (?!__future__)(\S+) import (\w[^()\n]*)$", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z_]\w*")


def trim(text: str) -> str:
    """The module without the names that stand in its imports alone."""
    used = set(_WORD.findall(_IMPORT.sub("", text)))

    def kept(line: re.Match[str]) -> str:
        module, names = line.groups()
        wanted = [name for name in names.split(", ") if name.rpartition(" as ")[2] in used]
        return f"from {module} import {', '.join(wanted)}" if wanted else ""

    return _IMPORT.sub(kept, text)
