"""Words: their hashes, and which of them stand in a lexicon or are function words.

A word is a run of letters and digits in normal form, so "Corona-Test" is two. Its hash is polynomial and
computed for all words of a batch by prefix sums; the word n-grams of the sentence model and the look-ups in the
lexicons use the same hash, so no Python string is made per word.

The lexicons are files under `lexicons/german/`, one word a line, `#` for comments; each file is one cue.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from degloss.characters import ALONE, Char, normal_forms
from degloss.encode import Batch

BASE: Final = np.array(0x01000193, np.uint32)
"""Odd, so that it has an inverse modulo 2^32: the prime of the FNV hash."""
_INVERSE: Final = np.uint32(pow(int(BASE), -1, 1 << 32))
_MIX: Final = np.array(0x9E3779B1, np.uint32)  # as in degloss.ngrams
_SLOT_BITS: Final = 16
_SLOT_SHIFT: Final = np.array(32 - _SLOT_BITS, np.uint32)
_FOLDER: Final = os.path.join(os.path.dirname(__file__), "lexicons")  # importlib.resources imports for 10 ms
LISTED: Final = 1
FUNCTION: Final = 2
"""What is known of a word: whether it stands in a lexicon, whether it is a function word."""
SHORT: Final = 3
ENDING: Final = 2
"""Letters at the end of a noun that stay unveiled, and the length up to which words stay whole."""


@cache
def _powers(bits: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The powers of `BASE` and of its inverse up to 2^bits − 1."""
    size = 1 << bits
    up = np.full(size, BASE, np.uint32)
    down = np.full(size, _INVERSE, np.uint32)
    up[0] = down[0] = 1
    return np.cumprod(up, dtype=np.uint32), np.cumprod(down, dtype=np.uint32)


def hashes(batch: Batch) -> NDArray[np.uint32]:
    """(w) the hash of each word: Σ code · BASE^place, modulo 2^32."""
    return _hashes(batch.normal, batch.word_starts, batch.word_ends)


def _hashes(normal: NDArray[np.uint32], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.uint32]:
    size = len(normal)
    up, down = _powers(max(size - 1, 1).bit_length())
    prefix = np.empty(size + 1, np.uint32)
    prefix[0] = 0
    np.multiply(normal, up[:size], out=prefix[1:])
    np.add.accumulate(prefix, out=prefix)
    sums = prefix[ends]
    sums -= prefix[starts]
    sums *= down[starts]
    return sums


def hash_words(words: Sequence[str]) -> NDArray[np.uint32]:
    """The hashes that `hashes` gives these words.

    >>> from degloss.encode import encode
    >>> hashes(encode(["Die Katze", "KATZE"])).tolist() == hash_words(["die", "katze", "katze"]).tolist()
    True
    """
    codes = np.frombuffer("".join(words).encode("utf-32-le", "surrogatepass"), "<u4")
    borders = np.array([0, *accumulate(map(len, words))])
    return _hashes(normal_forms().take(codes, mode="clip"), borders[:-1], borders[1:])


def function_words() -> tuple[str, ...]:
    """The words that stay as they are in a sentence's skeleton, in normal form."""
    return _entries(os.path.join(_FOLDER, "function_words.txt"))


def _entries(path: str) -> tuple[str, ...]:
    with open(path, encoding="utf-8") as file:
        return tuple(line for line in file.read().split("\n") if line and not line.startswith("#"))


@dataclass(frozen=True, eq=False)
class Lexicons:
    """All lexicons and the function words as one hash table of 2^16 slots, so that each word is looked up once.

    A hash belongs into the slot that `_slots` tells.

    names    the lexicons, in the order of their numbers; the number behind the last is that of the function words
    slots    (2^16) the column of `hashes` that holds the entries of a slot, 0 where there are none
    hashes   (most, r) the entries of each slot that has any, an entry of several lexicons once for each; what is
             left of a column is filled up with a hash that belongs into another slot, column 0 is no slot's
    columns  (most, r) the lexicon of each entry
    known    (most, r) what `Words` tells of the word of each entry
    """

    names: tuple[str, ...]
    slots: NDArray[np.uint16]
    hashes: NDArray[np.uint32]
    columns: NDArray[np.int64]
    known: NDArray[np.uint8]


