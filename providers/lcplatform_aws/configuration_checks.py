"""What is wrong with data: what its schema says, and what a validator of AppConfig says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lcplatform.configuration.models import Violation
from lcplatform_runtime.errors import FieldViolation, ValidationError
from lcplatform_runtime.json_value import Json

if TYPE_CHECKING:
    from botocore.exceptions import ClientError


def violations_of(schema: Json, data: Json) -> tuple[tuple[Violation, ...], bool]:
    """Everything that is wrong, and whether there is more. Raises ValidationError for a schema that is none."""
    from lcplatform_runtime.schemas.json_schema import (
        checked,  # needs a package that only this needs
    )

    flaws, more = checked(schema.text).flaws(data)
    violations = (
        Violation(
            path=it.path,
            message=it.message,
            expected=it.expected,
            actual=it.actual,
            keyword=it.keyword,
        )
        for it in flaws
    )
    return tuple(violations), more


def check(schema: Json | None, data: Json) -> None:
    """Refuses data that its schema does not allow, with everything that is wrong (FR-017).

    AppConfig's own validators know an older JSON Schema, and one for all versions.
    """
    if schema is not None:
        from lcplatform_runtime.schemas.json_schema import (  # needs a package that only this needs
            checked,
            refusal,
        )

        flaws, more = checked(schema.text).flaws(data)
        if flaws:
            raise refusal("data", "not as its schema says", flaws, more=more)


def refused(error: ClientError) -> Exception:
    """What a validator of the profile says of the data, if it is that: others may have added one."""
    details = error.response.get("Details", {})
    flaws = details.get("InvalidConfiguration", ()) if isinstance(details, dict) else ()
    if not flaws:
        return error
    violations = [
        FieldViolation("data", it.get("Reason", "refused"), it.get("Location", ""), it.get("Constraint"), it.get("Value"))
        for it in flaws
    ]  # fmt: skip
    return ValidationError("data: a validator of AppConfig refuses it", violations=violations)
