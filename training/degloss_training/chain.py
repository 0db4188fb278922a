"""The chain and its memory: fitted by their likelihood on whole documents, some dozens at a time.

Several members are fitted, each by itself, and put together as one (deep ensembles; Lakshminarayanan, Pritzel and
Blundell 2017).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final, NamedTuple

import joblib
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from degloss.boundary import edge_features
from degloss.context import context
from degloss.decode import Chain, standardised
from degloss.encode import Batch
from degloss.errors import TrainingError
from degloss.memory import KEPT, Memory
from degloss_training.network import Example, Parameters, gradient
from degloss_training.prepare import Prepared
from degloss_training.sentence import standardise
from degloss_training.settings import Settings

BATCH: Final = 4000
"""Sentences of a step: enough for some dozens of documents."""
WARM: Final = 50
"""Steps until the rate of learning is what it should be."""
LONGEST: Final = 1.0
"""No step goes along a gradient that is longer."""


@dataclass(frozen=True, eq=False)
class ChainData:
    """What the chain is fitted on: whole documents, with scores the sentence model did not learn by heart."""

    batch: Batch
    features: NDArray[np.float32]
    edges: NDArray[np.float32]
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
    return ChainData(batch, around.features, edge_features(around), data.gold[rows], data.chain_weight[rows])


def document_rows(data: Prepared, documents: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows of the sentences of these documents."""
    borders = data.batch.documents
    return np.concatenate([np.arange(borders[d], borders[d + 1]) for d in documents] or [np.empty(0, np.int64)])


class _Views(NamedTuple):
    """Whole documents, beginning at these rows (d + 1), with the labels (n) and weights (n) of their sentences, as they
    are seen: each view has standardised features (n, k) and edge features (n, e)."""

    documents: NDArray[np.int64]
    gold: NDArray[np.int8]
    weight: NDArray[np.float32]
    views: list[tuple[NDArray[np.float32], NDArray[np.float32]]]


def fit_chain(kin: ChainData, strangers: ChainData, settings: Settings) -> tuple[Chain, Memory]:
    """The chain and memory of a high likelihood, by stochastic gradient descent (Adam; Kingma and Ba 2015).

    `kin` and `strangers` are the same documents, with scores by models that know their kind and by models that do not;
    each time a document comes, it is drawn which of the two is seen. Features and what is heard and remembered are left
    out at random (dropout; Srivastava et al. 2014), features of whole documents too (as Gal and Ghahramani 2016 do), so
    that nothing hangs on one of them. The rate falls to zero with the cosine of the time (Loshchilov and Hutter 2017).
    The members have starts, orders and draws of their own; the whole of them is given the temperature of the settings.
    Raises `TrainingError` if the numbers run away.
    """
    mean, spread = standardise(kin.features)
    weight = (kin.weight / kin.weight.mean()).astype(np.float32)
    views = [(standardised(data.features, mean, spread), data.edges) for data in (kin, strangers)]
    data = _Views(kin.batch.documents, kin.gold, weight, views)
    # In processes: a fit is thousands of small calls, with which threads would wait for each other.
    work = joblib.Parallel(min(settings.jobs, len(settings.seeds)), prefer="processes")
    fitted = work(joblib.delayed(_member)(data, settings, seed) for seed in settings.seeds)
    chain, memory = together([Parameters.of(len(mean), flat).model(mean, spread) for flat in fitted])
    return replace(chain, temperature=np.array(settings.temperature, np.float32)), memory


