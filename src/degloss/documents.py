"""The values that degloss hands out: sentences, segments and the separation of a whole text.

None of them is to be changed, the arrays included. Offsets are Unicode code points into the text as it was given,
`start` included and `end` not, as in Python slices.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Label = Literal["article", "commentary", "boilerplate"]
Favor = Literal["precision", "balanced", "recall"]

LABELS: Final[tuple[Label, ...]] = ("article", "commentary", "boilerplate")
"""The three speakers. A label's place in this tuple is its number in every array and in the model."""

FAVORS: Final[tuple[Favor, ...]] = ("precision", "balanced", "recall")


_PIECE: Final = 256  # sentences
_SHOWN: Final = 40  # code points of a text, where it is only to be known again


class Sentence(NamedTuple):
    """One sentence and who speaks it.

    `label` is the decision in context and `confidence` its calibrated probability. `lone_label` and
    `lone_score` are what the sentence model said of this sentence alone, before any neighbour's score was looked at
    (it knows whether a quotation is open): where they differ from the final ones, the context decided.
    """

    start: int
    end: int
    label: Label
    confidence: float
    lone_label: Label
    lone_score: float


class Segment(NamedTuple):
    """A run of neighbouring sentences of one label; white space between runs belongs to none."""

    start: int
    end: int
    label: Label


@dataclass(frozen=True, eq=False, repr=False)
class Separation:
    """A text and who speaks where in it.

    The columns are arrays of one entry a sentence, not to be written to; `sentences` and `segments` are made from
    them when first asked for, so that a run over a million documents builds no objects it does not need.

    Two are equal if texts and sentences are, confidences to the last bit. These may differ in the sixth digit for one
    text in two batches; to compare what is said in both, compare `segments`.
    """

    text: str
    starts: NDArray[np.signedinteger]
    ends: NDArray[np.signedinteger]
    labels: NDArray[np.int8]
    confidences: NDArray[np.float32]
    lone_labels: NDArray[np.int8]
    lone_scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.starts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Separation):
            return NotImplemented
        return self.text == other.text and self.sentences == other.sentences

    def __repr__(self) -> str:
        shown = self.text if len(self.text) <= _SHOWN else f"{self.text[:_SHOWN]}…"
        return f"<Separation of {len(self)} sentences, {len(self.text)} code points: {shown!r}>"

    def __hash__(self) -> int:
        return hash((self.text, self.sentences))

    @cached_property
    def sentences(self) -> tuple[Sentence, ...]:
        """Every sentence in order; each non-blank character of the text lies in exactly one."""
        rows = zip(
            self.starts.tolist(),
            self.ends.tolist(),
            [LABELS[k] for k in self.labels.tolist()],
            self.confidences.tolist(),
            [LABELS[k] for k in self.lone_labels.tolist()],
            self.lone_scores.tolist(),
            strict=True,
        )
        return tuple(Sentence(*row) for row in rows)

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """The runs of one label: with the white space around and between them they rejoin to the text."""
        if not len(self):
            return ()
        turns = np.flatnonzero(np.diff(self.labels)) + 1
        first = np.concatenate([[0], turns])
        last = np.concatenate([turns, [len(self)]]) - 1
        rows = zip(
            self.starts[first].tolist(),
            self.ends[last].tolist(),
            [LABELS[k] for k in self.labels[first].tolist()],
            strict=True,
        )
        return tuple(Segment(*row) for row in rows)

    @property
    def article(self) -> str:
        """What the republished source says, paragraphs kept; empty if there is none."""
        return self.keep(["article"])

    @property
    def commentary(self) -> str:
        """What reposters, readers, editors and translators say; empty if there is none."""
        return self.keep(["commentary"])

    @property
    def boilerplate(self) -> str:
        """Page furniture: links, separators, share prompts, comment forms; empty if there is none."""
        return self.keep(["boilerplate"])

    def keep(self, labels: Iterable[Label]) -> str:
        """The text of these labels alone, in order.

        Sentences that stood next to each other keep the white space between them. Where something was taken
        out, the larger of the two gaps around it stays, so a paragraph break never turns into a space, and two
        sentences that only a removed one held apart never run together.
        """
        return "".join(self.kept(labels))

    def kept(self, labels: Iterable[Label]) -> list[str]:
        """The pieces of text that `keep` puts together."""
        if isinstance(labels, str) or not set(labels := tuple(labels)) <= set(LABELS):
            raise ValueError(f"labels must be some of {', '.join(LABELS)}, as a list or tuple, not {labels!r}")
        wanted = np.isin(self.labels, [LABELS.index(label) for label in labels])
        turns = (wanted[1:] != wanted[:-1]).nonzero()[0] + 1
        borders = [0, *turns.tolist(), len(wanted)]
        parts: list[str] = []
        for first, last in pairwise(borders):
            if last > first and wanted[first]:
                # In pieces, for a piece without emoji takes less memory than a text with some.
                places = [*range(first, last, _PIECE), last]
                starts = [int(self.starts[row]) for row in places[:-1]]
                ends = [*starts[1:], int(self.ends[last - 1])]
                parts += [self.text[start:end] for start, end in zip(starts, ends, strict=True)]
            elif parts and last < len(wanted):
                parts.append(max(self._gaps(first, last), key=_breadth) or " ")
        return parts

    def _gaps(self, first: int, last: int) -> Iterator[str]:
        """What stands before each of these sentences and behind the last."""
        for row in range(first, last + 1, _PIECE):
            rows = slice(row, min(row + _PIECE, last + 1))
            ends = self.ends[rows.start - 1 : rows.stop - 1].tolist()
            for end, start in zip(ends, self.starts[rows].tolist(), strict=True):
                yield self.text[end:start]


def _breadth(gap: str) -> tuple[int, int]:
    """How strongly white space separates: by its line breaks first, then by its length.

    >>> max("  ", "\\u2029", key=_breadth), max(" ", "\\n", "\\r\\n\\r\\n", key=_breadth)
    ('\\u2029', '\\r\\n\\r\\n')
    """
    return len(f"{gap}.".splitlines()), len(gap)
