"""Context features → labels: a chain that knows where speakers change.

A linear-chain conditional random field (Lafferty, McCallum and Pereira 2001) over the sentences of a document.
What speaks for a label at a sentence comes from the context features; what speaks for a change of speaker between
two sentences comes from the boundary: the same line, a new line, a blank line, an open quotation, a separator. The
marginal probability of each label at each sentence decides, and is the confidence.

`favor` weighs the two mistakes: taking commentary or boilerplate for article, and losing an article sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from degloss.context import CONTRASTS, NEAR, SCORES, Block, Context
from degloss.cues import rows_of
from degloss.documents import Favor
from degloss.encode import Sentences
from degloss.likeness import NAMES as LIKENESS
from degloss.likeness import shortness
from degloss.messages import stretches

GAPS: Final = ("same line", "new line", "blank line", "wide gap")
HERE: Final = ("starts emoji", "starts bullet", "starts lower", "starts at", "quotation open before",
               "quotation never closed", "quotation opens sentence")  # fmt: skip
BEFORE: Final = {"after colon": "ends colon", "after no words": "no words", "after link": "lexicon addresses",
                 "after quotation": "quotation closes sentence", "after emoji": "ends emoji"}  # fmt: skip
"""Cues of the sentence behind the boundary, and of the one before it (no more than 1 of each)."""
LONG: Final = "long text"
"""From 0 for a short document to 1 for a long one: few voices speak there as well, so boundaries change them less."""
BOUNDARY: Final = (*GAPS, *HERE, LONG, *BEFORE, "change commentary", "change boilerplate")
EDGES: Final = (
    *BOUNDARY, *(f"contrast {w}: {name}" for w in (*CONTRASTS, "all") for name in (*SCORES, *NEAR)), *LIKENESS,
)  # fmt: skip
"""What speaks for or against a change of speaker: the boundary itself, and how its two sides differ."""

HIDDEN: Final = 32
"""Units of the hidden layer, which lets the weight of a cue depend on the kind of page; docs/experiments.md."""

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
    def folded(self) -> tuple[NDArray[np.float32], ...]:
        """The limits (k) and (k) of the features as they are, their weights to the hidden layer and past it, as one
        product (k, HIDDEN + 3), and (HIDDEN + 3) what is then added."""
        mean, spread = np.asarray(self.mean, np.float64), np.asarray(self.spread, np.float64)
        weights = np.concatenate([self.hidden, self.weights], 1) / spread[:, None]
        bias = np.concatenate([self.hidden_bias, self.bias]) - mean @ weights
        arrays = (mean - LIMIT * spread, mean + LIMIT * spread, weights, bias)
        return tuple(array.astype(np.float32) for array in arrays)


def edge_features(around: Context) -> NDArray[np.float32]:
    """(n, e) the boundary between each sentence and the one before it."""
    return np.concatenate([np.concatenate([edges.T, block.contrasts], 1) for block, edges in boundaries(around)])


def boundaries(around: Context) -> Iterator[tuple[Block, NDArray[np.float32]]]:
    """All blocks, and of each the edge features (b, m) without the contrasts."""
    behind = np.zeros((len(BEFORE) + 2, 1), np.float32)  # what the sentence before a block was like
    for block in around.blocks():
        edges = np.empty((_ROWS, len(block.gaps)), np.float32)
        edges[_BREAKS] = np.minimum(block.gaps, _WIDE) == _GAPS
        block.looks.take(_looked_at(), axis=0, out=edges[_LOOKS], mode="clip")
        # Of the sentence before: its cues, and its chances, of which all that counts is how much they change.
        before, changes = edges[_BEFORE], edges[_CHANGES]
        own = np.minimum(before, _MOST)
        before[:, :1] = behind
        before[:, 1:] = own[:, :-1]
        changes -= own[_CHANCES]
        np.abs(changes, out=changes)
        behind = own[:, -1:] if own.size else behind
        long = edges[_LONG]  # which is the logarithm of the number of sentences until here
        np.divide(_ONE, shortness(np.expm1(long, out=long)), out=long)
        yield block, edges


@cache
def _looked_at() -> NDArray[np.intp]:
    """The rows of a block's looks that edges are made of."""
    cues = rows_of((*HERE, "document log sentences", *BEFORE.values())) + len(SCORES)
    return np.array([*cues, *(SCORES.index(f"chance {label}") for label in ("commentary", "boilerplate"))])


