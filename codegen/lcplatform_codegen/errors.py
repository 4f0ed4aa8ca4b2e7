"""What the generator refuses, with the place in the IDL that has to change."""

from __future__ import annotations


class IdlError(Exception):
    """The IDL cannot be generated from. Each problem is one line that names file and element."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
