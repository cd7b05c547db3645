"""Crockford base32 of fixed width, strict: one text for one number, so that every changed character is noticed.

Knows nothing of what the number means. Source: Douglas Crockford, *Base 32* (alphabet without I, L, O, U).
"""

from __future__ import annotations

from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALLOWED: Final = frozenset(ALPHABET)
_PYTHON_DIGITS: Final = str.maketrans(ALPHABET, "0123456789abcdefghijklmnopqrstuv")
"""The digits `int` reads in base 32."""


class NotCrockford(ValueError):
    """The text holds a character outside the alphabet (lower case and look-alikes included)."""


def encode(number: int, characters: int) -> str:
    """`number` (0 ≤ number < 32**characters) as exactly `characters` characters.

    Raises ValueError when the number does not fit.
    """
    if not 0 <= number < 1 << (5 * characters):
        message = f"{number} does not fit in {characters} base32 characters"
        raise ValueError(message)
    return "".join(ALPHABET[(number >> (5 * place)) & 31] for place in range(characters - 1, -1, -1))


def decode(text: str) -> int:
    """The number that `text` spells. Raises NotCrockford."""
    if not _ALLOWED.issuperset(text):
        stranger = next(character for character in text if character not in _ALLOWED)
        message = f"{stranger!r} is not a base32 character"
        raise NotCrockford(message)
    return int(text.translate(_PYTHON_DIGITS) or "0", 32)
