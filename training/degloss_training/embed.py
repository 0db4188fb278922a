"""Learning the vectors of n-grams: stretches of one speaker in one document shall point the same way.

What latent semantic analysis makes of the n-grams of such stretches (Deerwester et al. 1990) is turned and stretched so
that the differences within a speaker's text become small beside those between speakers (linear discriminants, Fisher
1936), cut down to a few dimensions and rounded to whole numbers. Furniture is left out; beyond that
labels are not learned: who the speaker is does not count, only where another one begins.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse
from sklearn.decomposition import TruncatedSVD

from degloss.documents import LABELS
from degloss.errors import TrainingError
from degloss.ngrams import TABLE_BITS
from degloss.vectors import DIMENSIONS, LARGEST, MOST, SOURCES, Embedding
from degloss_training.prepare import Prepared

STRETCH: Final = 5
"""Sentences of one speaker that are learned from together."""
LEAST: Final = 8
"""Sentences an n-gram has to occur in to get a vector."""
_LATENT: Final = 128
_RIDGE: Final = 1e-3
_SPREAD: Final = 40.0
"""Root mean square of the numbers in the rows, weighed by how often they occur: they have to lie within ±127."""
_SEED: Final = 0


def learn(data: Prepared, rows: NDArray[np.int64]) -> Embedding:
    """The vectors of the n-grams of these sentences; of too few of them all vectors are zero."""
    found = [_learned(data, rows, data.counts[source][rows]) for source in range(len(SOURCES))]
    slots = np.zeros((len(SOURCES), 1 << TABLE_BITS), np.uint16)
    before = 1
    if sum(len(columns) for columns, _ in found) > np.iinfo(slots.dtype).max:
        raise TrainingError(f"more than {np.iinfo(slots.dtype).max} n-grams with vectors; raise embed.LEAST")
    for source, (columns, _) in enumerate(found):
        slots[source, columns] = np.arange(before, before + len(columns))
        before += len(columns)
    zero = np.zeros((1, DIMENSIONS), np.int8)
    return Embedding(slots, np.concatenate([zero, *(table for _, table in found)]))


def vectors(embedding: Embedding, data: Prepared, rows: NDArray[np.int64]) -> NDArray[np.int16]:
    """The vectors of `degloss.vectors.sentence_vectors` for some rows, by the prepared counts (tested to agree)."""
    sums = [
        data.counts[source][rows].astype(np.float64) @ embedding.rows[embedding.slots[source]].astype(np.float64)
        for source in range(len(SOURCES))
    ]
    return np.asarray(np.clip(np.concatenate(sums, 1), -MOST, MOST), np.int16)


def _learned(
    data: Prepared, rows: NDArray[np.int64], counts: sparse.csr_matrix
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """The columns of one source that get a vector, and these vectors."""
    nothing = np.empty(0, np.int64), np.empty((0, DIMENSIONS), np.int8)
    document, gold = data.batch.document[rows], data.gold[rows]
    # A sentence that stands in several documents is learned from once.
    once = np.zeros(len(rows), bool)
    once[np.unique(data.twin[rows], return_index=True)[1]] = True
    spoken = np.flatnonzero(once & (gold != LABELS.index("boilerplate")))
    columns = np.flatnonzero(np.bincount(counts[np.flatnonzero(once)].indices, minlength=counts.shape[1]) >= LEAST)
    if min(len(columns), len(spoken)) <= DIMENSIONS:
        return nothing
    counts = counts[:, columns]
    weight = np.log((len(rows) + 1) / (counts.getnnz(0) + 1)).astype(np.float32)

    run = np.cumsum(np.concatenate([[True], (document[1:] != document[:-1]) | (gold[1:] != gold[:-1])])) - 1
    place = np.arange(len(rows)) - np.searchsorted(run, run)
    speakers, stretch, size = np.unique(
        run[spoken] * len(rows) + place[spoken] // STRETCH, return_inverse=True, return_counts=True
    )
    speaker = speakers // len(rows)
    kept = size > 1
    joined = sparse.csr_matrix((np.ones(len(spoken), np.float32), (stretch, np.arange(len(spoken)))))
    whole = (joined @ counts[spoken]).multiply(weight).tocsr()[kept]
    whole.data = np.sqrt(whole.data)
    latent = min(_LATENT, min(whole.shape) - 1)
    if latent <= DIMENSIONS:
        return nothing
    axes = TruncatedSVD(latent, n_iter=3, random_state=_SEED).fit(whole).components_.T
    points = whole @ axes / np.sqrt(size[kept])[:, None]
    turned = _discriminants(points - points.mean(0), speaker[kept])
    table = (axes @ turned) * weight[:, None]
    often = counts[spoken].getnnz(0)
    if not often.any():  # furniture alone has n-grams that occur so often
        return nothing
    table -= often @ table / often.sum()
    table *= _SPREAD / np.sqrt(often @ (table**2) / often.sum())
    return columns, np.clip(np.rint(table), -LARGEST, LARGEST).astype(np.int8)


def _discriminants(points: NDArray[np.float64], speaker: NDArray[np.int64]) -> NDArray[np.float64]:
    """(k, DIMENSIONS) the directions in which points of one speaker lie closest together beside those of all."""
    _, place, number = np.unique(speaker, return_inverse=True, return_counts=True)
    means = np.zeros((len(number), points.shape[1]))
    np.add.at(means, place, points)
    means /= number[:, None]
    within = points - means[place]
    covariance = within.T @ within / max(len(points) - len(number), 1)
    ridge = _RIDGE * np.trace(covariance) / len(covariance) or 1.0
    _, turned = linalg.eigh(points.T @ points / len(points), covariance + ridge * np.eye(len(covariance)))
    return np.asarray(turned[:, ::-1][:, :DIMENSIONS])