_GAPS: Final = np.arange(len(GAPS))[:, None]
_WIDE: Final = np.array(len(GAPS) - 1)
_ROWS: Final = len(BOUNDARY)
_BREAKS: Final = slice(len(GAPS))
_LOOKS: Final = slice(len(GAPS), None)
_LONG: Final = BOUNDARY.index(LONG)
_ONE: Final = np.array(1, np.float32)
_BEFORE: Final = slice(_LONG + 1, None)
_CHANGES: Final = slice(_BEFORE.start + len(BEFORE), None)
_CHANCES: Final = slice(len(BEFORE), None)
_MOST: Final = np.array(1, np.float32)


def standardised(chain: Chain, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, k) context features by the mean and spread of training, no further out than `LIMIT`."""
    standard = features - chain.mean
    standard /= chain.spread
    return np.clip(standard, -LIMIT, LIMIT, out=standard)


def emissions(chain: Chain, *features: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 3) what speaks for each label at each sentence, as logarithms without a fixed zero.

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
    layer = np.tanh(through[:, :HIDDEN])
    emission: NDArray[np.float32] = layer.dot(chain.hidden_weights)
    emission += through[:, HIDDEN:]
    return emission


def evidence(chain: Chain, around: Context) -> NDArray[np.float32]:
    """(n, 3, 3) the potentials of all sentences.

    They are those of all features and edges at once, made for so many sentences at a time that the features stay in
    the processor's cache.
    """
    logs = np.empty((len(around), 3, 3), np.float32)
    for block, edges in boundaries(around):
        emission = emissions(chain, block.looks.T, block.means)
        changes = _changes(chain, edges.T, block.contrasts)
        logs[block.rows] = _potentials(chain, block.opens, emission, changes)
    return logs


def slopes(chain: Chain, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, k, 3) by how much each standardised feature moves the emissions where these sentences are."""
    layer = np.tanh(standardised(chain, features) @ chain.hidden + chain.hidden_bias)
    through = np.einsum("kh,nh,hl->nkl", chain.hidden, 1 - layer**2, chain.hidden_weights)
    return np.asarray(chain.weights + through, np.float64)


def potentials(
    chain: Chain, sentences: Sentences, emission: NDArray[np.floating[Any]], edges: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """(n, 3, 3) logarithms of the weight of going from label to label into each sentence."""
    opening = np.zeros(len(sentences) + 1, bool)
    opening[sentences.documents[:-1]] = True
    return _potentials(chain, opening[:-1], emission, _changes(chain, edges).astype(np.float64))


def _changes(chain: Chain, first: NDArray[Any], *rest: NDArray[Any]) -> NDArray[np.floating[Any]]:
    """(n, 9) what speaks for each pair of labels; the edge features may come in two pieces of columns."""
    weights = chain.edges.reshape(len(EDGES), 9)
    changes: NDArray[np.floating[Any]] = first.dot(weights[: first.shape[1]])
    for second in rest:
        changes += second.dot(weights[first.shape[1] :])
    return changes


def _potentials(
    chain: Chain, opening: NDArray[Any], emission: NDArray[np.floating[Any]], changes: NDArray[Any]
) -> NDArray[Any]:
    logs = changes.reshape(-1, 3, 3)
    # The same from every label: what was before is forgotten.
    np.copyto(logs, chain.first, where=opening[:, None, None])
    logs += emission[:, None, :]
    return logs


def decide(chances: NDArray[np.float64], favor: Favor) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """(n) labels and (n) their probabilities; `favor` shifts the decision, never the probability."""
    labels = (chances * _ODDS[favor]).argmax(1)
    places = np.arange(0, chances.size, 3)
    places += labels
    return labels, chances.ravel()[places]


_ODDS: Final = {favor: np.array([odds, 1, 1]) for favor, odds in ARTICLE_ODDS.items()}


def decisions(logs: NDArray[np.floating[Any]], favor: Favor) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """(n) labels and (n) their probabilities, of potentials (n, 3, 3)."""
    labels, confidences = np.empty(len(logs), np.int8), np.empty(len(logs), np.float32)
    for rows, chances in stretches(logs):
        labels[rows], confidences[rows] = decide(chances, favor)
    return labels, confidences
