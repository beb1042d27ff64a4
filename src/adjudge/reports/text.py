"""Other people's text, made safe to show: no control characters, no overrides of the reading direction."""

from __future__ import annotations

import re
import unicodedata

from markupsafe import Markup, escape

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


def breakable(text: str) -> Markup:
    """The same text in HTML, free to break after the signs that join the words of a name (never in a number).

    >>> str(breakable("a_b/<c>"))
    'a_<wbr>b/<wbr>&lt;c&gt;'
    """
    pieces = re.split(r"(?<=\w[_/@:+=-])(?=\w|<)", clean(text))
    return Markup("<wbr>").join(escape(piece) for piece in pieces)


def coded(text: str) -> Markup:
    """The same text in HTML, with what stands between `backticks` set as code.

    >>> str(coded("Run `a < b`; a lone ` stays."))
    'Run <code>a &lt; b</code>; a lone ` stays.'
    """
    pieces = re.split(r"`([^`]+)`", clean(text))
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if i % 2 else escape(piece) for i, piece in enumerate(pieces)
    )


def _shown(character: str) -> str:
    if character in "\t\n\r":
        return " "
    hidden = ord(character) in _BIDI or unicodedata.category(character) in ("Cc", "Cs")
    return "\N{REPLACEMENT CHARACTER}" if hidden else character
