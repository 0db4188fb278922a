"""Where in a text something begins that may be read otherwise than it stands.

Hardly any character of a text does. All are looked at as numbers, many at once, and only what is left is handed to the
rules of `spellings`, one by one.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from degloss.characters import EMOJI, JOINERS
from degloss.spellings import ALIKE, DOUBLED, LINES, SET_OFF, SPACED, starts

_STEP: Final = 1 << 18


def candidates(text: str) -> NDArray[np.int64]:
    """Where something begins that may be read otherwise, in ascending order; the text begins and ends with a line
    break."""
    if len(text) <= _STEP:
        return _begin(text)
    # In steps, for the memory; each sees what stands around it, as far as is looked.
    found = []
    for first in range(1, len(text), _STEP):
        here = _begin(text[first - 1 : first + _STEP + 4]) + (first - 1)
        found.append(here[(here >= first) & (here < first + _STEP)])
    return np.concatenate(found)


def _begin(text: str) -> NDArray[np.int64]:
    # As numbers: `str.find` stops at each letter that is alike in its last byte. Nearly all are told by that byte.
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))
    flags = np.frombuffer(codes.astype(np.uint8).tobytes().translate(_flags()), np.uint8)
    few = flags & _ALONE
    few |= codes >= _BEYOND
    few[:-1] |= flags[:-1] & flags[1:] & _PAIRED
    few[:-1] |= flags[:-1] & (flags[1:] >> _ONE)  # a blank before a mark
    blank = flags & _FLAG_BLANK
    few[:-4] |= blank[:-4] & blank[2:-2] & blank[4:]
    where = few.nonzero()[0]
    kinds = _kinds().take(codes[where], mode="clip")
    where, kinds = where[kinds > 0], kinds[kinds > 0]
    if not len(where):
        return where
    # Many texts have some of these, and hardly any is worth a look.
    before, of, behind = (codes.take(where + step, mode="clip") for step in (-1, 0, 1))
    idle = (kinds == _QUESTION) & ((behind < _A) | (behind > _Z))
    idle |= (kinds == _HASH) & ((before == of) | ((behind != of) & (behind != _SPACE)))
    idle |= (kinds == _LINE) & (before == of)
    idle |= (kinds == _JOINER) & (before >= EMOJI)
    for kind, is_idle in ((_ALIKE, _is_alone), (_BLANK, _is_between_words)):
        some = (kinds == kind).nonzero()[0]
        if len(some):
            idle[some] = is_idle(codes, where[some])
    return np.asarray(where[~idle])


_BEYOND: Final = np.uint32(0x7F)
# What a mark's flag is when it is moved by one is a blank's; none of a pair's becomes another's.
_ALONE, _FLAG_BLANK, _FLAG_MARK, _ONE = map(np.uint8, (0x01, 0x02, 0x04, 1))
_FLAGS_OF_PAIRS: Final = (np.uint8(0x10), np.uint8(0x40))
_PAIRED: Final = _FLAGS_OF_PAIRS[0] | _FLAGS_OF_PAIRS[1]
_ANY, _QUESTION, _HASH, _LINE, _JOINER, _ALIKE, _BLANK = range(1, 8)
_A, _Z = map(ord, "az")
_SPACE, _NO_BREAK = map(ord, SPACED)
_COMMA, _STOP = map(ord, SET_OFF)


def _is_alone(codes: NDArray[np.uint32], places: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether there is no Latin letter of ASCII beside the character."""
    before, behind = (codes.take(places + step, mode="clip") | 0x20 for step in (-1, 1))  # both cases as one
    return np.asarray(((before < _A) | (before > _Z)) & ((behind < _A) | (behind > _Z)))


def _is_between_words(codes: NDArray[np.uint32], places: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the blank is neither the first of three with one character between each nor before a mark."""
    one, two, four = (codes.take(places + step, mode="clip") for step in (1, 2, 4))
    set_apart = (one != _SPACE) & (one != _NO_BREAK) & _is_blank(two) & _is_blank(four)
    return np.asarray(~(set_apart | (one == _COMMA) | (one == _STOP)))


def _is_blank(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    return np.asarray((codes == _SPACE) | (codes == _NO_BREAK))


@cache
def _flags() -> bytes:
    """What each character of ASCII may be: the beginning of something, a blank, a mark, one of a pair."""
    flags = np.zeros(256, np.uint8)
    halves = [pair[0] for pair in DOUBLED]
    for characters, flag in (
        (set(starts()) - {*SPACED, *halves}, _ALONE), (SPACED, _FLAG_BLANK), (SET_OFF, _FLAG_MARK),
        *zip(halves, _FLAGS_OF_PAIRS, strict=True),
    ):  # fmt: skip
        for character in characters:
            if character < "\x80":
                flags[ord(character)] |= flag
    return flags.tobytes()


@cache
def _kinds() -> NDArray[np.uint8]:
    """Whether something may begin with each code point, and what else that takes; the last stands for all behind it."""
    table = np.zeros(max(map(ord, starts())) + 2, np.uint8)
    told = {_ANY: starts(), _LINE: LINES, _JOINER: JOINERS, _QUESTION: "?", _HASH: "#", _ALIKE: ALIKE, _BLANK: SPACED}
    for kind, characters in told.items():
        table[list(map(ord, characters))] = kind
    return table