@cache
def lexicons() -> Lexicons:
    """The lexicons that come with degloss."""
    folder = os.path.join(_FOLDER, "german")
    files = sorted(name for name in os.listdir(folder) if name.endswith(".txt"))
    entries = [*(_entries(os.path.join(folder, name)) for name in files), function_words()]
    values = hash_words([word for words in entries for word in words])
    column = np.arange(len(entries)).repeat([len(words) for words in entries])
    order = _slots(values).argsort(kind="stable")
    values, column = values[order], column[order]
    used, first, row, counts = np.unique(_slots(values), return_index=True, return_inverse=True, return_counts=True)
    slots = np.zeros(1 << _SLOT_BITS, np.uint16)
    slots[used] = np.arange(1, len(used) + 1)
    stranger = 1  # which belongs into another slot than 0
    hashes = np.full((counts.max(), len(used) + 1), stranger, np.uint32)
    hashes[:, 1:][:, used == _slots(np.array([stranger], np.uint32))] = 0
    columns = np.zeros(hashes.shape, np.int64)
    places = np.arange(len(values)) - first[row], row + 1
    hashes[places], columns[places] = values, column
    # All entries of a word are in the same slot.
    same, function = hashes[:, None] == hashes, columns == len(files)
    known = ((same & ~function).any(1) * LISTED + (same & function).any(1) * FUNCTION).astype(np.uint8)
    return Lexicons(tuple(name.removesuffix(".txt") for name in files), slots, hashes, columns, known)


class Words(NamedTuple):
    """The w words of a batch: what is asked of them more than once.

    hashes    (w) of each word
    sizes     (w) characters
    nouns     (w) whether a word begins with a capital and is not the first of its sentence
    shouted   (w) whether it begins with two capitals
    hits      (h) the words that stand in a lexicon or are function words, as their places, once for each
    columns   (h) the columns of these lexicons
    known     (w) `LISTED` if a word stands in a lexicon, plus `FUNCTION` if it is a function word
    """

    hashes: NDArray[np.uint32]
    sizes: NDArray[np.int64]
    nouns: NDArray[np.bool_]
    shouted: NDArray[np.bool_]
    hits: NDArray[np.int64]
    columns: NDArray[np.int64]
    known: NDArray[np.uint8]


def look_up(batch: Batch) -> Words:
    """The words of a batch, hashed and looked up."""
    found, lexicon, rows = hashes(batch), lexicons(), batch.word_rows
    row = lexicon.slots.take(_slots(found)).astype(np.intp)
    # Nearly every word has a slot with entries, so all words are compared with what would be theirs.
    place = (lexicon.hashes.take(row, axis=1) == found).ravel().nonzero()[0]
    hits, columns = place % np.array(max(len(found), 1)), lexicon.columns.take(row, axis=1).ravel()[place]
    known = np.zeros(len(found), np.uint8)
    known[hits] = lexicon.known.take(row, axis=1).ravel()[place]
    nouns = np.zeros(len(found), bool)
    np.equal(rows[1:], rows[:-1], out=nouns[1:])
    capitals = batch.kinds == ALONE[Char.UPPER]
    capital, shouted = capitals[batch.word_starts], capitals[1:][batch.word_starts]
    nouns &= capital
    shouted &= capital
    return Words(found, batch.word_ends - batch.word_starts, nouns, shouted, hits, columns, known)


def _slots(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    slots: NDArray[np.uint32] = (hashes * _MIX) >> _SLOT_SHIFT
    return slots


def lexicon_counts(batch: Batch, words: Words) -> NDArray[np.float32]:
    """(lexicons, n) how many words of each sentence stand in each lexicon."""
    n, number = len(batch.starts), len(lexicons().names)
    cells = words.columns * np.array(n)
    cells += batch.word_rows[words.hits]
    return np.bincount(cells, minlength=(number + 1) * n).astype(np.float32).reshape(number + 1, n)[:-1]


def veiled(batch: Batch, words: Words) -> NDArray[np.uint32]:
    """(c + 1) a space and the normal forms, with the nouns and names veiled but for their last two letters.

    The space gives the first sentence of a batch a left edge like any other's.
    German writes them with a capital, so no tagger is needed. Words of a lexicon, short words, words in capitals
    and the first word of a sentence stay.
    """
    noun = words.nouns > words.shouted
    noun &= words.sizes > _SHORT
    noun &= words.known & _LISTED == _NONE
    nouns = noun.nonzero()[0]
    sizes = words.sizes[nouns] - _ENDING
    text = np.empty(len(batch.normal) + 1, np.uint32)
    text[0], behind = ord(" "), text[1:]
    behind[:] = batch.normal
    # Every letter to be veiled: how many there are before it, moved to where its noun stands.
    letters = (batch.word_starts[nouns] + sizes - np.add.accumulate(sizes)).repeat(sizes)
    letters += np.arange(len(letters))
    behind[letters] = _VEIL
    return text


_SHORT: Final = np.array(SHORT)
_VEIL: Final = np.array(ord("x"), np.uint32)
_LISTED: Final = np.array(LISTED, np.uint8)
_NONE: Final = np.array(0, np.uint8)
_ENDING: Final = np.array(ENDING)
