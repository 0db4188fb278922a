"""Context and memory → labels: a chain that knows where speakers change.

A linear-chain conditional random field (Lafferty, McCallum and Pereira 2001) over the sentences of a document. What
speaks for a label at a sentence comes from its context features and from what is remembered there (`memory`); what
speaks for a change of speaker between two sentences comes from the boundary (`boundary`): the same line, a new line, a
blank line, an open quotation, a separator, and from what is remembered on its two sides. The marginal probability of
each label at each sentence decides; calibrated, it is the confidence.

Several networks hear and remember, the members of an ensemble, fitted each by itself from a start of its own: what
speaks for a label, and for a change, is the mean of what they say (deep ensembles; Lakshminarayanan, Pritzel and
Blundell 2017). On texts of strangers a single one is a throw of dice (docs/experiments.md).

`favor` weighs the two mistakes: taking commentary or boilerplate for article, and losing an article sentence. The
weights are costs, and costs want probabilities that can be believed, so they are laid on the calibrated ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from degloss.boundary import EDGES, boundaries
from degloss.context import Context
from degloss.documents import Favor
from degloss.memory import HEARD, KEPT, Lanes, Memory, lanes, remember
from degloss.messages import stretches

TOLD: Final = 2 * KEPT + HEARD
"""What the chain is told of a sentence by each member, beside its features: what is remembered there, and what was
heard."""

LIMIT: Final = 6.0
"""Standard deviations beyond which a context feature says no more; only odd pages have such values."""

WAITING: Final = 4096
"""Sentences that are remembered at a time, if they are of documents that end: more at a time are faster, until they
leave the processor's cache."""

ARTICLE_ODDS: Final[dict[Favor, float]] = {"precision": 1 / 4, "balanced": 1.0, "recall": 4.0}
"""How much more the loss of an article sentence counts than the opposite mistake."""


@dataclass(frozen=True, eq=False)
class Chain:
    """Weights of the chain; labels are numbered as in `LABELS`, and there are g members.

    mean, spread  (k) by which context features are standardised
    weights       (k, 3) of the standardised context features
    bias          (3)
    hidden        (k, g · HEARD) of the standardised context features to what is heard of a sentence
    hidden_bias   (g · HEARD)
    told          (g · TOLD, 3) of what all members remember, then of what they hear
    turns         (2, g · TOLD, 3, 3) of the same before a boundary and behind it, from label to label
    edges         (e, 3, 3) of the boundary features, from label to label
    first         (3) of a document's first sentence
    temperature   () by which log-odds of the marginals are divided
    """

    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    hidden: NDArray[np.float32]
    hidden_bias: NDArray[np.float32]
    told: NDArray[np.float32]
    turns: NDArray[np.float32]
    edges: NDArray[np.float32]
    first: NDArray[np.float32]
    temperature: NDArray[np.float32]

    @cached_property
    def folded(self) -> tuple[NDArray[np.float32], ...]:
        """The limits (k) and (k) of the features as they are, their weights to what is heard and past it, as one
        product (k, g · HEARD + 3), and (g · HEARD + 3) what is then added."""
        mean, spread = np.asarray(self.mean, np.float64), np.asarray(self.spread, np.float64)
        weights = np.concatenate([self.hidden, self.weights], 1) / spread[:, None]
        bias = np.concatenate([self.hidden_bias, self.bias]) - mean @ weights
        arrays = (mean - LIMIT * spread, mean + LIMIT * spread, weights, bias)
        return tuple(array.astype(np.float32) for array in arrays)

    @cached_property
    def sharpness(self) -> float:
        """By what the log-odds of the marginals are multiplied."""
        return 1 / float(self.temperature)

    @property
    def remembered(self) -> int:
        """How much of what is told is remembered: it comes before what is heard."""
        return len(self.told) - len(self.hidden_bias)

    @cached_property
    def telling(self) -> NDArray[np.float32]:
        """The weights of what is told, `joined`."""
        return joined(self.told, self.turns)


