"""`generated/schema`: JSON Schema of the messages as ProtoJSON, for other languages."""

from __future__ import annotations

import json

from lcplatform_codegen import schema as json_schema
from lcplatform_codegen.model import Schema


def render_all(schema: Schema) -> dict[str, str]:
    """One file a package."""
    return {
        f"schema/{package.proto}.json": json.dumps(
            json_schema.for_proto_json(package), indent=2, ensure_ascii=False
        )
        + "\n"
        for package in schema.released
    }
