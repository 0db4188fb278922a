"""Hashed n-grams: what a sentence says, as numbers of a table of 2^18 weights.

Three kinds: words and pairs of neighbouring words; runs of words of the sentence's skeleton; and character n-grams
of a few lengths that may reach one character over the sentence's edge, so that beginnings and ends of sentences
count as such. Character n-grams are taken with nouns and names veiled: they make up most of a text's characters
and tell its topic, not its speaker. An n-gram is never stored as a string: the hashes are rolled over the whole
batch at once (Rabin and Karp 1987; feature hashing after Weinberger et al. 2009). Training turns them into a
sparse matrix and the scorer looks their weights up: both from `families`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from degloss.characters import normal_forms
from degloss.encode import Batch
from degloss.skeleton import skeleton
from degloss.words import BASE, veiled

TABLE_BITS: Final = 18
CHARACTER_ORDERS: Final = (3, 4, 5)
SKELETON_ORDERS: Final = (2, 3, 4)
_MIX: Final = np.uint32(0x9E3779B1)  # 2^32 / golden ratio: multiplicative hashing, Knuth vol. 3, 6.4
_SEED: Final = np.uint32(0x85EBCA6B)


@dataclass(frozen=True, eq=False)
class Family:
    """The n-grams of one kind and length, of a batch.

    index   (m) the table entry of each n-gram, in the order of the text; of character n-grams, the one at
            place p begins one code point before position p
    first   (n) the place in `index` of each sentence's first n-gram
    count   (n) how many n-grams each sentence has
    length  words or characters in each
    """

    name: str
    index: NDArray[np.intp]
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    length: int


def families(batch: Batch, word_hashes: NDArray[np.uint32]) -> Iterator[Family]:
    """The families of n-grams, one after the other, so that only one is in memory at a time."""
    yield from _words(batch, word_hashes)
    yield from _skeletons(batch, skeleton(batch, word_hashes))
    yield from _characters(batch, veiled(batch, word_hashes))


def scale(count: NDArray[np.int64]) -> NDArray[np.float32]:
    """The value of each n-gram of a family: 1/√count gives all sentences about the same length as vectors."""
    return (1 / np.sqrt(np.maximum(count, 1))).astype(np.float32)


def _words(batch: Batch, word_hashes: NDArray[np.uint32]) -> Iterator[Family]:
    first = batch.first_word[:-1]
    count = batch.first_word[1:] - first
    yield Family("word", _index(word_hashes, 1), first, count, 1)
    # A pair belongs to its first word; the last word of a sentence has none.
    pairs = word_hashes[:-1] * _SEED + word_hashes[1:]
    yield Family("words", _index(pairs, 2), first, np.maximum(count - 1, 0), 2)


def _skeletons(batch: Batch, words: NDArray[np.uint32]) -> Iterator[Family]:
    first = batch.first_word[:-1]
    count = batch.first_word[1:] - first
    hashes = words
    for order in SKELETON_ORDERS:
        hashes = hashes[:-1] * _SEED
        hashes += words[order - 1 :]
        number = 2 + max(CHARACTER_ORDERS) + order
        yield Family(f"skeleton {order}", _index(hashes, number), first, np.maximum(count - (order - 1), 0), order)


def _characters(batch: Batch, text: NDArray[np.uint32]) -> Iterator[Family]:
    # A space in front, so that the first sentence of a batch has a left edge like any other.
    text = np.concatenate([normal_forms()[[ord(" ")]], text])
    lengths = batch.ends - batch.starts
    hashes = text
    for order in range(2, max(CHARACTER_ORDERS) + 1):
        hashes = hashes[:-1] * BASE
        hashes += text[order - 1 :]
        if order in CHARACTER_ORDERS:
            count = np.maximum(lengths + (3 - order), 0)
            yield Family(f"characters {order}", _index(hashes, 2 + order), batch.starts, count, order)


def _index(hashes: NDArray[np.uint32], family: int) -> NDArray[np.intp]:
    """The table entry of each hash; each family is stirred differently."""
    stirred = hashes + np.uint32((family * int(_SEED)) & 0xFFFFFFFF)
    stirred *= _MIX
    index = np.empty(len(stirred), np.intp)
    np.right_shift(stirred, np.uint32(32 - TABLE_BITS), out=index)
    return index
