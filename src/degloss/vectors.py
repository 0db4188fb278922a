"""A sentence's vector: what it is about and how it is built, in a few small whole numbers.

The sentence model asks whether a sentence sounds like an article. Whether two stretches of a text have the same
speaker is another question, and is asked of vectors: of each n-gram a row of small integers, learned so that
stretches of one speaker in one document point the same way and stretches of two do not, as recordings are told apart in
the diarisation of speakers (Dehak et al. 2011). A sentence's vector is the sum of its n-grams' rows, that of a
stretch the sum of its sentences', and sums of integers are exact, whatever batch they are in.

There are two of them side by side: of the words but function words (what is it about?), and of pairs of neighbours in
the skeleton (how is it built?).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from degloss.ngrams import FAMILIES, Grams

SOURCES: Final = ("word", "skeleton 2")
"""The families of n-grams that have vectors, and whose vectors stand side by side."""

DIMENSIONS: Final = 16
"""Of each of the two vectors; docs/experiments.md."""

_ROWS: Final = tuple(FAMILIES.index(name) for name in SOURCES)
_MOST: Final = np.array(32767, np.int32)
_LEAST: Final = -_MOST


@dataclass(frozen=True, eq=False)
class Embedding:
    """The vectors of n-grams.

    slots  (2, 2^18) the row of each entry of the n-gram table, for each of `SOURCES`
    rows   (r, DIMENSIONS) whole numbers; row 0 is zero, and that of all n-grams without a vector
    """

    slots: NDArray[np.uint16]
    rows: NDArray[np.int8]


def sentence_vectors(embedding: Embedding, found: Grams) -> NDArray[np.int16]:
    """(n, 2 · DIMENSIONS) the vectors of the sentences of a batch, from its n-grams.

    A number beyond 32767, which takes a sentence of several hundred words, is cut off there.
    """
    vectors = np.empty((found.first.shape[1], len(SOURCES), DIMENSIONS), np.int16)
    for place, family in enumerate(_ROWS):
        begin, first, count = found.begins[family], found.first[family], found.count[family]
        slots = embedding.slots[place].take(found.index[begin : found.begins[family + 1]])
        known = slots.nonzero()[0]
        sums = np.empty((len(known) + 1, DIMENSIONS), np.int32)
        sums[0] = 0
        np.add.accumulate(embedding.rows.take(slots[known], axis=0), axis=0, dtype=np.int32, out=sums[1:])
        first = first - begin
        within = sums.take(known.searchsorted(first + count), axis=0)
        within -= sums.take(known.searchsorted(first), axis=0)
        np.minimum(within, _MOST, out=within)
        vectors[:, place] = np.maximum(within, _LEAST, out=within)
    return vectors.reshape(len(vectors), len(SOURCES) * DIMENSIONS)
