"""Models and mappings that are made once and handed out again and again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn, ParamSpec, Self, TypeVar, cast

from pydantic import BaseModel
from typing_extensions import override

P = ParamSpec("P")
M = TypeVar("M", bound=BaseModel)
V = TypeVar("V")

# Faster than `object.__setattr__`, which looks for these first.
_put_fields, _put_extra, _put_private = (
    getattr(BaseModel, f"__pydantic_{slot}__").__set__
    for slot in ("fields_set", "extra", "private")
)


def trusted(model: Callable[P, M]) -> Callable[P, M]:
    """Makes instances of `model` without validating: only for values that come from the mock itself. Three times as fast
    for a model of ten fields."""
    assert isinstance(model, type)
    assert issubclass(model, BaseModel)
    fields = model.model_fields
    blank: dict[str, Any] = {  # of any type, as the fields are
        name: None if field.is_required() else field.get_default() for name, field in fields.items()
    }
    given = set(fields)
    new = object.__new__

    def make(**values: Any) -> Any:  # checked by the signature of `model`
        made: Any = new(model)
        state = made.__dict__
        state |= blank
        state |= values
        _put_fields(made, given)
        _put_extra(made, None)
        _put_private(made, None)
        return made

    return cast("Callable[P, M]", make)  # it is given what the signature of `model` lets pass


def trusted_value(model: Callable[P, M], field: str, of: type[V]) -> Callable[[V], M]:
    """The same for a model of one field, which is all that it is made from: for those that are made by the thousand."""
    assert isinstance(model, type)
    assert issubclass(model, BaseModel)
    given = {field}
    assert set(model.model_fields) == given
    del of  # tells type checkers alone
    new = object.__new__

    def make(value: V) -> Any:  # of the model
        made: Any = new(model)
        made.__dict__[field] = value
        _put_fields(made, given)
        _put_extra(made, None)
        _put_private(made, None)
        return made

    return cast("Callable[[V], M]", make)


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
