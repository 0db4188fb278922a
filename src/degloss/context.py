"""The context of a sentence: its neighbours' scores and looks, near and far, left and right.

For each of some thirty signals (the two sentence scores and cues that tell voices apart) the mean over the one, two,
five and twelve sentences to either side, over everything to either side, over the sentence's own line and paragraph.
The chain that decides (`decode`) weighs these numbers together with the sentence's own scores and cues, and with how
alike the stretches around it are (`likeness`).

A mean is a difference of two running sums. The features of all sentences are some twenty times as large as the text,
so they are made for a stretch of sentences at a time. Of a text that comes in parts the running sums too are made
part by part; what a part needs of the others are the sums up to a few sentences of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from degloss.cues import Cues, Packed, rows_of
from degloss.encode import Sentences
from degloss.likeness import NAMES as LIKENESS
from degloss.likeness import borders, likeness, running
from degloss.places import Places, place, places
from degloss.vectors import DIMENSIONS, SOURCES

WINDOWS: Final = (1, 2, 5, 12)
"""Sentences looked at on either side; beyond the last, the whole rest of the document."""

SCORES: Final = ("score commentary", "score boilerplate", "chance commentary", "chance boilerplate")
NEAR: Final = (
    "count exclamation", "count question", "count emoji", "count quote_straight", "count quote_low",
    "quotation open before", "share nouns", "log words", "links", "handle and little else", "tags and little else",
    "starts emoji", "starts bullet", "slip space before mark", "repeated marks", "repeated rule", "no words",
    "ends period", "count ellipsis",
)  # fmt: skip
"""Cues whose means are taken over all windows, beside the scores."""
SIGNALS: Final = (
    *NEAR, "lexicon first_person", "lexicon address_familiar", "lexicon address_formal", "lexicon particles",
    "lexicon judgement", "lexicon reporting", "lexicon subjunctive", "lexicon preterite", "lexicon roles",
    "lexicon addresses", "lexicon sharing", "lexicon comment_form",
)  # fmt: skip
"""Cues whose mean over the document is taken: what kind of page it is. Who uses which words nearby is in the scores;
as means over windows, words of the lexicons cost article sentences and found nothing (docs/experiments.md)."""

CONTRASTS: Final = (2, 5)
"""Windows over which the two sides of a boundary are compared; and over everything before and behind it."""

SCORE_LIMIT: Final = 8.0
"""Sentence scores are clipped here: log-odds beyond it say no more, and one wild score must not outvote ten."""

# Sums of fixed-point numbers are exact: a document scores the same in any batch.
_FIXED: Final = np.array(65536, np.float32)


def names(cues: Cues) -> tuple[str, ...]:
    """The names of the context features, in the order of their columns."""
    own = [f"own {name}" for name in SCORES] + list(cues.names)
    sides = [f"{side} {window}" for window in (*WINDOWS, "all") for side in ("left", "right")]
    around = [f"{side}: {name}" for side in sides for name in (*SCORES, *NEAR)]
    blocks = [f"{block}: {name}" for block in ("line", "paragraph") for name in SCORES]
    return (*own, *around, *blocks, *(f"document: {name}" for name in (*SCORES, *SIGNALS)), *LIKENESS)


BLOCK: Final = 1024
"""Sentences whose features are made at a time: they then stay in the processor's cache."""


