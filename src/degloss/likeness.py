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


def stretches(row: NDArray[np.int64], around: NDArray[np.int64]) -> NDArray[np.int64]:
    """(2, 8, m) the first row, and the row after the last, of the stretches that are compared at each of m rows.

    First come those before the boundary and the paragraph, then those behind it and the document. `around` (2, 3, m) is
    the first row, and the row after the last, of the line, paragraph and document of each.
    """
    spans: NDArray[np.int64] = row + _REACH
    np.maximum(spans[0], around[0, 2], out=spans[0])
    np.minimum(spans[1], around[1, 2], out=spans[1])
    spans[:, _PARAGRAPH] = around[:, 1]
    return spans


def likeness(sums: NDArray[np.float64], sentences: NDArray[np.int64]) -> NDArray[np.float32]:
    """(m, k) how alike the stretches are, named by `NAMES`.

    sums       (2, 8, m, v) the running sums of all vectors up to where each of `stretches` begins and ends
    sentences  (m) how many sentences each document has
    """
    sides = np.empty(sums.shape[1:], np.float32)
    np.subtract(sums[1], sums[0], out=sides, casting="same_kind")
    sides[_DOCUMENT] -= sides[_PARAGRAPH]
    sides = sides.reshape(2, _PAIRS, -1, len(SOURCES), DIMENSIONS)
    cosines = np.add.reduce(sides[0] * sides[1], axis=-1)
    sides *= sides
    squares = np.add.reduce(sides, axis=-1)
    lengths = np.multiply(squares[0], squares[1], out=squares[0])
    cosines /= np.sqrt(np.maximum(lengths, _TINY, out=lengths), out=lengths)
    cosines = cosines.swapaxes(0, 1)
    ratio = _LENGTH / sentences
    ratio *= ratio * ratio  # so that it is steep
    ratio += _UNIT
    found = np.empty((2, *cosines.shape), np.float32)
    np.divide(cosines, ratio[:, None, None], out=found[0], casting="same_kind")
    np.subtract(cosines, found[0], out=found[1])
    return found.swapaxes(0, 1).reshape(-1, len(NAMES))


_ALL: Final = np.iinfo(np.int32).max
_PAIRS: Final = len(REACHES) + 2
_PARAGRAPH: Final = len(REACHES) + 1
_DOCUMENT: Final = _PARAGRAPH + _PAIRS
_REACH: Final = np.array(
    [*((-reach, 0) for reach in (*REACHES, _ALL)), (0, 0), *((0, reach) for reach in (*REACHES, _ALL)), (-_ALL, _ALL)]
).T[:, :, None]
_LENGTH: Final = np.array(14.0)
"""Sentences in a document that is as long as it is short."""
_UNIT: Final = np.array(1.0)
_TINY: Final = np.array(1, np.float32)
