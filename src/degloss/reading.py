"""Texts as they are read: what stands for something else is replaced by it, what nobody sees is left out.

The stages are given the texts so, and what they find is then given back in code points of the texts as they came.
What is read as what is told by `spellings` and `markup`; here is how offsets are kept. What is left out belongs to a
sentence all the same, as each character does that is not blank: to what it touches, or to what stands before it. A text
of nothing else stays as it came.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from degloss.characters import EMOJI, JOINERS, LINE_BREAKS
from degloss.encode import Sentences, line_offsets
from degloss.markup import Edit
from degloss.spellings import ALIKE, DOUBLED, LINES, SPACED, edits, starts


class Reading(NamedTuple):
    """What is read of a text, and where the text has more or less than it.

    text    what is read
    places  (k) ascending, twice the positions in `text` from which on everything stands further behind, or before;
            odd ones stand for the middle of a position's character, which was put in: white space, a ligature's letter
    shifts  (k + 1) by how many code points: before the first of them, behind it, and so on
    """

    text: str
    places: NDArray[np.int64]
    shifts: NDArray[np.int64]

    def given(self, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Starts and ends of sentences of what is read, in code points of the text as it came.

        What is left out belongs to the sentence of the character before it, but at a start behind white space to the
        one that starts there.
        """
        behind_blank = np.array([start == 0 or self.text[start - 1].isspace() for start in starts.tolist()], bool)
        left, right = (self.shifts[self.places.searchsorted(2 * starts, side)] for side in ("left", "right"))
        return (
            starts + np.where(behind_blank, left, right),
            ends + self.shifts[self.places.searchsorted(2 * ends, "right")],
        )

    def read(self, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        """Offsets into the text as it came as offsets into what is read; those within what is read otherwise are
        taken for its end."""
        ends = (self.places + 1) // 2
        number = (ends + self.shifts[1:]).searchsorted(offsets, "right")
        return np.asarray(np.minimum(offsets - self.shifts[number], np.append(ends, len(self.text))[number]))


def as_read(texts: Sequence[str]) -> tuple[Sequence[str], Mapping[int, Reading]]:
    """The texts as they are read, and of those that are read otherwise than they stand how, by their number.

    >>> as_read(["Der Stadt\\u00adrat tagt.", "Er schweigt.", "Sagt &bdquo;nein&ldquo;."])[0]
    ['Der Stadtrat tagt.', 'Er schweigt.', 'Sagt „nein“.']
    """
    places = _places("\n".join(["", *texts, ""]))
    found = {}
    if len(places):
        borders = line_offsets(texts) + 1
        for number in np.unique(borders.searchsorted(places, "right") - 1).tolist():
            start, end = borders[number : number + 2].tolist()
            of_text = places[slice(*places.searchsorted((start, end)))] - start
            changed = list(_changes(texts[number], edits(texts[number], of_text.tolist())))
            if changed and (reading := _reading(texts[number], changed)).text.strip():
                found[number] = reading
    if not found:
        return texts, found
    return [found[number].text if number in found else text for number, text in enumerate(texts)], found


def legible(text: str) -> str:
    """A text as it is read.

    >>> legible("Gru\\u0308ße aus der **Ver\\u00adwal\\u00adtung**")
    'Grüße aus der Verwaltung'
    """
    return as_read([text])[0][0]


def as_given(read: Sentences, texts: Sequence[str], readings: Mapping[int, Reading]) -> Sentences:
    """Sentences of what is read of the texts as sentences of the texts."""
    if not readings:
        return read
    starts, ends = (of - read.offsets[read.document] for of in (read.starts, read.ends))
    for number, of in readings.items():
        rows = read.rows(number)
        starts[rows], ends[rows] = of.given(starts[rows], ends[rows])
        # What is read otherwise may have white space at its edge, and a long line may be cut there.
        borders = zip(starts[rows].tolist(), ends[rows].tolist(), strict=True)
        taken = [texts[number][start:end] for start, end in borders]
        starts[rows] += [len(sentence) - len(sentence.lstrip()) for sentence in taken]
        ends[rows] -= [len(sentence) - len(sentence.rstrip()) for sentence in taken]
    offsets = line_offsets(texts)
    before = offsets[read.document]
    return Sentences(tuple(texts), offsets, read.documents, read.document, starts + before, ends + before)


_STEP: Final = 1 << 18


def _places(text: str) -> NDArray[np.int64]:
    """Where something begins that may be read otherwise, in ascending order; the text begins and ends with a line
    break."""
    if len(text) <= _STEP:
        return _begin(text)
    # In steps, for the memory; each sees what stands around it, as far as is looked.
    found = []
    for first in range(1, len(text), _STEP):
        places = _begin(text[first - 1 : first + _STEP + 4]) + (first - 1)
        found.append(places[(places >= first) & (places < first + _STEP)])
    return np.concatenate(found)


def _begin(text: str) -> NDArray[np.int64]:
    # As numbers: `str.find` stops at each letter that is alike in its last byte. Nearly all are told by that byte.
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))
    low = codes.astype(np.uint8)
    few = np.frombuffer(low.tobytes().translate(_ascii()), bool) | (codes >= _BEYOND)
    for byte in _DOUBLED:
        alike = low == byte
        few[:-1] |= alike[1:] & alike[:-1]
    blank = low == _SPACE
    few[:-4] |= blank[:-4] & blank[2:-2] & blank[4:]
    places = few.nonzero()[0]
    kinds = _kinds().take(codes[places], mode="clip")
    places, kinds = places[kinds > 0], kinds[kinds > 0]
    if not len(places):
        return places
    # Many texts have some of these, and hardly any is worth a look.
    before, of, behind = (codes.take(places + step, mode="clip") for step in (-1, 0, 1))
    idle = (kinds == _QUESTION) & ((behind < _A) | (behind > _Z))
    idle |= (kinds == _HASH) & ((before == of) | ((behind != of) & (behind != _SPACE)))
    idle |= (kinds == _LINE) & (before == of)
    idle |= (kinds == _JOINER) & (before >= EMOJI)
    for kind, is_idle in ((_ALIKE, _is_alone), (_BLANK, _is_between_words)):
        some = (kinds == kind).nonzero()[0]
        if len(some):
            idle[some] = is_idle(codes, places[some])
    return np.asarray(places[~idle])


