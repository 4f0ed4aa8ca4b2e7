"""Comments of the IDL as Python text. Most are asked for twice, once for each colour."""

from __future__ import annotations

import textwrap
from functools import cache

WIDTH = 100


@cache
def docstring(comment: str, indent: int) -> str:
    """The inside of a docstring at that indentation: one line where it fits, else a first paragraph and the rest."""
    text = _escape(" ".join(comment.split()))
    if len(text) + indent + 6 <= WIDTH:
        return text
    lines = textwrap.wrap(text, WIDTH - indent, break_on_hyphens=False, break_long_words=False)
    pad = " " * indent
    return "\n".join([lines[0], *(pad + line for line in lines[1:]), pad])


@cache
def paragraph(comment: str, indent: int, first: int = 0) -> str:
    """A comment wrapped to the width, its second and further lines indented; `first` is what stands before the first."""
    text = _escape(" ".join(comment.split()))
    lines = textwrap.wrap(
        text,
        WIDTH,
        initial_indent=" " * first,
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return "\n".join(lines)[first:]


def _escape(text: str) -> str:
    text = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return text[:-1] + '\\"' if text.endswith('"') else text
