"""What in a text stands for something else, or for nothing: entities, mojibake, Markdown, styled letters, hidden marks.

Scraped text has often come only half out of another format: `&quot;` of HTML, `Ã¼` where UTF-8 was taken for
Windows-1252, `\\u00fc` of JSON, `**` and `[…](…)` of Markdown, soft hyphens of pages for narrow screens, 𝗯𝗼𝗹𝗱 letters
of posts. A reader sees through it, n-grams do not: every such word is a rare one, and rare words speak for commentary.
So each is read as what it stands for. What may be meant as it stands is left alone: a link that fills its line, the
star of a list, a question mark in a text that has umlauts.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from degloss import markup
from degloss.characters import CONTROLS, HIDDEN
from degloss.markup import Edit, Rule, compiled, matches

JOINERS: Final = "\u200d\ufe0e\ufe0f"
EMOJI: Final = 0x203C
"""Joiners and variation selectors: part of what stands before them from this code point on, where emoji begin."""
_MARKS: Final = "\u0308\u0301\u0300\u0302\u0303\u0327\u030a\u030c"
"""Combining marks of the letters of Europe's languages."""
_PRIVATE: Final = "".join(map(chr, range(0xE000, 0xF900)))
_STYLED: Final = (
    *map(chr, (*range(0x1D400, 0x1D800), *range(0xFF01, 0xFF5F), *range(0xFB00, 0xFB07))),
    *"ℂℊℋℌℍℎℏℐℑℒℓℕℙℚℛℜℝℤℨℬℭℯℰℱℳℴ",
)
"""Letters, digits and marks for show, which have compatibility mappings (https://www.unicode.org/reports/tr15/)."""
_RAISED: Final = "¹²³⁰⁴⁵⁶⁷⁸⁹"

DOUBLED: Final = (",,", "''")
"""What a typewriter has for quotation marks; each of the two characters alone is too frequent to be looked at."""
LINES: Final = "*_~#>`"
"""What lines are drawn with: in a row of one of these nothing begins but at its first."""


def edits(text: str, places: Iterable[int]) -> list[Edit]:
    """What is read otherwise than it stands, in order, none overlapping another; `places` are those of `starts()`.

    >>> edits("Gr&uuml;&szlig;e aus K\\u00c3\\u00b6ln", [2, 8, 22])
    [Edit(start=2, end=8, read='ü'), Edit(start=8, end=15, read='ß'), Edit(start=22, end=24, read='ö')]
    """
    rules = _rules()
    found = sorted(edit for place in places for edit in rules[text[place]](text, place))
    # What is read otherwise only if all of the text says so.
    for guess, holds in (("?", _has_lost_umlauts), (("\\n", "\\r"), markup.has_lost_line_breaks)):
        others = [edit for edit in found if not text.startswith(guess, edit.start)]
        if len(others) < len(found) and not holds(text, len(found) - len(others)):
            found = others
    kept = list[Edit]()
    for edit in found:
        if not kept or edit.start >= kept[-1].end:
            kept.append(edit)
    return kept


def starts() -> Iterable[str]:
    """Every character that one of these stretches begins with, or has within."""
    return _rules().keys()


@cache
def _rules() -> dict[str, Rule]:
    by_character: dict[str, Rule] = {}
    for characters, rule in (
        (HIDDEN, _nothing), (CONTROLS, _control), (JOINERS, _joiner), (_MARKS, _composed), (_PRIVATE, _private),
        (_STYLED, _plain), (_RAISED, _raised), ("ÃÂâð", _mojibake), ("\ufffd", _lost), ("?", _question_mark),
        ("&", markup.entity), ("<", markup.tag), ("\\", markup.escape), ("[", markup.bracket),
        ("*_~", markup.emphasis), ("#", markup.heading), (">", markup.quoted), (",'`´<>″❝❞", _quotation_mark),
    ):  # fmt: skip
        for character in characters:
            other = by_character.get(character)
            by_character[character] = _either(other, rule) if other else rule
    return by_character


def _either(first: Rule, second: Rule) -> Rule:
    return lambda text, place: tuple(first(text, place)) or second(text, place)


def _nothing(text: str, place: int) -> Iterator[Edit]:
    """All of a run at its first character, since there may be many."""
    if text[place - 1 : place] not in HIDDEN or not place:
        for match in matches(f"[{HIDDEN}]+", text, place):
            yield Edit(place, match.end(), "")


def _control(text: str, place: int) -> Iterable[Edit]:
    # From 0x80 on, what was Windows-1252 and taken for Latin-1: „ is 0x84 there.
    read = text[place].encode("latin-1").decode("cp1252", "ignore") if text[place] >= "\x80" else ""
    return (Edit(place, place + 1, read),)


