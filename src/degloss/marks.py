"""Marks between their neighbours: slips of typing, and what stands in quotation marks.

A mark and the characters beside it tell whether a space is missing or too many, and whether a quotation mark opens.
All that is asked of such three classes of characters comes from tables of 30^3 rows.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from degloss.characters import ALONE, CLASS_NAMES, Char, classes
from degloss.encode import Batch

Columns = dict[str | tuple[str, ...], NDArray[Any]]
"""Cues of n sentences by name: (n) for one name, (m, n) for m names. Whatever is computed runs along the sentences."""

KINDS: Final = len(CLASS_NAMES)


class Marks(NamedTuple):
    """All m characters of a batch but small letters and white space: the few that most is asked of.

    at       (m) their positions
    kinds    (m) their classes
    triples  (m) the class of each between those of its neighbours, as one number: a row of a table of 30^3
    counts   (30, n) how many of each class each sentence has
    """

    at: NDArray[np.int64]
    kinds: NDArray[np.uint8]
    triples: NDArray[np.int16]
    counts: NDArray[np.float32]


def find(batch: Batch) -> Marks:
    """The marks of a batch; capitals and digits count as such."""
    kinds, n = batch.kinds, len(batch)
    seen = kinds >= ALONE[Char.PERIOD]
    seen |= within(kinds, Char.UPPER, Char.DIGIT)
    at = seen.nonzero()[0]
    kind = kinds[at]
    cells = kind * np.array(n)
    cells += batch.owner[at]
    counts = np.bincount(cells, minlength=KINDS * n).astype(np.float32).reshape(KINDS, n)
    return Marks(at, kind, _triples(kinds, at), counts)


def _table(*columns: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(30^3, m) what m conditions say of each character between its two neighbours."""
    whole = [np.broadcast_to(column, (KINDS, KINDS, KINDS)) for column in columns]
    return np.stack(whole, -1).reshape(-1, len(columns))


def _triples(kinds: NDArray[np.uint8], at: NDArray[np.int64]) -> NDArray[np.int16]:
    """The row of such a table for each place; before the first place stands what ends a batch, a line break."""
    before, kind, after = kinds[at + _AROUND]
    triples = before * _KINDS
    triples += kind
    triples *= _KINDS
    triples += after
    return np.asarray(triples)


_AROUND: Final = np.array([[-1], [0], [1]])
_KINDS: Final = np.array(KINDS, np.int16)


@cache
def _slip_table() -> tuple[tuple[str, ...], NDArray[np.bool_], NDArray[np.bool_]]:
    """Slips of typing: a space before a mark, none after it, marks repeated; their table, and any of them at all.

    The last column is none of them: two slashes, by which links are told.
    """
    before, kind, after = np.ogrid[:KINDS, :KINDS, :KINDS]
    mark = (kind == Char.COMMA) | (kind == Char.EXCLAMATION) | (kind == Char.QUESTION)
    stop = mark | (kind == Char.PERIOD)
    slips = {
        "slip space before mark": stop & (before == Char.SPACE),
        "slip no space after mark": mark & (after <= Char.UPPER),
        "slip full stop inside word": (kind == Char.PERIOD) & (before == Char.LOWER) & (after == Char.UPPER),
        "repeated marks": (mark | (kind == Char.EMOJI)) & (before == kind),
        "repeated stops": (kind == Char.PERIOD) & (before == Char.PERIOD),
        "repeated rule": ((kind == Char.RULE) | (kind == Char.DASH)) & (before == kind),
    }
    table = _table(*slips.values(), (kind == Char.SLASH) & (after == Char.SLASH))
    return tuple(slips), table, np.asarray(table.any(1))


def slips(batch: Batch, marks: Marks) -> tuple[Columns, NDArray[np.int64]]:
    """How often each slip was made in each sentence, at most four times; and how many links there are (n), at most."""
    n = len(batch)
    names, table, any_slip = _slip_table()
    slipped = any_slip[marks.triples].nonzero()[0]
    which, slip = table[marks.triples[slipped]].nonzero()
    slip *= np.array(n)
    slip += batch.owner[marks.at[slipped[which]]]
    counts = np.bincount(slip, minlength=(len(names) + 1) * n).reshape(len(names) + 1, n)
    np.minimum(counts, _MOST_SLIPS, out=counts)
    return {names: counts[:-1]}, counts[-1]


_MOST_SLIPS: Final = np.array(4)


@cache
def _opens() -> NDArray[np.bool_]:
    """Whether a quotation mark opens: „ does and ” does not, all others do behind a space and before none."""
    before, kind, after = np.ogrid[:KINDS, :KINDS, :KINDS]
    free = (before == Char.SPACE) | (before == Char.NEWLINE) | (before == Char.BRACKET_OPEN)
    opens = free & (after != Char.SPACE) & (after != Char.NEWLINE) & (kind != Char.QUOTE_RIGHT)
    return _table(opens | (kind == Char.QUOTE_LOW))[:, 0]


def _opens_alone(around: str) -> bool:
    """The same of a mark that is given with its two neighbours; not, if there is none."""
    return bool(around) and bool(
        _opens()[_triples(classes().take(list(map(ord, around)), mode="clip"), np.array([1]))][0]
    )


def quotation(batch: Batch, marks: Marks, spans: NDArray[np.int64], outer: NDArray[np.uint8]) -> Columns:
    """Whether a sentence stands in quotation marks, across sentences and where the closing mark is missing.

    A sentence is inside if the last mark before it opens: a missing closing mark then does no harm beyond the next.
    `spans` (2, n) are starts and ends of the sentences, `outer` (2, n) the classes of their first and last characters.
    """
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

    following = at.searchsorted(spans)
    before = following - _ONE
    mark = at[before]
    inside = opens[before]
    inside &= mark >= whole[0]
    unclosed = opens[following[0]]
    unclosed |= at[following[0]] >= whole[1]
    unclosed &= inside[0]
    before_final = batch.kinds[np.maximum(spans[1] - _TWO, spans[0])]
    mark_outside = within(outer, Char.QUOTE_LOW, Char.QUOTE_ANGLE_LEFT)
    mark_outside[1] |= within(before_final, Char.QUOTE_LEFT, Char.QUOTE_ANGLE_LEFT)
    since = spans[0] - mark[0]
    since *= inside[0]
    quoted = inside | mark_outside
    return {
        ("quotation open before", "quotation open behind"): inside,
        "quotation never closed": unclosed,
        "quotation opened long ago": np.log1p(since) / _EIGHT,
        "quotation opens sentence": mark_outside[0],
        "quotation closes sentence": mark_outside[1] > inside[1],
        "quotation whole": quoted[0] & quoted[1],
    }


_FROM_TO: Final = np.array([[0], [1]])
_ONE: Final = np.array(1)
_TWO: Final = np.array(2)
_EIGHT: Final = np.array(8.0)


def within(kinds: NDArray[np.uint8], first: int, last: int) -> NDArray[np.bool_]:
    """Whether these classes lie between two others; unsigned numbers below the first wrap to above the last."""
    return np.asarray(kinds - ALONE[first] <= ALONE[last - first])
