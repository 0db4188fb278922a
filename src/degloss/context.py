"""The context of a sentence: what kind of page it stands in, and how its surroundings compare with it.

Of each sentence its own scores and cues, the means of the scores over its line and its paragraph, the means of some
thirty signals (the scores and cues that tell voices apart) over its document, and how alike the stretches around it
are (`likeness`). Who spoke before and will speak behind is not told here but remembered (`memory`); the chain that
decides (`decode`) weighs both.

A mean is a difference of two running sums. The features of all sentences are some ten times as large as the text,
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
from degloss.likeness import REACHES, borders, likeness, running
from degloss.places import Places, place, places
from degloss.vectors import DIMENSIONS, SOURCES

SCORES: Final = ("score commentary", "score boilerplate", "chance commentary", "chance boilerplate")
SIGNALS: Final = (
    "count exclamation", "count question", "count emoji", "count quote_straight", "count quote_low",
    "quotation open before", "share nouns", "log words", "links", "handle and little else", "tags and little else",
    "starts emoji", "starts bullet", "slip space before mark", "repeated marks", "repeated rule", "no words",
    "ends period", "count ellipsis", "lexicon first_person", "lexicon address_familiar", "lexicon address_formal",
    "lexicon particles", "lexicon judgement", "lexicon reporting", "lexicon subjunctive", "lexicon preterite",
    "lexicon roles", "lexicon addresses", "lexicon sharing", "lexicon comment_form",
)  # fmt: skip
"""Cues whose mean over the document is taken, beside the scores: what kind of page it is."""

SCORE_LIMIT: Final = 8.0
"""Sentence scores are clipped here: log-odds beyond it say no more, and one wild score must not outvote ten."""

# Sums of fixed-point numbers are exact: a document scores the same in any batch.
_FIXED: Final = np.array(65536, np.float32)


def names(cues: Cues) -> tuple[str, ...]:
    """The names of the context features, in the order of their columns."""
    own = [f"own {name}" for name in SCORES] + list(cues.names)
    blocks = [f"{block}: {name}" for block in ("line", "paragraph") for name in SCORES]
    return (*own, *blocks, *(f"document: {name}" for name in (*SCORES, *SIGNALS)), *LIKENESS)


BLOCK: Final = 1024
"""Sentences whose features are made at a time: they then stay in the processor's cache."""


class Block(NamedTuple):
    """The context of m sentences that follow each other; k features, made only when asked for.

    rows   of these sentences
    looks  (l, m) the first features, one row each: its own scores and chances, its cues
    means  (m, k - l) the other features: means of what it stands in, and how alike what is around it is
    alike  (m, c) the last of these once more: how alike the two sides of the boundary before a sentence are
    gaps   (m) line breaks before each
    opens  (m) whether a sentence is the first of its document
    """

    rows: slice
    looks: NDArray[np.float32]
    means: NDArray[np.float32]
    alike: NDArray[np.float32]
    gaps: NDArray[np.signedinteger]
    opens: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Context:
    """What surrounds each of n sentences.

    documents  (d + 1) the first row of each document, then n
    parts      the cues of all sentences, in one or several parts
    scores     (n, 2) sentence scores
    vectors    (m, v) of the m sentences of each part
    places     where the sentences stand
    """

    documents: NDArray[np.int64]
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
            sums = Sums(start, far, signals, spoken)
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
        near = borders[:, None] + np.arange(-REACHES[-1] - 1, REACHES[-1] + 2)
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

        found = _means(sums.signals, sums.at(around), around)
        scores, document = found[:2, :, :n].swapaxes(0, 1).reshape(m, 2 * n), found[2]
        compared = sums.spoken.take(sums.at(borders(row, around)), axis=0)
        alike = likeness(compared, around[1, 2] - around[0, 2])
        means = np.concatenate([scores, document, alike], 1)
        return Block(rows, looks, means, alike, self.places.gaps[rows], around[0, 2] == row)


Tables = tuple[NDArray[np.float64], NDArray[np.int32]]
"""Running sums of signals, and of vectors."""


class Sums(NamedTuple):
    """Running sums of s signals and numbers of vectors: of all rows of a part, and of some others.

    start    the first row of the part
    far      (f) other rows
    signals  (m + 1 + f, s) the sums of all rows before each row of the part and the one behind it, then before the
             others
    spoken   (m + 1 + f, v) the same of the vectors
    """

    start: int
    far: NDArray[np.int64]
    signals: NDArray[np.float64]
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


def _means(table: NDArray[np.float64], places: NDArray[np.int64], borders: NDArray[np.int64]) -> NDArray[np.float32]:
    """(…, s) the means over stretches from and to these rows (2, …), whose sums stand at these places of a table."""
    ends = table.take(places, axis=0)
    means: NDArray[np.float32] = np.subtract(ends[1], ends[0], out=ends[1]).astype(np.float32)
    widths = np.subtract(borders[1], borders[0]).astype(np.float32)
    means *= np.divide(_UNIT, widths, out=widths)[..., None]
    return means


_ONE: Final = np.array(1, np.float32)
_UNIT: Final = np.array(1 / 65536, np.float32)
_LOWEST: Final = np.array(-SCORE_LIMIT, np.float32)
_HIGHEST: Final = np.array(SCORE_LIMIT, np.float32)
_SIGNALS: Final = len(SCORES) + len(SIGNALS)
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
    return Context(sentences.documents, parts, scores, spoken, places(sentences, gaps))
