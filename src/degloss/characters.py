"""One look-up per code point tells all that later stages ask about single characters.

`CLASSES` maps a code point to a small class number, `NORMAL` to the form n-grams are made of: lower case, one digit
for all, one quotation mark, one dash, one space. Both are plain tables, so that a whole batch of documents is
classified by one array index each. The tables are written down as ranges rather than asked from `unicodedata`:
they then stay the same under every Python, and with them every feature and every trained weight.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

TABLE_SIZE: Final = 0x20000
"""Code points from here on (rare Chinese characters, private use) share the last entry: look up by `mode="clip"`."""


class Char:
    """Classes of characters. The first three make words; the order is part of the feature version.

    Plain integers and no enumeration, for NumPy takes six times as long to compare an array with a member of one.
    """

    LOWER: Final = 0  # small letters, and letters of scripts without case
    UPPER: Final = 1
    DIGIT: Final = 2
    SPACE: Final = 3
    NEWLINE: Final = 4
    PERIOD: Final = 5
    COMMA: Final = 6
    EXCLAMATION: Final = 7
    QUESTION: Final = 8
    ELLIPSIS: Final = 9
    COLON: Final = 10
    SEMICOLON: Final = 11
    DASH: Final = 12
    QUOTE_LOW: Final = 13  # „ ‚  opens
    QUOTE_LEFT: Final = 14  # “ ‘  closes in German, opens in English
    QUOTE_RIGHT: Final = 15  # ”    closes
    QUOTE_STRAIGHT: Final = 16  # "
    QUOTE_ANGLE_RIGHT: Final = 17  # »    opens in Germany, closes in Switzerland
    QUOTE_ANGLE_LEFT: Final = 18  # «
    APOSTROPHE: Final = 19
    BRACKET_OPEN: Final = 20
    BRACKET_CLOSE: Final = 21
    SLASH: Final = 22
    AT: Final = 23
    HASH: Final = 24
    RULE: Final = 25  # what separator lines are drawn with, dashes apart
    BULLET: Final = 26
    EMOJI: Final = 27
    JOINER: Final = 28  # variation selectors, zero-width joiners, combining marks: never begin a sentence
    SYMBOL: Final = 29


CLASS_NAMES: Final = tuple(name.lower() for name in vars(Char) if name.isupper())
"""The names of the classes, in their order."""

WORD_CLASSES: Final = 3
"""Classes below this one make words."""

ALONE: Final = tuple(np.array(number, np.uint8) for number in range(len(CLASS_NAMES)))
"""Each class as an array without dimensions: NumPy does arithmetic with these in half the time that an integer or a
scalar takes, which it makes such an array of first. So it is with all constants of what is done for every document. And
an array is not unpacked into names, but indexed: an iteration over it ends with an exception, text and all."""

_LETTER_RANGES = ((0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x2AF), (0x370, 0x3FF), (0x400, 0x52F), (0x531, 0x587),
                  (0x5D0, 0x5EA), (0x620, 0x64A), (0x671, 0x6D3), (0x904, 0x939), (0xE01, 0xE30), (0x10A0, 0x10FF),
                  (0x1E00, 0x1FFF), (0x2C00, 0x2DFF), (0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
                  (0xA640, 0xA69F), (0xAC00, 0xD7A3), (0xF900, 0xFAFF), (0xFB00, 0xFB06),
                  (0x1D400, 0x1D7FF))  # fmt: skip
_EMOJI_RANGES = ((0x203C, 0x203C), (0x2049, 0x2049), (0x231A, 0x231B), (0x23E9, 0x23F3), (0x2600, 0x26FF),
                 (0x2700, 0x2712), (0x2716, 0x2728), (0x2733, 0x2794), (0x2795, 0x27BF), (0x2B05, 0x2B55),
                 (0x1F000, 0x1FAFF))  # fmt: skip
_JOINER_RANGES = ((0x300, 0x36F), (0x483, 0x489), (0x610, 0x61A), (0x64B, 0x65F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF),
                  (0x200B, 0x200D), (0x2060, 0x2060), (0x20D0, 0x20FF), (0xFE00, 0xFE0F), (0xFE20, 0xFE2F),
                  (0x1F3FB, 0x1F3FF))  # fmt: skip
# A carriage return counts as a space, so that CRLF is one line break; alone it is one, too (`encode`).
_SPACES = (0x20, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000, 0x09, 0x1F, 0x0D)
_NEWLINES = (0x0A, 0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x85, 0x2028, 0x2029)
_SINGLE = {
    Char.PERIOD: ".", Char.COMMA: ",", Char.EXCLAMATION: "!‼", Char.QUESTION: "?⁇⁈⁉", Char.ELLIPSIS: "…",
    Char.COLON: ":", Char.SEMICOLON: ";", Char.DASH: "-‐‑‒–—―−", Char.QUOTE_LOW: "„‚", Char.QUOTE_LEFT: "“‘‟",
    Char.QUOTE_RIGHT: "”", Char.QUOTE_STRAIGHT: '"＂', Char.QUOTE_ANGLE_RIGHT: "»›", Char.QUOTE_ANGLE_LEFT: "«‹",
    Char.APOSTROPHE: "'’`´", Char.BRACKET_OPEN: "([{", Char.BRACKET_CLOSE: ")]}", Char.SLASH: "/\\", Char.AT: "@",
    Char.HASH: "#", Char.RULE: "+=_*~|➖─━═▬•·◦°¯^", Char.BULLET: "▪▫►▶➡➤➜→⇒●○■□✓✔✅☑◆◇★☆👉👇⬇↓",
}  # fmt: skip

LINE_BREAKS: Final = "\r" + "".join(chr(c) for c in _NEWLINES)
"""Every character that ends a line, as `str.splitlines` has it."""

HIDDEN: Final = (
    "\u00ad\u061c\u200b\u200c\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufeff\u034f\u180e\u3164\ufff9\ufffa\ufffb\ufffc"
)
"""Characters that show nothing (default ignorable code points, https://www.unicode.org/reports/tr44/), and the one that
stands for an object that was there. Joiners are none of them: emoji are made of them."""

JOINERS: Final = "\u200d\ufe0e\ufe0f"
EMOJI: Final = 0x203C
"""Joiners and variation selectors: part of what stands before them from this code point on, where emoji begin."""

CONTROLS: Final = "".join(map(chr, (*range(9), *range(0x0E, 0x1C), 0x7F, *range(0x80, 0x85), *range(0x86, 0xA0))))
"""Control characters that are no white space."""


@cache
def classes() -> NDArray[np.uint8]:
    """The class of each code point: `TABLE_SIZE` entries of `Char`."""
    table = np.full(TABLE_SIZE, Char.SYMBOL, np.uint8)
    for first, last in _LETTER_RANGES:
        table[first : last + 1] = Char.LOWER
    for code in range(0x41, 0x530):
        lower = chr(code).lower()
        if lower != chr(code) or 0x41 <= code <= 0x5A:
            table[code] = Char.UPPER
    table[0x61:0x7B] = Char.LOWER
    table[[0xAA, 0xB5, 0xBA, 0x1E9E]] = (Char.LOWER, Char.LOWER, Char.LOWER, Char.UPPER)
    table[0x30:0x3A] = Char.DIGIT
    for first, last in _EMOJI_RANGES:
        table[first : last + 1] = Char.EMOJI
    for kind, members in _SINGLE.items():
        table[[ord(c) for c in members]] = kind
    for first, last in _JOINER_RANGES:
        table[first : last + 1] = Char.JOINER
    table[list(_SPACES)] = Char.SPACE
    table[list(_NEWLINES)] = Char.NEWLINE
    table.flags.writeable = False
    return table


@cache
def normal_forms() -> NDArray[np.uint32]:
    """The code point each code point counts as in n-grams and words: `TABLE_SIZE` entries."""
    kinds = classes()
    table = np.arange(TABLE_SIZE, dtype=np.uint32)
    for code in range(0x41, 0x530):
        lower = chr(code).lower()
        if len(lower) == 1:
            table[code] = ord(lower)
    table[0x1E9E] = ord("ß")
    merged = {
        Char.DIGIT: "0", Char.SPACE: " ", Char.NEWLINE: " ", Char.DASH: "-", Char.APOSTROPHE: "'",
        Char.QUOTE_LOW: '"', Char.QUOTE_LEFT: '"', Char.QUOTE_RIGHT: '"', Char.QUOTE_STRAIGHT: '"',
        Char.QUOTE_ANGLE_RIGHT: '"', Char.QUOTE_ANGLE_LEFT: '"',
    }  # fmt: skip
    for kind, form in merged.items():
        table[kinds == kind] = ord(form)
    table.flags.writeable = False
    return table
