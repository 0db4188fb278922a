"""The sentence model: what each sentence says of its speaker when nothing around it is known.

A linear model over hashed n-grams and cues, fitted by scikit-learn and applied here with two array operations for
all families: look up the weights, sum them by sentence. Two scores come out, the log-odds of commentary and of
boilerplate against article.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from degloss.cues import Cues
from degloss.ngrams import Grams, scale

STRETCH: Final = 1 << 16
"""N-grams looked up at a time."""


@dataclass(frozen=True, eq=False)
class SentenceModel:
    """Weights of the sentence model; the columns are commentary and boilerplate, each against article.

    table    (2^18, 2) weights of the hashed n-grams
    mean, spread   (k) by which cues are standardised
    weights  (k, 2) of the standardised cues
    bias     (2)
    """

    table: NDArray[np.float32]
    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    @cached_property
    def of_cues(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(k, 2) weights of the cues as they are, and (2) what is then added: the standardisation folded into both."""
        weights = self.weights / np.asarray(self.spread, np.float64)[:, None]
        return weights.astype(np.float32), (self.bias - self.mean @ weights).astype(np.float32)

    @cached_property
    def pairs(self) -> NDArray[np.complex64]:
        """(2^18) the rows of the table, each pair of float32 as one complex number."""
        return self.table.view(np.complex64)[:, 0]


def sentence_scores(model: SentenceModel, found: Grams, cues: Cues) -> NDArray[np.float32]:
    """(n, 2) log-odds of commentary and of boilerplate against article, from n-grams and cues."""
    sums = _sums(model.pairs, found)
    # The sum of no n-grams is anything, and counts nothing.
    sums *= scale(found.count).astype(np.complex64)
    weights, bias = model.of_cues
    scores: NDArray[np.float32] = cues.values[:, : cues.voice].dot(weights)
    scores += bias
    scores += np.add.reduce(sums).view(np.float32).reshape(-1, 2)
    return scores


def _sums(pairs: NDArray[np.complex64], found: Grams) -> NDArray[np.complex64]:
    """(f, n) the weights of the n-grams of each family and sentence, summed.

    For a sentence without any it is anything. Of a large batch so many n-grams are looked up and summed at a time that
    their weights stay in the processor's cache.
    """
    first, size = found.first.ravel(), len(found.index)
    # Where n-grams begin and where they end: the sums of every other stretch are what stands between sentences.
    borders = np.empty((len(first), 2), np.intp)
    borders[:, 0] = first
    np.add(first, found.count.ravel(), out=borders[:, 1])
    sums = np.empty(found.first.shape, np.complex64)
    begins = first.searchsorted(np.arange(0, size, STRETCH)).tolist() if size > STRETCH else [0]
    for row, after in pairwise([*begins, len(first)]):
        if row == after:  # within a sentence longer than that
            continue
        begin = int(first[row])
        end = int(first[after]) if after < len(first) else size
        values = np.empty(end - begin + 1, np.complex64)
        values[-1] = 0  # for a last sentence whose n-grams end where the stretch does
        # "wrap" changes nothing, for every index is in the table; NumPy then writes straight into `values`.
        pairs.take(found.index[begin:end].astype(np.intp), out=values[:-1], mode="wrap")
        within = borders[row:after].ravel()
        within -= np.array(begin)
        sums.ravel()[row:after] = np.add.reduceat(values, within)[::2]
    return sums
