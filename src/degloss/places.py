"""Where a sentence stands: in its line, its paragraph and its document.

Lines and paragraphs may be longer than what is worked on at a time, so they are told from all sentences at once, by
what little has to be kept of each: the line breaks before it, and where it begins and ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from degloss.encode import Sentences

NAMES: Final = (
    *(f"{block} {what}" for block in ("line", "paragraph")
      for what in ("begins", "ends", "log sentences", "log place", "log length")),
    "wide gap before", "log length",
    "document log sentences", "document share before", "document log place", "document log left",
    "document first", "document second", "document last", "document last but one",
)  # fmt: skip
"""The cues of the place."""


@dataclass(frozen=True, eq=False)
class Places:
    """The lines, paragraphs and documents of n sentences.

    gaps        (n) line breaks between a sentence and the one before it; 2 at the start of a document
    characters  (n + 1) the lengths of all sentences before each
    borders     the first row of each line, of each paragraph and of each document, as one ascending sequence: those
                of paragraphs moved by n + 1, those of documents by twice as much; behind each kind one that begins at n
    """

    gaps: NDArray[np.signedinteger]
    characters: NDArray[np.signedinteger]
    borders: NDArray[np.signedinteger]

    def around(self, start: int, stop: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(3, m) the first row, and the row after the last, of the line, paragraph and document of these sentences."""
        moved = np.arange(3)[:, None] * (len(self.gaps) + 1)
        number = self.borders.searchsorted(np.arange(start, stop) + moved, "right")
        return self.borders[number - 1] - moved, self.borders[number] - moved


def places(sentences: Sentences, gaps: NDArray[np.signedinteger]) -> Places:
    """The places of sentences with so many line breaks before each; what is counted before a document is not asked."""
    n = len(sentences)
    begins = np.zeros((3, n + 1), bool)
    begins[2, sentences.documents] = True
    begins[:, n] = True
    gaps = gaps.copy()
    gaps[begins[2, :n]] = 2
    np.greater_equal(gaps, _LEAST, out=begins[:2, :n])
    lengths = sentences.ends - sentences.starts
    characters = np.concatenate([[0], lengths], dtype=lengths.dtype)
    np.add.accumulate(characters, out=characters)
    return Places(gaps, characters, begins.ravel().nonzero()[0])


_LEAST: Final = np.array([[1], [2]])


def place(
    places: Places, start: int, first: NDArray[np.int64], last: NDArray[np.int64], out: NDArray[np.float32]
) -> None:
    """Writes the cues of the place (20, m) of m sentences from row `start` on; `first` and `last` are `around` them."""
    m = out.shape[1]
    row = np.arange(start, start + m)
    gaps, characters = places.gaps[start : start + m], places.characters
    numbers = np.empty((10, m), np.int64)
    sizes, before, left = numbers[:3], numbers[3:6], numbers[6]
    np.subtract(last, first, out=sizes)
    np.subtract(row, first, out=before)
    behind = last - 1
    behind -= row
    left[:] = behind[2]
    np.subtract(characters[last[:2]], characters[first[:2]], out=numbers[7:9])
    np.subtract(characters[start + 1 : start + m + 1], characters[start : start + m], out=numbers[9])
    logs = np.log1p(numbers)
    blocks, document = out[:10].reshape(2, 5, m), out[12:]
    blocks[:, 0] = before[:2] == 0
    blocks[:, 1] = behind[:2] == 0
    blocks[:, 2] = logs[:2]
    blocks[:, 3] = logs[3:5]
    blocks[:, 4] = logs[7:9]
    out[10] = gaps > 2
    out[11] = logs[9]
    document[0] = logs[2]
    document[1] = before[2] / np.maximum(sizes[2] - 1, 1)
    document[2:4] = logs[5:7]
    document[4:6] = before[2] == _FIRST
    document[6:8] = left == _FIRST


_FIRST: Final = np.array([[0], [1]])
