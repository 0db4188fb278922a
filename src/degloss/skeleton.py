"""The skeleton of a sentence: its function words, and of all other words only the ending.

"Ich habe den Minister gestern wieder gehört" and "Ich habe den Nachbarn heute schon gesehen" have much the same
skeleton. N-grams of it tell how a sentence is built – person, mood, tense, order – and little of its topic, as
part-of-speech n-grams do (Stamatatos 2009, on styles of authors), without a tagger.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from degloss.characters import Char
from degloss.encode import Batch
from degloss.words import hash_word

FILE: Final = "function_words.txt"
_SLOT_BITS: Final = 18
_MIX: Final = np.uint32(0x9E3779B1)  # as in degloss.ngrams
_ENDING: Final = (np.uint32(31), np.uint32(1009), np.uint32(77731))  # of the last, the last but one, the third letter
_NOUN: Final = np.uint32(777)
_NUMBER: Final = np.uint32(12345)
_OTHER: Final = np.uint32(999)


def function_words() -> tuple[str, ...]:
    """The words that stay, in normal form."""
    # As in degloss.words: importlib.resources would import for 10 ms.
    with open(os.path.join(os.path.dirname(__file__), "lexicons", FILE), encoding="utf-8") as file:
        return tuple(line for line in file.read().split("\n") if line and not line.startswith("#"))


@cache
def _slots() -> NDArray[np.uint32]:
    """(2^18) the hash of the function word that belongs into each slot; no two share one (tested)."""
    slots = np.zeros(1 << _SLOT_BITS, np.uint32)
    words = np.array([hash_word(word) for word in function_words()], np.uint32)
    slots[_slot(words)] = words
    return slots


def _slot(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    return np.asarray(hashes * _MIX >> np.uint32(32 - _SLOT_BITS), np.uint32)


def skeleton(batch: Batch, word_hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """(w) a number for each word: of a function word its own, of another its class or ending; and the mark behind it.

    Classes are numbers and, after a sentence's first word, whatever begins with a capital.
    """
    codes, kinds = batch.normal, batch.kinds
    starts, last = batch.word_starts, batch.word_ends - 1
    kept = word_hashes.copy()
    other = np.flatnonzero(_slots()[_slot(word_hashes)] != word_hashes)
    start, end = starts[other], last[other]
    first = kinds[start]
    ending = codes[end] * _ENDING[0] + codes[np.maximum(end - 1, start)] * _ENDING[1]
    ending += codes[np.maximum(end - 2, start)] * _ENDING[2] + _OTHER
    inside = np.zeros(len(word_hashes), bool)
    inside[1:] = batch.word_rows[1:] == batch.word_rows[:-1]
    ending[(first == Char.UPPER) & inside[other]] = _NOUN
    ending[first == Char.DIGIT] = _NUMBER
    kept[other] = ending
    behind = kinds[np.minimum(last + 1, len(kinds) - 1)].astype(np.uint32)
    return np.asarray(kept * _MIX + behind * _ENDING[2], np.uint32)