_BEYOND: Final = np.uint32(0x7F)
_DOUBLED: Final = tuple(np.uint8(ord(of[0])) for of in DOUBLED)
_ANY, _QUESTION, _HASH, _LINE, _JOINER, _ALIKE, _BLANK = range(1, 8)
_A, _Z, _SPACE = map(ord, "az ")
_BLANKS: Final = np.array([ord(of) for of in SPACED], np.uint32)


def _is_alone(codes: NDArray[np.uint32], places: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether there is no Latin letter of ASCII beside the character."""
    before, behind = (codes.take(places + step, mode="clip") | 0x20 for step in (-1, 1))  # both cases as one
    return np.asarray(((before < _A) | (before > _Z)) & ((behind < _A) | (behind > _Z)))


def _is_between_words(codes: NDArray[np.uint32], places: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the blank is not the first of three with one character between each."""
    blank = [np.isin(codes.take(places + step, mode="clip"), _BLANKS) for step in (1, 2, 4)]
    return np.asarray(blank[0] | ~blank[1] | ~blank[2])


@cache
def _ascii() -> bytes:
    """Whether something may begin with each character of ASCII, but for what is looked for in rows."""
    alone = set(starts()) - {*SPACED, *(of[0] for of in DOUBLED)}
    return bytes(chr(code) in alone for code in range(0x80)).ljust(256, b"\0")


@cache
def _kinds() -> NDArray[np.uint8]:
    """Whether something may begin with each code point, and what else that takes; the last stands for all behind it."""
    table = np.zeros(max(map(ord, starts())) + 2, np.uint8)
    told = {_ANY: starts(), _LINE: LINES, _JOINER: JOINERS, _QUESTION: "?", _HASH: "#", _ALIKE: ALIKE, _BLANK: SPACED}
    for kind, characters in told.items():
        table[list(map(ord, characters))] = kind
    return table


class _Change(NamedTuple):
    """A stretch of a text and what is read for it: something, or nothing with white space before or behind it."""

    start: int
    end: int
    before: str
    read: str
    behind: str


def _changes(text: str, edits: Sequence[Edit]) -> Iterator[_Change]:
    """The edits as changes.

    What shows nothing and stands between white space is taken for the end of what stands before it, white space and
    all; at the start of the text for the beginning of what stands behind it. A text of nothing else stays as it came.
    """
    last: _Change | None = None
    for start, end, read in _joined(edits):
        if last and start < last.end:
            continue  # it begins with white space that went with what shows nothing before it
        change = _Change(start, end, "", read, "") if read.strip() else _hidden(text, start, end, read, last)
        if change is None:
            continue
        if last and last.start == change.start:
            last = None  # it is part of this one
        if last:
            yield last
        last = change
    if last:
        yield last


def _joined(edits: Sequence[Edit]) -> Iterator[Edit]:
    """The edits, of which those that touch and show nothing are one."""
    last: Edit | None = None
    for edit in edits:
        if last and last.end == edit.start and not last.read.strip() and not edit.read.strip():
            last = Edit(last.start, edit.end, _white(last.read + edit.read))
        else:
            if last:
                yield last
            last = edit
    if last:
        yield last


def _hidden(text: str, start: int, end: int, read: str, last: _Change | None) -> _Change | None:
    """What shows nothing, with the white space that is read for it: none where there is enough beside it."""
    right = text[end : end + 1] or "\n"
    if right.isspace():
        end = start + len(text[start:end].rstrip())
    begin, least = start, last.end if last else 0
    while begin > least and text[begin - 1].isspace():
        begin -= 1
    left = text[begin:start]
    if last and last.end == begin and not last.read and (last.start == 0 or text[last.start - 1].isspace()):
        begin = 0  # there is nothing but such before it
    if begin == 0 or any(character in LINE_BREAKS for character in left + right):
        blank = ""
    elif "\n" in read:
        blank = _white(read)
    else:
        blank = "" if left or right == " " else read[:1]
    if begin and not left:
        return _Change(start, end, "", "", blank)
    if not right.isspace():
        return _Change(start, end, blank, "", "")
    if not begin:  # what stands behind it, if anything does
        while text[end : end + 1].isspace():
            end += 1
        return _Change(start, end, "", "", "") if end < len(text) else None
    if last and last.end == begin and not last.read and not last.before:
        return _Change(last.start, end, "", "", _white(last.behind + left + blank))
    return _Change(begin, end, "", "", _white(left + blank))


def _white(blanks: str) -> str:
    """What counts of white space: up to two line breaks, or that there is some."""
    return "\n" * min(2, len(f"{blanks}.".splitlines()) - 1) or blanks[:1]


def _reading(text: str, changes: Iterable[_Change]) -> Reading:
    pieces: list[str] = []
    places: list[int] = []
    shifts = [0]
    done = size = 0

    def shift(place: int, by: int) -> None:
        places.append(place)
        shifts.append(shifts[-1] + by)

    for start, end, before, read, behind in changes:
        pieces += (text[done:start], before, read, behind)
        size += start - done
        done = end
        for _ in before:
            shift(2 * size + 1, -1)
            size += 1
        # Of a ligature, read as more letters than it is, the first are taken for put in, so that none ends within it.
        for more in range(len(read) - (end - start)):
            shift(2 * (size + more) + 1, -1)
        size += len(read)
        if end - start > len(read):
            shift(2 * size, end - start - len(read))
        for _ in behind:
            shift(2 * size + 1, -1)
            size += 1
    return Reading("".join([*pieces, text[done:]]), np.array(places, np.int64), np.array(shifts, np.int64))
