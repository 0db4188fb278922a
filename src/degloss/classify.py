"""The sentence model: what each sentence says of its speaker when nothing around it is known.

A linear model over hashed n-grams and cues, fitted by scikit-learn and applied here with two array operations a
family: look up the weights, sum them by sentence. Two scores come out, the log-odds of commentary and of
boilerplate against article.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from degloss.cues import Cues
from degloss.encode import Batch
from degloss.ngrams import Family, families, scale


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


def sentence_scores(
    model: SentenceModel, batch: Batch, word_hashes: NDArray[np.uint32], cues: Cues
) -> NDArray[np.float64]:
    """(n, 2) log-odds of commentary and of boilerplate against article."""
    sums, counts = [], []
    for family in families(batch, word_hashes):
        sums.append(_sums(model.table, family))
        counts.append(family.count)
    count = np.array(counts)
    total = (np.array(sums) * (scale(count) * (count > 0))).sum(0)
    standard = (cues.values[:, : cues.voice] - model.mean) / model.spread
    scores = total.view(np.float32).reshape(-1, 2) + standard @ model.weights + model.bias
    return np.asarray(scores, np.float64)


def _sums(table: NDArray[np.float32], family: Family) -> NDArray[np.complex64]:
    """(n) the weights of the n-grams of each sentence, summed: a pair of float32 as one complex number.

    For a sentence without any it is anything.
    """
    size = len(family.index)
    # The zeros behind keep legal what points behind the last n-gram, as far as a last sentence of no n-grams does.
    values = np.empty(size + family.length + 1, np.complex64)
    values[size:] = 0
    # "wrap" changes nothing, for every index is in the table; NumPy then writes straight into `values`.
    table.view(np.complex64)[:, 0].take(family.index, out=values[:size], mode="wrap")
    borders = np.empty((len(family.count), 2), np.intp)
    borders[:, 0] = family.first
    np.add(family.first, family.count, out=borders[:, 1])
    return np.add.reduceat(values, borders.ravel())[::2] if len(borders) else values[:0]
