"""The sentence model: logistic regression by scikit-learn on the n-grams and cues that the package computes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from degloss.classify import SentenceModel
from degloss.documents import LABELS
from degloss.errors import TrainingError
from degloss_training.prepare import Prepared
from degloss_training.settings import Settings


def design(
    data: Prepared,
    rows: NDArray[np.int64],
    mean: NDArray[np.float32],
    spread: NDArray[np.float32],
    gain: float,
) -> sparse.csr_matrix:
    """The matrix scikit-learn is given for some rows: n-grams beside standardised cues."""
    dense = (data.cues.values[rows, : data.cues.voice] - mean) / spread * np.float32(gain)
    return sparse.hstack([data.ngrams[data.twin[rows]], sparse.csr_matrix(dense)], format="csr", dtype=np.float32)


def standardise(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and spread of each column; a column that never varies gets spread 1."""
    mean = values.mean(0, dtype=np.float64)
    spread = values.std(0, dtype=np.float64)
    return mean.astype(np.float32), np.where(spread > 1e-6, spread, 1).astype(np.float32)


def fit_sentence_model(
    data: Prepared, rows: NDArray[np.int64], settings: Settings
) -> tuple[SentenceModel, LogisticRegression]:
    """The sentence model of these rows, and the estimator it is taken from."""
    mean, spread = standardise(data.cues.values[rows, : data.cues.voice])
    # A sentence that stands in several documents is learned once, with the weight of all.
    twins, place = np.unique(data.twin[rows], return_inverse=True)
    missing = [label for number, label in enumerate(LABELS) if number not in data.gold[twins]]
    if missing:
        raise TrainingError(
            f"none of the {len(rows)} sentences that a model is to be fitted on is {' or '.join(missing)}; label more"
            " documents"
        )
    weight = np.bincount(place, data.sentence_weight[rows])
    matrix = design(data, twins, mean, spread, settings.cue_gain)
    estimator = LogisticRegression(C=settings.inverse_penalty, max_iter=settings.iterations, tol=1e-4)
    estimator.fit(matrix, data.gold[twins], sample_weight=weight * (len(rows) / weight.sum()))
    # Only differences between classes matter: article becomes zero.
    against = (estimator.coef_[1:] - estimator.coef_[0]).T
    ngrams = data.ngrams.shape[1]
    model = SentenceModel(
        table=np.ascontiguousarray(against[:ngrams], np.float32),
        mean=mean,
        spread=spread,
        weights=np.ascontiguousarray(against[ngrams:] * settings.cue_gain, np.float32),
        bias=(estimator.intercept_[1:] - estimator.intercept_[0]).astype(np.float32),
    )
    return model, estimator


def matrix_scores(model: SentenceModel, data: Prepared, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """The scores of `degloss.classify.sentence_scores` for some rows, by the prepared matrix (tested to agree)."""
    twins, place = np.unique(data.twin[rows], return_inverse=True)
    standard = (data.cues.values[rows, : data.cues.voice] - model.mean) / model.spread
    return np.asarray((data.ngrams[twins] @ model.table)[place] + standard @ model.weights + model.bias, np.float64)
