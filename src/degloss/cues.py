"""Cues: what a sentence looks like and where it stands, as some hundred named numbers.

Characters (punctuation, capitals, emoji, slips of typing), words (lexicons, lengths, capitalised nouns), the
quotation state, lines and paragraphs, and the place in the document. A cue is evidence and never a rule: each
is one column that the models weigh with all others. All columns are computed over the whole batch at once, in
blocks: what is looked up by one character, or by a character and its two neighbours, comes from one table each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from math import prod
from mmap import mmap
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from degloss.characters import CLASS_NAMES, Char
from degloss.encode import Batch, Sentences, encode
from degloss.marks import KINDS, Block, block, quotation, slips, within
from degloss.words import lexicon_counts, lexicons

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
    """(n, k) values of k named cues, and the structure that the context stage builds on.

    values are stored cue by cue: `values.T` is contiguous
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

    def rows(self, names: tuple[str, ...]) -> NDArray[np.float32]:
        """(m, n) some cues of all sentences, one row a cue."""
        return self.values.T.take(_places(self.names, names), axis=0)


def cues(batch: Batch, word_hashes: NDArray[np.uint32]) -> Cues:
    """The cues of every sentence of the batch."""
    found = voices(batch, word_hashes)
    place(batch, [found])
    return found


def voices(batch: Batch, word_hashes: NDArray[np.uint32]) -> Cues:
    """The cues that tell how each sentence speaks, and room for the others, which `place` fills in."""
    breaks = (batch.kinds == Char.NEWLINE).nonzero()[0].searchsorted(np.array([batch.starts, batch.ends]))
    lengths = batch.ends - batch.starts
    spaces = batch.blanks - (breaks[1] - breaks[0])
    blocks = [*_characters(batch, lengths, spaces), *_words(batch, word_hashes, lengths), quotation(batch)]
    names = _joined(*(names for names, _ in blocks), _place_names())
    voice = len(names) - len(_place_names())
    shape = (len(names), len(batch))
    values = np.empty(shape, np.float32) if batch.slice is None else _mapped(shape)
    np.concatenate([values for _, values in blocks], out=values[:voice], casting="unsafe")
    gaps = breaks[0].copy()
    gaps[1:] -= breaks[1, :-1]
    return Cues(names, values.T, voice, gaps)


def _mapped(shape: tuple[int, int]) -> NDArray[np.float32]:
    """Room in memory of its own: what is kept of a slice must not lie between the arrays that come and go."""
    memory = mmap(-1, max(4 * prod(shape), 1))
    return np.frombuffer(memory, np.float32, prod(shape)).reshape(shape)


def place(sentences: Sentences, parts: Sequence[Cues]) -> None:
    """Fills in where the sentences stand, in all parts of their cues, one after the other."""
    gaps = np.concatenate([part.gaps for part in parts])
    gaps[sentences.documents[:-1][sentences.documents[1:] > sentences.documents[:-1]]] = 2
    (_, lines), (_, document) = _lines(gaps, sentences.ends - sentences.starts), _document(sentences)
    start = 0
    for part in parts:
        stop = start + len(part.gaps)
        part.gaps[:] = gaps[start:stop]
        np.concatenate([lines[:, start:stop], document[:, start:stop]], out=part.values.T[part.voice :])
        start = stop


@cache
def _place_names() -> tuple[str, ...]:
    nothing = encode([])
    return _lines(nothing.starts, nothing.starts)[0] + _document(nothing)[0]


