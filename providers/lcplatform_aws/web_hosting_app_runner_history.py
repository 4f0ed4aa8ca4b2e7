"""What is remembered of the operations of an App Runner service, which App Runner itself forgets: what each deployed.

It is kept in tags of the service, compressed: what goes into them is little, so only so many revisions are remembered, and of
large ones their settings are forgotten first. Tags cannot be written while an operation is under way. So what an operation does is
written before it begins, as what comes after the last one; and its settings when the next begins, since until then the service has
them.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from lcplatform_aws.web_hosting_settings import Settings, kept, restored

if TYPE_CHECKING:
    from types_boto3_apprunner.type_defs import TagTypeDef

KEPT: Final = 20
"""The revisions of one service that are remembered, if there is room for them."""
_TAG: Final = "lcplatform:"
_TAGS: Final = 40  # a resource has 50
_VALUE: Final = 256  # characters of a tag's value


@dataclass(frozen=True, kw_only=True)
class Record:
    """What an operation did.

    Attributes:
        image: what it deployed, as callers name it.
        rollback_of: the revision that it repeats.
        scaling: whether it deployed nothing, but changed how many instances there are.
        settings: what it deployed; None if that is not known any more.
    """

    image: str = ""
    rollback_of: str | None = None
    scaling: bool = False
    settings: Settings | None = None


@dataclass(frozen=True)
class History:
    """The records of a service, by the operation, the oldest first.

    Attributes:
        records: those of operations that are over.
        after: the operation after which `coming` was to begin; empty before the first.
        coming: what was to begin.
    """

    records: Mapping[str, Record] = field(default_factory=dict)
    after: str = ""
    coming: Record | None = None

    def seen(self, operations: Sequence[str]) -> History:
        """The history after these operations, the newest first: by now it is known which of them was coming."""
        if self.coming is None:
            return self
        if self.after not in operations:
            began = operations[-1] if operations and not self.after else None
        else:
            place = operations.index(self.after)
            began = operations[place - 1] if place else None
        if began is None:
            return self
        return self.with_record(began, self.coming, operations)

    def with_record(self, operation: str, record: Record, operations: Sequence[str]) -> History:
        """The history with the record of one more operation, and nothing coming."""
        records = {**self.records, operation: record}
        age = {it: number for number, it in enumerate(operations)}
        forgotten = len(age)  # what is not listed any more is older
        ordered = sorted(records, key=lambda it: age.get(it, forgotten), reverse=True)
        return History({it: records[it] for it in ordered})

    def before(self, after: str, coming: Record) -> History:
        """The history when another operation is to begin."""
        return replace(self, after=after, coming=coming)

    def remembers(self, operations: Sequence[str]) -> Sequence[str]:
        """Those of the operations, the newest first, that are not older than everything that is remembered."""
        oldest = next((it for it in self.records if it in operations), None)
        return operations if oldest is None else operations[: operations.index(oldest) + 1]

    def tags(self) -> list[TagTypeDef]:
        """The tags that hold it. They take the place of all before."""
        text = self._text()
        parts = [text[start : start + _VALUE] for start in range(0, len(text), _VALUE)]
        return [{"Key": f"{_TAG}{number:02}", "Value": part} for number, part in enumerate(parts)]

    def _text(self) -> str:
        """The history as one text, with as much of it as there is room for."""
        records = _newest(self.records)
        while len(text := _packed({**self._coming(), "records": _told(records)})) > _TAGS * _VALUE:
            whole = next((name for name, it in records.items() if it.settings), None)
            if whole is not None:
                records[whole] = replace(records[whole], settings=None)
            else:
                del records[next(iter(records))]
        return text

    def _coming(self) -> dict[str, Any]:
        return {} if self.coming is None else {"after": self.after, "coming": _json(self.coming)}

    @staticmethod
    def read(tags: Iterable[TagTypeDef]) -> History:
        """The history that the tags of a service hold: none at all where somebody broke it."""
        told = {it.get("Key", ""): it.get("Value", "") for it in tags}
        parts = {key: value for key, value in told.items() if key.startswith(_TAG)}
        length, _, text = "".join(parts[key] for key in sorted(parts)).partition(":")
        try:
            document = json.loads(
                zlib.decompress(base64.b64decode(text[: int(length)], validate=True))
            )
        except (ValueError, zlib.error):
            return History()
        coming = document.get("coming")
        return History(
            {name: _record(it) for name, it in document["records"].items()},
            document.get("after", ""),
            None if coming is None else _record(coming),
        )


def _newest(records: Mapping[str, Record]) -> dict[str, Record]:
    """As many as are kept, and the scalings between them."""
    found: dict[str, Record] = {}
    for name, it in reversed(list(records.items())):
        if sum(not record.scaling for record in found.values()) == KEPT:
            break
        found[name] = it
    return dict(reversed(found.items()))


def _told(records: Mapping[str, Record]) -> dict[str, Any]:
    return {name: _json(it) for name, it in records.items()}


def _packed(told: Mapping[str, Any]) -> str:
    text = json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()
    body = base64.b64encode(zlib.compress(text, 9)).decode()
    return f"{len(body)}:{body}"


def _json(record: Record) -> dict[str, Any]:
    told = {
        "image": record.image,
        "rollback_of": record.rollback_of,
        "scaling": record.scaling,
        "settings": None if record.settings is None else kept(record.settings),
    }
    return {name: it for name, it in told.items() if it}


def _record(told: Mapping[str, Any]) -> Record:
    settings = told.get("settings")
    return Record(**{**told, "settings": None if settings is None else restored(settings)})
