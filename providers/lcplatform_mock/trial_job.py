"""The image that the scenarios of Batch run, `lcplatform/test-job`: variables of its environment tell what it does.

Here it is simulated. A provider that runs images for real has an image, or a command in one, that does the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from lcplatform_mock.images import JobContext, Simulated, Simulation
from lcplatform_runtime.job_variables import ARRAY_INDEX_VARIABLE

IMAGE: Final = "lcplatform/test-job"
"""The name of the image.

=================  =================================================================================================
`SECONDS`          how long it runs; 0 where absent
`EXIT_CODE`        its exit code; 0 where absent
`FAIL_ATTEMPTS`    so many attempts end with exit code 1 first
`FAIL_INDEXES`     the copies of an array job that end with exit code 1, as numbers between commas
`PRINT`            what it writes first
`SHOW`             the variables that it writes then, between commas, each as NAME=value on a line of its own
`SHOW_COMMAND`     if it is there, it writes each argument of its command on a line of its own
`SHOW_INDEX`       if it is there, a copy of an array job writes its number, as its environment tells it
`REQUIRE`          variables between commas: if one of them is missing or empty, it ends with exit code 2
=================  =================================================================================================
"""


def _decide(job: JobContext) -> Simulated:
    environment = job.environment
    for line in environment.get("PRINT", "").splitlines():
        job.print(line)
    for name in _listed(environment, "SHOW"):
        job.print(f"{name}={environment.get(name, '')}")
    if "SHOW_COMMAND" in environment:
        for argument in job.command:
            job.print(argument)
    if "SHOW_INDEX" in environment:
        job.print(environment.get(environment.get(ARRAY_INDEX_VARIABLE, ""), ""))
    return Simulated(
        duration=timedelta(seconds=float(environment.get("SECONDS", "0"))),
        exit_code=_exit_code(job),
        fail_attempts=int(environment.get("FAIL_ATTEMPTS", "0")),
    )


def _exit_code(job: JobContext) -> int:
    if any(not job.environment.get(name) for name in _listed(job.environment, "REQUIRE")):
        return 2
    if str(job.array_index) in _listed(job.environment, "FAIL_INDEXES"):
        return 1
    return int(job.environment.get("EXIT_CODE", "0"))


def _listed(environment: Mapping[str, str], name: str) -> list[str]:
    return [it for it in environment.get(name, "").split(",") if it]


TRIAL_JOB: Final = Simulation(_decide)
"""What stands for the image."""