@cache
def _joined(*names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(chain.from_iterable(names))


@cache
def _places(names: tuple[str, ...], wanted: tuple[str, ...]) -> NDArray[np.intp]:
    return np.array([names.index(name) for name in wanted], np.intp)


def blocks(gaps: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(2, n) the first row and the row after the last of each sentence's line, and of its paragraph."""
    n = len(gaps)
    begins = gaps >= np.array([[1], [2]])
    # Both as one sequence: a document begins with a paragraph, so no block reaches from one into the other.
    starts = begins.ravel().nonzero()[0]
    number = begins.cumsum() - 1
    first = starts[number].reshape(2, n)
    last = np.concatenate([starts[1:], [2 * n]])[number].reshape(2, n)
    first[1] -= n
    last[1] -= n
    return first, last


def _characters(batch: Batch, lengths: NDArray[np.int64], spaces: NDArray[np.int64]) -> list[Block]:
    n = len(batch)
    kinds = batch.kinds
    at = ((kinds != Char.LOWER) & ~within(kinds, Char.SPACE, Char.NEWLINE)).nonzero()[0]
    row = batch.owner[at]
    counts = np.bincount(kinds[at] * np.int64(n) + row, minlength=KINDS * n).astype(np.float32).reshape(KINDS, n)
    letters_and_digits = counts[Char.UPPER] + counts[Char.DIGIT]
    shares = np.array([counts[Char.UPPER], counts[Char.DIGIT], counts.sum(0) - letters_and_digits])

    first, last = kinds[batch.starts], kinds[batch.ends - 1]
    return [
        (_COUNTED_NAMES, np.minimum(counts.take(_COUNTED_ROWS, axis=0), 6)),
        (("share upper", "share digit", "share marks"), shares / lengths.astype(np.float32)),
        (_STARTS_NAMES, first == _STARTS_COLUMN),
        (_ENDS_NAMES, last == _ENDS_COLUMN),
        slips(batch, at),
        _tokens(batch, counts, spaces),
    ]


def _tokens(batch: Batch, counts: NDArray[np.float32], spaces: NDArray[np.int64]) -> Block:
    """Links, handles and hashtags: strings without a space that no voice speaks."""
    n = len(batch)
    kinds = batch.kinds
    single = spaces == 0
    slash = kinds == Char.SLASH
    links = np.bincount(batch.owner[(slash[:-1] & slash[1:]).nonzero()[0]], minlength=n)
    at, slashes, stops = counts[Char.AT], counts[Char.SLASH], counts[Char.PERIOD]
    tags = counts[Char.HASH] + at
    return block({
        "single token": single,
        "single token with marks": single & (slashes + stops + tags > 1),
        "links": np.minimum(links, 3),
        "link and little else": (links > 0) & (spaces < 6),
        "tags and little else": tags >= (spaces + 1) * 0.6,
        "handle and little else": (at > 0) & (spaces < 5),
    })  # fmt: skip


def _words(batch: Batch, word_hashes: NDArray[np.uint32], lengths: NDArray[np.int64]) -> list[Block]:
    rows = batch.word_rows
    size = batch.word_ends - batch.word_starts
    upper = batch.kinds[batch.word_starts] == Char.UPPER
    # Summed over the words of each sentence by differences of running sums.
    sums = np.zeros((6, len(rows) + 1), np.int32)
    ones, letters, long, short, nouns, capitals = sums[:, 1:]
    ones[:] = 1
    letters[:] = size
    np.greater(size, 11, out=long, casting="unsafe")
    np.less(size, 4, out=short, casting="unsafe")
    nouns[1:] = upper[1:] & (rows[1:] == rows[:-1])
    capitals[:] = upper & (batch.kinds[batch.word_starts + 1] == Char.UPPER) & (size > 2)
    np.cumsum(sums, axis=1, out=sums)
    borders = sums.take(batch.first_word, axis=1)
    count, *sizes = borders[:, 1:] - borders[:, :-1]
    divisor = np.maximum(count, 1)
    letters, long, short, nouns, capitals = sizes / divisor
    columns = {
        "log words": np.log1p(count, dtype=np.float32),
        "no words": count == 0,
        "few words": count < 4,
        "word length": letters / 10,
        "share long words": long,
        "share short words": short,
        "share nouns": nouns,
        "share capitals": capitals,
        "share words of text": np.minimum(count * 6 / lengths, 2),
    }
    names, source, any_row, any_source = _lexicon_rows()
    hits = lexicon_counts(batch, word_hashes).T
    found = (hits / np.sqrt(divisor)).take(source, axis=0)
    found[any_row] = hits[any_source] > 0
    return [block(columns), (names, found)]


@cache
def _lexicon_rows() -> tuple[tuple[str, ...], NDArray[np.int64], list[int], list[int]]:
    """The names of the cues that count words of lexicons, the lexicon of each, and which ask for any word at all."""
    rows = []
    for lexicon, name in enumerate(lexicons().names):
        rows.append((f"lexicon {name}", lexicon))
        if name in _ANY:
            rows.append((f"any {name}", lexicon))
    any_row = [row for row, (name, _) in enumerate(rows) if name.startswith("any ")]
    source = [lexicon for _, lexicon in rows]
    return tuple(name for name, _ in rows), np.array(source), any_row, [source[row] for row in any_row]


def _lines(gaps: NDArray[np.int64], lengths: NDArray[np.int64]) -> Block:
    n = len(gaps)
    after = np.concatenate([gaps, [2]])[1:]
    first, last = blocks(gaps)
    characters = np.concatenate([[0], lengths.cumsum()])
    logs = np.log1p([last - first, np.arange(n) - first, characters[last] - characters[first]])
    columns: dict[str, NDArray[Any]] = {}
    for row, (name, least) in enumerate((("line", 1), ("paragraph", 2))):
        columns[f"{name} begins"] = gaps >= least
        columns[f"{name} ends"] = after >= least
        columns[f"{name} log sentences"], columns[f"{name} log place"], columns[f"{name} log length"] = logs[:, row]
    columns["wide gap before"] = gaps > 2
    columns["log length"] = np.log1p(lengths)
    return block(columns)


def _document(batch: Sentences) -> Block:
    begin, end = batch.documents[batch.document], batch.documents[batch.document + 1]
    before = np.arange(len(batch)) - begin
    size = end - begin
    left = size - 1 - before
    log_size, log_place, log_left = np.log1p([size, before, left])
    return block({
        "document log sentences": log_size,
        "document share before": before / np.maximum(size - 1, 1),
        "document log place": log_place,
        "document log left": log_left,
        "document first": before == 0,
        "document second": before == 1,
        "document last": left == 0,
        "document last but one": left == 1,
    })  # fmt: skip
