"""Scores and vectors as bad as they will be on new text, for the chain to be fitted on (stacking; Wolpert 1992).

Each comes from a model that has not seen the sentence's bucket.
"""

from __future__ import annotations

from typing import NamedTuple

import joblib
import numpy as np
from numpy.typing import NDArray

from degloss.documents import LABELS
from degloss.errors import TrainingError
from degloss.vectors import DIMENSIONS, SOURCES
from degloss_training import embed
from degloss_training.corpus import BUCKETS
from degloss_training.prepare import Prepared
from degloss_training.sentence import fit_sentence_model, matrix_scores
from degloss_training.settings import Settings


def fold_of(bucket: NDArray[np.int64], buckets: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    """The fold of each bucket number: the buckets present are dealt to the folds in turn."""
    table = np.full(BUCKETS, -1)
    table[buckets] = np.arange(len(buckets)) % folds
    return np.asarray(table[bucket])


class Scores(NamedTuple):
    """(n, 2) sentence scores by models that know documents of the same kind, and by models that do not.

    All public articles are of a few outlets and all public comments of one forum, all authored documents of one guide,
    whatever their bucket, and a model that knows the one or the other tells them apart better than it will tell
    strangers. So composed documents are also scored by a model of authored documents alone, and authored ones by a
    model of what composed ones have besides, public texts above all. Where there is too little to learn from, both are
    the same.
    """

    kin: NDArray[np.float64]
    strangers: NDArray[np.float64]


def cross_fitted_scores(data: Prepared, rows: NDArray[np.int64], settings: Settings) -> Scores:
    """(len(rows), 2) sentence scores, each by a model that has not seen the sentence's bucket.

    Raises `TrainingError` where all sentences are of one bucket.
    """
    present = np.unique(data.row_bucket[rows])
    if len(present) < 2:
        raise TrainingError(
            f"the {len(rows)} sentences to learn from are all of one source; add documents of others, or make their"
            " groups smaller"
        )
    fold = fold_of(data.row_bucket[rows], present, settings.folds)
    folds = [k for k in range(settings.folds) if (fold == k).any() and (fold != k).any()]
    authored, others = data.authored[data.batch.document[rows]], data.composed_only[rows]

    def one(known: NDArray[np.bool_], asked: NDArray[np.bool_]) -> NDArray[np.float64]:
        model, _ = fit_sentence_model(data, rows[known], settings)
        return matrix_scores(model, data, rows[asked])

    kin = [(fold != k, fold == k) for k in folds]
    strange = [
        ((fold != k) & known, (fold == k) & asked)
        for asked, known in ((~authored, authored), (authored, others))
        if settings.strangers and all(_enough(data.gold[rows], asked, known & (fold != k)) for k in folds)
        for k in folds
        if ((fold == k) & asked).any()
    ]
    work = joblib.Parallel(settings.jobs, prefer="threads")
    found = work(joblib.delayed(one)(*task) for task in kin + strange)
    scores = Scores(np.zeros((len(rows), 2)), np.zeros((len(rows), 2)))
    for (_, asked), told in zip(kin, found, strict=False):
        scores.kin[asked] = scores.strangers[asked] = told
    for (_, asked), told in zip(strange, found[len(kin) :], strict=True):
        scores.strangers[asked] = told
    return scores


def _enough(gold: NDArray[np.int8], asked: NDArray[np.bool_], known: NDArray[np.bool_]) -> bool:
    """Whether a model of the sentences `known` can be asked: it knows all labels, and a quarter as many sentences."""
    return len(np.unique(gold[known])) == len(LABELS) and 4 * int(known.sum()) >= int(asked.sum())


def cross_fitted_vectors(data: Prepared, rows: NDArray[np.int64], settings: Settings) -> NDArray[np.int16]:
    """(len(rows), v) vectors of the sentences, each by an embedding that has not seen the sentence's bucket."""
    fold = fold_of(data.row_bucket[rows], np.unique(data.row_bucket[rows]), settings.folds)

    def one(asked: NDArray[np.bool_]) -> NDArray[np.int16]:
        return embed.vectors(embed.learn(data, rows[~asked]), data, rows[asked])

    found = np.zeros((len(rows), len(SOURCES) * DIMENSIONS), np.int16)
    folds = [fold == k for k in np.unique(fold)]
    work = joblib.Parallel(settings.jobs, prefer="threads")
    for asked, of in zip(folds, work(joblib.delayed(one)(asked) for asked in folds), strict=True):
        found[asked] = of
    return found
