"""Fitting the model: the sentence model by scikit-learn, the vectors (`embed`), the chain by its likelihood.

The chain must see sentence scores and vectors as bad as they will be on new text, so it is fitted on such as each come
from a model which has not seen the sentence's bucket (stacking; Wolpert 1992).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import joblib
import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from degloss.artefact import Model
from degloss.classify import SentenceModel
from degloss.context import context
from degloss.decode import EDGES, HIDDEN, LIMIT, Chain, edge_features, potentials
from degloss.documents import LABELS
from degloss.encode import Batch
from degloss.messages import messages
from degloss.vectors import DIMENSIONS, SOURCES
from degloss_training import embed
from degloss_training.corpus import BUCKETS
from degloss_training.prepare import Prepared

_DRAW: Final = 0
"""Which documents are scored by strangers does not depend on where the chain starts."""


@dataclass(frozen=True)
class Settings:
    """What is chosen by nested grouped folds; docs/experiments.md has the figures.

    inverse_penalty  C of the sentence model's logistic regression
    cue_gain         the standardised cues' scale beside the n-grams, whose vectors have about length one
    iterations       of L-BFGS for the sentence model: stopping early is part of its regularisation
    chain_penalty, hidden_penalty  ridge penalties of the chain's weights, a sentence
    chain_iterations  of L-BFGS for the chain, stopped early like the sentence model
    folds            of the inner cross-fitting
    strangers        share of the documents that are scored by models that know the other kind of document only
    seed, hidden_start  of the hidden layer's start: of its random numbers, and their scale; 0 leaves the layer out
    """

    inverse_penalty: float = 0.3
    cue_gain: float = 0.3
    iterations: int = 80
    chain_penalty: float = 1e-3
    hidden_penalty: float = 3e-3
    chain_iterations: int = 110
    folds: int = 5
    strangers: float = 0.5
    seed: int = 2
    hidden_start: float = 1.0
    jobs: int = 2


def design(
    data: Prepared,
    rows: NDArray[np.int64],
    mean: NDArray[np.float32],
    spread: NDArray[np.float32],
    gain: float,
) -> sparse.csr_matrix:
    """The matrix scikit-learn is given: n-grams beside standardised cues."""
    dense = (data.cues.values[rows, : data.cues.voice] - mean) / spread * np.float32(gain)
    return sparse.hstack([data.ngrams[rows], sparse.csr_matrix(dense)], format="csr", dtype=np.float32)


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
    standard = (data.cues.values[rows, : data.cues.voice] - model.mean) / model.spread
    return np.asarray(data.ngrams[rows] @ model.table + standard @ model.weights + model.bias, np.float64)


def fold_of(bucket: NDArray[np.int64], buckets: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    """The fold of each bucket number: the buckets present are dealt to the folds in turn."""
    table = np.full(BUCKETS, -1)
    table[buckets] = np.arange(len(buckets)) % folds
    return np.asarray(table[bucket])


def cross_fitted_scores(data: Prepared, rows: NDArray[np.int64], settings: Settings) -> NDArray[np.float64]:
    """(len(rows), 2) sentence scores, each by a model that has not seen the sentence's bucket.

    All public articles are of a few outlets and all public comments of one forum, all authored documents of one guide,
    whatever their bucket, and a model that knows the one or the other tells them apart better than it will tell
    strangers. So a share of the composed documents is scored by a model of authored documents alone, and the same share
    of the authored ones by a model of what is composed of public texts.
    """
    present = np.unique(data.row_bucket[rows])
    fold = fold_of(data.row_bucket[rows], present, settings.folds)
    folds = [k for k in range(settings.folds) if (fold == k).any() and (fold != k).any()]
    document = data.batch.document[rows]
    authored, public = data.authored[document], data.public[rows]
    strange = (np.random.default_rng(_DRAW).random(len(data.documents)) < settings.strangers)[document]

    def one(known: NDArray[np.bool_], asked: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        model, _ = fit_sentence_model(data, rows[known], settings)
        return asked, matrix_scores(model, data, rows[asked])

    kin = np.ones(len(rows), bool)
    tasks = []
    for asked, known in ((~authored, authored), (authored, public)):
        if _enough(data.gold[rows], asked, known):
            tasks += [((fold != k) & known, (fold == k) & asked & strange) for k in folds]
            kin &= ~(asked & strange)
    tasks += [(fold != k, (fold == k) & kin) for k in folds]
    scores = np.zeros((len(rows), 2))
    work = joblib.Parallel(settings.jobs, prefer="threads")
    for asked, found in work(joblib.delayed(one)(*task) for task in tasks if task[1].any()):
        scores[asked] = found
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


@dataclass(frozen=True, eq=False)
class ChainData:
    """What the chain is fitted on: whole documents, with scores the sentence model did not learn by heart."""

    batch: Batch
    features: NDArray[np.float32]
    edges: NDArray[np.float64]
    gold: NDArray[np.int8]
    weight: NDArray[np.float64]


def chain_data(
    data: Prepared, documents: NDArray[np.int64], scores: NDArray[np.float64], vectors: NDArray[np.int16]
) -> ChainData:
    """The chain's view of some documents, `scores` and `vectors` of their sentences in order."""
    rows = document_rows(data, documents)
    batch = replace(
        data.batch,
        texts=tuple(data.batch.texts[d] for d in documents),
        documents=np.concatenate([[0], np.cumsum(np.diff(data.batch.documents)[documents])]),
        document=np.repeat(np.arange(len(documents)), np.diff(data.batch.documents)[documents]),
        starts=data.batch.starts[rows],
        ends=data.batch.ends[rows],
    )
    looks = replace(data.cues, values=data.cues.values[rows], gaps=data.cues.gaps[rows])
    around = context(batch, looks, scores, vectors)
    edges = edge_features(around).astype(np.float64)
    return ChainData(batch, around.features, edges, data.gold[rows], data.chain_weight[rows])


