"""The boundary between a sentence and the one before it: what may be a change of speaker.

The line breaks between the two, how the one ends and the other begins, how much their scores differ, how long the
document is, and how alike what stands before the boundary is to what stands behind it (`likeness`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from degloss.context import SCORES, Block, Context
from degloss.cues import rows_of
from degloss.likeness import NAMES as LIKENESS
from degloss.likeness import shortness

GAPS: Final = ("same line", "new line", "blank line", "wide gap")
HERE: Final = ("starts emoji", "starts bullet", "starts lower", "starts at", "quotation open before",
               "quotation never closed", "quotation opens sentence")  # fmt: skip
BEFORE: Final = {"after colon": "ends colon", "after no words": "no words", "after link": "lexicon addresses",
                 "after quotation": "quotation closes sentence", "after emoji": "ends emoji"}  # fmt: skip
"""Cues of the sentence behind the boundary, and of the one before it (no more than 1 of each)."""
LONG: Final = "long text"
"""From 0 for a short document to 1 for a long one: few voices speak there as well, so boundaries change them less."""
BOUNDARY: Final = (*GAPS, *HERE, LONG, *BEFORE, "change commentary", "change boilerplate")
EDGES: Final = (*BOUNDARY, *LIKENESS)
"""What speaks for or against a change of speaker: the boundary itself, and how alike its two sides are."""


def edge_features(around: Context) -> NDArray[np.float32]:
    """(n, e) the boundary between each sentence and the one before it."""
    return np.concatenate([np.concatenate([edges.T, block.alike], 1) for block, edges in boundaries(around)])


def boundaries(around: Context) -> Iterator[tuple[Block, NDArray[np.float32]]]:
    """All blocks, and of each the edge features (b, m) without the likeness."""
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
