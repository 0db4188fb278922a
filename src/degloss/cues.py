"""Cues: what a sentence looks like and where it stands, as some hundred named numbers.

Characters (punctuation, capitals, emoji, slips of typing), words (lexicons, lengths, capitalised nouns), the
quotation state, lines and paragraphs, and the place in the document. A cue is evidence and never a rule: each
is one column that the models weigh with all others. All columns are computed over the whole batch at once: what is
looked up by one character, or by a character and its two neighbours, comes from one table each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate, chain, pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from degloss.characters import ALONE, CLASS_NAMES, Char
from degloss.encode import Batch
from degloss.marks import COUNTS, LIMITED, QUOTATION, SHARES, SLIPS, TAGS, TOKENS, Marks, find, quotation
from degloss.places import NAMES, place, places
from degloss.words import Words, lexicon_counts, lexicons

_STARTS: Final = (Char.LOWER, Char.UPPER, Char.DIGIT, Char.DASH, Char.EMOJI, Char.BULLET, Char.AT, Char.HASH,
                  Char.BRACKET_OPEN, Char.RULE, Char.PERIOD, Char.SYMBOL)  # fmt: skip
_ENDS: Final = (Char.PERIOD, Char.EXCLAMATION, Char.QUESTION, Char.ELLIPSIS, Char.COLON, Char.COMMA, Char.LOWER,
                Char.UPPER, Char.DIGIT, Char.EMOJI, Char.JOINER, Char.BRACKET_CLOSE, Char.RULE, Char.DASH)  # fmt: skip
_ANY: Final = ("first_person", "address_formal", "first_person_plural", "judgement")
"""Lexicons of which a single word already tells something."""

_SHARES: Final = ("share upper", "share digit", "share marks")
_EDGES: Final = (*(f"starts {CLASS_NAMES[c]}" for c in _STARTS), *(f"ends {CLASS_NAMES[c]}" for c in _ENDS))
_TOKENS: Final = ("single token", "single token with marks", "links", "link and little else", "tags and little else",
                  "handle and little else")  # fmt: skip
_WORDS: Final = ("log words", "no words", "few words", "word length", "share long words", "share short words",
                 "share nouns", "share capitals", "share words of text")  # fmt: skip

# Cues are computed in another order than they are told in: numbers first, then what is true or not, each kind so that
# as much as can be is computed in one call. What has no name is no cue.
_NUMBERS: Final = (
    (*COUNTS, *SLIPS, "links"),
    _SHARES,
    ("log words", *_WORDS[3:]),
    ("quotation opened long ago",),
)
_FLAGS: Final = (
    _EDGES,
    ("", "", "single token", "link and little else", "handle and little else", "single token with marks",
     "tags and little else"),
    ("no words", "few words"),
    ("quotation open before", "quotation open behind", "quotation never closed", "quotation closes sentence",
     "quotation whole", "quotation opens sentence", ""),
)  # fmt: skip


def _rows(groups: tuple[tuple[str, ...], ...]) -> list[slice]:
    """The rows of each of these groups of cues, and those behind them all, of lexicons."""
    borders = [0, *accumulate(map(len, groups)), None]
    return [slice(*pair) for pair in pairwise(borders)]


_COUNTED, _SHARED, _OF_WORDS, _AGO, _OF_LEXICONS = _rows(_NUMBERS)
_AT_EDGES, _IS_TOKEN, _IS_SHORT, _IS_QUOTED, _IN_LEXICONS = _rows(_FLAGS)


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
        cues, values=np.empty((len(cues), 0), np.float32), gaps=kept(np.minimum(cues.gaps, 100).astype(np.int8))
    )
    return Packed(empty, kept(np.packbits(some)), kept(values[some]))


def kept(array: NDArray[Any]) -> NDArray[Any]:
    """A copy in memory of its own, not between what comes and goes."""
    from mmap import mmap  # which takes as long to load as the cues of a page

    copy = np.frombuffer(mmap(-1, max(array.nbytes, 1)), array.dtype, array.size).reshape(array.shape)
    copy[:] = array
    return copy


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
    n, told = len(batch.starts), _told()
    breaks = (batch.kinds == ALONE[Char.NEWLINE]).nonzero()[0].searchsorted(batch.spans)
    lengths = batch.lengths.astype(np.float32)
    outer = batch.kinds[np.maximum(batch.spans.take(_OF_SPANS, axis=0) - _BEFORE_END, batch.starts)]
    marks = find(batch)
    rows = np.empty((told.numbers + told.flags, n), np.float32)
    numbers, flags = rows[: told.numbers], np.empty((told.flags, n), bool)
    np.minimum(marks.counts[LIMITED], _LIMITS, out=numbers[_COUNTED])
    np.divide(marks.counts[SHARES], lengths, out=numbers[_SHARED])
    np.equal(outer.take(_SIDES, axis=0), _OUTER, out=flags[_AT_EDGES])
    _tokens(marks, batch.blanks - (breaks[1] - breaks[0]), flags[_IS_TOKEN])
    divisor = _words(batch, words, lengths, numbers[_OF_WORDS], flags[_IS_SHORT])
    hits = lexicon_counts(batch, words)
    np.divide(hits, np.sqrt(divisor), out=numbers[_OF_LEXICONS])
    np.greater(hits.take(told.any_of, axis=0), _NONE, out=flags[_IN_LEXICONS])
    quotation(batch, marks, outer, flags[_IS_QUOTED], numbers[_AGO])
    rows[told.numbers :] = flags
    gaps = breaks[0].copy()
    gaps[1:] -= breaks[1, :-1]
    return Cues(all_names(), rows.take(told.order, axis=0).T, len(told.order), gaps)


# Of each sentence the classes of the first character, of the last one and of the last but one.
_OF_SPANS, _BEFORE_END = np.array([0, 1, 1]), np.array([[0], [1], [2]])
_LIMITS: Final = np.array([[6]] * len(COUNTS) + [[4]] * len(SLIPS) + [[3]], np.float32)
_SIDES: Final = np.array([0] * len(_STARTS) + [1] * len(_ENDS))
_OUTER: Final = np.array([*_STARTS, *_ENDS], np.uint8)[:, None]
_NONE: Final = np.array(0, np.float32)


def _tokens(marks: Marks, spaces: NDArray[np.int64], flags: NDArray[np.bool_]) -> None:
    """Links, handles and hashtags: strings without a space that no voice speaks."""
    few, some = flags[:3], flags[3:6]
    np.less(spaces, _FEW_SPACES, out=few)
    np.greater(marks.counts[TOKENS], _FEW_MARKS, out=some)
    some &= few
    np.greater_equal(marks.counts[TAGS], (spaces + _SPACE_BEHIND) * _MOST_OF, out=flags[6])


_FEW_SPACES: Final = np.array([[6], [5], [1]])  # with a link; with a handle; none
_FEW_MARKS: Final = np.array([[0], [0], [1]], np.float32)
_SPACE_BEHIND, _MOST_OF = np.array(1), np.array(0.6)


def _words(
    batch: Batch, words: Words, lengths: NDArray[np.float32], numbers: NDArray[np.float32], flags: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Writes what `_NUMBERS` and `_FLAGS` tell of words; (n) how many there are, and 1 of none."""
    size = words.sizes
    told = np.empty((4, len(size)), bool)
    np.greater(size, _LONG, out=told[0])
    np.less(size, _SHORT, out=told[1])
    told[2] = words.nouns
    shouted = np.greater(size, _INITIALS, out=told[3])
    shouted &= words.shouted
    # Summed over the words of each sentence by differences of running sums.
    sums = np.zeros((5, len(size) + 1), np.int32)
    sums[0, 1:], sums[1:, 1:] = size, told
    np.add.accumulate(sums, axis=1, out=sums)
    borders = sums.take(batch.word_spans, axis=1)
    count = batch.word_counts.astype(np.float32)
    divisor = np.maximum(count, _AT_LEAST)
    np.less(count, _FEW_WORDS, out=flags)
    np.log1p(count, out=numbers[0])
    shares = numbers[1:6]
    shares[:] = borders[:, 1] - borders[:, 0]
    shares /= divisor
    shares[0] /= _LETTERS
    np.minimum(count * _WITH_SPACE / lengths, _TWO, out=numbers[6])
    return divisor