def together(members: Sequence[tuple[Chain, Memory]]) -> tuple[Chain, Memory]:
    """The one chain and memory that say of every sentence and boundary the mean of what these say; all standardise
    context features alike, and none is calibrated."""
    chains, memories = zip(*members, strict=True)
    remembered = chains[0].remembered

    def mean(name: str) -> NDArray[np.float32]:
        return np.asarray(np.mean([getattr(chain, name) for chain in chains], 0), np.float32)

    def told(name: str, axis: int) -> NDArray[np.float32]:
        parts = [np.split(getattr(chain, name), [remembered], axis) for chain in chains]
        sides = np.concatenate([*(first for first, _ in parts), *(last for _, last in parts)], axis)
        return np.asarray(sides / len(chains), np.float32)

    chain = Chain(
        mean=chains[0].mean,
        spread=chains[0].spread,
        weights=mean("weights"),
        bias=mean("bias"),
        hidden=np.concatenate([chain.hidden for chain in chains], 1),
        hidden_bias=np.concatenate([chain.hidden_bias for chain in chains]),
        told=told("told", 0),
        turns=told("turns", 1),
        edges=mean("edges"),
        first=mean("first"),
        temperature=chains[0].temperature,
    )
    arrays = {f.name: np.concatenate([getattr(memory, f.name) for memory in memories]) for f in fields(Memory)}
    return chain, Memory(**arrays)


# Sums of several BLAS threads depend on how many there are (`fit.steadily` asks the same of the other models).
@threadpool_limits.wrap(limits=1)  # type: ignore[untyped-decorator]
def _member(data: _Views, settings: Settings, seed: int) -> NDArray[np.float32]:
    """The numbers of one network, fitted from a start of its own."""
    rng = np.random.default_rng(seed)
    parameters = Parameters.drawn(data.views[0][0].shape[1], rng)
    theta = parameters.flat
    momentum, energy = np.zeros_like(theta), np.zeros_like(theta)
    steps = settings.epochs * len(list(_batches(data.documents, np.random.default_rng(0))))
    step = 0
    for _ in range(settings.epochs):
        for documents in _batches(data.documents, rng):
            strange = rng.random(len(documents)) < settings.strangers
            given = _drawn(data, documents, strange)
            slope = gradient(parameters, given, settings, rng)[1] / BATCH
            slope *= min(1, LONGEST / max(float(np.sqrt(slope @ slope)), 1e-12))
            momentum += 0.1 * (slope - momentum)
            energy += 0.001 * (slope * slope - energy)
            step += 1
            rate = settings.rate * min(1, step / WARM) * (1 + np.cos(np.pi * min(1, step / steps))) / 2
            size = np.sqrt(energy / (1 - 0.999**step)) + 1e-8
            theta -= np.float32(rate / (1 - 0.9**step)) * momentum / size
    if not np.isfinite(theta).all():
        raise TrainingError(
            f"the fit of the chain has run away at a rate of {settings.rate:g}; take a smaller one in settings.py"
        )
    if not settings.remembers:
        parameters.chain["told"][: 2 * KEPT] = 0
    return theta


def _batches(documents: NDArray[np.int64], rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """All documents that have sentences once, in random batches of documents of about one length."""
    lengths = np.diff(documents)
    order = np.argsort(lengths + 3 * rng.random(len(lengths)), kind="stable")
    order = order[lengths[order] > 0]
    number = np.cumsum(lengths[order]) // BATCH
    batches = np.split(order, np.flatnonzero(np.diff(number)) + 1) if len(order) else []
    for place in rng.permutation(len(batches)):
        yield batches[place]


def _drawn(data: _Views, documents: NDArray[np.int64], strange: NDArray[np.bool_]) -> Example:
    """Some documents, each with the features of one of two views."""
    borders = data.documents
    lengths = borders[documents + 1] - borders[documents]
    rows = np.arange(lengths.sum()) + np.repeat(borders[documents] - np.cumsum(lengths) + lengths, lengths)
    other = np.repeat(strange, lengths)[:, None]
    features, edges = (np.where(other, theirs[rows], ours[rows]) for ours, theirs in zip(*data.views, strict=True))
    opens = np.zeros(len(rows), bool)
    opens[np.cumsum(lengths) - lengths] = True
    return Example(features, edges, data.gold[rows], data.weight[rows], opens)
