"""Context features → labels: a chain that knows where speakers change.

A linear-chain conditional random field (Lafferty, McCallum and Pereira 2001) over the sentences of a document.
What speaks for a label at a sentence comes from the context features; what speaks for a change of speaker between
two sentences comes from the boundary: the same line, a new line, a blank line, an open quotation, a separator. The
marginal probability of each label at each sentence decides, and is the confidence.

`favor` weighs the two mistakes: taking commentary or boilerplate for article, and losing an article sentence.

The marginals of all documents of a batch are computed at once, by a tree of matrix products (the associative
scan of Särkkä and García-Fernández 2021) in time linear in the number of sentences: a document begins with a
matrix that forgets what was before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from degloss.context import CONTRASTS, SIGNALS, Context
from degloss.documents import Favor
from degloss.encode import Sentences

GAPS: Final = ("same line", "new line", "blank line", "wide gap")
HERE: Final = ("starts emoji", "starts bullet", "starts lower", "starts at", "quotation open before",
               "quotation never closed", "quotation opens sentence")  # fmt: skip
BEFORE: Final = {"after colon": "ends colon", "after no words": "no words", "after link": "lexicon addresses",
                 "after quotation": "quotation closes sentence", "after emoji": "ends emoji"}  # fmt: skip
"""Cues of the sentence behind the boundary, and of the one before it (no more than 1 of each)."""
BOUNDARY: Final = (*GAPS, *HERE, *BEFORE, "change commentary", "change boilerplate")
SIDES: Final = ("score commentary", "score boilerplate", "chance commentary", "chance boilerplate", *SIGNALS)
EDGES: Final = (*BOUNDARY, *(f"contrast {w}: {name}" for w in (*CONTRASTS, "all") for name in SIDES))
"""What speaks for or against a change of speaker: the boundary itself, and how its two sides differ."""

HIDDEN: Final = 32
"""Units of the hidden layer, which lets the weight of a cue depend on the kind of page; docs/experiments.md."""

BLOCK: Final = 1024
"""Sentences whose features are made at a time."""

LIMIT: Final = 6.0
"""Standard deviations beyond which a context feature says no more; only odd pages have such values."""

ARTICLE_ODDS: Final[dict[Favor, float]] = {"precision": 1 / 4, "balanced": 1.0, "recall": 4.0}
"""How much more the loss of an article sentence counts than the opposite mistake."""


@dataclass(frozen=True, eq=False)
class Chain:
    """Weights of the chain; labels are numbered as in `LABELS`.

    mean, spread    (k) by which context features are standardised
    weights         (k, 3) of the standardised context features
    bias            (3)
    hidden          (k, HIDDEN) of the standardised context features to the hidden layer
    hidden_bias     (HIDDEN)
    hidden_weights  (HIDDEN, 3) of the hidden layer
    edges           (e, 3, 3) of the boundary cues, from label to label
    first           (3) of a document's first sentence
    """

    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    hidden: NDArray[np.float32]
    hidden_bias: NDArray[np.float32]
    hidden_weights: NDArray[np.float32]
    edges: NDArray[np.float32]
    first: NDArray[np.float32]

    @cached_property
    def both(self) -> NDArray[np.float32]:
        """(k, HIDDEN + 3) to the hidden layer and past it, as one product."""
        return np.concatenate([self.hidden, self.weights], 1)


def edge_features(around: Context) -> NDArray[np.float32]:
    """(n, e) the boundary between each sentence and the one before it."""
    return np.concatenate([np.concatenate(list(_boundaries(around)), 1), around.contrasts.T]).T


def _boundaries(around: Context) -> Iterator[NDArray[np.float32]]:
    """(b, m) the edge features without the contrasts, for each part of the cues."""
    last = np.zeros((len(BEFORE) + 2, 1), np.float32)  # what the sentence before a part was like
    for cues, rows in around.parts():
        here = cues.rows((*HERE, *BEFORE.values()))
        behind = np.concatenate([np.minimum(here[len(HERE) :], 1), around.chances.T[:, rows]])
        before = np.concatenate([last, behind], 1)
        before, last = before[:, :-1], before[:, -1:]
        near = cues.gaps == np.arange(len(GAPS) - 1)[:, None]
        wide = cues.gaps[None] >= len(GAPS) - 1
        changes = np.abs(behind[len(BEFORE) :] - before[len(BEFORE) :])
        columns = [near, wide, here[: len(HERE)], before[: len(BEFORE)], changes]
        yield np.concatenate(columns, dtype=np.float32, casting="unsafe")


def standardised(chain: Chain, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, k) context features by the mean and spread of training, no further out than `LIMIT`."""
    standard = features - chain.mean
    standard /= chain.spread
    return np.clip(standard, -LIMIT, LIMIT, out=standard)


