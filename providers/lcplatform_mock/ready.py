"""Mappings that are made once and handed out again and again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NoReturn, Self

from typing_extensions import override


class FrozenDict(dict[str, str]):
    """A dict that stays as it is, because everybody is given the same one. A copy of it can be changed."""

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("what a store handed out cannot be changed: copy it")

    if not TYPE_CHECKING:  # to type checkers it is a dict like any other, as the models say
        __setitem__ = __delitem__ = __ior__ = _refuse
        clear = pop = popitem = setdefault = update = _refuse

    @override
    def copy(self) -> dict[str, str]:
        return dict(self)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self

    @override
    def __reduce__(self) -> tuple[type[dict[str, str]], tuple[dict[str, str]]]:
        return dict, (dict(self),)


EMPTY: Final = FrozenDict()
"""The mapping of whoever has none."""


def frozen(values: Mapping[str, str]) -> FrozenDict:
    """A mapping with the same content that nobody changes any more."""
    return FrozenDict(values) if values else EMPTY