class Block(NamedTuple):
    """The context of m sentences that follow each other; k features and c contrasts, made only when asked for.

    rows       of these sentences
    looks      (l, m) the first features, one row each: its own scores and chances, its cues
    means      (m, k - l) the other features: means of what is around it, and its likeness to that
    contrasts  (m, c) by how much each signal differs behind the boundary before a sentence from before it, and how
               alike the two sides are
    gaps       (m) line breaks before each
    opens      (m) whether a sentence is the first of its document
    """

    rows: slice
    looks: NDArray[np.float32]
    means: NDArray[np.float32]
    contrasts: NDArray[np.float32]
    gaps: NDArray[np.signedinteger]
    opens: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Context:
    """What surrounds each of n sentences.

    parts    the cues of all sentences, in one or several parts
    scores   (n, 2) sentence scores
    vectors  (m, v) of the m sentences of each part
    places   where the sentences stand
    """

    parts: tuple[Cues | Packed, ...]
    scores: NDArray[np.floating]
    vectors: tuple[NDArray[np.integer], ...]
    places: Places

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def features(self) -> NDArray[np.float32]:
        """(n, k) what the chain weighs at each sentence, named by `names`."""
        return np.concatenate([np.concatenate([block.looks.T, block.means], 1) for block in self.blocks()])

    def blocks(self) -> Iterator[Block]:
        """All sentences in order, not more than `BLOCK` at a time, and at least once."""
        start = 0
        carried = _NOTHING
        far, beyond = self._far() if len(self.parts) > 1 else (_NO_ROWS, _NO_SUMS)
        for part, vectors in zip(self.parts, self.vectors, strict=True):
            cues, stop = part.unpacked(), start + len(part)
            own = self._own(start, stop)
            signals, spoken = _summed(cues, own, vectors, carried)
            carried = signals[-1], spoken[-1]
            if len(far):
                signals, spoken = np.concatenate([signals, beyond[0]]), np.concatenate([spoken, beyond[1]])
            sums = Sums(start, far, signals, np.ascontiguousarray(signals[:, :_NEAR]), spoken)
            for first in range(start, max(stop, 1), BLOCK):
                last = min(first + BLOCK, stop)
                yield self._block(cues, own, sums, slice(first, last))
            start = stop

    def _own(self, start: int, stop: int) -> NDArray[np.float32]:
        """(4, m) the clipped scores and the chances of these sentences."""
        own = np.empty((4, stop - start), np.float32)
        clipped, chances = own[:2], own[2:]
        np.maximum(self.scores[start:stop].T, _LOWEST, out=clipped)
        np.minimum(clipped, _HIGHEST, out=clipped)
        np.exp(clipped, out=chances)
        chances /= np.add.reduce(chances) + _ONE
        return own

    def _far(self) -> tuple[NDArray[np.int64], Tables]:
        """The sums up to all sentences that are looked at from another part: their rows, ascending, and the sums."""
        borders = np.cumsum([0, *map(len, self.parts)])
        near = borders[:, None] + np.arange(-WINDOWS[-1] - 1, WINDOWS[-1] + 2)
        n = len(self)
        edges = np.concatenate([borders[1:-1] - 1, borders[1:-1]])
        edges = edges[(edges >= 0) & (edges < n)]
        rows = np.unique(np.concatenate([near.ravel(), self.places.around(edges).ravel()]))
        rows = rows[(rows >= 0) & (rows <= n)]
        carried = _NOTHING
        found = np.empty((len(rows), _SIGNALS)), np.empty((len(rows), len(_NOTHING[1])), np.int32)
        starts, stops = borders[:-1].tolist(), borders[1:].tolist()
        for part, vectors, start, stop in zip(self.parts, self.vectors, starts, stops, strict=True):
            sums = _summed(part.unpacked(), self._own(start, stop), vectors, carried)
            inside = slice(*rows.searchsorted([start, stop + 1]))
            here = rows[inside] - start
            found[0][inside], found[1][inside] = sums[0][here], sums[1][here]
            carried = sums[0][-1], sums[1][-1]
        return rows, found

    def _block(self, cues: Cues, own: NDArray[np.float32], sums: Sums, rows: slice) -> Block:
        here = slice(rows.start - sums.start, rows.stop - sums.start)
        row, n, m = np.arange(rows.start, rows.stop), len(own), rows.stop - rows.start
        around = self.places.around(row)
        looks = np.empty((n + len(cues.names), m), np.float32)
        looks[:n] = own[:, here]
        given = cues.values.shape[1]  # training gives the cues of the place too, for some may be struck out
        looks[n : n + given] = cues.values.T[:, here]
        if given == cues.voice:
            place(self.places, row, around, looks[n + given :])

        # Of each window the first row and the one after the last, none beyond the document.
        windows = row + _REACH
        np.maximum(windows[0], around[0, 2], out=windows[0])
        np.minimum(windows[1], around[1, 2], out=windows[1])
        windows[:, _BLOCKS : _BEHIND - 1] = around[:, :2]
        places, weights = sums.at(windows).swapaxes(1, 2), _weights(windows)
        found = _means(sums.near, places, weights)
        sides, blocks = found[:, :_BLOCKS], found[:, _BLOCKS : _BEHIND - 1, :n]
        document = _means(sums.signals, places[:, :, _BEHIND - 1], weights[:, _BEHIND - 1])
        compared = sums.spoken.take(sums.at(borders(row, around)), axis=0)
        alike = likeness(compared, around[1, 2] - around[0, 2])
        means = np.concatenate([sides.reshape(m, _BLOCKS * _NEAR), blocks.reshape(m, 2 * n), document, alike], 1)
        contrasts = found[:, _BEHIND:]
        contrasts -= found.take(_LEFT_OF_COMPARED, axis=1)
        return Block(
            rows,
            looks,
            means,
            np.concatenate([contrasts.reshape(m, len(_COMPARED) * _NEAR), alike], 1),
            self.places.gaps[rows],
            around[0, 2] == row,
        )


Tables = tuple[NDArray[np.float64], NDArray[np.int32]]
"""Running sums of signals, and of vectors."""


