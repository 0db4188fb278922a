"""Texts → arrays: a batch of documents as code points, classes, sentences and words.

Everything later stages compute over characters, words or sentences, they compute over the arrays of a `Batch`,
for all documents at once. One row of the sentence columns is one sentence; `documents` says where each document's
sentences begin. Positions are offsets into `normal` and `kinds`, the code points of all documents one after the
other, each followed by one line break, so that no n-gram and no word reaches from one document into the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from degloss import segment
from degloss.characters import ALONE, WORD_CLASSES, Char, classes, normal_forms
from degloss.slices import SLICE, Slice, is_long, slices


@dataclass(frozen=True, eq=False)
class Sentences:
    """Where the n sentences of d documents stand.

    texts       the d documents as they came
    offsets     (d + 1) position of each document's first code point
    documents   (d + 1) row of each document's first sentence
    document    (n) which document a sentence belongs to
    starts      (n) position of a sentence's first code point
    ends        (n) position after its last one; neither of the two is white space
    """

    texts: tuple[str, ...]
    offsets: NDArray[np.int64]
    documents: NDArray[np.int64]
    document: NDArray[np.signedinteger]
    starts: NDArray[np.signedinteger]
    ends: NDArray[np.signedinteger]

    def __len__(self) -> int:
        return len(self.starts)

    def rows(self, document: int) -> slice:
        """The sentences of one document."""
        return slice(int(self.documents[document]), int(self.documents[document + 1]))


@dataclass(frozen=True, eq=False)
class Batch(Sentences):
    """A batch of n sentences in d documents, w words and c code points.

    spans       (2, n) starts and ends, as one array
    lengths     (n) how many code points a sentence has
    blanks      (n) how many of them are white space
    normal      (c) code points in their normal form
    kinds       (c) `Char` classes
    word_starts, word_ends   (w) positions of the words
    word_spans  (2, n) place of each sentence's first word among the words, and that after its last one
    word_counts (n) how many words a sentence has
    word_rows   (w) the sentence each word belongs to
    slice       what the only text is a slice of; none if the texts are whole documents
    """

    spans: NDArray[np.int64]
    lengths: NDArray[np.int64]
    blanks: NDArray[np.int64]
    normal: NDArray[np.uint32]
    kinds: NDArray[np.uint8]
    word_starts: NDArray[np.int64]
    word_ends: NDArray[np.int64]
    word_spans: NDArray[np.int64]
    word_counts: NDArray[np.int64]
    word_rows: NDArray[np.int64]
    slice: Slice | None = None

    @property
    def sentences(self) -> Sentences:
        """Where the sentences stand, without all the rest; of a slice, without its text and in few bytes."""
        if self.slice is None:
            return Sentences(self.texts, self.offsets, self.documents, self.document, self.starts, self.ends)
        document, starts, ends = (a.astype(np.int32) for a in (self.document, self.starts, self.ends))
        return Sentences((), self.offsets, self.documents, document, starts, ends)


def batches(texts: Sequence[str]) -> Iterator[tuple[int, Batch]]:
    """The texts in batches of about a slice each, with the number of the first: long ones in batches of their own."""
    waiting: list[str] = []
    size = 0
    for number, text in enumerate(texts):
        if is_long(text, SLICE):
            if waiting:
                yield number - len(waiting), encode(waiting)
                waiting, size = [], 0
            yield from ((number, encode([part.text], part)) for part in slices(text, SLICE))
        else:
            waiting.append(text)
            size += len(text)
            if size >= SLICE:
                yield number + 1 - len(waiting), encode(waiting)
                waiting, size = [], 0
    if waiting or not texts:
        yield len(texts) - len(waiting), encode(waiting)


def joined(texts: Sequence[str], batches: Sequence[tuple[int, Sentences, int]]) -> Sentences:
    """The sentences of all batches as if they were one: of each the number of its first text, and that text's start."""
    if len(batches) == 1 and len(batches[0][1].texts) == len(texts):
        return batches[0][1]
    offsets = line_offsets(texts)
    size = sum(len(part) for _, part, _ in batches)
    document = np.empty(size, np.int32)
    starts, ends = np.empty((2, size), np.int32 if offsets[-1] < _MOST else np.int64)
    row = 0
    for number, part, start in batches:
        rows = slice(row, row + len(part))
        np.add(part.document, number, out=document[rows], casting="same_kind")
        np.add(part.starts, offsets[number] + start, out=starts[rows], casting="same_kind")
        np.add(part.ends, offsets[number] + start, out=ends[rows], casting="same_kind")
        row = rows.stop
    return Sentences(
        texts=tuple(texts),
        offsets=offsets,
        documents=document.searchsorted(np.arange(len(texts) + 1)),
        document=document,
        starts=starts,
        ends=ends,
    )


