"""A long text in slices, so that the arrays of a stage never hold more than a slice of it.

What the stages up to the sentence scores compute takes some sixty times the memory of the text. So a text longer than
`SLICE` goes through them slice by slice; only what is kept of each sentence is then joined. Texts are cut where it
changes nothing: before a blank line, else a line break, else behind a sentence. The cut is made before the white
space, so that each sentence keeps what stands before it. What a slice cannot see, whether a quotation is open where
it begins and closed behind its end, it is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

SLICE: Final = 250_000
"""Code points: large enough that array calls cost little, small enough for the processor's cache."""

MOST: Final = 1 << 13
"""Sentences in a slice, four times as many as running text has in one: short sentences then take no more memory."""

_ENDS: Final = (". ", "! ", "? ")  # what nearly all sentences end with that do not end with their line
_TAIL: Final = 4_000  # where a line has no end, its last sentence is looked for in so many code points
_SENTENCE_END: Final = r"[.!?…][\"”“«»)]?(?=\s)"  # compiled when there is a long text
_JOINERS: Final = "\ufe0e\ufe0f\u200d\u20e3"
_QUOTES: Final = '„‚“‘‟”"＂»›«‹'


@dataclass(frozen=True)
class Slice:
    """A stretch of a text, from the code point `start` on.

    before   the last quotation mark before it, between its two neighbours, and empty if there is none
    distance  from that mark to the start of the slice, in code points
    behind   the first quotation mark behind it, between its two neighbours, and empty if there is none
    """

    start: int
    text: str
    before: str
    distance: int
    behind: str


def is_long(text: str, size: int = SLICE) -> bool:
    """Whether a text has to go through the first stages in slices."""
    return len(text) > size or (len(text) > 2 * MOST and len(text) > _room(text, 0, size))


def slices(text: str, size: int = SLICE) -> Iterator[Slice]:
    """The slices of a text, in order; they rejoin to it.

    >>> [part.text for part in slices("Der Rat tagt.\\n\\nEr berät. Er schweigt.", 20)]
    ['Der Rat tagt.', '\\n\\nEr berät.', ' Er schweigt.']
    """
    spans = list(pairwise(_borders(text, size)))
    first = [min((p for p in (text.find(mark, *span) for mark in _QUOTES) if p >= 0), default=-1) for span in spans]
    last = [max(text.rfind(mark, *span) for mark in _QUOTES) for span in spans]
    for place, (start, end) in enumerate(spans):
        before = next((p for p in reversed(last[:place]) if p >= 0), -1)
        behind = next((p for p in first[place + 1 :] if p >= 0), -1)
        yield Slice(start, text[start:end], _around(text, before), start - before, _around(text, behind))


def _around(text: str, place: int) -> str:
    """A character between its neighbours; at the ends of the text stands a line break."""
    return "" if place < 0 else (text[place - 1 : place] or "\n") + (text[place : place + 2] + "\n")[:2]


def _borders(text: str, size: int) -> Iterator[int]:
    start = 0
    yield start
    while len(text) - start > (room := _room(text, start, size)):
        start += _length(text, start, room)
        yield start
    yield len(text)


def _room(text: str, start: int, size: int) -> int:
    """How many code points the next slice may have at most."""
    lines = text[start : start + size].splitlines(keepends=True)
    sentences = len(lines) - sum(map(str.isspace, lines)) + sum(text.count(end, start, start + size) for end in _ENDS)
    return size if sentences <= MOST else max(size * MOST // sentences, 2)


def _length(text: str, start: int, size: int) -> int:
    """How much of the next `size` code points makes a slice: as much as ends before white space, where that can be."""
    window = text[start : start + size]
    half = size // 2
    end = max(window.rfind("\n\n", half), window.rfind("\r\n\r\n", half))
    if end < 0:
        end = max(window.rfind("\n", half), window.rfind("\r", half))
    if end < 0:
        ends = [match.end() for match in re.compile(_SENTENCE_END).finditer(window, max(half, size - _TAIL))]
        end = ends[-1] if ends else window.rfind(" ", half)
    if end < 0:
        end = size
        while text[start + end] in _JOINERS and end > half:
            end -= 1
        return end
    return len(window[:end].rstrip()) or size