_LONG, _SHORT, _INITIALS = np.array(11), np.array(4), np.array(2)
_FEW_WORDS: Final = np.array([[1], [4]], np.float32)
_AT_LEAST, _LETTERS, _WITH_SPACE, _TWO = (np.array(number, np.float32) for number in (1, 10, 6, 2))


class _Told(NamedTuple):
    """Where the cues come from.

    numbers, flags  how many of each are computed
    any_of          the lexicons of which it is also told whether there is any word
    order           the row of each cue, in the order they are told in
    """

    numbers: int
    flags: int
    any_of: NDArray[np.intp]
    order: NDArray[np.intp]


@cache
def _told() -> _Told:
    names = lexicons().names
    numbers = [*chain(*_NUMBERS), *(f"lexicon {name}" for name in names)]
    flags = [*chain(*_FLAGS), *(f"any {name}" for name in _ANY)]
    order = [[*numbers, *flags].index(name) for name in all_names()[: -len(NAMES)]]
    return _Told(len(numbers), len(flags), np.array([names.index(name) for name in _ANY]), np.array(order))


@cache
def all_names() -> tuple[str, ...]:
    """The names of all cues, in order."""
    words = [
        cue for name in lexicons().names for cue in (f"lexicon {name}", *([f"any {name}"] if name in _ANY else []))
    ]
    return (*COUNTS, *_SHARES, *_EDGES, *SLIPS, *_TOKENS, *_WORDS, *words, *QUOTATION, *NAMES)


@cache
def rows_of(names: tuple[str, ...]) -> NDArray[np.intp]:
    """The places of these cues among all."""
    return np.array([all_names().index(name) for name in names], np.intp)
