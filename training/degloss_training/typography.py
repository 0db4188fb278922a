"""How composed documents are written: quotation marks, line breaks, what stands at lines and behind words.

Scraped text comes in one line, with a blank line behind each, hard-wrapped, with an emoji at every line, or with the
links that its words were. None of it says who speaks, as it is the same for all speakers of a document; a model that
had not seen it would take it for somebody's voice. Each document has habits of its own, drawn at random.
"""

from __future__ import annotations

import random
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import Final

from degloss_training.page import BORDER, PARAGRAPH, Piece

_PAIRS: Final = {"„": ("„", "“"), '"': ('"', '"'), "»": ("»", "«"), "“": ("“", "”"), "«": ("«", "»")}
_QUOTED: Final = re.compile(r"(?<!\w)[„\"»“](?=\w)([^„“”\"»«\n]{1,400})[“”\"«](?!\w)")

_WRAPPED: Final = 0.08
_WIDTHS: Final = (40, 50, 64, 72, 72, 78, 90, 100)
_BREAK: Final = r"\s*\n\s*"
_AROUND_NOUNS: Final = r"(?<=[a-zäöü,]) ([A-ZÄÖÜ][a-zäöüß]{3,}[dfgt]) "
_BROKEN: Final = (
    (0.08, _BREAK, " "),
    (0.04, r"(?<!\n)\n(?!\n)", " "),
    (0.05, _BREAK, PARAGRAPH),
    (0.02, _BREAK, "\n\n\n"),
    (0.04, _BREAK, "\n"),
    (0.025, BORDER, "\n"),
    (0.015, _AROUND_NOUNS, r"\n\1\n"),
)
"""In such a share of the documents these line breaks are others: none at all, none within paragraphs, blank lines
everywhere or nowhere, a line for each sentence, or for some of the nouns, which were linked."""

_BARE: Final = 0.015
_SET_OFF: Final = 0.015
_BEFORE_MARKS: Final = re.compile(r"(?<=\w)(?=[.,!?:;](?:\s|\Z))")
_SMALL: Final = 0.02
_ADORNED: Final = 0.02
_BEFORE: Final = ("👉", "🔴", "•", "-", "➡️", "❗️", "*", "▶️")
_BEHIND: Final = ("🙏", "‼️", "😂", "🤔", "🇩🇪", "❤️", "👍", "😡")

_INSERTED: Final = 0.08
_BEHIND_NOUNS: Final = re.compile(r"(?<=[a-zäöüß,] )[A-ZÄÖÜ][a-zäöüß]{4,}(?=[ ,.;:\n])")
_AT_ENDS: Final = re.compile(r"[a-zäöüß]{3,}(?=[.!?](?:\s|\Z))")
_INSERTIONS: Final = (
    *[" https://{address}"] * 6, *[" ({address})"] * 3, " {address}", *[" (@{word})", " @{word}"] * 2,
    *[" {sign}"] * 5, " ({number})", " [{number}]", " [Link]",
)  # fmt: skip
"""In such a share of the documents one of these stands behind some words: the links that they were, the accounts they
name, what is left of notes, flags. (Links in brackets that begin with `https://` nobody reads.)"""
_SIGNS: Final = (*_BEHIND, "🇺🇦", "🇷🇺", "🇺🇸", "🇪🇺", "🇮🇱", "💉", "🔥", "💰", "⚡️", "🚨")
_WORDS: Final = re.compile(r"\b[a-z]{4,12}\b")
_DOMAINS: Final = (".de", ".de", ".de", ".com", ".net", ".org", ".info", ".at", ".ch", "-zeitung.de", "-news.com")


def written(pieces: Sequence[Piece], rng: random.Random) -> list[Piece]:
    """The pieces of a document as somebody writes who has such habits, the same for all its speakers."""
    for habit in (_insertions, _quotation_marks, _line_breaks, _letters):
        change = habit(rng)
        pieces = [(change(text), label) for text, label in pieces]
    return list(pieces)


Change = Callable[[str], str]


def _as_it_is(text: str) -> str:
    return text


def _insertions(rng: random.Random) -> Change:
    if rng.random() >= _INSERTED:
        return _as_it_is
    place = _AT_ENDS if rng.random() < 0.25 else _BEHIND_NOUNS
    share = rng.choice([0.02, 0.04, 0.08, 0.15]) * (3 if place is _AT_ENDS else 1)
    form = rng.choice(_INSERTIONS)

    def inserted(match: re.Match[str]) -> str:
        if rng.random() >= share:
            return match[0]
        words = _WORDS.findall(match.string, max(0, match.start() - 200), match.end() + 200) or ["seite"]
        number = rng.randint(1, 30)
        address = "www." * (rng.random() < 0.4) + rng.choice(words) + rng.choice(_DOMAINS)
        if rng.random() < 0.8:
            section = rng.choice(["", "", "politik/", "artikel/", f"{2000 + number}/"])
            ending = rng.choice(["", "/", ".html", f"-{number}.html"])
            address += f"/{section}{'-'.join(rng.choices(words, k=rng.randint(1, 6)))}{ending}"
        return match[0] + form.format(address=address, word=rng.choice(words), number=number, sign=rng.choice(_SIGNS))

    return lambda text: text if "//" in text else place.sub(inserted, text)


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
    if draw >= 1 - _BARE:
        return _without_punctuation
    if draw >= 1 - _BARE - _SET_OFF:
        share = rng.choice([1, 0.3, 0.1])
        return lambda text: _BEFORE_MARKS.sub(lambda _: " " if rng.random() < share else "", text)
    if draw < _SMALL:
        return str.lower
    if draw >= _SMALL + 2 * _ADORNED:
        return _as_it_is
    behind = draw >= _SMALL + _ADORNED
    place = re.compile(r"(?m)(?<=\S)(?=\s*\n)" if behind else r"(?m)^(?=\S)")
    sign = f" {rng.choice(_BEHIND)}" if behind else f"{rng.choice(_BEFORE)} "
    share = rng.choice([1, 0.5, 0.2])
    return lambda text: place.sub(lambda _: sign if rng.random() < share else "", text)


def _without_punctuation(text: str) -> str:
    """As people dictate; what is nothing but punctuation stays."""
    bare = re.sub(r"[.,;:!?]+(?![\w/])", "", text)
    return bare if bare.strip() else text


def _wrap(text: str, width: int, blank: bool) -> str:
    """A text in lines of this width; `blank`: paragraphs are parted by blank lines."""
    body = text.rstrip()
    lines = [textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False) for line in body.split("\n")]
    behind = text[len(body) :]
    return "\n".join(lines) + (behind.replace("\n", PARAGRAPH)[:2] if blank else behind)
