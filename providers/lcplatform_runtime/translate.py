"""Turns whatever a driver raises into one of the platform's errors, without a secret in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from pydantic import BaseModel

from lcplatform_runtime.errors import InternalError, LCPlatformError
from lcplatform_runtime.operation import Operation
from lcplatform_runtime.redact import scrub_error, secrets_of
from lcplatform_runtime.steps import INVOKE, Call, Steps

Translate: TypeAlias = Callable[[Exception, Operation], LCPlatformError | None]
"""A provider's table: what an exception of its vendor means, or `None` if it is not the vendor's."""


class Translation:
    """The innermost interceptor: one attempt. What it raises is an `LCPlatformError`, caused by the vendor's exception.

    What is no `Exception`, such as the cancellation of the caller's task, passes untouched.
    """

    __slots__ = ("_operation", "_translate")

    def __init__(self, operation: Operation, translate: Translate) -> None:
        self._operation = operation
        self._translate = translate

    def __call__(self, call: Call, /) -> Steps:
        try:
            return (yield INVOKE)
        except Exception as problem:  # noqa: BLE001  a driver may raise anything
            error = self.error(problem, call)
        # Raised out here, where the vendor's exception is no longer being handled: it is the cause or, if it quotes a
        # secret, not even the context.
        try:
            raise error
        finally:
            del error  # or it would hold itself by its traceback

    def error(self, problem: Exception, call: Call) -> LCPlatformError:
        """`problem` in the platform's words, with its cause. One that is in those words already comes back as it is."""
        failure = None if call.body is None else call.body.failure
        if isinstance(problem, LCPlatformError):
            error = problem
        elif isinstance(failure, LCPlatformError):
            error = failure  # what the vendor's exception only wraps
        else:
            error = self._translated(problem)
            error.__cause__ = problem
        if isinstance(call.request, BaseModel):
            scrub_error(error, secrets_of(call.request))
        return call.named(error)

    def _translated(self, problem: Exception) -> LCPlatformError:
        try:
            error = self._translate(problem, self._operation)
        except Exception:  # noqa: BLE001  a table that fails says nothing of the call
            error = None
        if error is not None:
            return error
        kind = type(problem)
        # Its text may be anything, so it stays with the cause.
        return InternalError(
            f"the provider failed unexpectedly: {kind.__qualname__}",
            details={"exception": f"{kind.__module__}.{kind.__qualname__}"},
        )