class Spoken(NamedTuple):
    """What speaks for what at m sentences, as logarithms without a fixed zero.

    rows      (m) of the sentences
    told      (m, g · TOLD) what is remembered there, and what was heard
    emission  (m, 3) for each label
    changes   (m, 3, 3) for going from label to label into the sentence
    """

    rows: NDArray[np.int64]
    told: NDArray[np.float32]
    emission: NDArray[np.float32]
    changes: NDArray[np.float32]

    @property
    def potentials(self) -> NDArray[np.float32]:
        """(m, 3, 3) logarithms of the weight of going from label to label into each sentence."""
        return self.changes + self.emission[:, None, :]


class Waiting(NamedTuple):
    """What is known of sentences that follow each other before anything is remembered.

    through  (m, g · HEARD + 3) what is `heard`
    changes  (m, 9) what is `turned`
    opens    (m) whether a sentence opens its document
    """

    through: NDArray[np.float32]
    changes: NDArray[np.float32]
    opens: NDArray[np.bool_]

    def then(self, new: Waiting) -> Waiting:
        """These sentences, and new ones behind them."""
        through, changes = np.concatenate([self.through, new.through]), np.concatenate([self.changes, new.changes])
        return Waiting(through, changes, np.concatenate([self.opens, new.opens]))

    def at(self, rows: slice | NDArray[np.int64]) -> Waiting:
        """Some of them."""
        return Waiting(self.through[rows], self.changes[rows], self.opens[rows])


def joined(told: NDArray[np.float32], turns: NDArray[np.float32]) -> NDArray[np.float32]:
    """(g · TOLD, 3 + 9 + 9) the weights of what is told: for a label, before a boundary, behind one."""
    return np.concatenate([told, *turns.reshape(2, len(told), 9)], 1)


