"""Reckoning with the numbers and times of documents: what type comes of which types."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from lcplatform_runtime.documents.extended_json import DECIMALS, INT32, INT64, NoDocument
from lcplatform_runtime.documents.values import Int64, Moment, Value, is_number, name_of


def total(one: Value, other: Value) -> Value:
    """The sum of two numbers, of the type that holds it: integers grow to 64 bits, a decimal wins over a double.

    Raises:
        NoDocument: it is larger than 64 bits hold.
    """
    kinds = {one.__class__, other.__class__}
    if Decimal in kinds:
        return DECIMALS.add(as_decimal(one), as_decimal(other))
    if float in kinds:
        return float(one) + float(other)
    return whole(int(one) + int(other), wide=Int64 in kinds)


def growing_total(one: Value, other: Value) -> Value:
    """As `total`, but what is larger than 64 bits hold becomes a double, as in pipelines."""
    try:
        return total(one, other)
    except NoDocument:
        return float(one) + float(other)


def product(one: Value, other: Value) -> Value:
    """The product of two numbers. What is larger than 64 bits hold becomes a double."""
    kinds = {one.__class__, other.__class__}
    if Decimal in kinds:
        return DECIMALS.multiply(as_decimal(one), as_decimal(other))
    if float in kinds:
        return float(one) * float(other)
    try:
        return whole(int(one) * int(other), wide=Int64 in kinds)
    except NoDocument:
        return float(one) * float(other)


def difference(one: Value, other: Value) -> Value:
    """The difference of two numbers; of two times in milliseconds; of a time and so many milliseconds."""
    if one.__class__ is Moment and other.__class__ is Moment:
        return Int64(one.milliseconds - other.milliseconds)
    if one.__class__ is Moment:
        return moved(one, negative(number(other, "$subtract")))
    return growing_total(number(one, "$subtract"), negative(number(other, "$subtract")))


def negative(value: Value) -> Value:
    """The number with the other sign."""
    if isinstance(value, Decimal):
        return DECIMALS.minus(value)
    return -value if isinstance(value, float) else whole(-int(value), wide=value.__class__ is Int64)


def moved(moment: Moment, by: Value) -> Moment:
    """A time so many milliseconds later."""
    try:
        later = moment.milliseconds + round(by)
    except (ArithmeticError, ValueError):
        later = 2**63
    if later not in INT64:
        raise NoDocument("a time that 64 bits hold")
    return Moment(later)


def quotient(one: Value, other: Value) -> Value:
    """The quotient of two numbers: a double, or a decimal if one of them is."""
    number(one, "$divide")
    if not number(other, "$divide"):
        raise NoDocument("$divide by zero")
    if Decimal in {one.__class__, other.__class__}:
        return DECIMALS.divide(as_decimal(one), as_decimal(other))
    return float(one) / float(other)


def remainder(one: Value, other: Value) -> Value:
    """What is left of a division, with the sign of what was divided."""
    number(one, "$mod")
    if not number(other, "$mod"):
        raise NoDocument("$mod by zero")
    kinds = {one.__class__, other.__class__}
    if Decimal in kinds:
        return DECIMALS.remainder(as_decimal(one), as_decimal(other))
    if float in kinds:
        return math.fmod(one, other) if math.isfinite(one) else math.nan
    left = abs(int(one)) % abs(int(other))
    return whole(-left if one < 0 else left, wide=Int64 in kinds)


def absolute(value: Value) -> Value:
    """The number without its sign."""
    number(value, "$abs")
    if isinstance(value, Decimal):
        return value.copy_abs()
    return (
        abs(value)
        if isinstance(value, float)
        else whole(abs(int(value)), wide=value.__class__ is Int64)
    )


def rounded(value: Value, *, up: bool) -> Value:
    """The next whole number, of the same type."""
    number(value, "$ceil" if up else "$floor")
    if isinstance(value, Decimal):
        if not value.is_finite():
            return value
        return value.to_integral_value(ROUND_CEILING if up else ROUND_FLOOR, DECIMALS)
    if isinstance(value, float):
        return (
            float(math.ceil(value) if up else math.floor(value)) if math.isfinite(value) else value
        )
    return value


def number(value: Value, name: str) -> Value:
    """A value that must be a number."""
    if not is_number(value):
        raise NoDocument(f"{name} takes numbers, not a value of type {name_of(value)}")
    return value


def whole(value: int, *, wide: bool) -> Value:
    """An integer of 64 bits if it is to be wide or must be, otherwise of 32."""
    if value in INT32 and not wide:
        return value
    if value in INT64:
        return Int64(value)
    raise NoDocument("the result is larger than 64 bits hold")


def as_decimal(value: Value) -> Decimal:
    """A number as a decimal. A double gets the 15 digits that it is sure of, zeros at their end among them."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, float):
        return DECIMALS.create_decimal(f"{value:.14e}" if value else str(int(value)))
    return Decimal(int(value))
