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
    """The same text in HTML, with what stands between `backticks` set as code and --options kept in one piece.

    >>> str(coded("Run `a < b`; a lone ` stays."))
    'Run <code>a &lt; b</code>; a lone ` stays.'
    >>> str(coded("Give --draw."))
    'Give <span class="option">--draw</span>.'
    """
    return Markup("").join(_marked(piece) for piece in re.split(r"(`[^`]+`|(?<!\S)--\w[\w-]*)", clean(text)))


def _marked(piece: str) -> Markup:
    if len(piece) > 2 and piece[0] == piece[-1] == "`":
        return Markup("<code>{}</code>").format(piece[1:-1])
    if piece.startswith("--") and piece[2:3].isalnum():
        return Markup('<span class="option">{}</span>').format(piece)
    return escape(piece)


def _shown(character: str) -> str:
    if character in "\t\n\r":
        return " "
    hidden = ord(character) in _BIDI or unicodedata.category(character) in ("Cc", "Cs")
    return "\N{REPLACEMENT CHARACTER}" if hidden else character
