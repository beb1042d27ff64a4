"""Other people's text, made safe to show: no control characters, no overrides of the reading direction."""

from __future__ import annotations

import unicodedata

_BIDI = {0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}


def clean(text: str) -> str:
    """The same text with every control character shown as "�" and line breaks as spaces.

    Escape sequences would otherwise reach the terminal, and direction overrides would garble what stands beside them.

    >>> clean("a\\x1b[31mb\\nc")
    'a�[31mb c'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character in "\t\n\r":
        return " "
    hidden = ord(character) in _BIDI or unicodedata.category(character) in ("Cc", "Cs")
    return "\N{REPLACEMENT CHARACTER}" if hidden else character
