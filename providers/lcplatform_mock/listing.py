"""Keys in their order, and the pages of a listing over them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from lcplatform_runtime.errors import invalid


class SortedKeys:
    """Keys in the order of their UTF-8 bytes, which is the order of their code points, so that of Python's strings.

    Adding and discarding costs the same however many there are: the order is made up when somebody asks for it.
    """

    __slots__ = ("_gone", "_keys", "_new")

    def __init__(self) -> None:
        self._keys: list[str] = []
        self._new: list[str] = []
        self._gone: set[str] = set()

    def add(self, key: str) -> None:
        """Takes a key that is not there."""
        if key in self._gone:
            self._gone.remove(key)
        else:
            self._new.append(key)

    def discard(self, key: str) -> None:
        """Drops a key that is there."""
        self._gone.add(key)

    def ordered(self) -> Sequence[str]:
        """All keys in their order. Not to be changed, and good until the next change."""
        if self._new:
            self._keys += self._new
            self._keys.sort()
            self._new = []
        if self._gone:
            self._keys = [key for key in self._keys if key not in self._gone]
            self._gone = set()
        return self._keys


class Page(NamedTuple):
    """A page of a listing: keys, what others have in common, and where the next page starts, empty on the last."""

    keys: Sequence[str]
    prefixes: Sequence[str]
    token: str


def page_of(
    keys: Sequence[str], *, prefix: str, delimiter: str, start_after: str, size: int, token: str
) -> Page:
    """The page of `keys`, which are in order, that `token` names, or the first one after `start_after`."""
    start = bisect_left(keys, prefix)
    if start_after:
        start = max(start, bisect_right(keys, start_after))
    if token:
        start = max(start, _resumed(keys, token))
    end = _beyond(keys, prefix, start)
    if not delimiter:
        page = keys[start : min(start + size, end)]
        return Page(page, (), f"k{page[-1]}" if start + size < end else "")
    return _rolled_up(keys, start, end, prefix, delimiter, size)


def _rolled_up(
    keys: Sequence[str], start: int, end: int, prefix: str, delimiter: str, size: int
) -> Page:
    found: list[str] = []
    prefixes: list[str] = []
    token = ""
    while start < end:
        if len(found) + len(prefixes) == size:
            return Page(found, prefixes, token)
        key = keys[start]
        cut = key.find(delimiter, len(prefix))
        if cut < 0:
            found.append(key)
            token = f"k{key}"
            start += 1
        else:
            common = key[: cut + len(delimiter)]
            prefixes.append(common)
            token = f"p{common}"
            start = _beyond(keys, common, start)
    return Page(found, prefixes, "")


def _resumed(keys: Sequence[str], token: str) -> int:
    """Where the keys begin that come after the last entry of a page: after a key, or after all that share a prefix."""
    match token[:1]:
        case "k":
            return bisect_right(keys, token[1:])
        case "p":
            return _beyond(keys, token[1:], bisect_left(keys, token[1:]))
        case _:
            raise invalid("page_token", "the next_page_token of this very request")


def _beyond(keys: Sequence[str], prefix: str, start: int) -> int:
    """Where, from `start` on, the keys end that begin with `prefix`."""
    length = len(prefix)
    return bisect_right(keys, prefix, lo=start, key=lambda key: key[:length])


def names_page(names: Sequence[str], prefix: str, size: int, token: str) -> tuple[list[str], str]:
    """A page of names in order, after the one that `token` names, and the token of the next page, empty on the last."""
    start = bisect_right(names, token) if token else bisect_left(names, prefix)
    end = _beyond(names, prefix, start)
    page = list(names[start : min(start + size, end)])
    return page, page[-1] if page and start + size < end else ""
