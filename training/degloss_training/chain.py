"""The chain: fitted by its penalised likelihood on whole documents; and the mean of several such fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from degloss.context import context
from degloss.decode import EDGES, HIDDEN, LIMIT, Chain, edge_features, potentials
from degloss.encode import Batch
from degloss.messages import messages
from degloss_training.prepare import Prepared
from degloss_training.sentence import standardise
from degloss_training.settings import Settings


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


def mean_chain(chains: Sequence[Chain]) -> Chain:
    """The chain whose every number is the mean of theirs.

    Fits that begin at one start and see much the same end close to each other, and their mean is better than most of
    them and as fast as one (model soups; Wortsman et al. 2022).
    """
    arrays = ([getattr(chain, field.name) for chain in chains] for field in fields(Chain))
    return Chain(*(np.asarray(np.mean(array, 0, np.float64), np.float32) for array in arrays))
