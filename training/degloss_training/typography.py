"""How composed documents are written: quotation marks, line breaks, what lines begin and end with.

Scraped text comes in one line, with a blank line behind each, hard-wrapped, or with an emoji at every line. None of
it says who speaks, as it is the same for all speakers of a document; a model that had not seen it would take it for
somebody's voice. Each document has habits of its own, drawn at random.
"""

from __future__ import annotations

import random
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import Final

from degloss_training.page import PARAGRAPH, Piece

_PAIRS: Final = {"„": ("„", "“"), '"': ('"', '"'), "»": ("»", "«"), "“": ("“", "”"), "«": ("«", "»")}
_QUOTED: Final = re.compile(r"(?<!\w)[„\"»“](?=\w)([^„“”\"»«\n]{1,400})[“”\"«](?!\w)")

_WRAPPED: Final = 0.08
_WIDTHS: Final = (40, 50, 64, 72, 72, 78, 90, 100)
_BREAK: Final = r"\s*\n\s*"
_BROKEN: Final = (
    (0.08, _BREAK, " "),
    (0.04, r"(?<!\n)\n(?!\n)", " "),
    (0.05, _BREAK, PARAGRAPH),
    (0.02, _BREAK, "\n\n\n"),
    (0.04, _BREAK, "\n"),
)
"""In such a share of the documents these line breaks are others: none at all, none within paragraphs, blank lines
everywhere or nowhere."""

_SMALL: Final = 0.02
_ADORNED: Final = 0.02
_BEFORE: Final = ("👉", "🔴", "•", "-", "➡️", "❗️", "*", "▶️")
_BEHIND: Final = ("🙏", "‼️", "😂", "🤔", "🇩🇪", "❤️", "👍", "😡")


def written(pieces: Sequence[Piece], rng: random.Random) -> list[Piece]:
    """The pieces of a document as somebody writes who has such habits, the same for all its speakers."""
    for habit in (_quotation_marks, _line_breaks, _letters):
        change = habit(rng)
        pieces = [(change(text), label) for text, label in pieces]
    return list(pieces)


Change = Callable[[str], str]


def _as_it_is(text: str) -> str:
    return text


def _quotation_marks(rng: random.Random) -> Change:
    if rng.random() >= 0.35:
        return _as_it_is
    opening, closing = rng.choice(list(_PAIRS.values()))
    return lambda text: _QUOTED.sub(lambda match: opening + match[1] + closing, text)


def _line_breaks(rng: random.Random) -> Change:
    draw = rng.random()
    if draw < _WRAPPED:
        width, blank = rng.choice(_WIDTHS), rng.random() < 0.7
        return lambda text: _wrap(text, width, blank)
    draw -= _WRAPPED
    for share, breaks, instead in _BROKEN:
        if draw < share:
            return lambda text: re.sub(breaks, instead, text)
        draw -= share
    return _as_it_is


def _letters(rng: random.Random) -> Change:
    draw = rng.random()
    if draw < _SMALL:
        return str.lower
    if draw >= _SMALL + 2 * _ADORNED:
        return _as_it_is
    behind = draw >= _SMALL + _ADORNED
    place = re.compile(r"(?m)(?<=\S)(?=\s*\n)" if behind else r"(?m)^(?=\S)")
    sign = f" {rng.choice(_BEHIND)}" if behind else f"{rng.choice(_BEFORE)} "
    share = rng.choice([1, 0.5, 0.2])
    return lambda text: place.sub(lambda _: sign if rng.random() < share else "", text)


def _wrap(text: str, width: int, blank: bool) -> str:
    """A text in lines of this width; `blank`: paragraphs are parted by blank lines."""
    body = text.rstrip()
    lines = [textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False) for line in body.split("\n")]
    behind = text[len(body) :]
    return "\n".join(lines) + (behind.replace("\n", PARAGRAPH)[:2] if blank else behind)
