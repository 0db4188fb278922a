"""The context of a sentence: its neighbours' scores and looks, near and far, left and right.

For each of some twenty signals (the two sentence scores and cues that tell voices apart) the mean over the one, two
and five sentences to either side, over everything to either side, over the sentence's own line and paragraph. The
chain that decides (`decode`) weighs these numbers together with the sentence's own scores and cues.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from degloss.cues import Cues
from degloss.encode import Batch

WINDOWS: Final = (1, 2, 5, 12)
"""Sentences looked at on either side; beyond the last, the whole rest of the document."""

SIGNALS: Final = (
    "lexicon first_person", "lexicon address_familiar", "lexicon address_formal", "lexicon particles",
    "lexicon judgement", "lexicon reporting", "lexicon subjunctive", "lexicon preterite", "lexicon roles",
    "lexicon addresses", "lexicon sharing", "lexicon comment_form", "count exclamation", "count question",
    "count emoji", "count quote_straight", "count quote_low", "quotation open before", "share nouns", "log words",
    "links", "handle and little else", "tags and little else", "starts emoji", "starts bullet",
    "slip space before mark", "repeated marks", "repeated rule", "no words", "ends period", "count ellipsis",
)  # fmt: skip

CONTRASTS: Final = (2, 5)
"""Windows over which the two sides of a boundary are compared; and over everything before and behind it."""

SCORE_LIMIT: Final = 8.0
"""Sentence scores are clipped here: log-odds beyond it say no more, and one wild score must not outvote ten."""

_FIXED: Final = 1 << 16  # sums of fixed-point numbers are exact, so a document scores the same in any batch


def names(cues: Cues) -> tuple[str, ...]:
    """The names of the context features, in the order of their columns."""
    signals = ("score commentary", "score boilerplate", "chance commentary", "chance boilerplate", *SIGNALS)
    own = [f"own {name}" for name in signals[:4]] + list(cues.names)
    sides = [f"{side} {window}" for window in (*WINDOWS, "all") for side in ("left", "right")]
    around = [f"{side}: {name}" for side in sides for name in signals]
    blocks = [f"{block}: {name}" for block in ("line", "paragraph") for name in signals[:4]]
    return tuple(own + around + blocks + [f"document: {name}" for name in signals])


@dataclass(frozen=True, eq=False)
class Context:
    """What surrounds each sentence of a batch.

    features   (n, k) what the chain weighs at each sentence, named by `names`
    contrasts  (n, c) by how much each signal differs behind the boundary before a sentence from before it
    chances    (n, 2) of commentary and boilerplate by the lone sentence
    """

    features: NDArray[np.float32]
    contrasts: NDArray[np.float32]
    chances: NDArray[np.float32]


def context(batch: Batch, cues: Cues, scores: NDArray[np.float64]) -> Context:
    """The context of every sentence, from the sentence scores (n, 2) and the cues."""
    clipped = np.clip(scores, -SCORE_LIMIT, SCORE_LIMIT)
    odds = np.exp(clipped)
    chances = odds / (1 + odds.sum(1, keepdims=True))
    own = np.concatenate([clipped, chances], 1)
    signals = np.concatenate([own, *(cues.column(name)[:, None] for name in SIGNALS)], 1)

    prefix = np.zeros((len(batch) + 1, signals.shape[1]), np.int64)
    np.cumsum(np.rint(signals * _FIXED).astype(np.int64), axis=0, out=prefix[1:])
    row = np.arange(len(batch))
    begin = batch.documents[batch.document]
    end = batch.documents[batch.document + 1]
    parts: list[NDArray[np.float64]] = [own, cues.values.astype(np.float64)]
    contrasts: list[NDArray[np.float64]] = []
    for place, window in enumerate((*WINDOWS, len(batch))):
        left = _mean(prefix, np.maximum(row - window, begin), row)
        parts += [left, _mean(prefix, row + 1, np.minimum(row + 1 + window, end))]
        if window in CONTRASTS or place == len(WINDOWS):
            contrasts.append(_mean(prefix, row, np.minimum(row + window, end)) - left)
    scores_only = prefix[:, :4]
    for least in (1, 2):
        first, last = _blocks(cues.gaps, least)
        parts.append(_mean(scores_only, first, last))
    parts.append(_mean(prefix, begin, end))
    return Context(
        np.concatenate(parts, 1, dtype=np.float32),
        np.concatenate(contrasts, 1, dtype=np.float32),
        chances.astype(np.float32),
    )


def _mean(prefix: NDArray[np.int64], first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mean over the rows from first to last, zero where there are none."""
    width = np.maximum(last - first, 1)[:, None]
    return np.asarray((prefix[last] - prefix[first]) / (width * float(_FIXED)))


def _blocks(gaps: NDArray[np.int64], least: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first row and the row after the last of each sentence's block, blocks parted by so many line breaks."""
    begins = gaps >= least
    starts = np.flatnonzero(begins)
    number = np.cumsum(begins) - 1
    return starts[number], np.concatenate([starts[1:], [len(gaps)]])[number]
