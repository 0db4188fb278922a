"""Texts as they are read: what stands for something else is replaced by it, what nobody sees is left out.

The stages are given the texts so, and what they find is then given back in code points of the texts as they came.
What is read as what is told by `spellings` and `markup`; here is how offsets are kept. What is left out belongs to a
sentence all the same, as each character does that is not blank: to what it touches, or to what stands before it. A text
of nothing else stays as it came.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from degloss.candidates import candidates
from degloss.characters import LINE_BREAKS
from degloss.encode import Sentences, line_offsets
from degloss.markup import Edit
from degloss.spellings import edits


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
    begins = candidates("\n".join(["", *texts, ""]))
    found = {}
    if len(begins):
        borders = line_offsets(texts) + 1
        for number in np.unique(borders.searchsorted(begins, "right") - 1).tolist():
            start, end = borders[number : number + 2].tolist()
            of_text = begins[slice(*begins.searchsorted((start, end)))] - start
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