def emissions(chain: Chain, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, 3) what speaks for each label at each sentence, as logarithms without a fixed zero."""
    through = standardised(chain, features) @ chain.both
    layer = np.tanh(through[:, :HIDDEN] + chain.hidden_bias)
    return np.asarray(through[:, HIDDEN:] + layer @ chain.hidden_weights + chain.bias, np.float64)


def evidence(chain: Chain, sentences: Sentences, around: Context) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The emissions (n, 3) and potentials (n, 3, 3) of all sentences.

    They are those of all features and edges at once, made for so many sentences at a time that the features stay in
    the processor's cache.
    """
    emission, changes = np.empty((len(around), 3)), np.empty((len(around), 9))
    for (part, all_rows), boundary in zip(around.parts(), _boundaries(around), strict=True):
        for start in range(0, boundary.shape[1], BLOCK):
            stop = min(start + BLOCK, boundary.shape[1])
            rows = slice(all_rows.start + start, all_rows.start + stop)
            features, contrasts = around.block(part, rows, start)
            emission[rows] = emissions(chain, features.T)
            changes[rows] = _changes(chain, np.concatenate([boundary[:, start:stop], contrasts]).T)
    return emission, _potentials(chain, sentences, emission, changes)


def slopes(chain: Chain, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, k, 3) by how much each standardised feature moves the emissions where these sentences are."""
    layer = np.tanh(standardised(chain, features) @ chain.hidden + chain.hidden_bias)
    through = np.einsum("kh,nh,hl->nkl", chain.hidden, 1 - layer**2, chain.hidden_weights)
    return np.asarray(chain.weights + through, np.float64)


def potentials(
    chain: Chain, sentences: Sentences, emission: NDArray[np.float64], edges: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """(n, 3, 3) logarithms of the weight of going from label to label into each sentence."""
    return _potentials(chain, sentences, emission, _changes(chain, edges).astype(np.float64))


def _changes(chain: Chain, edges: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    return edges @ chain.edges.reshape(len(EDGES), 9)


def _potentials(
    chain: Chain, sentences: Sentences, emission: NDArray[np.float64], changes: NDArray[np.float64]
) -> NDArray[np.float64]:
    logs = changes.reshape(-1, 3, 3)
    opening = sentences.documents[:-1][sentences.documents[1:] > sentences.documents[:-1]]
    logs[opening] = chain.first  # the same from every label: what was before is forgotten
    logs += emission[:, None, :]
    return logs


def marginals(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3) the probability of each label at each sentence, of potentials (n, 3, 3)."""
    ahead, behind, _ = messages(logs)
    joint = ahead * behind
    return np.asarray(joint / joint.sum(1, keepdims=True))


def messages(
    logs: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Forward (n, 3), with its own sentence, and backward (n, 3) messages, each of any scale; and the matrices."""
    n = len(logs)
    flat = logs.reshape(n, 9)
    matrices = np.exp(flat - flat.max(1, keepdims=True)).reshape(n, 3, 3)
    # The backward messages are the forward messages of the reversed chain.
    both = np.empty((2, n, 3, 3))
    both[0], both[1] = matrices, matrices[::-1].swapaxes(1, 2)
    into = _products(both)
    ahead = (into[0] @ matrices)[:, 0]
    return ahead / ahead.sum(1, keepdims=True), into[1, ::-1, 0], matrices


_FILLING: Final = np.eye(3)[None, None].repeat(2, 0)


def _products(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, n, 1, 3) the product, of any scale, of all matrices (2, n, 3, 3) before each, from an even chance."""
    levels = [matrices]
    while levels[-1].shape[1] > 1:
        level = levels[-1]
        if level.shape[1] % 2:
            level = np.concatenate([level, _FILLING], 1)
            levels[-1] = level
        product = level[:, 0::2] @ level[:, 1::2]
        if len(levels) % 2 == 0:  # at every other level: four factors stay far from the limits of float64
            product /= product.reshape(2, -1, 9).max(2)[:, :, None, None]
        levels.append(product)
    into = np.full((2, 1, 1, 3), 1 / 3)
    for depth, level in enumerate(reversed(levels[:-1])):
        left = level[:, 0::2]
        into = into[:, : left.shape[1]]  # without what an odd level above was filled up with
        below = np.empty((2, level.shape[1], 1, 3))
        through = into @ left
        if depth % 2:
            through /= through.sum(3, keepdims=True)
        below[:, 0::2], below[:, 1::2] = into, through
        into = below
    return into[:, : matrices.shape[1]]


def decide(chances: NDArray[np.float64], favor: Favor) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """(n) labels and (n) their probabilities; `favor` shifts the decision, never the probability."""
    labels = (chances * np.array([ARTICLE_ODDS[favor], 1, 1])).argmax(1)
    return labels.astype(np.int8), chances[np.arange(len(chances)), labels]