def standardised(
    features: NDArray[np.float32], mean: NDArray[np.float32], spread: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(n, k) context features by the mean and spread of training, no further out than `LIMIT`."""
    standard = features - mean
    standard /= spread
    return np.clip(standard, -LIMIT, LIMIT, out=standard)


def heard(chain: Chain, *features: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, g · HEARD + 3) what is heard of each sentence, and what its features alone say for each label.

    The features may come in several pieces of columns. They are cut off where their standardised values would be; the
    standardisation itself is folded into the weights.
    """
    low, high, both, bias = chain.folded
    through = bias
    start = 0
    for piece in features:
        columns = slice(start, start + piece.shape[1])
        within = np.maximum(piece, low[columns])
        np.minimum(within, high[columns], out=within)
        through = within.dot(both[columns]) + through
        start = columns.stop
    np.tanh(through[:, :-3], out=through[:, :-3])
    return through


def turned(chain: Chain, *edges: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 9) what the boundary features say for each pair of labels; they may come in several pieces of columns."""
    weights = chain.edges.reshape(len(EDGES), 9)
    first = edges[0].shape[1]
    changes: NDArray[np.float32] = edges[0].dot(weights[:first])
    for piece in edges[1:]:
        changes += piece.dot(weights[first : first + piece.shape[1]])
        first += piece.shape[1]
    return changes


def answers(
    chain: Chain, memory: Memory, here: Waiting, begins: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """What is told, the emissions and the changes, as in `Spoken`, of the sentences of some lanes, one behind the
    other; `begins` says which are the first of their lane."""
    through, changes, opens = here
    loud = through[:, :-3]
    told = np.concatenate([remember(memory, loud, begins), loud], 1)
    said = told.dot(chain.telling)
    emission = through[:, -3:] + said[:, :3]
    between = changes + said[:, 12:]
    between[1:] += said[:-1, 3:12]
    between = between.reshape(-1, 3, 3)
    # The same from every label: what was before is forgotten.
    np.copyto(between, chain.first, where=opens[:, None, None])
    return told, emission, between


def spoken(chain: Chain, memory: Memory, around: Context) -> Iterator[Spoken]:
    """What speaks for what at all sentences, in order, made for so many at a time that they stay in the processor's
    cache."""
    reading = lanes(around.documents)
    done = start = 0
    waiting: Waiting | None = None
    for block, edges in boundaries(around):
        new = Waiting(heard(chain, block.looks.T, block.means), turned(chain, edges.T, block.alike), block.opens)
        waiting = waiting.then(new) if waiting else new
        stop = block.rows.stop
        ready = int(reading.until.searchsorted(stop, "right"))
        if ready > done and (stop == len(around) or len(waiting.opens) >= WAITING):
            yield _answered(chain, memory, reading.at(slice(done, ready)), start, waiting)
            done = ready
            needed = int(reading.heard[done]) if done < len(reading.heard) else stop
            waiting = waiting.at(slice(needed - start, None)) if needed < stop else None
            start = needed


def _answered(chain: Chain, memory: Memory, reading: Lanes, start: int, waiting: Waiting) -> Spoken:
    """What is said at the sentences that the lanes are read for; `start` is the row of the first that waits."""
    if reading.whole:  # what opens a document begins a lane
        through = int(reading.until[-1]) - start
        here = waiting if through == len(waiting.opens) else waiting.at(slice(through))
        return Spoken(np.arange(start, start + through), *answers(chain, memory, here, here.opens))
    lengths = reading.until - reading.heard
    ends = np.add.accumulate(lengths)
    begins = np.zeros(int(ends[-1]), bool)
    begins[ends - lengths] = True
    rows = np.arange(ends[-1]) + np.repeat(reading.heard - ends + lengths, lengths)
    here = waiting.at(rows - start)
    told, emission, changes = answers(chain, memory, here, begins)
    asked = (rows >= np.repeat(reading.begins, lengths)) & (rows < np.repeat(reading.ends, lengths))
    return Spoken(*(array[asked] for array in (rows, told, emission, changes)))


def evidence(chain: Chain, memory: Memory, around: Context) -> NDArray[np.float32]:
    """(n, 3, 3) the potentials of all sentences."""
    logs = np.empty((len(around), 3, 3), np.float32)
    for said in spoken(chain, memory, around):
        logs[said.rows] = said.potentials
    return logs


def shares(chain: Chain, features: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What speaks for each label at sentences with these standardised features (n, k), memory aside: (n, k, 3) how much
    of it each feature has brought, and (3) what would be said of a sentence that is all average.

    What is heard is no sum of the features. It is divided among them as it grows on the straight way from none of them
    to all (integrated gradients; Sundararajan, Taly and Yan 2017), so that the parts sum up to the whole: each unit's
    growth by the parts that they have in what goes into it.
    """
    given, bias = np.asarray(features, np.float64), np.asarray(chain.hidden_bias, np.float64)
    entering = given @ chain.hidden
    start, told = np.tanh(bias), chain.told[chain.remembered :]
    still = np.abs(entering) < 1e-6  # a unit that hardly moves goes along its slope
    rising = np.where(still, 1 - start**2, (np.tanh(entering + bias) - start) / np.where(still, 1, entering))
    each = np.einsum("kh,nh,hl->nkl", chain.hidden, rising, told) + chain.weights
    return given[:, :, None] * each, np.asarray(chain.bias + start @ told, np.float64)


def calibrated(chain: Chain, chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """The marginals (n, 3) made less sure, by the chain's temperature (temperature scaling; Guo et al. 2017): of
    strangers' texts every network is surer than it should be. The order of the labels stays."""
    tempered = chances**chain.sharpness
    tempered /= tempered @ _ALL
    return tempered


_ALL: Final = np.ones((3, 3))


def decide(chances: NDArray[np.float64], favor: Favor) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """(n) labels and (n) their probabilities; `favor` shifts the decision, never the probability."""
    labels = (chances * _ODDS[favor]).argmax(1)
    places = np.arange(0, chances.size, 3)
    places += labels
    return labels, chances.ravel()[places]


_ODDS: Final = {favor: np.array([odds, 1, 1]) for favor, odds in ARTICLE_ODDS.items()}


def decisions(
    chain: Chain, logs: NDArray[np.floating[Any]], favor: Favor
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """(n) labels and (n) their calibrated probabilities, of the chain's potentials (n, 3, 3)."""
    labels, confidences = np.empty(len(logs), np.int8), np.empty(len(logs), np.float32)
    for rows, chances in stretches(logs):
        labels[rows], confidences[rows] = decide(calibrated(chain, chances), favor)
    return labels, confidences
