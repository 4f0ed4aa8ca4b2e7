"""How what services have in common is written to the journal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Self, TypeAlias

from pydantic import ConfigDict

from lcplatform_runtime.json_value import Json

Content: TypeAlias = str | bytes | Json
"""Text, bytes or JSON: the body of a message, the value of a secret."""


@dataclass(slots=True, kw_only=True)
class KeptContent:
    """Text, bytes or JSON: the one that is not absent."""

    __pydantic_config__: ClassVar = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    text: str | None = field(default=None, repr=False)
    data: bytes | None = field(default=None, repr=False)
    json: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, content: Content) -> Self:
        """The record of a content."""
        match content:
            case str():
                return cls(text=content)
            case bytes():
                return cls(data=content)
            case _:
                return cls(json=content.text)

    @property
    def content(self) -> Content:
        """The content of a record."""
        if self.json is not None:
            return Json.from_text(self.json)
        content = self.text if self.data is None else self.data
        assert content is not None
        return content
