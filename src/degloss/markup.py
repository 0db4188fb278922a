"""What is left of another format in a text: entities and tags of HTML, escapes of JSON, marks of Markdown.

Each rule is asked at a character that its format's marks begin with, and answers with what is read otherwise there.
What may be meant as it stands is left alone: a link that fills its line, the star of a list, what *somebody does*.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Final, NamedTuple

from degloss.characters import CONTROLS, HIDDEN

_LONGEST: Final = 500
"""Code points: no emphasis or link is longer, or a text of nothing but their beginnings would take for ever."""

_BREAKS: Final = (
    "p|div|br|hr|h[1-6]|li|ul|ol|dl|dt|dd|tr|table|thead|tbody|blockquote|figure|figcaption|section|article|pre"
)
_WITHIN: Final = (
    r"a|abbr|b|big|center|cite|code|del|em|font|i|img|ins|kbd|mark|q|s|small|span|strong|sub|sup|u|wbr|\w+:\w+"
)
_TAG: Final = (
    rf"(?i:<(?:!--[^<>]{{0,{_LONGEST}}}--|/?(?:({_BREAKS})|(td|th)|{_WITHIN})(\s[^<>]{{0,4000}})?/?)>"
    rf"|&(?:amp;)?lt;/?(?:({_BREAKS})|(td|th)|{_WITHIN})(\s[^<>&]{{0,{_LONGEST}}}(?:&(?:amp;)?quot;[^<>&]{{0,{_LONGEST}}})*)?/?&(?:amp;)?gt;)"
)
"""A tag of HTML, or what it is when it was escaped once more: breaks of lines, cells, attributes."""
_RAISED: Final = r"(?i:<sup>(?:<a\s[^<>]{0,500}>)?\[?\d{1,3}\]?(?:</a>)?</sup>)"
_URL: Final = rf"(?:[^()\s]|\([^()\s]{{0,100}}\)){{1,{_LONGEST}}}"
_PROTOCOLS: Final = ("https://", "http://", "www.", "t.me/")
_ADDRESS: Final = rf"(?:{'|'.join(map(re.escape, _PROTOCOLS))})(?:[^()\[\]\s|]|\([^()\s]{{0,100}}\)){{1,{_LONGEST}}}"
_TO: Final = rf"\]\({_URL}(?: \"[^\"\n]{{0,{_LONGEST}}}\")?\)"
_LINK: Final = rf"\[([^\[\]\n]{{0,{_LONGEST}}})({_TO})"
_LINKED_PICTURE: Final = rf"\[!\[[^\[\]\n]{{0,{_LONGEST}}}({_TO})({_TO})"


class Edit(NamedTuple):
    """A stretch of a text, in code points, and what it is read as: something, white space, or nothing."""

    start: int
    end: int
    read: str


Rule = Callable[[str, int], Iterable[Edit]]


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    # When it is needed: most texts need none of them, and all together would take as long as a page.
    return re.compile(pattern)


def matches(pattern: str, text: str, place: int) -> Iterator[re.Match[str]]:
    """The match that begins there, or none."""
    match = compiled(pattern).match(text, place)
    if match:
        yield match


def entity(text: str, place: int) -> Iterator[Edit]:
    """An entity, or a tag that was escaped."""
    if text.startswith(("&lt;", "&amp;lt;"), place):
        escaped = tuple(tag(text, place))
        if escaped:
            yield from escaped
            return
    for match in matches(r"&(?:amp;){0,3}(#\d{1,7};|#[xX][0-9a-fA-F]{1,6};|[A-Za-z][A-Za-z0-9]{1,30};)", text, place):
        from html import unescape  # takes as long as a page, and few texts need it
        from html.entities import html5

        read = unescape(f"&{match[1]}") if match[1].startswith("#") else html5.get(match[1], "")
        if read:
            yield Edit(place, match.end(), _shown(read))


def _shown(character: str) -> str:
    return "" if character in HIDDEN or character in CONTROLS else character


def tag(text: str, place: int) -> Iterator[Edit]:
    """A tag, the raised number of a footnote, or a bare link within a line."""
    for match in matches(_RAISED, text, place):
        if text[place - 1 : place].strip():
            yield Edit(place, match.end(), "")
            return
    for match in matches(_TAG, text, place):
        attributes = match[3] or match[6] or ""
        if not attributes.strip(" /\n") or "=" in attributes:  # or it may be "a<b und b>c"
            yield Edit(place, match.end(), "\n" if match[1] or match[4] else " " if match[2] or match[5] else "")
    for match in matches(rf"<https?://[^\s<>]{{1,{_LONGEST}}}>", text, place):
        if _stands_within(text, place, match.end()):
            yield Edit(place, match.end(), "")


def escape(text: str, place: int) -> Iterator[Edit]:
    """Of JSON, and of Markdown."""
    for match in matches(r"(?i:\\u(d[89ab][\da-f]{2})\\u(d[c-f][\da-f]{2}))", text, place):
        pair = bytes.fromhex(match[1] + match[2])
        yield Edit(place, match.end(), pair.decode("utf-16-be"))
    for match in matches(r"(?i:\\u(?!d[89a-f])([\da-f]{4}))", text, place):
        yield Edit(place, match.end(), _shown(chr(int(match[1], 16))))
    if text[place - 2 : place] not in ("\\n", "\\r"):  # else it is part of those
        for match in matches(r"(?:(?:\\r)?\\n)+", text, place):
            yield Edit(place, match.end(), "\n" * min(2, match[0].count("n")))
    for _ in matches(r"""\\(?=[\\`*_{}\[\]()#+.!>~|"'=/-])""", text, place):
        yield Edit(place, place + 1, "")


def has_lost_line_breaks(text: str) -> bool:
    return text.count("\\n") > 1 and "\n" not in text.strip()  # or it may be a path of Windows


def bracket(text: str, place: int) -> Iterator[Edit]:
    """A picture of Markdown, a link within a line, or the number of a footnote behind a word or a mark."""
    for match in matches(_LINKED_PICTURE, text, place):
        yield Edit(place, place + 3, "")
        yield Edit(match.start(1), match.end(1), "")
        yield Edit(match.start(2), match.end(), "")
    for match in matches(_LINK, text, place):
        picture = text[place - 1 : place] == "!" and not text[max(0, place - 2) : max(0, place - 1)].isalnum()
        if picture or _stands_within(text, place, match.end()):
            yield Edit(place - picture, place + 1, "")
            yield Edit(match.start(2), match.end(), "")
    for match in matches(r"\[\^?\d{1,3}(?:[,;–-] ?\d{1,3})*\]", text, place):
        if text[place - 1 : place].strip():
            yield Edit(place, match.end(), "")


def aside(text: str, place: int) -> Iterator[Edit]:
    """An address in brackets behind a word, as clients and converters write it where the word was linked.

    Not one that begins its line or fills it, and not that of a link of Markdown.
    """
    if not text.startswith(_PROTOCOLS, place + 1):
        return
    start = max(0, place - 2) + len(text[max(0, place - 2) : place].rstrip(" \u00a0"))
    line = text[max(0, start - _LONGEST) : start].rpartition("\n")[2]
    if not line or not (line[-1].isalnum() or line[-1] in '“”"»)’!?.,:;…%*_'):
        return
    for match in matches(rf"\({_ADDRESS}\)|\[{_ADDRESS}\]", text, place):
        if compiled(r"[^\W\d_]{2}").search(compiled(r"(?:https?://|www\.)\S+").sub("", line)):
            behind = text[match.end() : match.end() + 1]
            if behind.isalnum() or behind in ("„", "(", "["):  # nothing parts it from the next word
                yield Edit(place, match.end(), "" if start < place else " ")
            else:
                yield Edit(start, match.end(), "")


def _stands_within(text: str, start: int, end: int) -> bool:
    """Whether the line has words beside this stretch; behind the end of a long line nobody looks."""
    before = text[max(0, start - _LONGEST) : start].rpartition("\n")[2]
    behind = text[end : end + _LONGEST].partition("\n")[0]
    return any(map(str.isalpha, before + behind))


def emphasis(text: str, place: int) -> Iterator[Edit]:
    """Marks of Markdown around words. A single one counts around a line or four words: *lach* is meant as it stands."""
    mark = text[place]
    if text[place - 1 : place] == mark:
        return
    size = 1
    while size < 3 and text[place + size : place + size + 1] == mark:
        size += 1
    of = re.escape(mark)
    for match in matches(rf"({of}{{{size}}})(?![\s{of}])([^\n]{{0,{_LONGEST}}}?[^\s{of}\\])\1(?!{of})", text, place):
        end, inner = match.end(), match[2]
        before, behind = text[place - 1 : place], text[end : end + 1]
        whole = before in ("", "\n") and behind in ("", "\n", "\r")
        if size == 1 and (mark == "~" or not (whole or inner.count(" ") > 2)):
            return
        if size > 1 and before.isalnum() and inner[0].isalnum():  # letters left out: "sch**e Sache, f**t"
            return
        if (size == 1 or mark == "_") and (before.isalnum() or behind.isalnum() or before in ("/", "?", "&", "=")):
            return
        yield Edit(place, place + size, "")
        yield Edit(end - size, end, "")


def heading(text: str, place: int) -> Iterator[Edit]:
    for match in matches(r"#{1,6} +(?=\S)", text, place):
        if text[place - 1 : place] in ("", "\n"):
            yield Edit(place, match.end(), "")


def quoted(text: str, place: int) -> Iterator[Edit]:
    """The mark before each line of what a mail quotes; before one line alone it may be a pointer."""
    if text[place - 1 : place] not in ("", "\n"):
        return
    line_before = text.rfind("\n", 0, max(0, place - 1)) + 1
    line_behind = text.find("\n", place) + 1 or len(text)
    if (place and text[line_before] == ">") or text[line_behind : line_behind + 1] == ">":
        for match in matches(r"(?:> ?)+", text, place):
            yield Edit(place, match.end(), "")
