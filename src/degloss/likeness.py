"""Likeness: whether what stands on the two sides of a boundary is about one thing, and built in one way.

The cosine between the vectors (`vectors`) of two stretches of a document: of the two, of the five sentences, of all
that stands before the boundary and behind it (as Hearst 1997 finds where topics change), and of a paragraph and the
rest of its document. In long documents a change of topic or of style tells more of a change of speaker than in short
ones, so each cosine comes twice, once weighed by how long the document is and once by how short.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from degloss.vectors import DIMENSIONS, SOURCES

REACHES: Final = (2, 5)
"""Sentences on either side of a boundary that are compared; and everything before and behind it."""

NAMES: Final = tuple(
    f"likeness of {source}s {pair} in {size} texts"
    for size in ("long", "short")
    for pair in (*(f"before and behind {reach}" for reach in (*REACHES, "all")), "in and beside the paragraph")
    for source in SOURCES
)
"""The columns of `likeness`."""


def running(vectors: NDArray[np.integer], carried: NDArray[np.int32]) -> NDArray[np.int32]:
    """(m + 1, v) the running sums of m vectors, from those of the sentences before on.

    They are taken modulo 2^32, which only a text of some hundred megabytes about one word can come to.
    """
    sums = np.empty((len(vectors) + 1, vectors.shape[1]), np.int32)
    sums[0] = carried
    sums[1:] = vectors
    return np.add.accumulate(sums, axis=0, out=sums)


def borders(row: NDArray[np.int64], around: NDArray[np.int64]) -> NDArray[np.int64]:
    """(9, m) the rows at which the stretches begin and end that are compared at each of m rows.

    `around` (2, 3, m) is the first row, and the row after the last, of the line, paragraph and document of each.
    """
    rows = np.empty((9, len(row)), np.int64)
    np.add(row, _REACH, out=rows[_WITHIN])
    np.maximum(rows[_WITHIN], around[0, 2], out=rows[_WITHIN])
    np.minimum(rows[_WITHIN], around[1, 2], out=rows[_WITHIN])
    rows[_PARAGRAPH] = around[:, 1]
    return rows


def likeness(sums: NDArray[np.int32], sentences: NDArray[np.int64]) -> NDArray[np.float32]:
    """(m, k) how alike the stretches are, named by `NAMES`.

    sums       (9, m, v) the running sums of all vectors up to each of `borders`
    sentences  (m) how many sentences each document has
    """
    sides = np.empty((2, _PAIRS, *sums.shape[1:]), np.int32)
    np.subtract(sums[_HERE], sums[_BEFORE], out=sides[0, :-1])
    np.subtract(sums[_BEHIND], sums[_HERE], out=sides[1, :-1])
    np.subtract(sums[8], sums[7], out=sides[0, -1])
    np.subtract(sums[6], sums[0], out=sides[1, -1])
    sides[1, -1] -= sides[0, -1]
    numbers = sides.astype(np.float32).reshape(2, _PAIRS, -1, len(SOURCES), DIMENSIONS)
    cosines = np.einsum("wmsd,wmsd->wms", numbers[0], numbers[1])
    lengths = np.einsum("pwmsd,pwmsd->pwms", numbers, numbers)
    length = np.multiply(lengths[0], lengths[1], out=lengths[0])
    cosines /= np.sqrt(np.maximum(length, _TINY, out=length), out=length)
    cosines = cosines.swapaxes(0, 1)
    found = np.empty((2, *cosines.shape), np.float32)
    np.divide(cosines, shortness(sentences)[:, None, None], out=found[0], casting="same_kind")
    np.subtract(cosines, found[0], out=found[1])
    return found.swapaxes(0, 1).reshape(-1, len(NAMES))


def shortness(sentences: NDArray[np.number]) -> NDArray[np.floating]:
    """(m) how short documents of so many sentences are: 1 for a long one, 2 for one of fourteen sentences, and more."""
    ratio: NDArray[np.floating] = _LENGTH / sentences
    ratio *= ratio * ratio  # so that it is steep
    ratio += _UNIT
    return ratio


_ALL: Final = np.iinfo(np.int32).max
_PAIRS: Final = len(REACHES) + 2
_REACH: Final = np.array([-_ALL, -REACHES[1], -REACHES[0], 0, *REACHES, _ALL])[:, None]
# Where in `borders` what is reached from a boundary, the boundary itself, and the two ends of the paragraph are.
_WITHIN: Final = slice(0, 7)
_BEFORE: Final = slice(2, None, -1)
_HERE: Final = slice(3, 4)
_BEHIND: Final = slice(4, 7)
_PARAGRAPH: Final = slice(7, 9)
_LENGTH: Final = np.array(14.0)
"""Sentences in a document that is as long as it is short."""
_UNIT: Final = np.array(1.0)
_TINY: Final = np.array(1, np.float32)
