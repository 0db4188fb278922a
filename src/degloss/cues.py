"""Cues: what a sentence looks like and where it stands, as some hundred named numbers.

Characters (punctuation, capitals, emoji, slips of typing), words (lexicons, lengths, capitalised nouns), the
quotation state, lines and paragraphs, and the place in the document. A cue is evidence and never a rule: each
is one column that the models weigh with all others. All columns are computed over the whole batch at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from degloss.characters import Char
from degloss.encode import Batch
from degloss.words import lexicon_counts, lexicons

Columns = dict[str, NDArray[np.float32]]

_STARTS: Final = (Char.LOWER, Char.UPPER, Char.DIGIT, Char.DASH, Char.EMOJI, Char.BULLET, Char.AT, Char.HASH,
                  Char.BRACKET_OPEN, Char.RULE, Char.PERIOD, Char.SYMBOL)  # fmt: skip
_ENDS: Final = (Char.PERIOD, Char.EXCLAMATION, Char.QUESTION, Char.ELLIPSIS, Char.COLON, Char.COMMA, Char.LOWER,
                Char.UPPER, Char.DIGIT, Char.EMOJI, Char.JOINER, Char.BRACKET_CLOSE, Char.RULE, Char.DASH)  # fmt: skip
_COUNTED: Final = (Char.EXCLAMATION, Char.QUESTION, Char.ELLIPSIS, Char.COMMA, Char.COLON, Char.SEMICOLON, Char.DASH,
                   Char.BRACKET_OPEN, Char.SLASH, Char.AT, Char.HASH, Char.RULE, Char.BULLET, Char.EMOJI, Char.JOINER,
                   Char.QUOTE_STRAIGHT, Char.QUOTE_LOW, Char.APOSTROPHE, Char.SYMBOL)  # fmt: skip
_QUOTES: Final = (Char.QUOTE_LOW, Char.QUOTE_ANGLE_LEFT)
_KINDS: Final = len(Char)


@dataclass(frozen=True, eq=False)
class Cues:
    """(n, k) values of k named cues, and the structure that the context stage builds on.

    voice  how many of the columns, from the first on, tell how a sentence speaks; the others tell where it stands
    gaps   (n) line breaks between a sentence and the one before it; 2 at the start of a document
    """

    names: tuple[str, ...]
    values: NDArray[np.float32]
    voice: int
    gaps: NDArray[np.int64]

    def column(self, name: str) -> NDArray[np.float32]:
        """One cue of all sentences; `ValueError` for a name that is none."""
        return self.values[:, self.names.index(name)]


def cues(batch: Batch, word_hashes: NDArray[np.uint32]) -> Cues:
    """The cues of every sentence of the batch."""
    gaps = _gaps(batch)
    columns: Columns = {}
    lengths = (batch.ends - batch.starts).astype(np.float32)
    columns |= _characters(batch, lengths)
    columns |= _words(batch, word_hashes, lengths)
    columns |= _quotation(batch)
    voice = len(columns)
    columns |= _lines(batch, gaps, lengths)
    columns |= _place(batch)
    values = np.empty((len(batch), len(columns)), np.float32)
    for i, column in enumerate(columns.values()):
        values[:, i] = column
    return Cues(tuple(columns), values, voice, gaps)


def _gaps(batch: Batch) -> NDArray[np.int64]:
    breaks = np.flatnonzero(batch.kinds == Char.NEWLINE)
    before = np.searchsorted(breaks, batch.starts)
    ended = np.searchsorted(breaks, batch.ends)
    gaps = before - np.concatenate([[0], ended[:-1]])
    gaps[batch.documents[:-1][np.diff(batch.documents) > 0]] = 2
    return np.asarray(gaps, np.int64)


def _characters(batch: Batch, lengths: NDArray[np.float32]) -> Columns:
    n = len(batch)
    kinds = batch.kinds
    at = np.flatnonzero((kinds != Char.LOWER) & (kinds != Char.SPACE) & (kinds != Char.NEWLINE))
    kind = kinds[at]
    row = batch.owner[at].astype(np.int64)
    counts = np.bincount(row * _KINDS + kind, minlength=n * _KINDS).astype(np.float32).reshape(n, _KINDS)
    columns: Columns = {}
    for c in _COUNTED:
        columns[f"count {c.name.lower()}"] = np.minimum(counts[:, c], 6)
    letters_and_digits = counts[:, Char.UPPER] + counts[:, Char.DIGIT]
    columns["share upper"] = counts[:, Char.UPPER] / lengths
    columns["share digit"] = counts[:, Char.DIGIT] / lengths
    columns["share marks"] = (counts.sum(1) - letters_and_digits) / lengths

    first, last = kinds[batch.starts], kinds[batch.ends - 1]
    for c in _STARTS:
        columns[f"starts {c.name.lower()}"] = (first == c).astype(np.float32)
    for c in _ENDS:
        columns[f"ends {c.name.lower()}"] = (last == c).astype(np.float32)

    # Slips of typing: a space before a mark, none after it, marks repeated.
    before, after = kinds[at - 1], kinds[np.minimum(at + 1, len(kinds) - 1)]
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
    for name, hit in slips.items():
        columns[name] = np.minimum(np.bincount(row[hit], minlength=n), 4).astype(np.float32)
    columns |= _tokens(batch, counts)
    return columns


def _tokens(batch: Batch, counts: NDArray[np.float32]) -> Columns:
    """Links, handles and hashtags: strings without a space that no voice speaks."""
    n = len(batch)
    kinds = batch.kinds
    spaces = np.flatnonzero(kinds == Char.SPACE)
    inside = np.searchsorted(spaces, batch.ends) - np.searchsorted(spaces, batch.starts)
    single = inside == 0
    slashes = np.flatnonzero(kinds[:-1] == Char.SLASH)
    links = np.bincount(batch.owner[slashes[kinds[slashes + 1] == Char.SLASH]], minlength=n)
    tags = counts[:, Char.HASH] + counts[:, Char.AT]
    return {
        "single token": single.astype(np.float32),
        "single token with marks": (single & (counts[:, Char.SLASH] + counts[:, Char.PERIOD] + tags > 1)).astype(
            np.float32
        ),
        "links": np.minimum(links, 3).astype(np.float32),
        "link and little else": ((links > 0) & (inside < 6)).astype(np.float32),
        "tags and little else": (tags >= (inside + 1) * 0.6).astype(np.float32),
        "handle and little else": ((counts[:, Char.AT] > 0) & (inside < 5)).astype(np.float32),
    }


def _words(batch: Batch, word_hashes: NDArray[np.uint32], lengths: NDArray[np.float32]) -> Columns:
    n = len(batch)
    rows = batch.word_rows
    count = np.bincount(rows, minlength=n).astype(np.float32)
    divisor = np.maximum(count, 1)
    size = batch.word_ends - batch.word_starts
    upper = batch.kinds[batch.word_starts] == Char.UPPER
    capitals = upper & (batch.kinds[batch.word_starts + 1] == Char.UPPER) & (size > 2)
    opening = np.ones(len(rows), bool)
    opening[1:] = rows[1:] != rows[:-1]

    def share(hit: NDArray[np.bool_]) -> NDArray[np.float32]:
        return (np.bincount(rows[hit], minlength=n) / divisor).astype(np.float32)

    columns: Columns = {
        "log words": np.log1p(count),
        "no words": (count == 0).astype(np.float32),
        "few words": (count < 4).astype(np.float32),
        "word length": (np.bincount(rows, size, n) / divisor / 10).astype(np.float32),
        "share long words": share(size > 11),
        "share short words": share(size < 4),
        "share nouns": share(upper & ~opening),
        "share capitals": share(capitals),
        "share words of text": np.minimum(count * 6 / lengths, 2),
    }
    hits = lexicon_counts(batch, word_hashes)
    root = np.sqrt(divisor)
    for i, name in enumerate(lexicons().names):
        columns[f"lexicon {name}"] = (hits[:, i] / root).astype(np.float32)
        if name in ("first_person", "address_formal", "first_person_plural", "judgement"):
            columns[f"any {name}"] = (hits[:, i] > 0).astype(np.float32)
    return columns


def _quotation(batch: Batch) -> Columns:
    """Whether a sentence stands in quotation marks, across sentences and where the closing mark is missing.

    „ opens and ” closes; all others open where a space stands before and none behind them. A sentence is inside if
    the last mark before it opens: a missing closing mark then does no harm beyond the next mark.
    """
    kinds = batch.kinds
    at = np.flatnonzero((kinds >= Char.QUOTE_LOW) & (kinds <= Char.QUOTE_ANGLE_LEFT))
    kind = kinds[at]
    before = np.where(at > 0, kinds[at - 1], Char.NEWLINE)
    after = kinds[np.minimum(at + 1, len(kinds) - 1)]
    free = (before == Char.SPACE) | (before == Char.NEWLINE) | (before == Char.BRACKET_OPEN)
    opens = free & (after != Char.SPACE) & (after != Char.NEWLINE) & (kind != Char.QUOTE_RIGHT)
    opens |= kind == Char.QUOTE_LOW

    at = np.concatenate([[-1], at, [len(kinds)]])
    opens = np.concatenate([[False], opens, [False]])
    document_start = batch.offsets[batch.document]
    document_end = batch.offsets[batch.document + 1]

    def inside(position: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        last = np.searchsorted(at, position) - 1
        return opens[last] & (at[last] >= document_start), last

    inside_start, last = inside(batch.starts)
    inside_end, _ = inside(batch.ends)
    following = at[last + 1]
    unclosed = inside_start & ((following >= document_end) | opens[last + 1])
    distance = np.where(inside_start, batch.starts - at[last], 0)
    opening = np.isin(kinds[batch.starts], range(Char.QUOTE_LOW, Char.QUOTE_ANGLE_LEFT + 1))
    final = kinds[batch.ends - 1]
    before_final = kinds[np.maximum(batch.ends - 2, batch.starts)]
    closing = (final >= Char.QUOTE_LOW) & (final <= Char.QUOTE_ANGLE_LEFT)
    closing |= (before_final >= Char.QUOTE_LEFT) & (before_final <= Char.QUOTE_ANGLE_LEFT)
    return {
        "quotation open before": inside_start.astype(np.float32),
        "quotation open behind": inside_end.astype(np.float32),
        "quotation never closed": unclosed.astype(np.float32),
        "quotation opened long ago": (np.log1p(distance) / 8).astype(np.float32),
        "quotation opens sentence": opening.astype(np.float32),
        "quotation closes sentence": (closing & ~inside_end).astype(np.float32),
        "quotation whole": ((inside_start | opening) & (inside_end | closing)).astype(np.float32),
    }


def _lines(batch: Batch, gaps: NDArray[np.int64], lengths: NDArray[np.float32]) -> Columns:
    columns: Columns = {}
    after = np.concatenate([gaps[1:], [2]])
    for name, least in (("line", 1), ("paragraph", 2)):
        begins = gaps >= least
        number = np.cumsum(begins) - 1
        size = np.bincount(number)
        place = np.arange(len(batch)) - np.flatnonzero(begins)[number] if len(batch) else number
        columns[f"{name} begins"] = begins.astype(np.float32)
        columns[f"{name} ends"] = (after >= least).astype(np.float32)
        columns[f"{name} log sentences"] = np.log1p(size[number]).astype(np.float32)
        columns[f"{name} log place"] = np.log1p(place).astype(np.float32)
        columns[f"{name} log length"] = np.log1p(np.bincount(number, lengths)[number]).astype(np.float32)
    columns["wide gap before"] = (gaps > 2).astype(np.float32)
    columns["log length"] = np.log1p(lengths)
    return columns


def _place(batch: Batch) -> Columns:
    size = np.diff(batch.documents)[batch.document]
    place = np.arange(len(batch)) - batch.documents[batch.document]
    left = size - 1 - place
    return {
        "document log sentences": np.log1p(size).astype(np.float32),
        "document share before": (place / np.maximum(size - 1, 1)).astype(np.float32),
        "document log place": np.log1p(place).astype(np.float32),
        "document log left": np.log1p(left).astype(np.float32),
        "document first": (place == 0).astype(np.float32),
        "document second": (place == 1).astype(np.float32),
        "document last": (left == 0).astype(np.float32),
        "document last but one": (left == 1).astype(np.float32),
    }
