"""Updates: how documents are changed, read once and kept by their texts.

The changes of one update form a tree along their paths. It is applied in the order of the names, as MongoDB 5.0 does, so that
new fields are added in that order; what does not change stays the same object.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Final, Protocol, TypeAlias

from lcplatform.document_store.models import Update
from lcplatform_mock.documents.filters import reading
from lcplatform_mock.documents.numbers import total
from lcplatform_mock.documents.pulls import pulled
from lcplatform_mock.documents.pushes import push_of
from lcplatform_runtime.documents.extended_json import NoDocument, parse
from lcplatform_runtime.documents.paths import Path, is_place, parts
from lcplatform_runtime.documents.values import (
    MISSING,
    Object,
    Value,
    identical,
    is_number,
    name_of,
)
from lcplatform_runtime.json_value import Json

Raw: TypeAlias = Any
"""What JSON text parses to."""

_KEPT: Final = 1024
_MAX_PADDING: Final = 1_500_000


class Action(Protocol):
    """What is done to the value of one field."""

    @property
    def creates(self) -> bool:
        """Whether the field, and the objects on the way to it, come into being by it."""
        ...

    def apply(self, value: Value, document: Object) -> Value:
        """The new value for an old one; `MISSING` stands for no field. `document` is what it was before the update."""
        ...


@dataclass(frozen=True, slots=True)
class Put:
    """The field gets a value."""

    value: Value
    creates: bool = True

    def apply(self, value: Value, document: Object) -> Value:
        """The new value."""
        return value if identical(value, self.value) else self.value


@dataclass(frozen=True, slots=True)
class Drop:
    """The field goes."""

    creates: bool = False

    def apply(self, value: Value, document: Object) -> Value:
        """No value."""
        return MISSING


@dataclass(frozen=True, slots=True)
class Add:
    """A number is added."""

    amount: Value
    creates: bool = True

    def apply(self, value: Value, document: Object) -> Value:
        """The sum."""
        if value is MISSING:
            return self.amount
        if not is_number(value):
            raise NoDocument(
                f"increment needs a number, and there is a value of type {name_of(value)}"
            )
        added = total(value, self.amount)
        return value if identical(value, added) else added


@dataclass(frozen=True, slots=True)
class Pull:
    """Elements go out of an array."""

    goes: Callable[[Value], bool]
    creates: bool = False

    def apply(self, value: Value, document: Object) -> Value:
        """The elements that stay."""
        if value is MISSING:
            return value
        if value.__class__ is not tuple:
            raise NoDocument(f"pull needs an array, and there is a value of type {name_of(value)}")
        left = tuple([it for it in value if not self.goes(it)])
        return value if len(left) == len(value) else left


@dataclass(frozen=True, slots=True)
class Take:
    """The field gets the value of another one."""

    source: Path
    creates: bool = True

    def apply(self, value: Value, document: Object) -> Value:
        """The other's value, if there is one."""
        found = _source(document, self.source)
        return value if found is MISSING else found


