"""The conditions of writes to Amazon S3, and what it means that one does not hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from lcplatform.object_store.models import CopyObjectRequest, PutObjectHeader
from lcplatform_aws.errors import problem_of, status_of
from lcplatform_runtime.errors import AlreadyExistsError, ConflictError, LCPlatformError


def condition_of(if_match: str | None, /, *, if_absent: bool) -> dict[str, Any]:
    """The condition of a write, as parameters."""
    if if_absent:
        return {"IfNoneMatch": "*"}
    return {} if if_match is None else {"IfMatch": if_match}


@contextmanager
def conditions(request: PutObjectHeader | CopyObjectRequest, /) -> Iterator[None]:
    """Tells which condition of `request` it was that did not hold. S3's code is the same for all of them."""
    try:
        yield
    except ClientError as error:
        if status_of(error) != 412:
            raise
        raise _unmet(request, error) from error


def _unmet(request: PutObjectHeader | CopyObjectRequest, error: ClientError) -> LCPlatformError:
    problem = problem_of(error)
    condition = str(problem.get("Condition", "")).lower()
    details = {"code": str(problem.get("Code", "")), "status": "412"}
    request_id = error.response.get("ResponseMetadata", {}).get("RequestId")
    # A HEAD says no more than the status, and asks about the source alone.
    resource = None
    if isinstance(request, CopyObjectRequest) and (
        "copy-source" in condition or problem.get("Code") == "412"
    ):
        text, resource = "the source is no longer the one that was asked for", request.source_key
    elif request.if_absent:
        return AlreadyExistsError(
            "there is such an object already", request_id=request_id, details=details
        )
    else:
        text = "the object is no longer the one that was asked for"
    return ConflictError(text, resource=resource, request_id=request_id, details=details)
