"""Marks between their neighbours: slips of typing, and what stands in quotation marks.

A mark and the characters beside it tell whether a space is missing or too many, and whether a quotation mark opens.
All that is asked of such three classes of characters comes from tables of 30^3 rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from degloss.characters import CLASS_NAMES, Char, classes
from degloss.encode import Batch

Block = tuple[tuple[str, ...], NDArray[Any]]
"""Names of m cues and their values (m, n): one row a cue, so that whatever is computed runs along the sentences."""

KINDS: Final = len(CLASS_NAMES)


def block(columns: Mapping[str, NDArray[Any]]) -> Block:
    # One concatenation of all, for NumPy takes longer to find out what a list of arrays makes.
    values = np.concatenate(list(columns.values()), dtype=np.float32, casting="unsafe")
    return tuple(columns), values.reshape(len(columns), -1)


def _table(*columns: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(30^3, m) what m conditions say of each character between its two neighbours."""
    whole = [np.broadcast_to(column, (KINDS, KINDS, KINDS)) for column in columns]
    return np.stack(whole, -1).reshape(-1, len(columns))


def _triples(kinds: NDArray[np.uint8], at: NDArray[np.int64]) -> NDArray[np.int64]:
    """The row of such a table for each place; before the first place stands what ends a batch, a line break."""
    triples = kinds[at - 1].astype(np.int64)
    for neighbour in (at, at + 1):
        triples *= KINDS
        triples += kinds[neighbour]
    return triples


@cache
def _slip_table() -> tuple[tuple[str, ...], NDArray[np.bool_], NDArray[np.bool_]]:
    """Slips of typing: a space before a mark, none after it, marks repeated; their table, and any of them at all."""
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
    table = _table(*slips.values())
    return tuple(slips), table, np.asarray(table.any(1))


def slips(batch: Batch, at: NDArray[np.int64]) -> Block:
    """How often each slip was made in each sentence, at most four times; `at` are the places of all marks."""
    n = len(batch)
    names, table, any_slip = _slip_table()
    triples = _triples(batch.kinds, at)
    slipped = any_slip[triples].nonzero()[0]
    which, slip = np.nonzero(table[triples[slipped]])
    rows = batch.owner[at[slipped[which]]]
    return names, np.minimum(np.bincount(slip * n + rows, minlength=len(names) * n).reshape(len(names), n), 4)


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


def quotation(batch: Batch) -> Block:
    """Whether a sentence stands in quotation marks, across sentences and where the closing mark is missing.

    A sentence is inside if the last mark before it opens: a missing closing mark then does no harm beyond the next.
    """
    kinds = batch.kinds
    at = within(kinds, Char.QUOTE_LOW, Char.QUOTE_ANGLE_LEFT).nonzero()[0]
    # The first and the last mark stand for what is before and behind the batch: nothing open, and nothing that closes.
    opens = np.empty(len(at) + 2, bool)
    opens[0], opens[-1], distance, last_end = False, True, 1, 0
    if batch.slice is not None:
        opens[0] = _opens_alone(batch.slice.before)
        opens[-1] = not batch.slice.behind or _opens_alone(batch.slice.behind)
        distance, last_end = batch.slice.distance, 1
    opens[1:-1] = _opens()[_triples(kinds, at)]
    at = np.concatenate([[-distance], at, [len(kinds)]])
    document_start = batch.offsets[batch.document] - distance
    document_end = batch.offsets[batch.document + 1] + last_end

    last = at.searchsorted(np.array([batch.starts, batch.ends])) - 1
    mark = at[last]
    inside_start, inside_end = opens[last] & (mark >= document_start)
    following = last[0] + 1
    unclosed = inside_start & ((at[following] >= document_end) | opens[following])
    ago = (batch.starts - mark[0]) * inside_start
    opening = within(kinds[batch.starts], Char.QUOTE_LOW, Char.QUOTE_ANGLE_LEFT)
    closing = within(kinds[batch.ends - 1], Char.QUOTE_LOW, Char.QUOTE_ANGLE_LEFT)
    before_final = kinds[np.maximum(batch.ends - 2, batch.starts)]
    closing |= within(before_final, Char.QUOTE_LEFT, Char.QUOTE_ANGLE_LEFT)
    return block({
        "quotation open before": inside_start,
        "quotation open behind": inside_end,
        "quotation never closed": unclosed,
        "quotation opened long ago": np.log1p(ago) / 8,
        "quotation opens sentence": opening,
        "quotation closes sentence": closing & ~inside_end,
        "quotation whole": (inside_start | opening) & (inside_end | closing),
    })  # fmt: skip


def within(kinds: NDArray[np.uint8], first: int, last: int) -> NDArray[np.bool_]:
    """Whether these classes lie between two others; unsigned numbers below the first wrap to above the last."""
    return np.asarray(kinds - np.uint8(first) <= last - first)