@dataclass(slots=True)
class _Branch:
    """What is done below one part of a path."""

    members: dict[str, _Branch | Action] = field(default_factory=dict)

    @property
    def creates(self) -> bool:
        return any(it.creates for it in self.members.values())


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes of an update, for documents that are there, and for one that is made because none was."""

    root: _Branch
    takes: tuple[tuple[Path, Path], ...]

    def apply(self, document: Object) -> Object:
        """The changed document; the same object if nothing changes.

        Raises:
            NoDocument: it cannot be changed so.
        """
        for source, target in self.takes:
            _check_rename(document, source, target)
        root = self.root
        if self.takes:
            root = _without(root, document, self.takes)
        return _apply_to_object(root, document, document)


def read(update: Update, *, inserting: bool = False) -> Changes:
    """The changes that an update asks for.

    Args:
        update: the update.
        inserting: whether they are for a document that is made because none was there.

    Raises:
        ValidationError: it asks for none, contradicts itself or cannot be understood.
    """
    texts = (update.set, update.increment, update.push, update.pull, update.set_on_insert)
    return _kept(
        tuple([None if it is None else it.text for it in texts]),
        tuple(update.unset),
        tuple(update.rename.items()),
        inserting=inserting,
    )


@lru_cache(_KEPT)
def _kept(
    texts: tuple[str | None, ...],
    unset: tuple[str, ...],
    rename: tuple[tuple[str, str], ...],
    *,
    inserting: bool,
) -> Changes:
    root = _Branch()
    count = 0
    for (name, maker, when), text in zip(_PARTS, texts, strict=True):
        content = {} if text is None else Json.from_text(text).plain
        count += len(content)
        for path, raw in content.items():
            action = reading(f"update.{name}", partial(maker, raw))
            shown = action if inserting or not when else _NOTHING
            reading(f"update.{name}", partial(_add, root, path, shown))
    for path in unset:
        reading("update.unset", partial(_add, root, path, Drop()))
    takes = []
    for old, new in rename:
        takes.append(reading("update.rename", partial(_rename, root, old, new)))
    if not count + len(unset) + len(rename):
        return reading("update", _no_changes)
    return Changes(root, tuple(takes))


def _no_changes() -> Changes:
    raise NoDocument("at least one change")


def _rename(root: _Branch, old: str, new: str) -> tuple[Path, Path]:
    source, target = parts(old), parts(new)
    _add(root, old, Drop())
    _add(root, new, Take(source))
    return source, target


def _add(root: _Branch, path: str, action: Action) -> None:
    steps = parts(path)
    for step in steps:
        if step[0] == "$":
            raise NoDocument("no part of a path begins with a dollar")
    branch = root
    for step in steps[:-1]:
        below = branch.members.setdefault(step, _Branch())
        if not isinstance(below, _Branch):
            raise _conflict(path)
        branch = below
    if steps[-1] in branch.members:
        raise _conflict(path)
    branch.members[steps[-1]] = action


def _conflict(path: str) -> NoDocument:
    return NoDocument(f"{path[:100]!r} is changed twice, or together with a part of it")


@dataclass(frozen=True, slots=True)
class _Nothing:
    """The field is spoken for, and stays."""

    creates: bool = False

    def apply(self, value: Value, document: Object) -> Value:
        return value


_NOTHING: Final = _Nothing()


def _increment(raw: Raw) -> Action:
    amount = parse(raw)
    if not is_number(amount):
        raise NoDocument("increment takes numbers")
    return Add(amount)


_PARTS: Final[tuple[tuple[str, Callable[[Raw], Action], bool], ...]] = (
    ("set", lambda raw: Put(parse(raw)), False),
    ("increment", _increment, False),
    ("push", push_of, False),
    ("pull", lambda raw: Pull(pulled(raw)), False),
    ("set_on_insert", lambda raw: Put(parse(raw)), True),
)
"""The parts of an update: name, what makes an action of a value, whether it is for inserts alone."""


# --- applying


def _apply(node: _Branch | Action, value: Value, document: Object) -> Value:
    if not isinstance(node, _Branch):
        return node.apply(value, document)
    if value.__class__ is dict:
        return _apply_to_object(node, value, document)
    if value.__class__ is tuple:
        return _apply_to_array(node, value, document)
    if not node.creates:
        return value
    if value is MISSING:
        return _apply_to_object(node, {}, document)
    raise NoDocument(f"a field cannot be created in a value of type {name_of(value)}")


def _apply_to_object(node: _Branch, value: Object, document: Object) -> Object:
    changed: Object | None = None
    for name in sorted(node.members, key=_name_order):
        before = value.get(name, MISSING)
        after = _apply(node.members[name], before, document)
        if after is before:
            continue
        if changed is None:
            changed = dict(value)
        if after is MISSING:
            del changed[name]
        else:
            changed[name] = after
    return value if changed is None else changed


def _apply_to_array(node: _Branch, value: tuple[Value, ...], document: Object) -> tuple[Value, ...]:
    changed: list[Value] | None = None
    for name in sorted(node.members, key=_name_order):
        below = node.members[name]
        if not is_place(name):
            if below.creates:
                raise NoDocument(f"{name[:100]!r} is no place in an array")
            continue
        place = int(name)
        now = value if changed is None else changed
        before = now[place] if place < len(now) else MISSING
        after = _apply(below, before, document)
        if after is before:
            continue
        changed = list(now)
        if place >= len(changed):
            if place - len(changed) > _MAX_PADDING:
                raise NoDocument(f"at most {_MAX_PADDING} places beyond the end of an array")
            changed += [None] * (place + 1 - len(changed))
        changed[place] = None if after is MISSING else after
    return value if changed is None else tuple(changed)


def _name_order(name: str) -> tuple[int, int, str]:
    """Numbers in their order, then names in theirs."""
    return (0, int(name), "") if is_place(name) else (1, 0, name)


def _source(document: Object, path: Path) -> Value:
    value: Value = document
    for part in path:
        if value.__class__ is not dict:
            return MISSING
        value = value.get(part, MISSING)
    return value


def _check_rename(document: Object, source: Path, target: Path) -> None:
    """Refuses to rename into or out of arrays, and what lies in a value that holds nothing."""
    holder, arrays = _led(document, source[:-1])
    found, _ = _led({"": holder}, ("", source[-1]))
    if found is not MISSING and (arrays or _led(document, target[:-1])[1]):
        raise NoDocument("rename leads through no array")


def _led(document: Object, path: Path) -> tuple[Value, bool]:
    """What lies at a path, and whether it leads through an array or ends at one that holds the next part."""
    value: Value = document
    arrays = False
    for part in path:
        if isinstance(value, tuple) and is_place(part):
            arrays = True
            value = value[int(part)] if int(part) < len(value) else MISSING
        elif isinstance(value, dict):
            value = value.get(part, MISSING)
        elif value is not MISSING:
            raise NoDocument(f"there is no {part[:100]!r} in a value of type {name_of(value)}")
    return value, arrays or value.__class__ is tuple


def _without(root: _Branch, document: Object, takes: tuple[tuple[Path, Path], ...]) -> _Branch:
    """The tree without the renames of what is not there, for which nothing is created."""
    gone = {target for source, target in takes if _source(document, source) is MISSING}
    return _pruned(root, gone, ()) if gone else root


def _pruned(branch: _Branch, gone: set[Path], here: Path) -> _Branch:
    left: dict[str, _Branch | Action] = {}
    for name, below in branch.members.items():
        path = (*here, name)
        if isinstance(below, _Branch):
            left[name] = _pruned(below, gone, path)
        elif path not in gone:
            left[name] = below
    return _Branch(left)
