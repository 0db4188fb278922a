"""Hashed n-grams: what a sentence says, as numbers of a table of 2^18 weights.

Three kinds: words and pairs of neighbouring words; runs of words of the sentence's skeleton; and character n-grams
of a few lengths that may reach one character over the sentence's edge, so that beginnings and ends of sentences
count as such. Character n-grams are taken with nouns and names veiled: they make up most of a text's characters
and tell its topic, not its speaker. An n-gram is never stored as a string: the hashes are rolled over the whole
batch at once (Rabin and Karp 1987; feature hashing after Weinberger et al. 2009). Training turns them into a
sparse matrix and the scorer looks their weights up: both from `grams`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from degloss.encode import Batch
from degloss.skeleton import skeleton
from degloss.words import BASE, Words, veiled

TABLE_BITS: Final = 18
CHARACTER_ORDERS: Final = (3, 4, 5)
SKELETON_ORDERS: Final = (2, 3, 4)
_MIX: Final = np.array(0x9E3779B1, np.uint32)  # 2^32 / golden ratio: multiplicative hashing, Knuth vol. 3, 6.4
_SHIFT: Final = np.array(32 - TABLE_BITS, np.uint32)
_SEED: Final = np.array(0x85EBCA6B, np.uint32)
_WORDS: Final = (("word", 1), ("words", 2), *((f"skeleton {order}", order) for order in SKELETON_ORDERS))
_CHARACTERS: Final = tuple((f"characters {order}", order) for order in CHARACTER_ORDERS)
FAMILIES: Final = tuple(name for name, _ in (*_WORDS, *_CHARACTERS))
"""The families of n-grams, in their order."""
# By how many fewer n-grams there are than words, or than characters without those at the edges.
_FEWER_OF_WORDS: Final = np.array([[order - 1] for _, order in _WORDS])
_FEWER_OF_CHARACTERS: Final = np.array([[order - 3] for order in CHARACTER_ORDERS])
# How many families of words and of characters there are before each.
_BEFORE: Final = np.array([(min(f, len(_WORDS)), max(f - len(_WORDS), 0)) for f in range(len(_WORDS + _CHARACTERS))])
_NONE: Final = np.array(0)


def _stirs(*numbers: int) -> NDArray[np.uint32]:
    """What is added to the hashes of a family, so that each family has table entries of its own."""
    return np.array([[number * int(_SEED) & 0xFFFFFFFF] for number in numbers], np.uint32)


_WORD_STIRS: Final = _stirs(1, 2, *(2 + max(CHARACTER_ORDERS) + order for order in SKELETON_ORDERS))
_CHARACTER_STIRS: Final = _stirs(*(2 + order for order in CHARACTER_ORDERS))


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
    index: NDArray[np.uint32]
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    length: int


@dataclass(frozen=True, eq=False)
class Grams:
    """The n-grams of all f families of a batch, one family after the other.

    index  (m) the table entries; the last of a family, which would reach beyond the text, belong to no sentence
    first  (f, n) the place in `index` of each sentence's first n-gram of each family
    count  (f, n) how many n-grams of each family each sentence has
    begins (f) the place in `index` of each family's first n-gram
    """

    index: NDArray[np.uint32]
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    begins: NDArray[np.int64]


def grams(batch: Batch, words: Words) -> Grams:
    """All n-grams of a batch: whatever can be done for all families at once is."""
    number, characters = len(words.hashes), len(batch.normal) + 1
    size = len(_WORDS) * number
    # The last entries of a family, which belong to no sentence, may be anything.
    hashes = np.empty(size + len(_CHARACTERS) * characters, np.uint32)
    of_words = hashes[:size].reshape(len(_WORDS), number)
    of_characters = hashes[size:].reshape(len(_CHARACTERS), characters)
    of_words[0] = words.hashes
    _roll(words.hashes, _SEED, 2, of_words[1:2])
    _roll(skeleton(batch, words), _SEED, 2, of_words[2:])
    _roll(veiled(batch, words), BASE, 3, of_characters)
    of_words += _WORD_STIRS
    of_characters += _CHARACTER_STIRS
    hashes *= _MIX
    hashes >>= _SHIFT

    begins = _BEFORE.dot(np.array([number, characters]))
    shape = len(begins), len(batch.starts)
    first, count = np.empty(shape, np.int64), np.empty(shape, np.int64)
    np.add(batch.word_spans[0], begins[: len(_WORDS), None], out=first[: len(_WORDS)])
    np.add(batch.starts, begins[len(_WORDS) :, None], out=first[len(_WORDS) :])
    # An n-gram belongs to the sentence of its first word, and has all its words in it; one of characters reaches over
    # the edges of its sentence by one character.
    np.subtract(batch.word_counts, _FEWER_OF_WORDS, out=count[: len(_WORDS)])
    np.subtract(batch.lengths, _FEWER_OF_CHARACTERS, out=count[len(_WORDS) :])
    return Grams(hashes, first, np.maximum(count, _NONE, out=count), begins)


def families(batch: Batch, words: Words) -> list[Family]:
    """The n-grams of `grams`, taken apart by family."""
    found = grams(batch, words)
    ends = [*found.begins[1:].tolist(), len(found.index)]
    return [
        Family(name, found.index[begin:end], first - begin, count, length)
        for (name, length), begin, end, first, count in zip(
            (*_WORDS, *_CHARACTERS), found.begins.tolist(), ends, found.first, found.count, strict=True
        )
    ]


def scale(count: NDArray[np.int64]) -> NDArray[np.float32]:
    """The value of each n-gram of a family: 1/√count, which gives all sentences about the same length; 0 of none."""
    numbers = count.astype(np.float32)
    roots = np.sqrt(numbers)
    roots /= np.maximum(numbers, _ONE, out=numbers)
    return roots


_ONE: Final = np.array(1, np.float32)


def _roll(items: NDArray[np.uint32], base: NDArray[np.uint32], order: int, rows: NDArray[np.uint32]) -> None:
    """Polynomial hashes of runs of so many items, of one more, and so on, each into the start of a row."""
    hashes, done = items, 1
    while done < order - 1:
        hashes, done = hashes[:-1] * base, done + 1
        hashes += items[done - 1 :]
    for row in range(len(rows)):
        size = len(items) - done
        if size <= 0:
            return
        done += 1
        hashes = np.multiply(hashes[:-1], base, rows[row, :size])
        hashes += items[done - 1 :]