_MOST: Final = 1 << 31


def encode(texts: Sequence[str], slice: Slice | None = None) -> Batch:
    """Splits the texts into sentences and lays them out as arrays; any text will do, lone surrogates included."""
    # A line break after each text.
    joined, offsets = "\n".join([*texts, ""]), line_offsets(texts)
    codes = _code_points(joined)
    kinds = classes().take(codes, mode="clip")
    if "\r" in joined:
        returns = (codes == ord("\r")).nonzero()[0]
        kinds[returns[codes[returns + _ONE] != ord("\n")]] = Char.NEWLINE
    spans, lengths, blanks = _sentences(texts, offsets, kinds)
    starts, ends = spans[0], spans[1]

    # Every text ends with a line break, so word edges come in pairs.
    inside = np.zeros(len(codes) + 1, bool)
    np.less(kinds, ALONE[WORD_CLASSES], out=inside[1:])
    edges = (inside[1:] != inside[:-1]).nonzero()[0]
    word_starts, word_ends = edges[::2].copy(), edges[1::2].copy()
    # A word belongs to the sentence in which it begins.
    word_spans = word_starts.searchsorted(spans)
    word_counts = word_spans[1] - word_spans[0]
    return Batch(
        texts=tuple(texts),
        offsets=offsets,
        documents=starts.searchsorted(offsets),
        document=offsets.searchsorted(starts, "right") - _ONE,
        starts=starts,
        ends=ends,
        spans=spans,
        lengths=lengths,
        blanks=blanks,
        normal=normal_forms().take(codes, mode="clip"),
        kinds=kinds,
        word_starts=word_starts,
        word_ends=word_ends,
        word_spans=word_spans,
        word_counts=word_counts,
        word_rows=np.arange(len(starts)).repeat(word_counts),
        slice=slice,
    )


def line_offsets(texts: Sequence[str]) -> NDArray[np.int64]:
    """Where each text begins, and behind the last: a line break follows each."""
    return np.array([0, *accumulate([len(text) + 1 for text in texts])], np.int64)


def _code_points(text: str) -> NDArray[np.intp]:
    """The code points of a text."""
    # As they are to be indices, they are made the type of indices once and not at every look-up.
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), _CODE).astype(np.intp)


_CODE: Final = np.dtype("<u4")


def _sentences(
    texts: Sequence[str], offsets: NDArray[np.int64], kinds: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Spans, lengths and blanks of all sentences: the pieces between the cuts, white space trimmed off."""
    cuts = [0]
    for text, offset in zip(texts, offsets.tolist(), strict=False):
        cuts += segment.cuts(text, offset)
    # Unsigned, so that the classes below the first of white space wrap to above it.
    visible = (kinds - ALONE[Char.SPACE] > ALONE[Char.NEWLINE - Char.SPACE]).nonzero()[0]
    # Between two documents nothing is visible, so each piece begins where the last one ended.
    borders = visible.searchsorted(np.array(cuts))
    full = (borders[1:] > borders[:-1]).nonzero()[0]
    first, after = borders[full], borders[full + _ONE]
    spans = np.empty((2, len(full)), np.int64)
    spans[0] = visible[first]
    np.add(visible[after - _ONE], _ONE, out=spans[1])
    lengths = spans[1] - spans[0]
    return spans, lengths, lengths - (after - first)


_ONE: Final = np.array(1)
