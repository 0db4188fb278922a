"""Cues: what a sentence looks like and where it stands, as some hundred named numbers.

Characters (punctuation, capitals, emoji, slips of typing), words (lexicons, lengths, capitalised nouns), the
quotation state, lines and paragraphs, and the place in the document. A cue is evidence and never a rule: each
is one column that the models weigh with all others. All columns are computed over the whole batch at once: what is
looked up by one character, or by a character and its two neighbours, comes from one table each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from degloss.characters import ALONE, CLASS_NAMES, Char
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
    from mmap import mmap  # which takes as long to load as the cues of a page

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
    spans = np.array([batch.starts, batch.ends])
    breaks = (batch.kinds == ALONE[Char.NEWLINE]).nonzero()[0].searchsorted(spans)
    names = all_names()
    voice = len(names) - len(NAMES)
    values = np.empty((voice, len(batch)), np.float32)
    # One concatenation of all, for NumPy takes longer to find out what a list of arrays makes.
    found = _voices(batch, words, spans, breaks)
    np.concatenate([rows.ravel() for rows in found.values()], out=values.ravel(), casting="unsafe")
    gaps = breaks[0].copy()
    gaps[1:] -= breaks[1, :-1]
    return Cues(names, values.T, voice, gaps)


def _voices(batch: Batch, words: Words, spans: NDArray[np.int64], breaks: NDArray[np.int64]) -> Columns:
    lengths = spans[1] - spans[0]
    marks = find(batch)
    outer = batch.kinds[spans - _LAST]
    slipped, links = slips(batch, marks)
    return {
        **_characters(marks, lengths, outer),
        **slipped,
        **_tokens(marks, links, batch.blanks - (breaks[1] - breaks[0])),
        **_words(batch, words, lengths),
        **quotation(batch, marks, spans, outer),
    }


_LAST: Final = np.array([[0], [1]])


@cache
def all_names() -> tuple[str, ...]:
    """The names of all cues, in order."""
    nothing = encode([])
    empty = np.zeros((2, 0), np.int64)
    found = _voices(nothing, look_up(nothing), empty, empty)
    return (*(name for names in found for name in ((names,) if isinstance(names, str) else names)), *NAMES)


@cache
def rows_of(names: tuple[str, ...]) -> NDArray[np.intp]:
    """The places of these cues among all."""
    return np.array([all_names().index(name) for name in names], np.intp)


def _characters(marks: Marks, lengths: NDArray[np.int64], outer: NDArray[np.uint8]) -> Columns:
    counts = marks.counts
    shares = np.empty((3, len(lengths)), np.float32)
    shares[:2] = counts[Char.UPPER : Char.DIGIT + 1]
    np.add.reduce(counts[Char.SPACE :], out=shares[2])
    shares /= lengths.astype(np.float32)
    counted = counts.take(_COUNTED_ROWS, axis=0)
    return {
        _COUNTED_NAMES: np.minimum(counted, _MOST_COUNTED, out=counted),
        ("share upper", "share digit", "share marks"): shares,
        _STARTS_NAMES: outer[0] == _STARTS_COLUMN,
        _ENDS_NAMES: outer[1] == _ENDS_COLUMN,
    }


_MOST_COUNTED: Final = np.array(6, np.float32)


def _tokens(marks: Marks, links: NDArray[np.int64], spaces: NDArray[np.int64]) -> Columns:
    """Links, handles and hashtags: strings without a space that no voice speaks."""
    counts = marks.counts
    tags = counts[Char.HASH] + counts[Char.AT]
    few = spaces < _FEW_SPACES
    some = np.empty((3, len(spaces)), bool)
    np.greater(counts[Char.SLASH] + counts[Char.PERIOD] + tags, _ONE, out=some[0])
    np.greater(counts[Char.AT], _NONE, out=some[1])
    np.greater(links, _NO_LINK, out=some[2])
    some &= few
    return {
        "single token": few[0],
        "single token with marks": some[0],
        "links": np.minimum(links, _THREE),
        "link and little else": some[2],
        "tags and little else": tags >= (spaces + _SPACE_BEHIND) * _MOST_OF,
        "handle and little else": some[1],
    }


_FEW_SPACES: Final = np.array([[1], [5], [6]])  # none; with a handle; with a link
_NONE, _ONE = np.array(0, np.float32), np.array(1, np.float32)
_NO_LINK, _THREE, _SPACE_BEHIND, _MOST_OF = np.array(0), np.array(3), np.array(1), np.array(0.6)


def _words(batch: Batch, words: Words, lengths: NDArray[np.int64]) -> Columns:
    size = words.sizes
    flags = np.empty((4, len(size)), bool)
    np.greater(size, _LONG, out=flags[0])
    np.less(size, _SHORT, out=flags[1])
    flags[2] = words.nouns
    np.logical_and(size > _INITIALS, words.shouted, out=flags[3])
    # Summed over the words of each sentence by differences of running sums.
    sums = np.zeros((5, len(size) + 1), np.int32)
    sums[0, 1:], sums[1:, 1:] = size, flags
    np.add.accumulate(sums, axis=1, out=sums)
    borders = sums.take(batch.first_word, axis=1)
    count = batch.first_word[1:] - batch.first_word[:-1]
    divisor = np.maximum(count, _AT_LEAST)
    shares = (borders[:, 1:] - borders[:, :-1]) / divisor
    shares[0] /= _LETTERS
    names, any_of, source = _lexicon_rows()
    hits = lexicon_counts(batch, words)
    found = np.empty((len(hits) + len(any_of), len(batch)), np.float32)
    np.divide(hits, np.sqrt(divisor, dtype=np.float32), out=found[: len(hits)])
    found[len(hits) :] = hits.take(any_of, axis=0) > _NONE
    return {
        "log words": np.log1p(count, dtype=np.float32),
        ("no words", "few words"): count < _FEW_WORDS,
        ("word length", "share long words", "share short words", "share nouns", "share capitals"): shares,
        "share words of text": np.minimum(count * _WITH_SPACE / lengths, _TWO),
        names: found.take(source, axis=0),
    }


_LONG, _SHORT, _INITIALS, _AT_LEAST = np.array(11), np.array(4), np.array(2), np.array(1)
_FEW_WORDS: Final = np.array([[1], [4]])
_LETTERS, _WITH_SPACE, _TWO = np.array(10.0), np.array(6), np.array(2.0)


@cache
def _lexicon_rows() -> tuple[tuple[str, ...], NDArray[np.intp], NDArray[np.intp]]:
    """What is told of words of lexicons: the names of the cues; the lexicons of which it is also told whether there is
    any word; and of each cue its lexicon, or its place among these, which are counted behind all lexicons."""
    names: list[str] = []
    any_of: list[int] = []
    rows: list[int] = []
    lexicon_names = lexicons().names
    for lexicon, name in enumerate(lexicon_names):
        names.append(f"lexicon {name}")
        rows.append(lexicon)
        if name in _ANY:
            names.append(f"any {name}")
            rows.append(len(lexicon_names) + len(any_of))
            any_of.append(lexicon)
    return tuple(names), np.array(any_of, np.intp), np.array(rows, np.intp)
