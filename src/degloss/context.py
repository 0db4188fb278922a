"""The context of a sentence: its neighbours' scores and looks, near and far, left and right.

For each of some thirty signals (the two sentence scores and cues that tell voices apart) the mean over the one, two,
five and twelve sentences to either side, over everything to either side, over the sentence's own line and paragraph.
The chain that decides (`decode`) weighs these numbers together with the sentence's own scores and cues.

A mean is a difference of two running sums. The features of all sentences are some twenty times as large as the text,
so they are made for a stretch of sentences at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from degloss.cues import Cues, blocks
from degloss.encode import Sentences

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
    """What surrounds each of n sentences; k features and c contrasts are made of it when asked for.

    cues     of all sentences, in one or several parts
    chances  (n, 2) of commentary and boilerplate by the lone sentence
    own      (4, n) the clipped scores and the chances
    sums     (s, n + 1) running sums of the s signals, in fixed point
    begins, ends  (3, n) the first row and the row after the last of each sentence's line, paragraph and document
    """

    cues: tuple[Cues, ...]
    chances: NDArray[np.float32]
    own: NDArray[np.float32]
    sums: NDArray[np.float64]
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.chances)

    @property
    def features(self) -> NDArray[np.float32]:
        """(n, k) what the chain weighs at each sentence, named by `names`."""
        return np.concatenate([self.block(part, rows)[0] for part, rows in self.parts()], 1).T

    @property
    def contrasts(self) -> NDArray[np.float32]:
        """(n, c) by how much each signal differs behind the boundary before a sentence from before it."""
        return np.concatenate([self.block(part, rows)[1] for part, rows in self.parts()], 1).T

    def parts(self) -> Iterator[tuple[Cues, slice]]:
        """The parts of the cues, and the rows that each of them has."""
        start = 0
        for cues in self.cues:
            yield cues, slice(start, start + len(cues.gaps))
            start += len(cues.gaps)

    def block(self, part: Cues, rows: slice, start: int = 0) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Features (k, m) and contrasts (c, m) of m rows, from place `start` of a part on; one row a feature."""
        scores, signals, windows, m = len(self.own), len(self.sums), len(_REACH), rows.stop - rows.start
        cues = part.values.T[:, start : start + m]
        features = np.empty((scores + len(cues) + signals * (2 * windows + 1) + 2 * scores, m), np.float32)
        contrasts = np.empty((len(_COMPARED), signals, m), np.float32)
        own, looks, sides, blocks, document = _split(
            features, (scores,), (len(cues),), (windows, 2, signals), (2, scores), (1, signals)
        )
        begins, ends, row = self.begins[:, rows], self.ends[:, rows], np.arange(rows.start, rows.stop)
        before, behind = self.sums[:, None, rows], self.sums[:, None, rows.start + 1 : rows.stop + 1]
        own[:] = self.own[:, rows]
        looks[:] = cues
        first = np.maximum(row - _REACH, begins[2])
        _means(before, self._upto(first), row - first, sides[:, 0])
        last = np.minimum(row + 1 + _REACH, ends[2])
        _means(self._upto(last), behind, last - row - 1, sides[:, 1])
        last = np.minimum(row + _REACH[_COMPARED], ends[2])
        _means(self._upto(last), before, last - row, contrasts)
        contrasts -= sides[_COMPARED, 0]
        first, last = begins[:2], ends[:2]
        _means(self._upto(last, scores), self._upto(first, scores), last - first, blocks)
        first, last = begins[2:], ends[2:]
        _means(self._upto(last), self._upto(first), last - first, document)
        return features, contrasts.reshape(len(_COMPARED) * signals, m)

    def _upto(self, rows: NDArray[np.int64], signals: int | None = None) -> NDArray[np.float64]:
        """(s, w, m) the sums of all rows before these (w, m), of the first so many signals."""
        return self.sums[:signals].take(rows, axis=1)


_ALL: Final = np.iinfo(np.int32).max
_REACH: Final = np.array([*WINDOWS, _ALL])[:, None]
_COMPARED: Final = [*(WINDOWS.index(window) for window in CONTRASTS), len(WINDOWS)]


def context(sentences: Sentences, cues: Cues | Sequence[Cues], scores: NDArray[np.float64]) -> Context:
    """The context of every sentence, from the sentence scores (n, 2) and the cues, which may come in parts."""
    parts = (cues,) if isinstance(cues, Cues) else tuple(cues)
    own = np.empty((4, len(sentences)), np.float32)
    sums = np.zeros((len(own) + len(SIGNALS), len(sentences) + 1))
    start = 0
    for part in parts:
        stop = start + len(part.gaps)
        clipped = np.minimum(np.maximum(scores[start:stop].T, -SCORE_LIMIT), SCORE_LIMIT)
        odds = np.exp(clipped)
        signals = np.concatenate([clipped, odds / (1 + odds.sum(0)), part.rows(SIGNALS)])
        own[:, start:stop] = signals[: len(own)]
        signals *= _FIXED
        # Integers below 2^53, so sums of them are exact in both types.
        sums[:, start + 1 : stop + 1] = np.rint(signals, out=signals).astype(np.int64).cumsum(1)
        sums[:, start + 1 : stop + 1] += sums[:, start, None]
        start = stop
    first, last = blocks(np.concatenate([part.gaps for part in parts]))
    begins = np.concatenate([first, sentences.documents[sentences.document][None]])
    ends = np.concatenate([last, sentences.documents[sentences.document + 1][None]])
    return Context(parts, own[2:].T, own, sums, begins, ends)


def _means(
    upto_last: NDArray[np.float64],
    upto_first: NDArray[np.float64],
    widths: NDArray[np.int64],
    out: NDArray[np.float32],
) -> None:
    """The means of windows of so many sentences (w, m) into (w, s, m), by running sums (s, w, m); zero of none."""
    sums = upto_last - upto_first
    sums *= 1 / (np.maximum(widths, 1) * float(_FIXED))
    out[:] = sums.swapaxes(0, 1)


def _split(rows: NDArray[np.float32], *shapes: tuple[int, ...]) -> list[NDArray[np.float32]]:
    """Views of so many rows (k, m) each, in order, their rows arranged in these shapes."""
    views = []
    start = 0
    for shape in shapes:
        stop = start + prod(shape)
        views.append(rows[start:stop].reshape(*shape, -1))
        start = stop
    return views
