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

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from degloss.context import CONTRASTS, SIGNALS, Context
from degloss.cues import Cues
from degloss.documents import Favor
from degloss.encode import Batch

BOUNDARY: Final = (
    "same line", "new line", "blank line", "wide gap", "starts emoji", "starts bullet", "starts lower", "starts at",
    "quotation open before", "quotation never closed", "quotation opens sentence", "after colon", "after no words",
    "after link", "after quotation", "after emoji", "change commentary", "change boilerplate",
)  # fmt: skip
SIDES: Final = ("score commentary", "score boilerplate", "chance commentary", "chance boilerplate", *SIGNALS)
EDGES: Final = (*BOUNDARY, *(f"contrast {w}: {name}" for w in (*CONTRASTS, "all") for name in SIDES))
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


def edge_features(cues: Cues, around: Context) -> NDArray[np.float64]:
    """(n, e) the boundary between each sentence and the one before it."""
    gaps = cues.gaps
    chances = around.chances

    def before(column: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.concatenate([[np.float32(0)], column])[:-1]

    columns = {
        "same line": gaps == 0,
        "new line": gaps == 1,
        "blank line": gaps == 2,
        "wide gap": gaps > 2,
        "after colon": before(cues.column("ends colon")),
        "after no words": before(cues.column("no words")),
        "after link": before(np.minimum(cues.column("lexicon addresses"), 1)),
        "after quotation": before(cues.column("quotation closes sentence")),
        "after emoji": before(cues.column("ends emoji")),
        "change commentary": np.abs(chances[:, 0] - before(chances[:, 0])),
        "change boilerplate": np.abs(chances[:, 1] - before(chances[:, 1])),
    }
    boundary = [columns[name] if name in columns else cues.column(name) for name in BOUNDARY]
    return np.concatenate([np.stack(boundary, 1), around.contrasts], 1, dtype=np.float64)


def standardised(chain: Chain, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, k) context features by the mean and spread of training, no further out than `LIMIT`."""
    return np.asarray(np.clip((features - chain.mean) / chain.spread, -LIMIT, LIMIT), np.float32)


def emissions(chain: Chain, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, 3) what speaks for each label at each sentence, as logarithms without a fixed zero."""
    standard = standardised(chain, features)
    layer = np.tanh(standard @ chain.hidden + chain.hidden_bias)
    return np.asarray(standard @ chain.weights + layer @ chain.hidden_weights + chain.bias, np.float64)


def slopes(chain: Chain, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, k, 3) by how much each standardised feature moves the emissions where these sentences are."""
    layer = np.tanh(standardised(chain, features) @ chain.hidden + chain.hidden_bias)
    through = np.einsum("kh,nh,hl->nkl", chain.hidden, 1 - layer**2, chain.hidden_weights)
    return np.asarray(chain.weights + through, np.float64)


def potentials(
    chain: Chain, batch: Batch, emission: NDArray[np.float64], edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n, 3, 3) logarithms of the weight of going from label to label into each sentence."""
    into = np.asarray((edges @ chain.edges.reshape(len(EDGES), 9)).reshape(-1, 3, 3), np.float64)
    opening = batch.documents[:-1][np.diff(batch.documents) > 0]
    into[opening] = chain.first  # the same from every label: what was before is forgotten
    return into + emission[:, None, :]


def marginals(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3) the probability of each label at each sentence, of potentials (n, 3, 3)."""
    ahead, behind, _ = messages(logs)
    joint = ahead * behind
    return np.asarray(joint / joint.sum(1, keepdims=True))


def messages(
    logs: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Forward (n, 3), with its own sentence, and backward (n, 3) messages, each of any scale; and the matrices."""
    matrices = np.exp(logs - logs.max((1, 2), keepdims=True))
    levels = [matrices]
    while len(levels[-1]) > 1:
        level = levels[-1]
        if len(level) % 2:
            level = np.concatenate([level, np.eye(3)[None]])
            levels[-1] = level
        product = level[0::2] @ level[1::2]
        levels.append(product / product.max((1, 2), keepdims=True))
    into = np.full((1, 1, 3), 1 / 3)
    out = np.full((1, 3, 1), 1 / 3)
    for level in reversed(levels[:-1]):
        left, right = level[0::2], level[1::2]
        into, out = into[: len(left)], out[: len(left)]  # without what an odd level above was filled up with
        through = into @ left
        back = right @ out
        into = np.stack([into, through / through.sum(2, keepdims=True)], 1).reshape(-1, 1, 3)
        out = np.stack([back / back.sum(1, keepdims=True), out], 1).reshape(-1, 3, 1)
    n = len(matrices)
    ahead = (into[:n] @ matrices)[:, 0]
    return ahead / ahead.sum(1, keepdims=True), out[:n, :, 0], matrices


def decide(chances: NDArray[np.float64], favor: Favor) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """(n) labels and (n) their probabilities; `favor` shifts the decision, never the probability."""
    weighed = chances * np.array([ARTICLE_ODDS[favor], 1, 1])
    labels = weighed.argmax(1).astype(np.int8)
    return labels, np.take_along_axis(chances, labels[:, None].astype(np.int64), 1)[:, 0]
