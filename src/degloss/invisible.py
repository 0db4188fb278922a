"""Texts without what nobody sees: soft hyphens, zero-width spaces, marks of direction, umlauts in two code points.

Pages for narrow screens have a soft hyphen in every long word, what is copied out of PDFs and phones has umlauts of two
code points and marks of direction. To a reader they change nothing, but to n-grams every such word is another one. So
the stages read the text without them, and sentences are then given back in code points of the text as it came.
Zero-width joiners and variation selectors stay, since emoji are made of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from degloss.encode import Sentences, line_offsets

_HIDDEN: Final = (
    "\u00ad\u061c\u200b\u200c\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufeff"
)
"""Format characters of the general category Cf that show nothing (https://www.unicode.org/reports/tr44/)."""
_MARKS: Final = "\u0308\u0301\u0300\u0302\u0303\u0327\u030a\u030c"
"""Combining marks of the letters of Europe's languages."""
# A run that stands between white space stays, since it has no neighbour whose sentence it could belong to; it is looked
# at once, and not from each of its characters on. Compiled when a text has such characters, as hardly any has.
_UNSEEN: Final = rf"(?<=[^\s{_HIDDEN}])[{_HIDDEN}]+|(?<![{_HIDDEN}])[{_HIDDEN}]++(?=\S)|[A-Za-z][{_MARKS}]"


class Unseen(NamedTuple):
    """What a text has more than what is read of it.

    text    what is read
    places  (k) ascending positions in `text`: from there on everything stands further behind
    shifts  (k + 1) by how many code points: before the first of them, behind it, and so on
    """

    text: str
    places: NDArray[np.int64]
    shifts: NDArray[np.int64]

    def given(self, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Starts and ends of sentences of what is read, in code points of the text as it came.

        What is not seen belongs to the sentence of the character before it, but at a start behind white space to the
        one that starts there.
        """
        behind_blank = np.array([start == 0 or self.text[start - 1].isspace() for start in starts.tolist()], bool)
        left, right = (self.shifts[self.places.searchsorted(starts, side)] for side in ("left", "right"))
        return starts + np.where(behind_blank, left, right), ends + self.shifts[self.places.searchsorted(ends, "right")]

    def read(self, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        """Offsets into the text as it came, none of them within what is not seen, as offsets into what is read."""
        return offsets - self.shifts[(self.places + self.shifts[1:]).searchsorted(offsets, "right")]


def as_read(texts: Sequence[str]) -> tuple[Sequence[str], Mapping[int, Unseen]]:
    """The texts as they are to be read, and of those that have something unseen what it is, by their number.

    >>> as_read(["Der Stadt\\u00adrat tagt.", "Er schweigt."])[0]
    ['Der Stadtrat tagt.', 'Er schweigt.']
    """
    # Looked for in all texts at once and as numbers: `str.find` stops at each letter that is alike in its last byte.
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))
    places = (codes >= _LOWEST).nonzero()[0]
    places = places[_hidden().take(codes[places], mode="clip")]
    if not len(places):
        return texts, {}
    ends = np.cumsum([len(text) for text in texts])
    numbers = np.unique(ends.searchsorted(places, "right")).tolist()
    found = {number: unseen for number in numbers if (unseen := _unseen(texts[number]))}
    return [found[number].text if number in found else text for number, text in enumerate(texts)], found


def legible(text: str) -> str:
    """A text as it is to be read.

    >>> legible("Gru\\u0308ße aus der Ver\\u00adwal\\u00adtung")
    'Grüße aus der Verwaltung'
    """
    return as_read([text])[0][0]


def as_given(read: Sentences, texts: Sequence[str], unseen: Mapping[int, Unseen]) -> Sentences:
    """Sentences of what is read of the texts as sentences of the texts."""
    if not unseen:
        return read
    starts, ends = (of - read.offsets[read.document] for of in (read.starts, read.ends))
    for number, of in unseen.items():
        rows = read.rows(number)
        starts[rows], ends[rows] = of.given(starts[rows], ends[rows])
    offsets = line_offsets(texts)
    before = offsets[read.document]
    return Sentences(tuple(texts), offsets, read.documents, read.document, starts + before, ends + before)


_LOWEST: Final = np.array(min(map(ord, _HIDDEN + _MARKS)), np.uint32)


@cache
def _hidden() -> NDArray[np.bool_]:
    """Whether each code point is one that is looked for; the last entry stands for all behind it."""
    table = np.zeros(max(map(ord, _HIDDEN + _MARKS)) + 2, bool)
    table[[ord(c) for c in _HIDDEN + _MARKS]] = True
    return table


def _unseen(text: str) -> Unseen | None:
    pieces: list[str] = []
    places: list[int] = []
    shifts = [0]
    done = size = 0
    for match in re.finditer(_UNSEEN, text):
        kept = ""
        if match[0][0] not in _HIDDEN:
            kept = unicodedata.normalize("NFC", match[0])
            if len(kept) > 1:  # no letter has this mark
                continue
        pieces += (text[done : match.start()], kept)
        size += match.start() - done + len(kept)
        done = match.end()
        places.append(size)
        shifts.append(done - size)
    if not places:
        return None
    return Unseen("".join([*pieces, text[done:]]), np.array(places, np.int64), np.array(shifts, np.int64))
