"""Words: their hashes, and which of them stand in a lexicon.

A word is a run of letters and digits in normal form, so "Corona-Test" is two. Its hash is polynomial and
computed for all words of a batch by prefix sums; the word n-grams of the sentence model and the look-ups in the
lexicons use the same hash, so no Python string is made per word.

The lexicons are files under `lexicons/german/`, one word a line, `#` for comments; each file is one cue.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from degloss.characters import TABLE_SIZE, Char, normal_forms
from degloss.encode import Batch

BASE: Final = np.uint32(0x01000193)
"""Odd, so that it has an inverse modulo 2^32: the prime of the FNV hash."""
_INVERSE: Final = np.uint32(pow(int(BASE), -1, 1 << 32))
_SLOT_BITS: Final = 16
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
    size = len(batch.normal)
    up, down = _powers(max(size - 1, 1).bit_length())
    prefix = np.zeros(size + 1, np.uint32)
    np.cumsum(batch.normal * up[:size], dtype=np.uint32, out=prefix[1:])
    sums = prefix[batch.word_ends] - prefix[batch.word_starts]
    return np.asarray(sums * down[batch.word_starts], np.uint32)


def hash_word(word: str) -> int:
    """The hash `hashes` gives one word.

    >>> from degloss.encode import encode
    >>> int(hashes(encode(["Die Katze"]))[1]) == hash_word("katze") == hash_word("KATZE")
    True
    """
    forms = normal_forms()
    value, power = 0, 1
    for character in word:
        value += int(forms[min(ord(character), TABLE_SIZE - 1)]) * power
        power = power * int(BASE)
    return value & 0xFFFFFFFF


@dataclass(frozen=True, eq=False)
class Lexicons:
    """All lexicons as one hash table of 2^16 slots; a hash belongs into the slot of its upper 16 bits.

    names    the lexicons, in the order of their columns
    slots    (2^16) the row of `hashes` that holds the entries of a slot, 0 where there are none
    hashes   (r, most) the entries of each slot that has any, an entry of several lexicons once for each; what is
             left of a row is filled up with a hash that belongs into another slot, row 0 is no slot's
    columns  (r, most) the lexicon of each entry
    """

    names: tuple[str, ...]
    slots: NDArray[np.uint16]
    hashes: NDArray[np.uint32]
    columns: NDArray[np.int64]


@cache
def lexicons() -> Lexicons:
    """The lexicons that come with degloss."""
    folder = os.path.join(os.path.dirname(__file__), "lexicons", "german")  # importlib.resources imports for 10 ms
    files = sorted(name for name in os.listdir(folder) if name.endswith(".txt"))
    entries: dict[int, list[tuple[int, int]]] = {}
    for column, name in enumerate(files):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            for line in file.read().split("\n"):
                if line and not line.startswith("#"):
                    value = hash_word(line)
                    entries.setdefault(value >> (32 - _SLOT_BITS), []).append((value, column))
    slots = np.zeros(1 << _SLOT_BITS, np.uint16)
    slots[list(entries)] = np.arange(1, len(entries) + 1)
    most = max(map(len, entries.values()))
    hashes = np.zeros((len(entries) + 1, most), np.uint32)
    columns = np.zeros((len(entries) + 1, most), np.int64)
    for row, (slot, members) in enumerate(entries.items(), 1):
        hashes[row] = (slot ^ 1) << (32 - _SLOT_BITS)
        for place, (value, column) in enumerate(members):
            hashes[row, place], columns[row, place] = value, column
    return Lexicons(tuple(name.removesuffix(".txt") for name in files), slots, hashes, columns)


def lexicon_hits(word_hashes: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The words that stand in a lexicon, as their places in `word_hashes`, and the column of that lexicon."""
    lexicon = lexicons()
    row = lexicon.slots.take(word_hashes >> np.uint32(32 - _SLOT_BITS), mode="clip")
    word = row.nonzero()[0]
    row = row[word]
    found = (lexicon.hashes.take(row, axis=0, mode="clip") == word_hashes[word, None]).ravel().nonzero()[0]
    which, place = np.divmod(found, lexicon.hashes.shape[1])
    return word[which], lexicon.columns[row[which], place]


def lexicon_counts(batch: Batch, word_hashes: NDArray[np.uint32]) -> NDArray[np.float32]:
    """(n, lexicons) how many words of each sentence stand in each lexicon."""
    width = len(lexicons().names)
    word, column = lexicon_hits(word_hashes)
    cells = batch.word_rows[word].astype(np.int64) * width + column
    return np.bincount(cells, minlength=len(batch) * width).astype(np.float32).reshape(len(batch), width)


def veiled(batch: Batch, word_hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """(c + 1) a space and the normal forms, with the nouns and names veiled but for their last two letters.

    The space gives the first sentence of a batch a left edge like any other's.
    German writes them with a capital, so no tagger is needed. Words of a lexicon, short words, words in capitals
    and the first word of a sentence stay.
    """
    rows, kinds = batch.word_rows, batch.kinds
    noun = kinds[batch.word_starts] == Char.UPPER
    noun &= kinds[batch.word_starts + 1] != Char.UPPER
    noun &= batch.word_ends - batch.word_starts > SHORT
    noun[:1] = False
    noun[1:] &= rows[1:] == rows[:-1]
    nouns = noun.nonzero()[0]
    known, _ = lexicon_hits(word_hashes[nouns])
    veil = np.ones(len(nouns), bool)
    veil[known] = False
    nouns = nouns[veil]
    starts = batch.word_starts[nouns]
    sizes = batch.word_ends[nouns] - ENDING - starts
    text = np.empty(len(kinds) + 1, np.uint32)
    text[0], text[1:] = ord(" "), batch.normal
    # Every letter to be veiled: how many there are before it, moved to where its noun stands, behind the space.
    behind = sizes.cumsum()
    letters = np.repeat(starts + 1 + sizes - behind, sizes)
    letters += np.arange(len(letters))
    text[letters] = ord("x")
    return text