class Sums(NamedTuple):
    """Running sums of s signals and numbers of vectors: of all rows of a part, and of some others.

    start    the first row of the part
    far      (f) other rows
    signals  (m + 1 + f, s) the sums of all rows before each row of the part and the one behind it, then before the
             others
    near     (m + 1 + f, s') the same of the signals whose means are taken over all windows
    spoken   (m + 1 + f, v) the same of the vectors
    """

    start: int
    far: NDArray[np.int64]
    signals: NDArray[np.float64]
    near: NDArray[np.float64]
    spoken: NDArray[np.int32]

    def at(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where in the tables the sums up to these rows stand."""
        if not len(self.far):  # the part is all there is
            return rows
        places = rows - self.start
        near = len(self.signals) - len(self.far)
        away = (places < 0) | (places >= near)
        places[away] = self.far.searchsorted(rows[away]) + near
        return places


def _summed(cues: Cues, own: NDArray[np.float32], vectors: NDArray[np.integer], carried: Tables) -> Tables:
    """(m + 1, s) and (m + 1, v) the running sums of a part's signals and vectors, from those of the parts before on."""
    signals = np.concatenate([own, cues.values.T.take(rows_of(SIGNALS), axis=0)])
    signals *= _FIXED
    sums = np.empty((signals.shape[1] + 1, _SIGNALS))
    sums[0] = carried[0]
    # Integers below 2^53, so that sums of them are exact.
    sums[1:] = np.rint(signals, out=signals).T
    return np.add.accumulate(sums, out=sums), running(vectors, carried[1])


def _weights(windows: NDArray[np.int64]) -> NDArray[np.float32]:
    """(m, w) what the sum over each of w windows (2, w, m) is to be multiplied by to make a mean."""
    widths = windows[1] - windows[0]
    weights: NDArray[np.float32] = np.maximum(widths, _ONE_ROW, out=widths).astype(np.float32)
    return np.divide(_UNIT, weights, out=weights).T


def _means(table: NDArray[np.float64], places: NDArray[np.int64], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """(…, s) the means over windows that begin and end at these places (2, …) of a table; zero where there is none."""
    borders = table.take(places, axis=0)
    sums = np.subtract(borders[1], borders[0], out=borders[1])
    means: NDArray[np.float32] = sums.astype(np.float32)
    means *= weights[..., None]
    return means


_ONE: Final = np.array(1, np.float32)
_ONE_ROW: Final = np.array(1)
_UNIT: Final = np.array(1 / 65536, np.float32)
_LOWEST: Final = np.array(-SCORE_LIMIT, np.float32)
_HIGHEST: Final = np.array(SCORE_LIMIT, np.float32)
_ALL: Final = np.iinfo(np.int32).max
_COMPARED: Final = [*(WINDOWS.index(window) for window in CONTRASTS), len(WINDOWS)]
_LEFT_OF_COMPARED: Final = np.array([2 * window for window in _COMPARED])
_NEAR: Final = len(SCORES) + len(NEAR)
_SIGNALS: Final = len(SCORES) + len(SIGNALS)
_BLOCKS: Final = 2 * (len(WINDOWS) + 1)
_BEHIND: Final = _BLOCKS + 3
_BESIDE: Final = [reach for width in (*WINDOWS, _ALL) for reach in ((-width, 0), (1, 1 + width))]
_AROUND: Final = [(-_ALL, _ALL)] * 3
_COMPARING: Final = [(0, width) for width in (*CONTRASTS, _ALL)]
_REACH: Final = np.array([*_BESIDE, *_AROUND, *_COMPARING]).T[:, :, None]
"""(2, w, 1) how far from a sentence each window begins and ends: to the left and to the right, nearest first; line,
paragraph and document; what is behind the boundary before the sentence."""
_NO_ROWS: Final = np.empty(0, np.int64)
_NOTHING: Final = np.zeros(_SIGNALS), np.zeros(len(SOURCES) * DIMENSIONS, np.int32)
_NO_SUMS: Final = np.empty((0, _SIGNALS)), np.empty((0, len(SOURCES) * DIMENSIONS), np.int32)


def context(
    sentences: Sentences,
    cues: Cues | Sequence[Cues | Packed],
    scores: NDArray[np.floating],
    vectors: NDArray[np.integer] | Sequence[NDArray[np.integer]],
) -> Context:
    """The context of every sentence, from its scores (n, 2), and its cues and vectors (n, v), which may be in parts."""
    parts = (cues,) if isinstance(cues, Cues) else tuple(cues)
    spoken = (vectors,) if isinstance(vectors, np.ndarray) else tuple(vectors)
    gaps = parts[0].gaps if len(parts) == 1 else np.concatenate([part.gaps for part in parts])
    return Context(parts, scores, spoken, places(sentences, gaps))
