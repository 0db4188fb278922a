"""Where a sentence stands: in its line, its paragraph and its document.

Lines and paragraphs may be longer than what is worked on at a time, so they are told from all sentences at once, by
what little has to be kept of each: the line breaks before it, and where it begins and ends.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from degloss.encode import Sentences

NAMES: Final = (
    *(f"{block} {what}" for block in ("line", "paragraph")
      for what in ("begins", "ends", "log sentences", "log place", "log length")),
    "wide gap before", "log length",
    "document log sentences", "document share before", "document log place", "document log left",
    "document first", "document second", "document last", "document last but one",
)  # fmt: skip
"""The cues of the place."""


class Places(NamedTuple):
    """The lines, paragraphs and documents of n sentences.

    gaps        (n) line breaks between a sentence and the one before it; 2 at the start of a document
    characters  (n + 1) the lengths of all sentences before each
    borders     the first row of each line, of each paragraph and of each document, as one ascending sequence: those
                of paragraphs moved by n + 1, those of documents by twice as much; behind each kind one that begins at n
    """

    gaps: NDArray[np.signedinteger]
    characters: NDArray[np.signedinteger]
    borders: NDArray[np.signedinteger]

    def around(self, row: NDArray[np.int64]) -> NDArray[np.int64]:
        """(2, 3, m) the first row, and the row after the last, of the line, paragraph and document of these rows."""
        moved = _KINDS * np.array(len(self.gaps) + 1)
        found: NDArray[np.int64] = self.borders.take(self.borders.searchsorted(row + moved, "right") + _BEFORE)
        found -= moved
        return found


def places(sentences: Sentences, gaps: NDArray[np.signedinteger]) -> Places:
    """The places of sentences with so many line breaks before each; what is counted before a document is not asked."""
    n = len(sentences)
    begins = np.zeros((3, n + 1), bool)
    begins[2][sentences.documents] = True
    begins[:, n] = True
    gaps = gaps.copy()
    np.copyto(gaps, _TWO, where=begins[2, :n])
    np.greater_equal(gaps, _LEAST, out=begins[:2, :n])
    characters = np.zeros(n + 1, sentences.ends.dtype)
    np.subtract(sentences.ends, sentences.starts, out=characters[1:])
    np.add.accumulate(characters, out=characters)
    return Places(gaps, characters, begins.ravel().nonzero()[0])


_KINDS: Final = np.array([[0], [1], [2]])
_LEAST: Final = np.array([[1], [2]])
_BEFORE: Final = np.array([[[-1]], [[0]]])


def place(places: Places, row: NDArray[np.int64], around: NDArray[np.int64], out: NDArray[np.float32]) -> None:
    """Writes the cues of the place (20, m) of m sentences in these rows, which follow each other, and what is `around`
    them."""
    m = len(row)
    rows = slice(int(row[0]), int(row[0]) + m) if m else slice(0, 0)
    first, last = around[0], around[1]
    lengths = places.characters.take(around[:, :2])
    numbers = np.empty((12, m), np.int64)
    sizes, before, behind = numbers[:3], numbers[3:6], numbers[6:9]
    np.subtract(last, first, out=sizes)
    np.subtract(row, first, out=before)
    np.subtract(sizes, before, out=behind)
    behind -= _ONE
    np.subtract(lengths[1], lengths[0], out=numbers[9:11])
    np.subtract(places.characters[rows.start + 1 : rows.stop + 1], places.characters[rows], out=numbers[11])
    # All that is told of the numbers, in an order in which few calls tell it: logarithms; whether a sentence is the
    # first or the second, the last or the last but one; the rest.
    told = np.empty((26, m), np.float32)
    floats = numbers.astype(np.float32)
    np.log1p(floats, out=told[:12])
    told[12:24].reshape(2, 6, m)[:] = numbers[3:9] == _NTH
    told[24] = places.gaps[rows] > _TWO
    np.divide(floats[5], np.maximum(floats[2] - _ALONE, _ALONE), out=told[25])
    told.take(_ORDER, axis=0, out=out, mode="clip")


_NTH: Final = np.array([[[0]], [[1]]])
_ORDER: Final = np.array([
    12, 15, 0, 3, 9,  # line
    13, 16, 1, 4, 10,  # paragraph
    24, 11,
    2, 25, 5, 8, 14, 20, 17, 23,  # document
])  # fmt: skip
"""Where each of the cues of the place is told."""
_ONE: Final = np.array(1)
_ALONE: Final = np.array(1, np.float32)
_TWO: Final = np.array(2)
