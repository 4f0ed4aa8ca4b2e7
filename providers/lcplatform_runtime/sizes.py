"""The processors and memory that every provider has (FR-002, FR-006), so that a size means the same everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lcplatform_runtime.errors import FieldViolation, ValidationError

MEMORY: Final[Mapping[float, tuple[int, ...]]] = {
    0.25: (512, 1024),
    0.5: (1024,),
    1.0: (2048, 3072, 4096),
    2.0: (4096, 6144),
    4.0: (8192, 10240, 12288),
}
"""The memory in megabytes that goes with so many virtual CPUs, the least first."""


def fitting_memory(cpu: float, memory: int | None, *, place: str = "") -> int:
    """The memory that goes with a processor share: what is asked for, or the least.

    Args:
        cpu: virtual CPUs.
        memory: megabytes; None: the least.
        place: what stands before the names of the fields in a refusal, such as "job.".

    Raises:
        ValidationError: there is no such share, or the two do not go together. It names `cpu`.
    """
    if cpu not in MEMORY:
        raise _refused(place, f"one of {', '.join(f'{one:g}' for one in MEMORY)}")
    fits = MEMORY[cpu]
    if memory is None:
        return fits[0]
    if memory not in fits:
        listed = " or ".join(map(str, fits))
        raise _refused(
            place, f"one that goes with {memory} MB of memory: {cpu:g} goes with {listed}"
        )
    return memory


def _refused(place: str, expected: str) -> ValidationError:
    return ValidationError(
        f"{place}cpu: {expected}", violations=[FieldViolation(f"{place}cpu", expected)]
    )
