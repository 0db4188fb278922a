"""Text → sentences: where one sentence ends and the next begins.

Lines first: a line break ends a sentence, because in scraped pages headlines, bylines, list items and comments
stand on lines of their own; only in hard-wrapped paragraphs, recognised by their geometry, a line break is mere
white space. Inside a line the sentence splitter `sentencex` (MIT) decides, and three of its habits that hurt on
reposts are mended here: it cuts after ordinals and enumerators ("1. FC", "2. Ein Plan"), it may cut off
trailing emoji and marks from their sentence, and its time grows with the square of nested brackets, so long
lines are handed over in chunks.

The posture: a wrong cut inside one speaker's text costs little, for both halves get the same label; a join across
two speakers costs a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, pairwise
from typing import Final

import sentencex

from degloss.characters import LINE_BREAKS

CHUNK: Final = 2_000
"""Longest stretch, in code points, handed to sentencex: its worst inputs take 1 ms at this length and 10 s at 100
times it. Longer lines are cut at the end of a sentence if there is one in the second half, else at white space."""

WRAP_WIDTHS: Final = (40, 120)
"""Widths that hard-wrapped text comes in: mail and print editions wrap at 60 to 80, some exports at 100."""

_ENUMERATOR = re.compile(r"(?:^|[\s(„\"])(?:\d{1,2}|[a-zA-Z]|[IVXL]{1,6})\.\s*$")
_AFTER_ELLIPSIS = re.compile(r"(?<=…\s)(?=[A-ZÄÖÜ„])")
_NO_LETTERS = re.compile(r"[\W\d_]*")
_SURROGATES: Final = "[\ud800-\udfff]"
_WIDE_SPACES: Final = "\xa0\u202f\u2009\u3000\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u200a\u205f"
_PANICKING: Final = rf"[{_WIDE_SPACES}](?=\.)"
"""White space beyond ASCII before a full stop: behind an initial ("A\u00a0.", "A \u00a0.") sentencex 1.0.32 panics.
Line breaks beyond ASCII are none of it: they end a line, so that no full stop follows."""
_SENTENCE_END: Final = r"[.!?…][\"“”«»)]?\s+(?=\S)"
# What only some texts need is compiled when it is needed: all of it together takes as long as a page.
_JOINERS = "\ufe0e\ufe0f\u200d\u20e3"
_CLOSERS = '”“«»")]!?‼⁉…'


def cuts(text: str, start: int = 0) -> list[int]:
    """The offsets at which sentences end, in ascending order, the last one `len(text)`; counted from `start` on.

    The pieces between the cuts rejoin to the text and may begin or end with white space; a piece may be all white
    space. Offsets are code points.

    >>> text = "Der 1. FC gewinnt. Toll‼️\\n+++\\nMeine Meinung: Glück"
    >>> ends = cuts(text)
    >>> [text[a:b] for a, b in zip([0, *ends], ends)]
    ['Der 1. FC gewinnt. ', 'Toll‼️\\n', '+++\\n', 'Meine Meinung: Glück']
    """
    ends: list[int] = []
    position = start
    # Most texts have none of these characters, and looking for them takes a tenth of what the expression would take.
    if max(map(text.find, _WIDE_SPACES)) >= 0:
        text = re.sub(_PANICKING, " ", text)
    for line in logical_lines(text):
        pieces = [line] if line.isspace() else _split(line) if len(line) <= CHUNK else list(_in_chunks(line))
        for piece, following in pairwise(pieces):
            position += len(piece)
            if not _joins(piece, following):
                ends.append(position)
        position += len(pieces[-1])
        ends.append(position)
    return ends


def _split(line: str) -> list[str]:
    try:
        pieces: list[str] = sentencex.segment("de", line)
    except UnicodeEncodeError:  # lone surrogates, which the splitter's Rust strings cannot hold
        pieces = sentencex.segment("de", re.sub(_SURROGATES, "\ufffd", line))
    except BaseException as error:
        # A panic of its Rust code, which is no Exception: one line stays uncut then, and the others go on.
        if type(error).__name__ != "PanicException":
            raise
        return [line]
    if len("".join(pieces)) != len(line):
        return [line]
    if "…" in line:  # which the splitter never takes for an end
        pieces = [part for piece in pieces for part in _AFTER_ELLIPSIS.split(piece) if part]
    return pieces


def _joins(piece: str, following: str) -> bool:
    """Whether a cut between these two pieces is to be undone."""
    first = following[0]
    if first in _JOINERS:
        return True
    if not piece[-1].isspace() and (
        _NO_LETTERS.fullmatch(piece) or (first in _CLOSERS and _NO_LETTERS.fullmatch(following))
    ):
        return True
    # Nearly all sentences end with a word in small letters, and no enumerator ends with two of them.
    word = piece[-4:-2]
    if word.islower() and word.isalpha() and len(word) == 2:
        return False
    tail = piece[-8:]
    return "." in tail and _ENUMERATOR.search(tail if len(tail) < len(piece) else " " + tail) is not None


def _in_chunks(line: str) -> Iterator[str]:
    """The pieces of a long line, of which the splitter is given `CHUNK` code points at a time.

    The last piece of a chunk was broken off where the chunk ends, so the next one begins with it.
    """
    start = 0
    while len(line) - start > CHUNK:
        pieces = _split(line[start : start + CHUNK])
        whole = sum(map(len, pieces[:-1]))
        if 2 * whole < CHUNK:  # or a chunk might be read over and over
            pieces = _split(line[start : start + _room(line, start)])
            whole = sum(map(len, pieces))
        else:
            del pieces[-1]
        yield from pieces
        start += whole
    yield from _split(line[start:])


def _room(line: str, start: int) -> int:
    """How many of the next `CHUNK` code points end with a sentence, else before a word; never before a joiner."""
    window = line[start : start + CHUNK]
    ends = [m.end() for m in re.compile(_SENTENCE_END).finditer(window, CHUNK // 2)]
    size = ends[-1] if ends else window.rfind(" ", CHUNK // 2) + 1
    size = size or CHUNK
    while line[start + size] in _JOINERS and size > CHUNK // 2:
        size -= 1
    return size


def logical_lines(text: str) -> list[str]:
    """The lines of the text with their line breaks; the lines of a hard-wrapped paragraph as one."""
    lines = text.splitlines(keepends=True)
    low, high = WRAP_WIDTHS
    logical: list[str] = []
    done = first = 0
    # A paragraph: lines that are neither blank nor too long to be wrapped. An empty line behind the last ends it.
    for last, line in enumerate(chain(lines, ("\n",))):
        if len(line) > high + 2 or line.isspace():
            if last - first > 2:
                paragraph = lines[first:last]
                width = max(len(line.rstrip()) for line in paragraph)
                if width >= low and _is_wrapped(paragraph, width):
                    logical += lines[done:first]
                    logical.append("".join(line.rstrip(LINE_BREAKS).ljust(len(line)) for line in paragraph))
                    done = last
            first = last + 1
    return logical + lines[done:] if logical else lines


def _is_wrapped(paragraph: list[str], width: int) -> bool:
    """Whether every line but the last is full: the next line's first word would not have fitted.

    Prose broken by hand, verse and lists fail this at some line; a list whose items all happen to fill the width
    is told apart by its lines ending as sentences do.
    """
    unfinished = 0
    for line, following in pairwise(paragraph):
        word = following.split(maxsplit=1)[0]
        if len(line.rstrip()) + 1 + len(word) <= width:
            return False
        unfinished += line.rstrip()[-1:] not in '.!?:…“"'
    return 2 * unfinished > len(paragraph) - 1
