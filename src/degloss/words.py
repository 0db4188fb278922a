"""Words: their hashes, and which of them stand in a lexicon.

A word is a run of letters and digits in normal form, so "Corona-Test" is two. Its hash is polynomial and
computed for all words of a batch by prefix sums; the word n-grams of the sentence model and the look-ups in the
lexicons use the same hash, so no Python string is made per word.

The lexicons are files under `lexicons/german/`, one word a line, `#` for comments; each file is one cue.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
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
    """All lexicons as one hash table.

    names    the lexicons, in the order of their columns
    hashes   (e) the entries' hashes; an entry of several lexicons stands there once for each
    columns  (e) the lexicon of each entry
    slots    (2^16) first entry with these upper 16 bits, e where there is none
    """

    names: tuple[str, ...]
    hashes: NDArray[np.uint32]
    columns: NDArray[np.int64]
    slots: NDArray[np.int32]


@cache
def lexicons() -> Lexicons:
    """The lexicons that come with degloss."""
    folder = resources.files("degloss") / "lexicons" / "german"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".txt")), key=lambda f: f.name)
    pairs = sorted(
        (hash_word(line), column)
        for column, file in enumerate(files)
        for line in file.read_text("utf-8").split("\n")
        if line and not line.startswith("#")
    )
    entries = np.array([pair[0] for pair in pairs], np.uint32)
    slots = np.full(1 << _SLOT_BITS, len(pairs), np.int32)
    slots[(entries >> (32 - _SLOT_BITS))[::-1]] = np.arange(len(pairs), dtype=np.int32)[::-1]
    return Lexicons(
        names=tuple(file.name.removesuffix(".txt") for file in files),
        hashes=entries,
        columns=np.array([pair[1] for pair in pairs], np.int64),
        slots=slots,
    )


def lexicon_counts(batch: Batch, word_hashes: NDArray[np.uint32]) -> NDArray[np.float32]:
    """(n, lexicons) how many words of each sentence stand in each lexicon."""
    lexicon = lexicons()
    width = len(lexicon.names)
    entry = lexicon.slots[word_hashes >> (32 - _SLOT_BITS)]
    word = np.flatnonzero(entry < len(lexicon.hashes))
    entry = entry[word]
    flat = np.zeros(len(batch) * width, np.float32)
    # Entries of one slot are neighbours: walk along them until all candidates have left theirs.
    while len(word):
        hit = lexicon.hashes[entry] == word_hashes[word]
        cell = batch.word_rows[word[hit]].astype(np.int64) * width + lexicon.columns[entry[hit]]
        flat += np.bincount(cell, minlength=len(flat)).astype(np.float32)
        entry = entry + 1
        stays = entry < len(lexicon.hashes)
        entry, word = entry[stays], word[stays]
        same = lexicon.hashes[entry] >> (32 - _SLOT_BITS) == word_hashes[word] >> (32 - _SLOT_BITS)
        entry, word = entry[same], word[same]
    return flat.reshape(len(batch), width)


def veiled(batch: Batch, word_hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """(c) the normal forms with the nouns and names veiled but for their last two letters.

    German writes them with a capital, so no tagger is needed. Words of a lexicon, short words, words in capitals
    and the first word of a sentence stay.
    """
    rows, kinds = batch.word_rows, batch.kinds
    opening = np.ones(len(rows), bool)
    opening[1:] = rows[1:] != rows[:-1]
    noun = (kinds[batch.word_starts] == Char.UPPER) & (kinds[batch.word_starts + 1] != Char.UPPER) & ~opening
    noun &= batch.word_ends - batch.word_starts > SHORT
    known = lexicons().hashes
    noun &= known[np.minimum(np.searchsorted(known, word_hashes), len(known) - 1)] != word_hashes
    marks = np.zeros(len(kinds), np.int8)
    marks[batch.word_starts[noun]] = 1
    marks[batch.word_ends[noun] - ENDING] = -1
    inside = np.cumsum(marks, dtype=np.int8).view(bool)
    return np.where(inside, np.uint32(ord("x")), batch.normal)
