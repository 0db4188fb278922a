"""Marks between their neighbours: how many of each there are, slips of typing, and what stands in quotation marks.

A mark and the characters beside it tell whether a space is missing or too many, and whether a quotation mark opens.
All that is asked of such three classes of characters comes from tables of 30^3 rows.
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from degloss.characters import ALONE, CLASS_NAMES, Char, classes
from degloss.encode import Batch

KINDS: Final = len(CLASS_NAMES)
_COUNTED: Final = (Char.EXCLAMATION, Char.QUESTION, Char.ELLIPSIS, Char.COMMA, Char.COLON, Char.SEMICOLON, Char.DASH,
                   Char.BRACKET_OPEN, Char.SLASH, Char.AT, Char.HASH, Char.RULE, Char.BULLET, Char.EMOJI, Char.JOINER,
                   Char.QUOTE_STRAIGHT, Char.QUOTE_LOW, Char.APOSTROPHE, Char.SYMBOL)  # fmt: skip
COUNTS: Final = tuple(f"count {CLASS_NAMES[kind]}" for kind in _COUNTED)
SLIPS: Final = ("slip space before mark", "slip no space after mark", "slip full stop inside word",
                "repeated marks", "repeated stops", "repeated rule")  # fmt: skip
QUOTATION: Final = ("quotation open before", "quotation open behind", "quotation never closed",
                    "quotation opened long ago", "quotation opens sentence", "quotation closes sentence",
                    "quotation whole")  # fmt: skip


class Marks(NamedTuple):
    """All m characters of a batch but small letters and white space: the few that most is asked of.

    at       (m) their positions
    kinds    (m) their classes
    triples  (m) the class of each between those of its neighbours, as one number: a row of a table of 30^3
    counts   (c, n) how many of what `Sorts` counts each sentence has
    """

    at: NDArray[np.int64]
    kinds: NDArray[np.uint8]
    triples: NDArray[np.intp]
    counts: NDArray[np.float32]


def find(batch: Batch) -> Marks:
    """The marks of a batch; capitals and digits count as such."""
    kinds, n, sorts = batch.kinds, len(batch.starts), _sorts()
    seen = kinds >= ALONE[Char.PERIOD]
    seen |= within(kinds, Char.UPPER, Char.DIGIT)
    at = seen.nonzero()[0]
    kind, triples = _triples(kinds, at)
    around = at.searchsorted(batch.spans)
    cells = np.arange(n).repeat(around[1] - around[0])
    cells += sorts.table[triples].astype(np.intp) * np.array(n)
    number = sorts.counted.shape[1]
    found = np.bincount(cells, minlength=number * n).astype(np.float32).reshape(number, n)
    return Marks(at, kind, triples, sorts.counted.dot(found))


def _triples(kinds: NDArray[np.uint8], at: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """The class at each place, and the row of a table of 30^3; before the first place stands what ends a batch, a line
    break."""
    kind = kinds[at]
    triples: NDArray[np.intp] = kinds[at - _ONE].astype(np.intp) * _KINDS
    triples += kind
    triples *= _KINDS
    triples += kinds[1:][at]
    return kind, triples


_KINDS: Final = np.array(KINDS)


class Sorts(NamedTuple):
    """What is counted of marks. A mark is of one sort only: its class and the slips that were made at it.

    table    (30^3) the sort of each mark between its neighbours
    counted  (c, s) whether a mark of a sort is counted as something: as one of `COUNTS` and `SLIPS`, as a link; as @,
             as a mark of links and handles (@, #, slashes and full stops), as @ or #; as capital, digit, other mark
    """

    table: NDArray[np.uint8]
    counted: NDArray[np.float32]


LIMITED: Final = slice(0, len(COUNTS) + len(SLIPS) + 1)
TOKENS: Final = slice(LIMITED.stop - 1, LIMITED.stop + 2)
TAGS: Final = TOKENS.stop
SHARES: Final = slice(TAGS + 1, TAGS + 4)
"""Where in `Marks.counts` are: those up to links; links, @ and marks of links and handles; @ and #; the last three."""


@cache
def _sorts() -> Sorts:
    before, kind, after = np.ogrid[:KINDS, :KINDS, :KINDS]
    mark = (kind == Char.COMMA) | (kind == Char.EXCLAMATION) | (kind == Char.QUESTION)
    stop = mark | (kind == Char.PERIOD)
    slips = (
        stop & (before == Char.SPACE),
        mark & (after <= Char.UPPER),
        (kind == Char.PERIOD) & (before == Char.LOWER) & (after == Char.UPPER),
        (mark | (kind == Char.EMOJI)) & (before == kind),
        (kind == Char.PERIOD) & (before == Char.PERIOD),
        ((kind == Char.RULE) | (kind == Char.DASH)) & (before == kind),
        (kind == Char.SLASH) & (after == Char.SLASH),  # by which links are told
    )
    number = sum((made << bit for bit, made in enumerate(slips)), kind << len(slips)).ravel()
    there = np.bincount(number) > 0
    kinds, made = np.divmod(there.nonzero()[0], 1 << len(slips))
    tags = (kinds == Char.AT) | (kinds == Char.HASH)
    counted = [
        *(kinds == kind for kind in _COUNTED),
        *(made >> bit & 1 for bit in range(len(slips))),
        kinds == Char.AT, tags | (kinds == Char.SLASH) | (kinds == Char.PERIOD), tags,
        kinds == Char.UPPER, kinds == Char.DIGIT, kinds >= Char.SPACE,
    ]  # fmt: skip
    return Sorts((np.cumsum(there) - 1)[number].astype(np.uint8), np.array(counted, np.float32))


@cache
def _opens() -> NDArray[np.bool_]:
    """Whether a quotation mark opens: „ does and ” does not, all others do behind a space and before none."""
    before, kind, after = np.ogrid[:KINDS, :KINDS, :KINDS]
    free = (before == Char.SPACE) | (before == Char.NEWLINE) | (before == Char.BRACKET_OPEN)
    opens = free & (after != Char.SPACE) & (after != Char.NEWLINE) & (kind != Char.QUOTE_RIGHT)
    return np.asarray(opens | (kind == Char.QUOTE_LOW)).ravel()


def _opens_alone(around: str) -> bool:
    """The same of a mark that is given with its two neighbours; not, if there is none."""
    return bool(around) and bool(
        _opens()[_triples(classes().take(list(map(ord, around)), mode="clip"), np.array([1]))[1]][0]
    )


def quotation(
    batch: Batch,
    marks: Marks,
    outer: NDArray[np.uint8],
    flags: NDArray[np.bool_],
    ago: NDArray[np.float32],
) -> None:
    """Whether a sentence stands in quotation marks, across sentences and where the closing mark is missing.

    A sentence is inside if the last mark before it opens: a missing closing mark then does no harm beyond the next.
    `outer` (3, n) are the classes of each sentence's first character, last one and last but one.
    Writes how long `ago` a quotation was opened, and into the flags (7, n) whether one is open before and behind the
    sentence, is never closed, closes it, is all of it, opens it; the last one only helps.
    """
    spans = batch.spans
    quotes = within(marks.kinds, Char.QUOTE_LOW, Char.QUOTE_ANGLE_LEFT).nonzero()[0]
    # The first and the last mark stand for what is before and behind the batch: nothing open, and nothing that closes.
    at, opens = np.empty(len(quotes) + 2, np.int64), np.empty(len(quotes) + 2, bool)
    opens[0], opens[-1], at[0], at[-1] = False, True, -1, len(batch.kinds)
    whole = batch.offsets[batch.document + _FROM_TO]  # where the document begins and ends
    if batch.slice is not None:
        opens[0] = _opens_alone(batch.slice.before)
        opens[-1] = not batch.slice.behind or _opens_alone(batch.slice.behind)
        at[0] = -batch.slice.distance
        whole += [[-batch.slice.distance], [1]]
    at[1:-1] = marks.at[quotes]
    opens[1:-1] = _opens()[marks.triples[quotes]]

    inside, unclosed, closes, whole_quoted, outside = flags[:2], flags[2], flags[3], flags[4], flags[5:]
    following = at.searchsorted(spans)
    before = following - _ONE
    mark = at[before]
    np.greater_equal(mark, whole[0], out=inside)
    inside &= opens[before]
    np.greater_equal(at[following[0]], whole[1], out=unclosed)
    unclosed |= opens[following[0]]
    unclosed &= inside[0]
    marked = outer - _FIRST_QUOTE <= _QUOTES
    outside[:] = marked[:2]
    outside[1] |= marked[2]
    since = spans[0] - mark[0]
    since *= inside[0]
    ago[:] = since
    np.log1p(ago, out=ago)
    ago /= _EIGHT
    np.greater(outside[1], inside[1], out=closes)
    quoted = inside | outside
    np.logical_and(quoted[0], quoted[1], out=whole_quoted)


_FROM_TO: Final = np.array([[0], [1]])
_ONE: Final = np.array(1)
# Beside its last character, a sentence ends with a mark only if it is one that closes.
_FIRST_QUOTE: Final = np.array([[Char.QUOTE_LOW], [Char.QUOTE_LOW], [Char.QUOTE_LEFT]], np.uint8)
_QUOTES: Final = Char.QUOTE_ANGLE_LEFT - _FIRST_QUOTE
_EIGHT: Final = np.array(8, np.float32)


def within(kinds: NDArray[np.uint8], first: int, last: int) -> NDArray[np.bool_]:
    """Whether these classes lie between two others; unsigned numbers below the first wrap to above the last."""
    inside: NDArray[np.bool_] = kinds - ALONE[first] <= ALONE[last - first]
    return inside
