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
from degloss.ngrams import families, scale


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
    # A pair of float32 seen as one complex number is looked up and summed in one go.
    table = model.table.view(np.complex64).ravel()
    total = np.zeros(len(batch), np.complex64)
    for family in families(batch, word_hashes):
        # The appended zero keeps an index that points behind the last n-gram legal.
        values = np.append(table[family.index], np.complex64(0))
        borders = np.stack([family.first, family.first + family.count], 1).ravel()
        sums = np.add.reduceat(values, np.minimum(borders, len(values) - 1))[::2] if len(batch) else total
        # reduceat gives an empty stretch the value at its border instead of zero.
        total += np.where(family.count > 0, sums * scale(family.count), 0).astype(np.complex64)
    standard = (cues.values[:, : cues.voice] - model.mean) / model.spread
    scores = total.view(np.float32).reshape(-1, 2) + standard @ model.weights + model.bias
    return np.asarray(scores, np.float64)
