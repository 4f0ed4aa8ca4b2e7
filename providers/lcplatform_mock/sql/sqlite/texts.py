"""Functions of text and bytes, with the rules of PostgreSQL at their edges."""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, b64encode
from binascii import Error
from functools import lru_cache
from typing import Final

from lcplatform_runtime.sql.refusals import refused
from lcplatform_runtime.sql.words import unsupported
from lcplatform_runtime.sqlstate import failure

_LONGEST: Final = 2**28


def upper(text: str) -> str:
    """In capital letters. One letter stays one, as in the locale C.UTF-8."""
    return text.upper() if text.isascii() else "".join(map(_capital, text))


def lower(text: str) -> str:
    """In small letters."""
    return text.lower() if text.isascii() else "".join(map(_small, text))


def _capital(letter: str) -> str:
    other = letter.upper()
    return other if len(other) == 1 else letter


def _small(letter: str) -> str:
    other = letter.lower()
    return other if len(other) == 1 else letter


def octets(text: str) -> int:
    """How many bytes it has."""
    return len(text.encode())


def substring(text: str, start: int, length: int | None = None) -> str:
    """A part, counted from 1. What lies outside of the text is not there."""
    if length is None:
        return text[max(0, start - 1) :]
    if length < 0:
        raise refused("22011")
    end = start + length
    return text[max(0, start - 1) : max(0, end - 1)]


def left(text: str, count: int) -> str:
    """The first characters, or all but the last."""
    return text[:count] if count >= 0 else text[: max(0, len(text) + count)]


def right(text: str, count: int) -> str:
    """The last characters, or all but the first."""
    if count == 0:
        return ""
    return text[-count:]


def trim(text: str, letters: str) -> str:
    """Without these characters at both ends."""
    return text.strip(letters) if letters else text


def trim_left(text: str, letters: str) -> str:
    """Without these characters at the beginning."""
    return text.lstrip(letters) if letters else text


def trim_right(text: str, letters: str) -> str:
    """Without these characters at the end."""
    return text.rstrip(letters) if letters else text


def position(text: str, part: str) -> int:
    """Where a part begins, counted from 1; 0 if it is not there."""
    return text.find(part) + 1


def replace(text: str, old: str, new: str) -> str:
    """With one part in place of another."""
    return text.replace(old, new) if old else text


def repeat(text: str, times: int) -> str:
    """So many times."""
    if times > 0 and len(text) * times > _LONGEST:
        raise failure("54000", "the result is too long")
    return text * max(0, times)


def reverse(text: str) -> str:
    """Backwards."""
    return text[::-1]


def split_part(text: str, separator: str, number: int) -> str:
    """The so many-th part between separators, from the end if it is negative."""
    if number == 0:
        raise refused("22023")
    parts = text.split(separator) if separator else [text]
    place = number - 1 if number > 0 else len(parts) + number
    return parts[place] if 0 <= place < len(parts) else ""


