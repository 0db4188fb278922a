"""What in a text stands for something else, or for nothing: entities, mojibake, Markdown, styled letters, hidden marks.

Scraped text has often come only half out of another format: `&quot;` of HTML, `Ã¼` where UTF-8 was taken for
Windows-1252, `\\u00fc` of JSON, `**` and `[…](…)` of Markdown, soft hyphens of pages for narrow screens, 𝗯𝗼𝗹𝗱 letters
of posts, l e t t e r s set apart, Cyrillic ones in Latin words. A reader sees through it, n-grams do not: every such
word is a rare one, and rare words speak for commentary. So each is read as what it stands for. What may be meant as it
stands is left alone: a link that fills its line, the star of a list, a question mark in a text that has umlauts.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import pairwise
from typing import Final

from degloss import garbled, markup
from degloss.characters import CONTROLS, EMOJI, HIDDEN, JOINERS
from degloss.markup import Edit, Rule, compiled, matches

_MARKS: Final = "\u0308\u0301\u0300\u0302\u0303\u0327\u030a\u030c"
"""Combining marks of the letters of Europe's languages."""
_PRIVATE: Final = "".join(map(chr, range(0xE000, 0xF900)))
_STYLED: Final = (
    *map(chr, (*range(0x1D400, 0x1D800), *range(0xFF01, 0xFF5F), *range(0xFB00, 0xFB07))),
    *"ℂℊℋℌℍℎℏℐℑℒℓℕℙℚℛℜℝℤℨℬℭℯℰℱℳℴ",
)
"""Letters, digits and marks for show, which have compatibility mappings (https://www.unicode.org/reports/tr15/)."""
_RAISED: Final = "¹²³⁰⁴⁵⁶⁷⁸⁹"
_BULLETS: Final = "⁃‣∙⋅‧⁌⁍∎▷▸▹▻▮◈◉◎◘◙◻◼◽◾⦁⦾⦿⬥⬩⮞⇨⟡"
"""Signs of lists that hardly any labelled text has: a sentence behind one would be taken for page furniture."""

ALIKE: Final = dict(
    zip(
        "аеорсухіјѕһԁԛԝӏӓӧАВЕКМНОРСТУХІЈЅӒӦɑɡοΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
        "aeopcyxijshdqwläöABEKMHOPCTYXIJSÄÖagoABEZHIKMNOPTYX",
        strict=True,
    )
)
"""Cyrillic, Greek and phonetic letters that look like Latin ones (https://www.unicode.org/reports/tr39/): in a Latin
word they are Latin letters, put so by somebody who would not be found."""
SPACED: Final = " \u00a0"
"""Looked at only between single characters, three times in a row, and before the next ones."""
SET_OFF: Final = ",."

DOUBLED: Final = (",,", "''")
"""What a typewriter has for quotation marks; each of the two characters alone is too frequent to be looked at."""
LINES: Final = "*_~>`="
"""What lines are drawn with: in a row of one of these nothing begins but at its first."""


def edits(text: str, places: Iterable[int]) -> list[Edit]:
    """What is read otherwise than it stands, in order, none overlapping another; `places` are those of `starts()`.

    >>> edits("Gr&uuml;&szlig;e aus K\\u00c3\\u00b6ln", [2, 8, 22])
    [Edit(start=2, end=8, read='ü'), Edit(start=8, end=15, read='ß'), Edit(start=22, end=24, read='ö')]
    """
    rules = _rules()
    found = sorted(edit for place in places for edit in rules[text[place]](text, place))
    # What is read otherwise only if all of the text says so.
    for guess, holds in (
        ("?", garbled.has_lost_umlauts), ("=", garbled.is_quoted_printable),
        (("\\n", "\\r"), markup.has_lost_line_breaks),
    ):  # fmt: skip
        others = [edit for edit in found if not text.startswith(guess, edit.start)]
        if len(others) < len(found) and not holds(text):
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
        (_BULLETS, _bullet), (_STYLED, _plain), (_RAISED, _raised), (ALIKE, _alike), (SPACED, _spaced),
        (SPACED, _set_off),
        ("ÃÂâïð", garbled.mojibake), (garbled.CODE_PAGES, garbled.code_page), ("¨\u0308", garbled.diaeresis),
        ("¬", garbled.hyphen), ("\ufffd", garbled.lost), ("?", garbled.question_mark),
        ("=", garbled.quoted_printable),
        ("&", markup.entity), ("<", markup.tag), ("\\", markup.escape), ("[", markup.bracket), ("([", markup.aside),
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
    return tuple(_bullet(text, place)) or (Edit(place, place + 1, ""),)


def _bullet(text: str, place: int) -> Iterator[Edit]:
    """The sign before an item of a list. In a row of such signs, or before a link, it may be a line or a pointer."""
    before = text[max(0, place - _FAR) : place].rpartition("\n")[2]
    if not before.strip(SPACED + "\t") and len(before) < _FAR:
        for _ in matches(r"\S[ \t\xa0]+(?!https?:|www\.|t\.me/)[„\"“»‚'(\[]?\w", text, place):
            yield Edit(place, place + 1, "•")


