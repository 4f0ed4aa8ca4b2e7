"""Arithmetic as PostgreSQL does it, on what is stored: integers, floating-point numbers, and exact numbers as their digits."""

from __future__ import annotations

import math
import struct
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from typing import Final

from lcplatform_runtime.sql.refusals import refused

# Exact: no number of the database has as many digits.
_EXACT: Final = Context(prec=300_000, Emax=400_000, Emin=-400_000, traps=[])
_MOST_DIGITS: Final = 131_072
_MOST_SCALE: Final = 16_383


def exact(text: str) -> Decimal:
    """The number that is stored as `text`."""
    return Decimal(text)


def stored(number: Decimal) -> str:
    """An exact number as it is stored, which is how the database writes it."""
    if not number.is_finite():
        return "NaN" if number.is_nan() else ("Infinity" if number > 0 else "-Infinity")
    if number.adjusted() >= _MOST_DIGITS:
        raise refused("22003")
    text = format(number, "f")
    return text[1:] if text.startswith("-") and not number else text


def scale_of(number: Decimal) -> int:
    """How many digits are shown after the point."""
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _scaled(number: Decimal, scale: int, rounding: str = ROUND_HALF_UP) -> Decimal:
    """The number with so many digits after the point. Halves are rounded away from zero."""
    if not number.is_finite():
        return number
    return number.quantize(Decimal(1).scaleb(-scale), rounding=rounding, context=_EXACT)


# --- exact numbers


def add(left: str, right: str) -> str:
    """Their sum."""
    return stored(_EXACT.add(exact(left), exact(right)))


def subtract(left: str, right: str) -> str:
    """Their difference."""
    return stored(_EXACT.subtract(exact(left), exact(right)))


def multiply(left: str, right: str) -> str:
    """Their product."""
    product = _EXACT.multiply(exact(left), exact(right))
    return stored(_scaled(product, min(scale_of(product), _MOST_SCALE)))


def divide(left: str, right: str) -> str:
    """Their quotient, with at least sixteen significant digits."""
    return stored(quotient(exact(left), exact(right)))


def quotient(dividend: Decimal, divisor: Decimal) -> Decimal:
    """The quotient with the digits that the database gives it (`select_div_scale` of its numeric.c)."""
    if divisor.is_nan() or dividend.is_nan():
        return Decimal("NaN")
    if not divisor:
        raise refused("22012")
    if not dividend.is_finite() or not divisor.is_finite():
        return _EXACT.divide(dividend, divisor)
    weight, first = _leading(dividend)
    other_weight, other_first = _leading(divisor)
    weight -= other_weight + (1 if first <= other_first else 0)
    scale = max(16 - weight * 4, scale_of(dividend), scale_of(divisor), 0)
    scale = min(scale, 1000)
    # One digit more than is asked for, cut off, so that rounding it once is right.
    whole = Context(prec=max(1, dividend.adjusted() - divisor.adjusted() + scale + 3), traps=[])
    whole.rounding = ROUND_DOWN
    rough = whole.divide(dividend, divisor)
    return _scaled(rough, scale)


def _leading(number: Decimal) -> tuple[int, int]:
    """The weight and the value of the first digit in the base of 10,000 in which the database counts."""
    if not number:
        return 0, 0
    weight = number.adjusted() // 4
    first = abs(number).scaleb(-weight * 4, context=_EXACT)
    return weight, int(first)


def modulo(left: str, right: str) -> str:
    """What is left of a division, with the sign of the dividend."""
    divisor = exact(right)
    if divisor.is_finite() and not divisor:
        raise refused("22012")
    dividend = exact(left)
    result = _EXACT.remainder(dividend, divisor)
    return stored(_scaled(result, max(scale_of(dividend), scale_of(divisor))))


def negate(number: str) -> str:
    """The number with the other sign."""
    return stored(_EXACT.minus(exact(number)))


def absolute(number: str) -> str:
    """The number without its sign."""
    return stored(abs(exact(number)))


def sign(number: str) -> str:
    """-1, 0 or 1."""
    value = exact(number)
    return "NaN" if value.is_nan() else str((value > 0) - (value < 0))


def round_to(number: str, digits: int) -> str:
    """The number with so many digits after the point, or before it if that is negative."""
    return _cut(number, digits, ROUND_HALF_UP)


def truncate(number: str, digits: int) -> str:
    """The same without rounding."""
    return _cut(number, digits, ROUND_DOWN)


def _cut(number: str, digits: int, rounding: str) -> str:
    value = exact(number)
    if not value.is_finite():
        return number
    digits = max(-_MOST_DIGITS, min(digits, _MOST_SCALE))
    return stored(_scaled(_scaled(value, digits, rounding), max(0, digits)))


def ceiling(number: str) -> str:
    """The least whole number that is not less."""
    return stored(_scaled(exact(number), 0, ROUND_CEILING))


def floor(number: str) -> str:
    """The greatest whole number that is not greater."""
    return stored(_scaled(exact(number), 0, ROUND_FLOOR))


def fit(number: str, precision: int, scale: int) -> str:
    """The number as numeric(precision, scale) holds it."""
    value = exact(number)
    if value.is_nan():
        return number
    if not value.is_finite():
        raise refused("22003")
    rounded = _scaled(value, scale)
    if rounded and rounded.adjusted() >= precision - scale:
        raise refused("22003")
    return stored(rounded)


