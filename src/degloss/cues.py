"""Cues: what a sentence looks like and where it stands, as some hundred named numbers.

Characters (punctuation, capitals, emoji, slips of typing), words (lexicons, lengths, capitalised nouns), the
quotation state, lines and paragraphs, and the place in the document. A cue is evidence and never a rule: each
is one column that the models weigh with all others. All columns are computed over the whole batch at once: what is
looked up by one character, or by a character and its two neighbours, comes from one table each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from mmap import mmap
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from degloss.characters import CLASS_NAMES, Char
from degloss.encode import Batch, encode
from degloss.marks import Columns, Marks, find, quotation, slips
from degloss.places import NAMES, place, places
from degloss.words import Words, lexicon_counts, lexicons, look_up

_STARTS: Final = (Char.LOWER, Char.UPPER, Char.DIGIT, Char.DASH, Char.EMOJI, Char.BULLET, Char.AT, Char.HASH,
                  Char.BRACKET_OPEN, Char.RULE, Char.PERIOD, Char.SYMBOL)  # fmt: skip
_ENDS: Final = (Char.PERIOD, Char.EXCLAMATION, Char.QUESTION, Char.ELLIPSIS, Char.COLON, Char.COMMA, Char.LOWER,
                Char.UPPER, Char.DIGIT, Char.EMOJI, Char.JOINER, Char.BRACKET_CLOSE, Char.RULE, Char.DASH)  # fmt: skip
_COUNTED: Final = (Char.EXCLAMATION, Char.QUESTION, Char.ELLIPSIS, Char.COMMA, Char.COLON, Char.SEMICOLON, Char.DASH,
                   Char.BRACKET_OPEN, Char.SLASH, Char.AT, Char.HASH, Char.RULE, Char.BULLET, Char.EMOJI, Char.JOINER,
                   Char.QUOTE_STRAIGHT, Char.QUOTE_LOW, Char.APOSTROPHE, Char.SYMBOL)  # fmt: skip
_ANY: Final = ("first_person", "address_formal", "first_person_plural", "judgement")
"""Lexicons of which a single word already tells something."""

# Names and classes as they are needed for every batch.
_COUNTED_NAMES: Final = tuple(f"count {CLASS_NAMES[c]}" for c in _COUNTED)
_STARTS_NAMES: Final = tuple(f"starts {CLASS_NAMES[c]}" for c in _STARTS)
_ENDS_NAMES: Final = tuple(f"ends {CLASS_NAMES[c]}" for c in _ENDS)
_COUNTED_ROWS: Final = np.array(_COUNTED, np.intp)
_STARTS_COLUMN: Final = np.array(_STARTS, np.uint8)[:, None]
_ENDS_COLUMN: Final = np.array(_ENDS, np.uint8)[:, None]


@dataclass(frozen=True, eq=False)
class Cues:
    """(n, k) values of k named cues, and the line breaks that the place is told from.

    values are stored cue by cue: `values.T` is contiguous
    voice  how many of the columns, from the first on, tell how a sentence speaks; the others, which `voices` leaves
           out, tell where it stands
    gaps   (n) line breaks between a sentence and the one before it; 2 at the start of a document
    """

    names: tuple[str, ...]
    values: NDArray[np.float32]
    voice: int
    gaps: NDArray[np.signedinteger]

    def __len__(self) -> int:
        return len(self.gaps)

    def column(self, name: str) -> NDArray[np.float32]:
        """One cue of all sentences; `ValueError` for a name that is none."""
        return self.values[:, self.names.index(name)]

    def unpacked(self) -> Cues:
        """The cues themselves."""
        return self


@dataclass(frozen=True, eq=False)
class Packed:
    """The cues of a slice of a long text, kept until all of it is known: most of them are zero.

    cues   all but the values, of which there are none
    marks  a bit for each value that is not zero
    rest   those values
    """

    cues: Cues
    marks: NDArray[np.uint8]
    rest: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.cues)

    @property
    def gaps(self) -> NDArray[np.signedinteger]:
        """(n) line breaks before each sentence."""
        return self.cues.gaps

    def unpacked(self) -> Cues:
        """The cues as they were."""
        values = np.zeros((self.cues.voice, len(self)), np.float32)
        values[np.unpackbits(self.marks, count=values.size).view(bool).reshape(values.shape)] = self.rest
        return replace(self.cues, values=values.T)


def packed(cues: Cues) -> Packed:
    """The cues in a form that takes a fifth of the memory, which is of its own: not between what comes and goes."""
    values = cues.values.T
    some = values != 0
    empty = replace(
        cues, values=np.empty((len(cues), 0), np.float32), gaps=_kept(np.minimum(cues.gaps, 100).astype(np.int8))
    )
    return Packed(empty, _kept(np.packbits(some)), _kept(values[some]))


def _kept(array: NDArray[Any]) -> NDArray[Any]:
    kept = np.frombuffer(mmap(-1, max(array.nbytes, 1)), array.dtype, array.size)
    kept[:] = array
    return kept


def cues(batch: Batch, words: Words) -> Cues:
    """The cues of every sentence of the batch, those of the place included."""
    found = voices(batch, words)
    where = places(batch, found.gaps)
    values = np.empty((len(found.names), len(batch)), np.float32)
    values[: found.voice] = found.values.T
    row = np.arange(len(batch))
    place(where, row, where.around(row), values[found.voice :])
    return Cues(found.names, values.T, found.voice, where.gaps)


def voices(batch: Batch, words: Words) -> Cues:
    """The cues that tell how each sentence speaks, without those that tell where it stands."""
    breaks = (batch.kinds == Char.NEWLINE).nonzero()[0].searchsorted(np.array([batch.starts, batch.ends]))
    names = all_names()
    voice = len(names) - len(NAMES)
    values = np.empty((voice, len(batch)), np.float32)
    # One concatenation of all, for NumPy takes longer to find out what a list of arrays makes.
    found = _voices(batch, words, breaks)
    np.concatenate([rows.ravel() for rows in found.values()], out=values.ravel(), casting="unsafe")
    gaps = breaks[0].copy()
    gaps[1:] -= breaks[1, :-1]
    return Cues(names, values.T, voice, gaps)


def _voices(batch: Batch, words: Words, breaks: NDArray[np.int64]) -> Columns:
    lengths = batch.ends - batch.starts
    marks = find(batch)
    first, last = batch.kinds[batch.starts], batch.kinds[batch.ends - 1]
    return {
        **_characters(batch, marks, lengths, first, last),
        **slips(batch, marks),
        **_tokens(batch, marks, batch.blanks - (breaks[1] - breaks[0])),
        **_words(batch, words, lengths),
        **quotation(batch, marks, first, last),
    }


@cache
def all_names() -> tuple[str, ...]:
    """The names of all cues, in order."""
    nothing = encode([])
    found = _voices(nothing, look_up(nothing), np.zeros((2, 0), np.int64))
    return (*(name for names in found for name in ((names,) if isinstance(names, str) else names)), *NAMES)


@cache
def rows_of(names: tuple[str, ...]) -> NDArray[np.intp]:
    """The places of these cues among all."""
    return np.array([all_names().index(name) for name in names], np.intp)


def _characters(
    batch: Batch, marks: Marks, lengths: NDArray[np.int64], first: NDArray[np.uint8], last: NDArray[np.uint8]
) -> Columns:
    counts = marks.counts
    shares = np.array([counts[Char.UPPER], counts[Char.DIGIT], np.add.reduce(counts[Char.SPACE :])])
    shares /= lengths.astype(np.float32)
    return {
        _COUNTED_NAMES: np.minimum(counts.take(_COUNTED_ROWS, axis=0), 6),
        ("share upper", "share digit", "share marks"): shares,
        _STARTS_NAMES: first == _STARTS_COLUMN,
        _ENDS_NAMES: last == _ENDS_COLUMN,
    }


def _tokens(batch: Batch, marks: Marks, spaces: NDArray[np.int64]) -> Columns:
    """Links, handles and hashtags: strings without a space that no voice speaks."""
    counts = marks.counts
    slashes = marks.at[marks.kinds == Char.SLASH]
    double = slashes[:-1][slashes[1:] - slashes[:-1] == 1]
    links = np.bincount(batch.owner[double], minlength=len(batch))
    at, single = counts[Char.AT], spaces == 0
    tags = counts[Char.HASH] + at
    return {
        "single token": single,
        "single token with marks": single & (counts[Char.SLASH] + counts[Char.PERIOD] + tags > 1),
        "links": np.minimum(links, 3),
        "link and little else": (links > 0) & (spaces < 6),
        "tags and little else": tags >= (spaces + 1) * 0.6,
        "handle and little else": (at > 0) & (spaces < 5),
    }


def _words(batch: Batch, words: Words, lengths: NDArray[np.int64]) -> Columns:
    size = batch.word_ends - batch.word_starts
    flags = np.empty((4, len(size)), bool)
    long, short, nouns, capitals = flags
    np.greater(size, 11, out=long)
    np.less(size, 4, out=short)
    np.logical_and(words.capital, words.inside, out=nouns)
    np.greater(size, 2, out=capitals)
    capitals &= words.capital
    capitals &= batch.kinds[batch.word_starts + 1] == Char.UPPER
    # Summed over the words of each sentence by differences of running sums.
    sums = np.zeros((5, len(size) + 1), np.int32)
    sums[0, 1:], sums[1:, 1:] = size, flags
    np.cumsum(sums, axis=1, out=sums)
    borders = sums.take(batch.first_word, axis=1)
    count = batch.first_word[1:] - batch.first_word[:-1]
    divisor = np.maximum(count, 1)
    shares = (borders[:, 1:] - borders[:, :-1]) / divisor
    shares[0] /= 10
    names, source = _lexicon_rows()
    hits = lexicon_counts(batch, words).T
    found = np.empty((2, *hits.shape), np.float32)
    np.divide(hits, np.sqrt(divisor), out=found[0], casting="same_kind")
    np.greater(hits, 0, out=found[1], casting="unsafe")
    return {
        "log words": np.log1p(count, dtype=np.float32),
        "no words": count == 0,
        "few words": count < 4,
        ("word length", "share long words", "share short words", "share nouns", "share capitals"): shares,
        "share words of text": np.minimum(count * 6 / lengths, 2),
        names: found.reshape(2 * len(hits), len(batch)).take(source, axis=0),
    }


@cache
def _lexicon_rows() -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """The names of the cues that count words of lexicons, and the lexicon of each; behind all, whether it has any."""
    names, rows, lexicon_names = [], [], lexicons().names
    for lexicon, name in enumerate(lexicon_names):
        names.append(f"lexicon {name}")
        rows.append(lexicon)
        if name in _ANY:
            names.append(f"any {name}")
            rows.append(len(lexicon_names) + lexicon)
    return tuple(names), np.array(rows, np.intp)