def _plain(text: str, place: int) -> Iterable[Edit]:
    return (Edit(place, place + 1, unicodedata.normalize("NFKC", text[place])),)


def _raised(text: str, place: int) -> Iterator[Edit]:
    """The number of a footnote, behind a word or a mark; m² and m³ are none."""
    if text[place - 1 : place].strip() and text[place - 1] != "m":
        yield Edit(place, place + 1, "")


def _alike(text: str, place: int) -> Iterator[Edit]:
    """Letters of other alphabets beside a Latin one, in a word of no letters that no Latin one is like."""
    first, last = max(0, place - _FAR), min(len(text), place + _FAR)
    begin, end = _reach(text, place, first, last, str.isalpha)
    if all(letter < "\u0250" or letter in ALIKE for letter in text[begin:end]):
        begin, end = _reach(text, place, first, last, ALIKE.__contains__)
        for at in range(begin, end):
            yield Edit(at, at + 1, ALIKE[text[at]])


def _reach(text: str, place: int, first: int, last: int, holds: Callable[[str], bool]) -> tuple[int, int]:
    """How far such characters reach around a place."""
    begin = end = place
    while begin > first and holds(text[begin - 1]):
        begin -= 1
    while end < last and holds(text[end]):
        end += 1
    return begin, end


_FAR: Final = 30
"""Code points: so far is looked in a word, or before an item of a list, or one of a million would take for ever."""


def _spaced(text: str, place: int) -> Iterator[Edit]:
    """The blanks within a word whose letters are set apart, and within short ones behind it; all at the first of them.

    Not those of a list of letters, in their order or all vowels or none.
    """
    for match in matches(_SET_APART, text, place - 1) if place else ():
        word = unicodedata.normalize("NFKC", match[1][::2]).lower()
        listed = all(ord(b) - ord(a) in (0, 1) for a, b in pairwise(word))
        if not listed and 0 < sum(map(_VOWELS.count, word)) < len(word):
            for at in range(match.start() + 1, match.end() - 1):
                if text[at] in SPACED and text[at - 1].isalpha() and text[at + 1].isalpha():
                    yield Edit(at, at + 1, "")


_VOWELS: Final = "aeiouyäöü"
_LETTER: Final = r"[^\W\d_]"
_SET_APART: Final = (
    rf"(?<![^\W_])(?<![\W_]{_LETTER}[ \xa0])(?<!^{_LETTER}[ \xa0])"
    rf"({_LETTER}(?:[ \xa0]{_LETTER}){{3,}})(?![^\W_])"
    rf"(?:[ \xa0]{{2,3}}{_LETTER}[ \xa0]{_LETTER}(?:[ \xa0]{_LETTER})?(?![^\W_]|[ \xa0]{_LETTER}(?![^\W_])))*"
)


def _set_off(text: str, place: int) -> Iterator[Edit]:
    """The blank before a comma or a full stop, which converters put between the pieces of a line.

    Only where few of the marks around have one: who writes blanks before marks himself does so again and again.
    """
    before, mark, behind = (text[place + begin : place + end] for begin, end in ((-1, 0), (1, 2), (2, 4)))
    follows = behind.strip()
    ends = {",": follows not in (".", ","), ".": not follows or follows.isupper() or follows in _OPENING}
    if not ends.get(mark) or behind[:1].strip() or not (before.isalnum() or before in _CLOSING):
        return
    around = text[max(0, place - _AROUND) : place + _AROUND]
    marks = compiled(rf"([{SPACED}]?)[{SET_OFF}](?!\S)").findall(around)
    if 5 * sum(map(bool, marks)) <= len(marks):
        yield Edit(place, place + 1, "")


_OPENING: Final = tuple('„“"»')
_CLOSING: Final = tuple('“”"»)]*_>;%’')
_AROUND: Final = 400
"""Code points to each side, in which marks are counted."""


def _quotation_mark(text: str, place: int) -> Iterator[Edit]:
    mark = text[place]
    before = text[place - 1 : place]
    if mark in "❝❞″":
        if mark != "″" or not before.isdigit():  # inches
            yield Edit(place, place + 1, {"❝": "„", "❞": "“", "″": '"'}[mark])
        return
    if mark in "<>":
        # In pairs alone: one alone points somewhere.
        pair = r"<<(?=\w)[^<>]{1,4000}>>" if mark == "<" else r">>(?=\w)[^<>\n]{1,500}<<"
        for match in matches(pair, text, place):
            yield Edit(place, place + 2, "«" if mark == "<" else "»")
            yield Edit(match.end() - 2, match.end(), "»" if mark == "<" else "«")
        return
    behind = text[place + 2 : place + 3]
    if text[place + 1 : place + 2] != mark or before == mark or behind == mark:
        return
    if behind.isalnum() and not before.isalnum():
        yield Edit(place, place + 2, "„")
    elif before.strip() and not before.isdigit() and not behind.isalnum() and mark != ",":
        yield Edit(place, place + 2, "“")