def _joiner(text: str, place: int) -> Iterable[Edit]:
    """Emoji and keycaps are made of joiners and variation selectors; elsewhere they show nothing."""
    before = text[place - 1 : place] or " "
    return () if ord(before) >= EMOJI or before in "#*0123456789©®" else (Edit(place, place + 1, ""),)


def _composed(text: str, place: int) -> Iterator[Edit]:
    """An umlaut of two code points."""
    letter = unicodedata.normalize("NFC", text[place - 1 : place + 1]) if place else ""
    if len(letter) == 1 and text[place - 1].isascii():
        yield Edit(place - 1, place + 1, letter)


def _private(text: str, place: int) -> Iterable[Edit]:
    """Characters of fonts: bullets of word processors, icons of pages."""
    bullet = text[place + 1 : place + 2].isspace() and text[place - 1 : place] in ("", "\n")
    return (Edit(place, place + 1, "•" if bullet else ""),)


def _plain(text: str, place: int) -> Iterable[Edit]:
    return (Edit(place, place + 1, unicodedata.normalize("NFKC", text[place])),)


def _raised(text: str, place: int) -> Iterator[Edit]:
    """The number of a footnote, behind a word or a mark; m² and m³ are none."""
    if text[place - 1 : place].strip() and text[place - 1] != "m":
        yield Edit(place, place + 1, "")


def _mojibake(text: str, place: int) -> Iterator[Edit]:
    """UTF-8 that was taken for Windows-1252 or Latin-1."""
    size = {"Ã": 2, "Â": 2, "â": 3, "ð": 4}[text[place]]
    taken = text[place : place + size]
    try:
        read = b"".join(map(_byte, taken)).decode()
    except ValueError:
        # The last byte of ” is none of Windows-1252, and mostly lost.
        if taken.startswith("â€") and not text[place + 2 : place + 3].isalnum():
            yield Edit(place, place + 2 + (taken[2:] == "\ufffd"), "”")
        return
    if read == taken[-1]:  # a space that does not break: its own byte is the second
        yield Edit(place, place + 1, "")
    elif len(read) == 1:
        yield Edit(place, place + size, "" if read in HIDDEN else read)


def _byte(character: str) -> bytes:
    return character.encode("latin-1" if "\x80" <= character < "\xa0" else "cp1252")


def _lost(text: str, place: int) -> Iterator[Edit]:
    """U+FFFD, which decoders put in place of what they cannot decode: mostly umlauts and quotation marks."""
    for match in matches("\ufffd{1,3}", text, place):
        before, behind = text[place - 1 : place], text[match.end() : match.end() + 1]
        if behind.islower():
            read = _umlaut(text, place)
        elif before.isalpha():
            read = "ß" if before.islower() and not behind.isalpha() else "ü"
        else:
            read = '"' if behind.strip() or before.strip() else "–"
        yield Edit(place, match.end(), read)


def _umlaut(text: str, place: int) -> str:
    """The most frequent one, large where a sentence begins."""
    before = text[max(0, place - 2) : place].strip()
    return "Ü" if not before or before[-1] in ".!?:" else "ü"


def _question_mark(text: str, place: int) -> Iterator[Edit]:
    """Before a small letter, and not in a link: perhaps what is left of an umlaut."""
    if "a" <= text[place + 1 : place + 2] <= "z":
        word = text[max(0, place - 200) : place].rpartition(" ")[2].rpartition("\n")[2]
        if not word or (word[-1].isalpha() and "/" not in word and "." not in word):
            yield Edit(place, place + 1, _umlaut(text, place))


def _has_lost_umlauts(text: str, question_marks: int) -> bool:
    return question_marks > 1 and not compiled("[äöüÄÖÜß]").search(text)


def _quotation_mark(text: str, place: int) -> Iterator[Edit]:
    mark = text[place]
    before = text[place - 1 : place]
    if mark in "❝❞″":
        if mark != "″" or not before.isdigit():  # inches
            yield Edit(place, place + 1, {"❝": "„", "❞": "“", "″": '"'}[mark])
        return
    behind = text[place + 2 : place + 3]
    if text[place + 1 : place + 2] != mark or before == mark or behind == mark:
        return
    opens = behind.isalnum() and not before.isalnum()
    closes = bool(before.strip()) and not behind.isalnum()
    if opens:
        yield Edit(place, place + 2, {",": "„", "'": "„", "`": "„", "´": "„", "<": "«", ">": "»"}[mark])
    elif closes and mark != ",":
        yield Edit(place, place + 2, {"'": "“", "`": "“", "´": "“", "<": "«", ">": "»"}[mark])
