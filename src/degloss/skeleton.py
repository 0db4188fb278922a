"""The skeleton of a sentence: its function words, and of all other words only the ending.

"Ich habe den Minister gestern wieder gehört" and "Ich habe den Nachbarn heute schon gesehen" have much the same
skeleton. N-grams of it tell how a sentence is built – person, mood, tense, order – and little of its topic, as
part-of-speech n-grams do (Stamatatos 2009, on styles of authors), without a tagger.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from degloss.characters import ALONE, Char
from degloss.encode import Batch
from degloss.words import FUNCTION, Words

_MIX: Final = np.array(0x9E3779B1, np.uint32)  # as in degloss.ngrams
_ENDING: Final = np.array([[31], [1009], [77731]], np.uint32)  # of the last, the last but one, the third letter
_BACK: Final = np.array([[1], [2], [3]])
_ONE: Final = np.array(1)
_FUNCTION: Final = np.array(FUNCTION, np.uint8)
_MARK: Final = np.array(77731, np.uint32)
_NOUN: Final = np.array(777, np.uint32)
_NUMBER: Final = np.array(12345, np.uint32)
_OTHER: Final = np.array(999, np.uint32)


def skeleton(batch: Batch, words: Words) -> NDArray[np.uint32]:
    """(w) a number for each word: of a function word its own, of another its class or ending; and the mark behind it.

    Classes are numbers and, after a sentence's first word, whatever begins with a capital.
    """
    codes, kinds = batch.normal, batch.kinds
    other = (words.known < _FUNCTION).nonzero()[0]
    start = batch.word_starts[other]
    letters = codes[np.maximum(batch.word_ends[other] - _BACK, start)]
    letters *= _ENDING
    ending = letters[0] + _OTHER
    ending += letters[1]
    ending += letters[2]
    ending[words.nouns[other]] = _NOUN
    ending[kinds[start] == ALONE[Char.DIGIT]] = _NUMBER
    kept = words.hashes.copy()
    kept[other] = ending
    kept *= _MIX
    kept += _behind(kinds, batch.word_ends).astype(np.uint32) * _MARK
    return kept


def _behind(kinds: NDArray[np.uint8], ends: NDArray[np.int64]) -> NDArray[np.uint8]:
    """(w) the class of what stands behind each word; of blanks at the end of a line, CR among them, it is the break."""
    found = kinds[ends]
    # Behind nearly all words stands a single blank, and behind that something visible.
    follows = kinds.take(ends + _ONE, mode="clip") - ALONE[Char.SPACE]
    blank = ((found == ALONE[Char.SPACE]) & (follows <= ALONE[Char.NEWLINE - Char.SPACE])).nonzero()[0]
    if blank.size:
        solid = (kinds != ALONE[Char.SPACE]).nonzero()[0]
        breaks = kinds[solid[solid.searchsorted(ends[blank])]] == ALONE[Char.NEWLINE]
        found[blank[breaks]] = Char.NEWLINE
    return found