def document_rows(data: Prepared, documents: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows of the sentences of these documents."""
    borders = data.batch.documents
    return np.concatenate([np.arange(borders[d], borders[d + 1]) for d in documents] or [np.empty(0, np.int64)])


def fit_chain(data: ChainData, settings: Settings) -> Chain:
    """The chain of the highest penalised likelihood, by L-BFGS from a small random hidden layer."""
    mean, spread = standardise(data.features)
    standard = np.clip((data.features - mean) / spread, -LIMIT, LIMIT)
    k, e = standard.shape[1], len(EDGES)
    shapes = [(k, 3), (3,), (k, HIDDEN), (HIDDEN,), (HIDDEN, 3), (e, 3, 3), (3,)]
    sizes = [int(np.prod(shape)) for shape in shapes]
    outer, inner = settings.chain_penalty, settings.hidden_penalty
    penalty = np.repeat([outer, outer, inner, inner, inner, outer, outer], sizes)
    openings = data.batch.documents[:-1][np.diff(data.batch.documents) > 0]
    follows = np.ones(len(standard), bool)
    follows[openings] = False
    weight = data.weight / data.weight.sum()
    target = np.eye(3)[data.gold]
    before = np.concatenate([target[:1], target[:-1]])
    gold_pairs = before[:, :, None] * target[:, None, :]

    def unpack(flat: NDArray[np.float64]) -> Chain:
        parts = np.split(flat.astype(np.float32), np.cumsum(sizes)[:-1])
        return Chain(mean, spread, *(p.reshape(shape) for p, shape in zip(parts, shapes, strict=True)))

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        chain = unpack(flat)
        layer = np.tanh(standard @ chain.hidden + chain.hidden_bias)
        emission = standard @ chain.weights + layer @ chain.hidden_weights + chain.bias
        logs = potentials(chain, data.batch, emission.astype(np.float64), data.edges)
        ahead, behind, matrices = messages(logs)
        onward = matrices * behind[:, None, :]
        previous = np.concatenate([ahead[:1], ahead[:-1]])
        pairs = previous[:, :, None] * onward
        pairs /= pairs.sum((1, 2), keepdims=True)
        # log p(gold path) is the sum over sentences of log p(label | label before, everything).
        through = onward / onward.sum(2, keepdims=True)
        chosen = np.where(follows[:, None], (before[:, :, None] * through).sum(1), through[:, 0, :])
        value = -float(weight @ np.log(np.maximum((chosen * target).sum(1), 1e-300)))
        wrong = weight[:, None] * (pairs.sum(1) - target)
        wrong_pairs = (weight * follows)[:, None, None] * (pairs - gold_pairs)
        short = wrong.astype(np.float32)
        back = (short @ chain.hidden_weights.T) * (1 - layer**2)
        gradient = [
            standard.T @ short,
            wrong.sum(0),
            standard.T @ back,
            back.sum(0),
            layer.T @ short,
            data.edges.T @ wrong_pairs.reshape(-1, 9),
            wrong[openings].sum(0),
        ]
        flat_gradient = np.concatenate([np.asarray(g, np.float64).ravel() for g in gradient])
        return value + float(penalty * flat @ flat) / 2, flat_gradient + penalty * flat

    start = [np.zeros(shape) for shape in shapes]
    rng = np.random.default_rng(settings.seed)
    start[2] = rng.normal(0, 1 / np.sqrt(k), shapes[2]) * settings.hidden_start
    start[4] = rng.normal(0, 0.1, shapes[4]) * settings.hidden_start
    result = optimize.minimize(
        loss, np.concatenate([s.ravel() for s in start]), jac=True, method="L-BFGS-B",
        options={"maxiter": settings.chain_iterations},
    )  # fmt: skip
    return unpack(result.x)


@contextmanager
def steadily() -> Iterator[None]:
    """Within it models are fitted the same on any number of cores, and stopped early on purpose, without a warning."""
    # Filters hold for all threads, so the filter is set out here.
    # Sums of several BLAS threads depend on how many there are, and with them the last bits of every weight.
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def fit(data: Prepared, buckets: NDArray[np.int64], settings: Settings) -> Model:
    """The model of the documents of these buckets; its manifest says nothing."""
    documents = np.flatnonzero(np.isin(data.bucket, buckets))
    rows = document_rows(data, documents)
    with steadily():
        scores = cross_fitted_scores(data, rows, settings)
        sentence, _ = fit_sentence_model(data, rows, settings)
        vectors = cross_fitted_vectors(data, rows, settings)
        chain = fit_chain(chain_data(data, documents, scores, vectors), settings)
        return Model(sentence, embed.learn(data, rows), chain, {})
