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
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from degloss.ngrams import FAMILIES, Grams

SOURCES: Final = ("word", "skeleton 2")
"""The families of n-grams that have vectors, and whose vectors stand side by side."""

DIMENSIONS: Final = 16
"""Of each of the two vectors; docs/experiments.md."""

LARGEST: Final = 127
"""No number of a row is further from zero."""

MOST: Final = 32767
"""No number of a sentence's vector is further from zero."""

LANES: Final = 4
"""Numbers of 16 bits that are added in one operation on 64."""

_ROWS: Final = tuple(FAMILIES.index(name) for name in SOURCES)
_HALF: Final = np.array(128, np.int32)
_NONE: Final = np.array(0)
_FULL: Final = 0xFFFF // 0xFF
"""So many rows can be added before a lane of 16 bits runs over."""


@dataclass(frozen=True, eq=False)
class Embedding:
    """The vectors of n-grams.

    slots  (2, 2^18) the row of each entry of the n-gram table, for each of `SOURCES`
    rows   (r, DIMENSIONS) whole numbers; row 0 is zero, and that of all n-grams without a vector
    """

    slots: NDArray[np.uint16]
    rows: NDArray[np.int8]

    @cached_property
    def packed(self) -> NDArray[np.uint64]:
        """(r, DIMENSIONS / LANES) the rows, each number with 128 added, four of them in one."""
        lanes = self.rows.astype(np.uint16)  # modulo 2^16
        lanes += np.uint16(128)
        return lanes.view(np.uint64)


def sentence_vectors(embedding: Embedding, found: Grams) -> NDArray[np.int16]:
    """(n, 2 · DIMENSIONS) the vectors of the sentences of a batch, from its n-grams.

    A number beyond 32767, which takes a sentence of several hundred words, is cut off there.
    """
    n = found.first.shape[1]
    vectors = np.empty((n, len(SOURCES), DIMENSIONS), np.int16)
    for place, family in enumerate(_ROWS):
        begin, count = found.begins[family], found.count[family]
        slots = embedding.slots[place].take(found.index[begin : found.begins[family + 1]])
        rows = np.empty((len(slots) + 1, DIMENSIONS // LANES), np.uint64)
        rows[-1] = 0  # for a last sentence whose n-grams end where the text does
        # "wrap" changes nothing, for every slot has a row; NumPy then writes straight into `rows`.
        embedding.packed.take(slots.astype(np.intp), axis=0, out=rows[:-1], mode="wrap")
        # Where n-grams begin and where they end: the sums of every other stretch are what stands between sentences.
        borders = np.empty((n, 2), np.intp)
        np.subtract(found.first[family], begin, out=borders[:, 0])
        np.add(borders[:, 0], count, out=borders[:, 1])
        sums = np.add.reduceat(rows, borders.ravel())[::2]
        sums[count == _NONE] = 0  # where it is anything
        within = np.ascontiguousarray(sums).view(np.uint16).astype(np.int32)
        within -= (count * _HALF)[:, None]
        if np.maximum.reduce(count, initial=0) > _FULL:
            for row in (count > _FULL).nonzero()[0].tolist():
                exact = embedding.rows[slots[slice(*borders[row])]].sum(0, dtype=np.int32)
                within[row] = np.clip(exact, -MOST, MOST)
        vectors[:, place] = within
    return vectors.reshape(n, len(SOURCES) * DIMENSIONS)