def pad_left(text: str, length: int, filler: str = " ") -> str:
    """So long, filled at the beginning or cut at the end."""
    missing = length - len(text)
    if missing <= 0 or not filler:
        return text[: max(0, length)]
    return (filler * (missing // len(filler) + 1))[:missing] + text


def pad_right(text: str, length: int, filler: str = " ") -> str:
    """So long, filled or cut at the end."""
    missing = length - len(text)
    if missing <= 0 or not filler:
        return text[: max(0, length)]
    return text + (filler * (missing // len(filler) + 1))[:missing]


def starts_with(text: str, prefix: str) -> int:
    """Whether it begins so."""
    return int(text.startswith(prefix))


def ascii_of(text: str) -> int:
    """The number of the first character; 0 if there is none."""
    return ord(text[0]) if text else 0


def character(number: int) -> str:
    """The character of that number."""
    if number == 0:
        raise failure("54000", "the null character is none of a text")
    if not 0 < number <= 0x10FFFF or 0xD800 <= number < 0xE000:
        raise failure("54000", "there is no character of that number")
    return chr(number)


def capitalised(text: str) -> str:
    """With a capital letter at the beginning of each word."""
    result: list[str] = []
    inside = False
    for letter in text:
        result.append(_small(letter) if inside else _capital(letter))
        inside = letter.isalnum()
    return "".join(result)


def translated(text: str, old: str, new: str) -> str:
    """With each of some characters replaced by its counterpart, or dropped."""
    table: dict[int, str | None] = {}
    for index, letter in enumerate(old):
        table.setdefault(ord(letter), new[index] if index < len(new) else None)
    return text.translate(table)


def md5(text: str) -> str:
    """The MD5 of the text, in hexadecimal."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def bytes_md5(data: bytes) -> str:
    """The MD5 of bytes."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def sha256(data: bytes) -> bytes:
    """The SHA-256 of bytes."""
    return hashlib.sha256(data).digest()


def bounded(text: str, length: int) -> str:
    """Text as a column of that length takes it: only spaces may be cut off."""
    if len(text) <= length:
        return text
    if text[length:].strip(" "):
        raise refused("22001")
    return text[:length]


# --- patterns


def like(text: str, pattern: str, escape: str = "\\") -> int:
    """Whether the whole text is as the pattern says: `%` is any text, `_` any character."""
    return _matches(_pattern(pattern, escape), text)


def ilike(text: str, pattern: str, escape: str = "\\") -> int:
    """The same, whatever the case of letters."""
    return _matches(_pattern(lower(pattern), lower(escape)), lower(text))


def _matches(pattern: re.Pattern[str], text: str) -> int:
    if "unfinished" not in pattern.groupindex:
        return int(pattern.fullmatch(text) is not None)
    if pattern.match(text) is not None:
        # An escape character with nothing behind it is an error only where text is left for it.
        raise refused("22025")
    return 0


@lru_cache(maxsize=512)
def _pattern(pattern: str, escape: str) -> re.Pattern[str]:
    if len(escape) > 1:
        raise refused("22025")
    parts: list[str] = []
    letters = iter(pattern)
    for letter in letters:
        if letter == escape:
            literal = next(letters, None)
            parts.append("(?P<unfinished>.)" if literal is None else re.escape(literal))
        else:
            parts.append({"%": ".*", "_": "."}.get(letter) or re.escape(letter))
    return re.compile("".join(parts), re.DOTALL)


# --- bytes


def encode(data: bytes, form: str) -> str:
    """Bytes as text, in base64 or hexadecimal."""
    if form == "hex":
        return data.hex()
    if form == "base64":  # in lines of 76 characters
        text = b64encode(data).decode()
        return "\n".join(text[start : start + 76] for start in range(0, len(text), 76))
    raise unsupported(f"encode to {form}")


def decode(text: str, form: str) -> bytes:
    """The bytes that a text says."""
    try:
        if form == "hex":
            return bytes.fromhex(text)
        if form == "base64":
            return b64decode("".join(text.split()), validate=True)
    except (ValueError, Error):
        raise refused("22023") from None
    raise unsupported(f"decode from {form}")


def part_of_bytes(data: bytes, start: int, length: int | None = None) -> bytes:
    """A part of bytes, counted from 1."""
    if length is None:
        return data[max(0, start - 1) :]
    if length < 0:
        raise refused("22011")
    return data[max(0, start - 1) : max(0, start + length - 1)]


def write_bytes(data: bytes) -> str:
    """Bytes as text."""
    return f"\\x{data.hex()}"


def read_bytes(text: str) -> bytes:
    """The bytes that a text says, in hexadecimal."""
    if not text.startswith("\\x"):
        if "\\" in text:
            raise unsupported("the escape form of bytea", "write it as \\x…")
        return text.encode()
    try:
        return bytes.fromhex(text[2:])
    except ValueError:
        raise refused("22023") from None