def to_integer(number: str, low: int, high: int) -> int:
    """The nearest whole number, within a range."""
    value = exact(number)
    if not value.is_finite():
        raise refused("22003" if value.is_nan() is False else "0A000")
    return within(int(_scaled(value, 0)), low, high)


def to_float(number: str) -> float:
    """The nearest floating-point number."""
    value = exact(number)
    result = float(value)
    if math.isinf(result) and value.is_finite():
        raise refused("22003")
    return checked(result)


# --- integers


def within(number: float, low: int, high: int) -> int:
    """An integer, if it is in the range. SQLite makes a floating-point number of one that is too large for it."""
    if not isinstance(number, int) or not low <= number <= high:
        raise refused("22003")
    return number


def integer_add(left: int, right: int, low: int, high: int) -> int:
    """Their sum."""
    return within(left + right, low, high)


def integer_subtract(left: int, right: int, low: int, high: int) -> int:
    """Their difference."""
    return within(left - right, low, high)


def integer_multiply(left: int, right: int, low: int, high: int) -> int:
    """Their product."""
    return within(left * right, low, high)


def integer_divide(left: int, right: int, low: int, high: int) -> int:
    """Their quotient, cut off towards zero."""
    if not right:
        raise refused("22012")
    result = abs(left) // abs(right)
    return within(result if (left < 0) == (right < 0) else -result, low, high)


def integer_modulo(left: int, right: int) -> int:
    """What is left of a division, with the sign of the dividend."""
    if not right:
        raise refused("22012")
    result = abs(left) % abs(right)
    return -result if left < 0 else result


# --- floating-point numbers


def checked(number: float) -> float:
    """A number that SQLite can store. It makes null of what is not a number."""
    if math.isnan(number):
        raise refused("0A000")
    return number


def _finite(number: float, *of: float) -> float:
    """A result that overflows is refused, unless it came of an infinity."""
    if math.isinf(number) and not any(map(math.isinf, of)):
        raise refused("22003")
    return checked(number)


def float_add(left: float, right: float) -> float:
    """Their sum."""
    return _finite(left + right, left, right)


def float_subtract(left: float, right: float) -> float:
    """Their difference."""
    return _finite(left - right, left, right)


def float_multiply(left: float, right: float) -> float:
    """Their product."""
    result = left * right
    if not result and left and right:
        raise refused("22003")
    return _finite(result, left, right)


def float_divide(left: float, right: float) -> float:
    """Their quotient."""
    if not right:
        raise refused("22012")
    result = left / right
    if not result and left and not math.isinf(right):
        raise refused("22003")
    return _finite(result, left)


def single(number: float) -> float:
    """The nearest number of single precision."""
    if math.isinf(number):
        return number
    try:
        (result,) = struct.unpack("f", struct.pack("f", number))
    except OverflowError:
        raise refused("22003") from None
    if not result and number:
        raise refused("22003")
    return float(result)


def float_to_integer(number: float, low: int, high: int) -> int:
    """The nearest whole number, of two the even one."""
    if math.isinf(number):
        raise refused("22003")
    return within(round(number), low, high)


def float_to_exact(number: float, digits: int) -> str:
    """An exact number of so many significant digits."""
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return stored(Decimal(f"{number:.{digits}g}"))


def power(base: float, exponent: float) -> float:
    """A power."""
    if not base and exponent < 0:
        raise refused("2201F")
    if base < 0 and exponent != int(exponent):
        raise refused("2201F")
    try:
        return _finite(math.pow(base, exponent), base, exponent)
    except OverflowError:
        raise refused("22003") from None


def square_root(number: float) -> float:
    """The square root."""
    if number < 0:
        raise refused("2201F")
    return math.sqrt(number)


def float_round(number: float) -> float:
    """The nearest whole number, of two the even one."""
    return number if math.isinf(number) else math.copysign(round(number), number)


def float_text(number: float) -> str:
    """The shortest digits that make the same number, as the database writes them."""
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return _shortest(repr(number))


def single_text(number: float) -> str:
    """The same for a number of single precision."""
    if math.isinf(number):
        return float_text(number)
    for digits in range(1, 10):
        text = f"{number:.{digits}g}"
        if single(float(text)) == number:
            return _shortest(text, 6)
    return _shortest(repr(number), 6)


def _shortest(text: str, plain_digits: int = 15) -> str:
    """Digits in the notation of the database: plain from 0.0001 up to so many digits before the point."""
    value = Decimal(text)
    if not value:
        return "-0" if value.is_signed() else "0"
    mark, digits, _ = value.as_tuple()
    significant = "".join(map(str, digits)).rstrip("0") or "0"
    exponent = value.adjusted()
    minus = "-" if mark else ""
    if -5 < exponent < plain_digits:
        plain = format(value, "f")
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    fraction = f".{significant[1:]}" if len(significant) > 1 else ""
    return f"{minus}{significant[0]}{fraction}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def compare(left: str, right: str) -> int:
    """The order of exact numbers. NaN is equal to itself and greater than any other."""
    if left == right:
        return 0
    one, other = exact(left), exact(right)
    if one.is_nan() or other.is_nan():
        return int(one.is_nan()) - int(other.is_nan())
    return (one > other) - (one < other)
