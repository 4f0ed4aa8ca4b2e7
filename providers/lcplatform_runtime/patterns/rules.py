"""Many patterns at once: which of them an event matches, in a time that hardly grows with their number.

Each conjunction of a pattern is filed under one of its fields, the one that tells it best from those that are there; whoever
is found there is checked for the rest of its fields. Where many share an entry, they are filed again under another field.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from lcplatform_runtime.patterns import plain
from lcplatform_runtime.patterns.checks import Check, Hits, check
from lcplatform_runtime.patterns.entries import Entries, Key, decided, keys_of, rank
from lcplatform_runtime.patterns.grammar import Conjunction, Field, Path, Pattern
from lcplatform_runtime.patterns.plain import Event
from lcplatform_runtime.patterns.probes import SPREAD, probe

K = TypeVar("K", bound=Hashable)

_MOST: Final = 4
"""With so many checks, the conjunctions of an entry are filed again by another field. A power of two."""


class Rules(Generic[K]):
    """Patterns by keys. Not for several threads at once."""

    def __init__(self) -> None:
        self._root = _Node(frozenset(), [])
        self._numbers: dict[K, int] = {}
        self._rules: dict[int, tuple[K, Pattern, list[_Filed]]] = {}
        self._next = 0

    def __len__(self) -> int:
        return len(self._rules)

    def add(self, key: K, pattern: Pattern) -> None:
        """Takes a pattern, in place of one of the same key."""
        self.discard(key)
        number = self._next
        self._next += 1
        filed = [_Filed(number, it) for it in pattern.conjunctions]
        self._numbers[key] = number
        self._rules[number] = (key, pattern, filed)
        for it in filed:
            self._root.file(it)

    def discard(self, key: K) -> None:
        """Drops a pattern, if it is there."""
        number = self._numbers.pop(key, None)
        if number is not None:
            for it in self._rules.pop(number)[2]:
                self._root.discard(it)

    def matching(self, event: Event) -> list[K]:
        """The keys of the patterns that the event matches, in the order in which they were added."""
        hits: Hits = []
        self._root.entry[0](event, hits)
        if not hits:
            return []
        rules = self._rules
        if len(hits) == 1 and hits[0] != SPREAD:
            return [rules[hits[0]][0]]
        hits.sort()
        if hits[0] != SPREAD:
            return [rules[it][0] for it in dict.fromkeys(hits)]
        found = dict.fromkeys(it for it in hits if it != SPREAD)
        return [rules[it][0] for it in found if plain.matches(rules[it][1], event)]


class _Filed:
    """One conjunction of a rule."""

    __slots__ = ("fields", "rule", "whole")

    def __init__(self, rule: int, whole: Conjunction) -> None:
        self.rule = rule
        self.whole = whole
        self.fields = [_Choice(it) for it in whole]

    def check(self, used: frozenset[Path]) -> Check:
        """What is called once these fields have been looked up."""
        left = [it.field for it in self.fields if it.field.path not in used or not it.decided]
        return check(self.rule, left, self.whole)


class _Choice:
    """A field under which a conjunction may be filed."""

    __slots__ = ("decided", "field", "keys", "rank")

    def __init__(self, asked: Field) -> None:
        self.field = asked
        self.keys: list[Key] = list(dict.fromkeys(keys_of(asked)))
        self.rank = rank(asked)
        self.decided = decided(asked)


@dataclass(slots=True)
class _Bucket:
    """Who is filed under one key: the conjunctions themselves, or a node in which they are filed again."""

    checks: list[Check]
    filed: list[_Filed] = field(default_factory=list)
    node: _Node | None = None


class _Node:
    """An index of conjunctions, all of which have matched in the fields that were used on the way to it."""

    def __init__(self, used: frozenset[Path], entry: list[Check]) -> None:
        """`entry` gets what is to be called: what looks fields up, once that is made."""
        self._used = used
        self.entry = entry
        entry[:] = [self._look]
        self._fields: dict[Path, Entries] = {}
        self._buckets: dict[tuple[Path, Key], _Bucket] = {}
        self._homes: dict[_Filed, _Choice | None] = {}
        self._rest = _Bucket([])

    def __len__(self) -> int:
        return len(self._homes)

    def _look(self, event: Event, hits: Hits) -> None:
        """Adds the rules that the event matches, and makes what does so from then on."""
        made = self.entry[0] = probe(self._fields, self._rest.checks)
        made(event, hits)

    def file(self, filed: _Filed) -> None:
        """Takes a conjunction."""
        choice = self._choice(filed)
        self._homes[filed] = choice
        if choice is None:
            if not self._rest.filed:
                self.entry[0] = self._look
            self._rest.filed.append(filed)
            self._rest.checks.append(filed.check(self._used))
            return
        used = self._used | {choice.field.path}
        made = filed.check(used)
        for key in choice.keys:
            bucket = self._bucket(choice.field.path, key)
            if bucket.node is not None:
                bucket.node.file(filed)
                continue
            bucket.filed.append(filed)
            bucket.checks.append(made)
            count = len(bucket.filed)
            if count >= _MOST and not count & (
                count - 1
            ):  # not for each one more that cannot be told apart
                _divide(bucket, used)

    def discard(self, filed: _Filed) -> None:
        """Drops a conjunction that is there."""
        choice = self._homes.pop(filed)
        if choice is None:
            _remove(self._rest, filed)
            return
        path = choice.field.path
        for key in choice.keys:
            bucket = self._buckets[path, key]
            if bucket.node is not None:
                bucket.node.discard(filed)
                empty = not len(bucket.node)
            else:
                _remove(bucket, filed)
                empty = not bucket.filed
            if empty:
                del self._buckets[path, key]
                self._fields[path].drop(key)

    def _choice(self, filed: _Filed) -> _Choice | None:
        """The field by which it is filed: one that tells well apart, that is looked up anyway, with little company."""
        free = [it for it in filed.fields if it.field.path not in self._used]
        if len(free) < 2:
            return free[0] if free else None
        return min(free, key=self._cost)

    def _cost(self, choice: _Choice) -> tuple[int, bool, int]:
        path = choice.field.path
        buckets = (self._buckets.get((path, key)) for key in choice.keys)
        load = max((len(it.checks) for it in buckets if it is not None), default=0)
        return choice.rank, path not in self._fields, load

    def _bucket(self, path: Path, key: Key) -> _Bucket:
        bucket = self._buckets.get((path, key))
        if bucket is None:
            entries = self._fields.get(path)
            if entries is None:
                entries = self._fields[path] = Entries()
            if key[0] not in entries.tables:
                self.entry[0] = self._look
            bucket = self._buckets[path, key] = _Bucket(entries.open(key))
        return bucket


def _divide(bucket: _Bucket, used: frozenset[Path]) -> None:
    """Files the conjunctions of a bucket again, in a node of their own, if they have fields left."""
    free = sum(any(it.field.path not in used for it in filed.fields) for filed in bucket.filed)
    if free * 2 < len(bucket.filed):
        return
    bucket.node = _Node(used, bucket.checks)
    for filed in bucket.filed:
        bucket.node.file(filed)
    bucket.filed.clear()


def _remove(bucket: _Bucket, filed: _Filed) -> None:
    place = bucket.filed.index(filed)
    del bucket.filed[place]
    del bucket.checks[place]
